"""What the interface for banks and wallets refuses; messages are Vietnamese and English."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class NotSigned(Refused):
    """No key, a wrong signature, or a time too far away (401); it is not said which."""

    code = "not_signed"
    status = 401

    def default_message(self) -> str:
        return _("The request is not signed by a key that is valid now.")


class TooManyRequests(Refused):
    """More requests in a minute than agreed (429)."""

    code = "too_many_requests"
    status = 429

    def default_message(self) -> str:
        return _("Too many requests in this minute. Wait a minute and ask again.")


class BadRequest(Invalid):
    """A field is missing or cannot be used."""

    code = "bad_request"

    def __init__(self, field: str) -> None:
        super().__init__(_("The field %(name)s is missing or cannot be used.", name=field))
        self.field = field


class NoSuchBill(NotFound):
    """No bill of this code, or none open: one answer, so that codes cannot be told apart."""

    code = "no_such_bill"

    def default_message(self) -> str:
        return _("There is no bill with this code.")


class NoSuchPayment(NotFound):
    """This partner told no payment of this number."""

    code = "no_such_payment"

    def default_message(self) -> str:
        return _("There is no payment of yours with this number.")


class KeyReused(Refused):
    """The same key of idempotency with another request."""

    code = "idempotency_key_reused"

    def default_message(self) -> str:
        return _("This idempotency key was used for another request. Use a new one.")


class TransactionReused(Refused):
    """The same transaction number with another bill or amount."""

    code = "transaction_reused"

    def default_message(self) -> str:
        return _("This transaction number was used for another bill or amount.")
