"""The register of series with the numbers they lack, the proof of a month, words on papers."""

from __future__ import annotations

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from app import audit
from app.core import clock, press
from app.core.acting import attempt
from app.core.period import Period
from app.money.receipts import series
from app.money.receipts.errors import BadWording
from app.money.receipts.routes import bp
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.schools import school_info, set_setting, wording
from app.people.schools.settings import FOUR, ZERO_TENS

SHEETS = ("css/paper.css", "css/print-report.css")
#: an amount that has every word a school may choose
SAMPLE = 24_105_000


@bp.get("/receipts/series")
@requires(Permission.VIEW_MONEY)
def list_series() -> ResponseReturnValue:
    """Every series with its last number and what it lacks, and the months to be proved."""
    return _draw()


def _draw(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    said = wording(school_id, clock.today())
    page = render_template(
        "receipts/list_series.html",
        found=series.series_of(school_id),
        wording=said,
        sample=SAMPLE,
        sentence=said.sentence(SAMPLE),
        may_set=require_membership().may(Permission.SET_PAPERS),
        refusal=refusal,
    )
    return page, status


@bp.post("/receipts/wording")
@requires(Permission.SET_PAPERS)
def set_wording() -> ResponseReturnValue:
    """How papers issued from today on write amounts."""
    school_id, now = own_school(), clock.now()
    zero_tens, four = request.form.get("zero_tens", ""), request.form.get("four", "")

    def deed() -> None:
        if zero_tens not in ("lẻ", "linh") or four not in ("bốn", "tư"):
            raise BadWording
        today = clock.local_day(now)
        set_setting(school_id, ZERO_TENS, zero_tens, today)
        set_setting(school_id, FOUR, four, today)
        audit.record(
            "receipt.wording",
            f"school:{school_id}",
            actor=current_actor(),
            school_id=school_id,
            now=now,
            cause=f"{zero_tens}, {four}",
        )

    refused = attempt(deed, _draw)
    if refused is not None:
        return refused
    flash(_("Papers issued from now on are written so."), "toast")
    return redirect(url_for(".list_series"), 303)


@bp.get("/receipts/series/<name>/<text>.pdf")
@requires(Permission.VIEW_MONEY)
def series_month_pdf(name: str, text: str) -> ResponseReturnValue:
    """The proof of a month on A4, to be signed and kept."""
    school_id, now = own_school(), clock.now()
    try:
        month = Period.parse(text)
    except ValueError:
        raise series.SeriesNotFound from None
    proof = series.month_proof(school_id, name, month)
    with force_locale("vi"):
        page = render_template(
            "pdf/receipt_month.html",
            proof=proof,
            fingerprint=series.fingerprint,
            words=wording(school_id, clock.local_day(now)).sentence(proof.amount.dong),
            school=school_info(school_id, clock.local_day(now)),
            made_at=now,
            actor=current_actor(),
            is_demo=current_app.config["SETTINGS"].is_demo,
        )
    response = make_response(bytes(press.lay_out(page, sheets=SHEETS).write_pdf(pdf_version="1.7")))
    response.content_type = "application/pdf"
    response.headers["Content-Disposition"] = (
        f'inline; filename="so-bien-lai-{name.lower()}-{month}.pdf"'
    )
    return response
