"""Form fields of the trade: amounts, months, days; and a typed base for every form."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import StringField

from app.core.errors import BadAmount, BadDay
from app.core.i18n import language
from app.core.money import Vnd, format_number
from app.core.period import Period


class Form(FlaskForm):
    """Base of every form; carries the CSRF token."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    def is_sent(self) -> bool:
        """Whether the form was sent and its shape is right."""
        return bool(self.validate_on_submit())  # type: ignore[no-untyped-call]


_AMOUNT = re.compile(r"[0-9]+|[0-9]{1,3}(?:(?:\.[0-9]{3})+|(?: [0-9]{3})+|(?:,[0-9]{3})+)")


def read_vnd(text: str) -> Vnd:
    """An amount as people type it: 1250000, 1.250.000, 1,250,000 or 1 250 000; else BadAmount."""
    typed = text.strip()
    if len(typed) > 20 or not _AMOUNT.fullmatch(typed):
        raise BadAmount
    return Vnd(int(re.sub(r"[^0-9]", "", typed)))


def read_day(text: str) -> date:
    """A day as people type it or a browser sends it: 30/11/2026 or 2026-11-30; else BadDay."""
    turned = re.sub(
        r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})$",
        lambda m: f"{m[3]}-{int(m[2]):02d}-{int(m[1]):02d}",
        text.strip(),
    )
    try:
        return date.fromisoformat(turned)
    except ValueError:
        raise BadDay from None


class VndField(StringField):
    """Takes 1250000, 1.250.000 or 1 250 000; gives a Vnd or an error, never a guess."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        text = str(valuelist[0]).strip() if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            self.data = read_vnd(text)
        except BadAmount as refusal:
            self.data = None
            raise ValueError(refusal.message) from None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])  # what was typed, so that a wrong entry can be mended
        return "" if self.data is None else format_number(self.data.dong, language())


class MonthField(StringField):
    """Takes 2026-11 or 11/2026; gives a Period."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed or chosen."""
        text = str(valuelist[0]).strip() if valuelist else ""
        turned = re.sub(r"^([0-9]{1,2})/([0-9]{4})$", lambda m: f"{m[2]}-{int(m[1]):02d}", text)
        try:
            self.data = Period.parse(turned)
        except ValueError:
            self.data = None
            raise ValueError(_("Enter a month, for example 11/2026")) from None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else str(self.data)


class DayField(StringField):
    """Takes 30/11/2026 or 2026-11-30; gives a date."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed or chosen."""
        try:
            self.data = read_day(str(valuelist[0]) if valuelist else "")
        except BadDay as refusal:
            self.data = None
            raise ValueError(refusal.message) from None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.isoformat() if self.data else ""
