"""The catalogue: looked at by every school, kept by the unit above."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.core.forms import read_day, read_vnd
from app.money.fees import catalogue, queries, services
from app.money.fees.errors import BadItem, BadMonths
from app.money.fees.models import Category, DocumentKind, FeeUnit
from app.money.fees.routes import bp
from app.money.fees.words import categories, levels, owners, units
from app.people.access import Permission, current_actor, require_membership, requires
from app.people.schools import Level


def _day(name: str) -> date:
    return read_day(request.form.get(name, ""))


@bp.get("/catalogue")
@requires(Permission.VIEW_MONEY, Permission.VIEW_AREA)
def show_catalogue() -> ResponseReturnValue:
    """Every item by category, with its act, unit, dates, caps and whose money it is."""
    return _page()


def _page(*, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    items = sorted(queries.all_items().values(), key=lambda item: item.id)
    today = clock.today()
    return (
        render_template(
            "fees/catalogue.html",
            groups=[(kind, [item for item in items if item.category is kind]) for kind in Category],
            caps=queries.all_caps(),
            forbidden=queries.forbidden_charges(),
            rates=catalogue.insurance_rates(),
            categories=categories(),
            owners=owners(),
            units=units(),
            levels=levels(),
            level_codes=list(Level),
            may_set=require_membership().may(Permission.SET_CATALOGUE),
            unit_name=require_membership().school_name,
            today=today,
            form=request.form,
            refusal=refusal,
        ),
        status,
    )


def _do(deed: Callable[[], object], done: str) -> ResponseReturnValue:
    refused = attempt(deed, lambda words, status: _page(refusal=words, status=status))
    if refused is not None:
        return refused
    flash(done, "toast")
    return redirect(url_for(".show_catalogue"), 303)


@bp.post("/catalogue/items")
@requires(Permission.SET_CATALOGUE)
def add_item() -> ResponseReturnValue:
    """A new item of the area."""

    def deed() -> None:
        form = request.form
        try:
            category = Category(form.get("category", ""))
            unit = FeeUnit(form.get("unit", ""))
        except ValueError:
            raise BadItem(_("Choose a category and a unit.")) from None
        services.add_item(
            services.NewItem(
                code=form.get("code", "").strip().upper()[:24],
                name=form.get("name", "").strip()[:120],
                name_en=(form.get("name_en", "").strip() or form.get("name", "").strip())[:120],
                category=category,
                unit=unit,
                legal_act=form.get("legal_act", "").strip()[:200],
                may_be_debt=bool(form.get("may_be_debt")),
                is_compulsory=bool(form.get("is_compulsory")),
                issued_by_id=require_membership().unit_id,
                valid_from=_day("valid_from"),
                document_kind=DocumentKind.NONE
                if category is Category.PARENT_FUND
                else DocumentKind.RECEIPT,
                allowed_by=form.get("allowed_by", ""),
            ),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(deed, _("The item is in the catalogue."))


@bp.post("/catalogue/items/<int:item_id>/end")
@requires(Permission.SET_CATALOGUE)
def end_item(item_id: int) -> ResponseReturnValue:
    """The item is not offered any more from a day on."""
    return _do(
        lambda: catalogue.end_item(
            item_id, valid_to=_day("valid_to"), actor=current_actor(), now=clock.now()
        ),
        _("The item ends on that day."),
    )


@bp.post("/catalogue/items/<int:item_id>/caps")
@requires(Permission.SET_CATALOGUE)
def set_cap(item_id: int) -> ResponseReturnValue:
    """A ceiling from a day on, for a level or for all."""

    def deed() -> None:
        level = request.form.get("level", "")
        act = request.form.get("legal_act", "").strip()
        if not act:
            raise BadItem(_("A cap names the act that sets it."))
        if level and level not in set(Level):
            raise BadMonths
        services.set_cap(
            item_id,
            level=Level(level) if level else None,
            amount=read_vnd(request.form.get("amount", "")),
            legal_act=act[:200],
            valid_from=_day("valid_from"),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(deed, _("The cap holds from that day on."))


@bp.post("/catalogue/insurance")
@requires(Permission.SET_CATALOGUE)
def set_insurance() -> ResponseReturnValue:
    """A new base salary or share of the State."""
    return _do(
        lambda: catalogue.set_insurance_rate(
            base_salary=read_vnd(request.form.get("base_salary", "")),
            state_share=request.form.get("state_share", -1, type=int),
            legal_act=request.form.get("legal_act", ""),
            valid_from=_day("valid_from"),
            actor=current_actor(),
            now=clock.now(),
        ),
        _("The rate holds from that day on."),
    )


@bp.post("/catalogue/first-items")
@requires(Permission.SET_CATALOGUE)
def seed_items() -> ResponseReturnValue:
    """The usual items, without prices and caps; what is there already stays as it is."""
    return _do(
        lambda: catalogue.seed_items(
            require_membership().unit_id,
            valid_from=_day("valid_from"),
            actor=current_actor(),
            now=clock.now(),
        ),
        _("The usual items are in the catalogue; look at the acts marked to be checked."),
    )


@bp.post("/catalogue/items/<int:item_id>/act")
@requires(Permission.SET_CATALOGUE)
def name_act(item_id: int) -> ResponseReturnValue:
    """By which act an item is charged, and which one allows it."""
    return _do(
        lambda: catalogue.name_act(
            item_id,
            legal_act=request.form.get("legal_act", ""),
            allowed_by=request.form.get("allowed_by", ""),
            actor=current_actor(),
            now=clock.now(),
        ),
        _("The act stands beside the item; issued lines keep theirs."),
    )


@bp.post("/catalogue/forbidden")
@requires(Permission.SET_CATALOGUE)
def forbid() -> ResponseReturnValue:
    """What may not be charged from a day on."""

    def deed() -> None:
        level = request.form.get("level", "")
        catalogue.forbid(
            name=request.form.get("name", ""),
            words=request.form.get("words", ""),
            level=Level(level) if level in [one.value for one in Level] else None,
            legal_act=request.form.get("legal_act", ""),
            valid_from=_day("valid_from"),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(deed, _("Items with such a name now ask for the act that allows them."))


@bp.post("/catalogue/forbidden/<int:rule_id>/end")
@requires(Permission.SET_CATALOGUE)
def end_prohibition(rule_id: int) -> ResponseReturnValue:
    """A prohibition that holds no longer."""
    return _do(
        lambda: catalogue.end_prohibition(
            rule_id, valid_to=_day("valid_to"), actor=current_actor(), now=clock.now()
        ),
        _("The prohibition ends on that day."),
    )
