"""Every way Vietnamese offices write a day, a sex, a number, a phone or a class is read."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.people.lists.cells import (
    CellRefused,
    DayOrder,
    as_text,
    class_key,
    class_readings,
    day_order,
    grade_of_class,
    read_code,
    read_day,
    read_day_parts,
    read_grade,
    read_identifier,
    read_mark,
    read_name,
    read_phones,
    read_pin,
    read_sex,
)
from app.people.students import Scheme, Sex

TODAY = date(2026, 11, 24)
DAY = date(2015, 9, 1)
AT_NIGHT = datetime(2015, 9, 1)  # noqa: DTZ001 - a moment of a table has no zone
days = st.dates(date(1930, 1, 1), date(2026, 11, 23))


def refusal(reader: object, *values: object, **options: object) -> str:
    with pytest.raises(CellRefused) as caught:
        reader(*values, **options)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize(
    "written",
    [
        *("1/9/2015", "01/09/2015", "1-9-2015", "01.09.2015", "1 / 9 / 2015", "01-09-15", "1/9/15"),
        *("2015-09-01", "2015/9/1", "ngày 1 tháng 9 năm 2015", "Ngày 01 tháng 09 năm 2015"),
        *("1 tháng 9, 2015", "01/09/2015 00:00", "2015-09-01 00:00:00", "'01/09/2015", "20150901"),
        *("01092015", 42248, 42248.0, "42248", 1092015, date(2015, 9, 1), AT_NIGHT),
    ],
)
def test_a_day_is_read_however_it_is_written(written: object) -> None:
    assert read_day(written, today=TODAY) == DAY  # type: ignore[arg-type]


@given(days, st.sampled_from("/-."), st.booleans())
def test_day_before_month_is_the_rule(day: date, sign: str, padded: bool) -> None:
    parts = (f"{day.day:02}", f"{day.month:02}") if padded else (f"{day.day}", f"{day.month}")
    assert read_day(sign.join((*parts, str(day.year))), today=TODAY) == day


@given(st.lists(days, min_size=1, max_size=40))
def test_a_column_with_the_month_first_is_read_only_when_proved(written: list[date]) -> None:
    column = [f"{day.month}/{day.day}/{day.year}" for day in written]
    order = day_order(column)
    if any(day.day > 12 for day in written):
        assert [read_day(cell, order, today=TODAY) for cell in column] == written
    else:
        assert order == DayOrder()


def test_one_day_that_can_only_be_day_first_keeps_the_whole_column_so() -> None:
    order = day_order(["5/4/2015", "13/4/2015", "4/13/2015"])
    assert not order.month_first
    assert refusal(read_day, "4/13/2015", order, today=TODAY) == "day_impossible"


@given(st.lists(days, min_size=60, max_size=80, unique=True))
def test_days_a_spreadsheet_has_turned_are_turned_back(real: list[date]) -> None:
    # An American Excel reads 5/4 as the fourth of May and leaves 13/4 as text.
    column = [
        date(day.year, day.day, day.month) if day.day <= 12 else day.strftime("%d/%m/%Y")
        for day in real
    ]
    order = day_order(column)
    early = sum(day.day <= 12 for day in real)
    if early >= 10 and len(real) - early >= 3:
        assert [read_day(cell, order, today=TODAY) for cell in column] == real


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("30/02/2015", "day_impossible"),
        ("5/13/2015", "day_impossible"),
        ("2015", "day_only_year"),
        (2015, "day_only_year"),
        ("mùa thu 2015", "day_unknown"),
        ("1/9", "day_unknown"),
    ],
)
def test_what_is_no_day_is_refused(written: object, code: str) -> None:
    assert refusal(read_day, written, today=TODAY) == code


def test_a_day_may_stand_in_three_columns() -> None:
    assert read_day_parts(1, "09", 2015.0, today=TODAY) == DAY
    assert read_day_parts("", None, "", today=TODAY) is None
    assert refusal(read_day_parts, 1, "", 2015, today=TODAY) == "day_unknown"


@pytest.mark.parametrize("written", ["Nữ", "nữ", "NỮ", "nu", "F", "female", "N"])
def test_girls(written: str) -> None:
    assert read_sex(written) is Sex.FEMALE


@pytest.mark.parametrize("written", ["Nam", "nam ", "M", "male", "trai"])
def test_boys(written: str) -> None:
    assert read_sex(written) is Sex.MALE


def test_sexes_as_numbers_are_refused() -> None:
    assert refusal(read_sex, 1) == "sex_unknown"
    assert read_sex("") is None


def test_a_mark_is_any_cross() -> None:
    assert all(map(read_mark, ("x", "X", "1", 1, True, "✓", "v")))
    assert not any(map(read_mark, ("", None, "0", 0, "-", False)))
    assert refusal(read_mark, "12/3/2016") == "mark_unknown"


def test_names_are_composed_and_squeezed() -> None:
    decomposed = "Nguye\u0302\u0303n  Va\u0306n\u00a0An\u200b"
    assert read_name(decomposed).name == "Nguyễn Văn An"  # type: ignore[union-attr]
    assert read_name("Y Bun-Niê").name == "Y Bun-Niê"  # type: ignore[union-attr]


def test_capitals_are_written_as_papers_write_them() -> None:
    read = read_name("NGUYỄN THỊ ÁNH")
    assert read is not None
    assert (read.name, read.was_capitals) == ("Nguyễn Thị Ánh", True)
    assert read_name("Nguyễn Văn AN").was_capitals is False  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Nguyễn Văn An 2", "name_digits"),
        ("Nguyễn Văn An (nghỉ)", "name_signs"),
        ("a" * 121, "name_long"),
    ],
)
def test_what_is_no_name_is_refused(written: str, code: str) -> None:
    assert refusal(read_name, written) == code


@given(st.text(max_size=60))
def test_a_name_is_read_or_refused_and_reading_again_changes_nothing(text: str) -> None:
    try:
        read = read_name(text)
    except CellRefused:
        return
    if read is not None:
        assert read_name(read.name) == type(read)(read.name)


def test_zeros_lost_in_a_number_cell_are_put_back() -> None:
    assert read_pin(48216000001) == ("048216000001", True)
    assert read_pin(1099000001.0) == ("001099000001", True)
    assert read_pin("001 099 000 001") == ("001099000001", False)


def test_zeros_lost_in_text_are_put_back_only_when_proved() -> None:
    born = date(2016, 3, 1)
    assert read_pin("48216000001", birth_date=born, sex=Sex.MALE) == ("048216000001", True)
    assert refusal(read_pin, "48216000001") == "pin_length"
    assert refusal(read_pin, "48216000001", birth_date=born, sex=Sex.FEMALE) == "pin_length"
    assert refusal(read_pin, 123456789) == "pin_length"


@pytest.mark.parametrize("written", ["4.82E+11", "4,82e11", 4.8e16, 48216000001.5])
def test_lost_digits_are_never_guessed(written: object) -> None:
    assert refusal(read_pin, written) == "digits_lost"


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_any_twelve_digits_survive_text_and_number_cells(pin: str) -> None:
    assert read_pin(pin) == (pin, False)
    if pin[0] == "0" and pin[:3] != "000":
        assert read_pin(int(pin)) == (pin, True)


def test_other_numbers_are_text() -> None:
    assert read_identifier(Scheme.BHXH, 123456789) == ("0123456789", True)
    assert read_identifier(Scheme.PASSPORT, "c 123 4567") == ("C1234567", False)
    assert refusal(read_identifier, Scheme.MOET, "7.9E+10") == "digits_lost"
    assert refusal(read_identifier, Scheme.MOET, "xem sổ giấy!") == "number_signs"


def test_codes_are_ours_or_refused() -> None:
    assert refusal(read_code, "123456780") == "code_wrong"
    assert read_code("") is None


@pytest.mark.parametrize(
    "written",
    ["0905123456", 905123456, "905.123.456", "+84 905 123 456", "84905123456", " 0905-123-456 "],
)
def test_a_phone_is_read_however_it_is_written(written: object) -> None:
    assert read_phones(written) == ["0905123456"]  # type: ignore[arg-type]


def test_two_phones_in_one_cell() -> None:
    assert read_phones("0905123456 / 0935 123 456") == ["0905123456", "0935123456"]


def test_no_phone_is_no_fault() -> None:
    assert all(read_phones(word) == [] for word in ("không có", "0", 0, "-", None, ""))


def test_wrong_phones_are_refused() -> None:
    assert refusal(read_phones, "12345678") == "phone_unknown"
    assert refusal(read_phones, "0236 3888 888") == "phone_landline"
    assert refusal(read_phones, "9.05E+08") == "digits_lost"


@pytest.mark.parametrize(
    "written", ["5/4", "Lớp 5/4", "LỚP 5/4", "5 / 4", "5/04", "05/4", "5-4", "5.4"]
)
def test_one_class_in_all_its_spellings(written: str) -> None:
    assert class_key(written) == class_key("5/4")


def test_different_classes_stay_different() -> None:
    assert (
        len({class_key(name) for name in ("5/1", "5/10", "5/11", "51", "5A", "Lớn 1", "Nhỡ 1")})
        == 7
    )


@given(st.integers(1, 9), st.integers(1, 12))
def test_a_class_turned_into_a_date_keeps_its_name_among_the_readings(
    grade: int, number: int
) -> None:
    as_day_first = date(2026, number, grade)
    assert f"{grade}/{number}" in class_readings(as_day_first)
    as_month_first = datetime(2026, grade, number)  # noqa: DTZ001 - as tables give it
    assert f"{grade}/{number}" in class_readings(as_month_first)
    assert f"{grade}/{number}" in class_readings(as_day_first.isoformat())


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        *(("5/4", 5), ("Lớp 1A", 1), ("9.2", 9), ("Lớn 1", 0), ("Nhỡ 2", -1), ("Bé 3", -2)),
        *(("Nhà trẻ 1", -3), ("Lá 1", 0), ("Chồi", -1), ("Mầm 2", -2), ("MG Lớn B", 0)),
        *(("Hoa Sen", None), ("Lan", None)),
    ],
)
def test_the_grade_a_class_tells(name: str, grade: int | None) -> None:
    assert grade_of_class(name) == grade


def test_grades() -> None:
    assert [read_grade(word) for word in ("5", 5, 5.0, "Khối 5", "Mẫu giáo lớn")] == [5, 5, 5, 5, 0]
    assert refusal(read_grade, "A") == "grade_unknown"


@given(
    st.one_of(
        st.none(),
        st.text(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.datetimes(),
    )
)
def test_no_cell_breaks_a_reader(value: object) -> None:
    readers = (read_sex, read_mark, read_name, read_phones, read_pin, read_code, read_grade)
    for reader in (*readers, class_readings, as_text):
        try:
            reader(value)  # type: ignore[operator]
        except CellRefused:
            continue
    try:
        found = read_day(value, today=TODAY)  # type: ignore[arg-type]
    except CellRefused:
        return
    assert found is None or isinstance(found, date)


def test_days_of_every_century_a_person_can_be_born_in() -> None:
    assert read_day("01/09/99", today=TODAY) == date(1999, 9, 1)
    assert read_day("01/09/26", today=TODAY) - TODAY < timedelta(0)  # type: ignore[operator]
