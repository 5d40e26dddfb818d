"""payOS: a transfer to a school's account as Casso's payment product confirms it.

Only `data` is signed: what stands beside it is never believed. A second transfer to a paid link is
more money, told by its own bank reference.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Final

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, GatewayEvent, UnreadableNotice
from app.money.payments.adapters.strict import (
    BANK_REF_KEPT,
    LARGEST_AMOUNT,
    TEXT_KEPT,
    bank_moment,
    json_object,
    one_reference,
    part,
    prove,
    text,
    whole,
)

PROVIDER: Final = "payos"
SUCCESS: Final = {"success": True}
PAID: Final = "00"


def read(raw: bytes, *, secrets: Sequence[str]) -> GatewayEvent:
    """What a notice says, once the signature over its data is proved with the checksum key.

    Refuses a wrong signature (`BadSignature`) and another shape (`UnreadableNotice`).
    """
    notice = _signed(raw)
    given = notice.get("signature")
    data = notice["data"]
    if not isinstance(given, str) or not isinstance(data, dict):
        raise BadSignature
    prove(given, [signature_of(data, secret) for secret in secrets if secret])
    return parse(raw)


def _signed(raw: bytes) -> dict[str, object]:
    try:
        notice = json_object(raw)
        part(notice, "data")
    except UnreadableNotice:
        raise BadSignature from None
    return notice


def signature_of(data: Mapping[str, object], secret: str) -> str:
    """The signature of a notice's data, or of a request's fields: keys sorted, `k=v` joined."""
    message = "&".join(f"{key}={_value(data[key])}" for key in sorted(data))
    return hmac.new(secret.encode(), _bytes(message), hashlib.sha256).hexdigest()


def _bytes(message: str) -> bytes:
    return message.encode("utf-8", "surrogatepass")


def _value(value: object) -> str:
    if value is None or value in ("null", "undefined"):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse(raw: bytes) -> GatewayEvent:
    """The event of a body proved before."""
    data = part(json_object(raw), "data")
    code = text(data, "code")
    description = text(data, "description")
    reference = text(data, "reference")
    link = text(data, "paymentLinkId")
    order = whole(data, "orderCode", 2**53)
    return GatewayEvent(
        provider=PROVIDER,
        # The link and the bank's number of the transfer: a second transfer is other money.
        external_id=f"{link}:{reference}"[:120],
        order=str(order),
        state="paid" if code == PAID else "failed",
        amount=Vnd(whole(data, "amount", LARGEST_AMOUNT)),
        occurred_at=bank_moment(data.get("transactionDateTime")),
        text=description[:TEXT_KEPT],
        reference=one_reference("", description),
        bank_ref=reference[:BANK_REF_KEPT],
        payer_name=text(data, "counterAccountName")[:120] or None,
        detail=code,
    )
