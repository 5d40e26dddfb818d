"""What must always be true of the books, and how to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.core.db import dialect, rows
from app.core.model import db


@dataclass(frozen=True, slots=True)
class Invariant:
    """`find` gives one line per breach, none when all holds; numbers are those of the catalogue."""

    number: str
    title: str
    find: Callable[[], Sequence[str]]
    #: the query behind it; empty when it is asked in another way
    sql: str = ""

    def find_in(self, school_id: int) -> Sequence[str]:
        """The breaches in one school's rows, in a time that does not grow with the other schools.

        Every table and view of schools is shadowed by its rows of this one, so it is only for
        invariants that never look from one school into another: those of the money rooms. One that
        is no query is asked as a whole.
        """
        if not self.sql:
            return self.find()
        return _breaches(_of_one_school(self.sql, dialect()), school_id=school_id)


_NAME = re.compile(r"\b(?:from|join) ([a-z_]+)\b")


@cache
def _of_one_school(sql: str, engine: str) -> str:
    """A query over the rows of one school: CTEs of the tables' own names come before them."""
    home = "main" if engine == "sqlite" else "public"
    own = {table.name for table in db.metadata.tables.values() if "school_id" in table.columns}
    names = sorted(name for name in set(_NAME.findall(sql)) if name in own or name.startswith("v_"))
    shadows = ", ".join(
        f"{name} as (select * from {home}.{name} where school_id = :school_id)" for name in names
    )
    return f"with {shadows}, breach as ({sql})" if names else f"with breach as ({sql})"


def _breaches(head: str, **parameters: Any) -> list[str]:
    found = rows(f"{head} select * from breach limit 20", **parameters)
    return [", ".join(f"{key}={value}" for key, value in row._mapping.items()) for row in found]


def query(number: str, title: str, sql: str) -> Invariant:
    """An invariant as one query that must return no row; the rows become the breaches."""
    # Without the fence the limit makes PostgreSQL plan for a quick first row that never comes.
    head = f"with breach as materialized ({sql})"
    return Invariant(number, title, lambda: _breaches(head), sql)
