"""The month of many schools at once: rehearsed, looked at, and issued school by school.

The page only asks; a job does the work, one transaction a school, so that it can be left, found
again and taken up by another worker. A school that cannot be billed says why and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core import clock, jobs, scope
from app.core.db import DAY, MOMENT, MONTH, VND, execute, row, rows, transaction
from app.core.errors import DomainError
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money.billing import services
from app.money.billing.errors import (
    AreaRunBusy,
    AreaRunNotFound,
    DueBeforeIssue,
    NoSchoolTicked,
    RunChanged,
)
from app.money.billing.models import AreaRun
from app.money.billing.preview import preview
from app.people.schools import receiving_account

REHEARSE = "billing.area_rehearse"
ISSUE = "billing.area_issue"
READY, WANTED, ISSUED, NOTHING = "ready", "wanted", "issued", "nothing_to_bill"


@dataclass(frozen=True, slots=True)
class SchoolPart:
    """One school of an area's run."""

    school_id: int
    run_id: int | None
    #: ready, wanted, issued, or the code of what stands in the way
    outcome: str
    invoices: int | None
    total: Vnd | None
    previous: Vnd | None
    unplaced: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class AreaRunPage:
    """An area's run with its schools and the job that works on it."""

    id: int
    period: Period
    due_on: date
    asked_by: str
    asked_at: datetime
    job_state: str
    done: int
    total: int
    parts: dict[int, SchoolPart]

    @property
    def is_working(self) -> bool:
        """Whether a worker is at it or will be."""
        return self.job_state in ("queued", "running")


