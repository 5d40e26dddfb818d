"""Heads are found by what they say and checked by what stands under them."""

from __future__ import annotations

from datetime import date

import pytest

from app.core.sheets import Sheet, Value
from app.people.lists.columns import Column as C
from app.people.lists.columns import Kind
from app.people.lists.headers import find_head, recognise
from app.people.lists.reading import pupil_rows, read_list
from app.people.students import Sex

TODAY = date(2026, 11, 24)


def columns(*rows: list[Value]) -> list[C]:
    head = find_head(list(rows), Kind.PUPILS)
    assert head is not None
    return list(head.mapping.values())


@pytest.mark.parametrize(
    ("title", "column"),
    [
        *(("STT", C.NUMBER), ("Khối", C.GRADE), ("Tên lớp", C.CLASS), ("LỚP", C.CLASS)),
        *(("Mã học sinh (Bộ)", C.MOET), ("Mã định danh Bộ GD&ĐT", C.MOET), ("Họ và tên", C.NAME)),
        *(("Họ tên HS (viết in hoa)", C.NAME), ("Họ đệm", C.FAMILY_NAME), ("Tên", C.GIVEN_NAME)),
        *(("Ngày sinh (dd/mm/yyyy)", C.BIRTH), ("Ngày, tháng, năm sinh", C.BIRTH)),
        *(("Giới tính", C.SEX), ("Nữ", C.FEMALE), ("Số định danh cá nhân/CCCD", C.PIN)),
        *(("CCCD", C.PIN), ("Mã BHXH", C.BHXH), ("Số thẻ BHYT", C.BHXH), ("Hộ chiếu", C.PASSPORT)),
        *(("Mã trường", C.SCHOOL), ("Họ tên cha", C.FATHER), ("Họ và tên bố", C.FATHER)),
        *(
            ("SĐT bố", C.FATHER_PHONE),
            ("Họ tên mẹ", C.MOTHER),
            ("Điện thoại của mẹ", C.MOTHER_PHONE),
        ),
        *(("Người giám hộ", C.GUARDIAN), ("SĐT phụ huynh", C.GUARDIAN_PHONE)),
        *(("Họ tên cha mẹ", C.GUARDIAN), ("Điện thoại liên hệ", C.PHONE), ("Địa chỉ", C.ADDRESS)),
        *(
            ("Chỗ ở hiện nay", C.ADDRESS),
            ("Ngày vào trường", C.STARTS_ON),
            ("Trạng thái", C.STATUS),
        ),
        *(("Mã hồ sơ học tập suốt đời", C.LLR), ("Mã học sinh (Sổ Thu)", C.CODE)),
        *(("Dân tộc", None), ("Ngày cấp", None), ("Nơi sinh", None), ("Năm sinh cha", None)),
        *(("Nghề nghiệp mẹ", None), ("GVCN", None), ("Ghi chú", None)),
    ],
)
def test_what_a_head_means(title: str, column: C | None) -> None:
    assert recognise(title, Kind.PUPILS)[0] is column


CHILD: list[Value] = [1, "5/4", "Nguyễn Minh An", date(2016, 3, 14), "Nam"]


def test_titles_above_and_numbers_below_the_head_are_passed_over() -> None:
    rows: list[list[Value]] = [
        ["UBND PHƯỜNG MINH HỌA", None, None, None, None],
        [None, None, "DANH SÁCH HỌC SINH LỚP 5/4", None, None],
        [None] * 5,
        ["STT", "Lớp", "Họ và tên", "Ngày sinh", "Giới tính"],
        ["(1)", "(2)", "(3)", "(4)", "(5)"],
        CHILD,
    ]
    head = find_head(rows, Kind.PUPILS)
    assert head is not None
    assert head.first == 5
    assert list(head.mapping.values()) == [C.NUMBER, C.CLASS, C.NAME, C.BIRTH, C.SEX]


def test_a_head_of_two_merged_rows_is_read_as_one() -> None:
    assert columns(
        ["STT", "Họ và tên", None, "Ngày sinh", None, None, "Cha", None, "Mẹ", None],
        [None, "Họ đệm", "Tên", "Ngày", "Tháng", "Năm", "Họ tên", "SĐT", "Họ tên", "SĐT"],
        [1, "Nguyễn Minh", "An", 14, 3, 2016, "Nguyễn Văn Ba", "0905123456", "Lê Thị Tư", None],
    ) == [
        *(C.NUMBER, C.FAMILY_NAME, C.GIVEN_NAME, C.BIRTH_DAY, C.BIRTH_MONTH, C.BIRTH_YEAR),
        *(C.FATHER, C.FATHER_PHONE, C.MOTHER, C.MOTHER_PHONE),
    ]


