"""Which duties a departure brings, from when their terms run, and what is known of them.

Source: facts on transfers (3.6). For primary schools the act itself gives three working days. For
the other levels no term was found: the same three days are shown and marked as to be checked. Terms
colour a list and stop nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.journeys.transfers.states import Duty, Fact
from app.people.schools import Level

#: a step of the act, in working days
WORKING_DAYS: Final = 3
_PRIMARY: Final = "Thông tư 28/2020/TT-BGDĐT, Điều 36"
_SECONDARY: Final = "Quyết định 51/2002, sửa đổi bởi Thông tư 50/2021"
_UNIT_ABOVE: Final = "Thông tư 10/2025/TT-BGDĐT"


@dataclass(frozen=True, slots=True)
class Rule:
    """A duty at one level."""

    duty: Duty
    #: the fact from whose day the term runs; None: up to the first day at the other school
    after: Fact | None = None
    act: str = ""
    #: whether the act itself gives the term
    is_sure: bool = False
    #: the figures say it, nobody ticks it
    is_automatic: bool = False
    #: only some children have it
    may_be_needless: bool = False
    #: only towards another province
    is_far: bool = False


_MONEY: Final = (
    Rule(Duty.LEAVE, is_automatic=True),
    Rule(Duty.BILLS, is_automatic=True),
    Rule(Duty.CREDIT, is_automatic=True),
)
RULES: Final[dict[Level, tuple[Rule, ...]]] = {
    Level.NURSERY: (
        Rule(Duty.ANSWER, Fact.ASKED, is_automatic=True),
        Rule(Duty.RECORD, Fact.ACCEPTED),
        *_MONEY,
    ),
    Level.PRIMARY: (
        Rule(Duty.ANSWER, Fact.ASKED, _PRIMARY, is_sure=True, is_automatic=True),
        Rule(Duty.RECORD, Fact.ACCEPTED, _PRIMARY, is_sure=True),
        Rule(Duty.PROGRESS, Fact.ACCEPTED, _PRIMARY, is_sure=True),
        Rule(Duty.PLAN, Fact.ACCEPTED, _PRIMARY, is_sure=True, may_be_needless=True),
        *_MONEY,
    ),
    Level.LOWER_SECONDARY: (
        Rule(Duty.ANSWER, Fact.ASKED, _SECONDARY, is_automatic=True),
        Rule(Duty.RECORD, Fact.ACCEPTED, _SECONDARY),
        Rule(Duty.INTRODUCTION, Fact.ACCEPTED, _SECONDARY),
        Rule(Duty.LETTER, Fact.ACCEPTED, _UNIT_ABOVE, is_far=True),
        *_MONEY,
    ),
}


def rules_of(level: Level, *, is_far: bool) -> tuple[Rule, ...]:
    """The duties of a departure from a school of a level, in the order of the work."""
    return tuple(rule for rule in RULES[level] if is_far or not rule.is_far)
