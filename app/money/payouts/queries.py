"""Reading payouts: what waits for whom, the batches, and children who have credit."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.core.db import MOMENT, VND, in_chunks, row, rows
from app.core.money import Vnd
from app.money import billing
from app.money.payouts.errors import PayoutNotFound
from app.money.payouts.models import Kind, Step, Way
from app.people.schools.banks import find_bank


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout with its state."""

    id: int
    code: str
    kind: Kind
    way: Way
    student_id: int
    student_code: str
    full_name: str
    to_student_id: int | None
    to_name: str | None
    payment_id: int | None
    amount: Vnd
    bank_bin: str
    account: str
    holder: str
    lines: dict[int, int]
    reason: str
    asked_by: str
    asked_by_id: int | None
    asked_at: datetime
    step: Step
    words: str
    actor: str
    at: datetime
    batch_id: int | None

    @property
    def bank(self) -> str:
        """The bank by the name people know."""
        found = find_bank(self.bank_bin)
        return found.short_name if found else self.bank_bin


_PAYOUT: Final = (
    "select p.id, p.code, p.kind, p.way, p.student_id, s.code as student_code, s.full_name,"
    " p.to_student_id, o.full_name as to_name, p.payment_id, p.amount, p.bank_bin, p.account,"
    " p.holder, p.lines, p.reason, p.asked_by, p.asked_by_id, p.asked_at, t.step, t.words,"
    " t.actor, t.at, (select max(b.batch_id) from payout_steps b where b.school_id = p.school_id"
    "  and b.payout_id = p.id) as batch_id"
    " from payouts p join students s on s.id = p.student_id"
    " left join students o on o.id = p.to_student_id"
    " join payout_steps t on t.school_id = p.school_id and t.payout_id = p.id and t.id = (select"
    "  max(l.id) from payout_steps l where l.school_id = p.school_id and l.payout_id = p.id)"
    " where p.school_id = :school_id"
)


def list_payouts(school_id: int, *steps: Step, limit: int = 500) -> list[PayoutRow]:
    """Payouts in one of these states, the oldest first."""
    return _payouts(
        school_id,
        " and t.step in :steps order by p.id limit :limit",
        steps=[str(step) for step in steps],
        limit=limit,
    )


def settled_payouts(school_id: int, *, limit: int = 60) -> list[PayoutRow]:
    """Payouts nothing more happens to, the newest first."""
    done = [str(step) for step in (Step.PAID, Step.REFUSED, Step.WITHDRAWN)]
    return _payouts(
        school_id, " and t.step in :steps order by t.id desc limit :limit", steps=done, limit=limit
    )


def get_payout(school_id: int, payout_id: int) -> PayoutRow:
    """One payout of the school, or PayoutNotFound."""
    found = _payouts(school_id, " and p.id = :id", id=payout_id)
    if not found:
        raise PayoutNotFound
    return found[0]


def payouts_by_id(school_id: int, payout_ids: Collection[int]) -> list[PayoutRow]:
    """Some payouts of the school, in the order of their numbers."""
    return [
        one
        for chunk in in_chunks(payout_ids)
        for one in _payouts(school_id, " and p.id in :ids order by p.id", ids=chunk)
    ]


def payouts_by_code(school_id: int, codes: Collection[str]) -> dict[str, PayoutRow]:
    """Payouts of the school by the code in their transfer."""
    return {
        one.code: one
        for chunk in in_chunks(codes)
        for one in _payouts(school_id, " and p.code in :codes", codes=chunk)
    }


def payouts_of_batch(school_id: int, batch_id: int) -> list[PayoutRow]:
    """The payouts that stood in a batch, whatever became of them."""
    return _payouts(
        school_id,
        " and p.id in (select b.payout_id from payout_steps b where b.school_id = :school_id"
        "  and b.batch_id = :batch) order by p.id",
        batch=batch_id,
    )


def seen_payouts(school_id: int, payout_ids: Collection[int]) -> set[int]:
    """Those that a row of a statement closed."""
    return {
        int(one.id)
        for chunk in in_chunks(payout_ids)
        for one in rows(
            "select target_id as id from v_movement where school_id = :school_id"
            " and purpose = 'payout' and target_id in :ids"
            " union select t.payout_id from v_movement m join payout_steps t"
            "  on t.school_id = m.school_id and t.batch_id = m.target_id"
            "  where m.school_id = :school_id and m.purpose = 'payout_batch'"
            "  and t.payout_id in :ids",
            school_id=school_id,
            ids=chunk,
        )
    }


def _payouts(school_id: int, where: str, **parameters: Any) -> list[PayoutRow]:
    found = rows(
        _PAYOUT + where,
        types={"amount": VND, "asked_at": MOMENT, "at": MOMENT},
        school_id=school_id,
        **parameters,
    )
    return [
        PayoutRow(
            **{
                **one._asdict(),
                "kind": Kind(one.kind),
                "way": Way(one.way),
                "step": Step(one.step),
                "lines": {int(line): dong for line, dong in json.loads(one.lines).items()},
            }
        )
        for one in found
    ]


