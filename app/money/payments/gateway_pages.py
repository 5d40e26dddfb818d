"""Opening a wallet's or gateway's own page for a payer: the try first, then the provider is asked.

The provider is never called inside a transaction, and the try is known before its money can come.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import requests
from flask import current_app

from app.core import clock
from app.core.db import transaction
from app.core.model import db
from app.core.money import Vnd
from app.money import billing
from app.money.payments import gateways
from app.money.payments.adapters import momo, payos, vnpay, zalopay
from app.money.payments.adapters.strict import BANK_ZONE
from app.money.payments.cards import surcharge_of
from app.money.payments.errors import GatewayUnavailable, NoGateway, NothingDue
from app.people.schools import ChannelInfo, channels_of, school_info, secrets_of

log = logging.getLogger("sothu.gateways")

#: what a payer waits for the provider's answer, in seconds
PATIENCE: Final = 10
#: how a provider is called on a page
TITLES: Final = {
    payos.PROVIDER: "payOS",
    vnpay.PROVIDER: "VNPAY",
    momo.PROVIDER: "MoMo",
    zalopay.PROVIDER: "ZaloPay",
}
_ADDRESSES: Final = {
    payos.PROVIDER: "payos_api_base",
    vnpay.PROVIDER: "vnpay_page",
    momo.PROVIDER: "momo_api_base",
    zalopay.PROVIDER: "zalopay_api_base",
}
#: the secrets each needs to open a page
_NEEDS: Final = {
    payos.PROVIDER: ("access", "api", "webhook"),
    vnpay.PROVIDER: ("merchant", "webhook"),
    momo.PROVIDER: ("merchant", "access", "webhook"),
    zalopay.PROVIDER: ("merchant", "api"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to pay beside the free ones, with what it costs on top."""

    public_id: str
    title: str
    surcharge: Vnd
    total: Vnd


@dataclass(frozen=True, slots=True)
class _Order:
    """What a provider is asked to open a page for."""

    number: str
    amount: Vnd
    description: str
    reference: str
    return_url: str
    notify_url: str
    ip: str
    locale: str
    now: datetime


def choices(school_id: int, due: Vnd, now: datetime) -> list[Choice]:
    """The wallets and gateways of a school that can be used at this moment, the cheapest first."""
    found = []
    for channel in channels_of(school_id, clock.local_day(now)) if due else ():
        if _is_ready(channel, now):
            surcharge = surcharge_of(channel, due)
            found.append(
                Choice(channel.public_id, TITLES[channel.provider], surcharge, due + surcharge)
            )
    return found


def _is_ready(channel: ChannelInfo, now: datetime) -> bool:
    if channel.provider not in TITLES or not _address(channel.provider):
        return False
    return all(_secret(channel, purpose, now) for purpose in _NEEDS[channel.provider])


def _address(provider: str) -> str:
    return str(getattr(current_app.config["SETTINGS"], _ADDRESSES[provider])).rstrip("/")


def _secret(channel: ChannelInfo, purpose: str, now: datetime) -> str:
    return next(iter(secrets_of(channel.school_id, channel.id, purpose, now)), "")


def start(
    request: billing.Request,
    public_id: str,
    *,
    return_url: str,
    notify_url: str,
    ip: str,
    locale: str,
    now: datetime,
) -> tuple[str, str]:
    """Open a try and the provider's page for what is due now; its title and address.

    Refuses a bill with nothing due, a way the school does not offer, and a provider that does not
    answer (the try is kept as failed). Commits by itself.
    """
    day = clock.local_day(now)
    channel = next(
        (
            one
            for one in channels_of(request.school_id, day)
            if one.public_id == public_id and _is_ready(one, now)
        ),
        None,
    )
    if channel is None:
        raise NoGateway
    due = billing.due(request)
    if not due:
        raise NothingDue
    surcharge = surcharge_of(channel, due)
    stamp = now.astimezone(BANK_ZONE).strftime("%y%m%d")
    # A whole number for one, a day in front for another, our code for all the rest.
    form = {payos.PROVIDER: "{n}", zalopay.PROVIDER: stamp + "_{code}-{n}"}.get(
        channel.provider, "{code}-{n}"
    )
    school = school_info(request.school_id, day)
    with transaction():
        number = gateways.open_attempt(
            request,
            channel=channel,
            due=due,
            surcharge=surcharge,
            order=lambda n: form.format(n=n, code=request.reference),
            now=now,
        )
    order = _Order(
        number=number,
        amount=due + surcharge,
        description=f"{school.short_name} {request.reference}",
        reference=request.reference,
        return_url=return_url,
        notify_url=notify_url,
        ip=ip,
        locale=locale,
        now=now,
    )
    keys = {purpose: _secret(channel, purpose, now) for purpose in _NEEDS[channel.provider]}
    # Reading left a transaction open; it ends before the provider is asked.
    db.session.rollback()
    try:
        address = _OPEN[channel.provider](_address(channel.provider), order, keys)
    except (requests.RequestException, ValueError, KeyError, TypeError) as reason:
        log.warning("order %s at %s was not opened: %s", number, channel.provider, reason)
        with transaction():
            gateways.close_attempt(channel, number, now)
        raise GatewayUnavailable from reason
    return TITLES[channel.provider], address


