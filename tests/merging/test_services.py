"""Two records of one child are joined, pay as one, and can be parted again."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.model import db
from app.journeys.merging import invariants, queries, services
from app.journeys.merging.errors import (
    AlreadyUndone,
    BilledSince,
    JoinedAgain,
    NotYours,
    RecordClosed,
    SameRecord,
)
from app.money import billing
from app.people import students
from app.people.students import IdentityField, NewIdentifier, Origin, Scheme
from app.people.students import invariants as student_invariants
from tests.factories.fees import NOVEMBER, approved_schedule, make_item, price
from tests.factories.money import Billed, billed_children
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import visitor
from tests.payments.books import assert_books_hold
from tests.payments.test_transfers import notice, send

NAME = "Nguyễn Minh Khang"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return visitor(app)


def join(survivor: int, merged: int, *fields: IdentityField, schools: Any = None) -> int:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return services.merge(
            survivor,
            merged,
            take_over=fields,
            reason="nhập hai lần",
            allowed=schools,
            actor=ACCOUNTANT,
            now=NOON,
        )


def part(merge_id: int, schools: Any = None) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        services.undo(merge_id, reason="nhầm", allowed=schools, actor=ACCOUNTANT, now=NOON)


def books_hold() -> None:
    assert_books_hold()
    with scope.opened(scope.EVERY_SCHOOL):
        held = [*invariants.INVARIANTS, *student_invariants.INVARIANTS]
        assert {i.number: i.find() for i in held if i.find()} == {}


def due(school: MadeSchool, student_id: int) -> int:
    with scope.opened(scope.one_school(school.id)):
        lines = billing.open_lines(school.id, [student_id]).get(student_id, [])
        return sum(line.open.dong for line in lines)


def credit(school: MadeSchool, student_id: int) -> int:
    with scope.opened(scope.one_school(school.id)):
        found = billing.credits_of(school.id, [student_id]).get(student_id)
        return found.dong if found else 0


def pay(client: FlaskClient, child: Billed, amount: int) -> None:
    raw = notice(child.school, f"CT {child.request.reference}", amount)
    assert send(client, child.school, raw).status_code == 200
    db.session.rollback()


@pytest.fixture
def pair(context: Flask) -> tuple[Billed, Billed]:
    """One child entered twice at one school and billed twice; the mother is the same."""
    family = (mother("0905000111"),)
    first, second = billed_children(2, names=[NAME, NAME], guardians=[family, family])
    return first, second


def test_open_bills_and_credit_go_over_and_no_total_of_the_school_changes(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    pay(client, old, old.due + 50_000)
    before = due(kept.school, kept.student_id), credit(kept.school, old.student_id)
    assert before == (kept.due, 50_000)

    join(kept.student_id, old.student_id)

    assert due(kept.school, kept.student_id) == kept.due
    assert credit(kept.school, kept.student_id) == 50_000
    assert credit(kept.school, old.student_id) == 0
    books_hold()


def test_money_for_a_code_printed_under_the_old_record_pays_the_child(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    join(kept.student_id, old.student_id)
    assert due(kept.school, kept.student_id) == kept.due + old.due

    pay(client, old, kept.due + old.due + 1_000)

    assert due(kept.school, kept.student_id) == 0
    assert credit(kept.school, kept.student_id) == 1_000
    books_hold()


def test_the_old_link_shows_all_that_is_due_of_the_child(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    join(kept.student_id, old.student_id)
    state = client.get(f"/pay/{old.request.token}/state").json
    assert state is not None
    assert state["due"] == kept.due + old.due


def test_a_stay_on_the_same_days_ends_and_others_go_over(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    elsewhere = make_school()
    with scope.opened(scope.one_school(old.school.id)), transaction():
        code = scalar("select code from students where id = :id", id=old.student_id)
    away = enrol(
        elsewhere,
        new_student(make_class(elsewhere), NAME, student_id=old.student_id),
    )[0]
    assert away.code == code

    join(kept.student_id, old.student_id)

    with scope.opened(scope.EVERY_SCHOOL):
        stays = {
            stay.id: (stay.student_id, stay.ends_on is None)
            for stay in rows(
                "select id, student_id, ends_on from enrolments where student_id in :ids",
                ids=[kept.student_id, old.student_id],
            )
        }
    assert stays == {
        kept.enrolment_id: (kept.student_id, True),
        away.enrolment_id: (kept.student_id, True),
        old.enrolment_id: (old.student_id, False),
    }
    books_hold()


def test_numbers_the_child_lacks_and_what_is_chosen_go_over(context: Flask) -> None:
    school = make_school()
    kept, old = (
        child.student_id
        for child in enrol(
            school,
            new_student(make_class(school), "Nguyen Minh Khang"),
            new_student(
                make_class(school),
                NAME,
                birth_date=date(2018, 3, 15),
                identifiers=((Scheme.PIN, "001099100001", "khai sinh"),),
                guardians=(mother("0905000222"),),
            ),
        )
    )
    join(kept, old, IdentityField.FULL_NAME, IdentityField.BIRTH_DATE)

    with scope.opened(scope.EVERY_SCHOOL):
        record = queries.records([kept], NOON.date())[0]
    assert (record.full_name, record.birth_date) == (NAME, date(2018, 3, 15))
    assert [n.value for n in record.numbers] == ["001099100001"]
    assert record.family == [("Trần Thị Thu Hà", "0222")]
    books_hold()


def test_taking_it_back_restores_records_and_money(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    pay(client, old, old.due - 100_000)
    with scope.opened(scope.one_school(old.school.id)), transaction():
        students.record_identifiers(
            [NewIdentifier(old.student_id, Scheme.PIN, "001099100011", "giấy", NOON.date())],
            origin=Origin.HAND,
            reason="giấy",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=old.school.id,
        )

    def state() -> Any:
        with scope.opened(scope.EVERY_SCHOOL):
            found = queries.records([kept.student_id, old.student_id], NOON.date())
            stays = rows(
                "select id, student_id, ends_on, end_reason from enrolments"
                " where student_id in :ids order by id",
                ids=[kept.student_id, old.student_id],
            )
        return [
            (r.full_name, r.numbers, r.stays, r.family, r.money, r.verification) for r in found
        ], [tuple(stay) for stay in stays]

    before = state()
    part(join(kept.student_id, old.student_id, IdentityField.SEX))
    assert state() == before
    assert due(old.school, old.student_id) == 100_000
    books_hold()


def test_what_was_paid_meanwhile_stays_paid_after_taking_it_back(
    client: FlaskClient, pair: tuple[Billed, Billed]
) -> None:
    kept, old = pair
    merge_id = join(kept.student_id, old.student_id)
    pay(client, kept, kept.due + old.due)
    part(merge_id)
    assert due(kept.school, kept.student_id) == 0
    assert due(old.school, old.student_id) == 0
    books_hold()


def test_a_record_is_joined_once_and_leads_on_in_one_step(context: Flask) -> None:
    school = make_school()
    class_id = make_class(school)
    a, b, c = (
        child.student_id for child in enrol(school, *(new_student(class_id) for _ in range(3)))
    )
    with pytest.raises(SameRecord):
        join(a, a)
    first = join(b, c)
    with pytest.raises(RecordClosed):
        join(a, c)
    second = join(a, b)
    with scope.opened(scope.EVERY_SCHOOL):
        assert students.children_behind([a, b, c]) == {a: a, b: a, c: a}
    with pytest.raises(JoinedAgain):
        part(first)
    part(second)
    part(first)
    with pytest.raises(AlreadyUndone):
        part(first)
    with scope.opened(scope.EVERY_SCHOOL):
        assert students.children_behind([a, b, c]) == {a: a, b: b, c: c}
    books_hold()


def test_records_of_other_schools_are_not_one_schools_to_join(context: Flask) -> None:
    here, there = make_school(), make_school()
    mine = enrol(here, new_student(make_class(here)))[0].student_id
    theirs = enrol(there, new_student(make_class(there)))[0].student_id
    with pytest.raises(NotYours):
        join(mine, theirs, schools=frozenset({here.id}))
    join(mine, theirs, schools=frozenset({here.id, there.id}))
    books_hold()


def test_pairs_are_found_by_number_and_by_name_birth_date_and_family(context: Flask) -> None:
    school = make_school()
    class_id = make_class(school)
    enrolled = enrol(
        school,
        new_student(class_id, "Lê Hoà An", guardians=(mother("0905000333"),)),
        new_student(class_id, "Lê Hòa An", guardians=(mother("0905000333", "Trần Hà"),)),
        new_student(class_id, "Phạm Bảo Châu", identifiers=((Scheme.MOET, "4800000001", "x"),)),
        new_student(class_id, "Phạm Bảo Trân", identifiers=((Scheme.MOET, "4800000001", "x"),)),
        # Twins share everything but themselves.
        new_student(class_id, "Võ Gia Bảo", guardians=(mother("0905000444"),)),
        new_student(class_id, "Võ Gia Huy", guardians=(mother("0905000444"),)),
    )
    with scope.opened(scope.one_school(school.id)):
        found = queries.proposed_pairs([school.id], NOON.date())
    ids = [child.student_id for child in enrolled]
    assert [(p.ground.value, p.first.id, p.second.id) for p in found] == [
        ("number", ids[2], ids[3]),
        ("family", ids[0], ids[1]),
    ]

    with scope.opened(scope.EVERY_SCHOOL), transaction():
        services.say_two_children(ids[3], ids[2], reason="đã xem", actor=ACCOUNTANT, now=NOON)
    join(ids[0], ids[1])
    with scope.opened(scope.one_school(school.id)):
        assert queries.proposed_pairs([school.id], NOON.date()) == []
    books_hold()


def test_a_bill_issued_since_keeps_the_records_together(context: Flask) -> None:
    school = make_school()
    kept = enrol(school, new_student(make_class(school)))[0].student_id
    old = billed_children(1)[0]
    merge_id = join(kept, old.student_id)
    item = make_item(old.school, name="Nước uống", is_compulsory=True)
    approved_schedule(old.school, [price(item, 16_000)])
    with scope.opened(scope.one_school(old.school.id)), transaction():
        run = billing.draft_run(
            old.school.id, NOVEMBER, due_on=date(2026, 12, 5), actor=ACCOUNTANT, now=NOON
        )
        billing.issue_run(old.school.id, run, actor=ACCOUNTANT, now=NOON)
    # The new price list knows only the water; what it no longer asks for came back as credit.
    assert due(old.school, kept) == 16_000
    with pytest.raises(BilledSince):
        part(merge_id)
    books_hold()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_paid_before_a_merge_and_its_undo_change_no_sum(
    client: FlaskClient, context: Flask, seed: int
) -> None:
    rng = random.Random(seed)
    children = billed_children(6)
    school = children[0].school
    for child in children:
        if rng.random() < 0.7:
            pay(client, child, rng.choice([child.due, child.due // 2, child.due + 30_000]))

    def total() -> int:
        return sum(
            due(school, child.student_id) - credit(school, child.student_id) for child in children
        )

    before = total()
    a, b, c = rng.sample([child.student_id for child in children], 3)
    first = join(a, b)
    assert total() == before
    second = join(c, a)
    assert total() == before
    part(second)
    part(first)
    assert total() == before
    books_hold()
