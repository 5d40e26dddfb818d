"""A schedule as the page shows it: rows of item and audience, months across, totals of a pupil."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from app.core.db import rows
from app.core.money import Vnd
from app.core.period import Period
from app.money.fees import queries
from app.money.fees.queries import Cap, Item, Price, Problem, Schedule


@dataclass(frozen=True, slots=True)
class Place:
    """A class of the schedule's year, as something prices can be for."""

    class_id: int
    name: str
    grade: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a row is for: everybody, a grade or a class."""

    key: str
    grade: int | None = None
    class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One item for one audience over the months."""

    item: Item
    audience: Audience
    prices: dict[Period, Price]
    problems: dict[Period, Problem]
    caps: tuple[Cap, ...]

    @property
    def first(self) -> Period:
        """The first month with a price."""
        return min(self.prices)

    @property
    def last(self) -> Period:
        """The last month with a price."""
        return max(self.prices)

    @property
    def quantities(self) -> str:
        """What the form shows: one number, or one for each month of the span."""
        found = [self.prices[month].quantity for month in sorted(self.prices)]
        return str(found[0]) if len(set(found)) == 1 else " ".join(map(str, found))

    @property
    def one_price(self) -> Vnd | None:
        """The unit price where it is the same in every month and on every day."""
        found = {price.price for price in self.prices.values()}
        found |= {p.second_price for p in self.prices.values() if p.second_price is not None}
        return next(iter(found)) if len(found) == 1 else None

    @property
    def change(self) -> tuple[Vnd, Vnd, date] | None:
        """The price before, the price after and its first day, where it changes on one day only."""
        found = [price for price in self.prices.values() if price.second_from is not None]
        if len(found) != 1:
            return None
        (turn,) = found
        before = {p.price for p in self.prices.values() if p.period <= turn.period}
        after = {p.price for p in self.prices.values() if p.period > turn.period}
        after |= {turn.second_price} if turn.second_price is not None else set()
        if len(before) != 1 or len(after) != 1 or turn.second_from is None:
            return None
        return next(iter(before)), next(iter(after)), turn.second_from


@dataclass(frozen=True, slots=True)
class Total:
    """What a pupil of some classes is asked for, month by month: all, and the compulsory part."""

    #: empty where it is the same for every pupil
    grades: tuple[int, ...]
    class_names: tuple[str, ...]
    everything: dict[Period, Vnd]
    compulsory: dict[Period, Vnd]


@dataclass(frozen=True, slots=True)
class Span:
    """The same problem over consecutive months."""

    problem: Problem
    first: Period
    last: Period


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A whole schedule."""

    months: list[Period]
    rows: list[Row]
    totals: list[Total]
    problems: list[Span]


def places_of(school_id: int, school_year_id: int) -> list[Place]:
    """The classes of a school year, by grade and name."""
    found = rows(
        "select id, name, grade from classes where school_id = :school_id"
        " and school_year_id = :year order by grade, name",
        school_id=school_id,
        year=school_year_id,
    )
    return [Place(*place) for place in found]


def price_table(schedule: Schedule, level: str) -> PriceTable:
    """A schedule with caps, problems and totals."""
    items = queries.all_items()
    caps = queries.caps_of(level)
    problems = queries.problems_of(schedule.school_id, schedule.id, level)
    prices = queries.prices_of(schedule.school_id, schedule.id)
    table: dict[tuple[int, str], Row] = {}
    for price in prices:
        row = table.setdefault(
            (price.item_id, price.audience),
            Row(
                item=items[price.item_id],
                audience=Audience(price.audience, price.grade, price.class_name),
                prices={},
                problems={},
                caps=tuple(caps.get(price.item_id, ())),
            ),
        )
        row.prices[price.period] = price
    for problem in problems:
        table[problem.item.id, problem.audience].problems[problem.period] = problem
    months = _span(schedule.months, {price.period for price in prices})
    places = places_of(schedule.school_id, schedule.school_year_id)
    ordered = sorted(table.values(), key=lambda row: (not row.item.is_compulsory, row.item.id))
    return PriceTable(months, ordered, _totals(prices, items, places), _joined(problems))


def _span(months: Sequence[Period], used: Collection[Period]) -> list[Period]:
    """From the first month with a price to the last; September to May before there is one."""
    if not used:
        return [month for month in months if month.month >= 9 or month.month <= 5]
    return [month for month in months if min(used) <= month <= max(used)]


def _totals(
    prices: Sequence[Price], items: Mapping[int, Item], places: Sequence[Place]
) -> list[Total]:
    """One total for pupils who are asked the same; sponsorship and the like are left out."""
    charged = [p for p in prices if items[p.item_id].category not in queries.NEVER_CHARGED]
    known = {(p.item_id, p.audience, p.period): p for p in charged}
    keys = {(p.item_id, p.period) for p in charged}
    groups: dict[tuple[tuple[Period, int, int], ...], list[Place]] = {}
    for place in places:
        sums: dict[Period, tuple[int, int]] = {}
        for item_id, month in keys:
            ways = (f"class:{place.class_id}", f"grade:{place.grade}", "all")
            price = next(
                (known[item_id, way, month] for way in ways if (item_id, way, month) in known), None
            )
            if price is not None:
                asked = price.quantity * price.price.dong
                every, must = sums.get(month, (0, 0))
                sums[month] = (every + asked, must + asked * items[item_id].is_compulsory)
        key = tuple((month, *sums[month]) for month in sorted(sums))
        groups.setdefault(key, []).append(place)
    return [_total(key, group, places, len(groups)) for key, group in groups.items() if key]


def _total(
    sums: tuple[tuple[Period, int, int], ...],
    group: Sequence[Place],
    places: Sequence[Place],
    groups: int,
) -> Total:
    grades = {place.grade for place in group}
    whole = groups > 1 and all(place in group for place in places if place.grade in grades)
    return Total(
        grades=tuple(sorted(grades)) if whole else (),
        class_names=() if groups == 1 or whole else tuple(place.name for place in group),
        everything={month: Vnd(every) for month, every, _must in sums},
        compulsory={month: Vnd(must) for month, _every, must in sums},
    )


def _joined(problems: Sequence[Problem]) -> list[Span]:
    """The same problem in months that follow each other, as one."""
    spans: list[list[Problem]] = []
    for problem in problems:
        last = spans[-1][-1] if spans else None
        if last is not None and _is_same(last, problem) and last.period.next() == problem.period:
            spans[-1].append(problem)
        else:
            spans.append([problem])
    return [Span(span[0], span[0].period, span[-1].period) for span in spans]


def _is_same(one: Problem, other: Problem) -> bool:
    return (one.kind, one.item.id, one.audience, one.price, one.cap) == (
        other.kind,
        other.item.id,
        other.audience,
        other.price,
        other.cap,
    )


def has_gaps(row: Row) -> bool:
    """Whether a month between the first and the last has no price."""
    return any(one.next() != other for one, other in pairwise(sorted(row.prices)))
