"""What the merging room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import NotFound, Refused


class MergeNotFound(NotFound):
    """No such merge in what the asker may see."""

    code = "merge_not_found"


class SameRecord(Refused):
    """A record cannot be joined with itself."""

    code = "same_record"

    def default_message(self) -> str:
        return _("Both codes are the same record. Choose two different pupils.")


class RecordClosed(Refused):
    """One of the records was joined into another already, or made anonymous."""

    code = "record_closed"

    def default_message(self) -> str:
        return _("One of these records was joined into another before. Open the pupil again.")


class NotYours(Refused):
    """A pair that also belongs to schools the asker does not look after."""

    code = "merge_not_yours"

    def default_message(self) -> str:
        return _("One of the two also belongs to another school. Ask the area office to join them.")


class AlreadyUndone(Refused):
    """A merge is taken back once."""

    code = "merge_already_undone"

    def default_message(self) -> str:
        return _("This was taken back before.")


class BilledSince(Refused):
    """A stay that went over was billed afterwards: the bill is the child's who stayed."""

    code = "merge_billed_since"

    def default_message(self) -> str:
        return _(
            "Bills were issued since for a stay that went over, so the records can no longer be"
            " parted. Cancel those bills first, or ask the area office."
        )


class JoinedAgain(Refused):
    """The record that stayed was itself joined into another afterwards."""

    code = "merge_joined_again"

    def default_message(self) -> str:
        return _("A later merge stands on this one. Take that back first.")
