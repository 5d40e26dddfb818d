"""Kinds, ways and states of payouts in words."""

from __future__ import annotations

from flask_babel import gettext as _

from app.money.payouts.models import Kind, Step, Way


def kind_words(kind: Kind) -> str:
    """What a payout is for."""
    return {
        Kind.REFUND: _("Refund of credit"),
        Kind.SUPPORT: _("Support of the State"),
        Kind.SIBLING: _("Credit for a brother or sister"),
        Kind.WRITE_OFF: _("Debt given up"),
    }[kind]


def way_words(way: Way) -> str:
    """How it reaches the family."""
    return {
        Way.TRANSFER: _("to a bank account"),
        Way.CASH: _("in cash at the desk"),
        Way.CARD: _("back the way it came"),
        Way.BOOKS: _("in the books"),
    }[way]


def step_words(step: Step) -> str:
    """Where a payout is."""
    return {
        Step.ASKED: _("waits for approval"),
        Step.APPROVED: _("approved"),
        Step.REFUSED: _("refused"),
        Step.WITHDRAWN: _("withdrawn"),
        Step.SENT: _("at the bank"),
        Step.PAID: _("done"),
        Step.FAILED: _("not delivered"),
    }[step]


def step_tone(step: Step) -> str:
    """The colour of a state."""
    return {
        Step.ASKED: "warn",
        Step.APPROVED: "info",
        Step.SENT: "info",
        Step.PAID: "ok",
        Step.FAILED: "bad",
    }.get(step, "plain")
