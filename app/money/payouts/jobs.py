"""Telling the provider of a card, wallet or gateway to send money back, behind the page."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from app import audit
from app.core import clock, jobs, scope
from app.core.db import transaction
from app.money.payments import PaymentRow, cards, get_payment, refunds, reverse_payment
from app.money.payments.adapters import stripe
from app.money.payments.adapters.stripe import StripeRefused
from app.money.payouts import queries, services
from app.money.payouts.errors import CardRefused
from app.money.payouts.models import Step
from app.money.payouts.queries import PayoutRow
from app.people.schools import ChannelInfo, channels_of

log = logging.getLogger("sothu.payouts")


@jobs.handles(services.SEND_CARD)
def send_card(payload: dict[str, Any]) -> None:
    """Ask the provider once: its own key makes a second asking the same one."""
    school_id = scope.current().writable
    assert school_id is not None  # noqa: S101 - enqueued with its school
    payout = queries.get_payout(school_id, int(payload["payout_id"]))
    if payout.step not in (Step.APPROVED, Step.SENT) or payout.words or payout.payment_id is None:
        return
    payment = get_payment(school_id, payout.payment_id)
    now = clock.now()
    channel = next(
        (
            one
            for one in channels_of(school_id, clock.local_day(now))
            if one.id == payment.channel_id
        ),
        None,
    )
    if payout.step is Step.APPROVED:
        with transaction():
            services.send_to_card(school_id, payout.id, now=now)
    try:
        if payment.provider == stripe.PROVIDER:
            refund_id = _through_stripe(payment, payout, channel, now)
        else:
            refund_id = _through_gateway(payment, payout, channel, now)
    except (CardRefused, StripeRefused, refunds.GatewayRefused) as refusal:
        log.warning("payout %s: the provider refused: %s", payout.id, refusal.__cause__)
        with transaction():
            services.card_refused(school_id, payout.id, type(refusal).__name__, now=now)
        return
    with transaction():
        services.sent_to_card(school_id, payout.id, refund_id, now=now)


def _through_stripe(
    payment: PaymentRow, payout: PayoutRow, channel: ChannelInfo | None, now: datetime
) -> str:
    """Stripe's number of the refund; its event books it."""
    adapter = cards.adapter_of(channel, now) if channel else cards.environment_adapter()
    if adapter is None:
        raise CardRefused
    return adapter.refund(
        payment_intent=payment.external_id,
        amount=payout.amount,
        metadata={"payout": payout.code},
        idempotency_key=f"payout-{payout.code}",
    ).id


def _through_gateway(
    payment: PaymentRow, payout: PayoutRow, channel: ChannelInfo | None, now: datetime
) -> str:
    """The gateway's number of the refund; its answer is its word, and books it."""
    if channel is None:
        raise CardRefused
    refund_id = refunds.send_back(payment, channel, payout.amount, payout.code, now=now)
    with transaction():
        reverse_payment(
            payment.school_id,
            payment.id,
            amount=payout.amount,
            kind="refund",
            external_id=refund_id,
            actor=audit.MACHINE,
            now=now,
        )
    return refund_id
