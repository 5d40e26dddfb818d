"""A family says it has transferred: the first of the four states, and never a money fact."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.core import clock, scope
from app.core.db import scalar
from app.money import billing, ledger
from app.money.payments import declarations
from app.people.access.models import Role
from tests.closing.test_days import arrive
from tests.factories.money import Billed, billed_child
from tests.factories.staff import signed_in, token, visitor
from tests.payments.books import assert_books_hold
from tests.payments.test_unmatch import transfer

pytestmark = pytest.mark.usefixtures("context")
WORDS = "Gia đình báo đã chuyển"


def say(app: Flask, child: Billed) -> str:
    family = visitor(app)
    link = f"/pay/{child.request.token}"
    page = family.get(link)
    answer = family.post(
        f"{link}/transferred", data={"csrf_token": token(page)}, follow_redirects=True
    )
    assert answer.status_code == 200
    return str(answer.text)


def count(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return int(
            scalar(
                "select count(*) from declarations where school_id = :school_id",
                school_id=child.school.id,
            )
        )


def living(child: Billed, days: int = 0) -> bool:
    with scope.opened(scope.one_school(child.school.id)):
        later = clock.now() + timedelta(days=days)
        return declarations.declared(child.request, later) is not None


def test_the_word_shows_on_the_page_and_to_the_accountant_and_moves_no_money(app: Flask) -> None:
    child = billed_child()
    page = say(app, child)
    assert WORDS in page
    assert "Tôi đã chuyển khoản" not in page
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    bank = accountant.get("/bank").text
    assert child.request.reference in bank
    with scope.opened(scope.one_school(child.school.id)):
        assert billing.due(child.request).dong == child.due
        assert ledger.balance(child.school.id, f"bank:{child.school.account_id}").dong == 0
    assert_books_hold()


def test_said_twice_it_is_one_word_and_it_ends_with_the_money_or_after_three_days(
    app: Flask,
) -> None:
    child = billed_child()
    say(app, child)
    say(app, child)
    assert count(child) == 1
    assert living(child)
    assert not living(child, days=4)
    arrive(child, child.due, "money", at=clock.now())
    assert not living(child)
    with scope.opened(scope.one_school(child.school.id)):
        assert declarations.waiting_declarations(child.school.id, clock.now()) == []
    say(app, child)
    assert count(child) == 1


def test_nothing_can_be_said_of_a_bill_that_is_paid(app: Flask) -> None:
    child = billed_child()
    transfer(child, child.request.reference, child.due)
    page = say(app, child)
    assert WORDS not in page
    assert count(child) == 0
    assert visitor(app).post("/pay/unknown/transferred").status_code in (400, 404)
