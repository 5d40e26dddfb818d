"""The cost estimate of a plan: what an item brings in over the year, and what it is spent on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import VND, execute, rows, scalar
from app.core.model import db
from app.core.money import ZERO, Vnd, half_up, total_of
from app.core.period import Period
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import BadPlan, ItemNotFound
from app.money.fees.models import ScheduleCost, ScheduleState
from app.money.fees.queries import Item, Price, Schedule
from app.money.fees.services import draft_of, tell


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the estimate."""

    id: int
    item_id: int
    words: str
    amount: Vnd


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an item brings in over the year, and what it is spent on."""

    item: Item
    #: what one pupil pays in the year, on the average of the classes
    a_pupil: Vnd
    months: int
    pupils: int
    #: whether a person said how many; else every pupil of the school is counted
    is_expected: bool
    income: Vnd
    costs: tuple[Cost, ...]

    @property
    def cost(self) -> Vnd:
        """Everything it is spent on."""
        return total_of([one.amount for one in self.costs])

    @property
    def left(self) -> Vnd:
        """Above zero what is not spent; below zero what is missing."""
        return self.income - self.cost


def costs_of(school_id: int, schedule_id: int) -> list[Cost]:
    """The lines of a plan, as they were written."""
    return [
        Cost(*one)
        for one in rows(
            "select id, item_id, words, amount from schedule_costs where school_id = :school_id"
            " and schedule_id = :schedule order by id",
            types={"amount": VND},
            school_id=school_id,
            schedule=schedule_id,
        )
    ]


def estimates(schedule: Schedule, today: date, *, only: Period | None = None) -> list[Estimate]:
    """Every priced item of a plan with its income and costs, in the order of the catalogue.

    Of the whole year, or of one month `only`.
    """
    school_id = schedule.school_id
    classes = {
        one.id: (one.grade, int(one.pupils))
        for one in rows(
            "select c.id, c.grade, (select count(*) from placements p"
            "  join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id"
            "   and e.starts_on <= :today and (e.ends_on is null or e.ends_on > :today)"
            "  where p.school_id = c.school_id and p.class_id = c.id and p.starts_on <= :today"
            "  and (p.ends_on is null or p.ends_on > :today)) as pupils"
            " from classes c where c.school_id = :school_id and c.school_year_id = :year",
            school_id=school_id,
            year=schedule.school_year_id,
            today=today,
        )
    }
    everybody = int(
        scalar(
            "select count(*) from enrolments where school_id = :school_id and starts_on <= :today"
            " and (ends_on is null or ends_on > :today)",
            school_id=school_id,
            today=today,
        )
    )
    expected = {
        one.item_id: int(one.pupils)
        for one in rows(
            "select item_id, pupils from schedule_takers where school_id = :school_id"
            " and schedule_id = :schedule",
            school_id=school_id,
            schedule=schedule.id,
        )
    }
    costs: dict[int, list[Cost]] = {}
    for cost in costs_of(school_id, schedule.id):
        costs.setdefault(cost.item_id, []).append(cost)
    prices: dict[int, dict[Period, list[Price]]] = {}
    for price in queries.prices_of(school_id, schedule.id):
        if only is not None and price.period != only:
            continue
        prices.setdefault(price.item_id, {}).setdefault(price.period, []).append(price)
    items = queries.all_items()
    found = []
    for item_id, by_month in sorted(prices.items()):
        top, bottom = _average(by_month, classes)
        pupils = expected.get(item_id, everybody)
        found.append(
            Estimate(
                item=items[item_id],
                a_pupil=Vnd(half_up(top, bottom)),
                months=len(by_month),
                pupils=pupils,
                is_expected=item_id in expected,
                income=Vnd(half_up(top * pupils, bottom)),
                costs=tuple(costs.get(item_id, ())),
            )
        )
    return found


def _average(
    by_month: Mapping[Period, list[Price]], classes: Mapping[int, tuple[int, int]]
) -> tuple[int, int]:
    """What a pupil pays in the year as a fraction: by the pupils of each class, else by classes."""
    weights = {number: pupils for number, (_grade, pupils) in classes.items()}
    if not any(weights.values()):
        weights = dict.fromkeys(classes, 1)
    if not weights:
        # No class is open yet: every price counts alike.
        bottom = 1
        for prices in by_month.values():
            bottom *= len(prices)
        top = sum(
            sum(one.quantity * one.price.dong for one in prices) * (bottom // len(prices))
            for prices in by_month.values()
        )
        return top, bottom
    top = 0
    for prices in by_month.values():
        exact = {one.audience: one.quantity * one.price.dong for one in prices}
        for number, (grade, _pupils) in classes.items():
            asked = exact.get(f"class:{number}", exact.get(f"grade:{grade}", exact.get("all", 0)))
            top += asked * weights[number]
    return top, sum(weights.values())


@dataclass(frozen=True, slots=True)
class Planned:
    """What a plan expects of an item in one month."""

    pupils: int
    income: Vnd


def planned_income(school_id: int, period: Period, today: date) -> dict[int, Planned]:
    """What the plan in force expects in a month, by item; empty where no plan prices it."""
    schedule = next(
        (
            one
            for one in queries.list_schedules(school_id)
            if one.state is ScheduleState.APPROVED and period in one.months
        ),
        None,
    )
    if schedule is None:
        return {}
    return {
        one.item.id: Planned(one.pupils, one.income)
        for one in estimates(schedule, today, only=period)
    }


def add_cost(
    school_id: int,
    schedule_id: int,
    *,
    item_id: int,
    words: str,
    amount: Vnd,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write a line of the estimate. Refuses anything but a draft, no words, no amount.

    The caller commits.
    """
    draft_of(school_id, schedule_id)
    _known(item_id)
    said = " ".join(nfc(words).split())[:200]
    if not said or amount <= ZERO:
        raise BadPlan(_("Say what the money is spent on, and how much it is in the year."))
    db.session.execute(
        insert(ScheduleCost).values(
            school_id=school_id,
            schedule_id=schedule_id,
            item_id=item_id,
            words=said,
            amount=amount,
        )
    )
    tell("add_cost", school_id, schedule_id, actor, now, f"fee_item:{item_id} {amount.dong}")


