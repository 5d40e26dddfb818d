"""Asking, approving, sending and closing payouts; each movement of money has its entry."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock, jobs
from app.core.bulk import insert_rows
from app.core.db import execute, for_update, own_school, row, rows, scalar, share_school
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.text import ascii_upper, nfc
from app.money import billing, ledger
from app.money.billing.reference import new_reference
from app.money.ledger import chart
from app.money.payments import get_payment, reverse_payment
from app.money.payments.posting import next_id
from app.money.payments.refunds import may_be_sent_back
from app.money.payments.reversals import SetApart
from app.money.payouts import files, queries
from app.money.payouts.errors import (
    BadPayout,
    LineNotOpen,
    MoreThanCredit,
    NothingToSend,
    OwnPayout,
    PayoutNotFound,
    WrongStep,
)
from app.money.payouts.models import Kind, Payout, PayoutBatch, PayoutStep, Step, Way
from app.money.payouts.queries import PayoutRow
from app.people import students
from app.people.schools import get_account
from app.people.schools.banks import find_bank

#: what the text of a payout's transfer begins with, as `HP` begins that of a bill
PREFIX: Final = "TR"
#: the job that tells a card's provider
SEND_CARD: Final = "payouts.send_card"
_LEAST_REASON: Final = 10


@dataclass(frozen=True, slots=True)
class NewPayout:
    """What somebody asks for."""

    kind: Kind
    way: Way
    student_id: int
    amount: Vnd
    reason: str
    bank_bin: str = ""
    account: str = ""
    holder: str = ""
    to_student_id: int | None = None
    payment_id: int | None = None
    #: billed line → what of it is given up
    lines: Mapping[int, int] = field(default_factory=dict)


# Asking


def ask(
    school_id: int,
    wanted: Sequence[NewPayout],
    *,
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None = None,
) -> list[int]:
    """Ask for payouts; their numbers in order. No money moves before somebody approves.

    Refuses what is missing (BadPayout), more than a child's credit with everything asked for it
    before (MoreThanCredit), and a line that is not open. The caller commits.
    """
    own_school(school_id)
    free: dict[int, Vnd] = {}
    for one in wanted:
        _check(school_id, one)
        if one.kind in (Kind.REFUND, Kind.SIBLING):
            if one.student_id not in free:
                free[one.student_id] = _free_credit(school_id, one.student_id)
            if free[one.student_id] < one.amount:
                raise MoreThanCredit(free[one.student_id], one.amount)
            free[one.student_id] = free[one.student_id] - one.amount
        if one.kind is Kind.WRITE_OFF:
            _check_lines(school_id, one.student_id, one.lines, one.amount)
    ids = insert_rows(
        Payout,
        [
            {
                "school_id": school_id,
                "code": _new_code(rng),
                "kind": one.kind,
                "way": one.way,
                "student_id": one.student_id,
                "to_student_id": one.to_student_id,
                "payment_id": one.payment_id,
                "amount": one.amount,
                "bank_bin": one.bank_bin,
                "account": squeezed(one.account),
                "holder": ascii_upper(one.holder).strip()[:120],
                "lines": json.dumps({str(line): dong for line, dong in one.lines.items()}),
                "reason": " ".join(nfc(one.reason).split())[:200],
                "asked_by": actor.name,
                "asked_by_id": actor.user_id,
                "asked_at": now,
            }
            for one in wanted
        ],
    )
    for payout_id in ids:
        _step(school_id, payout_id, Step.ASKED, actor, now)
    return ids


def squeezed(account: str) -> str:
    """An account number as banks write it: capital letters and digits alone."""
    return "".join(sign for sign in account.upper() if sign.isascii() and sign.isalnum())[:24]


def _check(school_id: int, one: NewPayout) -> None:
    if one.amount <= ZERO:
        raise BadPayout(_("Enter a whole number of đồng, for example 500,000."), "amount")
    if len(" ".join(one.reason.split())) < _LEAST_REASON:
        raise BadPayout(
            _("Say why in at least ten letters, so that others understand it later."), "reason"
        )
    if one.way is Way.TRANSFER:
        if find_bank(one.bank_bin) is None:
            raise BadPayout(_("Choose the bank of the account."), "bank_bin")
        if not 6 <= len(squeezed(one.account)) <= 19:
            raise BadPayout(
                _("An account number has 6 to 19 letters and digits. Ask the family again."),
                "account",
            )
        if len(one.holder.split()) < 2:
            raise BadPayout(
                _("Write the whole name of the account's holder as the bank shows it."), "holder"
            )
    if not _is_of_school(school_id, one.student_id):
        raise PayoutNotFound
    if one.kind is Kind.SIBLING and (
        one.to_student_id is None
        or one.to_student_id == one.student_id
        or not _is_of_school(school_id, one.to_student_id)
    ):
        raise BadPayout(_("Choose the brother or sister, who is billed at this school too."), "to")
    if one.way is Way.CARD:
        if one.payment_id is None:
            raise PayoutNotFound
        payment = get_payment(school_id, one.payment_id)
        if not may_be_sent_back(payment) or payment.amount - payment.returned < one.amount:
            raise BadPayout(
                _("No more can go back this way than came by it and is still here."),
                "amount",
            )


def _is_of_school(school_id: int, student_id: int) -> bool:
    return bool(
        scalar(
            "select count(*) from enrolments where school_id = :school_id and student_id = :id",
            school_id=school_id,
            id=student_id,
        )
    )


def _free_credit(school_id: int, student_id: int) -> Vnd:
    """Credit nobody has asked for yet."""
    found = next((c for c in queries.creditors(school_id) if c.student_id == student_id), None)
    return ZERO if found is None else found.credit - found.asked


def _check_lines(school_id: int, student_id: int, lines: Mapping[int, int], amount: Vnd) -> None:
    still_open = {
        line.line_id: line.open.dong
        for line in billing.open_lines(school_id, [student_id]).get(student_id, [])
    }
    if not lines or sum(lines.values()) != amount.dong:
        raise LineNotOpen
    if any(not 0 < dong <= still_open.get(line, 0) for line, dong in lines.items()):
        raise LineNotOpen


def _new_code(rng: random.Random | None) -> str:
    while True:
        code = new_reference(rng, prefix=PREFIX)
        # Asked area-wide: the code alone has to say which payout it is.
        if not scalar("select count(*) from payouts where code = :code", code=code):
            return code


# Deciding


def approve(school_id: int, payout_id: int, *, actor: audit.Actor, now: datetime) -> None:
    """A second person says yes: the money is set apart, so that no bill uses it up meanwhile.

    Credit passed on and a debt given up are booked whole at once. Refuses whoever asked
    (OwnPayout), what was decided before, and credit that is gone. The caller commits.
    """
    payout = _locked(school_id, payout_id, Step.ASKED)
    if payout.asked_by_id == actor.user_id if actor.user_id else payout.asked_by == actor.name:
        raise OwnPayout
    pairs = _pairs(school_id, payout)
    event = ledger.Event("payout_approved", "payout", payout_id, pairs)
    event_id = ledger.post(school_id, event, booked_on=clock.local_day(now), now=now)
    if payout.kind is Kind.SIBLING:
        _apply_credit(school_id, payout, now)
    _step(school_id, payout_id, Step.APPROVED, actor, now, event_id=event_id)
    if payout.way is Way.BOOKS:
        _step(school_id, payout_id, Step.PAID, actor, now)
    if payout.way is Way.CARD:
        jobs.enqueue(SEND_CARD, {"payout_id": payout_id}, school_id=school_id, now=now)


def _pairs(school_id: int, payout: PayoutRow) -> list[ledger.Pair]:
    child = _child_of(payout)
    if payout.kind is Kind.SUPPORT:
        return [ledger.Pair(chart.SUPPORT, chart.SUPPORT_PAYABLE, payout.amount, child)]
    if payout.kind is Kind.WRITE_OFF:
        _hold_child(school_id, child)
        _check_lines(school_id, child, payout.lines, payout.amount)
        return [
            ledger.Pair(chart.WRITE_OFF, chart.RECEIVABLE, Vnd(dong), child, line)
            for line, dong in sorted(payout.lines.items())
        ]
    _must_have(school_id, payout)
    if payout.kind is Kind.REFUND:
        return [ledger.Pair(chart.CREDIT, chart.REFUND_PAYABLE, payout.amount, child)]
    # The entry has one child: two pairs over an account that comes back to zero at once.
    other = payout.to_student_id
    return [
        ledger.Pair(chart.CREDIT, chart.SAME_FAMILY, payout.amount, child),
        ledger.Pair(chart.SAME_FAMILY, chart.CREDIT, payout.amount, other),
    ]


def _must_have(school_id: int, payout: PayoutRow) -> None:
    child = _child_of(payout)
    _hold_child(school_id, child)
    credit = billing.credits_of(school_id, [child]).get(child, ZERO)
    if credit < payout.amount:
        raise MoreThanCredit(credit, payout.amount)


def _child_of(payout: PayoutRow) -> int:
    # Its record may have been joined with another since it was asked for.
    return students.children_behind({payout.student_id})[payout.student_id]


def _hold_child(school_id: int, student_id: int) -> None:
    rows(
        "select id from payment_requests where school_id = :school_id and student_id = :student"
        f" order by id{for_update()}",
        school_id=school_id,
        student=student_id,
    )


def _apply_credit(school_id: int, payout: PayoutRow, now: datetime) -> None:
    """Credit that came to a child pays what it owes."""
    child = payout.to_student_id
    assert child is not None  # noqa: S101 - checked when it was asked for
    _hold_child(school_id, child)
    today = clock.local_day(now)
    allocation = billing.allocate(
        billing.open_lines(school_id, [child]).get(child, []),
        payout.amount,
        order=billing.allocation_order(school_id, today),
    )
    if not allocation.shares:
        return
    pairs = [
        ledger.Pair(chart.CREDIT, chart.RECEIVABLE, s.amount, s.student_id, s.line_id)
        for s in allocation.shares
    ]
    event = ledger.Event("credit_applied", "payout", payout.id, pairs)
    ledger.post(school_id, event, booked_on=today, now=now)


def refuse(
    school_id: int, payout_id: int, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """A second person says no, with a reason. The caller commits."""
    _locked(school_id, payout_id, Step.ASKED)
    _step(school_id, payout_id, Step.REFUSED, actor, now, words=_reason(words))


def withdraw(
    school_id: int, payout_id: int, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """Take back what was asked for, and the money set apart for it, before it is sent.

    A debt given up can be taken up again. Refuses what is on its way. The caller commits.
    """
    reason = _reason(words)
    payout = _locked(school_id, payout_id, Step.ASKED, Step.APPROVED, Step.FAILED, Step.PAID)
    if payout.step is Step.PAID and payout.kind is not Kind.WRITE_OFF:
        raise WrongStep
    if payout.way is Way.CARD and payout.step is not Step.ASKED:
        raise WrongStep
    event_id = None
    if payout.step is not Step.ASKED:
        event_id = ledger.reverse(
            school_id,
            _event_of(school_id, payout_id, Step.APPROVED),
            kind="payout_withdrawn",
            cause_kind="payout",
            cause_id=payout_id,
            booked_on=clock.local_day(now),
            now=now,
        )
    _step(school_id, payout_id, Step.WITHDRAWN, actor, now, words=reason, event_id=event_id)


def _reason(words: str) -> str:
    reason = " ".join(nfc(words).split())[:200]
    if len(reason) < _LEAST_REASON:
        raise BadPayout(
            _("Say why in at least ten letters, so that others understand it later."), "reason"
        )
    return reason


# Sending


def make_batch(
    school_id: int,
    payout_ids: Collection[int],
    bank_account_id: int,
    profile: str,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Order transfers at the bank: the file is kept as it leaves, with its SHA-256.

    Takes approved ones and those the bank could not deliver. Refuses none, anything else, and an
    unknown form. The caller commits.
    """
    own_school(school_id)
    account = get_account(school_id, bank_account_id)
    wanted = sorted(set(payout_ids))
    if not wanted:
        raise NothingToSend
    _hold(school_id, wanted)
    found = queries.payouts_by_id(school_id, wanted)
    if len(found) != len(wanted):
        raise PayoutNotFound
    if any(
        one.step not in (Step.APPROVED, Step.FAILED) or one.way is not Way.TRANSFER for one in found
    ):
        raise WrongStep
    batch_id = next_id("payout_batches")
    file_name, body = files.write(profile, found, account, batch_id, now)
    total = Vnd(sum(one.amount.dong for one in found))
    db.session.execute(
        insert(PayoutBatch).values(
            id=batch_id,
            school_id=school_id,
            bank_account_id=account.id,
            profile=profile,
            row_count=len(found),
            total=total,
            file_name=file_name,
            file_hash=hashlib.sha256(body).hexdigest(),
            body=body,
            made_by=actor.name,
            made_at=now,
        )
    )
    for one in found:
        _step(school_id, one.id, Step.SENT, actor, now, batch_id=batch_id)
    audit.record(
        "payout_batch.make",
        f"payout_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"rows:{len(found)} total:{total.dong}",
    )
    return batch_id


