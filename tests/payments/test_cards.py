"""Card payments from the first click to the last dispute, with really signed events."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from app import create_app
from app.config import Settings
from app.core import clock, scope
from app.core.db import execute, rows, scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.payments import cards, gaps, jobs, queries
from app.money.payments.errors import CardOnItsWay, CardUnavailable, NoCardChannel, NothingDue
from app.money.payouts import jobs as payout_jobs
from app.money.payouts import queries as payout_queries
from app.money.payouts import services as payouts
from app.money.payouts.models import Kind, Way
from app.money.payouts.services import NewPayout
from app.people.schools import ChannelInfo
from app.people.schools.models import ChannelSecret
from tests.factories.money import Billed, billed_child, make_card_channel
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL
from tests.payments.books import assert_books_hold
from tests.peers.stripe_peer import StripePeer

SURCHARGE = 3_300


@pytest.fixture(scope="module")
def peer() -> Iterator[StripePeer]:
    with StripePeer() as running:
        yield running


@pytest.fixture(scope="module")
def app(
    database_url: str, peer: StripePeer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """The app with the environment's card account at the peer."""
    app = create_app(
        Settings(
            database_url=database_url,
            app_env="test",
            instance_path=tmp_path_factory.mktemp("instance"),
            stripe_api_key=peer.api_key,
            stripe_api_base=peer.base,
            stripe_webhook_secret=peer.webhook_secrets[0],
        )
    )
    yield app
    with app.app_context():
        db.engine.dispose()


@dataclass
class Case:
    """One child with a card channel, and the way Stripe talks to us."""

    child: Billed
    channel: ChannelInfo
    peer: StripePeer
    client: FlaskClient
    told: int

    def start(self, **changes: Any) -> str:
        """Open the card page; the session's id."""
        values: dict[str, Any] = {
            "channel": self.channel,
            "due": self.due(),
            "return_url": "http://127.0.0.1:9/pay/x/return",
            "cancel_url": "http://127.0.0.1:9/pay/x",
            "locale": "vi",
            "now": clock.now(),
            **changes,
        }
        with scope.opened(scope.one_school(self.school_id)):
            url = cards.start_card_payment(self.child.request, **values)
        return url.rpartition("/")[2]

    @property
    def school_id(self) -> int:
        return self.child.school.id

    def due(self) -> Vnd:
        with scope.opened(scope.one_school(self.school_id)):
            return billing.due(self.child.request)

    def new_events(self) -> list[dict[str, Any]]:
        """What Stripe would tell since the last time."""
        found = self.peer.events[self.told :]
        self.told = len(self.peer.events)
        return found

    def tell(self, *events: dict[str, Any], path: str = "/callbacks/stripe") -> list[str]:
        """Hand events over, really signed; the states of our answers."""
        states = []
        for event in events:
            raw, headers = self.peer.signed(event)
            answer = self.client.post(path, data=raw, headers=headers)
            assert answer.status_code == 200, answer.text
            states.append(answer.get_json()["state"])
        return states

    def pay(self) -> str:
        """Start, pay, and be told; the payment intent."""
        session = self.start()
        intent = self.peer.pay(session)["payment_intent"]
        self.tell(*self.new_events())
        return str(intent)

    def balance(self, account: str, *, own: bool = False) -> int:
        with scope.opened(scope.one_school(self.school_id)):
            student = self.child.student_id if own else None
            return ledger.balance(self.school_id, account, student_id=student).dong

    def payments(self) -> list[queries.PaymentRow]:
        with scope.opened(scope.one_school(self.school_id)):
            return queries.list_credits(self.school_id)[0]

    def attempt_state(self) -> str:
        with scope.opened(scope.one_school(self.school_id)):
            return str(
                scalar(
                    "select state from payment_attempts where school_id = :school_id"
                    " order by id desc limit 1",
                    school_id=self.school_id,
                )
            )

    def attention(self) -> list[str]:
        with scope.opened(scope.one_school(self.school_id)):
            return [notice.reason for notice in queries.attention_notices(self.school_id)]

    @property
    def clearing(self) -> int:
        return self.balance(f"clearing:{self.channel.id}")


@pytest.fixture
def case(context: Flask, peer: StripePeer, client: FlaskClient) -> Case:
    child = billed_child()
    channel = make_card_channel(child.school, surcharge_dong=SURCHARGE)
    return Case(child, channel, peer, client, len(peer.events))


# Opening


