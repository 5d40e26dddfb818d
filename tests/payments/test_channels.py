"""A school connects its providers itself, and exchanges secrets while both are alive."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from flask import Flask

from app.core import clock, scope
from app.core.db import rows, scalar
from app.money.payments import queries
from app.money.payments.adapters import sepay
from app.people.access.models import Role
from app.people.schools import channels as ways
from tests.factories.money import Billed, billed_child
from tests.factories.staff import Browser, signed_in, token
from tests.payments.books import assert_books_hold

pytestmark = pytest.mark.usefixtures("context")
FIRST, SECOND = "first-secret-0001", "second-secret-0002"


def connect(app: Flask, child: Billed, provider: str = "sepay") -> tuple[Browser, str]:
    """A principal with a new way in; the page of it."""
    principal = signed_in(app, child.school.unit_id, Role.PRINCIPAL, "Lê Thị Thu Hằng")
    page = principal.get("/bank/channels")
    answer = principal.post(
        "/bank/channels",
        data={
            "csrf_token": token(page),
            "provider": provider,
            "account": child.school.account_id,
            "scheme": "hmac",
            "surcharge": "1.100",
        },
    )
    assert answer.status_code == 303, answer.text
    return principal, str(answer.headers["Location"])


def enter(principal: Browser, page: str, secret: str, hours: int = 24) -> str:
    form = principal.get(page)
    answer = principal.post(
        f"{page}/secrets",
        data={
            "csrf_token": token(form),
            "purpose": "webhook",
            "secret": secret,
            "hours": hours,
        },
        follow_redirects=True,
    )
    return str(answer.text)


def notice(app: Flask, child: Billed, address: str, secret: str, number: int) -> int:
    raw = json.dumps(
        {
            "id": number,
            "transactionDate": "2026-11-24 08:14:05",
            "accountNumber": child.school.account_number,
            "content": child.request.reference,
            "transferType": "in",
            "transferAmount": 10_000,
            "referenceCode": f"FT{number}",
        }
    ).encode()
    stamp = int(datetime.now(UTC).timestamp())
    return (
        app.test_client()
        .post(address, data=raw, headers=sepay.sign(raw, secret, stamp))
        .status_code
    )


def address_on(page: str) -> str:
    found = re.search(r"/callbacks/sepay/[\w-]+", page)
    assert found
    return found[0]


def test_a_way_that_was_connected_takes_money_and_secrets_are_exchanged_without_a_gap(
    app: Flask,
) -> None:
    child = billed_child()
    principal, page = connect(app, child)
    shown = principal.get(page).text
    address = address_on(shown)
    assert notice(app, child, address, FIRST, 1) == 401
    kept = enter(principal, page, FIRST)
    assert FIRST not in kept
    assert "0001" in kept
    assert notice(app, child, address, FIRST, 2) == 200
    enter(principal, page, SECOND, hours=24)
    assert notice(app, child, address, FIRST, 3) == 200
    assert notice(app, child, address, SECOND, 4) == 200
    enter(principal, page, "third-secret-0003", hours=0)
    assert notice(app, child, address, SECOND, 5) == 401
    with scope.opened(scope.one_school(child.school.id)):
        assert len(queries.list_credits(child.school.id)[0]) == 3
    assert_books_hold()


def test_a_secret_that_leaked_is_ended_at_once(app: Flask) -> None:
    child = billed_child()
    principal, page = connect(app, child)
    shown = enter(principal, page, FIRST)
    number = re.search(r"/secrets/(\d+)/end", shown)
    assert number
    principal.post(
        f"{page}/secrets/{number[1]}/end", data={"csrf_token": token(principal.get(page))}
    )
    assert notice(app, child, address_on(shown), FIRST, 9) == 401


def test_secrets_stand_on_no_page_and_in_no_log(app: Flask) -> None:
    child = billed_child()
    principal, page = connect(app, child, "momo")
    enter(principal, page, FIRST)
    for address in (page, "/bank/channels"):
        assert FIRST not in principal.get(address).text
    with scope.opened(scope.one_school(child.school.id)):
        logged = rows("select subject, cause from audit_rows")
    assert not any(FIRST in f"{one.subject}{one.cause}" for one in logged)


def test_what_cannot_be_a_secret_or_a_channel_is_said(app: Flask) -> None:
    child = billed_child()
    principal, page = connect(app, child)
    for secret in ("", "abc", "mit leer zeichen", "x" * 201):
        assert "Khóa có 4 đến 200 ký tự" in enter(principal, page, secret)
    form = principal.get("/bank/channels")
    for wrong in (
        {"provider": "cash"},
        {"account": "999999"},
        {"permille": "200", "provider": "momo"},
        {"surcharge": "viel", "provider": "momo"},
    ):
        data = {"provider": "sepay", "account": child.school.account_id, **wrong}
        answer = principal.post("/bank/channels", data={"csrf_token": token(form), **data})
        assert answer.status_code == 422, wrong
    with scope.opened(scope.one_school(child.school.id)):
        assert scalar("select count(*) from channel_secrets where secret like 'mit%'") == 0


def test_only_the_principal_connects_and_only_its_own_school(app: Flask) -> None:
    child, other = billed_child(), billed_child()
    accountant = signed_in(app, child.school.unit_id, Role.ACCOUNTANT)
    assert accountant.get("/bank/channels").status_code == 403
    _principal, page = connect(app, child)
    stranger = signed_in(app, other.school.unit_id, Role.PRINCIPAL)
    assert stranger.get(page).status_code == 404
    form = stranger.get("/bank/channels")
    answer = stranger.post(
        f"{page}/secrets",
        data={"csrf_token": token(form), "purpose": "webhook", "secret": FIRST},
    )
    assert answer.status_code == 404


def test_a_closed_way_is_offered_no_longer_and_keeps_its_past(app: Flask) -> None:
    child = billed_child()
    principal, page = connect(app, child, "momo")
    principal.post(f"{page}/close", data={"csrf_token": token(principal.get(page))})
    with scope.opened(scope.one_school(child.school.id)):
        [one] = [c for c in ways.list_channels(child.school.id) if c.provider == "momo"]
    assert one.closed_on is not None
    assert one.closed_on > clock.today()
    assert one.surcharge_dong == 1_100
