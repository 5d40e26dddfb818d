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
    found = statements(HERE / "guards" / name)
    engine = name.removesuffix(".sql")
    if engine == connection.dialect.name:
        found += append_only(engine)
    for statement in found:
        # An older schema lacks the tables of later migrations.
        guarded = re.search(
            r"create (?:or replace )?trigger \w+ (?:before|after) [\w ]+? on (\w+)", statement
        )
        if guarded is None or guarded[1] in tables:
            connection.exec_driver_sql(statement)


def append_only(engine: str) -> list[str]:
    """The guards of every table whose rows never change, from `append_only.txt`.

    On SQLite the guard of inserts stops a row that would replace another, even where nobody set
    recursive_triggers: it asks for each key such a statement could hit.
    """
    found = []
    for line in (HERE / "guards" / "append_only.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        table, _, keys = line.partition(":")
        if engine == "postgresql":
            for verb, each in (("change", "update or delete"), ("truncate", "truncate")):
                level = "statement" if verb == "truncate" else "row"
                found.append(
                    f"create or replace trigger guard_{table}_{verb} before {each} on {table}"
                    f" for each {level} execute function sothu_append_only()"
                )
            continue
        hit = " or ".join(
            f"exists (select 1 from {table} where "
            + " and ".join(f"{column} = new.{column}" for column in key.split())
            + ")"
            for key in keys.split(",")
        )
        for verb, when, why in (
            ("update", "", "is append-only"),
            ("delete", "", "is append-only"),
            ("insert", f" when {hit}", "is append-only: the key exists"),
        ):
            found.append(f"drop trigger if exists guard_{table}_{verb}")
            found.append(
                f"create trigger guard_{table}_{verb} before {verb} on {table}{when}"
                f" begin select raise(abort, '{table} {why}'); end"
            )
    return found


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
