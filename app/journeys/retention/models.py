"""Terms of keeping, as dated data; requests to make children anonymous, and what became of each."""

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

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime


class RecordKind(StrEnum):
    """Kinds of records that have a term of their own."""

    VOUCHERS = "vouchers"
    SLIPS = "slips"
    LEARNING = "learning"
    PUPILS = "pupils"
    PHOTOS = "photos"


class Term(StrEnum):
    """How long: years, for ever, while somebody agrees, or nobody decided yet."""

    YEARS = "years"
    FOR_EVER = "for_ever"
    CONSENT = "consent"
    OPEN = "open"


class CountedFrom(StrEnum):
    """The event the years are counted from."""

    FISCAL_YEAR = "fiscal_year"
    LEAVING = "leaving"
    WITHDRAWAL = "withdrawal"
    NOTHING = "nothing"


class Certainty(StrEnum):
    """How the act is known. What is known from memory is to be checked and steers nothing."""

    READ = "read"
    SECOND_HAND = "second_hand"
    DECIDED = "decided"
    MEMORY = "memory"


class RetentionTerm(Model):
    """How long one kind of record is kept, from a day on; a change is a new row."""

    __tablename__ = "retention_terms"
    __table_args__ = (
        UniqueConstraint("kind", "valid_from"),
        CheckConstraint("(term = 'years') = (years is not null)", name="years_where_counted"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[RecordKind] = mapped_column(String(12))
    term: Mapped[Term] = mapped_column(String(8))
    years: Mapped[int | None]
    counted_from: Mapped[CountedFrom] = mapped_column(String(12))
    #: the act with its article, as it is cited
    act: Mapped[str] = mapped_column(String(200))
    #: where it was read, or who decided
    source: Mapped[str] = mapped_column(String(300))
    certainty: Mapped[Certainty] = mapped_column(String(12))
    valid_from: Mapped[date]
    #: the first day a newer row holds
    valid_to: Mapped[date | None]
    set_by: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Outcome(StrEnum):
    """What became of a child of a request: forgotten, or what stood in the way."""

    FORGOTTEN = "forgotten"
    ENROLLED = "enrolled"
    EARLY = "early"
    MONEY = "money"
    TRANSFER = "transfer"
    VERIFICATION = "verification"
    MERGE = "merge"
    GONE = "gone"


class ForgettingRequest(SchoolOwned, Model):
    """One person asks that children of a school be made anonymous; another one decides."""

    __tablename__ = "forgetting_requests"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("(decided_at is null) = (approved is null)", name="decided_at_once"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved: Mapped[bool | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(String(200), default="")


class ForgettingChild(SchoolOwned, Model):
    """One child of a request."""

    __tablename__ = "forgetting_children"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "request_id", "student_id"),
        Index("ix_forgetting_children_student_id", "student_id"),
        ForeignKeyConstraint(
            ["school_id", "request_id"],
            ["forgetting_requests.school_id", "forgetting_requests.id"],
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    request_id: Mapped[int] = mapped_column(RowId)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    #: the first day at no school of the area
    left_on: Mapped[date]
    outcome: Mapped[Outcome | None] = mapped_column(String(12))
