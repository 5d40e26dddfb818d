"""Providers' notices, the cash desk, the bank page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.errors import DomainError, NotFound
from app.core.formats import vnd
from app.core.ids import new_token
from app.core.money import Vnd
from app.extensions import signed_elsewhere
from app.money import billing
from app.money.payments import cards, cash, declarations, desk, movements, queries
from app.money.payments import till as till_book
from app.money.payments.adapters import BadSignature, StaleNotice, sepay
from app.money.payments.adapters.stripe import StripeAdapter
from app.money.payments.errors import (
    AmountTooSmall,
    BadAmount,
    MoreThanDue,
    NothingBilled,
    NoTill,
    NotMatcher,
)
from app.money.payments.forms import read_amount
from app.money.payments.inbox import accept_transfer
from app.money.payments.models import OutcomeState
from app.money.payments.sentences import attention_words, marked, purpose_words, suspense_words
from app.money.payments.suspense import (
    Suggested,
    assign_suspense,
    suggestions_for,
    take_back_match,
)
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    public,
    require_membership,
    requires,
)
from app.people.schools import ChannelInfo, channel_of_address, school_of_channel, secrets_of
from app.people.students import above

bp = Blueprint("payments", __name__)
log = logging.getLogger("sothu.inbox")

#: Larger bodies are no notice of any provider we know.
LARGEST_NOTICE = 64 * 1024
#: Kept with the raw body, so that a dispute about a signature can be settled later.
KEPT_HEADERS = (
    "Content-Type",
    "User-Agent",
    "X-SePay-Timestamp",
    "X-SePay-Signature",
    "Stripe-Signature",
    "X-Casso-Signature",
)
LARGEST_EVENT = 256 * 1024


# Providers' notices


def open_channel(provider: str, public_id: str) -> ChannelInfo:
    """The channel of a callback address, with the scope set to its school; else 404."""
    school_id = school_of_channel(public_id)
    if school_id is None:
        raise NotFound
    enter_scope(scope.one_school(school_id))
    channel = channel_of_address(school_id, public_id, provider)
    if channel is None:
        raise NotFound
    return channel


@bp.post("/callbacks/sepay/<channel>")
@signed_elsewhere
@public("the provider's signature is checked before anything is read")
def receive_sepay(channel: str) -> ResponseReturnValue:
    """A bank credit as SePay tells it; answered only after the commit."""
    request.max_content_length = LARGEST_NOTICE
    way = open_channel("sepay", channel)
    # The signature covers these bytes, not our parsing of them.
    raw = request.get_data(cache=False)
    now = clock.now()
    keys = secrets_of(way.school_id, way.id, "webhook", now)
    headers = kept_headers()
    try:
        transfer = sepay.read(raw, request.headers, scheme=way.scheme, secrets=keys, now=now)  # type: ignore[arg-type]
    except StaleNotice as stale:
        log.warning("stale notice on channel %s", channel)
        if stale.transfer is not None:
            with transaction():
                accept_transfer(
                    stale.transfer,
                    channel=way,
                    raw=raw,
                    headers=headers,
                    now=now,
                    is_verified=False,
                )
        raise
    except BadSignature:
        log.warning("forged notice on channel %s", channel)
        raise
    with transaction():
        outcome = accept_transfer(transfer, channel=way, raw=raw, headers=headers, now=now)
    if outcome.state is OutcomeState.NEEDS_ATTENTION and outcome.reason == "wrong_account":
        log.warning("notice about a foreign account on channel %s", channel)
        return jsonify(success=False, code="wrong_account"), 422
    return jsonify(sepay.SUCCESS), 200


@bp.post("/callbacks/stripe")
@signed_elsewhere
@public("the provider's signature is checked before anything is read")
def receive_stripe() -> ResponseReturnValue:
    """An event of the environment's one Stripe account (demo and tests)."""
    adapter = cards.environment_adapter()
    if adapter is None:
        raise NotFound
    return _receive_event(adapter, None)


