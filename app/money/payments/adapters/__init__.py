"""Where providers' messages become plain facts; adapters translate and never write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from flask_babel import gettext as _

from app.core.errors import Invalid, Refused
from app.core.money import Vnd

#: seen on the account itself, or only confirmed by the provider until it settles
Proof = Literal["account", "provider"]


@dataclass(frozen=True, slots=True)
class BankTransfer:
    """One movement on an account, as a provider or a statement tells it."""

    provider: str
    #: the provider's own number of the movement: the key against repeats
    external_id: str
    #: the account number as the provider writes it; it may hold letters
    account: str
    #: the virtual account the money was sent to, where the bank has such
    sub_account: str | None
    amount: Vnd
    is_incoming: bool
    #: UTC
    occurred_at: datetime
    #: the bank's day, in Vietnam
    booked_on: date
    text: str
    #: the one reference in the text; None when there is none, or when there are several
    reference: str | None
    #: the bank's own number, empty where it gives none
    bank_ref: str
    payer_name: str | None
    proof: Proof


#: how far a payment through a gateway has come; `held` is money under the gateway's own suspicion
GatewayState = Literal["paid", "held", "pending", "failed"]


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """What a wallet or gateway says became of one payment."""

    provider: str
    #: the provider's own number of the money; while none moved, of the message
    external_id: str
    #: our number of the try, as we gave it
    order: str
    state: GatewayState
    #: what the payer was charged, a surcharge included
    amount: Vnd
    #: UTC
    occurred_at: datetime
    text: str
    #: the one reference it names
    reference: str | None
    #: the number under which a bank knows the money
    bank_ref: str
    payer_name: str | None
    #: the provider's word for the state
    detail: str = ""


class BadSignature(Refused):
    """The notice is not signed by the provider (401); nothing of it may be believed."""

    code = "bad_signature"
    status = 401

    def default_message(self) -> str:
        return _("The signature of this notice is wrong.")


class StaleNotice(Refused):
    """The signature is right but too old or too new (401); what it says is only a hint."""

    code = "stale_notice"
    status = 401

    def __init__(self, transfer: BankTransfer | None = None, message: str = "") -> None:
        super().__init__(message)
        #: what the notice says, None when that cannot be read either
        self.transfer = transfer

    def default_message(self) -> str:
        return _("The time on this notice is more than five minutes away from ours.")


class UnreadableNotice(Invalid):
    """The notice is signed but does not have the agreed shape (422); nothing is guessed."""

    code = "unreadable_notice"

    def default_message(self) -> str:
        return _("This notice cannot be read.")
