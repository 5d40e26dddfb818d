"""Flask extensions other than the database (that is `core.model.db`): bound in create_app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect

login_manager = LoginManager()
migrate = Migrate()
csrf = CSRFProtect()

View = TypeVar("View", bound=Callable[..., Any])


def signed_elsewhere(view: View) -> View:
    """Mark a view that needs no CSRF token: its caller is a machine that signs what it sends."""
    return cast(View, csrf.exempt(view))
