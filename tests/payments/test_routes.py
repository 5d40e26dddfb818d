"""The cash desk and the bank page as a person at a keyboard meets them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import clock, scope
from app.core.ids import show_student_code
from app.core.money import Vnd
from app.money import billing
from app.money.billing import vietqr
from app.money.payments import queries
from app.people.access import Role
from tests.factories.money import Billed, billed_child, billed_children, make_card_channel
from tests.factories.people import mother
from tests.factories.schools import MadeSchool, make_school
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.payments.test_transfers import notice, send

pytestmark = pytest.mark.usefixtures("context")


def accountant(app: Flask, school: MadeSchool) -> FlaskClient:
    return signed_in(app, school.unit_id, Role.ACCOUNTANT)


def hidden(page: TestResponse) -> dict[str, list[str]]:
    """The hidden fields and ticked boxes of the desk's form, as a browser would send them."""
    form = page.text.partition("data-desk-form")[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    for box in re.findall(r'<input class="tick" type="checkbox"[^>]*>', form):
        if " checked" in box:
            name = re.search(r'name="([^"]+)"', box)
            value = re.search(r'value="([^"]+)"', box)
            assert name and value
            found.setdefault(name[1], []).append(value[1])
    return found


def due(child: Billed) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request).dong


def code_of(child: Billed) -> str:
    with scope.opened(scope.one_school(child.school.id)):
        (found,) = queries.children_of(child.school.id, [child.student_id])
        return found.code


def test_one_field_finds_the_child_by_whatever_is_at_hand(app: Flask) -> None:
    school = make_school()
    mum = mother("0905777888", "Phạm Thị Hoa")
    child, other = billed_children(
        2, school=school, names=["Trần Gia Bảo", "Lý Thu An"], guardians=[(mum,)]
    )
    desk = accountant(app, school)
    for text in (
        "tran gia bao",
        "Gia Bảo",
        "BAO",
        code_of(child),
        show_student_code(code_of(child)),
        child.request.reference,
        child.request.reference.lower(),
        "0905 777 888",
        vietqr.build("970415", school.account_number, Vnd(child.due), child.request.reference),
    ):
        page = desk.get("/cash-desk", query_string={"q": text})
        assert page.status_code == 200
        assert "data-desk-form" in page.text, text
        assert "Trần Gia Bảo" in page.text
    assert "Phạm Thị Hoa (mẹ)" in page.text
    nobody = desk.get("/cash-desk", query_string={"q": "khong co ai"})
    assert "Không có em nào khớp" in nobody.text
    assert other.full_name not in nobody.text


def test_two_of_a_name_are_offered_to_choose(app: Flask) -> None:
    school = make_school()
    first, second = billed_children(2, school=school, names=["Trần Gia Bảo", "Trần Gia Bảo"])
    page = accountant(app, school).get("/cash-desk?q=gia+bao")
    assert "data-desk-form" not in page.text
    for child in (first, second):
        assert f"student={code_of(child)}" in page.text


def test_cash_is_taken_and_the_receipt_is_one_click_away(app: Flask) -> None:
    child = billed_child(full_name="Trần Gia Bảo")
    desk = accountant(app, child.school)
    page = desk.get(f"/cash-desk?student={code_of(child)}")
    fields = {**hidden(page), "given": "1.000.000", "payer": "Bà ngoại"}
    sent = desk.post("/cash-desk", data=fields)
    assert sent.status_code == 303

    done = desk.get(sent.location)
    assert "221.225" in done.text  # the change
    assert re.search(r"/receipts/\d+\.pdf", done.text)
    assert due(child) == 0
    # The same form sent again leads to the same place.
    assert desk.post("/cash-desk", data=fields).location == sent.location
    with scope.opened(scope.one_school(child.school.id)):
        drawer = queries.till_today(child.school.id, child.school.till_id, clock.today())
        (paper,) = queries.recent_cash(child.school.id, child.school.till_id)[0].receipts
    assert drawer.amount == Vnd(child.due)
    assert paper.paper.payer == "Bà ngoại"
    found = desk.get("/cash-desk", query_string={"q": f"{paper.number}"})
    assert "Trần Gia Bảo" in found.text
    assert_books_hold()


