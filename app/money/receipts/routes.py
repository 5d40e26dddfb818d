"""The school's list of receipts, their PDF, and the public page about whether one is genuine."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Final

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.ids import read_check_code
from app.core.text import initials
from app.core.throttle import count_try
from app.money.receipts import pdf, printing, queries
from app.people.access import Permission, own_school, public, requires

bp = Blueprint("receipts", __name__)

PAGE_SIZE: Final = 50
#: look-ups of papers from one address in a minute
MOST_CHECKS: Final = 30
#: no receipt is of another; days at the ends of the calendar have no day before or after them
SANE_YEARS: Final = range(2000, 2101)
#: a VietQR is about 130 signs; nothing longer is worth reading
_LONGEST_QUESTION: Final = 300


# The school's own list


@bp.get("/receipts")
@requires(Permission.VIEW_MONEY)
def list_receipts() -> ResponseReturnValue:
    """Receipts of some days, newest first; searched by number or amount."""
    school_id = own_school()
    today = clock.today()
    first = asked_day(request.args.get("from"), today.replace(day=1))
    last = asked_day(request.args.get("to"), today)
    if last < first:
        first, last = last, first
    text = request.args.get("q", "").strip()[:40]
    page = _whole(request.args.get("page"), 1)
    found, count = queries.list_receipts(
        school_id, first=first, last=last, text=text, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE
    )
    notes = queries.void_notes(school_id, [r.id for r in found if r.state != "live"])
    return render_template(
        "receipts/list_receipts.html",
        receipts=[(receipt, receipt.paper, notes.get(receipt.id)) for receipt in found],
        count=count,
        total=queries.total_of_receipts(school_id, first=first, last=last),
        first=first,
        last=last,
        text=text,
        page=page,
        pages=max(1, -(-count // PAGE_SIZE)),
        start=(page - 1) * PAGE_SIZE + 1,
        month_before=(first.replace(day=1) - timedelta(days=1)).replace(day=1),
        today=today,
    )


@bp.get("/receipts/<int:receipt_id>.pdf")
@requires(Permission.VIEW_MONEY)
def show_pdf(receipt_id: int) -> ResponseReturnValue:
    """One receipt as its paper, in the browser; void ones and copies are marked."""
    receipt = queries.get_receipt(own_school(), receipt_id)
    is_copy = printing.is_copy(own_school(), receipt_id)
    response = make_response(pdf.receipt_pdf(receipt, is_copy=is_copy))
    response.content_type = "application/pdf"
    name = f"bien-lai-{receipt.series}-{receipt.number:06d}.pdf"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


# Is this paper genuine?


@bp.get("/check")
@public("anybody holding a paper may ask whether it is genuine")
def check() -> ResponseReturnValue:
    """The form of the check page; what is asked is a paper, else an account or a QR."""
    question = request.args.get("q", "").strip()[:_LONGEST_QUESTION]
    if not question:
        return render_template("receipts/check.html", state="ask", question="")
    if read_check_code(question) is None:
        return redirect(url_for("family.check_account", q=question), 303)
    # Eight signs may also be an account number, so the next door is tried before "unknown".
    return _look_up(question) or redirect(url_for("family.check_account", q=question), 303)


@bp.get("/check/<code>")
@public("anybody holding a paper may ask whether it is genuine")
def check_code(code: str) -> ResponseReturnValue:
    """What we know of a paper: number, day, amount, school, initials; nothing else of anybody."""
    question = code[:_LONGEST_QUESTION]
    return _look_up(question) or _answer("unknown", question, 404)


def _look_up(question: str) -> ResponseReturnValue | None:
    """The answer about one paper, or None when no paper has this code."""
    if is_asking_too_often():
        return _answer("too_often", question, 429)
    stored = read_check_code(question)
    school_id = queries.school_of_check_code(stored) if stored else None
    if stored is None or school_id is None:
        return None
    enter_scope(scope.one_school(school_id))
    receipt = queries.find_by_check_code(school_id, stored)
    if receipt is None:
        return None
    content = queries.verified_content(receipt)
    return render_template(
        "receipts/check.html",
        state=receipt.state,
        question=stored,
        receipt=receipt,
        content=content,
        names=", ".join(initials(child.full_name) for child in content.children),
        note=queries.void_notes(school_id, [receipt.id]).get(receipt.id),
    )


def _answer(state: str, question: str, status: int) -> ResponseReturnValue:
    return render_template("receipts/check.html", state=state, question=question), status


def is_asking_too_often() -> bool:
    """Count one look-up of this address and say whether there were too many this minute.

    The address itself is not kept, only a digest of it.
    """
    key = hashlib.sha256((request.remote_addr or "").encode()).hexdigest()[:24]
    with transaction():
        count = count_try(f"check:{key}", window=f"{clock.now():%Y%m%d%H%M}")
    return count > MOST_CHECKS


def asked_day(text: str | None, otherwise: date) -> date:
    """A day of the address or the form, or another where it is none."""
    try:
        day = datetime.strptime(text or "", "%Y-%m-%d").date()  # noqa: DTZ007 - a calendar day
    except ValueError:
        return otherwise
    return day if day.year in SANE_YEARS else otherwise


def _whole(text: str | None, otherwise: int) -> int:
    is_number = bool(text) and str(text).isascii() and str(text).isdigit() and len(str(text)) < 7
    return max(1, int(str(text))) if is_number else otherwise
