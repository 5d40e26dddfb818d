"""The chart of accounts (M2): our codes; their map to a circular's accounts is dated data."""

from __future__ import annotations

RECEIVABLE = "receivable"
CREDIT = "credit"
SPONSOR = "sponsor"
REFUND_PAYABLE = "refund_payable"
#: the State's money for families that the school has promised and not received
SUPPORT = "support"
SUPPORT_PAYABLE = "support_payable"
ROUNDING = "rounding"
TILL_DIFFERENCE = "till_difference"
WRITE_OFF = "write_off"
#: what banks and providers keep for their work
BANK_FEE = "bank_fee"
#: what a bank pays for money that lies there
INTEREST = "interest"
#: on its way from one account of the school to another; must come back to zero
TRANSIT = "transit"
#: money on the school's accounts that has nothing to do with fees
OUTSIDE = "outside"
#: between two children of one family: comes back to zero in the same event
SAME_FAMILY = "same_family"
#: between the two records of one child: each pair that takes from one gives to the other
SAME_CHILD = "same_child"

#: Categories whose money is the school's own; the rest is held for somebody else.
OWN_REVENUE = ("tuition", "service")


def cash(till_id: int) -> str:
    """Notes in a drawer."""
    return f"cash:{till_id}"


def deposit(bank_account_id: int) -> str:
    """Notes on their way from a drawer to a bank account; must come back to zero."""
    return f"deposit:{bank_account_id}"


def payout(bank_account_id: int) -> str:
    """Ordered for families and not seen leaving the account yet; must come back to zero."""
    return f"payout:{bank_account_id}"


def bank(bank_account_id: int) -> str:
    """Money on a bank account."""
    return f"bank:{bank_account_id}"


def clearing(channel_id: int) -> str:
    """Money a provider confirmed and has not yet paid out; must come back to zero."""
    return f"clearing:{channel_id}"


def suspense(place: str) -> str:
    """Money whose child is not known yet, by the account it came to (`12`, `channel:3`)."""
    return f"suspense:{place}"


def surcharge(channel_id: int) -> str:
    """What a payer paid on top, kept by the provider."""
    return f"surcharge:{channel_id}"


def interschool(school_id: int) -> str:
    """Money owed to or by another school of the area (M13)."""
    return f"interschool:{school_id}"


def expected(school_id: int) -> str:
    """What another school will transfer here: the mirror of what its books owe (M13)."""
    return f"expected:{school_id}"


def revenue(category: str, item_code: str) -> str:
    """`income:` for the school's own revenue, `held:` for money of others."""
    return f"{'income' if category in OWN_REVENUE else 'held'}:{item_code}"


#: The same rule for set-based SQL over lines that carry `category` and `code`.
REVENUE_SQL = (
    "(case when {line}.category in ('tuition', 'service') then 'income:' else 'held:' end"
    " || {item}.code)"
)