def test_siblings_are_offered_and_paid_together(app: Flask) -> None:
    school = make_school()
    mum = mother("0905777999", "Phạm Thị Hoa")
    older, younger = billed_children(
        2, school=school, names=["Trần Gia Bảo", "Trần Bảo Ngọc"], guardians=[(mum,), (mum,)]
    )
    desk = accountant(app, school)
    page = desk.get(f"/cash-desk?student={code_of(older)}")
    assert f"student={code_of(older)}&amp;student={code_of(younger)}" in page.text
    both = desk.get(f"/cash-desk?student={code_of(older)}&student={code_of(younger)}")
    fields = {**hidden(both), "given": "2000000", "payer": ""}
    assert desk.post("/cash-desk", data=fields).status_code == 303
    assert (due(older), due(younger)) == (0, 0)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"given": "500000"}, 422, "ít hơn số phải thu"),
        ({"given": ""}, 422, "Nhập số tiền tròn đồng"),
        ({"given": "mot trieu"}, 422, "Nhập số tiền tròn đồng"),
        ({"given": "1.5"}, 422, "Nhập số tiền tròn đồng"),
        ({"given": "9" * 30}, 422, "Nhập số tiền tròn đồng"),
        ({"line": [], "given": "1000"}, 422, "Chưa chọn khoản nào"),
        ({"amount": "800000", "given": "800000"}, 409, "nhiều hơn số còn lại"),
        ({"till": "999999", "given": "1000000"}, 409, "chưa có quầy"),
    ],
)
def test_a_refused_form_keeps_what_was_typed(
    app: Flask, change: dict[str, object], status: int, words: str
) -> None:
    child = billed_child()
    desk = accountant(app, child.school)
    fields = hidden(desk.get(f"/cash-desk?student={code_of(child)}"))
    answer = desk.post("/cash-desk", data={**fields, "payer": "Ông nội", **change})
    assert answer.status_code == status
    assert words in answer.text
    assert 'value="Ông nội"' in answer.text
    assert due(child) == child.due
    # The form drawn again can be sent.
    again = {**hidden(answer), "line": fields["line"], "given": "1000000", "payer": "Ông nội"}
    again["till"] = fields["till"]
    assert desk.post("/cash-desk", data=again).status_code == 303


def test_rounding_up_is_a_tick_and_becomes_credit(app: Flask) -> None:
    child = billed_child()
    desk = accountant(app, child.school)
    page = desk.get(f"/cash-desk?student={code_of(child)}")
    assert "dư 225" in page.text
    fields = {**hidden(page), "given": "779.000", "payer": "", "round_up": "1"}
    assert desk.post("/cash-desk", data=fields).status_code == 303
    with scope.opened(scope.one_school(child.school.id)):
        credit = billing.credits_of(child.school.id, [child.student_id])
    assert credit == {child.student_id: Vnd(225)}


def test_the_rest_is_kept_for_the_child_the_page_names(app: Flask) -> None:
    school = make_school()
    older, younger = billed_children(2, school=school)
    desk = accountant(app, school)
    page = desk.get(f"/cash-desk?student={code_of(older)}&student={code_of(younger)}")
    assert f"ghi có cho {younger.full_name}" in page.text
    fields = {
        **hidden(page),
        "line": [str(line) for line in older.lines],
        "given": "800000",
        "amount": "800.000",
        "keep_rest": "1",
        "payer": "",
    }
    assert desk.post("/cash-desk", data=fields).status_code == 303
    with scope.opened(scope.one_school(school.id)):
        credits = billing.credits_of(school.id)
    assert credits == {younger.student_id: Vnd(800_000 - older.due)}
    assert (due(older), due(younger)) == (0, younger.due)
    assert_books_hold()


def test_a_transfer_that_came_while_the_page_was_open_is_noticed(
    app: Flask, client: FlaskClient
) -> None:
    child = billed_child()
    desk = accountant(app, child.school)
    fields = hidden(desk.get(f"/cash-desk?student={code_of(child)}"))
    send(client, child.school, notice(child.school, child.request.reference, child.due))
    answer = desk.post("/cash-desk", data={**fields, "given": "1000000", "payer": ""})
    assert answer.status_code == 409
    assert "tiền vừa về" in answer.text


def test_the_desk_warns_of_unknown_money_of_the_same_amount(
    app: Flask, client: FlaskClient
) -> None:
    child = billed_child()
    send(client, child.school, notice(child.school, "hoc phi", child.due))
    page = accountant(app, child.school).get(f"/cash-desk?student={code_of(child)}")
    assert "Hỏi lại trước khi thu" in page.text


