"""Money at the wrong school: two accountants agree, a real transfer settles, nothing is doubled."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.journeys.between_schools import invariants, services
from app.journeys.between_schools.errors import (
    ClaimDecided,
    ClaimNotFound,
    ClaimReasonMissing,
    NoOtherSchool,
)
from app.journeys.between_schools.models import ClaimStep
from app.money import billing, ledger
from app.money.payments import movements
from app.money.payments.errors import AgreedWithSchool, AlreadyAssigned, MoreThanHeld
from app.money.payments.models import Purpose
from app.money.payments.movements import Said
from app.money.payments.suspense import assign_suspense
from app.money.reconciliation import services as statements
from app.people.access.models import Role
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.payments.test_unmatch import transfer
from tests.reconciliation.files import Move
from tests.reconciliation.test_money_out import rows_out
from tests.reconciliation.test_statements import post, take_in

pytestmark = pytest.mark.usefixtures("context")
WHY = "Không phải học sinh của trường"


def went_wrong() -> tuple[Billed, Billed, int]:
    """The holder's child, the child whose money it is, and the payment at the holder's."""
    here, there = billed_child(), billed_child()
    return here, there, transfer(here, f"hoc phi {there.request.reference}", there.due)


def offer(here: Billed, payment_id: int) -> services.Claim:
    with scope.opened(scope.one_school(here.school.id)), transaction():
        claim_id = services.offer(here.school.id, payment_id, actor=ACCOUNTANT, now=NOON)
    return claim_of(here, claim_id)


def claim_of(child: Billed, claim_id: int) -> services.Claim:
    with scope.opened(scope.one_school(child.school.id)):
        return services.get_claim(child.school.id, claim_id)


def accept(there: Billed, claim: services.Claim) -> None:
    with scope.opened(scope.one_school(there.school.id)):
        services.accept(claim, actor=PRINCIPAL, now=NOON)


def in_books(child: Billed, account: str) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return ledger.balance(child.school.id, account).dong


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def assert_all_holds() -> None:
    assert_books_hold()
    with scope.opened(scope.EVERY_SCHOOL):
        for invariant in invariants.INVARIANTS:
            assert list(invariant.find()) == [], invariant.number


def test_an_offer_moves_nothing_and_marks_no_bill_paid() -> None:
    here, there, payment = went_wrong()
    claim = offer(here, payment)
    assert (claim.to_school_id, claim.reference) == (there.school.id, there.request.reference)
    assert claim.step is ClaimStep.OFFERED
    assert due(there) == there.due
    assert in_books(here, f"interschool:{there.school.id}") == 0
    with pytest.raises(ClaimDecided):
        offer(here, payment)
    assert_all_holds()


def test_agreed_both_books_say_who_owes_whom_and_the_transfer_settles_it() -> None:
    here, there, payment = went_wrong()
    amount = there.due
    accept(there, offer(here, payment))
    assert in_books(here, f"interschool:{there.school.id}") == -amount
    assert in_books(there, f"interschool:{here.school.id}") == amount
    assert in_books(there, f"expected:{here.school.id}") == -amount
    assert due(there) == amount
    assert_all_holds()

    row = Move(-amount, f"Chuyen tra {there.request.reference}", date(2026, 11, 25), "OUT1")
    statement = take_in(here.school, [row])
    [row_id] = rows_out(here.school, statement).values()
    with scope.opened(scope.one_school(here.school.id)), transaction():
        statements.name_row(
            here.school.id,
            statement,
            row_id,
            Said(Purpose.OTHER_SCHOOL, there.school.id),
            actor=ACCOUNTANT,
            now=NOON,
        )
    services.mirror(here.school.id, there.school.id, now=NOON)
    for child, other in ((here, there), (there, here)):
        assert in_books(child, f"interschool:{other.school.id}") == 0
    assert in_books(there, f"expected:{here.school.id}") == 0

    came = Move(amount, f"Chuyen tra {there.request.reference}", date(2026, 11, 25), "IN1")
    post(there.school, take_in(there.school, [came]))
    assert due(there) == 0
    assert_all_holds()


def test_books_that_did_not_follow_are_made_to() -> None:
    here, there, payment = went_wrong()
    offer(here, payment)
    with scope.opened(scope.one_school(here.school.id)), transaction():
        movements.name_credit(
            here.school.id,
            payment,
            Said(Purpose.OTHER_SCHOOL, there.school.id),
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert services.mirror_all(now=NOON) == 1
    assert services.mirror_all(now=NOON) == 0
    assert in_books(there, f"interschool:{here.school.id}") == there.due


def test_refused_or_taken_back_with_a_reason_the_money_waits_where_it_is() -> None:
    here, there, payment = went_wrong()
    first = offer(here, payment)
    with scope.opened(scope.one_school(there.school.id)):
        with pytest.raises(ClaimReasonMissing):
            services.decide(first, ClaimStep.REFUSED, words="nein", actor=PRINCIPAL, now=NOON)
        services.decide(first, ClaimStep.REFUSED, words=WHY, actor=PRINCIPAL, now=NOON)
    assert claim_of(here, first.id).words == WHY
    with pytest.raises(ClaimDecided):
        accept(there, first)
    second = offer(here, payment)
    with scope.opened(scope.one_school(here.school.id)):
        services.decide(second, ClaimStep.WITHDRAWN, words=WHY, actor=ACCOUNTANT, now=NOON)
        with transaction():
            assign_suspense(here.school.id, payment, here.request, actor=ACCOUNTANT, now=NOON)
    assert due(here) == 0
    assert_all_holds()


def test_money_that_has_its_child_meanwhile_is_not_agreed_away() -> None:
    here, there, payment = went_wrong()
    claim = offer(here, payment)
    with scope.opened(scope.one_school(here.school.id)), transaction():
        assign_suspense(here.school.id, payment, here.request, actor=ACCOUNTANT, now=NOON)
    with pytest.raises(AlreadyAssigned):
        accept(there, claim)
    assert claim_of(there, claim.id).step is ClaimStep.OFFERED
    assert_all_holds()


def test_one_school_alone_neither_undoes_nor_overpays_what_was_agreed() -> None:
    here, there, payment = went_wrong()
    accept(there, offer(here, payment))
    with scope.opened(scope.one_school(here.school.id)):
        movement = movements.movements_of(here.school.id, "payment", [payment])[payment]
    with (
        pytest.raises(AgreedWithSchool),
        scope.opened(scope.one_school(here.school.id)),
        transaction(),
    ):
        movements.take_back_movement(
            here.school.id, movement.id, reason=WHY, actor=ACCOUNTANT, now=NOON
        )
    with (
        pytest.raises(MoreThanHeld),
        scope.opened(scope.one_school(here.school.id)),
        transaction(),
    ):
        movements.name_debit(
            here.school.id,
            1,
            here.school.account_id,
            Vnd(there.due + 1),
            Said(Purpose.OTHER_SCHOOL, there.school.id),
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert_all_holds()


def test_only_money_that_names_one_other_school_is_offered() -> None:
    here, there = billed_child(), billed_child()
    for text, number in (("khong co ma", "1"), (f"HP{'X' * 7}", "2")):
        with pytest.raises(NoOtherSchool):
            offer(here, transfer(here, text, 50_000, number))
    with pytest.raises(ClaimNotFound):
        claim_of(there, 1)


def test_both_accountants_work_on_their_own_pages(app: Flask) -> None:
    here, there, payment = went_wrong()
    stranger = billed_child()
    holder = signed_in(app, here.school.unit_id, Role.ACCOUNTANT)
    owner = signed_in(app, there.school.unit_id, Role.ACCOUNTANT)
    other = signed_in(app, stranger.school.unit_id, Role.ACCOUNTANT)
    page = holder.get(f"/bank?payment={payment}")
    assert "Báo cho trường đó" in page.text
    answer = holder.post(f"/bank/credits/{payment}/offer", data={"csrf_token": token(page)})
    assert answer.status_code == 303
    seen = owner.get("/bank/between-schools")
    address = seen.text.split('action="/bank/between-schools/')[1].split('"')[0]
    form = other.get("/bank/between-schools")
    denied = other.post(
        f"/bank/between-schools/{address}", data={"csrf_token": token(form), "deed": "accept"}
    )
    assert denied.status_code == 404
    short = owner.post(
        f"/bank/between-schools/{address}",
        data={"csrf_token": token(seen), "deed": "refuse", "reason": "x"},
    )
    assert short.status_code == 422
    done = owner.post(
        f"/bank/between-schools/{address}",
        data={"csrf_token": token(seen), "deed": "accept"},
        follow_redirects=True,
    )
    assert "trường kia phải chuyển" in done.text
    assert "trường phải chuyển" in holder.get("/bank/between-schools").text
    assert_all_holds()
