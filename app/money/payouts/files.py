"""Files for the bank: batches in the forms banks take, and the bank's answer.

No bank publishes its form where we could read it, and forms change: a form is data, and whoever
sends the file compares it with the bank's current one. pain.001 follows ISO 20022.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flask_babel import gettext as _

from app.core import clock
from app.core.sheets import Column, SheetRefused, Value, read_sheets, write_workbook
from app.core.text import ascii_upper, fold
from app.money.billing import find_references
from app.money.payouts.errors import BadPayout, ResultUnread
from app.money.payouts.queries import PayoutRow
from app.people.schools import AccountInfo
from app.people.schools.banks import find_bank

#: bank accounts that begin a batch, and payouts in it, by what a column may hold
_FIELDS: Final[Mapping[str, Callable[[int, PayoutRow], Value]]] = {
    "number": lambda number, row: number,
    "holder": lambda number, row: row.holder,
    "account": lambda number, row: row.account,
    "bank": lambda number, row: row.bank,
    "bank_full": lambda number, row: bank_full(row.bank_bin),
    "bin": lambda number, row: row.bank_bin,
    "amount": lambda number, row: row.amount.dong,
    "text": lambda number, row: text_of(row),
    "code": lambda number, row: row.code,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A form of a batch file: its columns by title and what each holds."""

    code: str
    title: str
    #: xlsx, csv or xml
    kind: str
    columns: tuple[tuple[str, str, int], ...] = ()


PROFILES: Final = {
    one.code: one
    for one in (
        Profile(
            "common",
            "Excel",
            "xlsx",
            (
                ("STT", "number", 6),
                ("Tên người thụ hưởng", "holder", 34),
                ("Số tài khoản", "account", 22),
                ("Ngân hàng thụ hưởng", "bank", 20),
                ("Số tiền", "amount", 16),
                ("Nội dung", "text", 34),
            ),
        ),
        Profile(
            "with-bin",
            "Excel, BIN",
            "xlsx",
            (
                ("STT", "number", 6),
                ("Số tài khoản", "account", 22),
                ("Tên người thụ hưởng", "holder", 34),
                ("Mã ngân hàng (BIN)", "bin", 12),
                ("Tên ngân hàng", "bank_full", 44),
                ("Số tiền", "amount", 16),
                ("Nội dung", "text", 34),
                ("Mã tham chiếu", "code", 14),
            ),
        ),
        Profile(
            "csv",
            "CSV",
            "csv",
            (
                ("STT", "number", 6),
                ("So tai khoan", "account", 22),
                ("Ten nguoi thu huong", "holder", 34),
                ("Ma ngan hang", "bin", 12),
                ("So tien", "amount", 16),
                ("Noi dung", "text", 34),
            ),
        ),
        Profile("pain001", "pain.001 (ISO 20022)", "xml"),
    )
}


def bank_full(bank_bin: str) -> str:
    """A bank by its full name."""
    found = find_bank(bank_bin)
    return found.full_name if found else bank_bin


def text_of(row: PayoutRow) -> str:
    """The text of the transfer: no accents, nothing personal but the code we find it by."""
    words = {"support": "Ho tro hoc sinh"}.get(row.kind, "Hoan tien")
    return f"{words} {row.code}"


def write(
    profile: str, rows: Sequence[PayoutRow], account: AccountInfo, number: int, now: datetime
) -> tuple[str, bytes]:
    """Name and bytes of a batch file; refuses a form there is not."""
    form = PROFILES.get(profile)
    if form is None:
        raise BadPayout(_("Choose the form of the file."), "profile")
    name = f"chi-{clock.local_day(now):%Y%m%d}-{number}.{form.kind}"
    if form.kind == "xml":
        return name, _pain001(rows, account, number, now)
    cells = [
        [_FIELDS[holds](place, row) for _title, holds, _width in form.columns]
        for place, row in enumerate(rows, start=1)
    ]
    if form.kind == "csv":
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([title for title, _holds, _width in form.columns])
        writer.writerows(cells)
        return name, file.getvalue().encode("utf-8-sig")
    columns = [
        Column(title, width, is_text=holds not in ("number", "amount"))
        for title, holds, width in form.columns
    ]
    return name, write_workbook(columns, cells, title="Chi")


_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


