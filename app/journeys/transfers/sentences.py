"""The words of states and papers."""

from __future__ import annotations

from flask_babel import gettext as _

from app.journeys.transfers.states import PaperKind, State


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
