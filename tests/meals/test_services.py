"""Registers, absences, decisions of the school, contests: who may say what, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.db import execute, scalar, transaction
from app.core.period import Period
from app.money.meals import invariants, queries, services
from app.money.meals.errors import (
    AlreadyContested,
    BadDays,
    BadHour,
    ContestNotFound,
    DayToCome,
    MealReasonMissing,
    NoMealThen,
    NotByTheDay,
    NotThatClass,
    SamePersonDecides,
    TooLateToContest,
)
from app.people.access import Role
from tests.factories.fees import make_item
from tests.factories.meals import (
    NOVEMBER,
    MealSchool,
    at,
    away,
    meal_school,
    serve,
    weekdays,
)
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT, PRINCIPAL, make_school
from tests.factories.staff import set_clock, signed_in, token

DAY = date(2026, 11, 10)
MORNING, LATE = at(DAY, "07:00"), at(DAY, "09:00")


@pytest.fixture
def made(context: Flask) -> MealSchool:
    return meal_school(3)


@pytest.fixture(autouse=True)
def _holds(context: Flask) -> Iterator[None]:
    yield
    assert broken() == {}


def broken() -> dict[str, Any]:
    with scope.opened(scope.EVERY_SCHOOL):
        return {i.number: i.find() for i in invariants.INVARIANTS if i.find()}


def does(made: MealSchool, deed: Any, *arguments: Any, **values: Any) -> Any:
    given = {"actor": ACCOUNTANT, "now": MORNING} | values
    with scope.opened(scope.one_school(made.id)), transaction():
        return deed(made.id, *arguments, **given)


def count(made: MealSchool, day: date = DAY) -> queries.ClassCount:
    with scope.opened(scope.one_school(made.id)):
        return queries.head_count(made.id, day)[0]


def stays(made: MealSchool) -> list[int]:
    return [child.enrolment_id for child in made.children]


def test_one_tap_closes_a_register_in_which_all_are_present(made: MealSchool) -> None:
    present = does(made, services.close_register, made.class_id, DAY, [])

    assert present == 3
    found = count(made)
    assert (found.cooked, found.cut, found.late, found.closed_by) == (3, 0, 0, ACCOUNTANT.name)
    with scope.opened(scope.one_school(made.id)):
        assert scalar("select count(*) from meal_marks where school_id = :s", s=made.id) == 0


def test_the_kitchen_cooks_for_all_but_those_told_in_time(made: MealSchool) -> None:
    away(made, 0, DAY)
    does(made, services.close_register, made.class_id, DAY, stays(made)[:2], now=LATE)

    found = count(made)
    assert (found.children, found.cut, found.late, found.cooked) == (3, 1, 1, 2)


def test_a_child_reported_away_that_comes_after_all_eats_again(made: MealSchool) -> None:
    away(made, 0, DAY)
    does(made, services.close_register, made.class_id, DAY, [], now=LATE)
    assert count(made).cut == 0
    with scope.opened(scope.one_school(made.id)):
        assert queries.days_free(made.id, stays(made)[0], NOVEMBER) == []


def test_the_office_may_let_a_late_day_be_free_with_a_reason(made: MealSchool) -> None:
    away(made, 0, DAY, hour="08:00")
    for reason, refusal in (("", MealReasonMissing), ("x" * 201, MealReasonMissing)):
        with pytest.raises(refusal):
            does(
                made,
                services.decide_day,
                stays(made)[0],
                DAY,
                is_away=True,
                is_cut=True,
                reason=reason,
            )
    does(
        made,
        services.decide_day,
        stays(made)[0],
        DAY,
        is_away=True,
        is_cut=True,
        reason="em cấp cứu trong đêm",
    )
    assert (count(made).cut, count(made).late) == (1, 0)


def test_days_that_cannot_be_are_refused(made: MealSchool) -> None:
    child = stays(made)[0]
    told: dict[str, Any] = {"source": services.Source.FAMILY, "reason": ""}
    with pytest.raises(BadDays):
        does(made, services.report_away, child, DAY, DAY - timedelta(days=1), **told)
    with pytest.raises(NoMealThen):
        does(made, services.report_away, child, date(2026, 11, 14), date(2026, 11, 15), **told)
    with pytest.raises(DayToCome):
        does(made, services.close_register, made.class_id, DAY + timedelta(days=1), [])
    with pytest.raises(NotThatClass):
        does(made, services.close_register, made.class_id + 999, DAY, [])
    with pytest.raises(NotByTheDay):
        serve(made, made.care, NOVEMBER, [DAY])
    with pytest.raises(BadHour):
        does(made, services.set_cut_off, days_before=0, hour="7:30", valid_from=DAY)
    for refused in (5, -1):
        with pytest.raises(BadHour):
            does(made, services.set_cut_off, days_before=refused, hour="07:30", valid_from=DAY)


def test_a_calendar_kept_twice_changes_nothing_and_a_day_taken_out_comes_back(
    made: MealSchool,
) -> None:
    assert serve(made, made.meal, NOVEMBER, weekdays(NOVEMBER)) == 0
    assert serve(made, made.meal, NOVEMBER, weekdays(NOVEMBER)[1:]) == 1
    assert serve(made, made.meal, NOVEMBER, weekdays(NOVEMBER)) == 1


def test_only_who_takes_the_meal_stands_in_the_register(made: MealSchool) -> None:
    enrol(made.school, new_student(made.class_id, "Hồ Không Ăn"))
    assert count(made).children == 3


def test_a_contest_is_decided_by_another_person_within_its_days(made: MealSchool) -> None:
    child = stays(made)[0]
    ask: dict[str, Any] = {"words": "hôm đó em ốm"}
    with pytest.raises(TooLateToContest):
        does(made, services.contest, child, DAY, **ask, now=at(DAY + timedelta(days=8), "08:00"))
    with pytest.raises(TooLateToContest):
        does(made, services.contest, child, DAY + timedelta(days=1), **ask)
    number = does(made, services.contest, child, DAY, **ask, now=LATE)
    with pytest.raises(AlreadyContested):
        does(made, services.contest, child, DAY, **ask, now=LATE)
    with pytest.raises(SamePersonDecides):
        does(made, services.decide_contest, number, accept=True, answer="")
    with pytest.raises(MealReasonMissing):
        does(made, services.decide_contest, number, accept=False, answer="", actor=PRINCIPAL)
    other = meal_school(1)
    with pytest.raises(ContestNotFound):
        does(other, services.decide_contest, number, accept=True, answer="", actor=PRINCIPAL)

    does(made, services.decide_contest, number, accept=False, answer="có ảnh ăn", actor=PRINCIPAL)

    assert count(made).cut == 0
    with pytest.raises(ContestNotFound):
        does(made, services.decide_contest, number, accept=True, answer="", actor=PRINCIPAL)


def test_the_sheet_of_a_month_counts_each_day_once(made: MealSchool) -> None:
    away(made, 0, DAY, DAY + timedelta(days=2))
    away(made, 1, DAY, hour="08:00")
    with scope.opened(scope.one_school(made.id)):
        rows = queries.month_sheet(made.id, made.meal, NOVEMBER)
    assert [(r.planned, r.cut, r.late, r.charged) for r in rows] == [
        (21, 3, 0, 18),
        (21, 0, 1, 21),
        (21, 0, 0, 21),
    ]


def test_the_invariants_see_a_free_day_of_a_present_child_and_an_accepted_contest_without_mark(
    made: MealSchool,
) -> None:
    away(made, 0, DAY)
    number = does(made, services.contest, stays(made)[1], DAY, words="x", now=LATE)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update meal_marks set is_away = :no where school_id = :s", no=False, s=made.id)
        execute(
            "update meal_contests set is_accepted = :yes, decided_at = :now, decided_by = 'x'"
            " where id = :id",
            yes=True,
            now=LATE,
            id=number,
        )
    assert set(broken()) == {"E1", "E2"}
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update meal_marks set is_away = :yes where school_id = :s", yes=True, s=made.id)
        execute("update meal_contests set is_accepted = :no where id = :id", no=False, id=number)


def test_a_child_made_anonymous_leaves_no_word_about_its_days(made: MealSchool) -> None:
    away(made, 0, DAY)
    does(made, services.contest, stays(made)[1], DAY, words="bị sốt", now=LATE)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        services.forget_children([child.student_id for child in made.children])
    with scope.opened(scope.one_school(made.id)):
        (asked,) = queries.contests(made.id)
        assert asked.words == ""
        assert {eater.reason for eater in queries.eaters(made.id, DAY)} == {""}


# Pages


def test_a_teacher_closes_the_register_on_a_phone(
    made: MealSchool, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, MORNING)
    teacher = signed_in(context, made.school.unit_id, Role.TEACHER)
    day = teacher.get("/meals?day=2026-11-10")
    address = f"/meals/2026-11-10/classes/{made.class_id}"
    assert address in day.text
    page = teacher.get(address)
    assert page.text.count('value="eats" checked') == 3 and "₫" not in page.text

    first = stays(made)[0]
    form = {"csrf_token": token(page), f"c{first}": "away"}
    closed = teacher.post(address, data=form)

    assert closed.status_code == 303
    assert "Bếp nấu 2 suất" in teacher.get(address).text
    assert teacher.get("/meals/calendar/2026-11").status_code == 403
    future = teacher.post("/meals/2026-11-11/classes/1", data=form)
    assert future.status_code in (404, 422)
    assert teacher.get("/meals/xx/classes/1").status_code == 404


def test_the_kitchen_sees_counts_and_nothing_else(
    made: MealSchool, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, MORNING)
    cook = signed_in(context, made.school.unit_id, Role.KITCHEN)
    page = cook.get("/meals?day=2026-11-10").text
    assert "Suất cần nấu" in page and "Nguyễn Gia An" not in page and "₫" not in page
    form = {"csrf_token": "x"}
    assert cook.post(f"/meals/2026-11-10/classes/{made.class_id}", data=form).status_code in (
        400,
        403,
    )


def test_the_office_plans_reports_contests_and_prints(
    made: MealSchool, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, MORNING)
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    page = clerk.get(f"/meals/calendar/2026-12?item={made.meal}")
    form = {"csrf_token": token(page), "item": made.meal, "served": ["2026-12-01", "sai"]}
    assert clerk.post("/meals/calendar/2026-12", data=form).status_code == 303
    with scope.opened(scope.one_school(made.id)):
        december = Period(2026, 12)
        served = queries.served_days(made.id, made.meal, december.first_day, december.last_day)
    assert served == {date(2026, 12, 1)}

    form = {
        "csrf_token": token(page),
        "code": made.children[0].code,
        "first": "2026-11-11",
        "last": "2026-11-12",
    }
    assert clerk.post("/meals/absences", data=form).status_code == 303
    wrong = clerk.post("/meals/absences", data={**form, "code": "123"})
    assert wrong.status_code == 422 and "mang mã này" in wrong.text

    form = {"csrf_token": token(page), "days_before": "1", "hour": "16:00"}
    assert clerk.post("/meals/cut-off", data=form).status_code == 303
    assert clerk.post("/meals/cut-off", data={**form, "hour": "?"}).status_code == 422

    sheet = clerk.get(f"/meals/months/2026-11?item={made.meal}&class_name=x")
    assert "Báo kịp" in sheet.text
    assert clerk.get(f"/meals/months/2026-11.xlsx?item={made.meal}").data.startswith(b"PK")

    form = {
        "csrf_token": token(page),
        "code": made.children[1].code,
        "day": "2026-11-10",
        "words": "hôm đó em ở nhà",
    }
    assert clerk.post("/meals/contests", data=form).status_code == 303
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    page = principal.get("/meals/contests")
    assert "hôm đó em ở nhà" in page.text
    with scope.opened(scope.one_school(made.id)):
        (asked,) = queries.contests(made.id)
    form = {"csrf_token": token(page), "deed": "free"}
    assert principal.post(f"/meals/contests/{asked.id}", data=form).status_code == 303
    assert "không thu" in principal.get("/meals/contests").text
    stranger = signed_in(context, make_school().unit_id, Role.PRINCIPAL)
    form = {"csrf_token": token(stranger.get("/meals/contests")), "deed": "free"}
    assert stranger.post(f"/meals/contests/{asked.id}", data=form).status_code == 404


def test_an_item_of_another_unit_has_no_calendar(made: MealSchool) -> None:
    item = make_item(made.school, name="Theo tháng")
    with pytest.raises(NotByTheDay):
        serve(made, item, NOVEMBER, [DAY])
