"""What the room of keeping and forgetting refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class RequestNotFound(NotFound):
    """No such request in what the asker may see."""

    code = "forgetting_request_not_found"


class BadTerm(Invalid):
    """A term that does not say how long, or begins before the row it replaces."""

    code = "retention_bad_term"


class NobodyChosen(Invalid):
    """A request without children, or without a reason."""

    code = "forgetting_nobody_chosen"

    def default_message(self) -> str:
        return _("Tick the pupils and say why, in at most 200 letters.")


class NotForgettable(Refused):
    """A child for whom something still stands in the way; the message names child and reason."""

    code = "forgetting_not_yet"


class SamePerson(Refused):
    """Whoever asked may not decide."""

    code = "forgetting_same_person"

    def default_message(self) -> str:
        return _("You asked for this yourself. Somebody else has to decide.")


class AlreadyDecided(Refused):
    """A request is decided once."""

    code = "forgetting_already_decided"

    def default_message(self) -> str:
        return _("This request was decided before.")
