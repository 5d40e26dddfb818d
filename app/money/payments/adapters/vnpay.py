"""VNPAY 2.1.0: a signed address to pay at, and the notice it calls us with (GET)."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote_plus

from flask_babel import gettext as _

from app.core.money import Vnd
from app.core.text import ascii_upper
from app.money.payments.adapters import BadSignature, GatewayEvent, GatewayState, UnreadableNotice
from app.money.payments.adapters.strict import (
    BANK_REF_KEPT,
    BANK_ZONE,
    LARGEST_AMOUNT,
    MOST_BYTES,
    TEXT_KEPT,
    one_reference,
    prove,
)

PROVIDER: Final = "vnpay"

#: what VNPAY expects with 200, by what became of its notice
STORED: Final = {"RspCode": "00", "Message": "Confirm Success"}
UNKNOWN_ORDER: Final = {"RspCode": "01", "Message": "Order not found"}
ALREADY: Final = {"RspCode": "02", "Message": "Order already confirmed"}
OTHER_AMOUNT: Final = {"RspCode": "04", "Message": "Invalid amount"}
BAD_HASH: Final = {"RspCode": "97", "Message": "Invalid signature"}
OUR_FAULT: Final = {"RspCode": "99", "Message": "Unknown error"}

_HASHES: Final = ("vnp_SecureHash", "vnp_SecureHashType")
_DIGEST: Final = re.compile(r"[0-9a-f]{128}|[0-9A-F]{128}")
_STAMP: Final = re.compile(r"[0-9]{14}")
_PAID: Final = "00"
#: money was taken, and the gateway suspects fraud
_SUSPECTED: Final = "07"


def read(query: bytes, *, secrets: Sequence[str], merchant: str, now: datetime) -> GatewayEvent:
    """What a notice says, once its hash is proved over the whole query string.

    `now` stands in for a payment time it does not tell. Refuses a wrong hash or terminal
    (`BadSignature`) and another shape (`UnreadableNotice`).
    """
    fields = _fields(query)
    given = fields.get("vnp_SecureHash", "")
    if not _DIGEST.fullmatch(given):
        raise BadSignature
    prove(given.lower(), [hash_of(fields, secret) for secret in secrets if secret])
    if merchant and fields.get("vnp_TmnCode") != merchant:
        raise BadSignature
    return parse(query, now=now)


def _fields(query: bytes) -> dict[str, str]:
    if len(query) > MOST_BYTES:
        raise BadSignature
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=60,
        )
    except ValueError:
        raise BadSignature from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not all(name.startswith("vnp_") for name in fields):
        raise BadSignature
    return fields


def canonical(fields: Mapping[str, str]) -> str:
    """The fields as they are hashed and sent: sorted, form-encoded, without empty ones."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(fields[name])}"
        for name in sorted(fields)
        if name not in _HASHES and fields[name] != ""
    )


def hash_of(fields: Mapping[str, str], secret: str) -> str:
    """vnp_SecureHash of a request or a notice."""
    message = canonical(fields).encode()
    return hmac.new(secret.encode(), message, hashlib.sha512).hexdigest()


def joined_hash(values: Sequence[str], secret: str) -> str:
    """vnp_SecureHash of querydr and refund: the values in their order, joined by bars."""
    return hmac.new(secret.encode(), "|".join(values).encode(), hashlib.sha512).hexdigest()


def payment_address(
    page: str,
    *,
    merchant: str,
    secret: str,
    order: str,
    amount: Vnd,
    description: str,
    return_url: str,
    ip: str,
    locale: str,
    now: datetime,
    expires_at: datetime,
) -> str:
    """The signed address of the gateway's page for one try."""
    fields = {
        "vnp_Version": "2.1.0",
        "vnp_Command": "pay",
        "vnp_TmnCode": merchant,
        # The gateway counts in hundredths of a đồng.
        "vnp_Amount": str(amount.dong * 100),
        "vnp_CreateDate": _stamp(now),
        "vnp_ExpireDate": _stamp(expires_at),
        "vnp_CurrCode": "VND",
        "vnp_IpAddr": ip,
        "vnp_Locale": "en" if locale == "en" else "vn",
        "vnp_OrderInfo": ascii_upper(description)[:255],
        "vnp_OrderType": "other",
        "vnp_ReturnUrl": return_url,
        "vnp_TxnRef": order,
    }
    return f"{page}?{canonical(fields)}&vnp_SecureHash={hash_of(fields, secret)}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(BANK_ZONE).strftime("%Y%m%d%H%M%S")


def parse(query: bytes, *, now: datetime) -> GatewayEvent:
    """The event of a query string proved before."""
    fields = _fields(query)
    hundredths = fields.get("vnp_Amount", "")
    if not re.fullmatch(r"[0-9]{1,15}", hundredths) or int(hundredths) % 100:
        raise UnreadableNotice(
            _("The field %(name)s of the notice is no whole number above zero.", name="vnp_Amount")
        )
    amount = int(hundredths) // 100
    order = fields.get("vnp_TxnRef", "")
    if not 0 < amount < LARGEST_AMOUNT or not re.fullmatch(r"[\x21-\x7e]{1,100}", order):
        raise UnreadableNotice(_("The field %(name)s of the notice is missing.", name="vnp_TxnRef"))
    codes = (fields.get("vnp_ResponseCode", ""), fields.get("vnp_TransactionStatus", ""))
    state: GatewayState = "failed"
    if codes == (_PAID, _PAID):
        state = "paid"
    elif _SUSPECTED in codes:
        state = "held"
    number = fields.get("vnp_TransactionNo", "")
    moved = state in ("paid", "held") and number not in ("", "0")
    text = fields.get("vnp_OrderInfo", "")
    return GatewayEvent(
        provider=PROVIDER,
        external_id=(number if moved else f"{order}:{number}:{':'.join(codes)}")[:120],
        order=order,
        state=state,
        amount=Vnd(amount),
        occurred_at=_moment(fields.get("vnp_PayDate", ""), now),
        text=text[:TEXT_KEPT],
        reference=one_reference("", order, text),
        bank_ref=fields.get("vnp_BankTranNo", "")[:BANK_REF_KEPT],
        payer_name=None,
        detail="/".join(codes),
    )


def _moment(value: str, now: datetime) -> datetime:
    if _STAMP.fullmatch(value):
        try:
            local = datetime.strptime(value, "%Y%m%d%H%M%S").replace(tzinfo=BANK_ZONE)
            return local.astimezone(UTC)
        except ValueError:
            pass
    return now
