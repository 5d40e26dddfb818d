"""Banks and wallets that collect, and their keys."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, UtcDateTime


class ApiPartner(Model):
    """A bank or wallet that collects for the schools of the area."""

    __tablename__ = "api_partners"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: short, in addresses of channels: `vcb`
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]


class ApiKey(Model):
    """A key of a partner; two may be alive while they are exchanged."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("api_partners.id"))
    #: sent with each request
    key_id: Mapped[str] = mapped_column(String(32), unique=True)
    #: never sent: it signs
    secret: Mapped[str] = mapped_column(String(120))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
