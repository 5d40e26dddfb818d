"""Setting a child's name, birth date, sex and numbers right, with what stood there before."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.people.access import Permission, current_actor, requires
from app.people.students import history, identity, services, words
from app.people.students.blueprint import bp
from app.people.students.desk import AtDesk, open_for_change, show_refusal
from app.people.students.errors import StudentNotFound
from app.people.students.forms import EndNumberForm, IdentityForm
from app.people.students.models import NoNumber, Scheme, Sex
from app.people.students.numbers import Oddity, oddities
from app.people.students.queries import Identifier
from app.people.students.services import IdentityEdit


@bp.get("/students/<code>/identity")
@requires(Permission.EDIT_STUDENTS)
def show_identity(code: str) -> ResponseReturnValue:
    """The form as the child is called now, and the history below."""
    desk = open_for_change(code)
    child = desk.child
    form = IdentityForm(
        formdata=None,
        data={
            "full_name": child.full_name,
            "birth_date": child.birth_date,
            "sex": child.sex.value,
            "from_day": clock.today(),
            "no_number": child.no_number_reason.value if child.no_number_reason else "",
        },
    )
    return _show(desk, form)


@bp.post("/students/<code>/identity")
@requires(Permission.EDIT_STUDENTS)
def edit_identity(code: str) -> ResponseReturnValue:
    """Save what is other than before; ask once when a number does not look as usual."""
    desk = open_for_change(code)
    form = IdentityForm().offer()
    if not form.is_sent():
        return _show(desk, form, status=422)
    odd = _odd(desk, form)
    if odd and form.answered.data != _answer(form):
        return _show(desk, form, odd=odd, status=422)
    try:
        with transaction():
            changed = services.edit_identity(
                desk.school_id,
                desk.child.id,
                IdentityEdit(
                    full_name=form.full_name.data or "",
                    birth_date=form.birth_date.data,
                    sex=Sex(form.sex.data),
                    numbers=form.numbers(),
                    source=(form.source.data or "").strip(),
                    from_day=form.from_day.data or clock.today(),
                    reason=form.reason.data or "",
                    no_number=_new_explanation(desk, form),
                ),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show(desk, form, status=422)
    if not changed:
        form.form_errors.append(_("Nothing was changed: everything is as it stood before."))
        return _show(desk, form, status=422)
    flash(_("Saved. What stood there before is kept below."))
    return redirect(url_for(".show_identity", code=code), 303)


@bp.get("/students/<code>/numbers/<int:identifier_id>/end")
@requires(Permission.EDIT_STUDENTS)
def show_number(code: str, identifier_id: int) -> ResponseReturnValue:
    """Ask from when on and why a number no longer holds."""
    desk = open_for_change(code)
    form = EndNumberForm(formdata=None, data={"on": clock.today()})
    return _show_number(desk, _number(desk, identifier_id), form)


@bp.post("/students/<code>/numbers/<int:identifier_id>/end")
@requires(Permission.EDIT_STUDENTS)
def end_number(code: str, identifier_id: int) -> ResponseReturnValue:
    """End a number; it stays in the list with its last day."""
    desk = open_for_change(code)
    number = _number(desk, identifier_id)
    form = EndNumberForm()
    if not form.is_sent():
        return _show_number(desk, number, form, 422)
    try:
        with transaction():
            identity.end_identifier(
                desk.child.id,
                number.scheme,
                on=form.on.data,
                reason=form.reason.data or "",
                actor=current_actor(),
                now=clock.now(),
                school_id=desk.school_id,
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show_number(desk, number, form, 422)
    flash(_("The number no longer holds. It is kept with its days."))
    return redirect(url_for(".show_identity", code=code), 303)


def _show(
    desk: AtDesk, form: IdentityForm, *, odd: list[Oddity] | None = None, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "students/edit_identity.html",
        child=desk.child,
        form=form.offer(),
        odd=odd or [],
        answer=_answer(form) if odd else "",
        changes=history.changes_of(desk.child.id, desk.school_id),
        words=words,
    )
    return page, status


def _show_number(
    desk: AtDesk, number: Identifier, form: EndNumberForm, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "students/end_number.html", child=desk.child, number=number, form=form, words=words
    )
    return page, status


def _number(desk: AtDesk, identifier_id: int) -> Identifier:
    for number in desk.child.identifiers:
        if number.id == identifier_id and number.valid_to is None:
            return number
    raise StudentNotFound


def _odd(desk: AtDesk, form: IdentityForm) -> list[Oddity]:
    """What looks odd about the number, when it or what it may be compared with is changed."""
    child = desk.child
    valid = child.number(Scheme.PIN)
    pin = form.pin.data or (valid.value if valid else "")
    born, sex = form.birth_date.data, Sex(form.sex.data)
    if not pin or (not form.pin.data and (born, sex) == (child.birth_date, child.sex)):
        return []
    return oddities(pin, born, sex)


def _answer(form: IdentityForm) -> str:
    return f"{form.birth_date.data} {form.sex.data} {form.pin.data}"


def _new_explanation(desk: AtDesk, form: IdentityForm) -> NoNumber | None:
    if not form.no_number.data or form.pin.data or desk.child.number(Scheme.PIN):
        return None
    why = NoNumber(form.no_number.data)
    return why if why is not desk.child.no_number_reason else None