def test_another_schools_child_is_not_found_at_our_desk(app: Flask) -> None:
    child, elsewhere = billed_child(), billed_child(full_name="Trần Gia Bảo")
    desk = accountant(app, child.school)
    for text in ("gia bao", code_of(elsewhere), elsewhere.request.reference):
        assert "Trần Gia Bảo" not in desk.get("/cash-desk", query_string={"q": text}).text
    assert desk.get(f"/cash-desk?student={code_of(elsewhere)}").status_code == 200
    page = desk.get(f"/cash-desk?student={code_of(child)}")
    foreign = {
        **hidden(page),
        "line": [str(line) for line in elsewhere.lines],
        **{f"open-{line}": "1000" for line in elsewhere.lines},
        "given": "2000",
        "payer": "",
    }
    assert desk.post("/cash-desk", data=foreign).status_code == 409
    assert due(elsewhere) == elsewhere.due


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        (Role.TEACHER, "/cash-desk", 403),
        (Role.PRINCIPAL, "/cash-desk", 403),
        (Role.CASHIER, "/cash-desk", 200),
        (Role.TEACHER, "/bank", 403),
        (Role.CASHIER, "/bank", 403),
        (Role.PRINCIPAL, "/bank", 200),
    ],
)
def test_who_may_look(app: Flask, role: Role, address: str, status: int) -> None:
    school = make_school()
    assert signed_in(app, school.unit_id, role).get(address).status_code == status


# The bank page


def test_unknown_money_is_given_to_a_child_by_hand(app: Flask, client: FlaskClient) -> None:
    child = billed_child(full_name="Trần Gia Bảo")
    school = child.school
    send(client, school, notice(school, "<b>hoc phi</b> thang 11", child.due))
    desk = accountant(app, school)
    page = desk.get("/bank")
    assert "Chưa rõ" in page.text
    assert "<b>hoc phi" not in page.text
    with scope.opened(scope.one_school(school.id)):
        (item,) = queries.suspense_items(school.id)
    chosen = desk.get(f"/bank?payment={item.payment.id}&q=gia+bao")
    assert "Số tiền bằng đúng số còn nợ" in chosen.text
    fields = {
        "csrf_token": token(chosen),
        "payment": str(item.payment.id),
        "student": code_of(child),
    }
    matched = desk.post("/bank/match", data=fields)
    assert matched.status_code == 303
    assert due(child) == 0
    assert "Đã ghép" in desk.get("/bank").text
    again = desk.post("/bank/match", data=fields)
    assert again.status_code == 303
    assert "Chưa thay đổi gì" in desk.get("/bank").text
    assert_books_hold()


def test_the_principal_looks_and_does_not_match(app: Flask, client: FlaskClient) -> None:
    child = billed_child()
    send(client, child.school, notice(child.school, "hoc phi", child.due))
    principal = signed_in(app, child.school.unit_id, Role.PRINCIPAL)
    with scope.opened(scope.one_school(child.school.id)):
        (item,) = queries.suspense_items(child.school.id)
    page = principal.get(f"/bank?payment={item.payment.id}")
    assert "/bank/match" not in page.text
    answer = principal.post(
        "/bank/match",
        data={
            "csrf_token": token(page),
            "payment": str(item.payment.id),
            "student": code_of(child),
        },
    )
    assert answer.status_code == 403
    assert due(child) == child.due


def test_notices_that_need_a_person_say_why(app: Flask, client: FlaskClient) -> None:
    child = billed_child()
    raw = notice(child.school, "x", 5_000, accountNumber="0123")
    send(client, child.school, raw)
    page = accountant(app, child.school).get("/bank")
    assert "tài khoản không phải của trường" in page.text


def test_filters_and_pages_take_anything(app: Flask, client: FlaskClient) -> None:
    child = billed_child()
    make_card_channel(child.school)
    send(client, child.school, notice(child.school, child.request.reference, child.due))
    desk = accountant(app, child.school)
    for query in (
        "state=suspense",
        "state=matched",
        "state=returned",
        "state=x&page=-3",
        "page=99999",
        "page=x&payment=x",
        "payment=999999&q=%25_%27",
        "lang=en",
    ):
        assert desk.get(f"/bank?{query}").status_code == 200
        assert desk.get(f"/cash-desk?{query}").status_code == 200
    assert desk.get("/cash-desk?done=999999").status_code == 404