# Batches


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """An order to the bank, with how many of its rows are closed."""

    id: int
    bank_account_id: int
    account_number: str
    profile: str
    row_count: int
    total: Vnd
    file_name: str
    file_hash: str
    made_by: str
    made_at: datetime
    #: rows that still wait for the bank's answer
    open_count: int


_BATCH: Final = (
    "select b.id, b.bank_account_id, a.number as account_number, b.profile, b.row_count, b.total,"
    " b.file_name, b.file_hash, b.made_by, b.made_at, (select count(*) from payout_steps t"
    "  where t.school_id = b.school_id and t.batch_id = b.id and t.step = 'sent'"
    "  and not exists (select 1 from payout_steps l where l.school_id = t.school_id"
    "   and l.payout_id = t.payout_id and l.id > t.id)) as open_count"
    " from payout_batches b join bank_accounts a on a.school_id = b.school_id"
    "  and a.id = b.bank_account_id where b.school_id = :school_id"
)


def list_batches(school_id: int, *, limit: int = 30) -> list[BatchInfo]:
    """The batches of the school, the newest first."""
    return _batches(school_id, " order by b.id desc limit :limit", limit=limit)


def get_batch(school_id: int, batch_id: int) -> BatchInfo:
    """One batch of the school, or PayoutNotFound."""
    found = _batches(school_id, " and b.id = :id", id=batch_id)
    if not found:
        raise PayoutNotFound
    return found[0]


def batch_file(school_id: int, batch_id: int) -> bytes:
    """The file of a batch, as it left."""
    found = row(
        "select body from payout_batches where school_id = :school_id and id = :id",
        school_id=school_id,
        id=batch_id,
    )
    if found is None:
        raise PayoutNotFound
    return bytes(found.body)


def _batches(school_id: int, where: str, **parameters: Any) -> list[BatchInfo]:
    found = rows(
        _BATCH + where,
        types={"total": VND, "made_at": MOMENT},
        school_id=school_id,
        **parameters,
    )
    return [BatchInfo(**{**one._asdict(), "open_count": int(one.open_count)}) for one in found]


# Credit


@dataclass(frozen=True, slots=True)
class Creditor:
    """A child the school owes money to."""

    student_id: int
    code: str
    full_name: str
    class_name: str
    credit: Vnd
    #: of it, asked for already and not yet approved
    asked: Vnd
    #: still here at the school
    is_enrolled: bool


def creditors(school_id: int) -> list[Creditor]:
    """Children with credit, those who left first: their next bill will never use it up."""
    credit = {child: amount for child, amount in billing.credits_of(school_id).items() if amount}
    asked = {
        int(one.student_id): int(one.amount)
        for one in rows(
            "select p.student_id, sum(p.amount) as amount from payouts p join payout_steps t"
            " on t.school_id = p.school_id and t.payout_id = p.id"
            " where p.school_id = :school_id and p.kind in ('refund', 'sibling')"
            " and t.id = (select max(l.id) from payout_steps l where l.school_id = p.school_id"
            "  and l.payout_id = p.id) and t.step = 'asked' group by p.student_id",
            school_id=school_id,
        )
    }
    found = [
        Creditor(
            one.id,
            one.code,
            one.full_name,
            one.class_name or "",
            credit[one.id],
            Vnd(asked.get(one.id, 0)),
            bool(one.is_enrolled),
        )
        for chunk in in_chunks(credit)
        for one in rows(
            "select s.id, s.code, s.full_name, s.sort_key, (select c.name from enrolments e"
            "  join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
            "  join classes c on c.school_id = p.school_id and c.id = p.class_id"
            "  where e.school_id = :school_id and e.student_id = s.id"
            "  order by p.starts_on desc, p.id desc limit 1) as class_name,"
            " (select count(*) from enrolments e where e.school_id = :school_id"
            "  and e.student_id = s.id and e.ends_on is null) as is_enrolled"
            " from students s where s.id in :ids order by s.sort_key",
            school_id=school_id,
            ids=chunk,
        )
        if credit[one.id].dong > 0
    ]
    return sorted(found, key=lambda one: one.is_enrolled)


def last_account(school_id: int, student_id: int) -> tuple[str, str, str]:
    """Bank, number and holder a payout of this child went to before; empty where none did."""
    found = row(
        "select bank_bin, account, holder from payouts where school_id = :school_id"
        " and student_id = :student and way = 'transfer' order by id desc limit 1",
        school_id=school_id,
        student=student_id,
    )
    return ("", "", "") if found is None else (found.bank_bin, found.account, found.holder)
