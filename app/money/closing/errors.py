"""What closing refuses."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused
from app.core.formats import day as written
from app.core.formats import month
from app.core.period import Period


class DayNotOver(Refused):
    """Money may still come on that day."""

    code = "day_not_over"

    def default_message(self) -> str:
        return _("A day is closed when it is over: money may still come.")


class DayClosed(Refused):
    """The day was closed before."""

    code = "day_closed"

    def default_message(self) -> str:
        return _("This day is closed. What comes now stands in the open day.")


class NothingOnDay(NotFound):
    """Nothing was posted on that day."""

    code = "nothing_on_day"


class EarlierDayOpen(Refused):
    """Days close one after the other."""

    code = "earlier_day_open"

    def __init__(self, day: date) -> None:
        words = _("Close %(day)s first: days close one after the other.", day=written(day))
        super().__init__(words)
        self.day = day


class ReasonsMissing(Invalid):
    """Differences nobody has explained; `keys` names them."""

    code = "reasons_missing"

    def __init__(self, day: date, keys: list[str]) -> None:
        super().__init__(
            _(
                "%(day)s has differences without a reason. Say why in at least ten letters each.",
                day=written(day),
            )
        )
        self.day, self.keys = day, keys


class MonthNotReady(Refused):
    """The month is not over, or days of it are open."""

    code = "month_not_ready"

    def __init__(self, period: Period, day: date | None) -> None:
        words = (
            _("Close %(day)s first: a month closes when all its days are.", day=written(day))
            if day is not None
            else _("%(month)s is not over yet.", month=month(period))
        )
        super().__init__(words)
        self.day = day


class MonthStepRefused(Refused):
    """The month is not where this could happen to it."""

    code = "month_step_refused"

    def default_message(self) -> str:
        return _("Somebody was quicker. Look at the month's state again.")


class OwnSignature(Refused):
    """Whoever closes a month does not sign it."""

    code = "own_signature"
    status = 403

    def default_message(self) -> str:
        return _("You closed this month yourself. Another person signs it: the principal.")


class ReopenReasonMissing(Invalid):
    """A month opened again without a reason."""

    code = "reopen_reason_missing"

    def default_message(self) -> str:
        return _("Say why in at least ten letters, so that others understand it later.")


class BadMapping(Invalid):
    """An account of a circular that is none."""

    code = "bad_mapping"

    def default_message(self) -> str:
        return _("An account of the circular has three to ten digits, for example 1121.")
