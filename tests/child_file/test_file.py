"""The child's file: every year on one page and one paper, money of the asking school only."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import press, scope
from app.core.db import scalar, transaction
from app.core.money import ZERO
from app.journeys.child_file.queries import child_file
from app.money import billing
from app.people import students
from app.people.access import Role
from app.people.students import Correction, IdentityField, Origin
from tests.conftest import unavailable
from tests.factories.billing import (
    DECEMBER,
    IN_DECEMBER,
    SmallSchool,
    grant,
    issue,
    small_school,
)
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT, NOON
from tests.factories.staff import counted_queries, set_clock, signed_in, token

TODAY = IN_DECEMBER.date()


@pytest.fixture(autouse=True)
def _december(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture
def accountant(context: Flask, made: SmallSchool) -> FlaskClient:
    return signed_in(context, made.school.unit_id, Role.ACCOUNTANT)


def a_busy_child(made: SmallSchool) -> str:
    """Two bills, a relief that lowers the second, and a corrected name."""
    child = made.children[0]
    issue(made.id)
    grant(made.id, child.enrolment_id, made.half)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    with scope.opened(scope.one_school(made.id)), transaction():
        students.correct_many(
            [Correction(child.student_id, IdentityField.FULL_NAME, "Nguyễn Gia Ân")],
            origin=Origin.HAND,
            reason="theo giấy khai sinh",
            actor=ACCOUNTANT,
            now=IN_DECEMBER,
            school_id=made.id,
        )
    return child.code


def test_the_sums_of_the_file_are_those_of_the_books(made: SmallSchool) -> None:
    code = a_busy_child(made)
    with scope.opened(scope.one_school(made.id)):
        file = child_file(made.id, code, TODAY, with_money=True)
        bills = billing.invoices_of(made.id, made.children[0].student_id)
        owed = scalar(
            "select sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
            " from entries e join accounts a on a.school_id = e.school_id"
            " and a.code = 'receivable' and a.id in (e.debit_id, e.credit_id)"
            " where e.school_id = :school_id and e.student_id = :student",
            school_id=made.id,
            student=made.children[0].student_id,
        )

    assert len(bills) > 1 and file.billed.dong == sum(bill.total.dong for bill in bills)
    assert file.open.dong == owed
    assert [year.name for year in file.years] == ["2026–2027"]
    assert [percent for _item, percent in file.reliefs[0].rates] == [50]


def test_the_page_shows_who_the_child_was(made: SmallSchool, accountant: FlaskClient) -> None:
    code = a_busy_child(made)

    page = accountant.get(f"/students/{code}/file").text

    assert "Nguyễn Gia Ân" in page and "Nguyễn Gia An<" in page and "theo giấy khai sinh" in page
    assert f"/students/{code}/file" in accountant.get(f"/students/{code}").text


def test_the_paper_names_the_rate_of_a_relief_and_never_its_ground(
    made: SmallSchool, accountant: FlaskClient, tmp_path: Path
) -> None:
    if press.why_unavailable() or shutil.which("pdftotext") is None:
        unavailable("papers cannot be drawn or read here")
    code = a_busy_child(made)
    with scope.opened(scope.one_school(made.id)):
        ground = child_file(made.id, code, TODAY, with_money=True).reliefs[0].policy

    form = {"csrf_token": token(accountant.get(f"/students/{code}/file"))}
    answer = accountant.post(f"/students/{code}/file.pdf", data=form)
    (tmp_path / "file.pdf").write_bytes(answer.data)
    text = subprocess.run(
        ["pdftotext", "-raw", tmp_path / "file.pdf", "-"], capture_output=True, check=True
    )
    paper = re.sub(r"\s+", " ", text.stdout.decode())

    assert answer.mimetype == "application/pdf"
    assert "HỒ SƠ HỌC SINH QUA CÁC NĂM" in paper and "Tất cả các năm" in paper
    assert "50 %" in paper and ground not in paper
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar("select count(*) from audit_rows where action = 'student.file_printed'") == 1


def test_a_school_the_child_has_left_sees_its_own_years_only(made: SmallSchool) -> None:
    child, other = made.children[0], small_school(1)
    with scope.opened(scope.one_school(made.id)), transaction():
        students.end_enrolment(
            made.id, child.enrolment_id, ends_on=TODAY, reason="moved", actor=ACCOUNTANT, now=NOON
        )
    person = new_student(other.class_id, student_id=child.student_id, starts_on=TODAY)
    enrol(other.school, person)

    def schools_named(school_id: int) -> set[bool]:
        with scope.opened(scope.one_school(school_id)):
            file = child_file(school_id, child.code, TODAY, with_money=True)
        return {span.is_own for span in file.spans}

    assert schools_named(made.id) == {True}
    assert schools_named(other.id) == {True, False}


def test_the_questions_do_not_grow_with_the_child(context: Flask, made: SmallSchool) -> None:
    def asked(code: str) -> int:
        with scope.opened(scope.one_school(made.id)), counted_queries(context) as statements:
            child_file(made.id, code, TODAY, with_money=True)
        return len(statements)

    before = asked(made.children[1].code)

    assert asked(a_busy_child(made)) == before


def test_a_teacher_has_no_door_and_a_stranger_no_file(
    context: Flask, made: SmallSchool, accountant: FlaskClient
) -> None:
    code = made.children[0].code
    teacher = signed_in(context, made.school.unit_id, Role.TEACHER)
    stranger = signed_in(context, small_school(1).school.unit_id, Role.ACCOUNTANT)

    assert teacher.get(f"/students/{code}/file").status_code == 403
    assert stranger.get(f"/students/{code}/file").status_code == 404
    form = {"csrf_token": token(stranger.get("/students"))}
    assert stranger.post(f"/students/{code}/file.pdf", data=form).status_code == 404
    assert accountant.get("/students/000000000/file").status_code == 404


def test_without_the_right_to_money_no_sum_is_read(made: SmallSchool) -> None:
    code = a_busy_child(made)
    with scope.opened(scope.one_school(made.id)):
        file = child_file(made.id, code, TODAY, with_money=False)

    assert (file.years, file.papers, file.reliefs, file.credit) == ((), (), (), ZERO)
    assert file.spans and not file.has_money
