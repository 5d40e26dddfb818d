"""The plan of a school year around its prices: costs, the parents' agreement, days to pay, changes.

A plan goes from the estimate to the parents, the principal and, where it is asked for, the unit
above; then it stands on the school's public page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock, formats, papers
from app.core.db import DAY, MOMENT, MONTH, VND, execute, row, rows, scalar
from app.core.model import db
from app.core.money import ZERO, Vnd, half_up, total_of
from app.core.period import Period
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import BadPlan, ItemNotFound, NothingToCopy
from app.money.fees.models import ParentsAgreement, ScheduleCost, SchedulePrice, ScheduleState
from app.money.fees.queries import Item, Price, Schedule
from app.money.fees.services import CONSENT_SETTING, draft_of, open_draft, tell
from app.people.schools import setting

#: a rise over the year before that somebody should ask about, in percent
STEEP: Final = 15
#: a day to pay lies so many days around its month at most
AROUND: Final = 120


# The cost estimate


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


# The parents' agreement


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the parents said."""

    id: int
    held_on: date
    minutes_no: str
    asked: int
    agreed: int
    has_paper: bool
    recorded_by: str
    recorded_at: datetime

    @property
    def percent(self) -> int:
        """The share that agreed, rounded down."""
        return self.agreed * 100 // self.asked


def agreements(school_id: int, schedule_id: int) -> list[Agreement]:
    """What was recorded, the newest first: that one counts."""
    return [
        Agreement(**{**one._asdict(), "has_paper": bool(one.has_paper)})
        for one in rows(
            "select id, held_on, minutes_no, asked, agreed, kind <> '' as has_paper, recorded_by,"
            " recorded_at from parents_agreements where school_id = :school_id"
            " and schedule_id = :schedule order by id desc",
            types={"held_on": DAY, "recorded_at": MOMENT},
            school_id=school_id,
            schedule=schedule_id,
        )
    ]


