"""What posting a statement would do, shown before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from app.core.money import Vnd
from app.money import payments
from app.money.ledger import chart
from app.money.payments import Credit, Method, Plan
from app.money.payments.tellings import number_of
from app.money.payouts.matching import Closing, find_closings
from app.money.reconciliation import queries
from app.money.reconciliation.identity import Told, pair
from app.money.reconciliation.queries import StatementInfo, StatementLine
from app.people.schools import Provider, reporting_through

BANK_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
#: what the machine posts by itself, in the order a person reads it
PROVED: Final = ("exact", "split", "part", "over", "second")


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A credit of the statement and what posting would make of it."""

    line: StatementLine
    #: exact, split, part, over, second; unknown: it would wait in suspense
    kind: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class PlannedReversal:
    """A debit that takes a payment back: the bank's own number, to the đồng."""

    line: StatementLine
    payment_id: int


@dataclass(slots=True)
class StatementPlan:
    """Every row of a statement that is not settled yet, by what would become of it."""

    statement: StatementInfo
    rows: list[PlannedRow] = field(default_factory=list)
    #: credits that a payment in the books may be already: row, payments
    unsure: list[tuple[StatementLine, tuple[int, ...]]] = field(default_factory=list)
    #: credits that notices told meanwhile: row → payment
    same: dict[int, int] = field(default_factory=dict)
    reversals: list[PlannedReversal] = field(default_factory=list)
    #: payouts that leave, by their code
    payouts: list[Closing] = field(default_factory=list)
    money_out: list[StatementLine] = field(default_factory=list)

    def of_kind(self, *kinds: str) -> list[PlannedRow]:
        """The credits of some kinds."""
        return [one for one in self.rows if one.kind in kinds]

    def total(self, *kinds: str) -> Vnd:
        """The sum of the credits of some kinds."""
        return Vnd(sum(one.line.amount.dong for one in self.of_kind(*kinds)))

    @property
    def proved_total(self) -> Vnd:
        """The sum of what would go to children."""
        return self.total(*PROVED)

    @property
    def unsure_total(self) -> Vnd:
        """The sum of what may be in the books already."""
        return Vnd(sum(line.amount.dong for line, _may_be in self.unsure))

    @property
    def paid_out_total(self) -> Vnd:
        """The sum of what left to families."""
        return Vnd(sum(one.amount.dong for one in self.payouts))

    @property
    def reversed_total(self) -> Vnd:
        """The sum of what the bank took back."""
        return Vnd(sum(one.line.amount.dong for one in self.reversals))

    @property
    def proved(self) -> list[PlannedRow]:
        """What would go to children."""
        return self.of_kind(*PROVED)

    @property
    def unknown(self) -> list[PlannedRow]:
        """What would wait for a person."""
        return self.of_kind("unknown")


def credits_of(
    lines: Sequence[StatementLine], statement: StatementInfo, channel_id: int
) -> list[Credit]:
    """Rows as credits on the statement's account, and on those that report through it."""
    also = reporting_through(statement.school_id, statement.bank_account_id)
    return [_credit(line, statement, channel_id, also) for line in lines]


def _credit(
    line: StatementLine, statement: StatementInfo, channel_id: int, also: tuple[int, ...]
) -> Credit:
    clock = line.occurred_at or datetime.combine(
        line.value_on, time(12), tzinfo=BANK_ZONE
    ).astimezone(UTC)
    return Credit(
        provider=Provider.STATEMENT,
        channel_id=channel_id,
        external_id=line.key,
        method=Method.TRANSFER,
        amount=line.amount,
        occurred_at=clock,
        value_on=line.value_on,
        debit=chart.bank(statement.bank_account_id),
        place=str(statement.bank_account_id),
        proof="account",
        text=line.text,
        bank_ref=line.ref,
        payer=line.payer or None,
        bank_account_id=statement.bank_account_id,
        also_accounts=also,
    )


def kind_of(plan: Plan) -> str:
    """How a planned credit meets what is due."""
    if not plan.parts:
        return "unknown"
    if len(plan.parts) > 1:
        return "split"
    if plan.to_credit == plan.matched:
        return "second"
    if plan.to_credit:
        return "over"
    return "part" if plan.left else "exact"


def split_known(
    school_id: int, statement: StatementInfo, lines: Sequence[StatementLine]
) -> tuple[dict[int, int], dict[int, tuple[int, ...]]]:
    """Which open credits are payments of the books already, and which may be."""
    if not lines:
        return {}, {}
    known = queries.payments_told(
        school_id,
        statement.bank_account_id,
        min(line.value_on for line in lines),
        max(line.value_on for line in lines),
        statement_id=statement.id,
        layout=statement.layout,
    )
    told = [Told(o.id, o.amount.dong, o.value_on, o.text, o.ref) for o in lines]
    pairs = pair(told, known)
    return pairs.same, pairs.unsure


def find_reversals(
    school_id: int, bank_account_id: int, lines: Sequence[StatementLine]
) -> list[PlannedReversal]:
    """Debits that are a payment taken back by the bank: its own number and the whole amount."""
    with_refs = [line for line in lines if number_of(line.ref)]
    found: dict[tuple[str, int], list[queries.Record]] = {}
    for start in range(0, len(with_refs), 400):
        chunk = with_refs[start : start + 400]
        for payment in queries.payments_with_refs(
            school_id,
            bank_account_id,
            [line.ref for line in chunk],
            [line.amount.dong for line in chunk],
        ):
            if int(payment.kept) >= int(payment.amount):
                key = (payment.bank_ref, int(payment.amount))
                found.setdefault(key, []).append(payment)
    planned = []
    for line in with_refs:
        hits = [
            one
            for one in found.get((line.ref, line.amount.dong), ())
            if one.value_on <= line.value_on
        ]
        if len(hits) == 1:
            planned.append(PlannedReversal(line, int(hits[0].id)))
            found[(line.ref, line.amount.dong)].remove(hits[0])
    return planned


def plan_statement(school_id: int, statement_id: int, *, day: date) -> StatementPlan:
    """What posting this statement would do on a day; reads only."""
    statement = queries.get_statement(school_id, statement_id)
    result = StatementPlan(statement)
    credits = queries.lines_of(school_id, statement_id, only="open_credits")
    result.same, unsure = split_known(school_id, statement, credits)
    result.unsure = [(line, unsure[line.id]) for line in credits if line.id in unsure]
    new = [line for line in credits if line.id not in result.same and line.id not in unsure]
    plans = payments.plan_many(school_id, credits_of(new, statement, 0), day=day)
    result.rows = [
        PlannedRow(line, kind_of(plan), plan) for line, plan in zip(new, plans, strict=True)
    ]
    debits = queries.lines_of(school_id, statement_id, only="open_debits")
    result.reversals = find_reversals(school_id, statement.bank_account_id, debits)
    taken = {one.line.id for one in result.reversals}
    rest = [line for line in debits if line.id not in taken]
    result.payouts = find_closings(school_id, statement.bank_account_id, rest)
    closed = {one.row_id for one in result.payouts}
    result.money_out = [line for line in rest if line.id not in closed]
    return result
