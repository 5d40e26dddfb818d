"""The schedule editor through the browser's eyes: two people, one schedule, no script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import scope
from app.core.db import rows
from app.core.period import Period
from app.money.fees import queries
from app.money.fees.invariants import INVARIANTS
from app.money.fees.models import FeeUnit
from app.people.access import Role
from tests.factories.fees import approved_schedule, make_cap, make_draft, make_item, price
from tests.factories.people import make_class
from tests.factories.schools import MadeSchool, make_school
from tests.factories.staff import Browser, set_clock, signed_in, token, words


@dataclass(frozen=True)
class Desk:
    """A school with an item under a cap, its accountant and its principal at their browsers."""

    school: MadeSchool
    item: int
    accountant: Browser
    principal: Browser

    def post(self, who: Browser, address: str, **data: object) -> TestResponse:
        """Send a form of the page one stands on."""
        page = who.get("/fee-schedules")
        return who.post(address, data={"csrf_token": token(page), **data})

    def save_price(self, schedule_id: int, **changed: object) -> TestResponse:
        form: dict[str, object] = {
            "item_id": self.item,
            "audience": "all",
            "first": "2026-09",
            "last": "2026-11",
            "quantities": "1",
            "price": "16.000",
        }
        return self.post(
            self.accountant, f"/fee-schedules/{schedule_id}/prices", **(form | changed)
        )

    def prices(self, schedule_id: int) -> list[tuple[str, str, int, int]]:
        """Audience, month, quantity and price of what is stored."""
        with scope.opened(scope.one_school(self.school.id)):
            found = queries.prices_of(self.school.id, schedule_id)
        return [(p.audience, str(p.period), p.quantity, p.price.dong) for p in found]


@pytest.fixture
def desk(app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    set_clock(monkeypatch)
    school = make_school()
    make_class(school, grade=3)
    item = make_item(school, name="Nước uống", name_en="Drinking water")
    make_cap(item, 16_000)
    yield Desk(
        school,
        item,
        signed_in(app, school.unit_id, Role.ACCOUNTANT, "Ngô Thị Mai"),
        signed_in(app, school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng"),
    )
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def test_two_people_bring_a_schedule_into_force(desk: Desk) -> None:
    opened = desk.post(
        desk.accountant,
        "/fee-schedules",
        school_year_id=desk.school.year_id,
        agreement="Biên bản 06/09/2026",
    )
    address = opened.location
    schedule_id = int(address.rsplit("/", 1)[1])
    assert "Thêm ít nhất một mức giá trước" in words(desk.accountant.get(address))

    assert desk.save_price(schedule_id).status_code == 303
    desk.post(desk.accountant, f"{address}/submit")
    assert "chờ thầy cô quyết định" in words(desk.principal.get("/fee-schedules"))
    desk.post(desk.principal, f"{address}/approve")

    page = words(desk.accountant.get(address))
    assert "Đang áp dụng" in page
    assert "Lê Thị Thu Hằng" in page
    assert "Biên bản 06/09/2026" in page


def test_one_form_prices_a_span_of_months_with_their_own_quantities(desk: Desk) -> None:
    draft = make_draft(desk.school)

    desk.save_price(draft, quantities="22 21 23", audience="grade:3")
    desk.save_price(draft, first="2026-10", last="2026-10", quantities="7", audience="grade:3")

    assert desk.prices(draft) == [
        ("grade:3", "2026-09", 22, 16_000),
        ("grade:3", "2026-10", 7, 16_000),
        ("grade:3", "2026-11", 23, 16_000),
    ]
    page = words(desk.accountant.get(f"/fee-schedules/{draft}"))
    assert "22 × 16.000" in page
    assert "352.000" in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"price": "mười sáu nghìn"}, "Nhập số tiền", id="words for an amount"),
        pytest.param({"price": ""}, "Nhập đơn giá", id="no amount"),
        pytest.param({"first": "2026-12"}, "Tháng cuối đứng trước", id="months turned round"),
        pytest.param({"quantities": "1 2"}, "2 số cho 3 tháng", id="too few quantities"),
        pytest.param({"quantities": "một"}, "Nhập một số nguyên", id="words for a quantity"),
        pytest.param({"quantities": "0"}, "từ 1 đến 1.000", id="a quantity of nothing"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_kept_as_typed(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    draft = make_draft(desk.school)

    page = desk.save_price(draft, **wrong)

    assert page.status_code == 422
    assert said in words(page)
    assert 'aria-invalid="true"' in page.text
    assert f'value="{next(iter(wrong.values()))}"' in page.text
    assert desk.prices(draft) == []


def test_a_price_above_its_cap_is_marked_and_blocks_the_button(desk: Desk) -> None:
    draft = make_draft(desk.school)
    desk.save_price(draft, price="18.000")

    page = desk.accountant.get(f"/fee-schedules/{draft}")
    told = words(page)
    assert "tháng 9/2026 đến tháng 11/2026: 18.000 ₫ cao hơn mức trần 16.000 ₫" in told
    assert "Sửa các mức giá đã đánh dấu trước" in told
    assert 'aria-disabled="true"' in page.text

    desk.post(desk.accountant, f"/fee-schedules/{draft}/submit")
    assert "Nháp" in words(desk.accountant.get(f"/fee-schedules/{draft}"))


def test_a_row_opens_in_the_form_to_be_changed_and_can_be_removed(desk: Desk) -> None:
    draft = make_draft(desk.school)
    desk.save_price(draft)

    page = desk.accountant.get(f"/fee-schedules/{draft}?item={desk.item}&audience=all")
    assert 'value="16.000"' in page.text
    assert "is-selected" in page.text

    desk.post(
        desk.accountant,
        f"/fee-schedules/{draft}/prices/remove",
        item_id=desk.item,
        audience="all",
    )
    assert desk.prices(draft) == []


def test_a_price_of_a_day_changes_within_a_month(desk: Desk) -> None:
    """The months before keep the old price, the months after have the new one."""
    meal = make_item(desk.school, name="Tiền ăn trưa", unit=FeeUnit.DAY)
    draft = make_draft(desk.school)
    change = {"item_id": meal, "quantities": "22", "price": "30.000", "second_price": "35.000"}

    assert desk.save_price(draft, **change, second_from="16/10/2026").status_code == 303

    with scope.opened(scope.one_school(desk.school.id)):
        stored = [
            (str(p.period), p.price.dong, p.second_price and p.second_price.dong, p.second_from)
            for p in queries.prices_of(desk.school.id, draft)
        ]
    assert stored == [
        ("2026-09", 30_000, None, None),
        ("2026-10", 30_000, 35_000, date(2026, 10, 16)),
        ("2026-11", 35_000, None, None),
    ]
    page = desk.accountant.get(f"/fee-schedules/{draft}?item={meal}&audience=all")
    assert "từ 16/10: 35.000" in words(page)
    assert 'value="30.000"' in page.text
    assert 'value="35.000"' in page.text
    assert 'value="2026-10-16"' in page.text
    desk.post(desk.accountant, f"/fee-schedules/{draft}/submit")
    desk.post(desk.principal, f"/fee-schedules/{draft}/approve")
    published = words(desk.accountant.get(f"/schools/{desk.school.code}/fees"))
    assert "30.000 từ 09/2026" in published
    assert "35.000 từ 16/10/2026" in published
    assert "35.000 từ 11/2026" not in published


def test_a_new_price_from_the_first_of_a_month_needs_no_month_of_two_prices(desk: Desk) -> None:
    draft = make_draft(desk.school)
    desk.save_price(draft, second_price="15.000", second_from="01/11/2026")
    assert [amount for _a, _m, _q, amount in desk.prices(draft)] == [16_000, 16_000, 15_000]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"second_price": "1.000"}, "Nhập ngày đầu", id="no day"),
        pytest.param({"second_from": "16/10/2026"}, "Nhập giá mới", id="no price"),
        pytest.param(
            {"second_price": "1.000", "second_from": "16/12/2026"}, "trong khoảng", id="after it"
        ),
        pytest.param(
            {"second_price": "1.000", "second_from": "1/9/2026"},
            "trong khoảng",
            id="from its start",
        ),
        pytest.param({"second_price": "1.000", "second_from": "nay"}, "ngày", id="no such day"),
        pytest.param(
            {"second_price": "1.000", "second_from": "16/10/2026"},
            "Chỉ khoản thu theo ngày",
            id="an item by the month",
        ),
    ],
)
def test_a_change_of_price_told_wrong_is_said_at_its_field(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    draft = make_draft(desk.school)
    answer = desk.save_price(draft, **wrong)
    assert answer.status_code == 422
    assert said in words(answer)
    assert desk.prices(draft) == []


def test_the_principal_returns_it_with_a_reason_the_accountant_reads(desk: Desk) -> None:
    draft = make_draft(desk.school)
    desk.save_price(draft)
    address = f"/fee-schedules/{draft}"
    desk.post(desk.accountant, f"{address}/submit")

    short = desk.post(desk.principal, f"{address}/return", reason="sai")
    assert short.status_code == 422
    assert "ít nhất 10 ký tự" in words(short)
    desk.post(desk.principal, f"{address}/return", reason="Nước uống chỉ thu 8 tháng.")

    assert "Nước uống chỉ thu 8 tháng." in words(desk.accountant.get(address))


def test_a_copy_of_the_approved_version_is_the_next_draft(desk: Desk) -> None:
    first = approved_schedule(desk.school, [price(desk.item, 15_000)])

    copied = desk.post(desk.accountant, f"/fee-schedules/{first}/copy")
    second = int(copied.location.rsplit("/", 1)[1])

    assert desk.prices(second) == [("all", "2026-11", 1, 15_000)]
    assert "2026-2027, bản 2" in words(desk.accountant.get("/fee-schedules"))
    assert "Chép thành bản nháp mới" not in words(desk.accountant.get(f"/fee-schedules/{first}"))


def test_each_role_has_only_its_own_acts(app: Flask, desk: Desk) -> None:
    draft = make_draft(desk.school)
    desk.save_price(draft)
    address = f"/fee-schedules/{draft}"
    teacher = signed_in(app, desk.school.unit_id, Role.TEACHER)
    cashier = signed_in(app, desk.school.unit_id, Role.CASHIER)

    assert teacher.get("/fee-schedules").status_code == 403
    assert teacher.get(address).status_code == 403
    assert cashier.get(address).status_code == 200
    for who, act in (
        (desk.principal, "submit"),
        (desk.principal, "prices"),
        (desk.accountant, "approve"),
        (desk.accountant, "return"),
        (cashier, "submit"),
    ):
        assert desk.post(who, f"{address}/{act}").status_code == 403, act
    assert "Trình hiệu trưởng duyệt" not in words(desk.principal.get(address))


def test_a_schedule_of_another_school_does_not_exist(app: Flask, desk: Desk) -> None:
    draft = make_draft(desk.school)
    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)

    assert stranger.get(f"/fee-schedules/{draft}").status_code == 404
    for act in ("submit", "prices", "agreement", "copy"):
        assert desk.post(stranger, f"/fee-schedules/{draft}/{act}").status_code == 404, act
    with scope.opened(scope.EVERY_SCHOOL):
        deeds = rows("select action from audit_rows where subject = :s", s=f"fee_schedule:{draft}")
    assert [deed.action for deed in deeds] == ["fee_schedule.draft"]


def test_totals_are_told_apart_where_grades_are_asked_for_differently(
    app: Flask, desk: Desk
) -> None:
    make_class(desk.school, grade=1)
    must = make_item(desk.school, name="Bảo hiểm y tế", is_compulsory=True)
    prices = [
        price(desk.item, 16_000),
        price(must, 600_000),
        price(must, 100_000, audience="grade:1"),
    ]
    first = approved_schedule(desk.school, prices)

    page = words(desk.accountant.get(f"/fee-schedules/{first}"))

    assert "Kể cả mọi khoản tự chọn Khối 1 116.000" in page
    assert "Kể cả mọi khoản tự chọn Khối 3 616.000" in page
    assert "Chỉ khoản bắt buộc Khối 3 600.000" in page


def test_the_page_speaks_english_too(desk: Desk) -> None:
    draft = make_draft(desk.school, [price(desk.item, 16_000, period=Period(2026, 9))])

    page = words(desk.accountant.get(f"/fee-schedules/{draft}?lang=en"))

    assert "Drinking water" in page
    assert "Submit for approval" in page
