"""What a run would bill, child by child beside the month before, with the change explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Row

from app.core.db import DAY, dialect, rows, scalar
from app.core.money import Vnd, total_of
from app.core.period import Period
from app.money.billing.differences import differences_sql
from app.money.billing.queries import months_of_run

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
class Preview:
    """What a run would issue, child by child, with the change explained."""

    period: Period
    #: the month was billed before: only what changed since is shown
    is_supplement: bool
    children: tuple[ChildBill, ...]
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
    found = _lines_now(school_id, billed_period)
    is_supplement = _is_issued(school_id, billed_period)
    before = [] if is_supplement else _lines_before(school_id, billed_period.previous())
    lines_now: dict[int, list[Record]] = {}
    for line in found:
        lines_now.setdefault(line.enrolment_id, []).append(line)
    lines_before: dict[int, dict[int, Record]] = {}
    for line in before:
        lines_before.setdefault(line.enrolment_id, {})[line.item_id] = line
    children = [
        _child(person, lines_now.get(person.enrolment_id, []), then, billed_period)
        for person in _people(school_id, billed_period)
        if (then := lines_before.get(person.enrolment_id, {})) or person.enrolment_id in lines_now
    ]
    ordered = _grouped(children)
    return Preview(
        period=billed_period,
        is_supplement=is_supplement,
        children=tuple(ordered),
        blocked=tuple(unplaced_children(school_id, billed_period)),
        previous_total=total_of([child.previous for child in ordered]),
        previous_count=len(lines_before),
        current_total=total_of([child.current for child in ordered]),
    )


def _lines_now(school_id: int, billed_period: Period) -> Sequence[Record]:
    months = months_of_run(school_id, billed_period)
    return rows(
        f"{differences_sql(dialect(), months)} select d.enrolment_id, d.item_id, d.service_period,"
        " d.schedule_price_id, d.quantity, d.price, d.percent, d.gross - d.reduction as amount,"
        " d.class_name, i.name as item, i.name_en as item_en, i.unit,"
        " l.id as last_id, l.quantity as last_quantity, l.price as last_price,"
        " l.percent as last_percent"
        " from differences d join fee_items i on i.id = d.item_id"
        " left join invoice_lines l on l.id = d.last_line_id",
        school_id=school_id,
    )


def _lines_before(school_id: int, month: Period) -> Sequence[Record]:
    return rows(
        "select l.enrolment_id, l.item_id, max(i.name) as item, max(i.name_en) as item_en,"
        " max(i.unit) as unit, max(l.quantity) as quantity, max(l.price) as price,"
        " max(l.percent) as percent, sum(l.amount) as amount"
        " from invoice_lines l join fee_items i on i.id = l.item_id"
        " where l.school_id = :school_id and l.service_period = :month"
        " group by l.enrolment_id, l.item_id",
        school_id=school_id,
        month=month.number,
    )


def _is_issued(school_id: int, period: Period) -> bool:
    return bool(
        scalar(
            "select count(*) from billing_runs where school_id = :school_id"
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


def _child(
    person: Record, now: list[Record], then: Mapping[int, Record], period: Period
) -> ChildBill:
    class_name = next((line.class_name for line in now if line.class_name), None)
    return ChildBill(
        enrolment_id=person.enrolment_id,
        student_id=person.student_id,
        code=person.code,
        full_name=person.full_name,
        search_key=person.search_key,
        sort_key=person.sort_key,
        class_name=class_name or person.class_name or "",
        starts_on=person.starts_on,
        ends_on=person.ends_on,
        previous=Vnd(sum(int(line.amount) for line in then.values())),
        current=Vnd(sum(int(line.amount) for line in now)),
        causes=tuple(_causes(now, then, period, person.ends_on)),
        lines=len(now),
    )


def _causes(
    now: list[Record], then: Mapping[int, Record], period: Period, ends_on: date | None
) -> list[Cause]:
    total = sum(int(line.amount) for line in now)
    if now and not then and all(line.last_id is None for line in now):
        return [Cause("joined", Vnd(total))]
    has_left = ends_on is not None and ends_on <= period.last_day
    if now and has_left and all(line.schedule_price_id is None for line in now):
        return [Cause("left", Vnd(total - sum(int(line.amount) for line in then.values())))]
    causes = [cause for line in now if (cause := _cause_of(line, then, period)) is not None]
    billed = {line.item_id for line in now if int(line.service_period) == period.number}
    gone = [old for item_id, old in then.items() if item_id not in billed and int(old.amount)]
    if gone and not now:
        return [Cause("left", Vnd(-sum(int(old.amount) for old in gone)))]
    causes += [_named("removed", old, -int(old.amount)) for old in gone]
    return causes


def _cause_of(line: Record, then: Mapping[int, Record], period: Period) -> Cause | None:
    month = Period.from_number(int(line.service_period))
    amount = int(line.amount)
    if month != period:
        kind, before, after = _what_changed(line)
        return _named("adjusted", line, amount, before, after, month=month, why=kind)
    old = then.get(line.item_id)
    change = amount - (int(old.amount) if old is not None else 0)
    if line.last_id is not None:
        kind, before, after = _what_changed(line)
        return _named(kind, line, change, before, after)
    if not change:
        return None
    if old is None:
        return _named("added", line, change)
    kind, before, after = _first_difference(
        (old.percent, old.price, old.quantity), (line.percent, line.price, line.quantity)
    )
    return _named(kind, line, change, before, after)


def _first_difference(old: Sequence[Any], new: Sequence[Any]) -> tuple[str, int, int]:
    for kind, before, after in zip(("exemption", "price", "quantity"), old, new, strict=True):
        if int(before) != int(after):
            return kind, int(before), int(after)
    return "adjusted", 0, 0


def _what_changed(line: Record) -> tuple[str, int, int]:
    """Between the last billed line of an item and month, and the rules of now."""
    if line.last_id is None:
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
