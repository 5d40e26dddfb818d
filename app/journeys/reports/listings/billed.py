"""Lists of billed lines: reductions with who pays for them, and health insurance."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import gettext as _

from app.core.db import rows, scalar
from app.core.i18n import language
from app.core.money import Vnd
from app.journeys.reports.listings import pupils
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report
from app.money.fees.catalogue import INSURANCE_CODE

_FROM: Final = (
    " from invoice_lines l"
    " join invoices i on i.school_id = l.school_id and i.id = l.invoice_id"
    " join billing_runs r on r.school_id = l.school_id and r.id = l.run_id"
    " join fee_items f on f.id = l.item_id"
    " where l.school_id = :school_id and r.issued_at >= :start and r.issued_at < :end and {which}"
)
_REDUCED: Final = "(l.reduction <> 0 or l.subsidy <> 0)"
_INSURANCE: Final = "f.code = :code"


def read_reductions(asked: Asked) -> Listing:
    """A line a child and item of bills issued in these days with a reduction on it."""
    found = _by_child(asked, _REDUCED)
    return Listing(
        columns=(
            *_child_columns(),
            Column("gross", _("By the price list"), Kind.MONEY),
            Column("reduction", _("Reductions"), Kind.MONEY),
            Column("by_state", _("Paid by the State for all"), Kind.MONEY),
            Column("subsidy", _("Paid by somebody else"), Kind.MONEY),
            Column("amount", _("To pay"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (
                    *_child(one),
                    Vnd(int(one.gross)),
                    Vnd(int(one.reduction)),
                    Vnd(int(one.by_state)),
                    Vnd(int(one.subsidy)),
                    Vnd(int(one.amount)),
                ),
                pupils.page(one),
            )
            for one in found
        ),
        meaning=_(
            "By the price list less reductions is what the family pays. The grounds of a reduction"
            " stand in the child's application and on no list."
        ),
        in_ledger=_in_ledger(asked, _REDUCED),
        checked="amount",
    )


def read_insurance(asked: Asked) -> Listing:
    """A line a child insured by bills issued in these days, for the insurer."""
    found = _by_child(asked, _INSURANCE)
    return Listing(
        columns=(
            *_child_columns(),
            Column("gross", _("Contribution"), Kind.MONEY),
            Column("reduction", _("Reductions"), Kind.MONEY),
            Column("amount", _("To pay"), Kind.MONEY),
            Column("collected", _("Collected"), Kind.MONEY),
        ),
        lines=tuple(
            Line(
                (
                    *_child(one),
                    Vnd(int(one.gross)),
                    Vnd(int(one.reduction)),
                    Vnd(int(one.amount)),
                    Vnd(int(one.amount) - int(one.open)),
                ),
                pupils.page(one),
            )
            for one in found
        ),
        meaning=_("Children whose bills of these days have health insurance on them."),
        in_ledger=_in_ledger(asked, _INSURANCE),
        checked="amount",
    )


def _asked(asked: Asked, which: str) -> dict[str, Any]:
    return asked.span | ({"code": INSURANCE_CODE} if which == _INSURANCE else {})


def _by_child(asked: Asked, which: str) -> list[Any]:
    return list(
        rows(
            "select s.code, s.full_name, b.class_name, b.name, b.name_en, b.gross, b.reduction,"
            " b.by_state, b.subsidy, b.amount, b.open from ("
            "select i.student_id, i.class_name, l.name, l.name_en, sum(l.gross) as gross,"
            " sum(l.reduction) as reduction, sum(l.subsidy) as subsidy, sum(l.amount) as amount,"
            " sum(case when x.id is null then 0 else l.reduction end) as by_state,"
            " sum(coalesce(o.open, 0)) as open"
            + _FROM.replace(
                " where ",
                " left join exemption_policies x on x.id = l.policy_id and x.applies_to_all"
                " left join (select e.invoice_line_id,"
                "  sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
                "  from accounts a join entries e on e.school_id = a.school_id"
                "   and a.id in (e.debit_id, e.credit_id)"
                "  where a.school_id = :school_id and a.code = 'receivable'"
                "  group by e.invoice_line_id) o on o.invoice_line_id = l.id where ",
            ).format(which=which)
            + " group by i.student_id, i.class_name, l.name, l.name_en"
            ") b join students s on s.id = b.student_id"
            " order by b.class_name, s.sort_key, s.id, b.name",
            **_asked(asked, which),
        )
    )


def _in_ledger(asked: Asked, which: str) -> Vnd:
    """What issuing these lines put on families' accounts, by the entries alone."""
    found = scalar(
        "select coalesce(sum(case when d.code in ('receivable', 'credit') then e.amount else 0 end)"
        " - sum(case when c.code in ('receivable', 'credit') then e.amount else 0 end), 0)"
        " from ledger_events v"
        " join entries e on e.school_id = v.school_id and e.event_id = v.id"
        " join accounts d on d.id = e.debit_id join accounts c on c.id = e.credit_id"
        " where v.school_id = :school_id and v.kind = 'invoice_issued'"
        f" and e.invoice_line_id in (select l.id {_FROM.format(which=which)})",
        **_asked(asked, which),
    )
    return Vnd(int(found))


def _child_columns() -> tuple[Column, ...]:
    return *pupils.columns(), Column("item", _("Fee item"))


def _child(one: Any) -> tuple[str, str, str, str]:
    return *pupils.named(one), one.name_en if language() == "en" else one.name


REDUCTIONS = Report(
    "reductions",
    lambda: _("Reductions and who pays for them"),
    lambda: _("Exempted and reduced amounts by child, for the State's compensation"),
    read_reductions,
    "span",
    is_wide=True,
)
INSURANCE = Report(
    "insurance",
    lambda: _("Health insurance"),
    lambda: _("Who is insured by these bills, what was collected for it"),
    read_insurance,
    "span",
    is_wide=True,
)
