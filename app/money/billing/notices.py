"""Fee notices: the words of one, for the paper and for a message alike.

They are Vietnamese by law, whatever the reader's language; their fixed
words are not translated. A line names the rate of a relief, never its ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import current_app, render_template

from app.core import clock
from app.core.money import ZERO, Vnd, format_number, total_of
from app.core.period import Period
from app.money.billing import queries, vietqr
from app.money.billing.allocation import OpenLine
from app.money.billing.errors import NothingToPrint
from app.money.billing.queries import BilledLine, InvoiceRow, Request
from app.people.schools import AccountInfo, Wording, get_account, school_info, wording
from app.people.schools.banks import find_bank

#: tenths of a point: down to the cut; what surrounds the rows, and a line of a row, at each size
_ROOM: Final = 4_120
_SIZES: Final = {"roomy": (2_110, 188), "tight": (2_080, 160), "dense": (2_050, 131)}
#: a line of small print: its height, and the signs in it; signs in a line of a row
_SMALL_PRINT, _SIGNS, _ROW_SIGNS = 120, 85, 34

_UNITS: Final = {
    "day": "ngày",
    "month": "tháng",
    "semester": "học kỳ",
    "year": "năm",
    "hour": "giờ",
    "lesson": "tiết",
    "km": "km",
    "piece": "cái",
    "once": "lần",
}
_WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the paper, in words."""

    name: str
    detail: str
    quantity: str
    price: str
    amount: str
    #: the act the line rests on; empty for what older bills left open
    act: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Everything one notice prints."""

    period: str
    full_name: str
    class_name: str
    rows: tuple[Row, ...]
    #: the acts of the rows, each with the numbers of its rows: "1, 3: Nghị quyết …"
    acts: tuple[str, ...]
    total: str
    words: str
    due_on: str
    reference: str
    bank: str
    account: str
    holder: str
    #: path of the page where it can be paid
    token: str
    #: what the QR says
    qr_text: str
    density: str


def write_message(school_id: int, invoice: InvoiceRow, *, day: date) -> str:
    """One bill as a message for Zalo, SMS or e-mail: the words of the paper, a line each.

    Refuses a bill of which nothing is due.
    """
    notices = words_of(school_id, asked_of([invoice]))
    school = school_info(school_id, day)
    public = current_app.config["SETTINGS"].public_url.rstrip("/")
    # A worker writes messages too, outside any request.
    paths = current_app.url_map.bind("")
    return "\n\n".join(
        render_template(
            "messages/notice.txt",
            notice=notice,
            school=school,
            address=public + paths.build("family.pay", {"token": notice.token}),
            check_address=public + "/check",
        ).strip()
        for notice in notices
    )


def asked_of(invoices: Sequence[InvoiceRow]) -> list[InvoiceRow]:
    """The newest bill of each child of which something is due."""
    newest: dict[int, InvoiceRow] = {}
    for invoice in invoices:
        known = newest.get(invoice.student_id)
        if invoice.open > ZERO and (known is None or known.seq < invoice.seq):
            newest[invoice.student_id] = invoice
    asked = [invoice for invoice in invoices if newest.get(invoice.student_id) is invoice]
    if not asked:
        raise NothingToPrint
    return asked


def words_of(school_id: int, invoices: Sequence[InvoiceRow]) -> list[Notice]:
    """The notices of some bills, one for each account with something due."""
    lines: dict[int, list[BilledLine]] = {}
    for line in queries.lines_of(school_id, [invoice.id for invoice in invoices]):
        lines.setdefault(line.invoice_id, []).append(line)
    students = [invoice.student_id for invoice in invoices]
    requests = queries.requests_of_many(school_id, students)
    accounts: dict[int, tuple[AccountInfo, dict[int, list[OpenLine]]]] = {}
    notices = []
    said = wording(school_id, clock.today())
    for number in sorted({account for _student, account in requests}):
        accounts[number] = (
            get_account(school_id, number),
            queries.open_lines(school_id, students, bank_account_id=number),
        )
    for invoice in invoices:
        # Lines of another account, and what older bills left open there, are another notice with a
        # code of its own (M7); the account of the first line comes first.
        own: dict[int, list[BilledLine]] = {}
        for line in lines[invoice.id]:
            own.setdefault(line.bank_account_id, []).append(line)
        for number in (*own, *(other for other in accounts if other not in own)):
            account, still_open = accounts[number]
            due = Vnd(sum(line.open.dong for line in still_open.get(invoice.student_id, [])))
            if due <= ZERO:
                continue
            request = requests[invoice.student_id, number]
            notices.append(_notice(invoice, own.get(number, []), request, account, due, said))
    return notices


def _notice(
    invoice: InvoiceRow,
    lines: Sequence[BilledLine],
    request: Request,
    account: AccountInfo,
    due: Vnd,
    said: Wording,
) -> Notice:
    rows = [_row(line, invoice.billed_period) for line in lines]
    # Older bills and what was paid since, so that the rows add up to what is due.
    rest = due - total_of([line.amount for line in lines])
    if rest:
        name = "Các phiếu trước còn lại" if rest > ZERO else "Đã trả"
        rows.append(Row(name, "", "", "", format_number(rest.dong)))
    acts = acts_of(rows)
    bank = find_bank(account.bank_bin)
    return Notice(
        period=f"tháng {invoice.billed_period.month}/{invoice.billed_period.year}",
        full_name=invoice.full_name,
        class_name=invoice.class_name,
        rows=tuple(rows),
        acts=acts,
        total=format_number(due.dong),
        words=said.sentence(due.dong),
        due_on=f"{_WEEKDAYS[invoice.due_on.weekday()]} {invoice.due_on:%d/%m/%Y}",
        reference=request.reference,
        bank=bank.short_name if bank else account.bank_bin,
        account=account.number,
        holder=account.holder,
        token=request.token,
        qr_text=vietqr.build(account.bank_bin, account.number, due, request.reference),
        density=density_of(rows, acts),
    )


def density_of(rows: Sequence[Row], acts: Sequence[str]) -> str:
    """The largest size at which half a page is enough; `whole` where it never is."""
    lines = sum(-(-(len(row.name) + len(row.detail) + 3) // _ROW_SIGNS) for row in rows)
    small_print = -(-(len("; ".join(acts)) + 9) // _SIGNS) * _SMALL_PRINT if acts else 0
    for density, (around, line) in _SIZES.items():
        if around + lines * line + small_print <= _ROOM:
            return density
    return "whole"


def acts_of(rows: Sequence[Row]) -> tuple[str, ...]:
    places: dict[str, list[str]] = {}
    for place, row in enumerate(rows, 1):
        if row.act:
            places.setdefault(row.act, []).append(str(place))
    return tuple(f"{', '.join(numbers)}: {act}" for act, numbers in places.items())


def _days_back(line: BilledLine) -> str:
    """How many days a line gives back, where it is whole days of one price."""
    if line.unit != "day" or line.price <= ZERO or line.gross.dong % line.price.dong:
        return ""
    return f" {format_number(-line.gross.dong // line.price.dong)} ngày"


def _row(line: BilledLine, billed: Period) -> Row:
    details = []
    if line.percent == 100 and line.category == "tuition":
        details.append("Nhà nước chi trả 100 %")
    elif line.percent:
        details.append(f"giảm {line.percent} %")
    if line.service_period != billed:
        details.append(f"tháng {line.service_period.month}/{line.service_period.year}")
    if line.quantity_before and line.amount >= ZERO:
        details.append(
            f"{line.quantity_before} {_UNITS[line.unit]} đầu tháng"
            f" × {format_number(line.price_before.dong)}"
        )
    if line.subsidy > ZERO and line.amount >= ZERO:
        details.append(f"được hỗ trợ {format_number(line.subsidy.dong)}")
    if line.amount < ZERO:
        details.append(f"trả lại{_days_back(line)}")
    return Row(
        name=line.name if line.is_compulsory else f"{line.name} (tự nguyện)",
        detail=", ".join(details),
        quantity=f"{format_number(line.quantity)} {_UNITS.get(line.unit, line.unit)}"
        if line.quantity
        else "",
        price=format_number(line.price.dong) if line.quantity else "",
        amount=format_number(line.amount.dong),
        act=line.legal_act,
    )
