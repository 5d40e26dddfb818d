"""Wallets and gateways: a try is opened here, and what their signed notices make of it (M11).

Their word is "confirmed by the provider": the money lies in `clearing:<channel>` until it is seen
on the school's account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from app import audit
from app.core import clock
from app.core.db import VND, execute, for_update, row, savepoint, scalar
from app.core.errors import DomainError, TryAgain
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.money import billing
from app.money.ledger import chart
from app.money.payments.adapters import GatewayEvent, momo, payos, vnpay, zalopay
from app.money.payments.errors import NothingDue
from app.money.payments.inbox import (
    Outcome,
    find_payment,
    keep_notice,
    latest_state,
    lock_body,
    settle_notice,
)
from app.money.payments.models import AttemptState, Method, OutcomeState, PaymentAttempt
from app.money.payments.posting import Credit, accept_many
from app.people.schools import ChannelInfo

log = logging.getLogger("sothu.gateways")

#: how a provider's payer pays, as receipts and figures say it
METHODS: Final = {
    payos.PROVIDER: Method.TRANSFER,
    vnpay.PROVIDER: Method.WALLET,
    momo.PROVIDER: Method.WALLET,
    zalopay.PROVIDER: Method.WALLET,
}
#: how long a page of a gateway stays open
PAGE_OPEN: Final = timedelta(minutes=30)


# Opening a try


def open_attempt(
    request: billing.Request,
    *,
    channel: ChannelInfo,
    due: Vnd,
    surcharge: Vnd,
    order: Callable[[int], str],
    now: datetime,
) -> str:
    """Remember a try before the payer leaves for the gateway; the number it goes by there.

    `order` makes that number of the try's own. Refuses a bill with nothing due. The caller commits.
    """
    if due <= ZERO:
        raise NothingDue
    attempt_id = int(
        db.session.scalar(
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
        or 0
    )
    number = order(attempt_id)
    execute(
        "update payment_attempts set session_ref = :ref where school_id = :school_id and id = :id",
        school_id=request.school_id,
        id=attempt_id,
        ref=_ref(channel, number),
    )
    audit.record(
        "gateway.start",
        f"payment_attempt:{attempt_id}",
        actor=audit.MACHINE,
        school_id=request.school_id,
        now=now,
        cause=f"payment_request:{request.id} {channel.provider}",
    )
    return number


def close_attempt(channel: ChannelInfo, order: str, now: datetime) -> None:
    """A try whose page was never opened is over. The caller commits."""
    attempt = _lock_attempt(channel, order)
    if attempt is not None and attempt.state == AttemptState.OPEN:
        _move(channel.school_id, attempt.id, AttemptState.FAILED, now)


def _ref(channel: ChannelInfo, order: str) -> str:
    # Two gateways may count alike: the channel keeps their numbers apart.
    return f"{channel.id}:{order}"[:120]


# Notices


@dataclass(frozen=True, slots=True)
class _Attempt:
    id: int
    request_id: int
    amount: Vnd
    surcharge: Vnd
    state: AttemptState


def accept_event(
    event: GatewayEvent,
    *,
    channel: ChannelInfo,
    raw: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> Outcome:
    """Keep a gateway's signed notice and post its money; a repeat changes nothing.

    Money of an order nobody knows, or of another amount than was asked for, waits in suspense
    (`unknown_order`, `amount_differs`); money under the gateway's own suspicion is kept for a
    person (`held`). A fault of ours keeps the notice for the retry job. The caller commits.
    """
    notice_id, latest = keep_notice(
        provider=event.provider,
        channel=channel.public_id,
        external_id=event.external_id,
        school_id=channel.school_id,
        raw=raw,
        headers=headers,
        now=now,
    )
    if latest is not None:
        return Outcome(latest, "repeat", is_repeat=True)
    return _settle(notice_id, event, channel, now)


def retry_event(notice_id: int, *, channel: ChannelInfo, now: datetime) -> Outcome:
    """Act on a kept notice again from its stored body. The caller commits."""
    body = lock_body(notice_id)
    latest = latest_state(notice_id)
    if body is None or latest is not OutcomeState.NEEDS_ATTENTION:
        return Outcome(latest or OutcomeState.NEEDS_ATTENTION, "repeat", is_repeat=True)
    return _settle(notice_id, parse(channel.provider, body, now), channel, now)


def parse(provider: str, body: bytes, now: datetime) -> GatewayEvent:
    """The event of a stored body, which was proved when it came."""
    if provider == vnpay.PROVIDER:
        return vnpay.parse(body, now=now)
    if provider == payos.PROVIDER:
        return payos.parse(body)
    return momo.parse(body) if provider == momo.PROVIDER else zalopay.parse(body)


def _settle(notice_id: int, event: GatewayEvent, channel: ChannelInfo, now: datetime) -> Outcome:
    payment_id: int | None = None
    try:
        with savepoint():
            outcome, payment_id = _act(event, channel, now)
    except TryAgain:
        raise
    except DomainError as refusal:
        outcome = Outcome(OutcomeState.NEEDS_ATTENTION, f"refused:{refusal.code}")
    except Exception as fault:  # a fault of ours must not lose a notice: it is kept and retried
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            raise
        log.exception("notice %s could not be posted", notice_id)
        outcome = Outcome(OutcomeState.NEEDS_ATTENTION, f"fault:{type(fault).__name__}")
    settle_notice(notice_id, outcome.state, outcome.reason, payment_id=payment_id, now=now)
    return outcome


def _act(event: GatewayEvent, channel: ChannelInfo, now: datetime) -> tuple[Outcome, int | None]:
    attempt = _lock_attempt(channel, event.order)
    if event.state == "held":
        return Outcome(OutcomeState.NEEDS_ATTENTION, f"held:{event.detail}"), None
    if event.state != "paid":
        if event.state == "failed" and attempt is not None and attempt.state == AttemptState.OPEN:
            _move(channel.school_id, attempt.id, AttemptState.FAILED, now)
        return Outcome(OutcomeState.IGNORED, f"{event.state}:{event.detail}"), None
    known = find_payment(channel.school_id, channel.id, event.provider, event.external_id)
    if known is not None:
        return Outcome(OutcomeState.POSTED, "known", is_repeat=True), known
    credit, reason = _credit(event, channel, attempt)
    accepted = accept_many(channel.school_id, [credit], actor=audit.MACHINE, now=now)[0]
    if attempt is not None:
        _move(channel.school_id, attempt.id, AttemptState.PAID, now)
    if reason == "unknown_order" and not accepted.is_suspense:
        reason = "matched"
    return Outcome(OutcomeState.POSTED, reason, accepted), accepted.payment_id


def _credit(
    event: GatewayEvent, channel: ChannelInfo, attempt: _Attempt | None
) -> tuple[Credit, str]:
    """The money as a credit, and how it meets the try.

    `matched`; `second_payment` of a paid try, which is more money; `amount_differs` and
    `unknown_order`, which need a person unless the text names a child beyond doubt.
    """
    plain = Credit(
        provider=event.provider,
        channel_id=channel.id,
        external_id=event.external_id,
        method=METHODS[event.provider],
        amount=event.amount,
        occurred_at=event.occurred_at,
        value_on=clock.local_day(event.occurred_at),
        debit=chart.clearing(channel.id),
        place=f"channel:{channel.id}",
        proof="provider",
        text=event.text,
        reference=event.reference,
        bank_ref=event.bank_ref,
        payer=event.payer_name,
    )
    if attempt is None:
        return plain, "unknown_order"
    request = _request_of(channel.school_id, attempt.request_id)
    if event.amount != attempt.amount + attempt.surcharge:
        # The person who looks finds the code beside it.
        unread = replace(plain, text="", reference=None, bank_ref=request.reference)
        return unread, "amount_differs"
    if attempt.state == AttemptState.PAID:
        return replace(plain, requests=(request,)), "second_payment"
    exact = replace(
        plain,
        amount=attempt.amount,
        surcharge=attempt.surcharge,
        requests=(request,),
        rule="attempt",
    )
    return exact, "matched"


def _lock_attempt(channel: ChannelInfo, order: str) -> _Attempt | None:
    found = row(
        "select id, request_id, amount, surcharge, state from payment_attempts"
        f" where school_id = :school_id and session_ref = :ref{for_update()}",
        types={"amount": VND, "surcharge": VND},
        school_id=channel.school_id,
        ref=_ref(channel, order),
    )
    return None if found is None else _Attempt(*found)


def _move(school_id: int, attempt_id: int, state: AttemptState, now: datetime) -> None:
    execute(
        "update payment_attempts set state = :state, closed_at = :now"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=attempt_id,
        state=state,
        now=now,
    )


def _request_of(school_id: int, request_id: int) -> billing.Request:
    reference = scalar(
        "select reference from payment_requests where school_id = :school_id and id = :id",
        school_id=school_id,
        id=request_id,
    )
    return billing.requests_by_reference(school_id, [reference])[reference]
