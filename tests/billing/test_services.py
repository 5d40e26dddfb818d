"""A run gives every child its bill, once; what turns out different later is a line of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.errors import DomainError
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing, ledger
from app.money.billing.errors import (
    DueBeforeIssue,
    NoApprovedSchedule,
    NoReceivingAccount,
    NothingToBill,
    RunAlreadyIssued,
    RunNotFound,
)
from app.people import students
from tests.factories.billing import (
    CARE,
    DECEMBER,
    EARLY,
    IN_DECEMBER,
    NOVEMBER,
    WATER,
    SmallSchool,
    amounts,
    breaches,
    draft,
    grant,
    issue,
    reprice,
    small_school,
    still_open,
)
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT, make_school

BOTH = CARE + WATER


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture(autouse=True)
def _books_hold(context: Flask) -> object:
    yield
    assert breaches() == {}


def within(made: SmallSchool) -> scope.Scope:
    return scope.one_school(made.id)


def pay(made: SmallSchool, student_id: int, dong: int) -> None:
    """Money on the bank account, given to the child's open lines; the rest is credit."""
    with scope.opened(within(made)), transaction():
        lines = billing.open_lines(made.id, [student_id]).get(student_id, [])
        shared = billing.allocate(lines, Vnd(dong))
        pairs = [
            ledger.Pair("bank:1", "receivable", s.amount, s.student_id, s.line_id)
            for s in shared.shares
        ]
        if shared.rest:
            pairs.append(ledger.Pair("bank:1", "credit", shared.rest, student_id))
        cause = 1 + scalar("select count(*) from ledger_events")
        ledger.post(
            made.id,
            ledger.Event("payment_received", "payment", cause, pairs),
            booked_on=date(2026, 11, 20),
            now=EARLY,
        )


def test_every_enrolled_child_gets_its_bill(made: SmallSchool) -> None:
    issued = issue(made.id)

    assert (issued.invoices, issued.lines, issued.total) == (3, 9, Vnd(3 * BOTH))
    with scope.opened(within(made)):
        bills, count = billing.list_invoices(made.id, NOVEMBER)
        assert [bill.full_name for bill in bills] == [
            "Nguyễn Gia An",
            "Trần Bảo Châu",
            "Lê Minh Đạt",
        ]
        assert count == 3
        assert {bill.state for bill in bills} == {"unpaid"}
        assert ledger.balance(made.id, "receivable") == Vnd(3 * BOTH)
        assert ledger.trial_balance(made.id) == Vnd(0)


