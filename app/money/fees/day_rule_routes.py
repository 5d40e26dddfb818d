"""The rules by the day: who else pays a part of a day, and what many days away take off."""

from __future__ import annotations

from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError, NotFound
from app.core.i18n import language
from app.core.period import Period
from app.money.fees import day_rules, queries
from app.money.fees.errors import BadMonths
from app.money.fees.forms import ActForm, HalvingForm, MonthsForm, SubsidyForm
from app.money.fees.models import FeeUnit
from app.money.fees.queries import NEVER_CHARGED, Item
from app.money.fees.routes import bp
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


def _blank_subsidy() -> SubsidyForm:
    return _chosen(SubsidyForm(formdata=None, prefix="subsidy-"), by_day=True)


def _blank_halving() -> HalvingForm:
    return _chosen(HalvingForm(formdata=None, prefix="halving-"), by_day=False)


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
            subsidy_form=subsidy
            or _chosen(SubsidyForm(formdata=None, prefix="subsidy-"), by_day=True),
            halving_form=halving
            or _chosen(HalvingForm(formdata=None, prefix="halving-"), by_day=False),
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


def _name(item: Item) -> str:
    return item.name_en if language() == "en" else item.name


def _chosen(form: F, *, by_day: bool) -> F:
    """The form with its lists: items by the day or the others, and the months."""
    form.item_id.choices = [
        (item.id, _name(item))
        for item in queries.items_for(clock.today())
        if (item.unit == FeeUnit.DAY) is by_day and item.category not in NEVER_CHARGED
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
    form = _chosen(SubsidyForm(prefix="subsidy-"), by_day=True)
    if not form.is_sent():
        return _page(subsidy=form, status=422)
    first, last = form.spans()
    try:
        with transaction():
            day_rules.set_subsidy(
                own_school(),
                form.item_id.data,
                amount=form.amount.data,
                payer=form.payer.data or "",
                legal_act=form.legal_act.data or "",
                first=first,
                last=last,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        _say(form, refusal)
        return _page(subsidy=form, status=refusal.status)
    flash(_("The next run counts it, for the months past as well."), "toast")
    return redirect(url_for(".show_day_rules"), 303)


@bp.post("/day-rules/halvings")
@requires(Permission.APPROVE_FEES)
def set_halving() -> ResponseReturnValue:
    """A monthly item costs less after many days away, from a month on."""
    form = _chosen(HalvingForm(prefix="halving-"), by_day=False)
    if not form.is_sent():
        return _page(halving=form, status=422)
    first, last = form.spans()
    try:
        with transaction():
            day_rules.set_halving(
                own_school(),
                form.item_id.data,
                above_days=form.above_days.data or 0,
                percent=form.percent.data or 0,
                first=first,
                last=last,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        _say(form, refusal)
        return _page(halving=form, status=refusal.status)
    flash(_("The next run counts it, for the months past as well."), "toast")
    return redirect(url_for(".show_day_rules"), 303)


def _say(form: MonthsForm, refusal: DomainError) -> None:
    field = form.first if isinstance(refusal, BadMonths) else form.item_id
    field.errors = [refusal.message]


@bp.post("/day-rules/subsidies/<int:rule_id>/end")
@requires(Permission.APPROVE_FEES)
def end_subsidy(rule_id: int) -> ResponseReturnValue:
    """The other payer pays until a month, or never did."""
    return _end(rule_id, day_rules.end_subsidy)


@bp.post("/day-rules/halvings/<int:rule_id>/end")
@requires(Permission.APPROVE_FEES)
def end_halving(rule_id: int) -> ResponseReturnValue:
    """The rule of days away counts until a month, or never did."""
    return _end(rule_id, day_rules.end_halving)


def _end(rule_id: int, deed: day_rules.Ending) -> ResponseReturnValue:
    if not ActForm().is_sent():
        raise NotFound
    said = request.form.get("last", "")
    try:
        last = None if said == _NEVER else Period.parse(said)
    except ValueError:
        return _page(refusal=_("Choose the last month."), status=422)
    try:
        with transaction():
            deed(own_school(), rule_id, last, actor=current_actor(), now=clock.now())
    except NotFound:
        raise
    except DomainError as refusal:
        return _page(refusal=refusal.message, status=refusal.status)
    flash(
        _("The rule was taken back.") if last is None else _("The rule ends with that month."),
        "toast",
    )
    return redirect(url_for(".show_day_rules"), 303)
