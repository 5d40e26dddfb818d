"""Pupil ID cards, the photos on them, and the consents that carry the photos.

A card, a photo and a consent belong to a child's stay at one school and end with it. Refuses to
know money.
"""

from __future__ import annotations

from app.people.cards.models import Layout, Method, Party
from app.people.cards.services import (
    Given,
    end_card,
    forget,
    forget_children,
    issue_cards,
    keep_photos,
    record_consents,
    withdraw_consent,
)

__all__ = [
    "Given",
    "Layout",
    "Method",
    "Party",
    "end_card",
    "forget",
    "forget_children",
    "issue_cards",
    "keep_photos",
    "record_consents",
    "withdraw_consent",
]
