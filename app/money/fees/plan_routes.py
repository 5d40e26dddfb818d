"""The plan of a school year: estimate, parents, days to pay; the unit above; the public page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from app import audit
from app.core import clock, papers, scope
from app.core.acting import attempt
from app.core.db import enter_scope, transaction
from app.core.errors import DomainError, NotFound
from app.core.forms import read_day, read_vnd
from app.core.money import total_of
from app.core.period import Period
from app.money.fees import plans, queries, services, table
from app.money.fees.models import ScheduleState
from app.money.fees.queries import Schedule
from app.money.fees.routes import audience_text, bp
from app.money.fees.words import categories, units
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    public,
    readable_schools,
    require_membership,
    requires,
)
from app.people.schools import SchoolInfo, find_school, school_info, year_of


@bp.get("/fee-schedules/<int:schedule_id>/plan")
@requires(Permission.VIEW_MONEY)
def show_plan(schedule_id: int) -> ResponseReturnValue:
    """What stands around the prices of a version."""
    return _plan(schedule_id)


def _plan(schedule_id: int, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    schedule = queries.get_schedule(own_school(), schedule_id)
    membership = require_membership()
    may_edit = schedule.state is ScheduleState.DRAFT and membership.may(Permission.DRAFT_FEES)
    return (
        render_template(
            "fees/plan.html",
            **_around(schedule),
            may_edit=may_edit,
            may_agree=schedule.state in (ScheduleState.DRAFT, ScheduleState.SUBMITTED)
            and membership.may(Permission.DRAFT_FEES),
            may_consent=False,
            paper_url=lambda one: url_for(
                ".open_agreement", schedule_id=schedule_id, agreement_id=one.id
            ),
            school=None,
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


def _around(schedule: Schedule) -> dict[str, Any]:
    today = clock.today()
    source = plans.compared_with(schedule)
    estimates = plans.estimates(schedule, today)
    return {
        "schedule": schedule,
        "source": source,
        "changes": plans.changes(schedule, source) if source is not None else [],
        "audience": lambda one: audience_text(
            table.Audience(one.audience, one.grade, one.class_name)
        ),
        "estimates": estimates,
        "income": total_of([one.income for one in estimates]),
        "cost": total_of([one.cost for one in estimates]),
        "agreements": plans.agreements(schedule.school_id, schedule.id),
        "due": plans.due_dates(schedule.school_id, schedule.id),
        "missing": plans.missing(schedule, today),
        "needs_consent": plans.needs_consent(schedule.school_id, today),
        "units": units(),
        "categories": categories(),
        "audience_text": audience_text,
        **_priced(schedule),
        "steep": plans.STEEP,
        "today": today,
    }


def _do(
    schedule_id: int, anchor: str, deed: Callable[[audit.Actor, datetime], None]
) -> ResponseReturnValue:
    return attempt(
        lambda: deed(current_actor(), clock.now()),
        lambda words, status: _plan(schedule_id, refusal=words, status=status),
    ) or redirect(url_for(".show_plan", schedule_id=schedule_id, _anchor=anchor), 303)


def _whole(name: str) -> int:
    text = request.form.get(name, "").replace(".", "").strip()
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else -1


@bp.post("/fee-schedules/<int:schedule_id>/costs")
@requires(Permission.DRAFT_FEES)
def add_cost(schedule_id: int) -> ResponseReturnValue:
    """A line of the estimate."""

    def deed(actor: audit.Actor, now: datetime) -> None:
        plans.add_cost(
            own_school(),
            schedule_id,
            item_id=request.form.get("item", 0, type=int),
            words=request.form.get("words", ""),
            amount=read_vnd(request.form.get("amount", "")),
            actor=actor,
            now=now,
        )

    return _do(schedule_id, "estimate", deed)


@bp.post("/fee-schedules/<int:schedule_id>/costs/<int:cost_id>/remove")
@requires(Permission.DRAFT_FEES)
def remove_cost(schedule_id: int, cost_id: int) -> ResponseReturnValue:
    """Take a line out again."""
    return _do(
        schedule_id,
        "estimate",
        lambda actor, now: plans.remove_cost(
            own_school(), schedule_id, cost_id, actor=actor, now=now
        ),
    )


@bp.post("/fee-schedules/<int:schedule_id>/takers")
@requires(Permission.DRAFT_FEES)
def set_takers(schedule_id: int) -> ResponseReturnValue:
    """How many pupils an item is expected to have."""
    return _do(
        schedule_id,
        "estimate",
        lambda actor, now: plans.set_takers(
            own_school(),
            schedule_id,
            item_id=request.form.get("item", 0, type=int),
            pupils=_whole("pupils"),
            actor=actor,
            now=now,
        ),
    )


@bp.post("/fee-schedules/<int:schedule_id>/parents")
@requires(Permission.DRAFT_FEES)
def record_agreement(schedule_id: int) -> ResponseReturnValue:
    """What the parents said, with the paper."""

    def deed(actor: audit.Actor, now: datetime) -> None:
        file = request.files.get("file")
        plans.record_agreement(
            own_school(),
            schedule_id,
            held_on=read_day(request.form.get("held_on", "")),
            minutes_no=request.form.get("minutes_no", ""),
            asked=_whole("asked"),
            agreed=_whole("agreed"),
            content=file.read(papers.MOST + 1) if file else b"",
            actor=actor,
            now=now,
        )

    return _do(schedule_id, "parents", deed)


@bp.get("/fee-schedules/<int:schedule_id>/parents/<int:agreement_id>")
@requires(Permission.VIEW_MONEY)
def open_agreement(schedule_id: int, agreement_id: int) -> ResponseReturnValue:
    """The paper of an agreement."""
    return _paper(own_school(), schedule_id, agreement_id)


def _paper(school_id: int, schedule_id: int, agreement_id: int) -> ResponseReturnValue:
    kind, content = plans.agreement_paper(school_id, schedule_id, agreement_id)
    return Response(
        content, content_type=kind, headers=papers.headers(f"bien-ban-{agreement_id}", kind)
    )


@bp.post("/fee-schedules/<int:schedule_id>/due-dates")
@requires(Permission.DRAFT_FEES)
def set_due_dates(schedule_id: int) -> ResponseReturnValue:
    """The last days to pay."""

    def deed(actor: audit.Actor, now: datetime) -> None:
        days: dict[Period, date | None] = {}
        for month in queries.get_schedule(own_school(), schedule_id).months:
            text = request.form.get(f"due-{month}", "")
            days[month] = read_day(text) if text else None
        plans.set_due_dates(own_school(), schedule_id, days, actor=actor, now=now)

    return _do(schedule_id, "days", deed)


@bp.post("/fee-schedules/from-last-year")
@requires(Permission.DRAFT_FEES)
def copy_last_year() -> ResponseReturnValue:
    """Draft a school year from the one before it."""
    try:
        with transaction():
            draft_id, left_out = plans.copy_last_year(
                own_school(),
                request.form.get("school_year_id", 0, type=int),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".list_schedules"), 303)
    if left_out:
        flash(
            ngettext(
                "One price of a class was left out: the new year has no class of this name yet.",
                "%(num)s prices of classes were left out: the new year has no classes of these"
                " names yet.",
                left_out,
            ),
            "warn",
        )
    return redirect(url_for(".show_plan", schedule_id=draft_id), 303)


# The unit above


@bp.get("/area/plans")
@requires(Permission.VIEW_AREA)
def list_area_plans() -> ResponseReturnValue:
    """The newest plan of every school, those that wait first."""
    today = clock.today()
    schools = {school.id: school for school in readable_schools()}
    found = plans.plans_of(list(schools), today)
    order = (ScheduleState.ENDORSED, ScheduleState.SUBMITTED, ScheduleState.APPROVED)
    return render_template(
        "fees/area_plans.html",
        plans=sorted(
            ((schools[plan.school_id], plan) for plan in found.values()),
            key=lambda pair: (order.index(pair[1].schedule.state), pair[0].code),
        ),
        without=[school for school in schools.values() if school.id not in found],
        waiting=sum(1 for p in found.values() if p.schedule.state is ScheduleState.ENDORSED),
        needed=sum(1 for school in schools if plans.needs_consent(school, today)),
        schools=len(schools),
        may_set=require_membership().may(Permission.CONSENT_FEES),
        steep=plans.STEEP,
        unit_name=require_membership().school_name,
    )


@bp.post("/area/plans/consent-needed")
@requires(Permission.CONSENT_FEES)
def set_consent_needed() -> ResponseReturnValue:
    """Whether schools wait for the unit above."""
    for school in readable_schools():
        with scope.opened(scope.one_school(school.id)), transaction():
            plans.set_consent_needed(
                school.id,
                is_needed=request.form.get("needed") == "yes",
                actor=current_actor(),
                now=clock.now(),
            )
    return redirect(url_for(".list_area_plans"), 303)


def _school_below(code: str) -> SchoolInfo:
    found = next((school for school in readable_schools() if school.code == code), None)
    if found is None:
        raise NotFound
    return found


@bp.get("/area/plans/<code>/<int:schedule_id>")
@requires(Permission.VIEW_AREA)
def show_area_plan(code: str, schedule_id: int) -> ResponseReturnValue:
    """One plan, to consent to it or to send it back."""
    return _area_plan(code, schedule_id)


def _area_plan(
    code: str, schedule_id: int, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    school = _school_below(code)
    schedule = queries.get_schedule(school.id, schedule_id)
    return (
        render_template(
            "fees/plan.html",
            **_around(schedule),
            may_edit=False,
            may_agree=False,
            may_consent=schedule.state is ScheduleState.ENDORSED
            and require_membership().may(Permission.CONSENT_FEES),
            paper_url=lambda one: url_for(
                ".open_area_agreement", code=code, schedule_id=schedule_id, agreement_id=one.id
            ),
            school=school,
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


@bp.get("/area/plans/<code>/<int:schedule_id>/parents/<int:agreement_id>")
@requires(Permission.VIEW_AREA)
def open_area_agreement(code: str, schedule_id: int, agreement_id: int) -> ResponseReturnValue:
    """The paper of an agreement, for the unit above."""
    return _paper(_school_below(code).id, schedule_id, agreement_id)


@bp.post("/area/plans/<code>/<int:schedule_id>")
@requires(Permission.CONSENT_FEES)
def decide_area_plan(code: str, schedule_id: int) -> ResponseReturnValue:
    """Consent, or send back with a reason."""
    school = _school_below(code)
    who: dict[str, Any] = {"actor": current_actor(), "now": clock.now()}

    def deed() -> None:
        if request.form.get("deed") == "consent":
            services.consent_to_schedule(school.id, schedule_id, **who)
        else:
            reason = request.form.get("reason", "")
            services.return_schedule(school.id, schedule_id, reason=reason, **who)

    with scope.opened(scope.one_school(school.id)):
        refused = attempt(deed, lambda words, status: (words, status))
    if refused is not None:
        return _area_plan(code, schedule_id, refusal=refused[0], status=refused[1])
    return redirect(url_for(".list_area_plans"), 303)


# The public page


@bp.get("/schools/<code>/fees")
@public("what a public school charges is public; no child is named")
def show_public(code: str) -> ResponseReturnValue:
    """The approved prices of a school with acts, caps and the parents' agreement."""
    today = clock.today()
    school = find_school(code, today)
    if school is None:
        raise NotFound
    enter_scope(scope.one_school(school.id))
    year = year_of(today)
    in_force = [
        one
        for one in queries.list_schedules(school.id)
        if one.state is ScheduleState.APPROVED
        and (year is None or one.year_starts_on >= year.starts_on)
    ]
    wanted = request.args.get("year")
    newest = in_force[-1] if in_force else None
    shown = next((one for one in in_force if one.year == wanted), newest)
    return render_template(
        "fees/public.html",
        school=school,
        shown=shown,
        others=[one for one in in_force if one is not shown],
        **(_priced(shown) if shown is not None else {"rows": [], "caps": {}}),
        agreements=plans.agreements(school.id, shown.id) if shown is not None else [],
        due=plans.due_dates(school.id, shown.id) if shown is not None else {},
        categories=categories(),
        units=units(),
        audience_text=audience_text,
    )


def _priced(schedule: Schedule) -> dict[str, Any]:
    level = school_info(schedule.school_id, clock.today()).level
    priced = table.price_table(schedule, level)
    return {
        "rows": priced.rows,
        "caps": {row.item.id: queries.cap_in(row.caps, row.first) for row in priced.rows},
    }
