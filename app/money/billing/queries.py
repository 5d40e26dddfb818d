"""Reading bills: previews, invoices, what is open, payment requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from app.core.db import DAY, MOMENT, MONTH, VND, dialect, row, rows, scalar
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money.billing.allocation import OpenLine
from app.money.billing.differences import differences_sql
from app.money.billing.errors import InvoiceNotFound, RunNotFound
from app.money.fees.rules import rules_sql

Record = Row[*tuple[Any, ...]]


def months_of_run(school_id: int, billed_period: Period) -> list[int]:
    """The months a run looks at: its own, and those of its school year billed before."""
    first = Period(billed_period.year - (billed_period.month < 8), 8)
    found = rows(
        "select distinct billed_period from billing_runs where school_id = :school_id"
        " and issued_at is not null and billed_period between :first and :last",
        school_id=school_id,
        first=first.number,
        last=billed_period.number,
    )
    return sorted({billed_period.number, *(int(run.billed_period) for run in found)})


# Runs


@dataclass(frozen=True, slots=True)
class Run:
    """A billing run as screens show it."""

    id: int
    school_id: int
    billed_period: Period
    seq: int
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
    "select id, school_id, billed_period, seq, due_on, drafted_by, drafted_at, issued_by,"
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


# Preview


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a child's bill differs: `joined`, `left`, `quantity`, `price`, `exemption`, `added`,
    `removed`, `adjusted`; with the item and the đồng it makes."""

    kind: str
    item: str
    amount: Vnd
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ChildBill:
    """One child in the preview: last month's bill beside the one to come."""

    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    sort_key: str
    class_name: str
    previous: Vnd
    current: Vnd
    causes: tuple[Cause, ...]
    lines: int

    @property
    def change(self) -> Vnd:
        """More (above zero) or less than last month."""
        return self.current - self.previous


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would issue, child by child, with the change explained."""

    children: tuple[ChildBill, ...]
    previous_total: Vnd
    previous_count: int
    current_total: Vnd
    unplaced: int

    @property
    def count(self) -> int:
        """Bills the run would issue."""
        return sum(1 for child in self.children if child.lines)


def preview(school_id: int, billed_period: Period) -> Preview:
    """Compute a run without writing anything."""
    months = months_of_run(school_id, billed_period)
    sql = differences_sql(dialect())
    found = rows(
        f"{sql} select d.enrolment_id, d.item_id, d.service_period, d.quantity, d.price,"
        " d.percent, d.gross - d.reduction as amount, d.class_name, d.last_line_id,"
        " i.name as item from differences d join fee_items i on i.id = d.item_id",
        school_id=school_id,
        months=months,
    )
    # A second run of a month shows only what it would add; the first is held against last month.
    is_supplement = billed_period.number in _issued_months(school_id)
    last_month = billed_period.previous()
    before: Sequence[Record] = (
        []
        if is_supplement
        else rows(
            "select enrolment_id, item_id, max(name) as item, max(quantity) as quantity,"
            " max(price) as price, max(percent) as percent, sum(amount) as amount"
            " from invoice_lines where school_id = :school_id and service_period = :month"
            " group by enrolment_id, item_id",
            school_id=school_id,
            month=last_month.number,
        )
    )
    lines_now: dict[int, dict[tuple[int, int], Record]] = {}
    for line in found:
        lines_now.setdefault(line.enrolment_id, {})[line.item_id, line.service_period] = line
    lines_before: dict[int, dict[int, Record]] = {}
    for line in before:
        lines_before.setdefault(line.enrolment_id, {})[line.item_id] = line
    people = _people(school_id, billed_period)
    children = []
    for enrolment_id, person in people.items():
        now = lines_now.get(enrolment_id, {})
        then = lines_before.get(enrolment_id, {})
        if not now and not then:
            continue
        current = sum(int(line.amount) for line in now.values())
        previous = sum(int(line.amount) for line in then.values())
        class_name = next((ln.class_name for ln in now.values() if ln.class_name), None)
        children.append(
            ChildBill(
                enrolment_id=enrolment_id,
                student_id=person.student_id,
                code=person.code,
                full_name=person.full_name,
                sort_key=person.sort_key,
                class_name=class_name or person.class_name or "",
                previous=Vnd(previous),
                current=Vnd(current),
                causes=tuple(_causes(now, then, billed_period)),
                lines=len(now),
            )
        )
    children.sort(key=lambda child: (-abs(child.change.dong), child.sort_key))
    return Preview(
        children=tuple(children),
        previous_total=Vnd(sum(child.previous.dong for child in children)),
        previous_count=len(lines_before),
        current_total=Vnd(sum(child.current.dong for child in children)),
        unplaced=unplaced(school_id, billed_period),
    )


def _issued_months(school_id: int) -> set[int]:
    found = rows(
        "select distinct billed_period from billing_runs where school_id = :school_id"
        " and issued_at is not null",
        school_id=school_id,
    )
    return {int(run.billed_period) for run in found}


def _people(school_id: int, period: Period) -> dict[int, Record]:
    found = rows(
        "select e.id as enrolment_id, s.id as student_id, s.code, s.full_name, s.sort_key,"
        " (select c.name from placements p join classes c on c.id = p.class_id"
        "  where p.school_id = e.school_id and p.enrolment_id = e.id"
        "  order by p.starts_on desc, p.id desc limit 1) as class_name"
        " from enrolments e join students s on s.id = e.student_id"
        " where e.school_id = :school_id and e.starts_on <= :last",
        school_id=school_id,
        last=period.last_day,
    )
    return {person.enrolment_id: person for person in found}


def _causes(
    now: dict[tuple[int, int], Record], then: dict[int, Record], period: Period
) -> list[Cause]:
    if not then and now:
        total = sum(int(line.amount) for line in now.values())
        return [Cause("joined", "", Vnd(total))]
    causes = []
    for (item_id, month), line in now.items():
        amount = Vnd(int(line.amount))
        if month != period.number:
            causes.append(
                Cause("adjusted", line.item, amount, after=str(Period.from_number(month)))
            )
            continue
        old = then.get(item_id)
        if line.last_line_id is not None:
            causes.append(Cause("adjusted", line.item, amount, after=str(period)))
        elif old is None:
            if amount:
                causes.append(Cause("added", line.item, amount))
        elif int(old.amount) != amount.dong:
            change = amount - Vnd(int(old.amount))
            for kind, a, b in (
                ("exemption", old.percent, line.percent),
                ("price", old.price, line.price),
                ("quantity", old.quantity, line.quantity),
            ):
                if a != b:
                    causes.append(Cause(kind, line.item, change, str(a), str(b)))
                    break
            else:
                causes.append(Cause("adjusted", line.item, change))
    billed_now = {item_id for (item_id, month) in now if month == period.number}
    for item_id, old in then.items():
        if item_id not in billed_now and int(old.amount):
            kind = "removed" if now else "left"
            causes.append(Cause(kind, old.item, Vnd(-int(old.amount))))
    return causes


def unplaced(school_id: int, period: Period) -> int:
    """Children enrolled in the month without a class: they cannot be billed."""
    return int(
        scalar(
            "select count(*) from enrolments e where e.school_id = :school_id"
            " and e.starts_on <= :last and (e.ends_on is null or e.ends_on > :first)"
            " and not exists (select 1 from placements p where p.school_id = e.school_id"
            "  and p.enrolment_id = e.id and p.starts_on <= :last"
            "  and (p.ends_on is null or p.ends_on > :first))",
            school_id=school_id,
            first=period.first_day,
            last=period.last_day,
        )
    )


def bill_by_rules(school_id: int, enrolment_id: int, period: Period) -> list[Record]:
    """One child's bill from scratch: a row per item with everything the rules looked at."""
    sql = rules_sql(dialect(), one_enrolment=True)
    return list(
        rows(
            f"with {sql} select r.*, i.code as item_code, i.name as item, i.category, i.unit,"
            " i.legal_act, i.is_compulsory, sp.audience, p.code as policy, p.name as policy_name"
            " from rules r join fee_items i on i.id = r.item_id"
            " join schedule_prices sp on sp.id = r.schedule_price_id"
            " left join exemption_policies p on p.id = r.policy_id order by i.id",
            school_id=school_id,
            enrolment_id=enrolment_id,
            months=[period.number],
        )
    )


