"""ZaloPay v2: an order to pay in the wallet, and the callback once it is paid."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, GatewayEvent, UnreadableNotice
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

PROVIDER: Final = "zalopay"

#: what ZaloPay expects with 200; 0 is asked again, anything else is taken as refused
ACCEPTED: Final = {"return_code": 1, "return_message": "success"}
ASK_AGAIN: Final = {"return_code": 0, "return_message": "try again"}
REFUSED: Final = {"return_code": -1, "return_message": "mac not equal"}


def read(raw: bytes, *, secrets: Sequence[str], merchant: str) -> GatewayEvent:
    """What a callback says, once its mac is proved over the data as received (key 2).

    Refuses a wrong mac or app (`BadSignature`), another shape (`UnreadableNotice`).
    """
    try:
        notice = json_object(raw)
    except UnreadableNotice:
        raise BadSignature from None
    given, data = notice.get("mac"), notice.get("data")
    if not isinstance(given, str) or not isinstance(data, str):
        raise BadSignature
    prove(given, [mac_of(data, secret) for secret in secrets if secret])
    event = parse(raw)
    if merchant and str(_data(notice).get("app_id")) != merchant:
        raise BadSignature
    return event


def mac_of(data: str, key: str) -> str:
    """The mac of a callback (key 2), or of an order's joined fields (key 1)."""
    raw = data.encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def create_mac(values: Sequence[str], key: str) -> str:
    """The mac of an order: app_id, app_trans_id, app_user, amount, app_time, embed_data, item."""
    return mac_of("|".join(values), key)


def _data(notice: dict[str, object]) -> dict[str, object]:
    data = notice.get("data")
    if not isinstance(data, str):
        raise UnreadableNotice
    return json_object(data.encode("utf-8", "surrogatepass"))


def parse(raw: bytes) -> GatewayEvent:
    """The event of a body proved before; a callback comes only once money moved."""
    data = _data(json_object(raw))
    order = text(data, "app_trans_id")
    number = whole(data, "zp_trans_id", 2**63)
    if not order:
        raise UnreadableNotice
    return GatewayEvent(
        provider=PROVIDER,
        external_id=str(number),
        order=order[:120],
        state="paid",
        amount=Vnd(whole(data, "amount", LARGEST_AMOUNT)),
        occurred_at=unix_moment(data.get("server_time", data.get("app_time"))),
        text=order[:TEXT_KEPT],
        reference=one_reference("", order),
        bank_ref="",
        payer_name=None,
    )
