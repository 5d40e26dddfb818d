"""One child's move to another class, its leave and its return."""

from __future__ import annotations

from datetime import date, timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.money import ZERO, total_of
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.students import known, rolls, services, words
from app.people.students.blueprint import bp
from app.people.students.desk import AtDesk, open_child, open_here, show_refusal
from app.people.students.errors import AlreadyEnrolled
from app.people.students.forms import LeaveForm, MoveForm, ReturnForm
from app.people.students.money import money_source
from app.people.students.services import NewStudent


@bp.get("/students/<code>/class")
@requires(Permission.EDIT_STUDENTS)
def show_move(code: str) -> ResponseReturnValue:
    """The class now, and the classes there are."""
    desk = open_here(code)
    day = max(clock.today(), desk.stay.starts_on)
    return _show_move(desk, MoveForm(formdata=None, data={"from_day": day}))


@bp.post("/students/<code>/class")
@requires(Permission.EDIT_STUDENTS)
def move_student(code: str) -> ResponseReturnValue:
    """Place the child in another class."""
    desk = open_here(code)
    form = MoveForm().offer(_classes())
    if not form.is_sent():
        return _show_move(desk, form, 422)
    try:
        with transaction():
            services.move_class(
                desk.school_id,
                desk.stay.enrolment_id,
                form.class_id.data,
                from_day=form.from_day.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show_move(desk, form, 422)
    flash(
        _(
            "%(name)s is in class %(class_name)s from %(day)s on.",
            name=desk.child.full_name,
            class_name=_classes()[form.class_id.data],
            day=formats.day(form.from_day.data),
        )
    )
    return redirect(url_for(".show_student", code=code), 303)


@bp.get("/students/<code>/leave")
@requires(Permission.EDIT_STUDENTS)
def show_leave(code: str) -> ResponseReturnValue:
    """Ask for the last day and the reason; what is still open is shown."""
    desk = open_here(code)
    return _show_leave(desk, LeaveForm(formdata=None, data={"last_day": clock.today()}))


@bp.post("/students/<code>/leave")
@requires(Permission.EDIT_STUDENTS)
def end_stay(code: str) -> ResponseReturnValue:
    """End the stay after its last day."""
    desk = open_here(code)
    form = LeaveForm().offer()
    if not form.is_sent():
        return _show_leave(desk, form, 422)
    try:
        with transaction():
            services.end_enrolment(
                desk.school_id,
                desk.stay.enrolment_id,
                ends_on=form.last_day.data + timedelta(days=1),
                reason=form.reason.data,
                note=form.note.data or "",
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show_leave(desk, form, 422)
    flash(
        _(
            "The last day of %(name)s is %(day)s. Code, classes and bills stay.",
            name=desk.child.full_name,
            day=formats.day(form.last_day.data),
        )
    )
    return redirect(url_for(".show_student", code=code), 303)


@bp.get("/students/<code>/return")
@requires(Permission.EDIT_STUDENTS)
def show_return(code: str) -> ResponseReturnValue:
    """Ask for the class and the first day of the new stay."""
    desk = _open_left(code)
    choices = _return_classes()
    form = ReturnForm(
        formdata=None,
        data={"starts_on": _earliest(desk), "class_id": next(iter(choices))},
    )
    return _show_return(desk, form)


@bp.post("/students/<code>/return")
@requires(Permission.EDIT_STUDENTS)
def readmit(code: str) -> ResponseReturnValue:
    """A new stay under the old code."""
    desk = _open_left(code)
    form = ReturnForm()
    form.class_id.choices = list(_return_classes().items())
    if not form.is_sent():
        return _show_return(desk, form, 422)
    child = desk.child
    try:
        with transaction():
            services.enrol_many(
                desk.school_id,
                [
                    NewStudent(
                        full_name=child.full_name,
                        birth_date=child.birth_date,
                        sex=child.sex,
                        class_id=form.class_id.data or None,
                        starts_on=form.starts_on.data,
                        student_id=child.id,
                    )
                ],
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show_return(desk, form, 422)
    flash(
        _(
            "%(name)s is back from %(day)s on, with the old code.",
            name=child.full_name,
            day=formats.day(form.starts_on.data),
        )
    )
    return redirect(url_for(".show_student", code=code), 303)


def _classes() -> dict[int, str]:
    found = rolls.choices(own_school(), clock.today())
    several = len({choice.year for choice in found}) > 1
    return {c.id: f"{c.name} · {c.year}" if several else c.name for c in found}


def _return_classes() -> dict[int, str]:
    return {**_classes(), 0: _("not decided yet")}


def _earliest(desk: AtDesk) -> date:
    return max(clock.today(), desk.stay.ends_on or clock.today())


def _open_left(code: str) -> AtDesk:
    desk = open_child(code)
    if desk.stay.ends_on is None:
        raise AlreadyEnrolled(_("%(name)s is at your school already.", name=desk.child.full_name))
    return desk


def _show_move(desk: AtDesk, form: MoveForm, status: int = 200) -> ResponseReturnValue:
    classes = _classes()
    page = render_template(
        "students/move_student.html",
        classes=classes,
        child=desk.child,
        stay=desk.stay,
        form=form.offer(classes),
        class_name=desk.child.class_at(desk.school_id),
    )
    return page, status


def _show_leave(desk: AtDesk, form: LeaveForm, status: int = 200) -> ResponseReturnValue:
    may_look = require_membership().may(Permission.VIEW_MONEY)
    money = money_source() if may_look else None
    bills = money.bills(desk.school_id, desk.child.id) if money else []
    page = render_template(
        "students/end_stay.html",
        child=desk.child,
        stay=desk.stay,
        form=form.offer(),
        class_name=desk.child.class_at(desk.school_id),
        open_now=total_of([bill.open for bill in bills if bill.open > ZERO]),
        credit=money.credit(desk.school_id, desk.child.id) if money else ZERO,
    )
    return page, status


def _show_return(desk: AtDesk, form: ReturnForm, status: int = 200) -> ResponseReturnValue:
    form.class_id.choices = list(_return_classes().items())
    claim = known.claim(desk.school_id, desk.child.code, desk.child.birth_date, clock.today())
    page = render_template(
        "students/readmit.html",
        child=desk.child,
        stay=desk.stay,
        form=form,
        is_elsewhere=claim.is_elsewhere,
        reasons=words.leave_reasons(),
    )
    return page, status
