"""Many at once: the same form, the same bill, the same payment taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from flask import Flask

from app import audit
from app.core import clock, scope
from app.core.db import rows, transaction
from app.core.errors import Refused
from app.core.model import db
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import cash, queries
from app.money.payments.reversals import reverse_payment
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT
from tests.payments.books import assert_books_hold
from tests.payments.test_transfers import notice, send

AT_ONCE = 8


def at_once(app: Flask, school_id: int, deeds: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do everything in threads of their own, each in its own transaction; results or refusals."""

    def run(deed: Callable[[], Any]) -> Any:
        with app.app_context(), scope.opened(scope.one_school(school_id)):
            try:
                with transaction():
                    return deed()
            except Refused as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(run, deeds))


def cash_for(child: Billed, key: str) -> cash.CashTaken:
    return cash.take_cash(
        child.school.id,
        requests=[child.request],
        ticked=child.lines,
        amount=Vnd(child.due),
        given=Vnd(child.due),
        payer="",
        till_id=child.school.till_id,
        key=key,
        actor=ACCOUNTANT,
        now=clock.now(),
    )


@pytest.fixture
def child(context: Flask) -> Billed:
    made = billed_child()
    db.session.rollback()
    return made


def balance(child: Billed, account: str) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        db.session.rollback()
        return ledger.balance(child.school.id, account).dong


def test_one_form_sent_many_times_at_once_is_one_payment(app: Flask, child: Billed) -> None:
    found = at_once(app, child.school.id, [lambda: cash_for(child, "one")] * 12)
    assert len({taken.payment_id for taken in found}) == 1
    assert [taken.is_repeat for taken in found].count(False) == 1
    assert balance(child, f"cash:{child.school.till_id}") == child.due
    assert_books_hold()


def test_two_desks_cannot_both_collect_one_bill(app: Flask, child: Billed) -> None:
    deeds = [partial(cash_for, child, f"desk-{n}") for n in range(6)]
    found = at_once(app, child.school.id, deeds)
    assert found.count("more_than_due") == 5
    assert balance(child, f"cash:{child.school.till_id}") == child.due
    assert_books_hold()


def test_cash_and_a_transfer_at_once_lose_nothing(app: Flask, child: Billed) -> None:
    raw = notice(child.school, child.request.reference, child.due)

    def told() -> int:
        return send(app.test_client(), child.school, raw).status_code

    with ThreadPoolExecutor(2) as threads:
        transfer = threads.submit(told)
        taken = at_once(app, child.school.id, [lambda: cash_for(child, "race")])[0]
        assert transfer.result() == 200
    in_drawer = 0 if taken == "more_than_due" else child.due
    assert balance(child, f"cash:{child.school.till_id}") == in_drawer
    assert balance(child, f"bank:{child.school.account_id}") == child.due
    assert balance(child, "credit") == -in_drawer
    assert_books_hold()


def test_twenty_returns_at_once_never_exceed_the_payment(app: Flask, child: Billed) -> None:
    payment_id = at_once(app, child.school.id, [lambda: cash_for(child, "paid")])[0].payment_id

    def give_back(n: int) -> str:
        reverse_payment(
            child.school.id,
            payment_id,
            amount=Vnd(100_000),
            kind="refund",
            external_id=f"re-{n % 15}",
            actor=audit.MACHINE,
            now=clock.now(),
        )
        return "posted"

    found = at_once(app, child.school.id, [partial(give_back, n) for n in range(20)])
    whole = child.due // 100_000
    assert found.count("more_than_paid") >= 15 - whole
    assert balance(child, f"cash:{child.school.till_id}") == child.due - whole * 100_000
    with scope.opened(scope.one_school(child.school.id)):
        assert len(rows("select id from reversals where payment_id = :id", id=payment_id)) == whole
        assert billing.due(child.request) == Vnd(whole * 100_000)
        payment = queries.get_payment(child.school.id, payment_id)
        assert payment.live_receipt is not None
        assert payment.live_receipt.amount == Vnd(child.due - whole * 100_000)
    assert_books_hold()
