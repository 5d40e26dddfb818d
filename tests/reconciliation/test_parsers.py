"""Every bank's file says the same; what does not add up is refused with the row to blame."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date

import pytest

from app.core.errors import DomainError
from app.money.reconciliation.errors import (
    AmountUnread,
    BalanceBroken,
    DayUnread,
    EmptyStatement,
    StatementRefused,
    TotalBroken,
    UnknownLayout,
)
from app.money.reconciliation.parsers import StatementFile, read_statement
from app.money.reconciliation.parsers.figures import read_amount, read_day
from app.money.reconciliation.parsers.layouts import Layout
from tests.reconciliation import files
from tests.reconciliation.files import Move

pytestmark = pytest.mark.usefixtures("context")

ACCOUNT = "1012345678"
MOVES = [
    Move(778_775, "MBVCB.3278907687.HP7K3M9Q5.CT tu 0123456789", ref="FT26328000001"),
    Move(-1_100_000, "Tra tien thuc pham thang 11", ref="FT26328000002"),
    Move(450_000, "Nộp học phí HP2B8N5TR lớp 3A", date(2026, 11, 25), ref="FT26329000003"),
]

FORMS: dict[str, Callable[[], bytes]] = {
    "Vietcombank": lambda: files.vietcombank(MOVES, ACCOUNT),
    "Techcombank": lambda: files.techcombank(MOVES, ACCOUNT),
    "text with semicolons": lambda: files.csv(MOVES, ACCOUNT),
    "text, newest row first": lambda: files.csv(MOVES, ACCOUNT, newest=True),
    "a page named .xls": lambda: files.page(MOVES, ACCOUNT),
    "one column with signs": lambda: files.signed(MOVES),
    "MT940": lambda: files.mt940(MOVES, ACCOUNT),
    "camt.053": lambda: files.camt(MOVES, ACCOUNT),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    found = read_statement(FORMS[form](), "sao-ke.xls")

    assert [(r.day, r.amount if r.is_credit else -r.amount) for r in found.rows] == [
        (move.day, move.amount) for move in MOVES
    ]
    assert [row.ref for row in found.rows] == [move.ref for move in MOVES]
    assert all(
        move.text.split()[0] in row.text for move, row in zip(MOVES, found.rows, strict=True)
    )
    assert (found.opening, found.closing) == (10_000_000, 10_128_775)
    assert found.account in (ACCOUNT, None)
    assert found.is_proved


@pytest.mark.parametrize("form", FORMS)
def test_a_row_that_is_missing_is_noticed(form: str) -> None:
    """The statement's own balances are those of three rows; one of them is taken out."""
    whole = FORMS[form]()
    cut = _without_row(form)
    assert read_statement(whole)
    with pytest.raises((BalanceBroken, TotalBroken)) as refusal:
        read_statement(cut)
    assert refusal.value.row is not None


def _without_row(form: str) -> bytes:
    """The same file without its second movement, the balances left as they were."""
    left = [MOVES[0], MOVES[2]]
    whole = files.balances(MOVES)
    kept = [whole[0], whole[2]]
    original = files.balances
    try:
        files.balances = lambda moves, opening=files.OPENING: kept  # type: ignore[assignment]
        builders = {
            "Vietcombank": lambda: files.vietcombank(left, ACCOUNT),
            "Techcombank": lambda: files.techcombank(left, ACCOUNT),
            "text with semicolons": lambda: files.csv(left, ACCOUNT),
            "text, newest row first": lambda: files.csv(left, ACCOUNT, newest=True),
            "a page named .xls": lambda: files.page(left, ACCOUNT),
            "one column with signs": lambda: files.signed(left),
            "MT940": lambda: files.mt940(left, ACCOUNT),
            "camt.053": lambda: files.camt(left, ACCOUNT),
        }
        return builders[form]()
    finally:
        files.balances = original


def test_the_row_that_breaks_the_balance_is_named() -> None:
    text = files.csv(MOVES, ACCOUNT).decode().replace("9.678.775", "9.678.776")
    with pytest.raises(BalanceBroken) as refusal:
        read_statement(text.encode())
    assert refusal.value.row == 5
    assert "5" in refusal.value.message


