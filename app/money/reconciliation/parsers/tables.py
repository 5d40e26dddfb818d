"""Statements in table files: .xlsx, .xls, .ods, text with separators, pages named .xls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from flask_babel import gettext as _

from app.core.sheets import Sheet, Value
from app.money.reconciliation.errors import (
    AmountUnread,
    DayUnread,
    StatementRefused,
    UnknownLayout,
)
from app.money.reconciliation.parsers.balances import proved
from app.money.reconciliation.parsers.figures import (
    is_day_first,
    looks_like_day,
    read_amount,
    read_day,
)
from app.money.reconciliation.parsers.layouts import (
    ACCOUNT,
    CLOSING,
    OPENING,
    TOTALS,
    Columns,
    Layout,
    best_columns,
    form_of,
    words,
)
from app.money.reconciliation.parsers.shapes import FileRow, StatementFile

#: a head stands within so many rows, below the bank's own letterhead
HEAD_WITHIN: Final = 60
_ACCOUNT: Final = re.compile(r"[0-9A-Z]{6,24}")
_DOCUMENT: Final = re.compile(r"[0-9]{1,4}[/.\-][0-9]{1,2}[/.\-][0-9]{2,4}\s*(.+)", re.DOTALL)
_OUT: Final = frozenset({"d", "dr", "debit", "no", "ghi no", "ra", "tien ra", "out", "chi", "rut"})
_IN: Final = frozenset({"c", "cr", "credit", "co", "ghi co", "vao", "tien vao", "in", "thu", "nop"})


def read_table(sheets: Sequence[Sheet], layouts: Iterable[Layout]) -> StatementFile:
    """The statement of a table file, its columns found by the layouts in their order.

    Refuses a table nobody taught the columns of (UnknownLayout), a row that cannot be read, and
    balances that do not add up.
    """
    known = tuple(layouts)
    for sheet in sheets:
        for place, cells in enumerate(sheet.rows[:HEAD_WITHIN]):
            columns = best_columns(cells, known)
            if columns is not None:
                return _read(sheet, place, columns)
    raise UnknownLayout


class _Around:
    """Figures the bank writes above and below the table."""

    def __init__(self) -> None:
        self.opening: int | None = None
        self.closing: int | None = None
        self.account: str | None = None

    def look(self, cells: Sequence[Value], number: int) -> None:
        for place, cell in enumerate(cells):
            if not isinstance(cell, str) or not cell.strip():
                continue
            title, _colon, rest = cell.partition(":")
            said = words(title)
            parts = {said, *(words(part) for part in re.split(r"[/\n(]", title))}
            if self.opening is None and _is_one(parts, OPENING):
                self.opening = _figure_beside(rest, cells[place + 1 :], number)
            elif self.closing is None and _is_one(parts, CLOSING):
                self.closing = _figure_beside(rest, cells[place + 1 :], number)
            elif self.account is None and _is_one(parts, ACCOUNT):
                self.account = _account_beside(rest, cells[place + 1 :])


def _is_one(parts: set[str], names: Sequence[str]) -> bool:
    return any(part in names for part in parts)


def _figure_beside(rest: str, cells: Sequence[Value], number: int) -> int | None:
    for value in (rest, *cells):
        if value is None or (isinstance(value, str) and not value.strip(" :\u00a0")):
            continue
        if isinstance(value, date):
            continue
        try:
            return read_amount(value, number)
        except AmountUnread:
            continue
    return None


def _account_beside(rest: str, cells: Sequence[Value]) -> str | None:
    for value in (rest, *cells):
        if isinstance(value, float) and value == int(value):
            value = int(value)
        text = re.sub(r"[\s.\-]", "", str(value)).upper() if value is not None else ""
        # A name of the kind of account may stand behind the number.
        found = _ACCOUNT.match(text)
        if found and any(sign.isdigit() for sign in found[0]):
            return re.sub(r"(VND|USD)$", "", found[0])
    return None


def _read(sheet: Sheet, head: int, columns: Columns) -> StatementFile:
    around = _Around()
    for place in range(head):
        around.look(sheet.rows[place], sheet.first_row + place)
    body = sheet.rows[head + 1 :]
    first_number = sheet.first_row + head + 1
    at = columns.place
    day_at = at["day"]
    day_first = is_day_first([row[day_at] for row in body])
    reader = _RowReader(columns, day_first)
    found: list[FileRow] = []
    for offset, cells in enumerate(body):
        number = first_number + offset
        day = cells[day_at]
        # An empty day, a head repeated on the next page, sums below the table.
        if looks_like_day(day) or (type(day) in (int, float) and reader.has_amount(cells, number)):
            row = reader.read(cells, number)
            if row is not None:
                found.append(row)
                continue
        around.look(cells, number)
        if "balance" in at and around.opening is None:
            _opening_row(around, cells, at["balance"], number)
        if reader.has_stray_amount(cells, number):
            if day:
                # A row nobody can date is not passed over: its money would be lost.
                raise DayUnread(day, number)
            raise StatementRefused(
                _("Row %(row)s has an amount and no day. Nothing was imported.", row=number),
                row=number,
            )
    return proved(
        form_of(sheet.rows[head], columns.layout.code),
        found,
        account=around.account,
        opening=around.opening,
        closing=around.closing,
    )


def _opening_row(around: _Around, cells: Sequence[Value], balance_at: int, number: int) -> None:
    if any(isinstance(cell, str) and words(cell) in OPENING for cell in cells):
        around.opening = read_amount(cells[balance_at], number)


class _RowReader:
    """Reads the rows of one table; holds where everything stands."""

    def __init__(self, columns: Columns, day_first: bool) -> None:
        at = columns.place
        self._day = at["day"]
        self._ref = at.get("ref", -1)
        self._debit = at.get("debit", -1)
        self._credit = at.get("credit", -1)
        self._amount = at.get("amount", -1)
        self._sign = at.get("sign", -1)
        self._balance = at.get("balance", -1)
        self._text = at.get("text", -1)
        self._payer = at.get("payer", -1)
        self._payer_account = at.get("payer_account", -1)
        self._day_first = day_first
        self._days: dict[object, tuple[date, datetime | None]] = {}

    def has_amount(self, cells: Sequence[Value], number: int) -> bool:
        """Whether the row moves money."""
        try:
            return self._movement(cells, number) != 0
        except StatementRefused:
            return False

    def has_stray_amount(self, cells: Sequence[Value], number: int) -> bool:
        """Whether a row without a day moves money and is no sum."""
        if not self.has_amount(cells, number):
            return False
        said = [words(cell) for cell in cells if isinstance(cell, str)]
        names = (*TOTALS, *OPENING, *CLOSING)
        return not any(one.startswith(names) for one in said) and any(
            isinstance(cells[place], str) and cells[place]
            for place in (self._text, self._ref)
            if place >= 0 and place != self._day
        )

    def read(self, cells: Sequence[Value], number: int) -> FileRow | None:
        """The movement of a row; None when it moves nothing, as an opening row does."""
        value = cells[self._day]
        known = self._days.get(value) if type(value) is str else None
        if known is None:
            known = read_day(value, number, day_first=self._day_first)
            if type(value) is str:
                self._days[value] = known
        movement = self._movement(cells, number)
        if movement == 0:
            return None
        balance = cells[self._balance] if self._balance >= 0 else None
        return FileRow(
            number,
            known[0],
            known[1],
            abs(movement),
            movement > 0,
            read_amount(balance, number) if balance is not None and balance != "" else None,
            _text(cells[self._text]) if self._text >= 0 else "",
            self._reference(cells),
            _text(cells[self._payer])[:120] if self._payer >= 0 else "",
            _text(cells[self._payer_account])[:40] if self._payer_account >= 0 else "",
        )

    def _movement(self, cells: Sequence[Value], number: int) -> int:
        """Đồng with the account holder's sign: in above zero, out below."""
        if self._credit >= 0 or self._debit >= 0:
            came = read_amount(cells[self._credit], number) if self._credit >= 0 else 0
            went = read_amount(cells[self._debit], number) if self._debit >= 0 else 0
            if came or went or self._amount < 0:
                # Some banks put a minus before what goes out, in its own column, too.
                return came - abs(went)
        amount = read_amount(cells[self._amount], number)
        if self._sign >= 0:
            said = words(cells[self._sign])
            mark = str(cells[self._sign] or "").strip()
            if said in _OUT or mark in ("-", "−"):
                return -abs(amount)
            if said in _IN or mark == "+":
                return abs(amount)
        return amount

    def _reference(self, cells: Sequence[Value]) -> str:
        if self._ref < 0:
            return ""
        value = cells[self._ref]
        if self._ref != self._day:
            return _text(value)[:80]
        found = _DOCUMENT.match(value.strip()) if isinstance(value, str) else None
        # Behind a day in the same cell stands the bank's number, or only the time of day.
        return "" if found is None or ":" in found[1] else _text(found[1])[:80]


def _text(value: Value) -> str:
    if type(value) is str:
        return value.strip() if value.isprintable() else _squeezed(value)
    if value is None:
        return ""
    if type(value) is float and value == int(value):
        return str(int(value))
    return str(value)


def _squeezed(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
