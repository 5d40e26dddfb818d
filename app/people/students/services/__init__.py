"""Every write about children, their families, classes and stays, by noun."""

from __future__ import annotations

from app.people.students.services.classes import GRADES, move_class, open_classes
from app.people.students.services.enrolling import Enrolled, NewStudent, enrol_many
from app.people.students.services.families import (
    NewGuardian,
    activation_hash,
    issue_activation_code,
)
from app.people.students.services.numbers import reveal_identifier
from app.people.students.services.stays import end_enrolment

__all__ = [
    "GRADES",
    "Enrolled",
    "NewGuardian",
    "NewStudent",
    "activation_hash",
    "end_enrolment",
    "enrol_many",
    "issue_activation_code",
    "move_class",
    "open_classes",
    "reveal_identifier",
]
