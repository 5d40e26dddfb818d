"""Money of a payment that went back, or came back again: opposite entries, papers voided (M10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, insert

from app import audit
from app.core import clock
from app.core.db import for_update, row, rows, share_school
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.money import billing, ledger, receipts
from app.money.ledger import chart
from app.money.payments import drafts
from app.money.payments.errors import MoreThanPaid, NothingToCollect, PurposeFirst
from app.money.payments.models import Method, Reversal
from app.money.payments.posting import next_id
from app.money.payments.queries import PaymentRow, get_payment
from app.people import students

#: printed as the ground of a void; papers are Vietnamese by law
REASONS: Final = {
    "refund": "Đã hoàn tiền cho người nộp",
    "dispute": "Chủ thẻ khiếu nại, ngân hàng đã lấy lại tiền",
    "bank": "Ngân hàng đã thu hồi khoản tiền này",
    "reinstated": "Tiền đã về lại, cấp biên lai mới",
}


@dataclass(frozen=True, slots=True)
class Reversed:
    """What going back led to; `is_repeat` when it was posted before."""

    payment_id: int
    amount: Vnd
    receipts: tuple[receipts.IssuedReceipt, ...] = ()
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account still holds of a payment."""

    account: str
    student_id: int | None
    line_id: int | None
    amount: Vnd


@dataclass(frozen=True, slots=True)
class SetApart:
    """Money for a refund that was taken out of a child's credit before it was sent."""

    account: str
    student_id: int
    #: told of the entry in the same transaction
    booked: Callable[[int], None]


SetAsideFinder = Callable[[int, int, Vnd, datetime], SetApart | None]
_finders: list[SetAsideFinder] = []


def refunds_set_apart_with(finder: SetAsideFinder) -> None:
    """Tell who knows whether a refund was ordered here: it then comes out of what was set apart."""
    if finder not in _finders:
        _finders.append(finder)


def reverse_payment(
    school_id: int,
    payment_id: int,
    *,
    amount: Vnd,
    kind: str,
    external_id: str,
    actor: audit.Actor,
    now: datetime,
) -> Reversed:
    """Book that `amount` of a payment left again (`refund`, `dispute`, `bank`).

    The credit part goes first, then the paid lines, newest first, so that their bill is open again;
    a card's surcharge last. The receipt is voided with the entry as its cause and replaced by one
    for the rest. The same `kind` and `external_id` again changes nothing. Refuses more than is left
    of the payment. Takes the school's billing lock, its posting lock, the payment and its requests,
    the receipt counter last. The caller commits.
    """
    if amount <= ZERO:
        raise NothingToCollect
    payment = lock_payment(school_id, payment_id)
    if _is_known(payment, kind, external_id):
        return Reversed(payment_id, amount, is_repeat=True)
    if payment.moved:
        raise PurposeFirst
    if kind == "refund":
        for find in _finders:
            ordered = find(school_id, payment_id, amount, now)
            if ordered is not None:
                return _give_back(payment, ordered, amount, external_id, actor, now)
    pairs, unapplied = _taken(payment, amount)
    return _book(
        payment, "payment_reversed", pairs, unapplied, amount, kind, external_id, actor, now
    )


def _taken(payment: PaymentRow, amount: Vnd) -> tuple[list[ledger.Pair], list[ledger.Pair]]:
    """Where `amount` of a payment is taken from, and the bills whose credit it was."""
    left = amount
    pairs: list[ledger.Pair] = []
    unapplied: list[ledger.Pair] = []
    free: dict[int, Vnd] = {}
    for holding in _in_order_of_return(holdings(payment)):
        if not left:
            break
        part = min(left, holding.amount)
        if holding.account == chart.CREDIT and holding.student_id is not None:
            child = holding.student_id
            # What was set apart for the family, or went to it, is no credit any more.
            free.setdefault(child, _credit_ever_free(payment.school_id, child))
            part = min(part, free[child])
            free[child] = free[child] - part
        if not part:
            continue
        left = left - part
        pairs.append(
            ledger.Pair(
                holding.account, money_account(payment), part, holding.student_id, holding.line_id
            )
        )
        if holding.account == chart.CREDIT and holding.student_id is not None:
            unapplied += take_out_of_bills(payment.school_id, holding.student_id, part)
    if left:
        raise MoreThanPaid
    return pairs, unapplied


def _give_back(
    payment: PaymentRow,
    ordered: SetApart,
    amount: Vnd,
    external_id: str,
    actor: audit.Actor,
    now: datetime,
) -> Reversed:
    """A refund that was ordered: its bill stays paid and its paper true (M10)."""
    pair = ledger.Pair(ordered.account, money_account(payment), amount, ordered.student_id)
    event_id = _write(
        payment, "payment_reversed", [pair], [], amount, "refund", external_id, actor, now
    )
    ordered.booked(event_id)
    return Reversed(payment.id, amount)


