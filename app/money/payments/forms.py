"""What a person types at the desk, as plain values."""

from __future__ import annotations

from app.core import errors
from app.core.forms import read_vnd
from app.core.money import Vnd
from app.money.payments.errors import BadAmount


def read_amount(text: str) -> Vnd:
    """`1.000.000`, `1,000,000 ₫` or `1000000` as money; refuses anything else and nothing."""
    typed = text.replace("\u00a0", " ").strip().removesuffix("₫").removesuffix("đ").strip()
    try:
        return read_vnd(typed)
    except errors.BadAmount:
        raise BadAmount from None
