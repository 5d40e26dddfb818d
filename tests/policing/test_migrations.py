"""Migrations are one numbered line, and stand alone."""

from __future__ import annotations

import ast
import re

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

from app.core.model import Base, db
from tests.policing.source import ROOT, Module

FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def test_they_are_numbered_without_a_gap() -> None:
    assert FILES
    for number, path in enumerate(FILES, start=1):
        assert re.fullmatch(rf"{number:04}(_[a-z0-9]+)+\.py", path.name), path.name


def test_each_follows_the_one_before() -> None:
    script = ScriptDirectory(str(ROOT / "migrations"))
    line = sorted(script.walk_revisions(), key=lambda revision: revision.revision)
    assert len(script.get_heads()) == 1
    assert [revision.revision for revision in line] == [path.name[:4] for path in FILES]
    before = [None, *(revision.revision for revision in line[:-1])]
    assert [revision.down_revision for revision in line] == before


def test_each_says_why_and_imports_nothing_of_the_app() -> None:
    for module in map(Module, FILES):
        assert ast.get_docstring(module.tree), module.path.name
        for name, node in module.imports():
            assert name.partition(".")[0] != "app", module.where(node)


def test_the_schema_they_build_is_the_one_of_the_models(app: Flask) -> None:
    def ours(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        return not (kind == "table" and reflected and other is None and name in {"alembic_version"})

    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": ours, "compare_type": True, "compare_server_default": False},
        )
        assert compare_metadata(context, Base.metadata) == []
