"""Screens of verification: where a school stands, lists, batches, results, one person."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.people.access import (
    Permission,
    Role,
    current_actor,
    own_school,
    require_membership,
    requires,
    role_label,
)
from app.people.schools import school_info, schools_under
from app.people.students import IdentityField, NoNumber, Sex, Verification
from app.people.students.numbers import Oddity
from app.people.students.queries import get_student, masked
from app.people.verification import queries, results, services, staff
from app.people.verification.errors import PersonNotFound
from app.people.verification.files import FileExchange
from app.people.verification.forms import ProofForm, StaffForm
from app.people.verification.models import Kind, Source
from app.people.verification.results import Doubt, Standing
from app.people.verification.services import Decision
from app.people.verification.subjects import SENDABLE

bp = Blueprint("verification", __name__)

#: addresses of the lists
SLUGS = {
    Verification.NO_NUMBER: "no-number",
    Verification.NOT_SENT: "not-sent",
    Verification.WAITING: "waiting",
    Verification.MATCHED: "matched",
    Verification.DIFFERS: "differs",
    Verification.NOT_FOUND: "not-found",
    Verification.DOUBLE: "double",
}
_STATES = {slug: state for state, slug in SLUGS.items()}
#: the order people read them in: proved first, then what is on its way, then what needs somebody
ORDER = (
    Verification.MATCHED,
    Verification.WAITING,
    Verification.NOT_SENT,
    Verification.DIFFERS,
    Verification.NOT_FOUND,
    Verification.DOUBLE,
    Verification.NO_NUMBER,
)
#: rows of a rehearsal a page shows of each group
SHOWN = 100


def _exchange() -> FileExchange:
    return FileExchange()


def _kind() -> Kind:
    return Kind.STAFF if request.values.get("kind") == Kind.STAFF else Kind.PUPILS


def _page() -> int:
    return max(1, min(request.args.get("page", 1, type=int), 10_000))


def _words() -> dict[str, Any]:
    """Labels of stored words for the templates."""
    return {
        "slugs": SLUGS,
        "order": ORDER,
        "state_words": {
            Verification.NO_NUMBER: _("No personal number"),
            Verification.NOT_SENT: _("Not sent yet"),
            Verification.WAITING: _("Waiting for the answer"),
            Verification.MATCHED: _("Proved (matches)"),
            Verification.DIFFERS: _("Differs"),
            Verification.NOT_FOUND: _("Not found"),
            Verification.DOUBLE: _("Number used twice"),
        },
        "state_tags": {
            Verification.MATCHED: "ok",
            Verification.WAITING: "info",
            Verification.NOT_SENT: "plain",
            Verification.DIFFERS: "warn",
            Verification.NOT_FOUND: "warn",
            Verification.DOUBLE: "warn",
            Verification.NO_NUMBER: "plain",
        },
        "field_words": {
            IdentityField.FULL_NAME: _("full name"),
            IdentityField.BIRTH_DATE: _("birth date"),
            IdentityField.SEX: _("sex"),
            IdentityField.PIN: _("personal number"),
        },
        "source_words": {
            Source.FILE: _("file of results"),
            Source.BIRTH_CERTIFICATE: _("birth certificate seen"),
            Source.VNEID: _("VNeID seen"),
            Source.ACCEPTED: _("taken over from the population database"),
            Source.KEPT: _("ours kept, to be sent again"),
            Source.PAPERS: _("the family has its papers mended"),
        },
        "why_words": {
            NoNumber.NOT_REGISTERED: _("birth not registered yet"),
            NoNumber.BEING_MADE: _("the number is being made"),
            NoNumber.FOREIGN: _("foreign child"),
            NoNumber.NOT_HANDED_IN: _("the family has not handed it in"),
        },
        "oddity_words": {
            Oddity.PROVINCE: _("first three digits"),
            Oddity.CENTURY_OR_SEX: _("fourth digit and sex"),
            Oddity.YEAR: _("fifth and sixth digit and year of birth"),
        },
        "doubt_words": {
            Doubt.WORDS: _("the words of the result are not known"),
            Doubt.UNKNOWN_ROW: _("no batch of your school has this row"),
            Doubt.OTHER_NUMBER: _(
                "the number beside our code is another one; rows may have slipped"
            ),
            Doubt.CONTRADICTION: _("it says “matches” but gives other values"),
            Doubt.BAD_VALUE: _("a value beside it cannot be read"),
            Doubt.TWICE: _("two different answers for one person"),
        },
        "place_words": {role.value: role_label(role) for role in Role},
        "shown_value": shown_value,
    }


def shown_value(field: IdentityField, value: str | None) -> str:
    """A stored value as a person reads it; personal numbers masked."""
    if not value:
        return _("not given")
    if field is IdentityField.SEX:
        return _("Female") if value == Sex.FEMALE else _("Male")
    if field is IdentityField.BIRTH_DATE:
        year, month, day = value.split("-")
        return f"{day}/{month}/{year}"
    return masked(value) if field is IdentityField.PIN else value


# Where the school stands


@bp.get("/verification")
@requires(Permission.EDIT_STUDENTS, Permission.VIEW_SCHOOL_REPORTS)
def overview() -> ResponseReturnValue:
    """How many people are in each state, the batches and the files that came back."""
    return _overview()


def _overview(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, kind = own_school(), _kind()
    counts = queries.state_counts(school_id, kind, clock.today())
    page = render_template(
        "verification/overview.html",
        kind=kind,
        counts=counts,
        total=sum(counts.values()),
        batches=queries.list_batches(school_id, kind),
        uploads=results.list_uploads(school_id, kind),
        may_edit=require_membership().may(Permission.EDIT_STUDENTS),
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.get("/verification/area")
@requires(Permission.VIEW_AREA)
def area() -> ResponseReturnValue:
    """The schools of the officer side by side: counts only, nobody is named."""
    membership, today = require_membership(), clock.today()
    schools = [
        (school.id, school.code, school.short_name)
        for school in schools_under(membership.unit_id, today)
    ]
    found = queries.area_counts(schools, today)
    return render_template(
        "verification/area.html",
        schools=found,
        counts={state: sum(school.counts[state] for school in found) for state in Verification},
        total=sum(school.total for school in found),
        unit_name=membership.school_name,
        **_words(),
    )


@bp.get("/verification/lists/<slug>")
@requires(Permission.EDIT_STUDENTS)
def list_people(slug: str) -> ResponseReturnValue:
    """The people in one state; what differs is shown field by field."""
    return _people_page(slug)


def _people_page(slug: str, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, kind, today = own_school(), _kind(), clock.today()
    state = _STATES.get(slug)
    if state is None:
        raise PersonNotFound
    page_number = _page()
    count = queries.state_counts(school_id, kind, today)[state]
    people = queries.list_people(school_id, kind, state, today, page_number)
    differing = (
        {
            one.subject_id: one
            for one in queries.differing(school_id, kind, [p.subject_id for p in people])
        }
        if state is Verification.DIFFERS
        else {}
    )
    page = render_template(
        "verification/list_differing.html"
        if state is Verification.DIFFERS
        else "verification/list_people.html",
        kind=kind,
        state=state,
        slug=slug,
        people=people,
        differing=differing,
        count=count,
        page=page_number,
        pages=max(1, -(-count // queries.PAGE)),
        start=(page_number - 1) * queries.PAGE + 1,
        may_send=state in SENDABLE,
        refusal=refusal,
        reason=request.form.get("reason", ""),
        chosen=set(_chosen()),
        **_words(),
    )
    return page, status


def _chosen() -> list[int]:
    return [int(text) for text in request.form.getlist("person") if text.isdecimal()][:2_000]


@bp.post("/verification/lists/differs")
@requires(Permission.EDIT_STUDENTS)
def decide() -> ResponseReturnValue:
    """Accept, keep or wait, for those ticked or for the one whose button was pressed."""
    kind = _kind()
    decision, _colon, one = request.form.get("decision", "").partition(":")
    if decision not in set(Decision):
        return _people_page("differs", _("Choose what to do."), 422)
    chosen = [int(one)] if one.isdecimal() else _chosen()
    if not chosen:
        return _people_page("differs", _("Tick at least one row first."), 422)
    try:
        with transaction():
            done = services.decide(
                own_school(),
                kind,
                chosen,
                Decision(decision),
                reason=request.form.get("reason", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _people_page("differs", refusal.message, refusal.status)
    for text in _left_words(done):
        flash(text, "warning")
    if done.done:
        flash(_decided_words(Decision(decision), done), "toast")
    return redirect(url_for("verification.list_people", slug="differs", kind=kind), 303)


def _left_words(done: services.Decided) -> list[str]:
    texts = []
    if done.without_value:
        texts.append(
            ngettext(
                "One row was left: the file does not give the value that differs.",
                "%(num)s rows were left: the file does not give the value that differs.",
                done.without_value,
            )
        )
    if done.by_hand:
        texts.append(
            ngettext(
                "One row was left for a look: a value entered by hand, or another number.",
                "%(num)s rows were left for a look: values entered by hand, or other numbers.",
                done.by_hand,
            )
        )
    return texts


def _decided_words(decision: Decision, done: services.Decided) -> str:
    if decision is Decision.ACCEPT:
        return ngettext(
            "Taken over for one person, %(proved)s proved by it",
            "Taken over for %(num)s people, %(proved)s proved by it",
            done.done,
            proved=done.proved,
        )
    if decision is Decision.KEEP:
        return ngettext(
            "One person goes into the next batch",
            "%(num)s people go into the next batch",
            done.done,
        )
    return ngettext(
        "One person waits for the family's papers",
        "%(num)s people wait for the families' papers",
        done.done,
    )


# Batches


@bp.post("/verification/batches")
@requires(Permission.EDIT_STUDENTS)
def make_batch() -> ResponseReturnValue:
    """A batch of everybody not sent yet, or of those ticked in a list."""
    kind, slug = _kind(), request.form.get("from", "")
    chosen = _chosen() if slug in _STATES else None
    if slug in _STATES and not chosen:
        return _people_page(slug, _("Tick at least one row first."), 422)
    try:
        with transaction():
            batch_id = services.make_batch(
                own_school(), kind, chosen=chosen, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        if slug in _STATES:
            return _people_page(slug, refusal.message, refusal.status)
        return _overview(refusal.message, refusal.status)
    return redirect(url_for("verification.show_batch", batch_id=batch_id), 303)


@bp.get("/verification/batches/<int:batch_id>")
@requires(Permission.EDIT_STUDENTS)
def show_batch(batch_id: int) -> ResponseReturnValue:
    """One batch: how much of it is answered, whom it is about."""
    school_id, page = own_school(), _page()
    batch = queries.get_batch(school_id, batch_id)
    return render_template(
        "verification/show_batch.html",
        batch=batch,
        kind=batch.kind,
        sent=queries.sent_rows(school_id, batch, page),
        page=page,
        pages=max(1, -(-batch.count // queries.PAGE)),
        start=(page - 1) * queries.PAGE + 1,
        **_words(),
    )


@bp.post("/verification/batches/<int:batch_id>/file")
@requires(Permission.EDIT_STUDENTS)
def download_batch(batch_id: int) -> ResponseReturnValue:
    """The file to hand to the office; that it was taken is written down."""
    school_id = own_school()
    with transaction():
        batch = services.record_download(
            school_id, batch_id, actor=current_actor(), now=clock.now()
        )
    code = school_info(school_id, clock.today()).code.lower()
    word = "hoc-sinh" if batch.kind is Kind.PUPILS else "can-bo"
    name = f"xac-thuc-{code}-{word}-{batch.number}"
    sent = _exchange().write_batch(queries.rows_to_send(school_id, batch_id), name=name)
    headers = {"Content-Disposition": f'attachment; filename="{sent.filename}"'}
    return Response(sent.body, content_type=sent.content_type, headers=headers)


@bp.post("/verification/batches/<int:batch_id>/close")
@requires(Permission.EDIT_STUDENTS)
def close_batch(batch_id: int) -> ResponseReturnValue:
    """No more answers come: who was not answered may be sent again."""
    with transaction():
        left = services.close_batch(own_school(), batch_id, actor=current_actor(), now=clock.now())
    flash(
        ngettext(
            "Closed; one person may be sent again",
            "Closed; %(num)s people may be sent again",
            left,
        ),
        "toast",
    )
    return redirect(url_for("verification.show_batch", batch_id=batch_id), 303)


# Results


@bp.post("/verification/results")
@requires(Permission.EDIT_STUDENTS)
def upload_results() -> ResponseReturnValue:
    """Read a file that came back; what it would do is shown first."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _overview(_("Choose the file that came back."), 422)
    try:
        with transaction():
            upload_id = results.upload(
                own_school(),
                _kind(),
                file.read(),
                file.filename,
                exchange=_exchange(),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _overview(refusal.message, refusal.status)
    return redirect(url_for("verification.show_results", upload_id=upload_id), 303)


@bp.get("/verification/results/<int:upload_id>")
@requires(Permission.EDIT_STUDENTS)
def show_results(upload_id: int) -> ResponseReturnValue:
    """The rehearsal of a file; after taking, the rows left to a person."""
    return _results_page(upload_id)


def _results_page(upload_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    found = results.get_upload(school_id, upload_id)
    kind = Kind(found.kind)
    plan = results.rehearse(school_id, kind, results.answers_of(found))
    page = render_template(
        "verification/show_results.html",
        upload=found,
        kind=kind,
        plan=plan,
        figures=results.counts_of(plan),
        shown=SHOWN,
        Standing=Standing,
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.post("/verification/results/<int:upload_id>/take")
@requires(Permission.EDIT_STUDENTS)
def take_results(upload_id: int) -> ResponseReturnValue:
    """Take the results of a file."""
    try:
        with transaction():
            taken = results.take(own_school(), upload_id, actor=current_actor(), now=clock.now())
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _results_page(upload_id, refusal.message, refusal.status)
    flash(
        _(
            "Taken: %(matched)s proved, %(differs)s differ, %(other)s not found or double",
            matched=taken.matched,
            differs=taken.differs,
            other=taken.not_found + taken.double,
        ),
        "toast",
    )
    return redirect(url_for("verification.show_results", upload_id=upload_id), 303)


# One person


@bp.get("/verification/pupils/<code>")
@requires(Permission.EDIT_STUDENTS)
def show_pupil(code: str) -> ResponseReturnValue:
    """What was asked and learned about one child, and the form for a paper that was seen."""
    return _pupil_page(code, ProofForm(formdata=None))


@bp.post("/verification/pupils/<code>/proof")
@requires(Permission.EDIT_STUDENTS)
def prove_pupil(code: str) -> ResponseReturnValue:
    """A person saw the paper of a child."""
    form = ProofForm()
    if not form.is_sent():
        return _pupil_page(code, form, status=422)
    student = _pupil(code)
    try:
        _prove(Kind.PUPILS, student.id, form)
    except DomainError as refusal:
        return _pupil_page(code, form, refusal.message, refusal.status)
    return redirect(url_for("verification.show_pupil", code=student.code), 303)


def _prove(kind: Kind, subject_id: int, form: ProofForm) -> None:
    with transaction():
        services.prove(
            own_school(),
            kind,
            subject_id,
            source=Source(form.source.data),
            document=form.document.data or "",
            actor=current_actor(),
            now=clock.now(),
        )
    flash(_("Proved by the paper you saw"), "toast")


def _pupil(code: str) -> Any:
    student = get_student(code, clock.today())
    if student.stay_at(own_school()) is None:
        raise PersonNotFound
    return student


def _pupil_page(
    code: str, form: ProofForm, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    student = _pupil(code)
    page = render_template(
        "verification/show_person.html",
        kind=Kind.PUPILS,
        name=student.full_name,
        student=student,
        state=queries.verification_of(student.id),
        events=queries.history(own_school(), Kind.PUPILS, student.id),
        proof=form,
        proof_url=url_for("verification.prove_pupil", code=student.code),
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.get("/verification/staff/<int:user_id>")
@requires(Permission.EDIT_STUDENTS)
def show_staff(user_id: int) -> ResponseReturnValue:
    """Who a member of staff is by the papers, and what was learned about it."""
    return _staff_page(user_id, ProofForm(formdata=None), _staff_form(user_id))


def _staff_form(user_id: int) -> StaffForm:
    known = staff.known(user_id)
    form = StaffForm(formdata=None)
    form.full_name.data, form.birth_date.data, form.sex.data = (
        known.full_name,
        known.birth_date,
        known.sex,
    )
    return form


@bp.post("/verification/staff/<int:user_id>")
@requires(Permission.EDIT_STUDENTS)
def save_staff(user_id: int) -> ResponseReturnValue:
    """Write down who a member of staff is; an empty number keeps the one that is known."""
    queries.staff_member(own_school(), user_id, clock.today())
    form = StaffForm()
    if not form.is_sent():
        return _staff_page(user_id, ProofForm(formdata=None), form, status=422)
    known = staff.known(user_id)
    try:
        with transaction():
            changed = staff.save_staff(
                own_school(),
                user_id,
                full_name=form.full_name.data or "",
                birth_date=form.birth_date.data,
                sex=Sex(form.sex.data),
                pin="".join((form.pin.data or "").split()) or known.pin,
                moet=(form.moet.data or "").strip() or known.moet,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _staff_page(user_id, ProofForm(formdata=None), form, refusal.message, refusal.status)
    flash(_("Saved") if changed else _("Nothing was changed"), "toast")
    return redirect(url_for("verification.show_staff", user_id=user_id), 303)


@bp.post("/verification/staff/<int:user_id>/proof")
@requires(Permission.EDIT_STUDENTS)
def prove_staff(user_id: int) -> ResponseReturnValue:
    """A person saw the paper of a member of staff."""
    queries.staff_member(own_school(), user_id, clock.today())
    form = ProofForm()
    if not form.is_sent():
        return _staff_page(user_id, form, _staff_form(user_id), status=422)
    try:
        _prove(Kind.STAFF, user_id, form)
    except DomainError as refusal:
        return _staff_page(user_id, form, _staff_form(user_id), refusal.message, refusal.status)
    return redirect(url_for("verification.show_staff", user_id=user_id), 303)


def _staff_page(
    user_id: int,
    proof: ProofForm,
    form: StaffForm,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    member = queries.staff_member(own_school(), user_id, clock.today())
    known = staff.known(user_id)
    page = render_template(
        "verification/show_person.html",
        kind=Kind.STAFF,
        name=member.full_name,
        student=None,
        member=member,
        masked_pin=shown_value(IdentityField.PIN, known.pin) if known.pin else "",
        has_moet=bool(known.moet),
        form=form,
        state=member.verification,
        events=queries.history(own_school(), Kind.STAFF, user_id),
        proof=proof,
        proof_url=url_for("verification.prove_staff", user_id=user_id),
        refusal=refusal,
        **_words(),
    )
    return page, status
