"""Offering, accepting and mirroring what one school owes another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock, scope
from app.core.db import MOMENT, VND, own_school, row, rows, scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.core.text import nfc
from app.journeys.between_schools.errors import (
    ClaimDecided,
    ClaimNotFound,
    ClaimReasonMissing,
    NoOtherSchool,
)
from app.journeys.between_schools.models import ClaimStep, SchoolClaim, SchoolClaimStep
from app.money import billing, ledger
from app.money.ledger import chart
from app.money.payments.models import Purpose
from app.money.payments.movements import Said, name_credit, waiting_payment
from app.money.payments.posting import next_id

_LEAST_REASON: Final = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """Money at one school for another, with its state."""

    id: int
    school_id: int
    school: str
    to_school_id: int
    to_school: str
    payment_id: int
    amount: Vnd
    reference: str
    step: ClaimStep
    words: str
    actor: str
    at: datetime


_CLAIM: Final = (
    "select c.id, c.school_id, f.name as school, c.to_school_id, t.name as to_school,"
    " c.payment_id, c.amount, c.reference, s.step, s.words, s.actor, s.at from school_claims c"
    " join schools fs on fs.id = c.school_id join organisation_units f on f.id = fs.unit_id"
    " join schools ts on ts.id = c.to_school_id join organisation_units t on t.id = ts.unit_id"
    " join school_claim_steps s on s.school_id = c.school_id and s.claim_id = c.id and s.id ="
    "  (select max(l.id) from school_claim_steps l where l.school_id = c.school_id"
    "   and l.claim_id = c.id)"
)


def claims_of(school_id: int, *, limit: int = 100) -> list[Claim]:
    """Claims a school offers or is offered, the newest first."""
    return _claims(
        " where c.school_id = :school_id or c.to_school_id = :school_id order by c.id desc"
        " limit :limit",
        school_id=school_id,
        limit=limit,
    )


def get_claim(school_id: int, claim_id: int) -> Claim:
    """One claim the school has a part in, or ClaimNotFound."""
    found = _claims(
        " where c.id = :id and (c.school_id = :school_id or c.to_school_id = :school_id)",
        school_id=school_id,
        id=claim_id,
    )
    if not found:
        raise ClaimNotFound
    return found[0]


def _claims(where: str, **parameters: Any) -> list[Claim]:
    found = rows(_CLAIM + where, types={"amount": VND, "at": MOMENT}, **parameters)
    return [Claim(**{**one._asdict(), "step": ClaimStep(one.step)}) for one in found]


def owner_of(school_id: int, text: str) -> tuple[int, str] | None:
    """The other school, and the code, that a transfer's text names beyond doubt."""
    codes = billing.find_references(text)
    found = (
        rows(
            "select school_id, reference from payment_codes where reference in :codes", codes=codes
        )
        if codes
        else []
    )
    if len(found) != 1 or found[0].school_id == school_id:
        return None
    return int(found[0].school_id), str(found[0].reference)


def offer(school_id: int, payment_id: int, *, actor: audit.Actor, now: datetime) -> int:
    """Offer money that waits here to the school whose code it names. No money moves.

    Refuses money that does not wait, a text without another school's code, and a second offer. The
    caller commits.
    """
    own_school(school_id)
    payment = waiting_payment(school_id, payment_id)
    owner = owner_of(school_id, payment.text)
    if owner is None:
        raise NoOtherSchool
    living = row(
        "select c.id from school_claims c join school_claim_steps s on s.school_id = c.school_id"
        " and s.claim_id = c.id where c.school_id = :school_id and c.payment_id = :payment"
        " and s.id = (select max(l.id) from school_claim_steps l"
        "  where l.school_id = c.school_id and l.claim_id = c.id) and s.step = 'offered'",
        school_id=school_id,
        payment=payment_id,
    )
    if living is not None:
        raise ClaimDecided
    claim_id = next_id("school_claims")
    db.session.execute(
        insert(SchoolClaim).values(
            id=claim_id,
            school_id=school_id,
            to_school_id=owner[0],
            payment_id=payment_id,
            amount=payment.amount,
            reference=owner[1],
        )
    )
    _step(school_id, claim_id, ClaimStep.OFFERED, "", actor, now)
    return claim_id


