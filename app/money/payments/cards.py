"""Card payments: a try is opened here, and what the provider's signed events make of it (M12)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import current_app
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from app import audit
from app.core import clock
from app.core.db import MOMENT, VND, execute, for_update, row, rows, savepoint, scalar, transaction
from app.core.errors import DomainError, TryAgain
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.money import billing
from app.money.ledger import chart
from app.money.payments.adapters import stripe
from app.money.payments.adapters.stripe import (
    EventKind,
    ForeignCurrency,
    Locale,
    StripeAdapter,
    StripeEvent,
    StripeRefused,
    StripeUnreachable,
)
from app.money.payments.errors import CardOnItsWay, CardUnavailable, NoCardChannel, NothingDue
from app.money.payments.inbox import (
    Outcome,
    find_payment,
    keep_notice,
    latest_state,
    lock_body,
    settle_notice,
)
from app.money.payments.models import (
    AttemptAddress,
    AttemptState,
    Method,
    OutcomeState,
    PaymentAttempt,
)
from app.money.payments.posting import Accepted, Credit, accept_many
from app.money.payments.reversals import reinstate_payment, reverse_payment
from app.people.schools import ChannelInfo, Provider, channels_of, school_info, secrets_of

log = logging.getLogger("sothu.cards")

#: the address of the environment's one channel (demo and tests)
ENVIRONMENT: Final = "stripe"
#: how long a payment page stays open; the provider wants 30 minutes to 24 hours
PAGE_OPEN: Final = timedelta(hours=1)
#: a try without its page is asked for again under the same key for so long, then given up
SAME_KEY: Final = timedelta(minutes=20)


# Channels


def environment_adapter() -> StripeAdapter | None:
    """The environment's own Stripe account; none in production, where each school has its own."""
    settings = current_app.config["SETTINGS"]
    if settings.app_env == "production" or not settings.stripe_webhook_secret:
        return None
    return StripeAdapter(
        settings.stripe_api_key or "sk_test_none",
        api_base=settings.stripe_api_base or None,
        webhook_secrets=[settings.stripe_webhook_secret],
    )


def adapter_of(channel: ChannelInfo, now: datetime) -> StripeAdapter:
    """The adapter with a channel's own key and secrets, else the environment's.

    Refuses a channel that has neither.
    """
    settings = current_app.config["SETTINGS"]
    keys = secrets_of(channel.school_id, channel.id, "api", now)
    hooks = secrets_of(channel.school_id, channel.id, "webhook", now)
    if keys or hooks:
        return StripeAdapter(
            keys[0] if keys else "sk_test_none",
            api_base=settings.stripe_api_base or None,
            webhook_secrets=hooks,
        )
    adapter = environment_adapter()
    if adapter is None or not settings.stripe_api_key:
        raise NoCardChannel
    return adapter


def card_channel(school_id: int, now: datetime) -> ChannelInfo | None:
    """The school's way to take cards at this moment; None hides the choice from payers."""
    settings = current_app.config["SETTINGS"]
    has_own = settings.app_env != "production" and bool(
        settings.stripe_api_key and settings.stripe_webhook_secret
    )
    for channel in channels_of(school_id, clock.local_day(now)):
        if channel.provider != Provider.STRIPE:
            continue
        if has_own or secrets_of(school_id, channel.id, "api", now):
            return channel
    return None


