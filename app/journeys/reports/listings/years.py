"""This school year beside the last one, month by month."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.db import row, rows
from app.core.formats import month
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report
from app.journeys.reports.queries.sql import FLOWS, VIEW_FLOWS
from app.people.schools import current_year


def read(asked: Asked) -> Listing:
    """The months of a school year, each beside the same month of the year before."""
    year = current_year(asked.last)
    months = Period.of(year.starts_on).through(Period.of(year.ends_on))
    first = Period(months[0].year - 1, months[0].month)
    found = {
        Period.from_number(one.billed_period): (Vnd(int(one.billed)), _collected(one))
        for one in rows(
            f"select r.billed_period, {FLOWS} from billing_runs r"
            " join invoice_lines l on l.school_id = r.school_id and l.run_id = r.id"
            " join entries e on e.invoice_line_id = l.id"
            " join accounts d on d.id = e.debit_id join accounts c on c.id = e.credit_id"
            " where r.school_id = :school_id and r.billed_period between :first and :last"
            " group by r.billed_period",
            school_id=asked.school_id,
            first=first.number,
            last=months[-1].number,
        )
    }
    books = row(
        f"select {VIEW_FLOWS} from v_entry where school_id = :school_id and invoice_line_id in"
        " (select l.id from invoice_lines l"
        "  join billing_runs r on r.school_id = l.school_id and r.id = l.run_id"
        "  where l.school_id = :school_id and r.billed_period between :first and :last)",
        school_id=asked.school_id,
        first=months[0].number,
        last=months[-1].number,
    )
    lines = []
    for one in months:
        due, collected = found.get(one, (ZERO, ZERO))
        due_before, collected_before = found.get(Period(one.year - 1, one.month), (ZERO, ZERO))
        lines.append(
            Line(
                (
                    month(one),
                    due_before,
                    collected_before,
                    due,
                    collected,
                    Vnd(due.dong - collected.dong),
                    Vnd(collected.dong - collected_before.dong),
                ),
                ("reports.collection", {"first": str(one), "last": str(one)}),
            )
        )
    before = f"{year.starts_on.year - 1}-{year.starts_on.year}"
    return Listing(
        columns=(
            Column("month", _("Month"), is_name=True),
            Column("due_before", _("To pay, %(year)s", year=before), Kind.MONEY),
            Column("collected_before", _("Collected, %(year)s", year=before), Kind.MONEY),
            Column("due", _("To pay, %(year)s", year=year.code), Kind.MONEY),
            Column("collected", _("Collected, %(year)s", year=year.code), Kind.MONEY),
            Column("left", _("Not collected"), Kind.MONEY),
            Column("change", _("Collected, more or less"), Kind.MONEY),
        ),
        lines=tuple(lines),
        meaning=_(
            "A bill belongs to the month it was made out for, whenever it is paid. Written-off debt"
            " counts as not collected."
        ),
        in_ledger=Vnd(int(books.billed)) if books else ZERO,
        checked="due",
    )


def _collected(one: object) -> Vnd:
    billed, still_open, forgiven = (
        int(getattr(one, name)) for name in ("billed", "open", "forgiven")
    )
    return Vnd(billed - still_open - forgiven)


REPORT = Report(
    "years",
    lambda: _("This year beside the last"),
    lambda: _("To pay and collected, month by month"),
    read,
    "year",
    is_wide=True,
)
