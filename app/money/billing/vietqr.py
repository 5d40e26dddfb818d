"""The text inside a VietQR picture: built and read here, without asking any service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _

from app.core.errors import Invalid
from app.core.money import Vnd

_START: Final = "000201"
_NAPAS: Final = "A000000727"
_TO_ACCOUNT: Final = "QRIBFTTA"
_DONG: Final = "704"
_BIN: Final = re.compile(r"[0-9]{6}")
_ACCOUNT: Final = re.compile(r"[0-9A-Za-z]{1,19}")
_PURPOSE: Final = re.compile(r"[0-9A-Za-z]+( [0-9A-Za-z]+)*")
_PURPOSE_LENGTH: Final = 25
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,12}")


class UnbuildableQr(Invalid):
    """What a QR should carry does not fit into one."""

    code = "unbuildable_qr"


class UnreadableQr(Invalid):
    """The text is no VietQR for a transfer to an account in đồng."""

    code = "unreadable_qr"


@dataclass(frozen=True, slots=True)
class VietQr:
    """What a VietQR asks a bank app to do."""

    bin: str
    account: str
    #: None when the payer types it; some makers mark such a code as one with an amount
    amount: Vnd | None
    purpose: str
    #: what other makers put beside the purpose: their bill number, their reference label
    bill_number: str = ""
    reference_label: str = ""


def build(bin: str, account: str, amount: Vnd | None, purpose: str) -> str:
    """The text for a transfer to `account` at the bank `bin`; without an amount the payer types it.

    Refuses what banks would cut or change: a purpose over 25 signs or with anything but ASCII
    letters, digits and single blanks, an account over 19 signs, an amount that is not positive.
    """
    if not _BIN.fullmatch(bin):
        raise UnbuildableQr(_("A bank is named by six digits."))
    if not _ACCOUNT.fullmatch(account):
        raise UnbuildableQr(_("An account number has 1 to 19 letters or digits, without accents."))
    if amount is not None and not _AMOUNT.fullmatch(str(amount.dong)):
        raise UnbuildableQr(_("The amount in a QR must be above zero and have at most 13 digits."))
    if purpose and (len(purpose) > _PURPOSE_LENGTH or not _PURPOSE.fullmatch(purpose)):
        raise UnbuildableQr(
            _("The transfer text has at most 25 letters, digits and single spaces, no accents.")
        )
    receiver = _field("00", bin) + _field("01", account)
    merchant = _field("00", _NAPAS) + _field("01", receiver) + _field("02", _TO_ACCOUNT)
    parts = [
        _START,
        _field("01", "11" if amount is None else "12"),
        _field("38", merchant),
        _field("53", _DONG),
        _field("54", str(amount.dong)) if amount is not None else "",
        _field("58", "VN"),
        _field("62", _field("08", purpose)) if purpose else "",
        "6304",
    ]
    body = "".join(parts)
    return body + crc(body)


def read(text: str) -> VietQr:
    """What the QR says. Refuses a damaged text, another currency, a payment to a card or a shop."""
    if not text.isascii() or not text.startswith(_START):
        raise UnreadableQr(_("This is not a VietQR."))
    if text[-8:-4] != "6304" or crc(text[:-4]) != text[-4:]:
        raise UnreadableQr(_("The QR is damaged: its check sum is wrong."))
    fields = _fields(text[:-8])
    if fields.get("53") != _DONG:
        raise UnreadableQr(_("The QR asks for another currency than đồng."))
    merchant = _fields(fields.get("38", ""))
    if merchant.get("00") != _NAPAS or merchant.get("02") != _TO_ACCOUNT:
        raise UnreadableQr(_("The QR does not lead to a bank account."))
    receiver = _fields(merchant.get("01", ""))
    bin, account = receiver.get("00", ""), receiver.get("01", "")
    if not _BIN.fullmatch(bin) or not _ACCOUNT.fullmatch(account):
        raise UnreadableQr(_("The QR does not lead to a bank account."))
    amount = fields.get("54")
    if amount is not None and not _AMOUNT.fullmatch(amount):
        raise UnreadableQr(_("The amount in the QR cannot be read."))
    extra = _fields(fields.get("62", ""))
    return VietQr(
        bin=bin,
        account=account,
        amount=None if amount is None else Vnd(int(amount)),
        purpose=extra.get("08", ""),
        bill_number=extra.get("01", ""),
        reference_label=extra.get("05", ""),
    )


def crc(text: str) -> str:
    """CRC-16/CCITT-FALSE as four hex digits: polynomial 1021, start FFFF, nothing reflected."""
    state = 0xFFFF
    for byte in text.encode("ascii"):
        state ^= byte << 8
        for _bit in range(8):
            state = (state << 1 ^ 0x1021) & 0xFFFF if state & 0x8000 else state << 1
    return f"{state:04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _fields(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    rest = text
    while rest:
        head = re.match(r"([0-9]{2})([0-9]{2})", rest)
        if head is None:
            raise UnreadableQr(_("The QR is damaged: a field has no length."))
        tag, length = head[1], int(head[2])
        value = rest[4 : 4 + length]
        if not length or len(value) != length or tag in found:
            raise UnreadableQr(_("The QR is damaged: a field is cut off or stands twice."))
        found[tag] = value
        rest = rest[4 + length :]
    return found
