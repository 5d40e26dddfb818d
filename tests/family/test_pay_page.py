"""A link shows what is due and hides whose it is until the family proves itself (P8)."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock, scope
from app.core.db import execute, transaction
from app.core.model import db
from app.people.students import NewGuardian
from tests.factories.money import Billed, billed_children
from tests.factories.people import mother
from tests.factories.staff import token, visitor
from tests.payments.test_transfers import notice, send

NAME = "Nguyễn Minh Khang"
PHONE = "0905121327"


@pytest.fixture
def child(context: Flask) -> Billed:
    family = (mother(PHONE), NewGuardian("Nguyễn Văn Bình", "0905124444", "father"))
    return billed_children(1, names=[NAME], guardians=[family])[0]


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A parent's phone: each request stands alone, as in life."""
    return visitor(app)


def link(child: Billed) -> str:
    return f"/pay/{child.request.token}"


def try_digits(client: FlaskClient, child: Billed, digits: str) -> tuple[int, str]:
    page = client.get(link(child))
    answer = client.post(
        f"{link(child)}/unlock",
        data={"csrf_token": token(page), "digits": digits},
        follow_redirects=True,
    )
    return answer.status_code, answer.text


def test_the_link_shows_the_amount_and_initials_and_neither_name_nor_lines(
    client: FlaskClient, child: Billed
) -> None:
    page = client.get(link(child)).text
    assert "778.775" in page
    assert "N. M. K." in page
    assert NAME not in page
    assert "Chăm sóc bán trú" not in page


@pytest.mark.parametrize("digits", ["1327", "4444"])
def test_the_end_of_any_registered_phone_opens_the_lines(
    client: FlaskClient, child: Billed, digits: str
) -> None:
    status, page = try_digits(client, child, digits)
    assert status == 200
    assert NAME in page
    assert "Chăm sóc bán trú" in page


def test_one_browsers_proof_opens_nothing_for_another(
    app: Flask, client: FlaskClient, child: Billed
) -> None:
    try_digits(client, child, "1327")
    assert NAME not in visitor(app).get(link(child)).text


def test_wrong_digits_keep_the_page_and_say_so(client: FlaskClient, child: Billed) -> None:
    status, page = try_digits(client, child, "0000")
    assert status == 422
    assert "778.775" in page
    assert NAME not in page
    assert "digits-error" in page


def test_after_five_wrong_tries_the_link_is_shut_for_the_day_and_paying_still_works(
    app: Flask, client: FlaskClient, child: Billed
) -> None:
    other = visitor(app)
    drawn_before = other.get(link(child))
    for _number in range(5):
        try_digits(client, child, "0000")

    # Another browser is no way round, and the right digits come too late.
    answer = other.post(
        f"{link(child)}/unlock", data={"csrf_token": token(drawn_before), "digits": "1327"}
    )
    assert answer.status_code == 409
    page = other.get(link(child)).text
    assert 'name="digits"' not in page
    assert "778.775" in page
    assert NAME not in page


def test_four_wrong_tries_do_not_shut_it(client: FlaskClient, child: Billed) -> None:
    for _number in range(4):
        try_digits(client, child, "0000")
    assert NAME in try_digits(client, child, "1327")[1]


def test_yesterdays_tries_are_forgotten(client: FlaskClient, child: Billed) -> None:
    for _number in range(5):
        try_digits(client, child, "0000")
    yesterday = clock.today() - timedelta(days=1)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        execute(
            "update throttles set time_window = :day where key = :key",
            key=f"pay:{child.request.id}",
            day=f"{yesterday:%Y%m%d}",
        )
    assert NAME in try_digits(client, child, "1327")[1]


def test_asking_whether_anything_changed_costs_nothing_until_money_comes(
    client: FlaskClient, child: Billed
) -> None:
    first = client.get(f"{link(child)}/state")
    mark = first.headers["ETag"]
    assert first.json == {"state": "open", "due": 778_775, "receipt": None}
    unchanged = client.get(f"{link(child)}/state", headers={"If-None-Match": mark})
    assert (unchanged.status_code, unchanged.data) == (304, b"")

    sent = send(client, child.school, notice(child.school, child.request.reference, 778_775))
    assert sent.status_code == 200
    db.session.rollback()

    changed = client.get(f"{link(child)}/state", headers={"If-None-Match": mark})
    assert changed.status_code == 200
    assert changed.json is not None
    assert (changed.json["state"], changed.json["due"]) == ("paid", 0)
    assert changed.json["receipt"]


def _words(pdf: bytes, folder: Path) -> str:
    file = folder / "receipt.pdf"
    file.write_bytes(pdf)
    return subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout


def test_the_receipt_by_link_says_initials_until_the_family_proves_itself(
    client: FlaskClient, child: Billed, tmp_path: Path
) -> None:
    send(client, child.school, notice(child.school, child.request.reference, 778_775))
    page = client.get(link(child)).text
    found = re.search(rf"{link(child)}/receipts/[0-9]+\.pdf", page)
    assert found

    closed = _words(client.get(found[0]).data, tmp_path)
    assert "778.775" in closed
    assert NAME not in closed
    assert "Chăm sóc bán trú" not in closed

    try_digits(client, child, "1327")
    whole = _words(client.get(found[0]).data, tmp_path)
    assert NAME in whole
    assert "Chăm sóc bán trú" in whole


def test_a_receipt_of_another_link_is_not_found(
    app: Flask, client: FlaskClient, child: Billed
) -> None:
    send(client, child.school, notice(child.school, child.request.reference, 778_775))
    found = re.search(rf"{link(child)}/receipts/([0-9]+)\.pdf", client.get(link(child)).text)
    assert found
    other = billed_children(1, names=["Lê Bảo An"])[0]
    assert client.get(f"{link(other)}/receipts/{found[1]}.pdf").status_code == 404


def test_nothing_due_has_no_qr(client: FlaskClient, child: Billed) -> None:
    assert client.get(f"{link(child)}/qr.png").status_code == 200
    send(client, child.school, notice(child.school, child.request.reference, 778_775))
    db.session.rollback()
    assert client.get(f"{link(child)}/qr.png").status_code in (404, 409)


@pytest.mark.parametrize("wrong", ["x", "A" * 24, "A" * 200])
def test_an_unknown_link_is_not_found(client: FlaskClient, wrong: str) -> None:
    assert client.get(f"/pay/{wrong}").status_code == 404
