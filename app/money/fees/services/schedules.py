"""Schedules of a school year, from the draft to the consent of the unit above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import insert, text

from app import audit
from app.core import clock, formats
from app.core.db import DAY, execute, for_update, row, rows, scalar
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import (
    BadPrice,
    DraftAlreadyOpen,
    EmptySchedule,
    ForbiddenCharge,
    ItemNotFound,
    ItemOutOfDates,
    NotADraft,
    NotApproved,
    NotChargeable,
    NotEndorsed,
    NotSubmitted,
    PriceAboveCap,
    ReasonMissing,
    SamePerson,
    ScheduleNotFound,
)
from app.money.fees.models import (
    FeeSchedule,
    FeeUnit,
    SchedulePrice,
    ScheduleState,
)
from app.money.fees.services.items import forbidden_words
from app.money.fees.services.rows import insert_rows
from app.people.schools import setting


@dataclass(frozen=True, slots=True)
class NewPrice:
    """One price; `audience` is `all`, `grade:3` or `class:17`."""

    item_id: int
    audience: str
    period: Period
    quantity: int
    price: Vnd
    #: what a day costs from a day within the month on; only for items by the day
    second_price: Vnd | None = None
    second_from: date | None = None


#: states of a version that is on its way; a school year has one at a time
OPEN: Final = (ScheduleState.DRAFT, ScheduleState.SUBMITTED, ScheduleState.ENDORSED)
#: `yes` where the unit above has to consent before a schedule takes effect
CONSENT_SETTING: Final = "fees_consent_above"


def draft_schedule(
    school_id: int, school_year_id: int, *, agreement: str, actor: audit.Actor, now: datetime
) -> int:
    """Open the next version of a school year's schedule; its id.

    Refuses while another version of the year is a draft or waits for approval. The caller commits.
    """
    return open_draft(school_id, school_year_id, agreement, actor, now, cause="")


def open_draft(
    school_id: int,
    school_year_id: int,
    agreement: str,
    actor: audit.Actor,
    now: datetime,
    *,
    cause: str,
    copied_from_id: int | None = None,
) -> int:
    """The next version of a school year, empty; refuses while another is on its way."""
    # The school's own row serialises the versions of its schedules.
    execute(f"select id from schools where id = :school_id{for_update()}", school_id=school_id)
    versions = rows(
        "select version, state from fee_schedules where school_id = :school_id"
        " and school_year_id = :year",
        school_id=school_id,
        year=school_year_id,
    )
    if any(known.state in OPEN for known in versions):
        raise DraftAlreadyOpen
    schedule_id = insert_rows(
        FeeSchedule,
        [
            {
                "school_id": school_id,
                "school_year_id": school_year_id,
                "version": 1 + max((known.version for known in versions), default=0),
                "state": ScheduleState.DRAFT,
                "agreement": nfc(agreement).strip()[:200],
                "drafted_by": actor.name,
                "drafted_by_id": actor.user_id,
                "copied_from_id": copied_from_id,
            }
        ],
    )[0]
    tell("draft", school_id, schedule_id, actor, now, cause)
    return schedule_id


#: what a version takes over from the one before it, beside its prices
_COPIED: Final = (
    ("schedule_costs", "item_id, words, amount"),
    ("schedule_takers", "item_id, pupils"),
    ("schedule_due_dates", "period, due_on"),
)


def copy_to_new_draft(
    school_id: int, schedule_id: int, *, actor: audit.Actor, now: datetime
) -> int:
    """Begin the next version with the prices of an approved one; its id.

    Refuses a version that is not the approved one, and a second open draft. The caller commits.
    """
    schedule = _locked(school_id, schedule_id)
    if schedule.state != ScheduleState.APPROVED:
        raise NotApproved
    copy_id = open_draft(
        school_id,
        schedule.school_year_id,
        schedule.agreement,
        actor,
        now,
        cause=f"fee_schedule:{schedule_id}",
        copied_from_id=schedule_id,
    )
    for table, columns in _COPIED:
        execute(
            f"insert into {table} (school_id, schedule_id, {columns})"
            f" select school_id, :copy, {columns} from {table}"
            " where school_id = :school_id and schedule_id = :schedule order by id",
            school_id=school_id,
            schedule=schedule_id,
            copy=copy_id,
        )
    execute(
        "insert into schedule_prices (school_id, schedule_id, item_id, audience, grade, class_id,"
        " period, quantity, price, second_price, second_from)"
        " select school_id, :copy, item_id, audience, grade, class_id, period, quantity, price,"
        " second_price, second_from from schedule_prices"
        " where school_id = :school_id and schedule_id = :schedule order by id",
        school_id=school_id,
        schedule=schedule_id,
        copy=copy_id,
    )
    return copy_id


def set_agreement(
    school_id: int, schedule_id: int, *, agreement: str, actor: audit.Actor, now: datetime
) -> None:
    """Write down the parents' agreement a draft rests on. Refuses anything but a draft.

    The caller commits.
    """
    draft_of(school_id, schedule_id)
    execute(
        "update fee_schedules set agreement = :agreement where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule_id,
        agreement=nfc(agreement).strip()[:200],
    )
    tell("set_agreement", school_id, schedule_id, actor, now)


def set_prices(
    school_id: int,
    schedule_id: int,
    prices: Sequence[NewPrice],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Put prices into a draft; one for the same item, audience and month is replaced.

    Refuses a schedule that left the draft, an unknown item or class, a month outside the school
    year, a quantity or price out of range. Caps and categories are judged when it is submitted. The
    caller commits.
    """
    schedule = draft_of(school_id, schedule_id)
    if not prices:
        return
    months = set(queries.months_of_year(schedule.starts_on))
    items = {found.id: found.unit for found in rows("select id, unit from fee_items")}
    places = _places(school_id, schedule.school_year_id)
    values = {}
    for price in prices:
        if price.item_id not in items:
            raise ItemNotFound
        place = places.get(price.audience)
        if place is None:
            raise BadPrice(_("Choose the whole school, one of its grades or one of its classes."))
        if price.period not in months:
            raise BadPrice(
                _(
                    "%(month)s does not belong to the school year.",
                    month=formats.month(price.period),
                )
            )
        if not 1 <= price.quantity <= 1000:
            raise BadPrice(_("The quantity is a whole number from 1 to 1,000."))
        if not 0 <= price.price.dong <= 1_000_000_000:
            raise BadPrice(_("The price lies between 0 and 1,000,000,000 ₫."))
        _refuse_bad_second(price, items[price.item_id])
        key = (price.item_id, price.audience, price.period.number)
        values[key] = {
            "school_id": school_id,
            "schedule_id": schedule_id,
            "item_id": price.item_id,
            "audience": price.audience,
            "grade": place[0],
            "class_id": place[1],
            "period": price.period,
            "quantity": price.quantity,
            "price": price.price,
            "second_price": price.second_price,
            "second_from": price.second_from,
        }
    has = {
        (found.item_id, found.audience, int(found.period))
        for found in rows(
            "select item_id, audience, period from schedule_prices"
            " where school_id = :school_id and schedule_id = :schedule",
            school_id=school_id,
            schedule=schedule_id,
        )
    }
    replaced = [key for key in values if key in has]
    if replaced:
        db.session.execute(
            text(
                "delete from schedule_prices where school_id = :school_id"
                " and schedule_id = :schedule and item_id = :item and audience = :audience"
                " and period = :period"
            ),
            [
                {
                    "school_id": school_id,
                    "schedule": schedule_id,
                    "item": item,
                    "audience": audience,
                    "period": period,
                }
                for item, audience, period in replaced
            ],
        )
    db.session.execute(insert(SchedulePrice), list(values.values()))
    tell("set_prices", school_id, schedule_id, actor, now, f"prices:{len(values)}")


