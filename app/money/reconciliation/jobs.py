"""Long statements are posted behind the page; the work can be left, found again and taken up."""

from __future__ import annotations

from typing import Any

from app import audit
from app.core import clock, jobs, scope
from app.core.db import transaction
from app.money.reconciliation import queries, services
from app.money.reconciliation.services import Posted

POST = "reconciliation.post"
#: from here on posting takes longer than a person should wait at a page
LONG = 1000


def post_all(
    school_id: int, statement_id: int, *, actor: audit.Actor, job_id: int | None = None
) -> Posted:
    """Post everything a statement proves, part by part, each in its own transaction.

    Stopped in between, it goes on where it was: what is posted is posted once.
    """
    total = queries.get_statement(school_id, statement_id).waiting
    done, after = Posted(), 0
    while True:
        with transaction():
            part, after = services.post_next(
                school_id, statement_id, after=after, actor=actor, now=clock.now()
            )
            done = done + part
            if job_id is not None:
                counted = done.matched + done.suspense + done.proofs
                jobs.progress(job_id, min(counted, total), total)
        if not after:
            break
    with transaction():
        now = clock.now()
        done = done + services.post_reversals(school_id, statement_id, actor=actor, now=now)
        return done + services.post_payouts(school_id, statement_id, actor=actor, now=now)


@jobs.handles(POST)
def post_job(payload: dict[str, Any]) -> None:
    """The worker's way in."""
    school_id = scope.current().writable
    assert school_id is not None  # noqa: S101 - enqueued with its school
    actor = audit.Actor(payload["name"], payload["role"], payload["user_id"])
    post_all(school_id, payload["statement_id"], actor=actor, job_id=payload["job_id"])
