"""Asking for a printing of cards, and finishing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert

from app import audit
from app.core import jobs
from app.core.db import execute, in_chunks
from app.core.model import db
from app.people.cards.errors import NothingToPrint
from app.people.cards.models import CardPrint, Layout
from app.people.cards.services.issuing import issue_cards

#: the job that draws many cards
KIND: Final = "cards.print"


@dataclass(frozen=True, slots=True)
class Asked:
    """A printing that was asked for; `card_ids` stand in the order of printing."""

    print_id: int
    card_ids: list[int]


def begin_print(
    school_id: int,
    enrolment_ids: Sequence[int],
    *,
    year_id: int,
    layout: Layout,
    title: str,
    in_background: bool,
    actor: audit.Actor,
    now: datetime,
) -> Asked:
    """Ask for cards of some stays in this order; those without a card get one.

    With `in_background` the worker draws them, else the caller does and then calls finish_print.
    Every card asked for is written into the trail. Refuses an empty list and stays that ended. The
    caller commits.
    """
    if not enrolment_ids:
        raise NothingToPrint
    card_ids = issue_cards(school_id, enrolment_ids, actor=actor, now=now)
    print_id = int(
        db.session.scalar(
            insert(CardPrint)
            .values(
                school_id=school_id,
                layout=layout,
                title=title[:120],
                total=len(card_ids),
                requested_by=actor.name,
                requested_at=now,
            )
            .returning(CardPrint.id)
        )
        or 0
    )
    audit.record_many(
        [
            audit.Deed("card.print", f"card:{card_id}", f"card_print:{print_id}")
            for card_id in card_ids
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    if in_background:
        payload = {
            "school_id": school_id,
            "print_id": print_id,
            "card_ids": card_ids,
            "year_id": year_id,
        }
        job_id = jobs.enqueue(KIND, payload, school_id=school_id, now=now)
        execute(
            "update card_prints set job_id = :job where school_id = :school_id and id = :id",
            school_id=school_id,
            id=print_id,
            job=job_id,
        )
    return Asked(print_id, card_ids)


def finish_print(
    school_id: int,
    print_id: int,
    card_ids: Sequence[int],
    file: bytes,
    *,
    year_id: int,
    now: datetime,
) -> None:
    """Keep the file of a printing for a day and count its cards as printed. The caller commits."""
    done = execute(
        "update card_prints set file = :file, finished_at = :now"
        " where school_id = :school_id and id = :id and finished_at is null",
        school_id=school_id,
        id=print_id,
        file=file,
        now=now,
    )
    if not done.rowcount:
        return
    for chunk in in_chunks(card_ids):
        execute(
            "update cards set printed = printed + 1, printed_year_id = :year"
            " where school_id = :school_id and id in :ids",
            school_id=school_id,
            ids=chunk,
            year=year_id,
        )
