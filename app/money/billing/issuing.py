"""Writing bills: the lines laid out in a table of the transaction, then bills, codes and entries.

Runs over a school, corrections of one child and withdrawals all write in this one way.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app.core import clock
from app.core.db import analyze, dialect, execute, joined_whole, row, rows, scalar
from app.core.ids import new_token
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money import ledger
from app.money.billing import queries
from app.money.billing.allocation import DEFAULT_ORDER, allocate
from app.money.billing.differences import differences_sql
from app.money.billing.models import BillingRun, PaymentCode, PaymentRequest, RunKind
from app.money.billing.reference import new_reference
from app.money.fees.accounts import chosen_accounts
from app.money.ledger.chart import REVENUE_SQL
from app.people.schools import setting


@dataclass(frozen=True, slots=True)
class Issued:
    """What a run issued."""

    run_id: int
    invoices: int
    lines: int
    total: Vnd
    credit_applied: Vnd


def open_run(
    school_id: int,
    period: Period,
    kind: RunKind,
    *,
    due_on: date,
    actor_name: str,
    now: datetime,
) -> int:
    """The next run of a month, still a draft; its id."""
    seq = scalar(
        "select coalesce(max(seq), 0) + 1 from billing_runs where school_id = :school_id"
        " and billed_period = :period",
        school_id=school_id,
        period=period.number,
    )
    return int(
        db.session.scalar(
            insert(BillingRun)
            .values(
                school_id=school_id,
                billed_period=period,
                seq=seq,
                kind=kind,
                due_on=due_on,
                drafted_by=actor_name,
                drafted_at=now,
            )
            .returning(BillingRun.id)
        )
        or 0
    )


def lay_out_differences(
    school_id: int, months: Collection[Period], *, enrolment_id: int | None = None
) -> int:
    """What the rules give less what was billed, of the school or of one stay; how many lines."""
    _open_table()
    one: dict[str, Any] = {} if enrolment_id is None else {"enrolment_id": enrolment_id}
    with nullcontext() if one else joined_whole():
        execute(
            "insert into run_lines (enrolment_id, item_id, service_period, class_name,"
            " schedule_price_id, quantity, price, quantity_before, price_before, percent,"
            " policy_id, subsidy, gross, reduction)"
            f" {differences_sql(dialect(), months, one_enrolment=bool(one))}"
            " select enrolment_id, item_id, service_period, class_name, schedule_price_id,"
            " quantity, price, quantity_before, price_before, percent, policy_id, subsidy, gross,"
            " reduction from differences",
            school_id=school_id,
            **one,
        )
    analyze("run_lines")
    return _counted()


def lay_out_reversal(school_id: int, invoice_id: int) -> int:
    """Everything issued so far for the items and months of a bill, with its sign turned."""
    _open_table()
    execute(
        "insert into run_lines (enrolment_id, item_id, service_period, class_name,"
        " schedule_price_id, quantity, price, quantity_before, price_before, percent, policy_id,"
        " subsidy, gross, reduction)"
        " select l.enrolment_id, l.item_id, l.service_period, max(v.class_name), null, 0, 0, 0, 0,"
        "  0, null, 0, -sum(l.gross), -sum(l.reduction)"
        " from invoices v join invoice_lines o on o.school_id = v.school_id"
        "  and o.invoice_id = v.id"
        " join invoice_lines l on l.school_id = o.school_id and l.enrolment_id = o.enrolment_id"
        "  and l.item_id = o.item_id and l.service_period = o.service_period"
        " where v.school_id = :school_id and v.id = :invoice"
        " group by l.enrolment_id, l.item_id, l.service_period having sum(l.gross) <> 0",
        school_id=school_id,
        invoice=invoice_id,
    )
    return _counted()


def lay_out_lapsed(month: Period) -> int:
    """What lapsed of one month's bills with its sign turned, from the table `lapsed`."""
    _open_table()
    execute(
        "insert into run_lines (enrolment_id, item_id, service_period, class_name,"
        " schedule_price_id, quantity, price, quantity_before, price_before, percent, policy_id,"
        " subsidy, gross, reduction)"
        " select enrolment_id, item_id, service_period, class_name, null, 0, 0, 0, 0, 0, null, 0,"
        "  -gross, -reduction from lapsed where billed_period = :month",
        month=month.number,
    )
    return _counted()


def _open_table() -> None:
    execute(
        "create temporary table run_lines (enrolment_id bigint not null, item_id bigint not null,"
        " service_period bigint not null, class_name varchar(24), schedule_price_id bigint,"
        " quantity bigint not null, price bigint not null, quantity_before bigint not null,"
        " price_before bigint not null, percent bigint not null, policy_id bigint,"
        " subsidy bigint not null, gross bigint not null, reduction bigint not null)"
    )


