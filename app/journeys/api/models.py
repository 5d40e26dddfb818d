"""What was answered under which key of idempotency."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, UtcDateTime


class ApiAnswer(Model):
    """The answer given under a partner's key of idempotency; the same request gets it again."""

    __tablename__ = "api_answers"
    __table_args__ = (UniqueConstraint("partner_id", "idempotency_key"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    partner_id: Mapped[int] = mapped_column(ForeignKey("api_partners.id"))
    idempotency_key: Mapped[str] = mapped_column(String(80))
    #: SHA-256 of method, address and body
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    answer: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(UtcDateTime)
