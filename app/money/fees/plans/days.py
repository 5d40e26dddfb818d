"""The last days to pay a month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from flask_babel import gettext as _

from app import audit
from app.core import formats
from app.core.db import DAY, MONTH, execute, row, rows
from app.core.period import Period
from app.money.fees import queries
from app.money.fees.errors import BadPlan
from app.money.fees.services import draft_of, tell

#: a day to pay lies so many days around its month at most
AROUND: Final = 120


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
