"""What the books must hold at every moment."""

from __future__ import annotations

from app.core import db as database
from app.core.db import execute, rows
from app.core.invariant import Invariant, query
from app.money.ledger.sealing import ENTRIES, GENESIS, TYPES, block_hash

#: Tables whose rows are never changed; each needs its guards on both engines.
APPEND_ONLY = (
    "account_mappings",
    "accounts",
    "audit_rows",
    "audit_seals",
    "cash_deposits",
    "consent_scans",
    "day_closings",
    "declarations",
    "entries",
    "exemption_application_steps",
    "gifts",
    "identity_changes",
    "inbox_notices",
    "inbox_outcomes",
    "invoice_lines",
    "invoice_withdrawals",
    "invoices",
    "item_accounts",
    "ledger_events",
    "matchings",
    "month_steps",
    "movements",
    "paper_changes",
    "paper_decisions",
    "parents_agreements",
    "payment_codes",
    "payment_requests",
    "payments",
    "payout_batches",
    "payout_steps",
    "payouts",
    "photo_consents",
    "photo_withdrawals",
    "receipt_codes",
    "receipt_printings",
    "receipt_voids",
    "receipts",
    "reversals",
    "school_claim_steps",
    "school_claims",
    "seals",
    "statement_findings",
    "statement_rows",
    "statements",
    "till_counts",
    "verification_results",
)


def _chain() -> list[str]:
    """Every block of every school hashed anew."""
    breaches = []
    seals = rows(
        "select school_id, seq, last_entry_id, entries, prev_hash, hash from seals"
        " order by school_id, seq"
    )
    school, after, prev, expected = 0, 0, GENESIS, 1
    for seal in seals:
        if seal.school_id != school:
            school, after, prev, expected = seal.school_id, 0, GENESIS, 1
        block = execute(
            ENTRIES, types=TYPES, school_id=school, after=after, upto=seal.last_entry_id
        )
        digest, count = block_hash(prev, block)
        if (seal.seq, seal.prev_hash, seal.hash, seal.entries) != (expected, prev, digest, count):
            breaches.append(f"school={school}, seal={seal.seq}")
        after, prev, expected = seal.last_entry_id, seal.hash, expected + 1
    return breaches


def _guards() -> list[str]:
    """The triggers that make tables append-only."""
    if database.is_sqlite():
        found = {t.name for t in rows("select name from sqlite_master where type = 'trigger'")}
        wanted = {
            f"guard_{table}_{verb}"
            for table in APPEND_ONLY
            for verb in ("insert", "update", "delete")
        }
    else:
        found = {t.tgname for t in rows("select tgname from pg_trigger where tgenabled <> 'D'")}
        wanted = {
            f"guard_{table}_{verb}" for table in APPEND_ONLY for verb in ("change", "truncate")
        }
    return sorted(wanted - found)


INVARIANTS = [
    query(
        "1",
        "every event has entries, all in its own school",
        "select v.id as event from ledger_events v left join entries e on e.event_id = v.id"
        " group by v.id, v.school_id"
        " having count(e.id) = 0 or min(e.school_id) <> v.school_id"
        " or max(e.school_id) <> v.school_id",
    ),
    query(
        "2",
        "the trial balance of every school is zero",
        "select school_id, sum(balance) as balance from v_account_balance group by school_id"
        " having sum(balance) <> 0",
    ),
    query(
        "3",
        "every amount is above zero and within a thousand thousand million",
        "select id as entry from entries where amount <= 0 or amount > 1000000000000",
    ),
    Invariant("6", "append-only tables carry their guards", _guards),
    Invariant("7", "the hash chain of every school verifies", _chain),
    query(
        "8",
        "a reversal has exactly the opposite entries of its one original",
        "select v.id as reversal from ledger_events v where v.reverses_id is not null"
        " and (select count(*) from entries e where e.event_id = v.id)"
        " <> (select count(*) from entries e join entries o on o.event_id = v.reverses_id"
        "  and o.debit_id = e.credit_id and o.credit_id = e.debit_id and o.amount = e.amount"
        "  and coalesce(o.invoice_line_id, 0) = coalesce(e.invoice_line_id, 0)"
        "  and coalesce(o.student_id, 0) = coalesce(e.student_id, 0)"
        "  where e.event_id = v.id)",
    ),
]