def surcharge_of(channel: ChannelInfo, due: Vnd) -> Vnd:
    """What the payer is charged on top, half up; to be shown before choosing."""
    return Vnd(channel.surcharge_dong + (due.dong * channel.surcharge_permille + 500) // 1000)


# Opening a try


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: int
    request_id: int
    channel_id: int
    amount: Vnd
    surcharge: Vnd
    state: AttemptState
    session_ref: str | None
    created_at: datetime


_ATTEMPT: Final = (
    "select id, request_id, channel_id, amount, surcharge, state, session_ref, created_at"
    " from payment_attempts where school_id = :school_id"
)
_ATTEMPT_TYPES: Final = {"amount": VND, "surcharge": VND, "created_at": MOMENT}


def start_card_payment(
    request: billing.Request,
    *,
    channel: ChannelInfo,
    due: Vnd,
    return_url: str,
    cancel_url: str,
    locale: Locale,
    now: datetime,
) -> str:
    """Open the provider's page for `due` and its surcharge, and return its address.

    An open page for the same amount is given again, so that a second click opens no second try.
    Refuses a bill with nothing due, a card payment under way, and a provider that does not answer
    (the try is kept as failed). Commits by itself, twice: the provider must never be called inside
    a transaction, and the try must be known before its money can come.
    """
    if due <= ZERO:
        raise NothingDue
    adapter = adapter_of(channel, now)
    url, attempt = _reuse(request, channel, due, adapter, now)
    if url:
        return url
    if attempt is None:
        with transaction():
            attempt = _open_attempt(request, channel, due, now)
    school = school_info(request.school_id, clock.local_day(now))
    # Reading left a transaction open; it ends before the provider is asked.
    db.session.rollback()
    try:
        session = adapter.create_session(
            request_reference=request.reference,
            attempt_id=attempt.id,
            amount=attempt.amount,
            surcharge=attempt.surcharge,
            description=f"{school.short_name} {request.reference}",
            success_url=return_url,
            cancel_url=cancel_url,
            metadata={"school": school.code},
            idempotency_key=_key(attempt),
            expires_at=attempt.created_at + PAGE_OPEN,
            locale=locale,
        )
    except (StripeUnreachable, StripeRefused) as reason:
        log.warning("attempt %s was not opened: %s", attempt.id, reason.__cause__ or reason)
        with transaction():
            _move(request.school_id, attempt.id, AttemptState.FAILED, now)
        raise CardUnavailable from reason
    with transaction():
        execute(
            "update payment_attempts set session_ref = :ref where school_id = :school_id"
            " and id = :id",
            school_id=request.school_id,
            id=attempt.id,
            ref=session.id,
        )
        _remember(request.school_id, attempt.id, session.id)
        if session.payment_intent:
            _remember(request.school_id, attempt.id, session.payment_intent)
    if not session.url:
        raise CardUnavailable
    return session.url


def _reuse(
    request: billing.Request,
    channel: ChannelInfo,
    due: Vnd,
    adapter: StripeAdapter,
    now: datetime,
) -> tuple[str, _Attempt | None]:
    """The address of an open page for this amount, or a try that lost its page on the way."""
    found = rows(
        f"{_ATTEMPT} and request_id = :request and state in ('open', 'processing')"
        " and created_at > :since order by id desc",
        types=_ATTEMPT_TYPES,
        school_id=request.school_id,
        request=request.id,
        since=now - timedelta(days=14),
    )
    attempts = [_Attempt(*attempt) for attempt in found]
    if any(attempt.state == AttemptState.PROCESSING for attempt in attempts):
        raise CardOnItsWay
    db.session.rollback()
    surcharge = surcharge_of(channel, due)
    for attempt in attempts:
        fits = (attempt.amount, attempt.surcharge, attempt.channel_id) == (
            due,
            surcharge,
            channel.id,
        )
        if attempt.session_ref is None:
            if fits and now - attempt.created_at < SAME_KEY:
                return "", attempt
            continue
        if now - attempt.created_at > PAGE_OPEN:
            continue
        try:
            session = adapter.retrieve_session(attempt.session_ref)
            if session.status == "complete":
                raise CardOnItsWay
            if session.status == "open" and fits and session.url:
                return session.url, None
            if session.status == "open":
                # The amount has changed: nobody may pay the old one any more.
                adapter.expire_session(attempt.session_ref)
        except (StripeUnreachable, StripeRefused) as reason:
            log.warning("attempt %s could not be looked at: %s", attempt.id, reason)
    return "", None


def _open_attempt(
    request: billing.Request, channel: ChannelInfo, due: Vnd, now: datetime
) -> _Attempt:
    surcharge = surcharge_of(channel, due)
    attempt_id = db.session.scalar(
        insert(PaymentAttempt)
        .values(
            school_id=request.school_id,
            request_id=request.id,
            channel_id=channel.id,
            amount=due,
            surcharge=surcharge,
            state=AttemptState.OPEN,
            created_at=now,
        )
        .returning(PaymentAttempt.id)
    )
    audit.record(
        "card.start",
        f"payment_attempt:{attempt_id}",
        actor=audit.MACHINE,
        school_id=request.school_id,
        now=now,
        cause=f"payment_request:{request.id}",
    )
    return _Attempt(
        int(attempt_id or 0),
        request.id,
        channel.id,
        due,
        surcharge,
        AttemptState.OPEN,
        None,
        now,
    )


def _key(attempt: _Attempt) -> str:
    # The second makes it differ from a try of the same number before a restored backup.
    moment = int(attempt.created_at.timestamp())
    return f"req-{attempt.request_id}-attempt-{attempt.id}-{moment}"


def _remember(school_id: int, attempt_id: int, provider_ref: str) -> None:
    known = scalar(
        "select count(*) from attempt_addresses where provider_ref = :ref", ref=provider_ref
    )
    if not known:
        db.session.execute(
            insert(AttemptAddress).values(
                provider_ref=provider_ref, school_id=school_id, attempt_id=attempt_id
            )
        )


def _move(school_id: int, attempt_id: int, state: AttemptState, now: datetime) -> None:
    closed = None if state in (AttemptState.OPEN, AttemptState.PROCESSING) else now
    execute(
        "update payment_attempts set state = :state, closed_at = :closed"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=attempt_id,
        state=state,
        closed=closed,
    )


# Events


def school_of_event(event: StripeEvent) -> int | None:
    """The school whose stored try an event is about; metadata is never asked."""
    for ref in (event.session_id, event.payment_intent):
        if ref:
            found = scalar(
                "select school_id from attempt_addresses where provider_ref = :ref", ref=ref
            )
            if found is not None:
                return int(found)
    return None


def school_of_kept(notice_id: int) -> int | None:
    """The same for an event in the inbox."""
    stored = row("select body from inbox_payloads where notice_id = :id", id=notice_id)
    return None if stored is None else school_of_event(stripe.parse(bytes(stored.body)))


def filing_school(event: StripeEvent) -> int | None:
    """Where an event without a stored try is listed for a person; no ground to post anything."""
    reference = event.request_reference or event.metadata.get("request", "")
    return billing.school_of_code(reference) if reference else None


_ABOUT_A_PAYMENT: Final = (
    EventKind.REFUND_UPDATED,
    EventKind.FUNDS_WITHDRAWN,
    EventKind.FUNDS_REINSTATED,
)


def keep_untraced(
    event: StripeEvent, *, raw: bytes, headers: Mapping[str, str], now: datetime
) -> Outcome:
    """Keep a signed event that no school can be found for, until its payment is known.

    The caller commits.
    """
    notice_id, latest = keep_notice(
        provider=stripe.PROVIDER,
        channel=ENVIRONMENT,
        external_id=event.event_id,
        school_id=None,
        raw=raw,
        headers=headers,
        now=now,
    )
    if latest is not None:
        return Outcome(latest, "repeat", is_repeat=True)
    speaks_of = event.kind in _ABOUT_A_PAYMENT and event.payment_intent
    outcome = _attention(_waits_for(speaks_of) if speaks_of else "unknown_session")
    settle_notice(notice_id, outcome.state, outcome.reason, payment_id=None, now=now)
    return outcome


def accept_stripe_event(
    event: StripeEvent,
    *,
    school_id: int,
    channel: str,
    channel_id: int | None,
    raw: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> Outcome:
    """Keep a signed event and act on it; a repeat of the event or of its meaning changes nothing.

    `channel` is the address it came by, `channel_id` the school's own channel (None for the
    environment's). Never refuses a signed event: what cannot be posted is kept as
    `needs_attention`. The caller commits.
    """
    notice_id, latest = keep_notice(
        provider=stripe.PROVIDER,
        channel=channel,
        external_id=event.event_id,
        school_id=school_id,
        raw=raw,
        headers=headers,
        now=now,
    )
    if latest is not None:
        return Outcome(latest, "repeat", is_repeat=True)
    return _settle(notice_id, event, school_id, channel_id, now)


def retry_event(
    notice_id: int, *, school_id: int, channel_id: int | None, now: datetime
) -> Outcome:
    """Act on a kept event again from its stored body. The caller commits."""
    body = lock_body(notice_id)
    latest = latest_state(notice_id)
    if body is None or latest is not OutcomeState.NEEDS_ATTENTION:
        return Outcome(latest or OutcomeState.NEEDS_ATTENTION, "repeat", is_repeat=True)
    event = stripe.parse(body)
    school_id = school_of_event(event) or school_id
    return _settle(notice_id, event, school_id, channel_id, now)


def _settle(
    notice_id: int, event: StripeEvent, school_id: int, channel_id: int | None, now: datetime
) -> Outcome:
    try:
        with savepoint():
            outcome, payment_id = _act(event, school_id, channel_id, now)
    except TryAgain:
        raise
    except ForeignCurrency:
        outcome, payment_id = _attention("foreign_currency"), None
    except DomainError as refusal:
        outcome, payment_id = _attention(f"refused:{refusal.code}"), None
    except Exception as fault:  # a fault of ours must not lose an event: it is kept and retried
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            raise
        log.exception("notice %s could not be posted", notice_id)
        outcome, payment_id = _attention(f"fault:{type(fault).__name__}"), None
    settle_notice(notice_id, outcome.state, outcome.reason, payment_id=payment_id, now=now)
    if outcome.state is OutcomeState.POSTED:
        for ref in (event.payment_intent, event.dispute_id):
            if ref:
                _settle_waiting(ref, school_id, channel_id, now)
    return outcome


def _settle_waiting(ref: str, school_id: int, channel_id: int | None, now: datetime) -> None:
    """Events that came before what they speak of are acted on now."""
    waiting = rows(
        "select n.id from inbox_notices n join inbox_outcomes o on o.notice_id = n.id"
        " where n.provider = 'stripe' and o.state = 'needs_attention' and o.reason = :reason"
        " and o.id = (select max(l.id) from inbox_outcomes l where l.notice_id = n.id)"
        " order by n.id",
        reason=_waits_for(ref),
    )
    for notice in waiting:
        retry_event(int(notice.id), school_id=school_id, channel_id=channel_id, now=now)


def _waits_for(ref: str) -> str:
    return f"waits_for:{ref}"


def _attention(reason: str) -> Outcome:
    return Outcome(OutcomeState.NEEDS_ATTENTION, reason)


def _ignored(reason: str) -> Outcome:
    return Outcome(OutcomeState.IGNORED, reason)


_Acted = tuple[Outcome, int | None]


def _act(event: StripeEvent, school_id: int, channel_id: int | None, now: datetime) -> _Acted:
    kind = event.kind
    if kind in _SESSION_STATES or kind is EventKind.SESSION_PAID:
        return _about_session(event, school_id, channel_id, now)
    if kind is EventKind.INTENT_FAILED:
        # The page stays open for another card; nothing changes for us.
        return _ignored("card_declined"), None
    if kind is EventKind.REFUND_UPDATED:
        return _about_refund(event, school_id, channel_id, now)
    if kind in (EventKind.FUNDS_WITHDRAWN, EventKind.FUNDS_REINSTATED):
        return _about_dispute(event, school_id, channel_id, now)
    return _ignored("no_money_moved" if kind is not EventKind.OTHER else "not_used"), None


_SESSION_STATES: Final = {
    EventKind.SESSION_PROCESSING: AttemptState.PROCESSING,
    EventKind.SESSION_FAILED: AttemptState.FAILED,
    EventKind.SESSION_EXPIRED: AttemptState.EXPIRED,
}


def _about_session(
    event: StripeEvent, school_id: int, channel_id: int | None, now: datetime
) -> _Acted:
    attempt = _lock_attempt(school_id, event.session_id or "")
    if attempt is None:
        return _attention("unknown_session"), None
    if channel_id is not None and attempt.channel_id != channel_id:
        return _attention("other_channel"), None
    if event.payment_intent:
        _remember(school_id, attempt.id, event.payment_intent)
    if event.kind is EventKind.SESSION_PAID:
        return _book(event, school_id, attempt, now)
    if attempt.state in (AttemptState.OPEN, AttemptState.PROCESSING):
        _move(school_id, attempt.id, _SESSION_STATES[event.kind], now)
    return _ignored(f"attempt_{_SESSION_STATES[event.kind]}"), None


def _lock_attempt(school_id: int, session_id: str) -> _Attempt | None:
    found = row(
        f"{_ATTEMPT} and session_ref = :ref{for_update()}",
        types=_ATTEMPT_TYPES,
        school_id=school_id,
        ref=session_id,
    )
    return None if found is None else _Attempt(*found)


def _book(event: StripeEvent, school_id: int, attempt: _Attempt, now: datetime) -> _Acted:
    for ref in (event.payment_intent, event.session_id):
        known = ref and find_payment(school_id, attempt.channel_id, stripe.PROVIDER, ref)
        if known:
            return Outcome(OutcomeState.POSTED, "known", is_repeat=True), int(known)
    paid = event.amount_to_post()
    is_exact = paid == attempt.amount + attempt.surcharge
    request = _request_of(school_id, attempt.request_id)
    accepted = accept_many(
        school_id,
        [
            Credit(
                provider=stripe.PROVIDER,
                channel_id=attempt.channel_id,
                external_id=event.payment_intent or event.object_id,
                method=Method.CARD,
                amount=attempt.amount if is_exact else paid,
                occurred_at=event.created_at,
                value_on=clock.local_day(event.created_at),
                debit=chart.clearing(attempt.channel_id),
                place=f"channel:{attempt.channel_id}",
                proof="provider",
                surcharge=attempt.surcharge if is_exact else ZERO,
                # Another amount than was asked for needs a person, who finds the code here.
                bank_ref="" if is_exact else request.reference,
                requests=(request,) if is_exact else (),
                rule="attempt",
            )
        ],
        actor=audit.MACHINE,
        now=now,
    )[0]
    _move(school_id, attempt.id, AttemptState.PAID, now)
    if event.payment_intent:
        execute(
            "update payment_attempts set intent_ref = :ref where school_id = :school_id"
            " and id = :id",
            school_id=school_id,
            id=attempt.id,
            ref=event.payment_intent,
        )
    return _posted("matched" if is_exact else "amount_differs", accepted), accepted.payment_id


def _posted(reason: str, accepted: Accepted) -> Outcome:
    return Outcome(OutcomeState.POSTED, reason, accepted)


def _request_of(school_id: int, request_id: int) -> billing.Request:
    reference = scalar(
        "select reference from payment_requests where school_id = :school_id and id = :id",
        school_id=school_id,
        id=request_id,
    )
    return billing.requests_by_reference(school_id, [reference])[reference]


def _payment_of(school_id: int, channel_id: int | None, intent: str | None) -> int | None:
    only = " and channel_id = :channel" if channel_id is not None else ""
    parameters = {} if channel_id is None else {"channel": channel_id}
    found = scalar(
        "select id from payments where school_id = :school_id and provider = 'stripe'"
        f" and external_id = :ref{only}",
        school_id=school_id,
        ref=intent or "",
        **parameters,
    )
    return None if found is None else int(found)


def _has_reversal(payment_id: int, school_id: int, kind: str, external_id: str) -> bool:
    return bool(
        scalar(
            "select count(*) from reversals where school_id = :school_id"
            " and payment_id = :payment and kind = :kind and external_id = :id",
            school_id=school_id,
            payment=payment_id,
            kind=kind,
            id=external_id,
        )
    )


def _about_refund(
    event: StripeEvent, school_id: int, channel_id: int | None, now: datetime
) -> _Acted:
    refund = event.refund_id or event.object_id
    if event.refund_status not in ("succeeded", "failed", "canceled"):
        return _ignored("refund_pending"), None
    payment_id = _payment_of(school_id, channel_id, event.payment_intent)
    if payment_id is None:
        if event.refund_status != "succeeded":
            return _ignored(f"refund_failed:{refund}"), None
        return _attention(_waits_for(event.payment_intent or refund)), None
    amount = event.amount_to_post()
    if event.refund_status == "succeeded":
        if _failed_before(refund):
            return _ignored("refund_failed_later"), payment_id
        reverse_payment(
            school_id,
            payment_id,
            amount=amount,
            kind="refund",
            external_id=refund,
            actor=audit.MACHINE,
            now=now,
        )
        return Outcome(OutcomeState.POSTED, "refunded"), payment_id
    if not _has_reversal(payment_id, school_id, "refund", refund):
        return _ignored(f"refund_failed:{refund}"), payment_id
    reinstate_payment(
        school_id, payment_id, amount=amount, external_id=refund, actor=audit.MACHINE, now=now
    )
    return Outcome(OutcomeState.POSTED, "refund_came_back"), payment_id


def _failed_before(refund: str) -> bool:
    """Whether the end of this refund was told before its beginning: order is never promised."""
    return bool(
        scalar(
            "select count(*) from inbox_outcomes where reason = :reason",
            reason=f"refund_failed:{refund}",
        )
    )


def _about_dispute(
    event: StripeEvent, school_id: int, channel_id: int | None, now: datetime
) -> _Acted:
    dispute = event.dispute_id or event.object_id
    payment_id = _payment_of(school_id, channel_id, event.payment_intent)
    if payment_id is None:
        return _attention(_waits_for(event.payment_intent or dispute)), None
    amount = event.amount_to_post()
    if event.kind is EventKind.FUNDS_WITHDRAWN:
        reverse_payment(
            school_id,
            payment_id,
            amount=amount,
            kind="dispute",
            external_id=dispute,
            actor=audit.MACHINE,
            now=now,
        )
        return Outcome(OutcomeState.POSTED, "dispute_withdrawn"), payment_id
    if not _has_reversal(payment_id, school_id, "dispute", dispute):
        return _attention(_waits_for(dispute)), payment_id
    reinstate_payment(
        school_id, payment_id, amount=amount, external_id=dispute, actor=audit.MACHINE, now=now
    )
    return Outcome(OutcomeState.POSTED, "dispute_reinstated"), payment_id
