"""The register of receipts: every number in order, void ones among them."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.clock import local_day
from app.core.db import scalar
from app.core.money import Vnd
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report
from app.money import receipts

#: money that takes a receipt: lines whose paper is one, and credit
_TAKES_ONE = "({0}.code = 'credit' or ({0}.code = 'receivable' and l.document_kind = 'receipt'))"


def read(asked: Asked) -> Listing:
    """A line a number, by series and number; what is void does not count."""
    found = receipts.receipts_between(asked.school_id, asked.first, asked.last)
    notes = receipts.void_notes(asked.school_id, [r.id for r in found if r.state != "live"])
    lines = []
    for receipt in found:
        paper = receipt.paper
        note = notes.get(receipt.id)
        state = {"live": "", "void": _("void"), "replaced": _("replaced")}[receipt.state]
        if note:
            told = [state, note.replaced_by, note.reason]
            state = " · ".join(part for part in told if part)
        lines.append(
            Line(
                (
                    receipt.full_number,
                    local_day(receipt.issued_at),
                    ", ".join(child.full_name for child in paper.children),
                    paper.payer,
                    paper.method,
                    receipt.amount,
                    state,
                ),
                ("receipts.show_pdf", {"receipt_id": receipt.id}),
                is_struck=receipt.state != "live",
            )
        )
    in_ledger = scalar(
        f"select coalesce(sum(case when {_TAKES_ONE.format('c')} then e.amount else 0 end)"
        f" - sum(case when {_TAKES_ONE.format('d')} then e.amount else 0 end), 0)"
        " from v_receipt v"
        " join receipts r on r.school_id = v.school_id and r.id = v.receipt_id"
        " join entries e on e.school_id = r.school_id and e.event_id = r.event_id"
        " join accounts c on c.id = e.credit_id join accounts d on d.id = e.debit_id"
        " left join invoice_lines l on l.school_id = e.school_id and l.id = e.invoice_line_id"
        " where v.school_id = :school_id and v.state = 'live'"
        " and v.issued_at >= :start and v.issued_at < :end",
        **asked.span,
    )
    return Listing(
        columns=(
            Column("number", _("Number"), is_name=True),
            Column("issued", _("Issued"), Kind.DAY),
            Column("pupil", _("Pupil")),
            Column("payer", _("Payer")),
            Column("way", _("Way of paying")),
            Column("amount", _("Amount"), Kind.MONEY),
            Column("state", _("Void or replaced")),
        ),
        lines=tuple(lines),
        meaning=_("Void and replaced numbers are listed and not counted."),
        in_ledger=Vnd(int(in_ledger)),
        checked="amount",
    )


REPORT = Report(
    "receipts",
    lambda: _("Register of receipts"),
    lambda: _("Every number in order, void ones among them"),
    read,
    "span",
    is_wide=True,
    in_words=True,
)
