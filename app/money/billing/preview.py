"""What a run would bill, child by child beside the month before, with the change explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Row

from app.core.db import DAY, dialect, joined_whole, rows, scalar
from app.core.money import Vnd, total_of
from app.core.period import Period
from app.money.billing.differences import differences_sql
from app.money.billing.queries import months_of_run
from app.people.students.queries import natural

Record = Row[*tuple[Any, ...]]

#: A change from here on is looked at child by child, unless many children have the same causes.
UNUSUAL_FROM: Final = Vnd(150_000)
#: Causes shared by fewer than one child in so many are rare.
RARE_BELOW_ONE_IN: Final = 20

GROUPS: Final = ("unusual", "explained", "unchanged")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a bill differs: `joined`, `left`, `quantity`, `price`, `exemption`, `added`, `removed`,
    `adjusted`; with the item and the đồng it makes."""

    kind: str
    amount: Vnd
    item_id: int = 0
    item: str = ""
    item_en: str = ""
    unit: str = ""
    before: int = 0
    after: int = 0
    #: the earlier month an adjustment is for
    month: Period | None = None
    #: what changed in that month: exemption, price, quantity, removed, added
    why: str = ""

    @property
    def key(self) -> str:
        """The word by which a page filters."""
        return f"{self.kind}-{self.item_id}" if self.item_id else self.kind


@dataclass(frozen=True, slots=True)
class ChildBill:
    """One child in the preview: last month's bill beside the one to come."""

    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    search_key: str
    sort_key: str
    class_name: str
    starts_on: date
    ends_on: date | None
    previous: Vnd
    current: Vnd
    causes: tuple[Cause, ...]
    lines: int
    #: unusual, explained or unchanged
    group: str = "unchanged"

    @property
    def change(self) -> Vnd:
        """More (above zero) or less than last month."""
        return self.current - self.previous


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A child without a class in the month: it gets no bill."""

    student_id: int
    code: str
    full_name: str
    starts_on: date


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the bridge from last month's sum to this month's."""

    cause: Cause
    amount: Vnd
    children: int
    #: whether all its children have the same before and after
    is_uniform: bool


@dataclass(frozen=True, slots=True)
class ItemTotal:
    """What a run would bill of one item, beside the month before."""

    item_id: int
    name: str
    name_en: str
    #: lines, one a child and month
    lines: int
    #: before reliefs; a plan is made of these
    gross: Vnd
    amount: Vnd
    before: Vnd


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """What a run would bill of one class."""

    name: str
    bills: int
    amount: Vnd
    before: Vnd


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would issue, child by child, with the change explained."""

    period: Period
    #: the month was billed before: only what changed since is shown
    is_supplement: bool
    children: tuple[ChildBill, ...]
    items: tuple[ItemTotal, ...]
    blocked: tuple[Unplaced, ...]
    previous_total: Vnd
    previous_count: int
    current_total: Vnd

    @property
    def count(self) -> int:
        """Bills the run would issue."""
        return sum(1 for child in self.children if child.lines)

    @property
    def unplaced(self) -> int:
        """Children who cannot be billed."""
        return len(self.blocked)

    def classes(self) -> list[ClassTotal]:
        """The classes by name, without those that have no bill now and had none before."""
        by_name: dict[str, list[ChildBill]] = {}
        for child in self.children:
            by_name.setdefault(child.class_name, []).append(child)
        found = [
            ClassTotal(
                name=name,
                bills=sum(1 for child in children if child.lines),
                amount=total_of([child.current for child in children]),
                before=total_of([child.previous for child in children]),
            )
            for name, children in by_name.items()
        ]
        return sorted(
            (one for one in found if one.bills or one.before), key=lambda one: natural(one.name)
        )

    def steps(self) -> list[Step]:
        """The causes summed, largest first; with the month before they add up to this month."""
        by_key: dict[str, list[Cause]] = {}
        children: Counter[str] = Counter()
        for child in self.children:
            for cause in child.causes:
                by_key.setdefault(cause.key, []).append(cause)
            children.update({cause.key for cause in child.causes})
        found = [
            Step(
                cause=causes[0],
                amount=total_of([cause.amount for cause in causes]),
                children=children[key],
                is_uniform=len({(c.before, c.after, c.month, c.why) for c in causes}) == 1,
            )
            for key, causes in by_key.items()
        ]
        return sorted(found, key=lambda step: -abs(step.amount.dong))


def preview(school_id: int, billed_period: Period) -> Preview:
    """Compute a run without writing anything."""
    is_supplement = _is_issued(school_id, billed_period)
    bills: dict[int, Record] = {}
    lines: dict[int, list[Record]] = {}
    items: list[ItemTotal] = []
    for found in _compared(school_id, billed_period, beside_last_month=not is_supplement):
        if found.enrolment_id is None:
            items.append(
                ItemTotal(
                    item_id=found.item_id,
                    name=found.item,
                    name_en=found.item_en,
                    lines=int(found.lines),
                    gross=Vnd(int(found.gross)),
                    amount=Vnd(int(found.amount)),
                    before=Vnd(int(found.amount_before)),
                )
            )
        elif found.item_id is None:
            bills[found.enrolment_id] = found
        else:
            lines.setdefault(found.enrolment_id, []).append(found)
    children = [
        _child(
            person, bills[person.enrolment_id], lines.get(person.enrolment_id, []), billed_period
        )
        for person in _people(school_id, billed_period)
        if person.enrolment_id in bills
    ]
    ordered = _grouped(children)
    return Preview(
        period=billed_period,
        is_supplement=is_supplement,
        children=tuple(ordered),
        items=tuple(sorted(items, key=lambda one: one.item_id)),
        blocked=tuple(unplaced_children(school_id, billed_period)),
        previous_total=total_of([child.previous for child in ordered]),
        previous_count=sum(1 for bill in bills.values() if bill.lines_before),
        current_total=total_of([child.current for child in ordered]),
    )


#: Rows for each child, without an item; for each item, without a child; and for each line that is
#: not the same as a month before.
_COMPARED = """
select enrolment_id, null as item_id, null as service_period, max(class_name) as class_name,
       count(schedule_price_id) as schedule_price_id, null as quantity, null as price,
       null as percent, sum(gross - reduction) as amount, count(last_line_id) as last_line_id,
       count(case when schedule_price_id is not null or last_line_id is not null then 1 end)
         as lines,
       count(line_before_id) as lines_before, sum(amount_before) as amount_before,
       null as item, null as item_en, null as unit, null as last_quantity, null as last_price,
       null as last_percent, null as gross
