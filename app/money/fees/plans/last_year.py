"""A plan from the year before, and every change against the version it is held to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import execute, rows
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money.fees import queries
from app.money.fees.errors import NothingToCopy
from app.money.fees.models import SchedulePrice, ScheduleState
from app.money.fees.plans.days import due_dates, set_due_dates
from app.money.fees.queries import Item, Schedule
from app.money.fees.services import open_draft

#: a rise over the year before that somebody should ask about, in percent
STEEP: Final = 15


def year_before(school_id: int, school_year_id: int) -> Schedule | None:
    """The approved schedule of the school year before one, or None."""
    years = [one.id for one in rows("select id from school_years order by starts_on")]
    place = years.index(school_year_id) if school_year_id in years else 0
    if not place:
        return None
    return next(
        (
            one
            for one in queries.list_schedules(school_id)
            if one.school_year_id == years[place - 1] and one.state is ScheduleState.APPROVED
        ),
        None,
    )


def copy_last_year(
    school_id: int, school_year_id: int, *, actor: audit.Actor, now: datetime
) -> tuple[int, int]:
    """Draft a school year with the prices, costs and days of the year before, each a year later.

    Prices of a class go to the class of the same name; where there is none yet they are left out.
    The parents are asked anew. Gives the draft and how many prices were left out. Refuses a year
    without an approved one before it, and a second open draft. The caller commits.
    """
    source = year_before(school_id, school_year_id)
    if source is None:
        raise NothingToCopy
    draft_id = open_draft(
        school_id,
        school_year_id,
        "",
        actor,
        now,
        cause=f"fee_schedule:{source.id}",
        copied_from_id=source.id,
    )
    draft = queries.get_schedule(school_id, draft_id)
    later = draft.year_starts_on.year - source.year_starts_on.year
    classes = {
        one.name: one.id
        for one in rows(
            "select id, name from classes where school_id = :school_id and school_year_id = :year",
            school_id=school_id,
            year=school_year_id,
        )
    }
    values: list[dict[str, Any]] = []
    prices = queries.prices_of(school_id, source.id)
    months = set(draft.months)
    for price in prices:
        class_id = classes.get(price.class_name or "")
        month = Period(price.period.year + later, price.period.month)
        if month not in months or (price.class_id is not None and class_id is None):
            continue
        values.append(
            {
                "school_id": school_id,
                "schedule_id": draft_id,
                "item_id": price.item_id,
                "audience": price.audience if price.class_id is None else f"class:{class_id}",
                "grade": price.grade,
                "class_id": class_id if price.class_id is not None else None,
                "period": month,
                "quantity": price.quantity,
                "price": price.price,
                "second_price": price.second_price,
                "second_from": price.second_from and clock.years_on(price.second_from, later),
            }
        )
    if values:
        db.session.execute(insert(SchedulePrice), values)
    for table, columns in (
        ("schedule_costs", "item_id, words, amount"),
        ("schedule_takers", "item_id, pupils"),
    ):
        execute(
            f"insert into {table} (school_id, schedule_id, {columns})"
            f" select school_id, :copy, {columns} from {table}"
            " where school_id = :school_id and schedule_id = :schedule order by id",
            school_id=school_id,
            schedule=source.id,
            copy=draft_id,
        )
    set_due_dates(
        school_id,
        draft_id,
        {
            Period(month.year + later, month.month): clock.years_on(day, later)
            for month, day in due_dates(school_id, source.id).items()
        },
        actor=actor,
        now=now,
    )
    return draft_id, len(prices) - len(values)


@dataclass(frozen=True, slots=True)
class Change:
    """One item for one audience against the version it was copied from, or the year before."""

    item: Item
    audience: str
    grade: int | None
    class_name: str | None
    #: the dearest unit price of its months; None where it is new or gone
    before: Vnd | None
    after: Vnd | None
    #: quantity × price over all months
    year_before: Vnd
    year_after: Vnd

    @property
    def percent(self) -> int | None:
        """How much dearer one unit is, rounded down; None where there is nothing to compare."""
        if not self.before or self.after is None or self.before == ZERO:
            return None
        return (self.after.dong - self.before.dong) * 100 // self.before.dong

    @property
    def is_steep(self) -> bool:
        """Whether somebody should ask about the rise."""
        return self.percent is not None and self.percent > STEEP


def compared_with(schedule: Schedule) -> Schedule | None:
    """What a plan is held against: the version in force, else the year before."""
    for other in queries.list_schedules(schedule.school_id):
        same_year = other.school_year_id == schedule.school_year_id
        if same_year and other.version < schedule.version and other.approved_at is not None:
            return other
    return year_before(schedule.school_id, schedule.school_year_id)


def changes(schedule: Schedule, source: Schedule) -> list[Change]:
    """Every price that is new, gone or different, in the order of the catalogue."""
    items = queries.all_items()
    old, new = (_summed(one) for one in (source, schedule))
    found = []
    for key in sorted({*old, *new}, key=lambda key: (key[0], key[1])):
        before, after = old.get(key, _NOTHING), new.get(key, _NOTHING)
        if before[:2] == after[:2]:
            continue
        _unit, _year, grade, class_name = after if after[0] is not None else before
        found.append(
            Change(
                item=items[key[0]],
                audience=key[1],
                grade=grade,
                class_name=class_name,
                before=before[0],
                after=after[0],
                year_before=before[1],
                year_after=after[1],
            )
        )
    return found


_Sum = tuple[Vnd | None, Vnd, int | None, str | None]
_NOTHING: Final[_Sum] = (None, ZERO, None, None)


def _summed(schedule: Schedule) -> dict[tuple[int, str], _Sum]:
    """Unit price and the sum of the year by item and audience; classes go by their names."""
    found: dict[tuple[int, str], _Sum] = {}
    for price in queries.prices_of(schedule.school_id, schedule.id):
        key = (price.item_id, f"class:{price.class_name}" if price.class_id else price.audience)
        unit, year, _grade, _name = found.get(key, _NOTHING)
        found[key] = (
            price.highest if unit is None else max(unit, price.highest),
            Vnd(year.dong + price.quantity * price.price.dong),
            price.grade,
            price.class_name,
        )
    return found
