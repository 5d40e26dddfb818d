"""SePay: a bank's notice of money on a school's account, signed over the raw bytes."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from flask_babel import gettext as _

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, BankTransfer, StaleNotice, UnreadableNotice
from app.money.payments.adapters.strict import (
    BANK_REF_KEPT,
    BANK_ZONE,
    LARGEST_AMOUNT,
    MOST_BYTES,
    TEXT_KEPT,
    account,
    bank_moment,
    header,
    json_object,
    one_reference,
    prove,
    text,
    whole,
)

PROVIDER: Final = "sepay"
#: what SePay expects with 200; anything else is sent again
SUCCESS: Final = {"success": True}

Scheme = Literal["hmac", "apikey"]

_DRIFT: Final = timedelta(seconds=300)
_UNIX: Final = re.compile(r"[0-9]{1,11}")
_SIGNATURE: Final = re.compile(r"sha256=([0-9a-f]{64})")
_LARGEST_ID: Final = 2**63


def read(
    raw: bytes,
    headers: Mapping[str, str],
    *,
    scheme: Scheme,
    secrets: Sequence[str],
    now: datetime,
) -> BankTransfer:
    """What the notice says, once its signature or key is proved; two secrets serve a rotation.

    Refuses a wrong signature (`BadSignature`), a right one whose time is more than five minutes
    off (`StaleNotice`, with what it says as a hint) and any other shape than the agreed one
    (`UnreadableNotice`). The key scheme carries no time, so there nothing is stale.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableNotice(_("The notice is larger than 64 KB."))
    if scheme == "apikey":
        _prove_key(headers, secrets)
        return parse(raw)
    signed_at = _prove_signature(raw, headers, secrets)
    if abs(now - signed_at) > _DRIFT:
        try:
            hint = parse(raw)
        except UnreadableNotice:
            hint = None
        raise StaleNotice(hint)
    return parse(raw)


def sign(raw: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """The headers SePay would send with `raw` at `timestamp` (unix seconds)."""
    return {
        "Content-Type": "application/json",
        "X-SePay-Timestamp": str(timestamp),
        "X-SePay-Signature": f"sha256={_digest(raw, secret, str(timestamp))}",
    }


def key_header(secret: str) -> dict[str, str]:
    """The headers SePay would send under the key scheme."""
    return {"Content-Type": "application/json", "Authorization": f"Apikey {secret}"}


def _digest(raw: bytes, secret: str, timestamp: str) -> str:
    message = timestamp.encode("ascii") + b"." + raw
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _prove_signature(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> datetime:
    timestamp = header(headers, "x-sepay-timestamp")
    signature = _SIGNATURE.fullmatch(header(headers, "x-sepay-signature"))
    if signature is None or not _UNIX.fullmatch(timestamp):
        raise BadSignature
    prove(signature[1], [_digest(raw, secret, timestamp) for secret in secrets if secret])
    return datetime.fromtimestamp(int(timestamp), UTC)


def _prove_key(headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    scheme, _blank, key = header(headers, "authorization").partition(" ")
    if scheme.lower() != "apikey":
        raise BadSignature
    prove(key.strip(), [secret for secret in secrets if secret])


def parse(raw: bytes) -> BankTransfer:
    """The transfer a body tells of, without asking for its signature: for bodies proved before."""
    notice = json_object(raw)
    direction = notice.get("transferType")
    if direction not in ("in", "out"):
        raise UnreadableNotice(_("The notice does not say whether money came in or went out."))
    moment = bank_moment(notice.get("transactionDate"))
    content = text(notice, "content")
    description = text(notice, "description")
    return BankTransfer(
        provider=PROVIDER,
        external_id=str(whole(notice, "id", _LARGEST_ID)),
        account=account(notice, "accountNumber"),
        sub_account=account(notice, "subAccount") if notice.get("subAccount") else None,
        amount=Vnd(whole(notice, "transferAmount", LARGEST_AMOUNT)),
        is_incoming=direction == "in",
        occurred_at=moment,
        booked_on=moment.astimezone(BANK_ZONE).date(),
        text=(content or description)[:TEXT_KEPT],
        reference=one_reference(text(notice, "code"), content, description),
        bank_ref=text(notice, "referenceCode")[:BANK_REF_KEPT],
        payer_name=None,
        proof="account",
    )
