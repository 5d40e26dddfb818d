"""What the room of cards refuses."""

from __future__ import annotations

from typing import ClassVar

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class CardNotFound(NotFound):
    """No such card, photo or printing at this school."""

    code = "card_not_found"


class NotHere(Refused):
    """Cards, photos and consents are of a stay that has not ended."""

    code = "pupil_not_here"

    def default_message(self) -> str:
        return _("This pupil has left the school, so there is no card to make.")


class NoGuardian(Refused):
    """A guardian's consent names the guardian."""

    code = "no_guardian_to_ask"

    def default_message(self) -> str:
        return _("Record the pupil's parent or guardian first, then their consent.")


class BadConsent(Invalid):
    """A consent that lacks what makes it a proof."""

    code = "bad_photo_consent"


class NoConsent(Refused):
    """Without consent no photo is kept."""

    code = "no_photo_consent"

    def default_message(self) -> str:
        return _("No consent is recorded, so the photo was not kept. Record the consent first.")


class NothingWithdrawn(Refused):
    """There is no standing consent of this person to take back."""

    code = "no_consent_to_withdraw"

    def default_message(self) -> str:
        return _("There is no consent to take back.")


class NoCard(Refused):
    """The child has no card that could be ended."""

    code = "no_card_to_end"

    def default_message(self) -> str:
        return _("This pupil has no valid card.")


class NothingToPrint(Refused):
    """Nobody was chosen, or nobody of those chosen is still here."""

    code = "no_cards_to_print"

    def default_message(self) -> str:
        return _("Nobody is chosen. Tick the pupils whose cards you want.")


class PrintGone(NotFound):
    """The file of a printing was thrown away, or is not drawn yet."""

    code = "card_print_gone"

    def default_message(self) -> str:
        return _("This file is no longer kept, because it holds photos. Print the cards again.")


class TooManyPictures(Invalid):
    """More pictures at once than one request should work on."""

    code = "too_many_pictures"


class PictureRefused(Invalid):
    """A picture that cannot be a photo; `reason` is stable, the message says what to do."""

    code = "picture_refused"
    reasons: ClassVar = ("missing", "large", "kind", "pixels", "small", "moving", "damaged", "zip")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            {
                "missing": _("Choose a picture first."),
                "large": _("The picture is larger than 10 MB. Make it smaller and send it again."),
                "kind": _(
                    "This is not a picture we can read. Send a JPEG, PNG or WebP file; a phone"
                    " calls the first one “most compatible”."
                ),
                "pixels": _(
                    "The picture has more than 24 million pixels. Make it smaller and send it"
                    " again."
                ),
                "small": _(
                    "The picture is too small to print: at least 240 by 320 pixels are needed."
                ),
                "moving": _("This is a moving picture. Send a plain photo."),
                "damaged": _("The picture is damaged. Save or take it anew and send it again."),
                "zip": _(
                    "This zip file cannot be read. Pack the pictures again, without a password."
                ),
            }[reason]
        )
