"""What a person types at the desk, as plain values."""

from __future__ import annotations

import re

from app.core.forms import VndField
from app.core.money import Vnd
from app.money.payments.errors import BadAmount


def read_amount(text: str) -> Vnd:
    """`1.000.000`, `1,000,000 ₫` or `1000000` as money; refuses anything else and nothing."""
    typed = text.replace("\u00a0", " ").strip().removesuffix("₫").removesuffix("đ").strip()
    if len(typed) > 20 or not VndField.TEXT.fullmatch(typed):
        raise BadAmount
    return Vnd(int(re.sub(r"[^0-9]", "", typed)))
