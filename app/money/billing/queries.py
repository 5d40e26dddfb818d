"""Reading bills: previews, invoices, what is open, payment requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from app.core.db import DAY, MOMENT, MONTH, VND, dialect, in_chunks, row, rows, scalar
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money.billing.allocation import OpenLine
from app.money.billing.errors import InvoiceNotFound, RunNotFound
from app.money.billing.totals import narrowed
from app.money.fees.rules import rules_sql
from app.money.meals.days import days_sql
from app.people import students

Record = Row[*tuple[Any, ...]]


def months_of_run(school_id: int, billed_period: Period) -> list[Period]:
    """The months a run looks at: its own, and those of its school year billed before."""
    first = Period(billed_period.year - (billed_period.month < 8), 8)
    found = rows(
        "select distinct billed_period from billing_runs where school_id = :school_id"
        " and issued_at is not null and billed_period between :first and :last",
        school_id=school_id,
        first=first.number,
        last=billed_period.number,
    )
    numbers = {billed_period.number, *(int(run.billed_period) for run in found)}
    return [Period.from_number(number) for number in sorted(numbers)]


# Runs


@dataclass(frozen=True, slots=True)
class Run:
    """A billing run as screens show it."""

    id: int
    school_id: int
    billed_period: Period
    seq: int
    kind: str
    due_on: date
    drafted_by: str
    drafted_at: datetime
    issued_by: str | None
    issued_at: datetime | None
    invoices: int | None
    total: Vnd | None

    @property
    def is_issued(self) -> bool:
        """Whether its bills are out."""
        return self.issued_at is not None


_RUN_TYPES = {
    "billed_period": MONTH,
    "due_on": DAY,
    "drafted_at": MOMENT,
    "issued_at": MOMENT,
    "total": VND,
}
_RUN_COLUMNS = (
    "select id, school_id, billed_period, seq, kind, due_on, drafted_by, drafted_at, issued_by,"
    " issued_at, invoices, total from billing_runs"
)


def get_run(school_id: int, run_id: int) -> Run:
    """One run of the school, or RunNotFound."""
    found = row(
        f"{_RUN_COLUMNS} where school_id = :school_id and id = :id",
        types=_RUN_TYPES,
        school_id=school_id,
        id=run_id,
    )
    if found is None:
        raise RunNotFound
    return Run(*found)


def list_runs(school_id: int) -> list[Run]:
    """All runs of the school, newest month first."""
    found = rows(
        f"{_RUN_COLUMNS} where school_id = :school_id order by billed_period desc, seq desc",
        types=_RUN_TYPES,
        school_id=school_id,
    )
    return [Run(*run) for run in found]


# From scratch


def bill_by_rules(school_id: int, enrolment_id: int, period: Period) -> list[Record]:
    """One child's bill from scratch: a row per item with everything the rules looked at."""
    sql = rules_sql(dialect(), [period], one_enrolment=True, days=days_sql(one_enrolment=True))
    return list(
        rows(
            f"with {sql} select r.*, i.code as item_code, i.name as item, i.category, i.unit,"
            " i.legal_act, i.is_compulsory, sp.audience, p.code as policy, p.name as policy_name"
            " from rules r join fee_items i on i.id = r.item_id"
            " join schedule_prices sp on sp.id = r.schedule_price_id"
            " left join exemption_policies p on p.id = r.policy_id order by i.id",
            school_id=school_id,
            enrolment_id=enrolment_id,
        )
    )


# Open lines


