"""What the parents' door refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, Refused


class UnknownCode(Invalid):
    """No payment request carries this code."""

    code = "unknown_code"

    def default_message(self) -> str:
        return _(
            "No bill carries this code. It has nine characters and begins with HP:"
            " compare it with the notice once more."
        )


class TooManyCodes(Refused):
    """Trying codes one after another is slowed down."""

    code = "too_many_codes"
    status = 429

    def default_message(self) -> str:
        return _("Too many codes were tried from here. Wait a minute, then try again.")
