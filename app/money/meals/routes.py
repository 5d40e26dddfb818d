"""The day's counts, the register of a class, absences, the calendar, a month's sheet, contests."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.ids import read_student_code
from app.core.period import Period
from app.core.sheets import Column, write_workbook
from app.money.meals import queries, services
from app.money.meals.errors import NoMealThen, NotThatClass
from app.money.meals.models import Source
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.schools import calendar

bp = Blueprint("meals", __name__)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _day(name: str = "day") -> date:
    """A day of the address or the form; today when it is none."""
    try:
        return date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return clock.today()


def _may(permission: Permission) -> bool:
    return require_membership().may(permission)


# A day


@bp.get("/meals")
@requires(Permission.SEE_MEALS)
def show_day() -> ResponseReturnValue:
    """The classes of a day: who eats, who is away, whose register is closed; the kitchen's sum."""
    return _show_day(_day())


def _show_day(day: date, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    counts = queries.head_count(school_id, day)
    open_contests = [c for c in queries.contests(school_id) if c.decided_at is None]
    return (
        render_template(
            "meals/show_day.html",
            day=day,
            today=clock.today(),
            counts=counts,
            children=sum(count.children for count in counts),
            cut=sum(count.cut for count in counts),
            late=sum(count.late for count in counts),
            cooked=sum(count.cooked for count in counts),
            cut_off=services.cut_off(school_id, day),
            is_over=clock.now() > services.cut_off(school_id, day),
            before=day - timedelta(days=1),
            after=day + timedelta(days=1),
            contests=len(open_contests),
            may_mark=_may(Permission.MARK_MEALS),
            may_set=_may(Permission.SET_MEALS),
            may_see_contests=_may(Permission.SET_MEALS) or _may(Permission.DECIDE_MEALS),
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


@bp.post("/meals/absences")
@requires(Permission.MARK_MEALS)
def report_absence() -> ResponseReturnValue:
    """A family has called: the child is away from a day to a day."""
    school_id, first, last = own_school(), _day("first"), _day("last")
    try:
        stay = queries.stay_of(
            school_id, read_student_code(request.form.get("code", "")) or "", first
        )
        if stay is None:
            raise NoMealThen(_("No pupil of your school has this code on that day."))
        with transaction():
            told = services.report_away(
                school_id,
                stay,
                first,
                max(first, last),
                source=Source.FAMILY,
                reason=request.form.get("reason", "")[:200],
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _show_day(_day(), refusal=refusal.message, status=refusal.status)
    flash(
        _(
            "Written down: %(cut)s days free, %(late)s told after the hour.",
            cut=told.cut,
            late=told.late,
        ),
        "toast",
    )
    return redirect(url_for(".show_day", day=first), 303)


def _stay_of_form(day: date) -> int:
    code = read_student_code(request.form.get("code", "")) or ""
    stay = queries.stay_of(own_school(), code, day)
    if stay is None:
        raise NoMealThen(_("No pupil of your school has this code on that day."))
    return stay


# A register


@bp.get("/meals/<day>/classes/<int:class_id>")
@requires(Permission.SEE_MEALS)
def show_register(day: str, class_id: int) -> ResponseReturnValue:
    """The children of a class with a meal on a day; all eat until somebody says otherwise."""
    return _register(_read(day), class_id)


def _read(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotThatClass from None


def _register(
    day: date, class_id: int, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    school_id = own_school()
    children = queries.eaters(school_id, day, class_id)
    if not children:
        raise NotThatClass
    if request.method == "POST":
        gone = {
            f"{c.enrolment_id}"
            for c in children
            if request.form.get(f"c{c.enrolment_id}") == "away"
        }
    else:
        gone = {f"{c.enrolment_id}" for c in children if c.is_away}
    counted = next(c for c in queries.head_count(school_id, day) if c.class_id == class_id)
    return (
        render_template(
            "meals/show_register.html",
            day=day,
            children=children,
            gone=gone,
            counted=counted,
            class_name=children[0].class_name,
            class_id=class_id,
            cut_off=services.cut_off(school_id, day),
            is_over=clock.now() > services.cut_off(school_id, day),
            is_to_come=day > clock.today(),
            may_mark=_may(Permission.MARK_MEALS),
            refusal=refusal,
        ),
        status,
    )


@bp.post("/meals/<day>/classes/<int:class_id>")
@requires(Permission.MARK_MEALS)
def close_register(day: str, class_id: int) -> ResponseReturnValue:
    """The teacher has looked: who is away, everybody else eats."""
    on = _read(day)
    away = [
        int(name[1:])
        for name, value in request.form.items()
        if name[:1] == "c" and name[1:].isdigit() and value == "away"
    ]
    try:
        with transaction():
            present = services.close_register(
                own_school(), class_id, on, away, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _register(on, class_id, refusal=refusal.message, status=refusal.status)
    flash(ngettext("Closed: one child eats.", "Closed: %(num)s children eat.", present), "toast")
    return redirect(url_for(".show_register", day=on, class_id=class_id), 303)


@bp.post("/meals/<day>/classes/<int:class_id>/decide")
@requires(Permission.SET_MEALS)
def decide_day(day: str, class_id: int) -> ResponseReturnValue:
    """The office lets a day be free, or not, against the hour."""
    on = _read(day)
    try:
        with transaction():
            services.decide_day(
                own_school(),
                request.form.get("stay", 0, type=int),
                on,
                is_away=True,
                is_cut=request.form.get("deed") == "free",
                reason=request.form.get("reason", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _register(on, class_id, refusal=refusal.message, status=refusal.status)
    return redirect(url_for(".show_register", day=on, class_id=class_id), 303)


# The calendar


@bp.get("/meals/calendar/<period>")
@requires(Permission.SET_MEALS)
def show_calendar(period: str) -> ResponseReturnValue:
    """On which days of a month each item is served."""
    return _calendar(_month(period))


def _month(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError:
        raise NotThatClass from None


def _calendar(month: Period, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    items = queries.items_by_the_day()
    wanted = request.values.get("item", type=int)
    item = next((one for one in items if one.id == wanted), items[0] if items else None)
    served = (
        queries.served_days(school_id, item.id, month.first_day, month.last_day) if item else set()
    )
    days_off = calendar()
    days = [
        month.first_day + timedelta(days=n)
        for n in range((month.last_day - month.first_day).days + 1)
    ]
    # A month nobody has planned is offered with its working days.
    is_new = not served
    return (
        render_template(
            "meals/show_calendar.html",
            month=month,
            items=items,
            item=item,
            weeks=_weeks(days),
            served={day for day in days if days_off.is_working(day)} if is_new else served,
            is_new=is_new,
            names=days_off.named,
            cut_off=services.cut_off(school_id, clock.today()),
            today=clock.today(),
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


def _weeks(days: list[date]) -> list[list[date | None]]:
    cells: list[date | None] = [None] * days[0].weekday() + list(days)
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


@bp.post("/meals/calendar/<period>")
@requires(Permission.SET_MEALS)
def plan_days(period: str) -> ResponseReturnValue:
    """Keep the ticked days."""
    month = _month(period)
    served = set()
    for text in request.form.getlist("served"):
        try:
            served.add(date.fromisoformat(text))
        except ValueError:
            continue
    item_id = request.form.get("item", 0, type=int)
    try:
        with transaction():
            changed = services.plan_days(
                own_school(),
                item_id,
                month.first_day,
                month.last_day,
                served,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _calendar(month, refusal=refusal.message, status=refusal.status)
    flash(
        ngettext(
            "One day changed. Bills of this month follow with the next run.",
            "%(num)s days changed. Bills of this month follow with the next run.",
            changed,
        ),
        "toast",
    )
    return redirect(url_for(".show_calendar", period=month, item=item_id), 303)


@bp.post("/meals/cut-off")
@requires(Permission.SET_MEALS)
def set_cut_off() -> ResponseReturnValue:
    """Until when an absence is free."""
    try:
        with transaction():
            services.set_cut_off(
                own_school(),
                days_before=request.form.get("days_before", -1, type=int),
                hour=request.form.get("hour", "").strip(),
                valid_from=_day("valid_from"),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _calendar(Period.of(clock.today()), refusal=refusal.message, status=refusal.status)
    flash(_("The hour holds from %(day)s on.", day=formats.day(_day("valid_from"))), "toast")
    return redirect(url_for(".show_calendar", period=Period.of(clock.today())), 303)


# A month


def _sheet(period: str) -> dict[str, Any]:
    month = _month(period)
    items = queries.items_by_the_day()
    wanted = request.args.get("item", type=int)
    item = next((one for one in items if one.id == wanted), items[0] if items else None)
    rows = queries.month_sheet(own_school(), item.id, month) if item else []
    classes: dict[str, list[queries.MonthRow]] = {}
    for one in rows:
        classes.setdefault(one.class_name, []).append(one)
    return {"month": month, "items": items, "item": item, "rows": rows, "classes": classes}


@bp.get("/meals/months/<period>")
@requires(Permission.SET_MEALS, Permission.DECIDE_MEALS)
def show_month(period: str) -> ResponseReturnValue:
    """Days planned, told in time, told late and charged: by class, and each child of one."""
    found = _sheet(period)
    chosen = request.args.get("class_name", "")
    return render_template(
        "meals/show_month.html", **found, chosen=chosen if chosen in found["classes"] else ""
    )


@bp.get("/meals/months/<period>.xlsx")
@requires(Permission.SET_MEALS, Permission.DECIDE_MEALS)
def month_workbook(period: str) -> ResponseReturnValue:
    """The same as a workbook."""
    found = _sheet(period)
    columns = [
        Column(_("Class")),
        Column(_("Pupil code")),
        Column(_("Full name")),
        *(
            Column(word, is_text=False)
            for word in (_("Planned"), _("Told in time"), _("Told late"), _("Charged"))
        ),
    ]
    lines = [
        (r.class_name, r.code, r.full_name, r.planned, r.cut, r.late, r.charged)
        for r in found["rows"]
    ]
    name = f"suat-an-{found['month']}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    body = write_workbook(columns, lines, title=str(found["month"]))
    return Response(body, content_type=XLSX, headers=headers)


# Contests


@bp.get("/meals/contests")
@requires(Permission.SET_MEALS, Permission.DECIDE_MEALS)
def list_contests() -> ResponseReturnValue:
    """Days families ask about: what waits, what was answered."""
    return _contests()


def _contests(*, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    found = queries.contests(own_school())
    return (
        render_template(
            "meals/list_contests.html",
            waiting=[one for one in found if one.decided_at is None],
            answered=[one for one in found if one.decided_at is not None],
            may_ask=_may(Permission.SET_MEALS),
            may_decide=_may(Permission.DECIDE_MEALS),
            today=clock.today(),
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


@bp.post("/meals/contests")
@requires(Permission.SET_MEALS)
def open_contest() -> ResponseReturnValue:
    """Write a family's question down."""
    school_id, day = own_school(), _day()
    try:
        stay = queries.stay_of(
            school_id, read_student_code(request.form.get("code", "")) or "", day
        )
        if stay is None:
            raise NoMealThen(_("No pupil of your school has this code on that day."))
        with transaction():
            services.contest(
                school_id,
                stay,
                day,
                words=request.form.get("words", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _contests(refusal=refusal.message, status=refusal.status)
    return redirect(url_for(".list_contests"), 303)


@bp.post("/meals/contests/<int:contest_id>")
@requires(Permission.DECIDE_MEALS)
def decide_contest(contest_id: int) -> ResponseReturnValue:
    """Keep the day as it is, or let it be free."""
    try:
        with transaction():
            services.decide_contest(
                own_school(),
                contest_id,
                accept=request.form.get("deed") == "free",
                answer=request.form.get("answer", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _contests(refusal=refusal.message, status=refusal.status)
    return redirect(url_for(".list_contests"), 303)
