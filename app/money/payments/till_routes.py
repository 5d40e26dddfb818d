"""The page on which a drawer is counted at both ends of a shift and handed over."""

from __future__ import annotations

from flask import (
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app.core import clock, press
from app.core.acting import attempt
from app.core.errors import DomainError
from app.core.formats import vnd
from app.money.payments import handovers, queries, till
from app.money.payments.cash import NOTES
from app.money.payments.errors import BadCount, NoTill
from app.money.payments.models import CountKind
from app.money.payments.routes import bp
from app.people.access import Permission, current_actor, own_school, requires
from app.people.schools import school_info, wording

SHEETS = ("css/paper.css", "css/print-report.css")


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


@bp.get("/cash-desk/count/<int:count_id>.pdf")
@requires(Permission.TAKE_CASH)
def count_till_pdf(count_id: int) -> ResponseReturnValue:
    """The voucher of a count, to be signed by who gives and who takes."""
    school_id, now = own_school(), clock.now()
    found = handovers.handover(school_id, count_id)
    day = clock.local_day(found.counted_at)
    with force_locale("vi"):
        page = render_template(
            "pdf/handover.html",
            count=found,
            words=wording(school_id, day).sentence(found.counted.dong),
            school=school_info(school_id, day),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    response = make_response(bytes(press.lay_out(page, sheets=SHEETS).write_pdf(pdf_version="1.7")))
    response.content_type = "application/pdf"
    response.headers["Content-Disposition"] = (
        f'inline; filename="ban-giao-quay-{day}-{count_id}.pdf"'
    )
    return response


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