def accept(claim: Claim, *, actor: audit.Actor, now: datetime) -> None:
    """The other school agrees. Both books say who owes whom, each in its own transaction.

    The holder's comes first: whatever happens in between, `mirror` makes the other one follow.
    Refuses what was decided before and money that has its child meanwhile. Commits by itself.
    """
    with scope.opened(scope.one_school(claim.school_id)), transaction():
        own_school(claim.school_id)
        if get_claim(claim.school_id, claim.id).step is not ClaimStep.OFFERED:
            raise ClaimDecided
        name_credit(
            claim.school_id,
            claim.payment_id,
            Said(Purpose.OTHER_SCHOOL, claim.to_school_id, reason=claim.reference),
            actor=actor,
            now=now,
        )
        _step(claim.school_id, claim.id, ClaimStep.ACCEPTED, "", actor, now)
    mirror(claim.school_id, claim.to_school_id, now=now)


def decide(claim: Claim, step: ClaimStep, *, words: str, actor: audit.Actor, now: datetime) -> None:
    """Refuse a claim, or withdraw it, with a reason. Commits by itself."""
    reason = " ".join(nfc(words).split())[:200]
    if len(reason) < _LEAST_REASON:
        raise ClaimReasonMissing
    with scope.opened(scope.one_school(claim.school_id)), transaction():
        own_school(claim.school_id)
        if get_claim(claim.school_id, claim.id).step is not ClaimStep.OFFERED:
            raise ClaimDecided
        _step(claim.school_id, claim.id, step, reason, actor, now)


def mirror(holder_id: int, other_id: int, *, now: datetime) -> Vnd:
    """Make the other school's books say what the holder's say; what was booked. Commits by itself.

    What the holder owes is expected at the other school. Once the holder has transferred it,
    nothing is owed and nothing expected; the money itself arrives there like any other.
    """
    with scope.opened(scope.one_school(holder_id)):
        owed = -ledger.balance(holder_id, chart.interschool(other_id))
        db.session.rollback()
    with scope.opened(scope.one_school(other_id)), transaction():
        own_school(other_id)
        mine, expected = chart.interschool(holder_id), chart.expected(holder_id)
        more = owed - ledger.balance(other_id, mine)
        if not more:
            return more
        pair = (
            ledger.Pair(mine, expected, more)
            if more.dong > 0
            else ledger.Pair(expected, mine, -more)
        )
        cause = f"school_{holder_id}"
        count = scalar(
            "select count(*) from ledger_events where school_id = :school_id"
            " and kind = 'interschool_mirrored' and cause_kind = :cause",
            school_id=other_id,
            cause=cause,
        )
        event = ledger.Event("interschool_mirrored", cause, int(count) + 1, [pair])
        ledger.post(other_id, event, booked_on=clock.local_day(now), now=now)
        audit.record(
            "interschool.mirror",
            f"school:{holder_id}",
            actor=audit.MACHINE,
            school_id=other_id,
            now=now,
            cause=f"{more.dong}",
        )
    return more


def mirror_all(*, now: datetime) -> int:
    """Every pair of schools that owe each other; how many had to be put right."""
    with scope.opened(scope.EVERY_SCHOOL):
        pairs = [
            (int(one.school_id), int(one.other))
            for one in rows(
                "select school_id, cast(substr(account, 13) as bigint) as other"
                " from v_account_balance where account like 'interschool:%' and balance < 0"
                " union select cast(substr(account, 13) as bigint), school_id"
                " from v_account_balance where account like 'interschool:%' and balance > 0"
            )
        ]
        db.session.rollback()
    return sum(1 for holder, other in pairs if mirror(holder, other, now=now))


def _step(
    school_id: int, claim_id: int, step: ClaimStep, words: str, actor: audit.Actor, now: datetime
) -> None:
    db.session.execute(
        insert(SchoolClaimStep).values(
            school_id=school_id,
            claim_id=claim_id,
            step=step,
            words=words,
            actor=actor.name,
            at=now,
        )
    )
    audit.record(
        f"school_claim.{step}",
        f"school_claim:{claim_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=words or str(step),
    )
