"""What the parents' pages show, read from the books in few queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from app.core.db import DAY, MOMENT, VND, row, rows, scalar
from app.core.money import ZERO, Vnd, total_of
from app.core.period import Period
from app.core.text import initials, last_four
from app.journeys.family.errors import UnknownLink
from app.money import billing
from app.money.billing.lapsing import last_day_open
from app.people import students
from app.people.schools import AccountInfo, SchoolInfo, get_account, school_info


@dataclass(frozen=True, slots=True)
class ReceiptOfPayment:
    """A receipt that a payment led to."""

    id: int
    full_number: str
    check_code: str
    issued_at: datetime
    amount: Vnd


@dataclass(frozen=True, slots=True)
class FamilyPayment:
    """Money that came in for one payment request."""

    id: int
    method: str
    proof: str
    #: the part given to this child
    amount: Vnd
    occurred_at: datetime
    received_at: datetime
    is_returned: bool
    receipts: tuple[ReceiptOfPayment, ...]

    @property
    def receipt(self) -> ReceiptOfPayment | None:
        """The newest valid receipt."""
        return self.receipts[-1] if self.receipts else None


@dataclass(frozen=True, slots=True)
class Bill:
    """One bill as far as it goes to the request's account."""

    id: int
    period: Period
    due_on: date
    #: a voluntary line that may not be a debt falls away after this day
    stands_until: date
    #: what it asked for when issued
    total: Vnd
    open: Vnd
    #: taken from money the school held for the child, not from a payment
    from_credit: Vnd
    lines: tuple[billing.BilledLine, ...]

    @property
    def paid(self) -> Vnd:
        """What payments settled of it; a line below zero was never receivable."""
        asked = total_of([line.amount for line in self.lines if line.amount > ZERO])
        return asked - self.open - self.from_credit

    @property
    def extra_credit(self) -> Vnd:
        """Older credit used for it, beyond what its own lines give back."""
        return self.total - self.open - self.paid


@dataclass(frozen=True, slots=True)
class PayPage:
    """A payment request at this moment."""

    request: billing.Request
    school: SchoolInfo
    account: AccountInfo
    initials: str
    full_name: str
    class_name: str
    #: newest month first
    bills: tuple[Bill, ...]
    payments: tuple[FamilyPayment, ...]
    #: money the school holds for the child beyond what is billed
    credit: Vnd
    #: links of the child's other accounts with what is due there
    others: tuple[tuple[billing.Request, Vnd], ...]

    @property
    def open_bills(self) -> tuple[Bill, ...]:
        """Bills with something left to pay, newest first."""
        return tuple(bill for bill in self.bills if bill.open)

    @property
    def shown_bills(self) -> tuple[Bill, ...]:
        """What the page is about: what is open, else the newest month."""
        if self.open_bills or not self.bills:
            return self.open_bills
        newest = self.bills[0].period
        return tuple(bill for bill in self.bills if bill.period == newest)

    @property
    def due(self) -> Vnd:
        """What is asked for now, older debt included."""
        return total_of([bill.open for bill in self.bills])

    @property
    def paid_of_open(self) -> Vnd:
        """What payments settled of the open bills."""
        return total_of([bill.paid for bill in self.open_bills])

    @property
    def paid_of_shown(self) -> Vnd:
        """What payments settled of the shown bills."""
        return total_of([bill.paid for bill in self.shown_bills])

    @property
    def extra_credit(self) -> Vnd:
        """Older credit that was used for the shown bills."""
        return total_of([bill.extra_credit for bill in self.shown_bills])

    @property
    def due_on(self) -> date | None:
        """The earliest day of what is open."""
        return min((bill.due_on for bill in self.open_bills), default=None)

    @property
    def period(self) -> Period | None:
        """The month the page is headed with."""
        return self.shown_bills[0].period if self.shown_bills else None

    @property
    def older(self) -> tuple[Period, ...]:
        """Earlier months with something left, oldest first."""
        months = {bill.period for bill in self.open_bills} - {self.period}
        return tuple(sorted(months, key=lambda month: month.number))

    @property
    def last_payment(self) -> FamilyPayment | None:
        """The newest payment that stayed."""
        return next((payment for payment in self.payments if not payment.is_returned), None)

    @property
    def state(self) -> str:
        """`open`, `part` (something of what is open was paid), `paid` or `nothing`."""
        if self.due > ZERO:
            return "part" if self.paid_of_open > ZERO and self.last_payment else "open"
        return "paid" if self.last_payment else "nothing"

    @property
    def line_count(self) -> int:
        """How many lines the bills on the page have."""
        return sum(len(bill.lines) for bill in self.shown_bills)


def find_request(token: str, school_id: int | None) -> billing.Request:
    """The request behind a pay link, or UnknownLink."""
    found = billing.find_request(school_id, token=token) if school_id is not None else None
    if found is None:
        raise UnknownLink
    return found


