"""The room's codes in the reader's words."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.journeys.retention.models import Certainty, CountedFrom, Outcome, RecordKind, Term


def kind_word(kind: RecordKind) -> tuple[str, str]:
    """A kind of record, and what it holds."""
    return {
        RecordKind.VOUCHERS: (
            _("Vouchers and books"),
            _(
                "Bills, receipts with the name printed on them, payments and ledger entries. They"
                " stay whole when a pupil is made anonymous: a receipt and its seal are one."
            ),
        ),
        RecordKind.SLIPS: (
            _("Slips not used for the books"),
            _("Working papers of the office."),
        ),
        RecordKind.LEARNING: (
            _("Learning records"),
            _(
                "School reports and registers are kept by the school outside Sổ Thu. Here the code,"
                " the schools and the classes stay."
            ),
        ),
        RecordKind.PUPILS: (
            _("The pupil and the family"),
            _("Names, birth dates, numbers, guardians, phones, addresses, and earlier values."),
        ),
        RecordKind.PHOTOS: (
            _("Photos on cards"),
            _("Deleted when the consent is withdrawn or the pupil has left."),
        ),
    }[kind]


def term_word(term: Term, years: int | None) -> str:
    """How long."""
    if term is Term.YEARS:
        return ngettext("one year", "%(num)s years", years or 0)
    return {
        Term.FOR_EVER: _("for ever"),
        Term.CONSENT: _("while consent holds"),
        Term.OPEN: _("not decided"),
    }[term]


def counted_word(counted: CountedFrom) -> str:
    """From what."""
    return {
        CountedFrom.FISCAL_YEAR: _("from the end of the fiscal year"),
        CountedFrom.LEAVING: _("from leaving the last school of the area"),
        CountedFrom.WITHDRAWAL: _("until withdrawn"),
        CountedFrom.NOTHING: "",
    }[counted]


def certainty_word(certainty: Certainty) -> tuple[str, str]:
    """How sure an act is: tag and words."""
    return {
        Certainty.READ: ("good", _("read in the source named")),
        Certainty.SECOND_HAND: ("warn", _("second hand: to be checked")),
        Certainty.DECIDED: ("good", _("decided by the office")),
        Certainty.MEMORY: ("warn", _("from memory: to be checked")),
    }[certainty]


def obstacle_word(outcome: Outcome) -> str:
    """What became of a child, or what stands in the way."""
    return {
        Outcome.FORGOTTEN: _("made anonymous"),
        Outcome.ENROLLED: _("is at a school of the area"),
        Outcome.EARLY: _("the years are not over"),
        Outcome.MONEY: _("money is still open: settle it first"),
        Outcome.TRANSFER: _("a transfer is running"),
        Outcome.VERIFICATION: _("is in a batch sent for verification"),
        Outcome.MERGE: _("a joined record is not settled"),
        Outcome.GONE: _("was made anonymous before"),
    }[outcome]
