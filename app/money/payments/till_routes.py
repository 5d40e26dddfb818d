"""The page on which a drawer is counted at both ends of a shift and handed over."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock
from app.core.acting import attempt
from app.core.errors import DomainError
from app.core.formats import vnd
from app.money.payments import queries, till
from app.money.payments.cash import NOTES
from app.money.payments.errors import BadCount, NoTill
from app.money.payments.models import CountKind
from app.money.payments.routes import bp
from app.people.access import Permission, current_actor, own_school, requires


def chosen_till(school_id: int) -> queries.TillInfo:
    """The drawer a page is about: the one asked for, else the first."""
    found = queries.tills_of(school_id)
    if not found:
        raise NoTill
    wanted = request.values.get("till", type=int)
    return next((one for one in found if one.id == wanted), found[0])


@bp.get("/cash-desk/count")
@requires(Permission.TAKE_CASH)
def count_till() -> ResponseReturnValue:
    """What the books say is in the drawer, and a field for each kind of note."""
    return _draw()


def _draw(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    chosen = chosen_till(school_id)
    typed = {note: request.form.get(f"note-{note}", "") for note in NOTES}
    try:
        counted = till.amount_of(_notes()) if any(typed.values()) else None
    except DomainError:
        counted = None
    page = render_template(
        "payments/count_till.html",
        till=chosen,
        notes=NOTES,
        typed=typed,
        expected=till.expected_in(school_id, chosen.id),
        counted=counted,
        reason=request.form.get("reason", ""),
        handed_to=request.form.get("handed_to", ""),
        counts=till.counts_of(school_id, chosen.id),
        shift=till.shift_of(school_id, chosen.id),
        refusal=refusal,
    )
    return page, status


def _notes() -> dict[int, int]:
    found = {}
    for note in NOTES:
        text = request.form.get(f"note-{note}", "").strip() or "0"
        if not (text.isascii() and text.isdigit() and len(text) <= 6):
            raise BadCount
        found[note] = int(text)
    return found


def _kind() -> CountKind:
    is_opening = request.form.get("kind") == CountKind.OPENING
    return CountKind.OPENING if is_opening else CountKind.CLOSING


@bp.post("/cash-desk/count")
@requires(Permission.TAKE_CASH)
def keep_count() -> ResponseReturnValue:
    """Keep the count; a difference needs its reason."""
    school_id = own_school()
    chosen = chosen_till(school_id)
    kept: list[till.Count] = []

    def deed() -> None:
        kept.append(
            till.count_till(
                school_id,
                chosen.id,
                _notes(),
                reason=request.form.get("reason", ""),
                handed_to=request.form.get("handed_to", ""),
                kind=_kind(),
                actor=current_actor(),
                now=clock.now(),
            )
        )

    refused = attempt(deed, _draw)
    if refused is not None:
        return refused
    if kept[0].kind == CountKind.OPENING:
        flash(_("Your shift is open with %(amount)s.", amount=vnd(kept[0].counted)), "toast")
        return redirect(url_for(".cash_desk", till=chosen.id), 303)
    flash(_("Counted: %(amount)s", amount=vnd(kept[0].counted)), "toast")
    return redirect(url_for(".count_till", till=chosen.id), 303)
