"""What a search finds, in which order, and that the words it looks in follow the names."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import execute, rows, scalar, transaction
from app.core.text import fold
from app.journeys.merging.services import merge
from app.people import students
from app.people.access import Role
from app.people.schools import Level
from app.people.students import (
    Correction,
    Enrolled,
    IdentityField,
    NewGuardian,
    Origin,
    Scheme,
    search,
)
from app.people.students.invariants import INVARIANTS
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school
from tests.factories.staff import set_clock, signed_in, words

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture(params=["rare words", "every word is common"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Common words are looked up another way; the answer must not depend on it."""
    if request.param != "rare words":
        monkeypatch.setattr(search, "_COMMON_AT_SCHOOL", 1)
        monkeypatch.setattr(search, "_COMMON_IN_AREA", 1)


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


def class_of(school: MadeSchool, *names: str) -> list[Enrolled]:
    class_id = make_class(school)
    return enrol(school, *(new_student(class_id, name) for name in names))


def at_school(school: MadeSchool, text: str) -> list[str]:
    return [child.full_name for child in search.find_students(school.id, TODAY, text=text).children]


def in_area(text: str, *schools: MadeSchool) -> list[str]:
    readable = scope.Scope(frozenset(school.id for school in schools))
    with scope.opened(readable):
        return [child.full_name for child in search.search_area(text, TODAY)]


def broken(*numbers: str) -> list[str]:
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            breach
            for invariant in INVARIANTS
            if invariant.number in numbers
            for breach in invariant.find()
        ]


# What is found

SYLLABLES = st.sampled_from(
    [
        *("An", "Ân", "Anh", "Ánh", "Văn", "Vân", "Nguyễn", "Nguyên", "Hoà", "Hòa", "Hoàng"),
        *("Đặng", "Đăng", "Lê", "Lệ", "Ngọc", "y", "Y", "H'Mông", "Niê-Kđăm"),
    ]
)
NAMES = st.lists(SYLLABLES, min_size=1, max_size=5).map(" ".join)
QUERIES = st.lists(
    st.tuples(SYLLABLES, st.integers(1, 8)).map(lambda part: part[0][: part[1]]),
    min_size=1,
    max_size=4,
).map(" ".join)


@given(st.lists(NAMES, min_size=1, max_size=12), st.lists(QUERIES, min_size=1, max_size=6))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_index_finds_what_comparing_every_name_finds(
    context: Flask, names: list[str], texts: list[str]
) -> None:
    school = make_school()
    with scope.opened(scope.one_school(school.id)):
        class_of(school, *names)
    for text in texts:
        typed = search.words_of(fold(text))
        expected = sorted(
            name
            for name in names
            if typed
            and all(
                any(word.startswith(part) for word in search.words_of(fold(name))) for part in typed
            )
        )
        with scope.opened(scope.one_school(school.id)):
            found = search.find_students(school.id, TODAY, text=text)
        assert sorted(child.full_name for child in found.children) == expected, text
        assert found.count == len(expected)
        assert sorted(in_area(text, school)) == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "nguyen van an",
            ["Nguyễn Văn An", "Nguyễn Văn Ân", "Nguyễn Văn Anh", "Nguyễn Ân Văn"],
            id="the whole name, then the given name, then Vietnamese order",
        ),
        pytest.param("an van nguyen", ["Nguyễn Văn An"], id="words in any order"),
        pytest.param("Nguyễn Văn Ân", ["Nguyễn Văn Ân", "Nguyễn Ân Văn"], id="accents as typed"),
        pytest.param(
            unicodedata.normalize("NFD", "Nguyễn Văn Ân"), ["Nguyễn Văn Ân"], id="accents in pieces"
        ),
        pytest.param("anh", ["Nguyễn Văn Anh", "Lê Ánh"], id="no accents"),
        pytest.param("ánh", ["Lê Ánh", "Nguyễn Văn Anh"], id="with accents"),
        pytest.param("trần thị hòa", ["Trần Thị Hoà"], id="another place of the tone"),
    ],
)
def test_the_best_stand_first(school: MadeSchool, text: str, expected: list[str]) -> None:
    class_of(
        school,
        "Lê Ánh",
        "Nguyễn Ân Văn",
        "Nguyễn Văn Anh",
        "Nguyễn Văn Ân",
        "Nguyễn Văn An",
        "Trần Thị Hoà",
    )

    for found in (at_school(school, text), in_area(text, school)):
        assert found[: len(expected)] == expected


