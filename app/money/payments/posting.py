"""The one door for money in: payments, ledger, matchings, receipts of one school, set-based.

One notice and a whole bank statement go through the same function (M14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app import audit
from app.core import clock
from app.core.bulk import insert_rows, write_rows
from app.core.db import execute, for_update, in_chunks, is_sqlite, scalar, share_school
from app.core.ids import new_check_code
from app.core.money import ZERO, Vnd
from app.money import billing, ledger, receipts
from app.money.ledger import chart
from app.money.payments import drafts
from app.money.payments.models import Matching, Method, Payment

#: What may be booked to a child without a person looking: from here up to three times what is due.
SMALLEST_SANE = Vnd(1_000)
SANE_TIMES = 3


@dataclass(frozen=True, slots=True)
class Credit:
    """Money that reached a school, as plain facts from whatever told us."""

    provider: str
    channel_id: int
    external_id: str
    method: Method
    amount: Vnd
    occurred_at: datetime
    value_on: date
    #: account code that received it: `bank:…`, `clearing:…`, `cash:…`
    debit: str
    #: where it waits while its child is unknown: the part after `suspense:`
    place: str
    proof: str
    text: str = ""
    #: a code the provider read out by itself
    reference: str | None = None
    bank_ref: str = ""
    payer: str | None = None
    bank_account_id: int | None = None
    #: accounts whose money arrives on that one
    also_accounts: tuple[int, ...] = ()
    till_id: int | None = None
    surcharge: Vnd = ZERO
    #: payment requests it names beyond doubt (card attempt, desk); else the text is read
    requests: tuple[billing.Request, ...] = ()
    #: lines a payer ticked, in order
    ticked: tuple[int, ...] = ()
    #: at the desk only ticked lines are paid; what is left over becomes credit
    only_ticked: bool = False
    rule: str = "reference"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a credit."""

    payment_id: int
    matched: Vnd
    to_credit: Vnd
    receipts: tuple[receipts.IssuedReceipt, ...]

    @property
    def is_suspense(self) -> bool:
        """Whether its child is still unknown."""
        return not self.matched


@dataclass(frozen=True, slots=True)
class Plan:
    """How one credit is, or would be, divided among children; no part leaves it in suspense."""

    credit: Credit
    parts: tuple[tuple[billing.Request, billing.Allocation, Vnd], ...]

    #: what the children it names still owe afterwards
    left: Vnd = ZERO

    @property
    def matched(self) -> Vnd:
        """What goes to children."""
        return Vnd(sum(amount.dong for _, _, amount in self.parts))

    @property
    def to_credit(self) -> Vnd:
        """What of it no open line needs."""
        return Vnd(sum(allocation.rest.dong for _, allocation, _ in self.parts))


