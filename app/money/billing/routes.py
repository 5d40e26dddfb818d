"""Screens of billing: runs, their previews and results, bills and notices."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, qr
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.formats import vnd
from app.core.money import ZERO
from app.core.period import Period
from app.core.text import fold
from app.money import fees
from app.money.billing import corrections, notice_pdf, notices, queries, services, totals, vietqr
from app.money.billing.errors import RunChanged, TooManyNotices
from app.money.billing.forms import DraftRunForm
from app.money.billing.preview import GROUPS, ChildBill, Preview, preview
from app.money.billing.sentences import change, sentence, title, unit_word
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.schools import get_account
from app.people.schools.banks import find_bank

bp = Blueprint("billing", __name__)

#: rows a page holds
PAGE = 100
#: causes told of each child; the rarest come first
SENTENCES = 2
#: families get at least so many days to pay
DAYS_TO_PAY = 10


def default_due(school_id: int, period: Period, today: date) -> date:
    """The day of the school's plan, else the end of the month; ten days from now where later."""
    planned = fees.planned_due_date(school_id, period)
    if planned is not None and planned >= today:
        return planned
    return max(period.last_day, today + timedelta(days=DAYS_TO_PAY))


# Runs


@bp.get("/billing-runs")
@requires(Permission.VIEW_MONEY)
def list_runs() -> ResponseReturnValue:
    """The months with their runs, and the form that drafts the next one."""
    return _runs_page(DraftRunForm(formdata=None))


@bp.post("/billing-runs")
@requires(Permission.DRAFT_RUN)
def draft_run() -> ResponseReturnValue:
    """Open a run for a month and go to its preview."""
    form = DraftRunForm()
    if form.is_sent():
        try:
            with transaction():
                run_id = services.draft_run(
                    own_school(),
                    form.period.data,
                    due_on=form.due_on.data,
                    actor=current_actor(),
                    now=clock.now(),
                )
            return redirect(url_for("billing.show_run", run_id=run_id), 303)
        except DomainError as refusal:
            return _runs_page(form, refusal=refusal.message, status=refusal.status)
    return _runs_page(form, status=422)