def open_lines(
    school_id: int, student_ids: Collection[int], *, bank_account_id: int | None = None
) -> dict[int, list[OpenLine]]:
    """The lines with money to come of each child, of one receiving account when given."""
    if not student_ids:
        return {}
    child_of = students.rows_of(student_ids)
    account = " and l.bank_account_id = :account" if bank_account_id is not None else ""
    parameters = {} if bank_account_id is None else {"account": bank_account_id}
    result: dict[int, list[OpenLine]] = {}
    for chunk in in_chunks(child_of):
        found = rows(
            "select l.id, v.student_id, v.due_on, l.category, l.is_compulsory, l.may_be_debt,"
            " l.bank_account_id,"
            " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
            " from invoices v"
            " join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id"
            " join entries e on e.invoice_line_id = l.id and e.school_id = l.school_id"
            " join accounts a on a.school_id = e.school_id and a.code = 'receivable'"
            "  and a.id in (e.debit_id, e.credit_id)"
            f" where v.school_id = :school_id and v.student_id in :students{account}"
            " group by l.id, v.student_id, v.due_on, l.category, l.is_compulsory, l.may_be_debt,"
            "  l.bank_account_id"
            " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) > 0",
            types={"due_on": DAY},
            school_id=school_id,
            students=chunk,
            **parameters,
        )
        for line in found:
            child = child_of[line.student_id]
            result.setdefault(child, []).append(
                OpenLine(
                    line_id=line.id,
                    student_id=child,
                    due_on=line.due_on,
                    category=line.category,
                    is_compulsory=bool(line.is_compulsory),
                    may_be_debt=bool(line.may_be_debt),
                    open=Vnd(int(line.open)),
                    bank_account_id=line.bank_account_id,
                )
            )
    return result


def credits_of(school_id: int, student_ids: Collection[int] | None = None) -> dict[int, Vnd]:
    """Money the school owes back, per child; children without any are absent."""
    only = " and e.student_id in :students" if student_ids is not None else ""
    parameters: dict[str, Any] = {} if student_ids is None else {"students": list(student_ids)}
    found = rows(
        "select e.student_id, sum(case when e.credit_id = a.id then e.amount else -e.amount end)"
        " as credit from accounts a join entries e on e.school_id = a.school_id"
        " and (e.credit_id = a.id or e.debit_id = a.id)"
        f" where a.school_id = :school_id and a.code = 'credit'{only} group by e.student_id"
        " having sum(case when e.credit_id = a.id then e.amount else -e.amount end) <> 0",
        school_id=school_id,
        **parameters,
    )
    return {child.student_id: Vnd(int(child.credit)) for child in found}


# Invoices


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """A bill in a list."""

    id: int
    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    class_name: str
    billed_period: Period
    seq: int
    total: Vnd
    open: Vnd
    due_on: date
    #: the lines that ask for money; those that give some back became credit at issue
    asked: Vnd

    @property
    def settled(self) -> Vnd:
        """What is paid of the lines that ask for money."""
        return self.asked - self.open

    @property
    def given_back(self) -> Vnd:
        """What became the child's credit at issue."""
        return self.asked - self.total

    @property
    def state(self) -> str:
        """`zero`, `unpaid`, `part` or `receipted`."""
        if self.asked <= ZERO:
            return "zero"
        if self.open == self.asked:
            return "unpaid"
        return "part" if self.open else "receipted"


_OPEN_OF_INVOICE = (
    "coalesce((select sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
    " from invoice_lines l join entries e on e.invoice_line_id = l.id"
    " join accounts a on a.school_id = l.school_id and a.code = 'receivable'"
    "  and a.id in (e.debit_id, e.credit_id)"
    " where l.school_id = v.school_id and l.invoice_id = v.id), 0)"
)
_INVOICE_ROWS = (
    "select v.id, v.enrolment_id, v.student_id, s.code, s.full_name, v.class_name,"
    " v.billed_period, v.seq, v.total,"
    f" {_OPEN_OF_INVOICE} as open, v.due_on,"
    " coalesce((select sum(l.amount) from invoice_lines l where l.school_id = v.school_id"
    "  and l.invoice_id = v.id and l.amount > 0), 0) as asked"
    " from invoices v join students s on s.id = v.student_id where v.school_id = :school_id"
)
_INVOICE_TYPES = {
    "billed_period": MONTH,
    "total": VND,
    "open": VND,
    "due_on": DAY,
    "asked": VND,
}


