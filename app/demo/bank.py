"""The demo's bank: signs a notice with the school's own secret and hands it to the running app."""

from __future__ import annotations

import json
import os
import random
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from flask import current_app
from flask_babel import gettext as _

from app.core import clock
from app.core.db import row
from app.core.errors import NotFound
from app.money.payments.adapters import sepay
from app.people.schools import secrets_of
from app.people.schools.banks import find_bank

_PATIENCE: Final = 30


class UnknownAccount(NotFound):
    """No school of the demo receives money there."""

    code = "unknown_account"

    def default_message(self) -> str:
        return _("No school has this account. Copy it from the bill once more.")


@dataclass(frozen=True, slots=True)
class Payee:
    """A school's account with the channel its bank reports through."""

    school_id: int
    school: str
    bank_bin: str
    holder: str
    #: what notices call the account: the main number, and the virtual one when there is one
    number: str
    sub_account: str | None
    path: str
    secret: str

    @property
    def shown_number(self) -> str:
        """The number a payer types."""
        return self.sub_account or self.number

    @property
    def bank(self) -> str:
        """The bank's short name."""
        known = find_bank(self.bank_bin)
        return known.short_name if known else self.bank_bin


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said to a notice; status 0 when nobody was there."""

    status: int
    text: str

    @property
    def is_taken(self) -> bool:
        """Whether the bank may stop sending."""
        return 200 <= self.status < 300


def find_payee(account: str) -> Payee:
    """The school behind an account number, main or virtual. Needs a scope over all schools.

    Refuses a number that no open bank channel reports for (UnknownAccount).
    """
    written = "".join(account.split()).upper()
    found = row(
        "select c.id as channel_id, c.public_id, c.school_id, d.short_name as school, a.bank_bin,"
        " a.holder, a.number, m.number as main_number from bank_accounts a"
        " join channels c on c.school_id = a.school_id and c.provider = 'sepay'"
        " and c.bank_account_id = a.id"
        " left join bank_accounts m on m.school_id = a.school_id and m.id = a.parent_id"
        " join school_details d on d.school_id = a.school_id and d.valid_from <= :today"
        " and (d.valid_to is null or d.valid_to > :today)"
        " where upper(a.number) = :number or upper(m.number) = :number order by c.id limit 1",
        number=written,
        today=clock.today(),
    )
    keys = secrets_of(found.school_id, found.channel_id, "webhook", clock.now()) if found else []
    if found is None or not keys:
        raise UnknownAccount
    return Payee(
        school_id=found.school_id,
        school=found.school,
        bank_bin=found.bank_bin,
        holder=found.holder,
        number=found.main_number or found.number,
        sub_account=found.number if found.main_number else None,
        path=f"/callbacks/sepay/{found.public_id}",
        secret=keys[0],
    )


def notice_body(
    *,
    bank_bin: str,
    account: str,
    sub_account: str | None,
    number: int,
    amount: int,
    text: str,
    moment: datetime,
    bank_ref: str,
) -> bytes:
    """The body SePay sends for money that came in."""
    bank = find_bank(bank_bin)
    body: dict[str, Any] = {
        "id": number,
        "gateway": bank.short_name if bank else bank_bin,
        "transactionDate": f"{clock.local(moment):%Y-%m-%d %H:%M:%S}",
        "accountNumber": account,
        "subAccount": sub_account,
        "code": None,
        "content": text,
        "transferType": "in",
        "description": "",
        "transferAmount": amount,
        "accumulated": 0,
        "referenceCode": bank_ref,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def new_notice(payee: Payee, amount: int, text: str) -> bytes:
    """A notice about a transfer made this moment, with a number never used before."""
    now = clock.now()
    # Milliseconds and three random digits: far above the numbers of the loaded months.
    number = int(now.timestamp() * 1000) * 1000 + random.SystemRandom().randrange(1000)
    return notice_body(
        bank_bin=payee.bank_bin,
        account=payee.number,
        sub_account=payee.sub_account,
        number=number,
        amount=amount,
        text=text,
        moment=now,
        bank_ref=f"FT{number}",
    )


def signed_headers(payee: Payee, body: bytes) -> dict[str, str]:
    """The headers of one try, signed now."""
    return sepay.sign(body, payee.secret, int(clock.now().timestamp()))


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send by HTTP and tell what was answered; a closed door is an answer too."""
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - see callers
    # Loopback and our own address: a proxy of the machine has no part in it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            return Answer(answer.status, answer.read(2000).decode("utf-8", "replace"))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return Answer(refusal.code, refusal.read(2000).decode("utf-8", "replace"))
    except OSError as trouble:
        return Answer(0, str(trouble))


def app_url() -> str:
    """Where the running app answers: PUBLIC_URL, else what `make run` wrote down."""
    settings = current_app.config["SETTINGS"]
    if "PUBLIC_URL" not in os.environ:
        try:
            running = json.loads((Path(settings.instance_path) / "run.json").read_text("utf-8"))
            return str(running["url"]).rstrip("/")
        except (OSError, ValueError, KeyError):
            pass
    return str(settings.public_url).rstrip("/")


def hand_over(payee: Payee, body: bytes, *, times: int = 1) -> None:
    """Let the notice reach the app from outside this request.

    The fake providers' process sends it; without one a thread of ours does, once the answer of this
    request is out of the way, so that a lone worker does not wait for itself.
    """
    headers = signed_headers(payee, body)
    task = json.dumps(
        {"path": payee.path, "body": body.decode(), "headers": headers, "times": times}
    ).encode()
    base = str(current_app.config["SETTINGS"].stripe_api_base).rstrip("/")
    if base.startswith("http://127.0.0.1:"):
        answer = post(f"{base}/bank/notices", task, {"Content-Type": "application/json"})
        if answer.is_taken:
            return
    url = f"{app_url()}{payee.path}"

    def send() -> None:
        for _time in range(times):
            post(url, body, headers)

    threading.Thread(target=send, daemon=True).start()
