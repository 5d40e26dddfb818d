"""Staff users and what they may do where, with dates."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, UtcDateTime


class Role(StrEnum):
    """The field's own roles."""

    ACCOUNTANT = "accountant"
    CASHIER = "cashier"
    PRINCIPAL = "principal"
    DEPUTY = "deputy"
    TEACHER = "teacher"
    KITCHEN = "kitchen"
    NURSE = "nurse"
    OFFICER = "officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class User(Model):
    """A member of staff who can sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    #: argon2id
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    #: the last accepted time step, so that a code works once
    totp_last_step: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    #: wrong tries since the last good one, and when the next try may come
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Membership(Model):
    """A role of a person at a node of the organisation tree, from a day to a day."""

    __tablename__ = "memberships"
    __table_args__ = (Index("ix_memberships_user_id", "user_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation_units.id"))
    role: Mapped[Role] = mapped_column(String(16))
    starts_on: Mapped[date]
    #: the first day without the role
    ends_on: Mapped[date | None]
