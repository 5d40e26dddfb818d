"""Looking at a child's whole number."""

from __future__ import annotations

from datetime import datetime

from app import audit
from app.core.db import scalar
from app.people.students.errors import StudentNotFound


def reveal_identifier(
    school_id: int, student_id: int, identifier_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """Write down that somebody looked at a child's whole number.

    Refuses a number of another child. The caller commits.
    """
    if not scalar(
        "select count(*) from student_identifiers where id = :id and student_id = :student",
        id=identifier_id,
        student=student_id,
    ):
        raise StudentNotFound
    audit.record(
        "student.reveal_identifier",
        f"student_identifier:{identifier_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"student:{student_id}",
    )
