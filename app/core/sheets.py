"""The one door through which a table file enters: workbooks and text, read as plain rows.

Limits as decided for uploads (E7): 60,000 rows of 80 columns, 20 MB packed, 200 MB unpacked.
"""

from __future__ import annotations

import marshal
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from flask_babel import gettext as _
from xlsxwriter import Workbook

from app.core.errors import Invalid

Value = str | int | float | bool | date | datetime | time | None

MAX_PACKED = 20 * 2**20
#: seconds by the clock on the wall, for a machine with much to do; processor time is the reader's
PATIENCE = 60
_WORKER = Path(__file__).with_name("sheet_worker.py")


class SheetRefused(Invalid):
    """A file that cannot be read as a table; `reason` is stable, the message says what to do."""

    code = "sheet_refused"

    def __init__(self, reason: str, place: str = "") -> None:
        self.reason, self.place = reason, place
        super().__init__(_message(reason, place))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: rows of equal length without empty ones at the end."""

    name: str
    rows: list[list[Value]]
    #: the number of `rows[0]` as a person sees it in the program
    first_row: int


def read_sheets(source: bytes | Path, filename: str = "") -> list[Sheet]:
    """The sheets of an .xlsx, .xls, .ods or text file that hold anything; text gives one sheet.

    What the file is, its content says; its name only names the sheet of a text file. Raises
    SheetRefused.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    if len(data) > MAX_PACKED:
        raise SheetRefused("sheet_too_large")
    ended = _ask_reader(data)
    if ended.returncode == -signal.SIGPROF:
        raise SheetRefused("sheet_too_slow")
    if ended.returncode != 0 or not ended.stdout:
        # The reader died of its limits, which no legal file does; the cause costs a second look.
        ended = _ask_reader(data, "--explain")
        if ended.returncode != 0 or not ended.stdout:
            raise SheetRefused("sheet_too_large")
    answer = marshal.loads(ended.stdout)  # noqa: S302 - written by our own reader just now
    if answer[0] == "no":
        raise SheetRefused(answer[1], answer[2])
    stem = Path(filename).stem
    return [Sheet(name or stem, _rows(rows), first_row) for name, first_row, rows in answer[1]]


def _ask_reader(data: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            [sys.executable, "-I", str(_WORKER), *options],
            input=data,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SheetRefused("sheet_too_large") from error


def _rows(rows: list[list[Any]]) -> list[list[Value]]:
    for row in rows:
        for place, cell in enumerate(row):
            if type(cell) is tuple:
                row[place] = _moment(*cell)
    return rows


def _moment(kind: str, *numbers: int) -> date | time:
    if kind == "d":
        return date(*numbers)
    # A table's moments carry no zone; whoever reads the column knows whose clock it was.
    return datetime(*numbers) if kind == "m" else time(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001


def _message(reason: str, place: str) -> str:
    messages = {
        "sheet_empty": _("The file holds no rows. Choose the file with the list in it."),
        "sheet_kind": _(
            "This is not a table file. Send an Excel file (.xlsx, .xls), an OpenDocument file"
            " (.ods) or a text file (.csv)."
        ),
        "sheet_html": _(
            "This file is a web page that only looks like Excel. Open it in Excel, choose Save as,"
            " Excel workbook (.xlsx), and send that file."
        ),
        "sheet_password": _(
            "The file is locked with a password. Take the password off in Excel and send it again."
        ),
        "sheet_damaged": _(
            "The file is damaged and cannot be read. Open it in Excel, save it under a new name and"
            " send that file."
        ),
        "sheet_too_large": _(
            "The file is too large: at most 20 MB, and 200 MB unpacked. Keep only the list and send"
            " it again, or send it in parts."
        ),
        "sheet_too_many_rows": _("The file has more than 60,000 rows. Send it in parts."),
        "sheet_too_many_columns": _(
            "The file has more than 80 columns. Delete the columns that do not belong to the list."
        ),
        "sheet_cell_too_long": _("A cell holds more than 20,000 letters. Shorten or empty it."),
        "sheet_too_many_sheets": _(
            "The file has more than 200 sheets. Keep the sheet with the list and send it again."
        ),
        "sheet_too_slow": _(
            "The file takes too long to read for its size. Open it in Excel, copy the list into a"
            " new file and send that."
        ),
        "sheet_formula": _(
            "Cell %(cell)s holds a formula without a result. Open the file in Excel, save it, and"
            " send it again, or replace the formulas by their values.",
            cell=place or "?",
        ),
        "sheet_quotes": _(
            "Line %(line)s: a quotation mark is opened and not closed. Mend the line, or send the"
            " list as an Excel file.",
            line=place,
        ),
        "sheet_letters": _(
            "The letters of this text file cannot be read. Save it as CSV UTF-8, or as an Excel"
            " file."
        ),
        "sheet_tcvn3": _(
            "The file is written in an old TCVN3 (ABC) font. Convert it to Unicode first, for"
            " example with Unikey: Conversion toolkit, from TCVN3 (ABC) to Unicode."
        ),
        "sheet_vni": _(
            "The file is written in an old VNI font. Convert it to Unicode first, for example with"
            " Unikey: Conversion toolkit, from VNI Windows to Unicode."
        ),
    }
    return messages[reason]


# Writing


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file we write: its head, its width in letters, and whether it is words."""

    head: str
    width: int = 14
    #: codes, phones and classes stay as they are written, zeros and slashes too
    is_text: bool = True


def write_workbook(
    columns: Sequence[Column], rows: Iterable[Sequence[Value]], *, title: str = "Sheet1"
) -> bytes:
    """An .xlsx with a fixed head row; what looks like a formula stays text."""
    file = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": False,
    }
    book = Workbook(file, options)
    sheet = book.add_worksheet(title[:31])
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@"})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, text if column.is_text else None)
        sheet.write_string(0, place, column.head, head)
    count = 0
    for count, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, date):
                sheet.write_datetime(count, place, cast(Any, value), day)
            elif isinstance(value, str):
                sheet.write_string(count, place, value, text)
            else:
                sheet.write(count, place, value)
    sheet.freeze_panes(1, 0)
    if columns:
        sheet.autofilter(0, 0, max(count, 1), len(columns) - 1)
    book.close()
    return file.getvalue()
