"""Consents and their withdrawals, photos, cards, and the papers cards were printed on."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime


class Party(StrEnum):
    """Who says yes to a photo: the guardian always, the child too from seven years on."""

    GUARDIAN = "guardian"
    CHILD = "child"


class Method(StrEnum):
    """How a yes or a no reached the school."""

    PAPER = "paper"
    IN_PERSON = "in_person"


class EndReason(StrEnum):
    """Why a card is no longer good."""

    LOST = "lost"
    REPLACED = "replaced"
    LEFT = "left"


class Layout(StrEnum):
    """Ten cards on A4 with cut marks, or one card a page for a card printer."""

    A4 = "a4"
    SINGLE = "single"


def _of_the_stay() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
    )


class PhotoConsent(SchoolOwned, Model):
    """A yes to a photo on the card, as it was given. Rows are only ever added."""

    __tablename__ = "photo_consents"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_photo_consents_school_id_enrolment_id", "school_id", "enrolment_id"),
        _of_the_stay(),
        CheckConstraint("(party = 'guardian') = (guardian_id is not null)", name="who_said_it"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(RowId)
    party: Mapped[Party] = mapped_column(String(8))
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("guardians.id"))
    method: Mapped[Method] = mapped_column(String(12))
    #: number or place of the signed form; none when it was said in person
    form_no: Mapped[str | None] = mapped_column(String(40))
    #: which wording was agreed to
    wording: Mapped[str] = mapped_column(String(12))
    given_on: Mapped[date]
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PhotoWithdrawal(SchoolOwned, Model):
    """The end of one consent. Rows are only ever added."""

    __tablename__ = "photo_withdrawals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "consent_id"),
        ForeignKeyConstraint(
            ["school_id", "consent_id"], ["photo_consents.school_id", "photo_consents.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    consent_id: Mapped[int] = mapped_column(RowId)
    method: Mapped[Method] = mapped_column(String(12))
    withdrawn_on: Mapped[date]
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StudentPhoto(SchoolOwned, Model):
    """The one photo of a stay, re-encoded by us; deleted when its consent is withdrawn."""

    __tablename__ = "student_photos"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "enrolment_id"),
        _of_the_stay(),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(RowId)
    #: JPEG of 480 × 640 pixels, at most 100 kB
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    taken_on: Mapped[date]
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Card(SchoolOwned, Model):
    """A card of a stay. Its token is not stored: only what is needed to know and to print it."""

    __tablename__ = "cards"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "number"),
        Index("ix_cards_school_id_enrolment_id", "school_id", "enrolment_id"),
        Index(
            "uq_cards_one_live",
            "school_id",
            "enrolment_id",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
        _of_the_stay(),
        CheckConstraint("(ended_at is null) = (end_reason is null)", name="end_has_reason"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(RowId)
    #: runs within the school and is never given twice
    number: Mapped[int]
    #: with the server's key it gives the token, see tokens.py
    nonce: Mapped[str] = mapped_column(String(32))
    #: SHA-256 of the token
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    issued_by: Mapped[str] = mapped_column(String(120))
    #: how often it was printed, and for which year last: the class on it is of that year
    printed: Mapped[int] = mapped_column(default=0)
    printed_year_id: Mapped[int | None] = mapped_column(ForeignKey("school_years.id"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[EndReason | None] = mapped_column(String(12))


class CardPrint(SchoolOwned, Model):
    """One printing of cards; the file is thrown away after a day, the row stays."""

    __tablename__ = "card_prints"
    __table_args__ = (UniqueConstraint("school_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    layout: Mapped[Layout] = mapped_column(String(8))
    #: class or child it was asked for
    title: Mapped[str] = mapped_column(String(120))
    total: Mapped[int]
    #: the job that draws it, where it is long
    job_id: Mapped[int | None] = mapped_column(RowId)
    requested_by: Mapped[str] = mapped_column(String(120))
    requested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file: Mapped[bytes | None] = mapped_column(LargeBinary)
