"""Databases, the app and the browser. Fixtures of one subject live beside its tests."""

from __future__ import annotations

import ipaddress
import itertools
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright

from app import create_app
from app.config import Settings
from app.core.model import db
from tests import postgres as postgres_server
from tests.servers import Running, running

IN_CI = bool(os.environ.get("CI"))
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ON_MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

for _name in Settings.model_fields:  # a developer's own settings must not reach the tests
    os.environ.pop(_name.upper(), None)
os.environ["APP_ENV"] = "test"


def unavailable(reason: str) -> None:
    """Skip on a developer's machine; in CI nothing may be skipped silently."""
    if IN_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


#: files that take longest; begun first, so that no process works on one of them alone at the end
LONGEST = ("test_money_machine", "test_commands", "test_notices_under_load", "test_lives")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they stand."""
    items.sort(key=lambda item: 0 if item.path.stem in LONGEST else 1)


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """No test reaches beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
            self.close()
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


# A schema is built once for each engine, by the migrations, and copied for each module: append-only
# tables cannot be emptied, and tests with several processes must really commit.


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """The session's own PostgreSQL."""
    try:
        server = postgres_server.start()
    except postgres_server.CannotRun as reason:
        unavailable(f"PostgreSQL cannot run here: {reason}")
    else:
        yield server
        server.stop()


def migrate(database_url: str, folder: Path) -> None:
    """Build the schema as production does."""
    app = create_app(Settings(database_url=database_url, app_env="test", instance_path=folder))
    with app.app_context():
        flask_migrate.upgrade()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the newest schema and no rows."""
    folder = tmp_path_factory.mktemp("template")
    migrate(f"sqlite:///{folder / 'empty.db'}", folder)
    return folder / "empty.db"


@pytest.fixture(scope="session")
def postgres_template(
    postgres: postgres_server.Server, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A PostgreSQL database with the newest schema and no rows."""
    migrate(postgres.create_database("template_empty"), tmp_path_factory.mktemp("template"))
    return "template_empty"


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """`new_database("sqlite")` or `("postgresql")`: the URL of a fresh migrated copy."""
    numbers = itertools.count(1)

    def make(engine: str) -> str:
        if engine == "sqlite":
            path = tmp_path_factory.mktemp("db") / "sothu.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        template = request.getfixturevalue("postgres_template")
        server = request.getfixturevalue("postgres")
        return str(server.create_database(f"test_{next(numbers)}", template))

    return make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> str:
    """A fresh migrated database for this module, on each engine in turn."""
    return new_database(request.param)


@pytest.fixture(scope="module")
def app(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The app on the module's database."""
    folder = tmp_path_factory.mktemp("instance")
    app = create_app(Settings(database_url=database_url, app_env="test", instance_path=folder))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """An app context; the test opens the scope it needs."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without scripts."""
    return app.test_client()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """`serve(database_url, workers=2)`: the real app in processes of its own (tests/servers.py)."""
    started: list[Running] = []

    def start(url: str, **options: Any) -> Running:
        started.append(running(url, tmp_path_factory.mktemp("served"), **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the machine's Chromium."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None and CHROMIUM_ON_MAC.exists():
        found = str(CHROMIUM_ON_MAC)
    if found is None:
        unavailable("Chromium is not installed: apt-get install chromium")
    return str(found)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for the session."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*arguments, "--no-first-run"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a fresh profile; a script error or a breach of the content policy fails."""
    context = browser.new_context(locale="vi-VN", viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(10_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda message: (
            troubles.append(message.text)
            # Answers such as 422 are part of the game.
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    yield page
    context.close()
    assert troubles == []
