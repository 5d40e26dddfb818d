"""What does not agree, as people say it."""

from __future__ import annotations

from flask_babel import gettext as _

from app.money.closing.figures import Item
from app.money.payments.sentences import provider_title


def item_words(item: Item) -> str:
    """What a difference is."""
    return {
        "gap": _("The account holds another sum than the books and the rows explain"),
        "missing": _("In the books and not on the bank's statement"),
        "waits": _("In the books, the statement is still to come"),
        "unnamed": _("On the statement, and nobody said what it is"),
        "till": _("Cash in the drawer"),
        "deposit": _("Cash on its way to the bank"),
        "clearing": _("At the wallet or gateway, not paid out yet"),
        "suspense": _("Money whose pupil is not known"),
        "payout": _("Paid to families, not seen leaving the account"),
        "transit": _("Between the school's own accounts"),
        "interschool": _("Owed between schools"),
        "refund_payable": _("Refunds approved and not paid"),
        "support_payable": _("Support approved and not paid"),
    }[item.kind]


def item_hint(item: Item) -> str:
    """What to do about a difference that needs a reason."""
    return {
        "gap": _("Perhaps it lay there before Sổ Thu, or a statement is missing in between."),
        "missing": _("The bank's file covers that day without it. Ask the bank, or take it back."),
        "unnamed": _("Open the statement and say of each row what it was."),
        "till": _("Count the drawer at the cash desk, or say why it was not counted."),
    }.get(item.kind, "")


def place_words(item: Item) -> str:
    """Where a difference lies."""
    return provider_title(item.place) if item.kind == "clearing" else item.place


def account_words(account: str) -> str:
    """One of our accounts in words."""
    kind, _dot, _place = account.partition(":")
    return {
        "cash": _("Cash"),
        "bank": _("Bank"),
        "deposit": _("Cash on its way to the bank"),
        "clearing": _("At wallets and gateways"),
        "receivable": _("Receivable from families"),
        "credit": _("Credit of pupils"),
        "suspense": _("Money whose pupil is not known"),
        "income": _("Own revenue"),
        "held": _("Held for others"),
        "sponsor": _("Gifts"),
        "refund_payable": _("Refunds approved and not paid"),
        "support_payable": _("Support approved and not paid"),
        "support": _("Support to come from the State"),
        "surcharge": _("Surcharges of cards and gateways"),
        "rounding": _("Rounding"),
        "till_difference": _("Differences of drawers"),
        "write_off": _("Debts given up"),
        "bank_fee": _("Fees of banks and providers"),
        "interest": _("Interest of the bank"),
        "transit": _("Between the school's own accounts"),
        "outside": _("Nothing to do with fees"),
        "payout": _("Paid to families, not seen leaving the account"),
        "interschool": _("Owed between schools"),
        "expected": _("Expected from another school"),
        "same_child": _("Between two records of one pupil"),
        "same_family": _("Between brothers and sisters"),
    }.get(kind, account)