@bp.post("/callbacks/stripe/<channel>")
@signed_elsewhere
@public("the provider's signature is checked before anything is read")
def receive_stripe_of_school(channel: str) -> ResponseReturnValue:
    """An event of a school's own Stripe account."""
    way = open_channel("stripe", channel)
    return _receive_event(cards.adapter_of(way, clock.now()), way)


def _receive_event(adapter: StripeAdapter, way: ChannelInfo | None) -> ResponseReturnValue:
    request.max_content_length = LARGEST_EVENT
    raw = request.get_data(cache=False)
    now = clock.now()
    try:
        event = adapter.read_event(raw, request.headers.get("Stripe-Signature"), now=now)
    except (BadSignature, StaleNotice) as refusal:
        log.warning("forged or stale event for %s", way.public_id if way else "stripe")
        # The provider's own libraries answer 400 here.
        return jsonify(success=False, code=refusal.code), 400
    if way is not None:
        school_id: int | None = way.school_id
    else:
        school_id = cards.school_of_event(event) or cards.filing_school(event)
    if school_id is None:
        with transaction():
            kept = cards.keep_untraced(event, raw=raw, headers=kept_headers(), now=now)
        return jsonify(success=True, state=kept.state), 200
    enter_scope(scope.one_school(school_id))
    with transaction():
        outcome = cards.accept_stripe_event(
            event,
            school_id=school_id,
            channel=way.public_id if way else cards.ENVIRONMENT,
            channel_id=way.id if way else None,
            raw=raw,
            headers=kept_headers(),
            now=now,
        )
    return jsonify(success=True, state=outcome.state), 200


def kept_headers() -> dict[str, str]:
    """The headers kept beside a raw body."""
    return {name: request.headers[name] for name in KEPT_HEADERS if request.headers.get(name)}


# The cash desk


@bp.get("/cash-desk")
@requires(Permission.TAKE_CASH)
def cash_desk() -> ResponseReturnValue:
    """One field finds the child; its open lines and the money are on the same page."""
    school_id = own_school()
    # A scanned VietQR is longer than anything a person types.
    text = request.args.get("q", "").strip()[:400]
    codes = request.args.getlist("student")[:8]
    scanned = above.code_scanned(school_id, text, clock.today()) if text else None
    if scanned and not codes:
        codes = [scanned]
    found = queries.search_children(school_id, text) if text and not scanned else []
    if len(found) == 1 and not codes:
        codes = [found[0].code]
    opened = desk.open_desk(school_id, codes, clock.now()) if codes else None
    return _draw_desk(school_id, opened, text=text, found=found)


@bp.post("/cash-desk")
@requires(Permission.TAKE_CASH)
def take_cash() -> ResponseReturnValue:
    """Collect the ticked lines and give the receipt; sent twice, it is one payment."""
    school_id = own_school()
    now = clock.now()
    opened = desk.open_desk(school_id, request.form.getlist("student")[:8], now)
    if opened is None:
        return redirect(url_for("payments.cash_desk"), 303)
    ticked = [int(line) for line in request.form.getlist("line") if line.isdigit()][:200]
    keep_rest = "keep_rest" in request.form
    field = "given"
    try:
        typed = request.form.get("amount", "").strip()
        if typed:
            field = "amount"
            amount = read_amount(typed)
        else:
            # As the page showed it: whoever pays was told this sum.
            amount = Vnd(sum(_shown(line) for line in ticked))
            if "round_up" in request.form and amount:
                amount, keep_rest = cash.rounded_up(amount), True
        field = "given"
        given = read_amount(request.form.get("given", ""))
        with transaction():
            taken = cash.take_cash(
                school_id,
                requests=opened.requests_for(ticked, keep_rest=keep_rest),
                ticked=ticked,
                amount=amount,
                given=given,
                payer=request.form.get("payer", "").strip(),
                till_id=request.form.get("till", 0, type=int),
                key=request.form.get("key", "")[:60] or new_token(),
                keep_rest=keep_rest,
                actor=current_actor(),
                now=now,
            )
    except (AmountTooSmall, BadAmount) as refusal:
        return _draw_desk(school_id, opened, error=(field, refusal.message)), refusal.status
    except MoreThanDue as refusal:
        return _draw_desk(school_id, opened, error=("amount", refusal.message)), refusal.status
    except DomainError as refusal:
        return _draw_desk(school_id, opened, error=("", refusal.message)), refusal.status
    return redirect(url_for("payments.cash_desk", done=taken.payment_id), 303)


