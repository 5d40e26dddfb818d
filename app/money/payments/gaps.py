"""What notices did not tell: each provider is asked for its list, or for a try that stayed open.

A notice may be lost for good (SePay gives up after 33 minutes). What is found goes through the same
door as the notice, under the same number: told twice, it is one payment. Providers are asked
outside any transaction. Where a list or a question is not in the provider's published pages we
could read, its form is written from memory and a mistake leaves everything as it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

import requests
from flask import current_app

from app.core import clock
from app.core.db import MOMENT, rows, transaction
from app.core.errors import DomainError
from app.core.model import db
from app.money.payments import cards, gateways
from app.money.payments.adapters import (
    BankTransfer,
    casso,
    momo,
    payos,
    sepay,
    stripe,
    vnpay,
    zalopay,
)
from app.money.payments.adapters.strict import BANK_ZONE
from app.money.payments.inbox import accept_transfer
from app.money.payments.models import OutcomeState
from app.people.schools import ChannelInfo, channels_of, secrets_of

log = logging.getLogger("sothu.gaps")

#: how far back a list is asked for: a long weekend and the days around it
LOOK_BACK: Final = timedelta(days=4)
#: younger tries may still be told by a notice
WAIT: Final = timedelta(minutes=10)
PATIENCE: Final = 20
_MOST_PAGES: Final = 60
_ORIGIN: Final = {"X-Origin": "asked"}


@dataclass(frozen=True, slots=True)
class Filled:
    """What asking brought: providers asked, payments found, providers that gave no answer."""

    asked: int = 0
    found: int = 0
    silent: tuple[str, ...] = ()


def fill_gaps(school_id: int, *, now: datetime, back: timedelta = LOOK_BACK) -> Filled:
    """Ask every provider of a school for what its notices may have missed. Commits by itself.

    A provider that does not answer, or answers what nobody can read, is named and stops nothing.
    """
    asked, found, silent = 0, 0, []
    for channel in channels_of(school_id, clock.local_day(now)):
        ask = _LISTS.get(channel.provider) or (
            _ask_attempts if channel.provider in _QUERIES else None
        )
        if ask is None or not _is_ready(channel, now):
            continue
        asked += 1
        try:
            found += ask(channel, now, back)
        except (requests.RequestException, ValueError, LookupError, TypeError, DomainError) as why:
            log.warning("channel %s could not be asked: %s", channel.public_id, why)
            db.session.rollback()
            silent.append(channel.public_id)
    return Filled(asked, found, tuple(silent))


_BASES: Final = {
    sepay.PROVIDER: "sepay_api_base",
    casso.PROVIDER: "casso_api_base",
    payos.PROVIDER: "payos_api_base",
    vnpay.PROVIDER: "vnpay_api",
    momo.PROVIDER: "momo_api_base",
    zalopay.PROVIDER: "zalopay_api_base",
}
_NEEDS: Final = {
    sepay.PROVIDER: ("api",),
    casso.PROVIDER: ("api",),
    payos.PROVIDER: ("access", "api"),
    vnpay.PROVIDER: ("merchant", "webhook"),
    momo.PROVIDER: ("merchant", "access", "webhook"),
    zalopay.PROVIDER: ("merchant", "api"),
    stripe.PROVIDER: (),
}


def _is_ready(channel: ChannelInfo, now: datetime) -> bool:
    if channel.provider == stripe.PROVIDER:
        # Only a live environment, or one with a stand-in, has a Stripe to ask.
        settings = current_app.config["SETTINGS"]
        is_there = settings.app_env == "production" or bool(settings.stripe_api_base)
        return is_there and bool(_key(channel, "api", now))
    return bool(_base(channel)) and all(
        _key(channel, purpose, now) for purpose in _NEEDS[channel.provider]
    )


def _base(channel: ChannelInfo) -> str:
    return str(getattr(current_app.config["SETTINGS"], _BASES[channel.provider])).rstrip("/")


def _key(channel: ChannelInfo, purpose: str, now: datetime) -> str:
    return next(iter(secrets_of(channel.school_id, channel.id, purpose, now)), "")


def _json(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


# Lists of bank movements


def _ask_sepay(channel: ChannelInfo, now: datetime, back: timedelta) -> int:
    since = (now - back).astimezone(BANK_ZONE)
    base, key = _base(channel), _key(channel, "api", now)
    db.session.rollback()
    answer = _json(
        requests.get(
            f"{base}/userapi/transactions/list",
            params={"transaction_date_min": f"{since:%Y-%m-%d %H:%M:%S}", "limit": "5000"},
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    bodies = [_sepay_notice(one) for one in reversed(answer["transactions"])]
    return sum(_take(channel, body, [sepay.parse(body)], now) for body in bodies)


def _sepay_notice(one: Mapping[str, Any]) -> bytes:
    """A row of the list in the form of the notice, so that both are read by one reader."""
    came, went = _dong(one.get("amount_in")), _dong(one.get("amount_out"))
    notice = {
        "id": int(one["id"]),
        "gateway": one.get("bank_brand_name") or "",
        "transactionDate": one["transaction_date"],
        "accountNumber": one["account_number"],
        "subAccount": one.get("sub_account") or None,
        "code": one.get("code") or None,
        "content": one.get("transaction_content") or "",
        "transferType": "in" if came else "out",
        "description": "",
        "transferAmount": came or went,
        "accumulated": _dong(one.get("accumulated")),
        "referenceCode": one.get("reference_number") or "",
    }
    return json.dumps(notice, ensure_ascii=False).encode()


def _dong(value: object) -> int:
    """`"450000.00"` as 450000; refuses parts of a đồng."""
    try:
        found = Decimal(str(value or 0))
    except InvalidOperation as reason:
        raise ValueError("no amount") from reason
    if found != found.to_integral_value():
        raise ValueError("parts of a đồng")
    return int(found)


def _ask_casso(channel: ChannelInfo, now: datetime, back: timedelta) -> int:
    since = (now - back).astimezone(BANK_ZONE)
    base, key = _base(channel), _key(channel, "api", now)
    db.session.rollback()
    found = 0
    for page in range(1, _MOST_PAGES + 1):
        answer = _json(
            requests.get(
                f"{base}/v2/transactions",
                params={
                    "fromDate": f"{since:%Y-%m-%d}",
                    "page": str(page),
                    "pageSize": "100",
                    "sort": "ASC",
                },
                headers={"Authorization": f"Apikey {key}"},
                timeout=PATIENCE,
                allow_redirects=False,
            )
        )
        data = answer["data"]
        for one in data["records"]:
            body = json.dumps({"error": 0, "data": [_casso_row(one)]}, ensure_ascii=False).encode()
            found += _take(channel, body, casso.parse(body), now)
        if page >= int(data.get("totalPages") or 1):
            break
    return found


def _casso_row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "tid": one.get("tid") or "",
        "description": one.get("description") or "",
        "amount": _dong(one["amount"]),
        "cusum_balance": _dong(one.get("cusumBalance")),
        "when": one["when"],
        "bank_sub_acc_id": one["bankSubAccId"],
        "virtualAccountNumber": one.get("virtualAccount") or "",
        "counterAccountName": one.get("corresponsiveName") or "",
    }


def _take(channel: ChannelInfo, body: bytes, transfers: list[BankTransfer], now: datetime) -> int:
    """The movements of a body through the inbox; how many were not known before."""
    found = 0
    for transfer in transfers:
        with transaction():
            outcome = accept_transfer(transfer, channel=channel, raw=body, headers=_ORIGIN, now=now)
        found += outcome.state is OutcomeState.POSTED and not outcome.is_repeat
    return found


# Tries that stayed open


@dataclass(frozen=True, slots=True)
class _Try:
    """A try to pay whose end nobody has told."""

    order: str
    created_at: datetime
    amount: int


def _open_tries(channel: ChannelInfo, now: datetime, back: timedelta) -> list[_Try]:
    found = rows(
        "select session_ref, created_at, amount + surcharge as amount from payment_attempts"
        " where school_id = :school_id and channel_id = :channel and session_ref is not null"
        " and state in ('open', 'processing', 'failed') and created_at >= :since"
        " and created_at <= :until order by id",
        types={"created_at": MOMENT},
        school_id=channel.school_id,
        channel=channel.id,
        since=now - back,
        until=now - WAIT,
    )
    prefix = f"{channel.id}:"
    return [
        _Try(one.session_ref.removeprefix(prefix), one.created_at, int(one.amount))
        for one in found
        if one.session_ref.startswith(prefix)
    ]


def _ask_attempts(channel: ChannelInfo, now: datetime, back: timedelta) -> int:
    tries = _open_tries(channel, now, back)
    base = _base(channel)
    keys = {purpose: _key(channel, purpose, now) for purpose in _NEEDS[channel.provider]}
    db.session.rollback()
    found = 0
    for one in tries:
        for body in _QUERIES[channel.provider](base, keys, one, now):
            event = gateways.parse(channel.provider, body, now)
            if event.state == "pending" or event.order != one.order:
                continue
            with transaction():
                outcome = gateways.accept_event(
                    event, channel=channel, raw=body, headers=_ORIGIN, now=now
                )
            found += outcome.state is OutcomeState.POSTED and not outcome.is_repeat
    return found


def _query_payos(base: str, keys: Mapping[str, str], one: _Try, _now: datetime) -> Iterator[bytes]:
    """Each transfer to a payment link, in the form of the notice."""
    answer = _json(
        requests.get(
            f"{base}/v2/payment-requests/{one.order}",
            headers={"x-client-id": keys["access"], "x-api-key": keys["api"]},
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    if answer.get("code") != payos.PAID:
        return
    link = answer["data"]
    for told in link.get("transactions") or ():
        data = {
            **{name: told.get(name) or "" for name in _PAYOS_KEPT},
            "orderCode": int(link["orderCode"]),
            "amount": int(told["amount"]),
            "paymentLinkId": link["id"],
            "code": payos.PAID,
            "desc": "",
            "currency": "VND",
        }
        yield json.dumps({"code": payos.PAID, "data": data}, ensure_ascii=False).encode()


_PAYOS_KEPT: Final = (
    "accountNumber",
    "description",
    "reference",
    "transactionDateTime",
    "counterAccountName",
)


def _query_momo(base: str, keys: Mapping[str, str], one: _Try, _now: datetime) -> Iterator[bytes]:
    request_id = f"q-{one.order}"[:50]
    asked = {"partnerCode": keys["merchant"], "requestId": request_id, "orderId": one.order}
    answer = _json(
        requests.post(
            f"{base}/v2/gateway/api/query",
            json={
                **asked,
                "lang": "vi",
                "signature": momo.query_signature(asked, keys["webhook"], keys["access"]),
            },
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    # Without a number of its own nothing was ever paid.
    if answer.get("partnerCode") == keys["merchant"] and answer.get("transId"):
        yield json.dumps({"orderInfo": "", **answer}, ensure_ascii=False).encode()


def _query_zalopay(
    base: str, keys: Mapping[str, str], one: _Try, _now: datetime
) -> Iterator[bytes]:
    mac = zalopay.mac_of(f"{keys['merchant']}|{one.order}|{keys['api']}", keys["api"])
    answer = _json(
        requests.post(
            f"{base}/v2/query",
            data={"app_id": keys["merchant"], "app_trans_id": one.order, "mac": mac},
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    if answer.get("return_code") != 1 or answer.get("is_processing"):
        return
    data = {
        "app_id": keys["merchant"],
        "app_trans_id": one.order,
        "amount": answer["amount"],
        "zp_trans_id": answer["zp_trans_id"],
        "server_time": answer.get("server_time") or int(one.created_at.timestamp() * 1000),
    }
    yield json.dumps({"data": json.dumps(data), "type": 1}).encode()


def _query_vnpay(base: str, keys: Mapping[str, str], one: _Try, now: datetime) -> Iterator[bytes]:
    """`querydr`: hashed over the values in the order of its page, joined by bars."""
    stamp = f"{now.astimezone(BANK_ZONE):%Y%m%d%H%M%S}"
    fields = {
        "vnp_RequestId": hashlib.sha256(f"{one.order}{stamp}".encode()).hexdigest()[:32],
        "vnp_Version": "2.1.0",
        "vnp_Command": "querydr",
        "vnp_TmnCode": keys["merchant"],
        "vnp_TxnRef": one.order,
        "vnp_TransactionDate": f"{one.created_at.astimezone(BANK_ZONE):%Y%m%d%H%M%S}",
        "vnp_CreateDate": stamp,
        "vnp_IpAddr": "127.0.0.1",
        "vnp_OrderInfo": f"Truy van {one.order}",
    }
    fields["vnp_SecureHash"] = vnpay.joined_hash(list(fields.values()), keys["webhook"])
    answer = _json(requests.post(base, json=fields, timeout=PATIENCE, allow_redirects=False))
    if answer.get("vnp_ResponseCode") != "00" or answer.get("vnp_TxnRef") != one.order:
        return
    names = ("vnp_TmnCode", "vnp_TxnRef", "vnp_Amount", "vnp_OrderInfo", "vnp_TransactionNo")
    told = {name: str(answer[name]) for name in names if answer.get(name)}
    told |= {
        "vnp_PayDate": str(answer.get("vnp_PayDate") or stamp),
        # Here the answer's own code says that it was found; the payment's is the other one.
        "vnp_ResponseCode": str(answer.get("vnp_TransactionStatus", "")),
        "vnp_TransactionStatus": str(answer.get("vnp_TransactionStatus", "")),
    }
    if told["vnp_TransactionStatus"] != "01":
        yield urlencode(told).encode("ascii")


# Events of Stripe


def _ask_stripe(channel: ChannelInfo, now: datetime, back: timedelta) -> int:
    adapter = cards.adapter_of(channel, now)
    db.session.rollback()
    found = 0
    for body in adapter.events_since(now - back):
        event = stripe.parse(body)
        with transaction():
            outcome = cards.accept_stripe_event(
                event,
                school_id=channel.school_id,
                channel=channel.public_id,
                channel_id=channel.id,
                raw=body,
                headers=_ORIGIN,
                now=now,
            )
        found += outcome.state is OutcomeState.POSTED and not outcome.is_repeat
    return found


_LISTS: Final = {
    sepay.PROVIDER: _ask_sepay,
    casso.PROVIDER: _ask_casso,
    stripe.PROVIDER: _ask_stripe,
}
_QUERIES: Final = {
    payos.PROVIDER: _query_payos,
    momo.PROVIDER: _query_momo,
    zalopay.PROVIDER: _query_zalopay,
    vnpay.PROVIDER: _query_vnpay,
}
