"""Whatever the price list, the choices and the reliefs: bills equal a plain reckoning."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import transaction
from app.money import fees
from app.money.billing.errors import NothingToBill
from app.money.fees import Category, Grant
from tests.factories.billing import EARLY, NOVEMBER, amounts, breaches, issue
from tests.factories.fees import approved_schedule, choose, make_item, make_policy, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import PRINCIPAL, make_school

CLASSES = (("3/1", 3), ("3/2", 3), ("4/1", 4))
AUDIENCES = ("all", "grade:3", "class:0", "class:2")


@dataclass(frozen=True)
class Item:
    """One item: who must take it, and its (quantity, price) by audience."""

    is_compulsory: bool
    prices: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Child:
    """A child: its class, what it chose, and its reliefs before and after the first run."""

    place: int
    chosen: frozenset[int]
    before: frozenset[int]
    after: frozenset[int]


@dataclass(frozen=True)
class Policy:
    """Percent by item."""

    applies_to_all: bool
    rates: dict[int, int]


@dataclass(frozen=True)
class Case:
    """A whole school."""

    items: list[Item]
    policies: list[Policy]
    children: list[Child]


def expected(case: Case, child: Child, held: frozenset[int]) -> dict[int, int]:
    """The plain reckoning: item → amount."""
    bill = {}
    for number, item in enumerate(case.items):
        if not item.is_compulsory and number not in child.chosen:
            continue
        grade = CLASSES[child.place][1]
        row = (
            item.prices.get(f"class:{child.place}")
            or item.prices.get(f"grade:{grade}")
            or item.prices.get("all")
        )
        if row is None:
            continue
        gross = row[0] * row[1]
        percent = max(
            (
                policy.rates.get(number, 0)
                for place, policy in enumerate(case.policies)
                if policy.applies_to_all or place in held
            ),
            default=0,
        )
        bill[number] = gross - (gross * percent + 50) // 100
    return bill


@st.composite
def cases(draw: st.DrawFn) -> Case:
    row = st.tuples(st.integers(1, 23), st.integers(0, 400_001))
    items = draw(
        st.lists(
            st.builds(
                Item,
                st.booleans(),
                st.dictionaries(st.sampled_from(AUDIENCES), row, min_size=1),
            ),
            min_size=1,
            max_size=4,
        )
    )
    numbers = st.integers(0, len(items) - 1)
    policies = draw(
        st.lists(
            st.builds(
                Policy,
                st.booleans(),
                st.dictionaries(numbers, st.integers(1, 100), min_size=1),
            ),
            max_size=3,
        )
    )
    held = st.frozensets(st.integers(0, max(len(policies) - 1, 0)) if policies else st.nothing())
    children = draw(
        st.lists(
            st.builds(Child, st.integers(0, 2), st.frozensets(numbers), held, held),
            min_size=1,
            max_size=5,
        )
    )
    return Case(items, policies, children)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
def test_bills_equal_the_plain_reckoning(context: Flask, case: Case) -> None:
    school = make_school()
    class_ids = [make_class(school, name, grade) for name, grade in CLASSES]
    items = [
        make_item(
            school,
            category=Category.COLLECT_FOR if number % 2 else Category.SERVICE,
            is_compulsory=item.is_compulsory,
        )
        for number, item in enumerate(case.items)
    ]
    policies = [
        make_policy(
            *((items[number], percent) for number, percent in policy.rates.items()),
            applies_to_all=policy.applies_to_all,
        )
        for policy in case.policies
    ]

    def audience(name: str) -> str:
        kind, _, number = name.partition(":")
        return f"class:{class_ids[int(number)]}" if kind == "class" else name

    approved_schedule(
        school,
        [
            price(items[number], dong, audience=audience(name), quantity=quantity)
            for number, item in enumerate(case.items)
            for name, (quantity, dong) in item.prices.items()
        ],
    )
    enrolled = enrol(school, *(new_student(class_ids[child.place]) for child in case.children))
    for number, item in enumerate(case.items):
        taking = [
            stay.enrolment_id
            for stay, child in zip(enrolled, case.children, strict=True)
            if number in child.chosen
        ]
        if taking and not item.is_compulsory:
            choose(school, items[number], *taking)

    def give(held: list[frozenset[int]]) -> None:
        grants = [
            Grant(stay.enrolment_id, policies[place], NOVEMBER)
            for stay, places in zip(enrolled, held, strict=True)
            for place in sorted(places)
        ]
        if grants:
            with scope.opened(scope.one_school(school.id)), transaction():
                fees.grant_exemptions(school.id, grants, actor=PRINCIPAL, now=EARLY)

    def check(held: list[frozenset[int]]) -> None:
        for stay, child, places in zip(enrolled, case.children, held, strict=True):
            wanted = {
                (items[number], NOVEMBER.number): amount
                for number, amount in expected(case, child, places).items()
            }
            assert amounts(school.id, stay.student_id) == wanted

    before = [child.before for child in case.children]
    give(before)
    if any(expected(case, child, child.before) for child in case.children):
        issue(school.id)
    else:
        with pytest.raises(NothingToBill):
            issue(school.id)
    check(before)

    give([child.after - child.before for child in case.children])
    after = [child.after | child.before for child in case.children]
    changes = any(
        expected(case, child, child.before) != expected(case, child, places)
        for child, places in zip(case.children, after, strict=True)
    )
    if changes:
        issue(school.id)
    with pytest.raises(NothingToBill):
        issue(school.id)
    check(after)
    assert breaches() == {}
