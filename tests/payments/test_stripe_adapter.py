"""The Stripe adapter against a peer on the loopback that behaves as Stripe does."""

from __future__ import annotations

import json
import random
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import stripe as library

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, StaleNotice, UnreadableNotice, stripe
from app.money.payments.adapters.stripe import (
    CheckoutSession,
    EventKind,
    ForeignCurrency,
    StripeAdapter,
    StripeEvent,
    StripeRefused,
    StripeUnreachable,
)
from tests.peers.stripe_peer import StripePeer, nested

SECRET = "whsec_test_secret"
STAMP = 1700000000
THEN = datetime.fromtimestamp(STAMP, UTC)


def adapter_for(peer: StripePeer, **changes: Any) -> StripeAdapter:
    options: dict[str, Any] = {"api_base": peer.base, "webhook_secrets": [SECRET], "retries": 0}
    return StripeAdapter(changes.pop("api_key", peer.api_key), **{**options, **changes})


@pytest.fixture
def peer() -> Iterator[StripePeer]:
    with StripePeer() as running:
        yield running


@pytest.fixture
def adapter(peer: StripePeer) -> StripeAdapter:
    return adapter_for(peer)


def open_session(adapter: StripeAdapter, **changes: Any) -> CheckoutSession:
    values: dict[str, Any] = {
        "request_reference": "HP7K3M9Q5",
        "attempt_id": 12,
        "amount": Vnd(450_000),
        "surcharge": Vnd(0),
        "description": "Trường Mầm non Sao Biển, HP7K3M9Q5",
        "success_url": "http://127.0.0.1:9/pay/token/return?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/pay/token",
        "metadata": {"school": "SB"},
        "idempotency_key": "req-1-attempt-12",
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        "locale": "vi",
    }
    return adapter.create_session(**{**values, **changes})


def told(adapter: StripeAdapter, peer: StripePeer) -> list[StripeEvent]:
    events = []
    for event in peer.events:
        raw, headers = peer.signed(event)
        events.append(adapter.read_event(raw, headers["Stripe-Signature"], now=datetime.now(UTC)))
    return events


def kinds(events: list[StripeEvent]) -> list[EventKind]:
    return [event.kind for event in events if event.kind is not EventKind.OTHER]


def test_form_keys_are_nested_as_stripe_means_them() -> None:
    pairs = [("a[0][b]", "1"), ("a[1][b]", "2"), ("c[d][e]", "3"), ("f", "4")]
    assert nested(pairs) == {"a": [{"b": "1"}, {"b": "2"}], "c": {"d": {"e": "3"}}, "f": "4"}


def test_a_session_asks_for_whole_dong_and_carries_our_references(
    peer: StripePeer, adapter: StripeAdapter
) -> None:
    session = open_session(adapter)
    assert session.url == f"{peer.base}/pay/{session.id}"
    assert session.amount == Vnd(450_000)
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.payment_intent is None
    assert session.request_reference == "HP7K3M9Q5"

    (call,) = peer.calls
    ours = {"school": "SB", "request": "HP7K3M9Q5", "attempt": "12"}
    assert call.idempotency_key == "req-1-attempt-12"
    assert call.version == stripe.API_VERSION
    assert call.params["mode"] == "payment"
    assert call.params["metadata"] == ours
    assert call.params["payment_intent_data"] == {"metadata": ours}
    assert call.params["locale"] == "vi"
    (line,) = call.params["line_items"]
    assert line["price_data"]["unit_amount"] == "450000"
    assert line["price_data"]["currency"] == "vnd"


def test_a_surcharge_is_a_line_of_its_own(peer: StripePeer, adapter: StripeAdapter) -> None:
    session = open_session(adapter, surcharge=Vnd(3_300))
    assert session.amount == Vnd(453_300)
    lines = peer.calls[0].params["line_items"]
    assert [line["price_data"]["unit_amount"] for line in lines] == ["450000", "3300"]


@pytest.mark.parametrize(("amount", "surcharge"), [(0, 0), (-5, 0), (10_000, -1)])
def test_nothing_is_asked_of_stripe_when_there_is_nothing_to_pay(
    peer: StripePeer, adapter: StripeAdapter, amount: int, surcharge: int
) -> None:
    with pytest.raises(StripeRefused):
        open_session(adapter, amount=Vnd(amount), surcharge=Vnd(surcharge))
    assert not peer.calls


