"""A child made anonymous keeps its code and its money and loses all that says who it was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Actor
from app.core import clock, scope
from app.core.db import execute, row, rows, scalar, transaction
from app.core.errors import DomainError
from app.journeys.merging import services as merging
from app.journeys.retention import invariants, queries, services
from app.journeys.retention.errors import (
    AlreadyDecided,
    BadTerm,
    NobodyChosen,
    NotForgettable,
    RequestNotFound,
    SamePerson,
)
from app.journeys.retention.models import Certainty, Outcome, RecordKind, Term
from app.journeys.transfers import services as transfers
from app.people import cards, students, verification
from app.people.access import add_user
from app.people.cards.pictures import photo_of
from app.people.students import (
    NOBODY,
    Correction,
    IdentityField,
    NewGuardian,
    Origin,
    Scheme,
)
from app.shell.verify import all_invariants
from tests.factories.cards import agree, drawn
from tests.factories.money import Billed, billed_children
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import visitor
from tests.payments.test_transfers import notice, send

LEFT = date(2026, 11, 25)
#: six years on: past a term of five
LATER = NOON + timedelta(days=6 * 366)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return visitor(app)


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


@pytest.fixture(scope="module")
def people(app: Flask) -> tuple[Actor, Actor]:
    """Who asks and who decides."""
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL), transaction():
        ids = [
            add_user(name, name, password_hash="none", totp_secret=None, now=NOON)
            for name in ("hieutruong", "chuyenvien")
        ]
    return Actor("Lê Thị Thu Hằng", "principal", ids[0]), Actor("Phan Văn Minh", "officer", ids[1])


@pytest.fixture(autouse=True)
def five_years(app: Flask) -> None:
    """The office has decided: five years after leaving."""
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL):
        if queries.years_after_leaving(clock.local_day(LATER)) is None:
            with transaction():
                set_years(5)


def set_years(years: int, **changes: Any) -> None:
    given = {
        "term": Term.YEARS,
        "years": years,
        "act": "Quyết định minh họa 01",
        "source": "Phòng minh họa",
        "certainty": Certainty.DECIDED,
        "valid_from": date(2026, 11, 24),
        "actor": ACCOUNTANT,
        "now": NOON,
    }
    services.set_term(RecordKind.PUPILS, **{**given, **changes})


def leave(school: MadeSchool, enrolment_id: int, on: date = LEFT) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_enrolment(
            school.id, enrolment_id, ends_on=on, reason="moved", actor=ACCOUNTANT, now=NOON
        )


def code_of(student_id: int) -> str:
    with scope.opened(scope.EVERY_SCHOOL):
        return str(scalar("select code from students where id = :id", id=student_id))


def ask(school: MadeSchool, people: tuple[Actor, Actor], *student_ids: int) -> int:
    codes = [code_of(one) for one in student_ids]
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return services.ask(school.id, codes, reason="hết thời hạn", actor=people[0], now=LATER)


def approve(school: MadeSchool, actor: Actor, request_id: int, *, yes: bool = True) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return services.decide(
            request_id, approve=yes, words="", allowed={school.id}, actor=actor, now=LATER
        )


def forget(school: MadeSchool, people: tuple[Actor, Actor], *student_ids: int) -> int:
    return approve(school, people[1], ask(school, people, *student_ids))


def breaches() -> dict[str, Any]:
    with scope.opened(scope.EVERY_SCHOOL):
        return {rule.number: found for rule in all_invariants() if (found := list(rule.find()))}


def obstacle(student_id: int) -> Outcome | None:
    with scope.opened(scope.EVERY_SCHOOL):
        return queries.standings([student_id], clock.local_day(LATER))[0].obstacle


def books() -> list[Any]:
    """Everything money has written, to the last letter."""
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            [tuple(one) for one in rows(f"select * from {table} order by 1, 2")]
            for table in (
                *("entries", "ledger_events", "invoices", "invoice_lines", "payments"),
                *("receipts", "receipt_codes", "payment_requests", "seals"),
            )
        ]


def paid_child(client: FlaskClient, name: str, *guardians: NewGuardian) -> Billed:
    """A child that was billed, has paid to the đồng, and has left."""
    child = billed_children(1, names=[name], guardians=[guardians or (mother(),)])[0]
    raw = notice(child.school, f"CT {child.request.reference}", child.due)
    assert send(client, child.school, raw).status_code == 200
    leave(child.school, child.enrolment_id)
    return child


def test_all_that_says_who_a_child_was_goes_and_the_books_stay_to_the_letter(
    client: FlaskClient, context: Flask, people: tuple[Actor, Actor]
) -> None:
    child = paid_child(client, "Đỗ Minh Họa Ân", mother("0905777111", "Lê Thị Minh Họa"))
    with scope.opened(scope.one_school(child.school.id)), transaction():
        students.correct_many(
            [Correction(child.student_id, IdentityField.FULL_NAME, "Đỗ Minh Họa Ánh")],
            origin=Origin.HAND,
            reason="theo giấy khai sinh của Ánh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=child.school.id,
        )
    before = books()

    assert forget(child.school, people, child.student_id) == 1

    assert books() == before
    with scope.opened(scope.EVERY_SCHOOL):
        gone = row("select * from students where id = :id", id=child.student_id)
        change = rows(
            "select old_value, new_value, reason from identity_changes where student_id = :id",
            id=child.student_id,
        )
        assert gone is not None
        assert gone.full_name == NOBODY
        assert gone.anonymised_at is not None
        assert gone.code == code_of(child.student_id)
        assert [tuple(one) for one in change] == [(None, None, "")]
        assert scalar("select count(*) from guardians where phone = '0905777111'") == 0
    assert breaches() == {}


def test_photo_card_number_and_batches_go_too(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    number = (Scheme.PIN, "001099888777", "giấy khai sinh")
    child = enrol(
        school, new_student(make_class(school), guardians=(mother(),), identifiers=(number,))
    )[0]
    agree(school, child, cards.Party.GUARDIAN, cards.Party.CHILD)
    with scope.opened(scope.one_school(school.id)), transaction():
        cards.keep_photos(
            school.id,
            {child.enrolment_id: photo_of(drawn())},
            taken_on=date(2026, 11, 24),
            actor=ACCOUNTANT,
            now=NOON,
        )
        cards.issue_cards(school.id, [child.enrolment_id], actor=ACCOUNTANT, now=NOON)
    leave(school, child.enrolment_id)

    assert forget(school, people, child.student_id) == 1

    assert breaches() == {}
    with scope.opened(scope.EVERY_SCHOOL):
        for table in ("student_photos", "student_identifiers", "guardianships"):
            where = "enrolment_id" if table == "student_photos" else "student_id"
            value = child.enrolment_id if table == "student_photos" else child.student_id
            assert scalar(f"select count(*) from {table} where {where} = :id", id=value) == 0


def test_a_mother_stays_while_another_child_of_hers_is_there(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    hers = (mother("0905777222", "Võ Thị Minh Họa"),)
    elder, younger = (
        enrol(school, new_student(make_class(school), name, guardians=hers))[0]
        for name in ("Võ Minh Họa An", "Võ Minh Họa Bình")
    )
    for child in (elder, younger):
        leave(school, child.enrolment_id)
    forget(school, people, elder.student_id)
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar("select count(*) from guardians where phone = '0905777222'") == 1
    forget(school, people, younger.student_id)
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar("select count(*) from guardians where phone = '0905777222'") == 0
    assert breaches() == {}


def test_whoever_asked_cannot_decide_and_a_decision_is_made_once(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    leave(school, child.enrolment_id)
    request_id = ask(school, people, child.student_id)
    with pytest.raises(SamePerson):
        approve(school, people[0], request_id)
    with pytest.raises(RequestNotFound):
        approve(make_school(), people[1], request_id)
    assert obstacle(child.student_id) is None

    assert approve(school, people[1], request_id) == 1
    with pytest.raises(AlreadyDecided):
        approve(school, people[1], request_id)


def test_a_request_turned_down_changes_nothing_and_may_be_asked_again(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    leave(school, child.enrolment_id)
    request_id = ask(school, people, child.student_id)
    with pytest.raises(NotForgettable):
        ask(school, people, child.student_id)
    assert approve(school, people[1], request_id, yes=False) == 0
    assert obstacle(child.student_id) is None
    assert forget(school, people, child.student_id) == 1


def test_a_second_run_changes_nothing(school: MadeSchool, people: tuple[Actor, Actor]) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    leave(school, child.enrolment_id)
    forget(school, people, child.student_id)
    with scope.opened(scope.EVERY_SCHOOL):
        before = tuple(row("select * from students where id = :id", id=child.student_id) or ())
    with pytest.raises(NotForgettable):
        ask(school, people, child.student_id)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        assert students.forget([child.student_id], now=LATER + timedelta(days=1)) == []
    with scope.opened(scope.EVERY_SCHOOL):
        after = tuple(row("select * from students where id = :id", id=child.student_id) or ())
    assert after == before


def test_a_child_that_came_back_is_left_out(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    child, other = (
        enrol(school, new_student(make_class(school), name))[0] for name in ("An Một", "An Hai")
    )
    for one in (child, other):
        leave(school, one.enrolment_id)
    request_id = ask(school, people, child.student_id, other.student_id)
    enrol(
        school,
        new_student(make_class(school), starts_on=LEFT, student_id=child.student_id),
    )
    assert obstacle(child.student_id) is Outcome.ENROLLED

    assert approve(school, people[1], request_id) == 1

    with scope.opened(scope.EVERY_SCHOOL):
        _request, children = queries.get_request(request_id, [school.id], LEFT)
        found = {one.code: one.outcome for one in children}
    assert found == {child.code: Outcome.ENROLLED, other.code: Outcome.FORGOTTEN}
    assert breaches() == {}


def test_open_money_and_money_paid_twice_stand_in_the_way(
    client: FlaskClient, context: Flask
) -> None:
    first, second = billed_children(2)
    raw = notice(first.school, f"CT {second.request.reference}", second.due + 1_000)
    assert send(client, first.school, raw).status_code == 200
    for child in (first, second):
        leave(child.school, child.enrolment_id)
        assert obstacle(child.student_id) is Outcome.MONEY


def test_the_years_count_from_the_last_day_and_nobody_is_due_before(school: MadeSchool) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    leave(school, child.enrolment_id)
    with scope.opened(scope.EVERY_SCHOOL):
        day_before = [one.code for one in queries.due([school.id], date(2031, 11, 24))]
        on_the_day = [one.code for one in queries.due([school.id], date(2031, 11, 25))]
        early = queries.standings([child.student_id], date(2031, 11, 24))[0]
    assert day_before == []
    assert on_the_day == [child.code]
    assert early.obstacle is Outcome.EARLY
    assert early.due_on == date(2031, 11, 25)


def test_a_waiting_verification_and_a_running_transfer_stand_in_the_way(
    school: MadeSchool,
) -> None:
    number = (Scheme.PIN, "001099888666", "giấy khai sinh")
    born = date(2018, 3, 14)
    asked, moving = (
        enrol(school, new_student(make_class(school), "An Ba", identifiers=(number,)))[0],
        enrol(school, new_student(make_class(school), "An Bốn", birth_date=born))[0],
    )
    other = make_school()
    with scope.opened(scope.one_school(school.id)), transaction():
        verification.make_batch(school.id, verification.Kind.PUPILS, actor=ACCOUNTANT, now=NOON)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        transfers.ask(
            other.id,
            code=moving.code,
            birth_date=born,
            wished_on=LEFT,
            reason="gần nhà",
            actor=ACCOUNTANT,
            now=NOON,
        )
    for child in (asked, moving):
        leave(school, child.enrolment_id)
    assert obstacle(asked.student_id) is Outcome.VERIFICATION
    assert obstacle(moving.student_id) is Outcome.TRANSFER


def test_joined_records_go_together_and_are_not_parted_afterwards(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    kept, old = (
        enrol(school, new_student(make_class(school), name))[0] for name in ("An Năm", "An Nam")
    )
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        merge_id = merging.merge(
            kept.student_id,
            old.student_id,
            take_over=[IdentityField.FULL_NAME],
            reason="nhập An hai lần",
            allowed=None,
            actor=ACCOUNTANT,
            now=NOON,
        )
        running = [
            stay.id
            for stay in rows(
                "select id from enrolments where student_id = :id and ends_on is null",
                id=kept.student_id,
            )
        ]
    for enrolment_id in running:
        leave(school, enrolment_id)

    assert forget(school, people, old.student_id) == 1

    assert breaches() == {}
    with scope.opened(scope.EVERY_SCHOOL):
        told = rows(
            "select reason as words from merges where id = :id union all"
            " select coalesce(before, '') from merge_parts where merge_id = :id"
            " and kind = 'full_name'",
            id=merge_id,
        )
    assert {one.words for one in told} == {""}
    with pytest.raises(DomainError), scope.opened(scope.EVERY_SCHOOL), transaction():
        merging.undo(merge_id, reason="nhầm", allowed=None, actor=ACCOUNTANT, now=LATER)


def test_the_history_can_be_blanked_for_an_anonymous_child_only(school: MadeSchool) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    with scope.opened(scope.one_school(school.id)), transaction():
        students.correct_many(
            [Correction(child.student_id, IdentityField.FULL_NAME, "An Sáu")],
            origin=Origin.HAND,
            reason="gõ nhầm",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )
    for attempt in (
        "update identity_changes set old_value = null, new_value = null where student_id = :id",
        "update identity_changes set new_value = 'khác' where student_id = :id",
        "delete from identity_changes where student_id = :id",
    ):
        with (
            pytest.raises(Exception, match="append-only"),
            scope.opened(scope.EVERY_SCHOOL),
            transaction(),
        ):
            execute(attempt, id=child.student_id)


def test_a_term_set_anew_leaves_the_old_one_and_memory_steers_nothing(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        before = len(queries.terms())
        set_years(
            7,
            certainty=Certainty.MEMORY,
            valid_from=date(2090, 1, 1),
        )
        with pytest.raises(BadTerm):
            set_years(8, valid_from=date(2090, 1, 1))
        with pytest.raises(BadTerm):
            set_years(0, valid_from=date(2091, 1, 1))
        with pytest.raises(BadTerm):
            set_years(8, act=" ", valid_from=date(2091, 1, 1))
        assert len(queries.terms()) == before + 1
        assert queries.years_after_leaving(date(2089, 12, 31)) == 5
        assert queries.years_after_leaving(date(2090, 1, 1)) is None
    with scope.opened(scope.EVERY_SCHOOL):
        assert [rule.find() for rule in invariants.INVARIANTS if rule.number == "K9"] == [[]]


def test_a_request_names_children_of_its_school_and_a_reason(
    school: MadeSchool, people: tuple[Actor, Actor]
) -> None:
    child = enrol(school, new_student(make_class(school)))[0]
    leave(school, child.enrolment_id)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        for codes, reason in (([], "hết hạn"), ([child.code], " "), (["000000000"], "hết hạn")):
            with pytest.raises(NobodyChosen):
                services.ask(school.id, codes, reason=reason, actor=people[0], now=LATER)
    with pytest.raises(NobodyChosen):
        ask(make_school(), people, child.student_id)
