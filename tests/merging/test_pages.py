"""The pages on which a person decides that two records are one child."""

from __future__ import annotations

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar, transaction
from app.people.access import Role
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import MadeSchool, link, make_school, make_unit
from tests.factories.staff import signed_in, token

FAMILY = (mother("0905000999"),)


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


def twice(school: MadeSchool, other: MadeSchool | None = None) -> tuple[str, str]:
    first = enrol(school, new_student(make_class(school), guardians=FAMILY))[0]
    place = other or school
    second = enrol(place, new_student(make_class(place), guardians=FAMILY))[0]
    return first.code, second.code


def leads_to(code: str) -> str | None:
    with scope.opened(scope.EVERY_SCHOOL):
        found = scalar(
            "select t.code from students s join students t on t.id = s.merged_into_id"
            " where s.code = :code",
            code=code,
        )
    return None if found is None else str(found)


def test_the_principal_joins_two_records_and_takes_it_back(app: Flask, school: MadeSchool) -> None:
    first, second = twice(school)
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    listed = principal.get("/duplicates")
    assert f"first={first}" in listed.text
    page = principal.get(f"/duplicates/pair?first={first}&second={second}")
    form = {"csrf_token": token(page), "first": first, "second": second, "keep": "first"}

    without = principal.post("/duplicates/pair", data=form)
    assert without.status_code == 422
    assert leads_to(second) is None

    done = principal.post("/duplicates/pair", data={**form, "reason": "nhập hai lần"})
    assert done.status_code == 303
    assert leads_to(second) == first

    page = principal.get("/duplicates")
    with scope.opened(scope.EVERY_SCHOOL):
        merge_id = scalar("select max(id) from merges")
    undone = principal.post(
        f"/duplicates/merges/{merge_id}/undo",
        data={"csrf_token": token(page), "reason": "hai em khác nhau"},
    )
    assert undone.status_code == 303
    assert leads_to(second) is None


def test_an_accountant_looks_and_does_not_join(app: Flask, school: MadeSchool) -> None:
    first, second = twice(school)
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    page = accountant.get(f"/duplicates/pair?first={first}&second={second}")
    assert page.status_code == 200
    assert 'name="keep"' not in page.text
    answer = accountant.post(
        "/duplicates/pair",
        data={"csrf_token": token(page), "first": first, "second": second, "keep": "first"},
    )
    assert answer.status_code == 403


def test_a_pair_of_two_schools_is_joined_by_the_area_office_only(
    app: Flask, school: MadeSchool
) -> None:
    area = make_unit()
    other = make_school(under=area)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        link(area, school.unit_id)
    first, second = twice(school, other)

    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    listed = principal.get("/duplicates").text
    assert second[:3] + "-" + second[3:6] not in listed
    assert principal.get(f"/duplicates/pair?first={first}&second={second}").status_code == 409

    officer = signed_in(app, area, Role.OFFICER)
    page = officer.get(f"/duplicates/pair?first={first}&second={second}")
    assert page.status_code == 200
    done = officer.post(
        "/duplicates/pair",
        data={
            "csrf_token": token(page),
            "first": first,
            "second": second,
            "keep": "second",
            "reason": "chuyển trường, nhập lại",
        },
    )
    assert done.status_code == 303
    assert leads_to(first) == second


def test_two_children_stay_apart_and_are_not_proposed_again(app: Flask, school: MadeSchool) -> None:
    first, second = twice(school)
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    page = accountant.get(f"/duplicates/pair?first={first}&second={second}")
    done = accountant.post(
        "/duplicates/two-children",
        data={"csrf_token": token(page), "first": first, "second": second, "reason": "chị em họ"},
    )
    assert done.status_code == 303
    assert f"first={first}" not in accountant.get("/duplicates").text


@pytest.mark.parametrize("codes", [("000000000", "111111111"), ("", "")])
def test_an_unknown_code_is_said_and_nothing_is_lost(
    app: Flask, school: MadeSchool, codes: tuple[str, str]
) -> None:
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    answer = principal.get(f"/duplicates/pair?first={codes[0]}&second={codes[1]}")
    assert answer.status_code == 404
    assert "Recorded" in answer.text or "mã" in answer.text


def test_a_code_compared_with_itself_is_refused(app: Flask, school: MadeSchool) -> None:
    first, _second = twice(school)
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    assert principal.get(f"/duplicates/pair?first={first}&second={first}").status_code == 409
