"""Reading the catalogue, schedules with their prices and problems, exemptions and choices."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from app.core.db import DAY, MOMENT, MONTH, VND, row, rows
from app.core.i18n import language
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import fold
from app.money.fees.errors import ScheduleNotFound
from app.money.fees.models import Category, FeeUnit, ScheduleState

#: Categories that are never charged to a child.
NEVER_CHARGED = frozenset({Category.SPONSOR, Category.PARENT_FUND})

Record = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the catalogue."""

    id: int
    code: str
    name: str
    name_en: str
    category: Category
    unit: FeeUnit
    legal_act: str
    may_be_debt: bool
    is_compulsory: bool
    valid_from: date
    valid_to: date | None
    allowed_by: str
    is_checked: bool

    def is_valid_in(self, period: Period) -> bool:
        """Whether the item is in force on a day of the month."""
        return self.valid_from <= period.last_day and (
            self.valid_to is None or self.valid_to > period.first_day
        )


_ITEM = (
    "select id, code, name, name_en, category, unit, legal_act, may_be_debt, is_compulsory,"
    " valid_from, valid_to, allowed_by, is_checked from fee_items"
)
_ITEM_TYPES = {"valid_from": DAY, "valid_to": DAY}


def _item(found: Record) -> Item:
    values = found._asdict()
    values["category"] = Category(values["category"])
    values["unit"] = FeeUnit(values["unit"])
    values["may_be_debt"] = bool(values["may_be_debt"])
    values["is_compulsory"] = bool(values["is_compulsory"])
    values["is_checked"] = bool(values["is_checked"])
    return Item(**values)


def all_items() -> dict[int, Item]:
    """The whole catalogue by id."""
    return {found.id: _item(found) for found in rows(f"{_ITEM} order by id", types=_ITEM_TYPES)}


def items_for(day: date) -> list[Item]:
    """The items a school may price on a day, compulsory first."""
    return sorted(
        (
            item
            for item in all_items().values()
            if item.category not in NEVER_CHARGED and (item.valid_to is None or item.valid_to > day)
        ),
        key=lambda item: (not item.is_compulsory, item.id),
    )


@dataclass(frozen=True, slots=True)
class Cap:
    """A dated ceiling."""

    item_id: int
    level: str | None
    amount: Vnd
    legal_act: str
    valid_from: date
    valid_to: date | None


def caps_of(level: str) -> dict[int, list[Cap]]:
    """Every cap that binds schools of a level, by item."""
    found = rows(
        "select item_id, level, amount, legal_act, valid_from, valid_to from fee_caps"
        " where level is null or level = :level order by item_id, valid_from",
        types={"amount": VND, "valid_from": DAY, "valid_to": DAY},
        level=level,
    )
    caps: dict[int, list[Cap]] = {}
    for cap in found:
        caps.setdefault(cap.item_id, []).append(Cap(*cap))
    return caps


def all_caps() -> dict[int, list[Cap]]:
    """Every cap by item, the newest first: what holds, what held, what will."""
    caps: dict[int, list[Cap]] = {}
    for cap in rows(
        "select item_id, level, amount, legal_act, valid_from, valid_to from fee_caps"
        " order by item_id, valid_from desc",
        types={"amount": VND, "valid_from": DAY, "valid_to": DAY},
    ):
        caps.setdefault(cap.item_id, []).append(Cap(*cap))
    return caps


def cap_in(caps: Collection[Cap], period: Period) -> Cap | None:
    """The cap that counts in a month: in force on its first day; the lowest where two meet."""
    valid = [
        cap
        for cap in caps
        if cap.valid_from <= period.first_day
        and (cap.valid_to is None or cap.valid_to > period.first_day)
    ]
    return min(valid, key=lambda cap: cap.amount, default=None)


