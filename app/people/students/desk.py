"""What every page about one child asks first: may this school work on it, and in which stay."""

from __future__ import annotations

from dataclasses import dataclass

from app.core import clock
from app.core.errors import DomainError
from app.core.forms import Form
from app.people.access import own_school
from app.people.students import known, queries
from app.people.students.errors import (
    AlreadyEnrolled,
    BadAddress,
    BadClass,
    BadDate,
    BadIdentifier,
    BadName,
    BadPhone,
    BadReason,
    ClassNotFound,
    IdentifierTaken,
    NotHere,
    NumberDiffers,
    StudentElsewhere,
    StudentNotFound,
)
from app.people.students.queries import Stay, StudentPage

#: Where a refusal is shown: the first of these fields that the form has; else above the form.
_PLACES: dict[type[DomainError], tuple[str, ...]] = {
    BadName: ("full_name",),
    BadDate: ("from_day", "on", "last_day", "starts_on"),
    BadIdentifier: ("pin",),
    IdentifierTaken: ("pin",),
    NumberDiffers: ("pin",),
    BadPhone: ("phone",),
    BadAddress: ("address",),
    BadReason: ("note", "reason"),
    BadClass: ("class_id", "class_name", "names"),
    ClassNotFound: ("class_id", "class_name"),
    AlreadyEnrolled: ("starts_on",),
}


@dataclass(frozen=True, slots=True)
class AtDesk:
    """A child of this school that may be worked on."""

    school_id: int
    child: StudentPage
    stay: Stay


def open_child(code: str) -> AtDesk:
    """A child that is or was at this school; else StudentNotFound."""
    school_id = own_school()
    child = queries.get_student(code, clock.today())
    stay = child.stay_at(school_id)
    if stay is None:
        raise StudentNotFound
    return AtDesk(school_id, child, stay)


def open_for_change(code: str) -> AtDesk:
    """A child whose identity and family this school looks after; else StudentElsewhere."""
    desk = open_child(code)
    if not known.may_change(desk.school_id, desk.child.id, clock.today()):
        raise StudentElsewhere
    return desk


def open_here(code: str) -> AtDesk:
    """A child that has not left; else NotHere."""
    desk = open_child(code)
    if desk.stay.ends_on is not None and desk.stay.ends_on <= clock.today():
        raise NotHere
    return desk


def show_refusal(form: Form, refusal: DomainError) -> None:
    """Put a refusal beside the field it is about."""
    for name in _PLACES.get(type(refusal), ()):
        if name in form:
            form[name].errors = [refusal.message]
            return
    form.form_errors.append(refusal.message)
