"""The area opens partners, gives keys once, exchanges and ends them, on a page of its own."""

from __future__ import annotations

import itertools
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.db import scalar, transaction
from app.people.access.models import Role
from app.people.partners import services
from tests.api.partners import Caller
from tests.factories.schools import make_school
from tests.factories.staff import signed_in, token, visitor, words

_codes = itertools.count(1)
PAGE = "/area/partners"


@pytest.fixture
def officer(app: Flask, context: Flask) -> FlaskClient:
    return signed_in(app, make_school().unit_id, Role.OFFICER)


def opened(officer: FlaskClient, code: str) -> tuple[str, str, str]:
    """The page after opening, the key and its secret."""
    page = officer.get(PAGE)
    answer = officer.post(
        PAGE, data={"csrf_token": token(page), "code": code, "name": "Ví Minh Họa"}
    )
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    key, secret = re.findall(r'<span class="value">([^<]+)</span>', answer.text)
    return answer.text, key, secret


def asks(app: Flask, key: str, secret: str) -> int:
    caller = Caller(visitor(app), "x", key, secret)
    return caller.get("/api/v1/bills", code="12345678").status_code


def test_a_partner_is_opened_and_its_secret_stands_on_one_page_only(
    app: Flask, officer: FlaskClient
) -> None:
    code = f"vi{next(_codes)}"
    _page, key, secret = opened(officer, code)
    assert asks(app, key, secret) != 401
    again = officer.get(PAGE)
    assert code in again.text
    assert secret not in again.text


def test_keys_are_exchanged_and_the_old_one_ends(app: Flask, officer: FlaskClient) -> None:
    code = f"vi{next(_codes)}"
    _page, old, old_secret = opened(officer, code)
    page = officer.get(PAGE)
    answer = officer.post(f"{PAGE}/{code}/keys", data={"csrf_token": token(page)})
    key, secret = re.findall(r'<span class="value">([^<]+)</span>', answer.text)
    assert asks(app, old, old_secret) == asks(app, key, secret) != 401
    officer.post(f"{PAGE}/keys/{old}/end", data={"csrf_token": token(page)})
    assert asks(app, old, old_secret) == 401
    assert asks(app, key, secret) != 401
    twice = officer.post(f"{PAGE}/keys/{old}/end", data={"csrf_token": token(page)})
    assert (twice.status_code, "không có khóa" in words(twice)) == (404, True)


@pytest.mark.parametrize(("code", "name"), [("V!", "Ví"), ("", "Ví Minh Họa"), ("abc", "x")])
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_lost(
    officer: FlaskClient, code: str, name: str
) -> None:
    page = officer.get(PAGE)
    answer = officer.post(PAGE, data={"csrf_token": token(page), "code": code, "name": name})
    assert answer.status_code == 422
    assert f'value="{name}"' in answer.text


def test_a_short_name_is_used_once_for_ever(officer: FlaskClient) -> None:
    code = f"vi{next(_codes)}"
    opened(officer, code)
    page = officer.get(PAGE)
    again = {"csrf_token": token(page), "code": code, "name": "Ví Khác"}
    assert officer.post(PAGE, data=again).status_code == 409


def test_a_closed_partner_collects_until_the_day_ends_and_gets_no_key(
    app: Flask, officer: FlaskClient
) -> None:
    code = f"vi{next(_codes)}"
    _page, key, secret = opened(officer, code)
    page = officer.get(PAGE)
    form = {"csrf_token": token(page)}
    assert officer.post(f"{PAGE}/{code}/close", data=form).status_code == 303
    assert asks(app, key, secret) != 401
    assert officer.post(f"{PAGE}/{code}/keys", data=form).status_code == 409
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        assert services.list_partners()
        assert scalar("select closed_on from api_partners where code = :code", code=code)


def test_an_auditor_sees_the_page_and_changes_nothing_and_a_school_does_not_see_it(
    app: Flask, context: Flask
) -> None:
    school = make_school()
    auditor = signed_in(app, school.unit_id, Role.AUDITOR)
    page = auditor.get(PAGE)
    assert page.status_code == 200
    assert "<form" not in page.text.split("<main")[1]
    form = {"csrf_token": token(page), "code": "abc", "name": "Ví Minh Họa"}
    assert auditor.post(PAGE, data=form).status_code == 403
    assert signed_in(app, school.unit_id, Role.PRINCIPAL).get(PAGE).status_code == 403
