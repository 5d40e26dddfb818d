"""Statements of a bank account, their rows, and what each row was found to be."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
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


class Finding(StrEnum):
    """What a row of a statement was found to be."""

    #: money that a notice of the bank had told before: its second proof
    PROOF = "proof"
    #: money nobody had told before: posted from the row
    POSTED = "posted"
    #: the bank took a payment back
    REVERSAL = "reversal"


class Statement(SchoolOwned, Model):
    """One file of a bank about one account, proved by its balances when it has them."""

    __tablename__ = "statements"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "bank_account_id", "file_hash"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bank_account_id: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(160))
    #: SHA-256 of the file
    file_hash: Mapped[str] = mapped_column(String(64))
    #: the form of the file: the layout it was read by and its titles
    layout: Mapped[str] = mapped_column(String(40))
    first_on: Mapped[date]
    last_on: Mapped[date]
    #: NULL in a file without balances, which nobody can prove
    opening: Mapped[Vnd | None] = mapped_column(VndColumn)
    closing: Mapped[Vnd | None] = mapped_column(VndColumn)
    credits: Mapped[Vnd] = mapped_column(VndColumn)
    debits: Mapped[Vnd] = mapped_column(VndColumn)
    #: rows in the file, and those of them that an earlier statement had
    row_count: Mapped[int]
    known_count: Mapped[int]
    imported_by: Mapped[str] = mapped_column(String(120))
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StatementRow(SchoolOwned, Model):
    """One movement as the bank's file tells it; the same movement in two files is one row (M16)."""

    __tablename__ = "statement_rows"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "bank_account_id", "key"),
        ForeignKeyConstraint(
            ["school_id", "statement_id"], ["statements.school_id", "statements.id"]
        ),
        Index("ix_statement_rows_school_id_statement_id", "school_id", "statement_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the first statement that had it
    statement_id: Mapped[int]
    bank_account_id: Mapped[int]
    #: its place in that file
    number: Mapped[int]
    value_on: Mapped[date]
    occurred_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    is_credit: Mapped[bool]
    balance: Mapped[Vnd | None] = mapped_column(VndColumn)
    text: Mapped[str] = mapped_column(String(400))
    ref: Mapped[str] = mapped_column(String(80))
    payer: Mapped[str] = mapped_column(String(120))
    payer_account: Mapped[str] = mapped_column(String(40))
    #: the movement's identity: the bank's number, else day, amount, text and balance
    key: Mapped[str] = mapped_column(String(32))


class StatementFinding(SchoolOwned, Model):
    """A row of a statement and the payment it speaks of; appended, never changed."""

    __tablename__ = "statement_findings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "row_id"),
        ForeignKeyConstraint(
            ["school_id", "row_id"], ["statement_rows.school_id", "statement_rows.id"]
        ),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        Index("ix_statement_findings_school_id_payment_id", "school_id", "payment_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    row_id: Mapped[int]
    payment_id: Mapped[int]
    finding: Mapped[Finding] = mapped_column(String(12))
    found_by: Mapped[str] = mapped_column(String(120))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StatementUpload(SchoolOwned, Model):
    """A file whose columns nobody knows yet, kept until somebody has named them."""

    __tablename__ = "statement_uploads"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bank_account_id: Mapped[int]
    file_name: Mapped[str] = mapped_column(String(160))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    uploaded_by: Mapped[str] = mapped_column(String(120))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StatementLayout(Model):
    """The columns of a bank's file as somebody of the area named them; all schools read by it."""

    __tablename__ = "statement_layouts"
    __table_args__ = (UniqueConstraint("bank_bin", "signature"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bank_bin: Mapped[str] = mapped_column(String(6))
    #: the titles it was taught from, hashed: teaching them anew replaces the columns
    signature: Mapped[str] = mapped_column(String(32))
    #: JSON: role → titles
    titles: Mapped[str] = mapped_column(Text)
    taught_by: Mapped[str] = mapped_column(String(120))
    taught_at: Mapped[datetime] = mapped_column(UtcDateTime)
