"""What a partner may ask and tell; money goes through the one door of payments."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app import audit
from app.core import clock, scope
from app.core.db import DAY, MOMENT, VND, enter_scope, execute, for_update, row, rows, scalar
from app.core.ids import read_student_code
from app.core.money import Vnd
from app.core.text import initials
from app.journeys.api.errors import (
    KeyReused,
    NoSuchBill,
    NoSuchPayment,
    TransactionReused,
)
from app.money import billing, payments
from app.money.billing.reference import read_reference
from app.money.ledger import chart
from app.money.payments import Credit, Method
from app.money.payments.inbox import find_payment, keep_notice, settle_notice
from app.money.payments.models import OutcomeState
from app.people.schools import Provider, get_account, school_info
from app.people.schools.services import open_channel

PROVIDER: Final = "biller"
LARGEST: Final = 10**12


@dataclass(frozen=True, slots=True)
class Partner:
    """A bank or wallet with the key it asked with."""

    id: int
    code: str
    name: str
    key_id: str
    secret: str

    @property
    def actor(self) -> audit.Actor:
        """Who acts, in the books of audit."""
        return audit.Actor(self.name[:120], "partner")


def partner_of_key(key_id: str, now: datetime) -> Partner | None:
    """The partner behind a key that is valid now."""
    found = row(
        "select p.id, p.code, p.name, k.key_id, k.secret from api_keys k"
        " join api_partners p on p.id = k.partner_id where k.key_id = :key"
        " and k.valid_from <= :now and (k.valid_to is null or k.valid_to > :now)"
        " and (p.closed_on is null or p.closed_on > :today)",
        key=key_id[:32],
        now=now,
        today=clock.local_day(now),
    )
    return None if found is None else Partner(*found)


# What is payable


def masked_name(full_name: str) -> str:
    """Nguyễn Minh Khang as N***** M*** K****."""
    return " ".join(f"{word[0]}{'*' * (len(word) - 1)}" for word in full_name.split())


def payable(code: str, today: date) -> list[dict[str, Any]]:
    """The open bills of a pupil's code or of one transfer code; NoSuchBill when there is none.

    Reads over all schools.
    """
    reference = read_reference(code)
    student = read_student_code(code)
    if reference is None and student is None:
        raise NoSuchBill
    where = "q.reference = :code" if reference else "s.code = :code"
    found = rows(
        "select q.id, q.school_id, coalesce(s.merged_into_id, s.id) as student_id,"
        " q.bank_account_id, q.reference, q.token, s.full_name from payment_requests q"
        f" join students s on s.id = q.student_id where {where} order by q.id",
        code=reference or student,
    )
    bills = []
    for one in found:
        request = billing.Request(*one[:6])
        lines = billing.open_lines(
            request.school_id, [request.student_id], bank_account_id=request.bank_account_id
        ).get(request.student_id, [])
        if lines:
            bills.append(_bill(request, str(one.full_name), lines, today))
    if not bills:
        raise NoSuchBill
    return bills


def _bill(
    request: billing.Request, full_name: str, lines: list[billing.OpenLine], today: date
) -> dict[str, Any]:
    school = school_info(request.school_id, today)
    account = get_account(request.school_id, request.bank_account_id)
    return {
        "bill_code": request.reference,
        "amount": sum(line.open.dong for line in lines),
        "currency": "VND",
        "due_on": min(line.due_on for line in lines).isoformat(),
        "reason": f"Khoản thu {school.short_name}, mã {request.reference}",
        "payer": {"initials": initials(full_name), "masked_name": masked_name(full_name)},
        "payee": {
            "school_code": school.code,
            "school_name": school.name,
            "account": {
                "bin": account.bank_bin,
                "number": account.number,
                "holder": account.holder,
            },
        },
    }


# A payment told


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as a partner tells it."""

    transaction_id: str
    bill_code: str
    amount: Vnd
    paid_at: datetime
    payer: str


def school_of_bill(code: str) -> tuple[int, str]:
    """School and stored form of a transfer code; NoSuchBill when it was never given out."""
    reference = read_reference(code)
    school_id = billing.school_of_code(reference) if reference else None
    if reference is None or school_id is None:
        raise NoSuchBill
    return school_id, reference


def accept(
    partner: Partner, told: Told, *, school_id: int, reference: str, raw: bytes, now: datetime
) -> tuple[dict[str, Any], bool]:
    """Book a payment and say what became of it; whether it was booked just now.

    The same transaction again is answered as before; with another bill or amount it is refused.
    Works inside the school's scope. The caller commits.
    """
    channel_id, public_id = _channel(partner, school_id, now)
    notice_id, latest = keep_notice(
        provider=PROVIDER,
        channel=public_id,
        external_id=told.transaction_id,
        school_id=school_id,
        raw=raw,
        headers={},
        now=now,
    )
    known = find_payment(school_id, channel_id, PROVIDER, told.transaction_id)
    if latest is not None or known is not None:
        if known is None:
            raise TransactionReused
        return _same(school_id, known, told, reference), False
    request = billing.requests_by_reference(school_id, [reference])[reference]
    accepted = payments.accept_many(
        school_id,
        [
            Credit(
                provider=PROVIDER,
                channel_id=channel_id,
                external_id=told.transaction_id,
                method=Method.TRANSFER,
                amount=told.amount,
                occurred_at=told.paid_at,
                value_on=clock.local_day(told.paid_at),
                debit=chart.clearing(channel_id),
                place=f"channel:{channel_id}",
                proof="provider",
                text=reference,
                payer=told.payer or None,
                requests=(request,),
            )
        ],
        actor=partner.actor,
        now=now,
    )[0]
    settle_notice(
        notice_id, OutcomeState.POSTED, "matched", payment_id=accepted.payment_id, now=now
    )
    return _payment(school_id, accepted.payment_id, reference), True


