"""Drafting and issuing runs: set-based, once, with their ledger entries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import (
    DAY,
    MOMENT,
    analyze,
    dialect,
    execute,
    for_update,
    own_school,
    row,
    rows,
    scalar,
)
from app.core.ids import new_token
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money import ledger
from app.money.billing import queries
from app.money.billing.allocation import DEFAULT_ORDER, allocate
from app.money.billing.differences import differences_sql
from app.money.billing.errors import (
    DueBeforeIssue,
    NoApprovedSchedule,
    NoReceivingAccount,
    NothingToBill,
    RunAlreadyIssued,
    RunNotFound,
)
from app.money.billing.models import BillingRun, PaymentCode, PaymentRequest
from app.money.billing.reference import new_reference
from app.money.ledger.chart import REVENUE_SQL
from app.people.schools import receiving_account, setting


@dataclass(frozen=True, slots=True)
class Issued:
    """What a run issued."""

    run_id: int
    invoices: int
    lines: int
    total: Vnd
    credit_applied: Vnd


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
    seq = scalar(
        "select coalesce(max(seq), 0) + 1 from billing_runs where school_id = :school_id"
        " and billed_period = :period",
        school_id=school_id,
        period=period.number,
    )
    run_id = int(
        db.session.scalar(
            insert(BillingRun)
            .values(
                school_id=school_id,
                billed_period=period,
                seq=seq,
                due_on=due_on,
                drafted_by=actor.name,
                drafted_at=now,
            )
            .returning(BillingRun.id)
        )
        or 0
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
    _lay_out_lines(school_id, queries.months_of_run(school_id, period))
    lines = int(scalar("select count(*) from run_lines"))
    if not lines:
        execute("drop table run_lines")
        raise NothingToBill
    _write_bills(school_id, run, account.id, now)
    _open_requests(school_id, run_id, account.id, now, rng)
    execute("drop table run_lines")
    analyze("invoice_lines", grown=lines)
    _post(school_id, run_id, today, now)
    applied = _apply_credit(school_id, run_id, today, now)

    figures = row(
        "select count(*) as invoices, coalesce(sum(total), 0) as total,"
        " (select count(*) from invoice_lines where school_id = :school_id and run_id = :run)"
        " as lines from invoices where school_id = :school_id and run_id = :run",
        school_id=school_id,
        run=run_id,
    )
    assert figures is not None  # noqa: S101 - an aggregate always gives a row
    execute(
        "update billing_runs set issued_at = :now, issued_by = :actor, invoices = :invoices,"
        " total = :total where school_id = :school_id and id = :run",
        school_id=school_id,
        run=run_id,
        now=now,
        actor=actor.name,
        invoices=figures.invoices,
        total=int(figures.total),
    )
    audit.record(
        "billing_run.issue", f"billing_run:{run_id}", actor=actor, school_id=school_id, now=now
    )
    return Issued(run_id, figures.invoices, figures.lines, Vnd(int(figures.total)), applied)


def _lay_out_lines(school_id: int, months: list[Period]) -> None:
    execute(
        "create temporary table run_lines (enrolment_id bigint not null, item_id bigint not null,"
        " service_period bigint not null, class_name varchar(24), schedule_price_id bigint,"
        " quantity bigint not null, price bigint not null, percent bigint not null,"
        " policy_id bigint, gross bigint not null, reduction bigint not null)"
    )
    execute(
        "insert into run_lines (enrolment_id, item_id, service_period, class_name,"
        " schedule_price_id, quantity, price, percent, policy_id, gross, reduction)"
        f" {differences_sql(dialect(), months)}"
        " select enrolment_id, item_id, service_period, class_name, schedule_price_id, quantity,"
        " price, percent, policy_id, gross, reduction from differences",
        school_id=school_id,
    )
    analyze("run_lines")


def _write_bills(school_id: int, run: Any, account_id: int, now: datetime) -> None:
    execute(
        "insert into invoices (school_id, enrolment_id, student_id, class_name, run_id,"
        " billed_period, seq, total, due_on, issued_at)"
        " select e.school_id, e.id, coalesce(s.merged_into_id, s.id),"
        "  coalesce(r.class_name, (select v.class_name from invoices v"
        "   where v.school_id = e.school_id and v.enrolment_id = e.id order by v.id desc limit 1)),"
        "  b.id, b.billed_period,"
        "  1 + (select count(*) from invoices v where v.school_id = e.school_id"
        "   and v.enrolment_id = e.id and v.billed_period = b.billed_period),"
        f"  r.total, b.due_on, {_moment('now')}"
        " from (select enrolment_id, max(class_name) as class_name, sum(gross - reduction) as total"
        "  from run_lines group by enrolment_id) r"
        " join enrolments e on e.id = r.enrolment_id and e.school_id = :school_id"
        " join billing_runs b on b.school_id = e.school_id and b.id = :run"
        " join students s on s.id = e.student_id"
        " order by r.class_name, s.sort_key",
        school_id=school_id,
        run=run.id,
        now=now,
    )
    analyze("invoices", grown=int(scalar("select count(distinct enrolment_id) from run_lines")))
    execute(
        "insert into invoice_lines (school_id, invoice_id, run_id, enrolment_id, item_id,"
        " schedule_price_id, service_period, position, name, name_en, category, unit, legal_act,"
        " document_kind, may_be_debt, is_compulsory, quantity, price, gross, percent, policy_id,"
        " reduction, amount, bank_account_id)"
        " select v.school_id, v.id, v.run_id, r.enrolment_id, r.item_id, r.schedule_price_id,"
        "  r.service_period, row_number() over (partition by v.id"
        "   order by r.service_period desc, i.id), i.name, i.name_en, i.category, i.unit,"
        "  i.legal_act, i.document_kind, i.may_be_debt, i.is_compulsory, r.quantity, r.price,"
        "  r.gross, r.percent, r.policy_id, r.reduction, r.gross - r.reduction, :account"
        " from run_lines r"
        " join invoices v on v.school_id = :school_id and v.run_id = :run"
        "  and v.enrolment_id = r.enrolment_id"
        " join fee_items i on i.id = r.item_id order by v.id, r.service_period desc, i.id",
        school_id=school_id,
        run=run.id,
        account=account_id,
    )


def _moment(name: str) -> str:
    return f":{name}" if dialect() == "sqlite" else f"cast(:{name} as timestamp with time zone)"


def _open_requests(
    school_id: int, run_id: int, account_id: int, now: datetime, rng: random.Random | None
) -> None:
    missing = rows(
        "select distinct v.student_id from invoices v"
        " where v.school_id = :school_id and v.run_id = :run and v.enrolment_id in"
        "  (select r.enrolment_id from run_lines r where r.gross > r.reduction)"
        " and not exists (select 1 from payment_requests q where q.school_id = v.school_id"
        "  and q.student_id = v.student_id and q.bank_account_id = :account)"
        " order by v.student_id",
        school_id=school_id,
        run=run_id,
        account=account_id,
    )
    if not missing:
        return
    codes = _free_references(len(missing), rng)
    requests = [
        {
            "school_id": school_id,
            "student_id": child.student_id,
            "bank_account_id": account_id,
            "reference": code,
            "token": new_token(rng),
            "opened_at": now,
        }
        for child, code in zip(missing, codes, strict=True)
    ]
    db.session.execute(insert(PaymentRequest), requests)
    db.session.execute(
        insert(PaymentCode),
        [
            {key: request[key] for key in ("reference", "token", "school_id")}
            for request in requests
        ],
    )


def _free_references(wanted: int, rng: random.Random | None) -> list[str]:
    """Codes never used in the area; a clash is drawn again."""
    free: dict[str, None] = {}
    while len(free) < wanted:
        drawn = [new_reference(rng) for _ in range(wanted - len(free))]
        taken: set[str] = set()
        for start in range(0, len(drawn), 500):
            taken |= {
                found.reference
                for found in rows(
                    "select reference from payment_codes where reference in :drawn",
                    drawn=drawn[start : start + 500],
                )
            }
        free.update(dict.fromkeys(code for code in drawn if code not in taken))
    return list(free)


def _post(school_id: int, run_id: int, today: date, now: datetime) -> None:
    revenue = REVENUE_SQL.format(line="l", item="i")
    booked = ledger.post_selected(
        school_id,
        kind="invoice_issued",
        cause_kind="invoice",
        source=(
            "select v.id as cause_id,"
            f" case when l.amount > 0 then 'receivable' else {revenue} end as debit,"
            f" case when l.amount > 0 then {revenue} else 'credit' end as credit,"
            " abs(l.amount) as amount, v.student_id, l.id as invoice_line_id"
            " from invoices v join invoice_lines l"
            "  on l.school_id = v.school_id and l.invoice_id = v.id"
            " join fee_items i on i.id = l.item_id"
            " where v.school_id = :school_id and v.run_id = :run"
        ),
        parameters={"school_id": school_id, "run": run_id},
        booked_on=today,
        now=now,
    )
    analyze("entries", "ledger_events", grown=booked)


def _apply_credit(school_id: int, run_id: int, today: date, now: datetime) -> Vnd:
    """Existing credit pays the new lines by a ledger entry (M6)."""
    credits = queries.credits_of(school_id)
    billed = {
        found.student_id: found.id
        for found in rows(
            "select student_id, max(id) as id from invoices where school_id = :school_id"
            " and run_id = :run group by student_id",
            school_id=school_id,
            run=run_id,
        )
    }
    children = [child for child in credits if child in billed and credits[child].dong > 0]
    events = []
    applied = 0
    order = allocation_order(school_id, today)
    for start in range(0, len(children), 500):
        chunk = children[start : start + 500]
        open_now = queries.open_lines(school_id, chunk)
        for child in chunk:
            shares = allocate(open_now.get(child, []), credits[child], order=order).shares
            if shares:
                pairs = [
                    ledger.Pair("credit", "receivable", s.amount, s.student_id, s.line_id)
                    for s in shares
                ]
                events.append(ledger.Event("credit_applied", "invoice", billed[child], pairs))
                applied += sum(share.amount.dong for share in shares)
    ledger.post_many(school_id, events, booked_on=today, now=now)
    return Vnd(applied)


def allocation_order(school_id: int, day: date) -> tuple[str, ...]:
    """The school's order of allocation on a day (M8)."""
    value = setting(school_id, "allocation_order", day)
    return tuple(value.split(",")) if value else DEFAULT_ORDER
