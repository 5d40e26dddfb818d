"""The catalogue of the unit above: what may be charged, what is forbidden, what insurance costs."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.money import Vnd
from app.money import fees
from app.money.fees import Category, catalogue, queries
from app.money.fees.errors import BadItem, BadMonths, ForbiddenCharge, ItemNotFound, RateExists
from app.people.access import Role
from app.people.schools import Level
from tests.factories.fees import approved_schedule, make_draft, make_item, price
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import signed_in, token

DAY = date(2026, 9, 1)
WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


def add(school: MadeSchool, name: str, **changes: Any) -> int:
    values: dict[str, Any] = {
        "code": f"X{abs(hash((name, school.id, str(changes)))) % 10**9}",
        "name": name,
        "name_en": name,
        "category": Category.SERVICE,
        "unit": fees.FeeUnit.MONTH,
        "legal_act": "Nghị quyết minh họa",
        "may_be_debt": True,
        "is_compulsory": False,
        "issued_by_id": school.unit_id,
        "valid_from": DAY,
    }
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return fees.add_item(fees.NewItem(**{**values, **changes}), **WHO)


@pytest.mark.parametrize(
    "name",
    [
        "Tiền dạy thêm Toán",
        "HỌC THÊM buổi chiều",
        "Phụ đạo học sinh",
        "Tiền bảo vệ trường",
        "Trông xe cho em",
        "Sửa chữa lớp học",
    ],
)
def test_what_the_law_forbids_asks_for_the_act_that_allows_it(
    school: MadeSchool, name: str
) -> None:
    with pytest.raises(ForbiddenCharge) as refusal:
        add(school, name)
    assert "Thông tư" in refusal.value.message
    assert add(school, name, allowed_by="Nghị quyết 99/2026/NQ-HĐND, Điều 2")


@pytest.mark.parametrize("name", ["Nước uống", "Kỹ năng sống", "Học phẩm", "Giữ trẻ thứ Bảy"])
def test_ordinary_names_are_no_offence(school: MadeSchool, name: str) -> None:
    assert add(school, name)


def test_a_prohibition_holds_from_its_day_on(school: MadeSchool) -> None:
    assert add(school, "Dạy thêm hè", valid_from=date(2024, 6, 1))


def test_two_sessions_are_forbidden_at_lower_secondary_schools_when_submitted(
    context: Flask,
) -> None:
    primary, secondary = make_school(), make_school(level=Level.LOWER_SECONDARY)
    item = add(primary, "Dạy học hai buổi một ngày")
    approved_schedule(primary, [price(item, 100_000)])
    draft = make_draft(secondary, [price(item, 100_000)])
    with (
        pytest.raises(ForbiddenCharge) as refusal,
        scope.opened(scope.one_school(secondary.id)),
        transaction(),
    ):
        fees.submit_schedule(secondary.id, draft, **WHO)
    assert "Chỉ thị 17" in refusal.value.message


@pytest.mark.parametrize(
    ("day", "months", "dong"),
    [
        (date(2024, 9, 1), 12, 884_520),
        (date(2024, 9, 1), 6, 442_260),
        (date(2024, 9, 1), 3, 221_130),
        (date(2025, 9, 1), 12, 631_800),
        (date(2025, 9, 1), 6, 315_900),
        (date(2025, 9, 1), 3, 157_950),
        (date(2026, 9, 1), 12, 683_100),
        (date(2026, 9, 1), 6, 341_550),
        (date(2026, 9, 1), 3, 170_775),
    ],
)
def test_insurance_is_the_printed_sum_of_its_year(
    context: Flask, day: date, months: int, dong: int
) -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        rate = catalogue.insurance_on(day)
    assert rate is not None and rate.of_family(months) == Vnd(dong)


def test_insurance_is_divided_once_and_half_up(context: Flask) -> None:
    rate = catalogue.Insurance(Vnd(2_340_001), 55, "x", DAY)
    # 2,340,001 × 45 × 45 × 1 = 4,738,502,025: 47,385.02 đồng
    assert rate.of_family(1) == Vnd(47_385)
    assert catalogue.Insurance(Vnd(100_000), 50, "x", DAY).of_family(1) == Vnd(2_250)
    assert catalogue.Insurance(Vnd(11), 0, "x", DAY).of_family(101) == Vnd(50)  # 49.995


def test_a_rate_is_superseded_and_never_overwritten(context: Flask) -> None:
    given = {"base_salary": Vnd(2_700_000), "state_share": 60, "legal_act": "Nghị định minh họa"}
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        catalogue.set_insurance_rate(**given, valid_from=date(2030, 7, 1), **WHO)
    for changes, refusal in (
        ({"valid_from": date(2030, 7, 1)}, RateExists),
        ({"valid_from": date(2031, 7, 1), "state_share": 101}, BadItem),
        ({"valid_from": date(2031, 7, 1), "legal_act": " "}, BadItem),
    ):
        with pytest.raises(refusal), scope.opened(scope.EVERY_SCHOOL), transaction():
            catalogue.set_insurance_rate(**{**given, **changes}, **WHO)


def test_the_usual_items_come_once_without_prices_and_caps(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        first = catalogue.seed_items(school.unit_id, valid_from=DAY, **WHO)
        again = catalogue.seed_items(school.unit_id, valid_from=DAY, **WHO)
    with scope.opened(scope.EVERY_SCHOOL):
        items = {item.code: item for item in queries.all_items().values()}
        caps = queries.all_caps()
    assert len(first) == 21 and again == []
    assert {item.category for item in items.values()} == set(Category)
    assert not items["CHAMSOC"].is_checked and items["HOCPHI"].is_checked
    assert not any(caps.get(items[code].id) for code in first)
    assert not items["TAITRO"].may_be_debt and not items["QUYCMHS"].is_compulsory


def test_an_item_ends_once_and_after_its_first_day(school: MadeSchool) -> None:
    item = make_item(school)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        catalogue.end_item(item, valid_to=date(2027, 6, 1), **WHO)
    for number, day, refusal in (
        (item, date(2027, 7, 1), BadMonths),
        (make_item(school), date(2024, 1, 1), BadMonths),
        (10**6, DAY, ItemNotFound),
    ):
        with pytest.raises(refusal), scope.opened(scope.EVERY_SCHOOL), transaction():
            catalogue.end_item(number, valid_to=day, **WHO)


def test_the_unit_above_keeps_the_catalogue_and_schools_read_it(
    context: Flask, school: MadeSchool
) -> None:
    officer = signed_in(context, school.unit_id, Role.OFFICER)
    page = officer.get("/catalogue")
    form = {
        "csrf_token": token(page),
        "code": "hebong",
        "name": "Tiền hè minh họa",
        "category": "service",
        "unit": "month",
        "legal_act": "Nghị quyết minh họa",
        "valid_from": "2026-09-01",
    }
    assert officer.post("/catalogue/items", data=form).status_code == 303
    forbidden = officer.post("/catalogue/items", data={**form, "code": "Y", "name": "Dạy thêm"})
    assert forbidden.status_code == 409 and "Thông tư 29/2024" in forbidden.text
    assert officer.post("/catalogue/items", data={**form, "unit": "?"}).status_code == 422
    with scope.opened(scope.EVERY_SCHOOL):
        item = rows("select id from fee_items where code = 'HEBONG'")[0].id
    cap = {
        "csrf_token": token(page),
        "amount": "250.000",
        "level": "primary",
        "legal_act": "Nghị quyết minh họa",
        "valid_from": "2026-09-01",
    }
    assert officer.post(f"/catalogue/items/{item}/caps", data=cap).status_code == 303
    bad = officer.post(f"/catalogue/items/{item}/caps", data={**cap, "amount": "1.250 000"})
    assert bad.status_code == 422
    rate = {
        "csrf_token": token(page),
        "base_salary": "3.000.000",
        "state_share": "50",
        "legal_act": "Nghị định minh họa",
        "valid_from": "2035-07-01",
    }
    assert officer.post("/catalogue/insurance", data=rate).status_code == 303
    end = {"csrf_token": token(page), "valid_to": "2027-06-01"}
    assert officer.post(f"/catalogue/items/{item}/end", data=end).status_code == 303
    first = {"csrf_token": token(page), "valid_from": "2026-09-01"}
    assert officer.post("/catalogue/first-items", data=first).status_code == 303

    clerk = signed_in(context, school.unit_id, Role.ACCOUNTANT)
    seen = clerk.get("/catalogue").text
    assert "250.000" in seen and "cần kiểm tra" in seen and "Đặt mức trần" not in seen
    form["csrf_token"] = token(clerk.get("/billing-runs"))
    assert clerk.post("/catalogue/items", data=form).status_code == 403


def test_the_command_puts_the_usual_items_in(context: Flask, school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        code = scalar("select code from organisation_units where id = :id", id=school.unit_id)
    runner = context.test_cli_runner()
    done = runner.invoke(args=["fees", "seed", "--unit", code, "--from", "2026-09-01"])
    assert done.exit_code == 0 and "added" in json.loads(done.output)
    wrong = runner.invoke(args=["fees", "seed", "--unit", "NOWHERE", "--from", "2026-09-01"])
    assert wrong.exit_code != 0 and "no unit" in wrong.output


def test_an_item_of_old_gets_the_act_that_allows_it(context: Flask, school: MadeSchool) -> None:
    item = make_item(school, name="Hai buổi minh họa")
    other = make_school(level=Level.LOWER_SECONDARY)
    draft = make_draft(other, [price(item, 100_000)])
    with (
        pytest.raises(ForbiddenCharge),
        scope.opened(scope.one_school(other.id)),
        transaction(),
    ):
        fees.submit_schedule(other.id, draft, **WHO)
    officer = signed_in(context, school.unit_id, Role.OFFICER)
    form = {"csrf_token": token(officer.get("/catalogue")), "legal_act": " "}
    address = f"/catalogue/items/{item}/act"
    assert officer.post(address, data=form).status_code == 422
    form |= {"legal_act": "NQ 1/2026, Điều 2", "allowed_by": "QĐ minh họa 5/2026"}
    assert officer.post(address, data=form).status_code == 303
    assert officer.post("/catalogue/items/999999/act", data=form).status_code == 404
    with scope.opened(scope.one_school(other.id)), transaction():
        fees.submit_schedule(other.id, draft, **WHO)
    with scope.opened(scope.EVERY_SCHOOL):
        found = queries.all_items()[item]
    assert (found.legal_act, found.is_checked) == ("NQ 1/2026, Điều 2", True)


def test_the_list_of_what_is_forbidden_is_kept_on_screen(
    context: Flask, school: MadeSchool
) -> None:
    officer = signed_in(context, school.unit_id, Role.OFFICER)
    form = {
        "csrf_token": token(officer.get("/catalogue")),
        "name": "Đồng phục bắt buộc (minh họa)",
        "words": "Đồng phục, áo trường",
        "level": "",
        "legal_act": "Văn bản minh họa",
        "valid_from": "2026-01-01",
    }
    assert officer.post("/catalogue/forbidden", data=form | {"words": " , "}).status_code == 422
    assert officer.post("/catalogue/forbidden", data=form).status_code == 303
    with pytest.raises(ForbiddenCharge):
        add(school, "ĐỒNG PHỤC mùa đông")
    with scope.opened(scope.EVERY_SCHOOL):
        rule = max(queries.forbidden_charges(), key=lambda one: one.id)
    end = {"csrf_token": form["csrf_token"], "valid_to": "2026-08-01"}
    assert officer.post(f"/catalogue/forbidden/{rule.id}/end", data=end).status_code == 303
    assert officer.post(f"/catalogue/forbidden/{rule.id}/end", data=end).status_code == 422
    assert add(school, "Đồng phục mùa đông")
    clerk = signed_in(context, school.unit_id, Role.ACCOUNTANT)
    form["csrf_token"] = token(clerk.get("/billing-runs"))
    assert clerk.post("/catalogue/forbidden", data=form).status_code == 403


@pytest.mark.parametrize("typed", ["1,250,000", "1.250.000", "1250000", "1 250 000"])
def test_amounts_are_read_as_people_type_them(
    context: Flask, school: MadeSchool, typed: str
) -> None:
    item = make_item(school)
    officer = signed_in(context, school.unit_id, Role.OFFICER)
    form = {
        "csrf_token": token(officer.get("/catalogue")),
        "amount": typed,
        "level": "",
        "legal_act": "Nghị quyết minh họa",
        "valid_from": "2026-09-01",
    }
    assert officer.post(f"/catalogue/items/{item}/caps", data=form).status_code == 303
    with scope.opened(scope.EVERY_SCHOOL):
        assert [cap.amount for cap in queries.all_caps()[item]] == [Vnd(1_250_000)]
    long = officer.post(f"/catalogue/items/{item}/caps", data=form | {"amount": "9" * 30})
    assert long.status_code == 422