def reinstate_payment(
    school_id: int,
    payment_id: int,
    *,
    amount: Vnd,
    external_id: str,
    actor: audit.Actor,
    now: datetime,
) -> Reversed:
    """Book that money which had left came back: a dispute won, a refund the bank sent back.

    It pays the lines it had paid before as far as they are open, the rest becomes credit; a new
    receipt is issued. The same `external_id` again changes nothing. Refuses more than had left.
    Locks as `reverse_payment`. The caller commits.
    """
    if amount <= ZERO:
        raise NothingToCollect
    payment = lock_payment(school_id, payment_id)
    if _is_known(payment, "reinstated", external_id):
        return Reversed(payment_id, amount, is_repeat=True)
    held = holdings(payment)
    school_held = sum(h.amount.dong for h in held if h.account != _surcharge(payment))
    own = min(amount, payment.amount - Vnd(school_held))
    extra = amount - own
    surcharge_held = sum(h.amount.dong for h in held if h.account == _surcharge(payment))
    if extra > payment.surcharge - Vnd(surcharge_held):
        raise MoreThanPaid
    pairs = _pairs_back(payment, held, own) if own else []
    if extra:
        pairs.append(ledger.Pair(money_account(payment), _surcharge(payment), extra))
    return _book(
        payment, "payment_reinstated", pairs, [], -amount, "reinstated", external_id, actor, now
    )


def money_account(payment: PaymentRow) -> str:
    """Where the money of a payment lies: drawer, bank account or provider."""
    if payment.till_id is not None:
        return chart.cash(payment.till_id)
    if payment.proof == "provider" or payment.bank_account_id is None:
        return chart.clearing(payment.channel_id)
    return chart.bank(payment.bank_account_id)


def holdings(payment: PaymentRow) -> list[Holding]:
    """What is left of a payment, account by account, child by child, line by line."""
    found = rows(
        "with events as ("
        "select id from ledger_events where school_id = :school_id and kind = 'payment_received'"
        "  and cause_kind = 'payment' and cause_id = :payment"
        " union select event_id from matchings where school_id = :school_id"
        "  and payment_id = :payment"
        " union select t.id from matchings m join ledger_events t on t.school_id = m.school_id"
        "  and t.reverses_id = m.event_id where m.school_id = :school_id"
        "  and m.payment_id = :payment"
        " union select id from ledger_events where school_id = :school_id"
        "  and kind = 'payment_unmatched' and cause_kind = 'payment' and cause_id = :payment"
        " union select event_id from movements where school_id = :school_id"
        "  and cause_kind = 'payment' and cause_id = :payment"
        " union select t.id from movements m join ledger_events t on t.school_id = m.school_id"
        "  and t.reverses_id = m.event_id where m.school_id = :school_id"
        "  and m.cause_kind = 'payment' and m.cause_id = :payment"
        " union select event_id from reversals where school_id = :school_id"
        "  and payment_id = :payment)"
        " select code, student_id, line_id, sum(amount) as amount from ("
        "select c.code, e.student_id, e.invoice_line_id as line_id, e.amount"
        "  from entries e join accounts c on c.school_id = e.school_id and c.id = e.credit_id"
        "  where e.school_id = :school_id and e.event_id in (select id from events)"
        " union all"
        " select d.code, e.student_id, e.invoice_line_id, -e.amount"
        "  from entries e join accounts d on d.school_id = e.school_id and d.id = e.debit_id"
        "  where e.school_id = :school_id and e.event_id in (select id from events)"
        ") as moved where code <> :money group by code, student_id, line_id",
        school_id=payment.school_id,
        payment=payment.id,
        money=money_account(payment),
    )
    # What was given to a record merged since is held by the child it is.
    child_of = students.children_behind({p.student_id for p in found if p.student_id})
    sums: dict[tuple[str, int | None, int | None], int] = {}
    for part in found:
        # Suspense has no child; what was matched out of it has.
        waits = part.code.startswith("suspense:")
        child = child_of.get(part.student_id)
        key = (part.code, None, None) if waits else (part.code, child, part.line_id)
        sums[key] = sums.get(key, 0) + int(part.amount)
    return [Holding(*key, Vnd(amount)) for key, amount in sums.items() if amount > 0]


