"""What a reader may narrow a report to; read from the address, so that it can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from wtforms import Form, IntegerField, SelectField, StringField
from wtforms.validators import Length, Optional, ValidationError

from app.core.i18n import lazy as _l
from app.core.period import Period

#: A report of more months is a year's report, which has its own rules.
MOST_MONTHS = 12


class CollectionForm(Form):
    """First and last month of the bills, a class, an item."""

    first = SelectField(_l("From month"), validate_choice=False)
    last = SelectField(_l("To month"), validate_choice=False)
    class_name = StringField(_l("Class"), [Optional(), Length(max=24)])
    item = IntegerField(_l("Fee item"), [Optional()])

    def __init__(self, asked: Any, months: Sequence[Period]) -> None:
        super().__init__(asked)
        newest = str(months[0])
        # Other pages ask for one month by the name they use themselves.
        one = asked.get("period", "")
        self.first.data = self.first.data or self.last.data or one or newest
        self.last.data = self.last.data or self.first.data

    @staticmethod
    def _month(text: str) -> Period:
        try:
            return Period.parse(text)
        except ValueError:
            raise ValidationError(_("Choose a month from the list.")) from None

    def validate_first(self, field: SelectField) -> None:
        """A month."""
        self._month(field.data)

    def validate_last(self, field: SelectField) -> None:
        """A month, not before the first and not too far behind it."""
        last = self._month(field.data)
        try:
            first = Period.parse(self.first.data)
        except ValueError:
            return
        if last < first:
            raise ValidationError(_("The last month lies before the first. Choose a later month."))
        if (last.year - first.year) * 12 + last.month - first.month >= MOST_MONTHS:
            raise ValidationError(_("Choose at most 12 months."))

    @property
    def months(self) -> tuple[Period, Period]:
        """First and last month of a valid form."""
        return Period.parse(self.first.data), Period.parse(self.last.data)
