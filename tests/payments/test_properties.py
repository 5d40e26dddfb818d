"""Whatever the order of payments and returns, money is neither made nor lost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import date

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import audit
from app.core import scope
from app.core.db import transaction
from app.core.errors import Refused
from app.core.money import Vnd
from app.money import billing, ledger
from app.money.billing import OpenLine, allocate
from app.money.fees import Category
from app.money.payments import cash, queries
from app.money.payments.models import Method
from app.money.payments.posting import Credit, accept_many
from app.money.payments.reversals import holdings, reinstate_payment, reverse_payment
from app.money.payments.suspense import assign_suspense
from tests.factories.money import Billed, billed_children
from tests.factories.schools import ACCOUNTANT, NOON
from tests.payments.books import assert_books_hold

CATEGORIES = [category.value for category in Category]
_keys = itertools.count(1)

lines = st.lists(
    st.builds(
        OpenLine,
        line_id=st.integers(1, 10_000),
        student_id=st.just(1),
        due_on=st.dates(date(2026, 9, 1), date(2027, 5, 31)),
        category=st.sampled_from(CATEGORIES),
        is_compulsory=st.booleans(),
        may_be_debt=st.booleans(),
        open=st.integers(1, 2_000_000).map(Vnd),
    ),
    max_size=12,
    unique_by=lambda line: line.line_id,
)


@given(lines=lines, amount=st.integers(0, 20_000_000), data=st.data())
def test_an_allocation_keeps_the_sum_and_splits_one_line_at_most(
    lines: list[OpenLine], amount: int, data: st.DataObject
) -> None:
    ids = [line.line_id for line in lines]
    ticked = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    found = allocate(lines, Vnd(amount), ticked=ticked)

    open_of = {line.line_id: line.open for line in lines}
    shares = {share.line_id: share.amount for share in found.shares}
    assert sum(share.dong for share in shares.values()) + found.rest.dong == amount
    assert all(Vnd(0) < share <= open_of[line] for line, share in shares.items())
    partial = [line for line, share in shares.items() if share < open_of[line]]
    assert len(partial) <= 1
    if found.rest:
        assert len(shares) == len(lines)
        assert partial == []
    # What was ticked is paid first, in the order it was ticked.
    touched = [share.line_id for share in found.shares]
    wanted = [line for line in ticked if line in touched]
    assert touched[: len(wanted)] == wanted
    # Whoever is paid later is never due earlier, ticks aside.
    due = [line.due_on for share in found.shares for line in lines if line.line_id == share.line_id]
    assert due[len(wanted) :] == sorted(due[len(wanted) :])
    assert partial in ([], touched[-1:])


@dataclass
class Story:
    """A few children of one school and everything that happened to their money."""

    children: list[Billed]
    payments: list[int] = field(default_factory=list)
    left: dict[int, int] = field(default_factory=dict)
    returned: dict[int, int] = field(default_factory=dict)

    @property
    def school_id(self) -> int:
        return self.children[0].school.id

    def transfer(self, child: Billed, amount: int, *, is_named: bool) -> None:
        """A bank transfer, with the child's code or without any."""
        school = child.school
        credit = Credit(
            provider="sepay",
            channel_id=school.channel_id,
            external_id=f"t{next(_keys)}",
            method=Method.TRANSFER,
            amount=Vnd(amount),
            occurred_at=NOON,
            value_on=date(2026, 11, 24),
            debit=f"bank:{school.account_id}",
            place=str(school.account_id),
            proof="account",
            text=child.request.reference if is_named else "hoc phi",
            bank_account_id=school.account_id,
        )
        self._booked(accept_many(school.id, [credit], actor=audit.MACHINE, now=NOON)[0].payment_id)

    def desk(self, child: Billed, amount: int) -> None:
        """Cash for the whole bill, the rest kept as credit."""
        taken = cash.take_cash(
            self.school_id,
            requests=[child.request],
            ticked=child.lines,
            amount=Vnd(amount),
            given=Vnd(amount),
            payer="",
            till_id=child.school.till_id,
            key=f"k{next(_keys)}",
            keep_rest=True,
            actor=ACCOUNTANT,
            now=NOON,
        )
        self._booked(taken.payment_id)

    def _booked(self, payment_id: int) -> None:
        self.payments.append(payment_id)
        self.left[payment_id] = queries.get_payment(self.school_id, payment_id).amount.dong
        self.returned[payment_id] = 0

    def give_back(self, payment_id: int, amount: int) -> None:
        """A return; refused exactly when more would go back than is left."""
        is_too_much = amount > self.left[payment_id]
        try:
            reverse_payment(
                self.school_id,
                payment_id,
                amount=Vnd(amount),
                kind="refund",
                external_id=f"r{next(_keys)}",
                actor=audit.MACHINE,
                now=NOON,
            )
        except Refused:
            assert is_too_much
            raise
        assert not is_too_much
        self.left[payment_id] -= amount
        self.returned[payment_id] += amount

    def take_again(self, payment_id: int, amount: int) -> None:
        """Money that had left comes back."""
        amount = min(amount, self.returned[payment_id])
        if amount:
            reinstate_payment(
                self.school_id,
                payment_id,
                amount=Vnd(amount),
                external_id=f"b{next(_keys)}",
                actor=audit.MACHINE,
                now=NOON,
            )
            self.left[payment_id] += amount
            self.returned[payment_id] -= amount


deeds = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "transfer", "unknown", "cash", "assign", "back", "again"]),
        st.integers(0, 7),
        st.sampled_from([1_000, 92_000, 170_775, 500_000, 778_775, 800_000, 1_500_000]),
    ),
    min_size=4,
    max_size=14,
)


@given(plan=deeds)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_story_keeps_every_invariant(context: Flask, plan: list[tuple[str, int, int]]) -> None:
    story = Story(billed_children(3))
    with scope.opened(scope.one_school(story.school_id)):
        for deed, place, amount in plan:
            child = story.children[place % len(story.children)]
            payment = story.payments[place % len(story.payments)] if story.payments else None
            try:
                with transaction():
                    if deed in ("transfer", "unknown"):
                        story.transfer(child, amount, is_named=deed == "transfer")
                    elif deed == "cash":
                        story.desk(child, amount)
                    elif payment is not None and deed == "assign":
                        assign_suspense(
                            story.school_id, payment, child.request, actor=ACCOUNTANT, now=NOON
                        )
                    elif payment is not None and deed == "back":
                        story.give_back(payment, amount)
                    elif payment is not None:
                        story.take_again(payment, amount)
            except Refused:
                continue
        for payment_id, left in story.left.items():
            held = holdings(queries.get_payment(story.school_id, payment_id))
            assert sum(part.amount.dong for part in held) == left
        received = ledger.balance(story.school_id, f"bank:{story.children[0].school.account_id}")
        drawer = ledger.balance(story.school_id, f"cash:{story.children[0].school.till_id}")
        assert (received + drawer).dong == sum(story.left.values())
        owed = sum(billing.due(child.request).dong for child in story.children)
        credit = sum(c.dong for c in billing.credits_of(story.school_id).values())
        waiting = -sum(v.dong for v in ledger.balances(story.school_id, "suspense:").values())
        billed = sum(child.due for child in story.children)
        assert billed - owed + credit + waiting == sum(story.left.values())
    assert_books_hold()