def test_a_zero_line_stays_listed_and_asks_for_nothing(made: SmallSchool) -> None:
    issue(made.id)

    with scope.opened(within(made)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        tuition = next(
            line for line in billing.lines_of(made.id, [bill.id]) if line.item_id == made.tuition
        )
        entries = scalar(
            "select count(*) from entries where invoice_line_id = :line", line=tuition.id
        )
    assert (tuition.gross, tuition.percent, tuition.amount) == (Vnd(95_000), 100, Vnd(0))
    assert entries == 0


def test_a_bill_of_nothing_is_a_bill(context: Flask) -> None:
    made = small_school(1, taking_care=0)
    reprice(made, made.water, 0, NOVEMBER)

    issued = issue(made.id)

    assert issued.total == Vnd(0)
    with scope.opened(within(made)):
        (bill,) = billing.invoices_of(made.id, made.children[0].student_id)
        assert bill.state == "zero"
        assert billing.requests_of(made.id, made.children[0].student_id) == []


def test_a_second_run_adds_nothing(made: SmallSchool) -> None:
    issue(made.id)

    with pytest.raises(NothingToBill):
        issue(made.id)

    with scope.opened(within(made)):
        assert scalar("select count(*) from invoices where school_id = :s", s=made.id) == 3


def test_a_run_is_issued_once(made: SmallSchool) -> None:
    issued = issue(made.id)

    with scope.opened(within(made)), pytest.raises(RunAlreadyIssued), transaction():
        billing.issue_run(made.id, issued.run_id, actor=ACCOUNTANT, now=EARLY)


def test_a_draft_is_found_again(made: SmallSchool) -> None:
    first = draft(made.id)
    second = draft(made.id, due_on=date(2026, 11, 25))

    assert first == second
    with scope.opened(within(made)):
        assert billing.get_run(made.id, first).due_on == date(2026, 11, 25)


def test_a_late_relief_gives_money_back_that_pays_other_lines(made: SmallSchool) -> None:
    child = made.children[0]
    issue(made.id)
    pay(made, child.student_id, BOTH)
    grant(made.id, child.enrolment_id, made.half)

    issued = issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert amounts(made.id, child.student_id)[made.care, NOVEMBER.number] == CARE // 2
    assert issued.credit_applied == Vnd(CARE // 2)
    assert still_open(made.id, child.student_id) == Vnd(BOTH - CARE // 2 - CARE // 2)
    with scope.opened(within(made)):
        assert billing.credits_of(made.id, [child.student_id]) == {}
        bill = billing.invoices_of(made.id, child.student_id)[0]
        back = [line for line in billing.lines_of(made.id, [bill.id]) if line.amount < Vnd(0)]
    assert [(line.item_id, line.amount, line.service_period) for line in back] == [
        (made.care, Vnd(-CARE // 2), NOVEMBER)
    ]


def test_a_late_relief_of_an_unpaid_line_settles_that_line_in_part(made: SmallSchool) -> None:
    child = made.children[0]
    issue(made.id)
    grant(made.id, child.enrolment_id, made.half)

    issued = issue(made.id)

    assert (issued.invoices, issued.total) == (1, Vnd(-CARE // 2))
    assert still_open(made.id, child.student_id) == Vnd(BOTH - CARE // 2)


def test_credit_of_an_overpayment_is_used_at_issue(made: SmallSchool) -> None:
    child = made.children[1]
    issue(made.id)
    pay(made, child.student_id, BOTH + 100_000)

    issued = issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert issued.credit_applied == Vnd(100_000)
    assert still_open(made.id, child.student_id) == Vnd(BOTH - 100_000)


def test_another_price_bills_the_difference(made: SmallSchool) -> None:
    issue(made.id)
    reprice(made, made.water, 20_000, NOVEMBER)

    issued = issue(made.id)

    assert (issued.invoices, issued.total) == (3, Vnd(3 * 4_000))
    assert amounts(made.id, made.children[0].student_id)[made.water, NOVEMBER.number] == 20_000


def test_who_joins_is_billed_and_who_left_is_not(made: SmallSchool) -> None:
    issue(made.id)
    leaver = made.children[0]
    (joiner,) = enrol(
        made.school, new_student(made.class_id, "Bùi Khánh Vy", starts_on=date(2026, 12, 3))
    )
    with scope.opened(within(made)), transaction():
        students.end_enrolment(
            made.id,
            leaver.enrolment_id,
            ends_on=date(2026, 12, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=EARLY,
        )

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert amounts(made.id, joiner.student_id) == {
        (made.tuition, DECEMBER.number): 0,
        (made.water, DECEMBER.number): WATER,
    }
    assert all(month == NOVEMBER.number for _, month in amounts(made.id, leaver.student_id))


def test_who_joins_in_a_billed_month_gets_a_bill_of_a_further_run(made: SmallSchool) -> None:
    issue(made.id)
    (joiner,) = enrol(
        made.school, new_student(made.class_id, "Bùi Khánh Vy", starts_on=date(2026, 11, 10))
    )

    issued = issue(made.id)

    assert (issued.invoices, issued.total) == (1, Vnd(WATER))
    with scope.opened(within(made)):
        (bill,) = billing.invoices_of(made.id, joiner.student_id)
    assert bill.seq == 1


def test_who_leaves_before_the_month_gets_it_back(made: SmallSchool) -> None:
    leaver = made.children[2]
    issue(made.id)
    with scope.opened(within(made)), transaction():
        students.end_enrolment(
            made.id,
            leaver.enrolment_id,
            ends_on=date(2026, 10, 31),
            reason="moved",
            actor=ACCOUNTANT,
            now=EARLY,
        )

    issued = issue(made.id)

    assert issued.total == Vnd(-BOTH)
    assert set(amounts(made.id, leaver.student_id).values()) == {0}
    assert still_open(made.id, leaver.student_id) == Vnd(0)


def test_each_child_has_one_code_for_all_its_bills(made: SmallSchool) -> None:
    issue(made.id)
    with scope.opened(within(made)):
        first = [billing.requests_of(made.id, child.student_id) for child in made.children]
    issue(made.id, DECEMBER, now=IN_DECEMBER)

    with scope.opened(within(made)):
        second = [billing.requests_of(made.id, child.student_id) for child in made.children]
        due = billing.due(first[0][0])
    assert first == second
    assert all(len(requests) == 1 for requests in first)
    assert len({requests[0].reference for requests in first}) == 3
    assert due == Vnd(2 * BOTH)


# Refusals


def test_a_month_without_approved_prices_is_refused(made: SmallSchool) -> None:
    with pytest.raises(NoApprovedSchedule):
        draft(made.id, Period(2027, 3))


def test_a_day_in_the_past_is_refused(made: SmallSchool) -> None:
    with pytest.raises(DueBeforeIssue):
        issue(made.id, due_on=date(2026, 11, 1))


def test_a_school_without_an_account_is_refused(made: SmallSchool) -> None:
    with scope.opened(within(made)), transaction():
        rows(
            "update bank_accounts set closed_on = :day where school_id = :school_id returning id",
            school_id=made.id,
            day=date(2026, 10, 1),
        )
    with pytest.raises(NoReceivingAccount):
        issue(made.id)


def test_a_run_of_another_school_does_not_exist(made: SmallSchool) -> None:
    run_id = draft(made.id)
    other = make_school()

    with scope.opened(scope.one_school(other.id)), pytest.raises(RunNotFound), transaction():
        billing.issue_run(other.id, run_id, actor=ACCOUNTANT, now=EARLY)


def test_two_people_who_issue_at_once_issue_once(app: Flask, context: Flask) -> None:
    made = small_school()
    run_id = draft(made.id)
    together = Barrier(2)

    def one(_number: int) -> str:
        with app.app_context(), scope.opened(within(made)):
            together.wait(timeout=20)
            try:
                with transaction():
                    billing.issue_run(made.id, run_id, actor=ACCOUNTANT, now=EARLY)
            except DomainError as refusal:
                return refusal.code
            return "issued"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(one, range(2)))

    assert outcomes == ["issued", "run_already_issued"]
    with scope.opened(within(made)):
        assert scalar("select count(*) from invoices where school_id = :s", s=made.id) == 3


def test_two_runs_of_a_month_at_once_never_bill_twice(app: Flask, context: Flask) -> None:
    made = small_school()
    run_ids = [draft(made.id)]
    with scope.opened(within(made)), transaction():
        rows(
            "insert into billing_runs (school_id, billed_period, seq, due_on, drafted_by,"
            " drafted_at) values (:school_id, :period, 2, :due, 'x', :now) returning id",
            school_id=made.id,
            period=NOVEMBER,
            due=NOVEMBER.last_day,
            now=EARLY,
        )
        run_ids.append(int(scalar("select max(id) from billing_runs")))
    together = Barrier(2)

    def one(run_id: int) -> str:
        with app.app_context(), scope.opened(within(made)):
            together.wait(timeout=20)
            try:
                with transaction():
                    billing.issue_run(made.id, run_id, actor=ACCOUNTANT, now=EARLY)
            except DomainError as refusal:
                return refusal.code
            return "issued"

    issue_one: Callable[[int], str] = one
    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(issue_one, run_ids))

    assert outcomes == ["issued", "nothing_to_bill"]
