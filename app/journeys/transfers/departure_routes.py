"""A child leaves the area: asked, the to-do list with its days, letting go, closing; days off."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app.core import clock, press
from app.core.acting import attempt
from app.core.db import transaction
from app.core.errors import DomainError
from app.journeys.transfers import departure_queries, departures, queries, sentences
from app.journeys.transfers.blueprint import bp, read_day, read_words
from app.journeys.transfers.states import Duty, Mark
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    readable_schools,
    require_membership,
    requires,
)
from app.people.schools import calendar, school_info, set_day_off
from app.people.students.desk import AtDesk, open_child

SHEETS = ("css/paper.css", "css/print-report.css")


@bp.get("/students/<code>/departure")
@requires(Permission.EDIT_STUDENTS)
def show_asking(code: str) -> ResponseReturnValue:
    """Where does the family go, and when; the running departure if there is one."""
    desk = open_child(code)
    running = departure_queries.running_of_stay(desk.school_id, desk.stay.enrolment_id)
    if running is not None:
        return redirect(url_for(".show_departure", departure_id=running), 303)
    return _asking(desk)


def _asking(desk: AtDesk, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "transfers/ask_departure.html",
            child=desk.child,
            class_name=desk.child.class_at(desk.school_id),
            form=request.form,
            today=clock.today(),
            error=error,
        ),
        status,
    )


@bp.post("/students/<code>/departure")
@requires(Permission.EDIT_STUDENTS)
def open_departure(code: str) -> ResponseReturnValue:
    """Write the family's wish down."""
    desk = open_child(code)
    try:
        new = departures.NewDeparture(
            enrolment_id=desk.stay.enrolment_id,
            to_school=" ".join(request.form.get("to_school", "").split()),
            to_place=" ".join(request.form.get("to_place", "").split()),
            is_far=bool(request.form.get("is_far")),
            asked_on=read_day(
                request.form.get("asked_on", ""),
                _("Enter the day the family asked as day/month/year."),
            ),
            wished_on=read_day(
                request.form.get("wished_on", ""),
                _("Enter the first day at the new school as day/month/year."),
            ),
            reason=read_words(needed=False),
        )
        with transaction():
            departure_id = departures.open_departure(
                desk.school_id, new, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        return _asking(desk, error=refusal.message, status=refusal.status)
    return redirect(url_for(".show_departure", departure_id=departure_id), 303)


@bp.get("/transfers/departures/<int:departure_id>")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def show_departure(departure_id: int) -> ResponseReturnValue:
    """The to-do list of one departure."""
    return _show(departure_id)


def _show(departure_id: int, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    values = _all_of(departure_id)
    return (
        render_template("transfers/show_departure.html", **values, form=request.form, error=error),
        status,
    )


def _all_of(departure_id: int) -> dict[str, Any]:
    found = departure_queries.get_departure(own_school(), departure_id)
    membership = require_membership()
    return {
        "departure": found,
        "duty_words": sentences.duties(),
        "state_words": sentences.departure_states(),
        "punctuality": sentences.punctuality(),
        "hints": sentences.duty_hints(),
        "money": queries.money_left(found.school_id, found.student_id)
        if membership.may(Permission.VIEW_MONEY)
        else None,
        "may_edit": membership.may(Permission.EDIT_STUDENTS),
        "today": clock.today(),
    }


@bp.post("/transfers/departures/<int:departure_id>/accepted")
@requires(Permission.EDIT_STUDENTS)
def accept_departure(departure_id: int) -> ResponseReturnValue:
    """The other school has said yes."""

    def deed() -> None:
        day = read_day(
            request.form.get("day", ""), _("Enter the day of the answer as day/month/year.")
        )
        departures.accept(
            own_school(),
            departure_id,
            day=day,
            words=read_words(needed=False),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(departure_id, deed)


@bp.post("/transfers/departures/<int:departure_id>/duties")
@requires(Permission.EDIT_STUDENTS)
def mark_duties(departure_id: int) -> ResponseReturnValue:
    """Which papers are out, and which this child does not have."""
    found = departure_queries.get_departure(own_school(), departure_id)
    done, needless = request.form.getlist("done"), request.form.getlist("needless")
    marks = {
        state.rule.duty: _mark(state.rule.duty, done, needless)
        for state in found.duties
        if not state.rule.is_automatic
    }
    return _do(
        departure_id,
        lambda: departures.mark(
            own_school(), departure_id, marks, actor=current_actor(), now=clock.now()
        ),
    )


def _mark(duty: Duty, done: list[str], needless: list[str]) -> Mark:
    if duty.value in done:
        return Mark.DONE
    return Mark.NEEDLESS if duty.value in needless else Mark.OPEN


@bp.post("/transfers/departures/<int:departure_id>/leave")
@requires(Permission.EDIT_STUDENTS)
def let_go(departure_id: int) -> ResponseReturnValue:
    """The last day at this school."""

    def deed() -> None:
        last = read_day(
            request.form.get("last_day", ""), _("Enter the last day here as day/month/year.")
        )
        departures.let_go(
            own_school(), departure_id, last_day=last, actor=current_actor(), now=clock.now()
        )

    return _do(departure_id, deed)


@bp.post("/transfers/departures/<int:departure_id>/close")
@requires(Permission.EDIT_STUDENTS)
def close_departure(departure_id: int) -> ResponseReturnValue:
    """All is done."""
    found = departure_queries.get_departure(own_school(), departure_id)
    return _do(
        departure_id,
        lambda: departures.close(
            own_school(),
            departure_id,
            is_settled=found.is_settled,
            words=read_words(needed=False),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


@bp.post("/transfers/departures/<int:departure_id>/withdraw")
@requires(Permission.EDIT_STUDENTS)
def withdraw_departure(departure_id: int) -> ResponseReturnValue:
    """The family stays."""
    return _do(
        departure_id,
        lambda: departures.withdraw(
            own_school(),
            departure_id,
            words=read_words(needed=True),
            actor=current_actor(),
            now=clock.now(),
        ),
    )


def _do(departure_id: int, deed: Any) -> ResponseReturnValue:
    return attempt(
        deed, lambda words, status: _show(departure_id, error=words, status=status)
    ) or redirect(url_for(".show_departure", departure_id=departure_id), 303)


@bp.get("/transfers/departures/<int:departure_id>.pdf")
@requires(Permission.EDIT_STUDENTS, Permission.ACCEPT_TRANSFERS)
def departure_sheet(departure_id: int) -> ResponseReturnValue:
    """The sheet that goes along with the dossier."""
    now = clock.now()
    with force_locale("vi"):
        page = render_template(
            "pdf/departure.html",
            **_all_of(departure_id),
            school=school_info(own_school(), clock.local_day(now)),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    paper = bytes(press.lay_out(page, sheets=SHEETS).write_pdf(pdf_version="1.7"))
    headers = {"Content-Disposition": f'inline; filename="chuyen-di-{departure_id}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=headers)


# The area


@bp.get("/area/transfers")
@requires(Permission.VIEW_AREA)
def area_transfers() -> ResponseReturnValue:
    """Of all schools: how many transfers run, what is over its day, what was done in time."""
    return _area()


def _area(*, error: str = "", status: int = 200) -> ResponseReturnValue:
    today = clock.today()
    schools = readable_schools()
    inside = queries.running_at([school.id for school in schools], today)
    outside = departure_queries.counts(
        departure_queries.list_departures([s.id for s in schools], with_money=False), today
    )
    membership, none = require_membership(), departure_queries.Counts()
    busy = [school for school in schools if school.id in inside or school.id in outside]
    return (
        render_template(
            "transfers/area.html",
            counts=[
                (school, *inside.get(school.id, (0, 0)), outside.get(school.id, none))
                for school in busy
            ],
            quiet=len(schools) - len(busy),
            unit_name=membership.school_name,
            days_off=sorted((day, name) for day, name in calendar().named.items() if day >= today),
            may_set=membership.may(Permission.OPEN_YEAR),
            form=request.form,
            error=error,
        ),
        status,
    )


@bp.post("/area/days-off")
@requires(Permission.OPEN_YEAR)
def set_days_off() -> ResponseReturnValue:
    """Write down days on which no term runs, or that one is worked after all."""
    is_off = request.form.get("deed") != "work"
    message = _("Enter the days off as day/month/year.")
    try:
        first = read_day(request.form.get("first", ""), message)
        written = request.form.get("last", "").strip()
        last: date = read_day(written, message) if written else first
        with transaction():
            count = set_day_off(
                first,
                last=last,
                name=request.form.get("name", ""),
                is_off=is_off,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _area(error=refusal.message, status=refusal.status)
    if is_off:
        flash(_("Written down: %(n)s days off. Terms that run end later.", n=count), "good")
    else:
        flash(_("Taken back: it is a working day again."), "good")
    return redirect(url_for(".area_transfers") + "#days-off", 303)
