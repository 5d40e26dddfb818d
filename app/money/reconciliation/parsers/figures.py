"""Amounts and days as banks write them; đồng have no decimals, so a group of three is thousands."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from app.money.reconciliation.errors import AmountUnread, DayUnread

_SPACES: Final = re.compile(r"[\s\u00a0\u202f]+")
_CURRENCY: Final = re.compile(r"(?i)vn[dđ]|[đ₫]|đồng")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([.,'])[0-9]{3})(?:\1[0-9]{3})*")
_PLAIN: Final = re.compile(r"[0-9]{1,15}")
_CENTS: Final = re.compile(r"[.,]0{1,2}$")
_DAY: Final = re.compile(
    r"([0-9]{1,4})[/.\-]([0-9]{1,2})[/.\-]([0-9]{2,4})"
    r"(?:[ T,]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
_TIME_FIRST: Final = re.compile(r"([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)[ ,]+(\S+)$")
#: days a spreadsheet counts from
_EPOCH: Final = date(1899, 12, 30)
_LARGEST: Final = 10**15


def read_amount(value: object, row: int) -> int:
    """Whole đồng with their sign; 0 for an empty cell or a dash. Refuses fractions."""
    if value is None:
        return 0
    if type(value) is int:
        return _within(value, value, row)
    if type(value) is float:
        if value != int(value):
            raise AmountUnread(value, row)
        return _within(int(value), value, row)
    if not isinstance(value, str):
        raise AmountUnread(value, row)
    text = _SPACES.sub("", _CURRENCY.sub("", value))
    if text in ("", "-", "–"):
        return 0
    sign = 1
    if text[0] in "+-−(" or text[-1] in "-−":
        negative = text[0] in "-−(" or text[-1] in "-−"
        sign = -1 if negative else 1
        text = text.strip("+-−()")
    if _PLAIN.fullmatch(text):
        return _within(sign * int(text), value, row)
    whole = text if _GROUPED.fullmatch(text) else _CENTS.sub("", text)
    if _PLAIN.fullmatch(whole) or _GROUPED.fullmatch(whole):
        return _within(sign * int(re.sub(r"[.,']", "", whole)), value, row)
    raise AmountUnread(value, row)


def _within(amount: int, value: object, row: int) -> int:
    if abs(amount) >= _LARGEST:
        raise AmountUnread(value, row)
    return amount


def looks_like_day(value: object) -> bool:
    """Whether a cell begins with a day."""
    return isinstance(value, date) or (
        isinstance(value, str)
        and (_DAY.match(value.strip()) or _TIME_FIRST.match(value.strip())) is not None
    )


def is_day_first(values: list[object]) -> bool:
    """Whether text days of a column are 31/12 and not 12/31; Vietnamese banks write 31/12.

    Month first only where some day fits no other way, and every one fits that way.
    """
    found = [m for value in values if isinstance(value, str) and (m := _DAY.match(value.strip()))]
    pairs = [(int(m[1]), int(m[2])) for m in found if len(m[1]) <= 2]
    return all(second <= 12 for _first, second in pairs) or any(first > 12 for first, _ in pairs)


def read_day(value: object, row: int, *, day_first: bool = True) -> tuple[date, datetime | None]:
    """The day of a cell, and the moment when the cell has a time of day other than midnight.

    The moment is without a zone: it is the bank's own clock.
    """
    if isinstance(value, datetime):
        has_time = (value.hour, value.minute, value.second) != (0, 0, 0)
        return value.date(), value if has_time else None
    if isinstance(value, date):
        return value, None
    if type(value) in (int, float) and 30_000 < value < 80_000:  # type: ignore[operator]
        return _EPOCH + timedelta(days=int(value)), None  # type: ignore[call-overload]
    if not isinstance(value, str):
        raise DayUnread(value, row)
    text = value.strip()
    if turned := _TIME_FIRST.match(text):
        text = f"{turned[2]} {turned[1]}"
    found = _DAY.match(text)
    if found is None:
        raise DayUnread(value, row)
    one, two, three = int(found[1]), int(found[2]), int(found[3])
    if len(found[1]) == 4:
        year, month, day = one, two, three
    elif day_first:
        year, month, day = three, two, one
    else:
        year, month, day = three, one, two
    try:
        on = date(year + 2000 if year < 100 else year, month, day)
        if found[4] is None:
            return on, None
        moment = datetime(  # noqa: DTZ001 - the bank's own clock
            on.year, on.month, on.day, int(found[4]), int(found[5]), int(found[6] or 0)
        )
    except ValueError:
        raise DayUnread(value, row) from None
    return on, moment if (moment.hour, moment.minute, moment.second) != (0, 0, 0) else None
