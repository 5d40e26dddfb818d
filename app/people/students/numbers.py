"""What looks odd about a personal number; never a reason to refuse it.

A personal number has twelve digits and nothing in it may be relied on: the rules that once put
province, century, sex and year of birth inside it have lapsed, so a difference is only worth a
second look at the paper.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from app.people.students.models import Sex

#: The first three digits ever given out, by the province or city of birth registration.
PROVINCES = frozenset(
    f"{number:03}"
    for number in (
        *(1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34),
        *(35, 36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67),
        *(68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96),
    )
)


class Oddity(StrEnum):
    """A part of a number that does not look as it used to be made."""

    PROVINCE = "province"
    CENTURY_OR_SEX = "century_or_sex"
    YEAR = "year"


def oddities(pin: str, birth_date: date, sex: Sex) -> list[Oddity]:
    """What a person should compare with the paper once more; empty for a number as usual.

    `pin` has twelve digits.
    """
    found = []
    if pin[:3] not in PROVINCES:
        found.append(Oddity.PROVINCE)
    century = (birth_date.year // 100 - 19) * 2 + (1 if sex is Sex.FEMALE else 0)
    if pin[3] != str(century):
        found.append(Oddity.CENTURY_OR_SEX)
    if pin[4:6] != f"{birth_date.year % 100:02}":
        found.append(Oddity.YEAR)
    return found
