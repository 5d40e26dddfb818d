"""Working days: weekends, holidays that keep their day, and days off the unit above writes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import DAY, rows
from app.core.errors import Invalid
from app.core.model import db
from app.core.text import nfc
from app.people.schools.models import DayOff

#: holidays of the Labour Code that keep their day of the year
FIXED_HOLIDAYS = frozenset({(1, 1), (4, 30), (5, 1), (9, 2)})


class BadDayOff(Invalid):
    """A day off without a name, or one that is free anyway."""

    code = "bad_day_off"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days off that were written down, by day; the other rules are in the code."""

    named: dict[date, str]

    def is_working(self, day: date) -> bool:
        """Whether offices work on a day."""
        return (
            day.weekday() < 5
            and (day.month, day.day) not in FIXED_HOLIDAYS
            and day not in self.named
        )

    def due_after(self, day: date, count: int) -> date:
        """The last of `count` working days after a day."""
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day


def calendar() -> Calendar:
    """The calendar as it is known now; the newest word on a day counts."""
    named = {
        off.day: off.name
        for off in rows(
            "select d.day, d.name from days_off d where d.is_off and d.id ="
            " (select max(x.id) from days_off x where x.day = d.day) order by d.day",
            types={"day": DAY},
        )
    }
    return Calendar(named)


def set_day_off(
    day: date,
    *,
    name: str,
    is_off: bool,
    actor: audit.Actor,
    now: datetime,
    last: date | None = None,
) -> int:
    """Write down days off, from `day` to `last`, or that they are worked after all; how many.

    Refuses a name of nothing, a span turned round or longer than 31 days. The caller commits.
    """
    last = last or day
    name = nfc(name).strip()
    if is_off and not 1 <= len(name) <= 80:
        raise BadDayOff(_("Say what is celebrated, in at most 80 letters."))
    if not timedelta(0) <= last - day <= timedelta(days=31):
        raise BadDayOff(_("The last day comes after the first, by a month at most."))
    days = [day + timedelta(days=n) for n in range((last - day).days + 1)]
    db.session.execute(
        insert(DayOff),
        [{"day": one, "name": name, "is_off": is_off, "added_at": now} for one in days],
    )
    audit.record(
        "calendar.day_off" if is_off else "calendar.working_day",
        f"days:{day.isoformat()}..{last.isoformat()}",
        actor=actor,
        school_id=None,
        now=now,
        cause=name,
    )
    return len(days)
