"""The codes on paper by which families open their accounts."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
from datetime import datetime, timedelta

from app import audit
from app.core.bulk import insert_rows
from app.core.db import execute, scalar
from app.core.ids import ALPHABET, fold_slips
from app.people.students.errors import GuardianNotFound
from app.people.students.models import ActivationCode

#: Twelve signs of thirty-one are 59 bits.
ACTIVATION_CODE_LENGTH = 12
ACTIVATION_CODE_LIFE = timedelta(days=30)


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
    made = insert_rows(
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