def test_the_first_pupil_is_not_mistaken_for_the_lower_half_of_a_head() -> None:
    head = find_head(
        [["Họ và tên", "Lớp", "Địa chỉ"], ["Nguyễn Minh An", "Lớn", "đường Minh Họa"]], Kind.PUPILS
    )
    assert head is not None
    assert head.first == 1


def test_a_full_name_in_two_columns_under_one_merged_head() -> None:
    rows: list[list[Value]] = [
        ["STT", "Họ và tên", None, "Lớp"],
        *([n, "Nguyễn Minh", f"{'ABCDE'[n]}n", "5/4"] for n in range(5)),
    ]
    assert columns(*rows) == [C.NUMBER, C.FAMILY_NAME, C.GIVEN_NAME, C.CLASS]


def test_a_code_is_whose_its_digits_show() -> None:
    heads: list[Value] = ["Mã học sinh", "Họ và tên", "Lớp"]
    sector = [["4800012345", "Nguyễn Minh An", "5/4"]] * 4
    assert columns(heads, *sector)[0] is C.MOET
    personal = [["001099000001", "Nguyễn Minh An", "5/4"]] * 4
    assert columns(heads, *personal)[0] is C.PIN


def test_cells_that_contradict_their_head_are_pointed_out() -> None:
    rows: list[list[Value]] = [["Họ và tên", "Ngày sinh", "Lớp"]]
    rows += [["Nguyễn Minh An", "Kinh", "5/4"]] * 5
    head = find_head(rows, Kind.PUPILS)
    assert head is not None
    assert head.doubts == {1}


def test_year_and_boy_are_two_words_with_accents() -> None:
    assert recognise("Năm", Kind.PUPILS)[0] is C.BIRTH_YEAR
    assert recognise("Nam", Kind.PUPILS)[0] is C.MALE


def test_old_registers_write_the_birth_date_under_the_sex() -> None:
    sheet = Sheet(
        "5A",
        [
            ["TT", "Họ và tên", "Ngày sinh", None],
            [None, None, "Nam", "Nữ"],
            [1, "Nguyễn Minh An", "14/03/2016", None],
            [2, "Lê Ngọc Bích", None, "02/10/2016"],
        ],
        1,
    )
    grid, head = read_list([sheet], Kind.PUPILS)
    read = list(pupil_rows(grid, head.mapping, today=TODAY))
    assert [(row.sex, row.birth_date) for row in read] == [
        (Sex.MALE, date(2016, 3, 14)),
        (Sex.FEMALE, date(2016, 10, 2)),
    ]


def test_a_sheet_for_each_class_becomes_one_list() -> None:
    heads: list[Value] = ["STT", "Họ và tên", "Ngày sinh"]
    sheets = [
        Sheet("5/1", [heads, [1, "Nguyễn Minh An", "14/03/2016"]], 3),
        Sheet("Hướng dẫn", [["Điền vào bảng"]], 1),
        Sheet("5/2", [heads, [1, "Lê Ngọc Bích", "02/10/2016"]], 1),
    ]
    grid, head = read_list(sheets, Kind.PUPILS)
    read = list(pupil_rows(grid, head.mapping, today=TODAY))
    assert [(row.sheet, row.number, row.classes) for row in read] == [
        ("5/1", 4, ["5/1"]),
        ("5/2", 2, ["5/2"]),
    ]


def test_totals_signatures_and_examples_are_nobody() -> None:
    sheet = Sheet(
        "Sheet1",
        [
            ["STT", "Họ và tên", "Ngày sinh"],
            ["Ví dụ", "Nguyễn Minh Họa", "01/01/2016"],
            [1, "Nguyễn Minh An", "14/03/2016"],
            [2, None, None],
            ["Tổng cộng: 1 học sinh", None, None],
            [None, "Đà Nẵng, ngày 5 tháng 9 năm 2026", None],
            [None, "Hiệu trưởng", None],
        ],
        1,
    )
    grid, head = read_list([sheet], Kind.PUPILS)
    assert [row.name for row in pupil_rows(grid, head.mapping, today=TODAY)] == ["Nguyễn Minh An"]
