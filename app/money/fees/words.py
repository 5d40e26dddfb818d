"""The words of categories, units, levels, and whose money it is."""

from __future__ import annotations

from flask_babel import gettext as _

from app.money.fees.models import Category, FeeUnit
from app.people.schools import Level


def categories() -> dict[Category, str]:
    """The six categories of the law."""
    return {
        Category.TUITION: _("Tuition"),
        Category.SERVICE: _("Services"),
        Category.COLLECT_FOR: _("Collected for others"),
        Category.AGREED: _("Agreed with parents"),
        Category.SPONSOR: _("Sponsorship"),
        Category.PARENT_FUND: _("Parents' fund"),
    }


def owners() -> dict[Category, str]:
    """Whose money an item of a category is."""
    return {
        Category.TUITION: _("the school's revenue, compensated by the budget"),
        Category.SERVICE: _("the school's revenue for services"),
        Category.COLLECT_FOR: _("a third party's: held until passed on"),
        Category.AGREED: _("the service's own: held until spent on it"),
        Category.SPONSOR: _("given freely; never a debt, never a rate"),
        Category.PARENT_FUND: _("the parents' committee's, not the school's"),
    }


def units() -> dict[FeeUnit, str]:
    """What one of an item is."""
    return {
        FeeUnit.DAY: _("day"),
        FeeUnit.MONTH: _("month"),
        FeeUnit.SEMESTER: _("semester"),
        FeeUnit.YEAR: _("year"),
        FeeUnit.HOUR: _("hour"),
        FeeUnit.LESSON: _("lesson"),
        FeeUnit.KM: _("km"),
        FeeUnit.PIECE: _("piece"),
        FeeUnit.ONCE: _("time"),
    }


def levels() -> dict[str, str]:
    """The levels of schools."""
    return {
        Level.NURSERY.value: _("nurseries"),
        Level.PRIMARY.value: _("primary schools"),
        Level.LOWER_SECONDARY.value: _("lower secondary schools"),
    }


def source_word(source: str) -> str:
    """Where a family's yes came from: its own page, or a signed form with its number."""
    if source == "web":
        return _("by the family on its page")
    number = source.removeprefix("paper").strip()
    return _("signed form %(number)s", number=number) if number else _("signed form")
