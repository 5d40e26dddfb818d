"""Opening + credits − debits = closing, and every running balance follows from the one before."""

from __future__ import annotations

from collections.abc import Sequence

from app.money.reconciliation.errors import BalanceBroken, EmptyStatement, TotalBroken
from app.money.reconciliation.parsers.shapes import FileRow, StatementFile


def proved(
    layout: str,
    rows: Sequence[FileRow],
    *,
    account: str | None,
    opening: int | None,
    closing: int | None,
) -> StatementFile:
    """The statement, oldest row first, once its balances agree; refuses one that does not add up.

    Where the file tells no opening or closing balance, the running ones give them.
    """
    if not rows:
        raise EmptyStatement
    ordered = _oldest_first(rows, opening)
    first = ordered[0]
    if opening is None and first.balance is not None:
        opening = first.balance - _effect(first)
    held = opening
    for row in ordered:
        if held is not None:
            held += _effect(row)
        if row.balance is not None:
            if held is not None and held != row.balance:
                raise BalanceBroken(row.number, held, row.balance)
            held = row.balance
    if closing is not None and held is not None and held != closing:
        raise TotalBroken(held, closing, ordered[-1].number)
    return StatementFile(
        layout=layout,
        rows=tuple(ordered),
        account=account,
        opening=opening,
        closing=held if closing is None else closing,
    )


def _effect(row: FileRow) -> int:
    return row.amount if row.is_credit else -row.amount


def _oldest_first(rows: Sequence[FileRow], opening: int | None) -> list[FileRow]:
    """Some banks put the newest on top: the balances say so, else the days."""
    down = list(rows)
    up = down[::-1]
    wrong_down, wrong_up = _breaks(down, opening), _breaks(up, opening)
    if wrong_down != wrong_up:
        return down if wrong_down < wrong_up else up
    return up if down[0].day > down[-1].day else down


def _breaks(rows: Sequence[FileRow], opening: int | None) -> int:
    count = 0
    before = opening
    for row in rows:
        if row.balance is not None and before is not None:
            count += before + _effect(row) != row.balance
        before = row.balance
    return count
