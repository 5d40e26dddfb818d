"""Why money or a notice waits for a person, as sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import gettext as _
from markupsafe import Markup, escape

from app.core.formats import vnd
from app.money.payments.queries import AttentionNotice, SuspenseItem


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