def _shown(line: int) -> int:
    value = request.form.get(f"open-{line}", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 12 else 0


def _draw_desk(
    school_id: int,
    opened: desk.Desk | None,
    *,
    text: str = "",
    found: list[queries.DeskChild] | None = None,
    error: tuple[str, str] | None = None,
) -> str:
    tills = queries.tills_of(school_id)
    if not tills:
        raise NoTill
    wanted = request.values.get("till", type=int)
    till = next((till for till in tills if till.id == wanted), tills[0])
    return render_template(
        "payments/cash_desk.html",
        desk=opened,
        text=text,
        found=found or [],
        error=error,
        form=request.form,
        key=new_token() if error is None or not error[0] else request.form.get("key"),
        till=till,
        tills=tills,
        today=clock.today(),
        shift=till_book.shift_of(school_id, till.id),
        drawer=queries.till_today(school_id, till.id, clock.today()),
        recent=queries.recent_cash(school_id, till.id),
        done=_done(school_id),
        notes=list(cash.NOTES),
    )


def _done(school_id: int) -> dict[str, Any] | None:
    """The payment just taken, for the panel with its change and its paper."""
    payment_id = request.args.get("done", type=int)
    if payment_id is None or request.method != "GET":
        return None
    payment = queries.get_payment(school_id, payment_id)
    given = cash.cash_given(school_id, payment_id)
    change = given - payment.amount if given is not None else Vnd(0)
    notes = cash.notes_of(change)
    return {
        "payment": payment,
        "given": given,
        "change": change,
        "notes": notes,
        "odd": change.dong - sum(count * note for count, note in notes),
    }


# The bank page


@bp.get("/bank")
@requires(Permission.VIEW_BANK)
def list_credits() -> ResponseReturnValue:
    """Money that came in without cash: what waits for a person first, then everything."""
    school_id = own_school()
    state = request.args.get("state", "all")
    state = state if state in queries.STATES else "all"
    page = max(request.args.get("page", 1, type=int), 1)
    found, count = queries.list_credits(school_id, state=state, page=page)
    waiting = queries.suspense_items(school_id)
    chosen = request.args.get("payment", type=int)
    item = next((item for item in waiting if item.payment.id == chosen), None)
    text = request.args.get("q", "").strip()[:80]
    likely = suggestions_for(school_id, [item.payment.id for item in waiting[:_SUGGESTED]])
    children = queries.search_children(school_id, text) if item and text else []
    if item and not text:
        children = _likely_children(school_id, item, likely.get(item.payment.id, []))
    notices = queries.attention_notices(school_id)
    may_be = movements.likely_of(school_id, [item.payment for item in waiting[:_SUGGESTED]])
    today = clock.today()
    return render_template(
        "payments/list_credits.html",
        credits=found,
        count=count,
        page=page,
        pages=max(1, -(-count // queries.PAGE_SIZE)),
        state=state,
        waiting=[(item, suspense_words(item), item.age(today)) for item in waiting],
        waiting_total=Vnd(sum(item.payment.amount.dong for item in waiting)),
        chosen=item,
        chosen_words=suspense_words(item) if item else "",
        text=text,
        children=children,
        notices=[(notice, attention_words(notice)) for notice in notices],
        likely={one: found[0] for one, found in likely.items() if found},
        likely_names=_names_of(school_id, likely),
        reasons={one.student_id: one.reasons for one in likely.get(chosen or 0, [])},
        following=_after(waiting, chosen),
        to_undo=_to_undo(school_id),
        can_undo=require_membership().may(Permission.VOID_RECEIPT),
        can_match=_can_match(),
        may_say=require_membership().may(Permission.RECONCILE),
        said=declarations.waiting_declarations(school_id, clock.now()),
        may_connect=require_membership().may(Permission.SET_CHANNELS),
        may_be=may_be,
        chosen_likely=may_be.get(chosen or 0),
        moved=movements.movements_of(
            school_id, "payment", [payment.id for payment in found if payment.moved]
        ),
        purpose_words=purpose_words,
        marked=marked,
    )


#: so many that wait get their suggestion on the page
_SUGGESTED = 200


def _likely_children(
    school_id: int, item: queries.SuspenseItem, likely: Sequence[Suggested]
) -> list[queries.DeskChild]:
    """The child the text names, then the likely ones, the best first."""
    wanted = [item.request.student_id] if item.request is not None else []
    wanted += [one.student_id for one in likely if one.student_id not in wanted]
    known = {child.student_id: child for child in queries.children_of(school_id, wanted)}
    return [known[one] for one in wanted if one in known]


def _names_of(school_id: int, likely: Mapping[int, Sequence[Suggested]]) -> dict[int, str]:
    wanted = {found[0].student_id for found in likely.values() if found}
    found = queries.children_of(school_id, wanted) if wanted else []
    return {child.student_id: f"{child.full_name} {child.class_name}".strip() for child in found}


def _after(waiting: Sequence[queries.SuspenseItem], chosen: int | None) -> int | None:
    """The payment to look at next."""
    ids = [item.payment.id for item in waiting]
    if chosen not in ids or len(ids) < 2:
        return None
    return ids[(ids.index(chosen) + 1) % len(ids)]


@bp.post("/bank/match")
@requires(Permission.VIEW_BANK)
def match_credit() -> ResponseReturnValue:
    """Give unknown money to a child, by hand."""
    if not _can_match():
        raise NotMatcher
    school_id = own_school()
    payment_id = request.form.get("payment", 0, type=int)
    child = queries.find_child(school_id, request.form.get("student", ""))
    if child is None:
        raise NotFound
    payment = queries.get_payment(school_id, payment_id)
    target = _request_for(school_id, child.student_id, payment.bank_account_id)
    try:
        with transaction():
            accepted = assign_suspense(
                school_id, payment_id, target, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        flash(refusal.message, "error")
        return redirect(url_for("payments.list_credits"), 303)
    number = next((f"{r.series}/{r.number:06d}" for r in accepted.receipts), "")
    text = _("Matched %(amount)s to %(name)s", amount=vnd(payment.amount), name=child.full_name)
    flash(f"{text} · {number}" if number else text, "toast")
    following = request.form.get("following", type=int)
    anchor = "match" if following else None
    return redirect(url_for("payments.list_credits", payment=following, _anchor=anchor), 303)


@bp.post("/bank/unmatch")
@requires(Permission.VOID_RECEIPT)
def unmatch_credit() -> ResponseReturnValue:
    """Take a wrong match back; its money waits for its child again."""
    school_id = own_school()
    payment_id = request.form.get("payment", 0, type=int)
    payment = queries.get_payment(school_id, payment_id)
    try:
        with transaction():
            take_back_match(
                school_id,
                payment_id,
                reason=request.form.get("reason", ""),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        flash(refusal.message, "error")
        return redirect(url_for(".list_credits", undo=payment_id, _anchor="undo"), 303)
    flash(_("%(amount)s waits for its pupil again", amount=vnd(payment.amount)), "toast")
    return redirect(url_for(".list_credits", payment=payment_id, _anchor="match"), 303)


def _to_undo(school_id: int) -> queries.PaymentRow | None:
    """The payment whose match somebody wants to take back."""
    wanted = request.args.get("undo", type=int)
    if wanted is None or not require_membership().may(Permission.VOID_RECEIPT):
        return None
    payment = queries.get_payment(school_id, wanted)
    return payment if payment.children and not payment.returned else None


def _can_match() -> bool:
    membership = require_membership()
    return membership.may(Permission.TAKE_CASH) and membership.may(Permission.VIEW_BANK)


def _request_for(school_id: int, student_id: int, bank_account_id: int | None) -> billing.Request:
    """The child's request on the account the money came to, else its first one."""
    found = billing.requests_of(school_id, student_id)
    if not found:
        raise NothingBilled
    same = [request for request in found if request.bank_account_id == bank_account_id]
    return (same or found)[0]
