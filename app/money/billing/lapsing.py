"""Voluntary lines nobody paid by their last day lapse: taken back whole, never a debt (M8).

An offer nobody took is no debt. The line is turned by a note of its month, the family's yes ends
with it, and neither waits for a person. Money that comes later is the child's credit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from app import audit
from app.core import clock
from app.core.db import execute, own_school, row, rows
from app.core.money import Vnd
from app.core.period import Period
from app.money import ledger
from app.money.billing import issuing
from app.money.billing.models import RunKind
from app.people.schools import receiving_account, setting

#: what is transferred on the last day may be told on the next working day
GRACE_DAYS: Final = 3
_GRACE: Final = "voluntary_lapse_days"

# A child's item and month lapses as a whole: nothing of it was paid, and nothing of it went to
# whom it is collected for.
_LAPSED = """
with lines as (
  select l.id, l.enrolment_id, l.item_id, l.service_period, l.gross, l.reduction, l.amount,
         v.billed_period, v.due_on, v.class_name
  from invoice_lines l join invoices v on v.school_id = l.school_id and v.id = l.invoice_id
  where l.school_id = :school_id and not l.may_be_debt and not l.is_compulsory
),
still_open as (
  select e.invoice_line_id as line_id,
         sum(case when e.debit_id = a.id then e.amount else -e.amount end) as amount
  from lines l join entries e on e.school_id = :school_id and e.invoice_line_id = l.id
  join accounts a on a.school_id = e.school_id and a.id in (e.debit_id, e.credit_id)
   and a.code = 'receivable'
  group by e.invoice_line_id
)
select l.enrolment_id, l.item_id, l.service_period, max(l.billed_period) as billed_period,
       max(l.class_name) as class_name, sum(l.gross) as gross, sum(l.reduction) as reduction
from lines l left join still_open o on o.line_id = l.id
group by l.enrolment_id, l.item_id, l.service_period
having sum(l.amount) > 0 and sum(coalesce(o.amount, 0)) = sum(l.amount)
 and max(l.due_on) < :last_day
 and not exists (select 1 from passed_on g join passed_on_batches t
  on t.school_id = g.school_id and t.id = g.batch_id and t.cancelled_at is null
  where g.school_id = :school_id and g.enrolment_id = l.enrolment_id
  and t.item_id = l.item_id and t.service_period = l.service_period)
"""

_MONTH_BEFORE = "case when {0} % 100 = 1 then {0} - 89 else {0} - 1 end"


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What lapsed in one go: children and lines, and what is asked for no longer."""

    notes: int
    lines: int
    amount: Vnd


NOTHING: Final = Lapsed(0, 0, Vnd(0))


def last_day_open(due_on: date, school_id: int) -> date:
    """The last day on which a voluntary line with a day to pay by still stands."""
    return due_on + timedelta(days=grace_days(school_id, due_on))


def grace_days(school_id: int, day: date) -> int:
    """Days a voluntary line stands after its day to pay by: the school's own, else three."""
    value = setting(school_id, _GRACE, day)
    return int(value) if value and value.isdigit() else GRACE_DAYS


def lapse(school_id: int, *, actor: audit.Actor, now: datetime) -> Lapsed:
    """Take back every voluntary line whose last day is over and of which nothing was paid.

    A school with no receiving account, or nothing to lapse, is left alone. Holds the school's
    billing and postings. The caller commits.
    """
    today = clock.local_day(now)
    account = receiving_account(school_id, today)
    last_day = today - timedelta(days=grace_days(school_id, today))
    wanted: dict[str, Any] = {"school_id": school_id, "last_day": last_day}
    if account is None or row(f"{_LAPSED} limit 1", **wanted) is None:
        return NOTHING
    own_school(school_id)
    execute(
        "create temporary table lapsed (enrolment_id bigint not null, item_id bigint not null,"
        " service_period bigint not null, billed_period bigint not null, class_name varchar(24),"
        " gross bigint not null, reduction bigint not null)"
    )
    execute(f"insert into lapsed {_LAPSED}", **wanted)
    _end_choices(school_id)
    months = [
        int(found.billed_period)
        for found in rows("select distinct billed_period from lapsed order by billed_period")
    ]
    done = NOTHING
    for month in months:
        issued = _take_back(school_id, Period.from_number(month), account.id, actor, now)
        done = Lapsed(
            done.notes + issued.invoices, done.lines + issued.lines, done.amount - issued.total
        )
    execute("drop table lapsed")
    return done


