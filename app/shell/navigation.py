"""What every page's frame shows: the sections of a role, with counts where something waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request, url_for
from flask_babel import gettext as _
from werkzeug.local import LocalProxy

from app.core import clock, scope
from app.core.i18n import language
from app.people import access
from app.people.access import Permission
from app.shell import queries


@dataclass(frozen=True, slots=True)
class Section:
    """One tab of the top bar; `count` is what waits there for this person."""

    label: str
    url: str
    is_current: bool
    count: int = 0


def waiting_now() -> queries.Waiting | None:
    """What waits in the school of this request, asked once; None where its books are closed."""
    if "waiting" not in g:
        membership = access.current_membership()
        may_look = (
            membership is not None
            and membership.school_id is not None
            and membership.may(Permission.VIEW_MONEY)
            and scope.current().may_read(membership.school_id)
        )
        g.waiting = (
            queries.waiting(membership.school_id, clock.today())
            if may_look and membership is not None and membership.school_id is not None
            else None
        )
    found: queries.Waiting | None = g.waiting
    return found


def matches_money(membership: access.ActingAs) -> bool:
    """Whether finding the child behind unknown money is this person's work."""
    return membership.may(Permission.VIEW_BANK) and membership.may(Permission.TAKE_CASH)


def _counts(membership: access.ActingAs) -> dict[str, int]:
    found = waiting_now()
    if found is None:
        return {}
    return {
        "fees.list_schedules": found.submitted if membership.may(Permission.APPROVE_FEES) else 0,
        "billing.list_runs": len(found.months) if membership.may(Permission.ISSUE_RUN) else 0,
        "payments.list_credits": (
            found.unknown + found.attention if matches_money(membership) else 0
        ),
    }


def _sections() -> list[Section]:
    membership = access.current_membership()
    if membership is None:
        return []
    offers = [
        ("shell.home", _("Today"), Permission.SEE_SCHOOL),
        ("reports.area", _("The schools"), Permission.VIEW_AREA),
        ("students.list_students", _("Pupils"), Permission.VIEW_STUDENTS),
        ("meals.show_day", _("Meals"), Permission.SEE_MEALS),
        ("fees.list_schedules", _("Fee items"), Permission.VIEW_MONEY),
        ("billing.list_runs", _("Billing runs"), Permission.VIEW_MONEY),
        ("payments.cash_desk", _("Take money"), Permission.TAKE_CASH),
        ("payments.list_credits", _("Bank"), Permission.VIEW_BANK),
        ("receipts.list_receipts", _("Receipts"), Permission.VIEW_MONEY),
        ("reports.list_reports", _("Reports"), Permission.VIEW_SCHOOL_REPORTS),
    ]
    counts = _counts(membership)
    here = request.blueprint
    return [
        Section(
            label=label,
            url=url_for(endpoint),
            is_current=_is_current(endpoint, here),
            count=counts.get(endpoint, 0),
        )
        for endpoint, label, permission in offers
        if membership.may(permission) and endpoint in current_app.view_functions
    ]


#: Rooms with two tabs: the page decides.
_TABS_BY_PAGE = {
    "reports.list_reports": ("collection", "listing"),
    "payments.cash_desk": ("cash", "count", "deposit"),
    "payments.list_credits": (
        *("credit", "bank", "match", "statement", "payout", "batch", "purpose", "movement"),
        *("day", "month", "book", "journal", "mapping", "channel", "claim"),
    ),
}


#: Rooms that have no tab of their own and stand under another's.
_UNDER = {
    "cards": "students",
    "reconciliation": "payments",
    "payouts": "payments",
    "closing": "payments",
    "between_schools": "payments",
}


def _is_current(endpoint: str, here: str | None) -> bool:
    page = request.endpoint or ""
    if page == endpoint:
        return True
    room, _dot, name = endpoint.partition(".")
    if room != _UNDER.get(here or "", here):
        return False
    if endpoint in _TABS_BY_PAGE:
        return any(word in page.partition(".")[2] for word in _TABS_BY_PAGE[endpoint])
    return room not in ("shell", "reports") and bool(name)


def navigation() -> list[Section]:
    """The tabs, drawn up once a request and only when a page shows them."""
    if "navigation" not in g:
        g.navigation = _sections()
    found: list[Section] = g.navigation
    return found


def frame() -> dict[str, Any]:
    """Names every template may use. Proxies, so that the error page asks the database nothing."""
    return {
        "navigation": LocalProxy(navigation),
        "current_membership": LocalProxy(access.current_membership),
        "is_demo": current_app.config["SETTINGS"].is_demo,
        "locale": language(),
    }
