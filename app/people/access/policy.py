"""Who may do what: the table role × permission, and the guard every route declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app import audit
from app.core import clock, scope
from app.core.db import enter_scope, rows
from app.people.access.models import Role
from app.people.schools import SchoolInfo, schools_under

View = TypeVar("View", bound=Callable[..., Any])


class Permission(StrEnum):
    """What a person may do; the names are verbs of the field."""

    SEE_SCHOOL = "see_school"
    VIEW_STUDENTS = "view_students"
    VIEW_MONEY = "view_money"
    EDIT_STUDENTS = "edit_students"
    MERGE_STUDENTS = "merge_students"
    ACCEPT_TRANSFERS = "accept_transfers"
    IMPORT_STAFF = "import_staff"
    DRAFT_FEES = "draft_fees"
    APPROVE_FEES = "approve_fees"
    CONSENT_FEES = "consent_fees"
    DRAFT_RUN = "draft_run"
    ISSUE_RUN = "issue_run"
    TAKE_CASH = "take_cash"
    VIEW_BANK = "view_bank"
    RECONCILE = "reconcile"
    ORDER_PAYOUTS = "order_payouts"
    APPROVE_PAYOUTS = "approve_payouts"
    SET_CHANNELS = "set_channels"
    SET_PAPERS = "set_papers"
    PRINT_PAPERS = "print_papers"
    CLOSE_BOOKS = "close_books"
    SIGN_MONTH = "sign_month"
    REOPEN_MONTH = "reopen_month"
    VOID_RECEIPT = "void_receipt"
    VIEW_SCHOOL_REPORTS = "view_school_reports"
    VIEW_AREA = "view_area"
    RECORD_CHOICES = "record_choices"
    RECEIVE_EXEMPTIONS = "receive_exemptions"
    DECIDE_EXEMPTIONS = "decide_exemptions"
    SEE_MEALS = "see_meals"
    MARK_MEALS = "mark_meals"
    SET_MEALS = "set_meals"
    DECIDE_MEALS = "decide_meals"
    PREPARE_YEAR = "prepare_year"
    TURN_YEAR = "turn_year"
    OPEN_YEAR = "open_year"
    RUN_AREA = "run_area"
    SET_PARTNERS = "set_partners"
    SET_CATALOGUE = "set_catalogue"
    HAND_OVER = "hand_over"
    SEE_TERMS = "see_terms"
    SET_TERMS = "set_terms"
    ASK_TO_FORGET = "ask_to_forget"
    FORGET_STUDENTS = "forget_students"


_P = Permission
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ACCOUNTANT: frozenset(
        {
            _P.SEE_SCHOOL,
            _P.VIEW_STUDENTS,
            _P.VIEW_MONEY,
            _P.EDIT_STUDENTS,
            _P.DRAFT_FEES,
            _P.DRAFT_RUN,
            _P.ISSUE_RUN,
            _P.TAKE_CASH,
            _P.PRINT_PAPERS,
            _P.VIEW_BANK,
            _P.RECONCILE,
            _P.ORDER_PAYOUTS,
            _P.CLOSE_BOOKS,
            _P.VOID_RECEIPT,
            _P.VIEW_SCHOOL_REPORTS,
            _P.PREPARE_YEAR,
            _P.SEE_MEALS,
            _P.MARK_MEALS,
            _P.SET_MEALS,
            _P.RECEIVE_EXEMPTIONS,
            _P.RECORD_CHOICES,
        }
    ),
    Role.CASHIER: frozenset(
        {_P.SEE_SCHOOL, _P.VIEW_STUDENTS, _P.VIEW_MONEY, _P.TAKE_CASH, _P.PRINT_PAPERS}
    ),
    Role.PRINCIPAL: frozenset(
        {
            _P.SEE_SCHOOL,
            _P.VIEW_STUDENTS,
            _P.VIEW_MONEY,
            _P.MERGE_STUDENTS,
            _P.ACCEPT_TRANSFERS,
            _P.IMPORT_STAFF,
            _P.APPROVE_FEES,
            _P.VIEW_BANK,
            _P.APPROVE_PAYOUTS,
            _P.SIGN_MONTH,
            _P.SET_CHANNELS,
            _P.SET_PAPERS,
            _P.PRINT_PAPERS,
            _P.VOID_RECEIPT,
            _P.VIEW_SCHOOL_REPORTS,
            _P.PREPARE_YEAR,
            _P.TURN_YEAR,
            _P.SEE_MEALS,
            _P.MARK_MEALS,
            _P.DECIDE_MEALS,
            _P.DECIDE_EXEMPTIONS,
            _P.SEE_TERMS,
            _P.ASK_TO_FORGET,
        }
    ),
    Role.DEPUTY: frozenset(
        {
            _P.SEE_SCHOOL,
            _P.VIEW_STUDENTS,
            _P.VIEW_MONEY,
            _P.VIEW_SCHOOL_REPORTS,
            _P.PREPARE_YEAR,
            _P.SEE_MEALS,
            _P.MARK_MEALS,
            _P.DECIDE_MEALS,
        }
    ),
    Role.TEACHER: frozenset(
        {_P.SEE_SCHOOL, _P.VIEW_STUDENTS, _P.SEE_MEALS, _P.MARK_MEALS, _P.RECORD_CHOICES}
    ),
    Role.KITCHEN: frozenset({_P.SEE_SCHOOL, _P.SEE_MEALS}),
    Role.NURSE: frozenset({_P.SEE_SCHOOL, _P.VIEW_STUDENTS, _P.SEE_MEALS}),
    Role.OFFICER: frozenset(
        {
            _P.VIEW_AREA,
            _P.MERGE_STUDENTS,
            _P.OPEN_YEAR,
            _P.RUN_AREA,
            _P.SET_PARTNERS,
            _P.SET_CATALOGUE,
            _P.CONSENT_FEES,
            _P.REOPEN_MONTH,
            _P.HAND_OVER,
            _P.SEE_TERMS,
            _P.SET_TERMS,
            _P.ASK_TO_FORGET,
            _P.FORGET_STUDENTS,
        }
    ),
    Role.AUDITOR: frozenset({_P.VIEW_AREA, _P.SEE_TERMS}),
    Role.ADMINISTRATOR: frozenset({_P.IMPORT_STAFF, _P.SEE_TERMS, _P.SET_TERMS}),
}

_GIVEN_BY_A_PRINCIPAL = frozenset(
    {Role.DEPUTY, Role.ACCOUNTANT, Role.CASHIER, Role.TEACHER, Role.KITCHEN, Role.NURSE}
)
#: which roles of a school a person in a role may give; those of the unit above are given by hand
MAY_GIVE: dict[Role, frozenset[Role]] = {
    Role.PRINCIPAL: _GIVEN_BY_A_PRINCIPAL,
    Role.ADMINISTRATOR: _GIVEN_BY_A_PRINCIPAL | {Role.PRINCIPAL},
}


@dataclass(frozen=True, slots=True)
class ActingAs:
    """The membership a person works under just now."""

    id: int
    user_id: int
    user_name: str
    role: Role
    unit_id: int
    unit_name: str
    #: the one school, or None for people of the unit above
    school_id: int | None
    school_code: str
    school_name: str
    #: every school that may be read
    readable: frozenset[int]

    @property
    def role_label(self) -> str:
        """The role in the reader's language."""
        return role_label(self.role)

    def may(self, permission: Permission) -> bool:
        """Whether the role includes a permission."""
        return permission in ROLE_PERMISSIONS[self.role]


