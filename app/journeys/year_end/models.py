"""Outcomes and names prepared for the turn of a year, the turns with what they did, hand-overs."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime
from app.journeys.year_end.plan import Outcome


class YearOutcome(SchoolOwned, Model):
    """What a class entered for a child at the end of a year; may change until the turn."""

    __tablename__ = "year_outcomes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year_id", "enrolment_id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the year that ends
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    enrolment_id: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(String(12))
    decided_by: Mapped[str] = mapped_column(String(120))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class YearClassPlan(SchoolOwned, Model):
    """A class name of next year written by hand, where the usual one does not fit."""

    __tablename__ = "year_class_plans"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year_id", "class_id"),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the year that ends
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    #: the class that goes on under this name; NULL for a class that takes new children
    class_id: Mapped[int | None]
    name: Mapped[str] = mapped_column(String(24))


class YearTurn(SchoolOwned, Model):
    """One act: a school goes over into the next year. It stands until it is undone."""

    __tablename__ = "year_turns"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year_id", "seq"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the year that ends
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    next_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    #: 1, and more after an undo
    seq: Mapped[int]
    #: the first day of the new year, on which classes and stays were changed
    starts_on: Mapped[date]
    turned_by: Mapped[str] = mapped_column(String(120))
    turned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(120))
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_reason: Mapped[str | None] = mapped_column(String(200))


class YearTurnClass(SchoolOwned, Model):
    """A class that a turn opened; plain numbers, since an undo removes an empty one again."""

    __tablename__ = "year_turn_classes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "turn_id", "class_id"),
        ForeignKeyConstraint(["school_id", "turn_id"], ["year_turns.school_id", "year_turns.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    turn_id: Mapped[int]
    class_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(24))


class YearTurnItem(SchoolOwned, Model):
    """What a turn did with one child, and what stood before, so that it can be taken back."""

    __tablename__ = "year_turn_items"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "turn_id", "enrolment_id"),
        ForeignKeyConstraint(["school_id", "turn_id"], ["year_turns.school_id", "year_turns.id"]),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
        Index("ix_year_turn_items_school_id_enrolment_id", "school_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    turn_id: Mapped[int]
    enrolment_id: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(String(12))
    #: the class of the year that ended, and the placement in it
    class_id: Mapped[int]
    placement_id: Mapped[int]
    #: the ends as they were before, nearly always none
    placement_ends_on: Mapped[date | None]
    stay_ends_on: Mapped[date | None]
    stay_end_reason: Mapped[str | None] = mapped_column(String(24))
    #: where the child was seated; plain numbers, since an undo removes the seat again
    next_class_id: Mapped[int | None]
    next_placement_id: Mapped[int | None]
    #: what the test in summer gave: promoted, finished or repeats
    decision: Mapped[Outcome | None] = mapped_column(String(12))
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Handover(Model):
    """A finishing child on its way to a school of the next level; one row for a stay and year.

    The child is the one of the stay, also after two records were joined.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        UniqueConstraint("from_school_id", "from_enrolment_id", "school_year_id"),
        ForeignKeyConstraint(
            ["from_school_id", "from_enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        ForeignKeyConstraint(
            ["to_school_id", "admitted_enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_handovers_from_school_id", "from_school_id", "school_year_id"),
        Index("ix_handovers_to_school_id", "to_school_id", "school_year_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the year that ends
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    from_school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
    from_enrolment_id: Mapped[int]
    #: NULL while nobody has said where the child goes
    to_school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    #: area: chosen by the officer; list: from an assignment list; claim: by the receiving school
    way: Mapped[str | None] = mapped_column(String(12))
    assigned_by: Mapped[str | None] = mapped_column(String(120))
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    admitted_enrolment_id: Mapped[int | None]
    admitted_by: Mapped[str | None] = mapped_column(String(120))
    admitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
