"""Rows of a statement that are payouts leaving the account: by our code, or as a whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app import audit
from app.core.money import Vnd
from app.money.billing import find_references
from app.money.payments.models import Purpose
from app.money.payments.movements import Said, name_debit
from app.money.payouts import queries, services
from app.money.payouts.errors import PayoutNotFound
from app.money.payouts.models import Step, Way
from app.money.payouts.queries import PayoutRow


class RowOut(Protocol):
    """Money out as a statement tells it."""

    @property
    def id(self) -> int:
        """The row."""

    @property
    def amount(self) -> Vnd:
        """What left."""

    @property
    def text(self) -> str:
        """The bank's words."""

    @property
    def ref(self) -> str:
        """The bank's number."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A row and the payout it is."""

    row_id: int
    amount: Vnd
    text: str
    payout: PayoutRow


def find_closings(school_id: int, bank_account_id: int, lines: Sequence[RowOut]) -> list[Closing]:
    """Rows that name exactly one payout of this account with its whole amount, each once."""
    codes = {
        line.id: find_references(f"{line.text} {line.ref}", prefix=services.PREFIX)
        for line in lines
    }
    known = queries.payouts_by_code(school_id, {one for found in codes.values() for one in found})
    if not known:
        return []
    seen = queries.seen_payouts(school_id, [one.id for one in known.values()])
    batches = {
        one.batch_id: queries.get_batch(school_id, one.batch_id)
        for one in known.values()
        if one.batch_id is not None
    }
    found: list[Closing] = []
    for line in lines:
        hits = [known[code] for code in codes[line.id] if code in known]
        if len(hits) != 1:
            continue
        payout = hits[0]
        batch = batches.get(payout.batch_id or 0)
        if (
            payout.id in seen
            or payout.way is not Way.TRANSFER
            or payout.step not in (Step.SENT, Step.PAID)
            or payout.amount != line.amount
            or batch is None
            or batch.bank_account_id != bank_account_id
        ):
            continue
        seen.add(payout.id)
        found.append(Closing(line.id, line.amount, line.text, payout))
    return found


def close_row(
    school_id: int,
    bank_account_id: int,
    closing: Closing,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """The bank did it and the money left. The caller holds the account and commits."""
    services.mark_paid(school_id, [closing.payout.id], actor=actor, now=now)
    name_debit(
        school_id,
        closing.row_id,
        bank_account_id,
        closing.amount,
        Said(Purpose.PAYOUT, closing.payout.id),
        actor=actor,
        now=now,
    )


def batches_of_amount(school_id: int, bank_account_id: int, amount: Vnd) -> list[queries.BatchInfo]:
    """Batches the bank may have booked as one sum: nothing of them was seen, and all is the sum."""
    return [
        one
        for one in queries.list_batches(school_id)
        if one.bank_account_id == bank_account_id
        and one.total == amount
        and _is_whole(school_id, one)
    ]


def _is_whole(school_id: int, batch: queries.BatchInfo) -> bool:
    members = queries.payouts_of_batch(school_id, batch.id)
    if any(one.batch_id != batch.id or one.step not in (Step.SENT, Step.PAID) for one in members):
        return False
    return not queries.seen_payouts(school_id, [one.id for one in members])


def close_batch(
    school_id: int,
    bank_account_id: int,
    batch_id: int,
    row_id: int,
    amount: Vnd,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """A person's word: this row is that whole batch; the movement. The caller commits.

    Refuses a batch of another sum or account, or with rows seen or failed (PayoutNotFound).
    """
    fitting = {one.id for one in batches_of_amount(school_id, bank_account_id, amount)}
    if batch_id not in fitting:
        raise PayoutNotFound
    members = queries.payouts_of_batch(school_id, batch_id)
    services.mark_paid(school_id, [one.id for one in members], actor=actor, now=now)
    return name_debit(
        school_id,
        row_id,
        bank_account_id,
        amount,
        Said(Purpose.PAYOUT_BATCH, batch_id),
        actor=actor,
        now=now,
    )
