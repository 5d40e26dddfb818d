"""Guardians, what ties them to children, and the codes by which they open their accounts."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.db import execute, in_chunks, rows, scalar
from app.core.ids import ALPHABET, fold_slips
from app.core.text import fold, nfc, normal_phone
from app.people.students.errors import BadPhone, GuardianNotFound
from app.people.students.models import ActivationCode, Guardian, Guardianship
from app.people.students.services.rows import insert_many

#: Twelve signs of thirty-one are 59 bits.
ACTIVATION_CODE_LENGTH = 12
ACTIVATION_CODE_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewGuardian:
    """A guardian as the school's list names him; found again by phone and name, else made."""

    full_name: str
    phone: str | None
    relation: str
    address: str | None = None


def mobile(written: str) -> str:
    phone = normal_phone(written)
    if phone is None or len(phone) != 10:
        raise BadPhone(
            _("%(phone)s is not a mobile number. Enter ten digits, as 0905123456.", phone=written)
        )
    return phone


def tie_guardians(
    families: Sequence[tuple[int, date, Sequence[NewGuardian]]], known: Collection[int]
) -> None:
    """Find or make the guardians of children and tie them from a day on; the first is primary.

    `families` holds the child, the day and the guardians; `known` are the children among them who
    may have guardians already.
    """
    phones = {mobile(g.phone) for _child, _day, named in families for g in named if g.phone}
    there: dict[tuple[str, str], int] = {
        (found.phone, found.search_key): found.id
        for chunk in in_chunks(sorted(phones))
        for found in rows(
            "select id, phone, search_key from guardians where phone in :phones order by id desc",
            phones=chunk,
        )
    }
    fresh: list[dict[str, Any]] = []
    #: place in `fresh` by phone and name, so that siblings in one list share their parents
    places: dict[tuple[str, str], int] = {}
    ties: list[tuple[int, NewGuardian, date, int | None, int | None, bool]] = []
    for student_id, starts_on, named in families:
        for number, guardian in enumerate(named):
            name = " ".join(nfc(guardian.full_name).split())
            phone = mobile(guardian.phone) if guardian.phone else None
            key = (phone, fold(name)) if phone else None
            guardian_id = there.get(key) if key else None
            place = places.get(key) if key else None
            if guardian_id is None and place is None:
                place = len(fresh)
                if key:
                    places[key] = place
                fresh.append(
                    {
                        "full_name": name,
                        "search_key": fold(name),
                        "phone": phone,
                        "address": guardian.address,
                    }
                )
            ties.append((student_id, guardian, starts_on, guardian_id, place, number == 0))
    made = insert_many(Guardian, fresh)
    tied = {
        (found.student_id, found.guardian_id)
        for chunk in in_chunks(known)
        for found in rows(
            "select student_id, guardian_id from guardianships"
            " where ends_on is null and student_id in :ids",
            ids=chunk,
        )
    }
    has_some = {student_id for student_id, _guardian in tied}
    values = []
    for student_id, guardian, starts_on, guardian_id, place, is_first in ties:
        found_id = guardian_id if guardian_id is not None else made[place or 0]
        if (student_id, found_id) in tied:
            continue
        tied.add((student_id, found_id))
        values.append(
            {
                "student_id": student_id,
                "guardian_id": found_id,
                "relation": guardian.relation[:16],
                "is_primary": is_first and student_id not in has_some,
                "starts_on": starts_on,
            }
        )
    insert_many(Guardianship, values)


def issue_activation_code(
    guardian_id: int,
    *,
    now: datetime,
    rng: random.Random | None = None,
    actor: audit.Actor = audit.MACHINE,
    school_id: int | None = None,
) -> str:
    """A one-use code of 59 random bits for the paper notice, good for 30 days.

    Only its hash is kept; earlier unused codes of the guardian stop working. The caller commits.
    """
    if not scalar("select count(*) from guardians where id = :id", id=guardian_id):
        raise GuardianNotFound
    execute(
        "update activation_codes set expires_at = :now where guardian_id = :id"
        " and used_at is null and expires_at > :now",
        id=guardian_id,
        now=now,
    )
    drawn = (rng or secrets.SystemRandom()).choices(ALPHABET, k=ACTIVATION_CODE_LENGTH)
    code = "".join(drawn)
    made = insert_many(
        ActivationCode,
        [
            {
                "guardian_id": guardian_id,
                "code_hash": activation_hash(code),
                "expires_at": now + ACTIVATION_CODE_LIFE,
            }
        ],
    )[0]
    audit.record(
        "guardian.issue_code",
        f"activation_code:{made}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"guardian:{guardian_id}",
    )
    return code


def activation_hash(written: str) -> str:
    """The stored form of an activation code, however a person wrote it."""
    squeezed = re.sub(r"[^0-9A-Z]", "", fold_slips(written))
    return hashlib.sha256(squeezed.encode()).hexdigest()
