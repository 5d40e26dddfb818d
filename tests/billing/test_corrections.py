"""A wrong bill is withdrawn and replaced, one child is put right; nothing issued is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import execute, scalar, transaction
from app.core.errors import DomainError
from app.core.money import Vnd
from app.money import billing, fees, ledger
from app.money.billing import corrections, queries
from app.money.billing.errors import (
    AlreadyWithdrawn,
    CorrectionReasonMissing,
    DueBeforeIssue,
    InvoiceNotFound,
    MonthNotIssued,
    NothingToBill,
    NothingToWithdraw,
)
from app.people.access import Role
from tests.factories.billing import (
    CARE,
    DECEMBER,
    EARLY,
    IN_DECEMBER,
    NOVEMBER,
    TUITION,
    WATER,
    SmallSchool,
    amounts,
    breaches,
    grant,
    issue,
    reprice,
    small_school,
    still_open,
)
from tests.factories.schools import ACCOUNTANT
from tests.factories.staff import set_clock, signed_in, token

DUE = date(2026, 12, 20)
WHY = "thu nhầm tiền bán trú của em"


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture(autouse=True)
def _books_hold(context: Flask) -> Iterator[None]:
    yield
    assert breaches() == {}


def withdraw(made: SmallSchool, invoice_id: int, **values: Any) -> corrections.Withdrawn:
    given_ = {"reason": WHY, "due_on": DUE, "actor": ACCOUNTANT, "now": EARLY} | values
    with scope.opened(scope.one_school(made.id)), transaction():
        return corrections.withdraw(made.id, invoice_id, **given_)


def put_right(made: SmallSchool, number: int, **values: Any) -> billing.Issued:
    given_ = {"due_on": DUE, "actor": ACCOUNTANT, "now": EARLY} | values
    with scope.opened(scope.one_school(made.id)), transaction():
        return corrections.bill_child(
            made.id, made.children[number].enrolment_id, NOVEMBER, **given_
        )


def bills(made: SmallSchool, number: int = 0) -> list[queries.InvoiceRow]:
    with scope.opened(scope.one_school(made.id)):
        return billing.invoices_of(made.id, made.children[number].student_id)


def credit(made: SmallSchool, number: int = 0) -> int:
    student = made.children[number].student_id
    with scope.opened(scope.one_school(made.id)):
        return billing.credits_of(made.id, [student]).get(student, Vnd(0)).dong


def pay(made: SmallSchool, number: int, dong: int) -> None:
    student = made.children[number].student_id
    with scope.opened(scope.one_school(made.id)), transaction():
        lines = billing.open_lines(made.id, [student]).get(student, [])
        shared = billing.allocate(lines, Vnd(dong))
        pairs = [
            ledger.Pair("bank:1", "receivable", s.amount, s.student_id, s.line_id)
            for s in shared.shares
        ]
        if shared.rest:
            pairs.append(ledger.Pair("bank:1", "credit", shared.rest, student))
        cause = 1 + scalar("select count(*) from ledger_events")
        ledger.post(
            made.id,
            ledger.Event("payment_received", "payment", cause, pairs),
            booked_on=date(2026, 11, 20),
            now=EARLY,
        )


def end_choice(made: SmallSchool, number: int) -> None:
    """The family never wanted care; the yes was recorded by mistake."""
    with scope.opened(scope.one_school(made.id)), transaction():
        choice = scalar(
            "select id from fee_choices where enrolment_id = :id",
            id=made.children[number].enrolment_id,
        )
        fees.withdraw_choice(
            made.id, choice, last_period=NOVEMBER.previous(), actor=ACCOUNTANT, now=EARLY
        )


def test_an_unpaid_bill_withdrawn_leaves_only_the_new_one_open(made: SmallSchool) -> None:
    issue(made.id)
    end_choice(made, 0)
    (wrong,) = bills(made)

    done = withdraw(made, wrong.id)

    new, note, old = bills(made)
    assert (done.note_id, done.replacement_id) == (note.id, new.id)
    assert (done.amount, done.credit) == (Vnd(CARE + WATER), Vnd(0))
    assert (old.open, note.total, new.total) == (Vnd(0), Vnd(-CARE - WATER), Vnd(WATER))
    assert still_open(made.id, made.children[0].student_id) == Vnd(WATER)
    assert credit(made) == 0
    # Whole lines stand on the new paper, the free tuition too.
    with scope.opened(scope.one_school(made.id)):
        lines = billing.lines_of(made.id, [new.id])
    assert {line.item_id: (line.gross.dong, line.amount.dong) for line in lines} == {
        made.tuition: (TUITION, 0),
        made.water: (WATER, WATER),
    }
    # The next run finds nothing to add.
    with pytest.raises(NothingToBill):
        issue(made.id)


def test_what_was_paid_pays_the_new_bill_and_the_rest_is_credit(made: SmallSchool) -> None:
    issue(made.id)
    pay(made, 0, CARE + WATER)
    end_choice(made, 0)

    done = withdraw(made, bills(made)[0].id)

    assert done.credit == Vnd(CARE + WATER)
    assert still_open(made.id, made.children[0].student_id) == Vnd(0)
    assert credit(made) == CARE
    assert [bill.state for bill in bills(made)] == ["receipted", "zero", "receipted"]


def test_half_paid_settles_the_rest_of_the_wrong_bill_first(made: SmallSchool) -> None:
    issue(made.id)
    pay(made, 0, 100_000)
    end_choice(made, 0)

    done = withdraw(made, bills(made)[0].id)

    assert done.credit == Vnd(100_000)
    assert still_open(made.id, made.children[0].student_id) == Vnd(0)
    assert credit(made) == 100_000 - WATER


def test_other_bills_of_the_child_are_left_alone(made: SmallSchool) -> None:
    issue(made.id)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    december, november = bills(made)

    withdraw(made, november.id, now=IN_DECEMBER)

    assert next(b for b in bills(made) if b.id == december.id).open == december.open
    assert still_open(made.id, made.children[0].student_id) == Vnd(2 * (CARE + WATER))
    assert still_open(made.id, made.children[1].student_id) == Vnd(2 * (CARE + WATER))


def test_a_bill_with_its_supplement_is_turned_whole(made: SmallSchool) -> None:
    issue(made.id)
    reprice(made, made.water, 20_000, NOVEMBER)
    issue(made.id)
    first = bills(made)[-1]

    withdraw(made, first.id)

    assert amounts(made.id, made.children[0].student_id) == {
        (made.tuition, NOVEMBER.number): 0,
        (made.care, NOVEMBER.number): CARE,
        (made.water, NOVEMBER.number): 20_000,
    }
    assert still_open(made.id, made.children[0].student_id) == Vnd(CARE + 20_000)


def test_one_child_is_put_right_after_a_late_exemption(made: SmallSchool) -> None:
    issue(made.id)
    grant(made.id, made.children[0].enrolment_id, made.half)
    grant(made.id, made.children[1].enrolment_id, made.half)

    issued = put_right(made, 0)

    assert (issued.invoices, issued.total) == (1, Vnd(-130_000))
    assert credit(made, 0) == 0  # it paid what was open
    assert still_open(made.id, made.children[0].student_id) == Vnd(CARE + WATER - 130_000)
    assert still_open(made.id, made.children[1].student_id) == Vnd(CARE + WATER)
    with pytest.raises(NothingToBill):
        put_right(made, 0)
    # The run of the school still finds the other child.
    assert issue(made.id).invoices == 1


def test_one_child_waits_for_the_run_of_its_school(made: SmallSchool) -> None:
    with pytest.raises(MonthNotIssued):
        put_right(made, 0)


def test_what_cannot_be_withdrawn_is_refused_and_changes_nothing(made: SmallSchool) -> None:
    issue(made.id)
    (wrong,) = bills(made)
    stranger = small_school(1)
    before = scalar_all(made)
    for refusal, school, values in (
        (CorrectionReasonMissing, made, {"reason": "sai"}),
        (DueBeforeIssue, made, {"due_on": date(2026, 10, 1)}),
        (InvoiceNotFound, stranger, {}),
    ):
        with pytest.raises(refusal):
            withdraw(school, wrong.id, **values)
    assert scalar_all(made) == before

    note = withdraw(made, wrong.id).note_id
    for invoice in (wrong.id, note):
        with pytest.raises((AlreadyWithdrawn, NothingToWithdraw)):
            withdraw(made, invoice)


def scalar_all(made: SmallSchool) -> tuple[int, ...]:
    with scope.opened(scope.EVERY_SCHOOL):
        return tuple(
            int(scalar(f"select count(*) from {table}"))
            for table in ("billing_runs", "invoices", "entries", "invoice_withdrawals")
        )


def test_a_withdrawal_is_never_changed(made: SmallSchool) -> None:
    issue(made.id)
    withdraw(made, bills(made)[0].id)
    for deed in ("update invoice_withdrawals set reason = 'x'", "delete from invoice_withdrawals"):
        with (
            pytest.raises(Exception, match="append-only"),
            scope.opened(scope.EVERY_SCHOOL),
            transaction(),
        ):
            execute(deed)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "grant", "end", "run", "child", "withdraw"]),
        st.integers(0, 2),
        st.integers(1, 300),
    ),
    max_size=10,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds=DEEDS)
def test_whatever_is_put_right_the_sum_billed_is_what_the_rules_give(
    context: Flask, deeds: list[tuple[str, int, int]]
) -> None:
    made = small_school()
    issue(made.id)
    for deed, number, size in deeds:
        try:
            if deed == "pay":
                pay(made, number, size * 1000)
            elif deed == "grant":
                grant(made.id, made.children[number].enrolment_id, made.half)
            elif deed == "end":
                end_choice(made, number)
            elif deed == "run":
                issue(made.id)
            elif deed == "child":
                put_right(made, number)
            elif deed == "withdraw":
                withdraw(made, bills(made, number)[-1].id)
        except DomainError:
            continue
    for number, child in enumerate(made.children):
        with contextlib.suppress(NothingToBill):
            put_right(made, number)
        with scope.opened(scope.one_school(made.id)):
            asked = {
                (line.item_id, NOVEMBER.number): int(line.gross) - int(line.reduction)
                for line in billing.bill_by_rules(made.id, child.enrolment_id, NOVEMBER)
            }
        billed = amounts(made.id, child.student_id)
        assert {key: dong for key, dong in billed.items() if dong} == {
            key: dong for key, dong in asked.items() if dong
        }
    assert breaches() == {}


def test_the_accountant_withdraws_on_the_page_and_prints_the_note(
    context: Flask, made: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, EARLY)
    issue(made.id)
    end_choice(made, 0)
    (wrong,) = bills(made)
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    page = clerk.get(f"/invoices/{wrong.id}")
    form = {"csrf_token": token(page), "reason": "sai"}
    refused = clerk.post(f"/invoices/{wrong.id}/withdraw", data=form)
    assert refused.status_code == 422 and "Ghi lý do từ 10" in refused.text

    form["reason"] = WHY
    done = clerk.post(f"/invoices/{wrong.id}/withdraw", data=form)

    assert done.status_code == 303
    new = clerk.get(done.location).text
    assert "Phiếu này thay cho một phiếu đã thu hồi" in new and WHY in new
    assert "đã thu hồi" in clerk.get("/invoices").text
    note = bills(made)[1]
    assert clerk.get(f"/invoices/{note.id}/note.pdf").data.startswith(b"%PDF")
    assert clerk.get(f"/invoices/{bills(made, 1)[0].id}/note.pdf").status_code == 404
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL)
    form = {"csrf_token": token(principal.get("/students")), "reason": WHY}
    assert principal.post(f"/invoices/{wrong.id}/withdraw", data=form).status_code == 403


def test_the_accountant_issues_the_difference_of_one_child(
    context: Flask, made: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, EARLY)
    issue(made.id)
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    (bill,) = bills(made)
    assert "khớp với quy tắc" in clerk.get(f"/invoices/{bill.id}").text
    grant(made.id, made.children[0].enrolment_id, made.half)

    page = clerk.get(f"/invoices/{bill.id}")
    done = clerk.post(f"/invoices/{bill.id}/put-right", data={"csrf_token": token(page)})

    assert "130.000" in page.text and done.status_code == 303
    assert [one.total.dong for one in bills(made)] == [-130_000, CARE + WATER]
    again = clerk.post(f"/invoices/{bill.id}/put-right", data={"csrf_token": token(page)})
    assert again.status_code == 409
