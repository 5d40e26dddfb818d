"""Sending money of a wallet or gateway back the way it came; the provider answers at once or later.

VNPAY's form is in its published pages; those of MoMo and ZaloPay are written from memory. The same
key makes a second asking the same refund.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import requests
from flask import current_app

from app.core.db import MOMENT, row
from app.core.errors import Refused, TryAgain
from app.core.model import db
from app.core.money import Vnd
from app.money.payments.adapters import momo, vnpay, zalopay
from app.money.payments.adapters.strict import BANK_ZONE
from app.money.payments.queries import PaymentRow
from app.people.schools import ChannelInfo, secrets_of

PATIENCE: Final = 20


class GatewayRefused(Refused):
    """The provider said no; nothing left."""

    code = "gateway_refused"


class GatewaySilent(TryAgain):
    """The provider did not answer, or is not done yet: ask again under the same key."""

    code = "gateway_silent"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A refund as a provider is asked for it."""

    payment: PaymentRow
    amount: Vnd
    #: our own number of it, letters and digits
    key: str
    #: our number of the try, and when its page was opened
    order: str
    opened_at: datetime
    now: datetime


def send_back(
    payment: PaymentRow, channel: ChannelInfo, amount: Vnd, key: str, *, now: datetime
) -> str:
    """Ask the gateway of a payment for a refund; its own number of it.

    Raises GatewayRefused, or GatewaySilent while the end is open. Never inside a transaction.
    """
    send = _SENDERS.get(channel.provider)
    opened = _try_of(payment)
    base = str(getattr(current_app.config["SETTINGS"], _BASES.get(channel.provider, ""), ""))
    keys = {
        purpose: next(iter(secrets_of(channel.school_id, channel.id, purpose, now)), "")
        for purpose in ("merchant", "access", "webhook", "api")
    }
    db.session.rollback()
    if send is None or opened is None or not base:
        raise GatewayRefused
    asked = _Asked(payment, amount, key, opened[0], opened[1], now)
    try:
        return send(base.rstrip("/"), keys, asked)
    except (requests.RequestException, ValueError, LookupError, TypeError) as reason:
        raise GatewaySilent from reason


def may_be_sent_back(payment: PaymentRow) -> bool:
    """Whether the way money came takes it back: cards, wallets and gateways do, banks do not."""
    return payment.method in ("card", "wallet") and payment.provider in (*_SENDERS, "stripe")


def _try_of(payment: PaymentRow) -> tuple[str, datetime] | None:
    found = row(
        "select session_ref, created_at from payment_attempts where school_id = :school_id"
        " and channel_id = :channel and state = 'paid' and session_ref is not null"
        " and amount = :amount and surcharge = :surcharge and request_id in (select m.request_id"
        "  from matchings m where m.school_id = :school_id and m.payment_id = :payment)"
        " order by id desc limit 1",
        types={"created_at": MOMENT},
        school_id=payment.school_id,
        channel=payment.channel_id,
        amount=payment.amount,
        surcharge=payment.surcharge,
        payment=payment.id,
    )
    if found is None:
        return None
    return found.session_ref.removeprefix(f"{payment.channel_id}:"), found.created_at


def _told(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(BANK_ZONE):%Y%m%d%H%M%S}"


def _vnpay(base: str, keys: Mapping[str, str], asked: _Asked) -> str:
    is_whole = asked.amount == asked.payment.amount + asked.payment.surcharge
    fields = {
        "vnp_RequestId": asked.key,
        "vnp_Version": "2.1.0",
        "vnp_Command": "refund",
        "vnp_TmnCode": keys["merchant"],
        "vnp_TransactionType": "02" if is_whole else "03",
        "vnp_TxnRef": asked.order,
        "vnp_Amount": str(asked.amount.dong * 100),
        "vnp_TransactionNo": asked.payment.external_id,
        "vnp_TransactionDate": _stamp(asked.opened_at),
        "vnp_CreateBy": "sothu",
        "vnp_CreateDate": _stamp(asked.now),
        "vnp_IpAddr": "127.0.0.1",
        "vnp_OrderInfo": f"Hoan tien {asked.key}",
    }
    fields["vnp_SecureHash"] = vnpay.joined_hash(list(fields.values()), keys["webhook"])
    found = _told(requests.post(base, json=fields, timeout=PATIENCE, allow_redirects=False))
    code = str(found.get("vnp_ResponseCode", ""))
    # 94: the same number was asked before and is under way; 99: nobody knows.
    if code in ("94", "99", ""):
        raise GatewaySilent
    if code != "00":
        raise GatewayRefused
    return str(found.get("vnp_TransactionNo") or asked.key)


def _momo(base: str, keys: Mapping[str, str], asked: _Asked) -> str:
    fields: dict[str, Any] = {
        "partnerCode": keys["merchant"],
        "orderId": f"r-{asked.key}",
        "requestId": asked.key,
        "amount": asked.amount.dong,
        "transId": int(asked.payment.external_id),
        "lang": "vi",
        "description": f"Hoan tien {asked.key}",
    }
    fields["signature"] = momo.refund_signature(fields, keys["webhook"], keys["access"])
    found = _told(
        requests.post(
            f"{base}/v2/gateway/api/refund", json=fields, timeout=PATIENCE, allow_redirects=False
        )
    )
    code = found.get("resultCode")
    if code in momo.NOT_FINAL:
        raise GatewaySilent
    if code != 0:
        raise GatewayRefused
    return str(found.get("transId") or asked.key)


def _zalopay(base: str, keys: Mapping[str, str], asked: _Asked) -> str:
    app, moment = keys["merchant"], str(int(asked.now.timestamp() * 1000))
    description = f"Hoan tien {asked.key}"
    signed = [app, asked.payment.external_id, str(asked.amount.dong), description, moment]
    day = f"{asked.payment.occurred_at.astimezone(BANK_ZONE):%y%m%d}"
    found = _told(
        requests.post(
            f"{base}/v2/refund",
            data={
                "m_refund_id": f"{day}_{app}_{asked.key}",
                "app_id": app,
                "zp_trans_id": asked.payment.external_id,
                "amount": str(asked.amount.dong),
                "timestamp": moment,
                "description": description,
                "mac": zalopay.mac_of("|".join(signed), keys["api"]),
            },
            timeout=PATIENCE,
            allow_redirects=False,
        )
    )
    code = found.get("return_code")
    if code == _ZALOPAY_UNDER_WAY:
        raise GatewaySilent
    if code != 1:
        raise GatewayRefused
    return str(found.get("refund_id") or asked.key)


_ZALOPAY_UNDER_WAY: Final = 3
_BASES: Final = {
    vnpay.PROVIDER: "vnpay_api",
    momo.PROVIDER: "momo_api_base",
    zalopay.PROVIDER: "zalopay_api_base",
}
_SENDERS: Final[Mapping[str, Callable[[str, Mapping[str, str], _Asked], str]]] = {
    vnpay.PROVIDER: _vnpay,
    momo.PROVIDER: _momo,
    zalopay.PROVIDER: _zalopay,
}