def remove_cost(
    school_id: int, schedule_id: int, cost_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """Take a line out of a draft's estimate; one that is gone already is no fault."""
    draft_of(school_id, schedule_id)
    gone = execute(
        "delete from schedule_costs where school_id = :school_id and schedule_id = :schedule"
        " and id = :id",
        school_id=school_id,
        schedule=schedule_id,
        id=cost_id,
    ).rowcount
    if gone:
        tell("remove_cost", school_id, schedule_id, actor, now, f"schedule_cost:{cost_id}")


def set_takers(
    school_id: int,
    schedule_id: int,
    *,
    item_id: int,
    pupils: int,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Say how many pupils an item is expected to have. Refuses anything but a draft.

    The caller commits.
    """
    draft_of(school_id, schedule_id)
    _known(item_id)
    if not 0 <= pupils <= 10_000:
        raise BadPlan(_("The number of pupils is 0 to 10,000."))
    execute(
        "insert into schedule_takers (school_id, schedule_id, item_id, pupils)"
        " values (:school_id, :schedule, :item, :pupils)"
        " on conflict (school_id, schedule_id, item_id) do update set pupils = excluded.pupils",
        school_id=school_id,
        schedule=schedule_id,
        item=item_id,
        pupils=pupils,
    )
    tell("set_takers", school_id, schedule_id, actor, now, f"fee_item:{item_id} pupils:{pupils}")


def _known(item_id: int) -> None:
    if item_id not in queries.all_items():
        raise ItemNotFound
