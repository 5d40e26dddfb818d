"""A class is entered with the keyboard alone: a letter a child, then Ctrl Enter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import create_app
from app.config import Settings
from app.core import scope
from app.core.db import rows, transaction
from app.core.model import db
from app.people.access import Role, add_user, grant_membership
from tests.factories.schools import ACCOUNTANT, NOON, OPENING
from tests.servers import Running
from tests.year_end.conftest import Year


@pytest.fixture(scope="module")
def school(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Flask, Year, str]:
    """A school with two classes and a clerk, on a database of its own."""
    url = new_database("sqlite")
    folder: Path = tmp_path_factory.mktemp("instance")
    app = create_app(Settings(database_url=url, app_env="test", instance_path=folder))
    with app.app_context():
        year = Year()
        year.add("4/1", 4, 4)
        year.add("5/1", 5, 2)
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            user = add_user("mai", "Ngô Thị Mai", password_hash="none", totp_secret=None, now=NOON)
            grant_membership(
                user,
                year.school.unit_id,
                Role.ACCOUNTANT,
                starts_on=OPENING,
                actor=ACCOUNTANT,
                now=NOON,
            )
        db.session.remove()
        db.engine.dispose()
    return app, year, url


def test_a_class_is_entered_by_letters(
    school: tuple[Flask, Year, str], serve: Callable[..., Running], page: Page
) -> None:
    app, year, url = school
    shift = int((datetime(2027, 6, 20, 5, tzinfo=UTC) - datetime.now(UTC)).total_seconds())
    server = serve(url, workers=1, app_env="demo", env={"CLOCK_OFFSET_SECONDS": str(shift)})
    page.goto(f"{server.url}/staff")
    page.locator("form[action='/staff/demo'] button").first.click()
    page.wait_for_url("**/today")

    page.goto(f"{server.url}/year-end/classes/{year.classes['4/1']}")
    for key in ("o", "l", "ArrowDown", "t"):
        page.keyboard.press(key)
    expect(page.locator("[data-row]").nth(0)).to_contain_text("Ở lại lớp")
    page.keyboard.press("Control+Enter")

    # On to the next class that is open, with the focus in its first row.
    expect(page.get_by_role("heading", level=1)).to_contain_text("5/1")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/year-end?year=*")
    with app.app_context(), scope.opened(scope.one_school(year.id)):
        entered = {
            o.enrolment_id: o.outcome
            for o in rows(
                "select enrolment_id, outcome from year_outcomes where school_id = :school_id",
                school_id=year.id,
            )
        }
        db.session.remove()
    assert [entered[c.enrolment_id] for c in year.children["4/1"]] == [
        "repeats",
        "promoted",
        "promoted",
        "leaves",
    ]
    assert [entered[c.enrolment_id] for c in year.children["5/1"]] == ["finished"] * 2