def _runs_page(form: DraftRunForm, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    months = totals.approved_months(school_id)
    today = clock.today()
    if request.method == "GET":
        last = max((month.period for month in months if month.issued), default=None)
        following = [m.period for m in months if last is None or m.period > last]
        form.period.data = _asked_period() or next(iter(following), last)
        if form.period.data is not None:
            form.due_on.data = default_due(own_school(), form.period.data, today)
    membership = require_membership()
    page = render_template(
        "billing/list_runs.html",
        runs=queries.list_runs(school_id),
        months=months,
        form=form,
        refusal=refusal,
        today=today,
        may_draft=membership.may(Permission.DRAFT_RUN),
    )
    return page, status


def _asked_period() -> Period | None:
    try:
        return Period.parse(request.args.get("period", ""))
    except ValueError:
        return None


@bp.get("/billing-runs/<int:run_id>")
@requires(Permission.VIEW_MONEY)
def show_run(run_id: int) -> ResponseReturnValue:
    """A draft with its preview, or an issued run with what it issued."""
    return _run_page(run_id)


def _run_page(run_id: int, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    run = queries.get_run(school_id, run_id)
    if run.is_issued:
        page = render_template(
            "billing/issued_run.html",
            run=run,
            totals=totals.run_totals(school_id, run_id),
            refusal=refusal,
        )
        return page, status
    found = preview(school_id, run.billed_period)
    shown = _filtered(found)
    number_of_page = max(request.args.get("page", 1, type=int), 1)
    start = (number_of_page - 1) * PAGE
    on_page = shown[start : start + PAGE]
    approval = next(
        (m for m in totals.approved_months(school_id) if m.period == run.billed_period), None
    )
    page = render_template(
        "billing/show_run.html",
        run=run,
        preview=found,
        steps=found.steps(),
        title_of=title,
        change_of=change,
        sentences={child.enrolment_id: _sentences(child, run.billed_period) for child in on_page},
        children=on_page,
        shown=len(shown),
        start=start,
        planned={}
        if found.is_supplement
        else fees.planned_income(school_id, run.billed_period, clock.today()),
        counts={group: sum(child.group == group for child in found.children) for group in GROUPS},
        scale=_scale(found.children),
        filters=_filters(),
        blocked=found.blocked if start == 0 and _shows_blocked() else (),
        approval=approval,
        today=clock.today(),
        reason=_why_not(found, run),
        refusal=refusal,
        previous_url=_page_url(run_id, number_of_page - 1) if number_of_page > 1 else None,
        next_url=_page_url(run_id, number_of_page + 1) if start + PAGE < len(shown) else None,
        may_draft=require_membership().may(Permission.DRAFT_RUN),
    )
    return page, status


def _filters() -> dict[str, str]:
    kept = {name: request.args.get(name, "").strip() for name in ("group", "cause", "q")}
    return {name: value for name, value in kept.items() if value}


def _shows_blocked() -> bool:
    asked = _filters()
    return not asked or asked == {"group": "blocked"}


def _page_url(run_id: int, page: int) -> str:
    kept: dict[str, Any] = dict(_filters())
    return url_for("billing.show_run", run_id=run_id, page=page, **kept)


def _filtered(found: Preview) -> list[ChildBill]:
    asked = _filters()
    children: Sequence[ChildBill] = found.children
    if "group" in asked:
        children = [child for child in children if child.group == asked["group"]]
    if "cause" in asked:
        children = [c for c in children if any(cause.key == asked["cause"] for cause in c.causes)]
    if "q" in asked:
        key, digits = fold(asked["q"]), asked["q"].replace("-", "")
        children = [c for c in children if key in c.search_key or c.code.startswith(digits)]
    return list(children)


def _sentences(child: ChildBill, period: Period) -> str:
    texts = [sentence(cause, child, period) for cause in child.causes[:SENTENCES]]
    more = len(child.causes) - SENTENCES
    if more > 0:
        texts.append(ngettext("and one more change", "and %(num)s more changes", more))
    return "; ".join(texts)


def _scale(children: Sequence[ChildBill]) -> int:
    """The change that fills a bar: the largest, outliers torn off."""
    sizes = sorted(abs(child.change.dong) for child in children if child.change)
    return sizes[int(len(sizes) * 98 // 100)] if sizes else 1


def _why_not(found: Preview, run: queries.Run) -> str:
    if not found.count:
        return _("Nothing to issue: every bill of this month already agrees with the rules.")
    if not require_membership().may(Permission.ISSUE_RUN):
        return _("The accountant issues the bills.")
    if run.due_on < clock.today():
        return _("The day to pay by has passed. Set a new one first.")
    return ""


@bp.post("/billing-runs/<int:run_id>/issue")
@requires(Permission.ISSUE_RUN)
def issue_run(run_id: int) -> ResponseReturnValue:
    """Issue the bills, exactly as the person saw them."""
    try:
        with transaction():
            issued = services.issue_run(
                own_school(), run_id, actor=current_actor(), now=clock.now()
            )
            seen = request.form.get("total", type=int), request.form.get("invoices", type=int)
            if None not in seen and seen != (issued.total.dong, issued.invoices):
                raise RunChanged
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _run_page(run_id, refusal=refusal.message, status=refusal.status)
    flash(
        ngettext(
            "Issued one bill, %(sum)s",
            "Issued %(num)s bills, %(sum)s",
            issued.invoices,
            sum=vnd(issued.total),
        ),
        "toast",
    )
    return redirect(url_for("billing.show_run", run_id=run_id), 303)


# Bills


@bp.get("/invoices")
@requires(Permission.VIEW_MONEY)
def list_invoices() -> ResponseReturnValue:
    """The bills of a month, by class and name."""
    school_id = own_school()
    months = totals.billed_months(school_id)
    period = _asked_period() or (months[0] if months else Period.of(clock.today()))
    class_name = request.args.get("class_name", "").strip()
    text = request.args.get("q", "").strip()
    page = max(request.args.get("page", 1, type=int), 1)
    start = (page - 1) * PAGE
    found, count = queries.list_invoices(
        school_id, period, class_name=class_name, text=fold(text), offset=start, limit=PAGE
    )

    def page_url(to: int) -> str:
        return url_for(
            "billing.list_invoices",
            period=period,
            class_name=class_name or None,
            q=text or None,
            page=to,
        )

    return render_template(
        "billing/list_invoices.html",
        invoices=found,
        withdrawn=queries.withdrawals_among(school_id, [invoice.id for invoice in found]),
        count=count,
        start=start,
        period=period,
        months=sorted({*months, period}, reverse=True),
        classes=totals.classes_of_month(school_id, period),
        class_name=class_name,
        text=text,
        totals=totals.month_totals(school_id, period, class_name=class_name, text=fold(text)),
        previous_url=page_url(page - 1) if page > 1 else None,
        next_url=page_url(page + 1) if start + PAGE < count else None,
    )


@bp.get("/invoices/<int:invoice_id>")
@requires(Permission.VIEW_MONEY)
def show_invoice(invoice_id: int) -> ResponseReturnValue:
    """One bill with its lines, their reasons, what paid it, and the ways to pay the rest."""
    return invoice_page(invoice_id)


def invoice_page(invoice_id: int, *, refusal: str = "") -> str:
    """The page of one bill; a refused correction says why on it."""
    school_id = own_school()
    invoice = queries.get_invoice(school_id, invoice_id)
    lines = queries.lines_of(school_id, [invoice_id])
    return render_template(
        "billing/show_invoice.html",
        invoice=invoice,
        lines=lines,
        grounds=totals.grounds_of(school_id, invoice_id),
        settlings=totals.settlings_of(school_id, invoice_id),
        withdrawn=queries.withdrawals_among(
            school_id, [other.id for other in queries.invoices_of(school_id, invoice.student_id)]
        ),
        others=[
            other
            for other in queries.invoices_of(school_id, invoice.student_id)
            if other.id != invoice.id
        ],
        credit=queries.credits_of(school_id, [invoice.student_id]).get(invoice.student_id, ZERO),
        ways=[_way(found) for found in queries.requests_of(school_id, invoice.student_id)],
        withdrawal=queries.withdrawals_among(school_id, [invoice_id]).get(invoice_id),
        differs=corrections.still_differs(school_id, invoice.enrolment_id, invoice.billed_period)
        if require_membership().may(Permission.ISSUE_RUN)
        else None,
        may_correct=require_membership().may(Permission.ISSUE_RUN),
        due_on=default_due(own_school(), invoice.billed_period, clock.today()),
        refusal=refusal,
        form=request.form,
        message=notices.write_message(school_id, invoice, day=clock.today())
        if invoice.open > ZERO
        else "",
        unit_word=unit_word,
        may_take_cash=require_membership().may(Permission.TAKE_CASH),
    )


@bp.get("/notices.pdf")
@requires(Permission.VIEW_MONEY)
def notices_pdf() -> ResponseReturnValue:
    """The paper notice of one bill, or those of a class in a month."""
    school_id = own_school()
    invoice_id = request.args.get("invoice_id", type=int)
    if invoice_id is not None:
        invoices = [queries.get_invoice(school_id, invoice_id)]
        name = f"notice-{invoice_id}"
    else:
        period = _asked_period() or Period.of(clock.today())
        class_name = request.args.get("class_name", "").strip()
        # Paid bills and supplements are passed over, so more are read than may be printed.
        invoices, count = queries.list_invoices(
            school_id, period, class_name=class_name, limit=notice_pdf.MOST * 4
        )
        if count > len(invoices):
            raise TooManyNotices
        name = f"notices-{period}"
    paper = notice_pdf.print_notices(school_id, invoices, day=clock.today())
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=headers)


def _way(found: queries.Request) -> dict[str, Any]:
    """A payment request as a page shows it: account, code, link, and a QR while money is due."""
    account = get_account(found.school_id, found.bank_account_id)
    bank = find_bank(account.bank_bin)
    amount = queries.due(found)
    picture = ""
    if amount > ZERO:
        text = vietqr.build(account.bank_bin, account.number, amount, found.reference)
        picture = "data:image/png;base64," + base64.b64encode(qr.png(text)).decode("ascii")
    public = current_app.config["SETTINGS"].public_url.rstrip("/")
    return {
        "reference": found.reference,
        "amount": amount,
        "link": public + url_for("family.pay", token=found.token),
        "picture": picture,
        "bank": bank.short_name if bank else account.bank_bin,
        "number": account.number,
        "holder": account.holder,
    }