def test_the_same_key_gives_the_same_session_and_another_use_of_it_is_refused(
    peer: StripePeer, adapter: StripeAdapter
) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    first = open_session(adapter, expires_at=until)
    assert open_session(adapter, expires_at=until) == first
    with pytest.raises(StripeRefused) as refusal:
        open_session(adapter, expires_at=until, amount=Vnd(1_000))
    assert isinstance(refusal.value.__cause__, library.IdempotencyError)
    assert open_session(adapter, idempotency_key="req-1-attempt-13").id != first.id
    assert len([id_ for id_ in peer.objects if id_.startswith("cs_")]) == 2


def test_a_session_is_looked_up_and_closed(peer: StripePeer, adapter: StripeAdapter) -> None:
    session = open_session(adapter)
    assert adapter.retrieve_session(session.id) == session
    closed = adapter.expire_session(session.id)
    assert (closed.status, closed.url) == ("expired", None)
    with pytest.raises(StripeRefused):
        adapter.expire_session(session.id)
    assert kinds(told(adapter, peer)) == [EventKind.SESSION_EXPIRED]


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"expires_at": datetime(2100, 1, 1, tzinfo=UTC)},
        {"success_url": "/pay/token"},
        {"amount": Vnd(100_000_000)},
        {"locale": "xx"},
    ],
    ids=str,
)
def test_what_stripe_does_not_take_is_refused(
    adapter: StripeAdapter, changes: dict[str, Any]
) -> None:
    with pytest.raises(StripeRefused) as refusal:
        open_session(adapter, **changes)
    assert isinstance(refusal.value.__cause__, library.InvalidRequestError)


def test_an_unknown_session_and_a_wrong_key_are_refused(peer: StripePeer) -> None:
    with pytest.raises(StripeRefused) as unknown:
        adapter_for(peer).retrieve_session("cs_test_none")
    assert isinstance(unknown.value.__cause__, library.InvalidRequestError)
    with pytest.raises(StripeRefused) as wrong:
        open_session(adapter_for(peer, api_key="sk_test_other"))
    assert isinstance(wrong.value.__cause__, library.AuthenticationError)


@pytest.mark.parametrize("status", [429, 500, 503, 409])
def test_a_broken_stripe_is_no_refusal(
    peer: StripePeer, adapter: StripeAdapter, status: int
) -> None:
    peer.break_next(status)
    with pytest.raises(StripeUnreachable):
        open_session(adapter)


def test_a_try_that_failed_on_their_side_is_repeated_under_the_same_key(peer: StripePeer) -> None:
    peer.break_next(500)
    session = open_session(adapter_for(peer, retries=1))
    assert [call.idempotency_key for call in peer.calls] == ["req-1-attempt-12"] * 2
    assert session.status == "open"


def test_a_stripe_that_is_gone_is_no_refusal() -> None:
    with StripePeer() as gone:
        adapter = adapter_for(gone)
    with pytest.raises(StripeUnreachable) as refusal:
        open_session(adapter)
    assert refusal.value.status == 503


def test_a_card_payment_is_told_as_paid_with_what_finds_our_attempt(
    peer: StripePeer, adapter: StripeAdapter
) -> None:
    session = open_session(adapter, surcharge=Vnd(3_300))
    peer.pay(session.id)
    events = told(adapter, peer)
    assert kinds(events) == [EventKind.SESSION_PAID]
    paid = events[-1]
    assert paid.session_id == session.id == paid.object_id
    assert paid.payment_intent == adapter.retrieve_session(session.id).payment_intent
    assert paid.amount_to_post() == Vnd(453_300)
    assert paid.payment_status == "paid"
    assert paid.request_reference == "HP7K3M9Q5"
    assert paid.metadata["attempt"] == "12"
    assert paid.created_at.utcoffset() == timedelta(0)
    assert not paid.livemode
    after = adapter.retrieve_session(session.id)
    assert (after.status, after.payment_status) == ("complete", "paid")


@pytest.mark.parametrize(
    ("succeeded", "end"),
    [
        (True, [EventKind.SESSION_PAID]),
        (False, [EventKind.INTENT_FAILED, EventKind.SESSION_FAILED]),
    ],
)
def test_money_that_takes_days_is_told_first_as_processing(
    peer: StripePeer, adapter: StripeAdapter, succeeded: bool, end: list[EventKind]
) -> None:
    session = open_session(adapter)
    peer.pay_later(session.id)
    peer.settle(session.id, succeeded=succeeded)
    events = told(adapter, peer)
    assert kinds(events) == [EventKind.SESSION_PROCESSING, *end]
    assert all(event.payment_intent == events[0].payment_intent for event in events)


