"""What must always be true of cards, photos and consents."""

from __future__ import annotations

import hashlib

from app.core.db import rows
from app.core.invariant import Invariant, query
from app.people.cards.pictures import MAX_STORED


def _photos() -> list[str]:
    # One by one: all photos of an area at once are a gigabyte.
    broken = []
    for known in rows("select id from student_photos"):
        for photo in rows("select picture, sha256 from student_photos where id = :id", id=known.id):
            picture = bytes(photo.picture)
            is_ours = picture.startswith(b"\xff\xd8\xff") and len(picture) <= MAX_STORED
            if not is_ours or hashlib.sha256(picture).hexdigest() != photo.sha256:
                broken.append(f"student_photo={known.id}")
    return broken[:20]


INVARIANTS = [
    query(
        "C1",
        "a stay has at most one live card",
        "select school_id, enrolment_id, count(*) as cards from cards where ended_at is null"
        " group by school_id, enrolment_id having count(*) > 1",
    ),
    query(
        "C2",
        "no photo is kept without a guardian's consent that stands",
        "select f.school_id, f.enrolment_id from student_photos f where not exists"
        " (select 1 from photo_consents c where c.school_id = f.school_id"
        "  and c.enrolment_id = f.enrolment_id and c.party = 'guardian' and not exists"
        "  (select 1 from photo_withdrawals w where w.school_id = c.school_id"
        "   and w.consent_id = c.id))",
    ),
    query(
        "C3",
        "no photo is older than the last word of a child that took its consent back",
        "select f.school_id, f.enrolment_id from student_photos f join photo_consents c"
        " on c.school_id = f.school_id and c.enrolment_id = f.enrolment_id and c.party = 'child'"
        " join photo_withdrawals w on w.school_id = c.school_id and w.consent_id = c.id"
        " and w.recorded_at > f.added_at",
    ),
    query(
        "C4",
        "a consent is taken back on or after the day it was given",
        "select c.school_id, c.id as consent from photo_consents c join photo_withdrawals w"
        " on w.school_id = c.school_id and w.consent_id = c.id"
        " where w.withdrawn_on < c.given_on",
    ),
    Invariant("C5", "every photo is a small JPEG of ours and fits its digest", _photos),
    query(
        "C6",
        "a card that was printed says for which year",
        "select school_id, id as card from cards"
        " where (printed > 0) <> (printed_year_id is not null)",
    ),
]
