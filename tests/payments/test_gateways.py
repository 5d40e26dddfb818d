"""Money through Casso, payOS, VNPAY, MoMo and ZaloPay: from the notice to the receipt."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.core import scope
from app.core.db import scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import gateways, jobs, queries
from app.money.payments.adapters import casso, momo, payos, vnpay, zalopay
from app.people.schools import ChannelInfo, Provider, channels_of
from app.people.schools.models import Channel, ChannelAddress, ChannelSecret
from tests.factories.money import TODAY, Billed, billed_child, billed_children
from tests.factories.schools import NOON, OPENING, MadeSchool
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
_ids = itertools.count(40_000)
SECRET, OLD_SECRET = "new-secret", "old-secret"
MERCHANTS = {"vnpay": "DEMOV210", "momo": "MOMO", "zalopay": "2553", "payos": "", "casso": ""}


def open_way(school: MadeSchool, provider: Provider, scheme: str = "hmac") -> ChannelInfo:
    """A channel of a provider with two living secrets, as while they are exchanged."""
    public_id = f"{provider}-{school.code.lower()}-{next(_ids)}"
    purposes = [("webhook", OLD_SECRET), ("webhook", SECRET), ("access", "ACCESS")]
    if MERCHANTS[provider]:
        purposes.append(("merchant", MERCHANTS[provider]))
    with scope.opened(scope.one_school(school.id)), transaction():
        channel_id = db.session.scalar(
            insert(Channel)
            .values(
                school_id=school.id,
                public_id=public_id,
                provider=provider,
                bank_account_id=school.account_id,
                scheme=scheme,
                opened_on=OPENING,
            )
            .returning(Channel.id)
        )
        for purpose, secret in purposes:
            db.session.execute(
                insert(ChannelSecret).values(
                    school_id=school.id,
                    channel_id=channel_id,
                    purpose=purpose,
                    secret=secret,
                    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
                )
            )
        db.session.execute(insert(ChannelAddress).values(public_id=public_id, school_id=school.id))
        return next(c for c in channels_of(school.id, TODAY) if c.id == channel_id)


def start(child: Billed, way: ChannelInfo, *, surcharge: int = 0) -> str:
    """A payer leaves for the gateway; the number of the try there."""
    with scope.opened(scope.one_school(child.school.id)), transaction():
        return gateways.open_attempt(
            child.request,
            channel=way,
            due=Vnd(child.due),
            surcharge=Vnd(surcharge),
            order=lambda n: str(n) if way.provider == "payos" else f"{child.request.reference}-{n}",
            now=NOON,
        )


Sender = Callable[..., TestResponse]


def send_payos(
    client: FlaskClient, way: ChannelInfo, order: str, amount: int, *, text: str = "", **told: Any
) -> TestResponse:
    data = {
        "orderCode": int(order),
        "amount": amount,
        "description": text,
        "accountNumber": "1",
        "reference": told.get("number", f"FT{next(_ids)}"),
        "transactionDateTime": "2026-11-24 09:00:00",
        "currency": "VND",
        "paymentLinkId": f"link{order}",
        "code": told.get("code", "00"),
        "desc": "Thành công",
    }
    body = {"data": data, "signature": payos.signature_of(data, told.get("secret", SECRET))}
    return client.post(f"/callbacks/payos/{way.public_id}", json=body)


def send_vnpay(
    client: FlaskClient, way: ChannelInfo, order: str, amount: int, *, text: str = "", **told: Any
) -> TestResponse:
    code = told.get("code", "00")
    fields = {
        "vnp_Amount": str(amount * 100),
        "vnp_OrderInfo": text or "hoc phi",
        "vnp_ResponseCode": code,
        "vnp_TmnCode": "DEMOV210",
        "vnp_TransactionNo": str(told.get("number", next(_ids))),
        "vnp_TransactionStatus": code,
        "vnp_TxnRef": order,
    }
    given = vnpay.hash_of(fields, told.get("secret", SECRET))
    return client.get(
        f"/callbacks/vnpay/{way.public_id}?{vnpay.canonical(fields)}&vnp_SecureHash={given}"
    )


def send_momo(
    client: FlaskClient, way: ChannelInfo, order: str, amount: int, *, text: str = "", **told: Any
) -> TestResponse:
    notice = {
        "partnerCode": "MOMO",
        "orderId": order,
        "requestId": "r",
        "amount": amount,
        "orderInfo": text or "hoc phi",
        "extraData": "",
        "orderType": "momo_wallet",
        "transId": int(told.get("number", next(_ids))),
        "resultCode": int(told.get("code", 0)),
        "message": "Successful.",
        "payType": "qr",
        "responseTime": 1795483599000,
    }
    notice["signature"] = momo.notice_signature(notice, told.get("secret", SECRET), "ACCESS")
    return client.post(f"/callbacks/momo/{way.public_id}", json=notice)


def send_zalopay(
    client: FlaskClient, way: ChannelInfo, order: str, amount: int, *, text: str = "", **told: Any
) -> TestResponse:
    data = json.dumps(
        {
            "app_id": 2553,
            "app_trans_id": order,
            "amount": amount,
            "zp_trans_id": int(told.get("number", next(_ids))),
            "server_time": 1795483599000,
        }
    )
    body = {"data": data, "mac": zalopay.mac_of(data, told.get("secret", SECRET)), "type": 1}
    return client.post(f"/callbacks/zalopay/{way.public_id}", json=body)


SENDERS: dict[str, Sender] = {
    "payos": send_payos,
    "vnpay": send_vnpay,
    "momo": send_momo,
    "zalopay": send_zalopay,
}
#: the answer each provider expects: status and body
STORED: dict[str, tuple[int, Any]] = {
    "payos": (200, {"success": True}),
    "vnpay": (200, vnpay.STORED),
    "momo": (204, None),
    "zalopay": (200, zalopay.ACCEPTED),
}
REPEATED = {**STORED, "vnpay": (200, vnpay.ALREADY)}
FORGED: dict[str, tuple[int, Any]] = {
    "vnpay": (200, vnpay.BAD_HASH),
    "zalopay": (200, zalopay.REFUSED),
}
GATEWAYS = tuple(SENDERS)


def answer(response: TestResponse) -> tuple[int, Any]:
    return response.status_code, response.get_json(silent=True)


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def credits_of(school: MadeSchool) -> list[queries.PaymentRow]:
    with scope.opened(scope.one_school(school.id)):
        return queries.list_credits(school.id)[0]


def balance(school: MadeSchool, account: str) -> int:
    with scope.opened(scope.one_school(school.id)):
        return ledger.balance(school.id, account).dong


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_try_that_is_paid_settles_the_bill_and_waits_in_clearing(
    client: FlaskClient, provider: str
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    order = start(child, way, surcharge=3_000)
    number = str(next(_ids))

    first = SENDERS[provider](client, way, order, child.due + 3_000, number=number)
    again = SENDERS[provider](client, way, order, child.due + 3_000, number=number)

    assert answer(first) == STORED[provider]
    assert answer(again) == REPEATED[provider]
    assert due(child) == 0
    (payment,) = credits_of(child.school)
    assert (payment.amount.dong, payment.surcharge.dong) == (child.due, 3_000)
    assert (payment.money_state, payment.proof) == ("receipted", "provider")
    assert balance(child.school, f"clearing:{way.id}") == child.due + 3_000
    assert balance(child.school, f"bank:{child.school.account_id}") == 0
    assert_books_hold()


@pytest.mark.parametrize("provider", GATEWAYS)
def test_the_older_of_two_living_secrets_is_still_accepted_and_a_third_is_not(
    client: FlaskClient, provider: str
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    order = start(child, way)
    forged = SENDERS[provider](client, way, order, child.due, secret="guessed")
    assert answer(forged)[0] == FORGED.get(provider, (401, None))[0]
    if provider in FORGED:
        assert answer(forged) == FORGED[provider]
    assert credits_of(child.school) == []
    assert (
        answer(SENDERS[provider](client, way, order, child.due, secret=OLD_SECRET))
        == (STORED[provider])
    )
    assert due(child) == 0


@pytest.mark.parametrize("provider", GATEWAYS)
def test_signed_money_of_an_order_nobody_knows_is_kept(client: FlaskClient, provider: str) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    response = SENDERS[provider](client, way, "987654", 450_000)
    expected = {**STORED, "vnpay": (200, vnpay.UNKNOWN_ORDER)}
    assert answer(response) == expected[provider]
    (payment,) = credits_of(child.school)
    assert (payment.state, payment.amount.dong) == ("suspense", 450_000)
    assert balance(child.school, f"suspense:channel:{way.id}") == -450_000
    assert_books_hold()


@pytest.mark.parametrize("provider", GATEWAYS)
def test_another_amount_than_was_asked_for_waits_for_a_person(
    client: FlaskClient, provider: str
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    order = start(child, way)
    response = SENDERS[provider](client, way, order, child.due - 1_000)
    expected = {**STORED, "vnpay": (200, vnpay.OTHER_AMOUNT)}
    assert answer(response) == expected[provider]
    assert due(child) == child.due
    with scope.opened(scope.one_school(child.school.id)):
        (item,) = queries.suspense_items(child.school.id)
    assert item.request is not None
    assert item.request.id == child.request.id
    assert_books_hold()


@pytest.mark.parametrize("provider", GATEWAYS)
def test_a_second_payment_of_one_try_is_more_money_and_becomes_credit(
    client: FlaskClient, provider: str
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    order = start(child, way)
    for _time in range(2):
        SENDERS[provider](client, way, order, child.due)
    assert len(credits_of(child.school)) == 2
    with scope.opened(scope.one_school(child.school.id)):
        credit = ledger.balance(child.school.id, "credit", student_id=child.student_id)
    assert abs(credit.dong) == child.due
    assert_books_hold()


@pytest.mark.parametrize(
    ("provider", "code", "state"),
    [
        ("payos", "01", "ignored"),
        ("vnpay", "24", "ignored"),
        ("vnpay", "07", "needs_attention"),
        ("momo", 1006, "ignored"),
        ("momo", 9000, "ignored"),
    ],
)
def test_what_is_not_paid_moves_no_money(
    client: FlaskClient, provider: str, code: Any, state: str
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    order = start(child, way)
    SENDERS[provider](client, way, order, child.due, code=code)
    assert credits_of(child.school) == []
    with scope.opened(scope.EVERY_SCHOOL):
        kept = scalar("select state from v_inbox where channel = :channel", channel=way.public_id)
    assert kept == state
    # Paid after all, under another number: the failed word changes nothing.
    SENDERS[provider](client, way, order, child.due)
    assert due(child) == 0
    assert_books_hold()


def test_a_fault_of_ours_keeps_the_notice_and_the_job_posts_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = billed_child()
    way = open_way(child.school, Provider.MOMO)
    order = start(child, way)
    accept = gateways.accept_many

    def broken(*_all: Any, **_named: Any) -> Any:
        raise RuntimeError("disk")

    monkeypatch.setattr(gateways, "accept_many", broken)
    assert send_momo(client, way, order, child.due).status_code == 204
    assert credits_of(child.school) == []
    monkeypatch.setattr(gateways, "accept_many", accept)
    with scope.opened(scope.one_school(child.school.id)):
        assert jobs.retry_notices(child.school.id, now=NOON) == 1
    assert due(child) == 0
    assert_books_hold()


def casso_move(school: MadeSchool, text: str, amount: int) -> dict[str, Any]:
    return {
        "id": next(_ids),
        "tid": f"BANK{next(_ids)}",
        "description": text,
        "amount": amount,
        "cusum_balance": 1,
        "when": "2026-11-24 08:14:05",
        "bank_sub_acc_id": school.account_number,
    }


def test_casso_tells_several_movements_at_once_and_each_is_booked_once(
    client: FlaskClient,
) -> None:
    one, other = billed_children(2)
    school = one.school
    way = open_way(school, Provider.CASSO, "apikey")
    body = {
        "error": 0,
        "data": [
            casso_move(school, f"{one.request.reference} hoc phi", one.due),
            casso_move(school, f"{other.request.reference}", other.due),
            casso_move(school, "tra tien", -50_000),
        ],
    }
    for _time in range(2):
        answer_ = client.post(
            f"/callbacks/casso/{way.public_id}", json=body, headers=casso.key_header(SECRET)
        )
        assert answer_.status_code == 200
    assert (due(one), due(other)) == (0, 0)
    assert len(credits_of(school)) == 2
    assert all(payment.proof == "account" for payment in credits_of(school))
    forged = client.post(
        f"/callbacks/casso/{way.public_id}", json=body, headers=casso.key_header("guess")
    )
    assert forged.status_code == 401
    assert_books_hold()


def test_casso_v2_is_signed_and_one_movement(client: FlaskClient) -> None:
    child = billed_child()
    way = open_way(child.school, Provider.CASSO)
    body: dict[str, Any] = {
        "error": 0,
        "data": {
            "id": next(_ids),
            "reference": "FT1",
            "description": f"Nộp học phí {child.request.reference}",
            "amount": child.due,
            "transactionDateTime": "2026-11-24 08:14:05",
            "accountNumber": child.school.account_number,
            "virtualAccountNumber": "",
            "counterAccountName": "NGUYEN VAN A",
        },
    }
    headers = casso.sign(body, SECRET, 1795483599000)
    response = client.post(
        f"/callbacks/casso/{way.public_id}",
        data=json.dumps(body, ensure_ascii=False).encode(),
        headers=headers,
    )
    assert response.status_code == 200
    assert due(child) == 0
    (payment,) = credits_of(child.school)
    assert payment.payer == "NGUYEN VAN A"
    assert_books_hold()


def test_a_channel_answers_only_at_its_own_address(client: FlaskClient) -> None:
    child = billed_child()
    way = open_way(child.school, Provider.MOMO)
    assert client.post(f"/callbacks/zalopay/{way.public_id}", json={}).status_code == 404
    assert client.get("/callbacks/vnpay/unknown?vnp_x=1").status_code == 404
    assert client.post("/callbacks/payos/unknown", json={}).status_code == 404