def mark_paid(
    school_id: int,
    payout_ids: Collection[int],
    *,
    words: str = "",
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Rows of a batch the bank says it did; how many were new. The caller commits.

    The money is on its way out until a statement shows it leaving.
    """
    own_school(school_id)
    wanted = sorted(set(payout_ids))
    _hold(school_id, wanted)
    count = 0
    for one in queries.payouts_by_id(school_id, wanted):
        if one.step is Step.PAID:
            continue
        if one.step is not Step.SENT or one.batch_id is None:
            raise WrongStep
        batch = queries.get_batch(school_id, one.batch_id)
        _pay(school_id, one, chart.payout(batch.bank_account_id), words, actor, now)
        count += 1
    return count


def pay_cash(
    school_id: int, payout_id: int, till_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """Notes handed to the family at the desk; refuses a drawer that holds less.

    The caller commits.
    """
    payout = _locked(school_id, payout_id, Step.APPROVED)
    known = scalar(
        "select count(*) from tills where school_id = :school_id and id = :id",
        school_id=school_id,
        id=till_id,
    )
    if payout.way is not Way.CASH or not known:
        raise WrongStep
    drawer = chart.cash(till_id)
    held = ledger.balance(school_id, drawer)
    if held < payout.amount:
        raise MoreThanCredit(held, payout.amount)
    _pay(school_id, payout, drawer, "", actor, now)


def _pay(
    school_id: int,
    payout: PayoutRow,
    money: str,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    step_id = next_id("payout_steps")
    pair = ledger.Pair(_payable(payout), money, payout.amount, _child_of(payout))
    event_id = ledger.post(
        school_id,
        ledger.Event("payout_paid", "payout_step", step_id, [pair]),
        booked_on=clock.local_day(now),
        now=now,
    )
    _step(
        school_id,
        payout.id,
        Step.PAID,
        actor,
        now,
        words=words,
        event_id=event_id,
        step_id=step_id,
    )


def _payable(payout: PayoutRow) -> str:
    return chart.SUPPORT_PAYABLE if payout.kind is Kind.SUPPORT else chart.REFUND_PAYABLE


def mark_failed(
    school_id: int, payout_id: int, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """The bank could not deliver a row, or sent it back: it can be sent again. The caller commits.

    What it had been booked as paid is taken back. Cash that was handed over stays handed over.
    """
    payout = _locked(school_id, payout_id, Step.SENT, Step.PAID)
    if payout.way is not Way.TRANSFER:
        raise WrongStep
    event_id, step_id = None, next_id("payout_steps")
    if payout.step is Step.PAID:
        event_id = ledger.reverse(
            school_id,
            _event_of(school_id, payout_id, Step.PAID),
            kind="payout_failed",
            cause_kind="payout_step",
            cause_id=step_id,
            booked_on=clock.local_day(now),
            now=now,
        )
    _step(
        school_id,
        payout_id,
        Step.FAILED,
        actor,
        now,
        words=" ".join(nfc(words).split())[:200],
        event_id=event_id,
        step_id=step_id,
    )


def take_result(
    school_id: int,
    batch_id: int,
    data: bytes,
    filename: str,
    *,
    actor: audit.Actor,
    now: datetime,
) -> tuple[int, int]:
    """Close the rows of a batch by the bank's own answer; how many were paid and failed.

    Refuses a file that names a row of no batch, another amount, or no outcome, whole. The caller
    commits.
    """
    own_school(school_id)
    members = {one.code: one for one in queries.payouts_of_batch(school_id, batch_id)}
    if not members:
        raise PayoutNotFound
    answers = files.read_result(data, filename, members)
    paid = [one.payout_id for one in answers if one.is_paid]
    count = mark_paid(school_id, paid, words=filename[:80], actor=actor, now=now)
    failed = 0
    for one in answers:
        if not one.is_paid and queries.get_payout(school_id, one.payout_id).step is Step.SENT:
            mark_failed(school_id, one.payout_id, words=one.words, actor=actor, now=now)
            failed += 1
    audit.record(
        "payout_batch.result",
        f"payout_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"sha256:{hashlib.sha256(data).hexdigest()[:16]} paid:{count} failed:{failed}",
    )
    return count, failed


def send_to_card(school_id: int, payout_id: int, *, now: datetime) -> None:
    """The card's provider is about to be told: its event may come before its answer.

    The caller commits.
    """
    _locked(school_id, payout_id, Step.APPROVED)
    _step(school_id, payout_id, Step.SENT, audit.MACHINE, now)


def sent_to_card(school_id: int, payout_id: int, refund_id: str, *, now: datetime) -> None:
    """The provider took the refund; its event books it. The caller commits."""
    own_school(school_id)
    _hold(school_id, [payout_id])
    # Its event may have been quicker.
    if queries.get_payout(school_id, payout_id).step is Step.SENT:
        _step(school_id, payout_id, Step.SENT, audit.MACHINE, now, words=refund_id)


def card_refused(
    school_id: int,
    payout_id: int,
    words: str,
    *,
    now: datetime,
    actor: audit.Actor = audit.MACHINE,
) -> None:
    """The provider said no: nothing left, the money is credit again. The caller commits."""
    _locked(school_id, payout_id, Step.SENT)
    event_id = ledger.reverse(
        school_id,
        _event_of(school_id, payout_id, Step.APPROVED),
        kind="payout_withdrawn",
        cause_kind="payout",
        cause_id=payout_id,
        booked_on=clock.local_day(now),
        now=now,
    )
    _step(school_id, payout_id, Step.REFUSED, actor, now, words=words, event_id=event_id)


def settle_by_hand(
    school_id: int,
    payout_id: int,
    *,
    is_done: bool,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A person's word on a refund whose provider never told us its end. The caller commits.

    Done, it is booked as the provider's answer would; not done, the money is credit again. Refuses
    one whose end is known.
    """
    payout = _locked(school_id, payout_id, Step.SENT)
    if payout.way is not Way.CARD or payout.payment_id is None:
        raise WrongStep
    reason = _reason(words)
    if not is_done:
        card_refused(school_id, payout_id, reason, now=now, actor=actor)
        return
    reverse_payment(
        school_id,
        payout.payment_id,
        amount=payout.amount,
        kind="refund",
        external_id=payout.words or payout.code,
        actor=actor,
        now=now,
    )


def card_payout_of(school_id: int, payment_id: int, amount: Vnd, now: datetime) -> SetApart | None:
    """The refund that was ordered to the card of a payment, if one of this amount is on its way."""
    found = row(
        "select p.id from payouts p join payout_steps t on t.school_id = p.school_id"
        " and t.payout_id = p.id and t.step = 'sent' where p.school_id = :school_id"
        " and p.way = 'card' and p.payment_id = :payment and p.amount = :amount"
        " and not exists (select 1 from payout_steps l where l.school_id = p.school_id"
        "  and l.payout_id = p.id and l.id > t.id) order by p.id limit 1",
        school_id=school_id,
        payment=payment_id,
        amount=amount,
    )
    if found is None:
        return None
    payout = queries.get_payout(school_id, int(found.id))

    def booked(event_id: int) -> None:
        _step(school_id, payout.id, Step.PAID, audit.MACHINE, now, event_id=event_id)

    return SetApart(chart.REFUND_PAYABLE, _child_of(payout), booked)


# Steps


def _hold(school_id: int, payout_ids: Collection[int]) -> None:
    share_school(school_id)
    execute(
        "select id from payouts where school_id = :school_id and id in :ids"
        f" order by id{for_update()}",
        school_id=school_id,
        ids=list(payout_ids) or [0],
    )


def _locked(school_id: int, payout_id: int, *steps: Step) -> PayoutRow:
    own_school(school_id)
    _hold(school_id, [payout_id])
    payout = queries.get_payout(school_id, payout_id)
    if payout.step not in steps:
        raise WrongStep
    return payout


def _event_of(school_id: int, payout_id: int, step: Step) -> int:
    found = row(
        "select event_id from payout_steps where school_id = :school_id and payout_id = :id"
        " and step = :step and event_id is not null order by id desc limit 1",
        school_id=school_id,
        id=payout_id,
        step=str(step),
    )
    if found is None:
        raise WrongStep
    return int(found.event_id)


def _step(
    school_id: int,
    payout_id: int,
    step: Step,
    actor: audit.Actor,
    now: datetime,
    *,
    batch_id: int | None = None,
    event_id: int | None = None,
    words: str = "",
    step_id: int | None = None,
) -> None:
    db.session.execute(
        insert(PayoutStep).values(
            id=step_id or next_id("payout_steps"),
            school_id=school_id,
            payout_id=payout_id,
            step=step,
            batch_id=batch_id,
            event_id=event_id,
            words=words[:200],
            actor=actor.name,
            actor_id=actor.user_id,
            at=now,
        )
    )
    audit.record(
        f"payout.{step}",
        f"payout:{payout_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=words or str(step),
    )
