"""A family pays by a wallet or gateway: the cost is shown first, the page opens, money comes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from sqlalchemy import insert, update

from app.core import clock, scope
from app.core.db import scalar, transaction
from app.core.model import db
from app.money import billing
from app.money.payments.adapters import vnpay
from app.people.schools import ChannelInfo, Provider
from app.people.schools.models import Channel, ChannelSecret
from tests.factories.money import Billed, billed_child
from tests.factories.staff import token, visitor
from tests.payments.test_gateways import OLD_SECRET, SENDERS, open_way
from tests.peers import gateway_peer
from tests.peers.gateway_peer import Peer

pytestmark = pytest.mark.usefixtures("context")
ADDRESSES = {
    "vnpay": "vnpay_page",
    "momo": "momo_api_base",
    "zalopay": "zalopay_api_base",
    "payos": "payos_api_base",
}


@pytest.fixture
def peer(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """All providers at one address of our own."""
    with gateway_peer.standing(OLD_SECRET, "ACCESS") as address:
        for name in ADDRESSES.values():
            monkeypatch.setattr(app.config["SETTINGS"], name, address)
        yield address


def make_way(child: Billed, provider: str) -> ChannelInfo:
    """A channel whose newest keys the peer knows, 3,000 đồng on top."""
    way = open_way(child.school, Provider(provider))
    with scope.opened(scope.one_school(child.school.id)), transaction():
        db.session.execute(update(Channel).where(Channel.id == way.id).values(surcharge_dong=3_000))
        for purpose in ("webhook", "api"):
            db.session.execute(
                insert(ChannelSecret).values(
                    school_id=child.school.id,
                    channel_id=way.id,
                    purpose=purpose,
                    secret=OLD_SECRET,
                    valid_from=clock.now(),
                )
            )
    return way


def attempt_of(child: Billed) -> tuple[str, str]:
    with scope.opened(scope.one_school(child.school.id)):
        ref = scalar(
            "select session_ref from payment_attempts where school_id = :school_id"
            " order by id desc limit 1",
            school_id=child.school.id,
        )
        state = scalar(
            "select state from payment_attempts where school_id = :school_id"
            " order by id desc limit 1",
            school_id=child.school.id,
        )
    return str(ref).partition(":")[2], str(state)


@pytest.mark.parametrize("provider", ADDRESSES)
def test_the_surcharge_is_shown_the_page_opens_and_the_notice_settles_the_bill(
    app: Flask, peer: str, provider: str
) -> None:
    child = billed_child()
    way = make_way(child, provider)
    family = visitor(app)
    page = family.get(f"/pay/{child.request.token}")
    assert "3.000" in page.text

    leaving = family.post(
        f"/pay/{child.request.token}/gateway/{way.public_id}", data={"csrf_token": token(page)}
    )

    assert leaving.status_code == 200
    assert peer in leaving.text
    number, state = attempt_of(child)
    assert state == "open"
    if provider != "vnpay":
        assert int(Peer.asked[-1]["amount"]) == child.due + 3_000
    answer = SENDERS[provider](visitor(app), way, number, child.due + 3_000, secret=OLD_SECRET)
    assert answer.status_code in (200, 204)
    with scope.opened(scope.one_school(child.school.id)):
        assert billing.due(child.request).dong == 0
    assert attempt_of(child)[1] == "paid"


def test_the_address_of_vnpays_page_is_signed_and_in_hundredths(app: Flask, peer: str) -> None:
    child = billed_child()
    way = make_way(child, "vnpay")
    family = visitor(app)
    page = family.get(f"/pay/{child.request.token}")
    leaving = family.post(
        f"/pay/{child.request.token}/gateway/{way.public_id}", data={"csrf_token": token(page)}
    )
    start = leaving.text.index(peer)
    address = leaving.text[start : leaving.text.index('"', start)].replace("&amp;", "&")
    fields = dict(parse_qsl(urlsplit(address).query))
    assert fields["vnp_Amount"] == str((child.due + 3_000) * 100)
    assert fields.pop("vnp_SecureHash") == vnpay.hash_of(fields, OLD_SECRET)


def test_a_provider_that_says_no_costs_nothing_and_the_bill_stays_open(
    app: Flask, peer: str
) -> None:
    child = billed_child()
    way = make_way(child, "momo")
    Peer.refuse = True
    family = visitor(app)
    page = family.get(f"/pay/{child.request.token}")
    answer = family.post(
        f"/pay/{child.request.token}/gateway/{way.public_id}", data={"csrf_token": token(page)}
    )
    assert answer.status_code == 303
    assert "Chưa trừ tiền" in family.get(f"/pay/{child.request.token}").text
    assert attempt_of(child)[1] == "failed"


def test_a_way_without_keys_or_address_is_not_offered(app: Flask) -> None:
    child = billed_child()
    way = make_way(child, "momo")
    family = visitor(app)
    page = family.get(f"/pay/{child.request.token}")
    assert "MoMo" not in page.text
    answer = family.post(
        f"/pay/{child.request.token}/gateway/{way.public_id}", data={"csrf_token": token(page)}
    )
    assert answer.status_code == 303
    other = billed_child()
    foreign = family.post(
        f"/pay/{other.request.token}/gateway/{way.public_id}", data={"csrf_token": token(page)}
    )
    assert foreign.status_code == 303
