"""What a family does by itself behind its link: absences, contested days, yeses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.db import rows, transaction
from app.core.period import Period
from app.money import fees
from app.money.fees import Category, FeeUnit, consents
from app.money.meals import queries as meal_queries
from app.money.meals import services as meals
from app.people import students
from tests.factories.fees import choose, make_item, price
from tests.factories.meals import weekdays
from tests.factories.money import Billed, billed_children
from tests.factories.people import mother
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL
from tests.factories.staff import set_clock, token, visitor, words

NOVEMBER, DECEMBER = Period(2026, 11), Period(2026, 12)
#: it is Tuesday noon, 24 November: the meal of the day is cooked
TODAY, TOMORROW, MONDAY = date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 23)
WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}


@dataclass(frozen=True)
class Family:
    """A child that eats at school, its link, and a club it may join in December."""

    child: Billed
    browser: FlaskClient
    club: int

    @property
    def address(self) -> str:
        return f"/pay/{self.child.request.token}"

    def prove(self) -> None:
        form = {"csrf_token": token(self.browser.get(self.address)), "digits": "1327"}
        assert self.browser.post(f"{self.address}/unlock", data=form).status_code == 303

    def say(self, what: str, **form: object) -> Any:
        page = self.browser.get(f"{self.address}/child")
        data = {"csrf_token": token(page), **form}
        return self.browser.post(f"{self.address}/child/{what}", data=data)

    def day(self, day: date) -> meal_queries.ChildDay:
        school = self.child.school.id
        with scope.opened(scope.one_school(school)):
            (found,) = meal_queries.days_of_child(school, self.child.enrolment_id, day, day)
        return found

    def yes(self) -> list[tuple[Period, str]]:
        school = self.child.school.id
        with scope.opened(scope.one_school(school)):
            found = rows(
                "select first_period, source, last_period from fee_choices where"
                " school_id = :school and item_id = :item order by id",
                school=school,
                item=self.club,
            )
        return [
            (Period.from_number(int(one.first_period)), one.source)
            for one in found
            if one.last_period is None or one.last_period >= one.first_period
        ]


@pytest.fixture
def family(app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Family:
    set_clock(monkeypatch)
    child = billed_children(1, names=["Nguyễn Minh Khang"], guardians=[(mother("0905121327"),)])[0]
    school = child.school
    meal = make_item(school, name="Tiền ăn", category=Category.AGREED, unit=FeeUnit.DAY)
    club = make_item(school, name="Câu lạc bộ cờ minh họa")
    with scope.opened(scope.one_school(school.id)), transaction():
        current = next(one for one in fees.list_schedules(school.id) if one.state == "approved")
        draft = fees.copy_to_new_draft(school.id, current.id, **WHO)
        new = [price(meal, 35_000, period=month, quantity=21) for month in (NOVEMBER, DECEMBER)]
        new += [price(club, 120_000, period=DECEMBER)]
        fees.set_prices(school.id, draft, new, **WHO)
        fees.submit_schedule(school.id, draft, **WHO)
        fees.approve_schedule(school.id, draft, actor=PRINCIPAL, now=NOON)
        for month in (NOVEMBER, DECEMBER):
            meals.plan_days(
                school.id, meal, month.first_day, month.last_day, weekdays(month), **WHO
            )
    choose(school, meal, child.enrolment_id)
    return Family(child, visitor(app), club)


def test_the_page_stays_closed_until_the_family_shows_that_it_is_the_family(
    family: Family,
) -> None:
    closed = family.browser.get(f"{family.address}/child")
    assert closed.status_code == 303 and closed.location.endswith("#lines")
    form = {"csrf_token": token(family.browser.get(family.address)), "first": "2026-11-30"}
    refused = family.browser.post(f"{family.address}/child/away", data=form)
    assert refused.status_code == 303 and refused.location.endswith("#lines")
    family.prove()
    page = words(family.browser.get(f"{family.address}/child"))
    assert "Nguyễn Minh Khang" in page and "Câu lạc bộ cờ" in page
    assert "Bữa ăn và khoản tự chọn của con" in family.browser.get(family.address).text


def test_an_absence_told_in_time_is_free_and_one_told_late_is_not(family: Family) -> None:
    family.prove()
    assert family.say("away", first="2026-11-24", last="2026-11-26").status_code == 303
    assert (family.day(TODAY).is_away, family.day(TODAY).is_free) == (True, False)
    assert family.day(TOMORROW).is_free
    page = words(family.browser.get(f"{family.address}/child"))
    assert "nghỉ, không tính tiền" in page
    for wrong in (
        {"first": "mai"},
        {"first": "2026-11-29"},
        {"first": "2026-11-27", "last": "2026-11-26"},
    ):
        assert family.say("away", **wrong).status_code in {409, 422}


def test_a_day_that_was_charged_is_contested_and_the_school_answers(family: Family) -> None:
    family.prove()
    assert family.say("contest", day="2026-11-23", words=" ").status_code == 422
    assert family.say("contest", day="2026-11-23", words="cháu ốm ở nhà").status_code == 303
    assert family.say("contest", day="2026-11-23", words="lần nữa").status_code == 409
    assert family.say("contest", day="2026-11-10", words="lâu rồi").status_code == 409
    assert family.day(MONDAY).contest == "open"
    school = family.child.school.id
    with scope.opened(scope.one_school(school)), transaction():
        (asked,) = meal_queries.contests(school)
        assert asked.asked_by == "gia đình"
        meals.decide_contest(
            school, asked.id, accept=False, answer="Cô giáo có điểm danh", actor=PRINCIPAL, now=NOON
        )
    assert "Cô giáo có điểm danh" in family.browser.get(f"{family.address}/child").text


def test_a_yes_on_the_page_holds_from_the_first_month_not_billed(family: Family) -> None:
    family.prove()
    assert family.say("yes", item=family.club).status_code == 303
    assert family.yes() == [(DECEMBER, "web")]
    assert family.say("yes", item=family.club).status_code == 409
    assert family.say("no", item=family.club).status_code == 303
    assert family.yes() == []
    assert family.say("no", item=family.club).status_code == 404
    assert family.say("yes", item=family.club).status_code == 303
    assert family.say("yes", item=999_999).status_code == 404


def test_a_yes_is_not_taken_back_after_the_last_day(family: Family) -> None:
    family.prove()
    assert family.say("yes", item=family.club).status_code == 303
    school = family.child.school.id
    with scope.opened(scope.one_school(school)), transaction():
        consents.set_withdrawable_until(school, family.club, MONDAY, **WHO)
    late = family.say("no", item=family.club)
    assert late.status_code == 409 and "23/11/2026" in late.text
    assert family.yes() == [(DECEMBER, "web")]


def test_a_child_that_left_is_told_to_ask_the_school(family: Family) -> None:
    family.prove()
    with scope.opened(scope.one_school(family.child.school.id)), transaction():
        students.end_enrolment(
            family.child.school.id,
            family.child.enrolment_id,
            ends_on=MONDAY,
            reason="moved",
            **WHO,
        )
    assert family.browser.get(f"{family.address}/child").status_code == 409
