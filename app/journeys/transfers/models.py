"""Transfers inside the area with their steps and papers; departures from it with their duties."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime
from app.journeys.transfers.states import Duty, Fact, Mark, PaperKind, State


class Transfer(SchoolOwned, Model):
    """A child asked for by the school that would receive it; `school_id` is that school."""

    __tablename__ = "transfers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_transfers_from_school_id", "from_school_id"),
        Index("ix_transfers_student_id", "student_id"),
        ForeignKeyConstraint(
            ["from_school_id", "from_enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    from_school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
    from_enrolment_id: Mapped[int] = mapped_column(RowId)
    #: the first day at the new school the family asked for
    wished_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))


class TransferStep(SchoolOwned, Model):
    """One step of a transfer; rows are only added and the newest is the state."""

    __tablename__ = "transfer_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "transfer_id"], ["transfers.school_id", "transfers.id"]),
        Index("ix_transfer_steps_transfer_id", "transfer_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(RowId)
    state: Mapped[State] = mapped_column(String(12))
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: for a hand-over: the first day at the new school, and the stay begun there
    day: Mapped[date | None]
    enrolment_id: Mapped[int | None] = mapped_column(RowId)


class TransferPaper(SchoolOwned, Model):
    """A paper of the dossier that lies ready or went along."""

    __tablename__ = "transfer_papers"
    __table_args__ = (
        UniqueConstraint("school_id", "transfer_id", "kind"),
        ForeignKeyConstraint(["school_id", "transfer_id"], ["transfers.school_id", "transfers.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(RowId)
    kind: Mapped[PaperKind] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Departure(SchoolOwned, Model):
    """A child that moves to a school outside the area; the stay says who and since when."""

    __tablename__ = "departures"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_departures_school_id_enrolment_id", "school_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(RowId)
    to_school: Mapped[str] = mapped_column(String(160))
    to_place: Mapped[str] = mapped_column(String(120))
    #: to another province: then the unit above writes a letter, too
    is_far: Mapped[bool]
    #: the first day at the other school
    wished_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))


class DepartureStep(SchoolOwned, Model):
    """Something that happened to a departure, once: asked, accepted, closed, withdrawn."""

    __tablename__ = "departure_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "departure_id", "fact"),
        ForeignKeyConstraint(
            ["school_id", "departure_id"], ["departures.school_id", "departures.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    departure_id: Mapped[int] = mapped_column(RowId)
    fact: Mapped[Fact] = mapped_column(String(12))
    #: the day it happened, from which a term runs
    day: Mapped[date]
    words: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DepartureMark(SchoolOwned, Model):
    """How a duty of a departure stands; rows are only added and the newest counts."""

    __tablename__ = "departure_marks"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "departure_id"], ["departures.school_id", "departures.id"]
        ),
        Index("ix_departure_marks_school_id_departure_id", "school_id", "departure_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    departure_id: Mapped[int] = mapped_column(RowId)
    duty: Mapped[Duty] = mapped_column(String(12))
    mark: Mapped[Mark] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
