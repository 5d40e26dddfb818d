"""Money received, day by day and by the way it came."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.db import DAY, rows, scalar
from app.core.i18n import language
from app.core.money import Vnd, format_number
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report

_WAYS = ("cash", "transfer", "card", "wallet")


def read(asked: Asked) -> Listing:
    """A line a day with payments, by the day of the books."""
    found = rows(
        "select p.booked_on as day, count(*) as payments,"
        + "".join(
            f" sum(case when p.method = '{way}' then p.amount else 0 end) as {way},"
            for way in _WAYS
        )
        + " sum(p.amount) as amount from payments p where p.school_id = :school_id"
        " and p.booked_on between :first and :last group by p.booked_on order by p.booked_on",
        types={"day": DAY},
        school_id=asked.school_id,
        first=asked.first,
        last=asked.last,
    )
    returned = scalar(
        "select coalesce(sum(amount), 0) from reversals where school_id = :school_id"
        " and reversed_at >= :start and reversed_at < :end",
        **asked.span,
    )
    in_ledger = scalar(
        "select coalesce(sum(e.amount), 0) from ledger_events v"
        " join entries e on e.school_id = v.school_id and e.event_id = v.id"
        " join accounts c on c.id = e.credit_id"
        " where v.school_id = :school_id and v.kind = 'payment_received'"
        " and substr(c.code, 1, 9) <> 'surcharge' and v.posted_at >= :start and v.posted_at < :end",
        **asked.span,
    )
    meaning = _("Every payment counts on the day it was booked, whether its child is known or not.")
    if returned:
        meaning += " " + _(
            "In these days %(amount)s went back to payers; that is not taken off here.",
            amount=format_number(int(returned), language()),
        )
    return Listing(
        columns=(
            Column("day", _("Day"), Kind.DAY, is_name=True),
            Column("payments", _("Payments"), Kind.COUNT),
            Column("cash", _("Cash"), Kind.MONEY),
            Column("transfer", _("Transfer"), Kind.MONEY),
            Column("card", _("Card"), Kind.MONEY),
            Column("wallet", _("Wallet or gateway"), Kind.MONEY),
            Column("amount", _("Amount"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (
                    one.day,
                    int(one.payments),
                    *(Vnd(int(getattr(one, way))) for way in _WAYS),
                    Vnd(int(one.amount)),
                ),
                (
                    "receipts.list_receipts",
                    {"from": one.day.isoformat(), "to": one.day.isoformat()},
                ),
            )
            for one in found
        ),
        meaning=meaning,
        in_ledger=Vnd(int(in_ledger)),
        checked="amount",
    )


REPORT = Report(
    "by-day",
    lambda: _("Collection by day and way of paying"),
    lambda: _("What came in on each day: cash, transfer, card, wallet"),
    read,
    "span",
    in_words=True,
)
