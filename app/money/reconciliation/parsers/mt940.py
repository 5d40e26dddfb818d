"""SWIFT MT940, read with the `mt-940` package; one or several pages of one account."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _

from app.money.reconciliation.errors import AmountUnread, StatementRefused
from app.money.reconciliation.parsers.balances import proved
from app.money.reconciliation.parsers.shapes import FileRow, StatementFile

_BEGINNING: Final = re.compile(rb"(?:\{1:[^}]*\}.{0,400})?\s*:20:", re.DOTALL)


def is_mt940(data: bytes) -> bool:
    """Whether the bytes are an MT940 message."""
    head = data[:2048].lstrip(b"\xef\xbb\xbf \r\n\t")
    return _BEGINNING.match(head) is not None and b":60" in data and b":61:" in data


def read_mt940(data: bytes) -> StatementFile:
    """The statement of an MT940 file in đồng; refuses any other currency and broken balances."""
    import mt940

    try:
        found = mt940.parse(data.decode("utf-8-sig", "replace"))
        listed = [entry.data for entry in found]
        about = dict(found.data)
    except Exception as fault:  # the package raises what comes: nothing of the file is taken
        raise StatementRefused(
            _("This MT940 file cannot be read. Ask your bank for it again, or for Excel.")
        ) from fault
    rows = [_row(place, entry) for place, entry in enumerate(listed, start=1)]
    opening = about.get("final_opening_balance") or about.get("intermediate_opening_balance")
    closing = about.get("final_closing_balance") or about.get("intermediate_closing_balance")
    return proved(
        "mt940",
        rows,
        account=_account(str(about.get("account_identification") or "")),
        opening=None if opening is None else _dong(opening.amount, 0),
        closing=None if closing is None else _dong(closing.amount, 0),
    )


def _row(place: int, entry: dict[str, Any]) -> FileRow:
    amount = _dong(entry["amount"], place)
    status = str(entry.get("status") or "")
    # RC takes a credit back, RD a debit: the package has given the amount its sign.
    is_credit = amount > 0 if status.startswith("R") else status.endswith("C")
    details = str(entry.get("transaction_details") or entry.get("purpose") or "")
    text = " ".join(
        part
        for part in (
            " ".join(details.split()),
            str(entry.get("extra_details") or "").strip(),
        )
        if part
    )
    bank = str(entry.get("bank_reference") or "").strip()
    own = str(entry.get("customer_reference") or "").strip()
    return FileRow(
        number=place,
        day=entry["date"],
        moment=None,
        amount=abs(amount),
        is_credit=is_credit,
        balance=None,
        text=text,
        ref=(bank or ("" if own in ("", "NONREF") else own))[:80],
        payer=" ".join(str(entry.get("applicant_name") or "").split())[:120],
        payer_account=str(entry.get("applicant_iban") or "").strip()[:40],
    )


def _dong(amount: Any, place: int) -> int:
    if amount.currency not in ("VND", None, ""):
        raise StatementRefused(
            _("The statement is in %(currency)s, not in đồng.", currency=amount.currency)
        )
    value = Decimal(amount.amount)
    if value != value.to_integral_value():
        raise AmountUnread(value, place)
    return int(value)


def _account(text: str) -> str | None:
    last = re.split(r"[/\s]", text.strip())[-1] if text.strip() else ""
    return re.sub(r"(VND)$", "", last) or None
