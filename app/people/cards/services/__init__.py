"""Every write of this room, split by what is written."""

from __future__ import annotations

from app.people.cards.services.consents import Given, record_consents, withdraw_consent
from app.people.cards.services.forgetting import forget_children
from app.people.cards.services.issuing import end_card, issue_cards
from app.people.cards.services.photos import forget, keep_photos, remove_photo
from app.people.cards.services.printing import begin_print, finish_print
from app.people.cards.services.stays import hold

__all__ = [
    "Given",
    "begin_print",
    "end_card",
    "finish_print",
    "forget",
    "forget_children",
    "hold",
    "issue_cards",
    "keep_photos",
    "record_consents",
    "remove_photo",
    "withdraw_consent",
]