def ask(
    school_ids: Collection[int],
    period: Period,
    *,
    due_on: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Have the month of these schools rehearsed; the area's run. The caller commits."""
    if due_on < clock.local_day(now):
        raise DueBeforeIssue
    run_id = int(
        db.session.scalar(
            insert(AreaRun)
            .values(billed_period=period, due_on=due_on, asked_by=actor.name, asked_at=now)
            .returning(AreaRun.id)
        )
        or 0
    )
    _enqueue(REHEARSE, run_id, school_ids, actor, now)
    audit.record(
        "area_run.rehearse",
        f"area_run:{run_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"{period} schools:{len(school_ids)}",
    )
    return run_id


def issue(
    area_run_id: int, school_ids: Collection[int], *, actor: audit.Actor, now: datetime
) -> None:
    """Have the rehearsed month issued at these schools. Refuses while a job works on it.

    The caller commits.
    """
    found = get(area_run_id)
    if found.is_working:
        raise AreaRunBusy
    if found.due_on < clock.local_day(now):
        raise DueBeforeIssue
    if not school_ids:
        raise NoSchoolTicked
    _enqueue(ISSUE, area_run_id, school_ids, actor, now)
    audit.record(
        "area_run.issue",
        f"area_run:{area_run_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"{found.period} schools:{len(school_ids)}",
    )


def _enqueue(
    kind: str, run_id: int, school_ids: Collection[int], actor: audit.Actor, now: datetime
) -> None:
    payload = {
        "area_run_id": run_id,
        "school_ids": sorted(school_ids),
        "name": actor.name,
        "role": actor.role,
        "user_id": actor.user_id,
    }
    job_id = jobs.enqueue(kind, payload, school_id=None, now=now)
    execute("update area_runs set job_id = :job where id = :id", job=job_id, id=run_id)


def get(area_run_id: int) -> AreaRunPage:
    """An area's run, else AreaRunNotFound; its schools are those of the scope."""
    found = row(
        "select a.id, a.billed_period as period, a.due_on, a.asked_by, a.asked_at,"
        " coalesce(j.state, 'done') as job_state, coalesce(j.done, 0) as done,"
        " coalesce(j.total, 0) as total from area_runs a left join jobs j on j.id = a.job_id"
        " where a.id = :id",
        types={"period": MONTH, "due_on": DAY, "asked_at": MOMENT},
        id=area_run_id,
    )
    if found is None:
        raise AreaRunNotFound
    readable = scope.current().readable
    within, values = "", dict[str, Any]()
    if readable is not None:
        within, values = " and school_id in :schools", {"schools": sorted(readable)}
    parts = rows(
        "select school_id, run_id, outcome, invoices, total, previous, unplaced, at"
        f" from area_run_schools where area_run_id = :id{within}",
        types={"total": VND, "previous": VND, "at": MOMENT},
        id=area_run_id,
        **values,
    )
    return AreaRunPage(
        **found._asdict(), parts={part.school_id: SchoolPart(*part) for part in parts}
    )


def newest() -> list[tuple[int, Period, str, datetime]]:
    """The last area's runs: number, month, who asked, when."""
    found = rows(
        "select id, billed_period, asked_by, asked_at from area_runs order by id desc limit 12",
        types={"billed_period": MONTH, "asked_at": MOMENT},
    )
    return [(run.id, run.billed_period, run.asked_by, run.asked_at) for run in found]


# The work


@jobs.handles(REHEARSE)
def rehearse(payload: dict[str, Any]) -> None:
    """Preview every school; a second run looks again at all."""
    found = get(payload["area_run_id"])
    for school_id in _each(payload):
        with scope.opened(scope.one_school(school_id)), transaction():
            account = receiving_account(school_id, clock.today())
            seen = preview(school_id, found.period)
            ready = READY if seen.count else NOTHING
            if not _has_prices(school_id, found.period):
                ready = "no_approved_schedule"
            elif account is None:
                ready = "no_receiving_account"
            _keep(
                school_id,
                found.id,
                outcome=ready,
                invoices=seen.count,
                total=seen.current_total,
                previous=seen.previous_total,
                unplaced=seen.unplaced,
            )


@jobs.handles(ISSUE)
def issue_all(payload: dict[str, Any]) -> None:
    """Issue at every school asked for that is not done yet, exactly what was rehearsed."""
    found = get(payload["area_run_id"])
    actor = audit.Actor(payload["name"], payload["role"], payload["user_id"])
    for school_id in _each(payload):
        part = found.parts.get(school_id)
        if part is None or part.outcome == ISSUED:
            continue
        try:
            with scope.opened(scope.one_school(school_id)), transaction():
                _issue_one(school_id, found, part, actor)
        except DomainError as refusal:
            with scope.opened(scope.one_school(school_id)), transaction():
                _keep(school_id, found.id, outcome=refusal.code)


def _issue_one(school_id: int, found: AreaRunPage, part: SchoolPart, actor: audit.Actor) -> None:
    now = clock.now()
    run_id = services.draft_run(school_id, found.period, due_on=found.due_on, actor=actor, now=now)
    issued = services.issue_run(school_id, run_id, actor=actor, now=now)
    if (issued.invoices, issued.total) != (part.invoices, part.total):
        raise RunChanged
    _keep(school_id, found.id, outcome=ISSUED, run_id=run_id, at=now)


def _each(payload: dict[str, Any]) -> Iterator[int]:
    schools = payload["school_ids"]
    for done, school_id in enumerate(schools):
        with _told(payload["job_id"], done, len(schools)):
            yield school_id


@contextmanager
def _told(job_id: int, done: int, total: int) -> Iterator[None]:
    with transaction():
        jobs.progress(job_id, done, total)
    yield
    with transaction():
        jobs.progress(job_id, done + 1, total)


def _has_prices(school_id: int, period: Period) -> bool:
    return bool(
        rows(
            "select p.id from schedule_prices p join fee_schedules f on f.id = p.schedule_id"
            " and f.state = 'approved' where p.school_id = :school_id and p.period = :period"
            " limit 1",
            school_id=school_id,
            period=period.number,
        )
    )


def _keep(school_id: int, area_run_id: int, **values: Any) -> None:
    names = list(values)
    execute(
        f"insert into area_run_schools (school_id, area_run_id, {', '.join(names)})"
        f" values (:school_id, :area_run, {', '.join(':' + name for name in names)})"
        " on conflict (school_id, area_run_id) do update set "
        + ", ".join(f"{name} = excluded.{name}" for name in names),
        school_id=school_id,
        area_run=area_run_id,
        **values,
    )
