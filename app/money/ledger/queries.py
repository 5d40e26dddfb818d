"""Reading the books; every figure is a sum of entries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.db import DAY, rows, scalar
from app.core.money import Vnd


def balance(school_id: int, account: str, *, student_id: int | None = None) -> Vnd:
    """Debit less credit of one account, of one child when given."""
    child = " and e.student_id = :student_id" if student_id is not None else ""
    parameters = {} if student_id is None else {"student_id": student_id}
    value = scalar(
        "select coalesce(sum(case when e.debit_id = a.id then e.amount else -e.amount end), 0)"
        " from accounts a join entries e on e.school_id = a.school_id"
        f" and (e.debit_id = a.id or e.credit_id = a.id){child}"
        " where a.school_id = :school_id and a.code = :account",
        school_id=school_id,
        account=account,
        **parameters,
    )
    return Vnd(int(value))


def balances(school_id: int, prefix: str) -> dict[str, Vnd]:
    """Balances of all accounts whose code begins with `prefix`."""
    found = rows(
        "select account, balance from v_account_balance where school_id = :school_id"
        " and substr(account, 1, :length) = :prefix order by account",
        school_id=school_id,
        length=len(prefix),
        prefix=prefix,
    )
    return {account.account: Vnd(int(account.balance)) for account in found}


def line_balances(school_id: int, line_ids: Collection[int]) -> dict[int, Vnd]:
    """What is still receivable of each billed line; lines never posted are absent."""
    if not line_ids:
        return {}
    found = rows(
        "select e.invoice_line_id as line,"
        " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
        " from entries e join accounts a on a.school_id = e.school_id and a.code = 'receivable'"
        "  and a.id in (e.debit_id, e.credit_id)"
        " where e.school_id = :school_id and e.invoice_line_id in :lines"
        " group by e.invoice_line_id",
        school_id=school_id,
        lines=list(line_ids),
    )
    return {line.line: Vnd(int(line.open)) for line in found}


def trial_balance(school_id: int) -> Vnd:
    """The sum of all balances: zero, or the books are broken."""
    value = scalar(
        "select coalesce(sum(balance), 0) from v_account_balance where school_id = :school_id",
        school_id=school_id,
    )
    return Vnd(int(value))


@dataclass(frozen=True, slots=True)
class Aged:
    """What an account held at the end of a day, and since when: first in, first out."""

    account: str
    #: debit less credit
    balance: Vnd
    since: date | None
    #: the part that would be left over from each day on, oldest first: (day, sum up to it)
    steps: tuple[tuple[date, Vnd], ...]

    def age(self, day: date) -> int:
        """Days its oldest đồng has lain there."""
        return 0 if self.since is None else (day - self.since).days


def aged(school_id: int, prefix: str, *, until: date = date.max) -> list[Aged]:
    """Accounts whose code begins with `prefix` and that were not at zero at the end of a day."""
    found = rows(
        "select a.code, v.booked_on as day,"
        " sum(case when e.debit_id = a.id then e.amount else 0 end) as debit,"
        " sum(case when e.credit_id = a.id then e.amount else 0 end) as credit"
        " from accounts a join entries e on e.school_id = a.school_id"
        "  and a.id in (e.debit_id, e.credit_id)"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " where a.school_id = :school_id and substr(a.code, 1, :length) = :prefix"
        " and v.booked_on <= :until group by a.code, v.booked_on order by a.code, v.booked_on",
        types={"day": DAY},
        school_id=school_id,
        prefix=prefix,
        length=len(prefix),
        until=until,
    )
    by_account: dict[str, list[Any]] = {}
    for one in found:
        by_account.setdefault(one.code, []).append(one)
    result = []
    for code, days in by_account.items():
        debit, credit = (sum(int(getattr(d, side)) for d in days) for side in ("debit", "credit"))
        if debit == credit:
            continue
        came, gone = ("debit", credit) if debit > credit else ("credit", debit)
        steps, total = [], 0
        for one in days:
            total += int(getattr(one, came))
            if total > gone and getattr(one, came):
                steps.append((one.day, Vnd(total - gone)))
        result.append(Aged(code, Vnd(debit - credit), steps[0][0], tuple(steps)))
    return result


@dataclass(frozen=True, slots=True)
class Turnover:
    """An account in a span of days."""

    account: str
    #: debit less credit, before the span
    opening: Vnd
    debit: Vnd
    credit: Vnd

    @property
    def closing(self) -> Vnd:
        """Debit less credit, after the span."""
        return self.opening + self.debit - self.credit


def turnovers(school_id: int, first: date, last: date) -> list[Turnover]:
    """Every account that was ever touched up to `last`, with what moved from `first` on."""
    found = rows(
        "select code, sum(case when day < :first then debit - credit else 0 end) as opening,"
        " sum(case when day >= :first then debit else 0 end) as debit,"
        " sum(case when day >= :first then credit else 0 end) as credit from ("
        "select a.code, v.booked_on as day, e.amount as debit, 0 as credit from entries e"
        " join accounts a on a.school_id = e.school_id and a.id = e.debit_id"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " where e.school_id = :school_id and v.booked_on <= :last"
        " union all"
        " select a.code, v.booked_on, 0, e.amount from entries e"
        " join accounts a on a.school_id = e.school_id and a.id = e.credit_id"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " where e.school_id = :school_id and v.booked_on <= :last) x"
        " group by code order by code",
        school_id=school_id,
        first=first,
        last=last,
    )
    return [
        Turnover(one.code, Vnd(int(one.opening)), Vnd(int(one.debit)), Vnd(int(one.credit)))
        for one in found
    ]
