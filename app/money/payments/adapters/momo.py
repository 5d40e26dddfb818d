"""MoMo, all-in-one v2: an order to pay in the wallet, and the notice of what became of it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, GatewayEvent, GatewayState, UnreadableNotice
from app.money.payments.adapters.strict import (
    LARGEST_AMOUNT,
    TEXT_KEPT,
    json_object,
    one_reference,
    prove,
    text,
    unix_moment,
    whole,
)

PROVIDER: Final = "momo"

#: in this order; accessKey is ours and not in a notice
_NOTICE: Final = (
    "amount",
    "extraData",
    "message",
    "orderId",
    "orderInfo",
    "orderType",
    "partnerCode",
    "payType",
    "requestId",
    "responseTime",
    "resultCode",
    "transId",
)
_CREATE: Final = (
    "amount",
    "extraData",
    "ipnUrl",
    "orderId",
    "orderInfo",
    "partnerCode",
    "redirectUrl",
    "requestId",
    "requestType",
)
#: authorised only, or still on its way
NOT_FINAL: Final = frozenset({9000, 7000, 7002, 1000})


def read(
    raw: bytes, *, secrets: Sequence[str], access_keys: Sequence[str], merchant: str
) -> GatewayEvent:
    """What a notice says, once its signature is proved; two keys serve a rotation.

    Refuses a wrong signature or partner (`BadSignature`), another shape (`UnreadableNotice`).
    """
    try:
        notice = json_object(raw)
    except UnreadableNotice:
        raise BadSignature from None
    given = notice.get("signature")
    if not isinstance(given, str) or any(type(notice.get(n)) not in (str, int) for n in _NOTICE):
        raise BadSignature
    accepted = [
        notice_signature(notice, secret, access)
        for secret in secrets
        if secret
        for access in access_keys
    ]
    prove(given, accepted)
    if merchant and notice.get("partnerCode") != merchant:
        raise BadSignature
    return parse(raw)


def notice_signature(notice: Mapping[str, object], secret: str, access_key: str) -> str:
    """The signature of a notice."""
    return _signature(_NOTICE, notice, secret, access_key)


def create_signature(order: Mapping[str, object], secret: str, access_key: str) -> str:
    """The signature of an order we ask the wallet to open."""
    return _signature(_CREATE, order, secret, access_key)


def query_signature(question: Mapping[str, object], secret: str, access_key: str) -> str:
    """The signature of a question about an order."""
    return _signature(("orderId", "partnerCode", "requestId"), question, secret, access_key)


def refund_signature(refund: Mapping[str, object], secret: str, access_key: str) -> str:
    """The signature of a refund we ask for."""
    names = ("amount", "description", "orderId", "partnerCode", "requestId", "transId")
    return _signature(names, refund, secret, access_key)


def _signature(
    names: Sequence[str], values: Mapping[str, object], secret: str, access_key: str
) -> str:
    message = f"accessKey={access_key}&" + "&".join(f"{n}={values.get(n, '')}" for n in names)
    raw = message.encode("utf-8", "surrogatepass")
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def parse(raw: bytes) -> GatewayEvent:
    """The event of a body proved before."""
    notice = json_object(raw)
    code = whole(notice, "resultCode", 10**6, least=0)
    number = notice.get("transId")
    order = text(notice, "orderId")
    state: GatewayState = "paid" if code == 0 else "failed"
    if code in NOT_FINAL:
        state = "pending"
    about = text(notice, "orderInfo")
    own = str(number) if type(number) is int else text(notice, "transId")
    if not order or not own:
        raise UnreadableNotice
    return GatewayEvent(
        provider=PROVIDER,
        external_id=(own if state == "paid" else f"{order}:{own}:{code}")[:120],
        order=order[:120],
        state=state,
        amount=Vnd(whole(notice, "amount", LARGEST_AMOUNT)),
        occurred_at=unix_moment(notice.get("responseTime")),
        text=about[:TEXT_KEPT],
        reference=one_reference("", order, about),
        bank_ref="",
        payer_name=None,
        detail=str(code),
    )
