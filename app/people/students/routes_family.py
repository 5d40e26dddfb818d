"""The parents and guardians of a child."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.people.access import Permission, current_actor, requires
from app.people.students import queries, services, words
from app.people.students.blueprint import bp
from app.people.students.desk import AtDesk, open_for_change, show_refusal
from app.people.students.errors import GuardianNotFound
from app.people.students.forms import EndGuardianForm, GuardianForm
from app.people.students.queries import FamilyMember
from app.people.students.services import GuardianChange, NewGuardian


@bp.get("/students/<code>/family")
@requires(Permission.EDIT_STUDENTS)
def show_family(code: str) -> ResponseReturnValue:
    """Who answers for the child, and a form for one more."""
    return _show(open_for_change(code), GuardianForm(formdata=None))


@bp.post("/students/<code>/family")
@requires(Permission.EDIT_STUDENTS)
def add_guardian(code: str) -> ResponseReturnValue:
    """One more guardian, from today on."""
    desk = open_for_change(code)
    form = GuardianForm().offer()
    if not form.is_sent():
        return _show(desk, form, 422)
    try:
        with transaction():
            services.add_guardian(
                desk.school_id,
                desk.child.id,
                NewGuardian(
                    form.full_name.data or "",
                    form.phone.data or None,
                    form.relation.data,
                    (form.address.data or "").strip() or None,
                ),
                from_day=clock.today(),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show(desk, form, 422)
    flash(_("%(name)s is recorded.", name=form.full_name.data))
    return redirect(url_for(".show_family", code=code), 303)


@bp.get("/students/<code>/family/<int:guardianship_id>")
@requires(Permission.EDIT_STUDENTS)
def show_guardian(code: str, guardianship_id: int) -> ResponseReturnValue:
    """One guardian as he stands; the phone stays masked."""
    desk = open_for_change(code)
    person = _person(desk, guardianship_id)
    form = GuardianForm(
        formdata=None,
        data={
            "full_name": person.full_name,
            "relation": person.relation,
            "address": person.address or "",
        },
    )
    return _show_guardian(desk, person, form)


@bp.post("/students/<code>/family/<int:guardianship_id>")
@requires(Permission.EDIT_STUDENTS)
def edit_guardian(code: str, guardianship_id: int) -> ResponseReturnValue:
    """Change name, phone, address for every child of the guardian; the relation for this one."""
    desk = open_for_change(code)
    person = _person(desk, guardianship_id)
    form = GuardianForm().offer(person.relation)
    if not form.is_sent():
        return _show_guardian(desk, person, form, 422)
    phone = None if request.form.get("no_phone") else (form.phone.data or person.phone)
    try:
        with transaction():
            changed = services.change_guardian(
                desk.school_id,
                desk.child.id,
                guardianship_id,
                GuardianChange(
                    form.full_name.data or "", phone, form.address.data or None, form.relation.data
                ),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show_guardian(desk, person, form, 422)
    flash(_("Saved.") if changed else _("Nothing was changed: everything is as it stood before."))
    return redirect(url_for(".show_family", code=code), 303)


@bp.post("/students/<code>/family/<int:guardianship_id>/primary")
@requires(Permission.EDIT_STUDENTS)
def make_primary(code: str, guardianship_id: int) -> ResponseReturnValue:
    """Ask this guardian first."""
    desk = open_for_change(code)
    person = _person(desk, guardianship_id)
    with transaction():
        services.make_primary(
            desk.school_id, desk.child.id, guardianship_id, actor=current_actor(), now=clock.now()
        )
    flash(_("%(name)s is asked first now.", name=person.full_name))
    return redirect(url_for(".show_family", code=code), 303)


@bp.post("/students/<code>/family/<int:guardianship_id>/end")
@requires(Permission.EDIT_STUDENTS)
def end_guardianship(code: str, guardianship_id: int) -> ResponseReturnValue:
    """The guardian no longer answers for the child."""
    desk = open_for_change(code)
    person = _person(desk, guardianship_id)
    end = EndGuardianForm()
    form = GuardianForm(
        formdata=None,
        data={
            "full_name": person.full_name,
            "relation": person.relation,
            "address": person.address or "",
        },
    )
    if not end.is_sent():
        return _show_guardian(desk, person, form, 422, end)
    try:
        with transaction():
            services.end_guardianship(
                desk.school_id,
                desk.child.id,
                guardianship_id,
                on=end.on.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        show_refusal(end, refusal)
        return _show_guardian(desk, person, form, 422, end)
    flash(_("%(name)s no longer answers for the pupil.", name=person.full_name))
    return redirect(url_for(".show_family", code=code), 303)


def _show(desk: AtDesk, form: GuardianForm, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "students/edit_family.html", child=desk.child, form=form.offer(), words=words
    )
    return page, status


def _show_guardian(
    desk: AtDesk,
    person: FamilyMember,
    form: GuardianForm,
    status: int = 200,
    end: EndGuardianForm | None = None,
) -> ResponseReturnValue:
    today = clock.today()
    children, elsewhere = queries.shared_guardian(person.guardian_id, desk.school_id, today)
    page = render_template(
        "students/edit_guardian.html",
        child=desk.child,
        person=person,
        form=form.offer(person.relation),
        end=end or EndGuardianForm(formdata=None, data={"on": today}),
        others=children - 1,
        elsewhere=elsewhere,
        words=words,
    )
    return page, status


def _person(desk: AtDesk, guardianship_id: int) -> FamilyMember:
    for person in desk.child.family:
        if person.guardianship_id == guardianship_id:
            return person
    raise GuardianNotFound