def role_label(role: Role) -> str:
    """A role in the reader's language."""
    return {
        Role.ACCOUNTANT: _("Accountant"),
        Role.CASHIER: _("Cashier"),
        Role.PRINCIPAL: _("Principal"),
        Role.DEPUTY: _("Deputy principal"),
        Role.TEACHER: _("Class teacher"),
        Role.KITCHEN: _("Kitchen"),
        Role.NURSE: _("School nurse"),
        Role.OFFICER: _("Area officer"),
        Role.AUDITOR: _("Auditor"),
        Role.ADMINISTRATOR: _("Administrator"),
    }[role]


def memberships_of(user_id: int) -> list[ActingAs]:
    """The memberships of a person that hold today."""
    today = clock.today()
    found = rows(
        "select m.id, m.user_id, u.display_name, m.role, m.unit_id, o.name as unit_name"
        " from memberships m join users u on u.id = m.user_id and u.is_active"
        " join organisation_units o on o.id = m.unit_id"
        " where m.user_id = :user and m.starts_on <= :today"
        " and (m.ends_on is null or m.ends_on > :today) order by m.id",
        user=user_id,
        today=today,
    )
    return [_acting(membership) for membership in found]


def _acting(found: Any) -> ActingAs:
    schools = schools_under(found.unit_id, clock.today())
    # One school directly under the node is the person's own; anything above it only reads.
    own = next((school for school in schools if school.unit_id == found.unit_id), None)
    return ActingAs(
        id=found.id,
        user_id=found.user_id,
        user_name=found.display_name,
        role=Role(found.role),
        unit_id=found.unit_id,
        unit_name=found.unit_name,
        school_id=own.id if own else None,
        school_code=own.code if own else "",
        school_name=own.short_name if own else found.unit_name,
        readable=frozenset(school.id for school in schools),
    )