def lock_payment(school_id: int, payment_id: int) -> PaymentRow:
    """A payment with its requests, held until the commit."""
    # Shared: a billing run, which applies credit, holds it alone.
    share_school(school_id)
    row(
        f"select id from payments where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=payment_id,
    )
    rows(
        "select id from payment_requests where school_id = :school_id and id in (select"
        " request_id from matchings where school_id = :school_id and payment_id = :id)"
        f" order by id{for_update()}",
        school_id=school_id,
        id=payment_id,
    )
    return get_payment(school_id, payment_id)


def _is_known(payment: PaymentRow, kind: str, external_id: str) -> bool:
    return bool(
        rows(
            "select id from reversals where school_id = :school_id and payment_id = :payment"
            " and kind = :kind and external_id = :id",
            school_id=payment.school_id,
            payment=payment.id,
            kind=kind,
            id=external_id,
        )
    )


def _surcharge(payment: PaymentRow) -> str:
    return chart.surcharge(payment.channel_id)


def _in_order_of_return(held: Sequence[Holding]) -> list[Holding]:
    def place(holding: Holding) -> tuple[int, int]:
        if holding.account.startswith("suspense:"):
            return 0, 0
        if holding.account == chart.CREDIT:
            return 1, -(holding.student_id or 0)
        if holding.account == chart.RECEIVABLE:
            return 2, -(holding.line_id or 0)
        return 3, 0

    return sorted(held, key=place)


def _credit_ever_free(school_id: int, student_id: int) -> Vnd:
    """Credit of a child, with what bills used up of it."""
    credit = billing.credits_of(school_id, [student_id]).get(student_id, ZERO)
    return credit + Vnd(sum(int(line.amount) for line in _used_by_bills(school_id, student_id)))


def take_out_of_bills(school_id: int, student_id: int, part: Vnd) -> list[ledger.Pair]:
    """Credit that later bills used up comes out of them again, the newest line first."""
    credit = billing.credits_of(school_id, [student_id]).get(student_id, ZERO)
    short = part - credit
    if short <= ZERO:
        return []
    used = _used_by_bills(school_id, student_id)
    pairs = []
    for line in used:
        if not short:
            break
        taken = min(short, Vnd(int(line.amount)))
        short = short - taken
        pairs.append(ledger.Pair(chart.RECEIVABLE, chart.CREDIT, taken, student_id, line.line_id))
    if short:
        raise MoreThanPaid
    return pairs


