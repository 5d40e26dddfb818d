"""Finding a child by what staff hold in their hands, and what each role sees of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.ids import is_student_code
from app.core.money import Vnd
from app.money.payments.models import Method
from app.money.payments.posting import Credit, accept_many
from app.people import students
from app.people.access import Role
from app.people.schools import Level
from app.people.students import Enrolled, NewGuardian, Scheme, queries, search
from tests.factories.billing import grant, issue, small_school
from tests.factories.money import Billed, billed_children
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import set_clock, signed_in, token, words

TODAY = date(2026, 11, 24)


@dataclass(frozen=True)
class Here:
    """A school with four children, and a nursery with the brother of one."""

    school: MadeSchool
    an: Enrolled
    anh: Enrolled
    hoa: Enrolled
    duc: Enrolled
    class_id: int


@pytest.fixture(scope="module")
def here(app: Flask) -> Here:
    with app.app_context():
        school = make_school()
        class_id, other = make_class(school, "2/3", 2), make_class(school, "2/10", 2)
        family = (mother("0905 123 214"), NewGuardian("Phạm Văn Lực", "0914555678", "father"))
        an, anh, hoa, duc = enrol(
            school,
            new_student(
                class_id,
                "Nguyễn Hoài An",
                guardians=family,
                identifiers=((Scheme.PIN, "048219001417", "giấy khai sinh"),),
            ),
            new_student(class_id, "Lê Quốc Anh"),
            new_student(other, "Trần Thị Hoà"),
            new_student(other, "Đặng Anh Đức"),
        )
        nursery = make_school(level=Level.NURSERY)
        enrol(
            nursery,
            new_student(make_class(nursery, "Lớn 2", 0), "Nguyễn Hoài Em", guardians=family[:1]),
        )
    return Here(school, an, anh, hoa, duc, class_id)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture
def in_school(context: Flask, here: Here) -> Iterator[Here]:
    with scope.opened(scope.one_school(here.school.id)):
        yield here


def names(here: Here, text: str, **filters: int) -> list[str]:
    found = search.find_students(here.school.id, TODAY, text=text, **filters)  # type: ignore[arg-type]
    assert found.count == len(found.children)
    return [child.full_name for child in found.children]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "An Anh Đức Hoà", id="all in Vietnamese order"),
        pytest.param("dang duc", "Đức", id="no accents, words in any order"),
        pytest.param("ĐẶNG", "Đức", id="capitals and accents"),
        pytest.param("hoa", "Hoà An", id="the other way to set the tone"),
        pytest.param("thi hòa", "Hoà", id="the newer way to set the tone"),
        pytest.param("an", "An Anh Đức", id="the beginning of any word"),
        pytest.param("0905.123.214", "An", id="a parent's phone with dots"),
        pytest.param("3214", "An", id="the end of a parent's phone"),
        pytest.param("+84914555678", "An", id="a phone with its country"),
        pytest.param("048219001417", "An", id="the personal number"),
        pytest.param("2/3", "An Anh", id="a class"),
        pytest.param("lớp 2/10", "Đức Hoà", id="a class with its word"),
        pytest.param("anh 2/10", "Đức", id="a name in a class"),
        pytest.param("100%", "", id="signs of the search language are plain text"),
        pytest.param("_", "", id="an underscore is no wild card"),
        pytest.param("em", "", id="a child of another school is not found"),
    ],
)
def test_a_child_is_found_by(in_school: Here, text: str, expected: str) -> None:
    assert [name.split()[-1] for name in names(in_school, text)] == expected.split()


def test_the_list_is_narrowed_to_a_class(in_school: Here) -> None:
    found = names(in_school, "", class_id=in_school.class_id)

    assert found == ["Nguyễn Hoài An", "Lê Quốc Anh"]


def test_classes_are_counted_and_stand_in_number_order(in_school: Here) -> None:
    classes = queries.list_classes(in_school.school.id, in_school.school.year_id, TODAY)

    assert [(known.name, known.children) for known in classes] == [("2/3", 2), ("2/10", 2)]


def test_a_code_with_one_wrong_digit_or_two_swapped_is_recognised(in_school: Here) -> None:
    code = in_school.hoa.code
    wrong = code[:4] + str((int(code[4]) + 1) % 10) + code[5:]
    place = next(n for n in range(8) if code[n] != code[n + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]

    for typed in (wrong, swapped):
        assert not is_student_code(typed)
        near = search.similar_codes(in_school.school.id, typed)
        assert in_school.hoa.code in [child.code for child in near]


def test_fifty_stand_on_a_page_and_the_pager_leads_on(app: Flask, context: Flask) -> None:
    school = make_school()
    class_id = make_class(school)
    enrol(school, *(new_student(class_id, f"Lê Văn Số {n:03d}") for n in range(60)))
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)

    first, second = client.get("/students"), client.get("/students?page=2")

    assert "1–50 trong 60 em" in words(first)
    assert "page=2" in first.text
    assert "51–60 trong 60 em" in words(second)
    assert second.text.count('<th scope="row">') == 10


def test_the_page_offers_the_code_that_was_meant(app: Flask, context: Flask, here: Here) -> None:
    client = signed_in(app, here.school.unit_id, Role.ACCOUNTANT)
    code = here.hoa.code
    typed = code[:8] + str((int(code[8]) + 1) % 10)

    page = client.get(f"/students?q={typed}")

    assert "Có phải là" in page.text
    assert f"/students/{code}" in page.text


def test_a_whole_code_opens_the_child(app: Flask, context: Flask, here: Here) -> None:
    client = signed_in(app, here.school.unit_id, Role.ACCOUNTANT)

    answer = client.get(f"/students?q={here.an.code[:3]}-{here.an.code[3:6]}-{here.an.code[6:]}")

    assert (answer.status_code, answer.location) == (303, f"/students/{here.an.code}")


def test_nobody_found_says_what_to_try(app: Flask, context: Flask, here: Here) -> None:
    client = signed_in(app, here.school.unit_id, Role.TEACHER)

    page = client.get("/students?q=<b>khongco</b>")

    assert "&lt;b&gt;khongco&lt;/b&gt;" in page.text
    assert "bốn số cuối" in page.text


def test_numbers_and_phones_are_masked(app: Flask, context: Flask, here: Here) -> None:
    page = signed_in(app, here.school.unit_id, Role.ACCOUNTANT).get(f"/students/{here.an.code}")

    assert "048*****1417" in page.text
    assert "••• ••• 3214" in page.text
    for hidden in ("048219001417", "0905123214", "0914555678"):
        assert hidden not in page.text


def test_showing_a_number_is_written_down(app: Flask, context: Flask, here: Here) -> None:
    client = signed_in(app, here.school.unit_id, Role.ACCOUNTANT, name="Cô Ghi Sổ")
    page = client.get(f"/students/{here.an.code}")
    with scope.opened(scope.EVERY_SCHOOL):
        number = scalar("select id from student_identifiers where value = '048219001417'")

    shown = client.post(
        f"/students/{here.an.code}/numbers/{number}", data={"csrf_token": token(page)}
    )

    assert "048219001417" in shown.text
    with scope.opened(scope.EVERY_SCHOOL):
        deeds = rows(
            "select cause from audit_rows where actor = 'Cô Ghi Sổ'"
            " and action = 'student.reveal_identifier'"
        )
    assert [deed.cause for deed in deeds] == [f"student:{here.an.student_id}"]


def test_a_number_of_another_child_is_not_shown(app: Flask, context: Flask, here: Here) -> None:
    client = signed_in(app, here.school.unit_id, Role.ACCOUNTANT)
    page = client.get(f"/students/{here.an.code}")
    with scope.opened(scope.EVERY_SCHOOL):
        number = scalar("select id from student_identifiers where value = '048219001417'")

    shown = client.post(
        f"/students/{here.hoa.code}/numbers/{number}", data={"csrf_token": token(page)}
    )

    assert shown.status_code == 404


def test_a_teacher_sees_no_money_and_no_button_to_numbers(app: Flask, context: Flask) -> None:
    small = small_school(2)
    teacher = signed_in(app, small.school.unit_id, Role.TEACHER)
    accountant = signed_in(app, small.school.unit_id, Role.ACCOUNTANT)
    code = small.children[0].code

    for address in ("/students", f"/students/{code}"):
        seen = words(teacher.get(address))
        for word in ("Chưa nộp", "Miễn, giảm", "₫", "Thu tiền mặt", "Hiện số"):
            assert word not in seen, address
    assert "Miễn, giảm" in words(accountant.get("/students"))
    assert "Còn phải nộp" in words(accountant.get(f"/students/{code}"))


def test_the_list_and_the_page_say_how_far_a_bill_is_paid(app: Flask, context: Flask) -> None:
    paid, part, owing = billed_children(3, names=("Lê An", "Lê Bình", "Lê Chi"))
    school = paid.school
    for child, amount in ((paid, paid.due), (part, 100_000)):
        transfer(child, amount)
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    with scope.opened(scope.EVERY_SCHOOL):
        codes = {
            row.id: row.code
            for row in rows(
                "select s.id, s.code from students s join enrolments e on e.student_id = s.id"
                " where e.school_id = :school_id",
                school_id=school.id,
            )
        }

    rows_of = words(client.get("/students")).split("Lê ")[1:]
    assert ["Đã có biên lai" in row for row in rows_of] == [True, True, False]
    assert "100.000 / 778.775" in rows_of[1]
    assert "Chưa nộp" in rows_of[2]
    left = words(client.get(f"/students/{codes[part.student_id]}"))
    assert "Còn phải nộp ở trường này 678.775" in left
    assert "Đã nộp cho trường này 100.000" in left
    assert "778.775" in words(client.get(f"/students/{codes[owing.student_id]}"))


def transfer(child: Billed, amount: int) -> None:
    credit = Credit(
        provider="sepay",
        channel_id=child.school.channel_id,
        external_id=f"page-{child.student_id}",
        method=Method.TRANSFER,
        amount=Vnd(amount),
        occurred_at=NOON,
        value_on=TODAY,
        debit=f"bank:{child.school.account_id}",
        place=str(child.school.account_id),
        proof="account",
        text=child.request.reference,
        bank_account_id=child.school.account_id,
    )
    with scope.opened(scope.one_school(child.school.id)), transaction():
        accept_many(child.school.id, [credit], actor=ACCOUNTANT, now=NOON)


def test_the_rate_of_an_exemption_is_in_the_list_and_its_ground_only_on_the_page(
    app: Flask, context: Flask
) -> None:
    small = small_school(2)
    grant(small.id, small.children[0].enrolment_id, small.half)
    issue(small.id)
    client = signed_in(app, small.school.unit_id, Role.ACCOUNTANT)

    listed = words(client.get("/students")).replace("&nbsp;", " ")
    page = words(client.get(f"/students/{small.children[0].code}")).replace("&nbsp;", " ")

    assert listed.count("50 %") == 1
    assert "Chính sách" not in listed
    assert "Phục vụ bán trú: 50 %" in page
    assert "Chính sách" in page
    assert "từ tháng 9/2026" in page


def test_a_child_of_another_school_does_not_exist(app: Flask, context: Flask, here: Here) -> None:
    stranger = signed_in(app, make_school().unit_id, Role.ACCOUNTANT)

    known, unknown = (
        stranger.get(f"/students/{here.an.code}"),
        stranger.get("/students/999999999"),
    )

    assert (known.status_code, unknown.status_code) == (404, 404)
    assert "Hoài An" not in known.text


def test_years_at_other_schools_and_siblings_stay_within_the_scope(
    app: Flask, context: Flask, here: Here
) -> None:
    page = signed_in(app, here.school.unit_id, Role.ACCOUNTANT).get(f"/students/{here.an.code}")

    assert "Lớp 2/3" in words(page)
    assert "Hoài Em" not in page.text

    with scope.opened(scope.EVERY_SCHOOL):
        whole = queries.get_student(here.an.code, TODAY)
    assert [child.full_name for child in whole.siblings] == ["Nguyễn Hoài Em"]


def test_a_child_that_left_is_found_by_name_but_not_in_the_list(app: Flask, context: Flask) -> None:
    school = make_school()
    gone = enrol(school, new_student(make_class(school), "Võ Đã Đi"))[0]
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_enrolment(
            school.id,
            gone.enrolment_id,
            ends_on=date(2026, 10, 12),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)

    assert "Võ Đã Đi" not in client.get("/students").text
    assert "rời trường 12/10/2026" in words(client.get("/students?q=vo di"))
    assert "chuyển trường" in words(client.get(f"/students/{gone.code}"))


def test_the_command_prints_what_it_finds(app: Flask, here: Here) -> None:
    runner = app.test_cli_runner()

    everywhere = json.loads(runner.invoke(args=["students", "search", "nguyen hoai"]).output)
    at_school = json.loads(
        runner.invoke(
            args=["students", "search", "nguyen hoai", "--school", here.school.code]
        ).output
    )

    assert [child["name"] for child in everywhere] == ["Nguyễn Hoài An", "Nguyễn Hoài Em"]
    assert at_school == [
        {
            "code": here.an.code,
            "name": "Nguyễn Hoài An",
            "class": "2/3",
            "school": here.school.code,
        }
    ]


def test_the_command_knows_no_unknown_school(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["students", "search", "an", "--school", "NONE"])

    assert answer.exit_code == 1