# Open lines


def open_lines(
    school_id: int, student_ids: Collection[int], *, bank_account_id: int | None = None
) -> dict[int, list[OpenLine]]:
    """The lines with money to come of each child, of one receiving account when given."""
    if not student_ids:
        return {}
    account = " and l.bank_account_id = :account" if bank_account_id is not None else ""
    parameters = {} if bank_account_id is None else {"account": bank_account_id}
    found = rows(
        "select l.id, v.student_id, v.due_on, l.category, l.is_compulsory, l.may_be_debt,"
        " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
        " from invoices v join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id"
        " join entries e on e.invoice_line_id = l.id and e.school_id = l.school_id"
        " join accounts a on a.school_id = e.school_id and a.code = 'receivable'"
        "  and a.id in (e.debit_id, e.credit_id)"
        f" where v.school_id = :school_id and v.student_id in :students{account}"
        " group by l.id, v.student_id, v.due_on, l.category, l.is_compulsory, l.may_be_debt"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) > 0",
        types={"due_on": DAY},
        school_id=school_id,
        students=list(student_ids),
        **parameters,
    )
    result: dict[int, list[OpenLine]] = {}
    for line in found:
        result.setdefault(line.student_id, []).append(
            OpenLine(
                line_id=line.id,
                student_id=line.student_id,
                due_on=line.due_on,
                category=line.category,
                is_compulsory=bool(line.is_compulsory),
                may_be_debt=bool(line.may_be_debt),
                open=Vnd(int(line.open)),
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
    student_id: int
    code: str
    full_name: str
    class_name: str
    billed_period: Period
    seq: int
    total: Vnd
    open: Vnd
    due_on: date

    @property
    def state(self) -> str:
        """`zero`, `unpaid`, `part` or `receipted`."""
        if self.total <= ZERO:
            return "zero"
        if self.open == self.total:
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
    "select v.id, v.student_id, s.code, s.full_name, v.class_name, v.billed_period, v.seq, v.total,"
    f" {_OPEN_OF_INVOICE} as open, v.due_on"
    " from invoices v join students s on s.id = v.student_id where v.school_id = :school_id"
)
_INVOICE_TYPES = {"billed_period": MONTH, "total": VND, "open": VND, "due_on": DAY}


def list_invoices(
    school_id: int, period: Period, *, class_name: str = "", offset: int = 0, limit: int = 50
) -> tuple[list[InvoiceRow], int]:
    """Bills of a month in class and name order, one page of them, and how many there are."""
    only = " and v.class_name = :class_name" if class_name else ""
    parameters = {"class_name": class_name} if class_name else {}
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
        "select count(*) from invoices v where v.school_id = :school_id"
        f" and v.billed_period = :period{only}",
        school_id=school_id,
        period=period.number,
        **parameters,
    )
    return [InvoiceRow(*invoice) for invoice in found], int(count)