def test_the_page_asks_for_the_bill_and_its_surcharge(case: Case) -> None:
    session = case.start()
    kept = case.peer.objects[session]
    assert kept["amount_total"] == case.child.due + SURCHARGE
    assert kept["client_reference_id"] == case.child.request.reference
    assert kept["metadata"]["school"] == case.child.school.code
    call = case.peer.calls[-1]
    assert call.idempotency_key.startswith(f"req-{case.child.request.id}-attempt-")
    assert case.attempt_state() == "open"
    assert case.payments() == []


def test_the_surcharge_is_rounded_half_up(case: Case) -> None:
    channel = make_card_channel(case.child.school, surcharge_dong=500, surcharge_permille=25)
    assert cards.surcharge_of(channel, Vnd(778_775)) == Vnd(500 + 19_469)


def test_a_second_click_opens_no_second_page(case: Case) -> None:
    assert case.start() == case.start()
    with scope.opened(scope.one_school(case.school_id)):
        assert (
            scalar(
                "select count(*) from payment_attempts where school_id = :school_id",
                school_id=case.school_id,
            )
            == 1
        )


def test_a_changed_amount_closes_the_old_page(case: Case) -> None:
    old = case.start()
    new = case.start(due=Vnd(170_775))
    assert old != new
    assert case.peer.objects[old]["status"] == "expired"


def test_a_page_lost_on_the_way_is_asked_for_under_the_same_key(case: Case) -> None:
    before = len(case.peer.calls)
    session = case.start()
    with scope.opened(scope.one_school(case.school_id)), transaction():
        execute(
            "update payment_attempts set session_ref = null where school_id = :school_id",
            school_id=case.school_id,
        )
    assert case.start() == session
    keys = {call.idempotency_key for call in case.peer.calls[before:] if call.method == "POST"}
    assert len(keys) == 1


def test_a_provider_that_is_down_leaves_a_failed_try_and_a_clear_word(case: Case) -> None:
    case.peer.break_next(500, 500, 500)
    with pytest.raises(CardUnavailable):
        case.start()
    assert case.attempt_state() == "failed"
    case.peer._broken.clear()
    assert case.start() in case.peer.objects


def test_nothing_due_opens_nothing(case: Case) -> None:
    case.pay()
    with pytest.raises(NothingDue):
        case.start(due=case.due())


