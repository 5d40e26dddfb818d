"""An item's money may go to an account of its own: its own code, QR, notice and link (M7)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.core import scope
from app.core.db import execute, transaction
from app.money import billing
from app.money.billing import notices
from app.money.fees import accounts
from app.money.fees.errors import BadPlan, ItemNotFound
from app.people.access import Role
from app.people.schools.models import AccountKind
from app.people.schools.services import open_account
from tests.factories.billing import (
    CARE,
    DECEMBER,
    EARLY,
    IN_DECEMBER,
    NOVEMBER,
    WATER,
    SmallSchool,
    breaches,
    grant,
    issue,
    small_school,
)
from tests.factories.schools import ACCOUNTANT, PRINCIPAL
from tests.factories.staff import set_clock, signed_in, token, visitor, words
from tests.payments.test_transfers import notice, send

WHO: dict[str, Any] = {"actor": PRINCIPAL, "now": EARLY}


def does(made: SmallSchool, deed: Any, *arguments: Any, **values: Any) -> Any:
    with scope.opened(scope.one_school(made.id)), transaction():
        return deed(made.id, *arguments, **values)


def second_account(made: SmallSchool, kind: AccountKind = AccountKind.MAIN) -> int:
    return int(
        does(
            made,
            open_account,
            bank_bin="970436",
            number=f"MINHHOAB{made.id:04d}{kind.value[:1].upper()}",
            holder="TRUONG MINH HOA BAN TRU",
            opened_on=date(2026, 1, 1),
            kind=kind,
            actor=ACCOUNTANT,
            now=EARLY,
        )
    )


@pytest.fixture
def made(context: Flask, monkeypatch: pytest.MonkeyPatch) -> SmallSchool:
    set_clock(monkeypatch, EARLY)
    return small_school()


def requests(made: SmallSchool, number: int = 0) -> dict[int, billing.Request]:
    with scope.opened(scope.one_school(made.id)):
        found = billing.requests_of(made.id, made.children[number].student_id)
    return {one.bank_account_id: one for one in found}


def due(made: SmallSchool, request: billing.Request) -> int:
    with scope.opened(scope.one_school(made.id)):
        return billing.due(request).dong


def test_lines_go_to_the_account_of_their_item_and_each_has_its_own_code(
    made: SmallSchool,
) -> None:
    own = second_account(made)
    does(made, accounts.set_item_account, made.care, own, **WHO)
    issue(made.id)
    found = requests(made)
    assert set(found) == {own, made.school.account_id}
    assert len({one.reference for one in found.values()}) == 2
    assert due(made, found[own]) == CARE
    assert due(made, found[made.school.account_id]) == WATER
    assert breaches() == {}


def test_bills_issued_before_keep_their_account(made: SmallSchool) -> None:
    issue(made.id)
    own = second_account(made)
    does(made, accounts.set_item_account, made.care, own, **WHO)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    found = requests(made)
    assert due(made, found[made.school.account_id]) == CARE + 2 * WATER
    assert due(made, found[own]) == CARE
    does(made, accounts.set_item_account, made.care, None, **WHO)
    grant(made.id, made.children[0].enrolment_id, made.half, NOVEMBER)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    # What comes back is credit of the child; it pays what is open, of whichever account (M6).
    assert sum(due(made, one) for one in requests(made).values()) == CARE + 2 * WATER
    assert breaches() == {}


def test_the_notice_and_the_message_have_a_part_for_each_account(made: SmallSchool) -> None:
    own = second_account(made)
    does(made, accounts.set_item_account, made.care, own, **WHO)
    issue(made.id)
    with scope.opened(scope.one_school(made.id)):
        (invoice,) = billing.invoices_of(made.id, made.children[0].student_id)
        text = notices.write_message(made.id, invoice, day=EARLY.date())
    for request in requests(made).values():
        assert text.count(request.reference) == 1
    assert "Phải nộp: 260.000 ₫" in text and "Phải nộp: 16.000 ₫" in text


def test_a_transfer_to_one_account_pays_that_accounts_lines_only(
    app: Flask, context: Flask
) -> None:
    made = small_school()  # by the real clock: an old notice is refused
    own = second_account(made)
    does(made, accounts.set_item_account, made.care, own, **WHO)
    issue(made.id)
    found = requests(made)
    usual = found[made.school.account_id]
    raw = notice(made.school, f"CK {usual.reference}", WATER)
    assert send(app.test_client(), made.school, raw).status_code == 200
    assert (due(made, usual), due(made, found[own])) == (0, CARE)
    family = visitor(app)
    paid = words(family.get(f"/pay/{usual.token}"))
    assert "260.000" in paid and "tài khoản khác" in paid
    other = words(family.get(f"/pay/{found[own].token}"))
    assert "TRUONG MINH HOA BAN TRU" in other and "tài khoản khác" not in other


def test_the_principal_chooses_and_the_accountant_looks(context: Flask, made: SmallSchool) -> None:
    own = second_account(made)
    principal = signed_in(context, made.school.unit_id, Role.PRINCIPAL)
    page = principal.get("/item-accounts")
    form = {"csrf_token": token(page), "account": str(own)}
    assert principal.post(f"/item-accounts/{made.care}", data=form).status_code == 303
    wrong = principal.post(f"/item-accounts/{made.care}", data=form | {"account": "999999"})
    assert wrong.status_code == 422
    assert principal.post("/item-accounts/999999", data=form).status_code == 404
    clerk = signed_in(context, made.school.unit_id, Role.ACCOUNTANT)
    seen = clerk.get("/item-accounts")
    assert "MINHHOAB" in seen.text and "<select" not in seen.text
    form["csrf_token"] = token(clerk.get("/fee-schedules"))
    assert clerk.post(f"/item-accounts/{made.care}", data=form).status_code == 403
    with scope.opened(scope.one_school(made.id)):
        chosen = accounts.chosen_accounts(made.id, EARLY.date())
    assert {item: one.bank_account_id for item, one in chosen.items()} == {made.care: own}


def test_a_treasury_account_and_one_of_another_school_are_refused(made: SmallSchool) -> None:
    stranger = small_school(1)
    for account in (second_account(made, AccountKind.TREASURY), stranger.school.account_id):
        with pytest.raises(BadPlan):
            does(made, accounts.set_item_account, made.care, account, **WHO)
    with pytest.raises(ItemNotFound):
        does(made, accounts.set_item_account, 10**6, made.school.account_id, **WHO)


def test_a_choice_is_never_rewritten(made: SmallSchool) -> None:
    does(made, accounts.set_item_account, made.care, second_account(made), **WHO)
    with (
        pytest.raises(IntegrityError),
        scope.opened(scope.EVERY_SCHOOL),
        transaction(),
    ):
        execute("update item_accounts set bank_account_id = null")
