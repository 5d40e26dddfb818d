"""A child is found by what people hold in their hands, however it is typed."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import execute, rows, transaction
from app.core.ids import is_student_code
from app.core.text import fold
from app.people import students
from app.people.students import Correction, IdentityField, Origin, Scheme, queries, search
from app.people.students.invariants import INVARIANTS
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

NAMES = (
    "Nguyễn Văn An",
    "Nguyễn Vân Anh",
    "Nguyễn Thị Hoà",
    "Trần Thị Hòa",
    "Đặng Ưng",
    "Lê Anh Văn Nguyên",
    "Võ Thuỳ Dương",
    "Ông Ích Đường",
    "Nguyễn Nguyên Nguyệt",
    "H'Linh Niê",
)
TODAY = NOON.date()


@pytest.fixture(scope="module")
def area(app: Flask) -> MadeSchool:
    """One school with the names above, each child in a class of its own name."""
    with app.app_context():
        school = make_school()
        class_id = make_class(school, "5/4", 5)
        enrol(school, *(new_student(class_id, name) for name in NAMES))
        return school


def names_found(text: str) -> list[str]:
    with scope.opened(scope.EVERY_SCHOOL):
        return [child.full_name for child in queries.search_area(text, TODAY)]


@pytest.mark.usefixtures("context", "area")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nguyen van an", ["Nguyễn Văn An", "Nguyễn Vân Anh", "Lê Anh Văn Nguyên"]),
        ("an van nguyen", ["Nguyễn Văn An", "Nguyễn Vân Anh", "Lê Anh Văn Nguyên"]),
        ("Hoà", ["Nguyễn Thị Hoà", "Trần Thị Hòa"]),
        ("hòa", ["Trần Thị Hòa", "Nguyễn Thị Hoà"]),
        ("HOA", ["Nguyễn Thị Hoà", "Trần Thị Hòa"]),
        ("dang ung", ["Đặng Ưng"]),
        ("ong ich duong", ["Ông Ích Đường"]),
        ("h'linh", ["H'Linh Niê"]),
        ("nguyen nguyen nguyet", ["Nguyễn Nguyên Nguyệt"]),
        ("khong co", []),
        ("", []),
        ("%", []),
        ("_an", []),
    ],
)
def test_by_name_with_and_without_accents_in_any_order(text: str, expected: list[str]) -> None:
    assert names_found(text) == expected


@pytest.mark.usefixtures("context", "area")
def test_accents_that_were_typed_rank_first() -> None:
    assert names_found("vân")[0] == "Nguyễn Vân Anh"
    assert names_found("văn")[0] == "Nguyễn Văn An"


SYLLABLES = ["nguyễn", "Văn", "AN", "anh", "Đ", "hoà", "hòa", "ng", "v", "ic", "zz", "  ", "'"]


@pytest.mark.usefixtures("area")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=4).map(" ".join))
@example("an an")
def test_the_index_finds_exactly_whom_a_look_at_everybody_finds(app: Flask, text: str) -> None:
    words = fold(text).split()
    expected = {
        name
        for name in NAMES
        if words and all(any(w.startswith(word) for w in fold(name).split()) for word in words)
    }
    with app.app_context():
        assert set(names_found(text)) == expected


@pytest.mark.usefixtures("context")
def test_by_class_code_number_and_phone() -> None:
    school = make_school()
    class_id = make_class(school, "2/3", 2)
    child, other = enrol(
        school,
        new_student(
            class_id,
            "Phan Bảo Khang",
            guardians=(mother("0905777123"),),
            identifiers=((Scheme.PIN, "001099770001", "giấy"),),
        ),
        new_student(make_class(school, "2/4", 2), "Phan Bảo Khanh"),
    )
    code = child.code
    for text in (
        code,
        f"{code[:3]}-{code[3:6]}-{code[6:]}",
        code[:6],
        "001099770001",
        "0905777123",
        "+84 905 777 123",
        "777123",
        "khang 2/3",
        "lớp 2/3 khang",
    ):
        assert names_found(text) == ["Phan Bảo Khang"], text
    with scope.opened(scope.one_school(school.id)):
        for text in (code, code[:6], "777123", "khang 2/3", "phan bao khang"):
            found = queries.find_students(school.id, TODAY, text=text).children
            assert [c.full_name for c in found] == ["Phan Bảo Khang"], text
    assert other.code != code


@pytest.mark.usefixtures("context")
def test_the_old_code_of_a_merged_record_finds_the_child() -> None:
    from app.journeys.merging.services import merge

    school = make_school()
    class_id = make_class(school)
    kept, old = enrol(school, *(new_student(class_id, "Cao Gia Hân") for _n in range(2)))
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        merge(
            kept.student_id,
            old.student_id,
            take_over=(),
            reason="nhập hai lần",
            allowed=None,
            actor=ACCOUNTANT,
            now=NOON,
        )
    with scope.opened(scope.one_school(school.id)):
        assert queries.get_student(old.code, TODAY).code == kept.code
        for found in (
            queries.search_area(old.code, TODAY),
            queries.find_students(school.id, TODAY, text=old.code).children,
            queries.find_students(school.id, TODAY, text="cao gia han").children,
        ):
            assert [child.code for child in found] == [kept.code]


@pytest.mark.usefixtures("context")
def test_a_renamed_child_is_found_by_the_new_name_only() -> None:
    school = make_school()
    child = enrol(school, new_student(make_class(school), "Tạ Quỳnh Như"))[0]
    with scope.opened(scope.one_school(school.id)), transaction():
        students.correct_many(
            [Correction(child.student_id, IdentityField.FULL_NAME, "Tạ Quỳnh Nga")],
            origin=Origin.HAND,
            reason="giấy khai sinh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )
    assert names_found("ta quynh nhu") == []
    assert names_found("ta quynh nga") == ["Tạ Quỳnh Nga"]
    with scope.opened(scope.EVERY_SCHOOL):
        assert [i.find() for i in INVARIANTS if i.number == "S8"] == [[]]


@pytest.mark.usefixtures("context")
def test_nobody_outside_the_scope_is_found() -> None:
    here, there = make_school(), make_school()
    enrol(here, new_student(make_class(here), "Lâm Tuệ Mẫn"))
    enrol(there, new_student(make_class(there), "Lâm Tuệ Minh"))
    with scope.opened(scope.one_school(here.id)):
        assert [c.full_name for c in queries.search_area("lam tue", TODAY)] == ["Lâm Tuệ Mẫn"]


def test_a_lost_index_is_seen_and_made_anew(app: Flask, area: MadeSchool) -> None:
    with app.app_context():
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            execute("delete from student_words where word = 'nguyen'")
        with scope.opened(scope.EVERY_SCHOOL):
            broken = next(i for i in INVARIANTS if i.number == "S8").find()
        assert broken
    answer = app.test_cli_runner().invoke(args=["students", "reindex"])
    assert answer.exit_code == 0
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL):
        assert next(i for i in INVARIANTS if i.number == "S8").find() == []


def test_the_command_offers_the_code_that_was_meant(app: Flask, area: MadeSchool) -> None:
    with app.app_context(), scope.opened(scope.EVERY_SCHOOL):
        code = str(rows("select code from students order by id limit 1")[0].code)
    wrong = next(
        code[:8] + digit for digit in "0123456789" if not is_student_code(code[:8] + digit)
    )
    answer = app.test_cli_runner().invoke(args=["students", "search", wrong])
    assert code in [child["code"] for child in json.loads(answer.stdout)]


def test_words_are_folded_and_bounded() -> None:
    assert search.words_of("Đỗ  đỗ HOÀ") == ["do", "hoa"]
    assert len(search.words_of("a b c d e f g h i j")) == search.MOST_WORDS
    assert search.by_words("  ") is None
