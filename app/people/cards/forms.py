"""Shape of what the office enters about consents."""

from __future__ import annotations

from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from app.core.forms import DayField, Form
from app.core.i18n import lazy as _l
from app.people.cards.models import Method, Party


class ConsentForm(Form):
    """Who agreed, how, and when; nothing is ticked beforehand."""

    party = SelectMultipleField(
        _l("Who agrees"),
        [InputRequired(_l("Tick who agrees."))],
        choices=[
            SelectChoice(Party.GUARDIAN.value, _l("the parent or guardian")),
            SelectChoice(Party.CHILD.value, _l("the child")),
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    method = RadioField(
        _l("How"),
        [InputRequired(_l("Choose how they said it."))],
        choices=[
            SelectChoice(Method.PAPER.value, _l("on a signed form")),
            SelectChoice(Method.IN_PERSON.value, _l("in person at the office")),
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
            SelectChoice(Party.GUARDIAN.value, _l("the parent or guardian")),
            SelectChoice(Party.CHILD.value, _l("the child")),
        ],
    )
    method = RadioField(
        _l("How"),
        [InputRequired(_l("Choose how they said it."))],
        choices=[
            SelectChoice(Method.PAPER.value, _l("on a signed form")),
            SelectChoice(Method.IN_PERSON.value, _l("in person at the office")),
        ],
        default=Method.IN_PERSON.value,
    )
