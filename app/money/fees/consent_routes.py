"""Consents class by class, a child's own quantities, gifts; rates for the unit above."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, papers
from app.core.acting import attempt
from app.core.db import transaction
from app.core.errors import BadDay, DomainError
from app.core.forms import read_day, read_vnd
from app.core.money import ZERO
from app.core.period import Period
from app.money.fees import consents, day_rules, gifts, queries
from app.money.fees.errors import BadGift, BadMonths, BadPrice
from app.money.fees.models import Category
from app.money.fees.routes import bp
from app.money.fees.words import categories, source_word, units
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    readable_schools,
    require_membership,
    requires,
)


def _month() -> Period:
    try:
        return Period.parse(request.values.get("month", ""))
    except ValueError:
        return Period.of(clock.today())


def _class_name(class_id: int) -> str:
    rates = consents.rates_by_class(own_school(), 0, clock.today())
    return next((rate.place for rate in rates if rate.place_id == class_id), "")


# Consents


@bp.get("/consents")
@requires(Permission.RECORD_CHOICES)
def show_consents() -> ResponseReturnValue:
    """How many of each class said yes to an optional item."""
    items = consents.optional_items()
    wanted = request.args.get("item", type=int)
    item = next((one for one in items if one.id == wanted), items[0] if items else None)
    today = clock.today()
    rates = consents.rates_by_class(own_school(), item.id, today) if item else []
    children, yes = sum(r.children for r in rates), sum(r.yes for r in rates)
    return render_template(
        "fees/consents.html",
        items=items,
        item=item,
        rates=rates,
        whole=consents.Rate(item.id if item else 0, "", 0, children, yes),
        until=consents.withdrawable_until(own_school(), item.id, today) if item else None,
        month=Period.of(today),
        may_set=require_membership().may(Permission.DRAFT_FEES),
        suspicious=consents.SUSPICIOUS,
    )


@bp.post("/consents/<int:item_id>/until")
@requires(Permission.DRAFT_FEES)
def set_until(item_id: int) -> ResponseReturnValue:
    """Until when a family may take its yes back."""
    try:
        until = read_day(request.form.get("until", ""))
    except BadDay as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".show_consents", item=item_id), 303)
    with transaction():
        consents.set_withdrawable_until(
            own_school(), item_id, until, actor=current_actor(), now=clock.now()
        )
    return redirect(url_for(".show_consents", item=item_id), 303)


@bp.get("/consents/<int:item_id>/classes/<int:class_id>")
@requires(Permission.RECORD_CHOICES)
def show_class_consents(item_id: int, class_id: int) -> ResponseReturnValue:
    """The children of a class with their families' word on one item."""
    return _class_page(item_id, class_id)