def test_a_payment_under_way_is_not_started_again(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    with pytest.raises(CardOnItsWay):
        case.start()


def test_a_school_without_keys_takes_no_card(case: Case, app: Flask) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = settings.model_copy(update={"stripe_api_key": ""})
    try:
        with scope.opened(scope.one_school(case.school_id)):
            assert cards.card_channel(case.school_id, NOON) is None
        with pytest.raises(NoCardChannel):
            case.start()
    finally:
        app.config["SETTINGS"] = settings
    with scope.opened(scope.one_school(case.school_id)):
        assert cards.card_channel(case.school_id, NOON) == case.channel


# Paid


def test_paid_is_booked_with_its_receipt(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    events = case.new_events()
    assert set(case.tell(*events)) == {"ignored", "posted"}

    (payment,) = case.payments()
    assert payment.amount == Vnd(case.child.due)
    assert payment.surcharge == Vnd(SURCHARGE)
    assert (payment.state, payment.money_state, payment.proof) == (
        "matched",
        "receipted",
        "provider",
    )
    assert payment.live_receipt is not None
    assert payment.live_receipt.amount == Vnd(case.child.due)
    assert payment.live_receipt.paper.method == "Thẻ ngân hàng"
    assert payment.external_id == case.peer.objects[session]["payment_intent"]
    assert case.due() == Vnd(0)
    assert case.clearing == case.child.due + SURCHARGE
    assert case.balance(f"surcharge:{case.channel.id}") == -SURCHARGE
    assert case.attempt_state() == "paid"
    assert_books_hold()


def test_repeats_and_two_events_about_one_payment_change_nothing(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    events = case.new_events()
    paid = next(e for e in events if e["type"] == "checkout.session.completed")
    again = {**paid, "id": "evt_other", "type": "checkout.session.async_payment_succeeded"}
    case.tell(*events, *events, again, again, paid)

    assert len(case.payments()) == 1
    assert case.clearing == case.child.due + SURCHARGE
    assert_books_hold()


@pytest.mark.parametrize("seed", range(4))
def test_any_order_gives_the_same_books(case: Case, seed: int) -> None:
    session = case.start()
    intent = case.peer.pay(session)["payment_intent"]
    with scope.opened(scope.one_school(case.school_id)):
        adapter = cards.adapter_of(case.channel, clock.now())
    for part in (100_000, 50_000):
        adapter.refund(
            payment_intent=intent, amount=Vnd(part), metadata={}, idempotency_key=f"{intent}{part}"
        )
    events = case.new_events() * 2
    random.Random(seed).shuffle(events)
    case.tell(*events)

    (payment,) = case.payments()
    assert payment.returned == Vnd(150_000)
    assert case.clearing == case.child.due + SURCHARGE - 150_000
    assert case.due() == Vnd(150_000)
    assert case.attention() == []
    assert_books_hold()


def test_money_that_takes_days_is_booked_when_it_comes(case: Case) -> None:
    session = case.start()
    case.peer.pay_later(session)
    case.tell(*case.new_events())
    assert case.attempt_state() == "processing"
    assert case.payments() == []
    with pytest.raises(CardOnItsWay):
        case.start()

    case.peer.settle(session, succeeded=True)
    case.tell(*case.new_events())
    assert case.attempt_state() == "paid"
    assert case.due() == Vnd(0)
    assert_books_hold()


def test_money_that_does_not_come_leaves_the_bill_open(case: Case) -> None:
    session = case.start()
    case.peer.pay_later(session)
    case.peer.settle(session, succeeded=False)
    case.tell(*case.new_events())
    assert case.attempt_state() == "failed"
    assert case.payments() == []
    assert case.due() == Vnd(case.child.due)


def test_a_refused_card_leaves_the_page_open(case: Case) -> None:
    session = case.start()
    case.peer.decline(session)
    assert case.tell(*case.new_events()) == ["ignored"]
    assert case.attempt_state() == "open"
    assert case.start() == session


def test_a_lapsed_page_closes_the_try_only(case: Case) -> None:
    session = case.start()
    case.peer.lapse(session)
    case.tell(*case.new_events())
    assert case.attempt_state() == "expired"
    assert case.start() != session


def test_a_late_end_of_the_page_does_not_undo_a_payment(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    paid = case.new_events()
    lapsed = {**paid[-1], "id": "evt_late", "type": "checkout.session.expired"}
    case.tell(*paid, lapsed)
    assert case.attempt_state() == "paid"


def test_another_amount_waits_in_suspense(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    paid = next(e for e in case.new_events() if e["type"] == "checkout.session.completed")
    paid["data"]["object"]["amount_total"] = 500_000
    assert case.tell(paid) == ["posted"]

    (payment,) = case.payments()
    assert (payment.state, payment.amount) == ("suspense", Vnd(500_000))
    assert case.balance(f"suspense:channel:{case.channel.id}") == -500_000
    assert case.due() == Vnd(case.child.due)
    with scope.opened(scope.one_school(case.school_id)):
        (item,) = queries.suspense_items(case.school_id)
        assert item.reason == "amount_differs"
        assert item.request == case.child.request
    assert_books_hold()


def test_another_currency_needs_a_person(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    paid = next(e for e in case.new_events() if e["type"] == "checkout.session.completed")
    paid["data"]["object"].update(currency="usd", amount_total=3_100)
    assert case.tell(paid) == ["needs_attention"]
    assert case.payments() == []
    assert case.attention() == ["foreign_currency"]


def test_a_session_that_is_not_ours_is_kept_and_answered(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    paid = next(e for e in case.new_events() if e["type"] == "checkout.session.completed")
    paid["data"]["object"].update(id="cs_test_of_somebody", payment_intent="pi_of_somebody")
    assert case.tell(paid) == ["needs_attention"]
    assert case.payments() == []
    # Filed by the reference it carries, and by nothing more believed.
    assert case.attention() == ["unknown_session"]


# Forged


def test_forged_and_stale_events_are_refused_and_not_kept(case: Case) -> None:
    session = case.start()
    case.peer.pay(session)
    paid = case.new_events()[-1]
    raw, headers = case.peer.signed(paid)
    stale_raw, stale = case.peer.signed(paid, timestamp=int(case.peer.clock()) - 400)
    for body, head in (
        (raw.replace(b"paid", b"paiD", 1), headers),
        (raw, {**headers, "Stripe-Signature": "t=1,v1=00"}),
        (raw, {"Content-Type": "application/json"}),
        (stale_raw, stale),
    ):
        answer = case.client.post("/callbacks/stripe", data=body, headers=head)
        assert answer.status_code == 400
        assert answer.get_json()["success"] is False
    assert case.payments() == []
    with scope.opened(scope.EVERY_SCHOOL):
        assert not rows("select id from inbox_notices where external_id = :id", id=paid["id"])


def test_a_body_without_end_is_not_read(case: Case) -> None:
    answer = case.client.post("/callbacks/stripe", data=b"x" * 300_000)
    assert answer.status_code == 413


def test_a_shape_that_is_not_stripes_is_refused(case: Case) -> None:
    raw = json.dumps({"id": "evt_x", "object": "event"}).encode()
    event = json.loads(raw)
    raw, headers = case.peer.signed(event)
    answer = case.client.post("/callbacks/stripe", data=raw, headers=headers)
    assert answer.status_code == 422


# A school's own channel


def test_a_school_with_its_own_account_is_told_at_its_own_address(
    case: Case, peer: StripePeer
) -> None:
    own = make_card_channel(
        case.child.school, api_key=peer.api_key, webhook_secret="whsec_of_the_school"
    )
    session = case.start(channel=own)
    peer.pay(session)
    events = case.new_events()
    address = f"/callbacks/stripe/{own.public_id}"
    raw, headers = peer.signed(events[-1])
    assert case.client.post(address, data=raw, headers=headers).status_code == 400

    secrets, peer.webhook_secrets = peer.webhook_secrets, ("whsec_of_the_school",)
    try:
        case.tell(*events, path=address)
        raw, headers = peer.signed(events[-1])
    finally:
        peer.webhook_secrets = secrets
    assert case.due() == Vnd(0)
    assert case.balance(f"clearing:{own.id}") == case.child.due
    assert case.client.post("/callbacks/stripe/no-such", data=raw).status_code == 404
    assert_books_hold()


def test_another_schools_channel_cannot_book_our_session(case: Case, peer: StripePeer) -> None:
    session = case.start()
    peer.pay(session)
    events = case.new_events()
    other = billed_child()
    own = make_card_channel(other.school, api_key=peer.api_key, webhook_secret="whsec_test_secret")
    states = case.tell(*events, path=f"/callbacks/stripe/{own.public_id}")
    assert "posted" not in states
    assert case.payments() == []


# Refunds and disputes


def refund(case: Case, intent: str, amount: int) -> str:
    with scope.opened(scope.one_school(case.school_id)):
        adapter = cards.adapter_of(case.channel, clock.now())
    return adapter.refund(
        payment_intent=intent,
        amount=Vnd(amount),
        metadata={},
        idempotency_key=f"refund-{intent}-{amount}",
    ).id


def test_a_full_refund_opens_the_bill_and_voids_the_receipt(case: Case) -> None:
    intent = case.pay()
    refund(case, intent, case.child.due + SURCHARGE)
    events = case.new_events()
    case.tell(*events, *events)

    (payment,) = case.payments()
    assert payment.state == "returned"
    assert payment.live_receipt is None
    assert [paper.state for paper in payment.receipts] == ["void"]
    assert case.due() == Vnd(case.child.due)
    assert case.clearing == 0
    with scope.opened(scope.one_school(case.school_id)):
        assert (
            scalar("select state from v_payment where payment_id = :id", id=payment.id)
            == "refunded"
        )
    assert_books_hold()


def test_a_part_refund_opens_the_newest_line_and_renews_the_receipt(case: Case) -> None:
    intent = case.pay()
    refund(case, intent, 100_000)
    case.tell(*case.new_events())

    (payment,) = case.payments()
    assert [paper.state for paper in payment.receipts] == ["replaced", "live"]
    assert payment.live_receipt is not None
    assert payment.live_receipt.amount == Vnd(case.child.due - 100_000)
    assert payment.live_receipt.paper.replaces == payment.receipts[0].full_number
    with scope.opened(scope.one_school(case.school_id)):
        found = billing.open_lines(case.school_id, [case.child.student_id])
    (line,) = found[case.child.student_id]
    assert (line.line_id, line.open) == (case.child.lines[-1], Vnd(100_000))
    assert_books_hold()


def test_several_refunds_never_take_more_than_was_paid(case: Case) -> None:
    intent = case.pay()
    first = refund(case, intent, 700_000)
    event = case.new_events()[0]
    assert event["data"]["object"]["id"] == first
    more = json.loads(json.dumps(event))
    more.update(id="evt_more")
    more["data"]["object"]["id"] = "re_more"
    assert case.tell(event, more) == ["posted", "needs_attention"]
    assert case.clearing == case.child.due + SURCHARGE - 700_000
    assert case.attention() == ["refused:more_than_paid"]
    assert_books_hold()


def test_a_refund_before_its_payment_waits_for_it(case: Case) -> None:
    session = case.start()
    intent = case.peer.pay(session)["payment_intent"]
    paid = case.new_events()
    refund(case, intent, 100_000)
    refunded = case.new_events()
    states = case.tell(*refunded)
    assert "needs_attention" in states
    assert case.payments() == []

    case.tell(*paid)
    (payment,) = case.payments()
    assert payment.returned == Vnd(100_000)
    assert case.due() == Vnd(100_000)
    assert case.attention() == []
    assert_books_hold()


def test_a_refund_the_bank_sent_back_pays_the_bill_again(case: Case) -> None:
    intent = case.pay()
    back = refund(case, intent, 100_000)
    case.tell(*case.new_events())
    case.peer.fail_refund(back)
    events = case.new_events()
    case.tell(*events, *events)

    (payment,) = case.payments()
    assert payment.returned == Vnd(0)
    assert case.due() == Vnd(0)
    assert payment.live_receipt is not None
    assert payment.live_receipt.amount == Vnd(case.child.due)
    assert_books_hold()


def test_the_end_of_a_refund_told_first_leaves_the_money(case: Case) -> None:
    intent = case.pay()
    back = refund(case, intent, 100_000)
    begun = case.new_events()
    case.peer.fail_refund(back)
    case.tell(*case.new_events(), *begun)
    (payment,) = case.payments()
    assert payment.returned == Vnd(0)
    assert case.due() == Vnd(0)
    assert_books_hold()


def test_a_lost_dispute_takes_the_money_for_good(case: Case) -> None:
    intent = case.pay()
    dispute = case.peer.dispute(intent)
    case.peer.close_dispute(dispute, won=False)
    case.tell(*case.new_events())

    (payment,) = case.payments()
    assert payment.state == "returned"
    assert case.due() == Vnd(case.child.due)
    assert case.clearing == 0
    assert_books_hold()


def test_a_won_dispute_pays_the_bill_again_with_a_new_receipt(case: Case) -> None:
    intent = case.pay()
    dispute = case.peer.dispute(intent)
    case.tell(*case.new_events())
    case.peer.close_dispute(dispute, won=True)
    events = case.new_events()
    case.tell(*events, *events)

    (payment,) = case.payments()
    assert payment.state == "matched"
    assert case.due() == Vnd(0)
    assert case.clearing == case.child.due + SURCHARGE
    assert [paper.state for paper in payment.receipts] == ["replaced", "live"]
    assert_books_hold()


def test_a_dispute_told_backwards_ends_the_same(case: Case) -> None:
    intent = case.pay()
    dispute = case.peer.dispute(intent)
    case.peer.close_dispute(dispute, won=True)
    case.tell(*reversed(case.new_events()))
    (payment,) = case.payments()
    assert payment.state == "matched"
    assert case.due() == Vnd(0)
    assert case.attention() == []
    assert_books_hold()


def test_money_that_came_in_another_way_meanwhile_stays_the_childs_credit(case: Case) -> None:

    from app.money.payments import cash
    from tests.factories.schools import ACCOUNTANT

    intent = case.pay()
    dispute = case.peer.dispute(intent)
    case.tell(*case.new_events())
    with scope.opened(scope.one_school(case.school_id)), transaction():
        cash.take_cash(
            case.school_id,
            requests=[case.child.request],
            ticked=case.child.lines,
            amount=Vnd(case.child.due),
            given=Vnd(case.child.due),
            payer="",
            till_id=case.child.school.till_id,
            key="meanwhile",
            actor=ACCOUNTANT,
            now=clock.now(),
        )
    case.peer.close_dispute(dispute, won=True)
    case.tell(*case.new_events())
    assert case.balance("credit", own=True) == -case.child.due
    assert_books_hold()


def test_old_tries_are_left_alone(case: Case) -> None:
    session = case.start()
    later = clock.now() + timedelta(hours=2)
    case.peer.lapse(session)
    assert case.start(now=later) != session


def test_a_fault_keeps_the_event_and_the_retry_posts_it(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_values: object) -> None:
        raise ZeroDivisionError

    session = case.start()
    case.peer.pay(session)
    paid = next(e for e in case.new_events() if e["type"] == "checkout.session.completed")
    with monkeypatch.context() as patch:
        patch.setattr(cards, "accept_many", broken)
        assert case.tell(paid) == ["needs_attention"]
    assert case.attention() == ["fault:ZeroDivisionError"]
    assert case.attempt_state() == "open"
    with scope.opened(scope.one_school(case.school_id)):
        assert jobs.retry_notices(case.school_id, now=clock.now()) == 1
    assert case.due() == Vnd(0)
    assert case.tell(paid) == ["posted"]
    assert_books_hold()


def test_an_event_filed_elsewhere_is_retried_in_the_right_school(case: Case) -> None:
    """A refund of a payment not seen yet is filed with some school; the job finds the right one."""
    session = case.start()
    intent = case.peer.pay(session)["payment_intent"]
    paid = case.new_events()
    refund(case, intent, 100_000)
    case.tell(*case.new_events())
    with scope.opened(scope.EVERY_SCHOOL):
        filed = scalar("select min(id) from schools")
    assert filed != case.school_id
    with scope.opened(scope.one_school(filed)):
        assert jobs.retry_notices(filed, now=clock.now()) == 0
    case.tell(*paid)
    assert case.payments()[0].returned == Vnd(100_000)
    with scope.opened(scope.one_school(filed)):
        assert jobs.retry_notices(filed, now=clock.now()) == 0
    assert_books_hold()


# What no event told


def test_events_that_never_came_are_found_by_asking(case: Case) -> None:
    give_own_key(case)
    session = case.start()
    case.peer.pay(session)
    case.new_events()
    with scope.opened(scope.one_school(case.school_id)):
        found = gaps.fill_gaps(case.school_id, now=clock.now())
        again = gaps.fill_gaps(case.school_id, now=clock.now())
    assert (found.found, again.found, found.silent) == (1, 0, ())
    assert case.due() == Vnd(0)
    assert_books_hold()


def give_own_key(case: Case) -> None:
    """The school's own account at the provider."""
    with scope.opened(scope.one_school(case.school_id)), transaction():
        for purpose, secret in (
            ("api", case.peer.api_key),
            ("webhook", case.peer.webhook_secrets[0]),
        ):
            db.session.execute(
                insert(ChannelSecret).values(
                    school_id=case.school_id,
                    channel_id=case.channel.id,
                    purpose=purpose,
                    secret=secret,
                    valid_from=NOON - timedelta(days=300),
                )
            )


def test_a_refund_to_the_card_is_asked_approved_sent_and_closed_by_its_event(case: Case) -> None:
    give_own_key(case)
    case.pay()
    [payment] = case.payments()
    too_much = Vnd(50_000)
    school_id = case.school_id
    with scope.opened(scope.one_school(school_id)), transaction():
        # The bill is corrected afterwards: a part of what was paid is credit.
        line = case.child.lines[0]
        pair = ledger.Pair("receivable", "credit", too_much, case.child.student_id, line)
        event = ledger.Event("credit_unapplied", "test", 1, [pair])
        ledger.post(school_id, event, booked_on=NOON.date(), now=NOON)
    wanted = NewPayout(
        Kind.REFUND,
        Way.CARD,
        case.child.student_id,
        too_much,
        "Phiếu thu đã được giảm",
        payment_id=payment.id,
    )
    with scope.opened(scope.one_school(school_id)):
        with transaction():
            [number] = payouts.ask(school_id, [wanted], actor=ACCOUNTANT, now=clock.now())
        with transaction():
            payouts.approve(school_id, number, actor=PRINCIPAL, now=clock.now())
        before = len(case.peer.calls)
        payout_jobs.send_card({"payout_id": number})
        payout_jobs.send_card({"payout_id": number})
        assert payout_queries.get_payout(school_id, number).step == "sent"
    assert [call.path for call in case.peer.calls[before:]] == ["/v1/refunds"]
    case.tell(*case.new_events())
    with scope.opened(scope.one_school(school_id)):
        assert payout_queries.get_payout(school_id, number).step == "paid"
    assert case.clearing == case.child.due + SURCHARGE - too_much.dong
    assert case.balance("credit") == case.balance("refund_payable") == 0
    assert case.balance("receivable") == too_much.dong
    assert [paper.state for one in case.payments() for paper in one.receipts] == ["live"]
    assert_books_hold()
