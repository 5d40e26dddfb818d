"""Sums over what was issued: a run by item and class, a month's bills, what paid a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.db import DAY, MOMENT, row, rows
from app.core.money import Vnd
from app.core.period import Period


@dataclass(frozen=True, slots=True)
class ItemTotal:
    """One item of a run."""

    name: str
    name_en: str
    category: str
    lines: int
    gross: Vnd
    reduction: Vnd
    amount: Vnd


@dataclass(frozen=True, slots=True)
class ClassTotal:
    """One class of a run."""

    class_name: str
    invoices: int
    amount: Vnd


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run issued, by item and by class; both add up to its total."""

    items: tuple[ItemTotal, ...]
    classes: tuple[ClassTotal, ...]
    lines: int
    credit_applied: Vnd


def run_totals(school_id: int, run_id: int) -> RunTotals:
    """The issued lines of a run summed twice, and the older credit that paid some of them."""
    items = rows(
        "select max(l.name) as name, max(l.name_en) as name_en, max(l.category) as category,"
        " count(*) as lines, sum(l.gross) as gross, sum(l.reduction) as reduction,"
        " sum(l.amount) as amount from invoice_lines l"
        " where l.school_id = :school_id and l.run_id = :run group by l.item_id"
        " order by l.item_id",
        school_id=school_id,
        run=run_id,
    )
    classes = rows(
        "select v.class_name, count(*) as invoices, sum(v.total) as amount, min(c.grade) as grade"
        " from invoices v left join (select name, max(grade) as grade from classes"
        "  where school_id = :school_id group by name) c on c.name = v.class_name"
        " where v.school_id = :school_id and v.run_id = :run"
        " group by v.class_name order by min(c.grade), v.class_name",
        school_id=school_id,
        run=run_id,
    )
    applied = row(
        "select coalesce(sum(e.amount), 0) as amount from ledger_events k"
        " join entries e on e.school_id = k.school_id and e.event_id = k.id"
        " join invoices v on v.school_id = k.school_id and v.id = k.cause_id"
        " where k.school_id = :school_id and k.kind = 'credit_applied'"
        " and k.cause_kind = 'invoice' and v.run_id = :run",
        school_id=school_id,
        run=run_id,
    )
    return RunTotals(
        items=tuple(
            ItemTotal(
                item.name,
                item.name_en,
                item.category,
                int(item.lines),
                Vnd(int(item.gross)),
                Vnd(int(item.reduction)),
                Vnd(int(item.amount)),
            )
            for item in items
        ),
        classes=tuple(
            ClassTotal(found.class_name, int(found.invoices), Vnd(int(found.amount)))
            for found in classes
        ),
        lines=sum(int(item.lines) for item in items),
        credit_applied=Vnd(int(applied.amount) if applied else 0),
    )


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """The bills of a month, of one class when asked."""

    invoices: int
    total: Vnd
    #: the lines that ask for money, without those that give some back
    asked: Vnd
    open: Vnd


def month_totals(
    school_id: int, period: Period, *, class_name: str = "", text: str = ""
) -> MonthTotals:
    """The same bills as the list shows, summed over all its pages."""
    only, parameters = narrowed(class_name, text)
    billed = row(
        "select count(*) as invoices, coalesce(sum(v.total), 0) as total from invoices v"
        " join students s on s.id = v.student_id"
        f" where v.school_id = :school_id and v.billed_period = :period{only}",
        school_id=school_id,
        period=period.number,
        **parameters,
    )
    asked = row(
        "select coalesce(sum(l.amount), 0) as asked from invoices v"
        " join students s on s.id = v.student_id"
        " join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id"
        "  and l.amount > 0"
        f" where v.school_id = :school_id and v.billed_period = :period{only}",
        school_id=school_id,
        period=period.number,
        **parameters,
    )
    left = row(
        "select coalesce(sum(case when e.debit_id = a.id then e.amount else -e.amount end), 0)"
        " as open from invoices v join students s on s.id = v.student_id"
        " join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id"
        " join accounts a on a.school_id = v.school_id and a.code = 'receivable'"
        " join entries e on e.invoice_line_id = l.id and a.id in (e.debit_id, e.credit_id)"
        f" where v.school_id = :school_id and v.billed_period = :period{only}",
        school_id=school_id,
        period=period.number,
        **parameters,
    )
    return MonthTotals(
        invoices=int(billed.invoices) if billed else 0,
        total=Vnd(int(billed.total) if billed else 0),
        asked=Vnd(int(asked.asked) if asked else 0),
        open=Vnd(int(left.open) if left else 0),
    )


def narrowed(class_name: str, text: str) -> tuple[str, dict[str, Any]]:
    """The clause and parameters that keep bills of one class or of names and codes like `text`."""
    only, parameters = "", dict[str, Any]()
    if class_name:
        only += " and v.class_name = :class_name"
        parameters["class_name"] = class_name
    if text:
        only += " and (s.search_key like :like or s.code like :code)"
        parameters["like"] = f"%{text}%"
        parameters["code"] = f"{text.replace('-', '').replace(' ', '')}%"
    return only, parameters


