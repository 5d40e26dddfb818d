"""Forms of verification: shape only."""

from __future__ import annotations

from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than stubs
from wtforms.validators import InputRequired, Length

from app.core.forms import DayField, Form
from app.core.i18n import lazy as _l
from app.people.verification.models import Source


class ProofForm(Form):
    """A person saw the paper."""

    source = RadioField(
        _l("Paper seen"),
        choices=[
            SelectChoice(Source.BIRTH_CERTIFICATE.value, _l("Birth certificate")),
            SelectChoice(Source.VNEID.value, _l("VNeID on the family's phone")),
        ],
        validators=[InputRequired(_l("Choose the paper."))],
    )
    document = StringField(
        _l("Number and day of the paper"),
        [InputRequired(_l("Say which paper you saw: its number and day.")), Length(max=200)],
    )


class StaffForm(Form):
    """Who a member of staff is by the papers."""

    full_name = StringField(
        _l("Full name"), [InputRequired(_l("Enter the full name.")), Length(max=120)]
    )
    birth_date = DayField(_l("Birth date"), [InputRequired(_l("Choose a day."))])
    sex = RadioField(
        _l("Sex"),
        choices=[SelectChoice("female", _l("Female")), SelectChoice("male", _l("Male"))],
        validators=[InputRequired(_l("Choose the sex."))],
    )
    pin = StringField(_l("Personal number"), [Length(max=24)])
    moet = StringField(_l("Ministry staff code"), [Length(max=24)])
