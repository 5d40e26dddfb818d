"""The only place that asks the machine for the time. UTC inside, Asia/Ho_Chi_Minh for days."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """The moment, aware, in UTC. Tests may shift it by CLOCK_OFFSET_SECONDS."""
    offset = int(os.environ.get("CLOCK_OFFSET_SECONDS", "0") or "0")
    return datetime.now(UTC) + timedelta(seconds=offset)


def today() -> date:
    """The day in Đà Nẵng."""
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """A moment as the clock on a Vietnamese wall shows it."""
    return moment.astimezone(LOCAL)


def local_day(moment: datetime) -> date:
    """The Vietnamese calendar day of a moment."""
    return local(moment).date()


def years_on(day: date, years: int) -> date:
    """The same day some years later, or earlier below zero; 28 February where there is no 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def start_of(day: date) -> datetime:
    """The UTC moment at which a Vietnamese day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL).astimezone(UTC)