def _used_by_bills(school_id: int, student_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Lines that credit of a child paid and still pays, the newest first."""
    return rows(
        "select e.invoice_line_id as line_id, sum(case when d.code = 'credit' then e.amount"
        "  else -e.amount end) as amount from entries e"
        " join accounts d on d.school_id = e.school_id and d.id = e.debit_id"
        " join accounts c on c.school_id = e.school_id and c.id = e.credit_id"
        " where e.school_id = :school_id and e.student_id in :rows"
        " and (d.code = 'credit' and c.code = 'receivable'"
        "  or d.code = 'receivable' and c.code = 'credit')"
        " group by e.invoice_line_id having sum(case when d.code = 'credit' then e.amount"
        "  else -e.amount end) > 0 order by e.invoice_line_id desc",
        school_id=school_id,
        rows=list(students.rows_of([student_id])),
    )


def _pairs_back(payment: PaymentRow, held: Sequence[Holding], own: Vnd) -> list[ledger.Pair]:
    money = money_account(payment)
    if not payment.children:
        place_of = payment.bank_account_id
        name = f"channel:{payment.channel_id}" if place_of is None else str(place_of)
        return [ledger.Pair(money, chart.suspense(name), own)]
    before = _lines_once_paid(payment)
    order = billing.allocation_order(payment.school_id, payment.booked_on)
    pairs: list[ledger.Pair] = []
    left = own
    still: dict[int | None, Vnd] = {}
    for holding in held:
        still[holding.student_id] = still.get(holding.student_id, ZERO) + holding.amount
    requests = _requests(payment)
    for place, (request, whole) in enumerate(requests):
        kept = min(still.get(request.student_id, ZERO), whole)
        still[request.student_id] = still.get(request.student_id, ZERO) - kept
        is_last = place == len(requests) - 1
        share = left if is_last else min(left, whole - kept)
        if not share:
            continue
        left = left - share
        found = billing.open_lines(
            request.school_id, [request.student_id], bank_account_id=request.bank_account_id
        )
        allocation = billing.allocate(
            found.get(request.student_id, []), share, order=order, ticked=before
        )
        pairs += [
            ledger.Pair(money, chart.RECEIVABLE, s.amount, s.student_id, s.line_id)
            for s in allocation.shares
        ]
        if allocation.rest:
            pairs.append(ledger.Pair(money, chart.CREDIT, allocation.rest, request.student_id))
    return pairs


def _lines_once_paid(payment: PaymentRow) -> list[int]:
    found = rows(
        "select distinct e.invoice_line_id as id from reversals r join entries e"
        " on e.school_id = r.school_id and e.event_id = r.event_id"
        " where r.school_id = :school_id and r.payment_id = :payment"
        " and e.invoice_line_id is not null order by e.invoice_line_id",
        school_id=payment.school_id,
        payment=payment.id,
    )
    return [int(line.id) for line in found]


def _requests(payment: PaymentRow) -> list[tuple[billing.Request, Vnd]]:
    found = []
    for child in payment.children:
        for request in billing.requests_of(payment.school_id, child.student_id):
            if request.id == child.request_id:
                found.append((request, child.amount))
    return found


def _book(
    payment: PaymentRow,
    event_kind: str,
    pairs: Sequence[ledger.Pair],
    unapplied: Sequence[ledger.Pair],
    amount: Vnd,
    kind: str,
    external_id: str,
    actor: audit.Actor,
    now: datetime,
) -> Reversed:
    event_id = _write(payment, event_kind, pairs, unapplied, amount, kind, external_id, actor, now)
    issued = _renew_papers(payment, event_id, kind, actor, clock.local_day(now), now)
    return Reversed(payment.id, amount, issued)


def _write(
    payment: PaymentRow,
    event_kind: str,
    pairs: Sequence[ledger.Pair],
    unapplied: Sequence[ledger.Pair],
    amount: Vnd,
    kind: str,
    external_id: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    school_id, today = payment.school_id, clock.local_day(now)
    reversal_id = next_id("reversals")
    events = [ledger.Event(event_kind, "reversal", reversal_id, pairs)]
    if unapplied:
        # First, so that the credit is never below zero between two entries.
        events.insert(0, ledger.Event("credit_unapplied", "reversal", reversal_id, unapplied))
    event_id = ledger.post_many(school_id, events, booked_on=today, now=now)[-1]
    db.session.execute(
        insert(Reversal).values(
            id=reversal_id,
            school_id=school_id,
            payment_id=payment.id,
            kind=kind,
            external_id=external_id,
            amount=amount,
            event_id=event_id,
            reversed_at=now,
        )
    )
    audit.record(
        f"payment.{kind}",
        f"payment:{payment.id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{payment.provider}:{external_id}",
    )
    return event_id


def _renew_papers(
    payment: PaymentRow, event_id: int, kind: str, actor: audit.Actor, today: date, now: datetime
) -> tuple[receipts.IssuedReceipt, ...]:
    """Void the paper that no longer says the truth; one for what is left takes its place."""
    draft = _draft_of_rest(payment, event_id, today)
    live = [paper for paper in payment.receipts if paper.state == "live"]
    still = sum(paper.amount.dong for paper in live)
    if still == (draft.amount if draft else 0):
        return ()
    for paper in live:
        receipts.void_receipt(
            payment.school_id,
            paper.id,
            reason=REASONS[kind],
            actor=actor,
            approved_by=actor.name,
            event_id=event_id,
            now=now,
        )
    if draft is None:
        return ()
    old = next((p for p in reversed(payment.receipts) if p.state != "replaced"), None)
    if old is not None:
        draft = replace(draft, replaces_id=old.id, replaces_number=old.full_number)
    return tuple(receipts.issue_many(payment.school_id, [draft]))


def _draft_of_rest(payment: PaymentRow, event_id: int, today: date) -> receipts.ReceiptDraft | None:
    held = holdings(payment)
    parts = []
    # One child may stand with two requests, of two accounts: its part is one all the same.
    by_child = {request.student_id: request for request, _whole in reversed(_requests(payment))}
    for request in reversed(by_child.values()):
        own = [holding for holding in held if holding.student_id == request.student_id]
        shares = tuple(
            billing.Share(h.line_id, request.student_id, h.amount)
            for h in sorted(own, key=lambda h: h.line_id or 0)
            if h.line_id is not None
        )
        rest = Vnd(sum(h.amount.dong for h in own if h.account == chart.CREDIT))
        if shares or rest:
            parts.append((request, billing.Allocation(shares, rest)))
    if not parts:
        return None
    method = Method(payment.method)
    found = drafts.draft_receipts(
        payment.school_id,
        [
            drafts.Matched(
                payment_id=payment.id,
                event_id=event_id,
                method=method,
                payer=payment.payer,
                occurred_at=payment.occurred_at,
                received_on=payment.value_on,
                text=payment.text,
                collected_by=payment.children[0].matched_by if method is Method.CASH else "",
                parts=tuple(parts),
            )
        ],
        today,
    )
    return found[0] if found else None