def accept_many(
    school_id: int,
    credits: Sequence[Credit],
    *,
    actor: audit.Actor,
    now: datetime,
    at: Callable[[], datetime] = clock.now,
    code: Callable[[], str] = new_check_code,
) -> list[Accepted]:
    """Book credits of one school in their order; each gets its receipt when its child is known.

    Money without exactly one known code, or with an amount beyond sense, waits in suspense; what no
    line needs becomes the child's credit. Takes the school's posting lock, then the payment
    requests by number, the receipt counter last. The caller commits.
    """
    if not credits:
        return []
    share_school(school_id)
    booked_on = clock.local_day(now)
    plans = _plan(school_id, credits, booked_on)
    payment_ids = _write_payments(school_id, plans, booked_on, now)
    event_ids = ledger.post_many(
        school_id,
        [
            ledger.Event("payment_received", "payment", payment_id, _pairs(plan))
            for payment_id, plan in zip(payment_ids, plans, strict=True)
        ],
        booked_on=booked_on,
        now=now,
    )
    _write_matchings(school_id, plans, payment_ids, event_ids, actor, now)
    audit.record_many(
        [
            audit.Deed(
                "payment.accept",
                f"payment:{payment_id}",
                f"{p.credit.provider}:{p.credit.external_id}",
            )
            for payment_id, p in zip(payment_ids, plans, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    papers = drafts.draft_receipts(
        school_id,
        [
            drafts.Matched(
                payment_id=payment_id,
                event_id=event_id,
                method=plan.credit.method,
                payer=plan.credit.payer,
                occurred_at=plan.credit.occurred_at,
                received_on=plan.credit.value_on,
                text=plan.credit.text,
                collected_by=actor.name if plan.credit.method is Method.CASH else "",
                parts=tuple((request, allocation) for request, allocation, _ in plan.parts),
            )
            for payment_id, event_id, plan in zip(payment_ids, event_ids, plans, strict=True)
            if plan.parts
        ],
        booked_on,
    )
    issued: dict[int, list[receipts.IssuedReceipt]] = {}
    for receipt in receipts.issue_many(school_id, papers, at=at, code=code):
        issued.setdefault(receipt.payment_id, []).append(receipt)
    return [
        Accepted(
            payment_id=payment_id,
            matched=plan.matched,
            to_credit=plan.to_credit,
            receipts=tuple(issued.get(payment_id, ())),
        )
        for payment_id, plan in zip(payment_ids, plans, strict=True)
    ]


def plan_many(school_id: int, credits: Sequence[Credit], *, day: date) -> list[Plan]:
    """What `accept_many` would do with these credits on a day; writes and locks nothing."""
    return _plan(school_id, credits, day, lock=False) if credits else []


def next_id(table: str) -> int:
    """The number a row will get, for tables whose ledger event names the row as its cause."""
    if is_sqlite():
        # The writer lock is held: nobody else can take it.
        return int(scalar(f"select coalesce(max(id), 0) + 1 from {table}"))
    return int(scalar("select nextval(pg_get_serial_sequence(:table, 'id'))", table=table))


# Planning


def _plan(school_id: int, credits: Sequence[Credit], day: date, *, lock: bool = True) -> list[Plan]:
    named = [_named(credit) for credit in credits]
    known = billing.requests_by_reference(
        school_id, {reference for references in named for reference in references}
    )
    targets: list[tuple[billing.Request, ...]] = []
    for credit, references in zip(credits, named, strict=True):
        if credit.requests:
            targets.append(credit.requests)
            continue
        hits = [known[reference] for reference in references if reference in known]
        targets.append(tuple(hits) if all(_right_account(credit, hit) for hit in hits) else ())
    wanted = sorted({request.id for group in targets for request in group})
    for chunk in in_chunks(wanted if lock else ()):
        execute(
            "select id from payment_requests where school_id = :school_id and id in :ids"
            f" order by id{for_update()}",
            school_id=school_id,
            ids=chunk,
        )
    student_ids = {request.student_id for group in targets for request in group}
    still_open = _Open(billing.open_lines(school_id, student_ids))
    order = billing.allocation_order(school_id, day)
    return [
        _divide(credit, group, still_open, order)
        for credit, group in zip(credits, targets, strict=True)
    ]


def _named(credit: Credit) -> list[str]:
    if credit.requests:
        return []
    found = billing.find_references(credit.text)
    if credit.reference and credit.reference not in found:
        found.append(credit.reference)
    return found


def _right_account(credit: Credit, request: billing.Request) -> bool:
    return (
        credit.bank_account_id is None
        or credit.bank_account_id == request.bank_account_id
        or request.bank_account_id in credit.also_accounts
    )


class _Open:
    """What is open of each child while a batch is planned, so that one batch sees itself."""

    def __init__(self, lines: dict[int, list[billing.OpenLine]]) -> None:
        self._lines = lines

    def of(self, request: billing.Request) -> list[billing.OpenLine]:
        return [
            line
            for line in self._lines.get(request.student_id, [])
            if line.bank_account_id == request.bank_account_id
        ]

    def take(self, request: billing.Request, shares: Sequence[billing.Share]) -> None:
        taken = {share.line_id: share.amount for share in shares}
        self._lines[request.student_id] = [
            _less(line, taken.get(line.line_id, ZERO))
            for line in self._lines.get(request.student_id, [])
        ]


def _less(line: billing.OpenLine, amount: Vnd) -> billing.OpenLine:
    return replace(line, open=line.open - amount) if amount else line


def _divide(
    credit: Credit,
    group: tuple[billing.Request, ...],
    still_open: _Open,
    order: tuple[str, ...],
) -> Plan:
    if not group:
        return Plan(credit, ())
    due = sum(line.open.dong for request in group for line in still_open.of(request))
    if not credit.requests:
        # Several codes in one text are divided when the sum fits to the đồng; else a person does.
        if len(group) > 1 and credit.amount != Vnd(due):
            return Plan(credit, ())
        if due and not (SMALLEST_SANE <= credit.amount <= Vnd(SANE_TIMES * due)):
            return Plan(credit, ())
    left = credit.amount
    parts: list[tuple[billing.Request, billing.Allocation, Vnd]] = []
    for place, request in enumerate(group):
        is_last = place == len(group) - 1
        lines = still_open.of(request)
        if credit.only_ticked:
            lines = [line for line in lines if line.line_id in credit.ticked]
        wanted = Vnd(sum(line.open.dong for line in lines))
        share = left if is_last else min(left, wanted)
        if not share:
            continue
        allocation = billing.allocate(lines, share, order=order, ticked=credit.ticked)
        still_open.take(request, allocation.shares)
        parts.append((request, allocation, share))
        left = left - share
    paid = sum(s.amount.dong for _, allocation, _ in parts for s in allocation.shares)
    return Plan(credit, tuple(parts), Vnd(due - paid))


# Writing


def _write_payments(
    school_id: int, plans: Sequence[Plan], booked_on: date, now: datetime
) -> list[int]:
    values: list[dict[str, Any]] = [
        {
            "school_id": school_id,
            "provider": plan.credit.provider,
            "channel_id": plan.credit.channel_id,
            "external_id": plan.credit.external_id,
            "method": plan.credit.method,
            "bank_account_id": plan.credit.bank_account_id,
            "till_id": plan.credit.till_id,
            "amount": plan.credit.amount,
            "surcharge": plan.credit.surcharge,
            "occurred_at": plan.credit.occurred_at,
            "received_at": now,
            "value_on": plan.credit.value_on,
            "booked_on": booked_on,
            "payer": plan.credit.payer,
            "text": plan.credit.text[:400],
            "bank_ref": plan.credit.bank_ref[:80],
            "proof": plan.credit.proof,
        }
        for plan in plans
    ]
    return insert_rows(Payment, values)


def _pairs(plan: Plan) -> list[ledger.Pair]:
    credit = plan.credit
    pairs = []
    for request, allocation, _ in plan.parts:
        pairs += [
            ledger.Pair(
                credit.debit, chart.RECEIVABLE, share.amount, share.student_id, share.line_id
            )
            for share in allocation.shares
        ]
        if allocation.rest:
            pairs.append(
                ledger.Pair(credit.debit, chart.CREDIT, allocation.rest, request.student_id)
            )
    if not plan.parts:
        pairs.append(ledger.Pair(credit.debit, chart.suspense(credit.place), credit.amount))
    if credit.surcharge:
        pairs.append(
            ledger.Pair(credit.debit, chart.surcharge(credit.channel_id), credit.surcharge)
        )
    return pairs


def _write_matchings(
    school_id: int,
    plans: Sequence[Plan],
    payment_ids: Sequence[int],
    event_ids: Sequence[int],
    actor: audit.Actor,
    now: datetime,
) -> None:
    values = [
        {
            "school_id": school_id,
            "payment_id": payment_id,
            "student_id": request.student_id,
            "request_id": request.id,
            "amount": share,
            "event_id": event_id,
            "rule": plan.credit.rule,
            "matched_by": actor.name,
            "matched_at": now,
        }
        for plan, payment_id, event_id in zip(plans, payment_ids, event_ids, strict=True)
        for request, _, share in plan.parts
    ]
    write_rows(Matching, values)
