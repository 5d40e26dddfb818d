"""Stripe Checkout: card payments in whole đồng, and what Stripe's signed events say about them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import stripe
from flask_babel import gettext as _

from app.core.errors import Refused, TryAgain
from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, StaleNotice, UnreadableNotice

if TYPE_CHECKING:
    from stripe.checkout import Session
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem

PROVIDER: Final = "stripe"
#: what the library is pinned to; the endpoint at Stripe must be set to the same
API_VERSION: Final = "2026-10-28.endive"

Locale = Literal["vi", "en"]

_DONG: Final = "vnd"
_DRIFT: Final = timedelta(seconds=300)
_MOST_BYTES: Final = 256 * 1024
#: exactly one time, first: with two, the one proved and the one looked at could differ
_SIGNATURE: Final = re.compile(r"t=([0-9]{1,11})(?:,v[0-9]=[0-9a-f]+)+")
#: seconds: a parent waits, and so does a worker
_PATIENCE: Final = 10


class StripeUnreachable(TryAgain):
    """Stripe did not answer, or asks for patience; whether it acted is unknown, so keep the key."""

    code = "stripe_unreachable"

    def default_message(self) -> str:
        return _("Card payment cannot be reached just now. Try again in a minute.")


class StripeRefused(Refused):
    """Stripe answered no: a rule of theirs, a wrong key, a used idempotency key."""

    code = "stripe_refused"

    def default_message(self) -> str:
        return _("Card payment refused this request.")


class ForeignCurrency(Refused):
    """The event speaks of another currency than đồng and can never be posted as đồng."""

    code = "foreign_currency"

    def default_message(self) -> str:
        return _("This card payment is not in đồng; a person must look at it.")


class EventKind(StrEnum):
    """What an event means for us; the raw type stays beside it."""

    SESSION_PAID = "session_paid"
    SESSION_PROCESSING = "session_processing"
    SESSION_FAILED = "session_failed"
    SESSION_EXPIRED = "session_expired"
    INTENT_FAILED = "intent_failed"
    REFUND_UPDATED = "refund_updated"
    CHARGE_REFUNDED = "charge_refunded"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_UPDATED = "dispute_updated"
    DISPUTE_CLOSED = "dispute_closed"
    FUNDS_WITHDRAWN = "funds_withdrawn"
    FUNDS_REINSTATED = "funds_reinstated"
    OTHER = "other"


_KINDS: Final = {
    "checkout.session.async_payment_failed": EventKind.SESSION_FAILED,
    "checkout.session.expired": EventKind.SESSION_EXPIRED,
    "payment_intent.payment_failed": EventKind.INTENT_FAILED,
    "refund.created": EventKind.REFUND_UPDATED,
    "refund.updated": EventKind.REFUND_UPDATED,
    "refund.failed": EventKind.REFUND_UPDATED,
    "charge.refunded": EventKind.CHARGE_REFUNDED,
    "charge.dispute.created": EventKind.DISPUTE_OPENED,
    "charge.dispute.updated": EventKind.DISPUTE_UPDATED,
    "charge.dispute.closed": EventKind.DISPUTE_CLOSED,
    "charge.dispute.funds_withdrawn": EventKind.FUNDS_WITHDRAWN,
    "charge.dispute.funds_reinstated": EventKind.FUNDS_REINSTATED,
}
_MAY_BE_PAID: Final = ("checkout.session.completed", "checkout.session.async_payment_succeeded")


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """One try to pay, as Stripe keeps it."""

    id: str
    #: where the payer goes; None once the session is over
    url: str | None
    payment_intent: str | None
    expires_at: datetime
    #: open, complete, expired
    status: str
    #: paid, unpaid, no_payment_required
    payment_status: str
    #: None when Stripe took another currency
    amount: Vnd | None
    request_reference: str | None


@dataclass(frozen=True, slots=True)
class StripeRefund:
    """Money on its way back to the card."""

    id: str
    #: pending, requires_action, succeeded, failed, canceled
    status: str
    amount: Vnd


@dataclass(frozen=True, slots=True)
class StripeEvent:
    """One signed event. Whose money it is we ask our stored attempt, by session or intent."""

    event_id: str
    kind: EventKind
    type: str
    created_at: datetime
    livemode: bool
    #: cs_…, pi_…, re_…, ch_… or dp_…: what the event is about
    object_id: str
    session_id: str | None = None
    payment_intent: str | None = None
    charge_id: str | None = None
    #: of this object alone, in đồng; None for another currency and for cumulative figures
    amount: Vnd | None = None
    currency: str | None = None
    payment_status: str | None = None
    request_reference: str | None = None
    refund_id: str | None = None
    refund_status: str | None = None
    dispute_id: str | None = None
    dispute_status: str | None = None
    failure: str | None = None
    #: ours, echoed: good for a log line, never a ground to post
    metadata: Mapping[str, str] = field(default_factory=dict)

    def amount_to_post(self) -> Vnd:
        """The amount in đồng. Refuses another currency and an amount that is not above zero."""
        if self.currency != _DONG or self.amount is None:
            raise ForeignCurrency
        if self.amount <= Vnd(0):
            raise UnreadableNotice(_("The event names no amount above zero."))
        return self.amount


class StripeAdapter:
    """One Stripe account: a school's own channel, or the environment's for demo and tests."""

    def __init__(
        self,
        api_key: str,
        *,
        api_base: str | None = None,
        webhook_secrets: Sequence[str] = (),
        retries: int = 1,
    ) -> None:
        self._secrets = tuple(secret for secret in webhook_secrets if secret.strip())
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=_PATIENCE),
        )

    def create_session(
        self,
        *,
        request_reference: str,
        attempt_id: int,
        amount: Vnd,
        surcharge: Vnd,
        description: str,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
        expires_at: datetime,
        locale: Locale,
    ) -> CheckoutSession:
        """Open a hosted page for `amount` and, on its own line, `surcharge`.

        The same idempotency key with the same values gives the same session, so a retry after a
        crash opens no second one. `expires_at` is 30 minutes to 24 hours away, by Stripe's rule.
        """
        if amount <= Vnd(0) or surcharge < Vnd(0):
            raise StripeRefused(_("There is nothing to pay by card."))
        lines = [_line(description, amount)]
        if surcharge:
            lines.append(_line(_("Card surcharge"), surcharge))
        ours = {**metadata, "request": request_reference, "attempt": str(attempt_id)}
        params: SessionCreateParams = {
            "mode": "payment",
            "line_items": lines,
            "client_reference_id": request_reference,
            "metadata": ours,
            # the session's metadata does not reach the intent, the charge and its refunds
            "payment_intent_data": {"metadata": ours},
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
            "locale": locale,
        }
        with _translated():
            session = self._client.v1.checkout.sessions.create(
                params, {"idempotency_key": idempotency_key}
            )
        return _session(session)

    def retrieve_session(self, session_id: str) -> CheckoutSession:
        """The session as it stands now: the answer to a late, lost or doubtful event."""
        with _translated():
            session = self._client.v1.checkout.sessions.retrieve(session_id)
        return _session(session)

    def expire_session(self, session_id: str) -> CheckoutSession:
        """Close an open session so that nobody can pay it any more. Stripe refuses a closed one."""
        with _translated():
            session = self._client.v1.checkout.sessions.expire(session_id)
        return _session(session)

    def refund(
        self,
        *,
        payment_intent: str,
        amount: Vnd,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> StripeRefund:
        """Send `amount` back to the card. Stripe refuses more than is left of the payment."""
        with _translated():
            refund = self._client.v1.refunds.create(
                {
                    "payment_intent": payment_intent,
                    "amount": amount.dong,
                    "metadata": dict(metadata),
                },
                {"idempotency_key": idempotency_key},
            )
        return StripeRefund(refund.id, refund.status or "pending", Vnd(refund.amount))

    def events_since(self, since: datetime) -> Iterator[bytes]:
        """Bodies of the account's events from a moment on, oldest first, those we act on alone."""
        with _translated():
            listed = self._client.v1.events.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "types": [*_MAY_BE_PAID, *_KINDS],
                    "limit": 100,
                }
            )
            events = [json.dumps(one.to_dict()).encode() for one in listed.auto_paging_iter()]
        yield from reversed(events)

    def read_event(self, raw: bytes, signature_header: str | None, *, now: datetime) -> StripeEvent:
        """What a signed event says; either of two secrets serves while they are exchanged.

        Refuses a wrong signature (`BadSignature`), one more than five minutes off (`StaleNotice`)
        and a shape that is not Stripe's (`UnreadableNotice`). An event we do not act on is `OTHER`.
        """
        if len(raw) > _MOST_BYTES:
            raise UnreadableNotice(_("The notice is larger than 256 KB."))
        signature = _SIGNATURE.fullmatch(signature_header or "")
        if signature is None:
            raise BadSignature
        event = self._proved(raw, signature[0])
        if abs(now - datetime.fromtimestamp(int(signature[1]), UTC)) > _DRIFT:
            raise StaleNotice
        try:
            return _event(event.to_dict())
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as reason:
            raise UnreadableNotice from reason

    def _proved(self, raw: bytes, header: str) -> stripe.Event:
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as reason:
            raise BadSignature from reason
        for secret in self._secrets:
            try:
                # the library's own look at the clock is off: read_event looks, and both ways
                return self._client.construct_event(raw, header, secret, tolerance=0)
            except stripe.SignatureVerificationError:
                continue
            except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as reason:
                raise UnreadableNotice from reason
        raise BadSignature


