"""Screens of the area: how far every school is, the next year, who goes where."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.money import total_of
from app.journeys.year_end import handover_queries, handover_services, queries, sentences, services
from app.journeys.year_end.errors import BadAssignment
from app.journeys.year_end.forms import AssignForm, AssignListForm, NewYearForm, first_error
from app.journeys.year_end.plan import NEXT_LEVEL
from app.journeys.year_end.routes import ORDER, asked_pair, bp, workbook
from app.people.access import (
    Permission,
    current_actor,
    readable_schools,
    require_membership,
    requires,
)
from app.people.schools import years

#: Schools stand in this order: those that need a word first.
STATES = ("blocked", "undone", "untouched", "ready", "turned")


@bp.get("/area/year-end")
@requires(Permission.VIEW_AREA)
def area() -> ResponseReturnValue:
    """All schools at the end of a year, side by side."""
    return _area_page(NewYearForm(formdata=None)), 200


def _area_page(form: NewYearForm, refusal: str = "") -> str:
    pair = asked_pair()
    schools = readable_schools()
    found = queries.rehearse([school.id for school in schools], pair, clock.today())
    rows = sorted(
        ((school, found[school.id]) for school in schools),
        key=lambda row: (STATES.index(row[1].state), row[0].code),
    )
    if request.method == "GET":
        form.starts_on.data = clock.years_on(pair.old.starts_on, 1)
        form.ends_on.data = clock.years_on(pair.old.ends_on, 1)
    return render_template(
        "year_end/area.html",
        pair=pair,
        rows=rows,
        states=STATES,
        order=ORDER,
        outcome_word=sentences.outcome_word,
        blocker_short=sentences.blocker_short,
        widest=max((r.children for _s, r in rows), default=1) or 1,
        children=sum(r.children for _s, r in rows),
        decided=sum(r.decided for _s, r in rows),
        counts={state: sum(1 for _s, r in rows if r.state == state) for state in STATES},
        totals={outcome: sum(r.of(outcome) for _s, r in rows) for outcome in ORDER},
        debts=total_of([r.debts for _s, r in rows]),
        credits=total_of([r.credits for _s, r in rows]),
        form=form,
        refusal=refusal,
        years=years(),
        unit_name=require_membership().school_name,
        may_open=require_membership().may(Permission.OPEN_YEAR),
    )


@bp.post("/area/school-years")
@requires(Permission.OPEN_YEAR)
def open_year() -> ResponseReturnValue:
    """Open the next school year for all schools."""
    form = NewYearForm()
    if not form.is_sent():
        return _area_page(form, first_error(form)), 422
    try:
        with transaction():
            services.open_next_year(
                asked_pair(),
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _area_page(form, refusal.message), refusal.status
    flash(_("The next school year is open for all schools."), "success")
    return redirect(url_for(".area", year=request.form.get("year") or None), 303)


# Who goes where


@bp.get("/area/hand-over")
@requires(Permission.VIEW_AREA)
def hand_over() -> ResponseReturnValue:
    """The ways between the schools with their numbers."""
    return _hand_over_page(), 200


def _hand_over_page(refusal: str = "", lines: str = "") -> str:
    pair = asked_pair()
    schools = readable_schools()
    routes = handover_queries.routes_between([school.id for school in schools], pair)
    return render_template(
        "year_end/hand_over.html",
        pair=pair,
        routes=routes,
        groups=_grouped(routes),
        targets={
            level: [school for school in schools if school.level == after]
            for level, after in NEXT_LEVEL.items()
        },
        refusal=refusal,
        lines=lines,
        may_assign=require_membership().may(Permission.HAND_OVER),
        unit_name=require_membership().school_name,
    )


def _grouped(routes: list[handover_queries.Route]) -> list[dict[str, Any]]:
    """The ways of each school that hands over, with its totals."""
    found: dict[int, dict[str, Any]] = {}
    for way in routes:
        group = found.setdefault(
            way.from_school_id,
            {
                "id": way.from_school_id,
                "code": way.from_code,
                "name": way.from_name,
                "level": way.from_level,
                "ways": [],
                "children": 0,
                "assigned": 0,
                "ready": 0,
                "admitted": 0,
            },
        )
        group["ways"].append(way)
        group["children"] += way.children
        group["assigned"] += way.children if way.to_school_id else 0
        group["ready"] += way.ready
        group["admitted"] += way.admitted
    return list(found.values())


@bp.get("/area/hand-over.xlsx")
@requires(Permission.VIEW_AREA)
def hand_over_workbook() -> ResponseReturnValue:
    """All children on the way, to be filled in and pasted back."""
    pair = asked_pair()
    children = handover_queries.finishing_in([school.id for school in readable_schools()], pair)
    return workbook(
        _("Pupils who finish in %(year)s", year=pair.old.code),
        require_membership().school_name,
        children,
        f"ban-giao-{pair.old.code}.xlsx",
    )


@bp.post("/area/hand-over")
@requires(Permission.HAND_OVER)
def assign() -> ResponseReturnValue:
    """Send the unassigned children of one school to one school."""
    form = AssignForm()
    if not form.is_sent():
        return _hand_over_page(_("Choose two schools of your area.")), 422
    try:
        to = next((s for s in readable_schools() if s.code == form.to_school.data), None)
        if to is None:
            raise BadAssignment(_("Choose two schools of your area."))
        with transaction():
            count = handover_services.assign_from(
                int(form.from_school.data or 0),
                to,
                readable=require_membership().readable,
                pair=asked_pair(),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _hand_over_page(refusal.message), refusal.status
    return _assigned(count)


@bp.post("/area/hand-over/list")
@requires(Permission.HAND_OVER)
def assign_list() -> ResponseReturnValue:
    """Take a pasted assignment list, all or none."""
    form = AssignListForm()
    written = form.lines.data or ""
    if not form.is_sent():
        return _hand_over_page(
            _("The list is empty. Paste two columns: pupil code and code of the school."), written
        ), 422
    try:
        with transaction():
            count = handover_services.assign_list(
                handover_services.read_lines(written),
                {school.code: school for school in readable_schools()},
                pair=asked_pair(),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _hand_over_page(refusal.message, written), refusal.status
    return _assigned(count)


def _assigned(count: int) -> ResponseReturnValue:
    flash(
        ngettext("One pupil has a new school.", "%(num)s pupils have a new school.", count),
        "success",
    )
    return redirect(url_for(".hand_over", year=request.form.get("year") or None), 303)