def list_invoices(
    school_id: int,
    period: Period,
    *,
    class_name: str = "",
    text: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[InvoiceRow], int]:
    """Bills of a month in class and name order, one page of them, and how many there are.

    `text` is a folded name or the beginning of a pupil code.
    """
    only, parameters = narrowed(class_name, text)
    found = rows(
        f"{_INVOICE_ROWS} and v.billed_period = :period{only}"
        " order by v.class_name, s.sort_key, v.seq limit :limit offset :offset",
        types=_INVOICE_TYPES,
        school_id=school_id,
        period=period.number,
        limit=limit,
        offset=offset,
        **parameters,
    )
    count = scalar(
        "select count(*) from invoices v join students s on s.id = v.student_id"
        f" where v.school_id = :school_id and v.billed_period = :period{only}",
        school_id=school_id,
        period=period.number,
        **parameters,
    )
    return [InvoiceRow(*invoice) for invoice in found], int(count)


def invoices_of(school_id: int, student_id: int) -> list[InvoiceRow]:
    """All bills of a child at one school, newest first."""
    found = rows(
        f"{_INVOICE_ROWS} and v.student_id in :rows order by v.billed_period desc, v.seq desc",
        types=_INVOICE_TYPES,
        school_id=school_id,
        rows=list(students.rows_of([student_id])),
    )
    return [InvoiceRow(*invoice) for invoice in found]


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line with its copies from the day of issue, and what is still open of it."""

    id: int
    invoice_id: int
    position: int
    item_id: int
    name: str
    name_en: str
    category: str
    unit: str
    legal_act: str
    is_compulsory: bool
    may_be_debt: bool
    service_period: Period
    quantity: int
    price: Vnd
    quantity_before: int
    price_before: Vnd
    subsidy: Vnd
    gross: Vnd
    percent: int
    reduction: Vnd
    amount: Vnd
    bank_account_id: int
    open: Vnd


_LINE = (
    "select l.id, l.invoice_id, l.position, l.item_id, l.name, l.name_en, l.category, l.unit,"
    " l.legal_act, l.is_compulsory, l.may_be_debt, l.service_period, l.quantity, l.price,"
    " l.quantity_before, l.price_before, l.subsidy, l.gross, l.percent, l.reduction, l.amount,"
    " l.bank_account_id,"
    " coalesce((select sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
    "  from entries e join accounts a on a.school_id = l.school_id and a.code = 'receivable'"
    "   and a.id in (e.debit_id, e.credit_id) where e.invoice_line_id = l.id), 0) as open"
    " from invoice_lines l"
)
_LINE_TYPES = {
    "service_period": MONTH,
    "price": VND,
    "price_before": VND,
    "subsidy": VND,
    "gross": VND,
    "reduction": VND,
    "amount": VND,
    "open": VND,
}


def _billed_line(found: Record) -> BilledLine:
    values = found._asdict()
    for name in ("is_compulsory", "may_be_debt"):
        values[name] = bool(values[name])
    return BilledLine(**values)


def get_invoice(school_id: int, invoice_id: int) -> InvoiceRow:
    """One bill of the school, or InvoiceNotFound."""
    found = row(
        f"{_INVOICE_ROWS} and v.id = :id",
        types=_INVOICE_TYPES,
        school_id=school_id,
        id=invoice_id,
    )
    if found is None:
        raise InvoiceNotFound
    return InvoiceRow(*found)


def lines_of(school_id: int, invoice_ids: Sequence[int]) -> list[BilledLine]:
    """The lines of bills, in the order of their papers."""
    if not invoice_ids:
        return []
    found = rows(
        f"{_LINE} where l.school_id = :school_id and l.invoice_id in :invoices"
        " order by l.invoice_id, l.position",
        types=_LINE_TYPES,
        school_id=school_id,
        invoices=list(invoice_ids),
    )
    return [_billed_line(line) for line in found]


# Withdrawals


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A bill that was taken back, its note, and what stands instead."""

    invoice_id: int
    note_id: int
    replacement_id: int | None
    reason: str
    by: str
    at: datetime


