"""Table files made to hurt: bombs, lies, wrong letters, broken packing. Each with its refusal."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

TYPES = (
    b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
    b'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    b'<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
    b'officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
RELS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    b'2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
BOOK = (
    b'<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
    b'main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    b'<sheet name="Lop" sheetId="1" r:id="r1"/></sheets></workbook>'
)
BOOK_RELS = (
    b'<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    b'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/'
    b'2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2"'
    b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"'
    b' Target="sharedStrings.xml"/></Relationships>'
)
OPEN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


class Hostile(NamedTuple):
    """A file, and why it is refused."""

    name: str
    data: bytes
    reason: str


def sheet(cells: bytes, *, head: bytes = b"", tail: bytes = b"") -> bytes:
    """The XML of one sheet around its cells."""
    return (
        b'<?xml version="1.0"?>'
        + head
        + OPEN
        + b"<sheetData>"
        + cells
        + b"</sheetData>"
        + tail
        + b"</worksheet>"
    )


def row(number: int, *cells: bytes) -> bytes:
    return b'<row r="%d">' % number + b"".join(cells) + b"</row>"


def cell(ref: str, value: bytes = b"1") -> bytes:
    return b'<c r="%s"><v>%s</v></c>' % (ref.encode(), value)


def words(ref: str, text: str) -> bytes:
    return b'<c r="%s" t="inlineStr"><is><t>%s</t></is></c>' % (ref.encode(), text.encode())


def excel(
    sheet1: bytes,
    *,
    book: bytes = BOOK,
    shared: bytes | None = None,
    more: tuple[tuple[str, bytes], ...] = (),
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """An .xlsx around the XML of its sheet."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", RELS)
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", BOOK_RELS)
        archive.writestr("xl/worksheets/sheet1.xml", sheet1)
        if shared is not None:
            archive.writestr("xl/sharedStrings.xml", shared)
        for name, content in more:
            archive.writestr(name, content)
    return file.getvalue()


def good_excel() -> bytes:
    return excel(sheet(row(1, words("A1", "Họ và tên")) + row(2, words("A2", "Lê An"))))


def open_document(content: bytes) -> bytes:
    """An .ods around its content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", content)
    return file.getvalue()


def ods_table(rows: bytes) -> bytes:
    return (
        b'<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:'
        b'opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:'
        b'1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
        b'<office:spreadsheet><table:table table:name="A">' + rows + b"</table:table>"
        b"</office:spreadsheet></office:body></office:document-content>"
    )


ODS_CELL = b'<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell>'


def patched(data: bytes, name: str, *, size: int) -> bytes:
    """The file with a lie about one member's unpacked size, in both directories."""
    raw = bytearray(data)
    wanted = name.encode()
    for mark, size_at, name_length_at, name_at in (
        (b"PK\x03\x04", 22, 26, 30),
        (b"PK\x01\x02", 24, 28, 46),
    ):
        place = raw.find(mark)
        while place >= 0:
            length = struct.unpack_from("<H", raw, place + name_length_at)[0]
            if raw[place + name_at : place + name_at + length] == wanted:
                struct.pack_into("<I", raw, place + size_at, size)
            place = raw.find(mark, place + 4)
    return bytes(raw)


def hostile_files() -> Iterator[Hostile]:
    """All of them."""
    yield from _not_tables()
    yield from _bombs()
    yield from _lies()
    yield from _formulas()
    yield from _texts()
    yield from _letters()
    yield from _long_searches()