def test_numbers_words_and_classes_together_narrow_the_search(school: MadeSchool) -> None:
    class_id, other = make_class(school, "2/3", 2), make_class(school, "5/4", 5)
    family = (mother("0905 111 777"),)
    enrol(
        school,
        new_student(class_id, "Lê Minh Khang", guardians=family),
        new_student(class_id, "Lê Minh Thư", guardians=family),
        new_student(other, "Lê Minh Khôi", guardians=family),
    )

    for text, expected in (
        ("1777", ["Lê Minh Khang", "Lê Minh Khôi", "Lê Minh Thư"]),
        ("thu 1777", ["Lê Minh Thư"]),
        ("0905111777 lớp 5/4", ["Lê Minh Khôi"]),
        ("2/3 kha", ["Lê Minh Khang"]),
        ("lop 5/4", ["Lê Minh Khôi"]),
        ("2/3 1777 minh t", ["Lê Minh Thư"]),
        ("090511", []),
        ("0905111", ["Lê Minh Khang", "Lê Minh Khôi", "Lê Minh Thư"]),
        ("84905111777", ["Lê Minh Khang", "Lê Minh Khôi", "Lê Minh Thư"]),
        ("777", []),
    ):
        assert at_school(school, text) == expected, text
        assert in_area(text, school) == expected, text


def test_a_code_is_found_whole_in_threes_by_its_beginning_and_by_its_end(
    school: MadeSchool,
) -> None:
    child, other = class_of(school, "Lê An", "Lê Bình")
    code = child.code

    for text in (code, f"{code[:3]} {code[3:6]} {code[6:]}", code[:7], code[2:]):
        assert at_school(school, text) == ["Lê An"], text
    assert in_area(other.code, school) == ["Lê Bình"]


def test_a_number_with_letters_is_found(school: MadeSchool) -> None:
    numbers = ((Scheme.PASSPORT, "B0001234X", "hộ chiếu"), (Scheme.SCHOOL, "HS-0077", "sổ"))
    enrol(school, new_student(make_class(school), "Kim Min", identifiers=numbers))

    for text in ("b0001234x", "B 000 1234 X", "hs-0077"):
        assert at_school(school, text) == ["Kim Min"], text


@pytest.mark.parametrize("text", ["%", "_", "'", "\\", "a\x00b", "((((", "+84", "🙂", "x" * 5000])
def test_any_text_gets_an_answer(school: MadeSchool, text: str) -> None:
    class_of(school, "Lê An")

    assert at_school(school, text) == in_area(text, school) == []


# Whom


def test_a_school_finds_only_children_who_were_ever_there(school: MadeSchool) -> None:
    other, third = make_school(), make_school(level=Level.NURSERY)
    name = "Đoàn Hiếm Hoi"
    here = class_of(school, name)[0]
    class_of(other, name)
    class_of(third, name)

    assert at_school(school, "doan hiem") == [name]
    assert at_school(school, here.code) == [name]
    assert len(in_area("doan hiem", school, other)) == 2
    assert in_area(here.code, other, third) == []


