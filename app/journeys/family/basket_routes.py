"""All children of a family on one page, opened from the link of one of them."""

from __future__ import annotations

import base64

from flask import Response, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app.core import clock, qr
from app.journeys.family import services
from app.journeys.family.basket import Basket, open_basket
from app.journeys.family.routes import BY_LINK, bp, open_link
from app.money import billing
from app.people.access import public
from app.people.schools.banks import find_bank


@bp.get("/pay/<token>/together")
@public(BY_LINK)
def pay_together(token: str) -> ResponseReturnValue:
    """What the family owes for all its children, and one QR for each receiving account."""
    asked = open_link(token)
    basket = _basket(asked)
    if basket is None:
        return redirect(url_for(".pay", token=asked.token, _anchor="lines"), 303)
    pictures = [
        "data:image/png;base64," + base64.b64encode(qr.png(one.qr_text, scale=8)).decode()
        for one in basket.transfers
    ]
    response = make_response(
        render_template(
            "family/together.html",
            asked=asked,
            basket=basket,
            pictures=pictures,
            banks=[find_bank(one.account.bank_bin) for one in basket.transfers],
        )
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/pay/<token>/together/state")
@public(BY_LINK)
def together_state(token: str) -> ResponseReturnValue:
    """Has anything changed? Nothing while not; else the page is drawn anew."""
    asked = open_link(token)
    basket = _basket(asked)
    response = Response(status=204)
    if basket is None or basket.mark != request.args.get("mark"):
        response.headers["HX-Refresh"] = "true"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _basket(asked: billing.Request) -> Basket | None:
    """The basket of who has opened the link; None for anybody else."""
    now = clock.now()
    if not services.is_unlocked(asked, session, now):
        return None
    chosen = request.args.getlist("with", type=int) if "with" in request.args else None
    return open_basket(
        asked, services.guardians(asked, session, now), clock.local_day(now), chosen=chosen
    )
