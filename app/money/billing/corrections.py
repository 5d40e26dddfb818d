"""Putting one child's bill right: billed anew by the rules, or withdrawn and replaced.

An issued bill is never touched. Withdrawing writes a note of the same month whose lines turn those
of the wrong bill; what nobody has paid yet is settled by it, what was paid is the child's credit
and pays the bill that stands instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import dialect, own_school, row, rows, scalar
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.core.text import nfc
from app.money import ledger
from app.money.billing import issuing, queries
from app.money.billing.allocation import allocate
from app.money.billing.differences import differences_sql
from app.money.billing.errors import (
    AlreadyPassedOn,
    AlreadyWithdrawn,
    CorrectionReasonMissing,
    DueBeforeIssue,
    InvoiceNotFound,
    MonthNotIssued,
    NoReceivingAccount,
    NothingToBill,
    NothingToWithdraw,
)
from app.money.billing.issuing import Issued
from app.money.billing.models import InvoiceWithdrawal, RunKind
from app.money.billing.passing_on import is_passed_on
from app.people.schools import receiving_account


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal wrote."""

    note_id: int
    #: the bill that stands instead; None when the rules give nothing
    replacement_id: int | None
    #: what the note took back
    amount: Vnd
    #: of it, what had been paid and is the child's credit, before it paid the new bill
    credit: Vnd


def bill_child(
    school_id: int,
    enrolment_id: int,
    period: Period,
    *,
    due_on: date,
    actor: audit.Actor,
    now: datetime,
) -> Issued:
    """Bring one child's bills up to a month to what the rules give now, as a supplement.

    Refuses a month whose run was not issued, a day to pay by in the past, and a child whose bills
    agree with the rules. Holds the school's billing. The caller commits.
    """
    account_id = _ready(school_id, due_on, now)
    _refuse_unissued(school_id, period)
    issued = _bill(school_id, enrolment_id, period, account_id, due_on, actor, now)
    if issued is None:
        raise NothingToBill
    return issued


def withdraw(
    school_id: int,
    invoice_id: int,
    *,
    reason: str,
    due_on: date,
    actor: audit.Actor,
    now: datetime,
) -> Withdrawn:
    """Take a bill back and issue what the rules give now in its place.

    Refuses a bill taken back before, a note, a bill that asked for nothing, a reason under ten
    letters, and a day to pay by in the past. Holds the school's billing. The caller commits.
    """
    reason = " ".join(nfc(reason).split())
    if not 10 <= len(reason) <= 200:
        raise CorrectionReasonMissing
    account_id = _ready(school_id, due_on, now)
    bill = row(
        "select v.id, v.enrolment_id, v.student_id, v.billed_period, v.total,"
        " (select count(*) from invoice_withdrawals w where w.school_id = v.school_id"
        "  and (w.invoice_id = v.id or w.note_id = v.id)) as taken_back"
        " from invoices v where v.school_id = :school_id and v.id = :id",
        school_id=school_id,
        id=invoice_id,
    )
    if bill is None:
        raise InvoiceNotFound
    if bill.taken_back:
        raise AlreadyWithdrawn
    if int(bill.total) <= 0:
        raise NothingToWithdraw(_("This bill asks for nothing, so there is nothing to withdraw."))
    period = Period.from_number(int(bill.billed_period))
    if is_passed_on(school_id, invoice_id):
        raise AlreadyPassedOn
    lines = issuing.lay_out_reversal(school_id, invoice_id)
    if not lines:
        raise NothingToWithdraw
    run = _open(school_id, period, RunKind.WITHDRAWAL, due_on, actor, now)
    note = issuing.write(
        school_id, run, account_id, lines, actor_name=actor.name, now=now, pay_with_credit=False
    )
    note_id = _bill_of(school_id, run.id)
    credit = _settle(school_id, bill, note_id, -note.total, now)
    made = _bill(school_id, bill.enrolment_id, period, account_id, due_on, actor, now)
    replacement_id = _bill_of(school_id, made.run_id) if made else None
    db.session.execute(
        insert(InvoiceWithdrawal).values(
            school_id=school_id,
            invoice_id=invoice_id,
            note_id=note_id,
            replacement_id=replacement_id,
            reason=reason,
            withdrawn_by=actor.name,
            withdrawn_at=now,
        )
    )
    audit.record(
        "invoice.withdraw",
        f"invoice:{invoice_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=reason,
    )
    return Withdrawn(note_id, replacement_id, -note.total, credit)


