"""Who still owes what, by how long it has been due."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _

from app.core.db import rows, scalar
from app.core.money import Vnd
from app.journeys.reports.listings import pupils
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report

_OPEN = (
    "select l.invoice_id,"
    " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
    " from accounts a"
    " join entries e on e.school_id = a.school_id and a.id in (e.debit_id, e.credit_id)"
    " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
    "  and v.posted_at < :end"
    " join invoice_lines l on l.school_id = e.school_id and l.id = e.invoice_line_id"
    " where a.school_id = :school_id and a.code = 'receivable' group by l.invoice_id"
)


def read(asked: Asked) -> Listing:
    """Children with something open at the end of a day, by class and name."""
    day = asked.last
    found = rows(
        "select s.id, s.full_name, s.code, min(i.due_on) as oldest,"
        f" {pupils.NEWEST_CLASS} as class_name,"
        " sum(case when i.due_on >= :day then o.open else 0 end) as not_due,"
        " sum(case when i.due_on < :day and i.due_on >= :d30 then o.open else 0 end) as d30,"
        " sum(case when i.due_on < :d30 and i.due_on >= :d60 then o.open else 0 end) as d60,"
        " sum(case when i.due_on < :d60 and i.due_on >= :d90 then o.open else 0 end) as d90,"
        " sum(case when i.due_on < :d90 then o.open else 0 end) as older,"
        " sum(o.open) as open"
        f" from ({_OPEN}) o join invoices i on i.school_id = :school_id and i.id = o.invoice_id"
        " join students s on s.id = i.student_id where o.open <> 0"
        " group by s.id, s.full_name, s.code, s.sort_key order by class_name, s.sort_key, s.id",
        school_id=asked.school_id,
        end=asked.end,
        day=day,
        d30=day - timedelta(days=30),
        d60=day - timedelta(days=60),
        d90=day - timedelta(days=90),
    )
    in_ledger = scalar(
        "select coalesce(sum(amount), 0) from v_entry where school_id = :school_id"
        " and account = 'receivable' and posted_at < :end",
        school_id=asked.school_id,
        end=asked.end,
    )
    parts = ("not_due", "d30", "d60", "d90", "older", "open")
    return Listing(
        columns=(
            *pupils.columns(),
            Column("not_due", _("Not yet due"), Kind.MONEY),
            Column("d30", _("1–30 days"), Kind.MONEY),
            Column("d60", _("31–60 days"), Kind.MONEY),
            Column("d90", _("61–90 days"), Kind.MONEY),
            Column("older", _("Over 90 days"), Kind.MONEY),
            Column("open", _("Left to pay"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (*pupils.named(one), *(Vnd(int(getattr(one, part))) for part in parts)),
                pupils.page(one),
            )
            for one in found
        ),
        meaning=_(
            "Days are counted from the day each bill is to be paid by. A meal or a lesson is never"
            " refused to a child because of money."
        ),
        in_ledger=Vnd(int(in_ledger)),
        checked="open",
    )


REPORT = Report(
    "arrears",
    lambda: _("Arrears by age"),
    lambda: _("Who still owes what, and for how long"),
    read,
    "day",
    is_wide=True,
    in_words=True,
)
