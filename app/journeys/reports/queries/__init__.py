"""Reading for reports: set-based, at one moment, checked against the ledger."""

from __future__ import annotations

from app.journeys.reports.queries.all_schools import (
    TARGET_PERCENT,
    Area,
    MonthOfPayments,
    Reason,
    SchoolRow,
    area,
)
from app.journeys.reports.queries.one_school import (
    Cell,
    ClassRow,
    Collection,
    Figures,
    ItemRow,
    LedgerCheck,
    billed_months,
    collection,
    filter_choices,
)

__all__ = [
    "TARGET_PERCENT",
    "Area",
    "Cell",
    "ClassRow",
    "Collection",
    "Figures",
    "ItemRow",
    "LedgerCheck",
    "MonthOfPayments",
    "Reason",
    "SchoolRow",
    "area",
    "billed_months",
    "collection",
    "filter_choices",
]
