"""What the room of verification refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class BatchNotFound(NotFound):
    """No such batch at this school."""

    code = "verification_batch_not_found"


class UploadNotFound(NotFound):
    """No such file of results at this school."""

    code = "verification_upload_not_found"


class PersonNotFound(NotFound):
    """No such pupil or member of staff at this school."""

    code = "verification_person_not_found"


class NothingToSend(Refused):
    """Nobody is ready to be sent."""

    code = "nothing_to_verify"

    def default_message(self) -> str:
        return _("Nobody chosen is ready to be sent: no number, waiting already, or proved.")


class BatchClosed(Refused):
    """A batch is closed once."""

    code = "verification_batch_closed"

    def default_message(self) -> str:
        return _("This batch is closed already.")


class NothingDiffers(Refused):
    """None of those chosen differs any more."""

    code = "nothing_differs"

    def default_message(self) -> str:
        return _("None of those chosen differs any more. Look at the list again.")


class CannotProve(Refused):
    """Only an identity with a number that is not proved yet can be proved."""

    code = "cannot_prove"

    def default_message(self) -> str:
        return _("There is no personal number to prove, or it is proved already.")


class UnreadableResults(Invalid):
    """A file in which no results can be found."""

    code = "unreadable_results"

    def default_message(self) -> str:
        return _(
            "No heading row with a result and our code or the personal number was found."
            " Check that this is the file that came back."
        )


class ForeignResults(Invalid):
    """A file about nobody this school has sent."""

    code = "foreign_results"

    def default_message(self) -> str:
        return _(
            "None of the rows belongs to a batch of your school. Check the school and the file."
        )


class AlreadyTaken(Refused):
    """A file of results is taken once."""

    code = "results_already_taken"

    def default_message(self) -> str:
        return _("These results have been taken already.")


class BadDocument(Invalid):
    """A proof without its paper, or a decision without its reason."""

    code = "bad_document"


class StaffNumberTaken(Refused):
    """A personal number belongs to one member of staff."""

    code = "staff_number_taken"

    def default_message(self) -> str:
        return _("This personal number is already recorded for another member of staff.")
