"""Outcomes told to people: on a page, or beside a row in a file."""

from __future__ import annotations

from typing import Any

from app.people.lists.columns import Kind
from app.people.lists.rehearsal import Outcome
from app.people.lists.sentences import sentence, trouble_words
from app.people.lists.staff import StaffOutcome


def why_left_out(outcome: Outcome | StaffOutcome) -> str:
    """Why a row was not taken, in one cell."""
    kind = Kind.STAFF if isinstance(outcome, StaffOutcome) else Kind.PUPILS
    said = [trouble_words(t.column, t.shown, t.code, t.params, kind) for t in outcome.troubles]
    if not said:
        said = [sentence(code, params) for code, params in outcome.notes[:1]]
    return " · ".join(said)


def why_of_detail(detail: dict[str, Any], kind: Kind) -> str:
    """The same from a row kept in the database."""
    said = [
        trouble_words(column, shown, code, params, kind)
        for column, shown, code, params in detail["p"]
    ]
    if not said:
        said = [sentence(code, params) for code, params in detail["n"][:1]]
    return " · ".join(said)
