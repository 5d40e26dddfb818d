"""Collected for others: what is held, who went with which batch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import audit
from app.core import clock
from app.core.acting import attempt
from app.core.errors import NotFound
from app.core.forms import read_day
from app.core.money import total_of
from app.core.period import Period
from app.money.billing import passing_on
from app.money.billing.routes import bp
from app.people.access import Permission, current_actor, own_school, require_membership, requires


@bp.get("/passed-on")
@requires(Permission.VIEW_MONEY)
def list_collected() -> ResponseReturnValue:
    """Items and months collected for others: billed, paid, passed on, still held."""
    found = passing_on.collected(own_school())
    return render_template(
        "billing/list_collected.html",
        lines=found,
        billed=total_of([one.billed for one in found]),
        passed=total_of([one.passed for one in found]),
        held=total_of([one.held for one in found]),
    )


def _period(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError:
        raise NotFound from None


@bp.get("/passed-on/<int:item_id>/<month>")
@requires(Permission.VIEW_MONEY)
def show_collected(item_id: int, month: str) -> ResponseReturnValue:
    """The children of an item and month, and what went already."""
    return _show(item_id, _period(month))


def _show(
    item_id: int, period: Period, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    line = next(
        (
            one
            for one in passing_on.collected(own_school())
            if one.item_id == item_id and one.period == period
        ),
        None,
    )
    if line is None:
        raise NotFound
    return (
        render_template(
            "billing/show_collected.html",
            line=line,
            children=passing_on.children_of(own_school(), item_id, period),
            batches=passing_on.batches_of(own_school(), item_id, period),
            may_record=require_membership().may(Permission.ISSUE_RUN),
            ticked=set(request.form.getlist("child")) if request.method == "POST" else None,
            today=clock.today(),
            form=request.form,
            refusal=refusal,
        ),
        status,
    )


def _do(
    item_id: int, period: Period, deed: Callable[[audit.Actor, datetime], object], done: str
) -> ResponseReturnValue:
    refused = attempt(
        lambda: deed(current_actor(), clock.now()),
        lambda words, status: _show(item_id, period, refusal=words, status=status),
    )
    if refused is not None:
        return refused
    flash(done, "toast")
    return redirect(url_for("billing.show_collected", item_id=item_id, month=period), 303)


@bp.post("/passed-on/<int:item_id>/<month>")
@requires(Permission.ISSUE_RUN)
def pass_on(item_id: int, month: str) -> ResponseReturnValue:
    """Record that the ticked children's money went."""
    period = _period(month)

    def deed(actor: audit.Actor, now: datetime) -> None:
        passing_on.pass_on(
            own_school(),
            item_id,
            period,
            [int(one) for one in request.form.getlist("child") if one.isdigit()],
            passed_on=read_day(request.form.get("passed_on", "")),
            recipient=request.form.get("recipient", ""),
            paper_no=request.form.get("paper_no", ""),
            actor=actor,
            now=now,
        )

    return _do(item_id, period, deed, _("Recorded. The school no longer refunds these by itself."))


@bp.post("/passed-on/<int:item_id>/<month>/<int:batch_id>/cancel")
@requires(Permission.ISSUE_RUN)
def cancel_batch(item_id: int, month: str, batch_id: int) -> ResponseReturnValue:
    """The money did not go, or came back."""
    return _do(
        item_id,
        _period(month),
        lambda actor, now: passing_on.cancel_batch(
            own_school(), batch_id, reason=request.form.get("reason", ""), actor=actor, now=now
        ),
        _("Taken back: the rules hold again for these children."),
    )
