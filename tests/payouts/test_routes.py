"""The pages of money out as the accountant and the principal meet them."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask

from app.core import scope
from app.money.payouts import queries
from app.people.access.models import Role
from tests.factories.money import billed_child
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.payments.test_till import in_books
from tests.payouts.test_payouts import code_of, result, roster, with_credit

pytestmark = pytest.mark.usefixtures("context")
FORM = {
    "what": "refund:transfer",
    "amount": "300.000",
    "reason": "Gia đình chuyển đi nơi khác",
    "bank_bin": "970436",
    "account": "1012345678",
    "holder": "Phạm Thị Hòa",
}


def test_a_refund_goes_from_the_accountant_to_the_principal_to_the_bank_and_back(
    app: Flask,
) -> None:
    [child] = with_credit()
    school = child.school
    accountant = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    principal = signed_in(app, school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    start = accountant.get("/payouts/new")
    assert child.full_name in start.text
    page = accountant.get(f"/payouts/new?student={code_of(child)}")
    fields = {"csrf_token": token(page), "student": code_of(child), **FORM}
    refused = accountant.post("/payouts/new", data={**fields, "account": "1"})
    assert refused.status_code == 422
    assert "Phạm Thị Hòa" in refused.text
    kept = accountant.post("/payouts/new", data=fields, follow_redirects=True)
    assert "PHAM THI HOA" in kept.text
    assert 'name="payout"' not in kept.text
    assert "Khoản chi cho gia đình chờ duyệt" in principal.get("/today").text
    waiting = principal.get("/payouts")
    number = re.search(r'name="payout" value="(\d+)"', waiting.text)
    assert number
    done = principal.post(
        "/payouts/approve",
        data={"csrf_token": token(waiting), "payout": number[1]},
        follow_redirects=True,
    )
    assert "Sẵn sàng gửi ngân hàng" in done.text
    ready = accountant.get("/payouts")
    batch = accountant.post(
        "/payouts/batches",
        data={
            "csrf_token": token(ready),
            "payout": number[1],
            "account": school.account_id,
            "profile": "common",
        },
    )
    assert batch.status_code == 303
    where = batch.headers["Location"]
    shown = accountant.get(where)
    code = re.search(r"TR[0-9A-Z]{7}", shown.text)
    assert code
    file = accountant.get(f"{where}/file")
    assert file.data[:2] == b"PK"
    answer = result([(1, f"Hoan tien {code[0]}", 300_000, "Thành công")])
    closed = accountant.post(
        f"{where}/result",
        data={"csrf_token": token(shown), "file": (io.BytesIO(answer), "ket-qua.xlsx")},
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    assert "1 đã chi, 0 chưa chi được" in closed.text
    one = accountant.get(f"/payouts/{number[1]}")
    assert "Ngân hàng không chi được" in one.text
    assert in_books(child, f"payout:{school.account_id}") == -300_000
    assert_books_hold()


def test_who_may_not_approve_or_order_is_told_so(app: Flask) -> None:
    [child] = with_credit()
    cashier = signed_in(app, child.school.unit_id, Role.CASHIER)
    assert cashier.get("/payouts").status_code == 403
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = accountant.get("/payouts/new")
    answer = accountant.post("/payouts/approve", data={"csrf_token": token(page), "payout": "1"})
    assert answer.status_code == 403
    principal = signed_in(app, child.school.unit_id, Role.PRINCIPAL)
    assert principal.get("/payouts/new").status_code == 403


def test_another_schools_payout_is_not_there(app: Flask) -> None:
    [child] = with_credit()
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = accountant.get(f"/payouts/new?student={code_of(child)}")
    accountant.post(
        "/payouts/new", data={"csrf_token": token(page), "student": code_of(child), **FORM}
    )
    with scope.opened(scope.one_school(child.school.id)):
        [one] = queries.creditors(child.school.id)
        assert one.asked.dong == 300_000
    other = signed_in(app, billed_child().school.unit_id, Role.ACCOUNTANT)
    for address in ("/payouts/1", "/payouts/batches/1", "/payouts/999999"):
        assert other.get(address).status_code == 404
    page = other.get("/payouts/new")
    answer = other.post(
        "/payouts/new", data={"csrf_token": token(page), "student": code_of(child), **FORM}
    )
    assert answer.status_code == 404


def test_support_for_many_families_comes_from_a_file(app: Flask) -> None:
    child = billed_child()
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    page = accountant.get("/payouts/new")
    good = (code_of(child), 450_000, "BIDV", "123456789012", "Trần Văn Nam")
    for rows, status in (([good, ("1", 2, "3", "4", "5")], 422), ([good], 303)):
        answer = accountant.post(
            "/payouts/import",
            data={
                "csrf_token": token(page),
                "kind": "support",
                "reason": "Hỗ trợ chi phí học tập học kỳ I",
                "file": (io.BytesIO(roster(rows)), "ho-tro.xlsx"),
            },
            content_type="multipart/form-data",
        )
        assert answer.status_code == status
    assert "450.000" in accountant.get("/payouts").text
    assert accountant.post("/payouts/import", data={"csrf_token": token(page)}).status_code == 422
