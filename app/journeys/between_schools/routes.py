"""Screens of money that came to the wrong school: both accountants see the same claim."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.core.errors import DomainError
from app.core.formats import vnd
from app.journeys.between_schools import services
from app.journeys.between_schools.errors import ClaimNotFound
from app.journeys.between_schools.models import ClaimStep
from app.money import ledger
from app.money.payments import queries as payments_queries
from app.people.access import Permission, current_actor, own_school, require_membership, requires

bp = Blueprint("between_schools", __name__)


@bp.get("/bank/between-schools")
@requires(Permission.VIEW_BANK)
def list_claims() -> ResponseReturnValue:
    """What other schools offer, what is offered to them, and who owes whom."""
    return _list()


def _list(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    page = render_template(
        "between_schools/list_claims.html",
        claims=services.claims_of(school_id),
        me=school_id,
        owed={
            int(code[12:]): -amount
            for code, amount in ledger.balances(school_id, "interschool:").items()
            if amount
        },
        step_words=_step_words,
        may_decide=require_membership().may(Permission.RECONCILE),
        refusal=refusal,
    )
    return page, status


def _step_words(step: ClaimStep) -> str:
    return {
        ClaimStep.OFFERED: _("waits for the other school"),
        ClaimStep.ACCEPTED: _("agreed"),
        ClaimStep.REFUSED: _("refused"),
        ClaimStep.WITHDRAWN: _("withdrawn"),
    }[step]


@bp.post("/bank/credits/<int:payment_id>/offer")
@requires(Permission.RECONCILE)
def offer_claim(payment_id: int) -> ResponseReturnValue:
    """Offer money to the school whose code it names."""
    school_id = own_school()
    payment = payments_queries.get_payment(school_id, payment_id)

    def deed() -> None:
        services.offer(school_id, payment_id, actor=current_actor(), now=clock.now())

    refused = attempt(deed, _list)
    if refused is not None:
        return refused
    flash(_("Offered: %(amount)s", amount=vnd(payment.amount)), "toast")
    return redirect(url_for(".list_claims"), 303)


@bp.post("/bank/between-schools/<int:claim_id>")
@requires(Permission.RECONCILE)
def decide_claim(claim_id: int) -> ResponseReturnValue:
    """Accept or refuse what is offered; withdraw what was offered."""
    school_id, now = own_school(), clock.now()
    claim = services.get_claim(school_id, claim_id)
    deed = request.form.get("deed", "")
    words = request.form.get("reason", "")
    try:
        if deed == "accept" and claim.to_school_id == school_id:
            services.accept(claim, actor=current_actor(), now=now)
        elif deed == "refuse" and claim.to_school_id == school_id:
            services.decide(claim, ClaimStep.REFUSED, words=words, actor=current_actor(), now=now)
        elif deed == "withdraw" and claim.school_id == school_id:
            services.decide(claim, ClaimStep.WITHDRAWN, words=words, actor=current_actor(), now=now)
        else:
            raise ClaimNotFound
    except ClaimNotFound:
        raise
    except DomainError as refusal:
        return _list(refusal.message, refusal.status)
    flash(_("It is kept"), "toast")
    return redirect(url_for(".list_claims"), 303)


def mirror_of(school_id: int) -> None:
    """After a school's movements changed: the books of those it owes, or owed, follow."""
    for code in ledger.balances(school_id, "interschool:"):
        services.mirror(school_id, int(code[12:]), now=clock.now())
