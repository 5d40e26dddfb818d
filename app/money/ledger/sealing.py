"""The hash chain over the books, in blocks (M3). The byte form is in docs/hash-chain.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert

from app.core.db import DAY, MOMENT, execute, own_school, row, rows, scalar
from app.core.model import db
from app.money.ledger.models import Seal

GENESIS = "0" * 64
BLOCK = 20_000

ENTRIES = (
    "select e.id, e.event_id, v.kind, v.cause_kind, v.cause_id, v.booked_on, v.posted_at,"
    " v.reverses_id, d.code as debit, c.code as credit, e.amount, e.student_id, e.invoice_line_id"
    " from entries e join ledger_events v on v.id = e.event_id"
    " join accounts d on d.id = e.debit_id join accounts c on c.id = e.credit_id"
    " where e.school_id = :school_id and e.id > :after and e.id <= :upto order by e.id"
)
TYPES = {"booked_on": DAY, "posted_at": MOMENT}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block as it was sealed."""

    seq: int
    last_entry_id: int
    entries: int
    hash: str


def entry_line(entry: Row[*tuple[Any, ...]]) -> bytes:
    """One entry in the byte form that is hashed; no personal data, only numbers and words."""
    posted = entry.posted_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = (
        entry.id,
        entry.event_id,
        entry.kind,
        f"{entry.cause_kind}:{entry.cause_id}",
        entry.booked_on.isoformat(),
        posted,
        entry.reverses_id or "",
        entry.debit,
        entry.credit,
        int(entry.amount),
        entry.student_id or "",
        entry.invoice_line_id or "",
    )
    return ("|".join(str(field) for field in fields) + "\n").encode()


def block_hash(prev_hash: str, entries: Iterable[Row[*tuple[Any, ...]]]) -> tuple[str, int]:
    """SHA-256 over the hash before, a line feed, and the lines of the block; with their number."""
    digest = hashlib.sha256(f"{prev_hash}\n".encode())
    count = 0
    for entry in entries:
        digest.update(entry_line(entry))
        count += 1
    return digest.hexdigest(), count


def seal_school(school_id: int, *, now: datetime) -> list[Sealed]:
    """Seal what is unsealed in one school; nothing to seal gives an empty list.

    Takes the school's exclusive lock, so that no lower id can still commit behind it. The caller
    commits.
    """
    own_school(school_id)
    last = row(
        "select seq, last_entry_id, hash from seals where school_id = :school_id"
        " order by seq desc limit 1",
        school_id=school_id,
    )
    seq, after, prev = (last.seq, last.last_entry_id, last.hash) if last else (0, 0, GENESIS)
    newest = int(
        scalar(
            "select coalesce(max(id), 0) from entries where school_id = :school_id",
            school_id=school_id,
        )
    )
    sealed: list[Sealed] = []
    while after < newest:
        upto = scalar(
            "select max(id) from (select id from entries where school_id = :school_id"
            " and id > :after order by id limit :block) as block",
            school_id=school_id,
            after=after,
            block=BLOCK,
        )
        block = execute(ENTRIES, types=TYPES, school_id=school_id, after=after, upto=upto)
        digest, count = block_hash(prev, block)
        seq += 1
        db.session.execute(
            insert(Seal).values(
                school_id=school_id,
                seq=seq,
                last_entry_id=upto,
                entries=count,
                prev_hash=prev,
                hash=digest,
                sealed_at=now,
            )
        )
        sealed.append(Sealed(seq, int(upto), count, digest))
        after, prev = int(upto), digest
    return sealed


def seal_everything(*, now: datetime) -> dict[int, list[Sealed]]:
    """Seal all schools that have unsealed entries. The caller commits."""
    schools = rows(
        "select s.id from schools s where coalesce((select max(e.id) from entries e"
        " where e.school_id = s.id), 0) > coalesce((select max(l.last_entry_id) from seals l"
        " where l.school_id = s.id), 0) order by s.id"
    )
    return {school.id: seal_school(school.id, now=now) for school in schools}
