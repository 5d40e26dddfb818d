"""A year's children are placed with both hands on the keyboard, and no mouse."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app import create_app
from app.config import Settings
from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.people.access import Role, add_user, grant_membership
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, make_school
from tests.servers import Running


@pytest.fixture(scope="module")
def office(
    new_database: Callable[[str], str],
    serve: Callable[..., Running],
    tmp_path_factory: pytest.TempPathFactory,
) -> Running:
    """A served school with two classes and forty children in none, and an accountant."""
    url = new_database("sqlite")
    folder: Path = tmp_path_factory.mktemp("instance")
    app: Flask = create_app(Settings(database_url=url, app_env="test", instance_path=folder))
    with app.app_context():
        school = make_school()
        for name in ("2/1", "2/2"):
            make_class(school, name, 2)
        enrol(school, *(new_student(None, f"Trần Số {n:02}") for n in range(40)))
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            user = add_user("mai", "Ngô Thị Mai", password_hash="none", totp_secret=None, now=NOON)
            grant_membership(
                user,
                school.unit_id,
                Role.ACCOUNTANT,
                starts_on=OPENING,
                actor=ACCOUNTANT,
                now=NOON,
            )
        db.session.remove()
        db.engine.dispose()
    return serve(url, workers=1, app_env="demo")


def test_forty_children_are_placed_without_touching_the_mouse(office: Running, page: Page) -> None:
    page.goto(f"{office.url}/staff")
    page.locator("form[action='/staff/demo'] button").first.click()
    page.wait_for_url("**/today")
    page.goto(f"{office.url}/classes")
    boxes = page.locator("input[name=enrolment]")
    expect(boxes).to_have_count(40)
    expect(boxes.first).to_be_focused()

    started = time.monotonic()
    keys = page.keyboard
    for _child in range(19):
        keys.press("Shift+ArrowDown")
    expect(page.locator("[data-count]")).to_have_text("đã đánh dấu 20 em")
    keys.press("ArrowUp")
    keys.press("Space")  # the nineteenth after all not
    expect(page.locator("[data-count]")).to_have_text("đã đánh dấu 19 em")
    keys.press("Enter")
    expect(page.locator("#class_name")).to_be_focused()
    keys.type("2/1")
    keys.press("Enter")
    page.wait_for_url("**/classes?*")
    expect(page.locator("[data-toast]")).to_contain_text("19 em học lớp 2/1")
    expect(boxes).to_have_count(21)
    expect(boxes.first).to_be_focused()

    keys.press("Control+a")
    keys.press("Enter")
    keys.type("2/2")
    keys.press("Enter")
    expect(page.locator("[data-toast]")).to_contain_text("21 em học lớp 2/2")
    expect(boxes).to_have_count(0)
    print(f"forty children placed in {time.monotonic() - started:.1f} s")


def test_a_click_with_shift_ticks_all_between_and_the_button_of_a_class_places(
    office: Running, page: Page
) -> None:
    page.goto(f"{office.url}/staff")
    page.locator("form[action='/staff/demo'] button").first.click()
    page.wait_for_url("**/today")
    page.goto(f"{office.url}/classes")
    page.get_by_role("link", name="2/2", exact=True).click()
    boxes = page.locator("input[name=enrolment]")
    expect(boxes).to_have_count(21)

    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(page.locator("input[name=enrolment]:checked")).to_have_count(5)
    page.get_by_role("button", name="Xếp các em đã đánh dấu vào lớp 2/1").click()

    expect(page.locator("[data-toast]")).to_contain_text("5 em học lớp 2/1")
    expect(boxes).to_have_count(16)
