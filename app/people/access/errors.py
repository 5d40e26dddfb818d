"""What the staff door refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class WrongSignIn(Invalid):
    """Name, password or code do not fit; the answer never says which."""

    code = "wrong_sign_in"

    def default_message(self) -> str:
        return _("The user name, password or six-digit code is wrong. Check all three.")


class TooManyTries(Refused):
    """Guessing is slowed down, never locked for good."""

    code = "too_many_tries"
    status = 429

    def default_message(self) -> str:
        return _("Too many wrong tries. Wait a few minutes, then try again.")


class UsernameTaken(Invalid):
    """User names are unique in the area."""

    code = "username_taken"


class MembershipNotFound(NotFound):
    """No such role, or none that could end on that day."""

    code = "membership_not_found"
