"""What the meals' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class NotByTheDay(Invalid):
    """A calendar is kept for items by the day."""

    code = "meal_not_by_the_day"

    def default_message(self) -> str:
        return _("Choose an item that is charged by the day.")


class BadDays(Invalid):
    """Days that cannot be."""

    code = "meal_bad_days"

    def default_message(self) -> str:
        return _("The last day comes after the first, by two months at most.")


class NoMealThen(Invalid):
    """Nothing is served on the day, or the child is not at the school on it."""

    code = "meal_none_then"

    def default_message(self) -> str:
        return _("No meal is planned for this child on this day. Look at the calendar.")


class NotThatClass(NotFound):
    """No such class, or it has no children with meals on the day."""

    code = "meal_class_not_found"


class DayToCome(Invalid):
    """A register is closed on its day or later."""

    code = "meal_day_to_come"

    def default_message(self) -> str:
        return _("The register of a day to come cannot be closed. Report the absence instead.")


class TooLateToContest(Refused):
    """A day is contested within seven days."""

    code = "meal_too_late_to_contest"

    def default_message(self) -> str:
        return _("A day can be contested on the day itself and for seven days after it.")


class AlreadyContested(Refused):
    """One question a day is enough."""

    code = "meal_already_contested"

    def default_message(self) -> str:
        return _("This day is contested already and waits for an answer.")


class ContestNotFound(NotFound):
    """No such contest in this school, or it was answered."""

    code = "meal_contest_not_found"


class SamePersonDecides(Refused):
    """Who wrote a contest down does not decide it."""

    code = "meal_same_person"

    def default_message(self) -> str:
        return _("Another person decides: you wrote this contest down yourself.")


class MealReasonMissing(Invalid):
    """What departs from the rule says why."""

    code = "meal_reason_missing"

    def default_message(self) -> str:
        return _("Say why, in at most 200 letters.")


class BadHour(Invalid):
    """An hour that is none."""

    code = "meal_bad_hour"

    def default_message(self) -> str:
        return _("Write the hour as 07:30.")