def _class_page(
    item_id: int, class_id: int, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    item = queries.all_items().get(item_id)
    month = _month()
    children = consents.choosers(own_school(), class_id, item_id, month)
    if item is None or not children:
        raise BadMonths(_("This class has no children in this month, or the item is unknown."))
    membership = require_membership()
    return (
        render_template(
            "fees/class_consents.html",
            item=item,
            class_id=class_id,
            class_name=_class_name(class_id),
            children=children,
            ticked=set(request.form.getlist("yes"))
            if request.method == "POST"
            else {str(one.enrolment_id) for one in children if one.choice_id},
            month=month,
            unit=units()[item.unit],
            source_word=source_word,
            scans=consents.scans_of(own_school(), class_id, item_id),
            until=consents.withdrawable_until(own_school(), item_id, clock.today()),
            may_set=membership.may(Permission.DRAFT_FEES),
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


@bp.post("/consents/<int:item_id>/classes/<int:class_id>")
@requires(Permission.RECORD_CHOICES)
def keep_consents(item_id: int, class_id: int) -> ResponseReturnValue:
    """Keep what the signed forms of a class say."""
    may_be_late = require_membership().may(Permission.DRAFT_FEES)
    scan = request.files.get("scan")
    try:
        with transaction():
            done = consents.keep_choices(
                own_school(),
                class_id,
                item_id,
                [int(one) for one in request.form.getlist("yes") if one.isdigit()],
                month=_month(),
                form_no=request.form.get("form_no", ""),
                late_reason=request.form.get("late_reason", "") if may_be_late else "",
                scan=scan.read(papers.MOST + 1) if scan else b"",
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _class_page(item_id, class_id, refusal=refusal.message, status=refusal.status)
    flash(
        _("%(yes)s yeses recorded, %(gone)s taken back.", yes=done.said_yes, gone=done.taken_back),
        "toast",
    )
    return redirect(url_for(".show_consents", item=item_id), 303)


@bp.get("/consents/scans/<int:scan_id>")
@requires(Permission.RECORD_CHOICES)
def open_scan(scan_id: int) -> ResponseReturnValue:
    """The signed forms as they were scanned."""
    kind, content = consents.open_scan(own_school(), scan_id)
    return Response(content, content_type=kind, headers=papers.headers(f"phieu-{scan_id}", kind))


@bp.post("/consents/<int:item_id>/classes/<int:class_id>/quantities")
@requires(Permission.DRAFT_FEES)
def keep_quantities(item_id: int, class_id: int) -> ResponseReturnValue:
    """Quantities of single children in a month, each with its reason."""
    month, wanted = _month(), []
    try:
        for one in consents.choosers(own_school(), class_id, item_id, month):
            text = request.form.get(f"q{one.enrolment_id}", "").strip()
            if not text or text == str(one.quantity):
                continue
            if not text.isdecimal() or not text.isascii():
                raise BadPrice(_("A quantity of one child is 0 to 1,000, with its reason."))
            reason = request.form.get(f"r{one.enrolment_id}", "") or one.reason
            wanted.append(
                day_rules.OwnQuantity(one.enrolment_id, item_id, month, int(text), reason)
            )
        with transaction():
            done = day_rules.set_quantities(
                own_school(), wanted, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        return _class_page(item_id, class_id, refusal=refusal.message, status=refusal.status)
    flash(ngettext("One quantity kept.", "%(num)s quantities kept.", done), "toast")
    return redirect(
        url_for(".show_class_consents", item_id=item_id, class_id=class_id, month=month), 303
    )


@bp.get("/area/consents")
@requires(Permission.VIEW_AREA)
def show_area_consents() -> ResponseReturnValue:
    """Where nearly everybody said yes to something voluntary: somebody should ask."""
    schools = {school.id: school for school in readable_schools()}
    rates = consents.rates_by_school(list(schools), clock.today())
    items = queries.all_items()
    return render_template(
        "fees/area_consents.html",
        rates=sorted(rates, key=lambda rate: (not rate.is_suspicious, -rate.percent)),
        schools=schools,
        items=items,
        suspicious=consents.SUSPICIOUS,
        unit_name=require_membership().school_name,
    )


# Gifts


@bp.get("/gifts")
@requires(Permission.VIEW_MONEY)
def show_gifts() -> ResponseReturnValue:
    """Sponsorship and the parents' fund, apart from everything that is charged."""
    return _gifts()


def _gifts(*, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "fees/gifts.html",
            gifts=gifts.gifts(own_school()),
            sums=gifts.gift_sums(own_school()),
            categories=categories(),
            may_record=require_membership().may(Permission.DRAFT_FEES),
            today=clock.today(),
            refusal=refusal,
            form=request.form,
        ),
        status,
    )


@bp.post("/gifts")
@requires(Permission.DRAFT_FEES)
def record_gift() -> ResponseReturnValue:
    """Write a gift down."""
    try:
        text = request.form.get("amount", "").strip()
        given = read_day(request.form.get("given_on", ""))
        try:
            category = Category(request.form.get("category", ""))
        except ValueError:
            raise BadGift(_("Only sponsorship and the parents' fund are recorded here.")) from None
        with transaction():
            gifts.record_gift(
                own_school(),
                category=category,
                given_on=given,
                giver=request.form.get("giver", ""),
                purpose=request.form.get("purpose", ""),
                amount=read_vnd(text) if text else ZERO,
                goods=request.form.get("goods", ""),
                proof_no=request.form.get("proof_no", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _gifts(refusal=refusal.message, status=refusal.status)
    return redirect(url_for(".show_gifts"), 303)


@bp.post("/gifts/<int:gift_id>/cancel")
@requires(Permission.DRAFT_FEES)
def cancel_gift(gift_id: int) -> ResponseReturnValue:
    """Take a wrong line back."""
    return attempt(
        lambda: gifts.cancel_gift(
            own_school(),
            gift_id,
            reason=request.form.get("reason", ""),
            actor=current_actor(),
            now=clock.now(),
        ),
        lambda words, status: _gifts(refusal=words, status=status),
    ) or redirect(url_for(".show_gifts"), 303)
