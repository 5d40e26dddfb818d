"""Money that left the account: each row of the statement says what it was, and can be undone."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar, transaction
from app.money import ledger
from app.money.payments.errors import MoreThanHeld, PurposeUnclear
from app.money.payments.models import Purpose
from app.money.payments.movements import Said, looks_like_fee, take_back_movement
from app.money.reconciliation import queries, services
from app.money.reconciliation.errors import StatementNotFound
from app.people.access.models import Role
from tests.factories.money import billed_child
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool
from tests.factories.staff import signed_in, token
from tests.payments.books import assert_books_hold
from tests.reconciliation import files
from tests.reconciliation.files import Move
from tests.reconciliation.test_routes import upload
from tests.reconciliation.test_statements import post, take_in

pytestmark = pytest.mark.usefixtures("context")
DAY = date(2026, 11, 24)
OUT = [
    Move(-11_000, "THU PHI SMS BANKING THANG 11", ref="F1", day=DAY),
    Move(-22_000, "Phi quan ly tai khoan", ref="F2", day=DAY),
    Move(-100_000, "Chuyen BHXH tien BHYT", ref="P1", day=DAY),
    Move(-300_000, "Chi mua van phong pham", ref="P2", day=DAY),
]


def rows_out(school: MadeSchool, statement_id: int) -> dict[str, int]:
    with scope.opened(scope.one_school(school.id)):
        lines = queries.lines_of(school.id, statement_id, only="open_debits")
    return {line.ref: line.id for line in lines}


def name(school: MadeSchool, statement_id: int, row_id: int, said: Said) -> int:
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.name_row(school.id, statement_id, row_id, said, actor=ACCOUNTANT, now=NOON)


def in_books(school: MadeSchool, account: str) -> int:
    with scope.opened(scope.one_school(school.id)):
        return ledger.balance(school.id, account).dong


def test_each_row_out_is_booked_by_a_word_and_waits_again_when_taken_back() -> None:
    child = billed_child()
    school = child.school
    statement = take_in(school, [Move(child.due, child.request.reference, ref="C1"), *OUT])
    post(school, statement)
    open_rows = rows_out(school, statement)
    assert set(open_rows) == {"F1", "F2", "P1", "P2"}
    movement = name(school, statement, open_rows["F1"], Said(Purpose.BANK_FEE))
    assert in_books(school, "bank_fee") == 11_000
    assert in_books(school, f"bank:{school.account_id}") == child.due - 11_000
    assert set(rows_out(school, statement)) == {"F2", "P1", "P2"}
    with pytest.raises(StatementNotFound):
        name(school, statement, open_rows["F1"], Said(Purpose.BANK_FEE))
    assert_books_hold()
    with scope.opened(scope.one_school(school.id)), transaction():
        take_back_movement(school.id, movement, reason="Không phải phí", actor=ACCOUNTANT, now=NOON)
    assert "F1" in rows_out(school, statement)
    assert in_books(school, "bank_fee") == 0
    assert_books_hold()


def test_no_more_is_passed_on_than_families_paid_for_it() -> None:
    child = billed_child()
    school = child.school
    statement = take_in(school, [Move(child.due, child.request.reference, ref="C1"), *OUT])
    post(school, statement)
    row = rows_out(school, statement)["P1"]
    with scope.opened(scope.one_school(school.id)):
        held = {code: -amount.dong for code, amount in ledger.balances(school.id, "held:").items()}
        accounts = scalar("select count(*) from accounts where code = 'held:NONE'")
    assert accounts == 0
    for account in ("held:NONE", *(code for code, amount in held.items() if amount < 100_000)):
        with pytest.raises(MoreThanHeld):
            name(school, statement, row, Said(Purpose.PASSED_ON, account=account))
    with pytest.raises(PurposeUnclear):
        name(school, statement, row, Said(Purpose.PASSED_ON, account="receivable"))
    with pytest.raises(PurposeUnclear):
        name(school, statement, row, Said(Purpose.INTEREST))
    enough = next(code for code, amount in held.items() if amount >= 100_000)
    name(school, statement, row, Said(Purpose.PASSED_ON, account=enough))
    assert in_books(school, enough) == 100_000 - held[enough]
    assert_books_hold()


@pytest.mark.parametrize(
    ("text", "is_fee"),
    [
        ("THU PHI SMS BANKING", True),
        ("Phí dịch vụ tháng 11", True),
        ("Chuyen tien hoc phi HP7K3M9Q5", False),
        ("Chi mua van phong pham", False),
    ],
)
def test_the_words_of_a_banks_own_fee_are_known(text: str, is_fee: bool) -> None:
    assert looks_like_fee(text) is is_fee


def test_the_accountant_books_all_fees_at_once_and_the_rest_one_by_one(app: Flask) -> None:
    child = billed_child()
    school = child.school
    client = signed_in(app, school.unit_id, Role.ACCOUNTANT)
    page = upload(client, school, files.csv(OUT, school.account_number))
    shown = client.get(page)
    assert "Ghi 2 khoản phí ngân hàng" in shown.text
    done = client.post(f"{page}/fees", data={"csrf_token": token(shown)}, follow_redirects=True)
    assert "Tiền ra đã ghi sổ" in done.text
    row = rows_out(school, int(page.rsplit("/", 1)[1]))["P2"]
    form = client.get(f"{page}/rows/{row}/purpose")
    refused = client.post(f"{page}/rows/{row}/purpose", data={"csrf_token": token(form)})
    assert refused.status_code == 422
    kept = client.post(
        f"{page}/rows/{row}/purpose",
        data={
            "csrf_token": token(form),
            "what": "outside:",
            "reason": "Văn phòng phẩm của trường",
        },
        follow_redirects=True,
    )
    assert "Văn phòng phẩm của trường" in kept.text
    assert in_books(school, "outside") == 300_000
    assert client.get(f"{page}/rows/{row}/purpose").status_code == 404
    assert_books_hold()
