"""The books: what is posted stays, balances, and can be taken back once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core import scope
from app.core.db import execute, is_sqlite, rows, scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.core.scope import NoScope, OutOfScope
from app.money import ledger
from app.money.ledger.invariants import INVARIANTS
from tests.factories.schools import NOON, MadeSchool, make_school

TODAY = date(2026, 11, 24)
_causes = iter(range(1, 1_000_000))


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


def post(school: MadeSchool, *pairs: ledger.Pair) -> int:
    with transaction():
        return ledger.post(
            school.id,
            ledger.Event("payment_received", "payment", next(_causes), pairs),
            booked_on=TODAY,
            now=NOON,
        )


def assert_all_holds() -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def test_a_pair_moves_money_from_one_account_to_another(school: MadeSchool) -> None:
    post(school, ledger.Pair("bank:1", "receivable", Vnd(500_000), student_id=7))

    assert ledger.balance(school.id, "bank:1") == Vnd(500_000)
    assert ledger.balance(school.id, "receivable", student_id=7) == Vnd(-500_000)
    assert ledger.trial_balance(school.id) == Vnd(0)


def test_each_row_is_seen_from_outside_as_two_signed_rows(school: MadeSchool) -> None:
    event = post(school, ledger.Pair("cash:1", "suspense:1", Vnd(20_000)))

    seen = rows("select account, amount from v_entry where event_id = :e order by amount", e=event)

    assert [tuple(row) for row in seen] == [("suspense:1", -20_000), ("cash:1", 20_000)]


def test_an_event_is_taken_back_once_and_no_more(school: MadeSchool) -> None:
    event = post(
        school,
        ledger.Pair("bank:1", "receivable", Vnd(300), student_id=1),
        ledger.Pair("bank:1", "credit", Vnd(50), student_id=1),
    )

    def take_back() -> None:
        with transaction():
            ledger.reverse(
                school.id,
                event,
                kind="payment_reversed",
                cause_kind="reversal",
                cause_id=next(_causes),
                booked_on=TODAY,
                now=NOON,
            )

    take_back()
    assert ledger.balance(school.id, "bank:1") == Vnd(0)
    with pytest.raises(ledger.AlreadyReversed):
        take_back()
    assert_all_holds()


def test_an_event_of_another_school_cannot_be_taken_back(school: MadeSchool) -> None:
    other = make_school()
    with scope.opened(scope.one_school(other.id)):
        event = post(other, ledger.Pair("bank:1", "receivable", Vnd(300)))

    with pytest.raises(ledger.NothingToReverse), transaction():
        ledger.reverse(
            school.id,
            event,
            kind="payment_reversed",
            cause_kind="reversal",
            cause_id=1,
            booked_on=TODAY,
            now=NOON,
        )


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_and_less_than_nothing_are_refused(school: MadeSchool, amount: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        post(school, ledger.Pair("bank:1", "receivable", Vnd(amount)))


def test_the_same_cause_is_booked_once(school: MadeSchool) -> None:
    event = ledger.Event(
        "payment_received", "payment", next(_causes), [ledger.Pair("a", "b", Vnd(1))]
    )
    with transaction():
        ledger.post(school.id, event, booked_on=TODAY, now=NOON)

    with pytest.raises(DBAPIError), transaction():
        ledger.post(school.id, event, booked_on=TODAY, now=NOON)


@pytest.mark.parametrize(
    "change",
    [
        "update entries set amount = amount + 1",
        "delete from entries",
        "delete from ledger_events",
        "update seals set hash = 'x'",
        "update accounts set code = 'x'",
        "update audit_rows set actor = 'x'",
    ],
)
def test_books_refuse_change(school: MadeSchool, change: str) -> None:
    post(school, ledger.Pair("bank:1", "receivable", Vnd(1)))
    with transaction():
        ledger.seal_school(school.id, now=NOON)
        execute(
            "insert into audit_rows (at, actor, role, action, subject, cause)"
            " values (:now, 'a', 'b', 'c', 'd', '')",
            now=NOON,
        )

    with pytest.raises(DBAPIError, match="append-only"), transaction():
        db.session.execute(text(change))


def test_books_refuse_replace_even_on_a_foreign_connection(school: MadeSchool) -> None:
    if not is_sqlite():
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(text("truncate entries"))
        return
    import sqlite3

    post(school, ledger.Pair("bank:1", "receivable", Vnd(1)))
    entry = scalar("select max(id) from entries")
    db.session.rollback()
    stranger = sqlite3.connect(str(db.engine.url.database))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        stranger.execute(
            "insert or replace into entries (id, school_id, event_id, debit_id, credit_id, amount)"
            " select id, school_id, event_id, debit_id, credit_id, 999 from entries where id = ?",
            (entry,),
        )
    stranger.close()


def test_seals_hold_the_books_and_a_changed_row_is_found(school: MadeSchool) -> None:
    post(school, ledger.Pair("bank:1", "receivable", Vnd(10)))
    with transaction():
        first = ledger.seal_school(school.id, now=NOON)
    post(school, ledger.Pair("bank:1", "receivable", Vnd(20)))
    with transaction():
        second = ledger.seal_school(school.id, now=NOON)
    assert [seal.entries for seal in (*first, *second)] == [1, 1]
    with transaction():
        assert ledger.seal_school(school.id, now=NOON) == []
    assert_all_holds()


def test_nothing_is_read_without_a_scope(context: Flask) -> None:
    with pytest.raises(NoScope):
        rows("select 1")


def test_a_school_outside_the_scope_is_not_read(school: MadeSchool) -> None:
    with pytest.raises(OutOfScope):
        ledger.balance(school.id + 1, "receivable")


amounts = st.integers(1, 10**9).map(Vnd)
accounts = st.sampled_from(["bank:1", "receivable", "credit", "cash:1", "held:MEAL"])
pairs = st.tuples(accounts, accounts, amounts).filter(lambda pair: pair[0] != pair[1])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(pairs, min_size=1, max_size=5), min_size=1, max_size=5))
def test_whatever_is_posted_the_books_balance(
    school: MadeSchool, events: list[list[tuple[str, str, Vnd]]]
) -> None:
    before = {code: ledger.balance(school.id, code) for code in ("bank:1", "receivable")}
    for event in events:
        post(school, *(ledger.Pair(debit, credit, amount) for debit, credit, amount in event))

    for code, balance in before.items():
        moved = sum(
            amount.dong * ((debit == code) - (credit == code))
            for event in events
            for debit, credit, amount in event
        )
        assert ledger.balance(school.id, code) == balance + Vnd(moved)
    assert ledger.trial_balance(school.id) == Vnd(0)


def test_a_block_can_be_hashed_again_by_an_outsider(school: MadeSchool) -> None:
    """The byte form of docs/hash-chain.md, computed here without the product's own function."""
    import hashlib

    post(school, ledger.Pair("bank:1", "receivable", Vnd(1_001_000), student_id=3))
    with transaction():
        seal = ledger.seal_school(school.id, now=NOON)[0]

    event = rows("select * from ledger_events where school_id = :school_id", school_id=school.id)[0]
    entry = rows("select * from entries where school_id = :school_id", school_id=school.id)[0]
    line = (
        f"{entry.id}|{event.id}|payment_received|payment:{event.cause_id}|2026-11-24"
        "|2026-11-24T05:00:00.000000Z||bank:1|receivable|1001000|3|\n"
    )
    assert seal.hash == hashlib.sha256(("0" * 64 + "\n" + line).encode()).hexdigest()
