"""Many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.bulk import insert_rows


def insert_many(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Many rows at once; their ids in the order given."""
    return insert_rows(model, values)
