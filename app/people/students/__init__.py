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
    NOBODY,
    Enrolled,
    GuardianChange,
    IdentityEdit,
    NewGuardian,
    NewStudent,
    add_guardian,
    admit,
    change_guardian,
    edit_identity,
    end_enrolment,
    end_guardianship,
    enrol_many,
    forget,
    issue_activation_code,
    make_primary,
    move_class,
    open_classes,
    place_many,
)

__all__ = [
    "NOBODY",
    "Correction",
    "Enrolled",
    "GuardianChange",
    "IdentityEdit",
    "IdentityField",
    "NewGuardian",
    "NewIdentifier",
    "NewStudent",
    "NoNumber",
    "Origin",
    "Scheme",
    "Sex",
    "Verification",
    "add_guardian",
    "admit",
    "change_guardian",
    "children_behind",
    "correct_many",
    "edit_identity",
    "end_enrolment",
    "end_guardianship",
    "end_identifier",
    "enrol_many",
    "explain_missing_number",
    "forget",
    "hand_made",
    "issue_activation_code",
    "make_primary",
    "move_class",
    "open_classes",
    "place_many",
    "record_identifiers",
    "rows_of",
    "settle_verification",
]
