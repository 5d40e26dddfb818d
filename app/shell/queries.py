"""What the frame reads of all rooms: what waits for whom, the month in figures, where money is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core.db import DAY, MOMENT, row, rows, scalar
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.money import billing
from app.people.schools.banks import find_bank

#: From this day on the next month's run may be prepared.
NEXT_MONTH_FROM = 20

# What waits


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts of one school's open work, whoever has to do it."""

    #: schedules handed to the principal, and the oldest of them
    submitted: int
    submitted_id: int | None
    submitted_by: str
    submitted_at: datetime | None
    #: schedules still being written
    drafts: int
    #: months with approved prices after the last month issued, oldest first
    months: tuple[Period, ...]
    #: the draft of the first of these months
    run_id: int | None
    #: money whose child is unknown
    unknown: int
    unknown_sum: Vnd
    unknown_since: datetime | None
    #: notices of banks and gateways that a person must look at
    attention: int
    #: children without a class
    unplaced: int
    #: payments to families that wait for their approval
    payouts: int
    #: papers asked to be renewed by somebody else
    papers: int
    #: months the accountant has closed and nobody has signed
    unsigned: int


def waiting(school_id: int, today: date) -> Waiting:
    """Everything that waits in a school, in four queries."""
    last = Period.of(today)
    if today.day >= NEXT_MONTH_FROM:
        last = last.next()
    found = row(
        "select"
        " (select count(*) from fee_schedules f where f.school_id = :school_id"
        "   and f.state = 'submitted') as submitted,"
        " (select count(*) from fee_schedules f where f.school_id = :school_id"
        "   and f.state = 'draft') as drafts,"
        " (select count(*) from v_payment p where p.school_id = :school_id"
        "   and p.state in ('suspense', 'partly_matched')) as unknown,"
        " (select coalesce(-sum(b.balance), 0) from v_account_balance b"
        "   where b.school_id = :school_id and substr(b.account, 1, 9) = 'suspense:')"
        "  as unknown_sum,"
        " (select min(p.received_at) from v_payment p where p.school_id = :school_id"
        "   and p.state in ('suspense', 'partly_matched')) as unknown_since,"
        " (select count(*) from inbox_notices n join inbox_outcomes o on o.notice_id = n.id"
        "   and o.state = 'needs_attention' where n.school_id = :school_id"
        "   and o.id = (select max(l.id) from inbox_outcomes l where l.notice_id = n.id))"
        "  as attention,"
        " (select count(*) from payout_steps t where t.school_id = :school_id and t.step = 'asked'"
        "   and not exists (select 1 from payout_steps l where l.school_id = t.school_id"
        "    and l.payout_id = t.payout_id and l.id > t.id)) as payouts,"
        " (select count(*) from paper_changes c where c.school_id = :school_id"
        "   and not exists (select 1 from paper_decisions d where d.school_id = c.school_id"
        "    and d.change_id = c.id)) as papers,"
        " (select count(*) from month_steps m where m.school_id = :school_id and m.step = 'closed'"
        "   and not exists (select 1 from month_steps l where l.school_id = m.school_id"
        "    and l.period = m.period and l.id > m.id)) as unsigned",
        types={"unknown_since": MOMENT},
        school_id=school_id,
    )
    assert found is not None  # noqa: S101 - aggregates always give a row
    schedule = row(
        "select id, drafted_by, submitted_at from fee_schedules where school_id = :school_id"
        " and state = 'submitted' order by submitted_at, id limit 1",
        types={"submitted_at": MOMENT},
        school_id=school_id,
    )
    months = rows(
        "select sp.period, (select max(d.id) from billing_runs d where d.school_id = :school_id"
        "  and d.billed_period = sp.period) as run_id"
        " from schedule_prices sp join fee_schedules f on f.id = sp.schedule_id"
        "  and f.state = 'approved'"
        " where sp.school_id = :school_id and sp.period <= :last"
        " and not exists (select 1 from billing_runs r where r.school_id = :school_id"
        "  and r.billed_period >= sp.period and r.issued_at is not null)"
        " group by sp.period order by sp.period",
        school_id=school_id,
        last=last.number,
    )
    return Waiting(
        submitted=int(found.submitted),
        submitted_id=schedule.id if schedule else None,
        submitted_by=schedule.drafted_by if schedule else "",
        submitted_at=schedule.submitted_at if schedule else None,
        drafts=int(found.drafts),
        months=tuple(Period.from_number(int(month.period)) for month in months),
        run_id=next((month.run_id for month in months), None),
        unknown=int(found.unknown),
        unknown_sum=Vnd(int(found.unknown_sum)),
        unknown_since=found.unknown_since,
        attention=int(found.attention),
        unplaced=billing.unplaced(school_id, Period.of(today)),
        payouts=int(found.payouts),
        papers=int(found.papers),
        unsigned=int(found.unsigned),
    )


