"""Who else pays a part of a day, and what many days away take off: kept on a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import scope
from app.core.money import Vnd
from app.core.period import Period
from app.money.fees import day_rules
from app.people.access import Role
from tests.factories.billing import amounts, breaches, issue
from tests.factories.meals import CARE, NOVEMBER, MealSchool, at, away, meal_school
from tests.factories.schools import make_school
from tests.factories.staff import Browser, set_clock, signed_in, token, words

EVENING = at(date(2026, 11, 30), "09:00")


@dataclass(frozen=True)
class Office:
    made: MealSchool
    principal: Browser
    accountant: Browser

    def post(self, address: str, who: Browser | None = None, **data: object) -> TestResponse:
        browser = who or self.principal
        page = browser.get("/day-rules")
        return browser.post(address, data={"csrf_token": token(page), **data})

    def subsidy(self, **changed: object) -> TestResponse:
        form: dict[str, object] = {
            "item_id": self.made.meal,
            "amount": "10.000",
            "payer": "Ngân sách thành phố (minh họa)",
            "legal_act": "Nghị quyết minh họa 01/2026",
            "first": "2026-11",
            "last": "",
        }
        return self.post(
            "/day-rules/subsidies", **{f"subsidy-{k}": v for k, v in (form | changed).items()}
        )

    def halving(self, **changed: object) -> TestResponse:
        form: dict[str, object] = {
            "item_id": self.made.care,
            "above_days": "10",
            "percent": "50",
            "first": "2026-11",
            "last": "2027-05",
        }
        return self.post(
            "/day-rules/halvings", **{f"halving-{k}": v for k, v in (form | changed).items()}
        )

    def kept(self) -> tuple[list[day_rules.Subsidy], list[day_rules.Halving]]:
        with scope.opened(scope.one_school(self.made.id)):
            return day_rules.subsidies(self.made.id), day_rules.halvings(self.made.id)

    def billed(self, number: int, item: int) -> int:
        found = amounts(self.made.id, self.made.children[number].student_id)
        return found.get((item, NOVEMBER.number), 0)


@pytest.fixture
def office(app: Flask, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    set_clock(monkeypatch)
    made = meal_school()
    unit = made.school.unit_id
    yield Office(made, signed_in(app, unit, Role.PRINCIPAL), signed_in(app, unit, Role.ACCOUNTANT))
    assert breaches() == {}


def test_a_budget_that_pays_a_part_of_each_meal_leaves_the_family_the_rest(office: Office) -> None:
    assert office.subsidy().status_code == 303
    away(office.made, 0, date(2026, 11, 10))

    issue(office.made.id, NOVEMBER, now=EVENING)

    assert office.billed(1, office.made.meal) == 21 * 25_000
    assert office.billed(0, office.made.meal) == 20 * 25_000
    page = words(office.accountant.get("/day-rules"))
    assert "10.000" in page
    assert "Ngân sách thành phố (minh họa)" in page
    assert "đang áp dụng" in page
    assert "Thêm bên chi" not in page


def test_a_monthly_item_costs_less_after_many_days_away(office: Office) -> None:
    """On more days than the rule says: the next bill gives a quarter back."""
    assert office.halving(above_days="10", percent="25").status_code == 303
    issue(office.made.id, NOVEMBER, now=at(date(2026, 11, 2), "09:00"))
    away(office.made, 0, date(2026, 11, 2), date(2026, 11, 13), hour="06:00")  # 10 days
    away(office.made, 1, date(2026, 11, 2), date(2026, 11, 16), hour="06:00")  # 11 days

    issue(office.made.id, Period(2026, 12), now=at(date(2026, 12, 1), "09:00"))

    assert office.billed(0, office.made.care) == CARE
    assert office.billed(1, office.made.care) == CARE * 3 // 4
    (rule,) = office.kept()[1]
    assert (str(rule.first), str(rule.last)) == ("2026-11", "2027-05")
    assert "25 %" in words(office.principal.get("/day-rules"))


def test_a_rule_ends_with_a_month_or_is_taken_back(office: Office) -> None:
    office.subsidy()
    office.halving()
    (subsidy,), (halving,) = office.kept()

    assert office.post(f"/day-rules/subsidies/{subsidy.id}/end", last="2026-12").status_code == 303
    assert office.post(f"/day-rules/halvings/{halving.id}/end", last="never").status_code == 303

    (left,), none = office.kept()
    assert left.last == Period(2026, 12)
    assert none == []
    assert office.halving(first="2026-10").status_code == 303


def test_a_rule_taken_back_after_bills_is_made_good_by_the_next_run(office: Office) -> None:
    office.subsidy()
    issue(office.made.id, NOVEMBER, now=EVENING)
    (subsidy,), _halvings = office.kept()
    office.post(f"/day-rules/subsidies/{subsidy.id}/end", last="never")

    issue(office.made.id, Period(2026, 12), now=at(date(2026, 12, 1), "09:00"))

    assert office.billed(1, office.made.meal) == 21 * 35_000


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"amount": ""}, "Nhập số tiền chi cho mỗi ngày", id="no amount"),
        pytest.param({"amount": "0"}, "số tiền trên 0", id="nothing a day"),
        pytest.param({"payer": " "}, "ai chi", id="no payer"),
        pytest.param({"legal_act": ""}, "Nhập văn bản", id="no act"),
        pytest.param({"first": "2026-12", "last": "2026-11"}, "Tháng cuối đứng trước", id="turned"),
    ],
)
def test_a_payer_told_wrong_is_refused_in_words(
    office: Office, wrong: dict[str, str], said: str
) -> None:
    answer = office.subsidy(**wrong)
    assert answer.status_code == 422
    assert said in words(answer)
    assert office.kept() == ([], [])


@pytest.mark.parametrize(
    "wrong", [{"above_days": "32"}, {"above_days": ""}, {"percent": "0"}, {"percent": "năm mươi"}]
)
def test_days_and_percent_out_of_range_are_refused(office: Office, wrong: dict[str, str]) -> None:
    assert office.halving(**wrong).status_code == 422
    assert office.kept() == ([], [])


def test_two_rules_of_one_item_never_overlap(office: Office) -> None:
    office.subsidy()
    again = office.subsidy(amount="5.000")
    assert again.status_code == 422
    assert "đã có quy tắc" in words(again)

    assert office.subsidy(amount="5.000", first="2027-01").status_code == 303
    newer, older = office.kept()[0]
    assert (older.last, newer.amount) == (Period(2026, 12), Vnd(5_000))
    longer = office.post(f"/day-rules/subsidies/{older.id}/end", last="2027-02")
    assert longer.status_code == 422
    assert "đã có quy tắc" in words(longer)
    assert office.post(f"/day-rules/subsidies/{older.id}/end", last="").status_code == 422


def test_the_accountant_reads_and_the_principal_of_another_school_finds_nothing(
    app: Flask, office: Office
) -> None:
    office.subsidy()
    (subsidy,), _halvings = office.kept()
    stranger = signed_in(app, make_school().unit_id, Role.PRINCIPAL)

    end = f"/day-rules/subsidies/{subsidy.id}/end"
    assert office.post(end, office.accountant, last="never").status_code == 403
    assert office.post(end, stranger, last="never").status_code == 404
    assert "minh họa" not in words(stranger.get("/day-rules"))
    assert office.kept()[0] == [subsidy]
