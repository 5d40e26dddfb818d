"""Claims on money that lies at another school, and their steps: append-only."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd


class ClaimStep(StrEnum):
    """What happened to a claim; the newest step is its state."""

    #: the school that holds the money offers it
    OFFERED = "offered"
    #: the other school agrees: both books say who owes whom
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class SchoolClaim(SchoolOwned, Model):
    """Money of a payment at `school_id` whose code is of another school."""

    __tablename__ = "school_claims"
    __table_args__ = (
        Unique("school_id", "id"),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        CheckConstraint("amount > 0 and to_school_id <> school_id", name="two_schools"),
        Index("ix_school_claims_to_school_id", "to_school_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    to_school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
    payment_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: the code in the text, which the transfer to the other school carries again
    reference: Mapped[str] = mapped_column(String(12))


class SchoolClaimStep(SchoolOwned, Model):
    """One step of a claim, by a person of one of the two schools."""

    __tablename__ = "school_claim_steps"
    __table_args__ = (
        Unique("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "claim_id"], ["school_claims.school_id", "school_claims.id"]
        ),
        Index("ix_school_claim_steps_school_id_claim_id", "school_id", "claim_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    claim_id: Mapped[int]
    step: Mapped[ClaimStep] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
