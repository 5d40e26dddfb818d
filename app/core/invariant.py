"""What must always be true of the books, and how to ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.db import rows


@dataclass(frozen=True, slots=True)
class Invariant:
    """`find` gives one line per breach, none when all holds; numbers are those of the catalogue."""

    number: str
    title: str
    find: Callable[[], Sequence[str]]


def query(number: str, title: str, sql: str) -> Invariant:
    """An invariant as one query that must return no row; the rows become the breaches."""

    def find() -> list[str]:
        # Without the fence the limit makes PostgreSQL plan for a quick first row that never comes.
        found = rows(f"with breach as materialized ({sql}) select * from breach limit 20")
        return [", ".join(f"{key}={value}" for key, value in row._mapping.items()) for row in found]

    return Invariant(number, title, find)
