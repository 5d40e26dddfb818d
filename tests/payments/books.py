"""What must hold after everything a test did with money."""

from __future__ import annotations

from app.core import scope
from app.money.billing import invariants as billing_invariants
from app.money.closing import invariants as closing_invariants
from app.money.ledger import invariants as ledger_invariants
from app.money.payments import invariants as payments_invariants
from app.money.payouts import invariants as payouts_invariants
from app.money.receipts import invariants as receipts_invariants
from app.money.reconciliation import invariants as reconciliation_invariants

ROOMS = (
    ledger_invariants,
    billing_invariants,
    payments_invariants,
    receipts_invariants,
    payouts_invariants,
    reconciliation_invariants,
    closing_invariants,
)


def assert_school_holds(school_id: int) -> None:
    """The same invariants, asked of one school's rows: cheap enough to follow every deed."""
    with scope.opened(scope.one_school(school_id)):
        breaches = {
            f"{room.__name__} {invariant.number}": found
            for room in ROOMS
            for invariant in room.INVARIANTS
            if invariant.sql and (found := list(invariant.find_in(school_id)))
        }
    assert breaches == {}


def assert_books_hold() -> None:
    """Every invariant of ledger, billing, payments and receipts, asked of the whole database."""
    with scope.opened(scope.EVERY_SCHOOL):
        breaches = {
            f"{room.__name__} {invariant.number}": found
            for room in ROOMS
            for invariant in room.INVARIANTS
            if (found := list(invariant.find()))
        }
    assert breaches == {}
