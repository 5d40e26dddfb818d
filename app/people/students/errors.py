"""What the students' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class StudentNotFound(NotFound):
    """No such child in what the asker may see."""

    code = "student_not_found"


class GuardianNotFound(NotFound):
    """No such guardian."""

    code = "guardian_not_found"


class EnrolmentNotFound(NotFound):
    """No such stay at this school."""

    code = "enrolment_not_found"


class ClassNotFound(NotFound):
    """No such class at this school."""

    code = "class_not_found"

    def default_message(self) -> str:
        return _("This class does not exist at your school.")


class YearNotFound(NotFound):
    """No such school year."""

    code = "school_year_not_found"


class BadName(Invalid):
    """A name is missing or too long."""

    code = "bad_name"

    def default_message(self) -> str:
        return _("Enter a full name of at most 120 letters.")


class BadDate(Invalid):
    """A day that cannot be right."""

    code = "bad_date"


class BadPhone(Invalid):
    """Not a mobile number of ten digits."""

    code = "bad_phone"


class BadReason(Invalid):
    """A reason is missing or too long."""

    code = "bad_reason"


class BadIdentifier(Invalid):
    """A number that does not have the shape of its scheme."""

    code = "bad_identifier"


class BadCode(Invalid):
    """Not one of our nine-digit codes."""

    code = "bad_student_code"


class BadClass(Invalid):
    """A class without a name, or of a grade the school does not teach."""

    code = "bad_class"


class AlreadyEnrolled(Refused):
    """Two stays of one child at one school may not overlap."""

    code = "already_enrolled"


class IdentifierTaken(Refused):
    """A personal number belongs to one child."""

    code = "identifier_taken"


class NumberKnown(Refused):
    """A child with a personal number needs no reason for having none."""

    code = "number_known"

    def default_message(self) -> str:
        return _("This pupil has a personal number already.")


class CodeTaken(Refused):
    """A child's code is never given twice."""

    code = "student_code_taken"


class ClassExists(Refused):
    """Class names are unique within a school year."""

    code = "class_exists"


class StudentMismatch(Refused):
    """The child named by the caller has another birth date."""

    code = "student_mismatch"

    def default_message(self) -> str:
        return _("The birth date does not fit this child. Check the code and the date.")


class EnrolmentEnded(Refused):
    """A stay ends once."""

    code = "enrolment_ended"

    def default_message(self) -> str:
        return _("This pupil has already left the school.")


class GuardianKnown(Refused):
    """The child has this guardian already."""

    code = "guardian_known"

    def default_message(self) -> str:
        return _("This person is recorded for the pupil already.")


class BadAddress(Invalid):
    """An address is too long."""

    code = "bad_address"

    def default_message(self) -> str:
        return _("Write the address in at most 200 letters.")


class NumberDiffers(Refused):
    """A known child has another number of the same kind than the one it shall be admitted with."""

    code = "number_differs"


class StudentElsewhere(Refused):
    """The child is at another school now, which looks after its record."""

    code = "student_elsewhere"

    def default_message(self) -> str:
        return _("This pupil is at another school now. That school keeps the record right.")


class NotHere(Refused):
    """The child has left this school."""

    code = "student_not_here"

    def default_message(self) -> str:
        return _("This pupil has already left the school.")
