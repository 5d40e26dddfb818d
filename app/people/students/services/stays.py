"""Ending a stay. A stay is never otherwise changed; a return is a new one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.db import DAY, execute, for_update, in_chunks, rows
from app.people.students.errors import BadDate, BadReason, EnrolmentEnded, EnrolmentNotFound


def end_enrolment(
    school_id: int,
    enrolment_id: int,
    *,
    ends_on: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    note: str = "",
) -> None:
    """End a stay; `ends_on` is the first day the child no longer belongs to the school.

    `note` is what a person added to the reason, at most 200 letters; the trail keeps it. Refuses a
    stay that ended before, a day not after its start, and an empty reason. Locks the stay. The
    caller commits.
    """
    stay = _open_stay(school_id, enrolment_id)
    if ends_on <= stay.starts_on:
        raise BadDate(_("The last day cannot lie before the first day at the school."))
    if not 1 <= len(reason.strip()) <= 24:
        raise BadReason(_("Give the reason in at most 24 letters."))
    if len(note.strip()) > 200:
        raise BadReason(_("Give the reason in at most 200 letters."))
    execute(
        "update enrolments set ends_on = :day, end_reason = :reason"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
        reason=reason.strip(),
    )
    execute(
        "delete from placements where school_id = :school_id and enrolment_id = :id"
        " and starts_on >= :day",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
    )
    execute(
        "update placements set ends_on = :day where school_id = :school_id and enrolment_id = :id"
        " and (ends_on is null or ends_on > :day)",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
    )
    audit.record(
        "student.leave",
        f"enrolment:{enrolment_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{reason.strip()}: {note.strip()}" if note.strip() else reason.strip(),
    )


def lock_stays(school_id: int, enrolment_ids: Iterable[int]) -> dict[int, Any]:
    """The stays of this school among those asked for, locked in one order."""
    return {
        stay.id: stay
        for chunk in in_chunks(sorted(enrolment_ids))
        for stay in rows(
            "select id, student_id, starts_on, ends_on from enrolments"
            f" where school_id = :school_id and id in :ids order by id{for_update()}",
            types={"starts_on": DAY, "ends_on": DAY},
            school_id=school_id,
            ids=chunk,
        )
    }


def _open_stay(school_id: int, enrolment_id: int) -> Any:
    stay = lock_stays(school_id, [enrolment_id]).get(enrolment_id)
    if stay is None:
        raise EnrolmentNotFound
    if stay.ends_on is not None:
        raise EnrolmentEnded
    return stay
