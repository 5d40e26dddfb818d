"""What settling between schools refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class ClaimNotFound(NotFound):
    """No such claim of this school, or to it."""

    code = "claim_not_found"


class NoOtherSchool(Refused):
    """The text names no code of another school."""

    code = "no_other_school"

    def default_message(self) -> str:
        return _("The text of this money names no code of another school.")


class ClaimDecided(Refused):
    """The claim is not where this could happen to it."""

    code = "claim_decided"

    def default_message(self) -> str:
        return _("Somebody was quicker, or this was decided before. Look at its state again.")


class ClaimReasonMissing(Invalid):
    """A refusal without words."""

    code = "claim_reason_missing"

    def default_message(self) -> str:
        return _("Say why in at least ten letters, so that others understand it later.")
