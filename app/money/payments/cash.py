"""Cash at the desk: one payment, one receipt, the form's key kept for ever."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app import audit
from app.core import clock
from app.core.db import for_update, row, rows, scalar, share_school
from app.core.money import ZERO, Vnd
from app.money import billing, receipts
from app.money.ledger import chart
from app.money.payments.errors import (
    AmountTooSmall,
    ForeignLines,
    KeyUsed,
    MoreThanDue,
    NothingToCollect,
    NoTill,
)
from app.money.payments.inbox import keep_notice, settle_notice
from app.money.payments.models import Method, OutcomeState
from app.money.payments.posting import Credit, accept_many
from app.money.payments.queries import owners_of_lines
from app.people.schools import ChannelInfo, Provider, channels_of

PROVIDER = "cash"
#: notes in use, largest first; the smallest one that a desk still gives back
NOTES = (500_000, 200_000, 100_000, 50_000, 20_000, 10_000, 5_000, 2_000, 1_000)
SMALLEST_NOTE = NOTES[-1]


@dataclass(frozen=True, slots=True)
class CashTaken:
    """What a cash payment led to; `is_repeat` when the same form had been sent before."""

    payment_id: int
    amount: Vnd
    given: Vnd
    receipt_ids: tuple[int, ...]
    is_repeat: bool = False

    @property
    def change(self) -> Vnd:
        """What goes back to the payer."""
        return self.given - self.amount


def take_cash(
    school_id: int,
    *,
    requests: Sequence[billing.Request],
    ticked: Sequence[int],
    amount: Vnd,
    given: Vnd,
    payer: str,
    till_id: int,
    key: str,
    keep_rest: bool = False,
    actor: audit.Actor,
    now: datetime,
) -> CashTaken:
    """Collect `amount` in notes for the ticked lines of one or several children; one receipt.

    With `keep_rest` an amount above the ticked lines becomes credit of the last child. Refuses
    nothing to collect, notes below the amount, a line of another child, more than is due without
    `keep_rest`, and a `key` used before for something else; the same key with the same contents
    gives the same answer. Takes the school's posting lock and the payment requests. The caller
    commits.
    """
    if amount <= ZERO or not requests:
        raise NothingToCollect
    if given < amount:
        raise AmountTooSmall
    channel = _cash_channel(school_id, now)
    is_ours = scalar(
        "select count(*) from tills where school_id = :school_id and id = :till",
        school_id=school_id,
        till=till_id,
    )
    if channel is None or not is_ours:
        raise NoTill
    body = json.dumps(
        {
            "amount": amount.dong,
            "given": given.dong,
            "keep_rest": keep_rest,
            "payer": payer,
            "requests": [request.id for request in requests],
            "ticked": list(ticked),
            "till": till_id,
            "user": actor.user_id,
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()
    share_school(school_id)
    notice_id, known = keep_notice(
        provider=PROVIDER,
        channel=channel.public_id,
        external_id=key,
        school_id=school_id,
        raw=body,
        headers={},
        now=now,
    )
    if known is not None:
        return _said_before(school_id, notice_id, body, amount, given)
    _check_lines(school_id, requests, ticked, amount, keep_rest)
    accepted = accept_many(
        school_id,
        [
            Credit(
                provider=PROVIDER,
                channel_id=channel.id,
                external_id=key,
                method=Method.CASH,
                amount=amount,
                occurred_at=now,
                value_on=clock.local_day(now),
                debit=chart.cash(till_id),
                place=f"till:{till_id}",
                proof="till",
                payer=payer.strip()[:120] or None,
                till_id=till_id,
                requests=tuple(requests),
                ticked=tuple(ticked),
                only_ticked=True,
                rule="desk",
            )
        ],
        actor=actor,
        now=now,
    )[0]
    settle_notice(
        notice_id, OutcomeState.POSTED, "matched", payment_id=accepted.payment_id, now=now
    )
    papers = tuple(receipt.id for receipt in accepted.receipts)
    return CashTaken(accepted.payment_id, amount, given, papers)


def _cash_channel(school_id: int, now: datetime) -> ChannelInfo | None:
    found = channels_of(school_id, clock.local_day(now))
    return next((channel for channel in found if channel.provider == Provider.CASH), None)


def _said_before(school_id: int, notice_id: int, body: bytes, amount: Vnd, given: Vnd) -> CashTaken:
    before = row(
        "select p.body, (select max(o.payment_id) from inbox_outcomes o where o.notice_id = n.id)"
        " as payment_id from inbox_notices n join inbox_payloads p on p.notice_id = n.id"
        " where n.id = :id",
        id=notice_id,
    )
    if before is None or bytes(before.body) != body or before.payment_id is None:
        raise KeyUsed
    papers = receipts.receipts_of_payments(school_id, [int(before.payment_id)])
    ids = tuple(paper.id for paper in papers)
    return CashTaken(int(before.payment_id), amount, given, ids, is_repeat=True)


def _check_lines(
    school_id: int,
    requests: Sequence[billing.Request],
    ticked: Sequence[int],
    amount: Vnd,
    keep_rest: bool,
) -> None:
    # Locked before looking: a transfer for the same child may be on its way in.
    rows(
        "select id from payment_requests where school_id = :school_id and id in :ids"
        f" order by id{for_update()}",
        school_id=school_id,
        ids=sorted({request.id for request in requests}),
    )
    still_open: dict[int, Vnd] = {}
    for request in requests:
        if request.school_id != school_id:
            raise ForeignLines
        found = billing.open_lines(
            school_id, [request.student_id], bank_account_id=request.bank_account_id
        )
        still_open |= {line.line_id: line.open for line in found.get(request.student_id, [])}
    owners = owners_of_lines(school_id, ticked)
    allowed = {(request.student_id, request.bank_account_id) for request in requests}
    if any(owners.get(line) not in allowed for line in ticked):
        raise ForeignLines
    needed = Vnd(sum(still_open[line].dong for line in set(ticked) if line in still_open))
    if amount > needed and not keep_rest:
        raise MoreThanDue


def cash_given(school_id: int, payment_id: int) -> Vnd | None:
    """The notes the payer handed over, from the desk's form while it is kept."""
    found = row(
        "select b.body from payments p join channels c on c.school_id = p.school_id"
        " and c.id = p.channel_id join inbox_notices n on n.provider = p.provider"
        " and n.channel = c.public_id and n.external_id = p.external_id"
        " join inbox_payloads b on b.notice_id = n.id"
        " where p.school_id = :school_id and p.id = :id and p.provider = 'cash'",
        school_id=school_id,
        id=payment_id,
    )
    return None if found is None else Vnd(int(json.loads(bytes(found.body))["given"]))


def notes_of(amount: Vnd) -> list[tuple[int, int]]:
    """How to give an amount back: (count, note), largest notes first; a rest below them is left."""
    left = amount.dong
    found = []
    for note in NOTES:
        count, left = divmod(left, note)
        if count:
            found.append((count, note))
    return found


def quick_amounts(amount: Vnd) -> list[Vnd]:
    """What payers usually hand over: the exact sum, then the next round sums of notes."""
    small = Vnd((amount.dong // 50_000 + 1) * 50_000)
    large = Vnd((small.dong // 500_000 + 1) * 500_000)
    if small.dong % 500_000:
        large = Vnd(-(-small.dong // 500_000) * 500_000)
    return [amount, small, large]


def rounded_up(amount: Vnd) -> Vnd:
    """The amount in notes: up to the smallest one in use."""
    return Vnd(-(-amount.dong // SMALLEST_NOTE) * SMALLEST_NOTE)
