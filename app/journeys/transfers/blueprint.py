"""The one blueprint of the transfers' pages, and how they read days and words."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint, request
from flask_babel import gettext as _

from app.journeys.transfers.errors import BadDay
from app.people.students.errors import BadReason

bp = Blueprint("transfers", __name__)


def read_day(written: str, message: str) -> date:
    """A day as people write it; else BadDay with the message."""
    for shape in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(written.strip(), shape).date()  # noqa: DTZ007 - a day only
        except ValueError:
            continue
    raise BadDay(message)


def read_words(*, needed: bool) -> str:
    """The words of the form on one line; BadReason when too many, or none where some are needed."""
    words = " ".join(request.form.get("words", "").split())
    if len(words) > 200 or (needed and not words):
        raise BadReason(_("Say why, in at most 200 letters."))
    return words