def _ready(school_id: int, due_on: date, now: datetime) -> int:
    """The receiving account; the school's billing is held from here on."""
    today = clock.local_day(now)
    if due_on < today:
        raise DueBeforeIssue
    account = receiving_account(school_id, today)
    if account is None:
        raise NoReceivingAccount
    own_school(school_id)
    return account.id


def _refuse_unissued(school_id: int, period: Period) -> None:
    if not scalar(
        "select count(*) from billing_runs where school_id = :school_id and kind = 'month'"
        " and billed_period = :period and issued_at is not null",
        school_id=school_id,
        period=period.number,
    ):
        raise MonthNotIssued(
            _("Issue the run of the whole school first; then one child can be put right.")
        )


def _open(
    school_id: int,
    period: Period,
    kind: RunKind,
    due_on: date,
    actor: audit.Actor,
    now: datetime,
) -> Any:
    run_id = issuing.open_run(
        school_id, period, kind, due_on=due_on, actor_name=actor.name, now=now
    )
    return row(
        "select id, billed_period, due_on from billing_runs where school_id = :school_id"
        " and id = :id",
        school_id=school_id,
        id=run_id,
    )


def _bill(
    school_id: int,
    enrolment_id: int,
    period: Period,
    account_id: int,
    due_on: date,
    actor: audit.Actor,
    now: datetime,
) -> Issued | None:
    """The supplement of one child, or None when its bills agree with the rules."""
    months = queries.months_of_run(school_id, period)
    lines = issuing.lay_out_differences(school_id, months, enrolment_id=enrolment_id)
    if not lines:
        return None
    run = _open(school_id, period, RunKind.CHILD, due_on, actor, now)
    issued = issuing.write(school_id, run, account_id, lines, actor_name=actor.name, now=now)
    audit.record(
        "billing_run.issue",
        f"billing_run:{run.id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"enrolment:{enrolment_id}",
    )
    return issued


def _bill_of(school_id: int, run_id: int) -> int:
    return int(
        scalar(
            "select id from invoices where school_id = :school_id and run_id = :run",
            school_id=school_id,
            run=run_id,
        )
    )


def _settle(school_id: int, bill: Any, note_id: int, taken_back: Vnd, now: datetime) -> Vnd:
    """What the note gives pays first what is still open of its own items; the rest is credit."""
    if taken_back <= ZERO:
        return ZERO
    same = {
        line.id
        for line in rows(
            "select l.id from invoice_lines l join invoice_lines n on n.school_id = l.school_id"
            " and n.enrolment_id = l.enrolment_id and n.item_id = l.item_id"
            " and n.service_period = l.service_period"
            " where n.school_id = :school_id and n.invoice_id = :note",
            school_id=school_id,
            note=note_id,
        )
    }
    still_open = [
        line
        for line in queries.open_lines(school_id, [bill.student_id]).get(bill.student_id, [])
        if line.line_id in same
    ]
    today = clock.local_day(now)
    order = issuing.allocation_order(school_id, today)
    shares = allocate(still_open, taken_back, order=order).shares
    if shares:
        pairs = [
            ledger.Pair("credit", "receivable", s.amount, s.student_id, s.line_id) for s in shares
        ]
        event = ledger.Event("credit_applied", "invoice", note_id, pairs)
        ledger.post(school_id, event, booked_on=today, now=now)
    return taken_back - Vnd(sum(share.amount.dong for share in shares))


def still_differs(school_id: int, enrolment_id: int, period: Period) -> Vnd | None:
    """What `bill_child` would bill now, or None when the bills agree with the rules."""
    months = queries.months_of_run(school_id, period)
    found = row(
        differences_sql(dialect(), months, one_enrolment=True)
        + " select count(*) as lines, coalesce(sum(gross - reduction), 0) as total"
        " from differences",
        school_id=school_id,
        enrolment_id=enrolment_id,
    )
    return Vnd(int(found.total)) if found is not None and found.lines else None
