"""The words of states and of deadlines kept or not."""

from __future__ import annotations

from flask_babel import gettext as _

from app.money.exemptions.models import State


def states() -> dict[State, tuple[str, str]]:
    """How far an application is: the look of its tag, and the word."""
    return {
        State.RECEIVED: ("info", _("Application received")),
        State.MORE: ("warn", _("Papers are missing")),
        State.CHECKED: ("info", _("In order, waits for the principal")),
        State.GRANTED: ("ok", _("Granted")),
        State.REFUSED: ("plain", _("Turned down")),
        State.WITHDRAWN: ("plain", _("Withdrawn")),
    }


def punctuality() -> dict[str, tuple[str, str]]:
    """When it was decided beside its last day."""
    return {
        "early": ("ok", _("early")),
        "on_time": ("ok", _("on time")),
        "late": ("warn", _("late")),
        "overdue": ("bad", _("overdue")),
    }
