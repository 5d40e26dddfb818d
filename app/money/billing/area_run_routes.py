"""The month of all schools from the unit above: rehearse, look, issue; the work goes on behind."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.money import total_of
from app.money.billing import area_runs
from app.money.billing.forms import DraftRunForm
from app.money.billing.routes import bp
from app.money.billing.sentences import outcome_word
from app.people.access import (
    Permission,
    current_actor,
    readable_schools,
    require_membership,
    requires,
)


@bp.get("/area/billing-runs")
@requires(Permission.RUN_AREA)
def list_area_runs() -> ResponseReturnValue:
    """The runs of the whole area so far, and the form that rehearses the next one."""
    form = DraftRunForm(formdata=None)
    return _list(form)


def _list(form: DraftRunForm, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "billing/list_area_runs.html",
            runs=area_runs.newest(),
            schools=readable_schools(),
            form=form,
            refusal=refusal,
            today=clock.today(),
            unit_name=require_membership().school_name,
        ),
        status,
    )


@bp.post("/area/billing-runs")
@requires(Permission.RUN_AREA)
def rehearse_area_run() -> ResponseReturnValue:
    """Have a month rehearsed at all schools or at the ticked ones."""
    form = DraftRunForm()
    if not form.is_sent():
        return _list(form, status=422)
    ticked = set(request.form.getlist("school"))
    wanted = [school.id for school in readable_schools() if not ticked or school.code in ticked]
    try:
        with transaction():
            run_id = area_runs.ask(
                wanted,
                form.period.data,
                due_on=form.due_on.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _list(form, refusal=refusal.message, status=refusal.status)
    return redirect(url_for("billing.show_area_run", area_run_id=run_id), 303)


@bp.get("/area/billing-runs/<int:area_run_id>")
@requires(Permission.RUN_AREA)
def show_area_run(area_run_id: int) -> ResponseReturnValue:
    """How far the work is; what each school would bill or has billed."""
    return _show(area_run_id)


def _show(area_run_id: int, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    found = area_runs.get(area_run_id)
    parts = [
        (school, found.parts[school.id])
        for school in readable_schools()
        if school.id in found.parts
    ]
    ready = [part for _school, part in parts if part.outcome == area_runs.READY]
    done = [part for _school, part in parts if part.outcome == area_runs.ISSUED]
    return (
        render_template(
            "billing/show_area_run.html",
            run=found,
            parts=parts,
            ready=len(ready),
            done=len(done),
            total=total_of([part.total for _s, part in parts if part.total is not None]),
            previous=total_of([part.previous for _s, part in parts if part.previous is not None]),
            bills=sum(part.invoices or 0 for _s, part in parts),
            outcome_word=outcome_word,
            refusal=refusal,
        ),
        status,
    )


@bp.post("/area/billing-runs/<int:area_run_id>/issue")
@requires(Permission.RUN_AREA)
def issue_area_run(area_run_id: int) -> ResponseReturnValue:
    """Have the bills of the ticked schools issued."""
    found = area_runs.get(area_run_id)
    ticked = set(request.form.getlist("school"))
    wanted = [
        school.id
        for school in readable_schools()
        if school.code in ticked
        and school.id in found.parts
        and found.parts[school.id].outcome == area_runs.READY
    ]
    try:
        with transaction():
            area_runs.issue(area_run_id, wanted, actor=current_actor(), now=clock.now())
    except DomainError as refusal:
        return _show(area_run_id, refusal=refusal.message, status=refusal.status)
    return redirect(url_for("billing.show_area_run", area_run_id=area_run_id), 303)
