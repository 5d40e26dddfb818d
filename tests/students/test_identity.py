"""Names, birth dates, sexes and numbers are set right with their history kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.db import execute, row, rows, transaction
from app.people import students
from app.people.students import (
    Correction,
    IdentityField,
    NewIdentifier,
    NoNumber,
    Origin,
    Scheme,
    Sex,
    Verification,
)
from app.people.students.errors import (
    BadDate,
    BadIdentifier,
    BadName,
    BadReason,
    IdentifierTaken,
    NumberKnown,
    StudentNotFound,
)
from app.people.students.invariants import INVARIANTS
from app.people.students.numbers import Oddity, oddities
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

FAKE = "001099000001"
OTHER = "001099000002"
DAY = date(2026, 10, 5)


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


@pytest.fixture
def child(school: MadeSchool) -> int:
    return enrol(school, new_student(make_class(school)))[0].student_id


def correct(
    school: MadeSchool,
    *given: Correction,
    origin: Origin = Origin.HAND,
    reason: str = "theo giấy khai sinh",
    now: datetime = NOON,
) -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return students.correct_many(
            given, origin=origin, reason=reason, actor=ACCOUNTANT, now=now, school_id=school.id
        )


def number(school: MadeSchool, *given: NewIdentifier, origin: Origin = Origin.HAND) -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return students.record_identifiers(
            given, origin=origin, reason="giấy", actor=ACCOUNTANT, now=NOON, school_id=school.id
        )


def pin(child: int, value: str = FAKE, day: date = DAY) -> NewIdentifier:
    return NewIdentifier(child, Scheme.PIN, value, "giấy khai sinh", day)


def of(child: int) -> Any:
    with scope.opened(scope.EVERY_SCHOOL):
        return row("select * from students where id = :id", id=child)


def history(child: int) -> list[tuple[str, str | None, str | None, str]]:
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            (c.field, c.old_value, c.new_value, c.origin)
            for c in rows(
                "select field, old_value, new_value, origin from identity_changes"
                " where student_id = :id order by id",
                id=child,
            )
        ]


def mark(child: int, state: Verification) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update students set verification = :s where id = :id", s=state.value, id=child)


def all_hold() -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: i.find() for i in INVARIANTS if i.find()} == {}


def test_a_corrected_name_is_found_and_sorted_anew_and_the_old_one_is_kept(
    school: MadeSchool, child: int
) -> None:
    assert correct(school, Correction(child, IdentityField.FULL_NAME, "  Đỗ  Thị Hoà ")) == 1

    found = of(child)
    assert found.full_name == "Đỗ Thị Hoà"
    assert found.search_key == "do thi hoa"
    assert history(child) == [("full_name", "Nguyễn Minh Khang", "Đỗ Thị Hoà", "hand")]
    all_hold()


def test_birth_date_and_sex_are_set_right_together(school: MadeSchool, child: int) -> None:
    changed = correct(
        school,
        Correction(child, IdentityField.BIRTH_DATE, date(2018, 4, 13)),
        Correction(child, IdentityField.SEX, Sex.FEMALE),
    )

    assert changed == 2
    assert history(child) == [
        ("birth_date", "2018-03-14", "2018-04-13", "hand"),
        ("sex", "male", "female", "hand"),
    ]
    all_hold()


def test_what_is_right_already_leaves_no_trace(school: MadeSchool, child: int) -> None:
    assert correct(school, Correction(child, IdentityField.SEX, Sex.MALE)) == 0
    assert history(child) == []


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        (IdentityField.FULL_NAME, "   ", BadName),
        (IdentityField.FULL_NAME, "x" * 121, BadName),
        (IdentityField.BIRTH_DATE, NOON.date() + timedelta(days=2), BadDate),
        (IdentityField.BIRTH_DATE, date(1815, 1, 1), BadDate),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_changes(
    school: MadeSchool, child: int, field: IdentityField, value: Any, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        correct(
            school,
            Correction(child, IdentityField.SEX, Sex.FEMALE),
            Correction(child, field, value),
        )
    assert of(child).sex == "male"


def test_a_reason_is_needed(school: MadeSchool, child: int) -> None:
    with pytest.raises(BadReason):
        correct(school, Correction(child, IdentityField.SEX, Sex.FEMALE), reason=" ")


def test_an_unknown_child_cannot_be_corrected(school: MadeSchool) -> None:
    with pytest.raises(StudentNotFound):
        correct(school, Correction(987_654_321, IdentityField.SEX, Sex.FEMALE))


def test_a_first_number_makes_the_child_ready_to_be_sent(school: MadeSchool, child: int) -> None:
    assert of(child).verification == Verification.NO_NUMBER

    assert number(school, pin(child)) == 1

    assert of(child).verification == Verification.NOT_SENT
    assert history(child) == [("pin", None, FAKE, "hand")]
    all_hold()
    number(school, NewIdentifier(child, Scheme.PIN, "001099000777", "giấy", DAY))


def test_a_new_number_ends_the_old_one_which_stays_readable(school: MadeSchool, child: int) -> None:
    number(school, pin(child, "001099000011"))
    number(school, pin(child, "001099000012", date(2026, 11, 2)))

    with scope.opened(scope.EVERY_SCHOOL):
        found = rows(
            "select value, valid_to is null as valid from student_identifiers"
            " where student_id = :id order by id",
            id=child,
        )
    assert [(n.value, bool(n.valid)) for n in found] == [
        ("001099000011", False),
        ("001099000012", True),
    ]
    all_hold()


def test_the_same_number_twice_changes_nothing(school: MadeSchool, child: int) -> None:
    number(school, pin(child, "001099000021"))
    assert number(school, pin(child, "001099000021", date(2026, 12, 1))) == 0


@pytest.mark.parametrize("wrong", ["", "12345678901", "0010990000012", "00109900000a"])
def test_only_length_and_digits_of_a_personal_number_are_judged(
    school: MadeSchool, child: int, wrong: str
) -> None:
    with pytest.raises(BadIdentifier):
        number(school, pin(child, wrong))


def test_a_personal_number_is_one_childs_only(school: MadeSchool, child: int) -> None:
    number(school, pin(child, OTHER))
    twin = enrol(school, new_student(make_class(school), "Nguyễn Minh Khôi"))[0].student_id
    with pytest.raises(IdentifierTaken):
        number(school, pin(twin, OTHER))
    with pytest.raises(IdentifierTaken):
        number(school, pin(twin, "001099000031"), pin(child, "001099000031"))


def test_a_cancelled_number_may_be_given_again(school: MadeSchool, child: int) -> None:
    number(school, pin(child, "001099000041"))
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_identifier(
            child,
            Scheme.PIN,
            on=DAY,
            reason="cấp nhầm",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )
    assert of(child).verification == Verification.NO_NUMBER
    assert history(child)[-1] == ("pin", "001099000041", None, "hand")

    other = enrol(school, new_student(make_class(school), "Lê Bảo An"))[0].student_id
    assert number(school, pin(other, "001099000041")) == 1
    all_hold()


@pytest.mark.parametrize(
    "state",
    [Verification.MATCHED, Verification.WAITING, Verification.DIFFERS, Verification.NOT_FOUND],
)
def test_editing_a_proved_identity_drops_it_back(
    school: MadeSchool, child: int, state: Verification
) -> None:
    number(school, pin(child, f"0010990005{list(Verification).index(state):02}"))
    mark(child, state)

    correct(school, Correction(child, IdentityField.SEX, Sex.FEMALE))

    assert of(child).verification == Verification.NOT_SENT


def test_a_number_of_the_school_proves_and_unproves_nothing(school: MadeSchool, child: int) -> None:
    number(school, pin(child, "001099000061"))
    mark(child, Verification.MATCHED)

    number(school, NewIdentifier(child, Scheme.SCHOOL, "HS-17", "sổ đăng bộ", DAY))

    assert of(child).verification == Verification.MATCHED


def test_a_field_counts_as_hand_made_until_a_list_changes_it(
    school: MadeSchool, child: int
) -> None:
    correct(school, Correction(child, IdentityField.FULL_NAME, "Nguyễn Minh Khánh"))
    with scope.opened(scope.EVERY_SCHOOL):
        assert students.hand_made([child]) == {(child, IdentityField.FULL_NAME)}

    correct(
        school,
        Correction(child, IdentityField.FULL_NAME, "Nguyễn Minh Khang"),
        origin=Origin.LIST,
    )
    with scope.opened(scope.EVERY_SCHOOL):
        assert students.hand_made([child]) == set()


def test_a_child_without_a_number_has_a_reason_until_it_has_one(
    school: MadeSchool, child: int
) -> None:
    def explain() -> None:
        with scope.opened(scope.one_school(school.id)), transaction():
            students.explain_missing_number(
                child, NoNumber.BEING_MADE, actor=ACCOUNTANT, now=NOON, school_id=school.id
            )

    explain()
    assert of(child).no_number_reason == NoNumber.BEING_MADE
    number(school, pin(child, "001099000071"))
    assert of(child).no_number_reason is None
    with pytest.raises(NumberKnown):
        explain()


def test_enrolling_with_a_number_is_ready_to_be_sent(school: MadeSchool) -> None:
    made = enrol(
        school,
        new_student(make_class(school), identifiers=((Scheme.PIN, "001099000081", "danh sách"),)),
    )
    assert of(made[0].student_id).verification == Verification.NOT_SENT


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("048218000001", [], id="as such numbers used to be made"),
        pytest.param("003218000001", [Oddity.PROVINCE], id="a beginning never given out"),
        pytest.param("048318000001", [Oddity.CENTURY_OR_SEX], id="a girl's sign"),
        pytest.param("048217000001", [Oddity.YEAR], id="another year"),
    ],
)
def test_an_odd_number_is_pointed_out_and_never_refused(
    written: str, expected: list[Oddity]
) -> None:
    assert oddities(written, date(2018, 3, 14), Sex.MALE) == expected