def _same(school_id: int, payment_id: int, told: Told, reference: str) -> dict[str, Any]:
    found = _payment(school_id, payment_id, reference)
    paid_for = scalar(
        "select q.reference from v_matching m join payment_requests q on q.school_id = m.school_id"
        " and q.id = m.request_id where m.school_id = :school_id and m.payment_id = :id limit 1",
        school_id=school_id,
        id=payment_id,
    )
    if found["amount"] != told.amount.dong or paid_for != reference:
        raise TransactionReused
    return found


def _payment(school_id: int, payment_id: int, reference: str) -> dict[str, Any]:
    payment = payments.get_payment(school_id, payment_id)
    paper = payment.live_receipt
    return {
        "transaction_id": payment.external_id,
        "bill_code": reference,
        "amount": payment.amount.dong,
        "currency": "VND",
        "state": "reversed" if payment.returned >= payment.amount else "accepted",
        "receipt": None if paper is None else paper.full_number,
        "received_at": payment.received_at.isoformat(),
    }


def _channel(partner: Partner, school_id: int, now: datetime) -> tuple[int, str]:
    """The partner's way in at a school, opened with its first payment there."""
    public_id = f"biller-{partner.code}-{school_id}"
    found = scalar(
        "select id from channels where school_id = :school_id and public_id = :id",
        school_id=school_id,
        id=public_id,
    )
    if found is not None:
        return int(found), public_id
    return (
        open_channel(
            school_id,
            public_id=public_id,
            provider=Provider.BILLER,
            scheme="none",
            opened_on=clock.local_day(now),
            actor=partner.actor,
            now=now,
        ),
        public_id,
    )


# A payment taken back


def reverse(
    partner: Partner, transaction_id: str, reversal_id: str, *, now: datetime
) -> dict[str, Any]:
    """Take a payment of this partner back, whole; the bill is open again, the receipt void.

    The same reversal again changes nothing. NoSuchPayment for any other number. The caller commits.
    """
    found = _find(partner, transaction_id)
    enter_scope(scope.one_school(found.school_id))
    payments.reverse_payment(
        found.school_id,
        found.id,
        amount=Vnd(int(found.amount)),
        kind="bank",
        external_id=reversal_id,
        actor=partner.actor,
        now=now,
    )
    return _payment(found.school_id, found.id, str(found.reference))


_PAYMENTS: Final = (
    "select p.id, p.school_id, p.external_id, p.amount, p.occurred_at, p.received_at, p.booked_on,"
    " c.public_id, n.code as school,"
    " (select min(q.reference) from v_matching m join payment_requests q"
    "   on q.school_id = m.school_id and q.id = m.request_id"
    "   where m.school_id = p.school_id and m.payment_id = p.id) as reference,"
    " v.state from payments p join channels c on c.school_id = p.school_id and c.id = p.channel_id"
    " join schools n on n.id = p.school_id"
    " join v_payment v on v.payment_id = p.id"
    " where p.provider = 'biller' and c.public_id like :partner"
)


def _find(partner: Partner, transaction_id: str) -> Any:
    found = rows(
        f"{_PAYMENTS} and p.external_id = :id",
        partner=f"biller-{partner.code}-%",
        id=transaction_id[:120],
    )
    if len(found) != 1:
        raise NoSuchPayment
    return found[0]


def day_list(partner: Partner, day: date) -> dict[str, Any]:
    """Everything of this partner booked on a day, with its totals, for its own reconciliation."""
    found = rows(
        f"{_PAYMENTS} and p.booked_on = :day order by p.id",
        types={
            "occurred_at": MOMENT,
            "received_at": MOMENT,
            "booked_on": DAY,
            "amount": VND,
        },
        partner=f"biller-{partner.code}-%",
        day=day,
    )
    items = [
        {
            "transaction_id": one.external_id,
            "bill_code": one.reference,
            "school_code": one.school,
            "amount": one.amount.dong,
            "state": "reversed" if one.state in ("reversed", "refunded") else "accepted",
            "paid_at": one.occurred_at.isoformat(),
        }
        for one in found
    ]
    standing = [item for item in items if item["state"] == "accepted"]
    return {
        "date": day.isoformat(),
        "count": len(items),
        "amount": sum(int(item["amount"]) for item in standing),
        "currency": "VND",
        "payments": items,
    }


# Once and only once


def once(
    partner: Partner,
    key: str,
    request_hash: str,
    deed: Callable[[], tuple[dict[str, Any], int]],
    *,
    now: datetime,
) -> tuple[dict[str, Any], int]:
    """Do a deed once under a key: the same request gets the same answer, another is refused.

    A refusal inside the deed keeps nothing, so that it may be put right under the same key. The
    caller commits.
    """
    # Whoever comes second waits here until the first has committed.
    execute(
        "insert into api_answers (partner_id, idempotency_key, request_hash, status, answer,"
        " answered_at) values (:partner, :key, :hash, 0, '', :now) on conflict do nothing",
        partner=partner.id,
        key=key,
        hash=request_hash,
        now=now,
    )
    kept = row(
        "select id, request_hash, status, answer from api_answers where partner_id = :partner"
        f" and idempotency_key = :key{for_update()}",
        partner=partner.id,
        key=key,
    )
    assert kept is not None  # noqa: S101 - written above
    if kept.request_hash != request_hash:
        raise KeyReused
    if kept.status:
        return json.loads(kept.answer), int(kept.status)
    answer, status = deed()
    execute(
        "update api_answers set status = :status, answer = :answer where id = :id",
        id=kept.id,
        status=status,
        answer=json.dumps(answer, ensure_ascii=False),
    )
    return answer, status
