"""How figures, days and codes are written on screens and papers: the Jinja filters."""

from __future__ import annotations

from datetime import date, datetime

from flask import Flask

from app.core import clock
from app.core.i18n import language
from app.core.ids import show_check_code, show_student_code
from app.core.money import NBSP, Vnd, format_number, format_vnd
from app.core.period import Period

_WEEKDAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def vnd(amount: Vnd | int) -> str:
    """1.001.000 ₫."""
    return format_vnd(amount, language())


def number(value: Vnd | int) -> str:
    """1.001.000 without the sign, for table cells."""
    return format_number(value.dong if isinstance(value, Vnd) else value, language())


def signed(value: Vnd | int) -> str:
    """With + in front of an increase, 0 for none."""
    dong = value.dong if isinstance(value, Vnd) else value
    return ("+" if dong > 0 else "") + format_number(dong, language())


def left(value: Vnd | int) -> str:
    """An amount still to pay: a dash when nothing is left."""
    dong = value.dong if isinstance(value, Vnd) else value
    return format_number(dong, language()) if dong else "–"


def day(value: date | datetime | None) -> str:
    """24/11/2026."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = clock.local_day(value)
    return value.strftime("%d/%m/%Y")


def moment(value: datetime | None) -> str:
    """24/11/2026 08:14."""
    return clock.local(value).strftime("%d/%m/%Y %H:%M") if value else ""


def clock_time(value: datetime | None) -> str:
    """08:14:05."""
    return clock.local(value).strftime("%H:%M:%S") if value else ""


def month(value: Period) -> str:
    """tháng 11/2026 or November 2026."""
    if language() == "en":
        return f"{_MONTHS[value.month - 1]} {value.year}"
    return f"tháng {value.month}/{value.year}"


def weekday(value: date | datetime) -> str:
    """Thứ Hai 30/11/2026; a moment falls on the day it has here."""
    if isinstance(value, datetime):
        value = clock.local_day(value)
    return f"{_WEEKDAYS[language()][value.weekday()]} {value.strftime('%d/%m/%Y')}"


def percent(numerator: int | Vnd, denominator: int | Vnd) -> str:
    """87,4 % with one decimal, half up; a dash when there is nothing to divide by."""
    top = numerator.dong if isinstance(numerator, Vnd) else numerator
    bottom = denominator.dong if isinstance(denominator, Vnd) else denominator
    if not bottom:
        return "–"
    tenths = (top * 2000 + bottom) // (2 * bottom)
    separator = "." if language() == "en" else ","
    return f"{tenths // 10}{separator}{tenths % 10}{NBSP}%"


def threes(code: str) -> str:
    """A student code in groups of three: 123-456-789."""
    return show_student_code(code)


def fours(code: str) -> str:
    """A check code in groups of four."""
    return show_check_code(code)


def bind(app: Flask) -> None:
    """Give the filters to the templates."""
    app.jinja_env.filters.update(
        vnd=vnd,
        number=number,
        signed=signed,
        left=left,
        day=day,
        moment=moment,
        clock=clock_time,
        month=month,
        weekday=weekday,
        percent=percent,
        threes=threes,
        fours=fours,
    )
