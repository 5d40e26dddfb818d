"""Pairs that may be one child: the list, the two side by side, joining and parting."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.journeys.merging import queries, services
from app.journeys.merging.errors import NotYours, SameRecord
from app.people.access import ActingAs, Permission, current_actor, require_membership, requires
from app.people.students.errors import BadReason, StudentNotFound

bp = Blueprint("merging", __name__)


def _schools(membership: ActingAs) -> frozenset[int]:
    """The schools this person answers for."""
    return membership.readable


def _reason() -> str:
    reason = " ".join(request.form.get("reason", "").split())
    if not 1 <= len(reason) <= 200:
        raise BadReason(_("Say why, in at most 200 letters: it stays in the trail."))
    return reason


@bp.get("/duplicates")
@requires(Permission.EDIT_STUDENTS, Permission.MERGE_STUDENTS)
def list_pairs() -> ResponseReturnValue:
    """Pairs to look at, strongest ground first, and what was joined before."""
    return _list()


def _list(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    membership = require_membership()
    today = clock.today()
    schools = _schools(membership)
    return (
        render_template(
            "merging/list_pairs.html",
            pairs=queries.proposed_pairs(schools, today),
            most=queries.MOST_PAIRS,
            merges=queries.list_merges(schools),
            may_merge=membership.may(Permission.MERGE_STUDENTS),
            first=request.args.get("first", "")[:20],
            second=request.args.get("second", "")[:20],
            error=error,
        ),
        status,
    )


@bp.get("/duplicates/pair")
@requires(Permission.EDIT_STUDENTS, Permission.MERGE_STUDENTS)
def compare() -> ResponseReturnValue:
    """Two records side by side, by their exact codes."""
    try:
        ids = [queries.find_record(request.args.get(name, "")[:20]) for name in ("first", "second")]
        if ids[0] == ids[1]:
            raise SameRecord
    except StudentNotFound:
        return _list(
            error=_("No pupil has one of these codes. Copy both codes from the pupils' pages."),
            status=404,
        )
    except SameRecord as refusal:
        return _list(error=refusal.message, status=refusal.status)
    return _compare(ids)


def _compare(ids: list[int], *, error: str = "", status: int = 200) -> ResponseReturnValue:
    membership = require_membership()
    schools = _schools(membership)
    if not all(queries.is_visible(student_id, schools) for student_id in ids):
        # Whose record the other is, is not for this school to read.
        return _list(error=NotYours().message, status=409)
    first, second = queries.records(ids, clock.today())
    return (
        render_template(
            "merging/compare.html",
            first=first,
            second=second,
            may_merge=membership.may(Permission.MERGE_STUDENTS),
            error=error,
            form=request.form,
        ),
        status,
    )


@bp.post("/duplicates/pair")
@requires(Permission.MERGE_STUDENTS)
def merge() -> ResponseReturnValue:
    """Join two records; the choice of each field comes with the form."""
    membership = require_membership()
    codes = {side: request.form.get(side, "")[:20] for side in ("first", "second")}
    ids = {side: queries.find_record(code) for side, code in codes.items()}
    keep = request.form.get("keep", "")
    if keep not in ids:
        return _compare(list(ids.values()), error=_("Choose which code stays."), status=422)
    old = "second" if keep == "first" else "first"
    take_over = [field for field in services.CHOICES if request.form.get(field.value, keep) == old]
    try:
        with transaction():
            services.merge(
                ids[keep],
                ids[old],
                take_over=take_over,
                reason=_reason(),
                allowed=_schools(membership),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _compare(list(ids.values()), error=refusal.message, status=refusal.status)
    flash(_("The two records are one child now. The old code still finds the child."), "good")
    return redirect(url_for(".list_pairs", _anchor="joined"), 303)


@bp.post("/duplicates/two-children")
@requires(Permission.EDIT_STUDENTS, Permission.MERGE_STUDENTS)
def say_two_children() -> ResponseReturnValue:
    """Keep that a pair is two children."""
    ids = [queries.find_record(request.form.get(side, "")[:20]) for side in ("first", "second")]
    schools = _schools(require_membership())
    if not any(queries.is_visible(student_id, schools) for student_id in ids):
        raise StudentNotFound
    try:
        with transaction():
            services.say_two_children(
                ids[0], ids[1], reason=_reason(), actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        return _list(error=refusal.message, status=refusal.status)
    flash(_("Kept: these are two children. The pair is not proposed again."), "good")
    return redirect(url_for(".list_pairs"), 303)


@bp.post("/duplicates/merges/<int:merge_id>/undo")
@requires(Permission.MERGE_STUDENTS)
def undo(merge_id: int) -> ResponseReturnValue:
    """Part two records again."""
    try:
        with transaction():
            services.undo(
                merge_id,
                reason=_reason(),
                allowed=_schools(require_membership()),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _list(error=refusal.message, status=refusal.status)
    flash(_("The two records are apart again."), "good")
    return redirect(url_for(".list_pairs", _anchor="joined"), 303)
