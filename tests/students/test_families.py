"""Guardians: added, changed for all their children, asked first, ended; none of it lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import row, rows, scalar, transaction
from app.people import students
from app.people.students import GuardianChange, NewGuardian, errors, queries
from app.people.students.invariants import INVARIANTS
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

TODAY = date(2026, 11, 24)


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


@pytest.fixture(autouse=True)
def _all_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("context")
    yield
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def ties(student_id: int) -> list[tuple[int, str, bool]]:
    found = rows(
        "select t.id, g.full_name, t.is_primary from guardianships t"
        " join guardians g on g.id = t.guardian_id where t.student_id = :student"
        " and t.ends_on is null order by t.id",
        student=student_id,
    )
    return [(tie.id, tie.full_name, bool(tie.is_primary)) for tie in found]


def add(school: MadeSchool, student_id: int, guardian: NewGuardian) -> int:
    with transaction():
        return students.add_guardian(
            school.id, student_id, guardian, from_day=TODAY, actor=ACCOUNTANT, now=NOON
        )


def test_the_first_guardian_is_asked_first_and_another_may_be(school: MadeSchool) -> None:
    (child,) = enrol(school, new_student(make_class(school), "Lê An"))
    first = add(school, child.student_id, mother("0905700001"))
    second = add(school, child.student_id, NewGuardian("Phạm Văn Lực", "0914700001", "father"))
    assert [(tie[0], tie[2]) for tie in ties(child.student_id)] == [(first, True), (second, False)]

    with transaction():
        students.make_primary(school.id, child.student_id, second, actor=ACCOUNTANT, now=NOON)
    assert [(tie[0], tie[2]) for tie in ties(child.student_id)] == [(first, False), (second, True)]

    with transaction():
        students.end_guardianship(
            school.id, child.student_id, second, on=TODAY, actor=ACCOUNTANT, now=NOON
        )
    assert [(tie[0], tie[2]) for tie in ties(child.student_id)] == [(first, True)]
    assert scalar("select count(*) from guardianships where id = :id", id=second) == 1


def test_a_guardian_is_tied_to_a_child_once(school: MadeSchool) -> None:
    (child,) = enrol(school, new_student(make_class(school), guardians=(mother("0905700002"),)))

    with pytest.raises(errors.GuardianKnown):
        add(school, child.student_id, mother("+84 905 700 002", "TRẦN THỊ THU HÀ"))


def test_a_new_phone_is_new_for_every_child_and_not_in_the_trail(school: MadeSchool) -> None:
    other = make_school()
    (here,) = enrol(
        school, new_student(make_class(school), "Lê An", guardians=(mother("0905700003"),))
    )
    enrol(other, new_student(make_class(other), "Lê Bình", guardians=(mother("0905700003"),)))
    ((tie, _name, _first),) = ties(here.student_id)
    guardian = scalar("select guardian_id from guardianships where id = :id", id=tie)
    assert queries.shared_guardian(guardian, school.id, TODAY) == (2, 1)

    with transaction():
        changed = students.change_guardian(
            school.id,
            here.student_id,
            tie,
            GuardianChange("Trần Thị Thu Hà", "0905 700 004", "1 đường Minh Họa", "mother"),
            actor=ACCOUNTANT,
            now=NOON,
        )

    assert changed == ["phone", "address"]
    assert scalar("select phone from guardians where id = :id", id=guardian) == "0905700004"
    deed = row(
        "select cause from audit_rows where action = 'guardian.change' and subject = :subject",
        subject=f"guardianship:{tie}",
    )
    assert deed is not None
    assert deed.cause == f"student:{here.student_id} phone, address"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (GuardianChange(" ", None, None, "mother"), errors.BadName),
        (GuardianChange("Trần Hà", "02363123456", None, "mother"), errors.BadPhone),
        (GuardianChange("Trần Hà", None, "x" * 201, "mother"), errors.BadAddress),
    ],
)
def test_what_cannot_be_right_is_refused(
    school: MadeSchool, change: GuardianChange, refusal: type[Exception]
) -> None:
    (child,) = enrol(school, new_student(make_class(school), guardians=(mother("0905700005"),)))
    ((tie, name, _first),) = ties(child.student_id)

    with pytest.raises(refusal), transaction():
        students.change_guardian(
            school.id, child.student_id, tie, change, actor=ACCOUNTANT, now=NOON
        )
    assert ties(child.student_id)[0][1] == name


def test_a_guardian_of_another_child_is_not_found(school: MadeSchool) -> None:
    class_id = make_class(school)
    one, two = enrol(
        school,
        new_student(class_id, "Lê An", guardians=(mother("0905700006"),)),
        new_student(class_id, "Vũ Bình"),
    )
    ((tie, _name, _first),) = ties(one.student_id)

    with pytest.raises(errors.GuardianNotFound), transaction():
        students.end_guardianship(
            school.id, two.student_id, tie, on=TODAY, actor=ACCOUNTANT, now=NOON
        )


def test_a_sibling_keeps_a_guardian_without_a_phone(school: MadeSchool) -> None:
    class_id = make_class(school)
    (one,) = enrol(
        school,
        new_student(class_id, "Lê An", guardians=(NewGuardian("Lê Bà", None, "grandmother"),)),
    )
    known = queries.get_student(one.code, TODAY).family[0]
    (two,) = enrol(
        school,
        new_student(
            class_id,
            "Lê Bình",
            guardians=(NewGuardian("Lê Bà", None, "grandmother", guardian_id=known.guardian_id),),
        ),
    )

    siblings = queries.get_student(two.code, TODAY).siblings
    assert [sibling.full_name for sibling in siblings] == ["Lê An"]
