"""What the reports refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound


class UnreadableFilter(Invalid):
    """The months, class or item asked for make no report."""

    code = "unreadable_filter"

    def default_message(self) -> str:
        return _("These months cannot be reported. Choose the months in the list again.")


class SchoolNotInArea(NotFound):
    """No such school in what the reader may see."""

    code = "school_not_in_area"
