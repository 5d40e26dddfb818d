"""The fee schedules of a school: the list, and the editor with its approval."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import audit
from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError, NotFound
from app.core.i18n import language
from app.core.period import Period
from app.money.fees import queries, services, table
from app.money.fees.catalogue import insurance_on
from app.money.fees.forms import (
    ActForm,
    AgreementForm,
    DraftForm,
    PriceForm,
    QuantitiesField,
    RemoveForm,
    ReturnForm,
)
from app.money.fees.models import ScheduleState
from app.money.fees.queries import Item, Schedule
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import school_info, year_of

bp = Blueprint("fees", __name__)


# The list


@bp.get("/fee-schedules")
@requires(Permission.VIEW_MONEY)
def list_schedules() -> ResponseReturnValue:
    """Every version of every school year."""
    return _list(DraftForm(formdata=None))


def _list(form: DraftForm, status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    schedules = queries.list_schedules(school_id)
    years = _open_years(schedules)
    form.school_year_id.choices = list(years.items())
    page = render_template(
        "fees/list_schedules.html",
        schedules=schedules,
        years=years,
        form=form,
        waiting=[s for s in schedules if s.state is ScheduleState.SUBMITTED],
        may_draft=require_membership().may(Permission.DRAFT_FEES),
        may_approve=require_membership().may(Permission.APPROVE_FEES),
        by_version=queries.summaries(school_id),
    )
    return page, status


def _open_years(schedules: list[Schedule]) -> dict[int, str]:
    """School years that have no version yet: the present one and the next."""
    taken = {schedule.school_year_id for schedule in schedules}
    year = year_of(clock.today())
    first = year.starts_on if year else clock.today()
    return {id_: code for id_, code in queries.years_from(first).items() if id_ not in taken}


@bp.post("/fee-schedules")
@requires(Permission.DRAFT_FEES)
def draft_schedule() -> ResponseReturnValue:
    """Open the first version of a school year."""
    form = DraftForm()
    form.school_year_id.choices = list(_open_years(queries.list_schedules(own_school())).items())
    if not form.is_sent():
        return _list(form, 422)
    try:
        with transaction():
            schedule_id = services.draft_schedule(
                own_school(),
                form.school_year_id.data,
                agreement=form.agreement.data or "",
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        form.school_year_id.errors = [refusal.message]
        return _list(form, refusal.status)
    return redirect(url_for(".show_schedule", schedule_id=schedule_id), 303)


# The editor


@bp.get("/fee-schedules/<int:schedule_id>")
@requires(Permission.VIEW_MONEY)
def show_schedule(schedule_id: int) -> ResponseReturnValue:
    """Prices over the months; with `item` and `audience` their row is in the form to be changed."""
    schedule = queries.get_schedule(own_school(), schedule_id)
    return _editor(schedule)


def _editor(
    schedule: Schedule,
    *,
    form: PriceForm | None = None,
    return_form: ReturnForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    membership = require_membership()
    level = school_info(schedule.school_id, clock.today()).level
    priced = table.price_table(schedule, level)
    is_draft = schedule.state is ScheduleState.DRAFT
    may_edit = is_draft and membership.may(Permission.DRAFT_FEES)
    page = render_template(
        "fees/show_schedule.html",
        schedule=schedule,
        table=priced,
        caps={row.item.id: queries.cap_in(row.caps, row.first) for row in priced.rows},
        problems=[_sentence(span) for span in priced.problems],
        form=(form or _price_form(schedule, priced)) if may_edit else None,
        changed=_changed(priced) if form is None else None,
        agreement_form=AgreementForm(formdata=None, data={"agreement": schedule.agreement}),
        return_form=return_form or ReturnForm(formdata=None),
        returned=queries.last_return(schedule.school_id, schedule.id) if is_draft else None,
        may_edit=may_edit,
        insurance=insurance_on(max(clock.today(), schedule.year_starts_on)) if may_edit else None,
        may_copy=membership.may(Permission.DRAFT_FEES)
        and schedule.state is ScheduleState.APPROVED
        and not _has_open_version(schedule),
        may_decide=membership.may(Permission.APPROVE_FEES)
        and schedule.state is ScheduleState.SUBMITTED,
        why_not_submit=_why_not_submit(priced),
        why_not_approve=_why_not_approve(schedule, priced),
        audience_text=audience_text,
        item_name=item_name,
        total_text=_total_text,
        has_gaps=table.has_gaps,
    )
    return page, status


def item_name(item: Item) -> str:
    """An item in the reader's language."""
    return item.name_en if language() == "en" else item.name