# The month


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a school from the price list to what families pay; states add up to `asked`."""

    children: int
    by_price: Vnd
    by_state: Vnd
    reduced: Vnd
    reduced_children: int
    #: lines for earlier months in this month's bills
    earlier: Vnd
    asked: Vnd
    receipted: Vnd
    account: Vnd
    provider: Vnd
    #: older credit used, less what these bills gave back; may be below zero
    credit: Vnd
    written_off: Vnd
    unpaid: Vnd

    @property
    def states(self) -> list[tuple[str, Vnd]]:
        """The money states with something in them, most proven first."""
        found = [
            ("receipted", self.receipted),
            ("account", self.account),
            ("provider", self.provider),
            ("credit", self.credit),
            ("written_off", self.written_off),
            ("unpaid", self.unpaid),
        ]
        return [(state, sum_) for state, sum_ in found if sum_ or state in ("receipted", "unpaid")]


_MONTH = """
select count(distinct v.student_id) as children,
  coalesce(sum(case when l.service_period = v.billed_period then l.gross else 0 end), 0) as gross,
  coalesce(sum(case when l.service_period = v.billed_period and p.applies_to_all
    then l.reduction else 0 end), 0) as state,
  coalesce(sum(case when l.service_period = v.billed_period and not p.applies_to_all
    then l.reduction else 0 end), 0) as reduced,
  count(distinct case when l.service_period = v.billed_period and l.reduction <> 0
    and not p.applies_to_all then v.student_id end) as reduced_children,
  coalesce(sum(case when l.service_period <> v.billed_period then l.amount else 0 end), 0)
    as earlier,
  coalesce(sum(l.amount), 0) as asked,
  coalesce(sum(case when l.amount < 0 then -l.amount else 0 end), 0) as given_back
from invoices v
join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id
left join exemption_policies p on p.id = l.policy_id
where v.school_id = :school_id and v.billed_period = :period
"""
_PAID = """
select case when other.code = 'credit' then 'credit'
            when other.code = 'write_off' then 'written_off'
            when l.document_kind = 'receipt' then 'receipted'
            when substr(other.code, 1, 9) = 'clearing:' then 'provider'
            else 'account' end as state,
  sum(case when e.credit_id = a.id then e.amount else -e.amount end) as amount
from invoices v
join invoice_lines l on l.school_id = v.school_id and l.invoice_id = v.id
join accounts a on a.school_id = v.school_id and a.code = 'receivable'
join entries e on e.invoice_line_id = l.id and a.id in (e.debit_id, e.credit_id)
join ledger_events k on k.id = e.event_id and k.kind <> 'invoice_issued'
join accounts other on other.id = case when e.debit_id = a.id then e.credit_id else e.debit_id end
where v.school_id = :school_id and v.billed_period = :period
group by 1
"""


def month(school_id: int, period: Period) -> Month:
    """The month's bills and what became of them."""
    billed = row(_MONTH, school_id=school_id, period=period.number)
    assert billed is not None  # noqa: S101 - an aggregate always gives a row
    paid = {
        found.state: int(found.amount)
        for found in rows(_PAID, school_id=school_id, period=period.number)
    }
    asked, given_back = int(billed.asked), int(billed.given_back)
    unpaid = asked + given_back - sum(paid.values())
    return Month(
        children=int(billed.children),
        by_price=Vnd(int(billed.gross)),
        by_state=Vnd(-int(billed.state)),
        reduced=Vnd(-int(billed.reduced)),
        reduced_children=int(billed.reduced_children),
        earlier=Vnd(int(billed.earlier)),
        asked=Vnd(asked),
        receipted=Vnd(paid.get("receipted", 0)),
        account=Vnd(paid.get("account", 0)),
        provider=Vnd(paid.get("provider", 0)),
        credit=Vnd(paid.get("credit", 0) - given_back),
        written_off=Vnd(paid.get("written_off", 0)),
        unpaid=Vnd(unpaid),
    )


@dataclass(frozen=True, slots=True)
class DayIn:
    """Money that came in on one day of the books."""

    day: date
    amount: Vnd


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """A month of money in, with its cashless share by number of payments."""

    days: tuple[DayIn, ...]
    payments: int
    cashless: int
    total: Vnd