def _pain001(rows: Sequence[PayoutRow], account: AccountInfo, number: int, now: datetime) -> bytes:
    """ISO 20022 CustomerCreditTransferInitiation, version 9: one payment block, VND whole."""
    total = str(sum(row.amount.dong for row in rows))
    message = f"SOTHU-{account.school_id}-{number}"
    document = Element("Document", xmlns=_NAMESPACE)
    order = SubElement(document, "CstmrCdtTrfInitn")
    head = SubElement(order, "GrpHdr")
    _leaf(head, "MsgId", message)
    _leaf(head, "CreDtTm", f"{now:%Y-%m-%dT%H:%M:%SZ}")
    _leaf(head, "NbOfTxs", str(len(rows)))
    _leaf(head, "CtrlSum", total)
    _leaf(SubElement(head, "InitgPty"), "Nm", ascii_upper(account.holder)[:140])
    block = SubElement(order, "PmtInf")
    _leaf(block, "PmtInfId", message)
    _leaf(block, "PmtMtd", "TRF")
    _leaf(block, "NbOfTxs", str(len(rows)))
    _leaf(block, "CtrlSum", total)
    _leaf(SubElement(block, "ReqdExctnDt"), "Dt", clock.local_day(now).isoformat())
    _leaf(SubElement(block, "Dbtr"), "Nm", ascii_upper(account.holder)[:140])
    _account(block, "DbtrAcct", account.number)
    _bank(block, "DbtrAgt", account.bank_bin)
    for row in rows:
        transfer = SubElement(block, "CdtTrfTxInf")
        _leaf(SubElement(transfer, "PmtId"), "EndToEndId", row.code)
        amount = SubElement(SubElement(transfer, "Amt"), "InstdAmt", Ccy="VND")
        amount.text = str(row.amount.dong)
        _bank(transfer, "CdtrAgt", row.bank_bin)
        _leaf(SubElement(transfer, "Cdtr"), "Nm", row.holder[:140])
        _account(transfer, "CdtrAcct", row.account)
        _leaf(SubElement(transfer, "RmtInf"), "Ustrd", text_of(row))
    indent(document)
    return bytes(tostring(document, encoding="utf-8", xml_declaration=True))


def _leaf(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _account(parent: Element, tag: str, number: str) -> None:
    other = SubElement(SubElement(SubElement(parent, tag), "Id"), "Othr")
    _leaf(other, "Id", number)


def _bank(parent: Element, tag: str, bank_bin: str) -> None:
    member = SubElement(SubElement(SubElement(parent, tag), "FinInstnId"), "ClrSysMmbId")
    _leaf(member, "MmbId", bank_bin)


# The bank's answer

_DONE: Final = ("thanh cong", "hoan thanh", "da chuyen", "success", "completed", "acsc", "done")
_NOT: Final = (
    *("khong thanh cong", "that bai", "loi", "tu choi", "hoan tra", "tra lai", "huy"),
    *("fail", "reject", "error", "rjct", "returned", "unsuccess"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank says of one row."""

    payout_id: int
    is_paid: bool
    words: str


def read_result(data: bytes, filename: str, members: Mapping[str, PayoutRow]) -> list[Answer]:
    """What the bank's file says of the rows of a batch; `members` by their code.

    A row counts when it holds a code of ours. Refused whole: no such row, a code that is not of
    this batch, one code twice, an amount that is not there, an outcome nobody can read.
    """
    try:
        sheets = read_sheets(data, filename)
    except SheetRefused as refusal:
        raise ResultUnread(refusal.message) from None
    found: dict[str, Answer] = {}
    for sheet in sheets:
        for place, cells in enumerate(sheet.rows, start=sheet.first_row):
            words = [str(cell) for cell in cells if cell not in (None, "")]
            codes = {code for word in words for code in find_references(word, prefix="TR")}
            if not codes:
                continue
            code = next((one for one in codes if one in members), None)
            if code is None:
                raise ResultUnread(
                    _(
                        "Row %(row)s names %(code)s, which is not in this batch. Nothing was kept.",
                        row=place,
                        code=min(codes),
                    )
                )
            if code in found:
                raise ResultUnread(
                    _("Row %(row)s repeats %(code)s. Nothing was kept.", row=place, code=code)
                )
            payout = members[code]
            if not any(_dong(cell) == payout.amount.dong for cell in cells):
                raise ResultUnread(
                    _(
                        "Row %(row)s: the amount of %(code)s is not the ordered one. Nothing was"
                        " kept.",
                        row=place,
                        code=code,
                    )
                )
            found[code] = _answer(payout, words, place)
    if not found:
        raise ResultUnread(
            _("No row of this file names a payment of this batch by its code. Nothing was kept.")
        )
    return list(found.values())


def _answer(payout: PayoutRow, words: Sequence[str], place: int) -> Answer:
    for word in words:
        folded = f" {fold(word)} "
        if any(f" {sign}" in folded for sign in _NOT):
            return Answer(payout.id, False, word[:200])
        if any(f" {sign}" in folded for sign in _DONE):
            return Answer(payout.id, True, "")
    raise ResultUnread(
        _(
            "Row %(row)s does not say whether the payment was done. Ask the bank for the file with"
            " the outcome of each row. Nothing was kept.",
            row=place,
        )
    )


def _dong(cell: Value) -> int | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)):
        return int(cell) if cell == int(cell) else None
    digits = "".join(sign for sign in str(cell) if sign.isdigit())
    plain = str(cell).replace("VND", "").replace("đ", "").replace("₫", "").strip()
    return int(digits) if digits and plain.replace(".", "").replace(",", "").isdigit() else None
