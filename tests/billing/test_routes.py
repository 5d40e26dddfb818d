"""Screens of billing: the accountant drafts, looks and issues; others read what their role may."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.money import billing
from app.people.access import Role
from tests.factories.billing import (
    CARE,
    DECEMBER,
    NOVEMBER,
    WATER,
    SmallSchool,
    draft,
    grant,
    issue,
    small_school,
)
from tests.factories.schools import make_school
from tests.factories.staff import counted_queries, set_clock, signed_in, token, words

BOTH = CARE + WATER


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch)


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school()


@pytest.fixture
def accountant(context: Flask, made: SmallSchool) -> FlaskClient:
    return signed_in(context, made.school.unit_id, Role.ACCOUNTANT)


def test_from_an_approved_month_to_issued_bills(made: SmallSchool, accountant: FlaskClient) -> None:
    page = accountant.get("/billing-runs")
    assert "Soạn đợt thu" in page.text and 'value="2026-11"' in page.text

    drafted = accountant.post(
        "/billing-runs",
        data={"csrf_token": token(page), "period": "2026-11", "due_on": "2026-11-30"},
    )
    assert drafted.status_code == 303
    preview = accountant.get(drafted.location)
    assert "Phát hành 3 phiếu" in preview.text and "828.000" in preview.text

    fields = dict(
        re.findall(r'<input type="hidden" name="(invoices|total)" value="(-?\d+)"', preview.text)
    )
    issued = accountant.post(
        f"{drafted.location}/issue", data={"csrf_token": token(preview), **fields}
    )
    assert issued.status_code == 303
    result = accountant.get(issued.location)
    assert "Đã phát hành 3 phiếu" in words(result) and "Nước uống" in result.text
    assert result.text.count("828.000") >= 2
    again = accountant.post(f"{drafted.location}/issue", data={"csrf_token": token(result)})
    assert again.status_code == 409 and "đã phát hành rồi" in words(again)


@pytest.mark.parametrize(
    ("period", "due", "status", "says"),
    [
        ("2027-03", "2027-03-31", 409, "chưa duyệt giá"),
        ("2026-11", "", 422, "Chọn một ngày."),
        ("2026-11", "30/02/2026", 422, "30/11/2026"),
    ],
)
def test_a_run_that_cannot_be_drafted_says_why_in_place(
    accountant: FlaskClient, period: str, due: str, status: int, says: str
) -> None:
    page = accountant.get("/billing-runs")

    answer = accountant.post(
        "/billing-runs", data={"csrf_token": token(page), "period": period, "due_on": due}
    )

    assert answer.status_code == status and says in words(answer)
    assert "Soạn đợt thu" in answer.text


def test_figures_that_changed_meanwhile_are_not_issued(
    made: SmallSchool, accountant: FlaskClient
) -> None:
    run_id = draft(made.id)
    page = accountant.get(f"/billing-runs/{run_id}")
    grant(made.id, made.children[0].enrolment_id, made.half)

    answer = accountant.post(
        f"/billing-runs/{run_id}/issue",
        data={"csrf_token": token(page), "invoices": "3", "total": str(3 * BOTH)},
    )

    assert answer.status_code == 409 and "Chưa phát hành gì" in words(answer)
    with scope.opened(scope.one_school(made.id)):
        assert not billing.get_run(made.id, run_id).is_issued


def test_a_draft_past_its_day_is_locked_and_gets_a_new_day(
    made: SmallSchool, accountant: FlaskClient
) -> None:
    run_id = draft(made.id, due_on=date(2026, 11, 5))
    page = accountant.get(f"/billing-runs/{run_id}")
    assert "Hạn nộp đã qua" in page.text and 'aria-disabled="true"' in page.text

    moved = accountant.post(
        "/billing-runs",
        data={"csrf_token": token(page), "period": "2026-11", "due_on": "2026-12-04"},
    )

    assert moved.location.endswith(f"/billing-runs/{run_id}")
    assert 'aria-disabled="true"' not in accountant.get(moved.location).text


def test_filters_and_search_narrow_the_table(made: SmallSchool, accountant: FlaskClient) -> None:
    issue(made.id)
    grant(made.id, made.children[1].enrolment_id, made.half)
    run_id = draft(made.id, DECEMBER)

    changed = accountant.get(f"/billing-runs/{run_id}?cause=exemption-{made.care}").text
    found = accountant.get(f"/billing-runs/{run_id}?q=le+minh").text
    nobody = accountant.get(f"/billing-runs/{run_id}?q=khongcoai").text

    assert "Trần Bảo Châu" in changed and "Nguyễn Gia An" not in changed
    assert "Lê Minh Đạt" in found and "Trần Bảo Châu" not in found
    assert "Không có em nào khớp" in nobody


def test_the_principal_reads_but_does_not_issue(context: Flask, made: SmallSchool) -> None:
    run_id = draft(made.id)
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL)

    page = principal.get(f"/billing-runs/{run_id}")
    answer = principal.post(f"/billing-runs/{run_id}/issue", data={"csrf_token": token(page)})

    assert "Kế toán là người phát hành phiếu" in page.text
    assert answer.status_code == 403


@pytest.mark.parametrize("role", [Role.TEACHER, Role.KITCHEN, Role.NURSE])
def test_roles_without_money_see_no_bill(context: Flask, made: SmallSchool, role: Role) -> None:
    issue(made.id)
    client = signed_in(context, made.school.unit_id, role)

    for address in ("/billing-runs", "/invoices", "/invoices/1", "/billing-runs/1"):
        assert client.get(address).status_code == 403


def test_another_school_sees_nothing(context: Flask, made: SmallSchool) -> None:
    issued = issue(made.id)
    stranger = signed_in(context, make_school().unit_id, Role.ACCOUNTANT)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]

    page = stranger.get("/billing-runs")
    addresses = (f"/billing-runs/{issued.run_id}", f"/invoices/{bill.id}")
    answers = [stranger.get(address) for address in addresses]
    answers.append(
        stranger.post(f"/billing-runs/{issued.run_id}/issue", data={"csrf_token": token(page)})
    )

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all("Gia An" not in answer.text for answer in answers)


def test_the_list_of_bills_by_class_and_name(made: SmallSchool, accountant: FlaskClient) -> None:
    issue(made.id)

    page = accountant.get("/invoices?period=2026-11")
    one = accountant.get("/invoices?period=2026-11&q=chau")
    none = accountant.get("/invoices?period=2026-11&class_name=9/9")

    assert words(page).index("Nguyễn Gia An") < words(page).index("Trần Bảo Châu")
    assert "828.000" in page.text and "Chưa nộp" in page.text
    assert "Trần Bảo Châu" in one.text and "Nguyễn Gia An" not in one.text
    assert "Không có phiếu nào khớp" in none.text


def test_a_bill_shows_reasons_code_link_and_qr(made: SmallSchool, accountant: FlaskClient) -> None:
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        (request,) = billing.requests_of(made.id, made.children[0].student_id)

    page = accountant.get(f"/invoices/{bill.id}")

    assert request.reference in page.text and f"/pay/{request.token}" in page.text
    assert "data:image/png;base64," in page.text
    assert "Nhà nước chi trả 100 %" in page.text
    assert "Nghị quyết 12/2026/NQ-HĐND" in page.text and "Lê Thị Thu Hằng" in page.text
    assert "276.000" in page.text


def test_the_number_of_queries_does_not_grow_with_the_pupils(context: Flask) -> None:
    def queries(count: int, period: object, address: str) -> int:
        made = small_school(count)
        issue(made.id)
        run_id = draft(made.id, DECEMBER)
        client = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
        with counted_queries(context) as seen:
            assert client.get(address.format(run=run_id)).status_code == 200
        return len(seen)

    for address in ("/billing-runs", "/billing-runs/{run}", "/invoices?period=2026-11", "/today"):
        assert queries(2, NOVEMBER, address) == queries(9, NOVEMBER, address), address


def test_the_command_previews_issues_and_explains(context: Flask, made: SmallSchool) -> None:
    runner = context.test_cli_runner()
    arguments = ["billing", "run", "--school", made.school.code, "--period", "2026-11"]

    preview = runner.invoke(args=arguments)
    issued = runner.invoke(args=[*arguments, "--issue"])
    again = runner.invoke(args=[*arguments, "--issue"])
    bill = runner.invoke(
        args=[
            *("billing", "rules", "--school", made.school.code),
            *("--student", made.children[0].code, "--period", "2026-11"),
        ]
    )

    assert preview.exit_code == 0 and "Nguyễn Gia An" in preview.output
    assert "3 bills" in preview.output and "828.000" in preview.output
    assert json.loads(issued.output)["total"] == 3 * BOTH
    assert again.exit_code == 1 and "nothing_to_bill" in again.output + str(again.stderr)
    reckoned = json.loads(bill.output)
    assert reckoned["total"] == BOTH
    assert [line["amount"] for line in reckoned["lines"]] == [0, CARE, WATER]
    assert all(line["reason"] for line in reckoned["lines"])
    assert (reckoned["school"], reckoned["period"]) == (made.school.code, "2026-11")
