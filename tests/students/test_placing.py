"""Placing many children at once: the same rules as one by one, and no half-done list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import DAY, rows, scalar, transaction
from app.core.errors import DomainError
from app.people import students
from app.people.schools.services import open_year
from app.people.students import errors, rolls
from app.people.students.invariants import INVARIANTS
from app.people.students.rolls import SchoolYear
from tests.factories.people import FIRST_DAY, enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import counted_queries

TODAY = date(2026, 11, 24)
YEAR = (date(2026, 9, 1), date(2027, 5, 31))


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


@pytest.fixture(autouse=True)
def _all_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("context")
    yield
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def place(school: MadeSchool, places: dict[int, int], day: date) -> dict[int, int]:
    with transaction():
        return students.place_many(school.id, places, from_day=day, actor=ACCOUNTANT, now=NOON)


def spans(enrolment_id: int) -> list[tuple[int, date, date | None]]:
    found = rows(
        "select class_id, starts_on, ends_on from placements where enrolment_id = :e"
        " order by starts_on",
        types={"starts_on": DAY, "ends_on": DAY},
        e=enrolment_id,
    )
    return [tuple(place) for place in found]


def year(school: MadeSchool) -> SchoolYear:
    return SchoolYear(school.year_id, "2026-2027", *YEAR)


def test_a_child_may_be_admitted_before_it_has_a_class(school: MadeSchool) -> None:
    (child,) = enrol(school, new_student(None, "Lê An"))

    assert [c.enrolment_id for c in rolls.unplaced(school.id, year(school), TODAY)] == [
        child.enrolment_id
    ]
    to = make_class(school, "2/1", 2)
    place(school, {child.enrolment_id: to}, date(2026, 9, 7))
    assert spans(child.enrolment_id) == [(to, date(2026, 9, 7), None)]
    assert rolls.unplaced(school.id, year(school), TODAY) == []
    assert [c.full_name for c in rolls.in_class(school.id, year(school), to, TODAY)] == ["Lê An"]


def test_one_child_that_cannot_be_placed_keeps_all_where_they_are(school: MadeSchool) -> None:
    one, two = make_class(school, "2/1", 2), make_class(school, "2/2", 2)
    early, late = enrol(
        school,
        new_student(one, "Lê An"),
        new_student(one, "Lê Bình", starts_on=date(2026, 10, 5)),
    )

    with pytest.raises(errors.BadDate) as refusal:
        place(school, {early.enrolment_id: two, late.enrolment_id: two}, date(2026, 9, 20))

    assert "Lê Bình" in refusal.value.message
    assert "05/10/2026" in refusal.value.message
    assert [p[0] for p in spans(early.enrolment_id)] == [one]


def test_children_and_classes_of_other_schools_are_refused(school: MadeSchool) -> None:
    mine = make_class(school)
    other = make_school()
    theirs = make_class(other)
    (child,) = enrol(school, new_student(None, "Lê An"))
    (stranger,) = enrol(other, new_student(theirs, "Lê Bình"))

    with pytest.raises(errors.ClassNotFound):
        place(school, {child.enrolment_id: theirs}, TODAY)
    with pytest.raises(errors.EnrolmentNotFound):
        place(school, {child.enrolment_id: mine, stranger.enrolment_id: mine}, TODAY)
    assert spans(child.enrolment_id) == []


@pytest.mark.parametrize("day", [date(2026, 8, 31), date(2026, 8, 1)])
def test_a_class_is_entered_in_its_own_school_year(school: MadeSchool, day: date) -> None:
    to = make_class(school)
    (child,) = enrol(school, new_student(None, "Lê An", starts_on=date(2026, 7, 1)))

    with pytest.raises(errors.BadDate):
        place(school, {child.enrolment_id: to}, day)


def test_a_child_whose_leave_is_known_changes_class_until_then(school: MadeSchool) -> None:
    one, two = make_class(school, "2/1", 2), make_class(school, "2/2", 2)
    (child,) = enrol(school, new_student(one, "Lê An"))
    with transaction():
        students.end_enrolment(
            school.id,
            child.enrolment_id,
            ends_on=date(2026, 12, 19),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )

    with pytest.raises(errors.EnrolmentEnded):
        place(school, {child.enrolment_id: two}, date(2026, 12, 19))
    place(school, {child.enrolment_id: two}, date(2026, 12, 1))

    assert spans(child.enrolment_id) == [
        (one, FIRST_DAY, date(2026, 12, 1)),
        (two, date(2026, 12, 1), date(2026, 12, 19)),
    ]


def test_a_thousand_children_are_placed_by_a_few_statements(app: Flask, school: MadeSchool) -> None:
    one, two = make_class(school, "2/1", 2), make_class(school, "2/2", 2)
    few = enrol(school, *(new_student(one, f"Lê Số {n}") for n in range(10)))
    many = enrol(school, *(new_student(one, f"Trần Số {n}") for n in range(1000)))

    with counted_queries(app) as for_few:
        place(school, {child.enrolment_id: two for child in few}, TODAY)
    started = time.monotonic()
    with counted_queries(app) as for_many:
        place(school, {child.enrolment_id: two for child in many}, TODAY)
    print(f"1,000 children placed in {time.monotonic() - started:.2f} s")

    # each list of up to 500 stays is one statement; inserts go in pages of their own
    assert len(for_many) <= 3 * len(for_few)
    assert scalar("select count(*) from placements where class_id = :to", to=two) == 1010


moves = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-10, 120), st.lists(st.integers(0, 4), min_size=1)),
    max_size=6,
)


@given(moves)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_list_is_placed_as_its_children_are_one_by_one(
    school: MadeSchool, steps: list[tuple[int, int, list[int]]]
) -> None:
    """Two sets of five children meet the same moves: one set as lists, the other singly."""
    classes = [make_class(school, grade=2) for _class in range(3)]
    starts = [FIRST_DAY + timedelta(days=15 * k) for k in range(5)]
    sets = [
        [
            child.enrolment_id
            for child in enrol(
                school,
                *(
                    new_student(None if k == 4 else classes[0], f"Lê Số {k}", starts_on=day)
                    for k, day in enumerate(starts)
                ),
            )
        ]
        for _set in range(2)
    ]
    end = FIRST_DAY + timedelta(days=100)
    for children in sets:
        with transaction():
            students.end_enrolment(
                school.id, children[1], ends_on=end, reason="moved", actor=ACCOUNTANT, now=NOON
            )
    together, singly = sets
    for to, days, who in steps:
        day = FIRST_DAY + timedelta(days=days)
        chosen = sorted(set(who))
        as_list = _refusal(partial(place, school, {together[k]: classes[to] for k in chosen}, day))
        with_each = _one_by_one(school, {singly[k]: classes[to] for k in chosen}, day)
        assert as_list == with_each
        for k in chosen:
            assert spans(together[k]) == spans(singly[k])
            _never_twice(spans(together[k]))


def _refusal(act: Callable[[], object]) -> str:
    try:
        act()
    except DomainError as refusal:
        return refusal.code
    return ""


def _one_by_one(school: MadeSchool, places: dict[int, int], day: date) -> str:
    """The first refusal, with all taken back, or nothing."""

    def act() -> None:
        with transaction():
            for enrolment_id, class_id in places.items():
                students.move_class(
                    school.id, enrolment_id, class_id, from_day=day, actor=ACCOUNTANT, now=NOON
                )

    return _refusal(act)


def _never_twice(days: list[tuple[int, date, date | None]]) -> None:
    for (_class, _start, end), (_next, start, _end) in pairwise(days):
        assert end is not None
        assert end <= start


def test_next_years_list_begins_with_everybody(school: MadeSchool) -> None:
    to = make_class(school, "2/1", 2)
    enrol(school, new_student(to, "Lê An"))
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        open_year(
            "2027-2028",
            starts_on=date(2027, 9, 1),
            ends_on=date(2028, 5, 31),
            actor=ACCOUNTANT,
            now=NOON,
        )
    next_year = rolls.years(TODAY)[-1]

    waiting = rolls.unplaced(school.id, next_year, TODAY)

    assert [(child.full_name, child.last_class) for child in waiting] == [("Lê An", "2/1")]
