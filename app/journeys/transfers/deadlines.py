"""Working days of the deadlines; they colour a list and stop nobody."""

from __future__ import annotations

from datetime import date, timedelta

#: Each step within three working days (Circular 28/2020 Art. 36, primary; used for all levels).
WORKING_DAYS = 3
#: Holidays of the Labour Code that keep their day; the moving ones only make a date fall earlier.
FIXED_HOLIDAYS = frozenset({(1, 1), (4, 30), (5, 1), (9, 2)})


def due_after(day: date, count: int = WORKING_DAYS) -> date:
    """The last of `count` working days after a day: no Saturdays, Sundays and fixed holidays."""
    while count:
        day += timedelta(days=1)
        if day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS:
            count -= 1
    return day