def pay_page(request: billing.Request, today: date) -> PayPage:
    """All that may be shown about a payment request; the template decides what is locked."""
    school_id = request.school_id
    child = row(
        "select s.full_name, s.code from students s where s.id = :student",
        student=request.student_id,
    )
    if child is None:
        raise UnknownLink
    bills, class_name = _bills(request)
    return PayPage(
        request=request,
        school=school_info(school_id, today),
        account=get_account(school_id, request.bank_account_id),
        initials=initials(child.full_name),
        full_name=child.full_name,
        class_name=class_name,
        bills=bills,
        payments=_payments(request),
        credit=billing.credits_of(school_id, [request.student_id]).get(request.student_id, ZERO),
        others=_others(request),
    )


def _others(request: billing.Request) -> tuple[tuple[billing.Request, Vnd], ...]:
    """What the child owes to other accounts of the school, each behind its own link (M7)."""
    by_account = {request.bank_account_id: request}
    for other in billing.requests_of(request.school_id, request.student_id):
        by_account.setdefault(other.bank_account_id, other)
    found = ((one, billing.due(one)) for one in by_account.values() if one is not request)
    return tuple((one, due) for one, due in found if due > ZERO)


def _bills(request: billing.Request) -> tuple[tuple[Bill, ...], str]:
    invoices = billing.invoices_of(request.school_id, request.student_id)
    lines: dict[int, list[billing.BilledLine]] = {}
    for line in billing.lines_of(request.school_id, [invoice.id for invoice in invoices]):
        if line.bank_account_id == request.bank_account_id:
            lines.setdefault(line.invoice_id, []).append(line)
    credit = _from_credit(request, [line.id for found in lines.values() for line in found])
    bills = tuple(
        Bill(
            id=invoice.id,
            period=invoice.billed_period,
            due_on=invoice.due_on,
            stands_until=last_day_open(invoice.due_on, request.school_id),
            total=total_of([line.amount for line in lines[invoice.id]]),
            open=total_of([line.open for line in lines[invoice.id]]),
            from_credit=total_of([credit.get(line.id, ZERO) for line in lines[invoice.id]]),
            lines=tuple(lines[invoice.id]),
        )
        for invoice in invoices
        if invoice.id in lines
    )
    return bills, invoices[0].class_name if invoices else ""


def _from_credit(request: billing.Request, line_ids: Collection[int]) -> dict[int, Vnd]:
    """What of each line was settled from credit and stayed so."""
    if not line_ids:
        return {}
    found = rows(
        "select e.invoice_line_id as line,"
        " sum(case when v.kind = 'credit_applied' then e.amount else -e.amount end) as credit"
        " from entries e join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        "  and v.kind in ('credit_applied', 'credit_unapplied')"
        " where e.school_id = :school_id and e.invoice_line_id in :lines"
        " group by e.invoice_line_id",
        school_id=request.school_id,
        lines=list(line_ids),
    )
    return {line.line: Vnd(int(line.credit)) for line in found}


def _payments(request: billing.Request) -> tuple[FamilyPayment, ...]:
    """Newest first; the amount is this child's part of a payment made for several."""
    found = rows(
        "select p.id, p.method, p.proof, sum(m.amount) as amount, p.occurred_at, p.received_at,"
        " case when coalesce((select sum(v.amount) from reversals v where v.school_id = p.school_id"
        "  and v.payment_id = p.id), 0) >= p.amount then 1 else 0 end as is_returned"
        " from v_matching m join payments p on p.school_id = m.school_id and p.id = m.payment_id"
        " where m.school_id = :school_id and m.request_id = :request"
        " group by p.id, p.school_id, p.method, p.proof, p.occurred_at, p.received_at, p.amount"
        " order by p.id desc",
        types={"occurred_at": MOMENT, "received_at": MOMENT},
        school_id=request.school_id,
        request=request.id,
    )
    papers: dict[int, list[ReceiptOfPayment]] = {}
    for paper in _live_receipts(request.school_id, [payment.id for payment in found]):
        papers.setdefault(paper[0], []).append(paper[1])
    return tuple(
        FamilyPayment(
            id=payment.id,
            method=payment.method,
            proof=payment.proof,
            amount=Vnd(int(payment.amount)),
            occurred_at=payment.occurred_at,
            received_at=payment.received_at,
            is_returned=bool(payment.is_returned),
            receipts=tuple(papers.get(payment.id, ())),
        )
        for payment in found
    )


