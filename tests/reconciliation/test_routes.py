"""The statement pages as the accountant meets them, and the command for a bank's file."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import scope
from app.money import billing
from app.people.access.models import Role
from tests.factories.money import Billed, billed_children
from tests.factories.schools import MadeSchool
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.reconciliation import files
from tests.reconciliation.files import Move

pytestmark = pytest.mark.usefixtures("context")


def hand_in(
    client: FlaskClient, school: MadeSchool, data: bytes, name: str = "sao-ke.csv"
) -> TestResponse:
    fields = {
        "csrf_token": token(client.get("/bank/statements")),
        "account": str(school.account_id),
    }
    return client.post(
        "/bank/statements",
        data={**fields, "file": (BytesIO(data), name)},
        content_type="multipart/form-data",
    )


def upload(client: FlaskClient, school: MadeSchool, data: bytes, name: str = "sao-ke.csv") -> str:
    answer = hand_in(client, school, data, name)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def send(client: FlaskClient, page: str, address: str, **data: str) -> TestResponse:
    fields = {name.replace("_of_", "-"): value for name, value in data.items()}
    return client.post(address, data={"csrf_token": token(client.get(page)), **fields})


def moves_of(*children: Billed) -> list[Move]:
    return [
        Move(child.due, f"{child.request.reference} hoc phi", ref=f"FT5000000{n}")
        for n, child in enumerate(children)
    ]


def test_a_statement_is_planned_posted_and_found_again(app: Flask) -> None:
    one, other = billed_children(2)
    school = one.school
    desk = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    data = files.csv([*moves_of(one, other), Move(5_000, "lai tien gui")], school.account_number)

    place = upload(desk, school, data)
    page = desk.get(place).text

    assert "Ghi sổ 3 dòng" in page
    assert one.full_name in page
    assert "khớp" in page

    answer = send(desk, place, f"{place}/post")
    assert answer.status_code == 303
    page = desk.get(place).text
    assert "Ghi sổ 3 dòng" not in page
    assert "ghi từ dòng này" in page
    assert "24/11/2026" in desk.get("/bank/statements").text
    # The same file again leads to the same page.
    assert upload(desk, school, data) == place
    assert "đã được nhập trước đây" in desk.get(place).text
    assert_books_hold()


def test_a_file_that_does_not_add_up_is_refused_with_its_row(app: Flask) -> None:
    (child,) = billed_children(1)
    school = child.school
    desk = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    data = files.csv([*moves_of(child), Move(9_000, "x")], school.account_number)
    broken = data.replace(b"9.000", b"8.000")

    answer = hand_in(desk, school, broken)

    assert answer.status_code == 422
    assert re.search(r"Dòng \d+ làm lệch số dư", answer.text)
    assert "Chưa nhận sao kê nào" in answer.text


def test_unknown_columns_are_named_once_and_the_next_file_is_read_by_itself(app: Flask) -> None:
    one, other = billed_children(2)
    school = one.school
    desk = signed_in(app, school.unit_id, Role.ACCOUNTANT)

    def strange(child: Billed) -> bytes:
        return (
            "Bảng kê;;\nKhi nào;Bao nhiêu;Nói gì\n"
            f"24/11/2026;{child.due};{child.request.reference} nop\n"
        ).encode()

    place = upload(desk, school, strange(one))
    page = desk.get(place).text
    assert "Mẫu sao kê này mới" in page
    head = re.search(r'name="head" value="(\d+)"', page)
    assert head is not None

    short = send(desk, place, place, head=head[1], column_of_0="day", column_of_2="text")
    assert short.status_code == 422
    assert "tiền vào" in short.text
    answer = send(
        desk,
        place,
        place,
        head=head[1],
        column_of_0="day",
        column_of_1="amount",
        column_of_2="text",
    )
    assert answer.status_code == 303
    page = desk.get(answer.headers["Location"]).text
    assert "Ghi sổ 1 dòng" in page
    assert "tệp không có số dư" in page

    again = upload(desk, school, strange(other))
    assert "columns" not in again
    assert other.full_name in desk.get(again).text


def test_a_row_nobody_can_be_sure_of_is_decided_on_the_page(app: Flask) -> None:
    (child,) = billed_children(1)
    school = child.school
    desk = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    text = f"{child.request.reference} nop tien"
    first = upload(desk, school, files.csv([Move(100_000, text)], school.account_number))
    send(desk, first, f"{first}/post")
    both = files.signed(
        [Move(-1_000, "phi"), Move(100_000, text, ref="FT71"), Move(100_000, text, ref="FT72")]
    )
    second = upload(desk, school, both, "khac.xlsx")
    page = desk.get(second).text
    assert "Có thể đã có trong sổ" in page
    rows = re.findall(r"/rows/(\d+)", page)
    payment = re.search(r'name="payment" value="(\d+)"', page)
    assert payment is not None
    known = send(desk, second, f"{second}/rows/{rows[0]}", payment=payment[1])
    new = send(desk, second, f"{second}/rows/{rows[1]}", payment="new")
    again = send(desk, "/bank/statements", f"{second}/rows/{rows[1]}", payment="new")
    assert [known.status_code, new.status_code, again.status_code] == [303, 303, 404]
    with scope.opened(scope.one_school(school.id)):
        assert billing.due(child.request).dong == child.due - 200_000
    assert_books_hold()


def test_only_the_accountant_posts_and_the_principal_looks(app: Flask) -> None:
    (child,) = billed_children(1)
    school = child.school
    place = upload(
        signed_in(app, school.unit_id, Role.ACCOUNTANT),
        school,
        files.csv(moves_of(child), school.account_number),
    )
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    page = principal.get(place)
    assert page.status_code == 200
    assert "/post" not in page.text
    assert send(principal, place, f"{place}/post").status_code == 403
    assert signed_in(app, school.unit_id, Role.TEACHER).get(place).status_code == 403
    (foreign,) = billed_children(1)
    assert signed_in(app, foreign.school.unit_id, Role.ACCOUNTANT).get(place).status_code == 404


def test_the_bank_page_suggests_whose_money_waits_and_goes_on_to_the_next(app: Flask) -> None:
    one, other = billed_children(2, names=["Trần Bảo Ngọc", "Lê Gia Hân"])
    school = one.school
    desk = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    moves = [Move(one.due, "TRAN BAO NGOC hoc phi"), Move(other.due, "le gia han nop")]
    place = upload(desk, school, files.csv(moves, school.account_number))
    send(desk, place, f"{place}/post")
    page = desk.get("/bank").text
    assert "có thể là Trần Bảo Ngọc" in page
    payment = re.search(r"/bank\?payment=(\d+)", page)
    assert payment is not None
    panel = desk.get(f"/bank?payment={payment[1]}").text
    assert "Nội dung có đủ họ tên của em" in panel
    following = re.search(r'name="following" value="(\d+)"', panel)
    student = re.search(r'name="student" value="(\d+)"', panel)
    assert following is not None
    assert student is not None
    answer = send(
        desk,
        f"/bank?payment={payment[1]}",
        "/bank/match",
        payment=payment[1],
        student=student[1],
        following=following[1],
    )
    assert f"payment={following[1]}" in answer.headers["Location"]
    assert_books_hold()


def test_the_command_posts_what_is_proved_and_says_what_it_did(app: Flask, tmp_path: Path) -> None:
    one, other = billed_children(2, names=["Trần Bảo Ngọc", "Lê Gia Hân"])
    school = one.school
    moves = [
        *moves_of(one),
        Move(other.due, "Le Gia Han nop tien", ref="FT80000001"),
        Move(5_000, "lai", ref="FT80000002"),
        Move(-11_000, "phi", ref="FT80000003"),
    ]
    file = tmp_path / "sao-ke.xlsx"
    file.write_bytes(files.vietcombank(moves, school.account_number))
    runner = app.test_cli_runner()
    command = ["statement", "import", "--account", school.account_number, str(file)]

    first = runner.invoke(args=command)
    again = runner.invoke(args=command)

    assert first.exit_code == 0, first.output
    counts = json.loads(first.output)
    names = ("rows", "new", "matched", "suggested", "suspense", "refused")
    assert [counts[name] for name in names] == [4, 3, 1, 1, 1, 0]
    counts = json.loads(again.output)
    assert [counts[name] for name in names] == [4, 0, 0, 0, 0, 0]

    broken = tmp_path / "lech.csv"
    broken.write_bytes(files.csv(moves, school.account_number).replace(b"5.000", b"6.000", 1))
    refused = runner.invoke(
        args=["statement", "import", "--account", school.account_number, str(broken)]
    )
    assert refused.exit_code == 1
    told = json.loads(refused.output)
    assert told["code"] == "balance_broken"
    assert told["row"] is not None
    unknown = runner.invoke(args=["statement", "import", "--account", "000", str(file)])
    assert unknown.exit_code == 1
    assert json.loads(unknown.output)["code"] == "account_unknown"
    assert_books_hold()
