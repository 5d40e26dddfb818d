"""A school of children with an approved price list, made for measuring."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import flask_migrate
from flask import Flask
from sqlalchemy import insert

from app import create_app
from app.config import Settings
from app.core import scope
from app.core.db import analyze, execute, transaction
from app.core.memory import settle
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money.fees.models import (
    ExemptionPolicy,
    ExemptionRate,
    FeeItem,
    FeeSchedule,
    SchedulePrice,
)
from app.people.students.models import Enrolment, Placement, SchoolClass, Student
from tests.factories.schools import NOON, MadeSchool, make_school

SEPTEMBER = date(2026, 9, 1)
MONTHS = tuple(Period(2026, month) for month in (9, 10, 11))
EARLY = datetime(2026, 9, 3, 2, tzinfo=UTC)
LINES = 8


@dataclass(frozen=True, slots=True)
class Ground:
    """What a benchmark stands on."""

    school: MadeSchool
    enrolments: tuple[int, ...]
    students: tuple[int, ...]
    items: tuple[int, ...]


@contextmanager
def standing(children: int) -> Iterator[Ground]:
    """A fresh SQLite database with one school; the scope is open for it."""
    with area(1, children) as schools:
        ground = schools[0]
        with scope.opened(scope.one_school(ground.school.id)):
            yield ground


@contextmanager
def area(schools: int, children: int, url: str | None = None) -> Iterator[list[Ground]]:
    """A fresh database, SQLite without a `url`, with schools of so many children each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=url or f"sqlite:///{folder}/bench.db",
            app_env="test",
            instance_path=Path(folder),
        )
        app: Flask = create_app(settings)
        with app.app_context():
            flask_migrate.upgrade()
            made = [make_school() for _ in range(schools)]
            items = _catalogue(made[0])
            grounds = []
            for place, school in enumerate(made):
                with scope.opened(scope.one_school(school.id)):
                    students, enrolments = _people(school, children, place * children)
                    _prices(school, items)
                grounds.append(Ground(school, enrolments, students, items))
            with scope.opened(scope.EVERY_SCHOOL), transaction():
                # PostgreSQL does so by itself within a minute.
                analyze("students", "enrolments", "placements", "classes", "schedule_prices")
            settle()
            yield grounds
            db.session.remove()
            db.engine.dispose()


def _catalogue(school: MadeSchool) -> tuple[int, ...]:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        items = tuple(
            db.session.scalars(
                insert(FeeItem).returning(FeeItem.id, sort_by_parameter_order=True),
                [
                    {
                        "code": f"ITEM{n}",
                        "name": f"Khoản minh họa {n}",
                        "name_en": f"Sample item {n}",
                        "category": "tuition" if n == 0 else "service",
                        "unit": "month",
                        "legal_act": "Văn bản minh họa",
                        "document_kind": "receipt",
                        "may_be_debt": True,
                        "is_compulsory": True,
                        "issued_by_id": school.unit_id,
                        "valid_from": SEPTEMBER,
                    }
                    for n in range(LINES)
                ],
            )
        )
        policy = db.session.scalar(
            insert(ExemptionPolicy)
            .values(
                code="STATE",
                name="Nhà nước chi trả",
                legal_act="Văn bản minh họa",
                applies_to_all=True,
                valid_from=SEPTEMBER,
            )
            .returning(ExemptionPolicy.id)
        )
        db.session.execute(
            insert(ExemptionRate).values(policy_id=policy, item_id=items[0], percent=100)
        )
    return items


def _people(
    school: MadeSchool, children: int, first: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    with transaction():
        classes = [
            int(
                db.session.scalar(
                    insert(SchoolClass)
                    .values(
                        school_id=school.id,
                        school_year_id=school.year_id,
                        name=f"{n % 5 + 1}/{n // 5 + 1}",
                        grade=n % 5 + 1,
                    )
                    .returning(SchoolClass.id)
                )
                or 0
            )
            for n in range(max(1, children // 40))
        ]
        students = tuple(
            db.session.scalars(
                insert(Student).returning(Student.id, sort_by_parameter_order=True),
                [
                    {
                        "code": f"{n:09d}",
                        "full_name": f"Nguyễn Văn {n}",
                        "search_key": f"nguyen van {n}",
                        "sort_key": f"{n:09d}",
                        "birth_date": date(2018, 5, 12),
                        "sex": "male",
                        "created_at": NOON,
                    }
                    for n in range(first, first + children)
                ],
            )
        )
        enrolments = tuple(
            db.session.scalars(
                insert(Enrolment).returning(Enrolment.id, sort_by_parameter_order=True),
                [
                    {"school_id": school.id, "student_id": student, "starts_on": SEPTEMBER}
                    for student in students
                ],
            )
        )
        db.session.execute(
            insert(Placement),
            [
                {
                    "school_id": school.id,
                    "enrolment_id": enrolment,
                    "class_id": classes[n % len(classes)],
                    "starts_on": SEPTEMBER,
                }
                for n, enrolment in enumerate(enrolments)
            ],
        )
    return students, enrolments


def _prices(school: MadeSchool, items: tuple[int, ...]) -> None:
    with transaction():
        schedule = db.session.scalar(
            insert(FeeSchedule)
            .values(
                school_id=school.id,
                school_year_id=school.year_id,
                version=1,
                state="draft",
                agreement="",
                drafted_by="Ngô Thị Mai",
            )
            .returning(FeeSchedule.id)
        )
        db.session.execute(
            insert(SchedulePrice),
            [
                {
                    "school_id": school.id,
                    "schedule_id": schedule,
                    "item_id": item,
                    "audience": "all",
                    "period": period,
                    "quantity": 1,
                    "price": Vnd(15_000 * (n + 1)),
                }
                for n, item in enumerate(items)
                for period in MONTHS
            ],
        )
        execute(
            "update fee_schedules set state = 'approved' where school_id = :school_id",
            school_id=school.id,
        )