def test_a_refused_card_leaves_the_session_open(peer: StripePeer, adapter: StripeAdapter) -> None:
    session = open_session(adapter)
    peer.decline(session.id)
    peer.pay(session.id)
    first, *rest = told(adapter, peer)
    assert (first.kind, first.failure) == (EventKind.INTENT_FAILED, "card_declined")
    assert first.session_id is None and first.payment_intent
    assert kinds(rest) == [EventKind.SESSION_PAID]


def test_a_refund_in_parts_is_told_by_its_own_amount_and_never_above_the_charge(
    peer: StripePeer, adapter: StripeAdapter
) -> None:
    session = open_session(adapter)
    intent = peer.pay(session.id)["payment_intent"]
    peer.events.clear()
    first = adapter.refund(
        payment_intent=intent, amount=Vnd(50_000), metadata={"refund": "7"}, idempotency_key="r-7"
    )
    again = adapter.refund(
        payment_intent=intent, amount=Vnd(50_000), metadata={"refund": "7"}, idempotency_key="r-7"
    )
    assert first == again and first.status == "succeeded"
    with pytest.raises(StripeRefused):
        adapter.refund(
            payment_intent=intent, amount=Vnd(400_001), metadata={}, idempotency_key="r-8"
        )
    adapter.refund(payment_intent=intent, amount=Vnd(400_000), metadata={}, idempotency_key="r-8")
    with pytest.raises(StripeRefused):
        adapter.refund(payment_intent=intent, amount=Vnd(1), metadata={}, idempotency_key="r-9")

    events = told(adapter, peer)
    assert kinds(events) == [EventKind.REFUND_UPDATED, EventKind.CHARGE_REFUNDED] * 2
    refunds = [event for event in events if event.kind is EventKind.REFUND_UPDATED]
    assert [event.amount for event in refunds] == [Vnd(50_000), Vnd(400_000)]
    assert refunds[0].refund_id == first.id
    assert refunds[0].metadata == {"refund": "7"}
    # the charge's figure adds up over all refunds, so it is not given at all
    assert all(e.amount is None for e in events if e.kind is EventKind.CHARGE_REFUNDED)
    assert {event.payment_intent for event in events} == {intent}


def test_a_refund_that_came_back_says_failed(peer: StripePeer, adapter: StripeAdapter) -> None:
    intent = peer.pay(open_session(adapter).id)["payment_intent"]
    refund = adapter.refund(
        payment_intent=intent, amount=Vnd(450_000), metadata={}, idempotency_key="r-1"
    )
    peer.fail_refund(refund.id)
    last = told(adapter, peer)[-1]
    assert (last.kind, last.refund_id, last.refund_status) == (
        EventKind.REFUND_UPDATED,
        refund.id,
        "failed",
    )
    assert last.failure == "expired_or_canceled_card"


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_is_told_from_the_first_to_the_last_day(
    peer: StripePeer, adapter: StripeAdapter, won: bool
) -> None:
    intent = peer.pay(open_session(adapter).id)["payment_intent"]
    peer.events.clear()
    dispute = peer.dispute(intent)
    peer.close_dispute(dispute, won=won)
    events = told(adapter, peer)
    assert (
        kinds(events)
        == [
            EventKind.DISPUTE_OPENED,
            EventKind.FUNDS_WITHDRAWN,
            EventKind.DISPUTE_CLOSED,
        ]
        + [EventKind.FUNDS_REINSTATED] * won
    )
    assert {(e.dispute_id, e.payment_intent) for e in events} == {(dispute, intent)}
    assert all(event.amount_to_post() == Vnd(450_000) for event in events)
    assert events[-1].dispute_status == ("won" if won else "lost")


def event_of(type_: str, **about: object) -> bytes:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "amount_total": 450000,
        "currency": "vnd",
        "payment_status": "paid",
        "payment_intent": "pi_1",
    }
    event = {
        "id": "evt_1",
        "object": "event",
        "created": STAMP,
        "type": type_,
        "data": {"object": {**session, **about}},
    }
    return json.dumps(event).encode()


def read(raw: bytes, *, secrets: tuple[str, ...] = (SECRET,), header: str = "") -> StripeEvent:
    adapter = StripeAdapter("sk_test_none", webhook_secrets=secrets)
    signature = header or stripe.sign(raw, SECRET, STAMP)["Stripe-Signature"]
    return adapter.read_event(raw, signature, now=THEN)


