"""What should be charged: catalogue, caps, schedules, choices, exemptions, and the rules.

Refuses to know bills; billing asks it for the rules.
"""

from __future__ import annotations

from app.money.fees.day_rules import (
    OwnQuantity,
    end_halving,
    end_subsidy,
    set_halving,
    set_quantities,
    set_subsidy,
)
from app.money.fees.models import Category, DocumentKind, FeeUnit, ScheduleState
from app.money.fees.plans import planned_due_date, planned_income
from app.money.fees.queries import get_schedule, item_names, list_schedules
from app.money.fees.services import (
    Choice,
    Grant,
    NewItem,
    NewPolicy,
    NewPrice,
    add_item,
    add_policy,
    approve_schedule,
    copy_to_new_draft,
    draft_schedule,
    end_exemption,
    end_policy,
    grant_exemptions,
    record_choices,
    remove_prices,
    return_schedule,
    set_agreement,
    set_cap,
    set_prices,
    submit_schedule,
    withdraw_choice,
)

__all__ = [
    "Category",
    "Choice",
    "DocumentKind",
    "FeeUnit",
    "Grant",
    "NewItem",
    "NewPolicy",
    "NewPrice",
    "OwnQuantity",
    "ScheduleState",
    "add_item",
    "add_policy",
    "approve_schedule",
    "copy_to_new_draft",
    "draft_schedule",
    "end_exemption",
    "end_halving",
    "end_policy",
    "end_subsidy",
    "get_schedule",
    "grant_exemptions",
    "item_names",
    "list_schedules",
    "planned_due_date",
    "planned_income",
    "record_choices",
    "remove_prices",
    "return_schedule",
    "set_agreement",
    "set_cap",
    "set_halving",
    "set_prices",
    "set_quantities",
    "set_subsidy",
    "submit_schedule",
    "withdraw_choice",
]
