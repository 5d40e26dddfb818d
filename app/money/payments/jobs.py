"""Retrying notices."""

from __future__ import annotations

from datetime import datetime


def retry_notices(school_id: int, *, now: datetime) -> int:
    """Placeholder until the retry job is here."""
    return 0
