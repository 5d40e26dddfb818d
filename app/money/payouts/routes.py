"""Screens of money out: ask, approve, send to the bank, close."""

from __future__ import annotations

from contextlib import closing
from io import BytesIO
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.acting import attempt
from app.core.errors import NotFound
from app.core.formats import vnd
from app.core.money import ZERO, Vnd
from app.core.sheets import MAX_PACKED
from app.money import billing
from app.money.payments import queries as payments_queries
from app.money.payments.desk import open_desk
from app.money.payments.forms import read_amount
from app.money.payments.refunds import may_be_sent_back
from app.money.payments.sentences import provider_title
from app.money.payouts import files, queries, rosters, services
from app.money.payouts.errors import BadPayout
from app.money.payouts.models import Kind, Step, Way
from app.money.payouts.sentences import kind_words, step_tone, step_words, way_words
from app.money.payouts.services import NewPayout
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import accounts_of
from app.people.schools.banks import BANKS

bp = Blueprint("payouts", __name__)

#: a form around the file
_FRAME = 64 * 1024


@bp.url_value_preprocessor
def _let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form: the app's own limit is made for forms without files.
    if endpoint in ("payouts.import_payouts", "payouts.take_payout_result"):
        request.max_content_length = MAX_PACKED + _FRAME


def _words() -> dict[str, Any]:
    return {
        "kind_words": kind_words,
        "way_words": way_words,
        "step_words": step_words,
        "step_tone": step_tone,
        "may_order": require_membership().may(Permission.ORDER_PAYOUTS),
        "may_approve": require_membership().may(Permission.APPROVE_PAYOUTS),
    }


@bp.get("/payouts")
@requires(Permission.VIEW_BANK)
def list_payouts() -> ResponseReturnValue:
    """What waits for approval, for the bank, for its answer; and what is done."""
    return _list()


