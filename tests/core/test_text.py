"""Search keys, the order of names, phone numbers."""

from __future__ import annotations

import random
import sqlite3
import unicodedata

import pytest

from app.core.text import (
    ascii_upper,
    fold,
    initials,
    last_four,
    name_sort_key,
    nfc,
    normal_phone,
    phones_in,
)


def test_composed_and_decomposed_text_become_the_same() -> None:
    assert nfc(unicodedata.normalize("NFD", "Nguyễn Thị Hường")) == "Nguyễn Thị Hường"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Nguyễn Văn An", "nguyen van an"),
        ("ĐẶNG  Thuỳ\tTrâm ", "dang thuy tram"),
        ("Hoà", "hoa"),
        ("Hòa", "hoa"),
        ("đường Đống Đa", "duong dong da"),
        ("Lớp 5/4", "lop 5/4"),
        ("Ơ Ư Ă Â Ê Ô", "o u a a e o"),
        ("H'Mi Niê", "h'mi nie"),
        ("\u00a0a\u00a0b", "a b"),
        ("", ""),
    ],
)
def test_a_search_key_has_no_accents_and_single_blanks(text: str, key: str) -> None:
    assert fold(text) == key
    assert fold(unicodedata.normalize("NFD", text)) == key
    assert fold(key) == key


def test_banks_write_upper_case_without_accents() -> None:
    assert ascii_upper("Trường Mầm non Sao Biển") == "TRUONG MAM NON SAO BIEN"
    assert ascii_upper(" Trường Đỗ-Đăng_Tuyển (cơ sở 2) ") == "TRUONG DO DANG TUYEN CO SO 2"


IN_ORDER = [
    "Lê Văn An",
    "Trần An",
    "Lê Thị Án",
    "Nguyễn Anh",
    "Nguyễn Ánh",
    "Võ Ân",
    "Bùi Bảo",
    "Lê Thị Cúc",
    "Lê Dung",
    "Lê Dũng",
    "Lê Đan",
    "Phan Giang",
    "Cao Văn Hoa",
    "Đỗ Hoà",
    "Phan Hòa",
    "Phan Hoá",
    "Lê Minh Khang",
    "Nguyễn Minh Khang",
    "Nguyễn Ngọc Khang",
    "Lê Oanh",
    "Lê Tâm",
    "Lê Tú",
    "Lê Tư",
    "Lê Uyên",
    "Lê Ý",
]


def test_a_class_list_is_in_vietnamese_order() -> None:
    shuffled = IN_ORDER[:]
    random.Random(3).shuffle(shuffled)
    assert sorted(shuffled, key=name_sort_key) == IN_ORDER


@pytest.mark.parametrize(
    "syllables",
    [
        "ma mà mả mã má mạ",
        "a ă â b c d đ e ê g h i k l m n o ô ơ p q r s t u ư v x y",
        "an àn án anh ăn ân",
        "tâm tầm tẩm tẫm tấm tậm",
        "hoa hòa hỏa hõa hóa họa",
        "thu thủ thư thử",
        "đa đan đăng đâu",
    ],
)
def test_letters_count_before_tones_and_tones_go_level_falling_asking_tumbling_rising_heavy(
    syllables: str,
) -> None:
    expected = syllables.split()
    mixed = expected[::-1]
    assert sorted(mixed, key=name_sort_key) == expected


def test_the_key_is_ascii_and_a_database_sorts_it_as_python_does() -> None:
    keys = [name_sort_key(name) for name in IN_ORDER]
    assert all(key.isascii() for key in keys)
    database = sqlite3.connect(":memory:")
    database.execute("create table t (k text)")
    database.executemany("insert into t values (?)", [(key,) for key in keys])
    assert [row[0] for row in database.execute("select k from t order by k")] == sorted(keys)
    database.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hòa"),
        ("NGUYỄN VĂN THUỲ", "nguyễn văn thùy"),
        (" Lê  An ", "Lê An"),
        (unicodedata.normalize("NFD", "Võ Ngọc Ậu"), "Võ Ngọc Ậu"),
    ],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    assert name_sort_key(one) == name_sort_key(other)


def test_names_from_elsewhere_have_a_key_too() -> None:
    assert name_sort_key("") == ""
    assert name_sort_key("H'Mi Niê").isascii()
    assert name_sort_key("François Müller").isascii()
    assert name_sort_key("王 小明").isascii()
    assert name_sort_key("Lê An") < name_sort_key("王 小明")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Nguyễn Minh Khang", "N. M. K."),
        ("đặng  ấn", "Đ. Â."),
        ("Trần Ổn", "T. Ô."),
        ("H'Hen Niê", "H. N."),
        ("", ""),
    ],
)
def test_initials_hide_the_name(name: str, short: str) -> None:
    assert initials(name) == short


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("0912345678", "0912345678"),
        ("0912 345 678", "0912345678"),
        ("0912.345.678", "0912345678"),
        ("0912-345-678", "0912345678"),
        ("+84912345678", "0912345678"),
        ("+84 (0)912 345 678", "0912345678"),
        ("0084912345678", "0912345678"),
        ("84912345678", "0912345678"),
        ("912345678", "0912345678"),
        ("912345678.0", "0912345678"),
        ("01689123456", "0389123456"),
        ("1689123456", "0389123456"),
        ("+841689123456", "0389123456"),
        ("01209123456", "0709123456"),
        ("01999123456", "0599123456"),
        ("0842123456", "0842123456"),
        ("842123456", "0842123456"),
        ("0236 3 822 822", "02363822822"),
        ("+84 236 3822822", "02363822822"),
    ],
)
def test_a_phone_number_is_read_as_people_write_it(written: str, dialled: str) -> None:
    assert normal_phone(written) == dialled
    assert normal_phone(dialled) == dialled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "không có",
        "091234567",
        "09123456789",
        "0112345678",
        "0412345678",
        "01239",
        "048012345678",
        "+1 202 555 0100",
        "09l2345678",
        "٠٩١٢٣٤٥٦٧٨",
        "01309123456",
        "--",
        "+",
        "10000000000000000000",
    ],
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    assert normal_phone(text) is None


@pytest.mark.parametrize(
    ("cell", "phones"),
    [
        ("0912345678 / 0987654321", ["0912345678", "0987654321"]),
        ("0912345678; 987654321", ["0912345678", "0987654321"]),
        ("0912.345.678 - 0987.654.321", ["0912345678", "0987654321"]),
        ("0912345678 hoặc 01689123456", ["0912345678", "0389123456"]),
        ("0912345678\n0912345678", ["0912345678"]),
        ("0912-345-678", ["0912345678"]),
        ("mẹ", []),
    ],
)
def test_two_numbers_in_one_cell_are_both_found(cell: str, phones: list[str]) -> None:
    assert phones_in(cell) == phones


def test_a_family_is_recognised_by_the_last_four_digits() -> None:
    assert last_four("0912 345 678") == "5678"
    assert last_four("12") == ""
