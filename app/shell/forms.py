"""The parents' door: one field."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.core.forms import Form
from app.core.i18n import lazy as _l


class FrontDoorForm(Form):
    """The transfer code of the paper notice, or the pay link itself."""

    code = StringField(
        _l("Transfer code"),
        [InputRequired(_l("Enter the nine characters that begin with HP.")), Length(max=200)],
    )
