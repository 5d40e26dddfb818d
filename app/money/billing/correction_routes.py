"""Putting a bill right on its page, and the note of a withdrawal on paper."""

from __future__ import annotations

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app.core import clock, press
from app.core.db import transaction
from app.core.errors import DomainError
from app.core.formats import vnd
from app.money.billing import corrections, queries
from app.money.billing.errors import InvoiceNotFound
from app.money.billing.routes import bp, default_due, invoice_page
from app.people.access import Permission, current_actor, own_school, requires
from app.people.schools import school_info, wording

SHEETS = ("css/paper.css", "css/print-report.css")


@bp.post("/invoices/<int:invoice_id>/withdraw")
@requires(Permission.ISSUE_RUN)
def withdraw_invoice(invoice_id: int) -> ResponseReturnValue:
    """Take a wrong bill back; what the rules give now stands instead."""
    school_id, today = own_school(), clock.today()
    bill = queries.get_invoice(school_id, invoice_id)
    try:
        with transaction():
            done = corrections.withdraw(
                school_id,
                invoice_id,
                reason=request.form.get("reason", "")[:400],
                due_on=default_due(school_id, bill.billed_period, today),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return invoice_page(invoice_id, refusal=refusal.message), refusal.status
    flash(
        _("Withdrawn. %(sum)s stays as credit of the child.", sum=vnd(done.credit))
        if done.credit
        else _("Withdrawn. Nothing had been paid of it."),
        "toast",
    )
    standing = done.replacement_id or done.note_id
    return redirect(url_for("billing.show_invoice", invoice_id=standing), 303)


@bp.post("/invoices/<int:invoice_id>/put-right")
@requires(Permission.ISSUE_RUN)
def put_right(invoice_id: int) -> ResponseReturnValue:
    """Bill this child for what differs from the rules now."""
    school_id, today = own_school(), clock.today()
    bill = queries.get_invoice(school_id, invoice_id)
    try:
        with transaction():
            issued = corrections.bill_child(
                school_id,
                bill.enrolment_id,
                bill.billed_period,
                due_on=default_due(school_id, bill.billed_period, today),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return invoice_page(invoice_id, refusal=refusal.message), refusal.status
    flash(_("Issued a supplement of %(sum)s.", sum=vnd(issued.total)), "toast")
    newest = queries.invoices_of(school_id, bill.student_id)[0]
    return redirect(url_for("billing.show_invoice", invoice_id=newest.id), 303)


@bp.get("/invoices/<int:invoice_id>/note.pdf")
@requires(Permission.VIEW_MONEY)
def credit_note(invoice_id: int) -> ResponseReturnValue:
    """The note of a withdrawal on A4, to be kept with the books or handed to the family."""
    school_id, now = own_school(), clock.now()
    withdrawal = queries.withdrawals_among(school_id, [invoice_id]).get(invoice_id)
    if withdrawal is None:
        raise InvoiceNotFound
    note = queries.get_invoice(school_id, withdrawal.note_id)
    with force_locale("vi"):
        page = render_template(
            "pdf/credit_note.html",
            note=note,
            wrong=queries.get_invoice(school_id, withdrawal.invoice_id),
            new=queries.get_invoice(school_id, withdrawal.replacement_id)
            if withdrawal.replacement_id
            else None,
            lines=queries.lines_of(school_id, [note.id]),
            withdrawal=withdrawal,
            words=wording(school_id, clock.local_day(now)).sentence(-note.total.dong),
            school=school_info(school_id, clock.local_day(now)),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    paper = bytes(press.lay_out(page, sheets=SHEETS).write_pdf(pdf_version="1.7"))
    headers = {"Content-Disposition": f'inline; filename="note-{note.id}.pdf"'}
    return Response(paper, content_type="application/pdf", headers=headers)
