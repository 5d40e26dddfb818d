"""Admitting a child: the form, and the question whether the child is known already."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.text import fold
from app.people.access import Permission, current_actor, own_school, requires
from app.people.students import known, rolls, services, words
from app.people.students.blueprint import bp
from app.people.students.desk import open_child, show_refusal
from app.people.students.errors import AlreadyEnrolled, BadPhone, StudentMismatch
from app.people.students.forms import AdmitForm
from app.people.students.known import Claim, Likeness
from app.people.students.models import NoNumber, Sex
from app.people.students.numbers import Oddity, oddities
from app.people.students.queries import FamilyMember
from app.people.students.services import NewGuardian, NewStudent


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be answered before the child is admitted; `key` marks the answer."""

    key: str
    likes: list[Likeness] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)
    claimed: Claim | None = None

    @property
    def number_is_taken(self) -> bool:
        """A new child cannot have a number that is another child's."""
        return any(like.by_number for like in self.likes)

    @property
    def hidden(self) -> int:
        """How many of the children were never at a school the asker may see."""
        return sum(1 for like in self.likes if not like.code)


@bp.get("/admission")
@requires(Permission.EDIT_STUDENTS)
def new_student() -> ResponseReturnValue:
    """The empty form; with `sibling` the family of that child is kept."""
    today = clock.today()
    form = AdmitForm(
        formdata=None,
        data={
            "starts_on": today,
            "source": _("birth certificate"),
            "second": {"relation": "father"},
        },
    )
    form.sibling.data = request.args.get("sibling", "")
    class_id = request.args.get("class", type=int)
    form.class_id.data = class_id if class_id in _classes() else 0
    return _show(form)


@bp.post("/admission")
@requires(Permission.EDIT_STUDENTS)
def admit_student() -> ResponseReturnValue:
    """Ask what has to be asked, then admit the child, new or known."""
    form = AdmitForm().offer(_classes())
    chosen = request.form.get("known", "")
    if chosen:
        form.known_code.data = chosen
    if not form.is_sent():
        return _show(form, status=422)
    school_id, today = own_school(), clock.today()
    try:
        claimed = (
            known.claim(school_id, form.known_code.data, form.birth_date.data, today)
            if form.known_code.data
            else None
        )
    except StudentMismatch as refusal:
        form.known_code.errors = [refusal.message]
        return _show(form, _question(form, None), status=422)
    question = _question(form, claimed)
    if question is not None and form.answered.data != question.key:
        return _show(form, question, status=422)
    try:
        if claimed is not None and claimed.is_here:
            raise AlreadyEnrolled(_("%(name)s is at your school already.", name=claimed.full_name))
        with transaction():
            made = services.admit(
                school_id,
                _child(form, claimed),
                no_number=NoNumber(form.no_number.data) if form.no_number.data else None,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        if isinstance(refusal, BadPhone):
            form.form_errors.append(refusal.message)
        else:
            show_refusal(form, refusal)
        return _show(form, status=422)
    flash(
        _(
            "%(name)s is admitted. The code for life is %(code)s.",
            name=claimed.full_name if claimed else form.full_name.data,
            code=formats.threes(made.code),
        )
    )
    return redirect(url_for(".show_student", code=made.code, admitted=1), 303)


def _classes() -> dict[int, str]:
    found = rolls.choices(own_school(), clock.today())
    several = len({choice.year for choice in found}) > 1
    return {c.id: f"{c.name} · {c.year}" if several else c.name for c in found}


def _show(
    form: AdmitForm, question: Question | None = None, status: int = 200
) -> ResponseReturnValue:
    form.offer(_classes())
    page = render_template(
        "students/admit_student.html",
        form=form,
        question=question,
        family=_sibling_family(form),
        sibling=open_child(form.sibling.data).child if form.sibling.data else None,
        kept=_kept(form),
        words=words,
    )
    return page, status


def _question(form: AdmitForm, claimed: Claim | None) -> Question | None:
    """What a person has to look at once more, or nothing."""
    if claimed is not None:
        if claimed.is_elsewhere and not claimed.is_here:
            return Question(f"both {claimed.code}", claimed=claimed)
        return None
    born, pin = form.birth_date.data, form.pin.data or ""
    likes = known.like(own_school(), form.full_name.data or "", born, pin, clock.today())
    odd = oddities(pin, born, Sex(form.sex.data)) if pin else []
    if not likes and not odd:
        return None
    return Question(
        f"new {fold(form.full_name.data or '')} {born} {form.sex.data} {pin}", likes, odd
    )


def _child(form: AdmitForm, claimed: Claim | None) -> NewStudent:
    return NewStudent(
        full_name=claimed.full_name if claimed else form.full_name.data or "",
        birth_date=form.birth_date.data,
        sex=claimed.sex if claimed else Sex(form.sex.data),
        class_id=form.class_id.data or None,
        starts_on=form.starts_on.data,
        guardians=_guardians(form),
        identifiers=form.numbers(),
        student_id=claimed.student_id if claimed else None,
    )


def _guardians(form: AdmitForm) -> tuple[NewGuardian, ...]:
    """The family of the sibling that is kept, then those typed."""
    kept = [
        NewGuardian(
            person.full_name, person.phone, person.relation, person.address, person.guardian_id
        )
        for person in _sibling_family(form)
        if person.guardianship_id in _kept(form)
    ]
    typed = [
        NewGuardian(
            (fields.full_name.data or "").strip(),
            fields.phone.data or None,
            fields.relation.data,
            (fields.address.data or "").strip() or None,
        )
        for fields in (form.first.form, form.second.form)
        if (fields.full_name.data or "").strip()
    ]
    return (*kept, *typed)


def _sibling_family(form: AdmitForm) -> list[FamilyMember]:
    return open_child(form.sibling.data).child.family if form.sibling.data else []


def _kept(form: AdmitForm) -> set[int]:
    """The guardians ticked; all of them while nothing was sent."""
    if request.method == "POST":
        return set(request.form.getlist("keep", type=int))
    return {person.guardianship_id for person in _sibling_family(form)}
