"""Reading closings: open days, closed ones, months with their state, the books of an account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from app.core.db import DAY, MOMENT, MONTH, VND, row, rows
from app.core.money import Vnd
from app.core.period import Period
from app.money import ledger
from app.money.closing.figures import DayFigures, figures_of, read_figures
from app.money.closing.models import MonthStepKind
from app.money.ledger import Turnover


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day as it was closed."""

    day: date
    closed_by: str
    closed_at: datetime
    hash: str
    figures: DayFigures


def open_days(school_id: int, until: date) -> list[date]:
    """Days up to `until` on which something was posted and that are not closed, in order."""
    found = rows(
        "select distinct v.booked_on as day from ledger_events v where v.school_id = :school_id"
        " and v.booked_on <= :until and not exists (select 1 from day_closings c"
        "  where c.school_id = v.school_id and c.day = v.booked_on) order by v.booked_on",
        types={"day": DAY},
        school_id=school_id,
        until=until,
    )
    return [one.day for one in found]


def closed_days(school_id: int, *, limit: int = 40) -> list[ClosedDay]:
    """The last days that were closed, the newest first."""
    return _closed(school_id, " order by day desc limit :limit", limit=limit)


def closed_day(school_id: int, day: date) -> ClosedDay | None:
    """A day as it was closed, or None while it is open."""
    found = _closed(school_id, " and day = :day", day=day)
    return found[0] if found else None


def _closed(school_id: int, where: str, **parameters: Any) -> list[ClosedDay]:
    found = rows(
        "select day, figures, hash, closed_by, closed_at from day_closings"
        f" where school_id = :school_id{where}",
        types={"day": DAY, "closed_at": MOMENT},
        school_id=school_id,
        **parameters,
    )
    return [
        ClosedDay(
            one.day,
            one.closed_by,
            one.closed_at,
            one.hash,
            read_figures(json.loads(one.figures)),
        )
        for one in found
    ]


def day_as_it_stands(school_id: int, day: date) -> DayFigures:
    """What closing a day now would freeze."""
    last = _closed(school_id, " and day < :day order by day desc limit 1", day=day)
    before: dict[int, int | None] = {}
    if last:
        before = {one.account_id: one.before for one in last[0].figures.banks}
    missing = [account for account, lay in before.items() if lay is None]
    if not last or missing:
        before |= _last_known(school_id, day, missing)
    return figures_of(school_id, day, before=before)


def _last_known(school_id: int, day: date, accounts: list[int]) -> dict[int, int | None]:
    # A day without a statement said nothing of it: the last one with a statement counts.
    wanted = set(accounts)
    known: dict[int, int | None] = {}
    for closed in _closed(school_id, " and day < :day order by day desc limit 400", day=day):
        for one in closed.figures.banks:
            if one.account_id in wanted and one.account_id not in known and one.before is not None:
                known[one.account_id] = one.before
        if wanted <= set(known):
            break
    return known


# Months


@dataclass(frozen=True, slots=True)
class MonthState:
    """A month with the newest of its steps."""

    period: Period
    #: open while it was never closed or was opened again
    state: str
    version: int
    closed_by: str
    closed_by_id: int | None
    closed_at: datetime | None
    signed_by: str
    signed_at: datetime | None
    words: str
    figures: dict[str, Any]
    hash: str


_STEP: Final = (
    "select period, version, step, figures, hash, words, actor, actor_id, at from month_steps"
    " where school_id = :school_id and period = :period order by id"
)


def month_state(school_id: int, period: Period) -> MonthState:
    """Where a month is, with its figures as last frozen."""
    steps = rows(
        _STEP,
        types={"period": MONTH, "at": MOMENT},
        school_id=school_id,
        period=period.number,
    )
    closed = next((s for s in reversed(steps) if s.step == MonthStepKind.CLOSED), None)
    last = steps[-1] if steps else None
    signed = last if last is not None and last.step == MonthStepKind.SIGNED else None
    is_open = last is None or last.step == MonthStepKind.REOPENED
    return MonthState(
        period=period,
        state="open" if is_open else ("signed" if signed else "closed"),
        version=closed.version if closed else 0,
        closed_by=closed.actor if closed else "",
        closed_by_id=closed.actor_id if closed else None,
        closed_at=closed.at if closed else None,
        signed_by=signed.actor if signed else "",
        signed_at=signed.at if signed else None,
        words=last.words if last is not None else "",
        figures=json.loads(closed.figures) if closed else {},
        hash=closed.hash if closed else "",
    )


