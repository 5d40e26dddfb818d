"""Why money or a notice waits for a person, and what money may be, as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup, escape

from app.core.formats import day, moment, vnd
from app.core.money import ZERO
from app.money import ledger
from app.money.fees import item_names
from app.money.payments import movements
from app.money.payments.models import Purpose
from app.money.payments.queries import AttentionNotice, PaymentRow, SuspenseItem, tills_of


def suspense_words(item: SuspenseItem) -> str:
    """Why the child of this money is not known."""
    code = ", ".join(item.references)
    if item.reason == "no_code":
        return _("No payment code in the text")
    if item.reason == "unknown_code":
        return _("Code %(code)s is not of this school", code=code)
    if item.reason == "other_school":
        return _(
            "Code %(code)s is of %(school)s: the money came to the wrong school. Its bill is not"
            " paid by it; speak with that school's accountant.",
            code=code,
            school=item.other_school,
        )
    if item.reason == "several_codes":
        return _("Several codes in one transfer: %(code)s", code=code)
    if item.reason == "other_account":
        return _("Code %(code)s belongs to another account of the school", code=code)
    if item.reason == "odd_amount":
        return _(
            "Code %(code)s is right, but the amount is far from the %(due)s still due",
            code=code,
            due=vnd(item.due),
        )
    if item.reason == "amount_differs":
        return _("The card was charged another amount than was asked for")
    return _("Nobody has looked at it yet")


def attention_words(notice: AttentionNotice) -> str:
    """Why nothing was posted from this notice."""
    cause = notice.cause
    if cause == "wrong_account":
        return _("The notice names an account that is not this school's. Look at the channel.")
    if cause == "stale_timestamp":
        return _("It came too late to be trusted. The statement must confirm it.")
    if cause == "fault":
        return _("A fault of ours stopped it. It is tried again by itself.")
    if cause == "waits_for":
        return _("It speaks of a payment we have not seen yet. It is posted when that one comes.")
    if cause == "unknown_session":
        return _("A card payment we did not start. Look at the provider's own page.")
    if cause == "other_channel":
        return _("The card payment was started for another channel.")
    if cause == "foreign_currency":
        return _("The card was charged in another currency: %(what)s.", what=notice.text or "?")
    if cause == "held":
        return _("The gateway holds this money as suspicious. Look at the provider's own page.")
    if cause == "refused":
        return _(
            "It does not fit what we know of the payment. Compare it with the provider's page."
        )
    return _("Nothing could be posted from it.")


def purpose_words(purpose: Purpose) -> str:
    """What money is that no family paid, or that went out."""
    return {
        Purpose.CASH_BANKED: _("Cash brought to the bank"),
        Purpose.SETTLEMENT: _("Pay-out of a wallet or gateway"),
        Purpose.INTEREST: _("Interest of the bank"),
        Purpose.OWN_ACCOUNT: _("Between the school's own accounts"),
        Purpose.PASSED_ON: _("Passed on to whom it was collected for"),
        Purpose.BANK_FEE: _("Fee of the bank"),
        Purpose.PAYOUT: _("Paid to families"),
        Purpose.PAYOUT_BATCH: _("Paid to families, a whole batch"),
        Purpose.PAYOUT_BACK: _("Money to a family came back"),
        Purpose.SUPPORT: _("The State's support for families"),
        Purpose.OTHER_SCHOOL: _("Of another school of the area"),
        Purpose.CASH_DRAWN: _("Cash taken from the bank into the drawer"),
        Purpose.OUTSIDE: _("Nothing to do with fees"),
    }[purpose]


def offers_in(school_id: int, payment: PaymentRow) -> list[tuple[str, str]]:
    """What money in may be, as the choices of a form."""
    found = [
        (
            f"{Purpose.CASH_BANKED}:{slip.id}",
            _(
                "Cash brought to the bank on %(day)s: slip %(slip)s, %(amount)s",
                day=moment(slip.deposited_at),
                slip=slip.slip or "–",
                amount=vnd(slip.amount),
            ),
        )
        for slip in movements.open_slips(school_id)
    ]
    found.append((f"{Purpose.CASH_BANKED}:", _("Cash brought to the bank without a slip here")))
    found += [
        (
            f"{Purpose.SETTLEMENT}:{one.channel_id}",
            _(
                "Pay-out of %(provider)s, which holds %(amount)s since %(day)s",
                provider=provider_title(one.provider),
                amount=vnd(one.balance),
                day=day(one.since) if one.since else "–",
            ),
        )
        for one in movements.clearings(school_id)
        if one.balance > ZERO
    ]
    return found + [
        (f"{purpose}:", purpose_words(purpose))
        for purpose in (
            Purpose.INTEREST,
            Purpose.OWN_ACCOUNT,
            Purpose.SUPPORT,
            Purpose.PAYOUT_BACK,
            Purpose.OUTSIDE,
        )
    ]


def offers_out(school_id: int) -> list[tuple[str, str]]:
    """What money out may be, as the choices of a form."""
    names = item_names([code[5:] for code in ledger.balances(school_id, "held:")])
    found = [
        (
            f"{Purpose.PASSED_ON}:{code}",
            _(
                "Passed on: %(item)s, of which %(amount)s is still here",
                item=names.get(code[5:], code[5:]),
                amount=vnd(-held),
            ),
        )
        for code, held in ledger.balances(school_id, "held:").items()
        if held.dong < 0
    ]
    found += [
        (
            f"{Purpose.OTHER_SCHOOL}:{code[12:]}",
            _("Transferred to the school whose %(amount)s came here", amount=vnd(-owed)),
        )
        for code, owed in ledger.balances(school_id, "interschool:").items()
        if owed.dong < 0
    ]
    found += [
        (f"{Purpose.CASH_DRAWN}:{till.id}", _("Cash taken into %(till)s", till=till.name))
        for till in tills_of(school_id)
    ]
    return found + [
        (f"{purpose}:", purpose_words(purpose))
        for purpose in (Purpose.BANK_FEE, Purpose.OWN_ACCOUNT, Purpose.OUTSIDE)
    ]


def provider_title(provider: str) -> str:
    """A provider by the name people know."""
    return {
        "sepay": "SePay",
        "casso": "Casso",
        "payos": "payOS",
        "vnpay": "VNPAY",
        "momo": "MoMo",
        "zalopay": "ZaloPay",
        "stripe": "Stripe",
        "biller": _("bank or wallet through our interface"),
    }.get(provider, provider)


def marked(text: str, references: Sequence[str]) -> Markup:
    """The bank's own words with what the machine read in them marked, however it was spaced."""
    if not references:
        return escape(text)
    pattern = "|".join(r"[\s.\-]*".join(map(re.escape, code)) for code in references)
    parts = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
