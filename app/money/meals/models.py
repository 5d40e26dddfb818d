"""The calendar of meals, the marks of children on days, registers and contested days."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime


class Source(StrEnum):
    """Who said that a child is away, or is not."""

    FAMILY = "family"
    TEACHER = "teacher"
    OFFICE = "office"
    CONTEST = "contest"


class MealDay(SchoolOwned, Model):
    """A day on which an item by the day is offered to the whole school, or was and is not."""

    __tablename__ = "meal_days"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "item_id", "day"),
        Index("ix_meal_days_school_id_day", "school_id", "day"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    day: Mapped[date]
    is_served: Mapped[bool]


class MealMark(SchoolOwned, Model):
    """What was said of one child on one day; rows are only added and the newest counts."""

    __tablename__ = "meal_marks"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_meal_marks_school_id_enrolment_id_day", "school_id", "enrolment_id", "day"),
        Index("ix_meal_marks_school_id_day", "school_id", "day"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    day: Mapped[date]
    is_away: Mapped[bool]
    #: whether the day is not charged: said before the hour, or decided by the school
    is_cut: Mapped[bool]
    source: Mapped[Source] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MealRegister(SchoolOwned, Model):
    """The register of a class on a day, closed; closed again it is another row."""

    __tablename__ = "meal_registers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
        Index("ix_meal_registers_school_id_day", "school_id", "day", "class_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    class_id: Mapped[int]
    day: Mapped[date]
    present: Mapped[int]
    away: Mapped[int]
    closed_by: Mapped[str] = mapped_column(String(120))
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MealContest(SchoolOwned, Model):
    """A family says that a day is wrong; another person decides."""

    __tablename__ = "meal_contests"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_meal_contests_school_id_enrolment_id_day", "school_id", "enrolment_id", "day"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    day: Mapped[date]
    words: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_accepted: Mapped[bool | None]
    answer: Mapped[str] = mapped_column(String(200), default="")
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
