"""What rooms above add to the pages of this room, which knows none of them.

A sheet beside the child, and texts scanned into the search box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

#: (school, stay, day) → template of a sheet and what it shows
Panel = Callable[[int, int, date], tuple[str, Mapping[str, Any]]]
#: (school, text, day) → code of the child the text was scanned from, or None
Reader = Callable[[int, str, date], str | None]

_panels: list[Panel] = []
_readers: list[Reader] = []


def show_beside(*panels: Panel) -> None:
    """Let the child's page show sheets; called once by the wiring."""
    _panels[:] = panels


def read_scans_with(*readers: Reader) -> None:
    """Let the search box understand scans; called once by the wiring."""
    _readers[:] = readers


def panels_of(
    school_id: int, enrolment_id: int, today: date
) -> list[tuple[str, Mapping[str, Any]]]:
    """The sheets beside a child of the school."""
    return [panel(school_id, enrolment_id, today) for panel in _panels]


def code_scanned(school_id: int, text: str, today: date) -> str | None:
    """The code of the school's child whose paper or card was scanned into the box, or None."""
    return next(filter(None, (reader(school_id, text, today) for reader in _readers)), None)
