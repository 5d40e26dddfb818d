"""A month of 33,000 bills with a bank of our own: how much the machine matches, and how rightly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from app.core import scope
from app.core.db import transaction
from app.money import billing
from bench.ground import EARLY, MONTHS, area
from tests.factories.schools import ACCOUNTANT
from tests.payments.books import ROOMS
from tests.peers.bank_month import AFTERWARDS, imagine, judge, open_bills
from tests.peers.bank_month import run as run_month

SCHOOLS, CHILDREN = 33, 1_000
#: how many transfers a notice is sent of; the statement tells of all
TOLD = 0.2


def run() -> Iterator[dict[str, Any]]:
    """Bills of all schools, a fifth of the transfers told by notices, all by statements."""
    with area(SCHOOLS, CHILDREN) as grounds:
        bills = []
        for ground in grounds:
            with scope.opened(scope.one_school(ground.school.id)), transaction():
                run_id = billing.draft_run(
                    ground.school.id,
                    MONTHS[0],
                    due_on=date(2026, 9, 30),
                    actor=ACCOUNTANT,
                    now=EARLY,
                )
                billing.issue_run(ground.school.id, run_id, actor=ACCOUNTANT, now=EARLY)
            bills += open_bills(ground.school)
        month = imagine(bills, seed=33, told_share=TOLD)
        started = time.perf_counter()
        run_month(month, now=AFTERWARDS)
        seconds = time.perf_counter() - started
        outcome = judge(month)
        with scope.opened(scope.EVERY_SCHOOL):
            broken = [
                invariant.number
                for room in ROOMS
                for invariant in room.INVARIANTS
                if list(invariant.find())
            ]
    yield {
        "name": f"a month of {len(bills)} bills matched by the machine",
        "value": round(outcome.rate, 4),
        "unit": "of readable transfers",
        "reference": outcome.readable,
        "transfers": outcome.transfers,
        "waiting": outcome.waiting,
        "wrong": outcome.wrong,
        "broken invariants": broken,
        "seconds": round(seconds, 1),
        "target": 0.97,
        "ok": outcome.rate >= 0.97 and outcome.wrong == 0 and not broken,
    }