def test_the_known_signature_is_made_and_accepted() -> None:
    raw = b'{"id":"evt_test","object":"event"}'
    mark = "8042376f6ca064adbe037642a718227dfd59047137eb49497a54c49eb0cfb724"
    assert stripe.sign(raw, SECRET, STAMP)["Stripe-Signature"] == f"t=1700000000,v1={mark}"
    # proved, but it says nothing
    with pytest.raises(UnreadableNotice):
        read(raw)


@pytest.mark.parametrize(
    ("type_", "status", "kind"),
    [
        ("checkout.session.completed", "paid", EventKind.SESSION_PAID),
        ("checkout.session.completed", "unpaid", EventKind.SESSION_PROCESSING),
        ("checkout.session.completed", "no_payment_required", EventKind.OTHER),
        ("checkout.session.completed", None, EventKind.OTHER),
        ("checkout.session.async_payment_succeeded", "paid", EventKind.SESSION_PAID),
        ("checkout.session.async_payment_succeeded", "unpaid", EventKind.SESSION_PROCESSING),
        ("checkout.session.async_payment_failed", "unpaid", EventKind.SESSION_FAILED),
        ("checkout.session.expired", "unpaid", EventKind.SESSION_EXPIRED),
        ("payout.paid", None, EventKind.OTHER),
    ],
)
def test_only_the_payment_status_makes_a_session_paid(
    type_: str, status: str | None, kind: EventKind
) -> None:
    assert read(event_of(type_, payment_status=status)).kind is kind


def test_another_currency_is_kept_but_never_posted() -> None:
    event = read(event_of("checkout.session.completed", currency="usd", amount_total=45000))
    assert (event.kind, event.currency, event.amount) == (EventKind.SESSION_PAID, "usd", None)
    with pytest.raises(ForeignCurrency):
        event.amount_to_post()


@pytest.mark.parametrize("amount", [450000.5, "450000", True, None])
def test_an_amount_that_is_no_whole_number_is_never_posted(amount: object) -> None:
    event = read(event_of("checkout.session.completed", amount_total=amount))
    with pytest.raises(ForeignCurrency):
        event.amount_to_post()


@pytest.mark.parametrize("amount", [0, -450000])
def test_an_amount_that_is_not_above_zero_is_never_posted(amount: int) -> None:
    event = read(event_of("checkout.session.completed", amount_total=amount))
    with pytest.raises(UnreadableNotice):
        event.amount_to_post()


def test_an_intent_given_in_full_counts_by_its_id() -> None:
    event = read(event_of("checkout.session.completed", payment_intent={"id": "pi_2"}))
    assert event.payment_intent == "pi_2"


def test_a_type_about_an_unexpected_object_is_not_acted_on() -> None:
    event = read(event_of("refund.updated", object="person"))
    assert (event.kind, event.type, event.object_id) == (EventKind.OTHER, "refund.updated", "cs_1")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1700000000",
        "v1=00",
        "t=1700000000,v1=00",
        "t=1700000000,v0={mark}",
        "t=1700000001,v1={mark}",
        "t= 1700000000,v1={mark}",
        "t=1700000000,t=1700000900,v1={mark}",
        "t=1700000000,v1={mark},t=1700000000",
        "t=1700000000,v1=é",
        "t=1700000000,v1={mark}\n",
        "garbage",
    ],
)
def test_a_notice_without_a_right_signature_is_refused(header: str) -> None:
    raw = event_of("checkout.session.completed")
    mark = stripe.sign(raw, SECRET, STAMP)["Stripe-Signature"].partition("v1=")[2]
    with pytest.raises(BadSignature):
        StripeAdapter("sk", webhook_secrets=[SECRET]).read_event(
            raw, header.replace("{mark}", mark), now=THEN
        )


def test_a_missing_header_a_wrong_secret_and_no_secret_are_refused() -> None:
    raw = event_of("checkout.session.completed")
    with pytest.raises(BadSignature):
        StripeAdapter("sk", webhook_secrets=[SECRET]).read_event(raw, None, now=THEN)
    for secrets in (("whsec_other",), (), ("", " ")):
        with pytest.raises(BadSignature):
            read(raw, secrets=secrets)


