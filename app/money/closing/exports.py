"""The journal of a month as a file, in accounts of the circular that is in force.

Which account of a circular ours is was written from memory and is data: a school sets its own from
a day on, and nobody is held up by it. Forms of accounting packages are data too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask_babel import gettext as _

from app.core.period import Period
from app.core.sheets import Column, Value, write_workbook
from app.money.closing.errors import MonthStepRefused
from app.money.closing.queries import JournalRow, Mapped

#: our prefixes → accounts of the circular, by the day it came into force
REGIMES: Final[tuple[tuple[date, str, Mapping[str, str]], ...]] = (
    (
        date(2018, 1, 1),
        "107/2017/TT-BTC",
        {
            "cash:": "1111",
            "bank:": "1121",
            "deposit:": "1131",
            "clearing:": "1131",
            "transit": "1131",
            "payout:": "1131",
            "receivable": "1311",
            "credit": "3318",
            "suspense:": "3388",
            "income:": "5318",
            "held:": "3381",
            "sponsor": "3388",
            "refund_payable": "3318",
            "support_payable": "3348",
            "support": "1388",
            "surcharge:": "3388",
            "rounding": "7118",
            "till_difference": "1388",
            "write_off": "8118",
            "bank_fee": "6428",
            "interest": "5158",
            "interschool:": "1388",
            "expected:": "3388",
            "outside": "3388",
            "same_child": "1311",
            "same_family": "3318",
        },
    ),
    (
        date(2025, 1, 1),
        "24/2024/TT-BTC",
        {
            "cash:": "1111",
            "bank:": "1121",
            "deposit:": "113",
            "clearing:": "113",
            "transit": "113",
            "payout:": "113",
            "receivable": "131",
            "credit": "3388",
            "suspense:": "3388",
            "income:": "531",
            "held:": "3388",
            "sponsor": "3388",
            "refund_payable": "3388",
            "support_payable": "3388",
            "support": "1388",
            "surcharge:": "3388",
            "rounding": "711",
            "till_difference": "1388",
            "write_off": "811",
            "bank_fee": "642",
            "interest": "515",
            "interschool:": "1388",
            "expected:": "3388",
            "outside": "3388",
            "same_child": "131",
            "same_family": "3388",
        },
    ),
)

#: a deed of the journal in words; files are Vietnamese as the books are
DEEDS: Final = {
    "invoice_issued": "Phải thu học sinh",
    "credit_applied": "Trừ tiền nộp thừa",
    "credit_unapplied": "Trả lại tiền nộp thừa",
    "payment_received": "Thu tiền",
    "suspense_matched": "Ghép tiền chờ",
    "payment_reversed": "Tiền bị thu hồi",
    "payment_reinstated": "Tiền về lại",
    "match_undone": "Rút lại ghép tiền",
    "payment_unmatched": "Tiền chờ ghép lại",
    "movement_booked": "Tiền gửi ngân hàng",
    "movement_fee": "Phí thanh toán",
    "cash_deposited": "Nộp tiền mặt vào ngân hàng",
    "till_counted": "Chênh lệch kiểm quỹ",
    "payout_approved": "Duyệt chi cho gia đình",
    "payout_paid": "Chi cho gia đình",
    "interschool_mirrored": "Công nợ giữa các trường",
}


def regime_of(day: date) -> tuple[str, Mapping[str, str]]:
    """The circular of a day, by number, with its accounts."""
    found = [regime for regime in REGIMES if regime[0] <= day] or [REGIMES[0]]
    return found[-1][1], found[-1][2]


def target_of(account: str, day: date, own: Sequence[Mapped]) -> str:
    """The circular's account of one of ours on a day: the school's own word, else the circular's.

    The longest prefix wins; empty when nobody knows.
    """
    said = [one for one in own if one.valid_from <= day and account.startswith(one.prefix)]
    if said:
        longest = max(len(one.prefix) for one in said)
        return [one for one in said if len(one.prefix) == longest][-1].target
    accounts = regime_of(day)[1]
    fitting = [prefix for prefix in accounts if account.startswith(prefix)]
    return accounts[max(fitting, key=len)] if fitting else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the journal as a package imports it."""

    number: str
    row: JournalRow
    debit: str
    credit: str

    @property
    def words(self) -> str:
        """What happened."""
        return DEEDS.get(self.row.kind, self.row.kind)


