"""A family's yes, kept class by class from signed forms; gifts, which are nobody's debt."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import scope
from app.core.db import execute, rows, transaction
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money.fees import Category, consents, gifts
from app.money.fees.errors import BadGift, NotOptional, TooLateToWithdraw
from app.money.fees.invariants import INVARIANTS
from app.people.access import Role
from tests.factories.billing import breaches, issue
from tests.factories.fees import NOVEMBER, approved_schedule, choose, make_item, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import (
    ACCOUNTANT,
    NOON,
    MadeSchool,
    make_school,
    make_unit,
)
from tests.factories.staff import set_clock, signed_in, token, words

WHO: dict[str, Any] = {"actor": ACCOUNTANT, "now": NOON}
YESTERDAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 25)


@dataclass(frozen=True)
class Room:
    """A class of twelve, a club they may choose, and what everybody pays."""

    school: MadeSchool
    class_id: int
    stays: list[int]
    club: int
    compulsory: int

    def keep(self, yes: list[int], **changes: Any) -> consents.Recorded:
        values = {"month": NOVEMBER, "form_no": "", "late_reason": "", **WHO, **changes}
        item = values.pop("item", self.club)
        with scope.opened(scope.one_school(self.school.id)), transaction():
            return consents.keep_choices(self.school.id, self.class_id, item, yes, **values)

    def yes(self, month: Period = NOVEMBER) -> set[int]:
        with scope.opened(scope.one_school(self.school.id)):
            found = consents.choosers(self.school.id, self.class_id, self.club, month)
        return {one.enrolment_id for one in found if one.choice_id}

    def until(self, day: date) -> None:
        with scope.opened(scope.one_school(self.school.id)), transaction():
            consents.set_withdrawable_until(self.school.id, self.club, day, **WHO)


@pytest.fixture
def room(app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    set_clock(monkeypatch)
    school = make_school()
    class_id = make_class(school, "3/1")
    children = enrol(school, *[new_student(class_id, f"Lê Văn {i:02d}") for i in range(12)])
    yield Room(
        school,
        class_id,
        [child.enrolment_id for child in children],
        make_item(school, name="Câu lạc bộ bơi minh họa"),
        make_item(school, name="Bảo hiểm minh họa", is_compulsory=True),
    )
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def test_a_class_is_brought_to_what_its_signed_forms_say(room: Room) -> None:
    first, second, third = room.stays[:3]
    assert room.keep([first, second], form_no="12/PĐK") == consents.Recorded(2, 0)
    assert room.keep([first, second]) == consents.Recorded(0, 0)
    assert room.keep([second, third], month=Period(2026, 12)) == consents.Recorded(1, 1)
    assert room.yes() == {first, second}
    assert room.yes(Period(2026, 12)) == {second, third}


def test_the_number_of_the_signed_form_stands_beside_the_yes(room: Room) -> None:
    room.keep(room.stays[:1], form_no="12/PĐK")
    with scope.opened(scope.one_school(room.school.id)):
        found = consents.choosers(room.school.id, room.class_id, room.club, NOVEMBER)
    assert [one.source for one in found if one.choice_id] == ["paper 12/PĐK"]


def test_children_of_other_classes_cannot_be_ticked(room: Room) -> None:
    other = make_class(room.school, "3/2")
    stranger = enrol(room.school, new_student(other, "Phạm Thị Lạ"))[0].enrolment_id
    assert room.keep([stranger]) == consents.Recorded(0, 0)


def test_what_everybody_is_charged_needs_no_yes(room: Room) -> None:
    with pytest.raises(NotOptional):
        room.keep(room.stays, item=room.compulsory)
    gift = make_item(room.school, name="Tài trợ minh họa", category=Category.SPONSOR)
    with pytest.raises(NotOptional):
        room.keep(room.stays, item=gift)


def test_a_yes_is_taken_back_until_its_day_and_later_only_with_a_reason(room: Room) -> None:
    room.keep(room.stays[:3])
    room.until(TOMORROW)
    assert room.keep(room.stays[1:3], month=Period(2026, 12)).taken_back == 1
    room.until(YESTERDAY)
    with pytest.raises(TooLateToWithdraw) as refusal:
        room.keep(room.stays[2:3], month=Period(2026, 12))
    assert "23/11/2026" in refusal.value.message
    assert room.keep(room.stays[1:4], month=Period(2026, 12)).said_yes == 1
    late = {"month": Period(2026, 12), "late_reason": "chuyển chỗ ở"}
    assert room.keep(room.stays[2:4], **late).taken_back == 1
    with scope.opened(scope.EVERY_SCHOOL):
        causes = rows(
            "select cause from audit_rows where school_id = :school"
            " and action = 'fee_choice.withdraw_late'",
            school=room.school.id,
        )
    assert [one.cause for one in causes] == ["chuyển chỗ ở"]


def test_nearly_everybody_saying_yes_is_told_to_the_unit_above(room: Room) -> None:
    approved_schedule(room.school, [price(room.club, 100_000)])
    choose(room.school, room.club, *room.stays[:11])
    with scope.opened(scope.EVERY_SCHOOL):
        rate = consents.rates_by_school([room.school.id], NOON.date())
    assert [(one.yes, one.children, one.is_suspicious) for one in rate] == [(11, 12, False)]
    choose(room.school, room.club, room.stays[11])
    with scope.opened(scope.EVERY_SCHOOL):
        rate = consents.rates_by_school([room.school.id], NOON.date())
        assert consents.rates_by_school([], NOON.date()) == []
    assert [(one.percent, one.is_suspicious) for one in rate] == [(100, True)]


def test_a_handful_of_children_is_no_rate() -> None:
    assert not consents.Rate(1, "", 1, 9, 9).is_suspicious
    assert consents.Rate(1, "", 1, 20, 19).is_suspicious
    assert consents.Rate(1, "", 1, 0, 0).percent == 0


def test_the_teacher_records_forms_and_the_office_sets_days_and_quantities(
    context: Flask, room: Room
) -> None:
    teacher = signed_in(context, room.school.unit_id, Role.TEACHER)
    address = f"/consents/{room.club}/classes/{room.class_id}"
    page = teacher.get(address)
    assert "Ai đã đồng ý" in page.text and "Số lượng riêng" not in page.text
    kept = teacher.post(
        address,
        data={
            "csrf_token": token(page),
            "yes": [str(one) for one in room.stays],
            "month": "2026-11",
            "form_no": "01",
        },
    )
    assert kept.status_code == 303 and room.yes() == set(room.stays)
    assert "phiếu đã ký số 01" in teacher.get(address).text
    overview = teacher.get(f"/consents?item={room.club}")
    assert "100 % gia đình đã đồng ý" in words(overview)
    form = {"csrf_token": token(overview), "until": "2026-11-23"}
    assert teacher.post(f"/consents/{room.club}/until", data=form).status_code == 403

    office = signed_in(context, room.school.unit_id, Role.ACCOUNTANT)
    form["csrf_token"] = token(office.get(address))
    assert office.post(f"/consents/{room.club}/until", data=form).status_code == 303
    assert "23/11/2026" in office.get(f"/consents?item={room.club}").text
    late = {"csrf_token": form["csrf_token"], "month": "2026-12", "yes": str(room.stays[0])}
    refused = office.post(address, data=late)
    assert refused.status_code == 409 and "23/11/2026" in refused.text
    assert teacher.post(address, data={**late, "late_reason": "x"}).status_code in {400, 403, 409}
    assert office.post(address, data={**late, "late_reason": "đổi ý"}).status_code == 303
    assert room.yes(Period(2026, 12)) == {room.stays[0]}


def test_the_scan_of_the_signed_forms_is_kept_beside_the_yeses(context: Flask, room: Room) -> None:
    teacher = signed_in(context, room.school.unit_id, Role.TEACHER)
    address = f"/consents/{room.club}/classes/{room.class_id}"

    def hand_in(content: bytes) -> TestResponse:
        form = {
            "csrf_token": token(teacher.get(address)),
            "yes": str(room.stays[0]),
            "month": "2026-11",
            "form_no": "07",
            "scan": (io.BytesIO(content), "phieu.pdf"),
        }
        return teacher.post(address, data=form, content_type="multipart/form-data")

    assert hand_in(b"<html>").status_code == 422 and room.yes() == set()
    assert hand_in(b"%PDF-1.7 minh hoa").status_code == 303 and room.yes() == {room.stays[0]}
    with scope.opened(scope.one_school(room.school.id)):
        (scan,) = consents.scans_of(room.school.id, room.class_id, room.club)
    assert "/consents/scans/" in teacher.get(address).text
    assert teacher.get(f"/consents/scans/{scan.id}").data == b"%PDF-1.7 minh hoa"
    assert teacher.get("/consents/scans/999999").status_code == 404
    stranger = signed_in(context, make_school().unit_id, Role.TEACHER)
    assert stranger.get(f"/consents/scans/{scan.id}").status_code == 404


def test_a_childs_own_quantity_needs_a_number_and_a_reason(context: Flask, room: Room) -> None:
    office = signed_in(context, room.school.unit_id, Role.ACCOUNTANT)
    address = f"/consents/{room.compulsory}/classes/{room.class_id}"
    stay = room.stays[0]

    def send(quantity: str, reason: str) -> TestResponse:
        form = {
            "csrf_token": token(office.get(address)),
            "month": "2026-11",
            f"q{stay}": quantity,
            f"r{stay}": reason,
        }
        return office.post(f"{address}/quantities", data=form)

    assert send("ba", "x").status_code == 422
    assert send("3", "").status_code == 422
    assert send("0", "đã có thẻ BHYT hộ nghèo").status_code == 303
    assert 'value="0"' in office.get(f"{address}?month=2026-11").text
    assert office.get(f"/consents/{room.club}/classes/999999").status_code == 422


def test_the_unit_above_sees_the_rates_and_schools_do_not(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch)
    unit = make_unit()
    school = make_school(under=unit)
    class_id = make_class(school)
    children = enrol(school, *[new_student(class_id, f"Lê Thị {i:02d}") for i in range(10)])
    club = make_item(school, name="Câu lạc bộ minh họa")
    officer = signed_in(context, unit, Role.OFFICER)
    assert "Tháng này không có khoản tự nguyện" in officer.get("/area/consents").text
    approved_schedule(school, [price(club, 100_000)])
    choose(school, club, *[child.enrolment_id for child in children])
    seen = words(officer.get("/area/consents"))
    assert "Câu lạc bộ minh họa" in seen and "100 %" in seen
    assert signed_in(context, school.unit_id, Role.PRINCIPAL).get("/area/consents").status_code in {
        403,
        404,
    }


GIFT: dict[str, Any] = {
    "category": Category.SPONSOR,
    "given_on": YESTERDAY,
    "giver": "Công ty Minh Họa",
    "purpose": "máy lọc nước",
    "amount": Vnd(5_000_000),
    "goods": "",
    "proof_no": "PT 12",
}


@pytest.mark.parametrize(
    "change",
    [
        {"category": Category.SERVICE},
        {"giver": " "},
        {"purpose": ""},
        {"amount": ZERO},
        {"amount": Vnd(-1)},
        {"given_on": TOMORROW},
    ],
)
def test_a_gift_says_who_gave_what_for_what_and_when(room: Room, change: dict[str, Any]) -> None:
    with (
        pytest.raises(BadGift),
        scope.opened(scope.one_school(room.school.id)),
        transaction(),
    ):
        gifts.record_gift(room.school.id, **GIFT | change, **WHO)


def test_gifts_stand_apart_and_touch_no_account(context: Flask, room: Room) -> None:
    office = signed_in(context, room.school.unit_id, Role.ACCOUNTANT)
    page = office.get("/gifts")
    assert "Chưa có khoản nào" in page.text
    form = {
        "csrf_token": token(page),
        "category": "parent_fund",
        "given_on": "2026-11-04",
        "giver": "Ban đại diện 3/1",
        "purpose": "trang trí lớp",
        "amount": "1.200.000",
    }
    assert office.post("/gifts", data={**form, "amount": "nhiều"}).status_code == 422
    assert office.post("/gifts", data={**form, "given_on": "mai"}).status_code == 422
    assert office.post("/gifts", data=form).status_code == 303
    in_kind = {**form, "category": "sponsor", "amount": "", "goods": "40 ghế"}
    assert office.post("/gifts", data=in_kind).status_code == 303
    seen = words(office.get("/gifts"))
    assert "1.200.000" in seen and "40 ghế" in seen
    with scope.opened(scope.one_school(room.school.id)):
        assert rows("select 1 from entries where school_id = :s", s=room.school.id) == []
    teacher = signed_in(context, room.school.unit_id, Role.TEACHER)
    assert teacher.get("/gifts").status_code == 403


def test_a_wrong_line_of_the_register_is_taken_back_once_and_stays_to_be_read(
    context: Flask, room: Room
) -> None:
    office = signed_in(context, room.school.unit_id, Role.ACCOUNTANT)
    with scope.opened(scope.one_school(room.school.id)), transaction():
        gifts.record_gift(room.school.id, **GIFT, **WHO)
        gifts.record_gift(room.school.id, **GIFT | {"amount": Vnd(700_000)}, **WHO)
        wrong = gifts.gifts(room.school.id)[0]
    form = {"csrf_token": token(office.get("/gifts"))}
    address = f"/gifts/{wrong.id}/cancel"
    assert office.post(address, data=form).status_code == 422
    form["reason"] = "ghi hai lần"
    assert office.post(address, data=form).status_code == 303
    assert office.post(address, data=form).status_code == 422
    with scope.opened(scope.one_school(room.school.id)):
        assert gifts.gift_sums(room.school.id)[Category.SPONSOR] == Vnd(5_000_000)
        assert [one.cancelled for one in gifts.gifts(room.school.id)] == ["ghi hai lần", None]
    assert "ghi hai lần" in office.get("/gifts").text


def test_the_invariant_sees_a_charge_nobody_said_yes_to(room: Room) -> None:
    approved_schedule(room.school, [price(room.club, 100_000)])
    choose(room.school, room.club, room.stays[0])
    issue(room.school.id)
    assert breaches() == {}
    with scope.opened(scope.EVERY_SCHOOL):
        execute("delete from fee_choices where school_id = :school", school=room.school.id)
        assert set(breaches()) == {"B9"}
        db.session.rollback()
