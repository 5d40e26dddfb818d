"""The figures of the reports are sums of the books, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.core import scope
from app.core.db import execute, scalar, transaction
from app.core.model import db
from app.core.money import Vnd
from app.core.scope import OutOfScope
from app.journeys.reports import queries
from app.journeys.reports.queries import one_school
from app.money.payments.models import Method
from tests.factories.schools import MadeSchool, make_school, make_unit
from tests.reports import books as make

NOVEMBER, OCTOBER = make.NOVEMBER, make.OCTOBER
DAY = date(2026, 11, 20)
NOW = make.noon(date(2026, 11, 24))


@pytest.fixture
def paid_school(context: Flask) -> tuple[MadeSchool, make.Books]:
    """Two classes of three and two; each child owes 716,000, takers of English 836,000."""
    school = make_school()
    books = make.make_books(school, {"2/10": 2, "2/9": 3}, english=1)
    first, second, third = books.classes["2/9"]
    make.pay(school, [first], 836_000, on=DAY)
    make.pay(school, [second], 16_000, on=DAY, method=Method.CASH)
    make.pay(school, [second], 300_000, on=DAY)
    make.pay(school, [third], 800_000, on=DAY, method=Method.CASH)
    return school, books


def report(school: MadeSchool, **narrowed: Any) -> queries.Collection:
    with scope.opened(scope.one_school(school.id)):
        return queries.collection(school.id, NOVEMBER, NOVEMBER, as_of=NOW, **narrowed)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if (
            statement.lstrip().lower().startswith(("select", "with"))
            and "set_config" not in statement
        ):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_class_row_says_what_was_billed_collected_and_left(
    paid_school: tuple[MadeSchool, make.Books],
) -> None:
    found = report(paid_school[0])

    assert [row.name for row in found.classes] == ["2/9", "2/10"]
    figures = found.classes[0].figures
    assert figures.pupils == 3
    assert figures.gross == Vnd(3 * 776_000 + 120_000)
    assert figures.reduction == figures.by_state == Vnd(3 * 60_000)
    assert figures.due == Vnd(3 * 716_000 + 120_000)
    # what the third family paid too much is credit, not collected
    assert figures.collected == Vnd(836_000 + 316_000 + 716_000)
    assert figures.left == figures.due - figures.collected
    assert (figures.cashless, figures.payments) == (2, 4)


def test_rows_columns_and_total_agree(paid_school: tuple[MadeSchool, make.Books]) -> None:
    found = report(paid_school[0])

    for column in ("gross", "reduction", "due", "collected", "left"):
        total = getattr(found.total, column)
        for rows in (found.classes, found.items):
            assert sum(getattr(row.figures, column).dong for row in rows) == total.dong  # type: ignore[attr-defined]
    assert sum(cell.collected.dong for cell in found.cells.values()) == found.total.collected.dong
    assert sum(row.figures.payments for row in found.classes) == found.total.payments == 4
    assert found.total.due == found.total.collected + found.total.left


def test_the_total_is_the_one_of_the_ledger(paid_school: tuple[MadeSchool, make.Books]) -> None:
    school, _books = paid_school
    found = report(school)

    assert found.check.holds
    with scope.opened(scope.one_school(school.id)):
        balances = {
            account: int(
                scalar(
                    "select coalesce(sum(balance), 0) from v_account_balance"
                    " where school_id = :school_id and substr(account, 1, :n) = :account",
                    school_id=school.id,
                    account=account,
                    n=len(account),
                )
            )
            for account in ("receivable", "income:", "held:", "credit", "cash:", "bank:")
        }
        received = scalar(
            "select sum(-amount) from v_entry where school_id = :school_id"
            " and account = 'receivable' and kind = 'payment_received'",
            school_id=school.id,
        )
    assert found.total.left.dong == balances["receivable"]
    assert found.total.due.dong == -balances["income:"] - balances["held:"]
    assert found.total.collected.dong == received
    assert found.total.collected.dong - balances["credit"] == balances["cash:"] + balances["bank:"]


def test_a_bill_that_differs_from_the_books_is_seen(
    paid_school: tuple[MadeSchool, make.Books], monkeypatch: pytest.MonkeyPatch
) -> None:
    school, _books = paid_school
    monkeypatch.setattr(
        one_school, "_LINES", one_school._LINES.replace("l.amount,", "l.amount + 1 as amount,")
    )

    found = report(school)

    assert not found.check.holds
    assert found.check.due_in_ledger + Vnd(17) == found.check.due


def test_narrowed_to_a_class_or_an_item(paid_school: tuple[MadeSchool, make.Books]) -> None:
    school, _books = paid_school
    whole = report(school)
    item = next(row for row in whole.items if row.code == "ENGLISH")

    one_class = report(school, class_name="2/9")
    one_item = report(school, item_id=item.id)

    assert one_class.total == whole.classes[0].figures
    assert one_item.total == item.figures
    assert (one_item.total.pupils, one_item.total.due) == (2, Vnd(240_000))
    assert one_class.check.holds and one_item.check.holds


def test_several_months_and_credit_given_to_the_next_one(context: Flask) -> None:
    school = make_school()
    books = make.make_books(school, {"1/1": 1}, months=(OCTOBER,))
    make.pay(school, books.students, 716_000 + 100_000, on=date(2026, 10, 20))
    make_months(school, NOVEMBER)

    with scope.opened(scope.one_school(school.id)):
        october = queries.collection(school.id, OCTOBER, OCTOBER, as_of=NOW)
        november = queries.collection(school.id, NOVEMBER, NOVEMBER, as_of=NOW)
        both = queries.collection(school.id, OCTOBER, NOVEMBER, as_of=NOW)

    assert october.total.collected == Vnd(716_000)
    # the surplus of October pays for November, though no payment came for it
    assert november.total.collected == Vnd(100_000)
    assert (november.total.payments, both.total.payments) == (0, 1)
    assert both.total.collected == Vnd(816_000)
    assert both.total.pupils == 1
    assert both.check.holds


def make_months(school: MadeSchool, month: Any) -> None:
    """Price and bill one more month as the month before."""
    with scope.opened(scope.one_school(school.id)), transaction():
        execute(
            "insert into schedule_prices (school_id, schedule_id, item_id, audience, period,"
            " quantity, price) select school_id, schedule_id, item_id, audience, :new,"
            " quantity, price from schedule_prices where school_id = :school_id and period = :old",
            school_id=school.id,
            new=month.number,
            old=month.previous().number,
        )
    make.issue(school, month)


def test_money_that_went_back_is_not_collected(paid_school: tuple[MadeSchool, make.Books]) -> None:
    school, books = paid_school
    before = report(school).total
    accepted = make.pay(school, [books.classes["2/10"][1]], 716_000, on=DAY)
    assert report(school).total.payments == before.payments + 1

    make.take_back(school, accepted.payment_id, on=DAY)

    after = report(school)
    assert (after.total.collected, after.total.payments) == (before.collected, before.payments)
    assert after.check.holds


# The area


@pytest.fixture
def ward(context: Flask) -> tuple[int, list[make.Books]]:
    unit = make_unit()
    return unit, [
        make.make_books(make_school(under=unit), {"1/1": 4}),
        make.make_books(make_school(under=unit), {"1/1": 2}),
    ]


def area(unit: int, books: list[make.Books], month: Any = NOVEMBER) -> queries.Area:
    readable = frozenset(one.school.id for one in books)
    with scope.opened(scope.Scope(readable)):
        return queries.area(unit, readable, month, now=NOW)


def school_row(found: queries.Area, books: make.Books) -> queries.SchoolRow:
    return next(row for row in found.schools if row.id == books.school.id)


def test_a_child_with_two_payments_counts_once(ward: tuple[int, list[make.Books]]) -> None:
    unit, books = ward
    one, two, three, _four = books[0].students
    make.pay(books[0].school, [one], 300_000, on=DAY)
    make.pay(books[0].school, [one], 416_000, on=DAY, method=Method.CASH)
    make.pay(books[0].school, [two], 716_000, on=DAY, method=Method.CARD)
    make.pay(books[0].school, [three], 716_000, on=DAY, method=Method.CASH)

    month = school_row(area(unit, books), books[0]).month

    assert (month.cashless_families, month.families) == (2, 3)
    assert (month.cashless_amount, month.amount) == (Vnd(1_016_000), Vnd(2_148_000))


def test_cash_that_is_banked_later_stays_cash(ward: tuple[int, list[make.Books]]) -> None:
    unit, books = ward
    make.pay(books[0].school, [books[0].students[0]], 716_000, on=DAY, method=Method.CASH)
    make.bank_the_cash(books[0].school, 716_000, on=DAY)

    month = school_row(area(unit, books), books[0]).month

    assert (month.cashless_families, month.families) == (0, 1)
    assert (month.cashless_amount, month.amount) == (Vnd(0), Vnd(716_000))


def test_money_that_went_back_counts_nowhere(ward: tuple[int, list[make.Books]]) -> None:
    unit, books = ward
    accepted = make.pay(books[0].school, [books[0].students[0]], 716_000, on=DAY)
    assert school_row(area(unit, books), books[0]).month.families == 1

    make.take_back(books[0].school, accepted.payment_id, on=DAY)

    row = school_row(area(unit, books), books[0])
    assert row.month == queries.MonthOfPayments()
    assert row.collected == Vnd(0)
    assert row.unmatched == 0


def test_a_part_that_went_back_is_taken_off_the_value(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    accepted = make.pay(books[0].school, [books[0].students[0]], 716_000, on=DAY)
    make.take_back(books[0].school, accepted.payment_id, on=DAY, amount=16_000)

    row = school_row(area(unit, books), books[0])

    assert (row.month.cashless_families, row.month.families) == (1, 1)
    assert row.month.cashless_amount == row.month.amount == row.collected == Vnd(700_000)
    assert report(books[0].school).check.holds


def test_a_payment_for_two_children_counts_for_each(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    first, second = books[1].students
    make.pay(books[1].school, [first, second], 1_432_000, on=DAY, method=Method.CASH)

    row = school_row(area(unit, books), books[1])

    assert (row.month.families, row.month.amount) == (2, Vnd(1_432_000))
    assert report(books[1].school).total.payments == 2


def test_money_of_unknown_children_is_no_payment_but_a_question(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    make.pay_unknown(books[0].school, 500_000, on=date(2026, 11, 10))
    make.pay_unknown(books[1].school, 500_000, on=date(2026, 11, 23))

    found = area(unit, books)

    assert school_row(found, books[0]).month.families == 0
    assert school_row(found, books[0]).reasons == (queries.Reason("unmatched", (1, 14)),)
    # one day old is no reason to ask yet
    assert school_row(found, books[1]).unmatched == 1
    assert school_row(found, books[1]).reasons == ()
    assert [row.id for row in found.asked] == [books[0].school.id]


def test_a_family_that_pays_in_the_next_month_counts_there(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    make.pay(books[0].school, [books[0].students[0]], 716_000, on=date(2026, 12, 1))

    november = school_row(area(unit, books), books[0])
    december = school_row(area(unit, books, NOVEMBER.next()), books[0])

    assert november.month.families == 0 and december.month.families == 1
    # its bill was November's, so the collection is November's
    assert november.collected == Vnd(716_000) and december.collected == Vnd(0)
    assert december.trend[-1] == 100 and december.trend[-2] is None


def test_totals_are_the_sums_of_the_rows_and_of_the_school_reports(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    make.pay(books[0].school, [books[0].students[0]], 500_000, on=DAY)
    make.pay(books[1].school, [books[1].students[1]], 900_000, on=DAY, method=Method.CASH)

    found = area(unit, books)

    assert (found.pupils, found.due, found.collected) == (6, Vnd(6 * 716_000), Vnd(1_216_000))
    assert (found.month.cashless_families, found.month.families) == (1, 2)
    assert (found.with_channel, len(found.schools), found.on_target) == (2, 2, 1)
    for one in books:
        row, whole = school_row(found, one), report(one.school).total
        assert (row.due, row.collected, row.left) == (whole.due, whole.collected, whole.left)


def test_schools_below_the_aim_come_first_lowest_first(ward: tuple[int, list[make.Books]]) -> None:
    unit, books = ward
    third = make.make_books(make_school(under=unit), {"1/1": 2})
    make.pay(books[0].school, [books[0].students[0]], 716_000, on=DAY)
    make.pay(books[0].school, [books[0].students[1]], 716_000, on=DAY, method=Method.CASH)
    make.pay(books[1].school, [books[1].students[0]], 716_000, on=DAY)
    make.pay(third.school, [third.students[0]], 716_000, on=DAY, method=Method.CASH)

    found = area(unit, [*books, third])

    assert [row.id for row in found.schools] == [
        third.school.id,
        books[0].school.id,
        books[1].school.id,
    ]
    assert found.asked[0].reasons == (queries.Reason("below", (0, 1)),)
    assert found.asked[1].reasons == (queries.Reason("below", (1, 2)),)
    assert len(found.others) == 1


def test_an_officer_sees_only_the_schools_of_the_place(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    elsewhere = make.make_books(make_school(under=make_unit()), {"1/1": 2})
    make.pay(elsewhere.school, [elsewhere.students[0]], 716_000, on=DAY)

    found = area(unit, books)

    assert {row.id for row in found.schools} == {one.school.id for one in books}
    assert found.month.families == 0
    with scope.opened(scope.one_school(books[0].school.id)), pytest.raises(OutOfScope):
        queries.collection(elsewhere.school.id, NOVEMBER, NOVEMBER, as_of=NOW)


def test_the_number_of_queries_does_not_grow_with_the_schools(
    ward: tuple[int, list[make.Books]],
) -> None:
    unit, books = ward
    with counted_statements() as few:
        area(unit, books)
    more = [make.make_books(make_school(under=unit), {"1/1": 1}) for _ in range(4)]
    with counted_statements() as many:
        found = area(unit, [*books, *more])

    assert len(found.schools) == 6
    assert len(many) == len(few) <= 9


def test_a_place_without_schools_is_empty(context: Flask) -> None:
    unit = make_unit()
    with scope.opened(scope.Scope(frozenset())):
        found = queries.area(unit, frozenset(), NOVEMBER, now=NOW)
    assert (found.schools, found.month.families, found.due) == ((), 0, Vnd(0))
