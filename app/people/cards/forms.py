"""Shape of what the office enters about consents."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from app.core.forms import DayField, Form
from app.people.cards.models import Method, Party


class ConsentForm(Form):
    """Who agreed, how, and when; nothing is ticked beforehand."""

    party = SelectMultipleField(
        _l("Who agrees"),
        [InputRequired(_l("Tick who agrees."))],
        choices=[
            (Party.GUARDIAN.value, _l("the parent or guardian")),
            (Party.CHILD.value, _l("the child")),
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    method = RadioField(
        _l("How"),
        [InputRequired(_l("Choose how they said it."))],
        choices=[
            (Method.PAPER.value, _l("on a signed form")),
            (Method.IN_PERSON.value, _l("in person at the office")),
        ],
        default=Method.PAPER.value,
    )
    form_no = StringField(_l("Number of the form, or where it is filed"))
    given_on = DayField(_l("On day"))


class WithdrawForm(Form):
    """Who takes the consent back, and how."""

    party = RadioField(
        _l("Who takes it back"),
        [InputRequired(_l("Tick who takes it back."))],
        choices=[
            (Party.GUARDIAN.value, _l("the parent or guardian")),
            (Party.CHILD.value, _l("the child")),
        ],
    )
    method = RadioField(
        _l("How"),
        [InputRequired(_l("Choose how they said it."))],
        choices=[
            (Method.PAPER.value, _l("on a signed form")),
            (Method.IN_PERSON.value, _l("in person at the office")),
        ],
        default=Method.IN_PERSON.value,
    )
