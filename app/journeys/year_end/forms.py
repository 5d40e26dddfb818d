"""Shapes of what the pages of the year's end send."""

from __future__ import annotations

from typing import Any

from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.core.forms import DayField, Form
from app.core.i18n import lazy as _l


class ActForm(Form):
    """A bare act on one year; carries the token and the year it is about."""

    year = HiddenField()


class TurnForm(ActForm):
    """The principal's click, with the number of children that was read."""

    children = IntegerField(validators=[InputRequired(), NumberRange(min=0, max=60_000)])


class UndoForm(ActForm):
    """The way back, with its reason."""

    reason = StringField(
        _l("Why"),
        [
            InputRequired(_l("Give the reason in at least 10 letters.")),
            Length(min=10, max=200, message=_l("Give the reason in 10 to 200 letters.")),
        ],
    )


class NewYearForm(ActForm):
    """The first and last day of the next school year."""

    starts_on = DayField(_l("First day"), [InputRequired()])
    ends_on = DayField(_l("Last day"), [InputRequired()])


class ClaimForm(ActForm):
    """A child by exact code and birth date."""

    code = StringField(
        _l("Pupil code"), [InputRequired(_l("Enter the nine digits.")), Length(max=20)]
    )
    birth_date = DayField(_l("Birth date"), [InputRequired(_l("Enter the birth date."))])


class AssignForm(ActForm):
    """One school's finishing children to one school."""

    from_school = IntegerField(validators=[InputRequired()])
    to_school = StringField(validators=[InputRequired(), Length(max=12)])


class AssignListForm(ActForm):
    """A pasted list: codes, and a school or a letter for each."""

    lines = TextAreaField(validators=[InputRequired(), Length(max=400_000)])


class AdmitForm(ActForm):
    """Where ticked children are seated: a class, all classes of the lowest grade, or none yet."""

    place = StringField(validators=[Optional(), Length(max=20)])


def first_error(form: Form) -> str:
    """The first thing to put right."""
    errors: Any = form.errors
    return next((str(texts[0]) for texts in errors.values() if texts), "")
