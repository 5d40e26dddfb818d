"""A school near the end of its year, and the one that takes its children on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import scope
from app.core.db import DAY, rows, transaction
from app.core.model import db
from app.journeys.year_end import services
from app.journeys.year_end.plan import Outcome
from app.journeys.year_end.queries import Pair, pair_of, rehearse_one
from app.people.schools import Level
from app.people.schools.models import SchoolYear
from app.people.students import Enrolled
from app.shell.verify import verify
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool, make_school

SUMMER = date(2027, 6, 20)
NEXT_DAY = date(2027, 9, 1)


def open_new_year() -> int:
    """The school year 2027-2028, once for a database; its id."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        found = db.session.scalar(sa.select(SchoolYear.id).where(SchoolYear.code == "2027-2028"))
        if found is None:
            found = db.session.scalar(
                sa.insert(SchoolYear)
                .values(code="2027-2028", starts_on=NEXT_DAY, ends_on=date(2028, 5, 31))
                .returning(SchoolYear.id)
            )
        return int(found or 0)


class Year:
    """One school at the end of 2026-2027, with short names for what tests do to it."""

    def __init__(self, level: Level = Level.PRIMARY, under: int | None = None) -> None:
        self.school: MadeSchool = make_school(level=level, under=under)
        open_new_year()
        self.classes: dict[str, int] = {}
        self.children: dict[str, list[Enrolled]] = {}

    @property
    def id(self) -> int:
        """The school's number."""
        return self.school.id

    def add(self, name: str, grade: int, count: int, *, born: int = 2018) -> list[Enrolled]:
        """A class with some children."""
        if name not in self.classes:
            self.classes[name] = make_class(self.school, name, grade)
        made = enrol(
            self.school,
            *(
                new_student(
                    self.classes[name],
                    f"Nguyễn Thị Mẫu {chr(65 + n)}",
                    birth_date=date(born, 1, 1 + n),
                )
                for n in range(count)
            ),
        )
        self.children.setdefault(name, []).extend(made)
        return made

    def pair(self) -> Pair:
        """2026-2027 and what follows it."""
        with scope.opened(scope.one_school(self.id)):
            return pair_of([self.id], SUMMER)

    def rehearsal(self, today: date = SUMMER) -> Any:
        """What a turn would do now."""
        with scope.opened(scope.one_school(self.id)):
            return rehearse_one(self.id, self.pair(), today)

    def enter(self, name: str, **letters: Outcome) -> None:
        """Outcomes by the place of a child in its class, `c0=Outcome.REPEATS`; the rest usual."""
        known = self.children[name]
        with scope.opened(scope.one_school(self.id)), transaction():
            services.set_outcomes(
                self.id,
                self.classes[name],
                {known[int(key[1:])].enrolment_id: o for key, o in letters.items()},
                pair=self.pair(),
                actor=ACCOUNTANT,
                now=NOON,
            )

    def take_usual(self) -> int:
        """The usual outcome for everybody without one."""
        with scope.opened(scope.one_school(self.id)), transaction():
            return services.take_usual_outcomes(
                self.id, pair=self.pair(), actor=ACCOUNTANT, now=NOON
            )

    def turn(self, expected: int | None = None) -> services.Turned:
        """The principal's click."""
        with scope.opened(scope.one_school(self.id)), transaction():
            return services.turn_year(
                self.id, pair=self.pair(), actor=PRINCIPAL, now=NOON, expected=expected
            )

    def undo(self) -> int:
        """The way back."""
        with scope.opened(scope.one_school(self.id)), transaction():
            return services.undo_turn(
                self.id, pair=self.pair(), reason="Nhầm lớp", actor=PRINCIPAL, now=NOON
            )

    def decide(self, child: Enrolled, *, passed: bool, today: date = SUMMER) -> Outcome:
        """What the summer gave."""
        with scope.opened(scope.one_school(self.id)), transaction():
            return services.decide_retest(
                self.id,
                child.enrolment_id,
                passed=passed,
                pair=self.pair(),
                actor=PRINCIPAL,
                now=NOON,
                today=today,
            )

    def places(self, child: Enrolled) -> list[tuple[str, str, date, date | None]]:
        """The years, classes and days of a child, oldest first."""
        with scope.opened(scope.one_school(self.id)):
            found = rows(
                "select y.code, c.name, p.starts_on, p.ends_on from placements p"
                " join classes c on c.id = p.class_id"
                " join school_years y on y.id = c.school_year_id"
                " where p.school_id = :school_id and p.enrolment_id = :e order by p.starts_on",
                types={"starts_on": DAY, "ends_on": DAY},
                school_id=self.id,
                e=child.enrolment_id,
            )
        return [(p.code, p.name, p.starts_on, p.ends_on) for p in found]

    def stay(self, child: Enrolled) -> tuple[date | None, str | None]:
        """The end of a child's stay and its reason."""
        with scope.opened(scope.one_school(self.id)):
            found = rows(
                "select ends_on, end_reason from enrolments where id = :e",
                types={"ends_on": DAY},
                e=child.enrolment_id,
            )[0]
        return found.ends_on, found.end_reason

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every class, stay and placement of the school, byte for byte."""
        with scope.opened(scope.one_school(self.id)):
            return {
                table: [
                    tuple(r)
                    for r in rows(
                        f"select * from {table} where school_id = :school_id order by id",
                        school_id=self.id,
                    )
                ]
                for table in ("classes", "enrolments", "placements")
            }


@pytest.fixture
def year(context: Flask) -> Year:
    """A primary school with two classes: four children in 4/1, three in 5/1."""
    made = Year()
    made.add("4/1", 4, 4)
    made.add("5/1", 5, 3)
    return made


@pytest.fixture
def all_holds(context: Flask) -> Iterator[None]:
    """Every invariant of the house after the test."""
    yield
    with scope.opened(scope.EVERY_SCHOOL):
        assert {f.number: f.breaches for f in verify() if not f.holds} == {}
