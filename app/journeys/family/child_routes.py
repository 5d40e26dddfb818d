"""What a family does by itself for its child: absences, contested days, yeses to optional items.

Behind the same link as the bill, once the family has shown that it is the family.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import audit
from app.core import clock
from app.core.acting import attempt
from app.core.db import row
from app.core.forms import read_day
from app.core.period import Period
from app.journeys.family import queries, services
from app.journeys.family.errors import NotAtSchool
from app.journeys.family.routes import BY_LINK, bp, open_link
from app.money import billing
from app.money.fees import consents
from app.money.fees.words import units
from app.money.meals import queries as meal_queries
from app.money.meals import services as meals
from app.money.meals.models import Source
from app.people.access import public
from app.people.students.merged import rows_of

#: days shown before and after today
BEFORE: Final = timedelta(days=7)
AFTER: Final = timedelta(days=21)
FAMILY: Final = audit.Actor("gia đình", "family")


@dataclass(frozen=True, slots=True)
class Stay:
    """Where the child of a link is now."""

    school_id: int
    enrolment_id: int
    class_id: int
    class_name: str


def _stay(asked: billing.Request, today: date) -> Stay:
    found = row(
        "select e.id, c.id as class_id, c.name from enrolments e"
        " join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        "  and p.starts_on <= :today and (p.ends_on is null or p.ends_on > :today)"
        " join classes c on c.id = p.class_id"
        " where e.school_id = :school_id and e.student_id in :students and e.starts_on <= :today"
        " and (e.ends_on is null or e.ends_on > :today) order by e.id desc limit 1",
        school_id=asked.school_id,
        students=list(rows_of([asked.student_id])),
        today=today,
    )
    if found is None:
        raise NotAtSchool
    return Stay(asked.school_id, found.id, found.class_id, found.name)


def _is_billed(school_id: int, month: Period) -> bool:
    return any(
        run.billed_period == month and run.is_issued and run.kind == "month"
        for run in billing.list_runs(school_id)
    )


def _next_month(school_id: int, today: date) -> Period:
    """The first month that no bill went out for: what a family says now holds from there on."""
    month = Period.of(today)
    while _is_billed(school_id, month):
        month = month.next()
    return month


@bp.get("/pay/<token>/child")
@public(BY_LINK)
def show_child(token: str) -> ResponseReturnValue:
    """Meals of the days around today, and the optional items."""
    return _child(open_link(token))


def _child(asked: billing.Request, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    now = clock.now()
    today = clock.local_day(now)
    if not services.is_unlocked(asked, session, now):
        return redirect(url_for(".pay", token=asked.token, _anchor="lines"), 303)
    page = queries.pay_page(asked, today)
    stay = _stay(asked, today)
    month = _next_month(asked.school_id, today)
    days = meal_queries.days_of_child(
        asked.school_id, stay.enrolment_id, today - BEFORE, today + AFTER
    )
    to_come = [one.day for one in days if now <= meals.cut_off(asked.school_id, one.day)]
    return (
        render_template(
            "family/child.html",
            page=page,
            token=asked.token,
            stay=stay,
            past=[one for one in days if one.day <= today],
            coming=[one for one in days if one.day > today],
            first_free=to_come[0] if to_come else None,
            cut_off=meals.cut_off(asked.school_id, to_come[0]) if to_come else None,
            month=month,
            offers=consents.offers(asked.school_id, stay.enrolment_id, stay.class_id, month),
            units=units(),
            today=today,
            form=request.form,
            refusal=refusal,
        ),
        status,
    )


def _do(
    token: str, anchor: str, done: str, deed: Callable[[Stay, dict[str, Any]], object]
) -> ResponseReturnValue:
    asked, now = open_link(token), clock.now()
    if not services.is_unlocked(asked, session, now):
        return redirect(url_for(".pay", token=asked.token, _anchor="lines"), 303)
    stay = _stay(asked, clock.local_day(now))
    refused = attempt(
        lambda: deed(stay, {"actor": FAMILY, "now": now}),
        lambda words, status: _child(asked, refusal=words, status=status),
    )
    if refused is not None:
        return refused
    flash(done, "toast")
    return redirect(url_for(".show_child", token=asked.token, _anchor=anchor), 303)


@bp.post("/pay/<token>/child/away")
@public(BY_LINK)
def report_away(token: str) -> ResponseReturnValue:
    """The child will be away; days told before the hour are free."""

    def deed(stay: Stay, who: dict[str, Any]) -> None:
        first = read_day(request.form.get("first", ""))
        last = request.form.get("last", "").strip()
        meals.report_away(
            stay.school_id,
            stay.enrolment_id,
            first,
            read_day(last) if last else first,
            source=Source.FAMILY,
            reason=request.form.get("reason", "")[:200],
            **who,
        )

    return _do(token, "meals", _("Written down. The days below say which are free."), deed)


@bp.post("/pay/<token>/child/contest")
@public(BY_LINK)
def contest_day(token: str) -> ResponseReturnValue:
    """The family says the child was not there; the school answers."""
    return _do(
        token,
        "meals",
        _("The school was told and answers here."),
        lambda stay, who: meals.contest(
            stay.school_id,
            stay.enrolment_id,
            read_day(request.form.get("day", "")),
            words=request.form.get("words", ""),
            **who,
        ),
    )


def _said(deed: Callable[..., None]) -> Callable[[Stay, dict[str, Any]], object]:
    return lambda stay, who: deed(
        stay.school_id,
        stay.enrolment_id,
        stay.class_id,
        request.form.get("item", 0, type=int),
        _next_month(stay.school_id, clock.local_day(who["now"])),
        **who,
    )


@bp.post("/pay/<token>/child/yes")
@public(BY_LINK)
def say_yes(token: str) -> ResponseReturnValue:
    """The family chooses an optional item."""
    return _do(token, "choices", _("Your yes is recorded."), _said(consents.say_yes))


@bp.post("/pay/<token>/child/no")
@public(BY_LINK)
def take_back(token: str) -> ResponseReturnValue:
    """The family takes its yes back."""
    return _do(token, "choices", _("Your yes was taken back."), _said(consents.take_back))
