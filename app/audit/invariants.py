"""What the audit trail must hold."""

from __future__ import annotations

from app.audit.sealing import GENESIS, ROWS, block_hash
from app.core.db import MOMENT, execute, rows
from app.core.invariant import Invariant


def _chain() -> list[str]:
    breaches = []
    seals = rows(
        "select school_id, seq, last_row_id, rows, prev_hash, hash from audit_seals"
        " order by school_id, seq"
    )
    chain, after, prev, expected = -1, 0, GENESIS, 1
    for seal in seals:
        if seal.school_id != chain:
            chain, after, prev, expected = seal.school_id, 0, GENESIS, 1
        block = execute(ROWS, types={"at": MOMENT}, chain=chain, after=after, upto=seal.last_row_id)
        digest, count = block_hash(prev, block)
        if (seal.seq, seal.prev_hash, seal.hash, seal.rows) != (expected, prev, digest, count):
            breaches.append(f"chain={chain}, seal={seal.seq}")
        after, prev, expected = seal.last_row_id, seal.hash, expected + 1
    return breaches


INVARIANTS = [Invariant("7a", "the hash chain of the audit trail verifies", _chain)]