def _take_back(
    school_id: int, month: Period, account_id: int, actor: audit.Actor, now: datetime
) -> issuing.Issued:
    today = clock.local_day(now)
    run_id = issuing.open_run(
        school_id, month, RunKind.LAPSE, due_on=today, actor_name=actor.name, now=now
    )
    run = row(
        "select id, billed_period, due_on from billing_runs where school_id = :school_id"
        " and id = :id",
        school_id=school_id,
        id=run_id,
    )
    lines = issuing.lay_out_lapsed(month)
    issued = issuing.write(
        school_id, run, account_id, lines, actor_name=actor.name, now=now, pay_with_credit=False
    )
    # What the note gives closes what was open of the same item and month, and nothing else.
    ledger.post_selected(
        school_id,
        kind="credit_applied",
        cause_kind="invoice",
        source=(
            "select n.invoice_id as cause_id, 'credit' as debit, 'receivable' as credit,"
            " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as amount,"
            " v.student_id, l.id as invoice_line_id"
            " from invoice_lines n join invoices v on v.school_id = n.school_id"
            "  and v.id = n.invoice_id"
            " join invoice_lines l on l.school_id = n.school_id"
            "  and l.service_period = n.service_period and l.enrolment_id = n.enrolment_id"
            "  and l.item_id = n.item_id and l.amount > 0"
            " join entries e on e.school_id = l.school_id and e.invoice_line_id = l.id"
            " join accounts a on a.school_id = e.school_id and a.code = 'receivable'"
            "  and a.id in (e.debit_id, e.credit_id)"
            " where n.school_id = :school_id and n.run_id = :run"
            " group by n.invoice_id, v.student_id, l.id"
        ),
        parameters={"school_id": school_id, "run": run_id},
        booked_on=today,
        now=now,
    )
    audit.record(
        "billing_run.lapse",
        f"billing_run:{run_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{month}: {issued.lines} lines",
    )
    return issued


def _end_choices(school_id: int) -> None:
    """The yes ends before the month that lapsed; later months that stand keep one of their own."""
    touched = (
        "c.school_id = :school_id and exists (select 1 from lapsed x"
        " where x.enrolment_id = c.enrolment_id and x.item_id = c.item_id"
        " and c.first_period <= x.service_period"
        " and (c.last_period is null or c.last_period >= x.service_period))"
    )
    execute(
        "insert into fee_choices (school_id, enrolment_id, item_id, first_period, last_period,"
        " source, chosen_on)"
        " select c.school_id, c.enrolment_id, c.item_id, min(k.service_period), c.last_period,"
        "  c.source, c.chosen_on from fee_choices c"
        " join (select l.enrolment_id, l.item_id, l.service_period from invoice_lines l"
        "  where l.school_id = :school_id and not l.may_be_debt and not l.is_compulsory"
        "  group by l.enrolment_id, l.item_id, l.service_period having sum(l.amount) > 0) k"
        "  on k.enrolment_id = c.enrolment_id and k.item_id = c.item_id"
        "  and (c.last_period is null or k.service_period <= c.last_period)"
        " where k.service_period > (select max(x.service_period) from lapsed x"
        "   where x.enrolment_id = c.enrolment_id and x.item_id = c.item_id)"
        f" and {touched}"
        " group by c.id, c.school_id, c.enrolment_id, c.item_id, c.last_period, c.source,"
        "  c.chosen_on",
        school_id=school_id,
    )
    first = (
        "(select min(x.service_period) from lapsed x where x.enrolment_id = c.enrolment_id"
        " and x.item_id = c.item_id and x.service_period >= c.first_period)"
    )
    execute(
        f"update fee_choices as c set last_period = {_MONTH_BEFORE.format(first)} where {touched}",
        school_id=school_id,
    )
