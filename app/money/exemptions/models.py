"""Applications with their steps and proofs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, PeriodColumn, RowId, SchoolOwned, UtcDateTime
from app.core.period import Period


class State(StrEnum):
    """How far an application is."""

    RECEIVED = "received"
    MORE = "more"
    CHECKED = "checked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


#: What may follow a step.
NEXT: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.MORE, State.CHECKED, State.WITHDRAWN}),
    State.MORE: frozenset({State.CHECKED, State.WITHDRAWN}),
    State.CHECKED: frozenset({State.MORE, State.GRANTED, State.REFUSED, State.WITHDRAWN}),
    State.GRANTED: frozenset(),
    State.REFUSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}
RUNNING = (State.RECEIVED, State.MORE, State.CHECKED)


class ExemptionApplication(SchoolOwned, Model):
    """A family asks for an exemption, from a month to a month."""

    __tablename__ = "exemption_applications"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "exemption_id"], ["exemptions.school_id", "exemptions.id"]
        ),
        Index("ix_exemption_applications_school_id_received_on", "school_id", "received_on"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    policy_id: Mapped[int] = mapped_column(ForeignKey("exemption_policies.id"))
    first_period: Mapped[Period] = mapped_column(PeriodColumn)
    last_period: Mapped[Period | None] = mapped_column(PeriodColumn)
    received_on: Mapped[date]
    #: the last working day for the decision
    due_on: Mapped[date]
    #: what the decision gave, once granted
    exemption_id: Mapped[int | None]


class ApplicationStep(SchoolOwned, Model):
    """One step of an application; rows are only added and the newest is the state."""

    __tablename__ = "exemption_application_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "application_id"],
            ["exemption_applications.school_id", "exemption_applications.id"],
        ),
        Index(
            "ix_exemption_application_steps_school_id_application_id",
            "school_id",
            "application_id",
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    application_id: Mapped[int]
    state: Mapped[State] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ApplicationProof(SchoolOwned, Model):
    """A paper that proves the ground; sensitive, every look at it is written down."""

    __tablename__ = "exemption_proofs"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "application_id"],
            ["exemption_applications.school_id", "exemption_applications.id"],
        ),
        Index("ix_exemption_proofs_school_id_application_id", "school_id", "application_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    application_id: Mapped[int]
    #: what it is, in the office's words
    name: Mapped[str] = mapped_column(String(120))
    #: application/pdf, image/jpeg or image/png, by its content
    kind: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    #: the last day it proves anything; NULL where it does not end
    valid_until: Mapped[date | None]
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
