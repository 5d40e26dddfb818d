"""Invented children with their families, classes, exemptions and choices."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from app.demo.calendar import Calendar
from app.demo.catalogue import OPTIONAL
from app.demo.names import Names
from app.demo.organisation import DemoSchool
from app.money.fees import Choice, Grant, grant_exemptions, record_choices
from app.people.access import Role
from app.people.schools import Level
from app.people.students.models import Scheme, Sex
from app.people.students.services import (
    Enrolled,
    NewGuardian,
    NewStudent,
    end_enrolment,
    enrol_many,
    open_classes,
)

#: children who join a family that already has a child at another school: about 12 % have siblings
_JOINS_A_FAMILY: Final = 0.066
_BOTH_PARENTS: Final = 0.25
_NUMBERED: Final = 0.97
_ROOMY_CLASS, _SMALL_CLASS, _SMALL_SCHOOL = 38, 14, 200
_NURSERY_ROOMS: Final = {-3: "Nhà trẻ", -2: "Bé", -1: "Nhỡ", 0: "Lớn"}
GRADES: Final = {
    Level.NURSERY: (-3, -2, -1, 0),
    Level.PRIMARY: (1, 2, 3, 4, 5),
    Level.LOWER_SECONDARY: (6, 7, 8, 9),
}
_TAKES_PART: Final = {"KNS": 0.72, "BHTT": 0.66}


@dataclass(slots=True)
class Family:
    """Parents and what is known of their children so far."""

    name: str
    guardians: tuple[NewGuardian, ...]
    birth_dates: list[date] = field(default_factory=list)
    schools: list[int] = field(default_factory=list)

    @property
    def phone(self) -> str:
        """The number of the parent who answers."""
        return self.guardians[0].phone or ""


@dataclass(frozen=True, slots=True)
class Child:
    """A child as enrolled, with what its payments need."""

    student_id: int
    enrolment_id: int
    code: str
    full_name: str
    class_name: str
    starts_on: date
    family: Family


class Town:
    """All families of the area; later schools find siblings here."""

    def __init__(self, names: Names, rng: random.Random, calendar: Calendar) -> None:
        self._names = names
        self._rng = rng
        self._calendar = calendar
        self._numbers = 0
        self.families: list[Family] = []

    def enrol(self, school: DemoSchool, year_id: int, count: int) -> list[Child]:
        """Open the classes of a school and fill them. Inside the caller's transaction."""
        rooms = class_plan(school.name.level, count)
        actor = school.person(Role.ACCOUNTANT)
        now = self._calendar.prepared_at
        class_ids = open_classes(
            school.id, year_id, [(name, grade) for name, grade, _ in rooms], actor=actor, now=now
        )
        planned: list[tuple[NewStudent, str, Family]] = []
        for class_id, (class_name, grade, size) in zip(class_ids, rooms, strict=True):
            for _place in range(size):
                student, family = self._draw(school, class_id, grade)
                planned.append((student, class_name, family))
        enrolled = enrol_many(
            school.id,
            [student for student, _class, _family in planned],
            actor=actor,
            now=now,
            rng=self._rng,
        )
        return [
            _child(made, student, class_name, family)
            for made, (student, class_name, family) in zip(enrolled, planned, strict=True)
        ]

    def _draw(self, school: DemoSchool, class_id: int, grade: int) -> tuple[NewStudent, Family]:
        sex = self._names.sex()
        year = self._calendar.first_year - 5 - grade
        birth_date = date(year, 1, 1) + timedelta(days=self._rng.randrange(365))
        family = self._family(school.id, birth_date)
        family.birth_dates.append(birth_date)
        family.schools.append(school.id)
        identifiers: tuple[tuple[Scheme, str, str], ...] = ()
        if self._rng.random() < _NUMBERED:
            identifiers = (
                (Scheme.PIN, self._number(birth_date, sex), "giấy khai sinh (minh họa)"),
            )
        student = NewStudent(
            full_name=self._names.child(family.name, sex),
            birth_date=birth_date,
            sex=sex,
            class_id=class_id,
            starts_on=self._first_day(),
            guardians=family.guardians,
            identifiers=identifiers,
        )
        return student, family

    def _first_day(self) -> date:
        chance = self._rng.random()
        if chance < 0.010:
            return self._calendar.billed[1].first_day
        if chance < 0.018:
            return self._calendar.open_month.first_day
        return self._calendar.starts_on

    def _number(self, birth_date: date, sex: Sex) -> str:
        # 999 is no province, so that nobody's real number is ever met.
        self._numbers += 1
        century = 2 if sex is Sex.MALE else 3
        return f"999{century}{birth_date.year % 100:02d}{self._numbers:06d}"

    def _family(self, school_id: int, birth_date: date) -> Family:
        if self.families and self._rng.random() < _JOINS_A_FAMILY:
            for _try in range(8):
                family = self._rng.choice(self.families)
                far = all(abs((birth_date - b).days) > 450 for b in family.birth_dates)
                if far and school_id not in family.schools and len(family.schools) < 3:
                    return family
        family = self._new_family()
        self.families.append(family)
        return family

    def _new_family(self) -> Family:
        name = self._names.family()
        address = self._names.address()

        def parent(sex: Sex) -> NewGuardian:
            # A child has its father's family name; the mother keeps her own.
            own = name if sex is Sex.MALE else None
            relation = "father" if sex is Sex.MALE else "mother"
            return NewGuardian(self._names.adult(sex, own), self._names.phone(), relation, address)

        first = Sex.FEMALE if self._rng.random() < 0.7 else Sex.MALE
        guardians = [parent(first)]
        if self._rng.random() < _BOTH_PARENTS:
            guardians.append(parent(Sex.MALE if first is Sex.FEMALE else Sex.FEMALE))
        return Family(name, tuple(guardians))

    def settle(
        self,
        school: DemoSchool,
        children: Sequence[Child],
        item_ids: dict[str, int],
        policy_ids: dict[str, int],
    ) -> None:
        """Exemptions, families' choices and a few goodbyes. Inside the caller's transaction."""
        calendar, rng = self._calendar, self._rng
        first, open_month = calendar.billed[0], calendar.open_month
        grants: list[Grant] = []
        for child in children:
            chance = rng.random()
            if chance < 0.02:
                grants.append(Grant(child.enrolment_id, policy_ids["HONGHEO"], first))
                grants.append(Grant(child.enrolment_id, policy_ids["BHYTKHAC"], first))
            elif chance < 0.055:
                grants.append(Grant(child.enrolment_id, policy_ids["CANNGHEO"], first))
            elif chance < 0.062:
                grants.append(Grant(child.enrolment_id, policy_ids["CANNGHEO"], open_month))
            elif chance < 0.105:
                grants.append(Grant(child.enrolment_id, policy_ids["BHYTKHAC"], first))
        now = calendar.prepared_at
        principal = school.person(Role.PRINCIPAL)
        accountant = school.person(Role.ACCOUNTANT)
        grant_exemptions(school.id, grants, actor=principal, now=now)
        choices = [
            Choice(
                enrolment_id=child.enrolment_id,
                item_id=item_ids[item],
                first_period=first,
                last_period=calendar.billed[1] if rng.random() < 0.012 else None,
                chosen_on=calendar.starts_on - timedelta(days=rng.randint(4, 11)),
                source="paper",
            )
            for child in children
            for item in OPTIONAL
            if rng.random() < _TAKES_PART[item]
        ]
        record_choices(school.id, choices, actor=accountant, now=now)
        for child in children:
            if child.starts_on == calendar.starts_on and rng.random() < 0.006:
                end_enrolment(
                    school.id,
                    child.enrolment_id,
                    ends_on=open_month.first_day,
                    reason="moved",
                    actor=accountant,
                    now=now,
                )


def _child(made: Enrolled, student: NewStudent, class_name: str, family: Family) -> Child:
    return Child(
        student_id=made.student_id,
        enrolment_id=made.enrolment_id,
        code=made.code,
        full_name=student.full_name,
        class_name=class_name,
        starts_on=student.starts_on,
        family=family,
    )


def class_plan(level: Level, count: int) -> list[tuple[str, int, int]]:
    """Name, grade and size of each class that takes `count` children in."""
    grades = GRADES[level]
    most = _SMALL_CLASS if count < _SMALL_SCHOOL else _ROOMY_CLASS
    found = []
    for place, grade in enumerate(grades):
        in_grade = count // len(grades) + (place < count % len(grades))
        rooms = max(1, -(-in_grade // most))
        for room in range(rooms):
            size = in_grade // rooms + (room < in_grade % rooms)
            name = f"{_NURSERY_ROOMS[grade]} {room + 1}" if grade < 1 else f"{grade}/{room + 1}"
            found.append((name, grade, size))
    return found
