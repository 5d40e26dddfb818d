"""What the pages of the room of pupils show of cards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.people.cards import queries, tokens


def panel(school_id: int, enrolment_id: int, today: date) -> tuple[str, Mapping[str, Any]]:
    """The sheet with photo and card beside a child."""
    return "cards/_beside.html", {
        "card_of_child": queries.child_card(school_id, enrolment_id, today)
    }


def code_of_scan(school_id: int, text: str, today: date) -> str | None:
    """The pupil code behind a card of this school that is good today, or None."""
    token = tokens.read_token(text)
    found = queries.find_by_token(school_id, token, today) if token else None
    return found.code if found is not None and found.state == "live" else None
