"""From matched money to what its receipt will say (M9): the draft is built here, above receipts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from app.core.db import MONTH, VND, rows
from app.money import billing
from app.money.fees.models import DocumentKind
from app.money.payments.models import Method
from app.money.receipts import ReceiptChild, ReceiptDraft, ReceiptLine
from app.people.schools import year_of

#: Papers are Vietnamese by law; these words are printed, not translated.
METHODS = {
    Method.TRANSFER: "Chuyển khoản",
    Method.CARD: "Thẻ ngân hàng",
    Method.WALLET: "Ví điện tử, cổng thanh toán",
    Method.CASH: "Tiền mặt",
}
UNITS = {
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


@dataclass(frozen=True, slots=True)
class Matched:
    """A payment with the children it was given to."""

    payment_id: int
    event_id: int
    method: Method
    payer: str | None
    occurred_at: datetime
    received_on: date
    text: str
    collected_by: str
    parts: tuple[tuple[billing.Request, billing.Allocation], ...]


def draft_receipts(school_id: int, matched: Sequence[Matched], day: date) -> list[ReceiptDraft]:
    """One draft per payment that a receipt is due for; lines without a document take none."""
    line_ids = {s.line_id for m in matched for _, a in m.parts for s in a.shares}
    student_ids = {request.student_id for m in matched for request, _ in m.parts}
    lines = _lines(school_id, line_ids)
    zeros = _zero_lines(school_id, {line.invoice_id for line in lines.values()})
    children = _children(school_id, student_ids)
    year = year_of(day)
    found = []
    for one in matched:
        papers = [
            _child(
                children[request.student_id], allocation, lines, zeros, year.code if year else ""
            )
            for request, allocation in one.parts
        ]
        papers = [paper for paper in papers if any(line.amount for line in paper.lines)]
        if not papers:
            continue
        first = children[one.parts[0][0].student_id]
        found.append(
            ReceiptDraft(
                kind=DocumentKind.RECEIPT,
                payment_id=one.payment_id,
                event_id=one.event_id,
                payer=one.payer or f"Gia đình em {first.full_name}",
                payer_address=first.address or "",
                method=METHODS[one.method],
                received_on=one.received_on,
                occurred_at=one.occurred_at,
                transfer_text=one.text,
                reference=", ".join(request.reference for request, _ in one.parts),
                children=tuple(papers),
                collected_by=one.collected_by,
            )
        )
    return found


def _child(
    child: Row[*tuple[Any, ...]],
    allocation: billing.Allocation,
    lines: dict[int, Row[*tuple[Any, ...]]],
    zeros: dict[int, list[Row[*tuple[Any, ...]]]],
    school_year: str,
) -> ReceiptChild:
    paid = {share.line_id: share.amount.dong for share in allocation.shares}
    touched = [lines[line_id] for line_id in paid if lines[line_id].document_kind == "receipt"]
    invoices = {line.invoice_id for line in touched}
    free = [line for invoice_id in sorted(invoices) for line in zeros.get(invoice_id, [])]
    in_order = sorted([*touched, *free], key=lambda line: (line.invoice_id, line.position))
    printed = [_line(line, paid.get(line.id, 0)) for line in in_order]
    if allocation.rest:
        printed.append(
            ReceiptLine("Tiền nộp thừa, ghi cho em", "", None, "", None, allocation.rest.dong)
        )
    months = sorted({line.service_period for line in touched})
    return ReceiptChild(
        full_name=child.full_name,
        code=child.code,
        class_name=touched[-1].class_name if touched else (child.class_name or ""),
        school_year=school_year,
        periods=", ".join(f"{month.month}/{month.year}" for month in months),
        lines=tuple(printed),
    )


def _line(line: Row[*tuple[Any, ...]], paid: int) -> ReceiptLine:
    details = []
    if line.service_period != line.billed_period:
        details.append(f"tháng {line.service_period.month}/{line.service_period.year}")
    if line.percent == 100 and line.category == "tuition":
        details.append("Nhà nước chi trả 100 %")
    elif line.percent:
        details.append(f"giảm {line.percent} %")
    if line.amount.dong and paid != line.amount.dong:
        details.append("nộp một phần")
    return ReceiptLine(
        name=line.name,
        detail=", ".join(details),
        quantity=line.quantity or None,
        unit=UNITS.get(line.unit, line.unit),
        price=line.price.dong,
        amount=paid,
    )


_TYPES = {"service_period": MONTH, "billed_period": MONTH, "price": VND, "amount": VND}
_LINE = (
    "select l.id, l.invoice_id, l.position, l.name, l.category, l.unit, l.quantity, l.price,"
    " l.percent, l.amount, l.service_period, v.billed_period, l.document_kind, v.class_name"
    " from invoice_lines l join invoices v on v.school_id = l.school_id and v.id = l.invoice_id"
    " where l.school_id = :school_id"
)


def _lines(school_id: int, line_ids: Collection[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    if not line_ids:
        return {}
    found = rows(f"{_LINE} and l.id in :ids", types=_TYPES, school_id=school_id, ids=list(line_ids))
    return {line.id: line for line in found}


def _zero_lines(
    school_id: int, invoice_ids: Collection[int]
) -> dict[int, list[Row[*tuple[Any, ...]]]]:
    """Lines that ask for nothing stay listed on the paper beside those that were paid."""
    if not invoice_ids:
        return {}
    found = rows(
        f"{_LINE} and l.invoice_id in :ids and l.amount = 0 and l.gross > 0",
        types=_TYPES,
        school_id=school_id,
        ids=list(invoice_ids),
    )
    result: dict[int, list[Row[*tuple[Any, ...]]]] = {}
    for line in found:
        result.setdefault(line.invoice_id, []).append(line)
    return result


def _children(school_id: int, student_ids: Collection[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    if not student_ids:
        return {}
    found = rows(
        "select s.id, s.code, s.full_name,"
        " (select c.name from enrolments e join placements p on p.school_id = e.school_id"
        "  and p.enrolment_id = e.id join classes c on c.id = p.class_id"
        "  where e.school_id = :school_id and e.student_id = s.id"
        "  order by p.starts_on desc, p.id desc limit 1) as class_name,"
        " (select g.address from guardianships r join guardians g on g.id = r.guardian_id"
        "  where r.student_id = s.id order by r.is_primary desc, r.id limit 1) as address"
        " from students s where s.id in :students",
        school_id=school_id,
        students=list(student_ids),
    )
    return {child.id: child for child in found}
