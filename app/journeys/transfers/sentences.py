"""The words of states, papers and duties."""

from __future__ import annotations

from flask_babel import gettext as _

from app.journeys.transfers.states import Duty, PaperKind, State


def states() -> dict[State, str]:
    """How far a transfer is."""
    return {
        State.OPENED: _("Asked for"),
        State.ACCEPTED: _("Accepted by the new school"),
        State.DECLINED: _("Declined"),
        State.WITHDRAWN: _("Withdrawn"),
        State.HANDED_OVER: _("Handed over"),
    }


def papers() -> dict[PaperKind, str]:
    """The papers of the dossier."""
    return {
        PaperKind.REQUEST: _("Request of the family (Annex I)"),
        PaperKind.RECORD: _("School record"),
        PaperKind.PROGRESS: _("Progress and materials sheet (Annex III)"),
        PaperKind.PLAN: _("Plan for a disabled child, if any"),
        PaperKind.INTRODUCTION: _("Letter of introduction (lower secondary)"),
    }


def departure_states() -> dict[str, str]:
    """How far a departure is."""
    return {
        "asked": _("The family has asked"),
        "accepted": _("Accepted by the new school"),
        "left": _("Has left; papers or money are open"),
        "closed": _("Done"),
        "withdrawn": _("Withdrawn"),
    }


def duties() -> dict[Duty, str]:
    """What is to be done when a child leaves the area."""
    return {
        Duty.ANSWER: _("The other school has answered"),
        Duty.RECORD: _("School record handed out"),
        Duty.PROGRESS: _("Progress and materials sheet (Annex III) handed out"),
        Duty.PLAN: _("Individual plan of a disabled child handed out"),
        Duty.INTRODUCTION: _("Letter of introduction by the school"),
        Duty.LETTER: _("Letter of the People's Committee of the ward"),
        Duty.LEAVE: _("Last day at this school recorded"),
        Duty.BILLS: _("Nothing left to pay"),
        Duty.CREDIT: _("Money the school holds given back"),
    }


def duty_hints() -> dict[Duty, str]:
    """What to know about a duty, where there is something."""
    return {
        Duty.ANSWER: _("within three working days of the family's request (Annex I)"),
        Duty.RECORD: _("to the family or to the other school, against a signature"),
        Duty.LETTER: _("only towards another province"),
        Duty.LEAVE: _("classes, code and receipts stay"),
        Duty.BILLS: _("paid or written off; the figures say so by themselves"),
        Duty.CREDIT: _("refunded; the figures say so by themselves"),
    }


def punctuality() -> dict[str, tuple[str, str]]:
    """When a duty was done beside its last day: the look of the tag, and the word."""
    return {
        "early": ("ok", _("early")),
        "on_time": ("ok", _("on time")),
        "late": ("warn", _("late")),
    }
