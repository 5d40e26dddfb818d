"""Transactions, locks and plain SQL: one door to the database for both engines."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any, TypeVar, cast

from flask import Flask, current_app
from sqlalchemy import Connection, Date, Engine, bindparam, event, text
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria
from sqlalchemy.types import TypeEngine

from app.core import scope
from app.core.errors import TryAgain
from app.core.model import (
    PeriodColumn,
    SchoolOwned,
    UtcDateTime,
    VndColumn,
    db,
)
from app.core.money import Vnd
from app.core.period import Period

#: Column types for the results of plain SQL; SQLite would hand back text for the first two.
DAY: TypeEngine[Any] = Date()
MOMENT: TypeEngine[Any] = UtcDateTime()
VND: TypeEngine[Any] = VndColumn()
MONTH: TypeEngine[Any] = PeriodColumn()

#: How long a writer waits for the one before it, in seconds; then the person is asked to try again.
WRITER_PATIENCE = 10.0
#: How many values one `in (…)` list takes.
CHUNK = 500

Value = TypeVar("Value")

_writing: ContextVar[bool] = ContextVar("writing", default=False)


def dialect() -> str:
    """`sqlite` or `postgresql`."""
    return db.engine.dialect.name


def is_sqlite() -> bool:
    """Whether the embedded database is in use."""
    return dialect() == "sqlite"


# Starting up


def bind(app: Flask) -> None:
    """Attach the connection and session rules to this app's engine."""
    with app.app_context():
        engine = db.engine
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        session_factory = db.session
        if not event.contains(session_factory, "after_begin", _open_scope):
            event.listen(session_factory, "after_begin", _open_scope)
            event.listen(session_factory, "do_orm_execute", _narrow_reads)
            event.listen(session_factory, "before_flush", _check_writes)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction habits are switched off; see SQLAlchemy's pysqlite chapter.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        # INSERT OR REPLACE deletes without firing delete triggers unless this is on.
        "recursive_triggers=ON",
        "temp_store=MEMORY",
        "cache_size=-65536",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


