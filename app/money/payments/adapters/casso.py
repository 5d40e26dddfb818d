"""Casso: a bank's notice of money on a school's account; an old form with a key, a new one signed.

v1 sends an array and a shared key; v2 one movement, signed over its own JSON with sorted keys.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from flask_babel import gettext as _

from app.core.money import Vnd
from app.money.payments.adapters import BadSignature, BankTransfer, UnreadableNotice
from app.money.payments.adapters.strict import (
    BANK_REF_KEPT,
    BANK_ZONE,
    LARGEST_AMOUNT,
    TEXT_KEPT,
    account,
    bank_moment,
    header,
    json_object,
    one_reference,
    part,
    prove,
    text,
)

PROVIDER: Final = "casso"
SUCCESS: Final = {"success": True}

#: hmac is the signed form (v2), apikey the shared key (v1)
Scheme = Literal["hmac", "apikey"]

_SIGNATURE: Final = re.compile(r"t=([0-9]{1,14}),v1=([0-9a-f]{128})")
_LARGEST_ID: Final = 2**63


def read(
    raw: bytes, headers: Mapping[str, str], *, scheme: Scheme, secrets: Sequence[str]
) -> list[BankTransfer]:
    """The movements a notice tells of, once its signature or key is proved; two secrets rotate.

    The dashboard's test delivery gives none. Refuses a wrong signature (`BadSignature`) and any
    other shape than the agreed one (`UnreadableNotice`).
    """
    if scheme == "apikey":
        prove(header(headers, "secure-token"), [secret for secret in secrets if secret])
        return parse(raw)
    signature = _SIGNATURE.fullmatch(header(headers, "x-casso-signature"))
    if signature is None:
        raise BadSignature
    try:
        notice = json_object(raw)
    except UnreadableNotice:
        # Nobody signed what is no JSON: the signature covers the parsed body.
        raise BadSignature from None
    message = signature[1].encode() + b"." + _canonical(notice)
    prove(signature[2], [_digest(message, secret) for secret in secrets if secret])
    return parse(raw)


def sign(notice: Mapping[str, object], secret: str, milliseconds: int) -> dict[str, str]:
    """The headers Casso v2 would send with a body at a time."""
    message = str(milliseconds).encode() + b"." + _canonical(notice)
    return {
        "Content-Type": "application/json",
        "X-Casso-Signature": f"t={milliseconds},v1={_digest(message, secret)}",
    }


def key_header(secret: str) -> dict[str, str]:
    """The headers Casso v1 would send."""
    return {"Content-Type": "application/json", "Secure-Token": secret}


def _digest(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha512).hexdigest()


def _canonical(value: object) -> bytes:
    """JSON as the sender's language writes it: sorted keys, no blanks, letters as they are."""
    told = json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return told.encode("utf-8", "surrogatepass")


def _plain(value: object) -> object:
    # JavaScript knows no 1.0: it writes 1.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def parse(raw: bytes) -> list[BankTransfer]:
    """The movements of a body proved before, oldest first as told."""
    notice = json_object(raw)
    data = notice.get("data")
    if isinstance(data, list):
        if len(data) > 500 or not all(isinstance(one, dict) for one in data):
            raise UnreadableNotice(_("The field %(name)s of the notice is missing.", name="data"))
        found = [_of_v1(one) for one in data]
    else:
        found = [_of_v2(part(notice, "data"))]
    return [one for one in found if one is not None]


def _of_v1(one: Mapping[str, object]) -> BankTransfer | None:
    return _transfer(
        one,
        when="when",
        number="bank_sub_acc_id" if one.get("bank_sub_acc_id") else "subAccId",
        bank_ref="tid",
    )


def _of_v2(one: Mapping[str, object]) -> BankTransfer | None:
    if one.get("id") == 0:
        return None  # the dashboard's own test
    return _transfer(one, when="transactionDateTime", number="accountNumber", bank_ref="reference")


def _transfer(
    one: Mapping[str, object], *, when: str, number: str, bank_ref: str
) -> BankTransfer | None:
    own = one.get("id")
    if own == 0:
        return None
    if not (type(own) is int and 0 < own < _LARGEST_ID) and not (
        isinstance(own, str) and re.fullmatch(r"[0-9A-Za-z_.\-]{1,80}", own)
    ):
        raise UnreadableNotice(_("The field %(name)s of the notice is missing.", name="id"))
    amount = one.get("amount")
    if type(amount) is float and amount.is_integer():
        amount = int(amount)
    if type(amount) is not int or not -LARGEST_AMOUNT < amount < LARGEST_AMOUNT or not amount:
        raise UnreadableNotice(
            _("The field %(name)s of the notice is no whole number above zero.", name="amount")
        )
    moment = bank_moment(one.get(when))
    description = text(one, "description")
    virtual = text(one, "virtualAccountNumber")
    return BankTransfer(
        provider=PROVIDER,
        external_id=str(own),
        account=account(one, number),
        sub_account=virtual or None,
        amount=Vnd(abs(amount)),
        is_incoming=amount > 0,
        occurred_at=moment,
        booked_on=moment.astimezone(BANK_ZONE).date(),
        text=description[:TEXT_KEPT],
        reference=one_reference("", description),
        bank_ref=text(one, bank_ref)[:BANK_REF_KEPT],
        payer_name=text(one, "counterAccountName")[:120] or None,
        proof="account",
    )
