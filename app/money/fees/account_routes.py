"""Which account each item's money goes to."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.money.fees import accounts, queries
from app.money.fees.routes import bp
from app.money.fees.words import categories
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import receiving_accounts
from app.people.schools.banks import find_bank


@bp.get("/item-accounts")
@requires(Permission.VIEW_MONEY)
def show_accounts() -> ResponseReturnValue:
    """The items of the catalogue with the account of each."""
    return _page()


def _page(*, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    today = clock.today()
    open_now = receiving_accounts(own_school(), today)
    banks = {one.id: find_bank(one.bank_bin) for one in open_now}
    return (
        render_template(
            "fees/accounts.html",
            items=queries.items_for(today),
            accounts=[
                (one, bank.short_name if (bank := banks[one.id]) else one.bank_bin)
                for one in open_now
            ],
            chosen=accounts.chosen_accounts(own_school(), today),
            categories=categories(),
            may_set=require_membership().may(Permission.APPROVE_FEES),
            refusal=refusal,
        ),
        status,
    )


@bp.post("/item-accounts/<int:item_id>")
@requires(Permission.APPROVE_FEES)
def set_account(item_id: int) -> ResponseReturnValue:
    """The principal chooses the account of an item; bills issued before keep theirs."""
    refused = attempt(
        lambda: accounts.set_item_account(
            own_school(),
            item_id,
            request.form.get("account", type=int),
            actor=current_actor(),
            now=clock.now(),
        ),
        lambda words, status: _page(refusal=words, status=status),
    )
    if refused is not None:
        return refused
    flash(_("Bills to come ask for this item's money there."), "toast")
    return redirect(url_for(".show_accounts"), 303)