# Forbidden charges


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A general prohibition, as a refusal names it."""

    id: int
    name: str
    words: tuple[str, ...]
    level: str | None
    legal_act: str
    valid_from: date
    valid_to: date | None

    def fits(self, name: str, level: str | None, day: date) -> bool:
        """Whether an item of this name is forbidden at a level on a day."""
        if not self.valid_from <= day or (self.valid_to is not None and self.valid_to <= day):
            return False
        if self.level is not None and level is not None and self.level != level:
            return False
        words = f" {fold(name)} "
        return any(f" {group} " in words for group in self.words)


def forbidden_charges() -> list[Forbidden]:
    """All prohibitions, the oldest first."""
    return [
        Forbidden(
            one.id,
            one.name,
            tuple(one.words.split("|")),
            one.level,
            one.legal_act,
            one.valid_from,
            one.valid_to,
        )
        for one in rows(
            "select id, name, words, level, legal_act, valid_from, valid_to from forbidden_charges"
            " order by valid_from, id",
            types={"valid_from": DAY, "valid_to": DAY},
        )
    ]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A version of what a school charges in a school year."""

    id: int
    school_id: int
    school_year_id: int
    year: str
    year_starts_on: date
    version: int
    state: ScheduleState
    agreement: str
    drafted_by: str
    drafted_by_id: int | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    copied_from_id: int | None
    consented_by: str | None
    consented_at: datetime | None
    prices: int

    @property
    def months(self) -> list[Period]:
        """The twelve months a schedule of its year may price."""
        return months_of_year(self.year_starts_on)


_SCHEDULE = (
    "select f.id, f.school_id, f.school_year_id, y.code as year, y.starts_on as year_starts_on,"
    " f.version, f.state, f.agreement, f.drafted_by, f.drafted_by_id, f.submitted_at,"
    " f.approved_by, f.approved_at, f.copied_from_id, f.consented_by, f.consented_at,"
    " (select count(*) from schedule_prices p"
    "  where p.school_id = f.school_id and p.schedule_id = f.id) as prices"
    " from fee_schedules f join school_years y on y.id = f.school_year_id"
    " where f.school_id = :school_id"
)
_SCHEDULE_TYPES = {
    "year_starts_on": DAY,
    "submitted_at": MOMENT,
    "approved_at": MOMENT,
    "consented_at": MOMENT,
}


def _schedule(found: Record) -> Schedule:
    values = found._asdict()
    values["state"] = ScheduleState(values["state"])
    return Schedule(**values)


def get_schedule(school_id: int, schedule_id: int) -> Schedule:
    """One schedule of the school, or ScheduleNotFound."""
    found = row(
        f"{_SCHEDULE} and f.id = :id", types=_SCHEDULE_TYPES, school_id=school_id, id=schedule_id
    )
    if found is None:
        raise ScheduleNotFound
    return _schedule(found)


def list_schedules(school_id: int) -> list[Schedule]:
    """All versions of the school, newest year and version first."""
    found = rows(
        f"{_SCHEDULE} order by y.starts_on desc, f.version desc",
        types=_SCHEDULE_TYPES,
        school_id=school_id,
    )
    return [_schedule(schedule) for schedule in found]


def months_of_year(starts_on: date) -> list[Period]:
    """August to July: the twelve months in which the money of a school year may be asked for."""
    month = Period(starts_on.year, 8) if starts_on.month >= 8 else Period.of(starts_on)
    months = [month]
    while len(months) < 12:
        months.append(months[-1].next())
    return months


@dataclass(frozen=True, slots=True)
class Price:
    """One price of a schedule."""

    id: int
    item_id: int
    audience: str
    grade: int | None
    class_id: int | None
    class_name: str | None
    period: Period
    quantity: int
    price: Vnd
    second_price: Vnd | None
    second_from: date | None

    @property
    def highest(self) -> Vnd:
        """The dearest of its prices within the month; caps are held against it."""
        return max(self.price, self.second_price or self.price)