def test_either_of_two_secrets_is_accepted_during_a_rotation() -> None:
    raw = event_of("checkout.session.completed")
    assert read(raw, secrets=("whsec_new", SECRET)) == read(raw, secrets=(SECRET, "whsec_new"))
    with StripePeer(webhook_secrets=("whsec_old", "whsec_new")) as peer:
        session = open_session(adapter_for(peer))
        peer.lapse(session.id)
        for secret in ("whsec_old", "whsec_new"):
            adapter = adapter_for(peer, webhook_secrets=[secret])
            assert kinds(told(adapter, peer)) == [EventKind.SESSION_EXPIRED]


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_a_notice_of_another_time_is_refused(seconds: int) -> None:
    raw = event_of("checkout.session.completed")
    header = stripe.sign(raw, SECRET, STAMP)["Stripe-Signature"]
    adapter = StripeAdapter("sk", webhook_secrets=[SECRET])
    with pytest.raises(StaleNotice):
        adapter.read_event(raw, header, now=THEN + timedelta(seconds=seconds))
    assert adapter.read_event(raw, header, now=THEN + timedelta(seconds=300)).event_id == "evt_1"


def test_none_of_two_thousand_altered_notices_is_accepted() -> None:
    rng = random.Random(20261124)
    raw = event_of("checkout.session.completed")
    header = stripe.sign(raw, SECRET, STAMP)["Stripe-Signature"]
    adapter = StripeAdapter("sk", webhook_secrets=[SECRET])
    for _ in range(2_000):
        altered = bytearray(raw)
        altered[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        with pytest.raises(BadSignature):
            adapter.read_event(bytes(altered), header, now=THEN)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"object":"event"}',
        b"[" * 50_000,
        b'{"id":"evt_1","object":"event","type":"refund.created","created":1,"data":{}}',
        b'{"id":"evt_1","object":"event","type":5,"created":1,"data":{"object":{}}}',
        b'{"id":"evt_1","object":"event","type":"x","created":"y","data":{"object":{}}}',
        b'{"id":"evt_1","object":"event","type":"x","created":1,"data":{"object":[]}}',
        event_of("checkout.session.completed", id=None),
        event_of("checkout.session.completed", metadata=[1]),
    ],
    ids=lambda raw: str(raw[:40]) + str(len(raw)),
)
def test_a_signed_notice_of_another_shape_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableNotice):
        read(raw)


def test_a_notice_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableNotice, match="256 KB"):
        read(b" " * (256 * 1024 + 1))


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str], list[int]]]:
    """A place that takes notices: its address, the ids it saw, the answers it will give first."""
    seen: list[str] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            adapter = StripeAdapter("sk", webhook_secrets=[SECRET])
            now = datetime.now(UTC)
            seen.append(adapter.read_event(raw, self.headers["Stripe-Signature"], now=now).type)
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", seen, answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_peer_tries_again_sends_twice_and_keeps_no_order(
    listener: tuple[str, list[str], list[int]],
) -> None:
    address, seen, answers = listener
    answers += [500, 503]
    with StripePeer(webhook_url=address, pause=0.01) as peer:
        adapter = adapter_for(peer)
        session = open_session(adapter)
        peer.lapse(session.id)
        peer.drain()
        assert [delivery.status for delivery in peer.deliveries] == [500, 503, 200]
        assert seen == ["checkout.session.expired"] * 3

        seen.clear()
        peer.copies = 2
        peer.hold()
        peer.pay(open_session(adapter, idempotency_key="other").id)
        assert not seen
        peer.release()
        peer.drain()
        assert seen == [
            *["checkout.session.completed"] * 2,
            *["payment_intent.succeeded"] * 2,
            *["charge.succeeded"] * 2,
        ]


def test_the_hosted_page_pays_and_sends_the_payer_back(
    peer: StripePeer, adapter: StripeAdapter
) -> None:
    with StripePeer() as shop:
        target = open_session(adapter_for(shop)).url
        assert target is not None
        session = open_session(adapter, success_url=target + "?s={CHECKOUT_SESSION_ID}")
        assert session.url is not None
        with urllib.request.urlopen(session.url) as page:
            text = page.read().decode()
        assert 'lang="vi"' in text and "Thanh toán" in text and "450.000 ₫" in text
        with urllib.request.urlopen(session.url, data=b"do=pay") as landed:
            assert landed.url == f"{target}?s={session.id}"
    assert adapter.retrieve_session(session.id).payment_status == "paid"
    with pytest.raises(urllib.request.HTTPError) as twice:
        urllib.request.urlopen(session.url, data=b"do=pay")
    assert twice.value.code == 409
    twice.value.close()
