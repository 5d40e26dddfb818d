"""Proving the books: every room's invariants, and checkpoints that leave the house."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.audit import invariants as audit_invariants
from app.core.db import rows
from app.core.invariant import Invariant
from app.journeys.between_schools import invariants as between_schools_invariants
from app.journeys.merging import invariants as merging_invariants
from app.journeys.retention import invariants as retention_invariants
from app.journeys.transfers import invariants as transfers_invariants
from app.journeys.year_end import invariants as year_end_invariants
from app.money.billing import invariants as billing_invariants
from app.money.closing import invariants as closing_invariants
from app.money.exemptions import invariants as exemptions_invariants
from app.money.fees import invariants as fees_invariants
from app.money.ledger import invariants as ledger_invariants
from app.money.meals import invariants as meals_invariants
from app.money.payments import invariants as payments_invariants
from app.money.payouts import invariants as payouts_invariants
from app.money.receipts import invariants as receipts_invariants
from app.money.reconciliation import invariants as reconciliation_invariants
from app.people.cards import invariants as cards_invariants
from app.people.lists import invariants as lists_invariants
from app.people.students import invariants as students_invariants
from app.people.verification import invariants as verification_invariants

ROOMS = (
    ledger_invariants,
    audit_invariants,
    students_invariants,
    cards_invariants,
    verification_invariants,
    lists_invariants,
    fees_invariants,
    exemptions_invariants,
    meals_invariants,
    billing_invariants,
    payments_invariants,
    receipts_invariants,
    payouts_invariants,
    reconciliation_invariants,
    closing_invariants,
    between_schools_invariants,
    year_end_invariants,
    merging_invariants,
    transfers_invariants,
    retention_invariants,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One invariant after the question; `breaches` is empty when it holds."""

    number: str
    title: str
    breaches: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.breaches


def all_invariants() -> list[Invariant]:
    """Every invariant of every room."""
    return [invariant for room in ROOMS for invariant in room.INVARIANTS]


def verify(since: Path | None = None) -> list[Finding]:
    """Ask every invariant; with a checkpoint also that nothing before it changed (invariant 5)."""
    findings = [
        Finding(invariant.number, invariant.title, tuple(invariant.find()))
        for invariant in all_invariants()
    ]
    if since is not None:
        title = "the books reproduce the checkpoint"
        findings.append(Finding("5", title, tuple(_compare(since))))
    return findings


def unsealed() -> int:
    """Entries not under a seal yet; rows younger than a minute may be."""
    found = rows(
        "select count(*) as n from entries e where e.id > coalesce((select max(s.last_entry_id)"
        " from seals s where s.school_id = e.school_id), 0)"
    )
    return int(found[0].n)


def write_checkpoint(path: Path) -> int:
    """Write a JSON line for each sealed school; returns how many."""
    found = rows(
        "select s.school_id as school, s.seq, s.last_entry_id,"
        " (select sum(b.entries) from seals b where b.school_id = s.school_id) as entries, s.hash,"
        " (select coalesce(sum(v.balance), 0) from v_account_balance v"
        "  where v.school_id = s.school_id) as trial_balance"
        " from seals s where s.seq = (select max(l.seq) from seals l"
        "  where l.school_id = s.school_id) order by s.school_id"
    )
    lines = [
        json.dumps(
            {
                "school": int(seal.school),
                "seq": int(seal.seq),
                "last_entry_id": int(seal.last_entry_id),
                "entries": int(seal.entries),
                "hash": seal.hash,
                "trial_balance": int(seal.trial_balance),
            }
        )
        for seal in found
    ]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return len(lines)


def _compare(path: Path) -> Sequence[str]:
    breaches = []
    for line in path.read_text("utf-8").splitlines():
        known = json.loads(line)
        found = rows(
            "select s.hash, s.last_entry_id, (select sum(b.entries) from seals b"
            "  where b.school_id = s.school_id and b.seq <= s.seq) as entries"
            " from seals s where s.school_id = :school and s.seq = :seq",
            school=known["school"],
            seq=known["seq"],
        )
        same = found and (found[0].hash, int(found[0].last_entry_id), int(found[0].entries)) == (
            known["hash"],
            known["last_entry_id"],
            known["entries"],
        )
        still_there = rows(
            "select count(*) as n from entries where school_id = :school and id <= :last",
            school=known["school"],
            last=known["last_entry_id"],
        )[0].n
        if not same or int(still_there) != known["entries"]:
            breaches.append(f"school={known['school']}, seq={known['seq']}")
    return breaches
