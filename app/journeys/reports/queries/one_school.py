"""Collection of one school for a span of months, by class and by item, checked against the ledger.

"Collected" is what payments and credit gave to the lines of the bills *of these months*, whenever
the money came. A payment counts once for each child it was given to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.core.db import row, rows
from app.core.money import ZERO, Vnd, total_of
from app.core.period import Period
from app.journeys.reports.queries.sql import FLOWS, LIVE_MATCHING, VIEW_FLOWS

Record = Row[Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One class × one item."""

    due: Vnd = ZERO
    collected: Vnd = ZERO
    left: Vnd = ZERO


@dataclass(frozen=True, slots=True)
class Figures:
    """What every row of the report says."""

    #: children with a bill
    pupils: int
    #: by the price list
    gross: Vnd
    reduction: Vnd
    #: the part of the reduction that the State grants to every child
    by_state: Vnd
    due: Vnd
    collected: Vnd
    left: Vnd
    #: written off: neither collected nor left
    forgiven: Vnd
    #: payments that gave money to these bills, one for each child; and those not in cash
    payments: int
    cashless: int


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class as the bills name it."""

    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class ItemRow:
    """A fee item."""

    id: int
    code: str
    name: str
    name_en: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """The totals of the rows beside the sums of the entries of the same lines."""

    due: Vnd
    due_in_ledger: Vnd
    collected: Vnd
    collected_in_ledger: Vnd
    left: Vnd
    left_in_ledger: Vnd

    @property
    def holds(self) -> bool:
        """Whether bills and books say the same."""
        return (self.due, self.collected, self.left) == (
            self.due_in_ledger,
            self.collected_in_ledger,
            self.left_in_ledger,
        )


@dataclass(frozen=True, slots=True)
class Collection:
    """The whole report; its writers (screen, PDF, workbook) only draw it."""

    first: Period
    last: Period
    as_of: datetime
    class_name: str
    item_id: int | None
    classes: tuple[ClassRow, ...]
    items: tuple[ItemRow, ...]
    #: by class name and item number; a pair that was never billed is absent
    cells: dict[tuple[str, int], Cell]
    total: Figures
    check: LedgerCheck

    @property
    def is_one_month(self) -> bool:
        """Whether the report is about a single month."""
        return self.first == self.last

    @property
    def item(self) -> ItemRow | None:
        """The item the report is narrowed to."""
        return self.items[0] if self.item_id is not None and self.items else None

    @property
    def classes_with_rest(self) -> int:
        """Classes in which money is still to come."""
        return sum(1 for one in self.classes if one.figures.left)

    def cell(self, class_name: str, item_id: int) -> Cell | None:
        """One square of the matrix."""
        return self.cells.get((class_name, item_id))


_LINES = """
billed_lines as (
  select l.id, l.item_id, l.gross, l.reduction, l.amount, v.class_name, v.student_id,
         case when x.id is null then 0 else l.reduction end as by_state
  from invoices v
  join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id
  left join exemption_policies x on x.id = l.policy_id and x.applies_to_all
  where v.school_id = :school_id and v.billed_period between :first and :last {only}
)"""

_FLOW = f"""
flow as (
  select b.id, {FLOWS}
  from billed_lines b
  join entries e on e.invoice_line_id = b.id
  join accounts d on d.id = e.debit_id
  join accounts c on c.id = e.credit_id
  group by b.id
)"""

_TOUCHED = f"""
touched as (
  select distinct b.class_name, b.item_id, m.payment_id, m.student_id,
         case when p.method = 'cash' then 0 else 1 end as cashless
  from billed_lines b
  join entries e on e.invoice_line_id = b.id
  join accounts c on c.id = e.credit_id and c.code = 'receivable'
  join matchings m on m.school_id = :school_id and m.event_id = e.event_id
   and m.student_id = b.student_id
  join payments p on p.school_id = m.school_id and p.id = m.payment_id
  where {LIVE_MATCHING}
   and p.amount > coalesce((select sum(g.amount) from reversals g
     where g.school_id = p.school_id and g.payment_id = p.id), 0)
)"""


def collection(
    school_id: int,
    first: Period,
    last: Period,
    *,
    as_of: datetime,
    class_name: str = "",
    item_id: int | None = None,
) -> Collection:
    """The report for the bills of `first` to `last`, narrowed to a class or an item when given.

    `as_of` is the moment to print beside the figures: the caller's now.
    """
    only, parameters = "", {"first": first.number, "last": last.number}
    more: dict[str, Any] = {}
    if class_name:
        only += " and v.class_name = :class_name"
        more["class_name"] = class_name
    if item_id is not None:
        only += " and l.item_id = :item_id"
        more["item_id"] = item_id
    lines = _LINES.format(only=only)
    asked: dict[str, Any] = {"school_id": school_id, **parameters, **more}

    squares = rows(
        f"with {lines}, {_FLOW} select b.class_name, b.item_id, i.code, i.name, i.name_en,"
        " sum(b.gross) as gross, sum(b.reduction) as reduction, sum(b.by_state) as by_state,"
        " sum(b.amount) as due, coalesce(sum(f.billed - f.open - f.forgiven), 0) as collected,"
        " coalesce(sum(f.open), 0) as open, coalesce(sum(f.forgiven), 0) as forgiven"
        " from billed_lines b join fee_items i on i.id = b.item_id left join flow f on f.id = b.id"
        " group by b.class_name, b.item_id, i.code, i.name, i.name_en",
        **asked,
    )
    pupils = _counted(
        f"with {lines} select 'class' as kind, class_name as class_name, 0 as item_id,"
        " count(distinct student_id) as n, 0 as cashless from billed_lines group by class_name"
        " union all select 'item', '', item_id, count(distinct student_id), 0"
        " from billed_lines group by item_id"
        " union all select 'all', '', 0, count(distinct student_id), 0 from billed_lines",
        asked,
    )
    payments = _counted(
        f"with {lines}, {_TOUCHED} select 'class' as kind, class_name, 0 as item_id, count(*) as n,"
        " sum(cashless) as cashless from (select distinct class_name, payment_id, student_id,"
        "  cashless from touched) as a group by class_name"
        " union all select 'item', '', item_id, count(*), sum(cashless) from (select distinct"
        "  item_id, payment_id, student_id, cashless from touched) as b group by item_id"
        " union all select 'all', '', 0, count(*), coalesce(sum(cashless), 0) from (select distinct"
        "  payment_id, student_id, cashless from touched) as c",
        asked,
    )

    def figures(squares: Iterable[Record], kind: str, name: str = "", item: int = 0) -> Figures:
        given = payments.get((kind, name, item), (0, 0))
        return _figures(squares, pupils.get((kind, name, item), (0, 0))[0], given)

    classes = _in_school_order(school_id, {square.class_name for square in squares})
    items = {
        square.item_id: (square.code, square.name, square.name_en)
        for square in sorted(squares, key=lambda square: square.item_id)
    }
    total = figures(squares, "all")
    return Collection(
        first=first,
        last=last,
        as_of=as_of,
        class_name=class_name,
        item_id=item_id,
        classes=tuple(
            ClassRow(name, figures([s for s in squares if s.class_name == name], "class", name))
            for name in classes
        ),
        items=tuple(
            ItemRow(
                number,
                *names,
                figures([s for s in squares if s.item_id == number], "item", "", number),
            )
            for number, names in items.items()
        ),
        cells={
            (s.class_name, s.item_id): Cell(
                Vnd(int(s.due)), Vnd(int(s.collected)), Vnd(int(s.open))
            )
            for s in squares
        },
        total=total,
        check=_check(lines, asked, total),
    )


def _figures(squares: Iterable[Record], pupils: int, payments: tuple[int, int]) -> Figures:
    squares = list(squares)

    def total(column: str) -> Vnd:
        return total_of([Vnd(int(getattr(square, column))) for square in squares])

    return Figures(
        pupils=pupils,
        gross=total("gross"),
        reduction=total("reduction"),
        by_state=total("by_state"),
        due=total("due"),
        collected=total("collected"),
        left=total("open"),
        forgiven=total("forgiven"),
        payments=payments[0],
        cashless=payments[1],
    )


def _counted(sql: str, asked: dict[str, Any]) -> dict[tuple[str, str, int], tuple[int, int]]:
    return {
        (found.kind, found.class_name, int(found.item_id)): (int(found.n), int(found.cashless))
        for found in rows(sql, **asked)
    }


def _check(lines: str, asked: dict[str, Any], total: Figures) -> LedgerCheck:
    books = row(
        f"with {lines} select {VIEW_FLOWS} from v_entry where school_id = :school_id"
        " and invoice_line_id in (select id from billed_lines)",
        **asked,
    )
    assert books is not None  # noqa: S101 - an aggregate always gives a row
    return LedgerCheck(
        due=total.due,
        due_in_ledger=Vnd(int(books.billed)),
        collected=total.collected,
        collected_in_ledger=Vnd(int(books.collected)),
        left=total.left,
        left_in_ledger=Vnd(int(books.open)),
    )


def _in_school_order(school_id: int, names: set[str]) -> list[str]:
    """By grade, then with 2/10 behind 2/9."""
    grades = {
        found.name: int(found.grade)
        for found in rows(
            "select name, max(grade) as grade from classes where school_id = :school_id"
            " group by name",
            school_id=school_id,
        )
    }

    def place(name: str) -> tuple[int, list[tuple[int, str]]]:
        parts = [
            (int(part), "") if part.isdigit() else (0, part)
            for part in re.findall(r"[0-9]+|[^0-9]+", name)
        ]
        return (grades.get(name, 99), parts)

    return sorted(names, key=place)


def billed_months(school_ids: Sequence[int]) -> list[Period]:
    """The months for which one of the schools has issued bills, newest first."""
    found = rows(
        "select distinct billed_period from billing_runs where school_id in :schools"
        " and issued_at is not null order by billed_period desc",
        schools=list(school_ids),
    )
    return [Period.from_number(int(run.billed_period)) for run in found]


def filter_choices(
    school_id: int, first: Period, last: Period
) -> tuple[list[str], list[tuple[int, str, str]]]:
    """The classes and the items (number, name, English name) that were billed in these months."""
    asked: dict[str, Any] = {"school_id": school_id, "first": first.number, "last": last.number}
    classes = rows(
        "select distinct class_name from invoices where school_id = :school_id"
        " and billed_period between :first and :last",
        **asked,
    )
    items = rows(
        "select distinct i.id, i.name, i.name_en from billing_runs r"
        " join invoice_lines l on l.school_id = r.school_id and l.run_id = r.id"
        " join fee_items i on i.id = l.item_id"
        " where r.school_id = :school_id and r.billed_period between :first and :last"
        " order by i.id",
        **asked,
    )
    names = _in_school_order(school_id, {found.class_name for found in classes})
    return names, [(item.id, item.name, item.name_en) for item in items]