def test_a_changed_amount_is_noticed_even_when_the_balances_are_not_told_row_by_row() -> None:
    text = files.mt940(MOVES, ACCOUNT).decode().replace("C450000,00", "C540000,00")
    with pytest.raises(TotalBroken):
        read_statement(text.encode())


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        pytest.param("450.000", 450_000, id="dots"),
        pytest.param("450,000", 450_000, id="commas"),
        pytest.param("1 250 000", 1_250_000, id="blanks"),
        pytest.param("1,250,000.00", 1_250_000, id="commas and no cents"),
        pytest.param("1.250.000,00", 1_250_000, id="dots and no cents"),
        pytest.param("+450,000 VND", 450_000, id="sign and currency"),
        pytest.param("-450.000đ", -450_000, id="minus"),
        pytest.param("(450.000)", -450_000, id="brackets"),
        pytest.param(450000.0, 450_000, id="a number of the spreadsheet"),
        pytest.param("", 0, id="nothing"),
        pytest.param("-", 0, id="a dash"),
        pytest.param(None, 0, id="an empty cell"),
    ],
)
def test_amounts_are_read_as_banks_write_them(cell: object, amount: int) -> None:
    assert read_amount(cell, 1) == amount


@pytest.mark.parametrize(
    "cell", ["450.000,50", "45.00.000", "1.250 000,5", "12a000", 450.5, "١٢٣", True, "10" * 10]
)
def test_what_is_no_whole_amount_is_refused(cell: object) -> None:
    with pytest.raises(AmountUnread):
        read_amount(cell, 7)


def test_days_are_read_day_first_with_the_banks_clock() -> None:
    assert read_day("03/11/2026 08:15:30", 1)[0] == date(2026, 11, 3)
    assert str(read_day("03/11/2026 08:15:30", 1)[1]) == "2026-11-03 08:15:30"
    assert read_day("2026-11-03", 1) == (date(2026, 11, 3), None)
    assert read_day("08:15:30 03-11-2026", 1)[0] == date(2026, 11, 3)
    assert read_day(46329, 1)[0] == date(2026, 11, 3)


def test_a_month_first_file_is_seen_when_no_other_reading_is_possible() -> None:
    lines = ["Date,Description,Credit,Balance", "11/24/2026,HP7K3M9Q5,450000,451000"]
    lines.append("11/02/2026,x2,1000,1000")
    found = read_statement("\n".join(lines).encode())
    assert sorted(row.day for row in found.rows) == [date(2026, 11, 2), date(2026, 11, 24)]


def test_a_file_of_unknown_columns_asks_to_be_taught_and_is_read_once_taught() -> None:
    text = "Khi nào;Bao nhiêu;Nói gì\n24/11/2026;450.000;HP7K3M9Q5\n".encode()
    with pytest.raises(UnknownLayout):
        read_statement(text)
    taught = Layout(
        "taught-1",
        "",
        "970415",
        {"day": ("khi nao",), "amount": ("bao nhieu",), "text": ("noi gi",)},
    )
    found = read_statement(text, layouts=[taught])
    assert found.layout.startswith("taught-1:")
    assert (found.rows[0].amount, found.is_proved) == (450_000, False)


def test_a_table_without_a_row_and_a_row_without_a_day_are_refused() -> None:
    head = "Ngày;Nội dung;Ghi nợ;Ghi có\n"
    with pytest.raises(EmptyStatement):
        read_statement(head.encode() + b"Tong cong;;0;0\n")
    with pytest.raises(StatementRefused) as refusal:
        read_statement(f"{head}24/11/2026;a;;1.000\n;HP7K3M9Q5 nop;;450.000\n".encode())
    assert refusal.value.row == 3


def test_a_row_whose_day_cannot_be_read_is_refused_and_not_passed_over() -> None:
    """Without balances nothing else would notice that its money is missing."""
    head = "Ngày;Nội dung;Ghi nợ;Ghi có\n"
    with pytest.raises(DayUnread) as refusal:
        read_statement(f"{head}24/11/2026;a;;1.000\n25 tháng 11;HP7K3M9Q5;;450.000\n".encode())
    assert refusal.value.row == 3


def test_other_currencies_and_document_types_are_refused() -> None:
    with pytest.raises(StatementRefused):
        read_statement(files.mt940(MOVES, ACCOUNT).replace(b"VND", b"USD"))
    bomb = files.camt(MOVES, ACCOUNT).replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "aaaa">]>', 1)
    with pytest.raises(StatementRefused):
        read_statement(bomb)


def test_garbage_is_refused_in_words_and_never_breaks_the_reader() -> None:
    whole = files.csv(MOVES, ACCOUNT)
    for end in range(60, len(whole), 37):
        with contextlib.suppress(DomainError):
            assert isinstance(read_statement(whole[:end]), StatementFile)
