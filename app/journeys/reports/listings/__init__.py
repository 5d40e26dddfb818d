"""Reports that are one list with its total: the same rows on screen, on paper and as a workbook.

Each module reads one list; `REPORTS` names them in the order of the first page of reports.
"""

from __future__ import annotations

from app.core.db import joined_whole
from app.journeys.reports.listings import arrears, billed, by_day, owed, register, years
from app.journeys.reports.listings.shape import Asked, Column, Kind, Line, Listing, Report, Value

REPORTS: dict[str, Report] = {
    report.name: report
    for report in (
        arrears.REPORT,
        by_day.REPORT,
        register.REPORT,
        billed.REDUCTIONS,
        billed.INSURANCE,
        owed.CREDITS,
        owed.GIVEN_BACK,
        years.REPORT,
    )
}


def read(report: Report, asked: Asked) -> Listing:
    """A list as it stands; over a whole school, so joined as a whole."""
    with joined_whole():
        return report.read(asked)


__all__ = ["REPORTS", "Asked", "Column", "Kind", "Line", "Listing", "Report", "Value", "read"]
