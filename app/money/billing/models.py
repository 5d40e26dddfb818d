"""What is charged: runs, invoices and lines, payment requests with their codes."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, PeriodColumn, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd
from app.core.period import Period


class RunKind(StrEnum):
    """What a run is for."""

    #: a whole school's month, or what changed since
    MONTH = "month"
    #: one child's bill brought to what the rules give now
    CHILD = "child"
    #: a bill taken back, line by line
    WITHDRAWAL = "withdrawal"
    #: voluntary lines nobody paid by their last day
    LAPSE = "lapse"


class BillingRun(SchoolOwned, Model):
    """One run of a school for a month; drafted, looked at, then issued once."""

    __tablename__ = "billing_runs"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "billed_period", "seq"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    billed_period: Mapped[Period] = mapped_column(PeriodColumn)
    #: 1 for the month's run, more for runs after changes
    seq: Mapped[int]
    kind: Mapped[RunKind] = mapped_column(
        String(12), default=RunKind.MONTH, server_default=RunKind.MONTH.value
    )
    due_on: Mapped[date]
    drafted_by: Mapped[str] = mapped_column(String(120))
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_by: Mapped[str | None] = mapped_column(String(120))
    issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: invoices and their sum, as issued
    invoices: Mapped[int | None]
    total: Mapped[Vnd | None] = mapped_column(VndColumn)


class Invoice(SchoolOwned, Model):
    """What one enrolment is billed for one month. Whether it is paid is asked of the ledger."""

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "enrolment_id", "billed_period", "seq"),
        UniqueConstraint("school_id", "run_id", "enrolment_id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "run_id"], ["billing_runs.school_id", "billing_runs.id"]
        ),
        Index("ix_invoices_school_id_billed_period", "school_id", "billed_period"),
        Index("ix_invoices_school_id_student_id", "school_id", "student_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    #: the enrolment's child, carried for joins
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    #: the class on the day of issue, as papers print it
    class_name: Mapped[str] = mapped_column(String(24))
    run_id: Mapped[int]
    #: the month the paper is for; each line has its own month of service
    billed_period: Mapped[Period] = mapped_column(PeriodColumn)
    #: 1 for the month's bill, more for supplements after changes
    seq: Mapped[int] = mapped_column(default=1)
    #: after exemptions; zero asks for nothing, below zero becomes credit
    total: Mapped[Vnd] = mapped_column(VndColumn)
    due_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InvoiceLine(SchoolOwned, Model):
    """A line as it was when issued: name, act, quantity and price are copies (M5)."""

    __tablename__ = "invoice_lines"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "run_id", "enrolment_id", "item_id", "service_period"),
        ForeignKeyConstraint(["school_id", "invoice_id"], ["invoices.school_id", "invoices.id"]),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        Index("ix_invoice_lines_school_id_invoice_id", "school_id", "invoice_id"),
        Index(
            "ix_invoice_lines_billed",
            "school_id",
            "service_period",
            "enrolment_id",
            "item_id",
        ),
        CheckConstraint("amount = gross - reduction", name="net_is_gross_less_reduction"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    invoice_id: Mapped[int]
    run_id: Mapped[int]
    enrolment_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    #: the price row it was computed from; NULL when the item is no longer charged
    schedule_price_id: Mapped[int | None]
    service_period: Mapped[Period] = mapped_column(PeriodColumn)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    category: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(12))
    legal_act: Mapped[str] = mapped_column(String(200))
    document_kind: Mapped[str] = mapped_column(String(16))
    may_be_debt: Mapped[bool]
    is_compulsory: Mapped[bool]
    quantity: Mapped[int]
    price: Mapped[Vnd] = mapped_column(VndColumn)
    #: days before the price of an item by the day changed within the month, and what one cost
    quantity_before: Mapped[int] = mapped_column(default=0, server_default="0")
    price_before: Mapped[Vnd] = mapped_column(VndColumn, default=Vnd(0), server_default="0")
    #: what somebody else pays of the whole, part of the reduction
    subsidy: Mapped[Vnd] = mapped_column(VndColumn, default=Vnd(0), server_default="0")
    #: both quantities × their prices, less what was billed before
    gross: Mapped[Vnd] = mapped_column(VndColumn)
    #: percent of the winning exemption, 0 for none; the ground is never on a line
    percent: Mapped[int]
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("exemption_policies.id"))
    reduction: Mapped[Vnd] = mapped_column(VndColumn)
    #: what the family is asked for
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: the receiving account on the day of issue
    bank_account_id: Mapped[int]


class PaymentRequest(SchoolOwned, Model):
    """One child × receiving account: its code and link cover all open lines, for ever (M7)."""

    __tablename__ = "payment_requests"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "student_id", "bank_account_id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    bank_account_id: Mapped[int]
    #: nine characters, written in the transfer
    reference: Mapped[str] = mapped_column(String(9), unique=True)
    #: opens the pay page; at least 128 random bits
    token: Mapped[str] = mapped_column(String(40), unique=True)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaymentCode(Model):
    """Area-wide look-up: reference or token → school."""

    __tablename__ = "payment_codes"

    reference: Mapped[str] = mapped_column(String(9), primary_key=True)
    token: Mapped[str] = mapped_column(String(40), unique=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))


class InvoiceWithdrawal(SchoolOwned, Model):
    """A wrong bill taken back: the note that turns its lines, and the bill that stands instead."""

    __tablename__ = "invoice_withdrawals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "invoice_id"),
        ForeignKeyConstraint(["school_id", "invoice_id"], ["invoices.school_id", "invoices.id"]),
        ForeignKeyConstraint(["school_id", "note_id"], ["invoices.school_id", "invoices.id"]),
        ForeignKeyConstraint(
            ["school_id", "replacement_id"], ["invoices.school_id", "invoices.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    invoice_id: Mapped[int]
    #: the bill of the same month whose lines turn those of the wrong one
    note_id: Mapped[int]
    #: the bill the rules give now; NULL when they give none
    replacement_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(200))
    withdrawn_by: Mapped[str] = mapped_column(String(120))
    withdrawn_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PassedOnBatch(SchoolOwned, Model):
    """Money collected for others that went to them: an item and month of many children at once."""

    __tablename__ = "passed_on_batches"
    __table_args__ = (UniqueConstraint("school_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    service_period: Mapped[Period] = mapped_column(PeriodColumn)
    passed_on: Mapped[date]
    #: the insurer or whoever else it belongs to
    recipient: Mapped[str] = mapped_column(String(160))
    paper_no: Mapped[str] = mapped_column(String(60))
    children: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cancelled_by: Mapped[str | None] = mapped_column(String(120))
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_reason: Mapped[str | None] = mapped_column(String(200))


class PassedOn(SchoolOwned, Model):
    """One child of a batch: what was billed for the item and month is no longer the school's."""

    __tablename__ = "passed_on"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "batch_id", "enrolment_id"),
        ForeignKeyConstraint(
            ["school_id", "batch_id"], ["passed_on_batches.school_id", "passed_on_batches.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_passed_on_school_id_enrolment_id", "school_id", "enrolment_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    batch_id: Mapped[int]
    enrolment_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)


class AreaRun(Model):
    """A month of many schools, rehearsed and then issued school by school behind the page."""

    __tablename__ = "area_runs"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    billed_period: Mapped[Period] = mapped_column(PeriodColumn)
    due_on: Mapped[date]
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the newest job that works on it
    job_id: Mapped[int | None] = mapped_column(RowId)


class AreaRunSchool(SchoolOwned, Model):
    """One school of an area's run: what the rehearsal saw, and what came of issuing."""

    __tablename__ = "area_run_schools"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "area_run_id"),
        ForeignKeyConstraint(
            ["school_id", "run_id"], ["billing_runs.school_id", "billing_runs.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    area_run_id: Mapped[int] = mapped_column(ForeignKey("area_runs.id"))
    run_id: Mapped[int | None]
    #: ready, wanted, issued, or the code of what stands in the way
    outcome: Mapped[str] = mapped_column(String(40))
    invoices: Mapped[int | None]
    total: Mapped[Vnd | None] = mapped_column(VndColumn)
    #: what the month before came to
    previous: Mapped[Vnd | None] = mapped_column(VndColumn)
    #: children without a class, who get no bill
    unplaced: Mapped[int | None]
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