def _open_scope(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    now = scope.current()
    if connection.dialect.name == "postgresql":
        _tell_postgresql(connection, now)


def _tell_postgresql(connection: Connection, now: scope.Scope) -> None:
    readable = "*" if now.readable is None else ",".join(map(str, sorted(now.readable)))
    connection.execute(
        text(
            "select set_config('app.schools', :readable, true),"
            " set_config('app.school', :writable, true),"
            " set_config('lock_timeout', '8s', true)"
        ),
        {"readable": readable, "writable": str(now.writable or "")},
    )


def _narrow_reads(state: ORMExecuteState) -> None:
    readable = scope.current().readable
    if readable is None or not state.is_orm_statement or state.is_column_load:
        return
    schools = sorted(readable)
    state.statement = state.statement.options(
        with_loader_criteria(
            SchoolOwned, lambda model: model.school_id.in_(schools), include_aliases=True
        )
    )


def _check_writes(session: Session, _context: Any, _instances: Any) -> None:
    writable = scope.current().writable
    for thing in (*session.new, *session.dirty, *session.deleted):
        if isinstance(thing, SchoolOwned) and thing.school_id != writable:
            raise scope.OutOfScope(
                f"{type(thing).__name__} of school {thing.school_id}, writable is {writable}"
            )


def enter_scope(new: scope.Scope) -> None:
    """Change the scope in mid-request, telling an open transaction too."""
    scope.enter(new)
    if db.session().in_transaction() and dialect() == "postgresql":
        _tell_postgresql(db.session.connection(), new)


# Transactions


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work, committed at the end: the only commit in the product.

    Raises TryAgain when another writer holds the books too long; nothing is changed then.
    """
    session = db.session()
    if session.in_transaction():
        if session.new or session.dirty or session.deleted:
            raise RuntimeError("changes were made outside transaction()")
        session.rollback()
    with _one_writer():
        token = _writing.set(True)
        try:
            yield session
            session.commit()
        except DBAPIError as error:
            session.rollback()
            if _is_contention(error):
                raise TryAgain() from error
            raise
        except BaseException:
            session.rollback()
            raise
        finally:
            _writing.reset(token)


@contextmanager
def savepoint() -> Iterator[None]:
    """Inside a transaction: what fails in here is undone alone."""
    with db.session.begin_nested():
        yield


def _is_contention(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", None)
    if code in {"40P01", "40001", "55P03", "57014"}:
        return True
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


@contextmanager
def _one_writer() -> Iterator[None]:
    """On SQLite: a file lock shared by all processes, so that writers queue instead of polling."""
    path = current_app.config.get("WRITER_LOCK")
    if not path:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + WRITER_PATIENCE
        pause = 0.001
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TryAgain() from None
                time.sleep(pause)
                pause = min(pause * 1.5, 0.02)
        yield
    finally:
        os.close(descriptor)


# Plain SQL

Types = Mapping[str, TypeEngine[Any]]


#: Statements by their text and the kinds of their values: reading the text anew costs more than
#: many a query.
_statements: dict[tuple[Any, ...], Any] = {}


def _statement(sql: str, types: Types | None, params: Mapping[str, Any]) -> Any:
    kinds = tuple((name, type(value)) for name, value in params.items())
    key = (sql, kinds, tuple(types.items()) if types else None)
    if key not in _statements:
        if len(_statements) > 2_000:
            _statements.clear()
        _statements[key] = _read_statement(sql, types, params)
    return _statements[key]


def _read_statement(sql: str, types: Types | None, params: Mapping[str, Any]) -> Any:
    bound = []
    for name, value in params.items():
        if isinstance(value, datetime):
            bound.append(bindparam(name, type_=MOMENT))
        elif isinstance(value, date):
            bound.append(bindparam(name, type_=DAY))
        elif isinstance(value, Vnd):
            bound.append(bindparam(name, type_=VND))
        elif isinstance(value, Period):
            bound.append(bindparam(name, type_=MONTH))
        elif isinstance(value, list | tuple | set | frozenset):
            bound.append(bindparam(name, expanding=True))
    statement = text(sql)
    if bound:
        statement = statement.bindparams(*bound)
    return statement.columns(**types) if types else statement


def _guard(params: Mapping[str, Any]) -> None:
    school_id = params.get("school_id")
    if isinstance(school_id, int) and not scope.current().may_read(school_id):
        raise scope.OutOfScope(f"school {school_id} is outside the scope")


def execute(
    sql: str, *, types: Types | None = None, **params: Any
) -> CursorResult[*tuple[Any, ...]]:
    """Run one SQL statement with named parameters; `school_id` must be in scope."""
    _guard(params)
    result = db.session.execute(_statement(sql, types, params), params)
    return cast("CursorResult[*tuple[Any, ...]]", result)


def rows(sql: str, *, types: Types | None = None, **params: Any) -> Sequence[Row[*tuple[Any, ...]]]:
    """All rows of a query."""
    return execute(sql, types=types, **params).all()


def row(sql: str, *, types: Types | None = None, **params: Any) -> Row[*tuple[Any, ...]] | None:
    """The one row of a query, or None."""
    return execute(sql, types=types, **params).one_or_none()


def in_chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """The values in lists short enough for one `in :values`; each value once, in order."""
    listed = list(dict.fromkeys(values))
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def scalar(sql: str, **params: Any) -> Any:
    """The first column of the first row, or None."""
    return execute(sql, **params).scalar()


@contextmanager
def joined_whole() -> Iterator[None]:
    """For a query over a whole school: PostgreSQL joins by hash, never row by row.

    It knows nothing of the rows of a CTE, takes them for one, and would look through all of one for
    each row of another. SQLite makes an index of its own.
    """
    if dialect() != "postgresql":
        yield
        return
    execute("set local enable_nestloop = off")
    yield
    execute("set local enable_nestloop = on")


def analyze(*tables: str, grown: int | None = None) -> None:
    """Fresh statistics in mid-run; PostgreSQL's planner has none for rows just written.

    With `grown`, about how many rows were written, a table is passed over while its statistics
    hold for ten times as many.
    """
    if dialect() != "postgresql":
        return
    for table in tables:
        if grown is not None:
            known = scalar(
                "select reltuples from pg_class where oid = to_regclass(:name)", name=table
            )
            if known is not None and known > 10 * grown:
                continue
        db.session.execute(text(f"analyze {table}"))


# Locks of a school


def share_school(school_id: int) -> None:
    """Posting lock: many posters at once, but never beside the sealer (M3)."""
    if dialect() == "postgresql":
        execute("select pg_advisory_xact_lock_shared(736, :key)", key=school_id)


def own_school(school_id: int) -> None:
    """Exclusive lock: no posting of this school is in flight."""
    if dialect() == "postgresql":
        execute("select pg_advisory_xact_lock(736, :key)", key=school_id)


def for_update() -> str:
    """The row-lock clause; on SQLite the writer lock already holds everything."""
    return " for update" if dialect() == "postgresql" else ""


def dispose(engine: Engine) -> None:
    """Close pooled connections, for a process about to fork."""
    engine.dispose()
