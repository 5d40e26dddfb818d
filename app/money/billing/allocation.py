"""Giving money to lines: line by line in the school's order, never pro rata (M8). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.core.money import ZERO, Vnd

#: The order among lines due the same day, unless a school has set another.
DEFAULT_ORDER = ("collect_for", "agreed", "service", "tuition", "no_debt")


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A billed line with money still to come."""

    line_id: int
    student_id: int
    due_on: date
    category: str
    is_compulsory: bool
    may_be_debt: bool
    open: Vnd
    #: the receiving account it asks its money for
    bank_account_id: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What one line gets."""

    line_id: int
    student_id: int
    amount: Vnd


@dataclass(frozen=True, slots=True)
class Allocation:
    """The division of an amount; shares and rest add up to it."""

    shares: tuple[Share, ...]
    #: what no line needed: it becomes credit
    rest: Vnd


def rank(line: OpenLine, order: Sequence[str]) -> int:
    """The place of a line among those due the same day."""
    if not line.may_be_debt:
        group = "no_debt"
    elif line.category == "collect_for" and not line.is_compulsory:
        group = "agreed"
    else:
        group = line.category
    return order.index(group) if group in order else len(order)


def allocate(
    lines: Sequence[OpenLine],
    amount: Vnd,
    *,
    order: Sequence[str] = DEFAULT_ORDER,
    ticked: Sequence[int] = (),
) -> Allocation:
    """Fill lines one after another until the amount is used up.

    `ticked` line ids come first, as the payer chose. Only the last line may be filled in part.
    """
    chosen = {line_id: place for place, line_id in enumerate(ticked)}
    in_turn = sorted(
        (line for line in lines if line.open.dong > 0),
        key=lambda line: (
            chosen.get(line.line_id, len(chosen)),
            line.due_on,
            rank(line, order),
            line.line_id,
        ),
    )
    left = amount
    shares: list[Share] = []
    for line in in_turn:
        if left <= ZERO:
            break
        part = min(left, line.open)
        shares.append(Share(line.line_id, line.student_id, part))
        left = left - part
    return Allocation(tuple(shares), left)
