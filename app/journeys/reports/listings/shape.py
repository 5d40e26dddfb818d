"""What every list has: columns with their kinds, lines that lead to their entries, a total."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.core.clock import start_of
from app.core.money import ZERO, Vnd

Value = str | int | date | Vnd | None


class Kind(StrEnum):
    """How a column is set and what a workbook makes of it."""

    TEXT = "text"
    DAY = "day"
    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Column:
    """A column in the reader's language."""

    key: str
    head: str
    kind: Kind = Kind.TEXT
    #: the column that names the line
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line, its values in the order of the columns."""

    values: tuple[Value, ...]
    #: endpoint and values of the page with the entries behind it
    leads_to: tuple[str, Mapping[str, Any]] | None = None
    #: a line that is shown and does not count
    is_struck: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as read."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    #: what the figures mean, in a sentence or two
    meaning: str
    #: the same sum as the ledger has it; None where a list has no sum of money
    in_ledger: Vnd | None = None
    #: the column whose total is held against the ledger
    checked: str = ""

    def total(self, key: str) -> Value:
        """The sum of a column; None where it has none."""
        place = [column.key for column in self.columns].index(key)
        kind = self.columns[place].kind
        values = [line.values[place] for line in self.lines if not line.is_struck]
        if kind is Kind.MONEY:
            return Vnd(sum(value.dong for value in values if isinstance(value, Vnd)))
        if kind is Kind.COUNT:
            return sum(value for value in values if isinstance(value, int))
        return None

    @property
    def total_row(self) -> list[Value]:
        """The totals in the order of the columns."""
        return [self.total(column.key) for column in self.columns]

    @property
    def sum(self) -> Vnd:
        """The total that is held against the ledger."""
        total = self.total(self.checked) if self.checked else ZERO
        return total if isinstance(total, Vnd) else ZERO

    @property
    def holds(self) -> bool:
        """Whether the list says what the ledger says."""
        return self.in_ledger is None or self.in_ledger == self.sum


@dataclass(frozen=True, slots=True)
class Asked:
    """Which days a list is asked for; a list of one day reads `last` only."""

    school_id: int
    first: date
    last: date
    now: datetime

    @property
    def start(self) -> datetime:
        """The first moment asked for."""
        return start_of(self.first)

    @property
    def end(self) -> datetime:
        """The first moment after the last day."""
        return start_of(self.last + timedelta(days=1))

    @property
    def span(self) -> dict[str, Any]:
        """The school and both ends, for a query."""
        return {"school_id": self.school_id, "start": self.start, "end": self.end}


@dataclass(frozen=True, slots=True)
class Report:
    """A list that can be asked for."""

    name: str
    #: title and one line about it, in the reader's language when called
    title: Callable[[], str]
    about: Callable[[], str]
    read: Callable[[Asked], Listing]
    #: `day` as it stood at the end of a day, `span` from day to day, `year` by school years
    period: str
    is_wide: bool = False
    #: whether the paper writes the total out in words
    in_words: bool = False
