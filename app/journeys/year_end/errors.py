"""What turning a year refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class NoYear(NotFound):
    """There is no school year to end."""

    code = "no_year_to_end"

    def default_message(self) -> str:
        return _("No school year has been opened yet.")


class TurnBlocked(Refused):
    """Something must be mended before the year can be turned."""

    code = "turn_blocked"


class NothingToTurn(Refused):
    """Every child of the school is in the new year already."""

    code = "nothing_to_turn"

    def default_message(self) -> str:
        return _("Every pupil of the old year has been taken over already.")


class RehearsalChanged(Refused):
    """The figures the person agreed to are no longer those of the rehearsal."""

    code = "rehearsal_changed"

    def default_message(self) -> str:
        return _("The figures have changed since you looked. Read them again, then turn the year.")


class NotTurned(Refused):
    """There is no standing turn to take back."""

    code = "not_turned"

    def default_message(self) -> str:
        return _("The year of this school is not turned, or was taken back already.")


class NewYearBilled(Refused):
    """A bill of the new year is out, so the turn cannot be taken back."""

    code = "new_year_billed"


class BadOutcome(Invalid):
    """An outcome the grade does not have, or a child of another class."""

    code = "bad_outcome"


class BadClassName(Invalid):
    """A name for next year that cannot be used."""

    code = "bad_next_class"


class NotWaiting(Refused):
    """The child does not wait for the decision after the summer."""

    code = "no_retest_waiting"

    def default_message(self) -> str:
        return _("This pupil is not waiting for a test, or it was decided already.")


class BadYear(Invalid):
    """A school year whose days cannot be right."""

    code = "bad_school_year"


class YearExists(Refused):
    """The next school year is open already."""

    code = "next_year_exists"

    def default_message(self) -> str:
        return _("The next school year is open already.")


class BadAssignment(Invalid):
    """A line of an assignment list that fits no finishing child or no school."""

    code = "bad_assignment"


class NotFinishing(NotFound):
    """No finishing child fits the code and the birth date together."""

    code = "not_finishing"

    def default_message(self) -> str:
        return _("No pupil who finishes this year has this code and this birth date together.")


class AssignedElsewhere(Refused):
    """The child is on another school's list."""

    code = "assigned_elsewhere"


class NotOnTheList(Refused):
    """The child is not on this school's list, or was admitted already."""

    code = "not_on_the_list"

    def default_message(self) -> str:
        return _("Your list has changed since you looked. Read it again, then admit the pupils.")
