"""Banks and wallets ask what is payable, tell payments once, take them back, compare the day."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock, scope
from app.core.db import scalar, transaction
from app.journeys.api import routes
from app.money import billing
from app.money.payments import queries as payments_queries
from app.people import partners
from tests.api.partners import Caller, make_caller
from tests.factories.money import Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, MadeSchool
from tests.factories.staff import visitor
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def caller(app: Flask) -> Caller:
    return make_caller(visitor(app))


def student_code(child: Billed) -> str:
    with scope.opened(scope.EVERY_SCHOOL):
        return str(scalar("select code from students where id = :id", id=child.student_id))


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def payments_of(school: MadeSchool) -> list[payments_queries.PaymentRow]:
    with scope.opened(scope.one_school(school.id)):
        return payments_queries.list_credits(school.id)[0]


def told(child: Billed, **changes: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"TX-{child.request.id}",
        "bill_code": child.request.reference,
        "amount": child.due,
        "paid_at": clock.now().isoformat(),
        **changes,
    }


def test_a_bill_is_found_by_pupil_code_and_by_transfer_code(caller: Caller) -> None:
    child = billed_child(full_name="Nguyễn Minh Khang")
    by_pupil = caller.get("/api/v1/bills", code=student_code(child))
    by_code = caller.get("/api/v1/bills", code=child.request.reference.lower())
    assert by_pupil.status_code == 200
    (bill,) = by_pupil.get_json()["bills"]
    assert by_code.get_json()["bills"] == [bill]
    assert bill["amount"] == child.due
    assert bill["bill_code"] == child.request.reference
    assert bill["payer"] == {"initials": "N. M. K.", "masked_name": "N***** M*** K****"}
    assert bill["payee"]["account"]["number"] == child.school.account_number
    # Nothing else of a person: neither the whole name nor the code that was not asked for.
    assert "Khang" not in by_pupil.text
    assert student_code(child) not in by_code.text


@pytest.mark.parametrize("code", ["HP0000000", "123456789", "abcdef", "HP7K3M9Q5"])
def test_a_code_that_leads_nowhere_has_one_answer(caller: Caller, code: str) -> None:
    answer = caller.get("/api/v1/bills", code=code)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "no_such_bill")


def test_a_payment_told_pays_the_bill_and_told_again_it_is_the_same(caller: Caller) -> None:
    child = billed_child()
    fields = told(child)
    first = caller.post("/api/v1/payments", fields, key="first-0001")
    again = caller.post("/api/v1/payments", fields, key="first-0001")
    other_key = caller.post("/api/v1/payments", told(child), key="second-001")
    assert (first.status_code, again.status_code, other_key.status_code) == (201, 201, 200)
    assert first.get_json() == again.get_json() == other_key.get_json()
    assert first.get_json()["receipt"]
    assert due(child) == 0
    (payment,) = payments_of(child.school)
    assert (payment.proof, payment.provider) == ("provider", "biller")
    assert caller.get("/api/v1/bills", code=child.request.reference).status_code == 404
    assert_books_hold()


def test_a_key_or_a_transaction_used_for_something_else_is_refused(caller: Caller) -> None:
    one, other = billed_children(2)
    caller.post("/api/v1/payments", told(one), key="same-key-1")
    reused = caller.post("/api/v1/payments", told(other), key="same-key-1")
    assert (reused.status_code, reused.get_json()["code"]) == (409, "idempotency_key_reused")
    fields = told(other, transaction_id=told(one)["transaction_id"])
    twice = caller.post("/api/v1/payments", fields)
    assert (twice.status_code, twice.get_json()["code"]) == (409, "transaction_reused")
    less = caller.post("/api/v1/payments", told(one, amount=one.due - 1))
    assert less.get_json()["code"] == "transaction_reused"
    assert due(other) == other.due
    assert_books_hold()


def test_a_refused_request_may_be_put_right_under_the_same_key(caller: Caller) -> None:
    child = billed_child()
    wrong = caller.post("/api/v1/payments", told(child, bill_code="HP0000000"), key="retry-001")
    right = caller.post("/api/v1/payments", told(child), key="retry-001")
    assert (wrong.status_code, right.status_code) == (404, 201)


def test_part_and_too_much_are_taken_and_the_rest_is_credit(caller: Caller) -> None:
    child = billed_child()
    caller.post("/api/v1/payments", told(child, amount=100_000))
    assert due(child) == child.due - 100_000
    caller.post("/api/v1/payments", told(child, transaction_id="TX-more"))
    assert due(child) == 0
    assert_books_hold()


def test_a_payment_taken_back_opens_the_bill_again_once(caller: Caller, app: Flask) -> None:
    child = billed_child()
    caller.post("/api/v1/payments", told(child))
    path = f"/api/v1/payments/{told(child)['transaction_id']}/reversals"
    fields = {"reversal_id": "RV-1", "reason": "Khách hủy lệnh"}
    other = make_caller(visitor(app)).post(path, fields)
    assert (other.status_code, other.get_json()["code"]) == (404, "no_such_payment")

    for _time in range(2):
        back = caller.post(path, fields)
        assert (back.status_code, back.get_json()["state"]) == (200, "reversed")

    assert due(child) == child.due
    (payment,) = payments_of(child.school)
    assert [paper.state for paper in payment.receipts] == ["void"]
    assert_books_hold()


def test_the_list_of_a_day_holds_what_the_partner_told_and_nothing_else(
    caller: Caller, app: Flask
) -> None:
    one, other = billed_child(), billed_child()
    caller.post("/api/v1/payments", told(one))
    caller.post("/api/v1/payments", told(other))
    fields = {"reversal_id": "RV-2", "reason": "sai"}
    caller.post(f"/api/v1/payments/{told(other)['transaction_id']}/reversals", fields)
    today = clock.today().isoformat()
    found = caller.get("/api/v1/payments", date=today).get_json()
    assert (found["count"], found["amount"]) == (2, one.due)
    assert {item["school_code"] for item in found["payments"]} == {
        one.school.code,
        other.school.code,
    }
    assert make_caller(visitor(app)).get("/api/v1/payments", date=today).get_json()["count"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", 0),
        ("amount", 1.5),
        ("amount", "450000"),
        ("amount", True),
        ("amount", 10**13),
        ("paid_at", "hôm nay"),
        ("paid_at", "2026-11-24T09:00:00"),
        ("paid_at", "2001-01-01T00:00:00+07:00"),
        ("transaction_id", ""),
        ("transaction_id", "a b"),
        ("bill_code", None),
        ("currency", "USD"),
        ("payer", "\u0000"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(caller: Caller, field: str, value: Any) -> None:
    child = billed_child()
    answer = caller.post("/api/v1/payments", told(child, **{field: value}))
    assert answer.status_code == 422
    assert field in answer.get_json()["message"]
    assert due(child) == child.due


def test_what_is_not_signed_learns_nothing(caller: Caller, client: FlaskClient) -> None:
    child = billed_child()
    path = f"/api/v1/bills?code={child.request.reference}"
    good = caller.headers("GET", path, b"")
    wrong = [
        {},
        {**good, "X-Api-Key": "0" * 24},
        {**good, "X-Api-Signature": "0" * 64},
        {**good, "X-Api-Timestamp": str(int(good["X-Api-Timestamp"]) + 1)},
        caller.headers("GET", path, b"", age=400),
        caller.headers("GET", path + "0", b""),
        caller.headers("POST", path, b""),
        caller.headers("GET", path, b"x"),
    ]
    answers = [client.get(path, headers=headers) for headers in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert client.get(path, headers=good).status_code == 200


def test_keys_are_exchanged_while_both_are_valid_and_an_ended_one_is_refused(
    caller: Caller,
) -> None:
    child = billed_child()
    code = child.request.reference
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        key_id, secret = partners.add_key(caller.code, actor=ACCOUNTANT, now=clock.now())
    newer = Caller(caller.client, caller.code, key_id, secret)
    assert newer.get("/api/v1/bills", code=code).status_code == 200
    assert caller.get("/api/v1/bills", code=code).status_code == 200
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        partners.end_key(caller.key_id, actor=ACCOUNTANT, now=clock.now())
    assert caller.get("/api/v1/bills", code=code).status_code == 401
    assert newer.get("/api/v1/bills", code=code).status_code == 200


def test_too_many_requests_are_told_when_to_come_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "MOST", 3)
    statuses = [caller.get("/api/v1/bills", code="HP0000000").status_code for _n in range(8)]
    assert statuses[-1] == 429
    assert caller.get("/api/v1/bills", code="HP0000000").headers["Retry-After"] == "60"


def test_the_commands_open_a_partner_and_exchange_its_keys(app: Flask) -> None:
    runner = app.test_cli_runner()
    first = runner.invoke(args=["api", "open-partner", "thu1", "Ví Minh Họa"])
    more = runner.invoke(args=["api", "add-key", "thu1"])
    assert first.exit_code == more.exit_code == 0
    assert '"secret"' in more.output
    # `like` would let `a_b` or `thu1-2` see another partner's payments.
    for code in ("a_b", "thu1-2", "%", "A1"):
        assert runner.invoke(args=["api", "open-partner", code, "Ví"]).exit_code == 1