def _counted() -> int:
    lines = int(scalar("select count(*) from run_lines"))
    if not lines:
        execute("drop table run_lines")
    return lines


def write(
    school_id: int,
    run: Any,
    account_id: int,
    lines: int,
    *,
    actor_name: str,
    now: datetime,
    rng: random.Random | None = None,
    pay_with_credit: bool = True,
) -> Issued:
    """Issue a run from the lines laid out: bills, requests, entries, credit, and its figures.

    `run` has id, billed_period and due_on. Who calls it holds the school's billing.
    """
    today = clock.local_day(now)
    _write_bills(school_id, run, account_id, now)
    _open_requests(school_id, run.id, now, rng)
    execute("drop table run_lines")
    analyze("invoice_lines", grown=lines)
    _post(school_id, run.id, today, now)
    applied = _apply_credit(school_id, run.id, today, now) if pay_with_credit else Vnd(0)
    figures = row(
        "select count(*) as invoices, coalesce(sum(total), 0) as total,"
        " (select count(*) from invoice_lines where school_id = :school_id and run_id = :run)"
        " as lines from invoices where school_id = :school_id and run_id = :run",
        school_id=school_id,
        run=run.id,
    )
    assert figures is not None  # noqa: S101 - an aggregate always gives a row
    execute(
        "update billing_runs set issued_at = :now, issued_by = :actor, invoices = :invoices,"
        " total = :total where school_id = :school_id and id = :run",
        school_id=school_id,
        run=run.id,
        now=now,
        actor=actor_name,
        invoices=figures.invoices,
        total=int(figures.total),
    )
    return Issued(run.id, figures.invoices, figures.lines, Vnd(int(figures.total)), applied)


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
        " document_kind, may_be_debt, is_compulsory, quantity, price, quantity_before,"
        " price_before, gross, percent, policy_id, subsidy, reduction, amount, bank_account_id)"
        " select v.school_id, v.id, v.run_id, r.enrolment_id, r.item_id, r.schedule_price_id,"
        "  r.service_period, row_number() over (partition by v.id"
        "   order by r.service_period desc, i.id), i.name, i.name_en, i.category, i.unit,"
        "  i.legal_act, i.document_kind, i.may_be_debt, i.is_compulsory, r.quantity, r.price,"
        "  r.quantity_before, r.price_before, r.gross, r.percent, r.policy_id, r.subsidy,"
        f"  r.reduction, r.gross - r.reduction, {_account_of(school_id, now)}"
        " from run_lines r"
        " join invoices v on v.school_id = :school_id and v.run_id = :run"
        "  and v.enrolment_id = r.enrolment_id"
        " join fee_items i on i.id = r.item_id order by v.id, r.service_period desc, i.id",
        school_id=school_id,
        run=run.id,
        account=account_id,
    )


def _account_of(school_id: int, now: datetime) -> str:
    """The receiving account of a line as SQL: its item's own, else the parameter :account."""
    own = chosen_accounts(school_id, clock.local_day(now))
    cases = "".join(
        f" when {int(item)} then {int(one.bank_account_id)}" for item, one in sorted(own.items())
    )
    # The type is told: PostgreSQL would take a bare parameter for a text.
    usual = "cast(:account as bigint)"
    return f"case r.item_id{cases} else {usual} end" if cases else usual


def _moment(name: str) -> str:
    return f":{name}" if dialect() == "sqlite" else f"cast(:{name} as timestamp with time zone)"


def _open_requests(school_id: int, run_id: int, now: datetime, rng: random.Random | None) -> None:
    missing = rows(
        "select distinct v.student_id, l.bank_account_id"
        " from invoice_lines l join invoices v on v.id = l.invoice_id"
        " where l.school_id = :school_id and l.run_id = :run and l.amount > 0"
        " and not exists (select 1 from payment_requests q where q.school_id = l.school_id"
        "  and q.student_id = v.student_id and q.bank_account_id = l.bank_account_id)"
        " order by v.student_id, l.bank_account_id",
        school_id=school_id,
        run=run_id,
    )
    if not missing:
        return
    codes = _free_references(len(missing), rng)
    requests = [
        {
            "school_id": school_id,
            "student_id": child.student_id,
            "bank_account_id": child.bank_account_id,
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
            # From the lines to their bills: PostgreSQL knows nothing yet of rows just written, and
            # the other way round it would look through all lines of the school for each bill.
            " from invoice_lines l join invoices v on v.id = l.invoice_id"
            " join fee_items i on i.id = l.item_id"
            " where l.school_id = :school_id and l.run_id = :run"
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