def with_change(
    prices: Sequence[NewPrice], second_price: Vnd | None, second_from: date | None
) -> list[NewPrice]:
    """The same prices with another one from a day on: within its month, and whole months after.

    As they are where no day is given.
    """
    if second_price is None or second_from is None:
        return list(prices)
    turned = Period.of(second_from)
    changed = []
    for price in prices:
        if price.period > turned or (price.period == turned and second_from.day == 1):
            changed.append(replace(price, price=second_price))
        elif price.period == turned:
            changed.append(replace(price, second_price=second_price, second_from=second_from))
        else:
            changed.append(price)
    return changed


def _refuse_bad_second(price: NewPrice, unit: str) -> None:
    """A price that changes within the month: of an item by the day, on a day inside it."""
    if price.second_price is None and price.second_from is None:
        return
    if unit != FeeUnit.DAY or price.second_price is None or price.second_from is None:
        raise BadPrice(_("Only an item by the day may change its price within a month."))
    if not price.period.first_day < price.second_from <= price.period.last_day:
        raise BadPrice(_("The new price begins after the first day of its month, and within it."))
    if not 0 <= price.second_price.dong <= 1_000_000_000:
        raise BadPrice(_("The price lies between 0 and 1,000,000,000 ₫."))


def _places(school_id: int, school_year_id: int) -> dict[str, tuple[int | None, int | None]]:
    """Every audience a school may name, with its grade and class."""
    places: dict[str, tuple[int | None, int | None]] = {"all": (None, None)}
    for found in rows(
        "select id, grade from classes where school_id = :school_id and school_year_id = :year",
        school_id=school_id,
        year=school_year_id,
    ):
        places[f"grade:{found.grade}"] = (found.grade, None)
        places[f"class:{found.id}"] = (None, found.id)
    return places