def parse(raw: bytes) -> StripeEvent:
    """What a body says that was proved before and kept; refuses a shape that is not Stripe's."""
    try:
        return _event(json.loads(raw))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise UnreadableNotice from reason


def sign(raw: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """The headers Stripe would send with `raw` at `timestamp` (unix seconds)."""
    signature = stripe.WebhookSignature.generate_signature_header(raw.decode(), secret, timestamp)
    return {"Content-Type": "application/json", "Stripe-Signature": signature}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as reason:
        raise StripeUnreachable from reason
    except stripe.StripeError as reason:
        if (reason.http_status or 500) >= 500 or reason.http_status == 409:
            raise StripeUnreachable from reason
        raise StripeRefused from reason


def _line(name: str, amount: Vnd) -> SessionCreateParamsLineItem:
    return {
        "quantity": 1,
        # đồng has no smaller unit: never times one hundred
        "price_data": {
            "currency": _DONG,
            "unit_amount": amount.dong,
            "product_data": {"name": name},
        },
    }


def _session(session: Session) -> CheckoutSession:
    intent = session.payment_intent
    return CheckoutSession(
        id=session.id,
        url=session.url,
        payment_intent=intent if isinstance(intent, str) or intent is None else intent.id,
        expires_at=datetime.fromtimestamp(session.expires_at, UTC),
        status=session.status or "open",
        payment_status=session.payment_status,
        amount=_amount(session.currency, session.amount_total),
        request_reference=session.client_reference_id,
    )


def _amount(currency: object, value: object) -> Vnd | None:
    return Vnd(value) if currency == _DONG and type(value) is int else None


def _event(event: Mapping[str, Any]) -> StripeEvent:
    about: Mapping[str, Any] = event["data"]["object"]
    kind = _kind(event["type"], about)
    created = datetime.fromtimestamp(event["created"], UTC)
    head = (_text(event["id"]), kind, _text(event["type"]), created, event.get("livemode") is True)
    return _READERS.get(str(about.get("object")), _about_other)(head, about)


_Head = tuple[str, EventKind, str, datetime, bool]


def _kind(type_: str, about: Mapping[str, Any]) -> EventKind:
    if type_ not in _MAY_BE_PAID:
        return _KINDS.get(type_, EventKind.OTHER)
    # "completed" only means that the page was left; the money may still be on its way
    status = about.get("payment_status")
    if status == "paid":
        return EventKind.SESSION_PAID
    return EventKind.SESSION_PROCESSING if status == "unpaid" else EventKind.OTHER


def _about_session(head: _Head, session: Mapping[str, Any]) -> StripeEvent:
    return StripeEvent(
        *head,
        object_id=_text(session["id"]),
        session_id=_text(session["id"]),
        payment_intent=_id(session.get("payment_intent")),
        amount=_amount(session.get("currency"), session.get("amount_total")),
        currency=session.get("currency"),
        payment_status=session.get("payment_status"),
        request_reference=session.get("client_reference_id"),
        metadata=_metadata(session),
    )


def _about_intent(head: _Head, intent: Mapping[str, Any]) -> StripeEvent:
    failure = intent.get("last_payment_error") or {}
    return StripeEvent(
        *head,
        object_id=_text(intent["id"]),
        payment_intent=_text(intent["id"]),
        charge_id=_id(intent.get("latest_charge")),
        amount=_amount(intent.get("currency"), intent.get("amount")),
        currency=intent.get("currency"),
        failure=failure.get("code"),
        metadata=_metadata(intent),
    )


def _about_refund(head: _Head, refund: Mapping[str, Any]) -> StripeEvent:
    return StripeEvent(
        *head,
        object_id=_text(refund["id"]),
        payment_intent=_id(refund.get("payment_intent")),
        charge_id=_id(refund.get("charge")),
        amount=_amount(refund.get("currency"), refund.get("amount")),
        currency=refund.get("currency"),
        refund_id=_text(refund["id"]),
        refund_status=refund.get("status"),
        failure=refund.get("failure_reason"),
        metadata=_metadata(refund),
    )


def _about_charge(head: _Head, charge: Mapping[str, Any]) -> StripeEvent:
    # amount_refunded adds up over all refunds: it is no amount of this event
    return StripeEvent(
        *head,
        object_id=_text(charge["id"]),
        payment_intent=_id(charge.get("payment_intent")),
        charge_id=_text(charge["id"]),
        currency=charge.get("currency"),
        metadata=_metadata(charge),
    )


def _about_dispute(head: _Head, dispute: Mapping[str, Any]) -> StripeEvent:
    return StripeEvent(
        *head,
        object_id=_text(dispute["id"]),
        payment_intent=_id(dispute.get("payment_intent")),
        charge_id=_id(dispute.get("charge")),
        amount=_amount(dispute.get("currency"), dispute.get("amount")),
        currency=dispute.get("currency"),
        dispute_id=_text(dispute["id"]),
        dispute_status=dispute.get("status"),
        failure=dispute.get("reason"),
        metadata=_metadata(dispute),
    )


def _about_other(head: _Head, about: Mapping[str, Any]) -> StripeEvent:
    event_id, _kind_seen, type_, created, livemode = head
    # a type we act on, about an object it is never about, is not acted on
    return StripeEvent(
        event_id, EventKind.OTHER, type_, created, livemode, object_id=str(about.get("id") or "")
    )


_READERS: Final[Mapping[str, Callable[[_Head, Mapping[str, Any]], StripeEvent]]] = {
    "checkout.session": _about_session,
    "payment_intent": _about_intent,
    "refund": _about_refund,
    "charge": _about_charge,
    "dispute": _about_dispute,
}


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("an id of Stripe is a text")
    return value


def _id(value: object) -> str | None:
    """An id, whether the object came as such or in full."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else None


def _metadata(about: Mapping[str, Any]) -> Mapping[str, str]:
    given = about.get("metadata") or {}
    return MappingProxyType({str(name): str(value) for name, value in given.items()})