def withdrawals_among(school_id: int, invoice_ids: Collection[int]) -> dict[int, Withdrawal]:
    """The withdrawals in which some bills stand, as the wrong one, its note or the new one."""
    found: dict[int, Withdrawal] = {}
    for chunk in in_chunks(invoice_ids):
        for one in rows(
            "select invoice_id, note_id, replacement_id, reason, withdrawn_by, withdrawn_at"
            " from invoice_withdrawals where school_id = :school_id and (invoice_id in :ids"
            " or note_id in :ids or replacement_id in :ids) order by id",
            types={"withdrawn_at": MOMENT},
            school_id=school_id,
            ids=chunk,
        ):
            withdrawal = Withdrawal(*one)
            for invoice_id in (one.replacement_id, one.note_id, one.invoice_id):
                if invoice_id is not None:
                    found[invoice_id] = withdrawal
    return found


# Payment requests


@dataclass(frozen=True, slots=True)
class Request:
    """One child × receiving account with its code and link."""

    id: int
    school_id: int
    student_id: int
    bank_account_id: int
    reference: str
    token: str


# Of the child it leads to now: a code printed under a merged record still pays.
_REQUEST = (
    "select q.id, q.school_id, coalesce(s.merged_into_id, s.id) as student_id, q.bank_account_id,"
    " q.reference, q.token from payment_requests q join students s on s.id = q.student_id"
)


def school_of_code(reference: str) -> int | None:
    """The school a transfer reference belongs to, from the area-wide look-up."""
    found = scalar("select school_id from payment_codes where reference = :code", code=reference)
    return None if found is None else int(found)


def school_of_token(token: str) -> int | None:
    """The school a pay link belongs to, from the area-wide look-up."""
    found = scalar("select school_id from payment_codes where token = :token", token=token)
    return None if found is None else int(found)


def find_request(school_id: int, *, token: str) -> Request | None:
    """The payment request behind a pay link."""
    found = row(
        f"{_REQUEST} where q.school_id = :school_id and q.token = :token",
        school_id=school_id,
        token=token,
    )
    return None if found is None else Request(*found)


def requests_by_reference(school_id: int, references: Collection[str]) -> dict[str, Request]:
    """Payment requests of one school by their transfer references."""
    return {
        request.reference: Request(*request)
        for chunk in in_chunks(references)
        for request in rows(
            f"{_REQUEST} where q.school_id = :school_id and q.reference in :references",
            school_id=school_id,
            references=chunk,
        )
    }


def requests_of(school_id: int, student_id: int) -> list[Request]:
    """The payment requests of a child at one school, its own before those of merged records."""
    found = rows(
        f"{_REQUEST} where q.school_id = :school_id and q.student_id in :rows"
        " order by case when q.student_id = :student then 0 else 1 end, q.id",
        school_id=school_id,
        rows=list(students.rows_of([student_id])),
        student=student_id,
    )
    return [Request(*request) for request in found]


def requests_of_many(
    school_id: int, student_ids: Collection[int]
) -> dict[tuple[int, int], Request]:
    """The payment requests of children at one school, by (child, receiving account)."""
    if not student_ids:
        return {}
    found = rows(
        # The child's own code comes last and wins.
        f"{_REQUEST} where q.school_id = :school_id and q.student_id in :rows"
        " order by case when s.merged_into_id is null then 1 else 0 end, q.id desc",
        school_id=school_id,
        rows=list(students.rows_of(student_ids)),
    )
    return {(one.student_id, one.bank_account_id): Request(*one) for one in found}


def due(request: Request) -> Vnd:
    """What a payment request asks for at this moment: its open lines, older debt included."""
    found = open_lines(
        request.school_id, [request.student_id], bank_account_id=request.bank_account_id
    )
    return Vnd(sum(line.open.dong for line in found.get(request.student_id, [])))
