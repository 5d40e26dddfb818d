"""Batches sent, what each row said, what came back; and the identities of staff."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime
from app.people.students import IdentityField, Sex, Verification


class Kind(StrEnum):
    """Whose identities."""

    PUPILS = "pupils"
    STAFF = "staff"


class StaffScheme(StrEnum):
    """Numbers of a member of staff."""

    PIN = "pin"
    MOET = "moet"


class Source(StrEnum):
    """Where a result comes from."""

    #: the file that came back through the office
    FILE = "file"
    BIRTH_CERTIFICATE = "birth_certificate"
    VNEID = "vneid"
    #: the values the population database gave were taken over
    ACCEPTED = "accepted"
    #: ours are right by the paper; asked again in the next batch
    KEPT = "kept"
    #: the family has its papers mended first
    PAPERS = "papers"


class StaffIdentity(Model):
    """Who a member of staff is by the papers; the user's display name may be another."""

    __tablename__ = "staff_identities"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    full_name: Mapped[str] = mapped_column(String(120))
    #: Vietnamese order of names; compared byte by byte on every database
    sort_key: Mapped[str] = mapped_column(
        String(400).with_variant(String(400, collation="C"), "postgresql")
    )
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(String(8))
    verification: Mapped[Verification] = mapped_column(String(16))
    #: how many times what is compared was changed
    revision: Mapped[int] = mapped_column(default=0)


class StaffIdentifier(Model):
    """A number of a member of staff with its span of validity and its source."""

    __tablename__ = "staff_identifiers"
    __table_args__ = (
        Index("ix_staff_identifiers_user_id", "user_id"),
        Index("ix_staff_identifiers_value", "value"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    scheme: Mapped[StaffScheme] = mapped_column(String(12))
    value: Mapped[str] = mapped_column(String(24))
    #: where it was read: identity card, sector file …
    source: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Batch(SchoolOwned, Model):
    """One file sent to be compared; closed when no more answers are awaited."""

    __tablename__ = "verification_batches"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "number"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: 1, 2, 3 … within the school
    number: Mapped[int]
    kind: Mapped[Kind] = mapped_column(String(8))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(120))
    count: Mapped[int]
    #: SHA-256 of the rows as they are sent
    file_hash: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Item(SchoolOwned, Model):
    """The identity of one person as it was asked about, or shown on a paper (no batch then)."""

    __tablename__ = "verification_items"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "row_key"),
        Index("ix_verification_items_school_id_batch_id", "school_id", "batch_id"),
        Index("ix_verification_items_student_id", "student_id"),
        Index("ix_verification_items_user_id", "user_id"),
        ForeignKeyConstraint(
            ["school_id", "batch_id"],
            ["verification_batches.school_id", "verification_batches.id"],
            name="fk_verification_items_batch",
        ),
        CheckConstraint("(student_id is null) <> (user_id is null)", name="one_person"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    batch_id: Mapped[int | None] = mapped_column(RowId)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    #: what the row is called in the file: says nothing about the person
    row_key: Mapped[str] = mapped_column(String(12))
    full_name: Mapped[str] = mapped_column(String(120))
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(String(8))
    pin: Mapped[str] = mapped_column(String(24))
    #: the newest change of the identity then: a history row's id, or the count of staff changes
    revision: Mapped[int]


class Upload(SchoolOwned, Model):
    """A file of results: rehearsed first, taken once; what was read stays only while needed."""

    __tablename__ = "verification_uploads"
    __table_args__ = (UniqueConstraint("school_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(8))
    filename: Mapped[str] = mapped_column(String(120))
    file_hash: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by: Mapped[str] = mapped_column(String(120))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: JSON of the rows read; after taking only the doubtful ones
    answers: Mapped[str] = mapped_column(Text)


class Result(SchoolOwned, Model):
    """What is known about one asked identity; rows are only ever added."""

    __tablename__ = "verification_results"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_verification_results_school_id_item_id", "school_id", "item_id"),
        Index("ix_verification_results_student_id", "student_id"),
        Index("ix_verification_results_user_id", "user_id"),
        ForeignKeyConstraint(
            ["school_id", "item_id"],
            ["verification_items.school_id", "verification_items.id"],
            name="fk_verification_results_item",
        ),
        ForeignKeyConstraint(
            ["school_id", "upload_id"],
            ["verification_uploads.school_id", "verification_uploads.id"],
            name="fk_verification_results_upload",
        ),
        CheckConstraint("(student_id is null) <> (user_id is null)", name="one_person"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(RowId)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[Verification] = mapped_column(String(16))
    source: Mapped[Source] = mapped_column(String(20))
    upload_id: Mapped[int | None] = mapped_column(RowId)
    #: whether it was about the values the person had then and answered the newest question
    counts: Mapped[bool]
    #: whether every field that differs is named
    is_complete: Mapped[bool] = mapped_column(default=True)
    #: the paper that was shown, or the reason of a decision
    note: Mapped[str] = mapped_column(String(200), default="")
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Difference(SchoolOwned, Model):
    """A field in which the population database differs, with its value where that was given."""

    __tablename__ = "verification_differences"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "result_id", "field"),
        ForeignKeyConstraint(
            ["school_id", "result_id"],
            ["verification_results.school_id", "verification_results.id"],
            name="fk_verification_differences_result",
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    result_id: Mapped[int] = mapped_column(RowId)
    field: Mapped[IdentityField] = mapped_column(String(12))
    given_value: Mapped[str | None] = mapped_column(String(120))
