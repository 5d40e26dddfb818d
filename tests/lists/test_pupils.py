"""A list of pupils is rehearsed, decided, taken; taken again it changes nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.sheets import Value, read_sheets
from app.people import students
from app.people.lists import exports, services
from app.people.lists.columns import Column, Kind
from app.people.lists.errors import ColumnTwice, ImportNotFound, NothingToTake, NotTheTime
from app.people.lists.invariants import INVARIANTS
from app.people.lists.models import State
from app.people.lists.queries import get_import, rows_to_mend
from app.people.lists.reading import read_list
from app.people.schools import Level
from app.people.students import (
    Correction,
    IdentityField,
    NewGuardian,
    NewStudent,
    Origin,
    Scheme,
    Sex,
)
from app.people.students.invariants import INVARIANTS as OF_STUDENTS
from tests.factories.lists import (
    HEADS,
    changes,
    child_named,
    class_of,
    counts,
    decide,
    findings,
    guardians_of,
    hand_in,
    lines,
    sheet,
    take,
    why,
)
from tests.factories.people import enrol, make_class, mother, new_student
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool, make_school

BORN = date(2016, 3, 14)
TODAY = date(2026, 11, 24)
AT_NIGHT = datetime(2026, 5, 4)  # noqa: DTZ001 - a moment of a table has no zone


@pytest.fixture
def school(context: Flask) -> MadeSchool:
    return make_school()


def line(
    name: str = "Nguyễn Minh An",
    *,
    born: Value = "14/03/2016",
    sex: Value = "Nam",
    class_name: Value = "5/4",
    pin: Value = None,
    parent: str | None = "Trần Thị Hà",
    phone: Value = "0905123456",
) -> list[Value]:
    return [1, class_name, name, born, sex, pin, parent, phone]


def an(school: MadeSchool, class_id: int, **options: object) -> int:
    """Nguyễn Minh An, enrolled by hand; the child."""
    values = {"birth_date": BORN, "guardians": (mother(full_name="Trần Thị Hà"),)} | options
    return enrol(school, new_student(class_id, "Nguyễn Minh An", **values))[0].student_id  # type: ignore[arg-type]


def test_a_first_list_enrols_everybody_and_opens_the_classes_ticked(school: MadeSchool) -> None:
    first = hand_in(
        school,
        sheet(HEADS, line("Đỗ Gia Hân", sex="Nữ"), line("Đỗ Gia Huy", class_name="5/5")),
    )
    assert counts(school, first) == (2, 0, 0, 0, 0)
    assert findings(school, first)["open"] == [
        {"name": "5/4", "grade": 5, "rows": 1},
        {"name": "5/5", "grade": 5, "rows": 1},
    ]

    result = take(school, first, opening=["5/4"])

    assert (result.taken.new, result.taken.opened, result.taken.left_out) == (1, 1, 1)
    child = child_named("Đỗ Gia Hân")
    assert (child.sex, class_of(child.id)) == ("female", "5/4")
    assert guardians_of(child.id) == [("mother", "Trần Thị Hà", "0905123456")]
    assert child_named("Đỗ Gia Huy") is None
    assert counts(school, first) == (1, 0, 0, 0, 1)


def test_a_first_list_begins_with_the_school_year_and_a_later_one_today(school: MadeSchool) -> None:
    first = hand_in(school, sheet(HEADS, line("Hồ Minh Đăng")))
    take(school, first, opening=["5/4"])
    take(school, hand_in(school, sheet(HEADS, line("Hồ Minh Khôi", phone="0905999999"))))
    with scope.opened(scope.one_school(school.id)):
        starts = [
            str(found.starts_on)
            for found in rows(
                "select starts_on from enrolments where school_id = :school_id order by id",
                school_id=school.id,
            )
        ]
    assert starts == ["2026-09-01", "2026-11-24"]


def test_the_same_list_again_changes_nothing(school: MadeSchool) -> None:
    written = sheet(
        HEADS,
        line("Bùi Thanh Tùng", pin="001099000010"),
        line("BÙI THANH TRÚC", sex="Nữ", born=date(2016, 5, 6), phone=905123456),
        line("Lý Minh", parent=None, phone="0911222333 / 0911222334"),
    )
    take(school, hand_in(school, written), opening=["5/4"])
    before = _everything()

    again = hand_in(school, written)

    assert counts(school, again) == (0, 0, 3, 0, 0)
    with pytest.raises(NothingToTake):
        take(school, again)
    assert _everything() == before


def _everything() -> list[tuple[object, ...]]:
    tables = (
        *("students", "student_identifiers", "guardians", "guardianships", "enrolments"),
        *("placements", "classes", "identity_changes"),
    )
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            tuple(found) for table in tables for found in rows(f"select * from {table} order by id")
        ]


def test_changes_are_shown_field_by_field_and_taken_with_their_history(school: MadeSchool) -> None:
    old, new = make_class(school, "5/4", 5), make_class(school, "5/6", 5)
    child = an(school, old, identifiers=((Scheme.PIN, "001099000021", "giấy khai sinh"),))
    assert new
    changed = hand_in(
        school,
        sheet(
            HEADS,
            line(
                "Nguyễn Minh Ân",
                sex="Nữ",
                class_name="5/6",
                pin="001099000021",
                phone="0905777777",
            ),
        ),
    )
    assert counts(school, changed) == (0, 1, 0, 0, 0)
    assert changes(lines(school, changed, State.CHANGED)[0]) == {
        "name": ("Nguyễn Minh An", "Nguyễn Minh Ân"),
        "sex": ("male", "female"),
        "class": ("5/4", "5/6"),
        "mother": ("Trần Thị Hà ••• ••• 3456", "Trần Thị Hà 0905777777"),
    }

    take(school, changed)

    assert child_named("Nguyễn Minh Ân").id == child
    assert class_of(child) == "5/6"
    assert guardians_of(child) == [("mother", "Trần Thị Hà", "0905777777")]
    with scope.opened(scope.EVERY_SCHOOL):
        kept = rows(
            "select field, old_value, new_value, origin, reason from identity_changes"
            " where student_id = :id order by id",
            id=child,
        )
        acts = rows(
            "select subject, cause from audit_rows where action = 'list.take' order by id desc"
        )
    assert [tuple(change)[:4] for change in kept] == [
        ("full_name", "Nguyễn Minh An", "Nguyễn Minh Ân", "list"),
        ("sex", "male", "female", "list"),
    ]
    assert f"danh sách số {changed}" in kept[0].reason
    assert tuple(acts[0]) == (f"list_import:{changed}", "new 0, changed 1, classes 0")


def test_empty_cells_change_nothing(school: MadeSchool) -> None:
    an(school, make_class(school, "5/4", 5), identifiers=((Scheme.PIN, "001099000031", "giấy"),))
    blank = hand_in(
        school,
        sheet(HEADS, line(sex=None, pin="001099000031", parent=None, phone=None, class_name=None)),
    )
    assert counts(school, blank) == (0, 0, 1, 0, 0)


def test_what_a_hand_has_set_right_is_kept_until_it_is_ticked(school: MadeSchool) -> None:
    child = an(
        school, make_class(school, "5/4", 5), identifiers=((Scheme.PIN, "001099000041", "giấy"),)
    )
    with scope.opened(scope.one_school(school.id)), transaction():
        students.correct_many(
            [Correction(child, IdentityField.BIRTH_DATE, date(2016, 3, 15))],
            origin=Origin.HAND,
            reason="theo giấy khai sinh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )
    given = hand_in(school, sheet(HEADS, line(pin="001099000041")))
    assert counts(school, given) == (0, 0, 1, 0, 0)
    seen = lines(school, given, State.UNCHANGED)[0]
    assert (seen.kept, changes(seen)) == (1, {"birth": ("15/03/2016", "14/03/2016")})

    decide(school, given, ticks={seen.seq: ["birth"]})

    assert counts(school, given) == (0, 1, 0, 0, 0)
    take(school, given)
    with scope.opened(scope.EVERY_SCHOOL):
        born = scalar("select birth_date from students where id = :id", id=child)
    assert str(born) == "2016-03-14"


def test_twins_share_everything_but_themselves(school: MadeSchool) -> None:
    twins = sheet(
        HEADS,
        line("Trịnh Bảo An"),
        line("Trịnh Bảo Ân"),
        line("Trịnh Bảo Anh"),
        line("Trịnh Bảo Yến", sex="Nữ"),
    )
    first = hand_in(school, twins)
    assert counts(school, first) == (4, 0, 0, 0, 0)
    take(school, first, opening=["5/4"])
    again = hand_in(school, twins)
    assert counts(school, again) == (0, 0, 4, 0, 0)
    with scope.opened(scope.EVERY_SCHOOL):
        assert (
            scalar(
                "select count(*) from guardians where full_name = 'Trần Thị Hà' and id in"
                " (select guardian_id from guardianships where student_id = :id)",
                id=child_named("Trịnh Bảo Ân").id,
            )
            == 1
        )


def test_a_twin_who_is_missing_in_the_list_does_not_lend_the_record(school: MadeSchool) -> None:
    an(school, make_class(school, "5/4", 5))
    given = hand_in(school, sheet(HEADS, line("Nguyễn Minh Ân")))
    assert counts(school, given) == (0, 0, 0, 1, 0)
    seen = lines(school, given, State.DOUBTFUL)[0]
    assert why(seen) == ["accents_differ"]

    decide(school, given, choices={seen.seq: "other"})
    assert counts(school, given) == (1, 0, 0, 0, 0)


def test_a_doubtful_child_is_the_same_when_a_person_says_so(school: MadeSchool) -> None:
    child = an(school, make_class(school, "5/4", 5))
    make_class(school, "5/7", 5)
    given = hand_in(
        school, sheet(HEADS, line(class_name="5/7", parent="Hoàng Văn Lâm", phone="0911000222"))
    )
    seen = lines(school, given, State.DOUBTFUL)[0]
    assert why(seen) == ["same_name_here"]
    decide(school, given, choices={seen.seq: "same:999999"})
    assert counts(school, given) == (0, 0, 0, 1, 0), "only a child the row offers"

    decide(school, given, choices={seen.seq: f"same:{child}"})
    assert counts(school, given) == (0, 1, 0, 0, 0)
    take(school, given)
    assert class_of(child) == "5/7"


def test_two_pupils_of_one_name_and_birth_date_are_told_apart_by_their_numbers(
    school: MadeSchool,
) -> None:
    both = sheet(
        HEADS,
        line("Phan Gia Bảo", pin="001099000051", phone="0905000051"),
        line("Phan Gia Bảo", pin="001099000052", phone="0905000052", parent="Lê Thị Lan"),
    )
    first = hand_in(school, both)
    assert counts(school, first) == (2, 0, 0, 0, 0)
    take(school, first, opening=["5/4"])
    assert counts(school, hand_in(school, both)) == (0, 0, 2, 0, 0)


def test_one_row_twice_is_taken_once(school: MadeSchool) -> None:
    given = hand_in(school, sheet(HEADS, line("Vũ Khánh Linh"), line("Vũ Khánh Linh")))
    assert counts(school, given) == (1, 0, 0, 1, 0)
    assert why(lines(school, given, State.DOUBTFUL)[0]) == ["maybe_as_row"]
    take(school, given, opening=["5/4"])
    again = hand_in(school, sheet(HEADS, line("Vũ Khánh Linh"), line("Vũ Khánh Linh")))
    assert counts(school, again) == (0, 0, 1, 1, 0)


def test_a_number_stands_beside_one_child_only(school: MadeSchool) -> None:
    an(school, make_class(school, "5/4", 5), identifiers=((Scheme.PIN, "001099000061", "giấy"),))
    given = hand_in(
        school,
        sheet(
            HEADS,
            line("Đặng Quốc Việt", born="01/02/2016", pin="001099000061"),
            line("Đặng Quốc Nam", born="01/03/2016", pin="001099000062", phone="0905000063"),
            line("Đặng Quốc Bắc", born="01/04/2016", pin="001099000062", phone="0905000064"),
        ),
    )
    assert counts(school, given) == (1, 0, 0, 1, 1)
    assert why(lines(school, given, State.DOUBTFUL)[0]) == ["number_of_other"]
    assert why(lines(school, given, State.REFUSED)[0]) == ["number_twice"]


def test_wrong_cells_are_refused_with_their_reason_and_come_back_to_be_mended(
    school: MadeSchool,
) -> None:
    make_class(school, "5/4", 5)
    given = hand_in(
        school,
        sheet(
            HEADS,
            line("Tô Hoài An", born="31/02/2016", pin=4.82e16, phone="123"),
            line("Tô Hoài Bình", phone="0905000071"),
            line("Tô Hoài Châu", class_name=None, sex="khác", phone="0905000072"),
        ),
    )
    assert counts(school, given) == (1, 0, 0, 0, 2)
    assert [why(seen) for seen in lines(school, given, State.REFUSED)] == [
        ["day_impossible", "digits_lost", "phone_unknown"],
        ["sex_unknown", "class_missing"],
    ]
    take(school, given)
    with scope.opened(scope.one_school(school.id)):
        kept = rows_to_mend(school.id, given, Kind.PUPILS)
    assert kept is not None
    mended = read_sheets(exports.write_rows_to_mend(*kept), "sua.xlsx")[0]
    assert len(mended.rows) == 3
    assert mended.rows[0][-1] == "Lý do chưa nhập"
    assert "31/02/2016" in str(mended.rows[1][-1])

    mended.rows[1][3:6] = [date(2016, 2, 28), "Nữ", None]
    mended.rows[1][7] = None
    mended.rows[2][1], mended.rows[2][4] = "5/4", "Nam"
    back = hand_in(school, mended)
    assert counts(school, back) == (2, 0, 0, 0, 0)


def test_classes_turned_into_dates_are_turned_back_by_the_classes_there(school: MadeSchool) -> None:
    for name in ("5/4", "2/6"):
        make_class(school, name, int(name[0]))
    given = hand_in(
        school,
        sheet(
            HEADS,
            line("Chu Văn Một", class_name=date(2026, 4, 5), phone="0905000081"),
            line("Chu Văn Hai", class_name=AT_NIGHT, phone="0905000082"),
            line("Chu Văn Ba", class_name="2026-06-02 00:00:00", phone="0905000083"),
            line("Chu Văn Bốn", class_name="Lớp 5/04", phone="0905000084"),
            line("Chu Văn Năm", class_name=date(2026, 3, 1), phone="0905000085"),
        ),
    )
    assert [seen.class_name for seen in lines(school, given, State.NEW)] == [
        "5/4",
        "5/4",
        "2/6",
        "5/4",
    ]
    assert why(lines(school, given, State.REFUSED)[0])[0] == "class_unclear"


def test_the_grade_column_decides_between_two_readings(school: MadeSchool) -> None:
    heads = (*HEADS, "Khối")
    given = hand_in(school, sheet(heads, [*line("Chu Văn Sáu", class_name=date(2026, 3, 1)), 3]))
    assert [seen.class_name for seen in lines(school, given, State.NEW)] == ["3/1"]


def test_lost_zeros_are_put_back(school: MadeSchool) -> None:
    take(
        school,
        hand_in(school, sheet(HEADS, line("Kim Đan Thư", pin=1099000091, phone=935000091))),
        opening=["5/4"],
    )
    child = child_named("Kim Đan Thư")
    with scope.opened(scope.EVERY_SCHOOL):
        number = scalar("select value from student_identifiers where student_id = :id", id=child.id)
    assert number == "001099000091"
    assert guardians_of(child.id)[0][2] == "0935000091"


def test_pupils_the_list_does_not_name_are_shown_and_stay(school: MadeSchool) -> None:
    here, elsewhere = make_class(school, "5/4", 5), make_class(school, "4/1", 4)
    an(school, here)
    enrol(
        school,
        new_student(here, "Mai Thị Ngọc", birth_date=date(2016, 1, 2)),
        new_student(elsewhere, "Mai Văn Khối Bốn", birth_date=date(2017, 1, 2)),
    )
    given = hand_in(school, sheet(HEADS, line()))
    assert [child["name"] for child in findings(school, given)["missing"]] == ["Mai Thị Ngọc"]
    assert class_of(child_named("Mai Thị Ngọc").id) == "5/4"


def test_a_list_never_lets_a_pupil_leave(school: MadeSchool) -> None:
    child = an(school, make_class(school, "5/4", 5))
    given = hand_in(school, sheet((*HEADS, "Trạng thái"), [*line(), "Thôi học"]))
    assert why(lines(school, given, State.REFUSED)[0]) == ["has_left"]
    assert findings(school, given)["missing"] == []
    assert class_of(child) == "5/4"


def test_a_child_the_area_knows_keeps_its_code(school: MadeSchool) -> None:
    other = make_school()
    made = enrol(
        other,
        new_student(
            make_class(other, "4/9", 4),
            "Lâm Nhật Hạ",
            birth_date=BORN,
            identifiers=((Scheme.PIN, "001099000101", "giấy"),),
        ),
    )[0]
    row_of_her = line("Lâm Nhật Hạ", pin="001099000101")
    waiting = hand_in(school, sheet(HEADS, row_of_her))
    assert why(lines(school, waiting, State.DOUBTFUL)[0]) == ["at_other_school"]

    with scope.opened(scope.one_school(other.id)), transaction():
        students.end_enrolment(
            other.id, made.enrolment_id, ends_on=TODAY, reason="moved", actor=ACCOUNTANT, now=NOON
        )
    given = hand_in(school, sheet(HEADS, row_of_her))
    assert counts(school, given) == (1, 0, 0, 0, 0)
    take(school, given, opening=["5/4"])
    assert child_named("Lâm Nhật Hạ").code == made.code
    assert class_of(made.student_id) == "5/4"
    assert counts(school, hand_in(school, sheet(HEADS, row_of_her))) == (0, 0, 1, 0, 0)


def test_a_child_comes_back_with_a_new_stay(school: MadeSchool) -> None:
    class_id = make_class(school, "5/4", 5)
    made = enrol(
        school, new_student(class_id, "Thái Công Danh", birth_date=BORN, guardians=(mother(),))
    )[0]
    with scope.opened(scope.one_school(school.id)), transaction():
        students.end_enrolment(
            school.id,
            made.enrolment_id,
            ends_on=date(2026, 10, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
    heads = (*HEADS, "Ngày vào trường")
    given = hand_in(
        school, sheet(heads, [*line("Thái Công Danh", parent="Trần Thị Thu Hà"), "05/09/2022"])
    )
    assert counts(school, given) == (1, 0, 0, 0, 0)
    take(school, given)
    with scope.opened(scope.EVERY_SCHOOL):
        stays = rows(
            "select starts_on from enrolments where student_id = :id order by id",
            id=made.student_id,
        )
    assert [str(stay.starts_on) for stay in stays] == ["2026-09-01", "2026-10-01"]


def test_siblings_in_two_schools_do_not_move_a_shared_phone(school: MadeSchool) -> None:
    other = make_school()
    brother = enrol(
        other,
        new_student(
            make_class(other, "3/1", 3),
            "Nguyễn Minh Em",
            birth_date=date(2018, 1, 1),
            guardians=(mother(full_name="Trần Thị Hà"),),
        ),
    )[0].student_id
    child = an(school, make_class(school, "5/4", 5))
    given = hand_in(school, sheet(HEADS, line(phone="0905888888")))
    take(school, given)
    assert guardians_of(child) == [("mother", "Trần Thị Hà", "0905888888")]
    assert guardians_of(brother) == [("mother", "Trần Thị Hà", "0905123456")]
    assert counts(school, hand_in(school, sheet(HEADS, line(phone="0905888888")))) == (
        0,
        0,
        1,
        0,
        0,
    )


def test_a_phone_without_a_name_belongs_to_the_family(school: MadeSchool) -> None:
    heads = ("Lớp", "Họ và tên", "Ngày sinh", "Giới tính", "Điện thoại liên hệ")
    given = sheet(heads, ["5/4", "Quách Tuấn Kiệt", "14/03/2016", "Nam", "0905000111"])
    take(school, hand_in(school, given), opening=["5/4"])
    child = child_named("Quách Tuấn Kiệt")
    assert guardians_of(child.id) == [("guardian", "Gia đình em Quách Tuấn Kiệt", "0905000111")]
    assert counts(school, hand_in(school, given)) == (0, 0, 1, 0, 0)


def test_the_register_may_change_between_looking_and_taking(school: MadeSchool) -> None:
    child = an(
        school, make_class(school, "5/4", 5), identifiers=((Scheme.PIN, "001099000121", "giấy"),)
    )
    given = hand_in(school, sheet(HEADS, line("Nguyễn Minh Âu", pin="001099000121")))
    with scope.opened(scope.one_school(school.id)), transaction():
        students.correct_many(
            [Correction(child, IdentityField.SEX, Sex.FEMALE)],
            origin=Origin.HAND,
            reason="theo giấy khai sinh",
            actor=ACCOUNTANT,
            now=NOON,
            school_id=school.id,
        )
    assert take(school, given).outdated == 1
    assert child_named("Nguyễn Minh Âu") is None

    assert take(school, given).taken.changed == 1
    assert child_named("Nguyễn Minh Âu").sex == "female"


def test_columns_are_remembered_for_the_same_heads(school: MadeSchool) -> None:
    heads = ("Cột lạ", *HEADS[1:])
    first = hand_in(school, sheet(heads, line()))
    with scope.opened(scope.one_school(school.id)):
        mapping = get_import(school.id, first).mapping
        assert 0 not in mapping
        with pytest.raises(ColumnTwice), transaction():
            services.set_columns(
                school.id,
                first,
                mapping | {0: Column.CLASS},
                first_day=TODAY,
                actor=ACCOUNTANT,
                now=NOON,
            )
        with transaction():
            services.set_columns(
                school.id,
                first,
                mapping | {0: Column.NUMBER},
                first_day=TODAY,
                actor=ACCOUNTANT,
                now=NOON,
            )
    second = hand_in(school, sheet(heads, line()))
    with scope.opened(scope.one_school(school.id)):
        found = get_import(school.id, second)
    assert found.said["remembered"]
    assert found.mapping[0] is Column.NUMBER


def test_pupils_go_out_and_come_back_unchanged(school: MadeSchool) -> None:
    class_id = make_class(school, "5/4", 5)
    enrol(
        school,
        NewStudent(
            "Cao Thị Diệu Hòa",
            BORN,
            Sex.FEMALE,
            class_id,
            date(2026, 9, 1),
            guardians=(
                NewGuardian("Cao Văn Trí", "0905000131", "father", "1 đường Minh Họa"),
                NewGuardian("Bà Hoa", "0905000132", "grandmother"),
            ),
            identifiers=(
                (Scheme.PIN, "001099000131", "giấy"),
                (Scheme.MOET, "0480012345", "ngành"),
                (Scheme.SCHOOL, "HS 12", "sổ"),
            ),
        ),
        new_student(class_id, "Cao Văn Em", birth_date=BORN),
    )
    with scope.opened(scope.one_school(school.id)), transaction():
        data = exports.write_pupils(
            school.id, school.year_id, None, today=TODAY, actor=ACCOUNTANT, now=NOON
        )
    back = read_sheets(data, "hoc-sinh.xlsx")
    assert counts(school, hand_in(school, *back)) == (0, 0, 2, 0, 0)


def test_the_empty_form_is_a_good_file_without_pupils(school: MadeSchool) -> None:
    form = read_sheets(exports.write_form(Kind.PUPILS), "mau.xlsx")
    grid, head = read_list(form, Kind.PUPILS)
    assert set(exports.WRITTEN[Kind.PUPILS]) == set(head.mapping.values())
    given = hand_in(school, *form)
    assert counts(school, given) == (0, 0, 0, 0, 0)
    assert len(grid.rows) == 2


def test_nursery_classes_tell_their_grades(context: Flask) -> None:
    nursery = make_school(level=Level.NURSERY)
    given = hand_in(
        nursery,
        sheet(
            HEADS,
            line("Ông Bảo Ngọc", born="01/02/2021", class_name="Lớn 1", phone="0905000141"),
            line("Ông Bảo Nam", born="01/02/2022", class_name="Hoa Sen", phone="0905000142"),
        ),
    )
    assert findings(nursery, given)["open"] == [{"name": "Lớn 1", "grade": 0, "rows": 1}]
    assert why(lines(nursery, given, State.REFUSED)[0]) == ["class_unknown"]


def test_what_is_kept_of_a_file_goes(school: MadeSchool) -> None:
    given = hand_in(school, sheet(HEADS, line("Tống Mỹ Linh"), line("x9")))
    take(school, given, opening=["5/4"])
    with scope.opened(scope.one_school(school.id)):
        grid = rows_to_mend(school.id, given, Kind.PUPILS)
        assert grid is not None
        assert len(grid[0].rows) == 1, "what was taken is not kept twice"
        with transaction():
            assert services.forget_old(school.id, now=NOON + timedelta(days=31)) == 1
        assert rows_to_mend(school.id, given, Kind.PUPILS) is None
        assert get_import(school.id, given).new == 1
        with pytest.raises(NotTheTime), transaction():
            services.take_import(school.id, given, opening=(), actor=ACCOUNTANT, now=NOON)


def test_an_import_belongs_to_its_school(school: MadeSchool) -> None:
    given = hand_in(school, sheet(HEADS, line("Tạ Phi Long")))
    other = make_school()
    with scope.opened(scope.one_school(other.id)), pytest.raises(ImportNotFound):
        get_import(other.id, given)
    with pytest.raises(ImportNotFound):
        take(other, given)


def test_everything_still_holds(school: MadeSchool) -> None:
    with scope.opened(scope.EVERY_SCHOOL):
        for invariant in (*INVARIANTS, *OF_STUDENTS):
            assert list(invariant.find()) == [], invariant.title
