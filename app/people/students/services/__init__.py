"""Every write about children, their families, classes and stays, by noun."""

from __future__ import annotations

from app.people.students.services.activation import activation_hash, issue_activation_code
from app.people.students.services.admitting import IdentityEdit, admit, edit_identity
from app.people.students.services.classes import GRADES, move_class, open_classes, place_many
from app.people.students.services.enrolling import Enrolled, NewStudent, enrol_many
from app.people.students.services.families import (
    GuardianChange,
    NewGuardian,
    add_guardian,
    change_guardian,
    end_guardianship,
    make_primary,
)
from app.people.students.services.forgetting import NOBODY, forget
from app.people.students.services.numbers import reveal_identifier
from app.people.students.services.stays import end_enrolment

__all__ = [
    "GRADES",
    "NOBODY",
    "Enrolled",
    "GuardianChange",
    "IdentityEdit",
    "NewGuardian",
    "NewStudent",
    "activation_hash",
    "add_guardian",
    "admit",
    "change_guardian",
    "edit_identity",
    "end_enrolment",
    "end_guardianship",
    "enrol_many",
    "forget",
    "issue_activation_code",
    "make_primary",
    "move_class",
    "open_classes",
    "place_many",
    "reveal_identifier",
]
