"""Long lists are rehearsed and taken behind the page; it can be left and found again."""

from __future__ import annotations

from typing import Any

from app import audit
from app.core import clock, jobs, scope
from app.core.db import scalar, transaction
from app.people.lists import services

REHEARSE = "lists.rehearse"
TAKE = "lists.take"
#: from here on the work takes longer than a person should wait at a page
LONG = 3000


def _school() -> int:
    school_id = scope.current().writable
    assert school_id is not None  # noqa: S101 - these jobs are enqueued with their school
    return school_id


def _actor(payload: dict[str, Any]) -> audit.Actor:
    return audit.Actor(payload["name"], payload["role"], payload["user_id"])


def _begin(payload: dict[str, Any]) -> int:
    total = int(
        scalar(
            "select new + changed + unchanged + doubtful + refused from list_imports"
            " where school_id = :school_id and id = :id",
            school_id=_school(),
            id=payload["import_id"],
        )
        or payload["rows"]
    )
    with transaction():
        jobs.progress(payload["job_id"], 0, total)
    return total


@jobs.handles(REHEARSE)
def rehearse(payload: dict[str, Any]) -> None:
    """Rehearse one list; a second run gives the same."""
    total = _begin(payload)
    with transaction():
        services.rehearse_import(
            _school(), payload["import_id"], actor=_actor(payload), now=clock.now()
        )
        jobs.progress(payload["job_id"], total, total)


@jobs.handles(TAKE)
def take(payload: dict[str, Any]) -> None:
    """Take one list, all or nothing; taken twice, the second run finds it done."""
    total = _begin(payload)
    if services.is_taken(_school(), payload["import_id"]):
        return
    with transaction():
        services.take_import(
            _school(),
            payload["import_id"],
            opening=payload["opening"],
            actor=_actor(payload),
            now=clock.now(),
        )
        jobs.progress(payload["job_id"], total, total)
