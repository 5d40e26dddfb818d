"""Who a child is: names, birth dates, sexes and numbers corrected, with what stood there before.

Each change of a proved identity unproves it (facts 3.4 of the field: a matched child that is edited
has to be sent again).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, insert, update

from app import audit
from app.core.db import DAY, dialect, execute, in_chunks, rows
from app.core.model import db
from app.core.text import fold, name_sort_key, nfc
from app.people.students.errors import (
    BadDate,
    BadIdentifier,
    BadName,
    BadReason,
    IdentifierTaken,
    NumberKnown,
    StudentNotFound,
)
from app.people.students.models import (
    IdentityChange,
    IdentityField,
    NoNumber,
    Origin,
    Scheme,
    Sex,
    Student,
    StudentIdentifier,
    Verification,
)
from app.people.students.search import index_words

#: The fields of the row itself; the others are numbers in rows of their own.
OWN = (IdentityField.FULL_NAME, IdentityField.BIRTH_DATE, IdentityField.SEX)
#: What the population database compares.
PROVED = (*OWN, IdentityField.PIN)


@dataclass(frozen=True, slots=True)
class Correction:
    """One field of one child set right: a name, a day or a `Sex`."""

    student_id: int
    field: IdentityField
    value: str | date | Sex


@dataclass(frozen=True, slots=True)
class NewIdentifier:
    """A number of a child from a day on; `source` says where it was read."""

    student_id: int
    scheme: Scheme
    value: str
    source: str
    from_day: date


def lock_identities() -> None:
    """Hold the area's one door for new children and numbers until the commit.

    Numbers are unique in the area over rows that are still valid, which no constraint of one row
    can say. SQLite has one writer anyway.
    """
    if dialect() == "postgresql":
        execute("select pg_advisory_xact_lock(738, 0)")


def correct_many(
    corrections: Sequence[Correction],
    *,
    origin: Origin,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    school_id: int | None,
) -> int:
    """Set names, birth dates and sexes right; how many fields really changed.

    Refuses an empty or long name, a birth date in the future, a field that is a number (those go
    through `record_identifiers`), and a missing reason. The caller has checked that the children
    may be changed from this school, and commits.
    """
    _check_reason(reason)
    for given in corrections:
        _check_correction(given, now)
    lock_identities()
    known = _own_fields({given.student_id for given in corrections})
    wanted: dict[tuple[int, IdentityField], Any] = {}
    for given in corrections:
        if given.student_id not in known:
            raise StudentNotFound
        wanted[given.student_id, given.field] = _clean(given)
    changes = [
        (student_id, field, known[student_id][field], value)
        for (student_id, field), value in wanted.items()
        if known[student_id][field] != value
    ]
    for field in OWN:
        _set_field(field, [(s, value) for s, f, _old, value in changes if f is field])
    index_words(s for s, f, _old, _new in changes if f is IdentityField.FULL_NAME)
    _keep_history(
        [(s, f, _written(old), _written(new)) for s, f, old, new in changes],
        origin=origin,
        reason=reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )
    return len(changes)


def record_identifiers(
    values: Sequence[NewIdentifier],
    *,
    origin: Origin,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    school_id: int | None,
) -> int:
    """Give children numbers; the one before under the same scheme ends that day. How many changed.

    Refuses a personal number that has not 12 digits or is another child's, and numbers without
    text. A number the child has already is left alone. The caller commits.
    """
    _check_reason(reason)
    for given in values:
        check_identifier(given.scheme, given.value)
    lock_identities()
    _refuse_taken(values)
    old = _valid_identifiers({given.student_id for given in values})
    wanted = {(given.student_id, given.scheme): given for given in values}
    fresh = {
        key: given
        for key, given in wanted.items()
        if key not in old or old[key].value != given.value
    }
    if not fresh:
        return 0
    ending = [
        {"row": old[key].id, "day": max(given.from_day, old[key].valid_from)}
        for key, given in fresh.items()
        if key in old
    ]
    if ending:
        table = StudentIdentifier.__table__
        db.session.connection().execute(
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("row"))
            .values(valid_to=bindparam("day")),
            ending,
        )
    db.session.execute(
        insert(StudentIdentifier),
        [
            {
                "student_id": given.student_id,
                "scheme": given.scheme,
                "value": given.value,
                "source": given.source[:60],
                "valid_from": max(given.from_day, old[key].valid_from)
                if key in old
                else given.from_day,
            }
            for key, given in fresh.items()
        ],
    )
    settle_verification({student_id for student_id, _scheme in fresh})
    _keep_history(
        [
            (student_id, IdentityField(scheme), old[key].value if key in old else None, given.value)
            for key, given in fresh.items()
            for student_id, scheme in (key,)
        ],
        origin=origin,
        reason=reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )
    return len(fresh)


def end_identifier(
    student_id: int,
    scheme: Scheme,
    *,
    on: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    school_id: int | None,
    origin: Origin = Origin.HAND,
) -> None:
    """A number of a child no longer holds from a day on: it was cancelled, or was never his.

    Refuses a child without such a number. The caller commits.
    """
    _check_reason(reason)
    lock_identities()
    old = _valid_identifiers({student_id}).get((student_id, scheme))
    if old is None:
        raise BadIdentifier(_("The pupil has no such number."))
    execute(
        "update student_identifiers set valid_to = :day where id = :id",
        id=old.id,
        day=max(on, old.valid_from),
    )
    settle_verification({student_id})
    _keep_history(
        [(student_id, IdentityField(scheme), old.value, None)],
        origin=origin,
        reason=reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )


def explain_missing_number(
    student_id: int,
    why: NoNumber,
    *,
    actor: audit.Actor,
    now: datetime,
    school_id: int | None,
) -> None:
    """Say why a child has no personal number. Refuses a child who has one. The caller commits."""
    lock_identities()
    if (student_id, Scheme.PIN) in _valid_identifiers({student_id}):
        raise NumberKnown
    changed = execute(
        "update students set no_number_reason = :why where id = :id", id=student_id, why=why.value
    )
    if not changed.rowcount:
        raise StudentNotFound
    audit.record(
        "student.explain_missing_number",
        f"student:{student_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=why.value,
    )


def hand_made(student_ids: Iterable[int]) -> set[tuple[int, IdentityField]]:
    """The fields of these children whose newest change was made by a person's hand."""
    found: set[tuple[int, IdentityField]] = set()
    for chunk in in_chunks(student_ids):
        found |= {
            (change.student_id, IdentityField(change.field))
            for change in rows(
                "select c.student_id, c.field from identity_changes c"
                " where c.student_id in :ids and c.origin = 'hand' and c.id ="
                " (select max(x.id) from identity_changes x"
                "  where x.student_id = c.student_id and x.field = c.field)",
                ids=chunk,
            )
        }
    return found


