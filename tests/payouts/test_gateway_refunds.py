"""Money of a wallet or gateway goes back the way it came, once, and its bill stays paid."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import queries as payments_queries
from app.money.payments.adapters import momo, vnpay, zalopay
from app.money.payments.refunds import GatewaySilent
from app.money.payouts import jobs, services
from app.money.payouts.models import Kind, Step, Way
from app.money.payouts.services import NewPayout
from app.people.schools import ChannelInfo, Provider
from tests.factories.money import Billed, billed_child
from tests.factories.schools import NOON, PRINCIPAL
from tests.payments.books import assert_books_hold
from tests.payments.test_gaps import KEY, give_key
from tests.payments.test_gateways import SECRET, SENDERS, open_way, start
from tests.payouts.test_payouts import approve, ask, credit, payout

pytestmark = pytest.mark.usefixtures("context")
MORE = 50_000
WAYS = ("vnpay", "momo", "zalopay")


class Refunds(BaseHTTPRequestHandler):
    """Checks what is signed, and gives money back once a key."""

    mood: ClassVar[str] = "done"
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v2/gateway/api/refund":
            fields = json.loads(raw)
            is_right = fields["signature"] == momo.refund_signature(fields, SECRET, "ACCESS")
            codes = {"done": 0, "pending": 7002, "no": 1080}
            answer: dict[str, Any] = {"resultCode": codes[self.mood], "transId": 77}
        elif self.path == "/v2/refund":
            fields = dict(parse_qsl(raw.decode()))
            names = ("app_id", "zp_trans_id", "amount", "description", "timestamp")
            text = "|".join(fields[name] for name in names)
            is_right = fields["mac"] == zalopay.mac_of(text, KEY)
            codes = {"done": 1, "pending": 3, "no": 2}
            answer = {"return_code": codes[self.mood], "refund_id": 77}
        else:
            fields = json.loads(raw)
            given = fields.pop("vnp_SecureHash")
            is_right = given == vnpay.joined_hash(list(fields.values()), SECRET)
            words = {"done": "00", "pending": "94", "no": "95"}
            answer = {"vnp_ResponseCode": words[self.mood], "vnp_TransactionNo": "77"}
        self.asked.append(fields)
        body = json.dumps(answer).encode()
        self.send_response(200 if is_right else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@pytest.fixture(autouse=True)
def peer(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    Refunds.mood, Refunds.asked = "done", []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refunds)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    settings = context.config["SETTINGS"]
    for name in ("momo_api_base", "zalopay_api_base"):
        monkeypatch.setattr(settings, name, address)
    monkeypatch.setattr(settings, "vnpay_api", f"{address}/merchant_webapi/api/transaction")
    yield
    server.shutdown()
    server.server_close()


def paid_through(client: FlaskClient, provider: str) -> tuple[Billed, ChannelInfo, int]:
    """A child who paid through a gateway and has some credit; the payment."""
    child = billed_child()
    way = open_way(child.school, Provider(provider))
    give_key(child.school, way.id)
    order = start(child, way)
    SENDERS[provider](client, way, order, child.due)
    school_id = child.school.id
    with scope.opened(scope.one_school(school_id)):
        [payment] = payments_queries.list_credits(school_id)[0]
        with transaction():
            pair = ledger.Pair("receivable", "credit", Vnd(MORE), child.student_id, child.lines[0])
            event = ledger.Event("credit_unapplied", "test", 1, [pair])
            ledger.post(school_id, event, booked_on=NOON.date(), now=NOON)
    return child, way, payment.id


def order_refund(child: Billed, payment_id: int) -> int:
    wanted = NewPayout(
        Kind.REFUND,
        Way.CARD,
        child.student_id,
        Vnd(MORE),
        "Phiếu thu đã được giảm",
        payment_id=payment_id,
    )
    [number] = ask(child.school, wanted)
    approve(child.school, number)
    return number


def send(child: Billed, number: int) -> None:
    with scope.opened(scope.one_school(child.school.id)):
        jobs.send_card({"payout_id": number})


@pytest.mark.parametrize("provider", WAYS)
def test_a_refund_goes_back_the_way_it_came_once(client: FlaskClient, provider: str) -> None:
    child, way, payment_id = paid_through(client, provider)
    number = order_refund(child, payment_id)
    assert credit(child) == 0
    send(child, number)
    send(child, number)
    assert len(Refunds.asked) == 1
    assert payout(child.school, number).step is Step.PAID
    with scope.opened(scope.one_school(child.school.id)):
        assert ledger.balance(child.school.id, f"clearing:{way.id}").dong == child.due - MORE
        assert ledger.balance(child.school.id, "refund_payable").dong == 0
        assert billing.due(child.request).dong == MORE
        paper = payments_queries.get_payment(child.school.id, payment_id).live_receipt
    assert paper is not None
    assert_books_hold()


@pytest.mark.parametrize("provider", WAYS)
def test_a_refusal_makes_it_credit_again(client: FlaskClient, provider: str) -> None:
    child, _way, payment_id = paid_through(client, provider)
    number = order_refund(child, payment_id)
    Refunds.mood = "no"
    send(child, number)
    assert payout(child.school, number).step is Step.REFUSED
    assert credit(child) == MORE
    assert_books_hold()


@pytest.mark.parametrize("is_done", [True, False])
def test_an_open_end_is_asked_again_and_settled_by_a_person_at_last(
    client: FlaskClient, is_done: bool
) -> None:
    child, _way, payment_id = paid_through(client, "momo")
    number = order_refund(child, payment_id)
    Refunds.mood = "pending"
    for _time in range(2):
        with pytest.raises(GatewaySilent):
            send(child, number)
    assert {one["requestId"] for one in Refunds.asked} == {payout(child.school, number).code}
    assert payout(child.school, number).step is Step.SENT
    with scope.opened(scope.one_school(child.school.id)), transaction():
        services.settle_by_hand(
            child.school.id,
            number,
            is_done=is_done,
            words="Theo trang của MoMo hôm nay",
            actor=PRINCIPAL,
            now=NOON,
        )
    expected = Step.PAID if is_done else Step.REFUSED
    assert payout(child.school, number).step is expected
    assert credit(child) == (0 if is_done else MORE)
    assert_books_hold()
