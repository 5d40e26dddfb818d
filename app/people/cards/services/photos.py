"""Keeping a photo while consent holds, and letting go of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import execute, in_chunks, rows
from app.core.model import db
from app.people.cards.errors import BadConsent, CardNotFound, NoConsent
from app.people.cards.models import EndReason, StudentPhoto
from app.people.cards.queries import consented
from app.people.cards.services.stays import hold, open_stays

#: what nobody may see any more is deleted after so many days: a slip of the office can be mended
GRACE: Final = timedelta(days=30)
#: files of printed cards hold photos
FILE_LIFE: Final = timedelta(days=1)


def keep_photos(
    school_id: int,
    photos: Mapping[int, bytes],
    *,
    taken_on: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Keep photos by stay, made by `pictures.photo_of`, in place of the former ones.

    Refuses a stay that ended or without the consents its age asks for. The caller commits.
    """
    today = clock.local_day(now)
    if taken_on > today:
        raise BadConsent(_("The day of the photo lies in the future."))
    hold(school_id)
    stays = open_stays(school_id, photos, today)
    if consented(school_id, list(stays), today) != set(stays):
        raise NoConsent
    _delete(school_id, list(photos))
    statement = insert(StudentPhoto).returning(StudentPhoto.id, sort_by_parameter_order=True)
    made = db.session.scalars(
        statement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "picture": picture,
                "sha256": hashlib.sha256(picture).hexdigest(),
                "taken_on": taken_on,
                "added_by": actor.name,
                "added_at": now,
            }
            for enrolment_id, picture in photos.items()
        ],
    ).all()
    audit.record_many(
        [
            audit.Deed("photo.keep", f"student_photo:{photo_id}", f"enrolment:{enrolment_id}")
            for photo_id, enrolment_id in zip(made, photos, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )


def remove_photo(school_id: int, enrolment_id: int, *, actor: audit.Actor, now: datetime) -> None:
    """Delete the photo of a stay; the consent stays. Refuses where there is none.

    The caller commits.
    """
    hold(school_id)
    if not delete_photos(school_id, [enrolment_id], why="removed", actor=actor, now=now):
        raise CardNotFound


def delete_photos(
    school_id: int, enrolment_ids: Sequence[int], *, why: str, actor: audit.Actor, now: datetime
) -> int:
    """Delete photos and write down why; how many there were. The caller commits."""
    gone = _delete(school_id, enrolment_ids)
    if gone:
        # A file of printed cards may hold the photo too, and nobody knows which.
        execute(
            "update card_prints set file = null where school_id = :school_id and file is not null",
            school_id=school_id,
        )
    audit.record_many(
        [
            audit.Deed("photo.delete", f"student_photo:{photo_id}", f"enrolment:{of} {why}")
            for photo_id, of in gone
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return len(gone)


def _delete(school_id: int, enrolment_ids: Sequence[int]) -> list[tuple[int, int]]:
    return [
        (photo.id, photo.enrolment_id)
        for chunk in in_chunks(enrolment_ids)
        for photo in rows(
            "delete from student_photos where school_id = :school_id and enrolment_id in :ids"
            " returning id, enrolment_id",
            school_id=school_id,
            ids=chunk,
        )
    ]


def forget(school_id: int, *, now: datetime) -> None:
    """Delete what has no purpose left; run by the worker, as often as it likes.

    Photos of children who left, or who turned seven and were not asked, go thirty days later; cards
    of ended stays are closed then; files of printed cards go after a day. The caller commits.
    """
    today = clock.local_day(now)
    stale = [
        photo.enrolment_id
        for photo in rows(
            "select p.enrolment_id from student_photos p join enrolments e"
            " on e.school_id = p.school_id and e.id = p.enrolment_id"
            " where p.school_id = :school_id and e.ends_on <= :long_ago",
            school_id=school_id,
            long_ago=today - GRACE,
        )
    ]
    kept = [
        photo.enrolment_id
        for photo in rows(
            "select enrolment_id from student_photos where school_id = :school_id"
            " and added_at < :long_ago",
            school_id=school_id,
            long_ago=now - GRACE,
        )
    ]
    holds = consented(school_id, kept, today) | consented(school_id, kept, today - GRACE)
    stale += [enrolment_id for enrolment_id in kept if enrolment_id not in holds]
    if stale:
        delete_photos(school_id, stale, why="no_purpose", actor=audit.MACHINE, now=now)
    execute(
        "update cards set ended_at = :now, end_reason = :left where school_id = :school_id"
        " and ended_at is null and enrolment_id in (select e.id from enrolments e"
        "  where e.school_id = :school_id and e.ends_on <= :long_ago)",
        school_id=school_id,
        now=now,
        left=EndReason.LEFT.value,
        long_ago=today - GRACE,
    )
    execute(
        "update card_prints set file = null where school_id = :school_id and file is not null"
        " and finished_at < :yesterday",
        school_id=school_id,
        yesterday=now - FILE_LIFE,
    )
