"""What was changed of a child's identity: which field, from what to what, when, by whom and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.core import formats
from app.core.db import MOMENT, rows
from app.people.students.models import IdentityField, Origin
from app.people.students.queries import masked


@dataclass(frozen=True, slots=True)
class Change:
    """One change; numbers are masked. `actor` is empty for staff of another school."""

    field: IdentityField
    old: str | None
    new: str | None
    origin: Origin
    reason: str
    actor: str
    at: datetime


def changes_of(student_id: int, school_id: int) -> list[Change]:
    """All changes of a child, newest first."""
    found = rows(
        "select field, old_value, new_value, origin, reason, actor, at, school_id as school"
        " from identity_changes where student_id = :student order by id desc",
        types={"at": MOMENT},
        student=student_id,
    )
    return [
        Change(
            field=IdentityField(change.field),
            old=_shown(IdentityField(change.field), change.old_value),
            new=_shown(IdentityField(change.field), change.new_value),
            origin=Origin(change.origin),
            reason=change.reason,
            actor=change.actor if change.school in (None, school_id) else "",
            at=change.at,
        )
        for change in found
    ]


def _shown(field: IdentityField, value: str | None) -> str | None:
    if value is None or field in (IdentityField.FULL_NAME, IdentityField.SEX):
        return value
    if field is IdentityField.BIRTH_DATE:
        return formats.day(date.fromisoformat(value))
    return masked(value)
