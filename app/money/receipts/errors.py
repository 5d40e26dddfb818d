"""What receipts refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class ReceiptNotFound(NotFound):
    """No such receipt in this school."""

    code = "receipt_not_found"


class AlreadyVoid(Refused):
    """A receipt is declared void once."""

    code = "receipt_already_void"

    def default_message(self) -> str:
        return _("This receipt was declared void before.")


class ReasonTooShort(Invalid):
    """A void needs a reason that parents and inspectors can read."""

    code = "reason_too_short"

    def default_message(self) -> str:
        return _("Write the reason in at least 10 characters.")


class ContentChanged(Refused):
    """The stored paper no longer matches its hash: it is not printed."""

    code = "receipt_content_changed"

    def default_message(self) -> str:
        return _("The stored receipt does not match its seal and is not printed. Tell the auditor.")


class BadWording(Invalid):
    """The words for amounts are chosen from a list."""

    code = "bad_wording"

    def default_message(self) -> str:
        return _("Choose one of the words offered for each.")


class PrintNotFound(NotFound):
    """No such printing in this school."""

    code = "receipt_print_not_found"


class PrintGone(NotFound):
    """The file of a printing was thrown away, or is not drawn yet."""

    code = "receipt_print_gone"

    def default_message(self) -> str:
        return _("This file is no longer kept, because it is full of names. Print again.")


class NothingToPrint(Refused):
    """No receipt falls under what was chosen."""

    code = "no_receipts_to_print"

    def default_message(self) -> str:
        return _("No receipt of these days falls under what you chose.")
