"""What blocks a school and what it should know, in the reader's words."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.core.formats import day, month, vnd
from app.journeys.year_end.plan import Outcome
from app.journeys.year_end.queries import Hint


def outcome_word(outcome: str) -> str:
    """An outcome as the registers call it."""
    return {
        Outcome.PROMOTED: _("Promoted"),
        Outcome.FINISHED: _("Finished the level"),
        Outcome.RETEST: _("Tested again in summer"),
        Outcome.REPEATS: _("Repeats the grade"),
        Outcome.MOVES: _("Moves to another school"),
        Outcome.LEAVES: _("Leaves school"),
    }[Outcome(outcome)]


def blocker_text(hint: Hint) -> str:
    """One sentence on what must be mended first."""
    figures = hint.figures
    if hint.kind == "no_year":
        return _("The next school year is not open yet. The area officer opens it for all schools.")
    if hint.kind == "future":
        return _("This year has not begun yet; it begins on %(day)s.", day=day(figures[0]))
    if hint.kind == "no_class":
        return _("The school has no classes in this year.")
    if hint.kind == "unplaced":
        return ngettext(
            "One pupil sits in no class.", "%(num)s pupils sit in no class.", figures[0]
        )
    if hint.kind == "undecided":
        return ngettext(
            "One pupil has no outcome yet.", "%(num)s pupils have no outcome yet.", figures[0]
        )
    if hint.kind == "nameless":
        return _(
            "Nobody has said what becomes of class %(names)s.", names=", ".join(map(str, figures))
        )
    if hint.kind == "clash":
        return _(
            "Two grades cannot share the class %(name)s. Give one of them another name.",
            name=figures[0],
        )
    if hint.kind == "transfers":
        return ngettext(
            "One transfer to another school is open.",
            "%(num)s transfers to other schools are open.",
            figures[0],
        )
    if hint.kind == "drafts":
        return ngettext(
            "One billing run is still a draft.",
            "%(num)s billing runs are still drafts.",
            figures[0],
        )
    return _(
        "The bills of %(months)s are not issued.",
        months=month(figures[0])
        if len(figures) == 1
        else _("%(first)s to %(last)s", first=month(figures[0]), last=month(figures[-1])),
    )


def blocker_short(hint: Hint) -> str:
    """The same in a table of all schools."""
    figures = hint.figures
    if hint.kind == "no_year":
        return _("next year not open")
    if hint.kind == "future":
        return _("not begun yet")
    if hint.kind == "no_class":
        return _("no classes")
    if hint.kind == "unplaced":
        return _("%(n)s without a class", n=figures[0])
    if hint.kind == "undecided":
        return _("%(n)s without an outcome", n=figures[0])
    if hint.kind in ("nameless", "clash"):
        return _("names of next year's classes")
    if hint.kind == "transfers":
        return _("%(n)s open transfers", n=figures[0])
    if hint.kind == "drafts":
        return _("%(n)s draft runs", n=figures[0])
    return ngettext("one month without bills", "%(num)s months without bills", len(figures))


def warning_text(hint: Hint) -> str:
    """One sentence on what may stay, and should be known."""
    figures = hint.figures
    if hint.kind == "early":
        return _(
            "The school year ends on %(day)s. Pupils who come or change until then are taken over"
            " by a second click.",
            day=day(figures[0]),
        )
    if hint.kind == "billed":
        return _(
            "Bills of the new year are out already, by the old classes. The next run adds or gives"
            " back the difference, and the turn cannot be taken back."
        )
    if hint.kind == "debts":
        return _("Families still owe %(sum)s. It stays with your school.", sum=vnd(figures[0]))
    if hint.kind == "credits":
        return _(
            "Your school holds %(sum)s of families' money. It stays theirs.", sum=vnd(figures[0])
        )
    if hint.kind == "exemptions":
        return ngettext(
            "The exemption of one pupil ends with the year. Ask the family for new papers.",
            "The exemptions of %(num)s pupils end with the year. Ask the families for new papers.",
            figures[0],
        )
    return ngettext(
        "One pupil is tested again in summer and keeps a seat in the old grade until then.",
        "%(num)s pupils are tested again in summer and keep a seat in the old grade until then.",
        figures[0],
    )
