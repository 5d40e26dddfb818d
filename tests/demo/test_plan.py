"""How large the demo is, which months it tells of, what its people are called."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from datetime import date

import pytest

from app.core.period import Period
from app.core.text import ascii_upper, fold
from app.demo.calendar import Calendar, school_days
from app.demo.catalogue import insurance
from app.demo.load import Plan
from app.demo.names import Names, school_names
from app.demo.people import class_plan
from app.people.schools import Level
from app.people.students.models import Sex

DAY = date(2026, 11, 24)


def test_the_area_has_its_36_schools() -> None:
    schools = school_names()
    assert Counter(school.level for school in schools) == {
        Level.NURSERY: 10,
        Level.PRIMARY: 16,
        Level.LOWER_SECONDARY: 10,
    }
    assert len({school.code for school in schools}) == 36
    assert len({fold(school.short) for school in schools}) == 36
    assert {school.level for school in schools[:4]} == set(Level)
    assert all(school.holder == ascii_upper(school.holder) for school in schools)
    assert schools[0].holder == "TRUONG MAM NON SAO BIEN"


@pytest.mark.parametrize(
    ("plan", "total"),
    [
        (Plan(DAY), 2160),
        (Plan(DAY, students=33_000), 33_000),
        (Plan(DAY, schools=4, students=48), 48),
        (Plan(DAY, schools=1), 60),
        (Plan(DAY, schools=7, students=11), 11),
    ],
)
def test_the_children_are_shared_out(plan: Plan, total: int) -> None:
    sizes = plan.sizes()
    assert len(sizes) == plan.schools
    assert sum(sizes) == total and min(sizes) > 0


def test_the_first_schools_can_owe_thirty_bills() -> None:
    assert min(Plan(DAY).sizes()[:4]) >= 60


@pytest.mark.parametrize(
    ("as_of", "billed", "open_month", "year"),
    [
        (date(2026, 11, 24), ("2026-09", "2026-10"), "2026-11", "2026-2027"),
        (date(2026, 9, 1), ("2026-07", "2026-08"), "2026-09", "2026-2027"),
        (date(2027, 1, 1), ("2026-11", "2026-12"), "2027-01", "2026-2027"),
        (date(2027, 5, 31), ("2027-03", "2027-04"), "2027-05", "2026-2027"),
        (date(2027, 6, 1), ("2027-03", "2027-04"), "2027-05", "2026-2027"),
        (date(2027, 8, 31), ("2027-03", "2027-04"), "2027-05", "2026-2027"),
    ],
)
def test_the_months_around_a_day(
    as_of: date, billed: tuple[str, str], open_month: str, year: str
) -> None:
    calendar = Calendar(as_of)
    assert (tuple(map(str, calendar.billed)), str(calendar.open_month)) == (billed, open_month)
    assert calendar.year_code == year
    assert calendar.starts_on <= calendar.billed[0].first_day
    assert calendar.open_month in calendar.months
    assert calendar.prepared_at < calendar.cutoff


def test_school_days_leave_out_weekends_and_holidays() -> None:
    assert school_days(Period(2026, 11)) == 21
    assert school_days(Period(2026, 9)) == 21


@pytest.mark.parametrize(("months", "dong"), [(12, 683_100), (6, 341_550), (3, 170_775)])
def test_health_insurance_of_2026(months: int, dong: int) -> None:
    assert insurance(months) == dong


def test_names_are_plausible_and_composed() -> None:
    names = Names(random.Random(7))
    people = [names.child(names.family(), sex) for sex in (Sex.FEMALE, Sex.MALE) * 500]
    assert all(unicodedata.is_normalized("NFC", name) for name in people)
    assert all(3 <= len(name.split()) <= 5 for name in people)
    assert len(set(people)) > 800
    letters = set("".join(people).lower())
    assert letters >= set("ễạăâđêôơư")
    phones = [names.phone() for _count in range(40_000)]
    assert len(set(phones)) == len(phones)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("count", [1, 12, 60, 96, 1_234])
def test_classes_take_every_child_in(level: Level, count: int) -> None:
    rooms = class_plan(level, count)
    assert sum(size for _name, _grade, size in rooms) == count
    assert len({name for name, _grade, _size in rooms}) == len(rooms)
    assert max(size for _name, _grade, size in rooms) <= 38
