"""Drafting and issuing runs: set-based, once, with their ledger entries."""

from __future__ import annotations

import random
from datetime import date, datetime

from app import audit
from app.core import clock
from app.core.db import DAY, MOMENT, execute, for_update, own_school, row, scalar
from app.core.period import Period
from app.money.billing import issuing, queries
from app.money.billing.errors import (
    DueBeforeIssue,
    NoApprovedSchedule,
    NoReceivingAccount,
    NothingToBill,
    RunAlreadyIssued,
    RunNotFound,
)
from app.money.billing.issuing import Issued
from app.money.billing.models import RunKind
from app.people.schools import receiving_account


def draft_run(
    school_id: int, period: Period, *, due_on: date, actor: audit.Actor, now: datetime
) -> int:
    """Open a run for a month, or find the one still in draft, and return its id.

    Refuses a month without approved prices. The caller commits.
    """
    waiting = row(
        "select id from billing_runs where school_id = :school_id and billed_period = :period"
        " and issued_at is null order by seq desc limit 1",
        school_id=school_id,
        period=period.number,
    )
    if waiting is not None:
        execute(
            "update billing_runs set due_on = :due where school_id = :school_id and id = :id",
            school_id=school_id,
            id=waiting.id,
            due=due_on,
        )
        return int(waiting.id)
    approved = scalar(
        "select count(*) from schedule_prices p join fee_schedules f on f.id = p.schedule_id"
        " and f.state = 'approved' where p.school_id = :school_id and p.period = :period",
        school_id=school_id,
        period=period.number,
    )
    if not approved:
        raise NoApprovedSchedule
    run_id = issuing.open_run(
        school_id, period, RunKind.MONTH, due_on=due_on, actor_name=actor.name, now=now
    )
    audit.record(
        "billing_run.draft", f"billing_run:{run_id}", actor=actor, school_id=school_id, now=now
    )
    return run_id


def issue_run(
    school_id: int,
    run_id: int,
    *,
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None = None,
) -> Issued:
    """Give every enrolled child of the school its bill, less what was billed before (M5).

    Refuses a second issue, a day to pay by in the past, a school without a receiving account, and a
    run in which nothing differs. Locks the run and the school's billing. `rng` draws the transfer
    codes; the demo gives its own. The caller commits.
    """
    run = row(
        "select id, billed_period, due_on, issued_at from billing_runs"
        f" where school_id = :school_id and id = :id{for_update()}",
        types={"due_on": DAY, "issued_at": MOMENT},
        school_id=school_id,
        id=run_id,
    )
    if run is None:
        raise RunNotFound
    if run.issued_at is not None:
        raise RunAlreadyIssued
    today = clock.local_day(now)
    if run.due_on < today:
        raise DueBeforeIssue
    account = receiving_account(school_id, today)
    if account is None:
        raise NoReceivingAccount
    # Nobody posts beside a run: it would bill a difference twice, or pay a line twice with credit.
    own_school(school_id)

    period = Period.from_number(int(run.billed_period))
    lines = issuing.lay_out_differences(school_id, queries.months_of_run(school_id, period))
    if not lines:
        raise NothingToBill
    issued = issuing.write(
        school_id, run, account.id, lines, actor_name=actor.name, now=now, rng=rng
    )
    audit.record(
        "billing_run.issue", f"billing_run:{run_id}", actor=actor, school_id=school_id, now=now
    )
    return issued
