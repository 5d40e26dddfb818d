"""Children with families, enrolled by the services: legal and invented."""

from __future__ import annotations

import itertools
import random
from datetime import date

from app.core import scope
from app.core.db import transaction
from app.people import students
from app.people.schools import Level
from app.people.students import Enrolled, NewGuardian, NewStudent, Sex
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool

_numbers = itertools.count(1)
_GRADE = {Level.NURSERY: 0, Level.PRIMARY: 3, Level.LOWER_SECONDARY: 9}
FIRST_DAY = date(2026, 9, 1)


def make_class(school: MadeSchool, name: str | None = None, grade: int | None = None) -> int:
    """A class of the school's year; its id."""
    grade = _GRADE[school.level] if grade is None else grade
    name = name or f"{abs(grade)}/{next(_numbers)}"
    with scope.opened(scope.one_school(school.id)), transaction():
        return students.open_classes(
            school.id, school.year_id, [(name, grade)], actor=ACCOUNTANT, now=NOON
        )[0]


def new_student(
    class_id: int | None,
    full_name: str = "Nguyễn Minh Khang",
    *,
    birth_date: date = date(2018, 3, 14),
    starts_on: date = FIRST_DAY,
    sex: Sex = Sex.MALE,
    guardians: tuple[NewGuardian, ...] = (),
    identifiers: tuple[tuple[students.Scheme, str, str], ...] = (),
    code: str | None = None,
    student_id: int | None = None,
) -> NewStudent:
    """What a school's list says of one child."""
    return NewStudent(
        full_name=full_name,
        birth_date=birth_date,
        sex=sex,
        class_id=class_id,
        starts_on=starts_on,
        guardians=guardians,
        identifiers=identifiers,
        code=code,
        student_id=student_id,
    )


def enrol(
    school: MadeSchool, *children: NewStudent, rng: random.Random | None = None
) -> list[Enrolled]:
    """Enrol children, as the office does."""
    with scope.opened(scope.one_school(school.id)), transaction():
        return students.enrol_many(school.id, children, actor=ACCOUNTANT, now=NOON, rng=rng)


def mother(phone: str = "0905123456", full_name: str = "Trần Thị Thu Hà") -> NewGuardian:
    """A mother with a mobile phone."""
    return NewGuardian(full_name, phone, "mother")
