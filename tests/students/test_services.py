"""Enrolling: one child, one code for life; no two stays at once; families found again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask

from app.core import scope
from app.core.db import DAY, rows, scalar, transaction
from app.core.errors import DomainError
from app.core.ids import damm_digit, is_student_code, new_student_code
from app.people import students
from app.people.schools import Level
from app.people.students import NewGuardian, Scheme, errors
from app.people.students.invariants import INVARIANTS
from app.people.students.services import activation_hash
from tests.factories.people import FIRST_DAY, enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

PIN = (Scheme.PIN, "048218009999", "giấy khai sinh")


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


@pytest.fixture
def class_id(school: MadeSchool) -> int:
    return make_class(school, "3/1", 3)


@pytest.fixture(autouse=True)
def _all_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("context")
    yield
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def leave(school: MadeSchool, enrolment_id: int, day: date) -> None:
    with transaction():
        students.end_enrolment(
            school.id, enrolment_id, ends_on=day, reason="moved", actor=ACCOUNTANT, now=NOON
        )


def placements(enrolment_id: int) -> list[tuple[int, date, date | None]]:
    found = rows(
        "select class_id, starts_on, ends_on from placements where enrolment_id = :e"
        " order by starts_on",
        types={"starts_on": DAY, "ends_on": DAY},
        e=enrolment_id,
    )
    return [(p.class_id, p.starts_on, p.ends_on) for p in found]


def test_a_child_gets_a_code_for_life_and_a_place_in_a_class(
    school: MadeSchool, class_id: int
) -> None:
    made = enrol(school, new_student(class_id, "Nguyễn  Thị Ưu "))[0]

    child = rows("select * from students where id = :id", id=made.student_id)[0]
    assert is_student_code(made.code)
    assert (child.code, child.full_name, child.search_key) == (
        made.code,
        "Nguyễn Thị Ưu",
        "nguyen thi uu",
    )
    assert placements(made.enrolment_id) == [(class_id, FIRST_DAY, None)]


def test_every_enrolment_leaves_a_row_in_the_trail(school: MadeSchool, class_id: int) -> None:
    made = enrol(school, new_student(class_id, "Lê An"), new_student(class_id, "Lê Bình"))

    subjects = {
        row.subject
        for row in rows(
            "select subject from audit_rows where school_id = :school_id"
            " and action = 'student.enrol'",
            school_id=school.id,
        )
    }
    assert subjects == {f"enrolment:{child.enrolment_id}" for child in made}


def test_a_thousand_children_are_enrolled_with_few_statements_and_distinct_codes(
    school: MadeSchool, class_id: int
) -> None:
    made = enrol(
        school,
        *(new_student(class_id, f"Trần Văn Số {n}") for n in range(1000)),
        rng=random.Random(3),
    )

    assert len({child.code for child in made}) == 1000
    names = rows(
        "select s.full_name from enrolments e join students s on s.id = e.student_id"
        " where e.school_id = :school_id order by e.id",
        school_id=school.id,
    )
    assert [row.full_name for row in names] == [f"Trần Văn Số {n}" for n in range(1000)]


def test_a_drawn_code_that_is_taken_is_drawn_again(school: MadeSchool, class_id: int) -> None:
    first = new_student_code(random.Random(5))
    enrol(school, new_student(class_id, "Lê An", code=first))

    made = enrol(school, new_student(class_id, "Lê Bình"), rng=random.Random(5))

    assert made[0].code != first


def test_guardians_are_found_by_phone_and_name_in_the_whole_area(
    school: MadeSchool, class_id: int
) -> None:
    elsewhere = make_school()
    there = make_class(elsewhere)
    enrol(elsewhere, new_student(there, "Phạm An", guardians=(mother("+84 905.777.001"),)))

    enrol(
        school,
        new_student(class_id, "Phạm Bình", guardians=(mother("0905 777 001", "TRẦN THỊ THU HÀ"),)),
        new_student(class_id, "Phạm Chi", guardians=(mother("0905777001", "Trần Thị Khác"),)),
    )

    known = rows("select full_name from guardians where phone = '0905777001' order by id")
    assert [guardian.full_name for guardian in known] == ["Trần Thị Thu Hà", "Trần Thị Khác"]


def test_siblings_in_one_list_share_their_parents(school: MadeSchool, class_id: int) -> None:
    parents = (mother("0905777002"), NewGuardian("Phạm Văn Lực", "0914777002", "father"))

    enrol(
        school,
        new_student(class_id, "Phạm An", guardians=parents),
        new_student(class_id, "Phạm Bình", guardians=parents),
    )

    assert scalar("select count(*) from guardians where phone like '%777002'") == 2
    ties = rows(
        "select t.is_primary, g.phone from guardianships t join guardians g on g.id = t.guardian_id"
        " where g.phone like '%777002' order by t.id"
    )
    assert [(bool(tie.is_primary), tie.phone[:3]) for tie in ties] == [
        (True, "090"),
        (False, "091"),
    ] * 2


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        pytest.param({"full_name": "  "}, errors.BadName, id="no name"),
        pytest.param({"birth_date": FIRST_DAY}, errors.BadDate, id="born on the first day"),
        pytest.param({"birth_date": date(1918, 3, 14)}, errors.BadDate, id="a slip of a century"),
        pytest.param({"starts_on": date(2027, 6, 1)}, errors.BadDate, id="after the year"),
        pytest.param(
            {"identifiers": ((Scheme.PIN, "04821800999", ""),)},
            errors.BadIdentifier,
            id="a personal number of eleven digits",
        ),
        pytest.param({"code": "123456789"}, errors.BadCode, id="a code with a wrong check digit"),
        pytest.param(
            {"guardians": (mother("02363123456"),)}, errors.BadPhone, id="a landline as a phone"
        ),
        pytest.param({"student_id": 10**9}, errors.StudentNotFound, id="a child nobody knows"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_kept(
    school: MadeSchool, class_id: int, change: dict[str, object], refusal: type[DomainError]
) -> None:
    values = {"full_name": "Nguyễn Sai"} | change
    bad = new_student(class_id, **values)  # type: ignore[arg-type]

    with pytest.raises(refusal):
        enrol(school, new_student(class_id, "Nguyễn Đúng"), bad)

    assert not scalar(
        "select count(*) from enrolments where school_id = :school_id", school_id=school.id
    )


def test_a_class_of_another_school_is_refused(school: MadeSchool) -> None:
    theirs = make_class(make_school())

    with pytest.raises(errors.ClassNotFound):
        enrol(school, new_student(theirs))


def test_a_personal_number_belongs_to_one_child(school: MadeSchool, class_id: int) -> None:
    elsewhere = make_school()
    enrol(elsewhere, new_student(make_class(elsewhere), "Lê An", identifiers=(PIN,)))

    with pytest.raises(errors.IdentifierTaken):
        enrol(school, new_student(class_id, "Lê Bình", identifiers=(PIN,)))
    other = (Scheme.PIN, "048218008888", "giấy khai sinh")
    with pytest.raises(errors.IdentifierTaken):
        enrol(
            school,
            new_student(class_id, "Lê Bình", identifiers=(other,)),
            new_student(class_id, "Lê Chi", identifiers=(other,)),
        )


def test_a_code_is_never_given_twice(school: MadeSchool, class_id: int) -> None:
    code = "24681357" + damm_digit("24681357")
    enrol(school, new_student(class_id, "Lê An", code=code))

    with pytest.raises(errors.CodeTaken):
        enrol(school, new_student(class_id, "Lê Bình", code=code))


def test_a_child_of_the_area_keeps_its_code_at_the_next_school(
    school: MadeSchool, class_id: int
) -> None:
    nursery = make_school(level=Level.NURSERY)
    first = enrol(nursery, new_student(make_class(nursery, "Lớn 1", 0), "Phạm Gia Bảo"))[0]

    second = enrol(school, new_student(class_id, "Phạm Gia Bảo", student_id=first.student_id))[0]

    assert (second.student_id, second.code) == (first.student_id, first.code)


def test_a_known_child_with_another_birth_date_is_refused(
    school: MadeSchool, class_id: int
) -> None:
    child = enrol(school, new_student(class_id))[0]
    elsewhere = make_school()
    there = make_class(elsewhere)

    with pytest.raises(errors.StudentMismatch):
        enrol(
            elsewhere,
            new_student(there, birth_date=date(2018, 3, 15), student_id=child.student_id),
        )


def test_stays_at_one_school_may_touch_but_not_overlap(school: MadeSchool, class_id: int) -> None:
    child = enrol(school, new_student(class_id))[0]
    with pytest.raises(errors.AlreadyEnrolled):
        enrol(school, new_student(class_id, student_id=child.student_id))
    leave(school, child.enrolment_id, date(2026, 11, 16))

    with pytest.raises(errors.AlreadyEnrolled):
        enrol(
            school,
            new_student(class_id, student_id=child.student_id, starts_on=date(2026, 11, 15)),
        )
    again = enrol(
        school, new_student(class_id, student_id=child.student_id, starts_on=date(2026, 11, 16))
    )[0]

    assert again.enrolment_id != child.enrolment_id


def test_a_stay_ends_once_and_takes_its_class_with_it(school: MadeSchool, class_id: int) -> None:
    child = enrol(school, new_student(class_id))[0]

    leave(school, child.enrolment_id, date(2026, 11, 16))

    assert placements(child.enrolment_id) == [(class_id, FIRST_DAY, date(2026, 11, 16))]
    with pytest.raises(errors.EnrolmentEnded):
        leave(school, child.enrolment_id, date(2026, 11, 20))


def test_a_stay_cannot_end_before_it_began(school: MadeSchool, class_id: int) -> None:
    child = enrol(school, new_student(class_id))[0]

    with pytest.raises(errors.BadDate):
        leave(school, child.enrolment_id, FIRST_DAY)


def test_the_stay_of_another_school_is_not_found(school: MadeSchool) -> None:
    other = make_school()
    theirs = enrol(other, new_student(make_class(other)))[0]

    with pytest.raises(errors.EnrolmentNotFound):
        leave(school, theirs.enrolment_id, date(2026, 11, 16))


def test_a_change_of_class_keeps_the_days_in_the_old_one(school: MadeSchool, class_id: int) -> None:
    child = enrol(school, new_student(class_id))[0]
    other = make_class(school, "3/2", 3)

    def move(to: int, day: date) -> None:
        with transaction():
            students.move_class(
                school.id, child.enrolment_id, to, from_day=day, actor=ACCOUNTANT, now=NOON
            )

    move(other, date(2026, 10, 12))
    assert placements(child.enrolment_id) == [
        (class_id, FIRST_DAY, date(2026, 10, 12)),
        (other, date(2026, 10, 12), None),
    ]
    with pytest.raises(errors.BadClass):
        move(other, date(2026, 10, 20))
    with pytest.raises(errors.BadDate):
        move(class_id, date(2026, 10, 1))
    move(class_id, date(2026, 10, 12))
    assert [place[0] for place in placements(child.enrolment_id)] == [class_id, class_id]


def test_classes_are_of_the_grades_a_school_teaches(school: MadeSchool, class_id: int) -> None:
    with pytest.raises(errors.BadClass):
        make_class(school, "6/1", 6)
    with pytest.raises(errors.ClassExists):
        make_class(school, "3/1", 3)


def test_an_activation_code_is_kept_as_a_hash_and_replaces_the_one_before(
    school: MadeSchool, class_id: int
) -> None:
    enrol(school, new_student(class_id, guardians=(mother("0905777003"),)))
    guardian = scalar("select id from guardians where phone = '0905777003'")
    codes = []
    for _time in range(2):
        with transaction():
            codes.append(students.issue_activation_code(guardian, now=NOON))

    kept = rows(
        "select code_hash, expires_at > :now as works from activation_codes"
        " where guardian_id = :id order by id",
        id=guardian,
        now=NOON,
    )
    assert [bool(code.works) for code in kept] == [False, True]
    assert kept[1].code_hash == activation_hash(codes[1].lower()[:6] + "-" + codes[1][6:])
    assert codes[0] != codes[1]
    assert all(code not in row.code_hash for code in codes for row in kept)
    assert len(codes[0]) == 12


def test_an_activation_code_works_for_thirty_days(school: MadeSchool, class_id: int) -> None:
    enrol(school, new_student(class_id, guardians=(mother("0905777004"),)))
    guardian = scalar("select id from guardians where phone = '0905777004'")
    with transaction():
        students.issue_activation_code(guardian, now=NOON)

    def works(days: int) -> bool:
        return bool(
            scalar(
                "select count(*) from activation_codes where guardian_id = :id"
                " and expires_at > :then",
                id=guardian,
                then=NOON + timedelta(days=days),
            )
        )

    assert (works(29), works(30)) == (True, False)
