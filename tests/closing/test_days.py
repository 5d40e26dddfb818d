"""A day closes when every difference is in transit with its age, or has its reason."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask

from app import audit
from app.core import scope
from app.core.db import execute, transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import payments
from app.money.closing import exports, queries, services
from app.money.closing.errors import (
    BadMapping,
    DayClosed,
    DayNotOver,
    EarlierDayOpen,
    MonthNotReady,
    MonthStepRefused,
    NothingOnDay,
    OwnSignature,
    ReasonsMissing,
    ReopenReasonMissing,
)
from app.money.closing.figures import DayFigures
from app.money.payments import Credit, Method, movements, till
from app.money.reconciliation import services as statements
from app.people.access.models import Role
from tests.factories.money import Billed, billed_child
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.payments.test_till import paid_in_cash
from tests.reconciliation import files
from tests.reconciliation.files import Move

pytestmark = pytest.mark.usefixtures("context")
DAY = date(2026, 11, 24)
NEXT = NOON + timedelta(days=1)
NOVEMBER = Period(2026, 11)
DECEMBER_NOON = datetime(2026, 12, 1, 5, 0, tzinfo=NOON.tzinfo)
WHY = "Đã có trước khi dùng Sổ Thu"


def arrive(child: Billed, amount: int, number: str, *, at: datetime = NOON) -> int:
    """A transfer the bank told by a notice."""
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        credit = Credit(
            provider="sepay",
            channel_id=school.channel_id,
            external_id=number,
            method=Method.TRANSFER,
            amount=Vnd(amount),
            occurred_at=at,
            value_on=at.date(),
            debit=f"bank:{school.account_id}",
            place=str(school.account_id),
            proof="account",
            text=child.request.reference,
            bank_ref=f"FT{number}",
            bank_account_id=school.account_id,
        )
        accepted = payments.accept_many(school.id, [credit], actor=audit.MACHINE, now=at)
        return accepted[0].payment_id


def close(
    school: MadeSchool,
    day: date = DAY,
    reasons: dict[str, str] | None = None,
    *,
    now: datetime = NEXT,
) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        services.close_day(school.id, day, reasons or {}, actor=ACCOUNTANT, now=now)


def stands(school: MadeSchool, day: date = DAY) -> DayFigures:
    with scope.opened(scope.one_school(school.id)):
        return queries.day_as_it_stands(school.id, day)


def kinds(figures: DayFigures) -> dict[str, int]:
    return {item.kind: item.amount for item in figures.items}


def told(school: MadeSchool, moves: list[Move], *, opening: int = 0, now: datetime = NOON) -> int:
    data = files.csv(moves, school.account_number, opening)
    with scope.opened(scope.one_school(school.id)), transaction():
        return statements.take_in(
            school.id, school.account_id, data, "sao-ke.csv", actor=ACCOUNTANT, now=now
        )


# Days


def test_money_a_notice_told_waits_for_the_statement_and_needs_no_reason() -> None:
    child = billed_child()
    arrive(child, 300_000, "1")
    assert kinds(stands(child.school)) == {"waits": 300_000}
    close(child.school)
    with scope.opened(scope.one_school(child.school.id)):
        kept = queries.closed_day(child.school.id, DAY)
    assert kept is not None
    assert [(one.book, one.statement) for one in kept.figures.banks] == [(300_000, None)]
    assert_books_hold()


def test_what_lay_on_the_account_before_us_is_said_once_and_then_known() -> None:
    child = billed_child()
    school = child.school
    arrive(child, 300_000, "1")
    told(school, [Move(300_000, child.request.reference, DAY, "FT1")], opening=5_000_000)
    found = stands(school)
    assert kinds(found) == {"gap": 5_000_000}
    with pytest.raises(ReasonsMissing):
        close(school)
    with pytest.raises(ReasonsMissing):
        close(school, reasons={f"gap:{school.account_id}": "trước"})
    close(school, reasons={f"gap:{school.account_id}": WHY})
    day = DAY + timedelta(days=1)
    arrive(child, 100_000, "2", at=NEXT)
    told(
        school,
        [Move(100_000, child.request.reference, day, "FT2")],
        opening=5_300_000,
        now=NEXT,
    )
    assert kinds(stands(school, day)) == {}
    close(school, day, now=NEXT + timedelta(days=1))
    assert_books_hold()


def test_a_lost_row_and_a_row_nobody_named_each_need_a_word() -> None:
    child = billed_child()
    school = child.school
    arrive(child, 300_000, "1")
    arrive(child, 50_000, "2")
    told(
        school,
        [
            Move(300_000, child.request.reference, DAY, "FT1"),
            Move(-20_000, "Chi khac", DAY, "OUT"),
        ],
    )
    assert kinds(stands(school)) == {"missing": 50_000, "unnamed": -20_000}
    keys = {item.key: "Đang hỏi ngân hàng về khoản này" for item in stands(school).items}
    with pytest.raises(ReasonsMissing):
        close(school, reasons=dict(list(keys.items())[:1]))
    close(school, reasons=keys)
    assert_books_hold()


def test_a_row_booked_after_its_day_is_no_gap() -> None:
    child = billed_child()
    school = child.school
    arrive(child, 300_000, "1")
    statement = told(
        school,
        [
            Move(300_000, child.request.reference, DAY, "FT1"),
            Move(70_000, child.request.reference, DAY, "FT9"),
        ],
    )
    with scope.opened(scope.one_school(school.id)), transaction():
        statements.post_next(school.id, statement, after=0, actor=ACCOUNTANT, now=NEXT)
    assert kinds(stands(school)) == {}
    close(school)
    assert_books_hold()


def test_a_drawer_with_cash_is_counted_or_explained() -> None:
    child = paid_in_cash(750_000)
    school = child.school
    with pytest.raises(ReasonsMissing):
        close(school)
    with scope.opened(scope.one_school(school.id)), transaction():
        till.count_till(
            school.id,
            school.till_id,
            {500_000: 1, 200_000: 1, 50_000: 1},
            reason="",
            handed_to="",
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert kinds(stands(school)) == {"till": 750_000}
    close(school)
    assert_books_hold()


def test_cash_taken_after_the_count_was_not_counted() -> None:
    child = paid_in_cash(750_000)
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        till.count_till(
            school.id,
            school.till_id,
            {500_000: 1, 200_000: 1, 50_000: 1},
            reason="",
            handed_to="",
            actor=ACCOUNTANT,
            now=NOON - timedelta(hours=1),
        )
    with pytest.raises(ReasonsMissing):
        close(school)
    close(school, reasons={f"till:{school.till_id}": "Kiểm quỹ lại vào sáng hôm sau"})
    assert_books_hold()


def test_notes_on_their_way_stand_with_their_age_until_the_bank_shows_them() -> None:
    child = paid_in_cash(750_000)
    school = child.school
    with scope.opened(scope.one_school(school.id)), transaction():
        movements.deposit_cash(
            school.id,
            school.till_id,
            school.account_id,
            Vnd(750_000),
            slip="7",
            actor=ACCOUNTANT,
            now=NOON,
        )
    assert kinds(stands(school)) == {"deposit": 750_000}
    later = stands(school, DAY + timedelta(days=4))
    assert [item.age(DAY + timedelta(days=4)) for item in later.items] == [4]
    close(school)


def test_days_close_when_they_are_over_in_order_and_once() -> None:
    child = billed_child()
    school = child.school
    arrive(child, 100_000, "1")
    day = DAY + timedelta(days=1)
    arrive(child, 100_000, "2", at=NEXT)
    with pytest.raises(DayNotOver):
        close(school, now=NOON)
    after = NEXT + timedelta(days=2)
    with pytest.raises(EarlierDayOpen):
        close(school, day, now=after)
    with pytest.raises(NothingOnDay):
        close(school, day + timedelta(days=1), now=after + timedelta(days=1))
    close(school, now=after)
    with pytest.raises(DayClosed):
        close(school, now=after)
    close(school, day, now=after)
    assert_books_hold()


def test_frozen_figures_stay_when_money_comes_later() -> None:
    child = billed_child()
    school = child.school
    arrive(child, 100_000, "1")
    close(school)
    with scope.opened(scope.one_school(school.id)):
        before = queries.closed_day(school.id, DAY)
    arrive(child, 200_000, "2", at=NEXT)
    with scope.opened(scope.one_school(school.id)):
        assert queries.closed_day(school.id, DAY) == before
    with pytest.raises(Exception, match="append-only"):
        spoil(school)
    assert_books_hold()


def spoil(school: MadeSchool) -> None:
    with scope.opened(scope.one_school(school.id)), transaction():
        execute("update day_closings set closed_by = 'x'")


# Months


def closed_november() -> Billed:
    child = billed_child()
    arrive(child, 100_000, "1")
    close(child.school)
    return child


def month(school: MadeSchool, verb: object, who: audit.Actor = ACCOUNTANT, **more: object) -> None:
    now = DECEMBER_NOON
    with scope.opened(scope.one_school(school.id)), transaction():
        verb(school.id, NOVEMBER, actor=who, now=now, **more)  # type: ignore[operator]


def state(school: MadeSchool) -> queries.MonthState:
    with scope.opened(scope.one_school(school.id)):
        return queries.month_state(school.id, NOVEMBER)


def test_a_month_is_closed_by_one_signed_by_another_and_opened_by_the_unit_above() -> None:
    school = closed_november().school
    month(school, services.close_month)
    assert state(school).state == "closed"
    with pytest.raises(OwnSignature):
        month(school, services.sign_month)
    month(school, services.sign_month, PRINCIPAL)
    assert (state(school).state, state(school).signed_by) == ("signed", PRINCIPAL.name)
    with pytest.raises(MonthStepRefused):
        month(school, services.close_month)
    with pytest.raises(ReopenReasonMissing):
        month(school, services.reopen_month, PRINCIPAL, words="sai")
    first = state(school).figures
    month(school, services.reopen_month, PRINCIPAL, words="Kiểm tra lại số liệu tháng 11")
    assert state(school).state == "open"
    month(school, services.close_month)
    assert (state(school).state, state(school).version) == ("closed", 2)
    assert state(school).figures == first
    assert_books_hold()


def test_a_month_waits_for_its_end_and_its_days() -> None:
    child = billed_child()
    arrive(child, 100_000, "1")
    with pytest.raises(MonthNotReady, match=r"24/11"):
        month(child.school, services.close_month)
    with (
        pytest.raises(MonthNotReady),
        scope.opened(scope.one_school(child.school.id)),
        transaction(),
    ):
        services.close_month(child.school.id, NOVEMBER, actor=ACCOUNTANT, now=NEXT)


def test_the_trial_balance_of_a_month_comes_to_nothing_over_all_accounts() -> None:
    school = closed_november().school
    month(school, services.close_month)
    accounts = state(school).figures["accounts"]
    assert sum(one["closing"] for one in accounts) == 0
    assert sum(one["debit"] for one in accounts) == sum(one["credit"] for one in accounts)


# The journal


def test_the_journal_has_both_accounts_of_the_circular_and_sums_to_the_entries() -> None:
    child = closed_november()
    school = child.school
    with scope.opened(scope.one_school(school.id)):
        rows = queries.journal(school.id, NOVEMBER)
        name, body = exports.write_journal("csv", rows, [], "DEMO", NOVEMBER)
    lines = body.decode("utf-8-sig").splitlines()
    assert name == "nhat-ky-DEMO-202611.csv"
    assert lines[0] == "ngay_hach_toan,so_chung_tu,dien_giai,tk_no,tk_co,so_tien"
    paid = [line for line in lines if ",Thu tiền,1121,131," in line]
    assert sum(int(line.rsplit(",", 1)[1]) for line in paid) == 100_000
    assert all(line.split(",")[3] and line.split(",")[4] for line in lines[1:])


def test_a_schools_own_account_holds_from_its_day_and_the_longest_prefix_wins() -> None:
    school = closed_november().school
    with scope.opened(scope.one_school(school.id)), transaction():
        for prefix, target in (("held:", "33811"), ("bank:", "1121")):
            services.set_mapping(school.id, prefix, target, DAY, actor=ACCOUNTANT, now=NOON)
    with scope.opened(scope.one_school(school.id)):
        own = queries.own_mappings(school.id)
    assert exports.target_of("held:MEAL", DAY, own) == "33811"
    assert exports.target_of("held:MEAL", DAY - timedelta(days=1), own) == "3388"
    assert exports.target_of("support_payable", DAY, []) == "3388"
    assert exports.target_of("support", DAY, []) == "1388"
    assert exports.target_of("receivable", date(2024, 5, 5), []) == "1311"
    with (
        pytest.raises(BadMapping),
        scope.opened(scope.one_school(school.id)),
        transaction(),
    ):
        services.set_mapping(school.id, "held:", "33a", DAY, actor=ACCOUNTANT, now=NOON)


def test_every_account_of_ours_has_one_of_the_circular() -> None:
    for code in (
        *("cash:1", "bank:2", "deposit:2", "clearing:3", "suspense:2", "suspense:channel:3"),
        *("payout:2", "income:TUITION", "held:MEAL", "surcharge:3", "interschool:4"),
        *("receivable", "credit", "sponsor", "refund_payable", "support_payable", "support"),
        *("rounding", "till_difference", "write_off", "bank_fee", "interest", "transit"),
        *("outside", "same_child", "same_family"),
    ):
        for day in (date(2024, 6, 1), DAY):
            assert exports.target_of(code, day, []), code


# Pages


def test_the_accountant_closes_a_day_and_the_books_can_be_read(app: Flask) -> None:
    child = billed_child()
    school = child.school
    arrive(child, 300_000, "1")
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    assert client.get("/closing").status_code == 200
    page = client.get(f"/closing/days/{DAY}")
    assert "chờ sao kê" in page.text
    book = client.get(f"/closing/books/2026-11/bank:{school.account_id}")
    assert "300.000" in book.text
    file = client.get(f"/closing/books/2026-11/bank:{school.account_id}?as=xlsx")
    assert file.data[:2] == b"PK"
    assert client.get("/closing/months/2026-11").status_code == 200
    assert client.get("/closing/months/2026-11/journal?form=csv").data[:3] == b"\xef\xbb\xbf"
    for wrong in ("days/2026-13-01", "days/2020-01-01", "months/2026-99", "books/2026-11/held:X"):
        assert client.get(f"/closing/{wrong}").status_code == 404
    accounts = client.get("/closing/accounts")
    kept = client.post(
        "/closing/accounts",
        data={"csrf_token": token(accounts), "prefix": "bank:", "target": "11211"},
        follow_redirects=True,
    )
    assert "11211" in kept.text
    bad = client.post(
        "/closing/accounts",
        data={"csrf_token": token(accounts), "prefix": "bank:", "target": "x"},
    )
    assert bad.status_code == 422


def test_the_officer_sees_how_far_each_school_has_closed(app: Flask) -> None:
    school = closed_november().school
    month(school, services.close_month)
    officer = signed_in(app, school.unit_id, Role.OFFICER)
    page = officer.get("/area/closing?month=2026-11")
    assert "chờ ký" in page.text
    code = page.text.split("/area/closing/")[1].split("/")[0]
    refused = officer.post(
        f"/area/closing/{code}/2026-11/reopen", data={"csrf_token": token(page), "reason": "x"}
    )
    assert refused.status_code == 422
    done = officer.post(
        f"/area/closing/{code}/2026-11/reopen",
        data={"csrf_token": token(page), "reason": "Kiểm tra lại số liệu"},
        follow_redirects=True,
    )
    assert "Kiểm tra lại số liệu" in done.text
    assert state(school).state == "open"
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    assert accountant.get("/area/closing").status_code == 403
