"""The pages on which terms are read and set, and two people make pupils anonymous."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar, transaction
from app.people import students
from app.people.access import Role
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school, make_unit
from tests.factories.staff import set_clock, signed_in, token, words

#: six years on: past a term of five
LATER = NOON + timedelta(days=6 * 366)
TERM = {
    "kind": "pupils",
    "term": "years",
    "years": "5",
    "act": "Quyết định minh họa 02",
    "source": "Phòng minh họa",
    "certainty": "decided",
}


@pytest.fixture
def area(context: Flask) -> int:
    return make_unit()


@pytest.fixture
def school(area: int) -> MadeSchool:
    return make_school(under=area)


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, LATER)


def left_child(school: MadeSchool, name: str = "Hồ Minh Họa An") -> str:
    child = enrol(school, new_student(make_class(school), name, guardians=(mother(),)))[0]
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_enrolment(
            school.id,
            child.enrolment_id,
            ends_on=date(2026, 11, 25),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
    return child.code


def test_the_office_sets_the_years_and_the_row_before_stays(app: Flask, area: int) -> None:
    officer = signed_in(app, area, Role.OFFICER)
    page = officer.get("/retention")
    assert "Chưa quyết định số năm" in page.text
    assert "Nghị định 174/2016/NĐ-CP" in page.text
    form = {"csrf_token": token(page), **TERM, "valid_from": "2027-01-01"}

    wrong = officer.post("/retention/terms", data={**form, "years": "0"})
    assert wrong.status_code == 422
    assert "từ 1 đến 100" in wrong.text

    assert officer.post("/retention/terms", data=form).status_code == 303
    page = officer.get("/retention")
    assert "Quyết định minh họa 02" in page.text
    assert "chưa quyết định" in page.text  # the row before
    assert "Chưa quyết định số năm" not in page.text


def test_a_principal_asks_and_the_office_approves(
    app: Flask, area: int, school: MadeSchool
) -> None:
    code = left_child(school)
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    page = principal.get("/retention/pupils")
    assert "Hồ Minh Họa An" in page.text
    form = {"csrf_token": token(page), "code": [code]}
    without = principal.post("/retention/pupils", data=form)
    assert without.status_code == 422
    asked = principal.post("/retention/pupils", data={**form, "reason": "hết thời hạn"})
    assert asked.status_code == 303
    address = asked.headers["Location"]
    assert "Người của cơ quan quản lý" in principal.get(address).text
    assert principal.post(address, data={**form, "approve": "yes"}).status_code == 403

    officer = signed_in(app, area, Role.OFFICER, "Phan Văn Minh")
    page = officer.get(address)
    assert "Hồ Minh Họa An" in page.text
    done = officer.post(address, data={"csrf_token": token(page), "approve": "yes"})
    assert done.status_code == 303
    assert "Hồ Minh Họa An" not in officer.get(address).text
    assert "đã ẩn danh 1 em" in words(officer.get("/retention/pupils"))

    child = principal.get(f"/students/{code}")
    assert "Đã ẩn danh ngày" in child.text
    assert "01/01/1900" not in child.text


def test_the_officer_who_asked_finds_no_button_and_is_refused(
    app: Flask, area: int, school: MadeSchool
) -> None:
    code = left_child(school, "Hồ Minh Họa Bảo")
    officer = signed_in(app, area, Role.OFFICER)
    page = officer.get(f"/retention/pupils?school={school.code}")
    form = {"csrf_token": token(page), "school": school.code, "code": [code], "reason": "hết hạn"}
    address = officer.post("/retention/pupils", data=form).headers["Location"]
    page = officer.get(address)
    assert 'value="yes"' not in page.text
    refused = officer.post(address, data={"csrf_token": form["csrf_token"], "approve": "yes"})
    assert refused.status_code == 409
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar("select anonymised_at from students where code = :c", c=code) is None


def test_another_area_sees_nothing_of_it(app: Flask, area: int, school: MadeSchool) -> None:
    code = left_child(school, "Hồ Minh Họa Chi")
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    page = principal.get("/retention/pupils")
    form = {"csrf_token": token(page), "code": [code], "reason": "hết hạn"}
    address = principal.post("/retention/pupils", data=form).headers["Location"]
    elsewhere = make_unit()
    make_school(under=elsewhere)
    stranger = signed_in(app, elsewhere, Role.OFFICER)
    page = stranger.get("/retention/pupils")
    assert "Hồ Minh Họa Chi" not in page.text
    assert stranger.get(address).status_code == 404


def test_who_may_read_and_who_may_not(app: Flask, area: int, school: MadeSchool) -> None:
    for role, place, status in (
        (Role.PRINCIPAL, school.unit_id, 200),
        (Role.AUDITOR, area, 200),
        (Role.ADMINISTRATOR, area, 200),
        (Role.ACCOUNTANT, school.unit_id, 403),
        (Role.TEACHER, school.unit_id, 403),
    ):
        person = signed_in(app, place, role)
        assert person.get("/retention").status_code == status, role
        if role is not Role.PRINCIPAL:
            assert person.get("/retention/pupils").status_code == 403, role
