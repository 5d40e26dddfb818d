"""Trying again what a fault of ours, or the order of events, left unposted."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from app.core import clock, scope
from app.core.db import rows, transaction
from app.core.jobs import handles
from app.money.payments import cards, gateways, inbox
from app.money.payments.adapters import casso, sepay, stripe
from app.money.payments.models import OutcomeState
from app.people.schools import channel_of_address

log = logging.getLogger("sothu.inbox")

#: what a new try may settle; everything else needs a person
_TRIED_AGAIN = ("fault:", "waits_for:")


def retry_notices(school_id: int, *, now: datetime) -> int:
    """Post what waits in a school's inbox, each notice in its own transaction; how many were."""
    waiting = [
        notice
        for notice in rows(
            "select n.id, n.provider, n.channel, o.reason from inbox_notices n"
            " join inbox_outcomes o on o.notice_id = n.id and o.id = (select max(l.id)"
            "  from inbox_outcomes l where l.notice_id = n.id)"
            " where n.school_id = :school_id and o.state = 'needs_attention' order by n.id",
            school_id=school_id,
        )
        if notice.reason.startswith(_TRIED_AGAIN)
    ]
    posted = 0
    for notice in waiting:
        target = school_id
        if notice.provider == stripe.PROVIDER:
            # Filed with one school while its try was unknown, it may be about another.
            target = cards.school_of_kept(notice.id) or school_id
        with scope.opened(scope.one_school(target)), transaction():
            outcome = _try(target, notice.id, notice.provider, notice.channel, now)
        posted += outcome is OutcomeState.POSTED
    if waiting:
        log.info("school %s: %s of %s waiting notices posted", school_id, posted, len(waiting))
    return posted


def _try(
    school_id: int, notice_id: int, provider: str, public_id: str, now: datetime
) -> OutcomeState | None:
    way = channel_of_address(school_id, public_id, provider)
    if provider in (sepay.PROVIDER, casso.PROVIDER) and way is not None:
        return inbox.retry_notice(notice_id, channel=way, now=now).state
    if provider in gateways.METHODS and way is not None:
        return gateways.retry_event(notice_id, channel=way, now=now).state
    if provider == stripe.PROVIDER:
        return cards.retry_event(
            notice_id, school_id=school_id, channel_id=way.id if way else None, now=now
        ).state
    return None


@handles("payments.retry_notices")
def retry_job(payload: dict[str, Any]) -> None:
    """The worker's way in."""
    retry_notices(int(payload["school_id"]), now=clock.now())