def _told(answer: requests.Response) -> dict[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _web_address(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("https://", "http://127.0.0.1")):
        raise ValueError("no address")
    return value


def _open_vnpay(address: str, order: _Order, keys: Mapping[str, str]) -> str:
    return vnpay.payment_address(
        address,
        merchant=keys["merchant"],
        secret=keys["webhook"],
        order=order.number,
        amount=order.amount,
        description=order.description,
        return_url=order.return_url,
        ip=order.ip,
        locale=order.locale,
        now=order.now,
        expires_at=order.now + gateways.PAGE_OPEN,
    )


def _open_momo(address: str, order: _Order, keys: Mapping[str, str]) -> str:
    fields: dict[str, Any] = {
        "partnerCode": keys["merchant"],
        "requestId": order.number,
        "amount": order.amount.dong,
        "orderId": order.number,
        "orderInfo": order.description,
        "redirectUrl": order.return_url,
        "ipnUrl": order.notify_url,
        "requestType": "captureWallet",
        "extraData": "",
    }
    fields["signature"] = momo.create_signature(fields, keys["webhook"], keys["access"])
    fields["lang"] = "en" if order.locale == "en" else "vi"
    found = _told(
        requests.post(
            f"{address}/v2/gateway/api/create", json=fields, timeout=PATIENCE, allow_redirects=False
        )
    )
    if found.get("resultCode") != 0:
        raise ValueError(f"result {found.get('resultCode')}")
    return _web_address(found["payUrl"])


def _open_zalopay(address: str, order: _Order, keys: Mapping[str, str]) -> str:
    moment = str(int(order.now.timestamp() * 1000))
    embedded = json.dumps({"redirecturl": order.return_url}, separators=(",", ":"))
    values = [
        keys["merchant"],
        order.number,
        "family",
        str(order.amount.dong),
        moment,
        embedded,
        "[]",
    ]
    names = ("app_id", "app_trans_id", "app_user", "amount", "app_time", "embed_data", "item")
    fields = {
        **dict(zip(names, values, strict=True)),
        "description": order.description,
        "bank_code": "",
        "callback_url": order.notify_url,
        "expire_duration_seconds": str(int(gateways.PAGE_OPEN.total_seconds())),
        "mac": zalopay.create_mac(values, keys["api"]),
    }
    found = _told(
        requests.post(f"{address}/v2/create", data=fields, timeout=PATIENCE, allow_redirects=False)
    )
    if found.get("return_code") != 1:
        raise ValueError(f"return code {found.get('return_code')}")
    return _web_address(found["order_url"])


def _open_payos(address: str, order: _Order, keys: Mapping[str, str]) -> str:
    signed: dict[str, Any] = {
        "amount": order.amount.dong,
        "cancelUrl": order.return_url,
        # Nine signs are all that an account outside the product may carry.
        "description": order.reference,
        "orderCode": int(order.number),
        "returnUrl": order.return_url,
    }
    fields = {
        **signed,
        "expiredAt": int((order.now + gateways.PAGE_OPEN).timestamp()),
        "signature": payos.signature_of(signed, keys["webhook"]),
    }
    found = _told(
        requests.post(
            f"{address}/v2/payment-requests",
            json=fields,
            headers={"x-client-id": keys["access"], "x-api-key": keys["api"]},
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    if found.get("code") != payos.PAID:
        raise ValueError(f"code {found.get('code')}")
    return _web_address(found["data"]["checkoutUrl"])


_OPEN: Final[Mapping[str, Callable[[str, _Order, Mapping[str, str]], str]]] = {
    payos.PROVIDER: _open_payos,
    vnpay.PROVIDER: _open_vnpay,
    momo.PROVIDER: _open_momo,
    zalopay.PROVIDER: _open_zalopay,
}
