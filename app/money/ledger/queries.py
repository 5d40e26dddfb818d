"""Reading the books; every figure is a sum of entries."""

from __future__ import annotations

from collections.abc import Collection

from app.core.db import rows, scalar
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
