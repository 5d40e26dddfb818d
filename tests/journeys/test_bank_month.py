"""A month of payments as families really make them: every đồng explained, none given wrongly."""

from __future__ import annotations

import pytest

from app.core import scope
from app.money import ledger
from tests.factories.money import billed_children
from tests.payments.books import assert_books_hold
from tests.peers.bank_month import AFTERWARDS, imagine, judge, open_bills, run

pytestmark = pytest.mark.usefixtures("context")


def test_after_notices_and_statements_every_dong_is_explained() -> None:
    schools = [billed_children(60)[0].school for _n in range(3)]
    month = imagine([bill for school in schools for bill in open_bills(school)], seed=2611)

    run(month, now=AFTERWARDS)
    outcome = judge(month)

    assert outcome.transfers > 150
    assert outcome.wrong == 0
    assert outcome.rate >= 0.97
    # What nobody could read waits for a person, and nothing else does.
    assert outcome.waiting == outcome.transfers - outcome.automatic
    for school in schools:
        with scope.opened(scope.one_school(school.id)):
            held = ledger.balance(school.id, f"bank:{school.account_id}").dong
        moved = sum(one.move.amount for one in month.transfers[school.id])
        assert held == moved
    assert_books_hold()
