"""Drafting a run: a month and the day to pay by."""

from __future__ import annotations

from wtforms.validators import InputRequired

from app.core.forms import DayField, Form, MonthField
from app.core.i18n import lazy as _l


class DraftRunForm(Form):
    """Which month to bill, and until when families should pay."""

    period = MonthField(_l("Month"), [InputRequired(_l("Choose a month."))])
    due_on = DayField(_l("To be paid by"), [InputRequired(_l("Choose a day."))])
