"""Cash at the desk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from app.audit import Actor
from app.core import scope
from app.core.db import scalar, transaction
from app.core.errors import DomainError
from app.core.money import Vnd
from app.money import billing, ledger, receipts
from app.money.payments import cash, queries
from app.money.payments.errors import (
    AmountTooSmall,
    ForeignLines,
    KeyUsed,
    MoreThanDue,
    NothingToCollect,
)
from tests.factories.money import TODAY, Billed, billed_child, billed_children
from tests.factories.schools import ACCOUNTANT, NOON
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")


def take(*children: Billed, **changes: object) -> cash.CashTaken:
    first = children[0]
    due = sum(child.due for child in children)
    values: dict[str, object] = {
        "requests": [child.request for child in children],
        "ticked": [line for child in children for line in child.lines],
        "amount": Vnd(due),
        "given": Vnd(due),
        "payer": "Phạm Thị Hoa (mẹ)",
        "till_id": first.school.till_id,
        "key": f"form-{first.student_id}",
        "actor": ACCOUNTANT,
        "now": NOON,
        **changes,
    }
    with scope.opened(scope.one_school(first.school.id)), transaction():
        return cash.take_cash(first.school.id, **values)  # type: ignore[arg-type]


def due(child: Billed) -> Vnd:
    with scope.opened(scope.one_school(child.school.id)):
        return billing.due(child.request)


def balance(child: Billed, account: str, student_id: int | None = None) -> Vnd:
    with scope.opened(scope.one_school(child.school.id)):
        return ledger.balance(child.school.id, account, student_id=student_id)


def test_the_exact_sum_pays_the_bill_and_gives_one_receipt(context: Flask) -> None:
    child = billed_child()
    taken = take(child)

    assert taken.change == Vnd(0)
    assert due(child) == Vnd(0)
    assert balance(child, f"cash:{child.school.till_id}") == Vnd(child.due)
    with scope.opened(scope.one_school(child.school.id)):
        (paper,) = receipts.receipts_of_payments(child.school.id, [taken.payment_id])
        assert (paper.id,) == taken.receipt_ids
        assert paper.paper.payer == "Phạm Thị Hoa (mẹ)"
        assert paper.paper.method == "Tiền mặt"
        assert paper.paper.collected_by == ACCOUNTANT.name
        payment = queries.get_payment(child.school.id, taken.payment_id)
        assert (payment.state, payment.money_state, payment.proof) == (
            "matched",
            "receipted",
            "till",
        )
        assert queries.till_today(child.school.id, child.school.till_id, TODAY) == queries.TillDay(
            Vnd(child.due), 1
        )
        assert cash.cash_given(child.school.id, taken.payment_id) == Vnd(child.due)
    assert_books_hold()


def test_change_is_what_was_given_less_what_is_collected(context: Flask) -> None:
    child = billed_child()
    taken = take(child, given=Vnd(1_000_000))
    assert taken.change == Vnd(1_000_000 - child.due)
    assert balance(child, f"cash:{child.school.till_id}") == Vnd(child.due)


def test_only_ticked_lines_are_paid(context: Flask) -> None:
    child = billed_child()
    insurance = child.lines[0]
    take(child, ticked=[insurance], amount=Vnd(170_775), given=Vnd(171_000))
    with scope.opened(scope.one_school(child.school.id)):
        (line,) = billing.open_lines(child.school.id, [child.student_id])[child.student_id]
    assert line.line_id != insurance
    assert_books_hold()


def test_a_part_fills_the_ticked_lines_in_order(context: Flask) -> None:
    child = billed_child()
    take(child, ticked=child.lines[::-1], amount=Vnd(700_000), given=Vnd(700_000))
    with scope.opened(scope.one_school(child.school.id)):
        (line,) = billing.open_lines(child.school.id, [child.student_id])[child.student_id]
    assert (line.line_id, line.open) == (child.lines[0], Vnd(170_775 - 92_000))


def test_more_than_due_needs_a_clear_word_and_becomes_credit(context: Flask) -> None:
    child = billed_child()
    more = Vnd(child.due + 225)
    with pytest.raises(MoreThanDue):
        take(child, amount=more, given=more)
    assert balance(child, f"cash:{child.school.till_id}") == Vnd(0)

    taken = take(child, amount=more, given=more, keep_rest=True)
    assert balance(child, "credit", child.student_id) == Vnd(-225)
    with scope.opened(scope.one_school(child.school.id)):
        paper = receipts.get_receipt(child.school.id, taken.receipt_ids[0])
    assert paper.amount == more
    assert_books_hold()


def test_the_rest_is_credit_even_when_a_line_is_left_unticked(context: Flask) -> None:
    child = billed_child()
    take(
        child,
        ticked=[child.lines[0]],
        amount=Vnd(171_000),
        given=Vnd(171_000),
        keep_rest=True,
    )
    assert balance(child, "credit", child.student_id) == Vnd(-225)
    assert due(child) == Vnd(608_000)


def test_siblings_are_paid_at_once_on_one_receipt(context: Flask) -> None:
    older, younger = billed_children(2)
    taken = take(older, younger, given=Vnd(2_000_000))

    assert (due(older), due(younger)) == (Vnd(0), Vnd(0))
    with scope.opened(scope.one_school(older.school.id)):
        (paper,) = receipts.receipts_of_payments(older.school.id, [taken.payment_id])
    assert [child.full_name for child in paper.paper.children] == [
        older.full_name,
        younger.full_name,
    ]
    assert paper.amount == Vnd(older.due + younger.due)
    assert_books_hold()


def test_siblings_with_some_lines_ticked_get_just_those(context: Flask) -> None:
    older, younger = billed_children(2)
    ticked = [older.lines[1], younger.lines[0]]
    take(older, younger, ticked=ticked, amount=Vnd(778_775), given=Vnd(800_000))
    assert (due(older), due(younger)) == (Vnd(170_775), Vnd(608_000))
    assert_books_hold()


def test_the_same_form_twice_is_one_payment(context: Flask) -> None:
    child = billed_child()
    first = take(child, given=Vnd(800_000))
    again = take(child, given=Vnd(800_000))

    assert again == replace(first, is_repeat=True)
    with scope.opened(scope.one_school(child.school.id)):
        assert (
            scalar(
                "select count(*) from payments where school_id = :school_id",
                school_id=child.school.id,
            )
            == 1
        )


@pytest.mark.parametrize(
    "change",
    [
        {"given": Vnd(900_000)},
        {"amount": Vnd(700_000)},
        {"payer": "Ông nội"},
        {"actor": Actor("Người khác", "cashier", 7)},
    ],
)
def test_the_same_key_with_other_contents_is_refused(
    context: Flask, change: dict[str, object]
) -> None:
    child = billed_child()
    take(child, given=Vnd(800_000))
    with pytest.raises(KeyUsed):
        take(child, **{"given": Vnd(800_000), **change})
    assert balance(child, f"cash:{child.school.till_id}") == Vnd(child.due)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"given": Vnd(778_774)}, AmountTooSmall),
        ({"amount": Vnd(0), "given": Vnd(0)}, NothingToCollect),
        ({"amount": Vnd(-5), "given": Vnd(0)}, NothingToCollect),
        ({"requests": []}, NothingToCollect),
        ({"ticked": [], "amount": Vnd(1_000), "given": Vnd(1_000)}, MoreThanDue),
    ],
)
def test_what_the_desk_refuses(
    context: Flask, change: dict[str, object], refusal: type[DomainError]
) -> None:
    child = billed_child()
    with pytest.raises(refusal):
        take(child, **change)
    assert balance(child, f"cash:{child.school.till_id}") == Vnd(0)
    # The key of a refused form stays free.
    assert take(child).change == Vnd(0)


def test_a_line_of_another_child_is_refused(context: Flask) -> None:
    child, other = billed_children(2)
    with pytest.raises(ForeignLines):
        take(child, ticked=[*child.lines, other.lines[0]])


def test_a_transfer_that_came_in_meanwhile_is_noticed(context: Flask) -> None:
    child = billed_child()
    take(child, key="first", ticked=[child.lines[0]], amount=Vnd(170_775), given=Vnd(170_775))
    with pytest.raises(MoreThanDue):
        take(child, key="second")


def test_notes_of_the_change() -> None:
    assert cash.notes_of(Vnd(125_000)) == [(1, 100_000), (1, 20_000), (1, 5_000)]
    assert cash.notes_of(Vnd(225)) == []


def test_usual_sums_handed_over() -> None:
    assert cash.quick_amounts(Vnd(874_775)) == [Vnd(874_775), Vnd(900_000), Vnd(1_000_000)]
    assert cash.quick_amounts(Vnd(900_000)) == [Vnd(900_000), Vnd(950_000), Vnd(1_000_000)]
    assert cash.quick_amounts(Vnd(970_000)) == [Vnd(970_000), Vnd(1_000_000), Vnd(1_500_000)]
    assert cash.rounded_up(Vnd(874_775)) == Vnd(875_000)
    assert cash.rounded_up(Vnd(875_000)) == Vnd(875_000)