def money_in(school_id: int, period: Period) -> MoneyIn:
    """Every day of the month, days without money included.

    Shares count as the reports count them: money whose child is known and that was not returned.
    """
    found = rows(
        "select p.booked_on, sum(p.amount) as amount,"
        " sum(case when v.state in ('matched', 'partly_matched') then 1 else 0 end) as payments,"
        " sum(case when v.state in ('matched', 'partly_matched') and p.method <> 'cash'"
        "  then 1 else 0 end) as cashless"
        " from payments p join v_payment v on v.payment_id = p.id"
        " where p.school_id = :school_id and p.booked_on between :first and :last"
        " group by p.booked_on",
        types={"booked_on": DAY},
        school_id=school_id,
        first=period.first_day,
        last=period.last_day,
    )
    by_day = {day.booked_on: int(day.amount) for day in found}
    days = [
        period.first_day + timedelta(days=offset)
        for offset in range((period.last_day - period.first_day).days + 1)
    ]
    return MoneyIn(
        days=tuple(DayIn(day, Vnd(by_day.get(day, 0))) for day in days),
        payments=sum(int(day.payments) for day in found),
        cashless=sum(int(day.cashless) for day in found),
        total=Vnd(sum(by_day.values())),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """One place that holds money, by the books. `kind` is cash, bank or clearing."""

    kind: str
    name: str
    detail: str
    balance: Vnd


def places(school_id: int) -> list[Place]:
    """Tills, bank accounts and gateways with what the books say is in them."""
    balances: dict[str, Vnd] = {
        account.account: Vnd(int(account.balance))
        for account in rows(
            "select account, balance from v_account_balance where school_id = :school_id"
            " and substr(account, 1, 5) in ('cash:', 'bank:', 'clear')",
            school_id=school_id,
        )
    }
    found: list[Place] = []
    for till in rows(
        "select id, name from tills where school_id = :school_id order by id", school_id=school_id
    ):
        found.append(Place("cash", till.name, "", balances.get(f"cash:{till.id}", ZERO)))
    for account in rows(
        "select id, bank_bin, number from bank_accounts where school_id = :school_id order by id",
        school_id=school_id,
    ):
        bank = find_bank(account.bank_bin)
        name = bank.short_name if bank else account.bank_bin
        found.append(Place("bank", name, account.number, balances.get(f"bank:{account.id}", ZERO)))
    for channel in rows(
        "select id, provider, public_id from channels where school_id = :school_id"
        " and provider not in ('cash', 'sepay') order by id",
        school_id=school_id,
    ):
        found.append(
            Place("clearing", channel.provider, "", balances.get(f"clearing:{channel.id}", ZERO))
        )
    return found


def newest_bank_line(school_id: int) -> datetime | None:
    """When a bank or gateway last told this school of money."""
    found = row(
        "select max(received_at) as at from inbox_notices where school_id = :school_id",
        types={"at": MOMENT},
        school_id=school_id,
    )
    moment: datetime | None = found.at if found else None
    return moment


@dataclass(frozen=True, slots=True)
class ClassSize:
    """A class of today with how many children sit in it."""

    name: str
    children: int


def classes_today(school_id: int, today: date) -> list[ClassSize]:
    """The classes of a school and their children on a day; no money."""
    found = rows(
        "select c.name, count(*) as children from placements p"
        " join classes c on c.school_id = p.school_id and c.id = p.class_id"
        " join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id"
        " where p.school_id = :school_id and p.starts_on <= :today"
        " and (p.ends_on is null or p.ends_on > :today)"
        " and e.starts_on <= :today and (e.ends_on is null or e.ends_on > :today)"
        " group by c.id, c.grade, c.name order by c.grade, c.name",
        school_id=school_id,
        today=today,
    )
    return [ClassSize(size.name, int(size.children)) for size in found]


def month_limits(school_id: int) -> tuple[Period, Period] | None:
    """The first and the last month with an issued run."""
    found: Any = row(
        "select min(billed_period) as first, max(billed_period) as last from billing_runs"
        " where school_id = :school_id and issued_at is not null",
        school_id=school_id,
    )
    if found is None or found.first is None:
        return None
    return Period.from_number(int(found.first)), Period.from_number(int(found.last))


def schema_head() -> str:
    """The migration the database stands at."""
    return str(scalar("select version_num from alembic_version") or "")