def settle_verification(student_ids: Iterable[int]) -> None:
    """Bring the state of these children in line with whether they have a personal number.

    A changed number is unproved by its history row; here only having and lacking one is settled.
    """
    has = (
        "exists (select 1 from student_identifiers n where n.student_id = students.id"
        " and n.scheme = 'pin' and n.valid_to is null)"
    )
    for chunk in in_chunks(student_ids):
        execute(
            f"update students set verification = case when {has} then 'CHUA_GUI'"
            f" else 'CHUA_CO_SO' end,"
            f" no_number_reason = case when {has} then null else no_number_reason end"
            f" where id in :ids and (case when {has} then 1 else 0 end)"
            " <> (case when verification = 'CHUA_CO_SO' then 0 else 1 end)",
            ids=chunk,
        )


def check_identifier(scheme: Scheme, value: str) -> None:
    """Refuse a number that cannot be one of its scheme: only what the law settles is checked."""
    if scheme is Scheme.PIN and not re.fullmatch(r"[0-9]{12}", value):
        raise BadIdentifier(_("A personal number has 12 digits."))
    if not 1 <= len(value) <= 24 or value != value.strip():
        raise BadIdentifier(_("Enter a number of 1 to 24 signs."))


def _check_reason(reason: str) -> None:
    if not 1 <= len(reason.strip()) <= 200:
        raise BadReason(_("Give the reason in at most 200 letters."))


