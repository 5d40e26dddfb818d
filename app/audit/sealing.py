"""The hash chain over the audit trail, one chain a school and one for the area (school 0)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, insert

from app.audit.models import AuditSeal
from app.core.db import MOMENT, execute, own_school, row, rows
from app.core.model import db

GENESIS = "0" * 64

ROWS = (
    "select id, at, actor, role, action, subject, cause from audit_rows"
    " where coalesce(school_id, 0) = :chain and id > :after and id <= :upto order by id"
)


def row_line(deed: Row[*tuple[Any, ...]]) -> bytes:
    """One deed in the byte form that is hashed; the actor enters only as a hash of its name."""
    at = deed.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    actor = hashlib.sha256(deed.actor.encode()).hexdigest()
    cause = hashlib.sha256(deed.cause.encode()).hexdigest()
    return f"{deed.id}|{at}|{actor}|{deed.role}|{deed.action}|{deed.subject}|{cause}\n".encode()


def block_hash(prev_hash: str, deeds: Iterable[Row[*tuple[Any, ...]]]) -> tuple[str, int]:
    """SHA-256 over the hash before, a line feed, and the lines of the block; with their number."""
    digest = hashlib.sha256(f"{prev_hash}\n".encode())
    count = 0
    for deed in deeds:
        digest.update(row_line(deed))
        count += 1
    return digest.hexdigest(), count


def seal_audit(*, now: datetime) -> int:
    """Seal the unsealed deeds of every chain; returns how many blocks. The caller commits."""
    newest = rows(
        "select coalesce(school_id, 0) as chain, max(id) as last from audit_rows"
        " group by coalesce(school_id, 0) order by 1"
    )
    blocks = 0
    for chain in newest:
        # Deeds are written inside posting transactions, so the posting lock holds them off too.
        own_school(chain.chain)
        last = row(
            "select seq, last_row_id, hash from audit_seals where school_id = :chain"
            " order by seq desc limit 1",
            chain=chain.chain,
        )
        seq, after, prev = (last.seq, last.last_row_id, last.hash) if last else (0, 0, GENESIS)
        upto = row(
            "select max(id) as last from audit_rows where coalesce(school_id, 0) = :chain",
            chain=chain.chain,
        )
        if upto is None or upto.last <= after:
            continue
        block = execute(ROWS, types={"at": MOMENT}, chain=chain.chain, after=after, upto=upto.last)
        digest, count = block_hash(prev, block)
        db.session.execute(
            insert(AuditSeal).values(
                school_id=chain.chain,
                seq=seq + 1,
                last_row_id=upto.last,
                rows=count,
                prev_hash=prev,
                hash=digest,
                sealed_at=now,
            )
        )
        blocks += 1
    return blocks
