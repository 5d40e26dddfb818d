"""SePay: a bank's notice of money on a school's account, signed over the raw bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NoReturn
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from app.core.money import Vnd
from app.money.billing.reference import find_references, read_reference
from app.money.payments.adapters import BadSignature, BankTransfer, StaleNotice, UnreadableNotice

PROVIDER: Final = "sepay"
#: what SePay expects with 200; anything else is sent again
SUCCESS: Final = {"success": True}

Scheme = Literal["hmac", "apikey"]

_BANK_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_MOST_BYTES: Final = 64 * 1024
_DRIFT: Final = timedelta(seconds=300)
_UNIX: Final = re.compile(r"[0-9]{1,11}")
_SIGNATURE: Final = re.compile(r"sha256=([0-9a-f]{64})")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{1,40}")
_LARGEST_AMOUNT: Final = 10**13
_LARGEST_ID: Final = 2**63
#: what is kept of a text; the raw notice keeps the rest
_TEXT_KEPT: Final = 400
_BANK_REF_KEPT: Final = 80
#: control characters and lone surrogates, which a database cannot keep as text
_UNSTORABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


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
    if len(raw) > _MOST_BYTES:
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


def _header(headers: Mapping[str, str], name: str) -> str:
    values = [value for key, value in headers.items() if key.lower() == name]
    # a header sent twice leaves open which one was meant
    return values[0] if len(values) == 1 else ""


def _prove_signature(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> datetime:
    timestamp = _header(headers, "x-sepay-timestamp")
    signature = _SIGNATURE.fullmatch(_header(headers, "x-sepay-signature"))
    if signature is None or not _UNIX.fullmatch(timestamp):
        raise BadSignature
    _prove(signature[1], [_digest(raw, secret, timestamp) for secret in secrets if secret])
    return datetime.fromtimestamp(int(timestamp), UTC)


def _prove_key(headers: Mapping[str, str], secrets: Sequence[str]) -> None:
    scheme, _blank, key = _header(headers, "authorization").partition(" ")
    if scheme.lower() != "apikey":
        raise BadSignature
    _prove(key.strip(), [secret for secret in secrets if secret])


def _prove(given: str, accepted: Sequence[str]) -> None:
    # every secret is compared to its end, so that the time taken tells nothing
    matches = [hmac.compare_digest(given.encode(), secret.encode()) for secret in accepted]
    if not any(matches):
        raise BadSignature


def parse(raw: bytes) -> BankTransfer:
    """The transfer a body tells of, without asking for its signature: for bodies proved before."""
    notice = _parsed(raw)
    direction = notice.get("transferType")
    if direction not in ("in", "out"):
        raise UnreadableNotice(_("The notice does not say whether money came in or went out."))
    moment = _moment(notice.get("transactionDate"))
    content = _text(notice, "content")
    description = _text(notice, "description")
    return BankTransfer(
        provider=PROVIDER,
        external_id=str(_whole(notice, "id", _LARGEST_ID)),
        account=_account(notice, "accountNumber"),
        sub_account=_account(notice, "subAccount") if notice.get("subAccount") else None,
        amount=Vnd(_whole(notice, "transferAmount", _LARGEST_AMOUNT)),
        is_incoming=direction == "in",
        occurred_at=moment,
        booked_on=moment.astimezone(_BANK_ZONE).date(),
        text=(content or description)[:_TEXT_KEPT],
        reference=_reference(_text(notice, "code"), content, description),
        bank_ref=_text(notice, "referenceCode")[:_BANK_REF_KEPT],
        payer_name=None,
        proof="account",
    )


def _reference(code: str, content: str, description: str) -> str | None:
    own = read_reference(code)
    candidates = {own} if own else set()
    candidates.update(find_references(content) or find_references(description))
    return candidates.pop() if len(candidates) == 1 else None


def _parsed(raw: bytes) -> dict[str, object]:
    try:
        # plain decode: json would guess UTF-16 from the first bytes
        notice = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as reason:
        raise UnreadableNotice(_("The notice is not proper JSON.")) from reason
    if not isinstance(notice, dict):
        raise UnreadableNotice(_("The notice is not proper JSON."))
    return notice


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _whole(notice: Mapping[str, object], name: str, limit: int) -> int:
    value = notice.get(name)
    # true is an int to Python, and 450000.0 or "450000" would be a guess
    if type(value) is not int or not 0 < value < limit:
        raise UnreadableNotice(
            _("The field %(name)s of the notice is no whole number above zero.", name=name)
        )
    return value


def _account(notice: Mapping[str, object], name: str) -> str:
    value = notice.get(name)
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise UnreadableNotice(_("The field %(name)s of the notice is no account.", name=name))
    return value


def _text(notice: Mapping[str, object], name: str) -> str:
    value = notice.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableNotice(_("The field %(name)s of the notice is no text.", name=name))
    return _UNSTORABLE.sub(" ", value).strip()


def _moment(value: object) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            local = datetime.fromisoformat(value).replace(tzinfo=_BANK_ZONE)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise UnreadableNotice(_("The time in the notice cannot be read."))
