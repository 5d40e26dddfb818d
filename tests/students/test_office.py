"""The office's pages about one child: admission, identity, family, class, leave and return."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import scope
from app.core.db import DAY, row, rows, scalar, transaction
from app.people import students
from app.people.access import Role
from app.people.students import Enrolled, NewGuardian, Scheme
from app.people.students.invariants import INVARIANTS
from tests.factories.money import billed_children
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import Browser, set_clock, signed_in, token, words

TODAY = date(2026, 11, 24)
BORN = date(2018, 3, 14)


@dataclass(frozen=True)
class Office:
    """A school with an accountant at the desk, and a child of another school."""

    school: MadeSchool
    class_id: int
    desk: Browser
    far: MadeSchool
    stranger: Enrolled


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture
def office(app: Flask, context: Flask) -> Iterator[Office]:
    school, far = make_school(), make_school()
    (stranger,) = enrol(
        far,
        new_student(
            make_class(far),
            "Vũ Gia Hân",
            identifiers=((Scheme.PIN, pin(far), "giấy khai sinh"),),
        ),
    )
    yield Office(
        school,
        make_class(school, "2/1", 2),
        signed_in(app, school.unit_id, Role.ACCOUNTANT),
        far,
        stranger,
    )
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def pin(school: MadeSchool, last: int = 1) -> str:
    """A personal number that looks as they used to for a boy born in 2018, and is invented."""
    return f"048218{school.id % 1000:03}{last:03}"


def post(desk: Browser, where: str, page: str | None = None, **fields: object) -> TestResponse:
    """Send the form of a page with its token."""
    drawn = desk.get(page or where)
    return desk.post(where, data={"csrf_token": token(drawn), **fields})


def new_child(office: Office, **fields: object) -> dict[str, object]:
    values: dict[str, object] = {
        "full_name": "Nguyễn Minh Khang",
        "birth_date": "14/3/2018",
        "sex": "male",
        "class_id": office.class_id,
        "starts_on": "24/11/2026",
        "pin": pin(office.school),
        "no_number": "",
        "source": "giấy khai sinh",
        "first-full_name": "Trần Thị Thu Hà",
        "first-relation": "mother",
        "first-phone": "0905 800 001",
        "first-address": "1 đường Minh Họa",
        "second-relation": "father",
    }
    return values | fields


def admit(office: Office, **fields: object) -> TestResponse:
    drawn = office.desk.get("/admission")
    data = {"csrf_token": token(drawn), **new_child(office, **fields)}
    return office.desk.post("/admission", data=data)


def answer_of(page: TestResponse) -> str:
    found = re.search(r'name="answered" value="([^"]+)"', page.text)
    assert found, words(page)
    return found[1]


def child_named(name: str) -> object:
    with scope.opened(scope.EVERY_SCHOOL):
        return row(
            "select s.id, s.code, s.full_name, s.birth_date, s.no_number_reason, e.school_id,"
            " e.starts_on from students s join enrolments e on e.student_id = s.id"
            " where s.full_name = :name order by e.id desc limit 1",
            types={"birth_date": DAY, "starts_on": DAY},
            name=name,
        )


# Admission


def test_a_child_is_admitted_with_number_class_and_mother(office: Office) -> None:
    answer = admit(office, full_name="  Đỗ  An Nhiên ")

    child = child_named("Đỗ An Nhiên")
    assert child is not None
    assert answer.status_code == 303, words(answer)
    assert answer.location == f"/students/{child.code}?admitted=1"  # type: ignore[attr-defined]
    page = words(office.desk.get(answer.location))
    for word in ("Đỗ An Nhiên", "lớp 2/1", "Trần Thị Thu Hà", "••• ••• 0001", "Nhận anh chị em"):
        assert word in page
    assert "Chưa gửi đối chiếu dân cư" in page


def test_a_wrong_form_keeps_what_was_typed(office: Office) -> None:
    answer = admit(
        office,
        birth_date="31/2/2018",
        pin="04821",
        **{"first-phone": "123", "bhxh": "GD 1", "first-address": "3 đường Minh Họa"},
    )

    assert answer.status_code == 422
    seen = words(answer)
    for message in ("Nhập ngày", "12 chữ số", "mười chữ số"):
        assert message in seen
    for typed in ("31/2/2018", "04821", "Nguyễn Minh Khang", "GD 1", "3 đường Minh Họa"):
        assert f'value="{typed}"' in answer.text


def test_a_child_without_a_number_needs_the_reason(office: Office) -> None:
    assert admit(office, pin="").status_code == 422
    answer = admit(office, pin="", no_number="not_registered", full_name="Lê Chưa Số")

    assert answer.status_code == 303
    assert child_named("Lê Chưa Số").no_number_reason == "not_registered"  # type: ignore[attr-defined]
    assert "chưa đăng ký khai sinh" in words(office.desk.get(answer.location))


def test_an_odd_number_is_asked_about_once_and_then_taken(office: Office) -> None:
    odd = f"999099{office.school.id % 1000:03}001"

    question = admit(office, pin=odd, full_name="Lê Số Lạ")
    assert question.status_code == 422
    assert "So lại số định danh với giấy" in words(question)
    assert child_named("Lê Số Lạ") is None

    again = admit(office, pin=odd, full_name="Lê Số Lạ", answered=answer_of(question))
    assert again.status_code == 303


def test_a_child_of_this_school_is_shown_and_not_made_twice(office: Office) -> None:
    (known,) = enrol(office.school, new_student(office.class_id, "Phan Bảo Châu"))

    question = admit(office, full_name="phan bao chau")

    assert question.status_code == 422
    assert "Có thể em đã có hồ sơ" in words(question)
    assert f"/students/{known.code}" in question.text
    other = admit(office, full_name="phan bao chau", answered=answer_of(question))
    assert other.status_code == 303
    assert not other.location.startswith(f"/students/{known.code}")


def test_a_child_of_another_school_is_not_named_and_opens_by_code_and_birth_date(
    office: Office,
) -> None:
    question = admit(office, full_name="Vũ Gia Hân", pin="", no_number="being_made")

    assert question.status_code == 422
    seen = words(question)
    assert "trường khác" in seen
    assert office.stranger.code not in question.text
    assert "Minh Họa " not in seen.split("Có thể em đã có hồ sơ")[1].split("Các mã số")[0]

    wrong = admit(office, full_name="Vũ Gia Hân", birth_date="15/3/2018", known_code="123-456-782")
    assert wrong.status_code == 422
    assert "không khớp" in words(wrong) or "Ngày sinh" in words(wrong)

    still_there = admit(office, full_name="Vũ Gia Hân", pin="", known_code=office.stranger.code)
    assert still_there.status_code == 422
    assert "vẫn đang học một trường khác" in words(still_there)
    done = admit(
        office,
        full_name="Vũ Gia Hân",
        pin="",
        known_code=office.stranger.code,
        answered=answer_of(still_there),
    )
    assert (done.status_code, done.location) == (
        303,
        f"/students/{office.stranger.code}?admitted=1",
    )


def test_a_number_of_another_child_is_refused_without_telling_whose(office: Office) -> None:
    question = admit(office, pin=pin(office.far), full_name="Trịnh Người Khác")

    assert question.status_code == 422
    assert "Vũ Gia Hân" not in question.text
    assert "Hồ sơ mới không thể mang số của em khác" in words(question)
    forced = admit(
        office,
        pin=pin(office.far),
        full_name="Trịnh Người Khác",
        answered=f"new trinh nguoi khac 2018-03-14 male {pin(office.far)}",
    )
    assert forced.status_code == 422
    assert child_named("Trịnh Người Khác") is None


def test_a_brother_is_admitted_with_the_family_kept(office: Office) -> None:
    (first,) = enrol(
        office.school,
        new_student(
            office.class_id,
            "Hồ Minh Anh",
            guardians=(mother("0905800010"), NewGuardian("Hồ Ông", None, "grandfather")),
        ),
    )
    page = office.desk.get(f"/admission?sibling={first.code}")
    keep = re.findall(r'name="keep" value="(\d+)"', page.text)
    assert len(keep) == 2
    assert "0905800010" not in page.text

    answer = admit(
        office,
        full_name="Hồ Minh Em",
        sibling=first.code,
        keep=keep,
        **{"first-full_name": "", "first-phone": "", "first-address": ""},
    )

    assert answer.status_code == 303
    assert "Hồ Minh Anh" in words(office.desk.get(answer.location))
    with scope.opened(scope.EVERY_SCHOOL):
        assert scalar("select count(*) from guardians where full_name = 'Hồ Ông'") == 1


# Identity


def identity(child: Enrolled) -> str:
    return f"/students/{child.code}/identity"


def test_a_name_is_corrected_and_the_old_one_stays_below(office: Office) -> None:
    (child,) = enrol(office.school, new_student(office.class_id, "Nguyen Van Sai"))
    fields = {
        "full_name": "Nguyễn Văn Sáu",
        "birth_date": "14/03/2018",
        "sex": "male",
        "no_number": "",
        "from_day": "",
    }

    assert post(office.desk, identity(child), **fields).status_code == 422
    saved = post(office.desk, identity(child), **fields, reason="theo giấy khai sinh")

    assert saved.status_code == 303
    page = words(office.desk.get(saved.location))
    for word in ("Nguyen Van Sai", "Nguyễn Văn Sáu", "theo giấy khai sinh", "nhập tay"):
        assert word in page
    again = post(office.desk, identity(child), **fields, reason="theo giấy khai sinh")
    assert again.status_code == 422
    assert "Không có gì thay đổi" in words(again)


def test_a_number_is_added_questioned_and_ended(office: Office) -> None:
    (child,) = enrol(office.school, new_student(office.class_id, "Lê Thêm Số"))
    fields = {
        "full_name": "Lê Thêm Số",
        "birth_date": "14/03/2018",
        "sex": "female",
        "pin": pin(office.school, 7),
        "no_number": "",
        "from_day": "24/11/2026",
        "reason": "gia đình nộp giấy",
    }
    without = post(office.desk, identity(child), **fields)
    assert "Ghi số được đọc từ giấy nào" in words(without)

    question = post(office.desk, identity(child), **fields, source="thẻ căn cước")
    assert question.status_code == 422
    assert "Số thứ tư thường theo giới tính" in words(question)
    saved = post(
        office.desk,
        identity(child),
        **fields,
        source="thẻ căn cước",
        answered=answer_of(question),
    )
    assert saved.status_code == 303
    page = office.desk.get(saved.location)
    assert pin(office.school, 7) not in page.text

    end = re.search(r"/students/\d+/numbers/\d+/end", page.text)
    assert end
    ended = post(office.desk, end[0], on="24/11/2026", reason="cấp nhầm")
    assert ended.status_code == 303
    assert "hết hiệu lực" in words(office.desk.get(ended.location))


def test_a_school_the_child_has_left_no_longer_corrects_it(office: Office) -> None:
    (child,) = enrol(office.school, new_student(office.class_id, "Đinh Đã Đi"))
    leave(office.school, child, date(2026, 10, 1))
    assert office.desk.get(identity(child)).status_code == 200  # the last to have the child
    enrol(
        office.far,
        new_student(
            make_class(office.far), student_id=child.student_id, starts_on=date(2026, 10, 5)
        ),
    )

    assert office.desk.get(identity(child)).status_code == 409


# Family


def test_a_guardian_is_added_changed_asked_first_and_ended(office: Office) -> None:
    (child,) = enrol(
        office.school,
        new_student(office.class_id, "Mai An", guardians=(mother("0905800020"),)),
    )
    family = f"/students/{child.code}/family"
    wrong = post(
        office.desk,
        family,
        full_name="Mai Cha",
        relation="father",
        phone="12",
        address="5 Minh Họa",
    )
    assert wrong.status_code == 422
    assert 'value="Mai Cha"' in wrong.text
    assert 'value="5 Minh Họa"' in wrong.text

    post(
        office.desk, family, full_name="Mai Cha", relation="father", phone="0914800020", address=""
    )
    page = office.desk.get(family)
    dad = re.findall(r"/family/(\d+)/primary", page.text)[0]
    post(office.desk, f"{family}/{dad}/primary", page=family)
    one = office.desk.get(f"{family}/{dad}")
    assert "0914800020" not in one.text
    post(
        office.desk,
        f"{family}/{dad}",
        full_name="Mai Văn Cha",
        relation="father",
        phone="",
        address="7 Minh Họa",
    )
    seen = words(office.desk.get(family))
    assert "Mai Văn Cha" in seen
    assert "••• ••• 0020" in seen
    ended = post(office.desk, f"{family}/{dad}/end", page=f"{family}/{dad}", on="24/11/2026")
    assert ended.status_code == 303
    assert "Mai Văn Cha không còn" in words(office.desk.get(ended.location))
    assert "Mai Văn Cha" not in words(office.desk.get(family))


def test_the_page_says_for_how_many_children_a_phone_changes(office: Office) -> None:
    both = (mother("0905800030"),)
    (child,) = enrol(office.school, new_student(office.class_id, "Tạ An", guardians=both))
    enrol(office.far, new_student(make_class(office.far), "Tạ Bình", guardians=both))
    family = f"/students/{child.code}/family"
    tie = re.findall(rf"{family}/(\d+)", office.desk.get(family).text)[0]

    seen = words(office.desk.get(f"{family}/{tie}"))

    assert "phụ huynh của 1 em nữa" in seen
    assert "1 em học trường khác" in seen
    assert "Tạ Bình" not in seen


# Class, leave, return


def leave(school: MadeSchool, child: Enrolled, day: date) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_enrolment(
            school.id, child.enrolment_id, ends_on=day, reason="moved", actor=ACCOUNTANT, now=NOON
        )


def test_a_child_moves_to_another_class(office: Office) -> None:
    (child,) = enrol(office.school, new_student(office.class_id, "Cao An"))
    other = make_class(office.school, "2/7", 2)
    address = f"/students/{child.code}/class"

    same = post(office.desk, address, class_id=office.class_id, from_day="24/11/2026")
    assert same.status_code == 422
    assert "Em học lớp này rồi" in words(same) or "lớp này" in words(same)
    moved = post(office.desk, address, class_id=other, from_day="24.11.2026")
    assert moved.status_code == 303
    assert "lớp 2/7" in words(office.desk.get(moved.location))


def test_a_child_leaves_with_money_open_and_comes_back_under_the_same_code(
    app: Flask, context: Flask
) -> None:
    (billed,) = billed_children(1, names=("Lý An",))
    desk = signed_in(app, billed.school.unit_id, Role.ACCOUNTANT)
    child = child_named("Lý An")
    code = child.code  # type: ignore[attr-defined]
    page = words(desk.get(f"/students/{code}/leave"))
    assert "Còn phải nộp ở trường này" in page

    address = f"/students/{code}/leave"
    other = post(desk, address, last_day="30/11/2026", reason="other", note="")
    assert other.status_code == 422
    gone = post(desk, address, last_day="30/11/2026", reason="other", note="theo gia đình")
    assert gone.status_code == 303
    seen = words(desk.get(gone.location))
    assert "từ 01/12/2026 không còn học ở đây" in seen
    assert "lý do khác: theo gia đình" in seen
    again = desk.get(address)
    assert again.status_code == 200

    back = f"/students/{code}/return"
    too_early = post(desk, back, class_id=0, starts_on="30/11/2026")
    assert too_early.status_code == 422
    returned = post(desk, back, class_id=0, starts_on="04/01/2027")
    assert (returned.status_code, returned.location) == (303, f"/students/{code}")
    with scope.opened(scope.EVERY_SCHOOL):
        stays = rows(
            "select e.starts_on, e.ends_on, e.end_reason from enrolments e"
            " join students s on s.id = e.student_id where s.code = :code order by e.id",
            types={"starts_on": DAY, "ends_on": DAY},
            code=code,
        )
    assert [(s.ends_on, s.end_reason) for s in stays] == [
        (date(2026, 12, 1), "other"),
        (None, None),
    ]
    assert stays[1].starts_on == date(2027, 1, 4)


# Classes of the year


def test_ticked_children_are_placed_without_scripts(office: Office) -> None:
    made = enrol(office.school, *(new_student(None, f"Ông Số {n}") for n in range(3)))
    ids = [child.enrolment_id for child in made[:2]]

    unknown = post(
        office.desk,
        "/classes",
        enrolment=ids,
        class_name="9/9",
        from_day="24/11/2026",
    )
    assert unknown.status_code == 422
    assert "không có lớp 9/9" in words(unknown)
    assert len(re.findall(r'name="enrolment"[^>]* checked', unknown.text)) == 2

    placed = post(
        office.desk,
        "/classes",
        enrolment=ids,
        class_name=" 2/1 ",
        from_day="24/11/2026",
    )
    assert placed.status_code == 303
    seen = words(office.desk.get(placed.location))
    assert "2 em học lớp 2/1 từ 24/11/2026" in seen
    assert "Ông Số 2" in seen
    assert "Ông Số 0" not in seen


def test_children_of_another_school_cannot_be_placed(office: Office) -> None:
    answer = post(
        office.desk,
        "/classes",
        enrolment=[office.stranger.enrolment_id],
        class_name="2/1",
        from_day="24/11/2026",
    )

    assert answer.status_code == 404


def test_classes_are_opened_by_a_list_of_names(office: Office) -> None:
    opened = post(
        office.desk,
        "/classes/new",
        page="/classes",
        grade=3,
        names="3/1, 3/2; 3/10",
    )
    assert opened.status_code == 303
    seen = words(office.desk.get("/classes"))
    assert seen.index("3/2") < seen.index("3/10")
    taken = post(office.desk, "/classes/new", page="/classes", grade=3, names="3/3, 3/1")
    assert taken.status_code == 422
    assert 'value="3/3, 3/1"' in taken.text
    assert "3/3" not in words(office.desk.get("/classes"))


# Who may not


ADDRESSES = ("identity", "family", "class", "leave", "return")


def test_a_teacher_sees_no_way_to_change_and_is_refused(app: Flask, office: Office) -> None:
    (child,) = enrol(office.school, new_student(office.class_id, "Bùi An"))
    teacher = signed_in(app, office.school.unit_id, Role.TEACHER)

    assert "Sửa hồ sơ" not in words(teacher.get(f"/students/{child.code}"))
    assert "Nhận học sinh" not in words(teacher.get("/students"))
    for part in ADDRESSES:
        assert teacher.get(f"/students/{child.code}/{part}").status_code == 403, part
    for address in ("/admission", "/classes"):
        assert teacher.get(address).status_code == 403
        assert teacher.post(address).status_code == 400  # no token: the same page for everybody
        form = token(teacher.get("/students"))
        assert teacher.post(address, data={"csrf_token": form}).status_code == 403


def test_a_child_of_another_school_is_out_of_reach(office: Office) -> None:
    for part in ADDRESSES:
        answer = office.desk.get(f"/students/{office.stranger.code}/{part}")
        assert answer.status_code == 404, part
    assert office.desk.get(f"/admission?sibling={office.stranger.code}").status_code == 404
