"""Posting a batch of transfers against the same transfers one by one, each its own commit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from app import audit
from app.core.db import rows, transaction
from app.core.money import Vnd
from app.money import billing
from app.money.payments.models import Method
from app.money.payments.posting import Credit, accept_many
from bench.ground import EARLY, MONTHS, Ground, standing
from tests.factories.schools import ACCOUNTANT

CHILDREN = 600


def _transfers(ground: Ground) -> list[Credit]:
    requests = rows(
        "select reference, student_id from payment_requests where school_id = :school_id"
        " order by id",
        school_id=ground.school.id,
    )
    still_open = billing.open_lines(ground.school.id, [r.student_id for r in requests])
    account = ground.school.account_id
    return [
        Credit(
            provider="sepay",
            channel_id=ground.school.channel_id,
            external_id=str(n),
            method=Method.TRANSFER,
            amount=Vnd(sum(line.open.dong for line in still_open[request.student_id])),
            occurred_at=EARLY,
            value_on=date(2026, 9, 3),
            debit=f"bank:{account}",
            place=str(account),
            proof="account",
            text=f"MBVCB.{n}.{request.reference}.CT tu 0123456789",
            bank_account_id=account,
        )
        for n, request in enumerate(requests)
    ]


def _accept(ground: Ground, credits: Sequence[Credit], size: int) -> float:
    started = time.perf_counter()
    for start in range(0, len(credits), size):
        with transaction():
            accepted = accept_many(
                ground.school.id, credits[start : start + size], actor=audit.MACHINE, now=EARLY
            )
        assert all(one.receipts for one in accepted)
    return len(credits) / (time.perf_counter() - started)


def run() -> Iterator[dict[str, Any]]:
    """Half of the children's transfers as one batch, the other half one by one."""
    with standing(CHILDREN) as ground:
        with transaction():
            run_id = billing.draft_run(
                ground.school.id,
                MONTHS[0],
                due_on=date(2026, 9, 30),
                actor=ACCOUNTANT,
                now=EARLY,
            )
            billing.issue_run(ground.school.id, run_id, actor=ACCOUNTANT, now=EARLY)
        credits = _transfers(ground)
        half = len(credits) // 2
        batch = _accept(ground, credits[:half], half)
        single = _accept(ground, credits[half:], 1)
    yield {
        "name": "transfers posted as one batch against one by one, receipts included",
        "value": round(batch),
        "unit": "transfers/s",
        "reference": round(single),
        "ratio": round(batch / single, 1),
        "target": 4.0,
        "ok": batch / single >= 4.0,
    }
