"""The frame: front door, home page, language, health."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.errors import DomainError
from app.core.i18n import LOCALES
from app.core.period import Period
from app.core.throttle import count_try
from app.money import billing
from app.money.billing.reference import read_reference
from app.people import access
from app.people.access import Permission
from app.people.schools import year_of
from app.shell import health, queries
from app.shell.errors import TooManyCodes, UnknownCode
from app.shell.forms import FrontDoorForm
from app.shell.navigation import frame, waiting_now
from app.shell.tasks import tasks_for, tasks_of_others

bp = Blueprint("shell", __name__)
bp.app_context_processor(frame)

#: Codes one address may try in a minute; a code opens no more than the pay link it stands for.
CODES_A_MINUTE = 20


# The parents' door


@bp.route("/", methods=["GET", "POST"])
@access.public("everybody's door")
def front_door() -> ResponseReturnValue:
    """Enter a transfer code, or go on to the check page or the staff door."""
    form = FrontDoorForm()
    if request.method == "GET":
        form.code.data = request.args.get("code", "")
    status = 200
    if form.is_sent():
        try:
            return redirect(url_for("family.pay", token=_token_behind(form.code.data or "")), 303)
        except DomainError as refusal:
            form.code.errors = [refusal.message]
            status = refusal.status
    elif form.errors:
        status = 422
    return render_template("shell/front_door.html", form=form), status


def _token_behind(text: str) -> str:
    """The pay link a typed code or pasted link stands for."""
    with transaction():
        minute = clock.now().strftime("%Y-%m-%dT%H:%M")
        tries = count_try(f"front_door:{request.remote_addr}", window=minute)
    if tries > CODES_A_MINUTE:
        raise TooManyCodes
    path = urlsplit(text.strip()).path
    if "/pay/" in path:
        token = path.split("/pay/", 1)[1].split("/")[0]
        if billing.school_of_token(token) is None:
            raise UnknownCode
        return token
    reference = read_reference(text)
    school_id = billing.school_of_code(reference) if reference else None
    if reference is None or school_id is None:
        raise UnknownCode
    enter_scope(scope.one_school(school_id))
    return billing.requests_by_reference(school_id, [reference])[reference].token


# The home page


@bp.get("/today")
@access.requires(Permission.SEE_SCHOOL, Permission.VIEW_AREA)
def home() -> ResponseReturnValue:
    """What needs me now, the month on one page, where the money is."""
    membership = access.require_membership()
    if membership.school_id is None:
        return redirect(url_for("reports.area"), 303)
    today = clock.today()
    waiting = waiting_now()
    year = year_of(today)
    common = {
        "today": today,
        "year": year.code if year else "",
        "tasks": tasks_for(membership, waiting, today),
        "others": tasks_of_others(membership, waiting),
        "may_take_cash": membership.may(Permission.TAKE_CASH),
    }
    if not membership.may(Permission.VIEW_MONEY):
        return render_template(
            "shell/home_without_money.html",
            classes=(
                queries.classes_today(membership.school_id, today)
                if membership.may(Permission.VIEW_STUDENTS)
                else []
            ),
            **common,
        )
    first, last, period = _months(membership.school_id, today)
    month = queries.month(membership.school_id, period)
    incoming = queries.money_in(membership.school_id, period)
    return render_template(
        "shell/home.html",
        period=period,
        previous=_month_link(period.previous(), first, last),
        next=_month_link(period.next(), first, last),
        month=month,
        parts=[{"state": state, "value": amount} for state, amount in month.states],
        incoming=incoming,
        bars=[
            {
                "label": f"{found.day:%d/%m}",
                "value": found.amount.dong or None,
                "mark": found.day.weekday() == 0 and found.day != period.last_day,
                "today": found.day == today,
            }
            for found in incoming.days
        ],
        places=queries.places(membership.school_id),
        unknown=waiting.unknown_sum if waiting else None,
        newest=queries.newest_bank_line(membership.school_id),
        may_see_bank=membership.may(Permission.VIEW_BANK),
        may_report=membership.may(Permission.VIEW_SCHOOL_REPORTS),
        **common,
    )


def _months(school_id: int, today: date) -> tuple[Period, Period, Period]:
    """The months that can be looked at, and the one asked for (else the newest issued)."""
    this = Period.of(today)
    limits = queries.month_limits(school_id)
    first, last = limits or (this, this)
    try:
        asked = Period.parse(request.args.get("period", ""))
    except ValueError:
        asked = min(last, this) if limits else this
    last = max(last, this)
    return first, last, min(max(asked, first), last)


def _month_link(period: Period, first: Period, last: Period) -> str | None:
    return url_for("shell.home", period=period) if first <= period <= last else None


# Language, health, parts


@bp.post("/language")
@access.public("anybody may read in their language")
def set_language() -> ResponseReturnValue:
    """Remember the language and go back to the page."""
    wanted = request.form.get("language", "")
    if wanted in LOCALES:
        session["lang"] = wanted
    following = request.form.get("next", "")
    if not following.startswith("/") or following.startswith(("//", "/\\")):
        following = url_for("shell.front_door")
    return redirect(following, 303)


@bp.get("/healthz")
@access.public("the process answers; says nothing else")
def healthz() -> ResponseReturnValue:
    """The process is alive."""
    return jsonify(ok=True)


@bp.get("/readyz")
@access.public("states of supports only, no data")
def readyz() -> ResponseReturnValue:
    """Database, migration head, worker, PDF libraries; 503 while one is missing."""
    found = health.readiness()
    return jsonify(found), 200 if found["ready"] else 503


@bp.get("/metrics")
@access.public("counts of the whole area, no names")
def metrics() -> ResponseReturnValue:
    """Counters for Prometheus."""
    enter_scope(scope.EVERY_SCHOOL)
    return Response(health.metrics(), content_type="text/plain; version=0.0.4; charset=utf-8")


@bp.get("/components")
@access.public("invented samples only")
def components() -> ResponseReturnValue:
    """Every drawn part on one page."""
    return render_template("shell/components.html")
