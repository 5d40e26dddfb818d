"""Many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from app.core.model import db


def insert_many(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Many rows at once; their ids in the order given."""
    if not values:
        return []
    key = model.__table__.c.id  # type: ignore[attr-defined]
    statement = insert(model).returning(key, sort_by_parameter_order=True)
    return [int(made) for made in db.session.scalars(statement, list(values))]
