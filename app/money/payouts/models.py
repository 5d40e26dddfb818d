"""Payouts, what became of each, and the batches handed to the bank: append-only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

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


class Kind(StrEnum):
    """What a payout is for."""

    #: credit of a child, back to its family
    REFUND = "refund"
    #: money of the State for a family
    SUPPORT = "support"
    #: credit of a child, for its brother or sister
    SIBLING = "sibling"
    #: a debt nobody will pay
    WRITE_OFF = "write_off"


class Way(StrEnum):
    """How it reaches the family."""

    TRANSFER = "transfer"
    CASH = "cash"
    #: back to the card it came from
    CARD = "card"
    #: in the books alone
    BOOKS = "books"


class Step(StrEnum):
    """What happened to a payout; the newest step is its state."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    #: stands in a batch, or the card's provider was told
    SENT = "sent"
    PAID = "paid"
    #: the bank could not deliver it: it waits for the next batch
    FAILED = "failed"


class Payout(SchoolOwned, Model):
    """Money for a family, or given up, with the reason and who asked for it."""

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        CheckConstraint("amount > 0 and amount <= 1000000000000", name="amount_positive"),
        Index("ix_payouts_school_id_student_id", "school_id", "student_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: in the text of the transfer, so that the statement closes it
    code: Mapped[str] = mapped_column(String(12), unique=True)
    kind: Mapped[Kind] = mapped_column(String(12))
    way: Mapped[Way] = mapped_column(String(12))
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    to_student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    #: the card payment it goes back to
    payment_id: Mapped[int | None]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    bank_bin: Mapped[str] = mapped_column(String(6))
    account: Mapped[str] = mapped_column(String(24))
    #: as the bank shows it, without accents
    holder: Mapped[str] = mapped_column(String(120))
    #: JSON: billed line → đồng, for a debt given up
    lines: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_by_id: Mapped[int | None]
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PayoutBatch(SchoolOwned, Model):
    """The file of one order to the bank, kept as it left."""

    __tablename__ = "payout_batches"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        CheckConstraint("total > 0", name="total_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bank_account_id: Mapped[int]
    #: the form of the file
    profile: Mapped[str] = mapped_column(String(20))
    row_count: Mapped[int]
    total: Mapped[Vnd] = mapped_column(VndColumn)
    file_name: Mapped[str] = mapped_column(String(80))
    #: SHA-256 of the file
    file_hash: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PayoutStep(SchoolOwned, Model):
    """One step of a payout, with its entry where money moved."""

    __tablename__ = "payout_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "payout_id"], ["payouts.school_id", "payouts.id"]),
        ForeignKeyConstraint(
            ["school_id", "batch_id"], ["payout_batches.school_id", "payout_batches.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        Index("ix_payout_steps_school_id_payout_id", "school_id", "payout_id"),
        Index("ix_payout_steps_school_id_batch_id", "school_id", "batch_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    payout_id: Mapped[int]
    step: Mapped[Step] = mapped_column(String(12))
    batch_id: Mapped[int | None]
    event_id: Mapped[int | None]
    #: why, or the provider's own number
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    actor_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
