"""Giving out cards, and ending them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import execute, in_chunks, rows, scalar
from app.core.model import db
from app.people.cards import tokens
from app.people.cards.errors import NoCard
from app.people.cards.models import Card, EndReason
from app.people.cards.services.stays import hold, open_stays


def issue_cards(
    school_id: int,
    enrolment_ids: Sequence[int],
    *,
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None = None,
) -> list[int]:
    """The live cards of some stays in the order given; where there was none, a new one.

    A card whose token the server can no longer make, because its key was changed, is replaced.
    Refuses stays that ended. The caller commits.
    """
    hold(school_id)
    wanted = list(dict.fromkeys(enrolment_ids))
    open_stays(school_id, wanted, clock.local_day(now))
    live: dict[int, int] = {}
    unprintable: list[int] = []
    for chunk in in_chunks(wanted):
        for card in rows(
            "select id, enrolment_id, nonce, token_hash from cards"
            " where school_id = :school_id and ended_at is null and enrolment_id in :ids",
            school_id=school_id,
            ids=chunk,
        ):
            if tokens.token_hash(tokens.token_of(card.nonce)) == card.token_hash:
                live[card.enrolment_id] = card.id
            else:
                unprintable.append(card.id)
    _end(school_id, unprintable, EndReason.REPLACED, actor, now)
    lacking = [enrolment_id for enrolment_id in wanted if enrolment_id not in live]
    live |= zip(lacking, _issue(school_id, lacking, actor, now, rng), strict=True)
    return [live[enrolment_id] for enrolment_id in wanted]


def _issue(
    school_id: int,
    enrolment_ids: list[int],
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None,
) -> list[int]:
    if not enrolment_ids:
        return []
    last = scalar("select max(number) from cards where school_id = :school_id", school_id=school_id)
    values = []
    for number, enrolment_id in enumerate(enrolment_ids, start=int(last or 0) + 1):
        nonce = tokens.new_nonce(rng)
        values.append(
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "number": number,
                "nonce": nonce,
                "token_hash": tokens.token_hash(tokens.token_of(nonce)),
                "issued_at": now,
                "issued_by": actor.name,
                "printed": 0,
            }
        )
    statement = insert(Card).returning(Card.id, sort_by_parameter_order=True)
    made = [int(card_id) for card_id in db.session.scalars(statement, values)]
    audit.record_many(
        [
            audit.Deed("card.issue", f"card:{card_id}", f"enrolment:{enrolment_id}")
            for card_id, enrolment_id in zip(made, enrolment_ids, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return made


def end_card(
    school_id: int,
    enrolment_id: int,
    reason: EndReason,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """End the live card of a stay; its token opens nothing from this moment on.

    Refuses where no card is live. The caller commits.
    """
    hold(school_id)
    live = [
        card.id
        for card in rows(
            "select id from cards where school_id = :school_id and enrolment_id = :enrolment"
            " and ended_at is null",
            school_id=school_id,
            enrolment=enrolment_id,
        )
    ]
    if not live:
        raise NoCard
    _end(school_id, live, reason, actor, now)


def _end(
    school_id: int, card_ids: list[int], reason: EndReason, actor: audit.Actor, now: datetime
) -> None:
    for chunk in in_chunks(card_ids):
        execute(
            "update cards set ended_at = :now, end_reason = :reason"
            " where school_id = :school_id and id in :ids",
            school_id=school_id,
            ids=chunk,
            now=now,
            reason=reason.value,
        )
    audit.record_many(
        [audit.Deed("card.end", f"card:{card_id}", reason.value) for card_id in card_ids],
        actor=actor,
        school_id=school_id,
        now=now,
    )
