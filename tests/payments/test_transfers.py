"""Bank transfers told by SePay: from the signed notice to the receipt, or to a person's desk."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.core import clock, scope
from app.core.db import scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import inbox, jobs, queries
from app.money.payments.adapters import sepay
from app.money.payments.errors import AlreadyAssigned
from app.money.payments.posting import accept_many
from app.money.payments.reversals import reinstate_payment, reverse_payment
from app.money.payments.sentences import attention_words, marked, suspense_words
from app.money.payments.suspense import assign_suspense
from app.people.schools.models import Channel
from tests.factories.money import Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
_ids = itertools.count(1000)


def notice(school: MadeSchool, text: str, amount: int, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "id": next(_ids),
        "gateway": "VietinBank",
        "transactionDate": "2026-11-24 08:14:05",
        "accountNumber": school.account_number,
        "subAccount": None,
        "code": None,
        "content": text,
        "transferType": "in",
        "description": "",
        "transferAmount": amount,
        "accumulated": 19_077_000,
        "referenceCode": "MBVCB.3278907687",
    }
    return json.dumps({**fields, **changes}).encode()


def send(
    client: FlaskClient, school: MadeSchool, raw: bytes, *, secret: str = "", age: int = 0
) -> TestResponse:
    stamp = int(datetime.now(UTC).timestamp()) - age
    headers = sepay.sign(raw, secret or school.secret, stamp)
    return client.post(f"/callbacks/sepay/{school.channel}", data=raw, headers=headers)


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def payments(school: MadeSchool) -> list[queries.PaymentRow]:
    with scope.opened(scope.one_school(school.id)):
        return queries.list_credits(school.id)[0]


def attention(school: MadeSchool) -> list[queries.AttentionNotice]:
    with scope.opened(scope.one_school(school.id)):
        return queries.attention_notices(school.id)


def test_a_signed_notice_pays_the_bill(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, f"MBVCB.1.{child.request.reference}.CT tu 0041", child.due)
    answer = send(client, child.school, raw)
    assert (answer.status_code, answer.get_json()) == (200, {"success": True})

    (payment,) = payments(child.school)
    assert (payment.state, payment.money_state) == ("matched", "receipted")
    assert [c.full_name for c in payment.children] == [child.full_name]
    assert payment.amount_of(child.student_id) == Vnd(child.due)
    assert due(child) == 0
    with scope.opened(scope.one_school(child.school.id)):
        account = child.request.bank_account_id
        assert queries.payments_of_student(child.school.id, child.student_id) == [payment]
        assert queries.payments_of_student(
            child.school.id, child.student_id, bank_account_id=account
        ) == [payment]
        assert not queries.payments_of_student(
            child.school.id, child.student_id, bank_account_id=account + 999
        )
    assert_books_hold()


def test_a_repeat_is_answered_and_changes_nothing(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, child.request.reference, child.due)
    assert [send(client, child.school, raw).status_code for _ in range(3)] == [200, 200, 200]
    assert len(payments(child.school)) == 1
    assert_books_hold()


def test_the_same_bill_paid_twice_becomes_credit(client: FlaskClient) -> None:
    child = billed_child()
    for _ in range(2):
        send(client, child.school, notice(child.school, child.request.reference, child.due))
    with scope.opened(scope.one_school(child.school.id)):
        credit = ledger.balance(child.school.id, "credit", student_id=child.student_id)
    assert credit == Vnd(-child.due)
    assert all(payment.live_receipt for payment in payments(child.school))
    assert_books_hold()


@pytest.mark.parametrize(
    ("text", "amount", "reason"),
    [
        ("hoc phi cho con", 778_775, "no_code"),
        ("HP7K3M9Q5 hoc phi", 778_775, "unknown_code"),
        ("{code} {other}", 778_775, "several_codes"),
        ("{code}", 999, "odd_amount"),
        ("{code}", 778_775 * 3 + 1, "odd_amount"),
    ],
)
def test_what_the_machine_may_not_decide_waits(
    client: FlaskClient, text: str, amount: int, reason: str
) -> None:
    child, other = billed_children(2)
    words = text.format(code=child.request.reference, other=other.request.reference)
    assert send(client, child.school, notice(child.school, words, amount)).status_code == 200

    assert (due(child), due(other)) == (child.due, other.due)
    with scope.opened(scope.one_school(child.school.id)):
        (item,) = queries.suspense_items(child.school.id)
        account = f"suspense:{child.school.account_id}"
        assert ledger.balance(child.school.id, account) == Vnd(-amount)
    assert item.reason == reason
    assert item.payment.amount == Vnd(amount)
    assert suspense_words(item)
    assert item.payment.receipts == ()
    assert_books_hold()


def test_money_out_is_kept_and_posts_nothing(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, child.request.reference, child.due, transferType="out")
    assert send(client, child.school, raw).status_code == 200
    assert payments(child.school) == []
    assert attention(child.school) == []
    assert_books_hold()


def test_a_notice_about_another_account_is_refused_each_time(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, child.request.reference, child.due, accountNumber="0123499999")
    assert [send(client, child.school, raw).status_code for _ in range(2)] == [422, 422]
    assert payments(child.school) == []
    (kept,) = attention(child.school)
    assert (kept.reason, kept.amount) == ("wrong_account", Vnd(child.due))
    assert "tài khoản" in attention_words(kept)
    assert_books_hold()


def test_a_virtual_account_that_reports_through_ours_is_ours(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(
        child.school,
        child.request.reference,
        child.due,
        accountNumber="9990001",
        subAccount=child.school.account_number,
    )
    assert send(client, child.school, raw).status_code == 200
    assert due(child) == 0


@pytest.mark.parametrize("how", ["secret", "body", "no_headers"])
def test_forged_notices_are_refused_and_not_kept(client: FlaskClient, how: str) -> None:
    child = billed_child()
    raw = notice(child.school, child.request.reference, child.due)
    if how == "secret":
        answer = send(client, child.school, raw, secret="another")
    elif how == "body":
        headers = sepay.sign(raw, child.school.secret, int(datetime.now(UTC).timestamp()))
        more = raw.replace(b"778775", b"978775")
        answer = client.post(f"/callbacks/sepay/{child.school.channel}", data=more, headers=headers)
    else:
        answer = client.post(f"/callbacks/sepay/{child.school.channel}", data=raw)
    assert answer.status_code == 401
    assert payments(child.school) == []
    with scope.opened(scope.EVERY_SCHOOL):
        assert (
            scalar(
                "select count(*) from inbox_notices where school_id = :school_id",
                school_id=child.school.id,
            )
            == 0
        )


def test_a_stale_notice_is_a_hint_until_the_genuine_one_comes(client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, child.request.reference, child.due)
    assert [send(client, child.school, raw, age=400).status_code for _ in range(2)] == [401, 401]
    assert payments(child.school) == []
    (hint,) = attention(child.school)
    assert hint.state == "unverified"

    assert send(client, child.school, raw).status_code == 200
    assert due(child) == 0
    assert attention(child.school) == []
    # Late again: what is posted stays posted.
    assert send(client, child.school, raw, age=400).status_code == 401
    assert payments(child.school)[0].state == "matched"
    assert_books_hold()


def test_the_key_scheme_is_served_too(client: FlaskClient) -> None:
    child = billed_child()
    with scope.opened(scope.one_school(child.school.id)), transaction():
        db.session.execute(
            update(Channel).where(Channel.id == child.school.channel_id).values(scheme="apikey")
        )
    raw = notice(child.school, child.request.reference, child.due)
    address = f"/callbacks/sepay/{child.school.channel}"
    wrong = client.post(address, data=raw, headers=sepay.key_header("wrong"))
    assert wrong.status_code == 401
    right = client.post(address, data=raw, headers=sepay.key_header(child.school.secret))
    assert right.status_code == 200
    assert due(child) == 0


def test_another_schools_code_never_pays_there(client: FlaskClient) -> None:
    child, elsewhere = billed_child(), billed_child()
    raw = notice(elsewhere.school, child.request.reference, child.due)
    assert send(client, elsewhere.school, raw).status_code == 200
    assert due(child) == child.due
    assert payments(elsewhere.school)[0].state == "suspense"
    # Another school's secret opens no door here.
    answer = send(client, child.school, raw, secret=elsewhere.school.secret)
    assert answer.status_code == 401


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff", b'{"id":1}', b'{"id":1,"id":2}'])
def test_signed_nonsense_is_refused_without_a_fault(client: FlaskClient, raw: bytes) -> None:
    child = billed_child()
    assert send(client, child.school, raw).status_code == 422


def test_too_large_a_body_is_not_read(client: FlaskClient) -> None:
    child = billed_child()
    assert send(client, child.school, b"x" * 70_000).status_code == 413


def test_an_unknown_channel_does_not_exist(client: FlaskClient) -> None:
    assert client.post("/callbacks/sepay/no-such", data=b"{}").status_code == 404


# By hand


def test_a_person_gives_unknown_money_to_a_child(client: FlaskClient) -> None:
    child = billed_child()
    school = child.school
    send(client, school, notice(school, "hoc phi cho con", child.due + 1_000))
    (payment,) = payments(school)
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            given = assign_suspense(
                school.id, payment.id, child.request, actor=ACCOUNTANT, now=NOON
            )
        assert given.to_credit == Vnd(1_000)
        assert len(given.receipts) == 1
        with pytest.raises(AlreadyAssigned), transaction():
            assign_suspense(school.id, payment.id, child.request, actor=ACCOUNTANT, now=NOON)
        found = queries.get_payment(school.id, payment.id)
        assert queries.suspense_items(school.id) == []
    assert (found.state, found.money_state) == ("matched", "receipted")
    assert found.children[0].rule == "hand"
    assert found.children[0].matched_by == ACCOUNTANT.name
    assert due(child) == 0
    assert_books_hold()


def test_the_bank_takes_money_back_that_later_bills_had_used(client: FlaskClient) -> None:
    """Credit that went into other lines comes out of them again: it is never below zero."""
    child = billed_child()
    school = child.school
    for _ in range(2):
        send(client, school, notice(school, child.request.reference, child.due))
    second, first = payments(school)
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            reverse_payment(
                school.id,
                first.id,
                amount=Vnd(170_775),
                kind="bank",
                external_id="back-1",
                actor=ACCOUNTANT,
                now=NOON,
            )
            # A line is open again and the credit of the second payment fills it.
            (line,) = billing.open_lines(school.id, [child.student_id])[child.student_id]
            ledger.post(
                school.id,
                ledger.Event(
                    "credit_applied",
                    "test",
                    second.id,
                    [
                        ledger.Pair(
                            "credit", "receivable", line.open, child.student_id, line.line_id
                        )
                    ],
                ),
                booked_on=clock.local_day(NOON),
                now=NOON,
            )
            reverse_payment(
                school.id,
                second.id,
                amount=Vnd(child.due),
                kind="bank",
                external_id="back-2",
                actor=ACCOUNTANT,
                now=NOON,
            )
        assert ledger.balance(school.id, "credit", student_id=child.student_id) == Vnd(0)
    assert due(child) == 170_775
    assert_books_hold()

    with scope.opened(scope.one_school(school.id)), transaction():
        reinstate_payment(
            school.id,
            second.id,
            amount=Vnd(child.due),
            external_id="again-2",
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert due(child) == 0
    assert_books_hold()


# Faults of ours


def test_a_fault_keeps_the_notice_and_the_retry_posts_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = billed_child()

    def broken(*_args: object, **_values: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(inbox, "accept_many", broken)
    raw = notice(child.school, child.request.reference, child.due)
    assert send(client, child.school, raw).status_code == 200
    assert payments(child.school) == []
    (kept,) = attention(child.school)
    assert kept.reason == "fault:ZeroDivisionError"

    monkeypatch.setattr(inbox, "accept_many", accept_many)
    with scope.opened(scope.one_school(child.school.id)):
        assert jobs.retry_notices(child.school.id, now=clock.now()) == 1
        assert jobs.retry_notices(child.school.id, now=clock.now()) == 0
    assert due(child) == 0
    assert attention(child.school) == []
    assert_books_hold()


def test_the_command_tries_every_school(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["payments", "retry-notices"])
    assert answer.exit_code == 0
    assert "notices posted" in answer.output


def test_what_the_machine_read_is_marked_and_nothing_else_is_trusted() -> None:
    found = marked("<b>hp7k 3m9q5</b> hoc phi", ["HP7K3M9Q5"])
    assert found == "&lt;b&gt;<mark>hp7k 3m9q5</mark>&lt;/b&gt; hoc phi"
