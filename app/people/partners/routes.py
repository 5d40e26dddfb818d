"""The area's page of banks and wallets that collect for its schools, and of their keys."""

from __future__ import annotations

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.people.access import Permission, current_actor, require_membership, requires
from app.people.partners import services

bp = Blueprint("partners", __name__)


@bp.get("/area/partners")
@requires(Permission.VIEW_AREA)
def list_partners() -> ResponseReturnValue:
    """Who collects for the schools beside their own accounts, since when, and with which keys."""
    return _draw()


def _draw(
    refusal: str = "", status: int = 200, *, new_key: tuple[str, str, str] | None = None
) -> ResponseReturnValue:
    base = str(current_app.config["SETTINGS"].public_url).rstrip("/")
    page = render_template(
        "partners/list_partners.html",
        partners=services.list_partners(),
        now=clock.now(),
        today=clock.today(),
        may_set=require_membership().may(Permission.SET_PARTNERS),
        address=f"{base}/api/v1",
        typed=request.form,
        new_key=new_key,
        refusal=refusal,
    )
    response = make_response(page, status)
    if new_key:  # the secret stands on it
        response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/area/partners")
@requires(Permission.SET_PARTNERS)
def open_partner() -> ResponseReturnValue:
    """Open a partner; its first key is shown once."""
    code = request.form.get("code", "").strip()
    made: list[tuple[str, str]] = []

    def deed() -> None:
        name = request.form.get("name", "")
        made.append(services.open_partner(code, name, actor=current_actor(), now=clock.now()))

    refused = attempt(deed, _draw)
    return refused if refused is not None else _draw(new_key=(code, *made[0]))


@bp.post("/area/partners/<code>/keys")
@requires(Permission.SET_PARTNERS)
def add_partner_key(code: str) -> ResponseReturnValue:
    """One more key, to exchange the old one; it is shown once."""
    made: list[tuple[str, str]] = []
    refused = attempt(
        lambda: made.append(services.add_key(code, actor=current_actor(), now=clock.now())), _draw
    )
    return refused if refused is not None else _draw(new_key=(code, *made[0]))


@bp.post("/area/partners/keys/<key_id>/end")
@requires(Permission.SET_PARTNERS)
def end_partner_key(key_id: str) -> ResponseReturnValue:
    """A key that leaked, or was exchanged."""
    refused = attempt(
        lambda: services.end_key(key_id, actor=current_actor(), now=clock.now()), _draw
    )
    if refused is not None:
        return refused
    flash(_("Ended: nothing signed with it is believed any more"), "toast")
    return redirect(url_for(".list_partners"), 303)


@bp.post("/area/partners/<code>/close")
@requires(Permission.SET_PARTNERS)
def close_partner(code: str) -> ResponseReturnValue:
    """The partner collects no longer from tomorrow on."""
    refused = attempt(
        lambda: services.close_partner(code, actor=current_actor(), now=clock.now()), _draw
    )
    if refused is not None:
        return refused
    flash(_("Closed from tomorrow on"), "toast")
    return redirect(url_for(".list_partners"), 303)