def signed_in_id() -> int | None:
    """The number of the person signed in, or None."""
    user: Any = current_user
    return int(user.get_id()) if user.is_authenticated else None


def current_membership() -> ActingAs | None:
    """The membership from the session, checked against the database once a request (P3)."""
    if "acting_as" not in g:
        g.acting_as = _from_session()
    found: ActingAs | None = g.acting_as
    return found


def _from_session() -> ActingAs | None:
    user_id = signed_in_id()
    if user_id is None:
        return None
    held = memberships_of(user_id)
    wanted = session.get("membership_id")
    chosen = next((membership for membership in held if membership.id == wanted), None)
    if chosen is None and len(held) == 1:
        chosen = held[0]
    return chosen


def require_membership() -> ActingAs:
    """The membership inside a guarded view."""
    membership = current_membership()
    assert membership is not None  # noqa: S101 - the guard let the view run
    return membership


def own_school() -> int:
    """The one school a guarded view works for."""
    school_id = require_membership().school_id
    assert school_id is not None  # noqa: S101 - permissions of one school are held at one school
    return school_id


def readable_schools() -> list[SchoolInfo]:
    """The schools a guarded view may show, by code."""
    membership = require_membership()
    schools = schools_under(membership.unit_id, clock.today())
    return [school for school in schools if school.id in membership.readable]


def current_actor() -> audit.Actor:
    """Who acts in this request, for services and the trail."""
    membership = require_membership()
    return audit.Actor(membership.user_name, membership.role, membership.user_id)


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Let the view run only for a membership that holds one of the permissions.

    Opens the scope: the schools the membership reads, and the one it may write. Someone not signed
    in goes to the sign-in page; a role without the permission gets 403.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if signed_in_id() is None:
                return redirect(url_for("access.sign_in", next=request.full_path.rstrip("?")), 303)
            membership = current_membership()
            if membership is None:
                return redirect(url_for("access.choose_membership"), 303)
            if not any(membership.may(permission) for permission in permissions):
                abort(403)
            enter_scope(scope.Scope(membership.readable, membership.school_id))
            return cast(ResponseReturnValue, view(*args, **kwargs))

        guarded.policy = permissions  # type: ignore[attr-defined]  # read at start-up
        return cast(View, guarded)

    return guard


def public(reason: str) -> Callable[[View], View]:
    """Let anybody call the view; the reason is read by the next reader and by a test."""

    def mark(view: View) -> View:
        view.policy = reason  # type: ignore[attr-defined]  # read at start-up
        return view

    return mark


def check_policies(app: Flask) -> None:
    """Stop the start when a route forgot to say who may use it."""
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and not getattr(app.view_functions[rule.endpoint], "policy", None)
    ]
    if silent:
        raise RuntimeError(f"routes without @requires or @public: {sorted(set(silent))}")