def _live_receipts(
    school_id: int, payment_ids: Collection[int]
) -> list[tuple[int, ReceiptOfPayment]]:
    if not payment_ids:
        return []
    found = rows(
        "select v.payment_id, r.id, r.series, r.number, r.check_code, r.issued_at, r.amount"
        " from v_receipt v join receipts r on r.id = v.receipt_id where v.school_id = :school_id"
        " and v.payment_id in :payments and v.state = 'live' order by r.id",
        types={"issued_at": MOMENT, "amount": VND},
        school_id=school_id,
        payments=list(payment_ids),
    )
    return [
        (
            paper.payment_id,
            ReceiptOfPayment(
                paper.id,
                f"{paper.series} / {paper.number:06d}",
                paper.check_code,
                paper.issued_at,
                paper.amount,
            ),
        )
        for paper in found
    ]


def fingerprint(request: billing.Request) -> str:
    """Changes whenever the books say something new about the child at this school.

    Counted as well as numbered: on PostgreSQL a lower number may become visible after a higher one.
    """
    found = row(
        "select count(*) as entries, max(e.id) as last from entries e"
        " where e.school_id = :school_id and e.student_id in :rows",
        school_id=request.school_id,
        rows=list(students.rows_of([request.student_id])),
    )
    return f"{request.id}.{found.entries}.{found.last}" if found else f"{request.id}"


def card_attempt(request: billing.Request) -> str:
    """The state of the newest try to pay by card, or nothing."""
    found = scalar(
        "select state from payment_attempts where school_id = :school_id and request_id = :request"
        " order by id desc limit 1",
        school_id=request.school_id,
        request=request.id,
    )
    return str(found or "")


def registered_endings(student_id: int, today: date) -> list[str]:
    """The last four digits of the phones of a child's guardians."""
    found = rows(
        "select g.phone from guardianships r join guardians g on g.id = r.guardian_id"
        " where r.student_id = :student and g.phone is not null and r.starts_on <= :today"
        " and (r.ends_on is null or r.ends_on > :today)",
        student=student_id,
        today=today,
    )
    return [ending for ending in (last_four(guardian.phone) for guardian in found) if ending]


# Why is a line asked for?


@dataclass(frozen=True, slots=True)
class Reason:
    """Where a line's price comes from and whose choice it was; never the ground of a relief."""

    agreement: str
    approved_by: str
    approved_at: datetime | None
    chosen_on: date | None


def reasons(school_id: int, line_ids: Collection[int]) -> dict[int, Reason]:
    """The schedule, its approval and the family's recorded yes behind billed lines."""
    if not line_ids:
        return {}
    found = rows(
        "select l.id, coalesce(s.agreement, '') as agreement,"
        " coalesce(s.approved_by, '') as approved_by, s.approved_at,"
        " (select max(c.chosen_on) from fee_choices c where c.school_id = l.school_id"
        "  and c.enrolment_id = l.enrolment_id and c.item_id = l.item_id) as chosen_on"
        " from invoice_lines l"
        " left join schedule_prices p on p.school_id = l.school_id and p.id = l.schedule_price_id"
        " left join fee_schedules s on s.school_id = p.school_id and s.id = p.schedule_id"
        " where l.school_id = :school_id and l.id in :lines",
        types={"approved_at": MOMENT, "chosen_on": DAY},
        school_id=school_id,
        lines=list(line_ids),
    )
    return {
        line.id: Reason(line.agreement, line.approved_by, line.approved_at, line.chosen_on)
        for line in found
    }


# Is this account the school's?


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """A receiving account of a school of the area."""

    school_id: int
    bank_account_id: int
    bank_bin: str
    number: str


@dataclass(frozen=True, slots=True)
class AccountOfSchool:
    """What the public may know of a receiving account."""

    school_name: str
    bank_bin: str
    number: str
    holder: str
    is_open: bool


def accounts_with_number(number: str, bank_bin: str | None = None) -> list[KnownAccount]:
    """Area-wide look-up of an account number as people write it; a QR names the bank too."""
    found = rows(
        "select school_id, bank_account_id, bank_bin, number from account_addresses"
        " where upper(number) = :number order by bank_bin",
        number=number.upper(),
    )
    return [KnownAccount(*account) for account in found if bank_bin in (None, account.bank_bin)]


def account_of_school(known: KnownAccount, today: date) -> AccountOfSchool:
    """Holder and school of an account; its school's scope must be open."""
    found = row(
        "select holder, opened_on, closed_on from bank_accounts"
        " where school_id = :school_id and id = :id",
        types={"opened_on": DAY, "closed_on": DAY},
        school_id=known.school_id,
        id=known.bank_account_id,
    )
    if found is None:
        raise UnknownLink
    return AccountOfSchool(
        school_name=school_info(known.school_id, today).name,
        bank_bin=known.bank_bin,
        number=known.number,
        holder=found.holder,
        is_open=found.opened_on <= today and (found.closed_on is None or found.closed_on > today),
    )
