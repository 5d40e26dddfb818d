"""Which months the demo tells of: two billed ones, and the open one that a newcomer issues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from app.core import clock
from app.core.period import Period

#: (day, month) without school; the lunar new year is left out, no rule of the product needs it
_HOLIDAYS: Final = {(1, 1), (30, 4), (1, 5), (2, 9)}
_SEPTEMBER, _MAY = 9, 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months around a day; outside September to May the open month is the last May."""

    as_of: date

    @property
    def open_month(self) -> Period:
        """The month whose prices are approved and whose bills are not out."""
        now = Period.of(self.as_of)
        if _MAY < now.month < _SEPTEMBER:
            return Period(now.year, _MAY)
        return now

    @property
    def billed(self) -> tuple[Period, Period]:
        """The two months before the open one."""
        second = self.open_month.previous()
        return second.previous(), second

    @property
    def first_year(self) -> int:
        """The calendar year in which the school year begins."""
        month = self.open_month
        return month.year if month.month >= _SEPTEMBER else month.year - 1

    @property
    def year_code(self) -> str:
        """`2026-2027`."""
        return f"{self.first_year}-{self.first_year + 1}"

    @property
    def starts_on(self) -> date:
        """The first day of the school year, or of the first month billed when that is earlier."""
        return min(date(self.first_year, _SEPTEMBER, 1), self.billed[0].first_day)

    @property
    def ends_on(self) -> date:
        """The last day of the school year."""
        return date(self.first_year + 1, _MAY, 31)

    @property
    def months(self) -> list[Period]:
        """Every month with prices: from the first one billed or September, to May."""
        return Period.of(self.starts_on).through(Period.of(self.ends_on))

    @property
    def prepared_at(self) -> datetime:
        """When everything was entered: before the first day of the year."""
        return at(self.starts_on - timedelta(days=12), 8, 0)

    @property
    def cutoff(self) -> datetime:
        """Nothing of the demo happened later than the night before the day it was made for."""
        return at(self.as_of, 0, 0)


def at(day: date, hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of a Vietnamese day."""
    return datetime.combine(day, time(hour, minute, second), clock.LOCAL)


def meal_days(month: Period) -> list[date]:
    """Days with meals: Monday to Friday without holidays."""
    days = (month.first_day + timedelta(days=n) for n in range(month.last_day.day))
    return [day for day in days if day.weekday() < 5 and (day.day, day.month) not in _HOLIDAYS]


def school_days(month: Period) -> int:
    """How many days with meals."""
    return len(meal_days(month))
