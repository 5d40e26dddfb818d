"""Giving money whose child was unknown to a child, by a person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import for_update, row, rows, share_school
from app.core.model import db
from app.core.money import Vnd
from app.money import billing, ledger, receipts
from app.money.ledger import chart
from app.money.payments import drafts
from app.money.payments.errors import AlreadyAssigned
from app.money.payments.models import Matching, Method
from app.money.payments.posting import Accepted, next_id
from app.money.payments.queries import get_payment
from app.money.payments.reversals import holdings


@dataclass(frozen=True, slots=True)
class Suggested:
    """A child whose money it may be, with the reasons in words; a person decides."""

    student_id: int
    score: int
    reasons: tuple[str, ...]


Suggester = Callable[[int, Collection[int]], Mapping[int, Sequence[Suggested]]]
_suggesters: list[Suggester] = []


def suggest_with(suggester: Suggester) -> None:
    """Tell who knows whose money in suspense may be: payments do not guess themselves."""
    if suggester not in _suggesters:
        _suggesters.append(suggester)


def suggestions_for(school_id: int, payment_ids: Collection[int]) -> dict[int, list[Suggested]]:
    """The likely children of payments that wait, the best first."""
    found: dict[int, list[Suggested]] = {}
    for suggester in _suggesters if payment_ids else ():
        for payment_id, children in suggester(school_id, payment_ids).items():
            found.setdefault(payment_id, []).extend(children)
    return found


def assign_suspense(
    school_id: int,
    payment_id: int,
    request: billing.Request,
    *,
    actor: audit.Actor,
    now: datetime,
) -> Accepted:
    """Give the whole of a payment that waits in suspense to one child, with its receipt.

    Refuses money that has its child already or went back. Takes the school's posting lock, the
    payment, the payment request, the receipt counter last. The caller commits.
    """
    share_school(school_id)
    row(
        f"select id from payments where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=payment_id,
    )
    payment = get_payment(school_id, payment_id)
    waiting = [h for h in holdings(payment) if h.account.startswith("suspense:")]
    if payment.children or not waiting:
        raise AlreadyAssigned
    amount = Vnd(sum(holding.amount.dong for holding in waiting))
    rows(
        f"select id from payment_requests where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=request.id,
    )
    today = clock.local_day(now)
    found = billing.open_lines(
        school_id, [request.student_id], bank_account_id=request.bank_account_id
    )
    allocation = billing.allocate(
        found.get(request.student_id, []),
        amount,
        order=billing.allocation_order(school_id, today),
    )
    place = waiting[0].account
    pairs = [
        ledger.Pair(place, chart.RECEIVABLE, s.amount, s.student_id, s.line_id)
        for s in allocation.shares
    ]
    if allocation.rest:
        pairs.append(ledger.Pair(place, chart.CREDIT, allocation.rest, request.student_id))
    matching_id = next_id("matchings")
    event_id = ledger.post(
        school_id,
        ledger.Event("suspense_matched", "matching", matching_id, pairs),
        booked_on=today,
        now=now,
    )
    db.session.execute(
        insert(Matching).values(
            id=matching_id,
            school_id=school_id,
            payment_id=payment_id,
            student_id=request.student_id,
            request_id=request.id,
            amount=amount,
            event_id=event_id,
            rule="hand",
            matched_by=actor.name,
            matched_at=now,
        )
    )
    audit.record(
        "payment.assign",
        f"payment:{payment_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"payment_request:{request.id}",
    )
    papers = drafts.draft_receipts(
        school_id,
        [
            drafts.Matched(
                payment_id=payment_id,
                event_id=event_id,
                method=Method(payment.method),
                payer=payment.payer,
                occurred_at=payment.occurred_at,
                received_on=payment.value_on,
                text=payment.text,
                collected_by="",
                parts=((request, allocation),),
            )
        ],
        today,
    )
    issued = receipts.issue_many(school_id, papers)
    return Accepted(payment_id, amount, allocation.rest, tuple(issued))
