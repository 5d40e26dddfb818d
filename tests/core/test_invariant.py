"""An invariant is asked of all schools or of one, and says the same of that one."""

from __future__ import annotations

from flask import Flask

from app.core import scope
from app.core.invariant import query
from tests.factories.money import billed_child
from tests.factories.schools import make_school
from tests.payments.books import ROOMS


def test_asked_of_one_school_it_finds_that_schools_breaches_only(context: Flask) -> None:
    here, there = make_school(), make_school()
    no_drawers = query("x", "no school has a drawer", "select id, school_id from tills")
    with scope.opened(scope.EVERY_SCHOOL):
        everywhere = set(no_drawers.find())
    with scope.opened(scope.one_school(here.id)):
        assert list(no_drawers.find_in(here.id)) == [f"id={here.till_id}, school_id={here.id}"]
        assert set(no_drawers.find_in(here.id)) < everywhere
    with scope.opened(scope.one_school(there.id)):
        assert list(no_drawers.find_in(there.id)) == [f"id={there.till_id}, school_id={there.id}"]


def test_a_view_is_narrowed_as_its_tables_are(context: Flask) -> None:
    here, there = billed_child().school, billed_child().school
    balances = query("x", "nothing is owed", "select school_id, account from v_account_balance")
    with scope.opened(scope.one_school(here.id)):
        found = balances.find_in(here.id)
    assert found
    assert not any(f"school_id={there.id}" in one for one in found)


def test_every_invariant_of_money_can_be_asked_of_one_school(context: Flask) -> None:
    school = billed_child().school
    with scope.opened(scope.one_school(school.id)):
        breaches = {
            invariant.number: list(invariant.find_in(school.id))
            for room in ROOMS
            for invariant in room.INVARIANTS
            if invariant.sql
        }
    assert {number: found for number, found in breaches.items() if found} == {}
