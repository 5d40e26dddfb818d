"""Shapes of what the pages of keeping and forgetting send."""

from __future__ import annotations

from typing import Any

from wtforms import IntegerField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange, Optional

from app.core.forms import DayField, Form
from app.core.i18n import lazy as _l
from app.journeys.retention.models import Certainty, RecordKind, Term


class TermForm(Form):
    """A new row: how long a kind of record is kept from a day on."""

    kind = StringField(validators=[AnyOf(list(RecordKind))])
    term = StringField(validators=[AnyOf(list(Term))])
    years = IntegerField(
        validators=[
            Optional(),
            NumberRange(min=1, max=100, message=_l("Enter the years, 1 to 100.")),
        ]
    )
    act = StringField(validators=[Length(max=200)])
    source = StringField(validators=[Length(max=300)])
    certainty = StringField(validators=[AnyOf(list(Certainty))])
    valid_from = DayField(validators=[InputRequired(_l("Enter a day, for example 30/11/2026"))])


class AskForm(Form):
    """Why the ticked children; their codes come as a list beside it."""

    school = StringField(validators=[Length(max=12)])
    reason = StringField(validators=[Length(max=200)])


class DecideForm(Form):
    """The second person's word."""

    approve = StringField(validators=[AnyOf(["yes", "no"])])
    words = StringField(validators=[Length(max=200)])


def first_error(form: Form) -> str:
    """The first thing to put right."""
    errors: Any = form.errors
    return next((str(texts[0]) for texts in errors.values() if texts), "")
