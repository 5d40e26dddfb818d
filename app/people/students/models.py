"""Children (area-wide), their families, their stays at schools, their classes."""

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


class Sex(StrEnum):
    """As the registers of the field write it."""

    FEMALE = "female"
    MALE = "male"


class Scheme(StrEnum):
    """Numbers others give a child; none of them is our key."""

    PIN = "pin"
    MOET = "moet"
    LLR = "llr"
    SCHOOL = "school"
    BHXH = "bhxh"
    PASSPORT = "passport"


class IdentityField(StrEnum):
    """What makes a child this child; each change of one is kept in `identity_changes`."""

    FULL_NAME = "full_name"
    BIRTH_DATE = "birth_date"
    SEX = "sex"
    PIN = "pin"
    MOET = "moet"
    LLR = "llr"
    SCHOOL = "school"
    BHXH = "bhxh"
    PASSPORT = "passport"


class Origin(StrEnum):
    """Where a change of an identity came from."""

    HAND = "hand"
    LIST = "list"
    CHECK = "check"
    MERGE = "merge"


class Verification(StrEnum):
    """How far an identity is proved against the population database; the words of the field."""

    NO_NUMBER = "CHUA_CO_SO"
    NOT_SENT = "CHUA_GUI"
    WAITING = "CHO_XAC_THUC"
    MATCHED = "KHOP"
    DIFFERS = "SAI_LECH"
    NOT_FOUND = "KHONG_TIM_THAY"
    DOUBLE = "TRUNG_SO"


class NoNumber(StrEnum):
    """Why a child has no personal number."""

    NOT_REGISTERED = "not_registered"
    BEING_MADE = "being_made"
    FOREIGN = "foreign"
    NOT_HANDED_IN = "not_handed_in"


class Student(Model):
    """One child, one row, one code for life; no school inside."""

    __tablename__ = "students"
    __table_args__ = (
        Index("ix_students_search_key", "search_key"),
        Index("ix_students_sort_key", "sort_key"),
        Index("ix_students_merged_into_id", "merged_into_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: eight digits and a Damm check digit
    code: Mapped[str] = mapped_column(String(9), unique=True)
    full_name: Mapped[str] = mapped_column(String(120))
    #: accent-free, lower case; computed, never typed
    search_key: Mapped[str] = mapped_column(String(120))
    #: Vietnamese order by given name, then family name; compared byte by byte on every database
    sort_key: Mapped[str] = mapped_column(
        String(400).with_variant(String(400, collation="C"), "postgresql")
    )
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: of name, birth date, sex and personal number together
    verification: Mapped[Verification] = mapped_column(
        String(16), default=Verification.NO_NUMBER, server_default=Verification.NO_NUMBER
    )
    no_number_reason: Mapped[NoNumber | None] = mapped_column(String(16))
    #: the child this row turned out to be; its code still leads there
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    anonymised_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IdentityChange(Model):
    """One change of a name, a birth date, a sex or a number, with both values.

    Rows are only ever added; values are blanked when a child is made anonymous.
    """

    __tablename__ = "identity_changes"
    __table_args__ = (Index("ix_identity_changes_student_id", "student_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    #: the school whose staff changed it; none for the machine
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    field: Mapped[IdentityField] = mapped_column(String(12))
    old_value: Mapped[str | None] = mapped_column(String(120))
    new_value: Mapped[str | None] = mapped_column(String(120))
    origin: Mapped[Origin] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(200))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class StudentWord(Model):
    """A word of a child's folded name; an index that can be made anew at any time."""

    __tablename__ = "student_words"
    __table_args__ = (Index("ix_student_words_word", "word", "whole", "student_id"),)

    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"), primary_key=True)
    #: compared byte by byte, so that a beginning is a span of the index
    word: Mapped[str] = mapped_column(
        String(120).with_variant(String(120, collation="C"), "postgresql"), primary_key=True
    )
    #: the whole folded name, so that the other words are compared without leaving the index
    whole: Mapped[str] = mapped_column(String(120))


class StudentIdentifier(Model):
    """A number of a child under one scheme, with its span of validity and its source."""

    __tablename__ = "student_identifiers"
    __table_args__ = (
        Index("ix_student_identifiers_student_id", "student_id"),
        Index("ix_student_identifiers_value", "value"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    scheme: Mapped[Scheme] = mapped_column(String(12))
    value: Mapped[str] = mapped_column(String(24))
    #: where it was read: birth certificate, sector file …
    source: Mapped[str] = mapped_column(String(60))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Guardian(Model):
    """A parent or other guardian; one phone may serve several children in several schools."""

    __tablename__ = "guardians"
    __table_args__ = (Index("ix_guardians_phone", "phone"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    full_name: Mapped[str] = mapped_column(String(120))
    search_key: Mapped[str] = mapped_column(String(120))
    #: ten digits, normalised
    phone: Mapped[str | None] = mapped_column(String(10))
    address: Mapped[str | None] = mapped_column(String(200))


class Guardianship(Model):
    """Which guardian answers for which child, from when to when."""

    __tablename__ = "guardianships"
    __table_args__ = (
        Index("ix_guardianships_student_id", "student_id"),
        Index("ix_guardianships_guardian_id", "guardian_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardians.id"))
    #: mother, father, grandmother …
    relation: Mapped[str] = mapped_column(String(16))
    is_primary: Mapped[bool] = mapped_column(default=False)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class ActivationCode(Model):
    """The one-use code on the paper notice by which a family opens its account; stored hashed."""

    __tablename__ = "activation_codes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardians.id"))
    #: SHA-256 of a 50-bit random code
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SchoolClass(SchoolOwned, Model):
    """A class of one school year."""

    __tablename__ = "classes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year_id", "name"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    #: "9/4", "Lớn 2": never part of an address
    name: Mapped[str] = mapped_column(String(24))
    #: −3 to 0 nursery (crèche, 3-4, 4-5, 5-6), 1 to 5 primary, 6 to 9 lower secondary
    grade: Mapped[int]


class Enrolment(SchoolOwned, Model):
    """A child's stay at a school, half-open dates; ends once and is never otherwise changed."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_enrolments_school_id_student_id", "school_id", "student_id"),
        Index("ix_enrolments_student_id", "student_id"),
        CheckConstraint("ends_on is null or ends_on > starts_on", name="dates_in_order"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    starts_on: Mapped[date]
    #: the first day no longer enrolled
    ends_on: Mapped[date | None]
    end_reason: Mapped[str | None] = mapped_column(String(24))


class Placement(SchoolOwned, Model):
    """The class of an enrolled child in a span of days."""

    __tablename__ = "placements"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_placements_school_id_enrolment_id", "school_id", "enrolment_id"),
        Index("ix_placements_school_id_class_id", "school_id", "class_id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(RowId)
    class_id: Mapped[int] = mapped_column(RowId)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
