"""The sign-in form."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.core.forms import Form
from app.core.i18n import lazy as _l


class SignInForm(Form):
    """User name, password and the six digits of the authenticator."""

    username = StringField(
        _l("User name"), [InputRequired(_l("Enter your user name.")), Length(max=60)]
    )
    password = PasswordField(
        _l("Password"), [InputRequired(_l("Enter your password.")), Length(max=200)]
    )
    code = StringField(_l("Six-digit code"), [Length(max=8)])
