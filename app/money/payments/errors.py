"""What payments refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class PaymentNotFound(NotFound):
    """No such payment in this school."""

    code = "payment_not_found"


class NothingDue(Refused):
    """There is nothing to pay just now."""

    code = "nothing_due"

    def default_message(self) -> str:
        return _("There is nothing left to pay here. Do not pay again.")


class AmountTooSmall(Invalid):
    """The cash given does not cover what is to be collected."""

    code = "amount_too_small"

    def default_message(self) -> str:
        return _("The cash given is less than the amount to collect. Enter the notes you received.")


class NoCardChannel(Refused):
    """The school takes no cards."""

    code = "no_card_channel"

    def default_message(self) -> str:
        return _("This school does not take cards. Use the QR transfer, it is free.")


class CardUnavailable(Refused):
    """The card provider does not answer."""

    code = "card_unavailable"
    status = 503

    def default_message(self) -> str:
        return _("The card page does not answer now. Nothing was charged; try again or use the QR.")


class WrongAccount(Refused):
    """A genuine notice about an account that is not this channel's."""

    code = "wrong_account"
    status = 422

    def default_message(self) -> str:
        return _("The notice names an account that does not belong to this channel.")
