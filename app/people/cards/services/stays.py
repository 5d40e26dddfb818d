"""The stays that cards, photos and consents hang on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from app.core.db import DAY, dialect, execute, in_chunks, rows
from app.people.cards.errors import CardNotFound, NotHere


def hold(school_id: int) -> None:
    """Hold the school's cards until the commit: numbers run, and one card a stay is live."""
    if dialect() == "postgresql":
        execute("select pg_advisory_xact_lock(739, :key)", key=school_id)


def open_stays(school_id: int, enrolment_ids: Iterable[int], today: date) -> dict[int, Any]:
    """Stays of the school that have not ended, by number; refuses any other."""
    wanted = list(dict.fromkeys(enrolment_ids))
    found = {
        stay.id: stay
        for chunk in in_chunks(wanted)
        for stay in rows(
            "select e.id, e.student_id, e.ends_on, s.full_name, s.birth_date from enrolments e"
            " join students s on s.id = e.student_id"
            " where e.school_id = :school_id and e.id in :ids",
            types={"ends_on": DAY, "birth_date": DAY},
            school_id=school_id,
            ids=chunk,
        )
    }
    if len(found) < len(wanted):
        raise CardNotFound
    if any(stay.ends_on is not None and stay.ends_on <= today for stay in found.values()):
        raise NotHere
    return found
