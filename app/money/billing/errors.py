"""What billing refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class RunNotFound(NotFound):
    """No such run in this school."""

    code = "run_not_found"


class InvoiceNotFound(NotFound):
    """No such invoice in this school."""

    code = "invoice_not_found"


class RunAlreadyIssued(Refused):
    """A run is issued once; changes afterwards are a new run."""

    code = "run_already_issued"

    def default_message(self) -> str:
        return _("This run was issued before. Draft a new run to bill what changed since.")


class NothingToBill(Refused):
    """Every child is billed already for what the rules say."""

    code = "nothing_to_bill"

    def default_message(self) -> str:
        return _("Nothing to issue: every bill of this month already agrees with the rules.")


class NoApprovedSchedule(Refused):
    """Prices count only after the principal approved them."""

    code = "no_approved_schedule"

    def default_message(self) -> str:
        return _("The principal has not approved prices for this month yet.")


class NoReceivingAccount(Refused):
    """A bill needs an account its money goes to."""

    code = "no_receiving_account"

    def default_message(self) -> str:
        return _("The school has no open bank account for QR transfers. Add one first.")


class DueBeforeIssue(Invalid):
    """A bill cannot be due before it is issued."""

    code = "due_before_issue"

    def default_message(self) -> str:
        return _("The day to pay by lies in the past. Choose today or a later day.")


class RunChanged(Refused):
    """What would be issued is no longer what the person looked at."""

    code = "run_changed"

    def default_message(self) -> str:
        return _(
            "The bills have changed since you opened the preview. Nothing was issued;"
            " look at the new figures and issue again."
        )


class TooManyNotices(Refused):
    """A print of a whole school would keep everybody waiting."""

    code = "too_many_notices"

    def default_message(self) -> str:
        return _("More than 60 notices in one print. Choose one class.")


class NothingToPrint(Refused):
    """A notice asks for money; these bills ask for none."""

    code = "nothing_to_print"

    def default_message(self) -> str:
        return _("Nothing is due on these bills, so there is no notice to print.")


class MonthNotIssued(Refused):
    """One child is put right after the school's run, not before."""

    code = "month_not_issued"


class AlreadyWithdrawn(Refused):
    """A bill is taken back once, and a note never."""

    code = "already_withdrawn"

    def default_message(self) -> str:
        return _("This bill was withdrawn before, or is itself the note of a withdrawal.")


class NothingToWithdraw(Refused):
    """All lines of the bill were turned by later ones."""

    code = "nothing_to_withdraw"

    def default_message(self) -> str:
        return _("Nothing is left of this bill: later bills have turned all its lines.")


class CorrectionReasonMissing(Invalid):
    """A withdrawal says why."""

    code = "correction_reason_missing"

    def default_message(self) -> str:
        return _("Say why in 10 to 200 letters; the family may ask.")


class AreaRunNotFound(NotFound):
    """No such run of the area."""

    code = "area_run_not_found"


class AreaRunBusy(Refused):
    """A worker is at it already."""

    code = "area_run_busy"

    def default_message(self) -> str:
        return _("The run is being worked on. Wait until it is done; the page tells you.")


class NoSchoolTicked(Refused):
    """Nobody was chosen."""

    code = "no_school_ticked"

    def default_message(self) -> str:
        return _("Tick the schools whose bills are to be issued.")


class BadBatch(Invalid):
    """What is to be recorded as passed on cannot be."""

    code = "bad_passed_on"


class BatchNotFound(NotFound):
    """No such record of money passed on."""

    code = "passed_on_not_found"


class AlreadyPassedOn(Refused):
    """The school does not give back what is no longer its own."""

    code = "already_passed_on"

    def default_message(self) -> str:
        return _(
            "Part of this bill was passed on to whom it belongs. Take that record back first, under"
            " Collected for others."
        )
