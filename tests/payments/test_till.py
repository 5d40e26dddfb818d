"""A drawer is counted by its notes; the books follow, and a difference has its reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from flask import Flask

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.money import ledger
from app.money.payments import cash, handovers, till
from app.money.payments.errors import BadCount, DifferenceUnexplained, NoTill, ShiftIsOpen
from app.money.payments.models import CountKind
from app.people.access.models import Role
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, NOON, make_school
from tests.factories.staff import signed_in, token, words
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")


def paid_in_cash(amount: int = 750_000) -> Billed:
    child = billed_child()
    with scope.opened(scope.one_school(child.school.id)), transaction():
        cash.take_cash(
            child.school.id,
            requests=[child.request],
            ticked=list(child.lines),
            amount=Vnd(amount),
            given=Vnd(amount),
            payer="",
            till_id=child.school.till_id,
            key="count-1",
            keep_rest=True,
            actor=ACCOUNTANT,
            now=NOON,
        )
    return child


def count(
    child: Billed,
    notes: dict[int, int],
    *,
    reason: str = "",
    kind: CountKind = CountKind.CLOSING,
) -> till.Count:
    with scope.opened(scope.one_school(child.school.id)), transaction():
        return till.count_till(
            child.school.id,
            child.school.till_id,
            notes,
            reason=reason,
            handed_to="Trần Thị Bình",
            kind=kind,
            actor=ACCOUNTANT,
            now=NOON,
        )


def in_books(child: Billed, account: str) -> int:
    with scope.opened(scope.one_school(child.school.id)):
        return ledger.balance(child.school.id, account).dong


def test_a_drawer_that_agrees_needs_no_word_and_moves_nothing() -> None:
    child = paid_in_cash()
    found = count(child, {500_000: 1, 200_000: 1, 50_000: 1})
    assert (found.difference, found.reason) == (Vnd(0), "")
    assert in_books(child, "till_difference") == 0
    assert_books_hold()


@pytest.mark.parametrize(
    ("notes", "difference"),
    [({500_000: 1, 200_000: 1}, -50_000), ({500_000: 1, 200_000: 1, 100_000: 1}, 50_000)],
    ids=["too little", "too much"],
)
def test_a_difference_is_booked_with_its_reason_and_the_drawer_agrees_again(
    notes: dict[int, int], difference: int
) -> None:
    child = paid_in_cash()
    with pytest.raises(DifferenceUnexplained):
        count(child, notes, reason="lệch")
    found = count(child, notes, reason="Trả nhầm tiền thừa cho phụ huynh")
    assert found.difference == Vnd(difference)
    assert in_books(child, f"cash:{child.school.till_id}") == 750_000 + difference
    assert in_books(child, "till_difference") == -difference
    assert count(child, notes).difference == Vnd(0)
    assert_books_hold()


def test_a_shift_opens_with_a_count_and_the_next_count_ends_it() -> None:
    child = paid_in_cash()
    school, drawer = child.school.id, child.school.till_id
    notes = {500_000: 1, 200_000: 1, 50_000: 1}
    opened = count(child, notes, kind=CountKind.OPENING)
    with scope.opened(scope.one_school(school)):
        assert till.shift_of(school, drawer) == opened
    with pytest.raises(ShiftIsOpen):
        count(child, notes, kind=CountKind.OPENING)
    count(child, notes)
    with scope.opened(scope.one_school(school)):
        assert till.shift_of(school, drawer) is None
    count(child, notes, kind=CountKind.OPENING)
    assert_books_hold()


def test_what_is_missing_when_a_shift_opens_is_booked_before_it_begins() -> None:
    child = paid_in_cash()
    opened = count(
        child, {500_000: 1}, reason="Ca trước bàn giao thiếu tiền", kind=CountKind.OPENING
    )
    assert opened.difference == Vnd(-250_000)
    assert count(child, {500_000: 1}).difference == Vnd(0)
    assert_books_hold()


def test_the_desk_says_whose_shift_it_is(app: Flask) -> None:
    child = paid_in_cash()
    client = signed_in(app, child.school.unit_id, Role.CASHIER)
    page = client.get("/cash-desk/count")
    assert "Không có ca nào đang mở" in words(page)
    fields = {"csrf_token": token(page), "till": child.school.till_id, "kind": "opening"}
    answer = client.post(
        "/cash-desk/count",
        data={**fields, "note-500000": "1", "note-200000": "1", "note-50000": "1"},
        follow_redirects=True,
    )
    assert answer.status_code == 200
    assert "Ca của" in words(answer)


def test_the_voucher_of_a_count_lists_receipts_and_notes_and_adds_up(
    app: Flask, tmp_path: Path
) -> None:
    child = paid_in_cash()
    kept = count(child, {500_000: 1, 200_000: 1}, reason="Trả nhầm tiền thừa cho phụ huynh")
    with scope.opened(scope.one_school(child.school.id)):
        found = handovers.handover(child.school.id, kept.id)
    assert [(one.amount, one.whose) for one in found.lines] == [(Vnd(750_000), child.full_name)]
    assert found.lines[0].paper.endswith("/ 000001")
    assert (found.number, found.carried, found.other) == (1, Vnd(0), Vnd(0))
    assert (found.expected, found.counted, found.difference) == (
        Vnd(750_000),
        Vnd(700_000),
        Vnd(-50_000),
    )
    again = count(child, {500_000: 1, 200_000: 1})
    with scope.opened(scope.one_school(child.school.id)):
        later = handovers.handover(child.school.id, again.id)
    assert (later.number, later.lines, later.carried) == (2, (), Vnd(700_000))

    client = signed_in(app, child.school.unit_id, Role.CASHIER)
    paper = client.get(f"/cash-desk/count/{kept.id}.pdf")
    file = tmp_path / "count.pdf"
    file.write_bytes(paper.data)
    text = subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True
    ).stdout
    assert "Bảy trăm nghìn đồng chẵn" in text
    assert "thiếu 50.000 đồng" in text
    assert client.get("/cash-desk/count/999999.pdf").status_code == 404


@pytest.mark.parametrize("notes", [{500_000: -1}, {3_000: 1}, {500_000: 10**9}])
def test_notes_that_are_none_are_refused(notes: dict[int, int]) -> None:
    with pytest.raises(BadCount):
        count(paid_in_cash(), notes, reason="Đếm lại theo biên bản")


def test_a_drawer_of_another_school_is_not_there() -> None:
    child, other = paid_in_cash(), make_school()
    with (
        scope.opened(scope.one_school(other.id)),
        pytest.raises(NoTill),
        transaction(),
    ):
        till.count_till(
            other.id,
            child.school.till_id,
            {},
            reason="",
            handed_to="",
            actor=ACCOUNTANT,
            now=NOON,
        )


def test_the_page_keeps_what_was_typed_until_the_difference_is_explained(app: Flask) -> None:
    child = paid_in_cash()
    desk = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = desk.get("/cash-desk/count")
    assert "750.000" in words(page)
    fields = {"csrf_token": token(page), "note-500000": "1", "note-200000": "1"}
    short = desk.post("/cash-desk/count", data=fields)
    assert short.status_code == 422
    assert 'name="note-500000" value="1"' in short.text
    assert "\u221250.000" in words(short)
    wrong = desk.post("/cash-desk/count", data={**fields, "note-1000": "hai"})
    assert wrong.status_code == 422
    kept = desk.post(
        "/cash-desk/count", data={**fields, "reason": "Trả nhầm tiền thừa cho phụ huynh"}
    )
    assert kept.status_code == 303
    assert "Trả nhầm tiền thừa cho phụ huynh" in desk.get("/cash-desk/count").text
    assert (
        signed_in(app, child.school.unit_id, Role.TEACHER).get("/cash-desk/count").status_code
        == 403
    )
    assert_books_hold()
