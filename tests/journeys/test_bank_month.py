"""A month of payments as families really make them: every đồng explained, none given wrongly."""

from __future__ import annotations

import pytest
from flask import Flask

from app.core import clock, scope
from app.money import ledger
from app.money.closing import queries as closing
from app.money.payments import gaps
from tests.factories.money import billed_children
from tests.payments.books import assert_books_hold
from tests.payments.test_gaps import give_key
from tests.peers import list_peer
from tests.peers.bank_month import AFTERWARDS, imagine, judge, list_of, open_bills, run
from tests.peers.list_peer import Asked

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("is_asked", [False, True], ids=["statement", "asked, then statement"])
def test_after_notices_asking_and_statements_every_dong_is_explained(
    context: Flask, monkeypatch: pytest.MonkeyPatch, is_asked: bool
) -> None:
    schools = [billed_children(60)[0].school for _n in range(3)]
    month = imagine([bill for school in schools for bill in open_bills(school)], seed=2611)

    if is_asked:
        with list_peer.standing(key="k", secret="s", access="a") as address:
            monkeypatch.setattr(context.config["SETTINGS"], "sepay_api_base", address)
            found = [0]

            def ask(school_id: int) -> None:
                Asked.sepay = list_of(month, school_id)
                with scope.opened(scope.one_school(school_id)):
                    found[0] += gaps.fill_gaps(school_id, now=AFTERWARDS).found

            for school in schools:
                give_key(school, school.channel_id, "k")
            run(month, now=AFTERWARDS, ask=ask)
        # As many as no notice had told by then.
        silent = [one for one in month.all() if one.told in ("never", "late")]
        assert found[0] == sum(1 for one in silent if one.move.amount > 0)
    else:
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
        # Nothing is left to explain but money whose pupil nobody could read.
        with scope.opened(scope.one_school(school.id)):
            figures = closing.day_as_it_stands(school.id, clock.local_day(AFTERWARDS))
        assert {item.kind for item in figures.items} <= {"suspense"}
    assert_books_hold()