from differences group by enrolment_id
union all
select d.enrolment_id, d.item_id, d.service_period, d.class_name, d.schedule_price_id, d.quantity,
       d.price, d.percent, d.gross - d.reduction, d.last_line_id,
       case when d.schedule_price_id is not null or d.last_line_id is not null then 1 else 0 end,
       case when d.line_before_id is not null then 1 else 0 end, d.amount_before,
       i.name, i.name_en, i.unit, l.quantity, l.price, l.percent,
       d.gross
from differences d
join fee_items i on i.id = d.item_id
left join invoice_lines l on l.id = coalesce(d.last_line_id, d.line_before_id)
where d.schedule_price_id is null or d.line_before_id is null or d.last_line_id is not null
 or d.gross - d.reduction <> d.amount_before
union all
select null, d.item_id, null, null, null, null, null, null, sum(d.gross - d.reduction), null,
       count(case when d.schedule_price_id is not null or d.last_line_id is not null then 1 end),
       null, sum(d.amount_before), i.name, i.name_en, null, null, null, null,
       sum(d.gross)
from differences d join fee_items i on i.id = d.item_id group by d.item_id, i.name, i.name_en"""


def _compared(
    school_id: int, billed_period: Period, *, beside_last_month: bool
) -> Sequence[Record]:
    months = months_of_run(school_id, billed_period)
    beside = (billed_period, billed_period.previous()) if beside_last_month else None
    with joined_whole():
        return rows(
            differences_sql(dialect(), months, beside=beside) + _COMPARED, school_id=school_id
        )


def _is_issued(school_id: int, period: Period) -> bool:
    return bool(
        scalar(
            "select count(*) from billing_runs where school_id = :school_id and kind = 'month'"
            " and billed_period = :period and issued_at is not null",
            school_id=school_id,
            period=period.number,
        )
    )


def _people(school_id: int, period: Period) -> Sequence[Record]:
    return rows(
        "select e.id as enrolment_id, s.id as student_id, s.code, s.full_name, s.search_key,"
        " s.sort_key, e.starts_on, e.ends_on,"
        " (select c.name from placements p join classes c on c.id = p.class_id"
        "  where p.school_id = e.school_id and p.enrolment_id = e.id"
        "  order by p.starts_on desc, p.id desc limit 1) as class_name"
        " from enrolments e join students s on s.id = e.student_id"
        " where e.school_id = :school_id and e.starts_on <= :last",
        types={"starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
        last=period.last_day,
    )


def _child(person: Record, bill: Record, lines: list[Record], period: Period) -> ChildBill:
    return ChildBill(
        enrolment_id=person.enrolment_id,
        student_id=person.student_id,
        code=person.code,
        full_name=person.full_name,
        search_key=person.search_key,
        sort_key=person.sort_key,
        class_name=bill.class_name or person.class_name or "",
        starts_on=person.starts_on,
        ends_on=person.ends_on,
        previous=Vnd(int(bill.amount_before)),
        current=Vnd(int(bill.amount)),
        causes=tuple(_causes(bill, lines, period, person.ends_on)),
        lines=int(bill.lines),
    )


def _causes(bill: Record, lines: list[Record], period: Period, ends_on: date | None) -> list[Cause]:
    """Of the lines that differ; a child who joined or left has that one cause."""
    change = Vnd(int(bill.amount) - int(bill.amount_before))
    if bill.lines and not bill.lines_before and not bill.last_line_id:
        return [Cause("joined", change)]
    has_left = ends_on is not None and ends_on <= period.last_day
    if bill.lines and has_left and not bill.schedule_price_id:
        return [Cause("left", change)]
    if not bill.lines:
        return [Cause("left", change)] if change else []
    causes = [cause for line in lines if (cause := _cause_of(line, period)) is not None]
    gone = [line for line in lines if not line.lines and int(line.amount_before)]
    return causes + [_named("removed", line, -int(line.amount_before)) for line in gone]


def _cause_of(line: Record, period: Period) -> Cause | None:
    if not line.lines:
        return None
    month = Period.from_number(int(line.service_period))
    amount = int(line.amount)
    if month != period:
        kind, before, after = _what_changed(line)
        return _named("adjusted", line, amount, before, after, month=month, why=kind)
    change = amount - int(line.amount_before)
    if line.last_line_id is not None:
        kind, before, after = _what_changed(line)
        return _named(kind, line, change, before, after)
    if not change:
        return None
    if not line.lines_before or not (line.last_quantity or int(line.amount_before)):
        return _named("added", line, change)
    kind, before, after = _what_changed(line)
    return _named(kind, line, change, before, after)


def _first_difference(old: Sequence[Any], new: Sequence[Any]) -> tuple[str, int, int]:
    for kind, before, after in zip(("exemption", "price", "quantity"), old, new, strict=True):
        if int(before) != int(after):
            return kind, int(before), int(after)
    return "adjusted", 0, 0


def _what_changed(line: Record) -> tuple[str, int, int]:
    """Between the last billed line of an item and month, and the rules of now."""
    if line.last_line_id is None and not line.lines_before:
        return "added", 0, 0
    if line.schedule_price_id is None:
        return "removed", 0, 0
    return _first_difference(
        (line.last_percent, line.last_price, line.last_quantity),
        (line.percent, line.price, line.quantity),
    )


def _named(
    kind: str,
    line: Record,
    amount: int,
    before: int = 0,
    after: int = 0,
    *,
    month: Period | None = None,
    why: str = "",
) -> Cause:
    return Cause(
        kind=kind,
        amount=Vnd(amount),
        item_id=line.item_id,
        item=line.item,
        item_en=line.item_en,
        unit=line.unit,
        before=before,
        after=after,
        month=month,
        why=why,
    )


# Groups


def _shape(cause: Cause) -> tuple[object, ...]:
    return cause.key, cause.before, cause.after, cause.month, cause.why


def _grouped(children: list[ChildBill]) -> list[ChildBill]:
    """Unusual first, then explained, then unchanged; each by size of change, then by name.

    The causes of each child come rarest first. Unusual is who changes by much for causes that few
    others have.
    """
    shared = Counter(shape for child in children for shape in set(map(_shape, child.causes)))
    few = max(len(children) // RARE_BELOW_ONE_IN, 1)

    def judged(child: ChildBill) -> ChildBill:
        causes = sorted(
            child.causes, key=lambda cause: (shared[_shape(cause)], -abs(cause.amount.dong))
        )
        own = sum(cause.amount.dong for cause in causes if shared[_shape(cause)] <= few)
        group = "explained" if causes or child.change else "unchanged"
        if abs(own) >= UNUSUAL_FROM.dong:
            group = "unusual"
        return replace(child, causes=tuple(causes), group=group)

    return sorted(
        map(judged, children),
        key=lambda child: (GROUPS.index(child.group), -abs(child.change.dong), child.sort_key),
    )


# Children without a class

_UNPLACED = (
    " from enrolments e join students s on s.id = e.student_id where e.school_id = :school_id"
    " and e.starts_on <= :last and (e.ends_on is null or e.ends_on > :first)"
    " and not exists (select 1 from placements p where p.school_id = e.school_id"
    "  and p.enrolment_id = e.id and p.starts_on <= :last"
    "  and (p.ends_on is null or p.ends_on > :first))"
)


def unplaced(school_id: int, period: Period) -> int:
    """Children enrolled in the month without a class: they cannot be billed."""
    return int(
        scalar(
            f"select count(*){_UNPLACED}",
            school_id=school_id,
            first=period.first_day,
            last=period.last_day,
        )
    )


def unplaced_children(school_id: int, period: Period) -> list[Unplaced]:
    """The children who cannot be billed, by name."""
    found = rows(
        f"select s.id, s.code, s.full_name, e.starts_on{_UNPLACED} order by s.sort_key",
        types={"starts_on": DAY},
        school_id=school_id,
        first=period.first_day,
        last=period.last_day,
    )
    return [Unplaced(*child) for child in found]
