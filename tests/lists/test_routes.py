"""The import coach as people meet it."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import jobs, scope
from app.core.sheets import Column, Value, read_sheets, write_workbook
from app.people.access import Role
from app.people.lists import jobs as background
from tests.factories.lists import HEADS, child_named
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import MadeSchool, make_school
from tests.factories.staff import Browser, set_clock, signed_in, token, words

LINE: list[Value] = [
    1,
    "5/4",
    "Nguyễn Minh An",
    "14/03/2016",
    "Nam",
    None,
    "Trần Thị Hà",
    "0905123456",
]


@pytest.fixture
def school(context: Flask, monkeypatch: pytest.MonkeyPatch) -> MadeSchool:
    set_clock(monkeypatch)
    return make_school()


@pytest.fixture
def office(app: Flask, school: MadeSchool) -> Browser:
    return signed_in(app, school.unit_id, Role.ACCOUNTANT)


def send(
    office: Browser, *lines: list[Value], kind: str = "pupils", name: str = "lop.xlsx"
) -> TestResponse:
    data = write_workbook([Column(head) for head in HEADS], lines)
    page = office.get(f"/lists/{kind}")
    return office.post(
        f"/lists/{kind}",
        data={"csrf_token": token(page), "file": (io.BytesIO(data), name)},
        content_type="multipart/form-data",
    )


def confirm(office: Browser, sent: TestResponse) -> str:
    """Confirm the columns as proposed; the address of the rehearsal."""
    page = office.get(sent.location)
    form = {"csrf_token": token(page), "first_day": "2026-09-01"}
    for select in re.finditer(r'<select[^>]*name="(column-\d+)".*?</select>', page.text, re.S):
        chosen = re.search(r'value="([^"]*)" selected', select[0])
        form[select[1]] = chosen[1] if chosen else ""
    compared = office.post(sent.location, data=form)
    assert compared.status_code == 303, words(compared)
    return compared.location


def test_from_the_pupils_page_to_a_taken_list(office: Browser, school: MadeSchool) -> None:
    assert 'href="/lists/pupils"' in office.get("/students").text
    sent = send(office, LINE, [2, "5/4", "Lê Ngọc Bích", "02/10/2016", "khác", None, None, None])
    assert sent.status_code == 303
    columns = words(office.get(sent.location))
    assert "Nguyễn Minh An" in columns
    assert "Số định danh" in columns
    address = confirm(office, sent)
    page = office.get(f"{address}?tab=new")
    assert "Mới 1" in words(page)
    assert "mở lớp 5/4" in words(page)
    assert "ghi “Nam” hoặc “Nữ”" in words(office.get(f"{address}?tab=refused"))

    taken = office.post(f"{address}/take", data={"csrf_token": token(page), "open": "5/4"})
    assert taken.status_code == 303
    assert "Đã nhập 1 dòng." in words(office.get(taken.location))
    assert child_named("Nguyễn Minh An") is not None

    bad = read_sheets(office.get(f"{address}/to-mend.xlsx").data, "x.xlsx")[0].rows
    assert [row[2] for row in bad[1:]] == ["Lê Ngọc Bích"]


def test_a_doubt_is_settled_by_a_person(office: Browser, school: MadeSchool) -> None:
    class_id = make_class(school, "5/4", 5)
    enrol(
        school,
        new_student(
            class_id,
            "Hứa Minh Anh",
            birth_date=new_student(class_id).birth_date,
            guardians=(mother(),),
        ),
    )
    line: list[Value] = [1, None, "Hứa Minh Anh", "14/03/2018", "Nam", None, None, "0911999888"]
    address = confirm(office, send(office, line))
    page = office.get(address)
    assert "chính em này: Hứa Minh Anh" in words(page)
    choice = re.search(r'name="(choice-1)" value="(same:\d+)"', page.text)
    assert choice
    form = {"csrf_token": token(page), "tab": "doubtful", "row": "1", choice[1]: choice[2]}
    assert office.post(f"{address}/decisions", data=form).status_code == 303
    assert "Thay đổi 1" in words(office.get(address))


def test_a_bad_file_is_told_and_nothing_is_kept(office: Browser) -> None:
    page = office.get("/lists/pupils")
    for data, said in (
        ({}, "Chọn tệp danh sách trước đã."),
        ({"file": (io.BytesIO(b"chao,ban\n1,2\n"), "a.csv")}, "Không thấy dòng tiêu đề cột"),
        ({"file": (io.BytesIO(b"%PDF-1.7 ..."), "a.xlsx")}, "Đây không phải tệp bảng"),
    ):
        answer = office.post(
            "/lists/pupils",
            data=data | {"csrf_token": token(page)},
            content_type="multipart/form-data",
        )
        assert answer.status_code == 422
        assert said in words(answer)
    assert "Chưa nộp danh sách nào" in words(office.get("/lists/pupils"))


def test_a_file_larger_than_a_form_is_read(office: Browser) -> None:
    page = office.get("/lists/pupils")
    text = "Họ và tên,Lớp,Ghi chú\n" + f"Nguyễn Minh An,5/4,{'x' * 1000}\n" * 3000
    part = "--x\r\nContent-Disposition: form-data; name="
    body = f'{part}"csrf_token"\r\n\r\n{token(page)}\r\n{part}"file"; filename="to.csv"\r\n\r\n'
    answer = office.post(
        "/lists/pupils",
        data=f"{body}{text}\r\n--x--\r\n".encode(),
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 303


def test_two_columns_of_one_meaning_are_refused(office: Browser) -> None:
    sent = send(office, LINE)
    page = office.get(sent.location)
    answer = office.post(
        sent.location,
        data={"csrf_token": token(page), "column-2": "name", "column-3": "name"},
    )
    assert answer.status_code == 422
    assert "Hai cột cùng là “Họ và tên”" in words(answer)


def test_a_long_list_goes_behind_the_page_and_is_found_again(
    office: Browser, school: MadeSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LONG", 1)
    make_class(school, "5/4", 5)
    other: list[Value] = [2, "5/4", "Dương Ngọc Bích", "02/10/2016", "Nữ", None, None, "0905000333"]
    one: list[Value] = [1, "5/4", "Dương Chí Bền", "01/10/2016", "Nam", None, None, "0905000334"]
    address = confirm(office, send(office, one, other))
    assert "Đang so danh sách" in words(office.get(address))
    assert jobs.run_one()
    page = office.get(address)
    assert "Mới 2" in words(page)
    office.post(f"{address}/take", data={"csrf_token": token(page)})
    assert "Đang nhập danh sách" in words(office.get(address))
    assert jobs.run_one()
    assert "Đã nhập 2 dòng." in words(office.get(address))


def test_lists_go_out_with_a_line_in_the_trail(office: Browser, school: MadeSchool) -> None:
    class_id = make_class(school, "5/4", 5)
    enrol(school, new_student(class_id, guardians=(mother(),)))
    page = office.get("/lists/pupils")
    out = office.post("/lists/pupils/export", data={"csrf_token": token(page), "class": class_id})
    assert out.headers["Content-Disposition"].startswith("attachment")
    assert read_sheets(out.data, "a.xlsx")[0].rows[1][5] == "Nguyễn Minh Khang"
    form = read_sheets(office.get("/lists/pupils/empty.xlsx").data, "mau.xlsx")[0].rows
    assert {row[0] for row in form[1:]} == {"Ví dụ"}


def test_who_may(app: Flask, office: Browser, school: MadeSchool) -> None:
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL)
    teacher = signed_in(app, school.unit_id, Role.TEACHER)
    assert [b.get("/lists/pupils").status_code for b in (office, principal, teacher)] == [
        200,
        403,
        403,
    ]
    assert [b.get("/lists/staff").status_code for b in (office, principal, teacher)] == [
        403,
        200,
        403,
    ]
    assert office.get("/lists/cattle").status_code == 404
    sent = send(office, LINE)
    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)
    assert stranger.get(sent.location).status_code == 404
    assert principal.get(sent.location).status_code == 404


def test_a_list_is_given_up(office: Browser) -> None:
    address = confirm(office, send(office, LINE))
    page = office.get(address)
    assert office.post(f"{address}/give-up", data={"csrf_token": token(page)}).status_code == 303
    assert "Đã bỏ" in words(office.get("/lists/pupils"))
    assert office.get(f"{address}/to-mend.xlsx").status_code == 404


def test_the_screens_speak_english(office: Browser) -> None:
    sent = send(office, [1, "5/8", "Dương An Khê", "03/10/2016", "Nam", None, None, None])
    assert "What the columns are" in words(office.get(f"{sent.location}?lang=en"))
    address = confirm(office, sent)
    assert "to be opened" in words(office.get(f"{address}?lang=en&tab=new"))
    with scope.opened(scope.EVERY_SCHOOL):
        assert child_named("Ai Chưa Có") is None
