"""The schools of an area side by side: one query a figure, whatever the number of schools.

Payments count in the month they were booked (M17) and only as far as their child is known. Without
cash is every method but cash; cash that the school banks later stays cash. A payment that went back
whole counts nowhere, a part that went back is taken off the value.
"""

from __future__ import annotations

from collections.abc import Collection as Numbers
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.core import clock, scope
from app.core.db import DAY, rows
from app.core.money import ZERO, Vnd, total_of
from app.core.period import Period
from app.journeys.reports.queries.sql import FLOWS, LIVE_MATCHING
from app.people.schools import SchoolInfo, schools_under

#: The area's aim for parents who pay without cash, in percent.
TARGET_PERCENT = 80
#: Months in the small line.
TREND_MONTHS = 6
#: A bank line nobody knows is worth a question after so many days, or when there are so many.
OLD_LINE_DAYS = 7
MANY_LINES = 10
#: Receipts of cash voided in one month that are worth a question.
MANY_VOIDS = 3
#: Fewer families than this make a rate that says nothing about a trend.
ENOUGH_FAMILIES = 20


@dataclass(frozen=True, slots=True)
class Reason:
    """Why to ask a school: `unbilled`, `no_channel`, `books`, `unmatched`, `voids`, `below`,
    `falling`; with the figures its sentence needs."""

    kind: str
    figures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthOfPayments:
    """What families of a school paid in a month, and how."""

    families: int = 0
    cashless_families: int = 0
    amount: Vnd = ZERO
    cashless_amount: Vnd = ZERO

    @property
    def percent(self) -> float | None:
        """Families without cash, for drawing only; None when nobody paid."""
        return 100 * self.cashless_families / self.families if self.families else None

    @property
    def is_below_target(self) -> bool:
        """Exactly, in whole numbers."""
        return self.cashless_families * 100 < TARGET_PERCENT * self.families


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """One school in one month."""

    id: int
    code: str
    name: str
    level: str
    pupils: int
    billed_pupils: int
    due: Vnd
    collected: Vnd
    left: Vnd
    month: MonthOfPayments
    #: share of families without cash, oldest month first; None where nobody paid
    trend: tuple[float | None, ...]
    #: ways to pay without cash that are open
    channels: int
    unmatched: int
    reasons: tuple[Reason, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Area:
    """All schools of a place of the tree, those to ask about first."""

    period: Period
    as_of: datetime
    asked: tuple[SchoolRow, ...]
    others: tuple[SchoolRow, ...]

    @property
    def schools(self) -> tuple[SchoolRow, ...]:
        """In the order of the page."""
        return self.asked + self.others

    @property
    def pupils(self) -> int:
        """Children enrolled."""
        return sum(school.pupils for school in self.schools)

    @property
    def due(self) -> Vnd:
        """To pay for the bills of the month."""
        return total_of([school.due for school in self.schools])

    @property
    def collected(self) -> Vnd:
        """Collected for the bills of the month."""
        return total_of([school.collected for school in self.schools])

    @property
    def left(self) -> Vnd:
        """Still to come for the bills of the month."""
        return total_of([school.left for school in self.schools])

    @property
    def month(self) -> MonthOfPayments:
        """The payments of the month, added up over the schools."""
        months = [school.month for school in self.schools]
        return MonthOfPayments(
            sum(month.families for month in months),
            sum(month.cashless_families for month in months),
            total_of([month.amount for month in months]),
            total_of([month.cashless_amount for month in months]),
        )

    @property
    def with_channel(self) -> int:
        """Schools in which a family can pay without cash."""
        return sum(1 for school in self.schools if school.channels)

    @property
    def on_target(self) -> int:
        """Schools whose share of families without cash reaches the aim."""
        return sum(1 for s in self.schools if s.month.families and not s.month.is_below_target)

    @property
    def unmatched(self) -> int:
        """Bank lines nobody knows yet."""
        return sum(school.unmatched for school in self.schools)


def area(unit_id: int, readable: Numbers[int], period: Period, *, now: datetime) -> Area:
    """The schools at or below a node that the reader may see, for one month."""
    today = clock.local_day(now)
    schools = [school for school in schools_under(unit_id, today) if school.id in readable]
    numbers = [school.id for school in schools if scope.current().may_read(school.id)]
    if not numbers:
        return Area(period, now, (), ())
    day = min(today, period.last_day)
    found = _Found(
        pupils=_pupils(numbers, day),
        bills=_bills(numbers, period),
        books=_books(numbers, period),
        payments=_payments(numbers, period),
        channels=_channels(numbers, day),
        unmatched=_unmatched(numbers, day),
        voids=_voids(numbers, period),
    )
    rows_ = [_row(school, found, period, day) for school in schools if school.id in set(numbers)]
    asked = [school for school in rows_ if school.reasons]
    others = [school for school in rows_ if not school.reasons]
    return Area(period, now, tuple(sorted(asked, key=_place)), tuple(sorted(others, key=_place)))


def _place(school: SchoolRow) -> tuple[bool, float, str]:
    """Lowest share first; a school where nobody paid goes behind, it has no share."""
    percent = school.month.percent
    return (percent is None, percent or 0.0, school.code)


@dataclass(frozen=True, slots=True)
class _Found:
    pupils: dict[int, int]
    bills: dict[int, tuple[int, Vnd]]
    books: dict[int, tuple[Vnd, Vnd, Vnd]]
    payments: dict[tuple[int, int], MonthOfPayments]
    channels: dict[int, int]
    unmatched: dict[int, tuple[int, date]]
    voids: dict[int, int]


def _row(school: SchoolInfo, found: _Found, period: Period, day: date) -> SchoolRow:
    billed_pupils, due = found.bills.get(school.id, (0, ZERO))
    in_books, collected, left = found.books.get(school.id, (ZERO, ZERO, ZERO))
    months = [
        found.payments.get((school.id, month.number), MonthOfPayments())
        for month in _months_to(period)
    ]
    unmatched, oldest = found.unmatched.get(school.id, (0, day))
    channels = found.channels.get(school.id, 0)
    reasons = []
    if in_books != due:
        reasons.append(Reason("books", (due.dong, in_books.dong)))
    if not channels:
        reasons.append(Reason("no_channel"))
    if not billed_pupils and found.pupils.get(school.id):
        reasons.append(Reason("unbilled"))
    age = (day - oldest).days
    if unmatched and (age >= OLD_LINE_DAYS or unmatched >= MANY_LINES):
        reasons.append(Reason("unmatched", (unmatched, age)))
    if found.voids.get(school.id, 0) >= MANY_VOIDS:
        reasons.append(Reason("voids", (found.voids[school.id],)))
    month = months[-1]
    if month.families and month.is_below_target:
        reasons.append(Reason("below", (month.cashless_families, month.families)))
    elif _is_falling(months[-3:]):
        before = months[-3]
        reasons.append(Reason("falling", (before.cashless_families, before.families)))
    return SchoolRow(
        id=school.id,
        code=school.code,
        name=school.short_name,
        level=school.level,
        pupils=found.pupils.get(school.id, 0),
        billed_pupils=billed_pupils,
        due=due,
        collected=collected,
        left=left,
        month=month,
        trend=tuple(one.percent for one in months),
        channels=channels,
        unmatched=unmatched,
        reasons=tuple(reasons),
    )


def _is_falling(months: list[MonthOfPayments]) -> bool:
    if len(months) < 3 or any(month.families < ENOUGH_FAMILIES for month in months):
        return False
    shares = [month.cashless_families / month.families for month in months]
    return shares[0] > shares[1] > shares[2] and shares[0] - shares[2] >= 0.03


def _months_to(period: Period) -> list[Period]:
    months = [period]
    while len(months) < TREND_MONTHS:
        months.insert(0, months[0].previous())
    return months


def _pupils(schools: list[int], day: date) -> dict[int, int]:
    found = rows(
        "select school_id, count(distinct student_id) as n from enrolments"
        " where school_id in :schools and starts_on <= :day and (ends_on is null or ends_on > :day)"
        " group by school_id",
        schools=schools,
        day=day,
    )
    return {school.school_id: int(school.n) for school in found}


def _bills(schools: list[int], period: Period) -> dict[int, tuple[int, Vnd]]:
    found = rows(
        "select school_id, count(distinct student_id) as n, sum(total) as due from invoices"
        " where school_id in :schools and billed_period = :period group by school_id",
        schools=schools,
        period=period.number,
    )
    return {school.school_id: (int(school.n), Vnd(int(school.due))) for school in found}


def _books(schools: list[int], period: Period) -> dict[int, tuple[Vnd, Vnd, Vnd]]:
    """Billed, collected and still open of the month's bills, from the entries."""
    # Summed by pair of accounts first: half a million entries become a few hundred rows, and only
    # those are looked at by the names of their accounts.
    found = rows(
        "with pairs as (select r.school_id, e.debit_id, e.credit_id, sum(e.amount) as amount"
        "  from billing_runs r"
        "  join invoice_lines l on l.school_id = r.school_id and l.run_id = r.id"
        "  join entries e on e.invoice_line_id = l.id"
        "  where r.school_id in :schools and r.billed_period = :period"
        "  group by r.school_id, e.debit_id, e.credit_id)"
        f" select e.school_id, {FLOWS} from pairs e"
        " join accounts d on d.id = e.debit_id"
        " join accounts c on c.id = e.credit_id group by e.school_id",
        schools=schools,
        period=period.number,
    )
    return {
        school.school_id: (
            Vnd(int(school.billed)),
            Vnd(int(school.billed - school.open - school.forgiven)),
            Vnd(int(school.open)),
        )
        for school in found
    }


_GIVEN = f"""
given as (
  select m.school_id, m.payment_id, m.student_id, sum(m.amount) as amount
  from matchings m
  where m.school_id in :schools and {LIVE_MATCHING}
  group by m.school_id, m.payment_id, m.student_id
),
gone as (
  select g.school_id, g.payment_id, sum(g.amount) as amount
  from reversals g where g.school_id in :schools group by g.school_id, g.payment_id
)"""

_PAID = """
paid as (
  select p.school_id, p.id, substr(cast(p.booked_on as varchar(10)), 1, 7) as month,
         case when p.method = 'cash' then 0 else 1 end as cashless,
         coalesce(g.amount, 0) as gone
  from payments p
  left join gone g on g.school_id = p.school_id and g.payment_id = p.id
  where p.school_id in :schools and p.booked_on between :first and :last
   and p.amount > coalesce(g.amount, 0)
)"""


def _payments(schools: list[int], period: Period) -> dict[tuple[int, int], MonthOfPayments]:
    """By school and month number, for the month and those before it."""
    found = rows(
        f"with {_GIVEN}, {_PAID},"
        " families as (select p.school_id, p.month, count(distinct g.student_id) as n,"
        "  count(distinct case when p.cashless = 1 then g.student_id end) as cashless"
        "  from paid p join given g on g.school_id = p.school_id and g.payment_id = p.id"
        "  group by p.school_id, p.month),"
        " nets as (select p.school_id, p.month, p.id, p.cashless,"
        "  sum(g.amount) - max(p.gone) as amount"
        "  from paid p join given g on g.school_id = p.school_id and g.payment_id = p.id"
        "  group by p.school_id, p.month, p.id, p.cashless),"
        " value as (select school_id, month, sum(amount) as amount,"
        "  sum(case when cashless = 1 then amount else 0 end) as cashless_amount"
        "  from nets where amount > 0 group by school_id, month)"
        " select f.school_id, f.month, f.n, f.cashless, coalesce(v.amount, 0) as amount,"
        " coalesce(v.cashless_amount, 0) as cashless_amount"
        " from families f left join value v on v.school_id = f.school_id and v.month = f.month",
        schools=schools,
        first=_months_to(period)[0].first_day,
        last=period.last_day,
    )
    return {
        (school.school_id, Period.parse(school.month).number): MonthOfPayments(
            int(school.n),
            int(school.cashless),
            Vnd(int(school.amount)),
            Vnd(int(school.cashless_amount)),
        )
        for school in found
    }


def _channels(schools: list[int], day: date) -> dict[int, int]:
    found = rows(
        "select school_id, count(*) as n from channels where school_id in :schools"
        " and provider <> 'cash' and opened_on <= :day and (closed_on is null or closed_on > :day)"
        " group by school_id",
        schools=schools,
        day=day,
    )
    return {school.school_id: int(school.n) for school in found}


def _unmatched(schools: list[int], day: date) -> dict[int, tuple[int, date]]:
    """Payments, or parts of them, whose child is still unknown: how many, the oldest day."""
    found = rows(
        f"with {_GIVEN}, known as (select school_id, payment_id, sum(amount) as amount"
        "  from given group by school_id, payment_id)"
        " select p.school_id, count(*) as n, min(p.booked_on) as oldest"
        " from payments p left join known k on k.school_id = p.school_id and k.payment_id = p.id"
        " left join gone g on g.school_id = p.school_id and g.payment_id = p.id"
        " where p.school_id in :schools and p.booked_on <= :day"
        " and p.amount > coalesce(k.amount, 0) + coalesce(g.amount, 0) group by p.school_id",
        types={"oldest": DAY},
        schools=schools,
        day=day,
    )
    return {school.school_id: (int(school.n), school.oldest) for school in found}


def _voids(schools: list[int], period: Period) -> dict[int, int]:
    """Receipts of cash that were voided in the month."""
    parameters: dict[str, Any] = {
        "start": clock.start_of(period.first_day),
        "end": clock.start_of(period.last_day + timedelta(days=1)),
    }
    found = rows(
        "select d.school_id, count(*) as n from receipt_voids d"
        " join receipts r on r.school_id = d.school_id and r.id = d.receipt_id"
        " join payments p on p.school_id = r.school_id and p.id = r.payment_id"
        " where d.school_id in :schools and d.voided_at >= :start and d.voided_at < :end"
        " and p.method = 'cash' group by d.school_id",
        schools=schools,
        **parameters,
    )
    return {school.school_id: int(school.n) for school in found}
