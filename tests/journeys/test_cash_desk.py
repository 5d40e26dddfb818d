"""Cash at the desk with both hands on the keyboard: from F2 to the receipt."""

from __future__ import annotations

import re
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
from app.money.fees import Category
from app.people.access import Role, add_user, grant_membership
from tests.factories.money import billed_children
from tests.factories.people import mother
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, make_school
from tests.servers import Running

LINES = (
    ("Tiền ăn bán trú", Category.AGREED, 608_000),
    ("Nước uống", Category.SERVICE, 16_000),
    ("BHYT học sinh", Category.COLLECT_FOR, 170_775),
)


@pytest.fixture(scope="module")
def desk(
    new_database: Callable[[str], str],
    serve: Callable[..., Running],
    tmp_path_factory: pytest.TempPathFactory,
) -> Running:
    """A served school with two brothers and an accountant."""
    url = new_database("sqlite")
    folder: Path = tmp_path_factory.mktemp("instance")
    app: Flask = create_app(Settings(database_url=url, app_env="test", instance_path=folder))
    with app.app_context():
        school = make_school()
        mum = mother("0905777888", "Phạm Thị Hoa")
        billed_children(
            2,
            school=school,
            lines=LINES,
            names=["Trần Gia Bảo", "Trần Bảo Ngọc"],
            guardians=[(mum,), (mum,)],
        )
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


def test_cash_is_taken_without_touching_the_mouse(desk: Running, page: Page) -> None:
    page.goto(f"{desk.url}/staff")
    page.locator("form[action='/staff/demo'] button").first.click()
    page.wait_for_url("**/today")

    started = time.monotonic()
    page.keyboard.press("F2")
    page.wait_for_url("**/cash-desk")
    # No hand is quicker than the page; a script is, and would type into the page before.
    expect(page.locator("main [data-search]")).to_be_focused()
    page.keyboard.type("gia bao")
    page.keyboard.press("Enter")
    given = page.get_by_label("Khách đưa")
    expect(given).to_be_focused()
    expect(page.locator("[data-collect]")).to_contain_text("794.775")
    page.keyboard.type("1000000")
    expect(page.locator("[data-change]")).to_contain_text("205.225")
    expect(page.locator("[data-change-notes]")).to_contain_text("1 × 200.000")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cash-desk?done=*")
    taken = time.monotonic() - started
    print(f"cash taken in {taken:.1f} s")
    receipt = page.get_by_role("button", name=re.compile("In biên lai"))
    expect(receipt).to_be_focused()
    expect(page.locator(".hero--good")).to_contain_text("205.225")
    form = page.locator("form", has=receipt)
    paper = page.request.post(
        f"{desk.url}{form.get_attribute('action')}",
        form={"csrf_token": form.locator("input[name='csrf_token']").input_value()},
    )
    assert paper.headers["content-type"] == "application/pdf"


def test_ticks_and_a_brother_change_the_sum_at_once(desk: Running, page: Page) -> None:
    page.goto(f"{desk.url}/staff")
    page.locator("form[action='/staff/demo'] button").first.click()
    page.goto(f"{desk.url}/cash-desk?q=bao+ngoc")
    page.get_by_label("Nước uống").uncheck()
    expect(page.locator("[data-sum]")).to_contain_text("778.775")
    page.get_by_role("button", name="Vừa đủ").click()
    expect(page.get_by_label("Khách đưa")).to_have_value("778.775")
    page.get_by_label("Khách đưa").press("+")
    page.wait_for_url("**student=*&student=*")
    expect(page.get_by_role("heading", name="Trần Gia Bảo")).to_be_visible()
    for width in (1366, 683, 360):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
