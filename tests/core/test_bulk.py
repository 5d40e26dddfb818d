"""Many rows at once: numbers in order, defaults filled, on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.bulk import FEW, insert_rows
from app.core.db import rows, transaction
from app.people.students.models import Guardian, Scheme, Student, StudentIdentifier
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import NOON, make_school


def _student(number: int) -> dict[str, Any]:
    return {
        "code": f"9000{number:05d}",
        "full_name": f"Họ\tTên \\N {number}",
        "search_key": "ho ten",
        "sort_key": "ho ten",
        "birth_date": date(2016, 1, 1),
        "sex": "male",
        "created_at": NOON,
    }


@pytest.mark.parametrize("count", [1, 2, FEW + 5])
def test_numbers_come_back_in_the_order_given(context: Flask, count: int) -> None:
    given = [_student(count * 100 + n) for n in range(count)]
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        ids = insert_rows(Student, given)
    with scope.opened(scope.EVERY_SCHOOL):
        kept = rows(
            "select code, full_name, verification from students where id in :ids order by id",
            ids=ids,
        )
    assert ids == sorted(ids)
    assert [child.code for child in kept] == [child["code"] for child in given]
    assert {child.verification for child in kept} == {"CHUA_CO_SO"}
    assert [child.full_name for child in kept] == [child["full_name"] for child in given]


def test_words_of_a_list_are_written_by_value_and_nothing_stays_nothing(context: Flask) -> None:
    school = make_school()
    child = enrol(school, new_student(make_class(school)))[0].student_id
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        insert_rows(
            StudentIdentifier,
            [
                {
                    "student_id": child,
                    "scheme": Scheme.SCHOOL,
                    "value": f"HS {n}",
                    "source": "sổ",
                    "valid_from": date(2026, 9, 1),
                    "valid_to": date(2026, 10, 1) if n % 2 else None,
                }
                for n in range(FEW + 1)
            ],
        )
    with scope.opened(scope.EVERY_SCHOOL):
        kept = rows(
            "select scheme, valid_to from student_identifiers where student_id = :id order by id",
            id=child,
        )
    assert {number.scheme for number in kept} == {"school"}
    assert [number.valid_to is None for number in kept] == [n % 2 == 0 for n in range(FEW + 1)]


def test_ordinary_writing_goes_on_after_it(context: Flask) -> None:
    lines = [
        {"full_name": f"Mẹ {n}", "search_key": f"me {n}", "phone": None, "address": None}
        for n in range(FEW + 1)
    ]
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        first = insert_rows(Guardian, lines)
        second = insert_rows(Guardian, lines[:1])
    assert second[0] > first[-1]
