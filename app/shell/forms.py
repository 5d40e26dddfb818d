"""The parents' door: one field."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length


class FrontDoorForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The transfer code of the paper notice, or the pay link itself."""

    code = StringField(
        _l("Transfer code"),
        [InputRequired(_l("Enter the nine characters that begin with HP.")), Length(max=200)],
    )
