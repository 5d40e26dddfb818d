"""Money on the account that no family paid: notes brought to the bank, pay-outs, interest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar, transaction
from app.core.money import Vnd
from app.money import ledger
from app.money.payments import movements, queries
from app.money.payments.errors import (
    AlreadyAssigned,
    BadDeposit,
    DepositDiffers,
    MoreThanHeld,
    MovementNotFound,
    NotOnAccount,
    ReasonMissing,
)
from app.money.payments.models import Purpose
from app.money.payments.movements import Said
from app.money.payments.suspense import assign_suspense
from app.people.access.models import Role
from app.people.schools import Provider
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, NOON, make_school
from tests.factories.staff import signed_in, token, words
from tests.payments.books import assert_books_hold
from tests.payments.test_gateways import open_way, send_momo
from tests.payments.test_till import in_books, paid_in_cash
from tests.payments.test_unmatch import transfer

pytestmark = pytest.mark.usefixtures("context")
WHY = "Ngân hàng ghi nhầm nội dung"


def deposit(child: Billed, amount: int) -> int:
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        return movements.deposit_cash(
            school.id,
            school.till_id,
            school.account_id,
            Vnd(amount),
            slip="0123",
            actor=ACCOUNTANT,
            now=NOON,
        )


def name(child: Billed, payment_id: int, said: Said) -> int:
    with scope.opened(scope.one_school(child.school.id)), transaction():
        return movements.name_credit(child.school.id, payment_id, said, actor=ACCOUNTANT, now=NOON)


def likely(child: Billed, payment_id: int) -> Said | None:
    with scope.opened(scope.one_school(child.school.id)):
        payment = queries.get_payment(child.school.id, payment_id)
        return movements.likely_of(child.school.id, [payment]).get(payment_id)


def state(child: Billed, payment_id: int) -> tuple[str, str]:
    with scope.opened(scope.one_school(child.school.id)):
        told = scalar("select state from v_payment where payment_id = :id", id=payment_id)
        return queries.get_payment(child.school.id, payment_id).state, str(told)


def receipts_of(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return int(scalar("select count(*) from receipts"))


def test_notes_brought_to_the_bank_are_on_their_way_until_the_account_shows_them() -> None:
    child = paid_in_cash(750_000)
    slip = deposit(child, 700_000)
    assert in_books(child, f"cash:{child.school.till_id}") == 50_000
    assert in_books(child, f"deposit:{child.school.account_id}") == 700_000
    seen = transfer(child, "NOP TIEN MAT", 700_000)
    guess = likely(child, seen)
    assert guess == Said(Purpose.CASH_BANKED, slip)
    name(child, seen, guess)
    assert in_books(child, f"deposit:{child.school.account_id}") == 0
    assert in_books(child, f"bank:{child.school.account_id}") == 700_000
    assert in_books(child, f"suspense:{child.school.account_id}") == 0
    assert state(child, seen) == ("moved", "matched")
    assert_books_hold()


def test_cash_that_was_banked_stays_cash_and_gives_no_second_receipt() -> None:
    child = paid_in_cash(750_000)
    seen = transfer(child, "NOP TIEN MAT", 750_000)
    before = receipts_of(child)
    name(child, seen, Said(Purpose.CASH_BANKED))
    assert receipts_of(child) == before
    assert in_books(child, f"cash:{child.school.till_id}") == 0
    assert_books_hold()


def test_a_sum_the_bank_counted_otherwise_is_refused_with_both_figures() -> None:
    child = paid_in_cash(750_000)
    slip = deposit(child, 700_000)
    seen = transfer(child, "NOP TIEN MAT", 690_000)
    with pytest.raises(DepositDiffers, match=r"700[.,]000.*690[.,]000"):
        name(child, seen, Said(Purpose.CASH_BANKED, slip))
    assert state(child, seen)[0] == "suspense"
    assert_books_hold()


def test_notes_can_come_back_to_the_drawer_while_no_account_shows_them() -> None:
    child = paid_in_cash(750_000)
    slip = deposit(child, 700_000)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        movements.take_back_deposit(child.school.id, slip, actor=ACCOUNTANT, now=NOON)
    assert in_books(child, f"cash:{child.school.till_id}") == 750_000
    seen = transfer(child, "NOP TIEN MAT", 700_000)
    assert likely(child, seen) is None
    with pytest.raises(BadDeposit):
        name(child, seen, Said(Purpose.CASH_BANKED, slip))
    assert_books_hold()


def test_no_more_goes_to_the_bank_than_the_books_say_is_in_the_drawer() -> None:
    child = paid_in_cash(750_000)
    with pytest.raises(MoreThanHeld):
        deposit(child, 750_001)
    with pytest.raises(BadDeposit):
        deposit(child, 0)
    assert_books_hold()


def at_provider(child: Billed, amount: int, days: int = 0) -> int:
    """Money a wallet confirmed; its channel."""
    channel = child.school.channel_id
    with scope.opened(scope.one_school(child.school.id)), transaction():
        pair = ledger.Pair(f"clearing:{channel}", "outside", Vnd(amount))
        moment = NOON - timedelta(days=days)
        ledger.post(
            child.school.id,
            ledger.Event("test_confirmed", "test", days, [pair]),
            booked_on=moment.date(),
            now=moment,
        )
    return channel


def test_a_pay_out_closes_what_the_provider_held_and_its_fee_is_booked() -> None:
    child = billed_child()
    channel = at_provider(child, 500_000, days=3)
    at_provider(child, 300_000, days=1)
    with scope.opened(scope.one_school(child.school.id)):
        held = movements.clearings(child.school.id)
    assert [(one.balance.dong, one.since) for one in held] == [
        (800_000, (NOON - timedelta(days=3)).date())
    ]
    first = transfer(child, "SEPAY CHUYEN TIEN", 495_000)
    guess = likely(child, first)
    assert guess == Said(Purpose.SETTLEMENT, channel, fee=Vnd(5_000))
    name(child, first, guess)
    assert in_books(child, "bank_fee") == 5_000
    with scope.opened(scope.one_school(child.school.id)):
        left = movements.clearings(child.school.id)
    assert [(one.balance.dong, one.since) for one in left] == [
        (300_000, (NOON - timedelta(days=1)).date())
    ]
    second = transfer(child, "chuyen khoan", 300_000, "2")
    assert likely(child, second) == Said(Purpose.SETTLEMENT, channel)
    name(child, second, Said(Purpose.SETTLEMENT, channel))
    assert in_books(child, f"clearing:{channel}") == 0
    assert_books_hold()


def test_a_provider_cannot_pay_out_more_than_it_held() -> None:
    child = billed_child()
    channel = at_provider(child, 100_000)
    seen = transfer(child, "SEPAY", 100_001)
    with pytest.raises(MoreThanHeld):
        name(child, seen, Said(Purpose.SETTLEMENT, channel))
    assert_books_hold()


def test_money_of_no_family_needs_a_reason_and_is_taken_back_with_one() -> None:
    child = billed_child()
    seen = transfer(child, "TRA TIEN DIEN", 60_000)
    with pytest.raises(ReasonMissing):
        name(child, seen, Said(Purpose.OUTSIDE, reason="nhầm"))
    movement = name(child, seen, Said(Purpose.OUTSIDE, reason="Tiền điện hoàn lại của trường"))
    assert in_books(child, "outside") == -60_000
    with scope.opened(scope.one_school(child.school.id)), transaction():
        movements.take_back_movement(
            child.school.id, movement, reason=WHY, actor=ACCOUNTANT, now=NOON
        )
    assert state(child, seen) == ("suspense", "suspense")
    assert in_books(child, "outside") == 0
    with scope.opened(scope.one_school(child.school.id)), pytest.raises(MovementNotFound):
        movements.get_movement(child.school.id, movement)
    assert_books_hold()
    name(child, seen, Said(Purpose.INTEREST))
    assert in_books(child, "interest") == -60_000
    assert_books_hold()


def test_money_that_has_its_pupil_or_is_named_already_is_left_alone() -> None:
    child = billed_child()
    given = transfer(child, child.request.reference, 100_000)
    with pytest.raises(AlreadyAssigned):
        name(child, given, Said(Purpose.INTEREST))
    named = transfer(child, "LAI TIEN GUI", 100_000, "2")
    guess = likely(child, named)
    assert guess == Said(Purpose.INTEREST)
    name(child, named, guess)
    with pytest.raises(AlreadyAssigned):
        name(child, named, Said(Purpose.INTEREST))
    with (
        pytest.raises(AlreadyAssigned),
        scope.opened(scope.one_school(child.school.id)),
        transaction(),
    ):
        assign_suspense(child.school.id, named, child.request, actor=ACCOUNTANT, now=NOON)
    assert_books_hold()


def test_the_accountant_names_money_on_the_bank_page_and_takes_it_back(app: Flask) -> None:
    child = paid_in_cash(750_000)
    client = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = client.get("/cash-desk/deposits")
    assert "750000" in page.text or "750.000" in page.text
    kept = client.post(
        "/cash-desk/deposits",
        data={
            "csrf_token": token(page),
            "amount": "750.000",
            "account": child.school.account_id,
            "slip": "GNT-77",
        },
        follow_redirects=True,
    )
    assert "GNT-77" in words(kept)
    seen = transfer(child, "NOP TIEN MAT", 750_000)
    bank = client.get(f"/bank?payment={seen}")
    assert f"/bank/credits/{seen}/purpose" in bank.text
    page = client.get(f"/bank/credits/{seen}/purpose")
    assert "GNT-77" in page.text and "checked" in page.text
    refused = client.post(
        f"/bank/credits/{seen}/purpose",
        data={"csrf_token": token(page), "what": "outside:", "reason": "x"},
    )
    assert refused.status_code == 422
    slip = page.text.split('value="cash_banked:')[1].split('"')[0]
    done = client.post(
        f"/bank/credits/{seen}/purpose",
        data={"csrf_token": token(page), "what": f"cash_banked:{slip}"},
        follow_redirects=True,
    )
    assert "Nộp tiền mặt vào ngân hàng" in done.text
    back = done.text.split("/bank/movements/")[1].split("/")[0]
    page = client.get(f"/bank/movements/{back}/take-back")
    undone = client.post(
        f"/bank/movements/{back}/take-back",
        data={"csrf_token": token(page), "reason": WHY},
        follow_redirects=True,
    )
    assert undone.status_code == 200
    assert in_books(child, f"deposit:{child.school.account_id}") == 750_000
    assert_books_hold()


def test_what_only_a_provider_confirmed_is_not_on_an_account(app: Flask) -> None:
    child = billed_child()
    way = open_way(child.school, Provider.MOMO)
    send_momo(app.test_client(), way, "unknown-1", 5_000)
    with scope.opened(scope.one_school(child.school.id)):
        [waiting] = queries.suspense_items(child.school.id)
    with pytest.raises(NotOnAccount):
        name(child, waiting.payment.id, Said(Purpose.INTEREST))
    assert state(child, waiting.payment.id) == ("suspense", "suspense")
    assert_books_hold()


def test_another_schools_money_is_not_there_to_be_named(app: Flask) -> None:
    child, other = billed_child(), make_school()
    seen = transfer(child, "x", 5_000)
    client = signed_in(app, other.unit_id, Role.ACCOUNTANT)
    assert client.get(f"/bank/credits/{seen}/purpose").status_code == 404
