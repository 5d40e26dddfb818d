"""The four kinds of refusal a person may meet; everything else is a bug."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import gettext as _


class DomainError(Exception):
    """A refusal in the product's own words: `code` for tests and logs, `message` for people."""

    code: ClassVar[str] = "domain_error"
    status: ClassVar[int] = 500

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.code)
        self.message = message or self.default_message()

    def default_message(self) -> str:
        """What a person reads when the raiser had nothing more exact to say."""
        return self.code


class NotFound(DomainError):
    """There is no such thing in what the asker may see (404)."""

    code = "not_found"
    status = 404

    def default_message(self) -> str:
        return _("This page or record does not exist, or belongs to another school.")


class Refused(DomainError):
    """A rule says no (409); nothing was changed."""

    code = "refused"
    status = 409


class Invalid(DomainError):
    """The input cannot be used as it stands (422)."""

    code = "invalid"
    status = 422


class BadAmount(Invalid):
    """What was typed is no amount in đồng."""

    code = "amount_unreadable"

    def default_message(self) -> str:
        return _("Enter an amount in đồng, for example 1.250.000")


class BadDay(Invalid):
    """What was typed is no day."""

    code = "day_unreadable"

    def default_message(self) -> str:
        return _("Enter a day, for example 30/11/2026")


class TryAgain(DomainError):
    """Somebody else is writing just now (503 with Retry-After)."""

    code = "try_again"
    status = 503

    def default_message(self) -> str:
        return _(
            "The books are busy at this moment. Nothing was changed; try again in a few seconds."
        )
