"""Writing the audit trail: called by every service in the transaction of its deed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.audit.models import AuditRow
from app.core.bulk import write_rows
from app.core.db import share_school


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a role, or a named machine."""

    name: str
    role: str
    user_id: int | None = None


MACHINE = Actor("máy", "system")


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done; `subject` and `cause` are written `kind:id`."""

    action: str
    subject: str
    cause: str = ""


def record(
    action: str,
    subject: str,
    *,
    actor: Actor,
    school_id: int | None,
    now: datetime,
    cause: str = "",
) -> None:
    """Append one deed to the trail. The caller commits."""
    record_many([Deed(action, subject, cause)], actor=actor, school_id=school_id, now=now)


def record_many(
    deeds: Sequence[Deed], *, actor: Actor, school_id: int | None, now: datetime
) -> None:
    """Append many deeds of one actor at one moment. The caller commits."""
    if not deeds:
        return
    # The sealer must not meet a lower row that is still uncommitted; 0 is the area's chain.
    share_school(school_id or 0)
    write_rows(
        AuditRow,
        [
            {
                "school_id": school_id,
                "at": now,
                "actor": actor.name,
                "role": actor.role,
                "action": deed.action,
                "subject": deed.subject,
                "cause": deed.cause[:400],
            }
            for deed in deeds
        ],
    )
