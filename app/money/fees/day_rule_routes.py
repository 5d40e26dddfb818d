"""The rules by the day: who else pays a part of a day, and what many days away take off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import audit
from app.core import clock, formats
from app.core.acting import attempt
from app.core.errors import NotFound
from app.core.period import Period
from app.money.fees import day_rules, queries
from app.money.fees.forms import ActForm, HalvingForm, MonthsForm, SubsidyForm
from app.money.fees.models import FeeUnit
from app.money.fees.queries import NEVER_CHARGED
from app.money.fees.routes import bp, item_name
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import year_of

F = TypeVar("F", bound=MonthsForm)

#: what the list of last months sends for a rule that never counted
_NEVER = "never"


@bp.get("/day-rules")
@requires(Permission.VIEW_MONEY)
def show_day_rules() -> ResponseReturnValue:
    """Other payers and rules of days away, those in force and those that ended."""
    return _page()


def _subsidy_form(**values: Any) -> SubsidyForm:
    return _chosen(SubsidyForm(prefix="subsidy-", **values), FeeUnit.DAY)


def _halving_form(**values: Any) -> HalvingForm:
    return _chosen(HalvingForm(prefix="halving-", **values), FeeUnit.MONTH)


def _page(
    *,
    subsidy: SubsidyForm | None = None,
    halving: HalvingForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    return (
        render_template(
            "fees/day_rules.html",
            items=queries.all_items(),
            subsidies=day_rules.subsidies(school_id),
            halvings=day_rules.halvings(school_id),
            subsidy_form=subsidy or _subsidy_form(formdata=None),
            halving_form=halving or _halving_form(formdata=None),
            months=_months(),
            now=Period.of(today),
            never=_NEVER,
            may_set=require_membership().may(Permission.APPROVE_FEES),
            refusal=refusal,
        ),
        status,
    )


def _months() -> list[Period]:
    """From the first month of the present school year, two years on."""
    today = clock.today()
    year = year_of(today)
    first = Period.of(year.starts_on if year else today)
    return first.through(Period(first.year + 2, first.month).previous())


def _chosen(form: F, unit: FeeUnit) -> F:
    """The form with its lists: the items of a unit, and the months."""
    form.item_id.choices = [
        (item.id, item_name(item))
        for item in queries.items_for(clock.today())
        if item.unit == unit and item.category not in NEVER_CHARGED
    ]
    months = [(str(month), formats.month(month)) for month in _months()]
    form.first.choices = months
    form.last.choices = [("", _("until further notice")), *months]
    if form.first.data is None:
        form.first.data = str(Period.of(clock.today()))
    return form


@bp.post("/day-rules/subsidies")
@requires(Permission.APPROVE_FEES)
def set_subsidy() -> ResponseReturnValue:
    """Somebody else pays a part of each day from a month on."""
    form = _subsidy_form()
    if not form.is_sent():
        return _page(subsidy=form, status=422)
    first, last = form.spans()
    return _do(
        lambda actor, now: day_rules.set_subsidy(
            own_school(),
            form.item_id.data,
            amount=form.amount.data,
            payer=form.payer.data or "",
            legal_act=form.legal_act.data or "",
            first=first,
            last=last,
            actor=actor,
            now=now,
        ),
        _("The next run counts it, for the months past as well."),
        subsidy=form,
    )


@bp.post("/day-rules/halvings")
@requires(Permission.APPROVE_FEES)
def set_halving() -> ResponseReturnValue:
    """A monthly item costs less after many days away, from a month on."""
    form = _halving_form()
    if not form.is_sent():
        return _page(halving=form, status=422)
    first, last = form.spans()
    return _do(
        lambda actor, now: day_rules.set_halving(
            own_school(),
            form.item_id.data,
            above_days=form.above_days.data or 0,
            percent=form.percent.data or 0,
            first=first,
            last=last,
            actor=actor,
            now=now,
        ),
        _("The next run counts it, for the months past as well."),
        halving=form,
    )


@bp.post("/day-rules/subsidies/<int:rule_id>/end")
@requires(Permission.APPROVE_FEES)
def end_subsidy(rule_id: int) -> ResponseReturnValue:
    """The other payer pays until a month, or never did."""
    return _end(
        lambda last, actor, now: day_rules.end_subsidy(
            own_school(), rule_id, last, actor=actor, now=now
        )
    )


@bp.post("/day-rules/halvings/<int:rule_id>/end")
@requires(Permission.APPROVE_FEES)
def end_halving(rule_id: int) -> ResponseReturnValue:
    """The rule of days away counts until a month, or never did."""
    return _end(
        lambda last, actor, now: day_rules.end_halving(
            own_school(), rule_id, last, actor=actor, now=now
        )
    )


def _end(deed: Callable[[Period | None, audit.Actor, datetime], None]) -> ResponseReturnValue:
    if not ActForm().is_sent():
        raise NotFound
    said = request.form.get("last", "")
    try:
        last = None if said == _NEVER else Period.parse(said)
    except ValueError:
        return _page(refusal=_("Choose the last month."), status=422)
    return _do(
        lambda actor, now: deed(last, actor, now),
        _("The rule was taken back.") if last is None else _("The rule ends with that month."),
    )


def _do(
    deed: Callable[[audit.Actor, datetime], None],
    done: str,
    *,
    subsidy: SubsidyForm | None = None,
    halving: HalvingForm | None = None,
) -> ResponseReturnValue:
    """One deed of the page; a refusal keeps what was typed."""
    refused = attempt(
        lambda: deed(current_actor(), clock.now()),
        lambda words, status: _page(subsidy=subsidy, halving=halving, refusal=words, status=status),
    )
    if refused is not None:
        return refused
    flash(done, "toast")
    return redirect(url_for(".show_day_rules"), 303)
