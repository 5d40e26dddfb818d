"""The real exchange: a workbook out, a workbook or text file in; no official form exists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from app.core.ids import fold_slips
from app.core.sheets import Column, Sheet, read_sheets, write_workbook
from app.people.students import IdentityField, Sex
from app.people.students.queries import masked
from app.people.verification import words
from app.people.verification.errors import UnreadableResults
from app.people.verification.exchange import Answer, Asked, Sent

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NUMBERS = re.compile(r"[0-9]{9,}")
#: a heading stands among the first rows, under a title or a stamp of the office
_HEADING_WITHIN = 30
#: words of the file, always in Vietnamese: offices read it
_COLUMNS = (
    Column("STT", 6, is_text=False),
    Column("Mã đối chiếu", 14),
    Column("Số định danh", 16),
    Column("Họ và tên", 28),
    Column("Ngày sinh", 12),
    Column("Giới tính", 10),
)
_THEIRS = {
    f"their {field.value}": field
    for field in (
        IdentityField.FULL_NAME,
        IdentityField.BIRTH_DATE,
        IdentityField.SEX,
        IdentityField.PIN,
    )
}


class FileExchange:
    """Batches as .xlsx; results as any table file, its columns found by what their heads mean."""

    def write_batch(self, rows: Sequence[Asked], *, name: str) -> Sent:
        """One sheet, a row a person; numbers and days are text, so that nothing is reformatted."""
        body = write_workbook(
            _COLUMNS,
            [
                (
                    place,
                    asked.row_key,
                    asked.pin,
                    asked.full_name,
                    asked.birth_date.strftime("%d/%m/%Y"),
                    words.write_sex(asked.sex),
                )
                for place, asked in enumerate(rows, start=1)
            ],
            title="Xác thực dân cư",
        )
        return Sent(f"{name}.xlsx", XLSX, body)

    def read_result(self, source: bytes, filename: str) -> list[Answer]:
        """Every row with a result on every sheet that has the headings.

        Raises SheetRefused for no table file, UnreadableResults for one without results.
        """
        answers: list[Answer] = []
        is_found = False
        sheets = read_sheets(source, filename)
        for sheet in sheets:
            columns, start = _headings(sheet)
            if columns:
                is_found = True
                answers += _answers(sheet, columns, start, names_sheet=len(sheets) > 1)
        if not is_found or not answers:
            raise UnreadableResults
        return answers


def _headings(sheet: Sheet) -> tuple[dict[str, int], int]:
    """The columns by meaning, and the place of the first row below; nothing when there is none."""
    for place, cells in enumerate(sheet.rows[:_HEADING_WITHIN]):
        columns: dict[str, int] = {}
        for column, cell in enumerate(cells):
            meaning = words.read_heading(cell) if isinstance(cell, str) else None
            if meaning:
                columns.setdefault(meaning, column)
        if "result" in columns and ("key" in columns or "pin" in columns):
            return columns, place + 1
    return {}, 0


def _answers(
    sheet: Sheet, columns: dict[str, int], start: int, *, names_sheet: bool
) -> list[Answer]:
    found = []
    for place, cells in enumerate(sheet.rows[start:], start):
        text = _text(_at(cells, columns, "result"))
        key = fold_slips("".join(_text(_at(cells, columns, "key")).split()))
        pin = words.read_pin(_text(_at(cells, columns, "pin")))
        if not text or not (key or pin):
            continue  # left empty: not answered yet
        state, named = words.read_result(text)
        given, trouble = _given(cells, columns)
        prefix = f"{sheet.name}: " if names_sheet else ""
        found.append(
            Answer(
                place=f"{prefix}{sheet.first_row + place}",
                row_key=key[:12],
                pin=pin[:24],
                # An office may write whose number it is; the screens show what it wrote.
                text=_NUMBERS.sub(lambda hit: masked(hit[0]), text)[:120],
                state=state,
                named=named,
                given=given,
                trouble=trouble,
            )
        )
    return found


def _given(cells: Sequence[Any], columns: dict[str, int]) -> tuple[dict[IdentityField, str], str]:
    """The values of the other side in our form, and the first one that cannot be read."""
    given: dict[IdentityField, str] = {}
    for meaning, field in _THEIRS.items():
        cell = _at(cells, columns, meaning)
        text = _text(cell)
        if text in ("", "-", "–"):
            continue
        value = _value(field, cell, text)
        if value is None:
            return given, text[:60]
        given[field] = value
    return given, ""


def _value(field: IdentityField, cell: Any, text: str) -> str | None:
    if field is IdentityField.FULL_NAME:
        name = words.read_name(text)
        return name if len(name) <= 120 else None
    if field is IdentityField.BIRTH_DATE:
        day = cell if isinstance(cell, date) else words.read_day(text)
        if isinstance(day, datetime):
            day = day.date()
        return day.isoformat() if day is not None and day.year >= 1900 else None
    if field is IdentityField.SEX:
        sex: Sex | None = words.read_sex(text)
        return sex.value if sex else None
    pin = words.read_pin(text)
    return pin if len(pin) == 12 and pin.isdigit() else None


def _at(cells: Sequence[Any], columns: dict[str, int], meaning: str) -> Any:
    column = columns.get(meaning)
    return cells[column] if column is not None and column < len(cells) else None


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.strftime("%d/%m/%Y")
    return " ".join(str(cell).split())
