"""Providers' notices, the cash desk, the bank page."""

from __future__ import annotations

import logging

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.errors import NotFound
from app.extensions import signed_elsewhere
from app.money.payments.adapters import BadSignature, StaleNotice, sepay
from app.money.payments.inbox import accept_transfer
from app.money.payments.models import OutcomeState
from app.people.access import public
from app.people.schools import ChannelInfo, channel_of_address, school_of_channel, secrets_of

bp = Blueprint("payments", __name__)
log = logging.getLogger("sothu.inbox")

#: Larger bodies are no notice of any provider we know.
LARGEST_NOTICE = 64 * 1024
#: Kept with the raw body, so that a dispute about a signature can be settled later.
KEPT_HEADERS = ("Content-Type", "User-Agent", "X-SePay-Timestamp", "X-SePay-Signature")


def open_channel(provider: str, public_id: str) -> ChannelInfo:
    """The channel of a callback address, with the scope set to its school; else 404."""
    school_id = school_of_channel(public_id)
    if school_id is None:
        raise NotFound
    enter_scope(scope.one_school(school_id))
    channel = channel_of_address(school_id, public_id, provider)
    if channel is None:
        raise NotFound
    return channel


@bp.post("/callbacks/sepay/<channel>")
@signed_elsewhere
@public("the provider's signature is checked before anything is read")
def receive_sepay(channel: str) -> ResponseReturnValue:
    """A bank credit as SePay tells it; answered only after the commit."""
    request.max_content_length = LARGEST_NOTICE
    way = open_channel("sepay", channel)
    # The signature covers these bytes, not our parsing of them.
    raw = request.get_data(cache=False)
    now = clock.now()
    keys = secrets_of(way.school_id, way.id, "webhook", now)
    headers = {name: request.headers.get(name, "") for name in KEPT_HEADERS}
    try:
        transfer = sepay.read(raw, request.headers, scheme=way.scheme, secrets=keys, now=now)  # type: ignore[arg-type]
    except StaleNotice as stale:
        log.warning("stale notice on channel %s", channel)
        if stale.transfer is not None:
            with transaction():
                accept_transfer(
                    stale.transfer,
                    channel=way,
                    raw=raw,
                    headers=headers,
                    now=now,
                    is_verified=False,
                )
        raise
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        raise
    with transaction():
        outcome = accept_transfer(transfer, channel=way, raw=raw, headers=headers, now=now)
    if outcome.state is OutcomeState.NEEDS_ATTENTION and outcome.reason == "wrong_account":
        log.warning("notice about a foreign account on channel %s", channel)
        return jsonify(success=False, code="wrong_account"), 422
    return jsonify(sepay.SUCCESS), 200
