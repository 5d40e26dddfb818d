"""Why a row stands where it stands, and why a child is suggested, as sentences."""

from __future__ import annotations

from collections.abc import Collection

from flask_babel import gettext as _

from app.money.payments.suspense import Suggested
from app.money.reconciliation.parsers.layouts import LAYOUTS
from app.money.reconciliation.suggestions import suggest


def kind_words(kind: str) -> str:
    """What posting makes of a credit, in two or three words."""
    return {
        "exact": _("pays exactly what is due"),
        "split": _("divided among several codes"),
        "part": _("part of what is due"),
        "over": _("more than is due, the rest is credit"),
        "second": _("nothing is due, all is credit"),
        "unknown": _("no proof of whose it is"),
    }[kind]


def reason_words(reason: str) -> str:
    """Why a child is suggested."""
    return {
        "near_code": _("The code in the text is one slip away from this pupil's"),
        "student_code": _("The pupil's number stands in the text"),
        "payer_before": _("The same payer paid for this pupil before"),
        "name": _("The pupil's whole name stands in the text"),
        "phone": _("A parent's phone number stands in the text"),
        "guardian": _("A parent's name fits"),
        "part_of_name": _("Part of the pupil's name stands in the text"),
        "class": _("The class stands in the text"),
        "amount": _("The amount is exactly what is left to pay"),
        "only_amount": _("Only this pupil owes exactly this amount"),
    }[reason]


def suggested(school_id: int, payment_ids: Collection[int]) -> dict[int, list[Suggested]]:
    """The likely children of payments that wait, as the bank page draws them."""
    return {
        payment_id: [
            Suggested(one.student_id, one.score, tuple(reason_words(why) for why in one.reasons))
            for one in children
        ]
        for payment_id, children in suggest(school_id, payment_ids=payment_ids).items()
    }


def layout_words(layout: str) -> str:
    """How a file was read."""
    layout = layout.partition(":")[0]
    named = {one.code: one.name for one in LAYOUTS}
    if layout in named:
        return named[layout]
    if layout.startswith("taught-"):
        return _("columns as your area taught them")
    return {"mt940": "MT940", "camt053": "camt.053"}.get(layout, _("by the usual words"))


def role_words(role: str) -> str:
    """What a column may hold."""
    return {
        "day": _("day of the movement"),
        "ref": _("the bank's number"),
        "debit": _("money out"),
        "credit": _("money in"),
        "amount": _("amount, in and out in one column"),
        "sign": _("in or out (+/−, C/D)"),
        "balance": _("balance after it"),
        "text": _("text of the transfer"),
        "payer": _("who paid"),
        "payer_account": _("account it came from"),
    }[role]
