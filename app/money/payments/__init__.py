"""Money in: providers' notices, cash, cards; to whom it was given, and what went back.

The only room that posts money of families. Refuses to know parents' pages and reports; matching by
rules belongs to the reconciliation above it.
"""

from __future__ import annotations

from app.money.payments.cards import card_channel, start_card_payment, surcharge_of
from app.money.payments.cash import CashTaken, take_cash
from app.money.payments.inbox import accept_transfer
from app.money.payments.models import Method
from app.money.payments.posting import Accepted, Credit, Plan, accept_many, plan_many
from app.money.payments.queries import (
    PaymentRow,
    attention_notices,
    get_payment,
    list_credits,
    payments_of_student,
    suspense_items,
    till_today,
    tills_of,
)
from app.money.payments.reversals import reinstate_payment, reverse_payment
from app.money.payments.suspense import assign_suspense

__all__ = [
    "Accepted",
    "CashTaken",
    "Credit",
    "Method",
    "PaymentRow",
    "Plan",
    "accept_many",
    "accept_transfer",
    "assign_suspense",
    "attention_notices",
    "card_channel",
    "get_payment",
    "list_credits",
    "payments_of_student",
    "plan_many",
    "reinstate_payment",
    "reverse_payment",
    "start_card_payment",
    "surcharge_of",
    "suspense_items",
    "take_cash",
    "till_today",
    "tills_of",
]
