"""Admitting one child from the office's form, and setting one child's identity right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.core.db import rows
from app.people.students.errors import NumberDiffers
from app.people.students.identity import (
    Correction,
    NewIdentifier,
    correct_many,
    explain_missing_number,
    record_identifiers,
)
from app.people.students.models import IdentityField, NoNumber, Origin, Scheme, Sex
from app.people.students.services.enrolling import Enrolled, NewStudent, enrol_many


@dataclass(frozen=True, slots=True)
class IdentityEdit:
    """A child as it shall be called; `numbers` are only those that are new or other than before."""

    full_name: str
    birth_date: date
    sex: Sex
    numbers: tuple[tuple[Scheme, str], ...]
    #: where the numbers were read
    source: str
    #: the day the numbers hold from
    from_day: date
    reason: str
    no_number: NoNumber | None = None


def admit(
    school_id: int,
    child: NewStudent,
    *,
    no_number: NoNumber | None,
    actor: audit.Actor,
    now: datetime,
) -> Enrolled:
    """Admit one child, new or known, with its numbers or the reason why it has no personal one.

    A known child keeps name and sex as recorded. Refuses what `enrol_many` refuses, and another
    number than a known child has. The caller commits.
    """
    numbers = child.identifiers
    if child.student_id is not None:
        # Numbers of a known child keep their history, so they go through the other door.
        child = replace(child, identifiers=())
    made = enrol_many(school_id, [child], actor=actor, now=now)[0]
    if child.student_id is not None:
        _add_missing_numbers(school_id, child, numbers, actor=actor, now=now)
    has_pin = any(scheme is Scheme.PIN for scheme, _value, _source in numbers)
    if no_number is not None and not has_pin and not _numbers_of(made.student_id, Scheme.PIN):
        explain_missing_number(
            made.student_id, no_number, actor=actor, now=now, school_id=school_id
        )
    return made


def edit_identity(
    school_id: int,
    student_id: int,
    edit: IdentityEdit,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Set a child's name, birth date, sex and numbers right by hand; how many fields changed.

    Refuses what `correct_many` and `record_identifiers` refuse. The caller has checked that the
    child may be changed from this school, and commits.
    """
    changed = correct_many(
        [
            Correction(student_id, IdentityField.FULL_NAME, edit.full_name),
            Correction(student_id, IdentityField.BIRTH_DATE, edit.birth_date),
            Correction(student_id, IdentityField.SEX, edit.sex),
        ],
        origin=Origin.HAND,
        reason=edit.reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )
    changed += record_identifiers(
        [
            NewIdentifier(student_id, scheme, value, edit.source, edit.from_day)
            for scheme, value in edit.numbers
        ],
        origin=Origin.HAND,
        reason=edit.reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )
    if edit.no_number is not None:
        explain_missing_number(
            student_id, edit.no_number, actor=actor, now=now, school_id=school_id
        )
        changed += 1
    return changed


def _add_missing_numbers(
    school_id: int,
    child: NewStudent,
    numbers: tuple[tuple[Scheme, str, str], ...],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    if child.student_id is None or not numbers:
        return
    for scheme, value, _source in numbers:
        if any(known != value for known in _numbers_of(child.student_id, scheme)):
            raise NumberDiffers(
                _(
                    "Another number is recorded for this child already. Admit it without the"
                    " number, then compare on the pupil's page."
                )
            )
    record_identifiers(
        [
            NewIdentifier(child.student_id, scheme, value, source, child.starts_on)
            for scheme, value, source in numbers
        ],
        origin=Origin.HAND,
        reason=_("read at admission"),
        actor=actor,
        now=now,
        school_id=school_id,
    )


def _numbers_of(student_id: int, scheme: Scheme) -> list[str]:
    return [
        found.value
        for found in rows(
            "select value from student_identifiers where student_id = :student"
            " and scheme = :scheme and valid_to is null",
            student=student_id,
            scheme=scheme.value,
        )
    ]
