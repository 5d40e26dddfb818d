"""A child leaves the area: papers have their days, money stays, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from app.core import clock, scope
from app.core.db import rows, scalar, transaction
from app.core.model import db
from app.journeys.retention import queries as retention
from app.journeys.transfers import departure_queries, departures, invariants, services
from app.journeys.transfers.departure_queries import DepartureRow
from app.journeys.transfers.departures import NewDeparture
from app.journeys.transfers.errors import (
    AlreadyAsked,
    BadDay,
    BadPlace,
    DepartureNotFound,
    DutiesOpen,
    WrongStep,
)
from app.journeys.transfers.states import Duty, Fact, Mark
from app.people.access import Role
from app.people.schools import Level, calendar, set_day_off
from app.people.schools.calendar import BadDayOff
from app.people.students.errors import EnrolmentNotFound
from tests.factories.money import Billed, billed_child
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import set_clock, signed_in, token
from tests.payments.books import assert_books_hold

WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}
TODAY = clock.local_day(NOON)
#: a Tuesday; three working days on is Friday
ASKED = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, NOON)


@pytest.fixture
def child(context: Flask) -> Billed:
    return billed_child()


def leaving(
    school_id: int, enrolment_id: int, *, is_far: bool = True, asked_on: date = ASKED
) -> int:
    new = NewDeparture(
        enrolment_id=enrolment_id,
        to_school="Trường Tiểu học Xa Xôi",
        to_place="phường Minh Họa, Hà Nội",
        is_far=is_far,
        asked_on=asked_on,
        wished_on=date(2026, 12, 1),
        reason="bố mẹ chuyển công tác",
    )
    with scope.opened(scope.one_school(school_id)), transaction():
        return departures.open_departure(school_id, new, **WHO)


def does(school_id: int, deed: Any, *arguments: Any, **values: Any) -> Any:
    with scope.opened(scope.one_school(school_id)), transaction():
        return deed(school_id, *arguments, **values, **WHO)


def seen(school_id: int, departure: int) -> DepartureRow:
    with scope.opened(scope.one_school(school_id)):
        return departure_queries.get_departure(school_id, departure)


def duty(row: DepartureRow, kind: Duty) -> departure_queries.DutyState:
    return next(one for one in row.duties if one.rule.duty is kind)


def broken() -> dict[str, Any]:
    with scope.opened(scope.EVERY_SCHOOL):
        return {i.number: i.find() for i in invariants.INVARIANTS if i.find()}


def pupil_of(level: Level) -> tuple[MadeSchool, int]:
    school = make_school(level=level)
    (made,) = enrol(school, new_student(make_class(school)))
    return school, made.enrolment_id


@pytest.mark.parametrize(
    ("level", "is_far", "papers"),
    [
        (Level.NURSERY, True, {Duty.RECORD}),
        (Level.PRIMARY, True, {Duty.RECORD, Duty.PROGRESS, Duty.PLAN}),
        (Level.LOWER_SECONDARY, False, {Duty.RECORD, Duty.INTRODUCTION}),
        (Level.LOWER_SECONDARY, True, {Duty.RECORD, Duty.INTRODUCTION, Duty.LETTER}),
    ],
)
def test_each_level_has_its_papers(
    context: Flask, level: Level, is_far: bool, papers: set[Duty]
) -> None:
    school, stay = pupil_of(level)
    row = seen(school.id, leaving(school.id, stay, is_far=is_far))

    assert {one.rule.duty for one in row.duties if not one.rule.is_automatic} == papers
    # The act gives the days for primary schools only; for the others they are to be checked.
    assert duty(row, Duty.RECORD).rule.is_sure is (level is Level.PRIMARY)


def test_terms_run_from_the_days_of_the_facts_over_weekends_and_days_off(context: Flask) -> None:
    school, stay = pupil_of(Level.PRIMARY)
    departure = leaving(school.id, stay)
    before = seen(school.id, departure)
    assert duty(before, Duty.ANSWER).due_on == date(2026, 11, 27)
    assert duty(before, Duty.RECORD).due_on is None

    does(school.id, departures.accept, departure, day=ASKED, words="công văn 12")
    assert duty(seen(school.id, departure), Duty.RECORD).due_on == date(2026, 11, 27)

    with scope.opened(scope.EVERY_SCHOOL), transaction():
        set_day_off(date(2026, 11, 26), name="Ngày nghỉ minh họa", is_off=True, **WHO)
    # Thursday is free: Wednesday, Friday, Monday.
    assert duty(seen(school.id, departure), Duty.RECORD).due_on == date(2026, 11, 30)

    with scope.opened(scope.EVERY_SCHOOL), transaction():
        set_day_off(date(2026, 11, 26), name="", is_off=False, **WHO)
    assert duty(seen(school.id, departure), Duty.RECORD).due_on == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 24), date(2026, 11, 27)),
        (date(2026, 11, 26), date(2026, 12, 1)),
        (date(2026, 4, 28), date(2026, 5, 5)),
    ],
)
def test_three_working_days_leave_out_weekends_and_fixed_holidays(
    context: Flask, day: date, expected: date
) -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        assert calendar().due_after(day, 3) == expected


def test_days_off_need_a_name_and_a_span_that_can_be(context: Flask) -> None:
    day = date(2027, 2, 5)
    for values in (
        {"name": " ", "last": None},
        {"name": "Tết", "last": date(2027, 2, 4)},
        {"name": "Tết", "last": date(2027, 4, 1)},
    ):
        with pytest.raises(BadDayOff), scope.opened(scope.EVERY_SCHOOL), transaction():
            set_day_off(day, is_off=True, **values, **WHO)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        assert set_day_off(day, name="Tết", is_off=True, last=date(2027, 2, 11), **WHO) == 7
    with scope.opened(scope.EVERY_SCHOOL):
        assert calendar().named[date(2027, 2, 11)] == "Tết"


def test_a_paper_is_early_on_time_or_late(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    school, stay = pupil_of(Level.PRIMARY)
    departure = leaving(school.id, stay)
    does(school.id, departures.accept, departure, day=ASKED, words="")
    for days, kind in ((1, Duty.RECORD), (3, Duty.PROGRESS), (6, Duty.PLAN)):
        later = NOON.replace(year=2026, month=11, day=24) + timedelta(days=days)
        with scope.opened(scope.one_school(school.id)), transaction():
            departures.mark(school.id, departure, {kind: Mark.DONE}, actor=ACCOUNTANT, now=later)
    row = seen(school.id, departure)

    assert duty(row, Duty.RECORD).punctuality == "early"
    assert duty(row, Duty.PROGRESS).punctuality == "on_time"
    assert duty(row, Duty.PLAN).punctuality == "late"
    with scope.opened(scope.EVERY_SCHOOL):
        (counts,) = departure_queries.counts([row], TODAY).values()
    assert (counts.early, counts.on_time, counts.late) == (2, 1, 1)  # the answer came early, too


def test_the_whole_way_leaves_the_money_where_it_is(child: Billed) -> None:
    school = child.school
    stay = rows_of_child(child)
    departure = leaving(school.id, stay)
    entries = count("entries")

    does(school.id, departures.accept, departure, day=ASKED, words="")
    papers = [d.rule.duty for d in seen(school.id, departure).duties if not d.rule.is_automatic]
    does(school.id, departures.mark, departure, dict.fromkeys(papers, Mark.DONE))
    with pytest.raises(DutiesOpen):
        does(school.id, departures.close, departure, is_settled=False, words="")
    does(school.id, departures.let_go, departure, last_day=TODAY)
    row = seen(school.id, departure)
    assert (row.state, row.may_close, row.is_settled) == ("left", True, False)
    assert row.left_on == TODAY + timedelta(days=1)
    assert duty(row, Duty.BILLS).is_open and not duty(row, Duty.CREDIT).is_open
    with pytest.raises(DutiesOpen):
        does(school.id, departures.close, departure, is_settled=False, words="")
    does(school.id, departures.close, departure, is_settled=False, words="gia đình nộp sau")

    assert seen(school.id, departure).state == "closed"
    assert count("entries") == entries
    assert_books_hold()
    assert broken() == {}


def count(table: str) -> int:
    with scope.opened(scope.EVERY_SCHOOL):
        return int(scalar(f"select count(*) from {table}"))


def rows_of_child(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return int(
            rows("select id from enrolments where student_id = :id", id=child.student_id)[0].id
        )


def test_only_what_a_person_says_is_ticked(context: Flask) -> None:
    school, stay = pupil_of(Level.PRIMARY)
    departure = leaving(school.id, stay)
    for wrong in (
        {Duty.BILLS: Mark.DONE},
        {Duty.LETTER: Mark.DONE},
        {Duty.RECORD: Mark.NEEDLESS},
    ):
        with pytest.raises(WrongStep):
            does(school.id, departures.mark, departure, wrong)
    assert does(school.id, departures.mark, departure, {Duty.PLAN: Mark.NEEDLESS}) == 1
    # Said again it is not written again; taken back it is.
    assert does(school.id, departures.mark, departure, {Duty.PLAN: Mark.NEEDLESS}) == 0
    assert does(school.id, departures.mark, departure, {Duty.PLAN: Mark.OPEN}) == 1
    assert duty(seen(school.id, departure), Duty.PLAN).is_open


def test_what_cannot_be_is_refused(context: Flask) -> None:
    school, stay = pupil_of(Level.PRIMARY)
    other = make_school()
    good = NewDeparture(stay, "Trường Xa", "", False, ASKED, date(2026, 12, 1), "")
    for wrong, refusal in (
        (replace(good, to_school=" "), BadPlace),
        (replace(good, asked_on=TODAY + timedelta(days=1)), BadDay),
        (replace(good, asked_on=date(2026, 1, 1)), BadDay),
        (replace(good, wished_on=date(2026, 9, 1)), BadDay),
    ):
        with pytest.raises(refusal):
            does(school.id, departures.open_departure, wrong)
    with pytest.raises(EnrolmentNotFound):
        does(other.id, departures.open_departure, good)
    departure = leaving(school.id, stay)
    with pytest.raises(DepartureNotFound):
        does(other.id, departures.withdraw, departure, words="x")
    with pytest.raises(BadDay):
        does(school.id, departures.accept, departure, day=date(2026, 11, 23), words="")
    does(school.id, departures.accept, departure, day=ASKED, words="")
    with pytest.raises(WrongStep):
        does(school.id, departures.accept, departure, day=ASKED, words="")
    does(school.id, departures.withdraw, departure, words="ở lại")
    with pytest.raises(WrongStep):
        does(school.id, departures.let_go, departure, last_day=TODAY)
    assert len(seen(school.id, departure).steps) == 3


def test_a_child_goes_one_way_at_a_time(context: Flask, child: Billed) -> None:
    stay = rows_of_child(child)
    departure = leaving(child.school.id, stay)
    with pytest.raises(AlreadyAsked):
        leaving(child.school.id, stay)
    new_school = make_school()
    with scope.opened(scope.EVERY_SCHOOL):
        person = rows("select code, birth_date from students where id = :id", id=child.student_id)[
            0
        ]
    asking = {
        "code": str(person.code),
        "birth_date": date.fromisoformat(str(person.birth_date)[:10]),
        "wished_on": date(2026, 12, 1),
        "reason": "x",
    }
    with pytest.raises(AlreadyAsked):
        does(new_school.id, services.ask, **asking)
    with scope.opened(scope.EVERY_SCHOOL):
        assert departure_queries.leaving_among([child.student_id]) == {child.student_id}
        assert departure_queries.open_at([child.school.id], date(2026, 12, 31)) == {
            child.school.id: 1
        }
    does(child.school.id, departures.withdraw, departure, words="ở lại")
    does(new_school.id, services.ask, **asking)
    with pytest.raises(AlreadyAsked):
        leaving(child.school.id, stay)
    assert broken() == {}


def test_the_invariants_see_a_second_departure_and_one_done_too_early(
    context: Flask, child: Billed
) -> None:
    stay = rows_of_child(child)
    first = leaving(child.school.id, stay)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        departures._step(child.school.id, first, Fact.CLOSED, TODAY, "", ACCOUNTANT, NOON)
    assert set(broken()) == {"T5"}
    second = leaving(child.school.id, stay)
    with scope.opened(scope.one_school(child.school.id)), transaction():
        db.session.execute(
            db.text(
                "insert into departures (school_id, enrolment_id, to_school, to_place, is_far,"
                " wished_on, reason) select school_id, enrolment_id, to_school, to_place,"
                " is_far, wished_on, reason from departures where id = :id"
            ),
            {"id": second},
        )
    assert set(broken()) == {"T4", "T5"}


def test_a_child_made_anonymous_leaves_no_word_in_its_departure(
    context: Flask, child: Billed
) -> None:
    departure = leaving(child.school.id, rows_of_child(child))
    assert retention._running  # the wiring asks this room, too
    with scope.opened(scope.one_school(child.school.id)), transaction():
        departures.forget_children([child.student_id])
    row = seen(child.school.id, departure)

    assert (row.to_school, row.to_place, row.reason) == ("", "", "")
    assert [step.words for step in row.steps] == [""]


def test_the_office_walks_through_the_pages(app: Flask, child: Billed) -> None:
    clerk = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    with scope.opened(scope.EVERY_SCHOOL):
        code = rows("select code from students where id = :id", id=child.student_id)[0].code
    assert f"/students/{code}/departure" in clerk.get(f"/students/{code}/leave").text
    page = clerk.get(f"/students/{code}/departure")
    form = {
        "csrf_token": token(page),
        "to_school": "Trường Tiểu học Xa Xôi",
        "asked_on": "24/11/2026",
        "wished_on": "hôm nào",
        "words": "chuyển nhà",
    }
    wrong = clerk.post(f"/students/{code}/departure", data=form)
    assert wrong.status_code == 422 and "Trường Tiểu học Xa Xôi" in wrong.text
    form["wished_on"] = "01/12/2026"
    address = clerk.post(f"/students/{code}/departure", data=form).location
    again = clerk.get(f"/students/{code}/departure")
    assert (again.status_code, again.location) == (303, address)

    form = {"csrf_token": token(page), "day": "24/11/2026"}
    assert clerk.post(f"{address}/accepted", data=form).status_code == 303
    form = {"csrf_token": token(page), "done": ["record", "progress"], "needless": "plan"}
    assert clerk.post(f"{address}/duties", data=form).status_code == 303
    early = clerk.post(f"{address}/close", data={"csrf_token": token(page)})
    assert early.status_code == 409
    form = {"csrf_token": token(page), "last_day": "24/11/2026"}
    assert clerk.post(f"{address}/leave", data=form).status_code == 303
    text = clerk.get(address).text
    assert "Đã rời trường" in text and "không cần" in text
    assert "778.775" in text  # the school the child leaves goes on asking for it
    assert clerk.get(f"{address}.pdf").data.startswith(b"%PDF")
    form = {"csrf_token": token(page), "words": "nộp nốt trong tháng"}
    assert clerk.post(f"{address}/close", data=form).status_code == 303
    assert "Trường Tiểu học Xa Xôi" in clerk.get("/transfers").text

    teacher = signed_in(app, child.school.unit_id, Role.TEACHER)
    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)
    assert teacher.get(address).status_code == 403
    assert stranger.get(address).status_code == 404
    form = {"csrf_token": token(stranger.get("/transfers")), "words": "x"}
    assert stranger.post(f"{address}/withdraw", data=form).status_code == 404


def test_the_area_sees_every_school_and_writes_days_off(app: Flask, child: Billed) -> None:
    leaving(child.school.id, rows_of_child(child), asked_on=date(2026, 11, 2))
    officer = signed_in(app, child.school.unit_id, Role.OFFICER)
    page = officer.get("/area/transfers")
    assert (page.status_code == 200 and child.school.code in page.text) or "quá hạn" in page.text

    form = {"csrf_token": token(page), "first": "05/02/2027", "last": "11/02/2027", "name": "Tết"}
    assert officer.post("/area/days-off", data=form).status_code == 303
    assert officer.get("/area/transfers").text.count("Tết</li>") <= 7
    assert "11/02/2027" in officer.get("/area/transfers").text
    form = {"csrf_token": token(page), "first": "11/02/2027", "deed": "work"}
    assert officer.post("/area/days-off", data=form).status_code == 303
    assert "11/02/2027" not in officer.get("/area/transfers").text
    wrong = officer.post("/area/days-off", data={"csrf_token": token(page), "first": "x"})
    assert wrong.status_code == 422
    auditor = signed_in(app, child.school.unit_id, Role.AUDITOR)
    assert auditor.get("/area/transfers").status_code == 200
    assert (
        auditor.post("/area/days-off", data={"csrf_token": token(auditor.get("/area/transfers"))})
    ).status_code == 403
