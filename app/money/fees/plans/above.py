"""What a plan still lacks, and the unit above that consents to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.core import clock, formats
from app.core.db import scalar
from app.core.money import Vnd
from app.money.fees import queries
from app.money.fees.catalogue import INSURANCE_CODE, insurance_rates
from app.money.fees.models import FeeUnit, ScheduleState
from app.money.fees.plans.estimate import estimates
from app.money.fees.plans.last_year import changes, compared_with
from app.money.fees.plans.parents import Agreement, agreements
from app.money.fees.queries import Schedule
from app.money.fees.services import CONSENT_SETTING
from app.people.schools import set_setting, setting


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
    return found + _beside_the_formula(schedule)


def _beside_the_formula(schedule: Schedule) -> list[str]:
    """Months whose health insurance costs another sum than the law's formula gives."""
    items = {
        one.id: one
        for one in queries.all_items().values()
        if one.code == INSURANCE_CODE and one.unit == FeeUnit.MONTH
    }
    rates = insurance_rates() if items else []
    found = []
    for price in queries.prices_of(schedule.school_id, schedule.id):
        rate = next((one for one in rates if one.valid_from <= price.period.first_day), None)
        if price.item_id not in items or rate is None:
            continue
        right, asked = rate.of_family(price.quantity), price.price.dong * price.quantity
        # One division for all months: a month's part may differ by less than one đồng.
        if abs(asked - right.dong) >= price.quantity:
            found.append(
                _(
                    "%(item)s, %(month)s: %(asked)s asked, the formula gives %(right)s for"
                    " %(n)s months (%(act)s).",
                    item=items[price.item_id].name,
                    month=formats.month(price.period),
                    asked=formats.vnd(Vnd(asked)),
                    right=formats.vnd(right),
                    n=price.quantity,
                    act=rate.legal_act,
                )
            )
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
    set_setting(school_id, CONSENT_SETTING, value, clock.local_day(now))
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


def waiting(school_ids: Collection[int]) -> int:
    """How many plans of these schools wait for the unit above."""
    if not school_ids:
        return 0
    return int(
        scalar(
            "select count(*) from fee_schedules where school_id in :schools and state = 'endorsed'",
            schools=list(school_ids),
        )
    )
