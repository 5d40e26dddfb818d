"""`/api/v1`: signed requests of banks and wallets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from typing import Any, Final, TypeVar, cast

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.money import Vnd
from app.core.throttle import count_try
from app.extensions import signed_elsewhere
from app.journeys.api import services
from app.journeys.api.errors import BadRequest, NotSigned, TooManyRequests
from app.journeys.api.openapi import DOCUMENT
from app.journeys.api.services import Partner, Told
from app.journeys.api.signing import is_signed
from app.people.access import public

bp = Blueprint("api", __name__, url_prefix="/api/v1")
View = TypeVar("View", bound=Callable[..., Any])

BY_KEY: Final = "the partner's signature is checked before anything is read"
#: requests of one partner in a minute, and unsigned ones of one address
MOST, MOST_UNSIGNED = 1_200, 60
_LARGEST_BODY: Final = 16 * 1024
_NUMBER: Final = re.compile(r"[0-9A-Za-z_.:\-]{1,64}")
_KEY: Final = re.compile(r"[0-9A-Za-z_.:\-]{8,80}")


def _by_partner(view: View) -> View:
    """Let a partner's signed request in; the partner is `g.partner`, the body `g.body`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        request.max_content_length = _LARGEST_BODY
        g.body = request.get_data(cache=True)
        now = clock.now()
        enter_scope(scope.EVERY_SCHOOL)
        partner = services.partner_of_key(request.headers.get("X-Api-Key", ""), now)
        target = request.full_path if request.query_string else request.path
        raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or target
        signed = partner is not None and is_signed(
            request.headers.get("X-Api-Signature", ""),
            [partner.secret],
            timestamp=request.headers.get("X-Api-Timestamp", ""),
            method=request.method,
            target=raw,
            body=g.body,
            now=now,
        )
        window = now.strftime("%Y-%m-%dT%H:%M")
        whose = partner.code if signed and partner is not None else f"ip:{request.remote_addr}"
        with transaction():
            tries = count_try(f"api:{whose}", window=window)
        if tries > (MOST if signed else MOST_UNSIGNED):
            raise TooManyRequests
        if not signed:
            raise NotSigned
        g.partner = partner
        return cast(ResponseReturnValue, view(*args, **kwargs))

    return cast(View, guarded)


@bp.errorhandler(TooManyRequests)
def _slower(error: TooManyRequests) -> ResponseReturnValue:
    body = jsonify(success=False, code=error.code, message=error.message)
    return body, error.status, {"Retry-After": "60"}


@bp.get("/openapi.json")
@public("the description of the interface")
def openapi() -> ResponseReturnValue:
    """The interface in OpenAPI 3.1."""
    return jsonify(DOCUMENT)


@bp.get("/bills")
@public(BY_KEY)
@_by_partner
def list_bills() -> ResponseReturnValue:
    """What is payable for a pupil's code or a transfer code."""
    code = request.args.get("code", "")
    if not 6 <= len(code) <= 20:
        raise BadRequest("code")
    return jsonify(bills=services.payable(code, clock.today()))


@bp.post("/payments")
@signed_elsewhere
@public(BY_KEY)
@_by_partner
def tell_payment() -> ResponseReturnValue:
    """A payment the partner took; told twice, it is one."""
    partner: Partner = g.partner
    now = clock.now()
    fields = _fields()
    paid_at = _moment(fields, "paid_at")
    if paid_at > now + timedelta(minutes=10) or paid_at < now - timedelta(days=400):
        raise BadRequest("paid_at")
    told = Told(
        transaction_id=_number(fields, "transaction_id"),
        bill_code=_text(fields, "bill_code", 20),
        amount=_amount(fields),
        paid_at=paid_at,
        payer=_text(fields, "payer", 120) if fields.get("payer") is not None else "",
    )
    school_id, reference = services.school_of_bill(told.bill_code)

    def deed() -> tuple[dict[str, Any], int]:
        enter_scope(scope.one_school(school_id))
        answer, is_new = services.accept(
            partner, told, school_id=school_id, reference=reference, raw=g.body, now=now
        )
        return answer, 201 if is_new else 200

    return _once(partner, deed, now)


@bp.post("/payments/<transaction_id>/reversals")
@signed_elsewhere
@public(BY_KEY)
@_by_partner
def tell_reversal(transaction_id: str) -> ResponseReturnValue:
    """A payment taken back by the partner, whole."""
    partner: Partner = g.partner
    now = clock.now()
    fields = _fields()
    reversal_id = _number(fields, "reversal_id")
    _text(fields, "reason", 200)

    def deed() -> tuple[dict[str, Any], int]:
        return services.reverse(partner, transaction_id, reversal_id, now=now), 200

    return _once(partner, deed, now)


@bp.get("/payments")
@public(BY_KEY)
@_by_partner
def list_payments() -> ResponseReturnValue:
    """Everything of the partner booked on a day."""
    try:
        day = date.fromisoformat(request.args.get("date", ""))
    except ValueError:
        raise BadRequest("date") from None
    if not 2020 <= day.year <= 2100:
        raise BadRequest("date")
    return jsonify(services.day_list(g.partner, day))


# Reading


def _once(
    partner: Partner, deed: Callable[[], tuple[dict[str, Any], int]], now: datetime
) -> ResponseReturnValue:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key")
    told = f"{request.method}\n{request.path}\n".encode() + g.body
    with transaction():
        answer, status = services.once(
            partner, key, hashlib.sha256(told).hexdigest(), deed, now=now
        )
    return jsonify(answer), status


def _fields() -> dict[str, Any]:
    found = request.get_json(silent=True) if request.is_json else None
    if not isinstance(found, dict):
        raise BadRequest("body")
    return found


def _text(fields: dict[str, Any], name: str, most: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise BadRequest(name)
    if not value.isprintable():
        raise BadRequest(name)
    return value.strip()


def _number(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise BadRequest(name)
    return value


def _amount(fields: dict[str, Any]) -> Vnd:
    value = fields.get("amount")
    if type(value) is not int or not 0 < value < services.LARGEST:
        raise BadRequest("amount")
    if fields.get("currency", "VND") != "VND":
        raise BadRequest("currency")
    return Vnd(value)


def _moment(fields: dict[str, Any], name: str) -> datetime:
    value = fields.get(name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise BadRequest(name)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(name) from None