def prices_of(school_id: int, schedule_id: int) -> list[Price]:
    """The prices of a schedule: by item, the widest audience first, then by month."""
    found = rows(
        "select p.id, p.item_id, p.audience, p.grade, p.class_id, c.name as class_name, p.period,"
        " p.quantity, p.price, p.second_price, p.second_from from schedule_prices p"
        " left join classes c on c.school_id = p.school_id and c.id = p.class_id"
        " where p.school_id = :school_id and p.schedule_id = :schedule"
        " order by p.item_id, case when p.class_id is not null then 3"
        "  when p.grade is not null then 2 else 1 end, p.grade, c.name, p.period",
        types={"period": MONTH, "price": VND, "second_price": VND, "second_from": DAY},
        school_id=school_id,
        schedule=schedule_id,
    )
    return [Price(*price) for price in found]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a price cannot be approved: `cap`, `dates`, `category` or `forbidden`."""

    kind: str
    item: Item
    audience: str
    period: Period
    price: Vnd
    cap: Cap | None = None
    rule: Forbidden | None = None


def problems_of(school_id: int, schedule_id: int, level: str) -> list[Problem]:
    """Every price of a schedule the law or the catalogue forbids."""
    items = all_items()
    caps = caps_of(level)
    rules = forbidden_charges()
    problems = []
    for price in prices_of(school_id, schedule_id):
        item = items[price.item_id]
        where = (item, price.audience, price.period, price.highest)
        if item.category in NEVER_CHARGED:
            problems.append(Problem("category", *where))
            continue
        if not item.is_valid_in(price.period):
            problems.append(Problem("dates", *where))
        if not item.allowed_by:
            day = price.period.first_day
            rule = next((one for one in rules if one.fits(item.name, level, day)), None)
            if rule is not None:
                problems.append(Problem("forbidden", *where, rule=rule))
        cap = cap_in(caps.get(item.id, ()), price.period)
        if cap is not None and price.highest > cap.amount:
            problems.append(Problem("cap", *where, cap))
    return problems


@dataclass(frozen=True, slots=True)
class Returned:
    """The last time a schedule was sent back."""

    actor: str
    at: datetime
    reason: str


def last_return(school_id: int, schedule_id: int) -> Returned | None:
    """Who sent the schedule back last, when and why, from the audit trail."""
    found = row(
        "select actor, at, cause from audit_rows where school_id = :school_id"
        " and subject = :subject and action = 'fee_schedule.return' order by id desc limit 1",
        types={"at": MOMENT},
        school_id=school_id,
        subject=f"fee_schedule:{schedule_id}",
    )
    return None if found is None else Returned(*found)


def has_worked_on(school_id: int, schedule_id: int, name: str) -> bool:
    """Whether a person of this name drafted, priced or submitted the schedule."""
    found = rows(
        "select 1 from audit_rows where school_id = :school_id and subject = :subject"
        " and actor = :name and action in ('fee_schedule.draft', 'fee_schedule.set_prices',"
        " 'fee_schedule.remove_prices', 'fee_schedule.submit') limit 1",
        school_id=school_id,
        subject=f"fee_schedule:{schedule_id}",
        name=name,
    )
    return bool(found)


def years_from(first: date) -> dict[int, str]:
    """School years that begin on a day or later: their codes by id."""
    found = rows(
        "select id, code from school_years where starts_on >= :first order by starts_on",
        first=first,
    )
    return {year.id: year.code for year in found}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a version holds, for the list."""

    items: int
    first: Period
    last: Period


def summaries(school_id: int) -> dict[int, Summary]:
    """Number of items and span of months of each version that has prices."""
    found = rows(
        "select schedule_id, count(distinct item_id) as items, min(period) as first,"
        " max(period) as last from schedule_prices where school_id = :school_id"
        " group by schedule_id",
        types={"first": MONTH, "last": MONTH},
        school_id=school_id,
    )
    return {s.schedule_id: Summary(int(s.items), s.first, s.last) for s in found}


def item_names(codes: Collection[str]) -> dict[str, str]:
    """Names of items by their codes, in the language of the page."""
    column = "name_en" if language() == "en" else "name"
    found = rows(
        f"select code, {column} as name from fee_items where code in :codes", codes=list(codes)
    )
    return {one.code: one.name for one in found}
