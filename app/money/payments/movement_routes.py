"""Pages on which somebody says what money on an account is, and brings notes to the bank."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.core.formats import vnd
from app.money.payments import movements, till
from app.money.payments.errors import PurposeUnclear
from app.money.payments.forms import read_amount, read_said
from app.money.payments.models import Purpose
from app.money.payments.routes import bp
from app.money.payments.sentences import offers_in, purpose_words
from app.money.payments.till_routes import chosen_till
from app.people.access import Permission, current_actor, own_school, requires
from app.people.schools import accounts_of

# What money in suspense is


@bp.get("/bank/credits/<int:payment_id>/purpose")
@requires(Permission.RECONCILE)
def say_purpose(payment_id: int) -> ResponseReturnValue:
    """Money that no family paid: what is it?"""
    return _purpose(payment_id)


def _purpose(payment_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    payment = movements.waiting_payment(school_id, payment_id)
    likely = movements.likely_of(school_id, [payment]).get(payment_id)
    what = "" if likely is None else f"{likely.purpose}:{likely.target or ''}"
    page = render_template(
        "payments/say_purpose.html",
        payment=payment,
        offers=offers_in(school_id, payment),
        likely=likely,
        what=request.form.get("what", what),
        fee=request.form.get("fee", str(likely.fee.dong) if likely and likely.fee else ""),
        reason=request.form.get("reason", ""),
        refusal=refusal,
    )
    return page, status


@bp.post("/bank/credits/<int:payment_id>/purpose")
@requires(Permission.RECONCILE)
def keep_purpose(payment_id: int) -> ResponseReturnValue:
    """Book it by that word."""
    school_id = own_school()

    def deed() -> None:
        said = read_said(request.form)
        if said.purpose is Purpose.OTHER_SCHOOL:
            # The other school has to agree first.
            raise PurposeUnclear
        movements.name_credit(
            school_id,
            payment_id,
            said,
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, lambda words, status: _purpose(payment_id, words, status))
    if refused is not None:
        return refused
    flash(_("Booked. It no longer waits for a pupil."), "toast")
    return redirect(url_for(".list_credits"), 303)


@bp.get("/bank/movements/<int:movement_id>/take-back")
@requires(Permission.RECONCILE)
def ask_to_take_movement_back(movement_id: int) -> ResponseReturnValue:
    """Why was it wrong?"""
    return _taking_back(movement_id)


def _taking_back(movement_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    movement = movements.get_movement(own_school(), movement_id)
    page = render_template(
        "payments/take_movement_back.html",
        movement=movement,
        words=purpose_words(movement.purpose),
        reason=request.form.get("reason", ""),
        refusal=refusal,
    )
    return page, status


@bp.post("/bank/movements/<int:movement_id>/take-back")
@requires(Permission.RECONCILE)
def take_movement_back(movement_id: int) -> ResponseReturnValue:
    """The money waits again."""
    school_id = own_school()
    movement = movements.get_movement(school_id, movement_id)

    def deed() -> None:
        movements.take_back_movement(
            school_id,
            movement_id,
            reason=request.form.get("reason", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, lambda words, status: _taking_back(movement_id, words, status))
    if refused is not None:
        return refused
    flash(_("%(amount)s waits again", amount=vnd(movement.amount)), "toast")
    if movement.cause_kind == "payment":
        return redirect(url_for(".list_credits", payment=movement.cause_id, _anchor="match"), 303)
    return redirect(url_for("reconciliation.find_statement_row", row_id=movement.cause_id), 303)


# Notes brought to the bank


@bp.get("/cash-desk/deposits")
@requires(Permission.TAKE_CASH)
def list_deposits() -> ResponseReturnValue:
    """Notes on their way to the bank, and a form for the next."""
    return _deposits()


def _deposits(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    chosen = chosen_till(school_id)
    held = till.expected_in(school_id, chosen.id)
    page = render_template(
        "payments/deposits.html",
        till=chosen,
        held=held,
        slips=movements.open_slips(school_id),
        accounts=[one for one in accounts_of(school_id, clock.today()) if one.kind != "virtual"],
        amount=request.form.get("amount", str(held.dong) if held.dong > 0 else ""),
        slip=request.form.get("slip", ""),
        account=request.form.get("account", type=int),
        refusal=refusal,
    )
    return page, status


@bp.post("/cash-desk/deposits")
@requires(Permission.TAKE_CASH)
def keep_deposit() -> ResponseReturnValue:
    """The notes leave the drawer."""
    school_id = own_school()
    chosen = chosen_till(school_id)

    def deed() -> None:
        movements.deposit_cash(
            school_id,
            chosen.id,
            request.form.get("account", 0, type=int),
            read_amount(request.form.get("amount", "")),
            slip=request.form.get("slip", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, _deposits)
    if refused is not None:
        return refused
    flash(_("The notes are on their way to the bank"), "toast")
    return redirect(url_for(".list_deposits", till=chosen.id), 303)


@bp.post("/cash-desk/deposits/<int:deposit_id>/take-back")
@requires(Permission.TAKE_CASH)
def take_deposit_back(deposit_id: int) -> ResponseReturnValue:
    """The notes are in the drawer again."""
    school_id = own_school()

    def deed() -> None:
        movements.take_back_deposit(school_id, deposit_id, actor=current_actor(), now=clock.now())

    refused = attempt(deed, _deposits)
    if refused is not None:
        return refused
    flash(_("The notes are in the drawer again"), "toast")
    return redirect(url_for(".list_deposits"), 303)
