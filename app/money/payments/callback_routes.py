"""Where Casso, payOS, VNPAY, MoMo and ZaloPay call us, each answered in its own words."""

from __future__ import annotations

import logging
from datetime import datetime

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.db import transaction
from app.core.errors import TryAgain
from app.extensions import signed_elsewhere
from app.money.payments import gateways
from app.money.payments.adapters import (
    BadSignature,
    GatewayEvent,
    UnreadableNotice,
    casso,
    momo,
    payos,
    vnpay,
    zalopay,
)
from app.money.payments.inbox import Outcome, accept_transfer
from app.money.payments.models import OutcomeState
from app.money.payments.routes import LARGEST_NOTICE, bp, kept_headers, open_channel
from app.people.access import public
from app.people.schools import ChannelInfo, secrets_of

log = logging.getLogger("sothu.inbox")

SIGNED = "the provider's signature is checked before anything is read"


def _keys(way: ChannelInfo, purpose: str, now: datetime) -> list[str]:
    return secrets_of(way.school_id, way.id, purpose, now)


def _merchant(way: ChannelInfo, now: datetime) -> str:
    """The public name the provider knows the school by; empty where none was entered."""
    return next(iter(_keys(way, "merchant", now)), "")


def _body() -> bytes:
    request.max_content_length = LARGEST_NOTICE
    # The signature covers these bytes, not our parsing of them.
    return request.get_data(cache=False)


def _accept(event: GatewayEvent, way: ChannelInfo, raw: bytes, now: datetime) -> Outcome:
    with transaction():
        return gateways.accept_event(event, channel=way, raw=raw, headers=kept_headers(), now=now)


@bp.post("/callbacks/casso/<channel>")
@signed_elsewhere
@public(SIGNED)
def receive_casso(channel: str) -> ResponseReturnValue:
    """Bank movements as Casso tells them, one or many; answered only after the commit."""
    way = open_channel("casso", channel)
    raw = _body()
    now = clock.now()
    try:
        found = casso.read(
            raw,
            dict(request.headers),
            scheme="apikey" if way.scheme == "apikey" else "hmac",
            secrets=_keys(way, "webhook", now),
        )
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        raise
    wrong = False
    with transaction():
        for transfer in found:
            outcome = accept_transfer(
                transfer, channel=way, raw=raw, headers=kept_headers(), now=now
            )
            wrong |= outcome.reason == "wrong_account"
    if wrong:
        log.warning("notice about a foreign account on channel %s", channel)
    # Its money is kept for a person; the provider cannot mend our channel by asking again.
    return jsonify(casso.SUCCESS), 200


@bp.post("/callbacks/payos/<channel>")
@signed_elsewhere
@public(SIGNED)
def receive_payos(channel: str) -> ResponseReturnValue:
    """A transfer as payOS confirms it."""
    way = open_channel("payos", channel)
    raw = _body()
    now = clock.now()
    try:
        event = payos.read(raw, secrets=_keys(way, "webhook", now))
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        raise
    _accept(event, way, raw, now)
    return jsonify(payos.SUCCESS), 200


@bp.get("/callbacks/vnpay/<channel>")
@signed_elsewhere
@public(SIGNED)
def receive_vnpay(channel: str) -> ResponseReturnValue:
    """VNPAY's notice, answered in the order its rules ask: 97, 01, 04, 02, 00; 99 is our fault."""
    way = open_channel("vnpay", channel)
    raw = request.query_string
    now = clock.now()
    try:
        event = vnpay.read(
            raw,
            secrets=_keys(way, "webhook", now),
            merchant=_merchant(way, now),
            now=now,
        )
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        return jsonify(vnpay.BAD_HASH), 200
    except UnreadableNotice:
        return jsonify(vnpay.OUR_FAULT), 200
    try:
        outcome = _accept(event, way, raw, now)
    except TryAgain:
        return jsonify(vnpay.OUR_FAULT), 200
    return jsonify(_vnpay_answer(outcome)), 200


def _vnpay_answer(outcome: Outcome) -> dict[str, str]:
    if outcome.is_repeat:
        return vnpay.ALREADY
    if outcome.reason.startswith("fault:"):
        return vnpay.OUR_FAULT
    # The money of both is kept, and waits for a person.
    if outcome.reason == "unknown_order":
        return vnpay.UNKNOWN_ORDER
    return vnpay.OTHER_AMOUNT if outcome.reason == "amount_differs" else vnpay.STORED


@bp.post("/callbacks/momo/<channel>")
@signed_elsewhere
@public(SIGNED)
def receive_momo(channel: str) -> ResponseReturnValue:
    """MoMo's notice; it wants 204 and nothing else."""
    way = open_channel("momo", channel)
    raw = _body()
    now = clock.now()
    try:
        event = momo.read(
            raw,
            secrets=_keys(way, "webhook", now),
            access_keys=_keys(way, "access", now),
            merchant=_merchant(way, now),
        )
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        raise
    _accept(event, way, raw, now)
    return "", 204


@bp.post("/callbacks/zalopay/<channel>")
@signed_elsewhere
@public(SIGNED)
def receive_zalopay(channel: str) -> ResponseReturnValue:
    """ZaloPay's callback; 0 lets it ask again, anything else but 1 is taken as refused."""
    way = open_channel("zalopay", channel)
    raw = _body()
    now = clock.now()
    try:
        event = zalopay.read(raw, secrets=_keys(way, "webhook", now), merchant=_merchant(way, now))
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        return jsonify(zalopay.REFUSED), 200
    except UnreadableNotice:
        return jsonify(zalopay.REFUSED), 200
    try:
        outcome = _accept(event, way, raw, now)
    except TryAgain:
        return jsonify(zalopay.ASK_AGAIN), 200
    if outcome.state is OutcomeState.NEEDS_ATTENTION and outcome.reason.startswith("fault:"):
        log.warning("notice of channel %s is kept and tried again", channel)
    return jsonify(zalopay.ACCEPTED), 200
