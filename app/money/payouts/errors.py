"""What payouts refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused
from app.core.formats import vnd
from app.core.money import Vnd


class PayoutNotFound(NotFound):
    """No such payout or batch in this school."""

    code = "payout_not_found"


class BadPayout(Invalid):
    """Something needed is missing or cannot be; `field` is the field to blame."""

    code = "bad_payout"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class MoreThanCredit(Refused):
    """The child has less credit than would leave."""

    code = "more_than_credit"

    def __init__(self, credit: Vnd, amount: Vnd) -> None:
        super().__init__(
            _(
                "The pupil has %(credit)s of credit, and %(amount)s would leave. To refund a paid"
                " bill, withdraw or correct the bill first: what was paid becomes credit.",
                credit=vnd(credit),
                amount=vnd(amount),
            )
        )


class OwnPayout(Refused):
    """Whoever asks does not approve."""

    code = "own_payout"
    status = 403

    def default_message(self) -> str:
        return _("You asked for this yourself. Another person approves it: the principal.")


class WrongStep(Refused):
    """The payout is not where this could happen to it."""

    code = "wrong_step"

    def default_message(self) -> str:
        return _("Somebody was quicker, or this was decided before. Look at its state again.")


class NothingToSend(Invalid):
    """A batch without rows."""

    code = "nothing_to_send"

    def default_message(self) -> str:
        return _("Tick at least one payment for the batch.")


class ResultUnread(Invalid):
    """The bank's result file cannot be believed; nothing of it is kept."""

    code = "result_unread"


class LineNotOpen(Refused):
    """A line to give up is no longer open with that amount."""

    code = "line_not_open"

    def default_message(self) -> str:
        return _("A line was paid or changed meanwhile. Ask again with what is still open.")


class CardRefused(Refused):
    """The card's provider did not take the refund."""

    code = "card_refused"

    def default_message(self) -> str:
        return _("The provider did not take the refund. Pay it to a bank account instead.")
