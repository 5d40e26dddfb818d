"""What needs a person now, in sentences, ordered by what cannot wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.formats import moment, month, vnd
from app.journeys.transfers import departure_queries
from app.journeys.transfers import queries as transfer_queries
from app.people.access import ActingAs, Permission
from app.shell.navigation import matches_money
from app.shell.queries import Waiting


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the work list: how many, what, why, and its own button."""

    count: int
    title: str
    detail: str
    button: str
    url: str


def tasks_for(membership: ActingAs, waiting: Waiting | None, today: date) -> list[Task]:
    """What this person may act on; empty on a good day."""
    if waiting is None:
        return []
    found: list[Task] = []
    if membership.may(Permission.APPROVE_FEES) and waiting.submitted:
        found.append(_approve(waiting))
    if membership.may(Permission.APPROVE_PAYOUTS) and waiting.payouts:
        found.append(
            Task(
                waiting.payouts,
                _("Payments to families wait for your approval"),
                _("Refunds, support and debts given up: nothing leaves before you approve."),
                _("Look and approve"),
                _address("payouts.list_payouts"),
            )
        )
    if membership.may(Permission.VOID_RECEIPT) and waiting.papers:
        found.append(
            Task(
                waiting.papers,
                _("Receipts wait to be renewed"),
                _("The paper is wrong and the money is right: a second person decides."),
                _("Look and decide"),
                _address("payments.list_paper_changes"),
            )
        )
    if membership.may(Permission.SIGN_MONTH) and waiting.unsigned:
        found.append(
            Task(
                waiting.unsigned,
                _("Closed months wait for your signature"),
                _("The accountant has closed them; their figures no longer change."),
                _("Look and sign"),
                _address("closing.list_days"),
            )
        )
    if matches_money(membership):
        found += _money(waiting, today)
    if membership.may(Permission.ISSUE_RUN) and waiting.months:
        found.append(_issue(waiting))
    if membership.may(Permission.EDIT_STUDENTS) and waiting.unplaced:
        found.append(
            Task(
                waiting.unplaced,
                _("Pupils without a class"),
                _("They get no bill until they sit in a class."),
                _("Place them"),
                _address("students.list_students", unplaced=1),
            )
        )
    if membership.may(Permission.EDIT_STUDENTS) or membership.may(Permission.ACCEPT_TRANSFERS):
        found += _transfers(membership, today)
    if membership.may(Permission.DRAFT_FEES) and waiting.drafts:
        found.append(
            Task(
                waiting.drafts,
                _("Price lists not handed in"),
                _("Only prices the principal has approved are billed."),
                _("See the drafts"),
                _address("fees.list_schedules"),
            )
        )
    return found


def tasks_of_others(membership: ActingAs, waiting: Waiting | None) -> list[str]:
    """What this school waits for somebody else to do, each with who."""
    if waiting is None:
        return []
    found = []
    if waiting.submitted and not membership.may(Permission.APPROVE_FEES):
        found.append(
            _("The principal has %(n)s price lists to approve.", n=waiting.submitted)
            if waiting.submitted > 1
            else _("The principal has a price list to approve.")
        )
    if waiting.months and not membership.may(Permission.ISSUE_RUN):
        found.append(
            _("The accountant has to issue the bills of %(month)s.", month=month(waiting.months[0]))
        )
    if waiting.unknown and not matches_money(membership) and membership.may(Permission.VIEW_BANK):
        found.append(
            _("The accountant is looking for the child of %(sum)s.", sum=vnd(waiting.unknown_sum))
        )
    return found


def _approve(waiting: Waiting) -> Task:
    return Task(
        waiting.submitted,
        _("Price lists wait for your approval"),
        _(
            "%(name)s handed it in on %(at)s. Nothing is billed before you approve.",
            name=waiting.submitted_by,
            at=moment(waiting.submitted_at),
        ),
        _("Look and approve"),
        (
            _address("fees.show_schedule", schedule_id=waiting.submitted_id)
            if waiting.submitted == 1
            else _address("fees.list_schedules")
        ),
    )


def _money(waiting: Waiting, today: date) -> list[Task]:
    found = []
    if waiting.attention:
        found.append(
            Task(
                waiting.attention,
                _("Notices that need a look"),
                _("The bank told us of money that could not be booked by itself. It is kept."),
                _("Look"),
                _address("payments.list_credits"),
            )
        )
    if waiting.unknown:
        age = (today - clock.local_day(waiting.unknown_since)).days if waiting.unknown_since else 0
        detail = (
            ngettext(
                "%(sum)s · the oldest has waited %(num)s day",
                "%(sum)s · the oldest has waited %(num)s days",
                age,
                sum=vnd(waiting.unknown_sum),
            )
            if age
            else _("%(sum)s · all of today", sum=vnd(waiting.unknown_sum))
        )
        found.append(
            Task(
                waiting.unknown,
                _("Bank lines nobody knows yet"),
                detail,
                _("Match"),
                _address("payments.list_credits"),
            )
        )
    return found


def _transfers(membership: ActingAs, today: date) -> list[Task]:
    school_id = membership.school_id
    if school_id is None:
        return []
    found = []
    if count := transfer_queries.count_waiting(school_id, today):
        found.append(
            Task(
                count,
                _("Transfers wait for your school"),
                _("Each step has three working days."),
                _("Look"),
                _address("transfers.list_transfers"),
            )
        )
    leaving = departure_queries.list_departures([school_id], with_money=False)
    if late := sum(departure.overdue(today) for departure in leaving):
        found.append(
            Task(
                late,
                _("Papers of pupils who leave the area are overdue"),
                _("The family and the other school wait for them."),
                _("Look"),
                _address("transfers.list_transfers"),
            )
        )
    return found


def _issue(waiting: Waiting) -> Task:
    names = ", ".join(month(period) for period in waiting.months[:3])
    detail = (
        _("Prices are approved. A draft is there; look at it and issue.")
        if waiting.run_id
        else _("Prices are approved. Draft the run and look at it before issuing.")
    )
    return Task(
        len(waiting.months),
        _("Bills not issued yet: %(months)s", months=names),
        detail,
        _("Preview"),
        (
            _address("billing.show_run", run_id=waiting.run_id)
            if waiting.run_id
            else _address("billing.list_runs", period=waiting.months[0])
        ),
    )


def _address(endpoint: str, **values: Any) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else "#"
