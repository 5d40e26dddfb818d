"""What the transfers' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class TransferNotFound(NotFound):
    """No such transfer to or from this school."""

    code = "transfer_not_found"


class NoSuchChild(Invalid):
    """Code and birth date do not lead to a child; which of the two is wrong is not said."""

    code = "transfer_no_such_child"

    def default_message(self) -> str:
        return _("No pupil has this code and this birth date. Check both with the family's paper.")


class NotElsewhere(Refused):
    """The child is at no other school of the area now."""

    code = "transfer_not_elsewhere"

    def default_message(self) -> str:
        return _("The pupil is at no other school of the area now. Admit the pupil under its code.")


class AlreadyHere(Refused):
    """The child is at the asking school already."""

    code = "transfer_already_here"

    def default_message(self) -> str:
        return _("The pupil is at your school already.")


class AlreadyAsked(Refused):
    """A child has one running transfer at most."""

    code = "transfer_already_asked"

    def default_message(self) -> str:
        return _("A transfer of this pupil is running already.")


class WrongStep(Refused):
    """The transfer is not where this step begins."""

    code = "transfer_wrong_step"

    def default_message(self) -> str:
        return _("The transfer has moved on meanwhile. Open it again to see where it stands.")


class BadDay(Invalid):
    """A first day at the new school that cannot be."""

    code = "transfer_bad_day"


class DepartureNotFound(NotFound):
    """No such departure from this school."""

    code = "departure_not_found"


class BadPlace(Invalid):
    """Where the child goes is not said, or in too many letters."""

    code = "departure_bad_place"

    def default_message(self) -> str:
        return _("Write the name of the other school, and its ward and province.")


class DutiesOpen(Refused):
    """A departure is closed when the child has left and every paper is out."""

    code = "departure_duties_open"

    def default_message(self) -> str:
        return _("Not yet: the last day, the other school's answer or a paper is missing.")
