"""Who the members of staff of a school are by their papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import execute, row, rows, scalar
from app.core.model import db
from app.core.text import name_sort_key, nfc
from app.people.students import IdentityField, Scheme, Sex, Verification
from app.people.students.errors import BadDate, BadName
from app.people.students.identity import check_identifier, lock_identities
from app.people.verification.errors import PersonNotFound, StaffNumberTaken
from app.people.verification.models import StaffIdentifier, StaffIdentity, StaffScheme
from app.people.verification.subjects import STAFF, present_of


@dataclass(frozen=True, slots=True)
class _Known:
    full_name: str
    birth_date: date | None
    sex: str | None
    pin: str
    moet: str


def save_staff(
    school_id: int,
    user_id: int,
    *,
    full_name: str,
    birth_date: date,
    sex: Sex,
    pin: str = "",
    moet: str = "",
    actor: audit.Actor,
    now: datetime,
) -> bool:
    """Write down who a member of staff is; whether anything changed.

    A change of what is compared unproves it. Refuses people of other schools, a number that has
    not 12 digits or is another's, and impossible names and days. The caller commits.
    """
    lock_identities()
    today = clock.local_day(now)
    here = scalar(
        f"select count(*) from ({STAFF.here}) h where h.user_id = :user",
        school_id=school_id,
        today=today,
        user=user_id,
    )
    if not here:
        raise PersonNotFound
    name = " ".join(nfc(full_name).split())
    if not 1 <= len(name) <= 120:
        raise BadName
    if not birth_date.year >= 1900 or birth_date > today:
        raise BadDate(_("Check the birth date."))
    if pin:
        check_identifier(Scheme.PIN, pin)
    if moet:
        check_identifier(Scheme.MOET, moet)
    before = known(user_id)
    after = _Known(name, birth_date, sex.value, pin, moet)
    if before == after:
        return False
    _write(user_id, before, after, today, source=_("seen by %(name)s", name=actor.name))
    changed = [
        field
        for field in _Known.__dataclass_fields__
        if getattr(before, field) != getattr(after, field)
    ]
    audit.record(
        "staff.correct",
        f"user:{user_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=", ".join(changed),
    )
    return True


def known(user_id: int) -> Any:
    """What is written down of a member of staff: name, birth date, sex, pin, moet."""
    person = present_of(STAFF, [user_id]).get(user_id)
    if person is None:
        raise PersonNotFound
    moet = row(
        "select value from staff_identifiers where user_id = :user and scheme = 'moet'"
        " and valid_to is null",
        user=user_id,
    )
    return _Known(
        person.full_name,
        person.birth_date,
        person.sex,
        person.pin or "",
        moet.value if moet else "",
    )


def correct_staff(
    values: Sequence[tuple[int, IdentityField, Any]],
    *,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    school_id: int,
) -> None:
    """Set names, birth dates, sexes and numbers of staff right. The caller checked whose."""
    for user_id in dict.fromkeys(user for user, _field, _value in values):
        before = known(user_id)
        mine = {field: value for user, field, value in values if user == user_id}
        after = _Known(
            mine.get(IdentityField.FULL_NAME, before.full_name),
            mine.get(IdentityField.BIRTH_DATE, before.birth_date),
            str(mine.get(IdentityField.SEX, before.sex)),
            mine.get(IdentityField.PIN, before.pin),
            before.moet,
        )
        _write(user_id, before, after, clock.local_day(now), source=reason)
        audit.record(
            "staff.correct",
            f"user:{user_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=f"{', '.join(field.value for field in mine)}: {reason}",
        )


def _write(user_id: int, before: _Known, after: _Known, today: date, *, source: str) -> None:
    for scheme, old, new in (
        (StaffScheme.PIN, before.pin, after.pin),
        (StaffScheme.MOET, before.moet, after.moet),
    ):
        if old != new:
            _write_number(user_id, scheme, new, today, source)
    compared = [(before.full_name, after.full_name), (before.birth_date, after.birth_date)]
    compared += [(before.sex, after.sex), (before.pin, after.pin)]
    is_changed = any(old != new for old, new in compared)
    sort_key = name_sort_key(after.full_name)[:400]
    state = Verification.NOT_SENT if after.pin else Verification.NO_NUMBER
    changed = execute(
        "update staff_identities set full_name = :name, sort_key = :sort, birth_date = :born,"
        " sex = :sex, revision = revision + :step,"
        " verification = case when :step = 1 then :state else verification end"
        " where user_id = :user",
        user=user_id,
        step=1 if is_changed else 0,
        state=state.value,
        name=after.full_name,
        sort=sort_key,
        born=after.birth_date,
        sex=after.sex,
    )
    if not changed.rowcount:
        db.session.execute(
            insert(StaffIdentity).values(
                user_id=user_id,
                full_name=after.full_name,
                sort_key=sort_key,
                birth_date=after.birth_date,
                sex=after.sex,
                verification=state,
                revision=1,
            )
        )


def _write_number(user_id: int, scheme: StaffScheme, value: str, today: date, source: str) -> None:
    if value and scheme is StaffScheme.PIN:
        taken = rows(
            "select user_id from staff_identifiers where scheme = 'pin' and valid_to is null"
            " and value = :value and user_id <> :user",
            value=value,
            user=user_id,
        )
        if taken:
            raise StaffNumberTaken
    execute(
        "update staff_identifiers set valid_to = :today where user_id = :user"
        " and scheme = :scheme and valid_to is null",
        today=today,
        user=user_id,
        scheme=scheme.value,
    )
    if value:
        db.session.execute(
            insert(StaffIdentifier).values(
                user_id=user_id,
                scheme=scheme,
                value=value,
                source=source[:60],
                valid_from=today,
            )
        )
