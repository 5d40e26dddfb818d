"""The sample bank app: in the demo a newcomer pays a bill with one click."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as PageNotFound

from app.core import scope
from app.core.db import enter_scope, scalar
from app.core.errors import DomainError
from app.demo import bank as sender
from app.money import billing
from app.money.billing import vietqr
from app.people.access import public

bp = Blueprint("demo", __name__)

_LARGEST: Final = 10**12
_LONGEST_TEXT: Final = 100
#: a bank that gets no answer in time tells twice; here one may ask for it
_COPIES: Final = 3


@dataclass(frozen=True, slots=True)
class Transfer:
    """What the payer has typed, pasted or brought along."""

    account: str
    amount: int | None
    text: str


@bp.route("/demo/bank", methods=["GET", "POST"])
@public("an invented bank over invented accounts; the address does not exist outside the demo")
def bank() -> ResponseReturnValue:
    """Show a transfer as a bank app would; the button sends the bank's signed notice."""
    if not current_app.config["SETTINGS"].is_demo:
        raise PageNotFound
    enter_scope(scope.EVERY_SCHOOL)
    payee, error = None, ""
    transfer = Transfer("", None, "")
    try:
        transfer = _read()
        if transfer.account:
            payee = sender.find_payee(transfer.account)
    except DomainError as refusal:
        error = refusal.message
    if request.method == "POST" and payee is not None:
        error = _missing(transfer)
        if not error:
            return _send(payee, transfer)
    page = render_template(
        "demo/bank.html",
        payee=payee,
        transfer=transfer,
        error=error,
        is_sent="sent" in request.args,
        token=_token(transfer.text),
    )
    return page, 422 if error else 200


def _send(payee: sender.Payee, transfer: Transfer) -> ResponseReturnValue:
    body = sender.new_notice(payee, transfer.amount or 0, transfer.text)
    sender.hand_over(payee, body, times=_COPIES if request.form.get("repeat") else 1)
    address = url_for(
        ".bank",
        account=transfer.account,
        amount=transfer.amount,
        reference=transfer.text,
        sent=1,
    )
    return redirect(address, 303)


def _read() -> Transfer:
    """From the pay page's link, from a form, or from the text of a VietQR pasted as account."""
    asked = request.form if request.method == "POST" else request.args
    account = asked.get("account", "").strip()
    written = re.sub(r"[^0-9]", "", asked.get("amount", ""))
    amount = int(written) if written and len(written) <= 13 else None
    text = (asked.get("reference") or asked.get("text") or "").strip()[:_LONGEST_TEXT]
    if account.startswith("0002"):
        code = vietqr.read(account)
        found = code.amount.dong if code.amount is not None else None
        return Transfer(code.account, amount or found, text or code.purpose)
    return Transfer(account, amount, text)


def _missing(transfer: Transfer) -> str:
    if transfer.amount is None or not 0 < transfer.amount <= _LARGEST:
        return _("Enter an amount above zero, in đồng.")
    return ""


def _token(text: str) -> str:
    """The pay link of the bill a transfer text names, to go back to it."""
    for reference in billing.find_references(text):
        found = scalar("select token from payment_codes where reference = :code", code=reference)
        if found:
            return str(found)
    return ""
