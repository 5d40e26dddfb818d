"""The books of each school: accounts, events, debit/credit pairs, seals.

Money moves nowhere else. Knows no invoice, no bank and no child: it is given account codes,
amounts and a cause.
"""

from __future__ import annotations

from app.money.ledger.errors import AlreadyReversed, NothingToReverse
from app.money.ledger.queries import (
    Aged,
    Turnover,
    aged,
    balance,
    balances,
    line_balances,
    trial_balance,
    turnovers,
)
from app.money.ledger.sealing import seal_everything, seal_school
from app.money.ledger.services import Event, Pair, post, post_many, post_selected, reverse

__all__ = [
    "Aged",
    "AlreadyReversed",
    "Event",
    "NothingToReverse",
    "Pair",
    "Turnover",
    "aged",
    "balance",
    "balances",
    "line_balances",
    "post",
    "post_many",
    "post_selected",
    "reverse",
    "seal_everything",
    "seal_school",
    "trial_balance",
    "turnovers",
]
