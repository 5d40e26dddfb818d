"""Lists over a simulated year: what they add up to is what the ledger says, in either language."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from python_calamine import CalamineWorkbook

from app.core import scope
from app.core.db import DAY, rows, transaction
from app.core.money import Vnd
from app.core.period import Period
from app.journeys.reports import listings
from app.journeys.reports.listings import REPORTS, Asked, Listing
from app.money.payments.models import Method
from app.money.payouts import services as payouts
from app.money.payouts.models import Kind, Way
from app.people.access import Role
from tests.factories.schools import ACCOUNTANT, PRINCIPAL, MadeSchool, make_school
from tests.factories.staff import Browser, set_clock, signed_in, words
from tests.receipts.papers import need_printing, words_of
from tests.reports import books as make

MONTHS = tuple(Period(2026, month) for month in (9, 10, 11, 12)) + tuple(
    Period(2027, month) for month in (1, 2, 3, 4, 5)
)
FIRST, LAST = date(2026, 9, 1), date(2027, 5, 31)
#: sums of one day and of the whole year; a day in the middle of arrears
DAYS = (date(2026, 10, 5), date(2027, 1, 20), LAST)


@dataclass(frozen=True)
class Year:
    """A school after a year of bills, payments of every kind, money back and money unknown."""

    school: MadeSchool
    accountant: Browser


@pytest.fixture
def year(context: Flask, monkeypatch: pytest.MonkeyPatch) -> Year:
    school = make_school()
    books = make.make_books(school, {"5/4": 3, "2/1": 2}, months=MONTHS, english=1)
    # The school of this test insures with what it bills each child: drinking water.
    monkeypatch.setattr("app.journeys.reports.listings.billed.INSURANCE_CODE", "WATER")
    ways = (Method.TRANSFER, Method.CASH, Method.CARD, Method.WALLET)
    for number, month in enumerate(MONTHS):
        for place, student in enumerate(books.students):
            if (number + place) % 4 == 3:
                continue  # not every family pays every month
            on = month.first_day + timedelta(days=9 + place)
            set_clock(monkeypatch, make.noon(on))
            paid = make.pay(
                school,
                [student],
                716_000 - 1_000 * place,
                on=on,
                method=ways[(2 * number + place) % 4],
            )
            if (number, place) == (2, 0):
                make.take_back(school, paid.payment_id, on=on + timedelta(days=2))
        if month == Period(2026, 12):
            # One family pays the year and more.
            set_clock(monkeypatch, make.noon(date(2026, 12, 28)))
            make.pay(school, [books.students[4]], 5_000_000, on=date(2026, 12, 28))
    make.pay_unknown(school, 250_000, on=date(2026, 12, 3))
    set_clock(monkeypatch, make.noon(date(2027, 5, 25)))
    give_back(school, books.students[4])
    set_clock(monkeypatch, make.noon(LAST))
    return Year(school, signed_in(context, school.unit_id, Role.ACCOUNTANT))


def give_back(school: MadeSchool, student: int) -> None:
    """A family that paid too much gets a part back in May; the rest stays credit."""
    wanted = payouts.NewPayout(
        Kind.REFUND,
        Way.TRANSFER,
        student,
        Vnd(100_000),
        "Gia đình nộp thừa, xin nhận lại",
        bank_bin="970436",
        account="1012345678",
        holder="Phạm Thị Hòa",
    )
    now = make.noon(date(2027, 5, 25))
    with scope.opened(scope.one_school(school.id)), transaction():
        (number,) = payouts.ask(school.id, [wanted], actor=ACCOUNTANT, now=now)
        payouts.approve(school.id, number, actor=PRINCIPAL, now=now)


def read(year: Year, name: str, first: date, last: date) -> Listing:
    """A list as the page reads it."""
    with scope.opened(scope.one_school(year.school.id)):
        return listings.read(REPORTS[name], Asked(year.school.id, first, last, make.noon(last)))


def balance(year: Year, account: str, day: date) -> Vnd:
    """What an account holds at the end of a day, from the entries and from nothing else."""
    with scope.opened(scope.one_school(year.school.id)):
        found = rows(
            "select coalesce(sum(amount), 0) as held from v_entry where school_id = :school_id"
            " and account = :account and posted_at < :end",
            school_id=year.school.id,
            account=account,
            end=make.noon(day) + timedelta(hours=12),
        )
    return Vnd(int(found[0].held))


def test_the_total_of_every_list_is_the_ledgers(year: Year) -> None:
    for name, day in product(REPORTS, DAYS):
        listing = read(year, name, FIRST, day)

        # Credit is from December, money goes back in May; what the State pays leaves nothing.
        is_empty = (name, day) in {
            ("credits", DAYS[0]),
            ("given-back", DAYS[0]),
            ("given-back", DAYS[1]),
        }
        assert bool(listing.lines) == (not is_empty), (name, day)
        assert listing.in_ledger is not None
        assert listing.sum == listing.in_ledger, (name, day)
        assert (listing.sum > Vnd(0)) == (name != "reductions" and not is_empty), (name, day)


def by_age(year: Year, day: date) -> dict[str, int]:
    """The same parts, reckoned bill by bill in Python."""
    with scope.opened(scope.one_school(year.school.id)):
        found = rows(
            "select i.due_on, sum(x.amount) as open from v_entry x"
            " join invoice_lines l on l.id = x.invoice_line_id"
            " join invoices i on i.id = l.invoice_id"
            " where x.school_id = :school_id and x.account = 'receivable' and x.posted_at < :end"
            " group by i.id, i.due_on",
            types={"due_on": DAY},
            school_id=year.school.id,
            end=make.noon(day) + timedelta(hours=12),
        )
    parts = dict.fromkeys(("not_due", "d30", "d60", "d90", "older"), 0)
    for bill in found:
        late = (day - bill.due_on).days
        part = next(
            name for name, most in zip(parts, (0, 30, 60, 90, 10_000), strict=True) if late <= most
        )
        parts[part] += int(bill.open)
    return parts


def test_arrears_by_age_add_up_and_grow_old(year: Year) -> None:
    parts = ("not_due", "d30", "d60", "d90", "older")
    for day in DAYS:
        listing = read(year, "arrears", day, day)

        assert listing.total("open") == balance(year, "receivable", day)
        assert {part: listing.total(part).dong for part in parts} == by_age(year, day)
        for line in listing.lines:
            assert sum(value.dong for value in line.values[3:8]) == line.values[8].dong


def test_money_by_day_and_the_register_count_every_payment_once(year: Year) -> None:
    listing = read(year, "by-day", FIRST, LAST)
    with scope.opened(scope.one_school(year.school.id)):
        found = {
            one.method: (int(one.n), int(one.amount))
            for one in rows(
                "select method, count(*) as n, sum(amount) as amount from payments"
                " where school_id = :school_id group by method",
                school_id=year.school.id,
            )
        }

    ways = ("cash", "transfer", "card", "wallet")
    assert {way: listing.total(way).dong for way in ways} == {
        way: found.get(way, (0, 0))[1] for way in ways
    }
    assert listing.total("payments") == sum(n for n, _amount in found.values())

    # Tuition of five children in nine months, paid by the State.
    reductions = read(year, "reductions", FIRST, LAST)
    assert reductions.total("by_state") == reductions.total("gross") == Vnd(5 * 9 * 60_000)

    # The register of the same days lists void numbers and does not count them.
    listing = read(year, "receipts", FIRST, LAST)
    void = [line for line in listing.lines if line.is_struck]

    assert len(void) == 1
    assert listing.sum == Vnd(
        sum(line.values[5].dong for line in listing.lines if not line.is_struck)
    )
    numbers = [line.values[0] for line in listing.lines]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_screen_paper_and_workbook_say_the_same_total(
    year: Year, language: str, tmp_path: Path
) -> None:
    need_printing()
    days = "from=2026-09-01&to=2027-05-31"
    holds = "Tổng khớp với sổ cái" if language == "vi" else "The total is the ledger"
    for name in REPORTS:
        total = read(year, name, FIRST, LAST).sum.dong
        figure = f"{total:,}".replace(",", ".")

        page = words(year.accountant.get(f"/reports/lists/{name}?{days}&lang={language}"))
        book = year.accountant.get(f"/reports/lists/{name}.xlsx?{days}&lang={language}")

        assert (figure if language == "vi" else figure.replace(".", ",")) in page
        assert holds in page
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0)
        assert float(total) in [cell for row in sheet.to_python() for cell in row]
        if language == "vi":
            paper = year.accountant.get(f"/reports/lists/{name}.pdf?{days}")
            said = words_of(paper.data, tmp_path)
            assert figure in said
            for part in ("khớp với sổ cái", "Hiệu trưởng", "ngày … tháng … năm"):
                assert part in said


def test_a_list_that_differs_from_the_ledger_says_so_everywhere(
    year: Year, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_printing()
    monkeypatch.setattr("app.journeys.reports.listings.by_day.scalar", lambda *_a, **_k: 7)

    page = words(year.accountant.get("/reports/lists/by-day?from=2026-09-01&to=2027-05-31"))
    paper = year.accountant.get("/reports/lists/by-day.pdf?from=2026-09-01&to=2027-05-31")

    assert "Bảng và sổ cái không khớp" in page
    assert "KHÔNG KHỚP" in words_of(paper.data, tmp_path)


def test_the_first_page_names_every_report_and_strangers_find_nothing(
    context: Flask, year: Year
) -> None:
    page = year.accountant.get("/reports")
    for name in (*(f"lists/{name}" for name in REPORTS), "collection"):
        assert f"/reports/{name}" in page.text

    assert year.accountant.get("/reports/lists/arrears?to=31-12-2026").status_code == 422
    for name, day in product(REPORTS, ("0001-01-01", "9999-12-31")):
        assert year.accountant.get(f"/reports/lists/{name}?to={day}").status_code == 422
    for page in ("/receipts", "/receipts/prints"):
        asked = f"{page}?from=0001-01-01&to=9999-12-31"
        assert year.accountant.get(asked).status_code == 200
    assert year.accountant.get("/reports/lists/nothing").status_code == 404
    teacher = signed_in(context, year.school.unit_id, Role.TEACHER)
    assert teacher.get("/reports/lists/arrears").status_code == 403
    assert teacher.get("/reports").status_code == 403
    stranger = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    page = stranger.get("/reports/lists/arrears?to=2027-05-31")
    assert "Không có gì trong những ngày này" in words(page)
