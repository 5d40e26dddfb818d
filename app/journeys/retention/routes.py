"""The table of terms, the pupils whose term is over, and requests that two people carry."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.journeys.retention import queries, sentences, services
from app.journeys.retention.errors import NobodyChosen
from app.journeys.retention.forms import AskForm, DecideForm, TermForm, first_error
from app.journeys.retention.models import Certainty, RecordKind, Term
from app.people.access import (
    Permission,
    current_actor,
    readable_schools,
    require_membership,
    requires,
)

bp = Blueprint("retention", __name__)

#: How many pupils one request takes: as many as a person can look through.
MOST = 200


@bp.get("/retention")
@requires(Permission.SEE_TERMS)
def show_terms() -> ResponseReturnValue:
    """What is kept until when, and under which act."""
    return _terms_page()


def _terms_page(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    membership = require_membership()
    today = clock.today()
    found = queries.terms()
    return (
        render_template(
            "retention/show_terms.html",
            now=[term for term in found if term.holds_on(today)],
            others=[term for term in found if not term.holds_on(today)],
            kinds=list(RecordKind),
            term_choices=list(Term),
            certainties=list(Certainty),
            words=sentences,
            years=queries.years_after_leaving(today),
            may_set=membership.may(Permission.SET_TERMS),
            may_ask=membership.may(Permission.ASK_TO_FORGET),
            form=request.form,
            today=today,
            error=error,
        ),
        status,
    )


@bp.post("/retention/terms")
@requires(Permission.SET_TERMS)
def set_term() -> ResponseReturnValue:
    """A new dated row; the one before stays."""
    form = TermForm()
    if not form.is_sent():
        return _terms_page(error=first_error(form), status=422)
    term = Term(str(form.term.data))
    try:
        with transaction():
            services.set_term(
                RecordKind(str(form.kind.data)),
                term=term,
                years=form.years.data if term is Term.YEARS else None,
                act=form.act.data or "",
                source=form.source.data or "",
                certainty=Certainty(str(form.certainty.data)),
                valid_from=form.valid_from.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _terms_page(error=refusal.message, status=refusal.status)
    flash(_("The new term is kept; the one before stays in the list."), "success")
    return redirect(url_for(".show_terms"), 303)


@bp.get("/retention/pupils")
@requires(Permission.ASK_TO_FORGET)
def list_due() -> ResponseReturnValue:
    """Pupils who left long enough ago, and the requests about them."""
    return _due_page()


def _due_page(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    today = clock.today()
    membership = require_membership()
    schools = readable_schools()
    found = queries.due([school.id for school in schools], today)
    counts = {
        school.id: (
            sum(1 for one in found if one.school_id == school.id and one.obstacle is None),
            sum(1 for one in found if one.school_id == school.id and one.obstacle is not None),
        )
        for school in schools
    }
    wanted = request.values.get("school", "")
    busy = [school for school in schools if sum(counts[school.id])]
    chosen = (
        next((school for school in schools if school.id == membership.school_id), None)
        if membership.school_id is not None
        else next((s for s in schools if s.code == wanted), busy[0] if busy else None)
    )
    here = [one for one in found if chosen is not None and one.school_id == chosen.id]
    # What can be asked for stands first, and no more than one request takes.
    here.sort(key=lambda one: (one.is_asked, one.obstacle is not None))
    return (
        render_template(
            "retention/list_due.html",
            years=queries.years_after_leaving(today),
            schools=busy if membership.school_id is None else [],
            counts=counts,
            chosen=chosen,
            pupils=here[:MOST],
            left_over=max(0, len(here) - MOST),
            asked=queries.requests_of([school.id for school in schools], today),
            is_area=membership.school_id is None,
            unit_name=membership.school_name,
            obstacle_word=sentences.obstacle_word,
            form=request.form,
            ticked=request.form.getlist("code"),
            error=error,
        ),
        status,
    )


@bp.post("/retention/pupils")
@requires(Permission.ASK_TO_FORGET)
def ask() -> ResponseReturnValue:
    """Ask that the ticked pupils be made anonymous."""
    form = AskForm()
    if not form.is_sent():
        return _due_page(error=first_error(form) or NobodyChosen().message, status=422)
    membership = require_membership()
    school = next(
        (
            school
            for school in readable_schools()
            if (school.id == membership.school_id)
            or (membership.school_id is None and school.code == form.school.data)
        ),
        None,
    )
    codes = [code[:20] for code in request.form.getlist("code")]
    if school is None or len(codes) > MOST:
        return _due_page(error=NobodyChosen().message, status=422)
    try:
        with transaction():
            request_id = services.ask(
                school.id,
                codes,
                reason=form.reason.data or "",
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _due_page(error=refusal.message, status=refusal.status)
    flash(_("Asked. Nothing changes until a second person has approved it."), "success")
    return redirect(url_for(".show_request", request_id=request_id), 303)


@bp.get("/retention/requests/<int:request_id>")
@requires(Permission.ASK_TO_FORGET)
def show_request(request_id: int) -> ResponseReturnValue:
    """A request with its pupils, as they stand now or as they ended."""
    return _request_page(request_id)


def _request_page(request_id: int, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    membership = require_membership()
    found, children = queries.get_request(request_id, membership.readable, clock.today())
    return (
        render_template(
            "retention/show_request.html",
            found=found,
            children=children,
            free=sum(1 for child in children if child.outcome is None),
            is_own=found.asked_by_id == membership.user_id,
            may_decide=membership.may(Permission.FORGET_STUDENTS),
            obstacle_word=sentences.obstacle_word,
            error=error,
        ),
        status,
    )


@bp.post("/retention/requests/<int:request_id>")
@requires(Permission.FORGET_STUDENTS)
def decide(request_id: int) -> ResponseReturnValue:
    """Approve or decline, as a second person."""
    form = DecideForm()
    if not form.is_sent():
        return _request_page(request_id, error=first_error(form), status=422)
    approve = form.approve.data == "yes"
    try:
        with transaction():
            gone = services.decide(
                request_id,
                approve=approve,
                words=form.words.data or "",
                allowed=require_membership().readable,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _request_page(request_id, error=refusal.message, status=refusal.status)
    flash(
        ngettext(
            "One pupil was made anonymous. Money and receipts are as they were.",
            "%(num)s pupils were made anonymous. Money and receipts are as they were.",
            gone,
        )
        if approve
        else _("Turned down. Nothing was changed."),
        "success",
    )
    return redirect(url_for(".show_request", request_id=request_id), 303)
