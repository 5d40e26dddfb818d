"""Many rows written at once, their numbers known beforehand: the quickest way on each database."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

from sqlalchemy import Table, insert, text
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from app.core.db import is_sqlite, scalar
from app.core.model import db

#: below this a plain statement is as quick
FEW = 20


def insert_rows(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Insert rows of one model, all with the same columns; their ids in the order given.

    The caller holds a transaction: on SQLite it is the only writer, so the next numbers are free.
    """
    if not values:
        return []
    table: Table = model.__table__  # type: ignore[attr-defined]
    if len(values) == 1:
        key = table.c.id
        return [int(db.session.scalar(insert(model).values(**values[0]).returning(key)) or 0)]
    ids = _reserve(table, len(values))
    write_rows(model, [{"id": number, **given} for number, given in zip(ids, values, strict=True)])
    return ids


def write_rows(model: type, values: Sequence[dict[str, Any]]) -> None:
    """The same for rows whose numbers nobody asks for, or that have none."""
    if not values:
        return
    table: Table = model.__table__  # type: ignore[attr-defined]
    usual = _defaults(table, values[0])
    rows = [{**usual, **given} for given in values] if usual else values
    if is_sqlite() or len(rows) < FEW:
        db.session.connection().execute(insert(table), list(rows))
    else:
        _copy(table, rows)


def _reserve(table: Table, count: int) -> list[int]:
    if is_sqlite():
        last = int(scalar(f"select coalesce(max(id), 0) from {table.name}"))
        return list(range(last + 1, last + 1 + count))
    found = db.session.execute(
        text(
            f"select array_agg(nextval(pg_get_serial_sequence('{table.name}', 'id')))"
            " from generate_series(1, :count)"
        ),
        {"count": count},
    )
    return list(found.scalar_one())


def _defaults(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """The model's own plain defaults for columns nobody gave."""
    return {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in given and isinstance(column.default, ScalarElementColumnDefault)
    }


def _copy(table: Table, rows: Sequence[dict[str, Any]]) -> None:
    names = list(rows[0])
    dialect = db.engine.dialect
    ready = [
        _ready(values, _processor(table.columns[name].type, dialect))
        for name, values in zip(
            names, zip(*(row.values() for row in rows), strict=True), strict=True
        )
    ]
    columns = ", ".join(names)
    connection = db.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101 - the session's own
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy {table.name} ({columns}) from stdin") as copy,
    ):
        for row in zip(*ready, strict=True):
            copy.write_row(row)


def _ready(values: Sequence[Any], reader: Any) -> Sequence[Any]:
    """The values of one column as the driver takes them."""
    if reader is not None:
        return [reader(value) for value in values]
    # The driver would write the name of an enum, not its value.
    if any(issubclass(kind, Enum) for kind in set(map(type, values))):
        return [value.value if isinstance(value, Enum) else value for value in values]
    return values


def _processor(kind: TypeEngine[Any], dialect: Any) -> Any:
    return kind.dialect_impl(dialect).bind_processor(dialect)