def _not_tables() -> Iterator[Hostile]:
    yield Hostile("nothing at all", b"", "sheet_empty")
    yield Hostile("only zeros", b"\x00" * 5000, "sheet_empty")
    yield Hostile("only blanks", b" \r\n\t\r\n" * 10, "sheet_empty")
    yield Hostile("a workbook without rows", excel(sheet(b"")), "sheet_empty")
    yield Hostile("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "sheet_kind")
    yield Hostile("a picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "sheet_kind")
    yield Hostile("a photo", b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 100, "sheet_kind")
    yield Hostile("a program", b"\x7fELF\x02\x01\x01" + b"\x00" * 200, "sheet_kind")
    yield Hostile("a RAR archive", b"Rar!\x1a\x07\x01\x00" + b"x" * 50, "sheet_kind")
    yield Hostile("a gzip file", b"\x1f\x8b\x08" + b"x" * 50, "sheet_kind")
    yield Hostile("random bytes", bytes((i * 97 + i // 7) % 256 for i in range(5000)), "sheet_kind")
    yield Hostile(
        "a web page named .xls",
        "<html><table><tr><td>Họ tên</td></tr></table></html>".encode(),
        "sheet_html",
    )
    yield Hostile(
        "a bare table of a web page", b"\xef\xbb\xbf<TABLE><TR></TR></TABLE>", "sheet_html"
    )
    yield Hostile("an XML spreadsheet of 2003", b'<?xml version="1.0"?><Workbook/>', "sheet_html")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    yield Hostile("a Word document", file.getvalue(), "sheet_kind")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("lop1.xlsx", good_excel())
    yield Hostile("a zip with a workbook inside", file.getvalue(), "sheet_kind")
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504
    yield Hostile("an old Word document", ole + b"W\x00o\x00r\x00d\x00", "sheet_kind")
    yield Hostile(
        "a workbook under a password",
        ole + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600,
        "sheet_password",
    )
    yield Hostile("an old workbook cut off", ole + "Workbook".encode("utf-16-le"), "sheet_damaged")
    yield Hostile(
        "an old workbook of noise",
        ole + "Workbook".encode("utf-16-le") + bytes(i * 31 % 256 for i in range(60_000)),
        "sheet_damaged",
    )


def _bombs() -> Iterator[Hostile]:
    megabyte = b" " * 2**20
    huge = sheet(megabyte * 300)
    yield Hostile("300 MB of blanks in a sheet", excel(huge), "sheet_too_large")
    yield Hostile(
        "300 MB in a part nobody reads",
        excel(sheet(row(1, cell("A1"))), more=(("xl/media/a.bin", megabyte * 300),)),
        "sheet_too_large",
    )
    yield Hostile(
        "40 parts of 10 MB",
        excel(
            sheet(row(1, cell("A1"))),
            more=tuple((f"xl/media/{n}.bin", megabyte * 10) for n in range(40)),
        ),
        "sheet_too_large",
    )
    yield Hostile(
        "a bomb in the shared words",
        excel(sheet(row(1, cell("A1"))), shared=b"<sst>" + b"<si><t>x</t></si>" * 14_000_000),
        "sheet_too_large",
    )
    yield Hostile(
        "5,000 parts",
        excel(sheet(row(1, cell("A1"))), more=tuple((f"xl/x{n}", b"") for n in range(5000))),
        "sheet_too_large",
    )
    yield Hostile("21 MB packed", b"a;b\n" + b"1;2\n" * 5_600_000, "sheet_too_large")
    yield Hostile("a million rows", excel(_many_rows(1_000_000)), "sheet_too_many_rows")
    yield Hostile("60,001 rows", excel(_many_rows(60_001)), "sheet_too_many_rows")
    yield Hostile(
        "a word in the last row",
        excel(sheet(row(1, cell("A1")) + row(1_048_576, words("A1048576", "x")))),
        "sheet_too_many_rows",
    )
    yield Hostile(
        "a word in the last column",
        excel(sheet(row(1, cell("A1"), cell("XFD1")))),
        "sheet_too_many_columns",
    )
    yield Hostile(
        "the four corners of the sheet",
        excel(sheet(row(1, cell("A1"), cell("XFD1")) + row(1_048_576, cell("XFD1048576")))),
        "sheet_too_many_columns",
    )
    yield Hostile(
        "81 columns",
        excel(sheet(row(1, *(cell(_column(n) + "1") for n in range(81))))),
        "sheet_too_many_columns",
    )
    yield Hostile(
        "five million cells in few rows",
        excel(sheet(b"<row>" + b"<c><v>1</v></c>" * 5_000_000 + b"</row>")),
        "sheet_too_many_rows",
    )
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    yield Hostile(
        "a billion laughs",
        excel(sheet(row(1, words("A1", "&a9;")), head=laughs + b"]>")),
        "sheet_damaged",
    )
    yield Hostile(
        "a file asked from the machine",
        excel(
            sheet(
                row(1, words("A1", "&f;")),
                head=b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
            )
        ),
        "sheet_damaged",
    )
    yield Hostile(
        "one row a million times",
        open_document(
            ods_table(
                b'<table:table-row table:number-rows-repeated="1048576">'
                + ODS_CELL
                + b"</table:table-row>"
            )
        ),
        "sheet_too_many_rows",
    )
    yield Hostile(
        "one cell 16,384 times",
        open_document(
            ods_table(
                b'<table:table-row><table:table-cell table:number-columns-repeated="16384"'
                b' office:value-type="string"><text:p>x</text:p></table:table-cell>'
                b"</table:table-row>"
            )
        ),
        "sheet_too_many_columns",
    )
    yield Hostile(
        "70,000 rows of an open document",
        open_document(
            ods_table((b"<table:table-row>" + ODS_CELL + b"</table:table-row>") * 70_000)
        ),
        "sheet_too_many_rows",
    )
    yield Hostile(
        "a cell of 30,000 letters",
        excel(sheet(row(1, words("A1", "x" * 30_000)))),
        "sheet_cell_too_long",
    )


def _column(number: int) -> str:
    return (chr(64 + number // 26) if number >= 26 else "") + chr(65 + number % 26)


def _many_rows(count: int) -> bytes:
    return sheet(b"".join(row(n, cell(f"A{n}")) for n in range(1, count + 1)))


def _lies() -> Iterator[Hostile]:
    good = good_excel()
    part = "xl/worksheets/sheet1.xml"
    yield Hostile("a size told too small", patched(good, part, size=1), "sheet_damaged")
    yield Hostile("a size told too large", patched(good, part, size=10**6), "sheet_damaged")
    yield Hostile("a size of four gigabytes", patched(good, part, size=2**32 - 2), "sheet_damaged")
    bomb = excel(sheet(b" " * (300 * 2**20)))
    yield Hostile("a bomb told to be small", patched(bomb, part, size=100), "sheet_damaged")
    for share in (0.2, 0.5, 0.9):
        cut = good[: int(len(good) * share)]
        yield Hostile(f"cut off at {share:.0%}", cut, "sheet_damaged")
    yield Hostile("only the first letters", b"PK\x03\x04", "sheet_damaged")
    yield Hostile("an empty archive", b"PK\x05\x06" + b"\x00" * 18, "sheet_kind")
    broken = bytearray(excel(_many_rows(3000)))
    for place in range(2000, len(broken) - 2000, 97):
        broken[place] ^= 0xFF
    yield Hostile("bits turned in the middle", bytes(broken), "sheet_damaged")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("xl/workbook.xml", BOOK)
    yield Hostile("packed in an unusual way", file.getvalue(), "sheet_kind")
    encrypted = bytearray(good)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = encrypted.find(mark)
        while place >= 0:
            encrypted[place + at] |= 1
            place = encrypted.find(mark, place + 4)
    yield Hostile("an encrypted archive", bytes(encrypted), "sheet_password")
    yield Hostile("a workbook without its sheet", _without(good, part), "sheet_damaged")
    yield Hostile("a sheet that is no XML", excel(b"\x00\x01\x02" * 100), "sheet_damaged")
    yield Hostile("a sheet cut in a tag", excel(sheet(row(1, cell("A1")))[:-30]), "sheet_damaged")
    yield Hostile(
        "a shared word that is not there",
        excel(sheet(b'<row r="1"><c r="A1" t="s"><v>999999</v></c></row>'), shared=b"<sst></sst>"),
        "sheet_damaged",
    )
    yield Hostile("an open document that is no XML", open_document(b"x" * 50), "sheet_empty")


def _without(data: bytes, name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for member in old.infolist():
            if member.filename != name:
                new.writestr(member.filename, old.read(member.filename))
    return file.getvalue()


def _formulas() -> Iterator[Hostile]:
    yield Hostile(
        "a formula without result",
        excel(sheet(row(1, cell("A1"), b'<c r="B1"><f>1+1</f></c>'))),
        "sheet_formula",
    )
    yield Hostile(
        "a formula with an empty result",
        excel(sheet(row(1, cell("A1"), b'<c r="C7"><f>SUM(A:A)</f><v></v></c>'))),
        "sheet_formula",
    )
    yield Hostile(
        "a shared formula without result",
        excel(sheet(row(1, b'<c r="D2"><f t="shared" si="0"/></c>'))),
        "sheet_formula",
    )


def _texts() -> Iterator[Hostile]:
    yield Hostile("a quotation mark never closed", b'a;b\n"x;y\nz;1\n', "sheet_quotes")
    yield Hostile("words after a quotation mark", b'a;b\n"x"y;2\n', "sheet_quotes")
    yield Hostile("one line of 5 MB", b"a;b\n" + b"x" * (5 * 2**20), "sheet_cell_too_long")
    yield Hostile("100,000 columns", b";".join([b"x"] * 100_000), "sheet_too_many_columns")
    yield Hostile("81 columns of text", b";".join([b"x"] * 81) + b"\n", "sheet_too_many_columns")
    yield Hostile("70,000 lines", b"a;b\n" * 70_000, "sheet_too_many_rows")
    yield Hostile("zeros between the letters", b"a;b\n1;\x00\n", "sheet_kind")
    yield Hostile("half a UTF-16 sign", b"\xff\xfea", "sheet_letters")
    yield Hostile("control signs", bytes(range(1, 9)) * 50 + b"abc;d\n", "sheet_kind")


def _letters() -> Iterator[Hostile]:
    tcvn = "Hä vµ tªn;Ngµy sinh\nNguyÔn V¨n ¸nh;1/9/2015\nTrÇn ThÞ Thu Hµ;2/9/2015\nLª §øc Hßa;3\n"
    yield Hostile("TCVN3 text", tcvn.encode("cp1252"), "sheet_tcvn3")
    yield Hostile("TCVN3 in a workbook", excel(_cells(tcvn)), "sheet_tcvn3")
    vni = (
        "Hoï vaø teân;Ngaøy sinh\nNguyeãn Vaên AÙnh;1/9/2015\nTraàn Thò Thu Haø;2/9/2015\n"
        "Leâ Ñöùc Hoøa;3/9/2015\n"
    )
    yield Hostile("VNI text", vni.encode("cp1252"), "sheet_vni")
    yield Hostile("VNI in a workbook", excel(_cells(vni)), "sheet_vni")


def _cells(text: str) -> bytes:
    lines = [line.split(";") for line in text.splitlines()]
    return sheet(
        b"".join(
            row(n, *(words(f"{'AB'[place]}{n}", value) for place, value in enumerate(line)))
            for n, line in enumerate(lines, start=1)
        )
    )


def _long_searches() -> Iterator[Hostile]:
    """Small files whose cost would be the square of their length."""
    yield Hostile(
        "a tag opened a million times", excel(sheet(b'<c r="A1"' * 10**6 + b"<f")), "sheet_damaged"
    )
    yield Hostile(
        "rows of an open document never closed",
        open_document(b'<table:table-row table:number-rows-repeated="200">' * 50_000),
        "sheet_empty",
    )
    yield Hostile(
        "cells of an open document never closed",
        open_document(b"<table:table-cell " * 10**6),
        "sheet_damaged",
    )
    marks = "\u0301\u0323"
    yield Hostile(
        "a million marks on one letter", f"a;b\na{marks * 500_000};c\n".encode(), "sheet_letters"
    )
    yield Hostile(
        "thousands of marks in many cells",
        excel(sheet(b"".join(row(n, words(f"A{n}", "a" + marks * 9000)) for n in range(1, 200)))),
        "sheet_letters",
    )
    yield Hostile("19 million commas", b"," * 19_000_000, "sheet_too_many_columns")
    yield Hostile(
        "a thousand sheets that are one",
        excel(
            sheet(b"".join(row(n, cell(f"A{n}")) for n in range(1, 20_000))),
            book=BOOK.replace(
                b'<sheet name="Lop" sheetId="1" r:id="r1"/>',
                b"".join(
                    b'<sheet name="S%d" sheetId="%d" r:id="r1"/>' % (n, n) for n in range(1, 1001)
                ),
            ),
        ),
        "sheet_too_many_sheets",
    )
    yield Hostile(
        "a corner of 60,000 rows and 3,000 columns",
        excel(sheet(row(1, cell("A1")) + row(60_000, b'<c s="1" r="DKJ60000"><v>1</v></c>'))),
        "sheet_too_many_columns",
    )
    pointers = b'<c r="%s%d" t="s"><v>0</v></c>'
    yield Hostile(
        "a long text pointed at from 600,000 cells",
        excel(
            sheet(
                b"".join(
                    row(n, *(pointers % (letter.encode(), n) for letter in "ABCDEFGHIJKLMNOPQRST"))
                    for n in range(1, 30_000)
                )
            ),
            shared=b"<sst><si><t>" + "é".encode() * 19_000 + b"</t></si></sst>",
        ),
        "sheet_too_large",
    )
    yield Hostile("25 MB of remarks", excel(sheet(b"<!--x-->" * 3_000_000)), "sheet_too_large")
    for name, formula in (
        ("with blanks between", b'<c r="B1">\n <f>A1+1</f>\n</c>'),
        ("whose cell names its style first", b'<c s="1" r="B1"><f>A1+1</f></c>'),
        ("in single quotes", b"<c r='B1'><f>A1+1</f></c>"),
        ("in a part that is not read", b'<c r="B1"><f><![CDATA[A1<2]]></f></c>'),
        ("with a blank result", b'<c r="B1"><f>A1</f><v> </v></c>'),
    ):
        yield Hostile(
            f"a formula without a result {name}",
            excel(sheet(row(1, cell("A1"), formula))),
            "sheet_formula",
        )
    yield Hostile(
        "a formula without a result in an open document",
        open_document(
            ods_table(
                b"<table:table-row>"
                + ODS_CELL
                + b'<table:table-cell table:formula="of:=[.A1]"/></table:table-row>'
            )
        ),
        "sheet_formula",
    )
