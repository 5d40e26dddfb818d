"""Runs the migrations, then lays views and append-only guards anew.

SQLite drops triggers without a word when a table is rebuilt, so both are laid after every upgrade.
"""

from __future__ import annotations

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import context
from flask import current_app

from app.core import scope

HERE = Path(__file__).resolve().parent


def render_item(kind: str, thing: object, autogen_context: object) -> str | bool:
    """Write our column types as plain ones: a migration must not import the app."""
    if kind == "type":
        name = type(thing).__name__
        if name == "UtcDateTime":
            return "sa.DateTime(timezone=True)"
        if name == "VndColumn":
            return "sa.BigInteger()"
        if name == "PeriodColumn":
            return "sa.Integer()"
    return False


def statements(path: Path) -> list[str]:
    """The statements of an SQL file, parted by lines that hold only `--;`."""
    return [part.strip() for part in path.read_text("utf-8").split("\n--;\n") if part.strip()]


def lay(connection: sa.Connection, name: str) -> None:
    tables = set(sa.inspect(connection).get_table_names())
    for statement in statements(HERE / "guards" / name):
        # An older schema lacks the tables of later migrations.
        guarded = re.search(
            r"create (?:or replace )?trigger \w+ (?:before|after) [\w ]+? on (\w+)", statement
        )
        if guarded is None or guarded[1] in tables:
            connection.exec_driver_sql(statement)


def run() -> None:
    extension = current_app.extensions["migrate"]
    engine = extension.db.engine
    with scope.opened(scope.EVERY_SCHOOL), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("set lock_timeout = '4s'")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=extension.db.metadata,
            render_as_batch=True,
            compare_type=False,
            render_item=render_item,
            include_name=lambda name, kind, parents: True,
        )
        with context.begin_transaction():
            lay(connection, "drop_views.sql")
            context.run_migrations()
            if sa.inspect(connection).has_table("entries"):
                lay(connection, "views.sql")
                lay(connection, f"{engine.dialect.name}.sql")
        connection.commit()


run()
