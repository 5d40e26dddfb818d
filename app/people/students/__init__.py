"""Children with one code for life, their families, their stays at schools and their classes.

Refuses to know money; whatever a page shows of it is handed in by the rooms above.
"""

from __future__ import annotations

from app.people.students.models import Scheme, Sex
from app.people.students.services import (
    Enrolled,
    NewGuardian,
    NewStudent,
    end_enrolment,
    enrol_many,
    issue_activation_code,
    move_class,
    open_classes,
)

__all__ = [
    "Enrolled",
    "NewGuardian",
    "NewStudent",
    "Scheme",
    "Sex",
    "end_enrolment",
    "enrol_many",
    "issue_activation_code",
    "move_class",
    "open_classes",
]
