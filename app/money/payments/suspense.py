"""Giving money whose child was unknown to a child, by a person; and taking a wrong match back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import for_update, row, rows, scalar, share_school
from app.core.model import db
from app.core.money import Vnd
from app.core.text import nfc
from app.money import billing, ledger, receipts
from app.money.ledger import chart
from app.money.payments import drafts
from app.money.payments.errors import (
    AlreadyAssigned,
    MatchOfMerged,
    MatchReasonMissing,
    NotMatched,
    OwnMatch,
)
from app.money.payments.models import Matching, Method
from app.money.payments.posting import Accepted, next_id
from app.money.payments.queries import PaymentRow, get_payment
from app.money.payments.reversals import (
    holdings,
    lock_payment,
    money_account,
    take_out_of_bills,
)
from app.people import students


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


#: printed as the ground of a void; papers are Vietnamese by law
_VOID_REASON = "Ghép nhầm học sinh, tiền chờ ghép lại: {reason}"


def take_back_match(
    school_id: int, payment_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> Vnd:
    """Take a payment from the children it was given to; it waits in suspense again.

    Its bills are open again, its receipts void. The machine does not match it a second time.
    Refuses a payment without a match or that went back, cash, the person who matched, a reason
    under ten letters, and a child whose records were joined since. Locks as `reverse_payment`. The
    caller commits.
    """
    why = " ".join(nfc(reason).split())[:160]
    if len(why) < 10:
        raise MatchReasonMissing
    payment = lock_payment(school_id, payment_id)
    went_back = scalar(
        "select count(*) from reversals where school_id = :school_id and payment_id = :payment",
        school_id=school_id,
        payment=payment_id,
    )
    # Of money that left, and perhaps came again, the match is no longer the whole story.
    if not payment.children or went_back or payment.method == Method.CASH:
        raise NotMatched
    if any(child.matched_by == actor.name for child in payment.children):
        raise OwnMatch
    given_to = {child.student_id for child in payment.children}
    if any(row_id != child for row_id, child in students.children_behind(given_to).items()):
        raise MatchOfMerged
    today = clock.local_day(now)
    found = rows(
        "select event_id, min(id) as id from v_matching where school_id = :school_id"
        " and payment_id = :payment group by event_id order by event_id",
        school_id=school_id,
        payment=payment_id,
    )
    unapplied = [
        pair
        for held in holdings(payment)
        if held.account == chart.CREDIT and held.student_id is not None
        for pair in take_out_of_bills(school_id, held.student_id, held.amount)
    ]
    if unapplied:
        # First, so that the credit is never below zero between two entries.
        event = ledger.Event("credit_unapplied", "matching", found[0].id, unapplied)
        ledger.post(school_id, event, booked_on=today, now=now)
    undone = [
        ledger.reverse(
            school_id,
            one.event_id,
            kind="match_undone",
            cause_kind="matching",
            cause_id=one.id,
            booked_on=today,
            now=now,
        )
        for one in found
    ]
    _keep_waiting(payment, [one.event_id for one in found], today, now)
    for paper in payment.receipts:
        if paper.state == "live":
            receipts.void_receipt(
                school_id,
                paper.id,
                reason=_VOID_REASON.format(reason=why),
                actor=actor,
                approved_by=actor.name,
                event_id=undone[-1],
                now=now,
            )
    audit.record(
        "payment.unassign",
        f"payment:{payment_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=why,
    )
    return payment.matched


def _keep_waiting(
    payment: PaymentRow, event_ids: Collection[int], today: date, now: datetime
) -> None:
    """Money matched as it came in: its whole event is taken back, so it comes in once more."""
    first = row(
        "select id from ledger_events where school_id = :school_id and kind = 'payment_received'"
        " and cause_kind = 'payment' and cause_id = :payment",
        school_id=payment.school_id,
        payment=payment.id,
    )
    if first is None or first.id not in event_ids:
        return
    name = (
        f"channel:{payment.channel_id}"
        if payment.bank_account_id is None
        else str(payment.bank_account_id)
    )
    money = money_account(payment)
    pairs = [ledger.Pair(money, chart.suspense(name), payment.amount)]
    if payment.surcharge:
        pairs.append(ledger.Pair(money, chart.surcharge(payment.channel_id), payment.surcharge))
    event = ledger.Event("payment_unmatched", "payment", payment.id, pairs)
    ledger.post(payment.school_id, event, booked_on=today, now=now)