def invoices_of(school_id: int, student_id: int) -> list[InvoiceRow]:
    """All bills of a child at one school, newest first."""
    found = rows(
        f"{_INVOICE_ROWS} and v.student_id = :student order by v.billed_period desc, v.seq desc",
        types=_INVOICE_TYPES,
        school_id=school_id,
        student=student_id,
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
    service_period: Period
    quantity: int
    price: Vnd
    gross: Vnd
    percent: int
    reduction: Vnd
    amount: Vnd
    bank_account_id: int
    open: Vnd


_LINE = (
    "select l.id, l.invoice_id, l.position, l.item_id, l.name, l.name_en, l.category, l.unit,"
    " l.legal_act, l.is_compulsory, l.service_period, l.quantity, l.price, l.gross, l.percent,"
    " l.reduction, l.amount, l.bank_account_id,"
    " coalesce((select sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
    "  from entries e join accounts a on a.school_id = l.school_id and a.code = 'receivable'"
    "   and a.id in (e.debit_id, e.credit_id) where e.invoice_line_id = l.id), 0) as open"
    " from invoice_lines l"
)
_LINE_TYPES = {
    "service_period": MONTH,
    "price": VND,
    "gross": VND,
    "reduction": VND,
    "amount": VND,
    "open": VND,
}


def _billed_line(found: Record) -> BilledLine:
    values = found._asdict()
    values["is_compulsory"] = bool(values["is_compulsory"])
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


_REQUEST = (
    "select id, school_id, student_id, bank_account_id, reference, token from payment_requests"
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
        f"{_REQUEST} where school_id = :school_id and token = :token",
        school_id=school_id,
        token=token,
    )
    return None if found is None else Request(*found)


def requests_by_reference(school_id: int, references: Collection[str]) -> dict[str, Request]:
    """Payment requests of one school by their transfer references."""
    if not references:
        return {}
    found = rows(
        f"{_REQUEST} where school_id = :school_id and reference in :references",
        school_id=school_id,
        references=list(references),
    )
    return {request.reference: Request(*request) for request in found}


def requests_of(school_id: int, student_id: int) -> list[Request]:
    """The payment requests of a child at one school."""
    found = rows(
        f"{_REQUEST} where school_id = :school_id and student_id = :student order by id",
        school_id=school_id,
        student=student_id,
    )
    return [Request(*request) for request in found]


def due(request: Request) -> Vnd:
    """What a payment request asks for at this moment: its open lines, older debt included."""
    found = open_lines(
        request.school_id, [request.student_id], bank_account_id=request.bank_account_id
    )
    return Vnd(sum(line.open.dong for line in found.get(request.student_id, [])))