_FIELDS: Final[Mapping[str, Callable[[Entry], Value]]] = {
    "booked_on": lambda entry: entry.row.booked_on,
    "number": lambda entry: entry.number,
    "words": lambda entry: entry.words,
    "debit": lambda entry: entry.debit,
    "credit": lambda entry: entry.credit,
    "amount": lambda entry: entry.row.amount.dong,
    "own_debit": lambda entry: entry.row.debit,
    "own_credit": lambda entry: entry.row.credit,
    "entries": lambda entry: entry.row.entries,
    "currency": lambda entry: "VND",
}


@dataclass(frozen=True, slots=True)
class Form:
    """Columns of an accounting package's import file."""

    code: str
    title: str
    kind: str
    columns: tuple[tuple[str, str, int], ...]


FORMS: Final = {
    one.code: one
    for one in (
        Form(
            "general",
            "Excel, Nợ/Có",
            "xlsx",
            (
                ("Ngày hạch toán", "booked_on", 14),
                ("Số chứng từ", "number", 16),
                ("Diễn giải", "words", 30),
                ("TK Nợ", "debit", 10),
                ("TK Có", "credit", 10),
                ("Số tiền", "amount", 16),
                ("Tài khoản nợ của Sổ Thu", "own_debit", 24),
                ("Tài khoản có của Sổ Thu", "own_credit", 24),
                ("Số bút toán", "entries", 12),
            ),
        ),
        Form(
            "vouchers",
            "Excel, chứng từ nghiệp vụ khác",
            "xlsx",
            (
                ("Ngày hạch toán", "booked_on", 14),
                ("Ngày chứng từ", "booked_on", 14),
                ("Số chứng từ", "number", 16),
                ("Diễn giải", "words", 30),
                ("Loại tiền", "currency", 10),
                ("TK Nợ", "debit", 10),
                ("TK Có", "credit", 10),
                ("Số tiền", "amount", 16),
            ),
        ),
        Form(
            "csv",
            "CSV",
            "csv",
            (
                ("ngay_hach_toan", "booked_on", 14),
                ("so_chung_tu", "number", 16),
                ("dien_giai", "words", 30),
                ("tk_no", "debit", 10),
                ("tk_co", "credit", 10),
                ("so_tien", "amount", 16),
            ),
        ),
    )
}


def write_journal(
    form: str, rows: Sequence[JournalRow], own: Sequence[Mapped], school: str, period: Period
) -> tuple[str, bytes]:
    """Name and bytes of the journal of a month; refuses a form there is not."""
    chosen = FORMS.get(form)
    if chosen is None:
        raise MonthStepRefused(_("Choose the form of the file."))
    entries = [
        Entry(
            f"{school}-{row.booked_on:%y%m%d}-{place:03d}",
            row,
            target_of(row.debit, row.booked_on, own),
            target_of(row.credit, row.booked_on, own),
        )
        for place, row in enumerate(rows, start=1)
    ]
    cells = [
        [_FIELDS[holds](entry) for _title, holds, _width in chosen.columns] for entry in entries
    ]
    name = f"nhat-ky-{school}-{period.number}.{chosen.kind}"
    if chosen.kind == "csv":
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([title for title, _holds, _width in chosen.columns])
        writer.writerows([_plain(cell) for cell in line] for line in cells)
        return name, file.getvalue().encode("utf-8-sig")
    columns = [
        Column(title, width, is_text=holds not in ("booked_on", "amount", "entries"))
        for title, holds, width in chosen.columns
    ]
    return name, write_workbook(columns, cells, title=f"{period.month}-{period.year}")


def _plain(cell: Value) -> Value:
    return cell.isoformat() if isinstance(cell, date) else cell
