"""The register of applications, one of them, grounds, lists for the budget and for support."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, papers
from app.core.acting import attempt
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.forms import read_day, read_vnd
from app.core.money import total_of
from app.core.period import Period
from app.core.sheets import Column, write_workbook
from app.money import fees
from app.money.exemptions import queries, sentences, services
from app.money.exemptions.errors import BadApplication, ProofRefused
from app.money.exemptions.models import State
from app.money.fees import queries as fee_queries
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    readable_schools,
    require_membership,
    requires,
)
from app.people.students.desk import open_child

bp = Blueprint("exemptions", __name__)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.url_value_preprocessor
def _let_papers_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form: the app's own limit is made for forms without files.
    if endpoint == "exemptions.add_proof":
        request.max_content_length = papers.MOST + 2**16


def _may(permission: Permission) -> bool:
    return require_membership().may(permission)


def _month(name: str, *, needed: bool) -> Period | None:
    text = request.form.get(name, "").strip()
    if not text and not needed:
        return None
    try:
        return Period.parse(text)
    except ValueError:
        raise BadApplication(_("Enter a month, for example 11/2026")) from None


def _date(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    return read_day(text) if text else None


# The register


@bp.get("/exemptions")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS)
def list_applications() -> ResponseReturnValue:
    """What waits, by its last day; decisions with early, on time or late; proofs about to end."""
    school_id, today = own_school(), clock.today()
    found = queries.applications(school_id)
    return render_template(
        "exemptions/list_applications.html",
        waiting=[one for one in found if one.is_running],
        decided=[one for one in found if not one.is_running],
        counts=queries.counts([school_id], today).get(school_id, queries.Counts()),
        expiring=queries.expiring(school_id, today),
        siblings=queries.siblings(school_id, today) if _may(Permission.DECIDE_EXEMPTIONS) else [],
        states=sentences.states(),
        words=sentences.punctuality(),
        today=today,
        month=Period.of(today),
        may_receive=_may(Permission.RECEIVE_EXEMPTIONS),
    )


@bp.post("/exemptions/siblings")
@requires(Permission.DECIDE_EXEMPTIONS)
def grant_siblings() -> ResponseReturnValue:
    """Grant the sibling rule to the ticked children."""
    stays = [int(one) for one in request.form.getlist("stay") if one.isdigit()]
    try:
        with transaction():
            done = services.grant_siblings(
                own_school(),
                request.form.get("policy", 0, type=int),
                stays,
                Period.of(clock.today()),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        flash(refusal.message, "error")
    else:
        flash(ngettext("Granted to one child.", "Granted to %(num)s children.", done), "toast")
    return redirect(url_for(".list_applications"), 303)


@bp.get("/students/<code>/exemption")
@requires(Permission.RECEIVE_EXEMPTIONS)
def show_form(code: str) -> ResponseReturnValue:
    """A new application of a child."""
    return _form(code)


def _form(code: str, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    desk, today = open_child(code), clock.today()
    return (
        render_template(
            "exemptions/apply.html",
            child=desk.child,
            class_name=desk.child.class_at(desk.school_id),
            policies=[
                one
                for one in queries.policies()
                if not one.applies_to_all and (one.valid_to is None or one.valid_to > today)
            ],
            month=Period.of(today),
            today=today,
            form=request.form,
            refusal=refusal,
        ),
        status,
    )


@bp.post("/students/<code>/exemption")
@requires(Permission.RECEIVE_EXEMPTIONS)
def receive(code: str) -> ResponseReturnValue:
    """Write the application down."""
    desk = open_child(code)
    try:
        first = _month("first", needed=True)
        assert first is not None  # noqa: S101 - needed above
        new = services.NewApplication(
            enrolment_id=desk.stay.enrolment_id,
            policy_id=request.form.get("policy", 0, type=int),
            first=first,
            last=_month("last", needed=False),
            received_on=_date("received_on") or clock.today(),
            words=request.form.get("words", ""),
        )
        with transaction():
            number = services.receive(desk.school_id, new, actor=current_actor(), now=clock.now())
    except DomainError as refusal:
        return _form(code, refusal=refusal.message, status=refusal.status)
    return redirect(url_for(".show_application", application_id=number), 303)


# One application


@bp.get("/exemptions/<int:application_id>")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS)
def show_application(application_id: int) -> ResponseReturnValue:
    """One application: what is asked, the papers, the steps, what may follow."""
    return _show(application_id)


def _show(application_id: int, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    found = queries.get_application(school_id, application_id)
    return (
        render_template(
            "exemptions/show_application.html",
            application=found,
            policy=next(one for one in queries.policies() if one.id == found.policy_id),
            steps=queries.steps_of(school_id, application_id),
            proofs=queries.proofs_of(school_id, application_id),
            states=sentences.states(),
            words=sentences.punctuality(),
            today=clock.today(),
            month=Period.of(clock.today()),
            may_receive=_may(Permission.RECEIVE_EXEMPTIONS),
            may_decide=_may(Permission.DECIDE_EXEMPTIONS),
            form=request.form,
            refusal=refusal,
        ),
        status,
    )


def _do(application_id: int, deed: Callable[[], object]) -> ResponseReturnValue:
    return attempt(
        deed, lambda words, status: _show(application_id, refusal=words, status=status)
    ) or redirect(url_for(".show_application", application_id=application_id), 303)


@bp.post("/exemptions/<int:application_id>/step")
@requires(Permission.RECEIVE_EXEMPTIONS)
def take_step(application_id: int) -> ResponseReturnValue:
    """The office finds it in order, asks for more, or the family withdraws."""
    wanted = {"check": State.CHECKED, "more": State.MORE, "withdraw": State.WITHDRAWN}
    state = wanted.get(request.form.get("deed", ""), State.RECEIVED)
    return _do(
        application_id,
        lambda: services.take_step(
            own_school(),
            application_id,
            state,
            words=request.form.get("words", ""),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


@bp.post("/exemptions/<int:application_id>/decide")
@requires(Permission.DECIDE_EXEMPTIONS)
def decide(application_id: int) -> ResponseReturnValue:
    """The principal grants or refuses."""
    return _do(
        application_id,
        lambda: services.decide(
            own_school(),
            application_id,
            grant=request.form.get("deed") == "grant",
            words=request.form.get("words", ""),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


@bp.post("/exemptions/<int:application_id>/end")
@requires(Permission.DECIDE_EXEMPTIONS)
def end_grant(application_id: int) -> ResponseReturnValue:
    """The principal lets a grant end with a month."""

    def deed() -> None:
        last = _month("last", needed=True)
        assert last is not None  # noqa: S101 - needed above
        services.end_grant(
            own_school(),
            application_id,
            last=last,
            words=request.form.get("words", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(application_id, deed)


@bp.post("/exemptions/<int:application_id>/proofs")
@requires(Permission.RECEIVE_EXEMPTIONS)
def add_proof(application_id: int) -> ResponseReturnValue:
    """Keep a paper."""

    def deed() -> None:
        file = request.files.get("file")
        if file is None:
            raise ProofRefused
        services.add_proof(
            own_school(),
            application_id,
            name=request.form.get("name", ""),
            content=file.read(papers.MOST + 1),
            valid_until=_date("valid_until"),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(application_id, deed)


@bp.post("/exemptions/proofs/<int:proof_id>")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS)
def open_proof(proof_id: int) -> ResponseReturnValue:
    """Look at a paper; the trail says who did."""
    with transaction():
        kind, content = services.open_proof(
            own_school(), proof_id, actor=current_actor(), now=clock.now()
        )
    return Response(content, content_type=kind, headers=papers.headers(f"giay-to-{proof_id}", kind))


# Lists


def _span() -> tuple[Period, Period]:
    today = Period.of(clock.today())
    try:
        first = Period.parse(request.args.get("first", ""))
        last = Period.parse(request.args.get("last", ""))
    except ValueError:
        # The semester that is on.
        first = Period(today.year, 9) if today.month >= 9 else Period(today.year, 1)
        return first, today
    return (first, last) if first <= last else (last, first)


@bp.get("/exemptions/lists")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS)
def show_lists() -> ResponseReturnValue:
    """What the budget compensates, and money to children."""
    first, last = _span()
    compensated = queries.compensation(own_school(), first, last)
    supported = queries.supported(own_school(), first, last)
    return render_template(
        "exemptions/show_lists.html",
        first=first,
        last=last,
        compensated=compensated,
        compensated_sum=total_of([one.amount for one in compensated]),
        supported=supported,
        supported_sum=total_of([one.amount for one in supported]),
    )


@bp.get("/exemptions/lists.xlsx")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS)
def lists_workbook() -> ResponseReturnValue:
    """One of the two lists as a workbook."""
    first, last = _span()
    head = [Column(_("Class")), Column(_("Pupil code")), Column(_("Full name"))]
    if request.args.get("what") == "support":
        head += [Column(_("Ground of relief")), Column(_("Months"), is_text=False)]
        head += [Column(_("A month"), is_text=False), Column(_("Amount"), is_text=False)]
        lines: list[tuple[Any, ...]] = [
            (r.class_name, r.code, r.full_name, r.policy, r.months, r.monthly.dong, r.amount.dong)
            for r in queries.supported(own_school(), first, last)
        ]
    else:
        head += [Column(_("Ground of relief")), Column(_("Item")), Column(_("Rate"), is_text=False)]
        head += [Column(_("Months"), is_text=False), Column(_("Gross"), is_text=False)]
        head += [Column(_("Amount"), is_text=False)]
        lines = [
            (
                *(r.class_name, r.code, r.full_name, r.policy, r.item, r.percent, r.months),
                *(r.gross.dong, r.amount.dong),
            )
            for r in queries.compensation(own_school(), first, last)
        ]
    body = write_workbook(head, lines, title=f"{first} {last}")
    headers = {"Content-Disposition": f'attachment; filename="danh-sach-{first}-{last}.xlsx"'}
    return Response(body, content_type=XLSX, headers=headers)


# Grounds and the area


@bp.get("/exemptions/grounds")
@requires(Permission.RECEIVE_EXEMPTIONS, Permission.DECIDE_EXEMPTIONS, Permission.VIEW_AREA)
def show_grounds() -> ResponseReturnValue:
    """The grounds with acts and rates; for the unit above also how schools keep their days."""
    return _grounds()


def _grounds(*, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    today = clock.today()
    schools = readable_schools() if _may(Permission.VIEW_AREA) else []
    counts = queries.counts([school.id for school in schools], today)
    may_set = _may(Permission.SET_CATALOGUE)
    return (
        render_template(
            "exemptions/show_grounds.html",
            policies=queries.policies(),
            counts=[(school, counts[school.id]) for school in schools if school.id in counts],
            items=fee_queries.items_for(today) if may_set else [],
            may_set=may_set,
            today=today,
            unit_name=require_membership().school_name,
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


def _do_ground(deed: Callable[[], object], done: str) -> ResponseReturnValue:
    refused = attempt(deed, lambda words, status: _grounds(refusal=words, status=status))
    if refused is not None:
        return refused
    flash(done, "toast")
    return redirect(url_for(".show_grounds"), 303)


@bp.post("/exemptions/grounds")
@requires(Permission.SET_CATALOGUE)
def add_ground() -> ResponseReturnValue:
    """A new ground with its rates."""

    def deed() -> None:
        form = request.form
        first = _date("valid_from")
        support, nth = (form.get(name, "").strip() for name in ("support", "sibling_nth"))
        if first is None or not form.get("name", "").strip() or not form.get("code", "").strip():
            raise BadApplication(_("Give the ground a short code, a name and its first day."))
        if not form.get("legal_act", "").strip():
            raise BadApplication(_("Name the act with its article."))
        if nth and not (nth.isascii() and nth.isdecimal() and 2 <= int(nth) <= 20):
            raise BadApplication(_("The sibling rule begins with child 2 to 20 of a family."))
        rates = []
        for item in fee_queries.items_for(clock.today()):
            text = form.get(f"rate-{item.id}", "").strip()
            if text:
                if not (text.isascii() and text.isdecimal() and len(text) < 4):
                    raise BadApplication(_("A rate is a whole number from 1 to 100."))
                rates.append((item.id, int(text)))
        fees.add_policy(
            fees.NewPolicy(
                code=form.get("code", "").strip().upper()[:24],
                name=form.get("name", "").strip()[:200],
                legal_act=form.get("legal_act", "").strip()[:200],
                valid_from=first,
                valid_to=_date("valid_to"),
                rates=tuple(rates),
                applies_to_all=bool(form.get("applies_to_all")),
                support=read_vnd(support) if support else None,
                sibling_nth=int(nth) if nth else None,
            ),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do_ground(deed, _("The ground can be applied for."))


@bp.post("/exemptions/grounds/<int:policy_id>/end")
@requires(Permission.SET_CATALOGUE)
def end_ground(policy_id: int) -> ResponseReturnValue:
    """A ground that holds no longer from a day on."""

    def deed() -> None:
        day = read_day(request.form.get("valid_to", ""))
        fees.end_policy(policy_id, valid_to=day, actor=current_actor(), now=clock.now())

    return _do_ground(deed, _("The ground ends on that day."))
