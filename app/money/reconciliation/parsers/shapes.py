"""What every bank's file becomes: a statement with its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class FileRow(NamedTuple):
    """One movement on an account; amounts are whole đồng above zero."""

    #: the row as the spreadsheet numbers it, or the place of the entry in the file
    number: int
    day: date
    #: the bank's clock in its own zone, None when only the day is told
    moment: datetime | None
    amount: int
    is_credit: bool
    #: the account after it, None when the file does not say
    balance: int | None
    text: str
    #: the bank's own number of it, empty when there is none
    ref: str
    payer: str
    payer_account: str


@dataclass(frozen=True, slots=True)
class StatementFile:
    """A bank's statement as told by its file, oldest row first."""

    #: its form: a layout and its titles, `mt940`, `camt053`
    layout: str
    rows: tuple[FileRow, ...]
    #: the account number it names, None when it names none
    account: str | None
    opening: int | None
    closing: int | None

    @property
    def credits(self) -> int:
        """Sum of what came in."""
        return sum(row.amount for row in self.rows if row.is_credit)

    @property
    def debits(self) -> int:
        """Sum of what went out."""
        return sum(row.amount for row in self.rows if not row.is_credit)

    @property
    def is_proved(self) -> bool:
        """Whether balances stood in the file, so that no row can be missing."""
        return self.opening is not None and self.closing is not None
