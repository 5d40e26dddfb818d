"""Reads one table file in a process of its own: `python -I sheet_worker.py < file > answer`.

Native code parses what strangers send, so it runs where neither its memory nor its faults are ours.
The answer is marshalled plain values: ("ok", [(name, first row, rows)]) or ("no", code, place).
Days travel as ("d", y, m, d), moments as ("m", y, m, d, h, min, s), times as ("t", h, min, s).
Imports nothing of the product; starts in a few hundredths of a second.
"""

from __future__ import annotations

import csv
import gc
import io
import marshal
import os
import re
import signal
import sys
import unicodedata
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from typing import Any

MAX_ROWS = 60_000
MAX_COLUMNS = 80
MAX_UNPACKED = 200 * 2**20
MAX_MEMBERS = 2_000
MAX_CELL = 20_000
MAX_SHEETS = 200
#: a list packs to a tenth or so; what packs far better above this size is no list
SUSPICIOUS, MOST_PACKED = 20 * 2**20, 100
#: deflate itself packs no better than this
BEST_PACKING = 1032
#: address space; macOS does not keep to it
MEMORY = 2 * 2**30
#: processor time: to begin with, and for each byte unpacked; honest files need a third of it
SECONDS = 1.2
BYTES_A_SECOND = 5 * 2**20

