"""Numbered papers: forms, counters, receipts, voids."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd


class ReceiptForm(Model):
    """Form number and circular of a paper, dated: the law changes them (E10)."""

    __tablename__ = "receipt_forms"
    __table_args__ = (UniqueConstraint("kind", "valid_from"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    #: "C45-BB"
    form_number: Mapped[str] = mapped_column(String(24))
    #: the line under it, "Ban hành kèm theo Thông tư …"
    circular: Mapped[str] = mapped_column(String(160))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ReceiptCounter(SchoolOwned, Model):
    """The last number of a series, and the end of its hash chain; locked by whoever issues."""

    __tablename__ = "receipt_counters"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "series"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: school letters and year, "PV-26"
    series: Mapped[str] = mapped_column(String(16))
    last_number: Mapped[int] = mapped_column(default=0)
    last_chain: Mapped[str] = mapped_column(String(64), default="")
    #: so that times never run against numbers, even when a clock is set back
    last_issued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Receipt(SchoolOwned, Model):
    """A receipt as issued: number, frozen content, its hash. Never changed (M4)."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "series", "number"),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        ForeignKeyConstraint(["school_id", "replaces_id"], ["receipts.school_id", "receipts.id"]),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_receipts_school_id_issued_at", "school_id", "issued_at"),
        Index("ix_receipts_school_id_payment_id", "school_id", "payment_id"),
        Index("ix_receipts_school_id_replaces_id", "school_id", "replaces_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    series: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    payment_id: Mapped[int]
    event_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: after the counter was locked, so that it never runs against the number
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the bank's or the till's day
    received_on: Mapped[date]
    #: eight characters for `/check`
    check_code: Mapped[str] = mapped_column(String(8), unique=True)
    #: canonical JSON of everything the paper says
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    #: SHA-256 over the chain before, number, amount and content hash
    chain: Mapped[str] = mapped_column(String(64))
    replaces_id: Mapped[int | None]


class ReceiptVoid(SchoolOwned, Model):
    """A receipt declared void; its number and paper stay."""

    __tablename__ = "receipt_voids"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "receipt_id"),
        ForeignKeyConstraint(["school_id", "receipt_id"], ["receipts.school_id", "receipts.id"]),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    receipt_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(400))
    #: who asked and who agreed; a provider's own act names the provider twice
    voided_by: Mapped[str] = mapped_column(String(120))
    approved_by: Mapped[str] = mapped_column(String(120))
    voided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the reversing event when the money went back
    event_id: Mapped[int | None]


class ReceiptCode(Model):
    """Area-wide look-up: check code → school, for the public check page."""

    __tablename__ = "receipt_codes"

    check_code: Mapped[str] = mapped_column(String(8), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))


class ReceiptPrint(SchoolOwned, Model):
    """One printing of receipts; the file is thrown away after a day, the row stays."""

    __tablename__ = "receipt_prints"
    __table_args__ = (UniqueConstraint("school_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: days or number it was asked for
    title: Mapped[str] = mapped_column(String(120))
    #: file, classes or single
    bundle: Mapped[str] = mapped_column(String(8))
    total: Mapped[int]
    #: of them printed before, so marked as copies
    copies: Mapped[int] = mapped_column(default=0)
    #: ids of the receipts in the order of printing, as JSON
    receipt_ids: Mapped[str] = mapped_column(Text)
    #: the job that draws it, where it is long
    job_id: Mapped[int | None] = mapped_column(RowId)
    requested_by: Mapped[str] = mapped_column(String(120))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: how many went through the stamp; the others were drawn one by one
    stamped: Mapped[int | None]
    #: why nothing was printed
    refusal: Mapped[str | None] = mapped_column(String(400))
    file: Mapped[bytes | None] = mapped_column(LargeBinary)


class ReceiptPrinting(SchoolOwned, Model):
    """A receipt in a printing; from its second one on the paper says that it is a copy."""

    __tablename__ = "receipt_printings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "receipt_id", "print_id"),
        ForeignKeyConstraint(["school_id", "receipt_id"], ["receipts.school_id", "receipts.id"]),
        ForeignKeyConstraint(
            ["school_id", "print_id"], ["receipt_prints.school_id", "receipt_prints.id"]
        ),
        Index("ix_receipt_printings_school_id_print_id", "school_id", "print_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    receipt_id: Mapped[int]
    print_id: Mapped[int]
