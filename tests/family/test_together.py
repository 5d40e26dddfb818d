"""A family pays for all its children from one page, a transfer for each account (M7)."""

from __future__ import annotations

import itertools
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import scope
from app.core.money import Vnd
from app.journeys.family.basket import Part, _transfers
from app.money import billing
from app.people.schools import get_account, school_info
from app.people.students import NewGuardian
from tests.factories.money import TODAY, Billed, billed_children
from tests.factories.people import mother
from tests.factories.staff import visitor
from tests.family.test_pay_page import link, try_digits
from tests.payments.test_transfers import notice, send

_families = itertools.count(1)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return visitor(app)


@pytest.fixture
def family(context: Flask) -> list[Billed]:
    """Two of one school and one of another with the same mother; another child of the father."""
    number = next(_families)
    ha = mother(f"0905{number:02d}1327")
    binh = NewGuardian("Nguyễn Văn Bình", f"0905{number:02d}4444", "father")
    here = billed_children(
        3,
        names=["Nguyễn Minh Khang", "Nguyễn Minh Thư", "Nguyễn Hoài An"],
        guardians=[(ha, binh), (ha,), (binh,)],
    )
    there = billed_children(1, names=["Nguyễn Bảo Ngọc"], guardians=[(ha,)])
    return [*here, *there]


def together(client: FlaskClient, child: Billed, **query: object) -> str:
    answer = client.get(f"{link(child)}/together", query_string=query)
    assert answer.status_code == 200
    return answer.text


def test_the_page_is_closed_until_the_family_shows_that_it_is_the_family(
    client: FlaskClient, family: list[Billed]
) -> None:
    answer = client.get(f"{link(family[0])}/together")
    assert answer.status_code == 303
    assert answer.location.endswith("#lines")


def test_all_children_of_the_mother_are_there_and_each_account_has_its_sum(
    client: FlaskClient, family: list[Billed]
) -> None:
    _status, page = try_digits(client, family[0], "1327")
    assert "/together" in page
    page = together(client, family[0])
    assert "2.336.325" in page
    assert "1.557.550" in page
    texts = re.findall(r'value--big">([^<]+)<', page)
    assert texts == [
        f"{family[0].request.reference} {family[1].request.reference}",
        family[3].request.reference,
    ]
    # On a phone nobody can scan the screen in hand: each picture can be saved.
    assert len(re.findall(r'<a [^>]*href="data:image/png;base64,[^>]*download', page)) == 2
    assert "Nguyễn Hoài An" not in page


def test_a_second_family_of_the_father_is_seen_by_him_and_not_by_the_mother(
    client: FlaskClient, family: list[Billed]
) -> None:
    try_digits(client, family[0], "4444")
    page = together(client, family[0])
    assert "Nguyễn Hoài An" in page
    assert "Nguyễn Minh Thư" not in page


def test_a_child_left_out_is_not_in_the_sum(client: FlaskClient, family: list[Billed]) -> None:
    try_digits(client, family[0], "1327")
    page = together(client, family[0], **{"with": family[3].request.id})
    assert re.findall(r'value--big">([^<]+)<', page) == [family[3].request.reference]
    assert "value--big" not in together(client, family[0], **{"with": 0})


def test_one_transfer_with_both_codes_pays_both_children(
    client: FlaskClient, family: list[Billed]
) -> None:
    try_digits(client, family[0], "1327")
    text = re.findall(r'value--big">([^<]+)<', together(client, family[0]))[0]
    send(client, family[0].school, notice(family[0].school, text, 1_557_550))
    page = together(client, family[0])
    assert "778.775" in page
    assert re.findall(r'value--big">([^<]+)<', page) == [family[3].request.reference]


def test_the_page_notices_by_itself_that_money_came(
    client: FlaskClient, family: list[Billed]
) -> None:
    try_digits(client, family[0], "1327")
    found = re.search(r'hx-get="([^"]+together/state[^"]+)"', together(client, family[0]))
    assert found
    same = client.get(found[1])
    assert (same.status_code, same.headers.get("HX-Refresh")) == (204, None)
    send(client, family[3].school, notice(family[3].school, family[3].request.reference, 778_775))
    assert client.get(found[1]).headers["HX-Refresh"] == "true"


def test_three_codes_of_one_account_go_into_two_transfers(family: list[Billed]) -> None:
    school = family[0].school
    with scope.opened(scope.one_school(school.id)):
        account = get_account(school.id, family[0].request.bank_account_id)
        info = school_info(school.id, TODAY)
    parts = []
    for n in (1, 2, 3):
        request = billing.Request(n, school.id, n, account.id, f"SAAAAAAA{n}", "t")
        parts.append(Part(request, "", info, account, Vnd(n)))
    made = _transfers(parts)
    assert [(one.amount.dong, one.text) for one in made] == [
        (3, "SAAAAAAA1 SAAAAAAA2"),
        (3, "SAAAAAAA3"),
    ]
