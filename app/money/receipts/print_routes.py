"""Printing the receipts of some days: what is offered, how far it is, the file for a day."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.acting import attempt
from app.money.receipts import printing
from app.money.receipts.routes import asked_day, bp
from app.people.access import Permission, current_actor, own_school, requires


@bp.get("/receipts/prints")
@requires(Permission.PRINT_PAPERS)
def list_prints() -> ResponseReturnValue:
    """The receipts of some days with what can be printed of them, and the last printings."""
    return _offer()


def _offer(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    first = asked_day(request.values.get("from"), today.replace(day=1))
    last = asked_day(request.values.get("to"), today)
    if last < first:
        first, last = last, first
    page = render_template(
        "receipts/list_prints.html",
        first=first,
        last=last,
        today=today,
        offer=printing.offer(school_id, first, last),
        prints=printing.newest_prints(school_id),
        chosen=request.form,
        refusal=refusal,
    )
    return page, status


@bp.post("/receipts/prints")
@requires(Permission.PRINT_PAPERS)
def print_many() -> ResponseReturnValue:
    """Ask for the receipts of some days; few are drawn at once, many by the worker."""
    school_id, today = own_school(), clock.today()
    sent = request.form
    first = asked_day(sent.get("from"), today.replace(day=1))
    choice = printing.Choice(
        first=first,
        last=max(first, asked_day(sent.get("to"), today)),
        class_name=sent.get("class_name", "").strip()[:40],
        order=sent.get("order", "class"),
        bundle=sent.get("bundle", "file"),
        only_new=bool(sent.get("only_new")),
    )
    asked: list[int] = []

    def deed() -> None:
        asked.append(printing.ask(school_id, choice, actor=current_actor(), now=clock.now()))

    return attempt(deed, _offer) or _drawn(asked[0])


@bp.post("/receipts/<int:receipt_id>/print")
@requires(Permission.PRINT_PAPERS)
def print_one(receipt_id: int) -> ResponseReturnValue:
    """One receipt on paper; from the second time on it says that it is a copy."""
    school_id = own_school()
    asked: list[int] = []

    def deed() -> None:
        asked.append(
            printing.ask_one(school_id, receipt_id, actor=current_actor(), now=clock.now())
        )

    refused = attempt(deed, _offer)
    if refused is not None:
        return refused
    printing.draw(school_id, asked[0])
    found = printing.get_print(school_id, asked[0])
    if found.refusal:
        return redirect(url_for(".show_print", print_id=asked[0]), 303)
    return redirect(url_for(".print_file", print_id=asked[0]), 303)


def _drawn(print_id: int) -> ResponseReturnValue:
    found = printing.get_print(own_school(), print_id)
    if not found.is_running:
        printing.draw(own_school(), print_id)
    return redirect(url_for(".show_print", print_id=print_id), 303)


@bp.get("/receipts/prints/<int:print_id>")
@requires(Permission.PRINT_PAPERS)
def show_print(print_id: int) -> ResponseReturnValue:
    """How far a printing is; the page can be left and found again."""
    found = printing.get_print(own_school(), print_id)
    return render_template("receipts/show_print.html", found=found)


@bp.post("/receipts/prints/<int:print_id>/again")
@requires(Permission.PRINT_PAPERS)
def draw_again(print_id: int) -> ResponseReturnValue:
    """Draw a printing anew that could not be drawn."""
    school_id = own_school()
    refused = attempt(lambda: printing.draw_again(school_id, print_id, now=clock.now()), _offer)
    return refused or redirect(url_for(".show_print", print_id=print_id), 303)


@bp.get("/receipts/prints/<int:print_id>/file")
@requires(Permission.PRINT_PAPERS)
def print_file(print_id: int) -> ResponseReturnValue:
    """The file of a printing, for a day."""
    school_id = own_school()
    found = printing.get_print(school_id, print_id)
    response = make_response(printing.print_file(school_id, print_id))
    kind, ending = ("application/zip", "zip") if found.is_zip else ("application/pdf", "pdf")
    response.content_type = kind
    way = "attachment" if found.is_zip else "inline"
    name = f"bien-lai-{print_id}.{ending}"
    response.headers["Content-Disposition"] = f'{way}; filename="{name}"'
    return response