def test_a_child_of_two_schools_stands_once_in_the_area_where_it_is_now(
    school: MadeSchool,
) -> None:
    child = class_of(school, "Lê Đã Chuyển")[0]
    with transaction():
        students.end_enrolment(
            school.id,
            child.enrolment_id,
            ends_on=date(2026, 10, 12),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
    after = make_school()
    enrol(
        after,
        new_student(
            make_class(after),
            "Lê Đã Chuyển",
            student_id=child.student_id,
            starts_on=date(2026, 10, 12),
        ),
    )

    with scope.opened(scope.Scope(frozenset({school.id, after.id}))):
        found = search.search_area("le da chuyen", TODAY)
    assert [(f.code, f.school_code) for f in found] == [(child.code, after.code)]
    assert at_school(school, "le da chuyen") == ["Lê Đã Chuyển"]


def test_the_old_code_and_number_of_a_merged_record_lead_to_the_child(
    app: Flask, school: MadeSchool
) -> None:
    class_id = make_class(school)
    number = ((Scheme.LLR, "LLR000777001", "hồ sơ"),)
    kept, old = enrol(
        school,
        new_student(class_id, "Lê Một Em"),
        new_student(class_id, "Lê Một Em Cũ", identifiers=number),
    )
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

    wrong = old.code[:8] + str((int(old.code[8]) + 1) % 10)
    for text in (old.code, "LLR000777001", "mot em"):
        assert at_school(school, text) == ["Lê Một Em"], text
        assert in_area(text, school) == ["Lê Một Em"], text
    near = search.similar_codes(school.id, wrong)
    assert kept.code in [child.code for child in near]
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    for address in (f"/students?q={old.code}", f"/students/{old.code}"):
        answer = client.get(address)
        assert (answer.status_code, answer.location) == (303, f"/students/{kept.code}")


# Slips


def test_a_code_with_a_digit_wrong_missing_or_too_many_is_recognised(school: MadeSchool) -> None:
    child = class_of(school, "Lê An")[0]
    code = child.code
    place = next(n for n in range(8) if code[n] != code[n + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    slips = (code[:4] + str((int(code[4]) + 3) % 10) + code[5:], swapped, code[1:], "1" + code)

    for typed in slips:
        for where in (school.id, None):
            near = search.similar_codes(where, typed)
            assert code in [found.code for found in near], typed
    assert search.similar_codes(school.id, code) == []
    assert search.similar_codes(school.id, "not a code") == []


def test_the_command_offers_what_was_meant_over_the_whole_area(
    app: Flask, school: MadeSchool
) -> None:
    code = class_of(school, "Lê An")[0].code
    typed = code[:8] + str((int(code[8]) + 1) % 10)

    for arguments in ([], ["--school", school.code]):
        answer = app.test_cli_runner().invoke(args=["students", "search", typed, *arguments])
        assert code in [child["code"] for child in json.loads(answer.stdout)]
        assert "Did you mean" in answer.stderr


# The page


def test_while_typing_a_whole_code_the_list_stays(app: Flask, school: MadeSchool) -> None:
    code = class_of(school, "Lê An")[0].code
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)

    typing = client.get(f"/students?q={code}", headers={"HX-Request": "true"})

    assert typing.status_code == 200
    assert 'id="found"' in typing.text
    assert "1–1 trong 1 em · đúng nhất xếp trước" in words(typing)


def test_a_search_is_paged_and_knows_how_many_there_are(school: MadeSchool) -> None:
    class_of(school, *(f"Lê Văn Số {n:03d}" for n in range(60)))

    first = search.find_students(school.id, TODAY, text="le van")
    second = search.find_students(school.id, TODAY, text="le van", page=2)
    beyond = search.find_students(school.id, TODAY, text="le van", page=3)

    assert [len(page.children) for page in (first, second, beyond)] == [50, 10, 0]
    assert [page.count for page in (first, second, beyond)] == [60, 60, 60]


# The words follow the names


def test_a_corrected_name_is_found_and_the_old_one_no_longer(school: MadeSchool) -> None:
    child = class_of(school, "Phạm Sai Chữ")[0]

    with transaction():
        students.correct_many(
            [Correction(child.student_id, IdentityField.FULL_NAME, "Phạm Đúng Chữ")],
            origin=Origin.HAND,
            reason="giấy khai sinh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )

    assert at_school(school, "pham sai") == []
    assert at_school(school, "dung pham") == ["Phạm Đúng Chữ"]
    assert broken("S8", "S13") == []


def test_words_lost_are_noticed_and_a_rebuild_brings_them_back(
    app: Flask, school: MadeSchool
) -> None:
    phone = NewGuardian("Phạm Văn Lực", "0914 555 678", "father")
    child = enrol(school, new_student(make_class(school), "Lê An", guardians=(phone,)))[0]
    with transaction():
        execute("delete from student_words where student_id = :id", id=child.student_id)

    assert broken("S8") == [f"student={child.student_id}"]
    answer = app.test_cli_runner().invoke(args=["students", "reindex"])

    with scope.opened(scope.EVERY_SCHOOL):
        assert answer.output == f"{scalar('select count(*) from students')} children\n"
        assert rows("select 1 from guardians where phone_end = '5678'")
    assert at_school(school, "an le") == ["Lê An"]
    assert broken("S8", "S13") == []
