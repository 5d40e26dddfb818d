"""The frame: doors, home page, language, health; each role sees its own work and no more."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask

from app.core import clock, jobs, scope
from app.core.db import execute, transaction
from app.core.money import Vnd
from app.money import billing, fees
from app.money.billing.reference import new_reference
from app.money.payments.models import Method
from app.people.access import Role
from app.shell import health, queries
from tests.factories.billing import CARE, DECEMBER, NOVEMBER, WATER, SmallSchool, grant, issue
from tests.factories.billing import small_school as make_small_school
from tests.factories.schools import ACCOUNTANT, NOON, make_school, make_unit
from tests.factories.staff import set_clock, signed_in, token, visitor, words
from tests.reports.books import pay, pay_unknown

BOTH = CARE + WATER
DAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return make_small_school()


@pytest.fixture
def code(made: SmallSchool) -> billing.Request:
    """The payment request of the first child."""
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        return billing.requests_of(made.id, made.children[0].student_id)[0]


# The parents' door


@pytest.mark.parametrize("typed", ["{0}", " {1} ", "https://vi.du/pay/{2}"])
def test_a_code_or_link_opens_the_bill(context: Flask, code: billing.Request, typed: str) -> None:
    browser = visitor(context)
    page = browser.get("/")
    spaced = f"{code.reference[:5].lower()} {code.reference[5:]}"

    answer = browser.post(
        "/",
        data={
            "csrf_token": token(page),
            "code": typed.format(code.reference, spaced, code.token),
        },
    )

    assert answer.status_code == 303 and answer.location == f"/pay/{code.token}"


@pytest.mark.parametrize("typed", ["", "HP0000000", "học phí", "https://vi.du/pay/nothing"])
def test_an_unknown_code_says_what_to_compare(context: Flask, typed: str) -> None:
    browser = visitor(context)
    page = browser.get("/")

    answer = browser.post("/", data={"csrf_token": token(page), "code": typed})

    assert answer.status_code == 422 and "bắt đầu bằng HP" in words(answer)


def test_trying_codes_one_after_another_is_slowed_down(context: Flask) -> None:
    browser = visitor(context)
    form = {"csrf_token": token(browser.get("/"))}
    origin = {"REMOTE_ADDR": "203.0.113.7"}

    answers = [
        browser.post("/", data={**form, "code": new_reference()}, environ_base=origin).status_code
        for _ in range(22)
    ]

    assert set(answers[:20]) == {422} and answers[-1] == 429
    other = browser.post(
        "/", data={**form, "code": "HP"}, environ_base={"REMOTE_ADDR": "203.0.113.8"}
    )
    assert other.status_code == 422


# Today


def test_the_accountant_sees_what_waits_and_where(context: Flask, made: SmallSchool) -> None:
    browser = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)

    page = browser.get("/today")
    assert "Chưa phát hành phiếu tháng 11/2026" in words(page)
    assert "/billing-runs?period=2026-11" in page.text
    assert "Chưa có phiếu nào của tháng 11/2026" in words(page)

    issue(made.id)
    pay_unknown(made.school, 300_000, on=DAY)
    page = browser.get("/today")
    assert "Dòng ngân hàng chưa rõ là của ai" in words(page) and "300.000 ₫" in words(page)
    assert "Chưa phát hành phiếu tháng 12/2026" in words(page)
    assert "828.000" in page.text


def test_the_states_of_a_month_add_up_to_what_families_pay(
    context: Flask, made: SmallSchool
) -> None:
    first, second, third = (child.student_id for child in made.children)
    issue(made.id)
    pay(made.school, [first], BOTH + 100_000, on=DAY, method=Method.TRANSFER)
    pay(made.school, [second], 100_000, on=DAY, method=Method.CASH)
    grant(made.id, made.children[0].enrolment_id, made.half)
    issue(made.id, DECEMBER)

    with scope.opened(scope.one_school(made.id)):
        months = [queries.month(made.id, period) for period in (NOVEMBER, DECEMBER)]
        incoming = queries.money_in(made.id, NOVEMBER)
        places = queries.places(made.id)

    for month in months:
        assert sum(amount.dong for _, amount in month.states) == month.asked.dong
        parts = (month.by_price, month.by_state, month.reduced, month.earlier)
        assert sum(part.dong for part in parts) == month.asked.dong
    november, december = months
    assert november.asked == Vnd(3 * BOTH) and november.receipted == Vnd(BOTH + 100_000)
    assert november.by_state == Vnd(-3 * 95_000)
    assert december.earlier == Vnd(-CARE // 2) and december.credit == Vnd(
        BOTH - CARE // 2 - CARE // 2
    )
    assert (incoming.payments, incoming.cashless) == (2, 1)
    assert sum(place.balance.dong for place in places) == incoming.total.dong
    assert third not in (first, second)


def test_the_principal_is_asked_to_approve(context: Flask, made: SmallSchool) -> None:
    with scope.opened(scope.one_school(made.id)), transaction():
        copy = fees.copy_to_new_draft(made.id, made.schedule_id, actor=ACCOUNTANT, now=NOON)
        fees.submit_schedule(made.id, copy, actor=ACCOUNTANT, now=NOON)

    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL).get("/today")
    accountant = signed_in(context, made.school.unit_id, Role.ACCOUNTANT).get("/today")

    assert "Bảng khoản thu chờ bạn duyệt" in words(principal)
    assert f"/fee-schedules/{copy}" in principal.text
    assert "Kế toán chưa phát hành phiếu tháng 11/2026" in words(principal)
    assert "chờ bạn duyệt" not in words(accountant)
    assert "Hiệu trưởng còn một bảng khoản thu chờ duyệt" in words(accountant)


@pytest.mark.parametrize("role", [Role.TEACHER, Role.NURSE, Role.KITCHEN])
def test_roles_without_money_see_no_amount(context: Flask, made: SmallSchool, role: Role) -> None:
    issue(made.id)

    page = signed_in(context, made.school.unit_id, role).get("/today")

    assert page.status_code == 200
    assert "₫" not in page.text and "828.000" not in page.text
    assert "Ngân hàng" not in words(page)


def test_an_officer_has_another_first_page(context: Flask, made: SmallSchool) -> None:
    unit = make_unit()
    answer = signed_in(context, unit, Role.OFFICER).get("/today")

    assert answer.status_code == 303 and answer.location.endswith("/area")


def test_tabs_follow_the_role(context: Flask, made: SmallSchool) -> None:
    def tabs(role: Role) -> list[str]:
        page = signed_in(context, made.school.unit_id, role).get("/today").text
        bar = page[page.index('class="tabs-top"') :].split("</nav>")[0]
        return [
            re.sub(r"<span.*", "", found).strip()
            for found in re.findall(r"<a [^>]*>(.*?)</a>", bar, re.S)
        ]

    assert "Đợt thu" in tabs(Role.ACCOUNTANT) and "Ngân hàng" in tabs(Role.ACCOUNTANT)
    assert "Đợt thu" not in tabs(Role.TEACHER) and "Biên lai" not in tabs(Role.TEACHER)
    assert tabs(Role.ACCOUNTANT)[0] == "Hôm nay"


# Language, errors, health


def test_the_language_is_remembered(context: Flask) -> None:
    browser = visitor(context)
    page = browser.get("/staff")
    chosen = browser.post(
        "/language", data={"csrf_token": token(page), "language": "en", "next": "/staff"}
    )

    assert chosen.location == "/staff"
    assert "User name" in browser.get("/staff").text
    for outside in ("//evil.example", "/\\\\evil.example", "https://evil.example"):
        form = {"csrf_token": token(page), "language": "vi", "next": outside}
        assert browser.post("/language", data=form).location == "/"


def test_an_error_page_needs_nobody_signed_in(context: Flask) -> None:
    answer = visitor(context).get("/no/such/page")

    assert answer.status_code == 404 and "Về trang đầu" in answer.text


def test_health_answers_without_a_database(context: Flask) -> None:
    assert visitor(context).get("/healthz").json == {"ok": True}


def test_ready_needs_every_support(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "why_unavailable", lambda: None)
    browser = visitor(context)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("delete from heartbeats")
    asleep = browser.get("/readyz")
    jobs.beat("test")
    awake = browser.get("/readyz")
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute("update heartbeats set at = :old", old=clock.now() - timedelta(minutes=5))
    monkeypatch.setattr(health, "why_unavailable", lambda: "libpango-1.0-0")
    neither = browser.get("/readyz")

    assert asleep.status_code == 503 and "flask worker" in asleep.json["worker"]
    assert awake.status_code == 200 and awake.json["ready"] is True
    assert neither.status_code == 503 and "libpango" in neither.json["pdf"]


def test_counters_are_read_from_the_books(context: Flask, made: SmallSchool) -> None:
    issue(made.id)
    pay_unknown(made.school, 300_000, on=DAY)

    text = visitor(context).get("/metrics").text

    found = dict(re.findall(r"^(sothu_\w+) ([0-9.]+)$", text, re.M))
    assert float(found["sothu_invoices"]) >= 3
    assert float(found["sothu_suspense_dong"]) >= 300_000
    assert "An" not in found


def test_every_part_is_drawn(context: Flask) -> None:
    assert visitor(context).get("/components").status_code == 200


def test_a_form_without_its_token_is_refused_in_plain_words(app: Flask, context: Flask) -> None:
    school = make_school()
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    for token_sent in ({}, {"csrf_token": "of another page"}):
        answer = accountant.post("/billing-runs", data={"period": "2026-11", **token_sent})
        assert answer.status_code == 400
        assert "Trang mở quá lâu" in answer.text