def remove_prices(
    school_id: int,
    schedule_id: int,
    *,
    item_id: int,
    audience: str,
    periods: Sequence[Period] | None = None,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Take prices of one item and audience out of a draft, all months or some; how many went.

    Refuses a schedule that left the draft. The caller commits.
    """
    draft_of(school_id, schedule_id)
    only = " and period in :periods" if periods is not None else ""
    known: dict[str, Any] = {} if periods is None else {"periods": [p.number for p in periods]}
    if periods is not None and not periods:
        return 0
    removed = execute(
        "delete from schedule_prices where school_id = :school_id and schedule_id = :schedule"
        f" and item_id = :item and audience = :audience{only}",
        school_id=school_id,
        schedule=schedule_id,
        item=item_id,
        audience=audience,
        **known,
    ).rowcount
    if removed:
        tell(
            "remove_prices",
            school_id,
            schedule_id,
            actor,
            now,
            f"fee_item:{item_id} {audience} prices:{removed}",
        )
    return removed


def submit_schedule(school_id: int, schedule_id: int, *, actor: audit.Actor, now: datetime) -> None:
    """Hand a draft to the principal.

    Refuses a schedule without prices and any price that could not be approved. The caller commits.
    """
    draft_of(school_id, schedule_id)
    _refuse_problems(school_id, schedule_id)
    execute(
        "update fee_schedules set state = 'submitted', submitted_at = :now"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule_id,
        now=now,
    )
    tell("submit", school_id, schedule_id, actor, now)


def return_schedule(
    school_id: int, schedule_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> None:
    """Send a schedule back to its drafter, with words to act on: the principal, or the unit above.

    Refuses one that waits for neither, and a reason shorter than ten characters. The caller
    commits.
    """
    schedule = _locked(school_id, schedule_id)
    if schedule.state not in (ScheduleState.SUBMITTED, ScheduleState.ENDORSED):
        raise NotSubmitted
    if len(reason.strip()) < 10:
        raise ReasonMissing
    execute(
        "update fee_schedules set state = 'draft', submitted_at = null, approved_by = null,"
        " approved_at = null"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule_id,
    )
    tell("return", school_id, schedule_id, actor, now, nfc(reason).strip())


def approve_schedule(
    school_id: int, schedule_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """The principal approves a submitted schedule: it takes effect instead of the one before.

    Where the unit above has to consent it waits for that first. Refuses whoever drafted, priced or
    submitted it, prices above the cap of their month, items outside their dates, sponsorship and
    the parents' fund. Locks the schedules of the school. The caller commits.
    """
    execute(f"select id from schools where id = :school_id{for_update()}", school_id=school_id)
    schedule = _locked(school_id, schedule_id)
    if schedule.state != ScheduleState.SUBMITTED:
        raise NotSubmitted
    if is_maker(queries.get_schedule(school_id, schedule_id), actor):
        raise SamePerson
    _refuse_problems(school_id, schedule_id)
    waits = setting(school_id, CONSENT_SETTING, clock.local_day(now)) == "yes"
    execute(
        "update fee_schedules set state = 'endorsed', approved_by = :name, approved_at = :now"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule_id,
        name=actor.name,
        now=now,
    )
    tell("approve", school_id, schedule_id, actor, now)
    if not waits:
        _put_in_force(school_id, schedule, actor, now)


def consent_to_schedule(
    school_id: int, schedule_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """The unit above lets a schedule the principal approved take effect.

    Refuses one that does not wait for it, a person who drafted, priced, submitted or approved it,
    and prices that may no longer be charged. The caller commits.
    """
    execute(f"select id from schools where id = :school_id{for_update()}", school_id=school_id)
    schedule = _locked(school_id, schedule_id)
    if schedule.state != ScheduleState.ENDORSED:
        raise NotEndorsed
    known = queries.get_schedule(school_id, schedule_id)
    if is_maker(known, actor) or known.approved_by == actor.name:
        raise SamePerson
    _refuse_problems(school_id, schedule_id)
    execute(
        "update fee_schedules set consented_by = :name, consented_at = :now"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule_id,
        name=actor.name,
        now=now,
    )
    tell("consent", school_id, schedule_id, actor, now)
    _put_in_force(school_id, schedule, actor, now)


def _put_in_force(school_id: int, schedule: Any, actor: audit.Actor, now: datetime) -> None:
    earlier = rows(
        "select id from fee_schedules where school_id = :school_id and school_year_id = :year"
        " and state = 'approved'",
        school_id=school_id,
        year=schedule.school_year_id,
    )
    for version in earlier:
        execute(
            "update fee_schedules set state = 'superseded'"
            " where school_id = :school_id and id = :id",
            school_id=school_id,
            id=version.id,
        )
        tell("supersede", school_id, version.id, actor, now, f"fee_schedule:{schedule.id}")
    execute(
        "update fee_schedules set state = 'approved' where school_id = :school_id and id = :id",
        school_id=school_id,
        id=schedule.id,
    )


def is_maker(schedule: queries.Schedule, actor: audit.Actor) -> bool:
    """Whether a person drafted, priced or submitted a schedule and so may not approve it."""
    if schedule.drafted_by_id is not None and schedule.drafted_by_id == actor.user_id:
        return True
    if schedule.drafted_by == actor.name:
        return True
    return queries.has_worked_on(schedule.school_id, schedule.id, actor.name)


def tell(
    deed: str,
    school_id: int,
    schedule_id: int,
    actor: audit.Actor,
    now: datetime,
    cause: str = "",
) -> None:
    """Write what was done to a schedule into the trail."""
    audit.record(
        f"fee_schedule.{deed}",
        f"fee_schedule:{schedule_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=cause,
    )


def _locked(school_id: int, schedule_id: int) -> Any:
    schedule = row(
        "select f.id, f.state, f.school_year_id, f.agreement, f.drafted_by, f.drafted_by_id,"
        " (select y.starts_on from school_years y where y.id = f.school_year_id) as starts_on"
        " from fee_schedules f where f.school_id = :school_id and f.id = :id" + for_update(),
        types={"starts_on": DAY},
        school_id=school_id,
        id=schedule_id,
    )
    if schedule is None:
        raise ScheduleNotFound
    return schedule


def draft_of(school_id: int, schedule_id: int) -> Any:
    """A schedule that may be worked on, locked; else NotADraft."""
    schedule = _locked(school_id, schedule_id)
    if schedule.state != ScheduleState.DRAFT:
        raise NotADraft
    return schedule


def _refuse_problems(school_id: int, schedule_id: int) -> None:
    if not scalar(
        "select count(*) from schedule_prices"
        " where school_id = :school_id and schedule_id = :schedule",
        school_id=school_id,
        schedule=schedule_id,
    ):
        raise EmptySchedule
    level = str(scalar("select level from schools where id = :school_id", school_id=school_id))
    for problem in queries.problems_of(school_id, schedule_id, level):
        raise _refusal(problem)


def _refusal(
    problem: queries.Problem,
) -> PriceAboveCap | ItemOutOfDates | NotChargeable | ForbiddenCharge:
    message = explain(problem)
    if problem.kind == "forbidden":
        return ForbiddenCharge(message)
    if problem.kind == "cap":
        return PriceAboveCap(message)
    if problem.kind == "dates":
        return ItemOutOfDates(message)
    return NotChargeable(message)


def explain(problem: queries.Problem, name: str = "", months: str = "") -> str:
    """A problem of a schedule as a sentence with its figures."""
    name = name or problem.item.name
    month = months or formats.month(problem.period)
    if problem.kind == "cap" and problem.cap is not None:
        return _(
            "%(item)s, %(month)s: %(price)s is above the cap of %(cap)s (%(act)s).",
            item=name,
            month=month,
            price=formats.vnd(problem.price),
            cap=formats.vnd(problem.cap.amount),
            act=problem.cap.legal_act,
        )
    if problem.kind == "forbidden" and problem.rule is not None:
        return forbidden_words(name, problem.rule)
    if problem.kind == "dates":
        return _("%(item)s is not in force in %(month)s.", item=name, month=month)
    return _("%(item)s has no price per child: it is given freely.", item=name)
