"""Accounts, events, and entries that are debit/credit pairs: append-only."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd


class Account(SchoolOwned, Model):
    """One account of a school's books; `bank:12`, `receivable`, `held:MEAL` (chart M2)."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "code"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(60))


class LedgerEvent(SchoolOwned, Model):
    """A business event that moved money: what happened and which row caused it."""

    __tablename__ = "ledger_events"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "kind", "cause_kind", "cause_id"),
        UniqueConstraint("school_id", "reverses_id"),
        ForeignKeyConstraint(
            ["school_id", "reverses_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: invoice_issued, credit_applied, payment_received …
    kind: Mapped[str] = mapped_column(String(40))
    cause_kind: Mapped[str] = mapped_column(String(40))
    cause_id: Mapped[int]
    #: the day of the books, in Asia/Ho_Chi_Minh
    booked_on: Mapped[date]
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the event whose entries this one takes back
    reverses_id: Mapped[int | None]


class Entry(SchoolOwned, Model):
    """`debit` receives, `credit` gives, `amount` moves: it cannot be out of balance (M1)."""

    __tablename__ = "entries"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("amount > 0 and amount <= 1000000000000", name="amount_positive"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        ForeignKeyConstraint(["school_id", "debit_id"], ["accounts.school_id", "accounts.id"]),
        ForeignKeyConstraint(["school_id", "credit_id"], ["accounts.school_id", "accounts.id"]),
        Index("ix_entries_school_id_event_id", "school_id", "event_id"),
        # With the amount, so that a balance is read from the index alone.
        Index("ix_entries_school_id_debit_id", "school_id", "debit_id", "amount"),
        Index("ix_entries_school_id_credit_id", "school_id", "credit_id", "amount"),
        Index("ix_entries_invoice_line_id", "invoice_line_id"),
        Index("ix_entries_school_id_student_id", "school_id", "student_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    event_id: Mapped[int]
    debit_id: Mapped[int]
    credit_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: whose money, where the account is kept per child
    student_id: Mapped[int | None]
    #: the billed line it belongs to
    invoice_line_id: Mapped[int | None]


class Seal(SchoolOwned, Model):
    """A block of entries under one hash, chained to the block before (M3)."""

    __tablename__ = "seals"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "seq"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    seq: Mapped[int]
    last_entry_id: Mapped[int]
    #: how many entries the block holds
    entries: Mapped[int]
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