_PAGES = (b"<html", b"<!doctype", b"<table", b"<head", b"<body", b"<?xml", b"<meta")
_OTHERS = (b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z\xbc", b"\x1f\x8b")
#: asked again after the reader died: look for the cause, which a good file need not wait for
EXPLAIN = "--explain" in sys.argv
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class No(Exception):
    """The file is refused; `place` names a cell or line where one is to blame."""

    def __init__(self, code: str, place: str = "") -> None:
        super().__init__(code)
        self.code, self.place = code, place


def main() -> None:
    """Read standard input, write the answer."""
    _limit()
    gc.disable()  # nothing made here is a circle, and the process is short
    data = sys.stdin.buffer.read()
    _allow(len(data) * (1 if data.startswith(b"PK") else 2))
    try:
        answer: Any = ("ok", read(data))
    except No as refusal:
        answer = ("no", refusal.code, refusal.place)
    except MemoryError:
        answer = ("no", "sheet_too_large", "")
    sys.stdout.buffer.write(marshal.dumps(answer, 2))
    sys.stdout.buffer.flush()
    os._exit(0)  # millions of cells need no tidying up


def _limit() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # the caller's clock still ends us


def _allow(size: int) -> None:
    """So much processor time from now on; the signal ends the process, native code and all."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS + size / BYTES_A_SECOND)


def read(data: bytes) -> list[tuple[str, int, list[list[Any]]]]:
    """The sheets of a file, by what it is and not by what it is called."""
    if not data.strip(b"\x00 \r\n\t"):
        raise No("sheet_empty")
    head = data[:4096]
    if data.startswith(b"PK"):
        return _workbook(_checked_zip(data))
    if data.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise No("sheet_password")
        if "Workbook".encode("utf-16-le") not in data and "Book".encode("utf-16-le") not in data:
            raise No("sheet_kind")
        return _workbook(data)
    low = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if low.startswith(_PAGES):
        raise No("sheet_html")
    if low.startswith(
        (b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8", b"rar!", b"7z\xbc", b"\x1f\x8b")
    ):
        raise No("sheet_kind")
    return [_text(data)]


# Packed workbooks: counted before anything parses them


def _checked_zip(data: bytes) -> bytes:
    """The archive, its cells with errors turned into words: the native reader would lose them."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise No("sheet_damaged") from error
    names = {member.filename for member in members}
    if len(members) > MAX_MEMBERS:
        raise No("sheet_too_large")
    if len(names) != len(members):
        raise No("sheet_damaged")
    is_excel = "xl/workbook.xml" in names or "xl/workbook.bin" in names
    is_open = "content.xml" in names
    if not is_excel and not is_open:
        raise No("sheet_kind")
    if any(member.flag_bits & 1 for member in members):
        raise No("sheet_password")
    contents = _all_unpacked(data, members)
    is_changed = False
    for name, content in contents.items():
        if not name.endswith((".xml", ".rels")):
            continue
        _check_xml(name, content)
        if _is_sheet(name, content) and (b't="e"' in content or b"t='e'" in content):
            contents[name] = _ERROR.sub(rb'\1"str"', content)
            is_changed = True
        elif name == "content.xml" and b' office:string-value=""' in content:
            # So an error stands there, beside the word that is seen.
            contents[name] = content.replace(b' office:string-value=""', b"")
            is_changed = True
    _check_repeated_words(contents)
    packed = {member.filename: member.compress_size for member in members}
    if EXPLAIN or any(
        len(content) > max(SUSPICIOUS, MOST_PACKED * packed[name])
        for name, content in contents.items()
    ):
        raise No("sheet_too_large")
    return _packed(contents) if is_changed else data


def _check_repeated_words(contents: dict[str, bytes]) -> None:
    """A long text may stand in the file once and be pointed at from every cell."""
    lengths = [len(text) for text in contents.get("xl/sharedStrings.xml", b"").split(b"</si>")]
    sheets = [text for name, text in contents.items() if _is_sheet(name, text)]
    cells = sum(text.count(b't="s"') + text.count(b"t='s'") for text in sheets)
    if max(lengths) * cells < 5 * MAX_UNPACKED:
        return
    total = 0
    for text in sheets:
        for place in _POINTER.finditer(text):
            number = int(place[1])
            total += lengths[number] if number < len(lengths) else 0
    if total > 2 * MAX_UNPACKED:
        raise No("sheet_too_large")


def _packed(contents: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def _all_unpacked(data: bytes, members: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    """The told sizes bind every member, so nothing is unpacked only to be refused."""
    if any(member.file_size > BEST_PACKING * member.compress_size + 64 for member in members):
        raise No("sheet_damaged")
    told = sum(member.file_size for member in members)
    if told > MAX_UNPACKED:
        raise No("sheet_too_large")
    _allow(told)
    return {member.filename: _unpacked(data, member) for member in members}


def _unpacked(data: bytes, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a member: as many as the directory tells, or the file is damaged."""
    start = member.header_offset
    if data[start : start + 4] != b"PK\x03\x04":
        raise No("sheet_damaged")
    names = int.from_bytes(data[start + 26 : start + 28], "little")
    extra = int.from_bytes(data[start + 28 : start + 30], "little")
    begin = start + 30 + names + extra
    packed = data[begin : begin + member.compress_size]
    if len(packed) != member.compress_size:
        raise No("sheet_damaged")
    if member.compress_type == zipfile.ZIP_STORED:
        content = packed
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        opener = zlib.decompressobj(-15)
        try:
            content = opener.decompress(packed, member.file_size + 1)
        except zlib.error as error:
            raise No("sheet_damaged") from error
        if not opener.eof:
            raise No("sheet_damaged")
    else:
        raise No("sheet_kind")
    if len(content) != member.file_size:
        raise No("sheet_damaged")
    return content


# No part of a pattern crosses the start of another match: a search is over in one pass.
_NAME = rb"<(?:[\w.-]+:)?"
_END = rb"</(?:[\w.-]+:)?"
#: a cell that holds something below row 60,000 or right of column 80 (CB)
_FAR = re.compile(
    _NAME + rb"""c\s[^<>]*?\br=["'](?:(?:C[C-Z]|[D-Z][A-Z]|[A-Z]{3,})[0-9]+"""
    rb"""|[A-Z]+(60[1-9][0-9]{2}|6[1-9][0-9]{3}|[7-9][0-9]{4}|[0-9]{6,}))["'][^<>]*(?<!/)>"""
)
#: a formula that nothing follows; one that gave an empty word says so by its type
_NO_RESULT = re.compile(
    _NAME + rb"c(\s[^<>]*)?>\s*" + _NAME + rb"f(?:\s[^<>]*)?(?:/>|>[^<]*(?:<!\[CDATA\["
    rb"(?:[^\]<]|<(?!!)|\](?!\]>))*\]\]>[^<]*)*"
    + _END
    + rb"f\s*>)(?:\s*("
    + _NAME
    + rb"v(?:\s[^<>]*)?(?:/>|>\s*"
    + _END
    + rb"v\s*>)))?\s*"
    + _END
    + rb"c\s*>"
)
_ERROR = re.compile(rb"""(<(?:[\w.-]+:)?c\s(?:[^<>]*?\s)?t=)["']e["']""")
_POINTER = re.compile(rb"<(?:[\w.-]+:)?v>([0-9]{1,9})<")
_PLACE = re.compile(rb"""\br=["']([A-Z]+[0-9]+)["']""")
_WORD = re.compile(rb"""\bt=["']str["']""")
_ROW_END = re.compile(rb"</[\w.-]+:row>")
_OPEN_ROW = re.compile(rb"<(?:[\w.-]+:)?table-row(?=[\s/>])([^<>]*)>")
_OPEN_CELL = re.compile(rb"<(?:[\w.-]+:)?table-cell(?=[\s/>])([^<>]*)>")
_TIMES = re.compile(rb"""number-(?:rows|columns)-repeated=["']\s*([0-9]+)""")


def _check_xml(name: str, content: bytes) -> None:
    # It stands before the first element; the parser would not expand it anyway.
    if b"<!DOCTYPE" in content[:65536]:
        raise No("sheet_damaged")
    if _is_sheet(name, content):
        _check_excel(content)
    elif name == "content.xml":
        _check_open_document(content)


def _is_sheet(name: str, content: bytes) -> bool:
    """Whether a part of an Excel file is a sheet: the book may keep them under any name."""
    return name.startswith("xl/worksheets/") or b"sheetData" in content


def _check_excel(content: bytes) -> None:
    # Formatted empty rows are no fault; so many with cells are. Only a row with cells has an end.
    ends = content.count(b"</row>")
    if b":row>" in content:
        ends += len(_ROW_END.findall(content))
    if ends > MAX_ROWS + 40_000:
        raise No("sheet_too_many_rows")
    if content.count(b"<c ") + content.count(b"<c>") + content.count(b":c ") > (
        MAX_ROWS * MAX_COLUMNS
    ):
        raise No("sheet_too_many_rows")
    if EXPLAIN and (found := _FAR.search(content)):
        raise No("sheet_too_many_rows" if found[1] else "sheet_too_many_columns")
    if b"<f" not in content and b":f" not in content:
        return
    for formula in _NO_RESULT.finditer(content):
        about = formula[1] or b""
        if formula[2] and _WORD.search(about):
            continue
        place = _PLACE.search(about)
        raise No("sheet_formula", place[1].decode() if place else "")


def _check_open_document(content: bytes) -> None:
    """Counts rows and cells as the file repeats them; empty ones are no fault."""
    cells = content.count(b"table-cell")
    if content.count(b"table-row") > 2 * MAX_ROWS + 2000 or cells > 2 * MAX_ROWS * MAX_COLUMNS:
        raise No("sheet_too_many_rows")
    rows = filled = above = 0
    starts = [*_OPEN_ROW.finditer(content)]
    for place, start in enumerate(starts):
        times = _times(start[1])
        above += times
        end = starts[place + 1].start() if place + 1 < len(starts) else len(content)
        part = content[start.end() : end]
        if times > 100 or b"columns-repeated" in part or b"formula" in part:
            width = column = 0
            for cell in _OPEN_CELL.finditer(part):
                column += _times(cell[1])
                if b":formula=" in cell[1] and b"value-type" not in cell[1]:
                    raise No("sheet_formula", f"{_letters(column)}{above}")
                if b"value-type" in cell[1]:
                    if _times(cell[1]) > MAX_COLUMNS:
                        raise No("sheet_too_many_columns")
                    width += _times(cell[1])
        else:
            width = 1
        if width:
            rows += times
            filled += times * width
        if rows > MAX_ROWS + 1000 or filled > MAX_ROWS * MAX_COLUMNS:
            raise No("sheet_too_many_rows")


def _letters(column: int) -> str:
    """The name of a column, from 1."""
    name = ""
    while column:
        column, place = divmod(column - 1, 26)
        name = chr(65 + place) + name
    return name


def _times(attributes: bytes) -> int:
    found = _TIMES.search(attributes)
    return int(found[1][:9]) if found else 1


def _workbook(data: bytes) -> list[tuple[str, int, list[list[Any]]]]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        if len(book.sheet_names) > MAX_SHEETS:
            raise No("sheet_too_many_sheets")
        found = []
        left = 2 * MAX_ROWS * MAX_COLUMNS
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.start is None:
                continue
            if sheet.height > MAX_ROWS + 1000:
                raise No("sheet_too_many_rows")
            left -= sheet.height * sheet.width
            if left < 0:
                raise No(
                    "sheet_too_many_columns" if sheet.width > MAX_COLUMNS else "sheet_too_many_rows"
                )
            rows: list[list[Any]] = [*sheet.to_python(skip_empty_area=True)]
            found.append((name, int(sheet.start[0]) + 1, _trimmed(rows)))
    except No:
        raise
    except python_calamine.PasswordError as error:
        raise No("sheet_password") from error
    except MemoryError:
        raise
    except BaseException as error:  # a panic of the native reader is a BaseException
        raise No("sheet_damaged") from error
    found = [sheet for sheet in found if sheet[2]]
    if not found:
        raise No("sheet_empty")
    for _name, _first, rows in found:
        _check_letters(rows)
    return found


def _trimmed(rows: list[list[Any]]) -> list[list[Any]]:
    width = 0
    plain: list[list[Any]] = []
    last = 0
    for number, row in enumerate(rows, start=1):
        cells = _cells(row)
        filled = len(cells)
        while filled and cells[filled - 1] is None:
            filled -= 1
        if filled:
            last = number
            width = max(width, filled)
        plain.append(cells)
    if last > MAX_ROWS:
        raise No("sheet_too_many_rows")
    if width > MAX_COLUMNS:
        raise No("sheet_too_many_columns")
    del plain[last:]
    for place, cells in enumerate(plain):
        if len(cells) != width:
            plain[place] = cells[:width] + [None] * (width - len(cells))
    return plain


#: parts the cells of a row of words while they are looked at together
_PART = "\x1f"
_BLANK = re.compile(r"(?:^|\x1f)\s+(?:\x1f|$)")


def _cells(row: list[Any]) -> list[Any]:
    try:
        words = _PART.join(row)
    except TypeError:  # numbers or days among them
        return [_plain(value) for value in row]
    if len(words) > MAX_CELL or words.count(_PART) != len(row) - 1:
        return [_plain(value) for value in row]
    words = _composed(words)
    found: list[Any] = words.split(_PART)
    if all(found) and not _BLANK.search(words):
        return found
    return [word if word and not word.isspace() else None for word in found]


def _plain(value: Any) -> Any:
    if type(value) is str:
        if len(value) > MAX_CELL:
            raise No("sheet_cell_too_long")
        return _composed(value) if value.strip() else None
    if value is None or type(value) is bool:
        return value
    if type(value) is float:
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, datetime):
        clock = (value.hour, value.minute, value.second)
        day = ("d", value.year, value.month, value.day)
        return day if clock == (0, 0, 0) else ("m", *day[1:], *clock)
    if isinstance(value, date):
        return ("d", value.year, value.month, value.day)
    if isinstance(value, time):
        return ("t", value.hour, value.minute, value.second)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


#: Unicode allows thirty marks on one letter; sorting very many takes their square
_MARKS = re.compile(r"[^\w\s]{31,}")


def _composed(words: str) -> str:
    """Letters and their marks made one, as NFC has it."""
    if words.isascii():
        return words
    for run in _MARKS.finditer(words):
        if sum(1 for sign in run[0] if unicodedata.combining(sign)) > 30:
            raise No("sheet_letters")
    return unicodedata.normalize("NFC", words)


# Text files


def _text(data: bytes) -> tuple[str, int, list[list[Any]]]:
    text = _decoded(data)
    if "\x00" in text:
        raise No("sheet_kind")
    # One sign in a hundred that no text holds is a program or a picture.
    odd = sum(text.count(chr(code)) for code in (*range(1, 9), *range(14, 32), 127, 0xFFFD))
    if odd * 100 > len(text):
        raise No("sheet_kind")
    delimiter = _delimiter(text)
    # A line of millions of signs is told before it becomes millions of cells.
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if len(line) > 5_000 and line.count(delimiter) > 5_000:
            raise No("sheet_too_many_columns", str(number))
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[Any]] = []
    try:
        for row in reader:
            if len(row) > MAX_COLUMNS and any(cell.strip() for cell in row[MAX_COLUMNS:]):
                raise No("sheet_too_many_columns", str(reader.line_num))
            rows.append([cell.strip() or None for cell in row[:MAX_COLUMNS]])
            if len(rows) > MAX_ROWS + 1000:
                raise No("sheet_too_many_rows")
    except csv.Error as error:
        code = "sheet_cell_too_long" if "field limit" in str(error) else "sheet_quotes"
        raise No(code, str(reader.line_num)) from error
    rows = _trimmed(rows)
    if not rows:
        raise No("sheet_empty")
    _check_letters(rows)
    return ("", 1, rows)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return _composed(data.decode("utf-16"))
        except UnicodeDecodeError as error:
            raise No("sheet_letters") from error
    if b"\x00" in data[:65536]:
        raise No("sheet_kind")
    try:
        return _composed(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    old = data.decode("cp1252", errors="replace")
    _refuse_old_letters(old)
    try:
        return _composed(data.decode("cp1258"))
    except UnicodeDecodeError as error:
        raise No("sheet_letters") from error


def _delimiter(text: str) -> str:
    """The sign that stands equally often on most of the first lines."""
    lines = [line for line in text[:65536].splitlines()[:40] if line.strip()]
    best, most = ",", 0
    for sign in (";", "\t", ","):
        counts = [_outside_quotes(line, sign) for line in lines]
        filled = [count for count in counts if count]
        if not filled:
            continue
        usual = max(set(filled), key=filled.count)
        score = filled.count(usual) * min(usual, 10)
        if score > most:
            best, most = sign, score
    return best


def _outside_quotes(line: str, sign: str) -> int:
    return sum(part.count(sign) for part in line.split('"')[::2])


# Letters of fonts from before Unicode: seen, told, never guessed

_TCVN3 = re.compile(r"[A-Za-z][µ¸¶·¹¨©ª«¬­®¾»¼½Æ×ß]|[®§][A-Za-z¬­µ¸¶·¹]|[µ¸¶·¹][a-z]")
_VNI = re.compile(
    r"[aeouyAEOUY][ùøûõïÙØÛÕÏ]|[ae][äåãáàéèúü]|oâ[ùøûõï]|ñ[aeiouyö]|ö[ôùøûõï]|[Ññ][aeiouöAEIOU]"
)
_MODERN = re.compile(r"[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")


def _refuse_old_letters(text: str) -> None:
    sample = text[:200_000]
    modern = len(_MODERN.findall(sample))
    old = len(_TCVN3.findall(sample))
    if old >= 3 and old > modern:
        raise No("sheet_tcvn3")
    vni = len(_VNI.findall(sample))
    if vni >= 3 and vni > modern:
        raise No("sheet_vni")


def _check_letters(rows: list[list[Any]]) -> None:
    words = []
    for row in rows[:500]:
        words += [cell for cell in row if isinstance(cell, str)]
    _refuse_old_letters("\n".join(words))


if __name__ == "__main__":
    main()
