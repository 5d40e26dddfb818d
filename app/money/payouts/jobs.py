"""Telling a card's provider to send money back, behind the page."""

from __future__ import annotations

import logging
from typing import Any

from app.core import clock, jobs, scope
from app.core.db import transaction
from app.money.payments import cards, get_payment
from app.money.payments.adapters.stripe import StripeRefused
from app.money.payouts import queries, services
from app.money.payouts.errors import CardRefused
from app.money.payouts.models import Step
from app.people.schools import channels_of

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
    adapter = cards.adapter_of(channel, now) if channel else cards.environment_adapter()
    if payout.step is Step.APPROVED:
        with transaction():
            services.send_to_card(school_id, payout.id, now=now)
    try:
        if adapter is None:
            raise CardRefused
        refund = adapter.refund(
            payment_intent=payment.external_id,
            amount=payout.amount,
            metadata={"payout": payout.code},
            idempotency_key=f"payout-{payout.code}",
        )
    except (CardRefused, StripeRefused) as refusal:
        log.warning("payout %s: the provider refused: %s", payout.id, refusal.__cause__)
        with transaction():
            services.card_refused(school_id, payout.id, type(refusal).__name__, now=now)
        return
    with transaction():
        services.sent_to_card(school_id, payout.id, refund.id, now=now)
