"""Cells of a list read as what they mean: days, sexes, names, numbers, phones, classes.

Pure functions. A cell that cannot be read raises `CellRefused` with a code and what was found; the
sentences are in `sentences`. Nothing is guessed: a repair is made only where one reading is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from app.core.ids import read_student_code
from app.core.text import fold, nfc, phones_in
from app.people.students import Scheme, Sex
from app.people.students.numbers import oddities

Value = str | int | float | bool | date | datetime | time | None


class CellRefused(Exception):
    """A cell that cannot be read; `code` names the sentence, `params` fill it."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


# Text

_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]")
_SCIENTIFIC = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
#: what people write where nothing is to be written
_NOTHING = {
    *("", "-", "--", "—", "n/a", "null", "ko", "k", "khong", "không", "khong co", "không có"),
    *("ko có", "ko co", "chua co", "chưa có", "chưa"),
}


def as_text(value: Value) -> str:
    """A cell as a person reads it: composed, blanks squeezed, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = value if value.isascii() else _INVISIBLE.sub("", nfc(value))
        return " ".join(text.replace("\u00a0", " ").split()).removeprefix("'")
    if isinstance(value, bool):
        return "x" if value else ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        plain = value.hour == value.minute == value.second == 0
        return value.strftime("%d/%m/%Y" if plain else "%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    return str(value)


def is_empty(value: Value) -> bool:
    """Whether nothing is said: blank, a dash, `không có`."""
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    text = value.strip()
    return not text or (len(text) < 12 and text.lower() in _NOTHING)


# Days


@dataclass(frozen=True, slots=True)
class DayOrder:
    """How a whole column writes its days."""

    #: text such as 5/4/2015 has the month first
    month_first: bool = False
    #: a spreadsheet read day/month as month/day and kept the rest as text
    turned: bool = False


DAY_FIRST = DayOrder()
_NUMERIC_DAY = re.compile(
    r"([0-9]{1,2})\s*[/.\-\s\u2010-\u2015]\s*([0-9]{1,2})\s*[/.\-\s\u2010-\u2015]\s*([0-9]{4}|[0-9]{2})"
)
_ISO_DAY = re.compile(r"([0-9]{4})\s*[/.\-]\s*([0-9]{1,2})\s*[/.\-]\s*([0-9]{1,2})")
_WORDY_DAY = re.compile(
    r"(?:ngay )?([0-9]{1,2})[ ,]*(?:thang|thg|th)[ .]*([0-9]{1,2})[ ,]*(?:nam)?[ ,]*([0-9]{4})"
)
_CLOCK = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[APap][Mm])?$")
_SERIAL_ZERO = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 7306, 73_050  # 1920 to 2099
#: how many cells must agree before a column of turned days is believed
_ENOUGH = 10


def read_day(value: Value, order: DayOrder = DAY_FIRST, *, today: date) -> date | None:
    """A day in any of the ways Vietnamese offices write one; None for an empty cell.

    Day before month is the rule. `order` comes from `day_order` over the whole column.
    """
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        if order.turned and value.day <= 12:
            return date(value.year, value.day, value.month)
        return value
    if is_empty(value) or isinstance(value, bool | time):
        if isinstance(value, time):
            raise CellRefused("day_unknown", text=as_text(value))
        return None
    if isinstance(value, int | float):
        return _day_of_number(value)
    text = _CLOCK.sub("", as_text(value))
    if text.isdigit():
        return _day_of_number(int(text))
    found = _NUMERIC_DAY.fullmatch(text)
    if found:
        first, second, year = int(found[1]), int(found[2]), _year(found[3], today)
        if order.month_first:
            first, second = second, first
        return _day(year, second, first, text)
    found = _ISO_DAY.fullmatch(text)
    if found:
        return _day(int(found[1]), int(found[2]), int(found[3]), text)
    found = _WORDY_DAY.fullmatch(fold(text))
    if found:
        return _day(int(found[3]), int(found[2]), int(found[1]), text)
    raise CellRefused("day_unknown", text=text[:40])


def _year(written: str, today: date) -> int:
    year = int(written)
    if len(written) == 2:
        return 2000 + year if year <= today.year % 100 + 1 else 1900 + year
    return year


def _day(year: int, month: int, day: int, text: str) -> date:
    if not 1900 <= year <= 2100:
        raise CellRefused("day_impossible", text=text[:40])
    try:
        return date(year, month, day)
    except ValueError:
        raise CellRefused("day_impossible", text=text[:40]) from None


def _day_of_number(value: int | float) -> date:
    number = int(value)
    if _FIRST_SERIAL <= number <= _LAST_SERIAL:
        return _SERIAL_ZERO + timedelta(days=number)
    digits = str(number)
    ways: set[date] = set()
    if len(digits) in (7, 8):
        padded = digits.zfill(8)
        for year, month, day in (
            (padded[4:], padded[2:4], padded[:2]),
            (padded[:4], padded[4:6], padded[6:]),
        ):
            try:
                ways.add(_day(int(year), int(month), int(day), digits))
            except CellRefused:
                continue
    if len(ways) == 1:
        return ways.pop()
    if len(digits) == 4:
        raise CellRefused("day_only_year", text=digits)
    raise CellRefused("day_unknown", text=digits[:40])


def day_order(values: Iterable[Value]) -> DayOrder:
    """How a column writes its days, as far as its cells prove it; day first where they do not.

    The month comes first only if every text cell can be read so and one can be read in no other
    way. Days are turned back only if a spreadsheet kept as text just those it could not misread.
    """
    day_first = month_first = both = late = early = 0
    for value in values:
        if isinstance(value, date):
            late, early = late + (value.day > 12), early + (value.day <= 12)
        elif isinstance(value, str):
            found = _NUMERIC_DAY.fullmatch(_CLOCK.sub("", as_text(value)))
            if found:
                first, second = int(found[1]), int(found[2])
                day_first += first > 12
                month_first += second > 12
                both += first <= 12 and second <= 12
    return DayOrder(
        month_first=month_first > 0 and day_first == 0,
        turned=early >= _ENOUGH and not late and day_first >= 3 and not both and not month_first,
    )


def read_day_parts(day: Value, month: Value, year: Value, *, today: date) -> date | None:
    """A day written in three columns; None when all are empty."""
    parts = [as_text(part) for part in (day, month, year)]
    if not any(parts):
        return None
    if not all(part.isdigit() for part in parts):
        raise CellRefused("day_unknown", text="/".join(parts)[:40])
    return _day(_year(parts[2], today), int(parts[1]), int(parts[0]), "/".join(parts))


# Sexes and marks

_FEMALE = {"nu", "n", "f", "female", "girl", "gai", "be gai", "con gai"}
_MALE = {"nam", "m", "male", "boy", "trai", "be trai", "con trai"}
_MARKS = {"x", "v", "1", "true", "co", "yes", "+", "*", "✓", "✔", "✗", "nu", "nam"}
_NO_MARKS = {"0", "false", "o", "no"}


def read_sex(value: Value) -> Sex | None:
    """A sex by its word; None for an empty cell. Numbers are refused: they are used both ways."""
    return None if is_empty(value) else _sex_of(as_text(value))


@lru_cache(maxsize=256)
def _sex_of(text: str) -> Sex:
    folded = fold(text)
    if folded in _FEMALE:
        return Sex.FEMALE
    if folded in _MALE:
        return Sex.MALE
    raise CellRefused("sex_unknown", text=text[:40])


def read_mark(value: Value) -> bool:
    """Whether a cell of a column of crosses is marked."""
    if is_empty(value):
        return False
    text = fold(as_text(value))
    if text in _MARKS:
        return True
    if text in _NO_MARKS or not text:
        return False
    raise CellRefused("mark_unknown", text=as_text(value)[:40])


# Names

_NAME = re.compile(r"[^\W\d_]+(?:[ '’.\-]+[^\W\d_]+)*\.?")


@dataclass(frozen=True, slots=True)
class ReadName:
    """A name, and whether its letters were all of one size and were set right."""

    name: str
    was_capitals: bool = False


def read_name(value: Value) -> ReadName | None:
    """A person's name, composed and with single blanks; None for an empty cell.

    A name all in capitals or all in small letters is written as papers write it.
    """
    if is_empty(value):
        return None
    text = as_text(value).strip(" ,;")
    if len(text) > 120:
        raise CellRefused("name_long")
    if any(sign.isdigit() for sign in text):
        raise CellRefused("name_digits", text=text[:60])
    if not _NAME.fullmatch(text):
        raise CellRefused("name_signs", text=text[:60])
    if len(text) > 3 and (text.isupper() or text.islower()):
        return ReadName(proper_case(text), was_capitals=True)
    return ReadName(text)


def proper_case(text: str) -> str:
    """NGUYỄN VĂN AN → Nguyễn Văn An."""
    return re.sub(r"[^\W\d_]+", lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


# Numbers of people


def read_code(value: Value) -> str | None:
    """One of our nine-digit codes; None for an empty cell."""
    if is_empty(value):
        return None
    text = as_text(value)
    code = read_student_code(text)
    if code is None:
        raise CellRefused("code_wrong", text=text[:24])
    return code


def read_pin(
    value: Value, *, birth_date: date | None = None, sex: Sex | None = None
) -> tuple[str, bool] | None:
    """Twelve digits, and whether lost zeros were put back; None for an empty cell.

    A number cell shows that a spreadsheet ate the zeros. In text they are put back only when the
    whole number then agrees with province, sex and year of birth.
    """
    if is_empty(value):
        return None
    digits = _digits(value)
    if len(digits) == 12:
        return digits, False
    if len(digits) in (10, 11):
        whole = digits.zfill(12)
        if not isinstance(value, str):
            return whole, True
        if birth_date and sex and not oddities(whole, birth_date, sex):
            return whole, True
    raise CellRefused("pin_length", text=digits[:24], count=len(digits))


def read_identifier(scheme: Scheme, value: Value) -> tuple[str, bool] | None:
    """A number of another scheme, as text; blanks go, letters are made large."""
    if is_empty(value):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = _digits(value)
        if scheme is Scheme.BHXH and len(digits) in (8, 9):
            return digits.zfill(10), True
        return digits, False
    text = as_text(value)
    _refuse_scientific(text)
    squeezed = re.sub(r"[\s.\-]+", "", text).upper() if scheme is not Scheme.SCHOOL else text
    if not re.fullmatch(r"[0-9A-ZĐ/ .\-]{1,24}", squeezed.upper()):
        raise CellRefused("number_signs", text=text[:40])
    return squeezed, False


def _digits(value: Value) -> str:
    if isinstance(value, float) and (not value.is_integer() or abs(value) >= 1e15):
        raise CellRefused("digits_lost", text=as_text(value)[:40])
    if isinstance(value, int) and abs(value) >= 10**15:
        # A spreadsheet keeps fifteen digits; what follows is zeros of its own.
        raise CellRefused("digits_lost", text=str(value)[:40])
    text = as_text(value)
    _refuse_scientific(text)
    squeezed = re.sub(r"[\s.\-\u2010-\u2015]+", "", text)
    if not re.fullmatch(r"[0-9]+", squeezed):
        raise CellRefused("number_signs", text=text[:40])
    return squeezed


def _refuse_scientific(text: str) -> None:
    if _SCIENTIFIC.fullmatch(text):
        raise CellRefused("digits_lost", text=text[:40])


# Phones and addresses

_MOBILE = re.compile(r"0[35789][0-9]{8}")


def read_phones(value: Value) -> list[str]:
    """The mobile numbers in one cell, ten digits each; none for an empty cell or a zero."""
    if isinstance(value, str) and _MOBILE.fullmatch(value):
        return [value]
    if is_empty(value) or value == 0:
        return []
    text = as_text(value)
    if text == "0":
        return []
    _refuse_scientific(text)
    found = phones_in(text)
    mobile = [phone for phone in found if len(phone) == 10]
    if mobile:
        return mobile
    raise CellRefused("phone_landline" if found else "phone_unknown", text=text[:40])


def read_email(value: Value) -> str | None:
    """An e-mail address in small letters."""
    if is_empty(value):
        return None
    text = as_text(value).lower()
    if not re.fullmatch(r"[^@\s,;]{1,40}@[a-z0-9.\-]+\.[a-z]{2,}", text) or len(text) > 60:
        raise CellRefused("email_unknown", text=text[:60])
    return text


def read_address(value: Value) -> str | None:
    """An address of at most 200 letters."""
    if is_empty(value):
        return None
    text = as_text(value)
    if len(text) > 200:
        raise CellRefused("address_long")
    return text


# Classes and grades

_NURSERY = (
    (-3, ("nha tre", "nhom tre", "com thuong", "com nat", "3-36 thang")),
    (-2, ("mau giao be", "mg be", "be", "mam", "3-4 tuoi", "3 tuoi")),
    (-1, ("mau giao nho", "mg nho", "nho", "choi", "4-5 tuoi", "4 tuoi")),
    (0, ("mau giao lon", "mg lon", "lon", "la", "5-6 tuoi", "5 tuoi")),
)


def class_key(name: str) -> str:
    """What makes two written names one class: `Lớp 5/04`, `5-4` and `5/4` are the same."""
    return _class_key(name)


@lru_cache(maxsize=4096)
def _class_key(name: str) -> str:
    text = re.sub(r"^(?:lop|nhom lop)\s+(?=\S)", "", fold(name))
    text = re.sub(r"(?<=[0-9])\s*[/.\-_\u2010-\u2015]\s*(?=[0-9])", "/", text)
    text = re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)
    return re.sub(r"\s*/\s*", "/", text)


def class_name(text: str) -> str:
    """A class as it is written when it is opened: without the word, the number after a stroke."""
    bare = re.sub(r"^[Ll][Ớớ][Pp]\s+(?=\S)", "", text)
    bare = re.sub(r"(?<=[0-9])\s*[/.\-_\u2010-\u2015]\s*(?=[0-9])", "/", bare)
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", bare)


def class_readings(value: Value) -> list[str]:
    """The names a class cell may stand for, the likeliest first; empty for an empty cell.

    A spreadsheet turns 5/4 into the fifth of April or the fourth of May, and 5.10 into 5.1: then
    both readings are given, and the classes there are decide.
    """
    if isinstance(value, date):
        day_month = f"{value.day}/{value.month}"
        return list(dict.fromkeys((day_month, f"{value.month}/{value.day}")))
    if isinstance(value, float) and not value.is_integer():
        text = repr(value)
        ways = [text, f"{text}0"] if re.fullmatch(r"[0-9]+\.[0-9]", text) else [text]
        return [class_name(way) for way in ways]
    if is_empty(value):
        return []
    text = as_text(value)
    found = _ISO_DAY.fullmatch(_CLOCK.sub("", text))
    if found:
        month, day = int(found[2]), int(found[3])
        return list(dict.fromkeys((f"{day}/{month}", f"{month}/{day}")))
    return [text]


def grade_of_class(name: str) -> int | None:
    """The grade a class name tells: 5/4 is in the fifth, Lớn 1 with the five-year-olds."""
    return _grade_told(name)


@lru_cache(maxsize=4096)
def _grade_told(name: str) -> int | None:
    text = _class_key(name)
    found = re.match(r"([0-9]{1,2})(?![0-9])", text)
    if found and not re.match(r"[0-9]-[0-9] tuoi|[0-9] tuoi", text):
        grade = int(found[1])
        return grade if 1 <= grade <= 12 else None
    return _nursery_grade(text)


def _nursery_grade(text: str) -> int | None:
    for grade, beginnings in _NURSERY:
        if any(re.match(rf"{re.escape(word)}(?![a-z])", text) for word in beginnings):
            return grade
    return None


def read_grade(value: Value) -> int | None:
    """A grade: `5`, `Khối 5`, `Mẫu giáo lớn`; None for an empty cell."""
    if is_empty(value):
        return None
    return _grade_of(as_text(value))


@lru_cache(maxsize=256)
def _grade_of(text: str) -> int:
    folded = re.sub(r"^(?:khoi|lop|khoi lop)\s*", "", fold(text))
    found = re.fullmatch(r"0?([0-9]{1,2})", folded)
    if found and 1 <= int(found[1]) <= 12:
        return int(found[1])
    grade = _nursery_grade(folded)
    if grade is None:
        raise CellRefused("grade_unknown", text=text[:40])
    return grade


# States


class Presence(StrEnum):
    """What a list says of a child's place at the school."""

    HERE = "here"
    LEFT = "left"


_LEFT = ("thoi hoc", "chuyen truong", "chuyen di", "da chuyen", "bo hoc", "nghi hoc", "tot nghiep")


def read_state(value: Value) -> Presence:
    """Whether the list says that the pupil has left; anything else means here."""
    if is_empty(value):
        return Presence.HERE
    folded = fold(as_text(value))
    return Presence.LEFT if any(folded.startswith(word) for word in _LEFT) else Presence.HERE