def _list(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    ready = queries.list_payouts(school_id, Step.APPROVED, Step.FAILED)
    page = render_template(
        "payouts/list_payouts.html",
        asked=queries.list_payouts(school_id, Step.ASKED),
        ready=[one for one in ready if one.way is Way.TRANSFER],
        cash=[one for one in ready if one.way is Way.CASH],
        sent=queries.list_payouts(school_id, Step.SENT),
        cards=[one for one in ready if one.way is Way.CARD],
        batches=queries.list_batches(school_id),
        done=queries.settled_payouts(school_id),
        accounts=[one for one in accounts_of(school_id, clock.today()) if one.kind == "main"],
        profiles=[(one.code, one.title) for one in files.PROFILES.values()],
        tills=payments_queries.tills_of(school_id),
        me=current_actor().user_id,
        refusal=refusal,
        **_words(),
    )
    return page, status


# Asking


@bp.get("/payouts/new")
@requires(Permission.ORDER_PAYOUTS)
def ask_payout() -> ResponseReturnValue:
    """Choose the child; then say what should leave, where to and why."""
    return _ask()


def _ask(refusal: str = "", status: int = 200, field: str = "") -> ResponseReturnValue:
    school_id = own_school()
    text = request.values.get("q", "").strip()[:80]
    code = request.values.get("student", "")
    found = payments_queries.search_children(school_id, text) if text else []
    child = payments_queries.find_child(school_id, code) if code else None
    creditors = queries.creditors(school_id)
    beside: dict[str, Any] = {}
    if child is not None:
        beside = _about(school_id, child, creditors)
    page = render_template(
        "payouts/ask_payout.html",
        text=text,
        found=found,
        child=child,
        creditors=creditors,
        banks=[("", _("choose")), *((one.bin, one.short_name) for one in BANKS.values())],
        typed=request.form,
        kinds=[(Kind.SUPPORT, kind_words(Kind.SUPPORT)), (Kind.REFUND, kind_words(Kind.REFUND))],
        refusal=refusal,
        field=field,
        **beside,
        **_words(),
    )
    return page, status


def _about(
    school_id: int, child: payments_queries.DeskChild, creditors: list[queries.Creditor]
) -> dict[str, Any]:
    """What can be done for a child, as the form shows it."""
    own = next((one for one in creditors if one.student_id == child.student_id), None)
    desk = open_desk(school_id, [child.code], clock.now())
    siblings = payments_queries.siblings_of(school_id, child.student_id, clock.today())
    cards = [
        one
        for one in payments_queries.payments_of_student(school_id, child.student_id)
        if may_be_sent_back(one) and one.returned < one.amount
    ]
    free = own.credit - own.asked if own else ZERO
    whats = []
    if free:
        whats += [
            ("refund:transfer", _("Refund to a bank account")),
            ("refund:cash", _("Refund in cash at the desk")),
        ]
        whats += [
            (
                f"refund:card:{one.id}",
                _(
                    "Refund the way it came: %(way)s, %(amount)s",
                    way=provider_title(one.provider),
                    amount=vnd(one.amount),
                ),
            )
            for one in cards
        ]
        whats += [
            (
                f"sibling:books:{one.student_id}",
                _("Credit for %(name)s %(class)s", name=one.full_name, **{"class": one.class_name}),
            )
            for one in siblings
        ]
    whats.append(("support:transfer", _("Support of the State to a bank account")))
    lines = [
        (bill.title, line)
        for family in (desk.families if desk else ())
        for bill in family.bills
        for line in bill.lines
    ]
    if lines:
        whats.append(("write_off:books", _("Give up a debt: tick its lines below")))
    bank, account, holder = queries.last_account(school_id, child.student_id)
    return {
        "free": free,
        "credit": own.credit if own else ZERO,
        "whats": whats,
        "lines": lines,
        "last": {"bank_bin": bank, "account": account, "holder": holder},
    }


@bp.post("/payouts/new")
@requires(Permission.ORDER_PAYOUTS)
def keep_payout() -> ResponseReturnValue:
    """Keep the wish; somebody else decides."""
    school_id = own_school()
    child = payments_queries.find_child(school_id, request.form.get("student", ""))
    if child is None:
        raise NotFound

    def deed() -> None:
        wanted = _wanted(school_id, child)
        services.ask(school_id, [wanted], actor=current_actor(), now=clock.now())

    refused = attempt(deed, _ask)
    if refused is not None:
        return refused
    flash(_("Asked for. The principal decides."), "toast")
    return redirect(url_for(".list_payouts"), 303)


def _wanted(school_id: int, child: payments_queries.DeskChild) -> NewPayout:
    form = request.form
    kind, _dot, rest = form.get("what", "").partition(":")
    way, _dot, target = rest.partition(":")
    if kind not in set(Kind) or way not in set(Way):
        raise BadPayout(_("Choose what should happen."), "what")
    number = int(target) if target.isascii() and target.isdigit() else None
    lines: dict[int, int] = {}
    if kind == Kind.WRITE_OFF:
        ticked = {int(one) for one in form.getlist("line") if one.isdigit()}
        found = billing.open_lines(school_id, [child.student_id]).get(child.student_id, [])
        lines = {line.line_id: line.open.dong for line in found if line.line_id in ticked}
        if not lines:
            raise BadPayout(_("Tick the lines that should be given up."), "lines")
        amount = Vnd(sum(lines.values()))
    else:
        amount = read_amount(form.get("amount", ""))
    return NewPayout(
        Kind(kind),
        Way(way),
        child.student_id,
        amount,
        form.get("reason", ""),
        bank_bin=form.get("bank_bin", "") if way == Way.TRANSFER else "",
        account=form.get("account", "") if way == Way.TRANSFER else "",
        holder=form.get("holder", "") if way == Way.TRANSFER else "",
        to_student_id=number if kind == Kind.SIBLING else None,
        payment_id=number if way == Way.CARD else None,
        lines=lines,
    )


@bp.post("/payouts/import")
@requires(Permission.ORDER_PAYOUTS)
def import_payouts() -> ResponseReturnValue:
    """A list of families from a file, kept whole or not at all."""
    school_id = own_school()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _ask(_("Choose the file first."), 422)
    with closing(file):
        name, data = file.filename, file.read()
    kept: list[int] = []

    def deed() -> None:
        kind = Kind(request.form["kind"]) if request.form.get("kind") in set(Kind) else Kind.SUPPORT
        wanted = rosters.read_roster(school_id, kind, request.form.get("reason", ""), data, name)
        kept.extend(services.ask(school_id, wanted, actor=current_actor(), now=clock.now()))

    refused = attempt(deed, _ask)
    if refused is not None:
        return refused
    flash(ngettext("One payment asked for", "%(num)s payments asked for", len(kept)), "toast")
    return redirect(url_for(".list_payouts"), 303)


# Deciding


@bp.post("/payouts/approve")
@requires(Permission.APPROVE_PAYOUTS)
def approve_payouts() -> ResponseReturnValue:
    """Approve the ticked ones, all or none."""
    school_id = own_school()
    ticked = sorted({int(one) for one in request.form.getlist("payout") if one.isdigit()})
    if not ticked:
        return _list(_("Tick what you approve."), 422)

    def deed() -> None:
        for payout_id in ticked:
            services.approve(school_id, payout_id, actor=current_actor(), now=clock.now())

    refused = attempt(deed, _list)
    if refused is not None:
        return refused
    flash(ngettext("One payment approved", "%(num)s payments approved", len(ticked)), "toast")
    return redirect(url_for(".list_payouts"), 303)


@bp.get("/payouts/<int:payout_id>")
@requires(Permission.VIEW_BANK)
def show_payout(payout_id: int) -> ResponseReturnValue:
    """One payout, and what may still be done with it."""
    return _show(payout_id)


def _show(payout_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "payouts/show_payout.html",
        payout=queries.get_payout(own_school(), payout_id),
        reason=request.form.get("reason", ""),
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.post("/payouts/<int:payout_id>/refuse")
@requires(Permission.APPROVE_PAYOUTS)
def refuse_payout(payout_id: int) -> ResponseReturnValue:
    """No, with a reason."""
    return _end(payout_id, services.refuse, _("Refused"))


@bp.post("/payouts/<int:payout_id>/withdraw")
@requires(Permission.ORDER_PAYOUTS)
def withdraw_payout(payout_id: int) -> ResponseReturnValue:
    """Take it back before it is sent."""
    return _end(payout_id, services.withdraw, _("Withdrawn"))


@bp.post("/payouts/<int:payout_id>/failed")
@requires(Permission.ORDER_PAYOUTS)
def payout_failed(payout_id: int) -> ResponseReturnValue:
    """The bank could not deliver it."""
    return _end(payout_id, services.mark_failed, _("Not delivered: it can be sent again"))


def _end(payout_id: int, verb: Any, words: str) -> ResponseReturnValue:
    school_id = own_school()

    def deed() -> None:
        verb(
            school_id,
            payout_id,
            words=request.form.get("reason", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, lambda text, status: _show(payout_id, text, status))
    if refused is not None:
        return refused
    flash(words, "toast")
    return redirect(url_for(".show_payout", payout_id=payout_id), 303)


@bp.post("/payouts/<int:payout_id>/settle")
@requires(Permission.APPROVE_PAYOUTS)
def settle_payout(payout_id: int) -> ResponseReturnValue:
    """What the provider's own page says of a refund we never heard of again."""
    is_done = request.form.get("done") == "yes"

    def verb(*args: Any, **kwargs: Any) -> None:
        services.settle_by_hand(*args, is_done=is_done, **kwargs)

    return _end(payout_id, verb, _("It is kept"))


@bp.post("/payouts/<int:payout_id>/cash")
@requires(Permission.TAKE_CASH)
def pay_payout_in_cash(payout_id: int) -> ResponseReturnValue:
    """Notes were handed to the family."""
    school_id = own_school()
    till_id = request.form.get("till", 0, type=int)

    def deed() -> None:
        services.pay_cash(school_id, payout_id, till_id, actor=current_actor(), now=clock.now())

    refused = attempt(deed, _list)
    if refused is not None:
        return refused
    flash(_("Paid out in cash"), "toast")
    return redirect(url_for(".list_payouts"), 303)


# Batches


@bp.post("/payouts/batches")
@requires(Permission.ORDER_PAYOUTS)
def make_payout_batch() -> ResponseReturnValue:
    """The ticked payouts as one file for the bank."""
    school_id = own_school()
    ticked = {int(one) for one in request.form.getlist("payout") if one.isdigit()}
    made: list[int] = []

    def deed() -> None:
        made.append(
            services.make_batch(
                school_id,
                ticked,
                request.form.get("account", 0, type=int),
                request.form.get("profile", ""),
                actor=current_actor(),
                now=clock.now(),
            )
        )

    refused = attempt(deed, _list)
    if refused is not None:
        return refused
    return redirect(url_for(".show_payout_batch", batch_id=made[0]), 303)


@bp.get("/payouts/batches/<int:batch_id>")
@requires(Permission.VIEW_BANK)
def show_payout_batch(batch_id: int) -> ResponseReturnValue:
    """An order to the bank, its file, and the bank's answer."""
    return _batch(batch_id)


def _batch(batch_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    members = queries.payouts_of_batch(school_id, batch_id)
    batch = queries.get_batch(school_id, batch_id)
    page = render_template(
        "payouts/show_batch.html",
        batch=batch,
        members=members,
        seen=queries.seen_payouts(school_id, [one.id for one in members]),
        profile=files.PROFILES[batch.profile].title,
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.get("/payouts/batches/<int:batch_id>/file")
@requires(Permission.ORDER_PAYOUTS)
def payout_batch_file(batch_id: int) -> ResponseReturnValue:
    """The file as it left."""
    school_id = own_school()
    batch = queries.get_batch(school_id, batch_id)
    body = queries.batch_file(school_id, batch_id)
    return send_file(BytesIO(body), as_attachment=True, download_name=batch.file_name)


@bp.post("/payouts/batches/<int:batch_id>/paid")
@requires(Permission.ORDER_PAYOUTS)
def batch_was_paid(batch_id: int) -> ResponseReturnValue:
    """A person's word that the bank did the ticked rows."""
    school_id = own_school()
    members = {one.id for one in queries.payouts_of_batch(school_id, batch_id)}
    ticked = {int(one) for one in request.form.getlist("payout") if one.isdigit()} & members
    if not ticked:
        return _batch(batch_id, _("Tick the rows the bank has done."), 422)

    def deed() -> None:
        services.mark_paid(school_id, ticked, actor=current_actor(), now=clock.now())

    refused = attempt(deed, lambda words, status: _batch(batch_id, words, status))
    if refused is not None:
        return refused
    flash(ngettext("One payment done", "%(num)s payments done", len(ticked)), "toast")
    return redirect(url_for(".show_payout_batch", batch_id=batch_id), 303)


@bp.post("/payouts/batches/<int:batch_id>/result")
@requires(Permission.ORDER_PAYOUTS)
def take_payout_result(batch_id: int) -> ResponseReturnValue:
    """The bank's own answer closes the rows."""
    school_id = own_school()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _batch(batch_id, _("Choose the bank's file first."), 422)
    with closing(file):
        name, data = file.filename, file.read()
    counts: list[tuple[int, int]] = []

    def deed() -> None:
        counts.append(
            services.take_result(
                school_id, batch_id, data, name, actor=current_actor(), now=clock.now()
            )
        )

    refused = attempt(deed, lambda words, status: _batch(batch_id, words, status))
    if refused is not None:
        return refused
    paid, failed = counts[0]
    flash(_("%(paid)s done, %(failed)s not delivered", paid=paid, failed=failed), "toast")
    return redirect(url_for(".show_payout_batch", batch_id=batch_id), 303)
