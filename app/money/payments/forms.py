"""What a person types at the desk and on the bank pages, as plain values."""

from __future__ import annotations

from collections.abc import Mapping

from app.core import errors
from app.core.forms import read_vnd
from app.core.money import ZERO, Vnd
from app.money.payments.errors import BadAmount, PurposeUnclear
from app.money.payments.models import Purpose
from app.money.payments.movements import Said


def read_amount(text: str) -> Vnd:
    """`1.000.000`, `1,000,000 ₫` or `1000000` as money; refuses anything else and nothing."""
    typed = text.replace("\u00a0", " ").strip().removesuffix("₫").removesuffix("đ").strip()
    try:
        return read_vnd(typed)
    except errors.BadAmount:
        raise BadAmount from None


def read_said(form: Mapping[str, str]) -> Said:
    """What a person says money is: `what` holds the purpose and its target, `settlement:12`."""
    word, _, target = form.get("what", "").partition(":")
    try:
        purpose = Purpose(word)
    except ValueError:
        raise PurposeUnclear from None
    fee = form.get("fee", "").strip()
    is_number = target.isascii() and target.isdigit() and len(target) < 19
    return Said(
        purpose,
        int(target) if is_number else None,
        account="" if is_number else target,
        fee=read_amount(fee) if fee and purpose is Purpose.SETTLEMENT else ZERO,
        reason=form.get("reason", ""),
    )
