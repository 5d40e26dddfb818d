"""Pages for a receipt whose paper is wrong: asked by one, decided by another."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.money import receipts
from app.money.payments import papers
from app.money.payments.routes import bp
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)


@bp.get("/receipts/<int:receipt_id>/renew")
@requires(Permission.VOID_RECEIPT)
def ask_for_paper(receipt_id: int) -> ResponseReturnValue:
    """What the paper says, and what it should say."""
    return _form(receipt_id)


def _form(receipt_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    receipt = receipts.get_receipt(own_school(), receipt_id)
    page = render_template(
        "payments/ask_for_paper.html",
        receipt=receipt,
        paper=receipts.verified_content(receipt),
        typed=request.form,
        refusal=refusal,
    )
    return page, status


@bp.post("/receipts/<int:receipt_id>/renew")
@requires(Permission.VOID_RECEIPT)
def keep_paper_question(receipt_id: int) -> ResponseReturnValue:
    """Keep the request for the second person."""

    def deed() -> None:
        papers.ask_for_paper(
            own_school(),
            receipt_id,
            payer=request.form.get("payer", ""),
            payer_address=request.form.get("payer_address", ""),
            reason=request.form.get("reason", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, lambda words, status: _form(receipt_id, words, status))
    if refused is not None:
        return refused
    flash(_("Asked. A second person decides."), "toast")
    return redirect(url_for(".list_paper_changes"), 303)


@bp.get("/receipts/changes")
@requires(Permission.VOID_RECEIPT)
def list_paper_changes() -> ResponseReturnValue:
    """Papers asked to be renewed, those that wait first."""
    return _list()


def _list(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "payments/list_paper_changes.html",
        changes=papers.list_changes(own_school()),
        me=require_membership().user_id,
        refusal=refusal,
    )
    return page, status


@bp.post("/receipts/changes/<int:change_id>")
@requires(Permission.VOID_RECEIPT)
def decide_paper_change(change_id: int) -> ResponseReturnValue:
    """The second person's word."""
    is_approved = request.form.get("answer") == "yes"
    made: list[receipts.IssuedReceipt | None] = []
    refused = attempt(
        lambda: made.append(
            papers.decide_paper(
                own_school(),
                change_id,
                is_approved=is_approved,
                actor=current_actor(),
                now=clock.now(),
            )
        ),
        _list,
    )
    if refused is not None:
        return refused
    flash(_("The new paper is issued.") if made[0] else _("Refused; the paper stays."), "toast")
    return redirect(url_for(".list_paper_changes"), 303)
