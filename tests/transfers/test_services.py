"""A child changes school: the code goes along, the money stays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.db import DAY, rows, transaction
from app.core.model import db
from app.journeys.transfers import invariants, queries, services
from app.journeys.transfers.errors import (
    AlreadyAsked,
    AlreadyHere,
    BadDay,
    NoSuchChild,
    NotElsewhere,
    TransferNotFound,
    WrongStep,
)
from app.journeys.transfers.states import PaperKind, State
from app.people import students
from app.people.access import Role
from app.people.students import invariants as student_invariants
from app.people.students.errors import BadDate
from tests.factories.money import Billed, billed_child
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import signed_in, token, visitor
from tests.payments.books import assert_books_hold
from tests.payments.test_transfers import notice, send

BORN = date(2018, 3, 14)
FIRST = date(2026, 12, 1)
WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return visitor(app)


@pytest.fixture
def new_school(context: Flask) -> MadeSchool:
    return make_school()


@pytest.fixture
def child(context: Flask) -> Billed:
    return billed_child()


def code_of(student_id: int) -> str:
    with scope.opened(scope.EVERY_SCHOOL):
        return str(rows("select code from students where id = :id", id=student_id)[0].code)


def ask(school: MadeSchool, code: str, born: date = BORN, day: date = FIRST) -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.ask(
            school.id, code=code, birth_date=born, wished_on=day, reason="chuyển nhà", **WHO
        )


def accept(school: MadeSchool, transfer: int, yes: bool = True) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        services.answer(school.id, transfer, accept=yes, words="được", **WHO)


def hand_over(school: MadeSchool, transfer: int, day: date = FIRST) -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.hand_over(school.id, transfer, first_day=day, words="", **WHO)


def money(school: MadeSchool, student_id: int) -> tuple[int, int]:
    with scope.opened(scope.one_school(school.id)):
        left = queries.money_left(school.id, student_id)
    return left.open.dong, left.credit.dong


def all_holds() -> None:
    assert_books_hold()
    with scope.opened(scope.EVERY_SCHOOL):
        held = [*invariants.INVARIANTS, *student_invariants.INVARIANTS]
        assert {i.number: i.find() for i in held if i.find()} == {}


def test_the_code_goes_along_and_what_is_owed_stays(
    client: FlaskClient, child: Billed, new_school: MadeSchool
) -> None:
    raw = notice(child.school, child.request.reference, 100_000)
    assert send(client, child.school, raw).status_code == 200
    db.session.rollback()
    before = money(child.school, child.student_id)
    assert before == (child.due - 100_000, 0)

    transfer = ask(new_school, code_of(child.student_id))
    accept(new_school, transfer)
    stay = hand_over(child.school, transfer)

    assert money(child.school, child.student_id) == before
    with scope.opened(scope.EVERY_SCHOOL):
        found = rows(
            "select id, school_id, starts_on, ends_on, end_reason from enrolments"
            " where student_id = :id order by id",
            types={"starts_on": DAY, "ends_on": DAY},
            id=child.student_id,
        )
    assert [(s.school_id, s.ends_on) for s in found] == [
        (child.school.id, FIRST),
        (new_school.id, None),
    ]
    assert (found[1].id, found[1].starts_on) == (stay, FIRST)
    assert found[0].end_reason == services.END_REASON
    all_holds()

    # The old school's link still takes the money, and gives the old school's receipt.
    raw = notice(child.school, child.request.reference, before[0])
    assert send(client, child.school, raw).status_code == 200
    db.session.rollback()
    assert money(child.school, child.student_id) == (0, 0)
    all_holds()


@pytest.mark.parametrize(
    ("code", "born"), [("", BORN), ("000000000", BORN), (None, BORN + timedelta(days=1))]
)
def test_code_and_birth_date_must_both_be_right(
    child: Billed, new_school: MadeSchool, code: str | None, born: date
) -> None:
    with pytest.raises(NoSuchChild):
        ask(new_school, code_of(child.student_id) if code is None else code, born)


def test_a_child_that_is_here_or_nowhere_is_not_asked_for(
    child: Billed, new_school: MadeSchool
) -> None:
    code = code_of(child.student_id)
    with pytest.raises(AlreadyHere):
        ask(child.school, code)
    with pytest.raises(BadDay):
        ask(new_school, code, day=date(2026, 9, 1))
    with scope.opened(scope.one_school(child.school.id)), transaction():
        students.end_enrolment(
            child.school.id, child.enrolment_id, ends_on=FIRST, reason="thôi học", **WHO
        )
    with pytest.raises(NotElsewhere):
        ask(new_school, code)


def test_a_child_has_one_running_transfer(child: Billed, new_school: MadeSchool) -> None:
    code = code_of(child.student_id)
    first = ask(new_school, code)
    with pytest.raises(AlreadyAsked):
        ask(make_school(), code)
    accept(new_school, first, yes=False)
    second = ask(make_school(), code)
    assert second != first
    all_holds()


def test_steps_come_in_their_order_and_from_the_right_school(
    child: Billed, new_school: MadeSchool
) -> None:
    transfer = ask(new_school, code_of(child.student_id))
    stranger = make_school()
    with pytest.raises(WrongStep):
        hand_over(child.school, transfer)
    with pytest.raises(TransferNotFound):
        accept(child.school, transfer)
    with pytest.raises(TransferNotFound):
        accept(stranger, transfer)
    accept(new_school, transfer)
    with pytest.raises(WrongStep):
        accept(new_school, transfer)
    with pytest.raises(TransferNotFound):
        hand_over(new_school, transfer)
    hand_over(child.school, transfer)
    with pytest.raises(WrongStep):
        hand_over(child.school, transfer)
    all_holds()


def test_a_day_before_the_child_came_leaves_nothing_half_done(
    child: Billed, new_school: MadeSchool
) -> None:
    transfer = ask(new_school, code_of(child.student_id))
    accept(new_school, transfer)
    with pytest.raises(BadDate):
        hand_over(child.school, transfer, date(2026, 8, 1))
    with scope.opened(scope.one_school(new_school.id)):
        assert queries.get_transfer(new_school.id, transfer, FIRST).state is State.ACCEPTED
    all_holds()


def test_papers_are_ticked_and_taken_off(child: Billed, new_school: MadeSchool) -> None:
    transfer = ask(new_school, code_of(child.student_id))
    for kinds in ({PaperKind.RECORD, PaperKind.REQUEST}, {PaperKind.RECORD}):
        with scope.opened(scope.one_school(child.school.id)), transaction():
            services.tick_papers(child.school.id, transfer, kinds, **WHO)
        with scope.opened(scope.one_school(child.school.id)):
            assert queries.papers_of(transfer) == kinds


def test_both_schools_do_their_part_on_their_pages(
    app: Flask, child: Billed, new_school: MadeSchool
) -> None:
    clerk = signed_in(app, new_school.unit_id, Role.ACCOUNTANT)
    page = clerk.get("/transfers")
    form = {
        "csrf_token": token(page),
        "code": code_of(child.student_id),
        "birth_date": "14/03/2018",
        "wished_on": "01/12/2026",
        "words": "gia đình chuyển nhà",
    }
    wrong = clerk.post("/transfers", data={**form, "birth_date": "hôm qua"})
    assert wrong.status_code == 422
    assert "gia đình chuyển nhà" in wrong.text
    asked = clerk.post("/transfers", data=form)
    assert asked.status_code == 303
    address = asked.location

    principal = signed_in(app, new_school.unit_id, Role.PRINCIPAL)
    page = principal.get(address)
    assert clerk.post(f"{address}/answer", data={"csrf_token": token(page)}).status_code != 303
    done = principal.post(
        f"{address}/answer", data={"csrf_token": token(page), "answer": "accept", "words": ""}
    )
    assert done.status_code == 303

    old = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = old.get(address)
    assert "778.775" in page.text
    assert "778.775" not in clerk.get(address).text
    done = old.post(
        f"{address}/hand-over", data={"csrf_token": token(page), "first_day": "01/12/2026"}
    )
    assert done.status_code == 303
    assert clerk.get(f"{address}.pdf").data.startswith(b"%PDF")

    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)
    assert stranger.get(address).status_code == 404


def test_an_unaccepted_transfer_is_an_open_matter_of_the_turn_of_the_year(
    child: Billed, new_school: MadeSchool
) -> None:
    ask(new_school, code_of(child.student_id))
    with scope.opened(scope.EVERY_SCHOOL):
        schools = [child.school.id, new_school.id]
        assert queries.open_between(schools, date(2027, 5, 31)) == {child.school.id: 1}


def test_a_child_without_bills_changes_school_too(context: Flask, new_school: MadeSchool) -> None:
    school = make_school()
    made = enrol(school, new_student(make_class(school)))[0]
    transfer = ask(new_school, made.code)
    accept(new_school, transfer)
    hand_over(school, transfer)
    with scope.opened(scope.one_school(school.id)):
        assert queries.money_left(school.id, made.student_id).is_settled