def classes_of_month(school_id: int, period: Period) -> list[str]:
    """The classes that have bills of a month, in the order of the school."""
    found = rows(
        "select v.class_name from invoices v left join (select name, max(grade) as grade"
        "  from classes where school_id = :school_id group by name) c on c.name = v.class_name"
        " where v.school_id = :school_id and v.billed_period = :period"
        " group by v.class_name order by min(c.grade), v.class_name",
        school_id=school_id,
        period=period.number,
    )
    return [found_class.class_name for found_class in found]


def billed_months(school_id: int) -> list[Period]:
    """The months with issued bills, newest first."""
    found = rows(
        "select distinct billed_period from billing_runs where school_id = :school_id"
        " and issued_at is not null order by billed_period desc",
        school_id=school_id,
    )
    return [Period.from_number(int(run.billed_period)) for run in found]


@dataclass(frozen=True, slots=True)
class ApprovedMonth:
    """A month with approved prices."""

    period: Period
    approved_by: str
    approved_at: datetime | None
    #: runs issued for it so far
    issued: int
    #: the run still in draft
    draft_id: int | None


def approved_months(school_id: int) -> list[ApprovedMonth]:
    """The months that can be billed, oldest first."""
    found = rows(
        "select sp.period, max(f.approved_by) as approved_by, max(f.approved_at) as approved_at,"
        " (select count(*) from billing_runs r where r.school_id = :school_id"
        "  and r.kind = 'month' and r.billed_period = sp.period"
        "  and r.issued_at is not null) as issued,"
        " (select max(r.id) from billing_runs r where r.school_id = :school_id"
        "  and r.billed_period = sp.period and r.issued_at is null) as draft_id"
        " from schedule_prices sp join fee_schedules f on f.id = sp.schedule_id"
        "  and f.state = 'approved'"
        " where sp.school_id = :school_id group by sp.period order by sp.period",
        types={"approved_at": MOMENT},
        school_id=school_id,
    )
    return [
        ApprovedMonth(
            Period.from_number(int(month.period)),
            month.approved_by or "",
            month.approved_at,
            int(month.issued),
            month.draft_id,
        )
        for month in found
    ]


# One bill


@dataclass(frozen=True, slots=True)
class Ground:
    """What a line rests on, for its why-box: who approved the price and when."""

    approved_by: str
    approved_at: datetime | None
    agreement: str


def grounds_of(school_id: int, invoice_id: int) -> dict[int, Ground]:
    """By line; lines whose price row is gone are absent."""
    found = rows(
        "select l.id, f.approved_by, f.approved_at, f.agreement from invoice_lines l"
        " join schedule_prices sp on sp.school_id = l.school_id and sp.id = l.schedule_price_id"
        " join fee_schedules f on f.school_id = sp.school_id and f.id = sp.schedule_id"
        " where l.school_id = :school_id and l.invoice_id = :invoice",
        types={"approved_at": MOMENT},
        school_id=school_id,
        invoice=invoice_id,
    )
    return {
        line.id: Ground(line.approved_by or "", line.approved_at, line.agreement) for line in found
    }


@dataclass(frozen=True, slots=True)
class Settling:
    """Something that paid lines of a bill, or took a payment back."""

    booked_on: date
    kind: str
    #: cash, bank, clearing, credit or suspense
    source: str
    amount: Vnd
    #: (id, series / number, state) of the receipts of the payment
    receipts: tuple[tuple[int, str, str], ...]


def settlings_of(school_id: int, invoice_id: int) -> list[Settling]:
    """What the books say became of a bill after its issue, in order."""
    found = rows(
        "select k.id, k.kind, k.booked_on, k.cause_kind, k.cause_id, min(o.code) as source,"
        " sum(case when e.credit_id = a.id then e.amount else -e.amount end) as amount"
        " from invoice_lines l"
        " join accounts a on a.school_id = l.school_id and a.code = 'receivable'"
        " join entries e on e.invoice_line_id = l.id and a.id in (e.debit_id, e.credit_id)"
        " join ledger_events k on k.id = e.event_id and k.kind <> 'invoice_issued'"
        " join accounts o on o.id = case when e.debit_id = a.id then e.credit_id"
        "  else e.debit_id end"
        " where l.school_id = :school_id and l.invoice_id = :invoice"
        " group by k.id, k.kind, k.booked_on, k.cause_kind, k.cause_id order by k.id",
        types={"booked_on": DAY},
        school_id=school_id,
        invoice=invoice_id,
    )
    payments = [event.cause_id for event in found if event.cause_kind == "payment"]
    papers: dict[int, list[tuple[int, str, str]]] = {}
    if payments:
        for paper in rows(
            "select receipt_id, payment_id, series, number, state from v_receipt"
            " where school_id = :school_id and payment_id in :payments order by receipt_id",
            school_id=school_id,
            payments=payments,
        ):
            papers.setdefault(paper.payment_id, []).append(
                (paper.receipt_id, f"{paper.series} / {paper.number:06d}", paper.state)
            )
    return [
        Settling(
            booked_on=event.booked_on,
            kind=event.kind,
            source=event.source.partition(":")[0],
            amount=Vnd(int(event.amount)),
            receipts=(
                tuple(papers.get(event.cause_id, ())) if event.cause_kind == "payment" else ()
            ),
        )
        for event in found
    ]
