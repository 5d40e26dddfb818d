"""A calendar month as the books count it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """One month of a year; stored as the number yyyymm so that SQL can compare it."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1900 <= self.year <= 9999 and 1 <= self.month <= 12):
            raise ValueError(f"no such month: {self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `2026-11`; raises ValueError with what was expected."""
        found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text.strip())
        if not found:
            raise ValueError(f"a month is written YYYY-MM, not {text!r}")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: date) -> Period:
        """The month a day lies in."""
        return cls(day.year, day.month)

    @classmethod
    def from_number(cls, number: int) -> Period:
        """202611 → November 2026."""
        return cls(number // 100, number % 100)

    @property
    def number(self) -> int:
        """yyyymm."""
        return self.year * 100 + self.month

    @property
    def first_day(self) -> date:
        """The first calendar day."""
        return date(self.year, self.month, 1)

    @property
    def last_day(self) -> date:
        """The last calendar day."""
        return self.next().first_day - timedelta(days=1)

    def next(self) -> Period:
        """The month after."""
        return Period(self.year + 1, 1) if self.month == 12 else Period(self.year, self.month + 1)

    def previous(self) -> Period:
        """The month before."""
        return Period(self.year - 1, 12) if self.month == 1 else Period(self.year, self.month - 1)

    def through(self, last: Period) -> list[Period]:
        """Every month of a span, both ends included; none when it is turned round."""
        months = [self] if self <= last else []
        while months and months[-1] < last:
            months.append(months[-1].next())
        return months

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"
