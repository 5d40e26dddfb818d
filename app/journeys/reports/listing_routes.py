"""The first page of reports, and every list on screen, as a paper and as a workbook."""

from __future__ import annotations

from datetime import date

from flask import abort, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.journeys.reports import papers, workbooks
from app.journeys.reports.errors import UnreadableFilter
from app.journeys.reports.listings import REPORTS, Asked, Report, read
from app.journeys.reports.routes import WORKBOOK, bp, file_answer, imprint
from app.people.access import Permission, own_school, require_membership, requires
from app.people.schools import current_year, school_info

#: days at the ends of the calendar have no day before or after them
_SANE_YEARS = range(2000, 2101)


@bp.get("/reports")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def list_reports() -> ResponseReturnValue:
    """Every report a school has, and what each answers."""
    membership = require_membership()
    elsewhere = [
        (url_for(endpoint), title, about)
        for endpoint, permission, title, about in (
            (
                "closing.list_days",
                Permission.VIEW_BANK,
                _("Cash book, bank book, journal"),
                _("By month, row by row, with the days that are closed"),
            ),
            (
                "receipts.list_series",
                Permission.VIEW_MONEY,
                _("Series of receipts and their proof"),
                _("Missing numbers, the sealed list of a month"),
            ),
            (
                "billing.list_collected",
                Permission.VIEW_MONEY,
                _("Collected for others"),
                _("What came in for others, was passed on and is still held"),
            ),
            (
                "payouts.list_payouts",
                Permission.VIEW_BANK,
                _("Money back to families"),
                _("Asked for, approved, sent, answered by the bank"),
            ),
        )
        if membership.may(permission)
    ]
    return render_template(
        "reports/list_reports.html", reports=list(REPORTS.values()), elsewhere=elsewhere
    )


@bp.get("/reports/lists/<name>")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def show_listing(name: str) -> ResponseReturnValue:
    """A list with its total and where each line leads."""
    report, asked = _asked(name)
    return render_template(
        "reports/listing.html",
        report=report,
        asked=asked,
        listing=read(report, asked),
        today=clock.today(),
        span=_span(report, asked),
        link=lambda line: url_for(line.leads_to[0], **line.leads_to[1]) if line.leads_to else "",
    )


@bp.get("/reports/lists/<name>.pdf")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def listing_pdf(name: str) -> ResponseReturnValue:
    """The list as an A4 paper to be signed."""
    report, asked = _asked(name)
    school = school_info(asked.school_id, clock.today())
    paper = papers.listing_pdf(report, asked, school, imprint())
    return file_answer(paper, "application/pdf", f"{_file_name(report, asked)}.pdf")


@bp.get("/reports/lists/<name>.xlsx")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def listing_workbook(name: str) -> ResponseReturnValue:
    """The list as a workbook with numbers and days as such."""
    report, asked = _asked(name)
    school = school_info(asked.school_id, clock.today())
    listing = read(report, asked)
    book = workbooks.listing_workbook(report, asked, listing, school.name)
    return file_answer(book, WORKBOOK, f"{_file_name(report, asked)}.xlsx")


def _asked(name: str) -> tuple[Report, Asked]:
    report = REPORTS.get(name)
    if report is None:
        abort(404)
    today = clock.today()
    last = _day("to", today)
    first = _day("from", last.replace(day=1)) if report.period == "span" else last
    if report.period == "year":
        first = current_year(last).starts_on
    if last < first:
        first, last = last, first
    return report, Asked(own_school(), first, last, clock.now())


def _day(name: str, otherwise: date) -> date:
    text = request.args.get(name, "").strip()
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UnreadableFilter from None
    if day.year not in _SANE_YEARS:
        raise UnreadableFilter
    return day


def _span(report: Report, asked: Asked) -> dict[str, str]:
    """The days as they stand, for links."""
    days = {"to": asked.last.isoformat()}
    if report.period == "span":
        days["from"] = asked.first.isoformat()
    return days


def _file_name(report: Report, asked: Asked) -> str:
    days = f"{asked.last:%Y%m%d}"
    if report.period == "span":
        days = f"{asked.first:%Y%m%d}-{days}"
    return f"{report.name}-{days}"
