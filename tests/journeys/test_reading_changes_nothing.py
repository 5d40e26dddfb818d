"""Looking at pages never changes the books, and no link leads nowhere (invariants 20, 36, 38)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.core import scope
from app.core.db import rows, scalar
from app.core.model import db
from tests.journeys.conftest import DemoArea

#: A GET may count tries and signs of life (decision P10); nothing else.
MAY_GROW = {"throttles", "heartbeats"}
ROLES = ("accountant", "principal", "cashier", "teacher", "officer")
MOST_PAGES = 120


class _Links(HTMLParser):
    """The addresses of a page's links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value or "" for name, value in attrs if name == "href"]


@pytest.fixture(scope="module")
def area(load_demo: Callable[..., DemoArea]) -> DemoArea:
    return load_demo("sqlite", schools=3, students=60)


@pytest.fixture(scope="module")
def demo_app(area: DemoArea, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("instance")
    app = create_app(Settings(app_env="demo", database_url=area.url, instance_path=folder))
    yield app
    with app.app_context():
        db.engine.dispose()


def _as(app: Flask, role: str) -> FlaskClient:
    """A browser signed in as the first person of a role."""
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL):
        found = rows(
            "select id, user_id from memberships where role = :role order by id", role=role
        )
        db.session.remove()
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = str(found[0].user_id)
        session["membership_id"] = found[0].id
    return client


def _figures(app: Flask) -> dict[str, str]:
    """How many rows each table has, and a sum over its contents."""
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL):
        figures = {
            table: str(
                scalar(
                    f"select count(*) || ':' || coalesce(sum(length({columns})), 0) from {table}"
                )
            )
            for table, columns in (
                (name, " || '|' || ".join(f"coalesce({c.name}, '')" for c in t.columns))
                for name, t in sorted(db.metadata.tables.items())
                if name not in MAY_GROW
            )
        }
        db.session.remove()
    return figures


@pytest.mark.parametrize("role", ROLES)
def test_every_page_a_role_can_reach_opens_and_changes_nothing(
    demo_app: Flask, area: DemoArea, role: str
) -> None:
    client = _as(demo_app, role)
    before = _figures(demo_app)
    waiting = ["/today", "/area", "/staff/memberships"]
    seen: dict[str, int] = {}
    shapes: dict[str, int] = {}
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.pop(0)
        shape = re.sub(r"[0-9A-Z]{6,}|[0-9]+", "#", address.partition("?")[0])
        shapes[shape] = shapes.get(shape, 0) + 1
        if address in seen or shapes[shape] > 6:
            continue
        answer = client.get(address)
        seen[address] = answer.status_code
        assert answer.status_code < 500, f"{role} {address}\n{answer.text[:400]}"
        if answer.status_code == 200 and answer.mimetype == "text/html":
            links = _Links()
            links.feed(answer.text)
            waiting += [
                link
                for link in links.found
                if link.startswith("/") and not link.startswith(("//", "/static"))
            ]

    assert len(seen) > 4
    broken = {a: s for a, s in seen.items() if s in (404, 405, 400, 422)}
    assert broken == {}
    # The door page of the other kind of people may be refused, nothing that was linked.
    refused = {a for a, s in seen.items() if s == 403} - {"/today", "/area"}
    assert refused == set()
    assert _figures(demo_app) == before