def _grade_text(grade: int) -> str:
    nursery = {-3: _("Crèche"), -2: _("Age 3-4"), -1: _("Age 4-5"), 0: _("Age 5-6")}
    return nursery.get(grade) or _("Grade %(n)s", n=grade)


def audience_text(audience: table.Audience) -> str:
    """Whom a price is for, in words."""
    if audience.class_name is not None:
        return _("Class %(name)s", name=audience.class_name)
    if audience.grade is not None:
        return _grade_text(audience.grade)
    return _("Whole school")


def _total_text(total: table.Total) -> str:
    if total.grades:
        return ", ".join(map(_grade_text, total.grades))
    if total.class_names:
        return _("Class %(name)s", name=", ".join(total.class_names))
    return _("Every pupil")


def _sentence(span: table.Span) -> str:
    """A problem with its months and what to do about it."""
    problem = span.problem
    if span.first == span.last:
        return services.explain(problem, item_name(problem.item))
    months = _(
        "%(first)s to %(last)s", first=formats.month(span.first), last=formats.month(span.last)
    )
    return services.explain(problem, item_name(problem.item), months)


def _why_not_submit(priced: table.PriceTable) -> str:
    if not priced.rows:
        return _("Add at least one price first.")
    if priced.problems:
        return _("Put the marked prices right first.")
    return ""


def _why_not_approve(schedule: Schedule, priced: table.PriceTable) -> str:
    actor = current_actor()
    if services.is_maker(schedule, actor):
        return _("You worked on this version yourself, so somebody else has to approve it.")
    if priced.problems:
        return _("Some prices may not be charged. Return the schedule with the reason.")
    return ""


def _has_open_version(schedule: Schedule) -> bool:
    return any(
        other.school_year_id == schedule.school_year_id and other.state in services.OPEN
        for other in queries.list_schedules(schedule.school_id)
    )


def _changed(priced: table.PriceTable) -> table.Row | None:
    """The row a person asked to change."""
    item, audience = request.args.get("item", type=int), request.args.get("audience")
    found = (r for r in priced.rows if r.item.id == item and r.audience.key == audience)
    return next(found, None)


def _price_form(schedule: Schedule, priced: table.PriceTable) -> PriceForm:
    row = _changed(priced)
    months = priced.months
    if row is None:
        form = PriceForm(
            formdata=None,
            data={"first": str(months[0]), "last": str(months[-1]), "quantities": [1]},
        )
    else:
        quantities = [int(part) for part in row.quantities.split()]
        change = row.change
        form = PriceForm(
            formdata=None,
            data={
                "item_id": row.item.id,
                "audience": row.audience.key,
                "first": str(row.first),
                "last": str(row.last),
                "quantities": quantities,
                "price": change[0] if change else row.one_price,
                "second_price": change[1] if change else None,
                "second_from": change[2] if change else None,
            },
        )
    return _with_choices(form, schedule)


