"""Counters against guessing, kept in the database because several workers share the door."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import scalar
from app.core.model import Model


class Throttle(Model):
    """How often something was tried in a window of time."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    time_window: Mapped[str] = mapped_column(String(20), primary_key=True)
    count: Mapped[int]


def count_try(key: str, *, window: str) -> int:
    """Add one try and say how many there were, this one included. The caller commits."""
    return int(
        scalar(
            "insert into throttles (key, time_window, count) values (:key, :window, 1)"
            " on conflict (key, time_window) do update set count = throttles.count + 1"
            " returning count",
            key=key,
            window=window,
        )
    )


def tries(key: str, *, window: str) -> int:
    """How many tries were counted so far."""
    found = scalar(
        "select count from throttles where key = :key and time_window = :window",
        key=key,
        window=window,
    )
    return int(found or 0)
