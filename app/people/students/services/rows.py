"""Many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from app.core.db import is_sqlite
from app.core.model import db


def insert_many(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Many rows at once; their ids in the order given."""
    if not values:
        return []
    key = model.__table__.c.id  # type: ignore[attr-defined]
    if is_sqlite():
        # It would hand back ids one row at a time. Under its one writer the next ids are known.
        first = int(db.session.scalar(select(func.coalesce(func.max(key), 0))) or 0) + 1
        db.session.execute(
            insert(model), [{**row, "id": first + place} for place, row in enumerate(values)]
        )
        return list(range(first, first + len(values)))
    statement = insert(model).returning(key, sort_by_parameter_order=True)
    return [int(made) for made in db.session.scalars(statement, list(values))]