def _with_choices(form: PriceForm, schedule: Schedule) -> PriceForm:
    form.item_id.choices = [
        (item.id, f"{item_name(item)} ({unit_text(item)})")
        for item in queries.items_for(schedule.months[0].first_day)
    ]
    places = table.places_of(schedule.school_id, schedule.school_year_id)
    grades = sorted({place.grade for place in places})
    form.audience.choices = [
        ("all", _("Whole school")),
        *((f"grade:{grade}", _grade_text(grade)) for grade in grades),
        *((f"class:{p.class_id}", _("Class %(name)s", name=p.name)) for p in places),
    ]
    months = [(str(month), formats.month(month)) for month in schedule.months]
    form.first.choices = months
    form.last.choices = months
    return form


def unit_text(item: Item) -> str:
    """What one of an item is, in the reader's language."""
    return {
        "day": _("day"),
        "month": _("month"),
        "semester": _("semester"),
        "year": _("year"),
        "hour": _("hour"),
        "lesson": _("lesson"),
        "km": "km",
        "piece": _("piece"),
        "once": _("once"),
    }[item.unit]


def category_text(item: Item) -> str:
    """The legal category in the reader's language."""
    return {
        "tuition": _("Tuition"),
        "service": _("Service"),
        "collect_for": _("Collected for others"),
        "agreed": _("Agreed with parents"),
        "sponsor": _("Sponsorship"),
        "parent_fund": _("Parents' fund"),
    }[item.category]


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"unit_text": unit_text, "category_text": category_text}


