"""The screens: who may do what, and that each act lands where it should."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar
from app.people.access import Role
from app.people.schools import Level
from app.people.schools.models import UnitKind
from tests.factories.schools import make_unit
from tests.factories.staff import set_clock, signed_in, token, words
from tests.year_end.conftest import Year

pytestmark = pytest.mark.usefixtures("all_holds", "june")

YEAR = {"year": "2026-2027"}


@pytest.fixture
def june(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, datetime(2027, 6, 20, 5, tzinfo=UTC))


def test_a_school_goes_through_the_end_of_its_year(year: Year, context: Flask) -> None:
    clerk = signed_in(context, year.school.unit_id, Role.ACCOUNTANT)
    page = clerk.get("/year-end")
    assert "7 em chưa có kết quả cuối năm." in words(page)
    child = year.children["4/1"][0].enrolment_id
    form = clerk.get(f"/year-end/classes/{year.classes['4/1']}")
    assert "Nguyễn Thị Mẫu A" in form.text
    answer = clerk.post(
        f"/year-end/classes/{year.classes['4/1']}",
        data={
            **YEAR,
            "csrf_token": token(form),
            **{f"o-{c.enrolment_id}": "promoted" for c in year.children["4/1"]},
            f"o-{child}": "repeats",
        },
    )
    assert answer.status_code == 303
    assert answer.location.startswith(f"/year-end/classes/{year.classes['5/1']}")
    answer = clerk.post("/year-end/outcomes", data={**YEAR, "csrf_token": token(form)})
    assert answer.status_code == 303
    refused = clerk.post("/year-end/turn", data={**YEAR, "csrf_token": token(form)})
    assert refused.status_code == 403

    principal = signed_in(context, year.school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    page = principal.get("/year-end")
    assert "Chuyển năm học cho 7 em" in words(page)
    wrong = principal.post(
        "/year-end/turn", data={**YEAR, "csrf_token": token(page), "children": 6}
    )
    assert wrong.status_code == 409
    assert principal.post(
        "/year-end/turn", data={**YEAR, "csrf_token": token(page), "children": 7}
    ).location.startswith("/year-end")
    page = principal.get("/year-end")
    assert "Đã chuyển năm học." in words(page)
    assert year.places(year.children["4/1"][0])[1][1] == "4/1"

    short = principal.post(
        "/year-end/undo", data={**YEAR, "csrf_token": token(page), "reason": "vì"}
    )
    assert short.status_code == 422
    done = principal.post(
        "/year-end/undo",
        data={**YEAR, "csrf_token": token(page), "reason": "Nhầm lớp khối bốn"},
    )
    assert done.status_code == 303
    assert len(year.places(year.children["4/1"][0])) == 1


def test_a_wrong_letter_is_refused_and_nothing_is_lost(year: Year, context: Flask) -> None:
    clerk = signed_in(context, year.school.unit_id, Role.ACCOUNTANT)
    address = f"/year-end/classes/{year.classes['4/1']}"
    child = year.children["4/1"][0].enrolment_id

    answer = clerk.post(
        address,
        data={**YEAR, "csrf_token": token(clerk.get(address)), f"o-{child}": "finished"},
    )

    assert answer.status_code == 422
    assert "không thể có kết quả này" in answer.text


@pytest.mark.parametrize("role", [Role.TEACHER, Role.CASHIER, Role.KITCHEN])
def test_others_stay_outside(year: Year, context: Flask, role: Role) -> None:
    assert signed_in(context, year.school.unit_id, role).get("/year-end").status_code == 403


def test_a_class_of_another_school_does_not_exist(year: Year, context: Flask) -> None:
    other = Year()
    other.add("4/9", 4, 1)
    clerk = signed_in(context, year.school.unit_id, Role.ACCOUNTANT)
    assert clerk.get(f"/year-end/classes/{other.classes['4/9']}").status_code == 404
    page = clerk.get("/year-end")
    stranger = other.children["4/9"][0].enrolment_id
    taken = clerk.post(
        f"/year-end/classes/{other.classes['4/9']}",
        data={
            **YEAR,
            "csrf_token": token(page),
            f"o-{stranger}": "repeats",
        },
    )
    assert taken.status_code == 404


def test_the_area_sees_all_its_schools_and_sends_children_on(context: Flask) -> None:
    cluster = make_unit(UnitKind.CLUSTER)
    nursery = Year(Level.NURSERY, under=cluster)
    nursery.add("Lớn 1", 0, 2, born=2021)
    primary = Year(under=cluster)
    primary.add("1/1", 1, 1, born=2020)
    officer = signed_in(context, cluster, Role.OFFICER, "Lê Thị Hằng")

    page = officer.get("/area/year-end")
    assert f"{nursery.school.code[2:].lstrip('0')}" in page.text
    assert "3" in words(page)
    page = officer.get("/area/hand-over")
    sent = officer.post(
        "/area/hand-over",
        data={
            **YEAR,
            "csrf_token": token(page),
            "from_school": nursery.id,
            "to_school": primary.school.code,
        },
    )
    assert sent.status_code == 303
    refused = officer.post(
        "/area/hand-over/list",
        data={**YEAR, "csrf_token": token(page), "lines": "123456789 TH1"},
    )
    assert refused.status_code == 422
    assert "123456789 TH1" in refused.text

    nursery.take_usual()
    nursery.turn()
    clerk = signed_in(context, primary.school.unit_id, Role.ACCOUNTANT)
    page = clerk.get("/year-end/arrivals")
    assert "Nguyễn Thị Mẫu B" in page.text
    ids = [c.student_id for c in nursery.children["Lớn 1"]]
    stays = [c.enrolment_id for c in nursery.children["Lớn 1"]]
    answer = clerk.post(
        "/year-end/arrivals",
        data={**YEAR, "csrf_token": token(page), "child": stays, "place": ""},
    )
    assert answer.status_code == 303
    with scope.opened(scope.one_school(primary.id)):
        assert (
            scalar(
                "select count(*) from enrolments where school_id = :school_id"
                " and student_id in :ids",
                school_id=primary.id,
                ids=ids,
            )
            == 2
        )
    for address in ("/area/hand-over.xlsx", "/area/year-end?year=2027-2028"):
        assert officer.get(address).status_code == 200
    for address in (
        "/year-end/arrivals.xlsx",
        "/year-end/finishing.xlsx",
        "/year-end/next-classes",
    ):
        assert clerk.get(address).status_code == 200


def test_an_officer_opens_the_next_year_once(context: Flask) -> None:
    cluster = make_unit(UnitKind.CLUSTER)
    Year(under=cluster)
    officer = signed_in(context, cluster, Role.OFFICER)
    page = officer.get("/area/year-end")
    again = officer.post(
        "/area/school-years",
        data={
            **YEAR,
            "csrf_token": token(page),
            "starts_on": "2027-09-01",
            "ends_on": "2028-05-31",
        },
    )
    assert again.status_code == 409
    nxt = officer.post(
        "/area/school-years",
        data={
            "year": "2027-2028",
            "csrf_token": token(page),
            "starts_on": "2028-04-01",
            "ends_on": "2029-05-31",
        },
    )
    assert nxt.status_code == 422
