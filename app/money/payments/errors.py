"""What payments refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused
from app.core.formats import vnd
from app.core.money import Vnd


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


class GatewayUnavailable(Refused):
    """The wallet or gateway does not open a page."""

    code = "gateway_unavailable"
    status = 503

    def default_message(self) -> str:
        return _(
            "The wallet or gateway does not answer now. Nothing was charged; try again or use the"
            " QR."
        )


class NoGateway(Refused):
    """The school has no such way to pay."""

    code = "no_gateway"

    def default_message(self) -> str:
        return _("This school does not take that way of paying. Use the QR transfer, it is free.")


class WrongAccount(Refused):
    """A genuine notice about an account that is not this channel's."""

    code = "wrong_account"
    status = 422

    def default_message(self) -> str:
        return _("The notice names an account that does not belong to this channel.")


class NothingToCollect(Invalid):
    """No line is ticked and no amount was named."""

    code = "nothing_to_collect"

    def default_message(self) -> str:
        return _("Nothing is chosen to collect. Tick a line or enter an amount.")


class MoreThanDue(Refused):
    """The amount is above what the ticked lines still need, and nobody said to keep the rest."""

    code = "more_than_due"

    def default_message(self) -> str:
        return _(
            "The amount is more than these lines still need. Look again: money may just have come"
            " in. To keep the rest as the child's credit, say so below the amount."
        )


class ForeignLines(Refused):
    """A ticked line belongs to another child."""

    code = "foreign_lines"

    def default_message(self) -> str:
        return _("A ticked line belongs to another child. Open the child again.")


class KeyUsed(Refused):
    """A form was sent twice with different contents."""

    code = "key_used"

    def default_message(self) -> str:
        return _("This form was already used for another payment. Open the child again.")


class NoTill(Refused):
    """The school has no cash drawer or no cash channel."""

    code = "no_till"

    def default_message(self) -> str:
        return _("This school has no cash drawer yet.")


class AlreadyAssigned(Refused):
    """The money has its child already, or went back."""

    code = "already_assigned"

    def default_message(self) -> str:
        return _("This money already has its child, or was sent back. Nothing was changed.")


class NotMatched(Refused):
    """There is no match to take back: none was made, or its money went back."""

    code = "not_matched"

    def default_message(self) -> str:
        return _("There is no match to take back here. Look at the payment again.")


class OwnMatch(Refused):
    """Who matched may not take the match back: it voids a receipt, which needs a second person."""

    code = "own_match"

    def default_message(self) -> str:
        return _(
            "You made this match yourself. Taking it back voids its receipt, so a second person"
            " does it: the principal or another accountant."
        )


class MatchReasonMissing(Invalid):
    """No reason for taking a match back."""

    code = "match_reason_missing"

    def default_message(self) -> str:
        return _("Say in at least ten letters why the match is taken back.")


class MatchOfMerged(Refused):
    """The child's record was joined with another since."""

    code = "match_of_merged"

    def default_message(self) -> str:
        return _("The pupil's records were joined since. Part them first, then take this back.")


class MoreThanPaid(Refused):
    """More would go back than was paid."""

    code = "more_than_paid"

    def default_message(self) -> str:
        return _("More would go back than is left of this payment.")


class CardOnItsWay(Refused):
    """A card payment was made already and its notice is still to come."""

    code = "card_on_its_way"

    def default_message(self) -> str:
        return _("A card payment for this bill is already on its way. Do not pay again.")


class BadCount(Invalid):
    """A number of notes that is none."""

    code = "bad_count"

    def default_message(self) -> str:
        return _("Write how many notes of each kind there are: whole numbers, 0 for none.")


class ShiftIsOpen(Refused):
    """Somebody answers for the drawer already."""

    code = "shift_is_open"

    def default_message(self) -> str:
        return _("A shift is open at this drawer. Count it and hand it over first.")


class DifferenceUnexplained(Invalid):
    """The drawer and the books differ and nobody said why."""

    code = "difference_unexplained"

    def default_message(self) -> str:
        return _(
            "The drawer and the books differ. Count again; if it stays so, say why in at least ten"
            " letters."
        )


class BadAmount(Invalid):
    """What was typed is no whole number of đồng."""

    code = "bad_amount"

    def default_message(self) -> str:
        return _("Enter a whole number of đồng, for example 500,000.")


class NothingBilled(Refused):
    """The child was never billed here, so no request can take its money."""

    code = "nothing_billed"

    def default_message(self) -> str:
        return _("This child has no bill at this school yet. Issue its bill first.")


class NotMatcher(Refused):
    """The role may look at the bank page and not match money."""

    code = "not_matcher"
    status = 403

    def default_message(self) -> str:
        return _("Your role may look at this page. Only the accountant gives money to a child.")


class PurposeUnclear(Invalid):
    """Nobody can book money from what was said of it."""

    code = "purpose_unclear"

    def default_message(self) -> str:
        return _("Say what this money is, and fill in what belongs to it.")


class ReasonMissing(Invalid):
    """A deed that needs its reason."""

    code = "reason_missing"

    def default_message(self) -> str:
        return _("Say why in at least ten letters, so that others understand it later.")


class NotOnAccount(Refused):
    """Only money seen on a bank account may be something else than a family's payment."""

    code = "not_on_account"

    def default_message(self) -> str:
        return _("This money was not seen on an account of the school. Look for its pupil.")


class MoreThanHeld(Refused):
    """More than the books say lies there."""

    code = "more_than_held"

    def __init__(self, held: Vnd, amount: Vnd) -> None:
        super().__init__(
            _(
                "By the books only %(held)s lies there, and this is %(amount)s. Book what is"
                " missing first, or choose something else.",
                held=vnd(held),
                amount=vnd(amount),
            )
        )


class DepositDiffers(Refused):
    """The bank counted another sum than the slip says."""

    code = "deposit_differs"

    def __init__(self, slip: Vnd, amount: Vnd) -> None:
        super().__init__(
            _(
                "The slip says %(slip)s, the bank booked %(amount)s. Take the slip back at the cash"
                " desk, count the drawer, and make the slip anew.",
                slip=vnd(slip),
                amount=vnd(amount),
            )
        )


class BadDeposit(Refused):
    """No such notes are on their way to the bank."""

    code = "bad_deposit"

    def default_message(self) -> str:
        return _("Nothing of this kind is on its way to the bank. Look at the list again.")


class AgreedWithSchool(Refused):
    """What two schools agreed is not undone by one."""

    code = "agreed_with_school"

    def default_message(self) -> str:
        return _("This was agreed with another school. It ends when the money is transferred.")


class PurposeFirst(Refused):
    """Money somebody gave a purpose is not sent back under another."""

    code = "purpose_first"

    def default_message(self) -> str:
        return _("Somebody said what this money is. Take that back first.")


class MovementNotFound(NotFound):
    """No such movement, or it was taken back."""

    code = "movement_not_found"
