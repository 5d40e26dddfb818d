"""Children with one code for life, their families, their stays at schools and their classes.

Refuses to know money; whatever a page shows of it is handed in by the rooms above.
"""

from __future__ import annotations

from app.people.students.identity import (
    Correction,
    NewIdentifier,
    correct_many,
    end_identifier,
    explain_missing_number,
    hand_made,
    record_identifiers,
    settle_verification,
)
from app.people.students.merged import children_behind, rows_of
from app.people.students.models import (
    IdentityField,
    NoNumber,
    Origin,
    Scheme,
    Sex,
    Verification,
)
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
    "Correction",
    "Enrolled",
    "IdentityField",
    "NewGuardian",
    "NewIdentifier",
    "NewStudent",
    "NoNumber",
    "Origin",
    "Scheme",
    "Sex",
    "Verification",
    "children_behind",
    "correct_many",
    "end_enrolment",
    "end_identifier",
    "enrol_many",
    "explain_missing_number",
    "hand_made",
    "issue_activation_code",
    "move_class",
    "open_classes",
    "record_identifiers",
    "rows_of",
    "settle_verification",
]
