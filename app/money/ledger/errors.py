"""What the books refuse."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import NotFound, Refused


class AlreadyReversed(Refused):
    """An event is taken back once and no more (invariant 8)."""

    code = "already_reversed"

    def default_message(self) -> str:
        return _("This was already taken back. Nothing was changed.")


class NothingToReverse(NotFound):
    """The event to take back is not in this school's books."""

    code = "nothing_to_reverse"
