"""Why a bill differs, as short sentences with figures; rates only, never a ground."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.formats import day, month, number
from app.core.i18n import language
from app.core.period import Period
from app.money.billing.preview import Cause, ChildBill


def unit_word(unit: str) -> str:
    """One of an item's unit: day, month …"""
    return {
        "day": _("day"),
        "month": _("month"),
        "semester": _("semester"),
        "year": _("year"),
        "hour": _("hour"),
        "lesson": _("lesson"),
        "km": _("km"),
        "piece": _("piece"),
        "once": _("time"),
    }.get(unit, unit)


def item_name(cause: Cause) -> str:
    """The item in the reader's language."""
    return cause.item_en if language() == "en" else cause.item


def title(cause: Cause) -> str:
    """A cause as a step of the bridge."""
    item = item_name(cause)
    if cause.kind == "joined":
        return _("New pupils")
    if cause.kind == "left":
        return _("Pupils who left")
    if cause.kind == "quantity":
        return _("%(item)s: another quantity", item=item)
    if cause.kind == "price":
        return _("%(item)s: another price", item=item)
    if cause.kind == "exemption":
        return _("%(item)s: another relief", item=item)
    if cause.kind == "added":
        return _("%(item)s: added", item=item)
    if cause.kind == "removed":
        return _("%(item)s: no longer charged", item=item)
    return _("%(item)s: corrected", item=item)


def change(cause: Cause) -> str:
    """From what to what, for a step all of whose children have the same; else empty."""
    if cause.kind == "exemption" or cause.why == "exemption":
        return _("from %(before)s to %(after)s %%", before=cause.before, after=cause.after)
    if cause.kind == "price" or cause.why == "price":
        return _(
            "from %(before)s to %(after)s ₫",
            before=number(cause.before),
            after=number(cause.after),
        )
    if cause.kind == "quantity" or cause.why == "quantity":
        return _(
            "from %(before)s to %(after)s %(unit)s",
            before=number(cause.before),
            after=number(cause.after),
            unit=unit_word(cause.unit),
        )
    return ""


def _relief(cause: Cause) -> str:
    item = item_name(cause)
    if cause.after:
        return _("%(percent)s %% off %(item)s", percent=cause.after, item=item)
    return _("No longer any relief on %(item)s", item=item)


def sentence(cause: Cause, child: ChildBill, period: Period) -> str:
    """A cause of one child's bill."""
    item = item_name(cause)
    if cause.kind == "joined":
        if child.starts_on >= period.previous().first_day:
            return _("New pupil, at the school since %(day)s", day=day(child.starts_on))
        return _("First bill")
    if cause.kind == "left":
        if child.ends_on:
            return _("Left the school on %(day)s", day=day(child.ends_on))
        return _("Nothing is charged any more")
    if cause.kind == "exemption":
        return _relief(cause)
    if cause.kind in ("price", "quantity"):
        return _("%(item)s %(change)s", item=item, change=change(cause))
    if cause.kind == "added":
        return _("%(item)s is new", item=item)
    if cause.kind == "removed":
        return _("%(item)s has ended", item=item)
    if cause.month is None:
        return _("%(item)s corrected", item=item)
    return _earlier(cause, item, month(cause.month))


def _earlier(cause: Cause, item: str, when: str) -> str:
    if cause.why == "exemption":
        return _("%(relief)s, back to %(month)s", relief=_relief(cause), month=when)
    if cause.why in ("price", "quantity"):
        return _("%(item)s of %(month)s %(change)s", item=item, month=when, change=change(cause))
    if cause.why == "removed":
        return _("%(item)s of %(month)s is given back", item=item, month=when)
    return _("%(item)s of %(month)s added later", item=item, month=when)


def outcome_word(outcome: str) -> tuple[str, str]:
    """How a school stands in a run of the area: the look of its tag, and the word."""
    return {
        "ready": ("info", _("Ready to issue")),
        "issued": ("ok", _("Bills issued")),
        "nothing_to_bill": ("plain", _("Nothing to bill")),
        "no_approved_schedule": ("warn", _("Prices not approved")),
        "no_receiving_account": ("warn", _("No receiving account")),
        "due_before_issue": ("warn", _("Day to pay by has passed")),
        "run_changed": ("warn", _("Changed since the rehearsal")),
    }.get(outcome, ("bad", outcome))
