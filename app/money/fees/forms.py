"""Shapes of the schedule's forms; ceilings of the law are checked by the services."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import gettext as _
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.core.forms import DayField, Form, VndField
from app.core.i18n import lazy as _l
from app.core.period import Period


class QuantitiesField(StringField):
    """Takes `1`, or one whole number for each month: `22 21 23`; gives a list of numbers."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        parts = re.split(r"[\s,;]+", str(valuelist[0]).strip()) if valuelist else []
        if not parts or not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts):
            self.data = None
            raise ValueError(_("Enter a whole number, or one for each month, as 22 21 23"))
        self.data = [int(part) for part in parts]

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else " ".join(map(str, self.data))


class PriceForm(Form):
    """One item for one audience over a span of months."""

    item_id = SelectField(_l("Fee item"), coerce=int)
    audience = SelectField(_l("For"))
    first = SelectField(_l("From month"))
    last = SelectField(_l("To month"))
    quantities = QuantitiesField(_l("Quantity"))
    price = VndField(_l("Price of one unit"), [InputRequired(_l("Enter the price of one unit."))])
    second_price = VndField(_l("New price of a day"), [Optional()])
    second_from = DayField(_l("Counts from"), [Optional()])

    def spans(self) -> tuple[Period, Period]:
        """The months chosen."""
        return Period.parse(self.first.data), Period.parse(self.last.data)


class RemoveForm(Form):
    """All prices of one item and audience."""

    item_id = StringField()
    audience = StringField()


class AgreementForm(Form):
    """What the schedule rests on."""

    agreement = StringField(
        _l("Parents' agreement"),
        [Optional(), Length(max=200)],
        description=_l("Date and number of the minutes in which the parents agreed in writing."),
    )


class DraftForm(AgreementForm):
    """Opening a schedule."""

    school_year_id = SelectField(_l("School year"), coerce=int)


class ReturnForm(Form):
    """Sending a schedule back."""

    reason = TextAreaField(
        _l("What should be changed"),
        [
            Length(
                min=10, max=400, message=_l("Say in at least 10 characters what should be changed.")
            )
        ],
        description=_l("The accountant reads these words above the draft."),
    )


class MonthsForm(Form):
    """A rule from a month to a month."""

    item_id = SelectField(_l("Fee item"), coerce=int)
    first = SelectField(_l("From month"))
    last = SelectField(_l("To month"))

    def spans(self) -> tuple[Period, Period | None]:
        """The months chosen; no last month where the rule goes on."""
        return Period.parse(self.first.data), Period.parse(
            self.last.data
        ) if self.last.data else None


class SubsidyForm(MonthsForm):
    """Somebody else pays a part of each day."""

    amount = VndField(
        _l("Paid for each day"), [InputRequired(_l("Enter how much is paid for each day."))]
    )
    payer = StringField(
        _l("Who pays"),
        [InputRequired(_l("Say who pays.")), Length(max=120)],
        description=_l("As papers name it, for example: city budget."),
    )
    legal_act = StringField(
        _l("Act"),
        [InputRequired(_l("Enter the act with its number and date.")), Length(max=200)],
        description=_l("Number and date of the resolution or decision."),
    )


class HalvingForm(MonthsForm):
    """A monthly item costs less after many days away."""

    above_days = IntegerField(
        _l("Away on more than"),
        [
            InputRequired(_l("Enter a number of days from 0 to 31.")),
            NumberRange(0, 31, _l("Enter a number of days from 0 to 31.")),
        ],
    )
    percent = IntegerField(
        _l("Taken off"),
        [
            InputRequired(_l("Enter a percentage from 1 to 100.")),
            NumberRange(1, 100, _l("Enter a percentage from 1 to 100.")),
        ],
    )


class ActForm(Form):
    """A button: nothing but the token."""
