"""Issuing and voiding numbered papers; the counter is always taken last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.bulk import insert_rows, write_rows
from app.core.db import MOMENT, execute, row, scalar
from app.core.ids import new_check_code
from app.core.model import db
from app.core.money import Vnd
from app.money.receipts.content import (
    ReceiptContent,
    ReceiptDraft,
    SchoolHeader,
    chain_hash,
    content_hash,
)
from app.money.receipts.errors import AlreadyVoid, ReasonTooShort, ReceiptNotFound
from app.money.receipts.models import Receipt, ReceiptCode, ReceiptVoid
from app.people.schools import school_info, wording

SHORTEST_REASON = 10


@dataclass(frozen=True, slots=True)
class IssuedReceipt:
    """A receipt that now has its number."""

    id: int
    payment_id: int
    series: str
    number: int
    amount: Vnd
    check_code: str
    issued_at: datetime


def issue_many(
    school_id: int,
    drafts: Sequence[ReceiptDraft],
    *,
    at: Callable[[], datetime] = clock.now,
    code: Callable[[], str] = new_check_code,
) -> list[IssuedReceipt]:
    """Number papers of one school in the order given.

    Locks the series' counter: call it as the last thing of a transaction. `at` is asked for the
    time only after the lock is held, so that it never runs against the numbers. The caller commits.
    """
    if not drafts:
        return []
    first_moment = at()
    day = clock.local_day(first_moment)
    header = school_info(school_id, day)
    words = wording(school_id, day)
    form = row(
        "select form_number, circular from receipt_forms where kind = 'receipt'"
        " and valid_from <= :day and (valid_to is null or valid_to > :day)"
        " order by valid_from desc limit 1",
        day=day,
    )
    series = f"{header.code}-{day.year % 100:02d}"
    execute(
        "insert into receipt_counters (school_id, series, last_number, last_chain)"
        " values (:school_id, :series, 0, '') on conflict do nothing",
        school_id=school_id,
        series=series,
    )
    counter = row(
        "update receipt_counters set last_number = last_number + :n"
        " where school_id = :school_id and series = :series"
        " returning last_number, last_chain, last_issued_at",
        types={"last_issued_at": MOMENT},
        school_id=school_id,
        series=series,
        n=len(drafts),
    )
    assert counter is not None  # noqa: S101 - the row was made sure of above
    issued_at = max(at(), counter.last_issued_at or datetime.min.replace(tzinfo=UTC))
    school = SchoolHeader(header.name, header.budget_code, header.address, header.parent_name)
    chain, number = counter.last_chain, counter.last_number - len(drafts)
    receipts, codes = [], []
    for draft in drafts:
        previous = f"{number:06d} · {chain[:8].upper()}" if number else ""
        number += 1
        check_code = code()
        content = ReceiptContent(
            form_number=form.form_number if form else "",
            circular=form.circular if form else "",
            school=school,
            series=series,
            number=number,
            book=f"01/{day.year}",
            issued_at=issued_at.isoformat(),
            received_on=draft.received_on.isoformat(),
            occurred_at=draft.occurred_at.isoformat(),
            payer=draft.payer,
            payer_address=draft.payer_address,
            method=draft.method,
            transfer_text=draft.transfer_text,
            reference=draft.reference,
            children=draft.children,
            amount=draft.amount,
            amount_words=words.sentence(draft.amount),
            collected_by=draft.collected_by,
            check_code=check_code,
            previous=previous,
            replaces=draft.replaces_number,
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
        stored = content.canonical()
        digest = content_hash(stored)
        chain = chain_hash(chain, series, number, draft.amount, digest)
        receipts.append(
            {
                "school_id": school_id,
                "kind": draft.kind,
                "series": series,
                "number": number,
                "payment_id": draft.payment_id,
                "event_id": draft.event_id,
                "amount": Vnd(draft.amount),
                "issued_at": issued_at,
                "received_on": draft.received_on,
                "check_code": check_code,
                "content": stored,
                "content_hash": digest,
                "chain": chain,
                "replaces_id": draft.replaces_id,
            }
        )
        codes.append({"check_code": check_code, "school_id": school_id})
    ids = insert_rows(Receipt, receipts)
    write_rows(ReceiptCode, codes)
    execute(
        "update receipt_counters set last_chain = :chain, last_issued_at = :at"
        " where school_id = :school_id and series = :series",
        school_id=school_id,
        series=series,
        chain=chain,
        at=issued_at,
    )
    return [
        IssuedReceipt(
            id=receipt_id,
            payment_id=int(str(values["payment_id"])),
            series=series,
            number=int(str(values["number"])),
            amount=Vnd(draft.amount),
            check_code=str(values["check_code"]),
            issued_at=issued_at,
        )
        for receipt_id, values, draft in zip(ids, receipts, drafts, strict=True)
    ]


def void_receipt(
    school_id: int,
    receipt_id: int,
    *,
    reason: str,
    actor: audit.Actor,
    approved_by: str,
    event_id: int | None,
    now: datetime,
) -> None:
    """Declare a receipt void; number and paper stay (M10).

    Refuses a second void and a reason under ten characters. `event_id` is the reversing entry when
    the money went back. The caller commits.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise ReasonTooShort
    exists = scalar(
        "select count(*) from receipts where school_id = :school_id and id = :id",
        school_id=school_id,
        id=receipt_id,
    )
    if not exists:
        raise ReceiptNotFound
    if scalar(
        "select count(*) from receipt_voids where school_id = :school_id and receipt_id = :id",
        school_id=school_id,
        id=receipt_id,
    ):
        raise AlreadyVoid
    db.session.execute(
        insert(ReceiptVoid).values(
            school_id=school_id,
            receipt_id=receipt_id,
            reason=reason.strip(),
            voided_by=actor.name,
            approved_by=approved_by,
            voided_at=now,
            event_id=event_id,
        )
    )
    audit.record(
        "receipt.void",
        f"receipt:{receipt_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"ledger_event:{event_id}" if event_id else reason.strip(),
    )