def _check_correction(given: Correction, now: datetime) -> None:
    if given.field not in OWN:
        raise ValueError(f"{given.field} is a number")
    if given.field is IdentityField.FULL_NAME and not 1 <= len(_clean(given)) <= 120:
        raise BadName
    if given.field is IdentityField.BIRTH_DATE:
        if not isinstance(given.value, date):
            raise TypeError("a birth date is a day")
        if not given.value.year >= 1900 or given.value > now.date():
            raise BadDate(_("Check the birth date."))


def _clean(given: Correction) -> Any:
    if given.field is IdentityField.FULL_NAME:
        return " ".join(nfc(str(given.value)).split())
    return Sex(str(given.value)) if given.field is IdentityField.SEX else given.value


def _written(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _own_fields(student_ids: set[int]) -> dict[int, dict[IdentityField, Any]]:
    known = {}
    for chunk in in_chunks(student_ids):
        for found in rows(
            "select id, full_name, birth_date, sex from students"
            " where anonymised_at is null and id in :ids",
            types={"birth_date": DAY},
            ids=chunk,
        ):
            known[found.id] = {
                IdentityField.FULL_NAME: found.full_name,
                IdentityField.BIRTH_DATE: found.birth_date,
                IdentityField.SEX: Sex(found.sex),
            }
    return known


def _set_field(field: IdentityField, values: list[tuple[int, Any]]) -> None:
    if not values:
        return
    table = Student.__table__
    change: dict[str, Any] = {field.value: bindparam("value")}
    rows_changed = [{"row": student_id, "value": value} for student_id, value in values]
    if field is IdentityField.FULL_NAME:
        change |= {"search_key": bindparam("search"), "sort_key": bindparam("sort")}
        for changed in rows_changed:
            changed["search"] = fold(changed["value"])
            changed["sort"] = name_sort_key(changed["value"])[:400]
    db.session.connection().execute(
        update(table).where(table.c.id == bindparam("row")).values(change),  # type: ignore[arg-type]
        rows_changed,
    )


def _valid_identifiers(student_ids: set[int]) -> dict[tuple[int, Scheme], Any]:
    return {
        (found.student_id, Scheme(found.scheme)): found
        for chunk in in_chunks(student_ids)
        for found in rows(
            "select id, student_id, scheme, value, valid_from from student_identifiers"
            " where valid_to is null and student_id in :ids order by id",
            types={"valid_from": DAY},
            ids=chunk,
        )
    }


def _refuse_taken(values: Sequence[NewIdentifier]) -> None:
    owners: dict[str, int] = {}
    for given in values:
        if given.scheme is Scheme.PIN and owners.setdefault(given.value, given.student_id) != (
            given.student_id
        ):
            raise IdentifierTaken(_("The same personal number stands beside two pupils."))
    for chunk in in_chunks(owners):
        for found in rows(
            "select value, student_id from student_identifiers where scheme = 'pin'"
            " and valid_to is null and value in :pins",
            pins=chunk,
        ):
            if owners[found.value] != found.student_id:
                # Which child has it is not said: the asker may not be allowed to know of him.
                raise IdentifierTaken(
                    _("This personal number is already recorded for another pupil.")
                )


def _keep_history(
    changes: list[tuple[int, IdentityField, str | None, str | None]],
    *,
    origin: Origin,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    school_id: int | None,
) -> None:
    """Write what changed, unprove the proved, and tell the audit trail."""
    if not changes:
        return
    db.session.execute(
        insert(IdentityChange),
        [
            {
                "student_id": student_id,
                "school_id": school_id,
                "field": field,
                "old_value": old,
                "new_value": new,
                "origin": origin,
                "reason": reason.strip(),
                "actor": actor.name,
                "at": now,
            }
            for student_id, field, old, new in changes
        ],
    )
    for chunk in in_chunks(s for s, field, _old, _new in changes if field in PROVED):
        # Whatever was answered or is being asked was about the old values.
        execute(
            "update students set verification = :unsent where id in :ids and verification <> :none",
            unsent=Verification.NOT_SENT.value,
            none=Verification.NO_NUMBER.value,
            ids=chunk,
        )
    audit.record_many(
        [
            audit.Deed("student.correct", f"student:{student_id}", f"{field.value}: {reason}"[:400])
            for student_id, field, _old, _new in changes
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
