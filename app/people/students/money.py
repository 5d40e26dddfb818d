"""What the rooms above tell of a child's money; this room only shows it and knows no ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from app.core.money import ZERO, Vnd
from app.core.period import Period


@dataclass(frozen=True, slots=True)
class ChildState:
    """How far one child's bills of one month are paid.

    `state` is that of the least proven part: `unpaid`, `provider`, `account`, `receipted`, or
    `zero` when nothing is asked.
    """

    state: str
    asked: Vnd
    paid: Vnd

    @property
    def is_part(self) -> bool:
        """Whether some is paid and some is not."""
        return ZERO < self.paid < self.asked


@dataclass(frozen=True, slots=True)
class ChildBill:
    """A bill on the child's page."""

    id: int
    period: Period
    seq: int
    total: Vnd
    open: Vnd
    due_on: date
    state: ChildState


@dataclass(frozen=True, slots=True)
class Relief:
    """An exemption of a child: what for, how much, since when, on which ground."""

    policy: str
    legal_act: str
    rates: tuple[tuple[str, int], ...]
    first: Period
    last: Period | None


@dataclass(frozen=True, slots=True)
class Taken:
    """An optional item the family said yes to."""

    item: str
    first: Period
    last: Period | None
    chosen_on: date
    source: str


class MoneySource(Protocol):
    """What the child's pages ask of the rooms of money."""

    def month(self, school_id: int, today: date) -> Period:
        """The newest month with bills, or the month of today while there are none."""
        ...

    def percents(
        self, school_id: int, enrolment_ids: Collection[int], period: Period
    ) -> dict[int, int]:
        """The largest percentage granted to each child in a month; none for those without."""
        ...

    def states(
        self, school_id: int, student_ids: Collection[int], period: Period
    ) -> dict[int, ChildState]:
        """How far the bills of a month are paid; children without a bill are absent."""
        ...

    def bills(self, school_id: int, student_id: int) -> list[ChildBill]:
        """All bills of a child at one school, newest first."""
        ...

    def credit(self, school_id: int, student_id: int) -> Vnd:
        """Money the school holds for the child."""
        ...

    def reliefs(self, school_id: int, enrolment_ids: Collection[int]) -> list[Relief]:
        """The exemptions of a stay, newest first."""
        ...

    def taken(self, school_id: int, enrolment_id: int) -> list[Taken]:
        """The optional items of a stay, those that stand first."""
        ...


_sources: list[MoneySource] = []


def show_money_of(source: MoneySource) -> None:
    """Let the pages of this room show money; called once by the wiring."""
    _sources[:] = [source]


def money_source() -> MoneySource | None:
    """Who is asked for money, or None where the rooms of money are not wired."""
    return _sources[0] if _sources else None
