"""Posting: the only writers of entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app.core.bulk import insert_rows, write_rows
from app.core.db import execute, is_sqlite, row, rows, share_school
from app.core.model import db
from app.core.money import Vnd
from app.money.ledger.errors import AlreadyReversed, NothingToReverse
from app.money.ledger.models import Entry, LedgerEvent


@dataclass(frozen=True, slots=True)
class Pair:
    """`amount` (> 0) moves from the account `credit` to the account `debit`, by their codes."""

    debit: str
    credit: str
    amount: Vnd
    student_id: int | None = None
    invoice_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A business event with its cause, `cause_kind:cause_id`, and its pairs."""

    kind: str
    cause_kind: str
    cause_id: int
    pairs: Sequence[Pair]


def post(school_id: int, event: Event, *, booked_on: date, now: datetime) -> int:
    """Book one event and return its id. Takes the school's posting lock. The caller commits."""
    return post_many(school_id, [event], booked_on=booked_on, now=now)[0]


def post_many(
    school_id: int, events: Sequence[Event], *, booked_on: date, now: datetime
) -> list[int]:
    """Book events of one school and return their ids in the same order.

    Refuses an event without pairs and an amount that is not above zero. Takes the school's posting
    lock, shared, so that the sealer never meets half-written books. The caller commits.
    """
    if not events:
        return []
    for event in events:
        if not event.pairs or any(pair.amount.dong <= 0 for pair in event.pairs):
            raise ValueError(f"event {event.kind} needs pairs with amounts above zero")
    share_school(school_id)
    accounts = _accounts(
        school_id, {code for e in events for p in e.pairs for code in (p.debit, p.credit)}
    )
    ids = insert_rows(
        LedgerEvent,
        [
            {
                "school_id": school_id,
                "kind": event.kind,
                "cause_kind": event.cause_kind,
                "cause_id": event.cause_id,
                "booked_on": booked_on,
                "posted_at": now,
                "reverses_id": None,
            }
            for event in events
        ],
    )
    write_rows(
        Entry,
        [
            {
                "school_id": school_id,
                "event_id": event_id,
                "debit_id": accounts[pair.debit],
                "credit_id": accounts[pair.credit],
                "amount": pair.amount,
                "student_id": pair.student_id,
                "invoice_line_id": pair.invoice_line_id,
            }
            for event_id, event in zip(ids, events, strict=True)
            for pair in event.pairs
        ],
    )
    return ids


def post_selected(
    school_id: int,
    *,
    kind: str,
    cause_kind: str,
    source: str,
    parameters: Mapping[str, Any],
    booked_on: date,
    now: datetime,
) -> int:
    """Book what a SELECT yields, rows never leaving the database; returns how many entries.

    `source` gives columns cause_id, debit, credit (account codes), amount, student_id,
    invoice_line_id; rows with amount 0 are skipped. One event per cause. The caller commits.
    """
    share_school(school_id)
    execute(
        "create temporary table posting (cause_id bigint not null, debit varchar(60) not null,"
        " credit varchar(60) not null, amount bigint not null, student_id bigint,"
        " invoice_line_id bigint)"
    )
    execute(
        "insert into posting (cause_id, debit, credit, amount, student_id, invoice_line_id)"
        f" select * from ({source}) as source where amount <> 0",
        **parameters,
    )
    booked = _book_posting(school_id, kind, cause_kind, booked_on, now)
    # After an error the rollback takes the table away; a drop would hide the error on PostgreSQL.
    execute("drop table posting")
    return booked


def _book_posting(
    school_id: int, kind: str, cause_kind: str, booked_on: date, now: datetime
) -> int:
    codes = rows("select debit as code from posting union select credit from posting")
    if not codes:
        return 0
    _accounts(school_id, {found.code for found in codes})
    execute(
        "insert into ledger_events (school_id, kind, cause_kind, cause_id, booked_on, posted_at)"
        " select distinct cast(:school_id as bigint), cast(:kind as varchar(40)),"
        " cast(:cause_kind as varchar(40)), cause_id,"
        f" {_as('booked_on', 'date')}, {_as('now', 'timestamp with time zone')}"
        " from posting order by cause_id",
        school_id=school_id,
        kind=kind,
        cause_kind=cause_kind,
        booked_on=booked_on,
        now=now,
    )
    result = execute(
        "insert into entries (school_id, event_id, debit_id, credit_id, amount, student_id,"
        " invoice_line_id)"
        " select v.school_id, v.id, d.id, c.id, p.amount, p.student_id, p.invoice_line_id"
        " from posting p"
        " join ledger_events v on v.school_id = :school_id and v.kind = :kind"
        "  and v.cause_kind = :cause_kind and v.cause_id = p.cause_id"
        " join accounts d on d.school_id = v.school_id and d.code = p.debit"
        " join accounts c on c.school_id = v.school_id and c.code = p.credit"
        " order by v.id, p.invoice_line_id",
        school_id=school_id,
        kind=kind,
        cause_kind=cause_kind,
    )
    return int(result.rowcount)


def _as(name: str, kind: str) -> str:
    # SQLite would turn a cast to date into the number of the year.
    return f":{name}" if is_sqlite() else f"cast(:{name} as {kind})"


def reverse(
    school_id: int,
    event_id: int,
    *,
    kind: str,
    cause_kind: str,
    cause_id: int,
    booked_on: date,
    now: datetime,
) -> int:
    """Take a whole event back by opposite entries; returns the new event's id.

    Refuses an event that was taken back before (AlreadyReversed) or is not of this school
    (NothingToReverse). The caller commits.
    """
    share_school(school_id)
    original = row(
        "select id, (select r.id from ledger_events r where r.school_id = v.school_id"
        " and r.reverses_id = v.id) as reversed_by"
        " from ledger_events v where v.school_id = :school_id and v.id = :id",
        school_id=school_id,
        id=event_id,
    )
    if original is None:
        raise NothingToReverse
    if original.reversed_by is not None:
        raise AlreadyReversed
    new_id = db.session.scalar(
        insert(LedgerEvent)
        .values(
            school_id=school_id,
            kind=kind,
            cause_kind=cause_kind,
            cause_id=cause_id,
            booked_on=booked_on,
            posted_at=now,
            reverses_id=event_id,
        )
        .returning(LedgerEvent.id)
    )
    execute(
        "insert into entries (school_id, event_id, debit_id, credit_id, amount, student_id,"
        " invoice_line_id)"
        " select school_id, :new, credit_id, debit_id, amount, student_id, invoice_line_id"
        " from entries where school_id = :school_id and event_id = :old order by id",
        school_id=school_id,
        new=new_id,
        old=event_id,
    )
    return int(new_id or 0)


def _accounts(school_id: int, codes: Iterable[str]) -> dict[str, int]:
    wanted = sorted(set(codes))
    found = _find_accounts(school_id, wanted)
    missing = [code for code in wanted if code not in found]
    if missing:
        # On PostgreSQL two posters may open the same account at once: the second finds it open.
        quietly = "" if is_sqlite() else " on conflict do nothing"
        for code in missing:
            execute(
                "insert into accounts (school_id, code) values (:school_id, :code)" + quietly,
                school_id=school_id,
                code=code,
            )
        found = _find_accounts(school_id, wanted)
    return found


def _find_accounts(school_id: int, codes: Sequence[str]) -> dict[str, int]:
    found = rows(
        "select code, id from accounts where school_id = :school_id and code in :codes",
        school_id=school_id,
        codes=list(codes),
    )
    return {account.code: account.id for account in found}
