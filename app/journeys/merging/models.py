"""Merges, what each of them moved, and pairs that were looked at and are two children."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, UtcDateTime


class Merge(Model):
    """Two records joined; taken back at most once, by a row of its own."""

    __tablename__ = "merges"
    __table_args__ = (
        Index("ix_merges_survivor_id", "survivor_id"),
        Index("ix_merges_merged_id", "merged_id"),
        CheckConstraint("survivor_id <> merged_id", name="two_records"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    survivor_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    merged_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class MergePart(Model):
    """One row a merge moved, ended or made: what an undo has to put back."""

    __tablename__ = "merge_parts"
    __table_args__ = (Index("ix_merge_parts_merge_id", "merge_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.id"))
    #: what was done: `stay_moved`, `stay_ended`, `tie_ended`, `tie_made`, `number_ended`,
    #: `number_given`, `record_led_on`, and the fields of identity taken over
    kind: Mapped[str] = mapped_column(String(24))
    row_id: Mapped[int] = mapped_column(RowId)
    #: what stood there before, where it cannot be told from the row
    before: Mapped[str | None] = mapped_column(String(120))


class MergeUndo(Model):
    """A merge taken back."""

    __tablename__ = "merge_undos"
    __table_args__ = (UniqueConstraint("merge_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    merge_id: Mapped[int] = mapped_column(ForeignKey("merges.id"))
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class TwoChildren(Model):
    """A pair somebody looked at and found to be two children; it is not proposed again."""

    __tablename__ = "two_children"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="in_order"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    first_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    second_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
