"""The plan of a school year around its prices: costs, the parents' agreement, days to pay, changes.

A plan goes from the estimate to the parents, the principal and, where it is asked for, the unit
above; then it stands on the school's public page.
"""

from __future__ import annotations

from app.money.fees.plans.above import (
    SchoolPlan,
    missing,
    needs_consent,
    plans_of,
    set_consent_needed,
    waiting,
)
from app.money.fees.plans.days import due_dates, planned_due_date, set_due_dates
from app.money.fees.plans.estimate import (
    Cost,
    Estimate,
    Planned,
    add_cost,
    costs_of,
    estimates,
    planned_income,
    remove_cost,
    set_takers,
)
from app.money.fees.plans.last_year import (
    STEEP,
    Change,
    changes,
    compared_with,
    copy_last_year,
    year_before,
)
from app.money.fees.plans.parents import Agreement, agreement_paper, agreements, record_agreement

__all__ = [
    "STEEP",
    "Agreement",
    "Change",
    "Cost",
    "Estimate",
    "Planned",
    "SchoolPlan",
    "add_cost",
    "agreement_paper",
    "agreements",
    "changes",
    "compared_with",
    "copy_last_year",
    "costs_of",
    "due_dates",
    "estimates",
    "missing",
    "needs_consent",
    "planned_due_date",
    "planned_income",
    "plans_of",
    "record_agreement",
    "remove_cost",
    "set_consent_needed",
    "set_due_dates",
    "set_takers",
    "waiting",
    "year_before",
]
