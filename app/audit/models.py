"""The audit trail and its seals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, UtcDateTime


class AuditRow(Model):
    """One deed. Never changed, never deleted."""

    __tablename__ = "audit_rows"
    __table_args__ = (Index("ix_audit_rows_school_id_at", "school_id", "at"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: NULL for deeds of the whole area
    school_id: Mapped[int | None] = mapped_column()
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: who, as a name that stays readable: a user name, or the machine that acted
    actor: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(40))
    #: stable word, `invoice_run.issue`
    action: Mapped[str] = mapped_column(String(80))
    #: what was acted on, as `kind:id`
    subject: Mapped[str] = mapped_column(String(120))
    #: the event behind it, as `kind:id`, or the reason a person gave
    cause: Mapped[str] = mapped_column(String(400), default="")


class AuditSeal(Model):
    """A block of audit rows under one hash; school 0 stands for the area."""

    __tablename__ = "audit_seals"
    __table_args__ = (UniqueConstraint("school_id", "seq"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    school_id: Mapped[int] = mapped_column()
    seq: Mapped[int] = mapped_column()
    last_row_id: Mapped[int] = mapped_column(RowId)
    rows: Mapped[int] = mapped_column()
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