@bp.post("/fee-schedules/<int:schedule_id>/prices")
@requires(Permission.DRAFT_FEES)
def set_prices(schedule_id: int) -> ResponseReturnValue:
    """Add or change one item for one audience over a span of months."""
    schedule = queries.get_schedule(own_school(), schedule_id)
    form = _with_choices(PriceForm(), schedule)
    if not form.is_sent():
        return _editor(schedule, form=form, status=422)
    prices = _prices_in(form)
    if prices is None:
        return _editor(schedule, form=form, status=422)
    try:
        with transaction():
            services.set_prices(
                own_school(), schedule_id, prices, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        form.price.errors = [refusal.message]
        return _editor(schedule, form=form, status=refusal.status)
    return redirect(url_for(".show_schedule", schedule_id=schedule_id, _anchor="prices"), 303)


def _prices_in(form: PriceForm) -> list[services.NewPrice] | None:
    """The prices a form asks for, or None once it says what is wrong."""
    first, last = form.spans()
    months = first.through(last)
    quantities: list[int] = form.quantities.data
    if not months:
        form.last.errors = [_("The last month lies before the first month.")]
        return None
    if len(quantities) not in (1, len(months)):
        _refuse(
            form.quantities,
            _(
                "You gave %(given)s numbers for %(months)s months. Enter one number, or one for"
                " each month.",
                given=len(quantities),
                months=len(months),
            ),
        )
        return None
    if len(quantities) == 1:
        quantities = quantities * len(months)
    if not _is_change_told(form, months):
        return None
    return services.with_change(
        [
            services.NewPrice(
                form.item_id.data, form.audience.data, month, quantity, form.price.data
            )
            for month, quantity in zip(months, quantities, strict=True)
        ],
        form.second_price.data,
        form.second_from.data,
    )


def _is_change_told(form: PriceForm, months: list[Period]) -> bool:
    """Whether a price that changes has both its day and its amount, and the day lies in the span.

    Otherwise the form says what is wrong.
    """
    amount, day = form.second_price.data, form.second_from.data
    if amount is None and day is None:
        return True
    if day is None:
        form.second_from.errors = [_("Enter the first day of the new price.")]
    elif amount is None:
        form.second_price.errors = [_("Enter the new price of a day.")]
    elif not months[0].first_day < day <= months[-1].last_day:
        form.second_from.errors = [
            _("The new price begins after the first day of the span, and within it.")
        ]
    else:
        return True
    return False


def _refuse(field: QuantitiesField, message: str) -> None:
    field.errors = [message]


@bp.post("/fee-schedules/<int:schedule_id>/prices/remove")
@requires(Permission.DRAFT_FEES)
def remove_prices(schedule_id: int) -> ResponseReturnValue:
    """Take one row out of a draft."""
    form = RemoveForm()
    if not form.is_sent() or not str(form.item_id.data).isdigit():
        raise NotFound
    item_id, audience = int(form.item_id.data or 0), form.audience.data or ""

    def remove(actor: audit.Actor, now: datetime) -> None:
        services.remove_prices(
            own_school(), schedule_id, item_id=item_id, audience=audience, actor=actor, now=now
        )

    return _act(schedule_id, remove, _("The row was removed."))


@bp.post("/fee-schedules/<int:schedule_id>/agreement")
@requires(Permission.DRAFT_FEES)
def set_agreement(schedule_id: int) -> ResponseReturnValue:
    """Write down what the draft rests on."""
    form = AgreementForm()
    if not form.is_sent():
        flash(_("The agreement has at most 200 letters."), "error")
        return redirect(url_for(".show_schedule", schedule_id=schedule_id), 303)

    def write(actor: audit.Actor, now: datetime) -> None:
        services.set_agreement(
            own_school(), schedule_id, agreement=form.agreement.data or "", actor=actor, now=now
        )

    return _act(schedule_id, write, _("The agreement was written down."))


@bp.post("/fee-schedules/<int:schedule_id>/submit")
@requires(Permission.DRAFT_FEES)
def submit_schedule(schedule_id: int) -> ResponseReturnValue:
    """Hand the draft to the principal."""

    def submit(actor: audit.Actor, now: datetime) -> None:
        services.submit_schedule(own_school(), schedule_id, actor=actor, now=now)

    return _act(schedule_id, submit, _("Handed to the principal for approval."))


@bp.post("/fee-schedules/<int:schedule_id>/return")
@requires(Permission.APPROVE_FEES)
def return_schedule(schedule_id: int) -> ResponseReturnValue:
    """Send it back with the reason."""
    schedule = queries.get_schedule(own_school(), schedule_id)
    form = ReturnForm()
    if not form.is_sent():
        return _editor(schedule, return_form=form, status=422)

    def send_back(actor: audit.Actor, now: datetime) -> None:
        services.return_schedule(
            own_school(), schedule_id, reason=form.reason.data or "", actor=actor, now=now
        )

    return _act(schedule_id, send_back, _("Returned to the accountant with your reason."))


@bp.post("/fee-schedules/<int:schedule_id>/approve")
@requires(Permission.APPROVE_FEES)
def approve_schedule(schedule_id: int) -> ResponseReturnValue:
    """Put it in force."""

    def approve(actor: audit.Actor, now: datetime) -> None:
        services.approve_schedule(own_school(), schedule_id, actor=actor, now=now)

    return _act(schedule_id, approve, _("Approved: the next billing run uses these prices."))


@bp.post("/fee-schedules/<int:schedule_id>/copy")
@requires(Permission.DRAFT_FEES)
def copy_schedule(schedule_id: int) -> ResponseReturnValue:
    """Begin the next version from the approved one."""
    if not ActForm().is_sent():
        raise NotFound
    try:
        with transaction():
            copy_id = services.copy_to_new_draft(
                own_school(), schedule_id, actor=current_actor(), now=clock.now()
            )
    except NotFound:
        raise
    except DomainError as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".show_schedule", schedule_id=schedule_id), 303)
    return redirect(url_for(".show_schedule", schedule_id=copy_id), 303)


def _act(
    schedule_id: int, deed: Callable[[audit.Actor, datetime], None], done: str
) -> ResponseReturnValue:
    """One button of the editor: do it, say so, come back; a refusal is said in its own words."""
    try:
        with transaction():
            deed(current_actor(), clock.now())
    except NotFound:
        raise
    except DomainError as refusal:
        flash(refusal.message, "error")
    else:
        flash(done, "toast")
    return redirect(url_for(".show_schedule", schedule_id=schedule_id), 303)
