"""Long work that can be left and found again: a job row, a claim, a heartbeat, a reaper."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock, scope
from app.core.db import execute, row, rows, scalar, transaction
from app.core.model import Model, RowId, UtcDateTime, db

log = logging.getLogger("sothu.jobs")

#: A running job without a sign of life for so long is taken up by another worker.
DEAD_AFTER = timedelta(seconds=60)
MOST_ATTEMPTS = 5


class Job(Model):
    """One piece of background work; `scope` says which school it may write."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    #: the school it works for; NULL for the whole area
    school_id: Mapped[int | None]
    payload: Mapped[str] = mapped_column(Text, default="{}")
    #: queued, running, done, failed
    state: Mapped[str] = mapped_column(String(12), index=True)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(400))


class Heartbeat(Model):
    """The last sign of life of each worker process."""

    __tablename__ = "heartbeats"

    worker: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


Work = Callable[[dict[str, Any]], None]
_kinds: dict[str, Work] = {}


def handles(kind: str) -> Callable[[Work], Work]:
    """Register the function that does jobs of a kind; it may run twice and must not mind."""

    def register(work: Work) -> Work:
        _kinds[kind] = work
        return work

    return register


def enqueue(kind: str, payload: dict[str, Any], *, school_id: int | None, now: datetime) -> int:
    """Write a job in the transaction of its cause; a rollback takes it back. The caller commits."""
    return int(
        scalar(
            "insert into jobs (kind, school_id, payload, state, done, total, attempts, created_at)"
            " values (:kind, :school, :payload, 'queued', 0, 0, 0, :now) returning id",
            kind=kind,
            school=school_id,
            payload=json.dumps(payload, ensure_ascii=False),
            now=now,
        )
    )


def beat(worker: str) -> None:
    """Write a worker's sign of life."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "insert into heartbeats (worker, at) values (:worker, :now)"
            " on conflict (worker) do update set at = excluded.at",
            worker=worker,
            now=clock.now(),
        )


def is_worker_alive() -> bool:
    """Whether any worker gave a sign of life in the last minute."""
    since = clock.now() - DEAD_AFTER
    return bool(scalar("select count(*) from heartbeats where at > :since", since=since))


def reap() -> None:
    """Put jobs of dead workers back in the queue, or give them up after too many tries."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update jobs set state = case when attempts >= :most then 'failed' else 'queued' end"
            " where state = 'running' and heartbeat_at < :dead",
            most=MOST_ATTEMPTS,
            dead=clock.now() - DEAD_AFTER,
        )


def run_one() -> bool:
    """Claim the oldest waiting job and do it; False when none waits."""
    with scope.opened(scope.EVERY_SCHOOL):
        with transaction():
            waiting = row("select id from jobs where state = 'queued' order by id limit 1")
            if waiting is None:
                return False
            claimed = row(
                "update jobs set state = 'running', attempts = attempts + 1, heartbeat_at = :now"
                " where id = :id and state = 'queued' returning id, kind, school_id, payload",
                id=waiting.id,
                now=clock.now(),
            )
        if claimed is None:
            return True
    reach = scope.EVERY_SCHOOL if claimed.school_id is None else scope.one_school(claimed.school_id)
    state, error = "done", None
    with scope.opened(reach):
        try:
            _kinds[claimed.kind](json.loads(claimed.payload) | {"job_id": claimed.id})
        except Exception as failure:  # any fault of one job must not stop the worker
            log.exception("job %s failed", claimed.id)
            db.session.rollback()
            state, error = "failed", f"{type(failure).__name__}: {failure}"[:400]
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update jobs set state = :state, error = :error where id = :id",
            id=claimed.id,
            state=state,
            error=error,
        )
    return True


def progress(job_id: int, done: int, total: int) -> None:
    """Say how far a job is; also its sign of life. The caller commits."""
    execute(
        "update jobs set done = :done, total = :total, heartbeat_at = :now where id = :id",
        id=job_id,
        done=done,
        total=total,
        now=clock.now(),
    )


def waiting() -> int:
    """How many jobs are not finished."""
    return len(rows("select id from jobs where state in ('queued', 'running')"))
