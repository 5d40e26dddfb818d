"""Days and months as they were closed: append-only."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, PeriodColumn, RowId, SchoolOwned, UtcDateTime
from app.core.period import Period


class DayClosing(SchoolOwned, Model):
    """A day with everything that did not agree, its age or its reason (M17)."""

    __tablename__ = "day_closings"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "day"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    day: Mapped[date]
    #: JSON, as the page showed it, with the reasons
    figures: Mapped[str] = mapped_column(Text)
    #: SHA-256 of them
    hash: Mapped[str] = mapped_column(String(64))
    closed_by: Mapped[str] = mapped_column(String(120))
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MonthStepKind(StrEnum):
    """What happened to a month; the newest step is its state."""

    #: closed by the accountant
    CLOSED = "closed"
    #: signed by the principal
    SIGNED = "signed"
    #: opened again by the unit above
    REOPENED = "reopened"


class MonthStep(SchoolOwned, Model):
    """One step of a month, with the figures as they were frozen."""

    __tablename__ = "month_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "period", "version", "step"),
        Index("ix_month_steps_school_id_period", "school_id", "period"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    period: Mapped[Period] = mapped_column(PeriodColumn)
    #: one more each time the month is closed again
    version: Mapped[int]
    step: Mapped[MonthStepKind] = mapped_column(String(12))
    #: JSON: the trial balance of the month and its totals; empty but for `closed`
    figures: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    actor_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class AccountMapping(SchoolOwned, Model):
    """Which account of a circular ours is from a day on; the newest row of a prefix counts."""

    __tablename__ = "account_mappings"
    __table_args__ = (UniqueConstraint("school_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: `bank:`, `held:`, `receivable`: the beginning of our code
    prefix: Mapped[str] = mapped_column(String(60))
    target: Mapped[str] = mapped_column(String(20))
    valid_from: Mapped[date]
    set_by: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
