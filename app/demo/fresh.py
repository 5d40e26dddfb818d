"""Emptying the demo's database, on both engines."""

from __future__ import annotations

import json
import os
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import inspect, text

from app.core import scope
from app.core.db import is_sqlite
from app.core.model import db


def empty_database() -> None:
    """Drop everything and build the newest schema; append-only tables cannot be emptied."""
    with scope.opened(scope.EVERY_SCHOOL):
        db.session.remove()
        if is_sqlite():
            path = str(db.engine.url.database)
            db.engine.dispose()
            for ending in ("", "-wal", "-shm"):
                Path(path + ending).unlink(missing_ok=True)
        else:
            with db.engine.begin() as connection:
                connection.execute(text("drop schema public cascade"))
                connection.execute(text("create schema public"))
            db.engine.dispose()
        upgrade()
        db.session.remove()
        db.engine.dispose()


def build_missing_schema() -> None:
    """Run the migrations on a database that nobody has touched yet."""
    with scope.opened(scope.EVERY_SCHOOL):
        if not inspect(db.engine).has_table("schools"):
            upgrade()


def is_app_running(run_file: Path) -> bool:
    """Whether the process that `make run` wrote down still lives."""
    try:
        os.kill(int(json.loads(run_file.read_text("utf-8"))["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return False
    return True
