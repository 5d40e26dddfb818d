"""ISO 20022 camt.053, any version: only the handful of elements a statement needs.

The elements are read by their own names, whatever the version's namespace says. A file with a
document type is refused, so that nothing outside it can be opened and nothing in it can grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

from flask_babel import gettext as _

from app.money.reconciliation.errors import AmountUnread, DayUnread, StatementRefused
from app.money.reconciliation.parsers.balances import proved
from app.money.reconciliation.parsers.shapes import FileRow, StatementFile

_OPENING: Final = ("OPBD", "PRCD", "OPAV")
_CLOSING: Final = ("CLBD", "CLAV")


def is_camt(data: bytes) -> bool:
    """Whether the bytes are a camt.053 document."""
    return b"BkToCstmrStmt" in data[:8192]


def read_camt(data: bytes) -> StatementFile:
    """The first account's statements of a camt.053 file in đồng, one after the other.

    Refuses another currency, entries that are not booked yet are left out, broken balances.
    """
    if re.search(rb"<!DOCTYPE|<!ENTITY", data, re.IGNORECASE):
        raise StatementRefused(_("This camt.053 file carries a document type and is not opened."))
    try:
        root = fromstring(data, parser=XMLParser())  # noqa: S314 - no DTD gets here
    except (ParseError, ValueError, LookupError) as fault:
        raise StatementRefused(
            _("This camt.053 file cannot be read. Ask your bank for it again, or for Excel.")
        ) from fault
    rows: list[FileRow] = []
    opening: int | None = None
    closing: int | None = None
    account: str | None = None
    for statement in _all(root, "Stmt"):
        named = _text(statement, "Acct/Id/Othr/Id") or _text(statement, "Acct/Id/IBAN")
        if account is not None and named != account:
            raise StatementRefused(_("The file holds several accounts. Send one account a file."))
        account = named or account
        for balance in _children(statement, "Bal"):
            kind = _text(balance, "Tp/CdOrPrtry/Cd")
            if kind in _OPENING and opening is None:
                opening = _signed(balance, 0)
            elif kind == "CLBD" or (kind in _CLOSING and closing is None):
                closing = _signed(balance, 0)
        for entry in _children(statement, "Ntry"):
            status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
            if status not in ("", "BOOK"):
                continue
            rows.append(_row(len(rows) + 1, entry))
    return proved("camt053", rows, account=account or None, opening=opening, closing=closing)


def _row(place: int, entry: Element) -> FileRow:
    amount = _signed(entry, place)
    is_credit = amount > 0
    moment = _moment(_text(entry, "BookgDt/DtTm"))
    day = _text(entry, "BookgDt/Dt") or _text(entry, "ValDt/Dt")
    details = next(_all(entry, "TxDtls"), entry)
    texts = [
        *(one.text or "" for one in _all(details, "Ustrd")),
        *(one.text or "" for one in _all(details, "AddtlTxInf")),
    ]
    if not any(texts):
        texts = [_text(entry, "AddtlNtryInf")]
    party = "Dbtr" if is_credit else "Cdtr"
    return FileRow(
        number=place,
        day=moment.date() if moment else _day(day, place),
        moment=moment,
        amount=abs(amount),
        is_credit=is_credit,
        balance=None,
        text=" ".join(" ".join(texts).split()),
        ref=(
            _text(entry, "AcctSvcrRef")
            or _text(details, "Refs/AcctSvcrRef")
            or _text(details, "Refs/TxId")
            or _text(entry, "NtryRef")
        )[:80],
        payer=(
            _text(details, f"RltdPties/{party}/Nm") or _text(details, f"RltdPties/{party}/Pty/Nm")
        )[:120],
        payer_account=(
            _text(details, f"RltdPties/{party}Acct/Id/Othr/Id")
            or _text(details, f"RltdPties/{party}Acct/Id/IBAN")
        )[:40],
    )


def _signed(element: Element, place: int) -> int:
    found = next(_children(element, "Amt"), None)
    value = (found.text or "").strip() if found is not None else ""
    currency = found.get("Ccy") if found is not None else None
    if currency not in (None, "VND"):
        raise StatementRefused(
            _("The statement is in %(currency)s, not in đồng.", currency=currency)
        )
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise AmountUnread(value, place) from None
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) >= 10**15:
        raise AmountUnread(value, place)
    is_out = _text(element, "CdtDbtInd") == "DBIT"
    return -int(amount) if is_out else int(amount)


def _day(text: str, place: int) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise DayUnread(text, place) from None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None) if text else None
    except ValueError:
        return None


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if _name(child) == name)


def _all(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element.iter() if _name(one) == name)


def _text(element: Element, path: str) -> str:
    """The text behind a path of plain names, empty when it is not there."""
    here: Element | None = element
    for name in path.split("/"):
        if here is None:
            return ""
        here = next(_children(here, name), None)
    return (here.text or "").strip() if here is not None else ""
