"""Photos and cards of children made anonymous."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.core.db import execute, in_chunks
from app.people.cards.models import EndReason


def forget_children(student_ids: Collection[int], names: Collection[str], *, now: datetime) -> None:
    """Delete the photos of these children at every school and end their cards.

    Titles and files of printings that may show them go too; that consents were given stays. The
    caller writes the trail and commits.
    """
    for chunk in in_chunks(student_ids):
        stays = (
            "(select 1 from enrolments e where e.school_id = {t}.school_id"
            " and e.id = {t}.enrolment_id and e.student_id in :ids)"
        )
        # Nobody knows whose photos a file of printed cards holds.
        execute(
            "update card_prints set file = null where file is not null and school_id in"
            " (select e.school_id from enrolments e where e.student_id in :ids)",
            ids=chunk,
        )
        execute(
            f"delete from student_photos where exists {stays.format(t='student_photos')}",
            ids=chunk,
        )
        execute(
            "update cards set ended_at = :now, end_reason = :left where ended_at is null"
            f" and exists {stays.format(t='cards')}",
            now=now,
            left=EndReason.LEFT.value,
            ids=chunk,
        )
    for chunk_of_names in in_chunks(names):
        execute(
            "update card_prints set title = '' where total = 1 and title in :names",
            names=chunk_of_names,
        )