def months_of(school_id: int, until: date, *, limit: int = 18) -> list[MonthState]:
    """Months in which something was posted, the newest first."""
    found = rows(
        "select distinct booked_on as day from ledger_events where school_id = :school_id"
        " and booked_on <= :until",
        types={"day": DAY},
        school_id=school_id,
        until=until,
    )
    periods = sorted({Period.of(one.day) for one in found}, reverse=True)[:limit]
    return [month_state(school_id, period) for period in periods]


def trial_balance(school_id: int, period: Period) -> list[Turnover]:
    """Every account of a month: opening, debit, credit, closing."""
    return ledger.turnovers(school_id, period.first_day, period.last_day)


# The book of an account


@dataclass(frozen=True, slots=True)
class BookRow:
    """One event in the book of an account."""

    event_id: int
    booked_on: date
    posted_at: datetime
    kind: str
    cause_kind: str
    cause_id: int
    received: Vnd
    spent: Vnd
    balance: Vnd
    words: str


def book_of(school_id: int, accounts: list[str], period: Period) -> tuple[Vnd, list[BookRow]]:
    """Opening balance and events of accounts in a month, with the running balance."""
    opening = Vnd(
        sum(
            one.opening.dong
            for one in trial_balance(school_id, period)
            if one.account in set(accounts)
        )
    )
    found = rows(
        "select v.id, v.booked_on, v.posted_at, v.kind, v.cause_kind, v.cause_id,"
        " sum(case when e.debit_id = a.id then e.amount else 0 end) as received,"
        " sum(case when e.credit_id = a.id then e.amount else 0 end) as spent,"
        " max(coalesce(p.text, '')) as text, max(coalesce(p.payer, '')) as payer"
        " from accounts a join entries e on e.school_id = a.school_id"
        "  and a.id in (e.debit_id, e.credit_id)"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " left join payments p on p.school_id = v.school_id and v.cause_kind = 'payment'"
        "  and p.id = v.cause_id"
        " where a.school_id = :school_id and a.code in :accounts"
        " and v.booked_on >= :first and v.booked_on <= :last"
        " group by v.id, v.booked_on, v.posted_at, v.kind, v.cause_kind, v.cause_id order by v.id",
        types={"booked_on": DAY, "posted_at": MOMENT, "received": VND, "spent": VND},
        school_id=school_id,
        accounts=accounts,
        first=period.first_day,
        last=period.last_day,
    )
    held, result = opening, []
    for one in found:
        received, spent = Vnd(int(one.received.dong)), Vnd(int(one.spent.dong))
        if not received and not spent:
            continue
        held = held + received - spent
        result.append(
            BookRow(
                one.id,
                one.booked_on,
                one.posted_at,
                one.kind,
                one.cause_kind,
                one.cause_id,
                received,
                spent,
                held,
                one.payer or one.text,
            )
        )
    return opening, result


# Accounts of a circular


@dataclass(frozen=True, slots=True)
class Mapped:
    """Our accounts that begin so are that account of the circular, from a day on."""

    prefix: str
    target: str
    valid_from: date
    set_by: str


def own_mappings(school_id: int) -> list[Mapped]:
    """What the school set itself, the newest last."""
    found = rows(
        "select prefix, target, valid_from, set_by from account_mappings"
        " where school_id = :school_id order by valid_from, id",
        types={"valid_from": DAY},
        school_id=school_id,
    )
    return [Mapped(*one) for one in found]


@dataclass(frozen=True, slots=True)
class JournalRow:
    """Debit, credit and amount of a day, over all events that moved the same way."""

    booked_on: date
    kind: str
    debit: str
    credit: str
    amount: Vnd
    entries: int


def journal(school_id: int, period: Period) -> list[JournalRow]:
    """The entries of a month, one row per day, deed and pair of accounts."""
    found = rows(
        "select v.booked_on, v.kind, d.code as debit, c.code as credit, sum(e.amount) as amount,"
        " count(*) as entries from entries e"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " join accounts d on d.school_id = e.school_id and d.id = e.debit_id"
        " join accounts c on c.school_id = e.school_id and c.id = e.credit_id"
        " where e.school_id = :school_id and v.booked_on >= :first and v.booked_on <= :last"
        " group by v.booked_on, v.kind, d.code, c.code"
        " order by v.booked_on, v.kind, d.code, c.code",
        types={"booked_on": DAY, "amount": VND},
        school_id=school_id,
        first=period.first_day,
        last=period.last_day,
    )
    return [JournalRow(**{**one._asdict(), "entries": int(one.entries)}) for one in found]


def has_events(school_id: int, day: date) -> bool:
    """Whether anything was posted on a day."""
    return (
        row(
            "select id from ledger_events where school_id = :school_id and booked_on = :day"
            " limit 1",
            school_id=school_id,
            day=day,
        )
        is not None
    )
