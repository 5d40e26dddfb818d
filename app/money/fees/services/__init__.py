"""Every write about items, schedules, grants and choices, by noun."""

from __future__ import annotations

from app.money.fees.services.choices import Choice, record_choices, withdraw_choice
from app.money.fees.services.grants import (
    Grant,
    NewPolicy,
    add_policy,
    end_exemption,
    end_policy,
    grant_exemptions,
)
from app.money.fees.services.items import NewItem, add_item, set_cap
from app.money.fees.services.schedules import (
    CONSENT_SETTING,
    OPEN,
    NewPrice,
    approve_schedule,
    consent_to_schedule,
    copy_to_new_draft,
    draft_of,
    draft_schedule,
    explain,
    is_maker,
    open_draft,
    remove_prices,
    return_schedule,
    set_agreement,
    set_prices,
    submit_schedule,
    tell,
    with_change,
)

__all__ = [
    "CONSENT_SETTING",
    "OPEN",
    "Choice",
    "Grant",
    "NewItem",
    "NewPolicy",
    "NewPrice",
    "add_item",
    "add_policy",
    "approve_schedule",
    "consent_to_schedule",
    "copy_to_new_draft",
    "draft_of",
    "draft_schedule",
    "end_exemption",
    "end_policy",
    "explain",
    "grant_exemptions",
    "is_maker",
    "open_draft",
    "record_choices",
    "remove_prices",
    "return_schedule",
    "set_agreement",
    "set_cap",
    "set_prices",
    "submit_schedule",
    "tell",
    "with_change",
    "withdraw_choice",
]
