"""What the parents' pages refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class UnknownLink(NotFound):
    """No payment request has this link."""

    code = "unknown_pay_link"

    def default_message(self) -> str:
        return _("This payment link is not known. Ask the school for the right one.")


class NoQr(NotFound):
    """Nothing is due, so there is no QR any more (M7)."""

    code = "nothing_due_no_qr"

    def default_message(self) -> str:
        return _("Nothing is left to pay, so there is no QR any more.")


class WrongDigits(Invalid):
    """The four digits are not the end of a registered phone."""

    code = "wrong_phone_digits"

    def default_message(self) -> str:
        return _("These are not the last four digits of a phone the school has for this pupil.")


class TooManyTries(Refused):
    """Five wrong tries were made on this link today."""

    code = "too_many_phone_tries"

    def default_message(self) -> str:
        return _("Five tries were wrong today. Ask the school desk; paying still works.")


class NotAtSchool(Refused):
    """The child of the link is in no class of the school now."""

    code = "family_child_not_at_school"

    def default_message(self) -> str:
        return _("The pupil is in no class of this school just now. Ask the school desk.")
