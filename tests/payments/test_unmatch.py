"""A wrong match is taken back: bills open again, paper void, money waiting, by a second person."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app import audit
from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import Credit, Method, accept_many, queries
from app.money.payments.errors import (
    MatchReasonMissing,
    NotMatched,
    OwnMatch,
)
from app.money.payments.reversals import reverse_payment
from app.money.payments.suspense import assign_suspense, take_back_match
from app.people.access.models import Role
from tests.factories.billing import DECEMBER, IN_DECEMBER, issue, small_school, still_open
from tests.factories.money import Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
WHY = "Phụ huynh ghi nhầm mã của em khác"


def transfer(child: Billed, text: str, amount: int, number: str = "1") -> int:
    """A transfer on the school's account; its payment."""
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        return accept_many(
            school.id,
            [
                Credit(
                    provider="sepay",
                    channel_id=school.channel_id,
                    external_id=number,
                    method=Method.TRANSFER,
                    amount=Vnd(amount),
                    occurred_at=NOON,
                    value_on=date(2026, 11, 24),
                    debit=f"bank:{school.account_id}",
                    place=str(school.account_id),
                    proof="account",
                    text=text,
                    bank_account_id=school.account_id,
                )
            ],
            actor=audit.MACHINE,
            now=NOON,
        )[0].payment_id


def take_back(child: Billed, payment_id: int, *, who: audit.Actor = PRINCIPAL) -> None:
    with scope.opened(scope.one_school(child.school.id)), transaction():
        take_back_match(child.school.id, payment_id, reason=WHY, actor=who, now=NOON)


def payment_of(child: Billed, payment_id: int) -> queries.PaymentRow:
    with scope.opened(scope.one_school(child.school.id)):
        return queries.get_payment(child.school.id, payment_id)


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


@pytest.mark.parametrize("too_much", [0, 70_000], ids=["exact", "with credit"])
def test_a_match_of_the_machine_goes_back_to_suspense_and_on_to_the_right_child(
    too_much: int,
) -> None:
    wrong, right = billed_children(2)
    payment_id = transfer(wrong, wrong.request.reference, wrong.due + too_much)
    assert due(wrong) == 0

    take_back(wrong, payment_id)

    payment = payment_of(wrong, payment_id)
    assert (payment.state, payment.children) == ("suspense", ())
    assert [paper.state for paper in payment.receipts] == ["void"]
    assert due(wrong) == wrong.due
    with scope.opened(scope.one_school(wrong.school.id)):
        waiting = ledger.balance(wrong.school.id, f"suspense:{wrong.school.account_id}")
        assert waiting.dong == -(wrong.due + too_much)
        assert ledger.balance(wrong.school.id, "credit", student_id=wrong.student_id).dong == 0
    assert_books_hold()

    with scope.opened(scope.one_school(wrong.school.id)), transaction():
        assign_suspense(wrong.school.id, payment_id, right.request, actor=ACCOUNTANT, now=NOON)
    assert (due(wrong), due(right)) == (wrong.due, 0)
    assert_books_hold()

    # And the second match may be wrong, too.
    take_back(right, payment_id)
    assert due(right) == right.due
    assert payment_of(right, payment_id).state == "suspense"
    assert_books_hold()


def test_credit_that_a_later_bill_used_up_comes_out_of_it_again() -> None:
    made = small_school(1)
    issue(made.id)
    student = made.children[0].student_id
    with scope.opened(scope.one_school(made.id)):
        request = billing.requests_of(made.id, student)[0]
        owed = billing.due(request).dong
    child = Billed(made.school, student, made.children[0].enrolment_id, "", request, (), owed)
    payment_id = transfer(child, request.reference, owed + 100_000)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    before = still_open(made.id, student).dong

    take_back(child, payment_id)

    # November is open again, and December lacks what the credit had paid of it.
    assert still_open(made.id, student).dong == before + owed + 100_000
    with scope.opened(scope.one_school(made.id)):
        assert ledger.balance(made.id, "credit", student_id=student).dong == 0
    assert_books_hold()


def test_a_split_over_two_children_is_taken_back_whole() -> None:
    one, other = billed_children(2)
    text = f"{one.request.reference} {other.request.reference}"
    payment_id = transfer(one, text, one.due + other.due)
    assert (due(one), due(other)) == (0, 0)
    take_back(one, payment_id)
    assert (due(one), due(other)) == (one.due, other.due)
    assert_books_hold()


def test_who_matched_may_not_take_it_back_and_a_reason_is_needed() -> None:
    child = billed_child()
    payment_id = transfer(child, "khong ma", child.due)
    with scope.opened(scope.one_school(child.school.id)):
        with transaction():
            assign_suspense(child.school.id, payment_id, child.request, actor=ACCOUNTANT, now=NOON)
        with pytest.raises(OwnMatch), transaction():
            take_back_match(child.school.id, payment_id, reason=WHY, actor=ACCOUNTANT, now=NOON)
        with pytest.raises(MatchReasonMissing), transaction():
            take_back_match(child.school.id, payment_id, reason="sai", actor=PRINCIPAL, now=NOON)
    assert due(child) == 0


def test_money_that_went_back_or_waits_has_no_match_to_take_back() -> None:
    child = billed_child()
    waiting = transfer(child, "khong ma", 50_000)
    paid = transfer(child, child.request.reference, child.due, "2")
    with scope.opened(scope.one_school(child.school.id)):
        with pytest.raises(NotMatched), transaction():
            take_back_match(child.school.id, waiting, reason=WHY, actor=PRINCIPAL, now=NOON)
        with transaction():
            reverse_payment(
                child.school.id,
                paid,
                amount=Vnd(child.due),
                kind="bank",
                external_id="r1",
                actor=ACCOUNTANT,
                now=NOON,
            )
        with pytest.raises(NotMatched), transaction():
            take_back_match(child.school.id, paid, reason=WHY, actor=PRINCIPAL, now=NOON)
    assert_books_hold()


def test_money_whose_match_was_taken_back_can_still_be_taken_back_by_the_bank() -> None:
    child = billed_child()
    payment_id = transfer(child, child.request.reference, child.due)
    take_back(child, payment_id)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        reverse_payment(
            child.school.id,
            payment_id,
            amount=Vnd(child.due),
            kind="bank",
            external_id="r2",
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert payment_of(child, payment_id).state == "returned"
    assert due(child) == child.due
    assert_books_hold()


def test_the_page_asks_why_and_leads_to_the_money_that_waits(app: Flask) -> None:
    child = billed_child()
    payment_id = transfer(child, child.request.reference, child.due)
    principal = signed_in(app, child.school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    assert f"undo={payment_id}" in principal.get("/bank").text
    page = principal.get(f"/bank?undo={payment_id}")
    assert "Vì sao sai học sinh?" in page.text
    fields = {"csrf_token": token(page), "payment": str(payment_id)}
    short = principal.post("/bank/unmatch", data={**fields, "reason": "sai"})
    assert f"undo={payment_id}" in short.headers["Location"]
    done = principal.post("/bank/unmatch", data={**fields, "reason": WHY})
    assert f"payment={payment_id}" in done.headers["Location"]
    assert due(child) == child.due
    teacher = signed_in(app, child.school.unit_id, Role.TEACHER)
    assert teacher.get(f"/bank?undo={payment_id}").status_code == 403
    assert_books_hold()
