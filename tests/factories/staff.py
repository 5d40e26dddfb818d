"""People who sign in, browsers for them, and the clock of the tests."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.people.access import Role, add_user, grant_membership
from tests.factories.schools import ACCOUNTANT, NOON, OPENING

_numbers = itertools.count(1)


class Browser(FlaskClient):
    """A browser whose requests share nothing: in a test they would share the open context's `g`."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request."""
        if has_app_context():
            for name in list(g):
                g.pop(name)
        return super().open(*args, **kwargs)


def visitor(app: Flask) -> Browser:
    """A browser in which nobody is signed in."""
    return Browser(app, app.response_class, use_cookies=True)


def set_clock(patch: pytest.MonkeyPatch, moment: datetime = NOON) -> None:
    """Let the product believe it is about `moment`."""
    shift = int((moment - datetime.now(UTC)).total_seconds())
    patch.setenv("CLOCK_OFFSET_SECONDS", str(shift))


def signed_in(app: Flask, unit_id: int, role: Role, name: str = "Ngô Thị Mai") -> Browser:
    """A browser in which a new member of staff with one role at one place is signed in."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        user = add_user(
            f"staff{next(_numbers)}", name, password_hash="none", totp_secret=None, now=NOON
        )
        grant_membership(user, unit_id, role, starts_on=OPENING, actor=ACCOUNTANT, now=NOON)
    client = visitor(app)
    with client.session_transaction() as session:
        session["_user_id"] = str(user)
    return client


def token(page: TestResponse) -> str:
    """The CSRF token of the forms on a page."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text[:400]
    return found[1]


def words(page: TestResponse) -> str:
    """The text of a page without tags, its blanks squeezed."""
    text = re.sub(r"<[^>]+>", " ", page.text)
    return re.sub(r"\s+", " ", text.replace("\u00a0", " "))


@contextmanager
def counted_queries(app: Flask) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
