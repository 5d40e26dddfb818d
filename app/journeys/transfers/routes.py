"""Children who change school: the list, asking, answering, handing over, the hand-over sheet."""

from __future__ import annotations

from typing import Any

from flask import (
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app.core import clock, press
from app.core.acting import attempt
from app.core.db import transaction
from app.core.errors import DomainError
from app.journeys.transfers import departure_queries, queries, sentences, services
from app.journeys.transfers.blueprint import bp, read_day, read_words
from app.journeys.transfers.errors import NoSuchChild
from app.journeys.transfers.states import PaperKind
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import school_info


@bp.get("/transfers")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def list_transfers() -> ResponseReturnValue:
    """What waits for this school, what waits for the other, and what is done."""
    return _list()


def _list(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    today = clock.today()
    found = queries.list_transfers(school_id, today)
    return (
        render_template(
            "transfers/list_transfers.html",
            waiting=[t for t in found if t.waits_for(school_id)],
            others=[t for t in found if t.is_running and not t.waits_for(school_id)],
            done=[t for t in found if not t.is_running],
            words=sentences.states(),
            leaving=departure_queries.list_departures([school_id]),
            departure_words=sentences.departure_states(),
            duty_words=sentences.duties(),
            may_ask=require_membership().may(Permission.EDIT_STUDENTS),
            school_id=school_id,
            today=today,
            form=request.form,
            error=error,
        ),
        status,
    )


@bp.post("/transfers")
@requires(Permission.EDIT_STUDENTS)
def ask() -> ResponseReturnValue:
    """Ask for a child of another school."""
    try:
        born = read_day(request.form.get("birth_date", ""), NoSuchChild().message)
        wished = read_day(
            request.form.get("wished_on", ""), _("Enter the first day here as day/month/year.")
        )
        with transaction():
            transfer_id = services.ask(
                own_school(),
                code=request.form.get("code", "")[:20],
                birth_date=born,
                wished_on=wished,
                reason=read_words(needed=True),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _list(error=refusal.message, status=refusal.status)
    flash(_("Asked for. Your principal accepts, then the other school hands over."), "good")
    return redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)


@bp.get("/transfers/<int:transfer_id>")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def show_transfer(transfer_id: int) -> ResponseReturnValue:
    """One transfer, for either school."""
    return _show(transfer_id)


def _show(transfer_id: int, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "transfers/show_transfer.html", **_all_of(transfer_id), form=request.form, error=error
        ),
        status,
    )


def _all_of(transfer_id: int) -> dict[str, Any]:
    membership = require_membership()
    school_id = own_school()
    found = queries.get_transfer(school_id, transfer_id, clock.today())
    gives = found.from_school_id == school_id
    return {
        "transfer": found,
        "gives": gives,
        "steps": queries.steps_of(transfer_id),
        "papers": queries.papers_of(transfer_id),
        "paper_words": sentences.papers(),
        "words": sentences.states(),
        # The new school has no business with what is open at the old one.
        "money": queries.money_left(school_id, found.student_id)
        if gives and membership.may(Permission.VIEW_MONEY)
        else None,
        "may_edit": membership.may(Permission.EDIT_STUDENTS),
        "may_accept": membership.may(Permission.ACCEPT_TRANSFERS),
        "today": clock.today(),
    }


@bp.post("/transfers/<int:transfer_id>/answer")
@requires(Permission.ACCEPT_TRANSFERS)
def answer(transfer_id: int) -> ResponseReturnValue:
    """The principal of the new school accepts or declines."""
    accept = request.form.get("answer") == "accept"
    return _do(
        transfer_id,
        lambda: services.answer(
            own_school(),
            transfer_id,
            accept=accept,
            words=read_words(needed=not accept),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


@bp.post("/transfers/<int:transfer_id>/withdraw")
@requires(Permission.EDIT_STUDENTS)
def withdraw(transfer_id: int) -> ResponseReturnValue:
    """The family thinks again."""
    return _do(
        transfer_id,
        lambda: services.withdraw(
            own_school(),
            transfer_id,
            words=read_words(needed=True),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


@bp.post("/transfers/<int:transfer_id>/papers")
@requires(Permission.EDIT_STUDENTS)
def tick_papers(transfer_id: int) -> ResponseReturnValue:
    """Which papers lie ready."""
    kinds = [kind for kind in PaperKind if kind.value in request.form.getlist("paper")]
    return _do(
        transfer_id,
        lambda: services.tick_papers(
            own_school(), transfer_id, kinds, actor=current_actor(), now=clock.now()
        ),
    )


@bp.post("/transfers/<int:transfer_id>/hand-over")
@requires(Permission.EDIT_STUDENTS)
def hand_over(transfer_id: int) -> ResponseReturnValue:
    """The old school lets the child go."""

    def deed() -> None:
        first_day = read_day(
            request.form.get("first_day", ""),
            _("Enter the first day at the new school as day/month/year."),
        )
        services.hand_over(
            own_school(),
            transfer_id,
            first_day=first_day,
            words=read_words(needed=False),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(transfer_id, deed)


def _do(transfer_id: int, deed: Any) -> ResponseReturnValue:
    # Whose it is, is asked first: the deed itself looks at both schools.
    queries.get_transfer(own_school(), transfer_id, clock.today())
    return attempt(
        deed, lambda words, status: _show(transfer_id, error=words, status=status)
    ) or redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)


@bp.get("/transfers/<int:transfer_id>.pdf")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def hand_over_sheet(transfer_id: int) -> ResponseReturnValue:
    """The sheet that goes along with the dossier; what is owed stays off it for the new school."""
    now = clock.now()
    values = _all_of(transfer_id)
    transfer = values["transfer"]
    with force_locale("vi"):
        page = render_template(
            "pdf/transfer.html",
            **values | {"paper_words": sentences.papers()},
            school=school_info(own_school(), clock.local_day(now)),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    document = press.lay_out(page, sheets=("css/paper.css", "css/print-report.css"))
    paper = bytes(document.write_pdf(pdf_version="1.7"))
    headers = {"Content-Disposition": f'inline; filename="chuyen-truong-{transfer.code}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=headers)