def record_agreement(
    school_id: int,
    schedule_id: int,
    *,
    held_on: date,
    minutes_no: str,
    asked: int,
    agreed: int,
    content: bytes,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write down what the parents said to a plan, with the paper where there is one.

    Refuses a plan that was approved, a day to come, more yeses than families, and a file that is no
    PDF, JPEG or PNG of at most 5 MB. The caller commits.
    """
    schedule = queries.get_schedule(school_id, schedule_id)
    if schedule.state not in (ScheduleState.DRAFT, ScheduleState.SUBMITTED):
        raise BadPlan(_("This version was decided. What parents say now belongs to a new one."))
    if held_on > clock.local_day(now):
        raise BadPlan(_("The meeting cannot be on a day to come."))
    if not 0 < asked <= 100_000 or not 0 <= agreed <= asked:
        raise BadPlan(_("Write how many families were asked, and how many of them agreed."))
    kind = papers.kind_of(content) if content else ""
    if kind is None:
        raise BadPlan(_("Hand in a PDF, JPEG or PNG of at most 5 MB."))
    db.session.execute(
        insert(ParentsAgreement).values(
            school_id=school_id,
            schedule_id=schedule_id,
            held_on=held_on,
            minutes_no=" ".join(nfc(minutes_no).split())[:60],
            asked=asked,
            agreed=agreed,
            kind=kind,
            content=content,
            recorded_by=actor.name,
            recorded_at=now,
        )
    )
    tell("agreement", school_id, schedule_id, actor, now, f"{agreed}/{asked}")


def agreement_paper(school_id: int, schedule_id: int, agreement_id: int) -> tuple[str, bytes]:
    """The paper with its kind. Refuses an agreement without one."""
    found = row(
        "select kind, content from parents_agreements where school_id = :school_id"
        " and schedule_id = :schedule and id = :id and kind <> ''",
        school_id=school_id,
        schedule=schedule_id,
        id=agreement_id,
    )
    if found is None:
        raise BadPlan(_("No paper is kept with this agreement."))
    return found.kind, bytes(found.content)


# Days to pay


def due_dates(school_id: int, schedule_id: int) -> dict[Period, date]:
    """The last days to pay, by month."""
    return {
        one.period: one.due_on
        for one in rows(
            "select period, due_on from schedule_due_dates where school_id = :school_id"
            " and schedule_id = :schedule order by period",
            types={"period": MONTH, "due_on": DAY},
            school_id=school_id,
            schedule=schedule_id,
        )
    }


def set_due_dates(
    school_id: int,
    schedule_id: int,
    days: Mapping[Period, date | None],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Set the last days to pay of a draft; None takes one out.

    Refuses a month outside the school year and a day far from its month. The caller commits.
    """
    draft_of(school_id, schedule_id)
    months = set(queries.get_schedule(school_id, schedule_id).months)
    for month, day in days.items():
        if month not in months:
            raise BadPlan(
                _("%(month)s does not belong to the school year.", month=formats.month(month))
            )
        if day is not None and not 0 <= (day - month.first_day).days <= AROUND:
            raise BadPlan(
                _(
                    "The day to pay %(month)s lies in that month or soon after it.",
                    month=formats.month(month),
                )
            )
    for month, day in days.items():
        execute(
            "delete from schedule_due_dates where school_id = :school_id"
            " and schedule_id = :schedule and period = :period",
            school_id=school_id,
            schedule=schedule_id,
            period=month.number,
        )
        if day is not None:
            execute(
                "insert into schedule_due_dates (school_id, schedule_id, period, due_on)"
                " values (:school_id, :schedule, :period, :due)",
                school_id=school_id,
                schedule=schedule_id,
                period=month.number,
                due=day,
            )
    tell("set_due_dates", school_id, schedule_id, actor, now)


def planned_due_date(school_id: int, period: Period) -> date | None:
    """The last day to pay a month, by the plan in force."""
    found = row(
        "select d.due_on from schedule_due_dates d join fee_schedules f"
        " on f.school_id = d.school_id and f.id = d.schedule_id and f.state = 'approved'"
        " where d.school_id = :school_id and d.period = :period",
        types={"due_on": DAY},
        school_id=school_id,
        period=period.number,
    )
    return None if found is None else found.due_on


# From the year before


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


# What is still missing, and the unit above


def missing(schedule: Schedule, today: date) -> list[str]:
    """What a good plan has and this one has not, in words; nobody is kept from submitting it."""
    found = []
    spoken = agreements(schedule.school_id, schedule.id)
    if not spoken:
        found.append(_("No agreement of the parents is recorded."))
    elif not spoken[0].has_paper:
        found.append(_("The parents' agreement has no paper."))
    bare = [
        one.item.name
        for one in estimates(schedule, today)
        if not one.costs and one.item.category in ("service", "agreed")
    ]
    if bare:
        found.append(_("No cost estimate: %(items)s.", items=", ".join(bare)))
    return found


def needs_consent(school_id: int, day: date) -> bool:
    """Whether schedules of a school wait for the unit above."""
    return setting(school_id, CONSENT_SETTING, day) == "yes"


def set_consent_needed(
    school_id: int, *, is_needed: bool, actor: audit.Actor, now: datetime
) -> None:
    """Say whether schedules of a school need the consent of the unit above, from today on.

    The caller commits.
    """
    value = "yes" if is_needed else "no"
    execute(
        "insert into school_settings (school_id, name, value, valid_from)"
        " values (:school_id, :name, :value, :day)"
        " on conflict (school_id, name, valid_from) do update set value = excluded.value",
        school_id=school_id,
        name=CONSENT_SETTING,
        value=value,
        day=clock.local_day(now),
    )
    audit.record(
        "fee_schedule.consent_needed",
        f"school:{school_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=value,
    )


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """The newest plan of a school, as the unit above sees it."""

    school_id: int
    schedule: Schedule
    agreement: Agreement | None
    steepest: int | None
    gaps: tuple[str, ...]


def plans_of(school_ids: Collection[int], today: date) -> dict[int, SchoolPlan]:
    """The newest version of each school that left the draft."""
    found = {}
    for school_id in school_ids:
        shown = next(
            (
                one
                for one in queries.list_schedules(school_id)
                if one.state not in (ScheduleState.DRAFT, ScheduleState.SUPERSEDED)
            ),
            None,
        )
        if shown is None:
            continue
        source = compared_with(shown)
        rises = [one.percent for one in changes(shown, source)] if source is not None else []
        spoken = agreements(school_id, shown.id)
        found[school_id] = SchoolPlan(
            school_id=school_id,
            schedule=shown,
            agreement=spoken[0] if spoken else None,
            steepest=max((rise for rise in rises if rise is not None), default=None),
            gaps=tuple(missing(shown, today)),
        )
    return found
