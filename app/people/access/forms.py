"""The sign-in form."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """User name, password and the six digits of the authenticator."""

    username = StringField(
        _l("User name"), [InputRequired(_l("Enter your user name.")), Length(max=60)]
    )
    password = PasswordField(
        _l("Password"), [InputRequired(_l("Enter your password.")), Length(max=200)]
    )
    code = StringField(_l("Six-digit code"), [Length(max=8)])
