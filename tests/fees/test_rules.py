"""The rules of charging in SQL against a model that a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import fees
from app.money.billing import bill_by_rules
from app.money.fees import Choice, Grant, NewPrice
from app.people import students
from tests.factories.fees import LONG_AGO, approved_schedule, make_item, make_policy
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

MONTH = Period(2026, 11)
YEAR_BEGINS = date(2026, 9, 1)

#: what a child is charged of an item: quantity, price, percent, reduction
Line = tuple[int, int, int, int]


@dataclass(frozen=True)
class Policy:
    """A policy for the item; `granted` is None where it is not granted to the child."""

    percent: int
    for_all: bool
    valid_from: date
    valid_to: date | None
    granted: tuple[Period, Period | None] | None


@dataclass(frozen=True)
class Item:
    """An item with its prices by audience: all, grade, first class, second class."""

    is_compulsory: bool
    prices: dict[str, tuple[int, int]]
    policies: tuple[Policy, ...]
    chosen: tuple[Period, Period | None] | None


@dataclass(frozen=True)
class Child:
    """Days at the school, and the day it moved from the first class to the second."""

    starts_on: date
    moves_on: date | None
    ends_on: date | None


def is_in(days: tuple[date, date | None]) -> bool:
    """Whether half-open days touch the month."""
    start, end = days
    return start <= MONTH.last_day and (end is None or end > MONTH.first_day)


def spans(months: tuple[Period, Period | None] | None) -> bool:
    """Whether months, both ends included, hold the month."""
    return months is not None and months[0] <= MONTH and (months[1] is None or months[1] >= MONTH)


def class_in_month(child: Child) -> str | None:
    """The class that prices the month: the last one the child sat in."""
    placed = max(child.starts_on, YEAR_BEGINS)
    stays = [("first", placed, child.moves_on or child.ends_on)]
    if child.moves_on is not None:
        stays.append(("second", child.moves_on, child.ends_on))
    return next((name for name, start, end in reversed(stays) if is_in((start, end))), None)


def expected(child: Child, item: Item) -> Line | None:
    """The rules in Python."""
    seat = class_in_month(child)
    if seat is None or not is_in((child.starts_on, child.ends_on)):
        return None
    if not item.is_compulsory and not spans(item.chosen):
        return None
    exact = {"first": ("first", "grade", "all"), "second": ("second", "all")}[seat]
    price = next((item.prices[way] for way in exact if way in item.prices), None)
    if price is None:
        return None
    percent = max(
        (
            policy.percent
            for policy in item.policies
            if is_in((policy.valid_from, policy.valid_to))
            and (policy.for_all or spans(policy.granted))
        ),
        default=0,
    )
    quantity, dong = price
    return quantity, dong, percent, (quantity * dong * percent + 50) // 100


periods = st.integers(0, 9).map(lambda n: Period(2026 + (n + 8) // 12, (n + 8) % 12 + 1))
days = st.integers(0, 150).map(lambda n: date(2026, 8, 20) + timedelta(days=n))
edges = st.sampled_from(
    [MONTH.first_day + timedelta(days=n) for n in (-1, 0, 1, 28, 29, 30)]
    + [MONTH.last_day - timedelta(days=1)]
)
some_day = days | edges


@st.composite
def month_spans(draw: st.DrawFn) -> tuple[Period, Period | None]:
    first, last = draw(periods), draw(st.none() | periods)
    return (min(first, last), max(first, last)) if last else (first, None)


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[date, date | None]:
    start, end = draw(st.just(LONG_AGO) | some_day), draw(st.none() | some_day)
    return start, end if end is None or end > start else start + timedelta(days=1)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    valid = draw(day_spans())
    percent = draw(st.sampled_from([1, 33, 50, 70, 100]) | st.integers(1, 100))
    return Policy(percent, draw(st.booleans()), *valid, draw(st.none() | month_spans()))


amounts = st.tuples(
    st.integers(1, 31), st.sampled_from([0, 1, 49, 50, 99, 33_333, 170_775]) | st.integers(0, 10**6)
)
audiences = st.sampled_from(["all", "grade", "first", "second"])
items = st.builds(
    Item,
    is_compulsory=st.booleans(),
    prices=st.dictionaries(audiences, amounts, min_size=1, max_size=4),
    policies=st.lists(policies(), max_size=3).map(tuple),
    chosen=st.none() | month_spans(),
)


@st.composite
def children(draw: st.DrawFn) -> Child:
    start = draw(some_day)
    placed = max(start, YEAR_BEGINS)
    move = draw(st.none() | some_day)
    move = move if move is not None and move > placed else None
    end = draw(st.none() | some_day)
    end = end if end is not None and end > (move or placed) else None
    return Child(start, move, end)


@pytest.fixture
def everywhere(context: Flask) -> Iterator[None]:
    with scope.opened(scope.EVERY_SCHOOL):
        yield


def enrol_as(school: MadeSchool, child: Child, first: int, second: int) -> int:
    """The child with its move and its leaving; the enrolment."""
    made = enrol(school, new_student(first, starts_on=child.starts_on))[0].enrolment_id
    with scope.opened(scope.one_school(school.id)), transaction():
        if child.moves_on is not None:
            students.move_class(
                school.id, made, second, from_day=child.moves_on, actor=ACCOUNTANT, now=NOON
            )
        if child.ends_on is not None:
            students.end_enrolment(
                school.id, made, ends_on=child.ends_on, reason="moved", actor=ACCOUNTANT, now=NOON
            )
    return made


def write(school: MadeSchool, item: Item, enrolment_id: int) -> int:
    """The item with its policies, grants and choice; its id."""
    item_id = make_item(school, is_compulsory=item.is_compulsory)
    grants = []
    for policy in item.policies:
        made = make_policy(
            (item_id, policy.percent),
            applies_to_all=policy.for_all,
            valid_from=policy.valid_from,
            valid_to=policy.valid_to,
        )
        if policy.granted is not None:
            grants.append(Grant(enrolment_id, made, *policy.granted))
    with scope.opened(scope.one_school(school.id)), transaction():
        fees.grant_exemptions(school.id, grants, actor=ACCOUNTANT, now=NOON)
        if item.chosen is not None and not item.is_compulsory:
            first, last = item.chosen
            choice = Choice(enrolment_id, item_id, first, YEAR_BEGINS, last)
            fees.record_choices(school.id, [choice], actor=ACCOUNTANT, now=NOON)
    return item_id


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(children(), st.lists(items, min_size=1, max_size=3))
def test_the_largest_exemption_wins_half_up_whatever_the_prices_and_dates(
    everywhere: None, child: Child, wanted: list[Item]
) -> None:
    school = make_school()
    first, second = make_class(school, "3/1", 3), make_class(school, "4/1", 4)
    enrolment_id = enrol_as(school, child, first, second)
    ids = [write(school, item, enrolment_id) for item in wanted]
    audience = {"all": "all", "grade": "grade:3", "first": f"class:{first}"}
    audience["second"] = f"class:{second}"
    approved_schedule(
        school,
        [
            NewPrice(item_id, audience[whom], MONTH, quantity, Vnd(dong))
            for item_id, item in zip(ids, wanted, strict=True)
            for whom, (quantity, dong) in item.prices.items()
        ],
    )

    with scope.opened(scope.one_school(school.id)):
        bill = bill_by_rules(school.id, enrolment_id, MONTH)

    billed = {r.item_id: (r.quantity, int(r.price), r.percent, int(r.reduction)) for r in bill}
    model = {
        item_id: line
        for item_id, item in zip(ids, wanted, strict=True)
        if (line := expected(child, item)) is not None
    }
    assert billed == model


def test_a_price_of_a_draft_or_of_another_month_is_not_charged(everywhere: None) -> None:
    school = make_school()
    class_id = make_class(school)
    child = enrol(school, new_student(class_id))[0].enrolment_id
    item = make_item(school, is_compulsory=True)
    approved_schedule(school, [NewPrice(item, "all", MONTH.next(), 1, Vnd(1_000))])

    with scope.opened(scope.one_school(school.id)):
        assert bill_by_rules(school.id, child, MONTH) == []


def test_two_policies_of_one_rate_give_it_once(everywhere: None) -> None:
    school = make_school()
    child = enrol(school, new_student(make_class(school)))[0].enrolment_id
    item = make_item(school, is_compulsory=True)
    grants = [Grant(child, make_policy((item, 50)), MONTH) for _policy in range(2)]
    approved_schedule(school, [NewPrice(item, "all", MONTH, 1, Vnd(333))])
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            fees.grant_exemptions(school.id, grants, actor=ACCOUNTANT, now=NOON)
        bill = bill_by_rules(school.id, child, MONTH)

    assert [(line.percent, int(line.reduction)) for line in bill] == [(50, 167)]
