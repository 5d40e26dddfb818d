"""What notices missed is found by asking: once, under the same number, whoever tells it first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.money import billing
from app.money.payments import gaps, queries
from app.money.payments.adapters import sepay
from app.money.payments.gaps import Filled
from app.money.payments.inbox import accept_transfer
from app.people.schools import ChannelInfo, Provider, channel_of_address
from app.people.schools.models import ChannelSecret
from tests.factories.money import Billed, billed_child
from tests.factories.schools import NOON, MadeSchool
from tests.payments.books import assert_books_hold
from tests.payments.test_gateways import SECRET, open_way, send_momo, start
from tests.peers import list_peer
from tests.peers.list_peer import Asked

pytestmark = pytest.mark.usefixtures("context")
_ids = itertools.count(70_000)
KEY = "api-key"
LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def peer(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with list_peer.standing(key=KEY, secret=SECRET, access="ACCESS") as address:
        settings = context.config["SETTINGS"]
        for name in ("sepay", "casso", "payos", "momo", "zalopay"):
            monkeypatch.setattr(settings, f"{name}_api_base", address)
        monkeypatch.setattr(settings, "vnpay_api", f"{address}/merchant_webapi/api/transaction")
        yield address


def give_key(school: MadeSchool, channel_id: int, key: str = KEY) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        db.session.execute(
            insert(ChannelSecret).values(
                school_id=school.id,
                channel_id=channel_id,
                purpose="api",
                secret=key,
                valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )


def fill(school: MadeSchool) -> Filled:
    with scope.opened(scope.one_school(school.id)):
        return gaps.fill_gaps(school.id, now=LATER)


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def credits_of(school: MadeSchool) -> list[queries.PaymentRow]:
    with scope.opened(scope.one_school(school.id)):
        return queries.list_credits(school.id)[0]


def listed(child: Billed, amount: int, number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "bank_brand_name": "VietinBank",
        "account_number": child.school.account_number,
        "transaction_date": "2026-11-24 08:14:05",
        "amount_out": "0.00",
        "amount_in": f"{amount}.00",
        "accumulated": "0.00",
        "transaction_content": f"{child.request.reference} hoc phi",
        "reference_number": f"FT{number}",
        "code": None,
        "sub_account": None,
        **changes,
    }


def test_a_transfer_no_notice_told_is_found_in_the_banks_list_once() -> None:
    child = billed_child()
    give_key(child.school, child.school.channel_id)
    Asked.sepay = [
        listed(child, 5_000, 2, amount_in="0.00", amount_out="5000.00"),
        listed(child, child.due, 1),
    ]
    assert fill(child.school) == Filled(1, 1)
    assert due(child) == 0
    assert fill(child.school) == Filled(1, 0)
    assert len(credits_of(child.school)) == 1
    assert_books_hold()


def test_a_notice_that_came_too_late_to_be_trusted_is_confirmed_by_the_list() -> None:
    child = billed_child()
    school = child.school
    give_key(school, school.channel_id)
    Asked.sepay = [listed(child, child.due, 9)]
    body = gaps._sepay_notice(Asked.sepay[0])
    with scope.opened(scope.one_school(school.id)), transaction():
        way = channel_of_address(school.id, school.channel, "sepay")
        assert way is not None
        accept_transfer(
            sepay.parse(body), channel=way, raw=body, headers={}, now=NOON, is_verified=False
        )
    assert due(child) == child.due
    assert fill(school) == Filled(1, 1)
    assert due(child) == 0
    assert_books_hold()


def test_cassos_list_is_read_page_by_page() -> None:
    child = billed_child()
    way = open_way(child.school, Provider.CASSO)
    give_key(child.school, way.id)
    Asked.casso = [
        {
            "id": number,
            "tid": f"T{number}",
            "description": f"{child.request.reference} lan {number}",
            "amount": 10_000,
            "cusumBalance": 0,
            "when": "2026-11-24 09:00:00",
            "bankSubAccId": child.school.account_number,
        }
        for number in (801, 802, 803)
    ]
    assert fill(child.school) == Filled(1, 3)
    assert due(child) == child.due - 30_000
    assert fill(child.school) == Filled(1, 0)
    assert_books_hold()


def told(way: ChannelInfo, order: str, amount: int, *, is_paid: bool = True) -> dict[str, Any]:
    """What a gateway answers about an order."""
    number = next(_ids)
    if way.provider == "payos":
        transfers = [
            {
                "reference": f"FT{number}",
                "amount": amount,
                "accountNumber": "1",
                "description": "hoc phi",
                "transactionDateTime": "2026-11-24 09:00:00",
            }
        ]
        return {
            "id": f"link{order}",
            "orderCode": int(order),
            "amount": amount,
            "status": "PAID" if is_paid else "PENDING",
            "transactions": transfers if is_paid else [],
        }
    if way.provider == "momo":
        return {
            "partnerCode": "MOMO",
            "orderId": order,
            "requestId": "r",
            "extraData": "",
            "amount": amount,
            "transId": number if is_paid else 0,
            "payType": "qr",
            "resultCode": 0 if is_paid else 1000,
            "message": "",
            "responseTime": 1795483599000,
        }
    if way.provider == "zalopay":
        return {
            "return_code": 1 if is_paid else 3,
            "is_processing": not is_paid,
            "amount": amount,
            "zp_trans_id": number,
            "server_time": 1795483599000,
        }
    status = "00" if is_paid else "01"
    return {
        "vnp_ResponseCode": "00",
        "vnp_TransactionStatus": status,
        "vnp_TmnCode": "DEMOV210",
        "vnp_TxnRef": order,
        "vnp_Amount": str(amount * 100),
        "vnp_TransactionNo": str(number),
        "vnp_OrderInfo": "hoc phi",
        "vnp_PayDate": "20261124090000",
    }


@pytest.mark.parametrize("provider", ["payos", "momo", "zalopay", "vnpay"])
def test_a_try_that_stayed_open_is_asked_for_and_paid(provider: str) -> None:
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    give_key(child.school, way.id)
    order = start(child, way)
    assert fill(child.school).found == 0
    Asked.orders[order] = told(way, order, child.due, is_paid=False)
    assert fill(child.school) == Filled(1, 0)
    assert due(child) == child.due
    Asked.orders[order] = told(way, order, child.due)
    assert fill(child.school) == Filled(1, 1)
    assert due(child) == 0
    assert fill(child.school) == Filled(1, 0)
    assert [one.proof for one in credits_of(child.school)] == ["provider"]
    assert_books_hold()


def test_the_notice_that_comes_after_all_is_the_same_payment(client: FlaskClient) -> None:
    child = billed_child()
    way = open_way(child.school, Provider.MOMO)
    give_key(child.school, way.id)
    order = start(child, way)
    Asked.orders[order] = told(way, order, child.due)
    fill(child.school)
    number = Asked.orders[order]["transId"]
    send_momo(client, way, order, child.due, number=number)
    assert len(credits_of(child.school)) == 1
    assert_books_hold()


def test_a_young_try_is_left_to_its_notice() -> None:
    child = billed_child()
    way = open_way(child.school, Provider.MOMO)
    give_key(child.school, way.id)
    order = start(child, way)
    Asked.orders[order] = told(way, order, child.due)
    with scope.opened(scope.one_school(child.school.id)):
        soon = gaps.fill_gaps(child.school.id, now=NOON + timedelta(minutes=5))
    assert soon == Filled(1, 0)
    assert due(child) == child.due


@pytest.mark.parametrize("wrong", ["broken", "key", "garbage"])
def test_a_provider_that_does_not_answer_is_named_and_stops_nothing(wrong: str) -> None:
    child = billed_child()
    school = child.school
    give_key(school, school.channel_id)
    way = open_way(school, Provider.MOMO)
    order = start(child, way)
    if wrong == "key":
        Asked.key = "another"
    Asked.sepay = [listed(child, child.due, 1)]
    if wrong == "garbage":
        Asked.sepay = [{"id": "1"}]
    Asked.is_broken = wrong == "broken"
    Asked.orders[order] = told(way, order, child.due)
    found = fill(school)
    assert school.channel in found.silent
    if wrong != "broken":
        assert (found.found, due(child)) == (1, 0)
    assert_books_hold()


def test_without_a_key_or_an_address_nobody_is_asked(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = billed_child()
    assert fill(child.school) == Filled()
    give_key(child.school, child.school.channel_id)
    monkeypatch.setattr(context.config["SETTINGS"], "sepay_api_base", "")
    assert fill(child.school) == Filled()
    result = context.test_cli_runner().invoke(args=["payments", "fill-gaps"])
    assert result.exit_code == 0
