"""The pay page by link, its polling, QR and papers; the public answer about an account or QR."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, http, qr, scope
from app.core.db import enter_scope, transaction
from app.core.errors import DomainError
from app.core.http import is_htmx
from app.core.i18n import language
from app.core.money import Vnd
from app.core.text import ascii_upper
from app.core.throttle import count_try
from app.core.words import amount_sentence_en
from app.journeys.family import queries, services
from app.journeys.family.basket import has_siblings
from app.journeys.family.errors import NoQr, UnknownLink
from app.money import billing, receipts
from app.money.billing import reference, vietqr
from app.money.payments import cards, declarations, gateway_pages
from app.money.receipts import pdf
from app.people.access import public
from app.people.schools import channels_of, setting, wording
from app.people.schools.banks import find_bank

bp = Blueprint("family", __name__)

#: each second for the first ten minutes of an open page, then more calmly (E2)
FAST_FOR: Final = timedelta(minutes=10)
#: account and QR look-ups from one address in a minute
MOST_CHECKS: Final = 30
BY_LINK: Final = "the link itself is the key; it shows no name until the family proves itself"
_LONGEST_QUESTION: Final = 300
STRIPE_PAGES: Final = "https://checkout.stripe.com"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the three steps under the amount."""

    text: str
    time: str
    state: str


@dataclass(frozen=True, slots=True)
class CardChoice:
    """What paying by card would cost."""

    surcharge: Vnd
    total: Vnd


# The page


@bp.get("/pay/<token>")
@public(BY_LINK)
def pay(token: str) -> ResponseReturnValue:
    """What is due now, the QR for it, the other ways, and how far the money is."""
    return _draw(open_link(token))


@bp.post("/pay/<token>/transferred")
@public(BY_LINK)
def say_transferred(token: str) -> ResponseReturnValue:
    """The family says that it has transferred; the school knows where to look."""
    asked = open_link(token)
    with transaction():
        declarations.declare(asked, now=clock.now())
    return redirect(url_for(".pay", token=asked.token), 303)


@bp.get("/pay/<token>/return")
@public(BY_LINK)
def pay_return(token: str) -> ResponseReturnValue:
    """Where a provider sends the payer back to: it shows the state and never changes any money."""
    return _draw(open_link(token), is_back=True)


@bp.get("/pay/<token>/state")
@public(BY_LINK)
def pay_state(token: str) -> ResponseReturnValue:
    """Has anything changed? 304 while not; else the page is sent for anew, or told as JSON."""
    asked = open_link(token)
    is_back = "back" in request.args
    mark = _mark(asked, is_back)
    if request.if_none_match.contains(mark):
        if is_htmx() and _is_past(request.args.get("until")):
            return _marked(
                render_template("family/_poll.html", **_poll(asked, mark, is_back, False))
            )
        return _marked(Response(status=304), mark)
    if is_htmx():
        response = make_response("")
        response.headers["HX-Redirect"] = url_for(
            ".pay_return" if is_back else ".pay", token=asked.token
        )
        return _marked(response, mark)
    page = queries.pay_page(asked, clock.today())
    paid = page.last_payment
    return _marked(
        jsonify(
            state=page.state,
            due=page.due.dong,
            receipt=paid.receipt.full_number if paid and paid.receipt else None,
        ),
        mark,
    )


def open_link(token: str) -> billing.Request:
    """The request behind a link, with the scope set to its school; else 404."""
    school_id = billing.school_of_token(token) if len(token) <= 40 else None
    if school_id is None:
        raise UnknownLink
    enter_scope(scope.one_school(school_id))
    return queries.find_request(token, school_id)


def _draw(
    asked: billing.Request, *, is_back: bool = False, error: str = "", status: int = 200
) -> ResponseReturnValue:
    now = clock.now()
    today = clock.local_day(now)
    # Asked before the books are read: what comes in between is noticed by the next poll.
    mark = _mark(asked, is_back)
    page = queries.pay_page(asked, today)
    is_open = services.is_unlocked(asked, session, now)
    lines = [line.id for bill in page.shown_bills for line in bill.lines]
    is_waiting = page.state in ("open", "part")
    attempt = queries.card_attempt(asked) if is_back else ""
    english = language() == "en"
    words = amount_sentence_en if english else wording(asked.school_id, today).sentence
    response = make_response(
        render_template(
            "family/pay.html",
            page=page,
            is_open=is_open,
            has_siblings=is_open
            and has_siblings(asked.student_id, services.guardians(asked, session, now), today),
            is_locked_out=not is_open and services.is_locked_out(asked, now),
            error=error,
            is_back=is_back,
            attempt=attempt,
            steps=_steps(page, today_is=now),
            bank=find_bank(page.account.bank_bin),
            card=_card(asked, page.due),
            gateways=gateway_pages.choices(asked.school_id, page.due, now),
            cash_hours=setting(asked.school_id, "cash_hours", today),
            reasons=queries.reasons(asked.school_id, lines) if is_open else {},
            words=words(max(page.due.dong, 0)),
            today=today,
            is_waiting=is_waiting,
            declared=declarations.declared(asked, now) if is_waiting else None,
            **_poll(asked, mark, is_back, True),
        ),
        status,
    )
    if page.due:
        response.headers["Content-Security-Policy"] = _policy()
    return response


def _policy() -> str:
    """The pages' policy, with the provider's page as a place our form may lead to."""
    base = current_app.config["SETTINGS"].stripe_api_base
    parts = urlsplit(base) if base else None
    own = f" {parts.scheme}://{parts.netloc}" if parts else ""
    extra = current_app.config.get("FORM_ACTION_HOSTS", "")
    return f"{http.CONTENT_POLICY} {STRIPE_PAGES}{own} {extra}".rstrip()


# Polling


def _mark(asked: billing.Request, is_back: bool) -> str:
    attempt = queries.card_attempt(asked) if is_back else ""
    return f"{queries.fingerprint(asked)}.{attempt}"


def _poll(asked: billing.Request, mark: str, is_back: bool, is_fast: bool) -> dict[str, Any]:
    until = int((clock.now() + FAST_FOR).timestamp()) if is_fast else None
    back = "1" if is_back else None
    return {
        "poll_url": url_for(".pay_state", token=asked.token, back=back, until=until),
        "poll_mark": {"If-None-Match": f'"{mark}"'},
        "poll_every": "1s" if is_fast else "5s",
    }


def _marked(answer: Response | str, mark: str = "") -> Response:
    response = make_response(answer)
    if mark:
        response.set_etag(mark)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _is_past(until: str | None) -> bool:
    is_number = bool(until) and str(until).isascii() and str(until).isdigit()
    return is_number and int(str(until)[:12]) <= clock.now().timestamp()


# How far is the money?


def _steps(page: queries.PayPage, *, today_is: datetime) -> list[Step]:
    paid = page.last_payment
    if page.state != "paid" or paid is None:
        return [
            Step(_("Waiting for money"), "", "now"),
            Step(_("School has it"), "", "next"),
            Step(_("Receipt ready"), "", "next"),
        ]
    first, second = _("Sent"), _("School has it")
    if paid.method == "cash":
        first = _("Paid at the desk")
    elif paid.proof == "provider":
        second = _("Provider confirmed it")
    steps = [
        Step(first, _time(paid.occurred_at, today_is, "%H:%M"), "done"),
        Step(second, _time(paid.received_at, today_is, "%H:%M:%S"), "done"),
    ]
    if paid.receipt:
        at = _time(paid.receipt.issued_at, today_is, "%H:%M:%S")
        steps.append(Step(_("Receipt ready"), at, "done"))
    return steps


def _time(moment: datetime, now: datetime, shape: str) -> str:
    is_today = clock.local_day(moment) == clock.local_day(now)
    return clock.local(moment).strftime(shape if is_today else "%d/%m %H:%M")


# The family shows that it is the family


@bp.post("/pay/<token>/unlock")
@public(BY_LINK)
def unlock(token: str) -> ResponseReturnValue:
    """Open the lines for half an hour by the last four digits of a registered phone."""
    asked = open_link(token)
    digits = request.form.get("digits", "").strip()[:12]
    try:
        services.unlock(asked, digits, session, now=clock.now())
    except DomainError as refusal:
        return _draw(asked, error=refusal.message, status=refusal.status)
    return redirect(url_for(".pay", token=asked.token, _anchor="lines"), 303)


# Ways to pay


@bp.get("/pay/<token>/qr.png")
@public(BY_LINK)
def qr_png(token: str) -> ResponseReturnValue:
    """The VietQR for what is due at this moment: the code never changes, the amount does (M7)."""
    asked = open_link(token)
    due = billing.due(asked)
    if not due:
        raise NoQr
    page = queries.pay_page(asked, clock.today())
    text = vietqr.build(page.account.bank_bin, page.account.number, due, asked.reference)
    is_saved = "save" in request.args
    response = make_response(qr.png(text, scale=16 if is_saved else 8))
    response.content_type = "image/png"
    if is_saved:
        name = f"QR-{asked.reference}-{due.dong}.png"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _card(asked: billing.Request, due: Vnd) -> CardChoice | None:
    channel = cards.card_channel(asked.school_id, clock.now()) if due else None
    if channel is None:
        return None
    surcharge = cards.surcharge_of(channel, due)
    return CardChoice(surcharge, due + surcharge)


@bp.post("/pay/<token>/card")
@public(BY_LINK)
def start_card(token: str) -> ResponseReturnValue:
    """Send the payer to the card provider's page for what is due now."""
    asked = open_link(token)
    channel = cards.card_channel(asked.school_id, clock.now())
    back = url_for(".pay", token=asked.token)
    if channel is None:
        return redirect(back, 303)
    address = current_app.config["SETTINGS"].public_url.rstrip("/")
    try:
        url = cards.start_card_payment(
            asked,
            channel=channel,
            due=billing.due(asked),
            return_url=address + url_for(".pay_return", token=asked.token),
            cancel_url=address + back,
            locale="en" if language() == "en" else "vi",
            now=clock.now(),
        )
    except DomainError as refusal:
        flash(refusal.message, "warning")
        return redirect(back, 303)
    return redirect(url, 303)


@bp.post("/pay/<token>/gateway/<channel>")
@public(BY_LINK)
def start_gateway(token: str, channel: str) -> ResponseReturnValue:
    """Open the wallet's or gateway's page for what is due now, and lead the payer there."""
    asked = open_link(token)
    address = current_app.config["SETTINGS"].public_url.rstrip("/")
    provider = next(
        (
            one.provider
            for one in channels_of(asked.school_id, clock.today())
            if one.public_id == channel
        ),
        "",
    )
    try:
        title, page = gateway_pages.start(
            asked,
            channel,
            return_url=address + url_for(".pay_return", token=asked.token),
            notify_url=f"{address}/callbacks/{provider}/{channel}",
            ip=request.remote_addr or "127.0.0.1",
            locale="en" if language() == "en" else "vi",
            now=clock.now(),
        )
    except DomainError as refusal:
        flash(refusal.message, "warning")
        return redirect(url_for(".pay", token=asked.token), 303)
    # A link and no redirect: our forms lead nowhere but to ourselves.
    return render_template("family/leave.html", title=title, page=page, token=asked.token)


@bp.get("/pay/<token>/receipts/<int:receipt_id>.pdf")
@public(BY_LINK)
def receipt_pdf(token: str, receipt_id: int) -> ResponseReturnValue:
    """A receipt of this link: initials and no lines, whole after the family check (P8)."""
    asked = open_link(token)
    page = queries.pay_page(asked, clock.today())
    own = {paper.id for payment in page.payments for paper in payment.receipts}
    if receipt_id not in own:
        raise UnknownLink
    receipt = receipts.get_receipt(asked.school_id, receipt_id)
    is_open = services.is_unlocked(asked, session, clock.now())
    response = make_response(pdf.receipt_pdf(receipt, initials_only=not is_open))
    response.content_type = "application/pdf"
    name = f"bien-lai-{receipt.series}-{receipt.number:06d}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# Is this account or QR really the school's?


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """What is said about an account number or a QR."""

    #: ours, closed, mixed (account ours, code of another), foreign, unreadable, too_often
    state: str
    accounts: tuple[queries.AccountOfSchool, ...] = ()
    code: vietqr.VietQr | None = None


@bp.get("/check/account")
@public("anybody about to pay may ask whether the account is the school's")
def check_account() -> ResponseReturnValue:
    """Whether an account number, or the account in a QR, belongs to a school of the area."""
    question = request.args.get("q", "").strip()[:_LONGEST_QUESTION]
    if not question:
        return redirect(url_for("receipts.check"), 303)
    answer = _ask_account(question)
    status = {"too_often": 429, "unreadable": 404, "foreign": 404}.get(answer.state, 200)
    names = {account.bank_bin: find_bank(account.bank_bin) for account in answer.accounts}
    if answer.code:
        names[answer.code.bin] = find_bank(answer.code.bin)
    return (
        render_template("family/check_account.html", answer=answer, question=question, banks=names),
        status,
    )


def _ask_account(question: str) -> AccountAnswer:
    key = hashlib.sha256((request.remote_addr or "").encode()).hexdigest()[:24]
    with transaction():
        count = count_try(f"account:{key}", window=f"{clock.now():%Y%m%d%H%M}")
    if count > MOST_CHECKS:
        return AccountAnswer("too_often")
    code = None
    if question.startswith("000201"):
        try:
            code = vietqr.read(question)
        except DomainError:
            return AccountAnswer("unreadable")
    number = code.account if code else ascii_upper(question).replace(" ", "")
    known = queries.accounts_with_number(number, code.bin if code else None) if number else []
    if not known:
        return AccountAnswer("foreign" if code or len(number) >= 6 else "unreadable", (), code)
    accounts = []
    for account in known:
        enter_scope(scope.one_school(account.school_id))
        accounts.append(queries.account_of_school(account, clock.today()))
    if not any(account.is_open for account in accounts):
        return AccountAnswer("closed", tuple(accounts), code)
    if code and _belongs_elsewhere(code.purpose, {account.school_id for account in known}):
        return AccountAnswer("mixed", tuple(accounts), code)
    return AccountAnswer("ours", tuple(accounts), code)


def _belongs_elsewhere(purpose: str, schools: set[int]) -> bool:
    """Whether the text names a payment code of another school than the account's."""
    owners = {billing.school_of_code(found) for found in reference.find_references(purpose)}
    return bool(owners - {None}) and not (owners & schools)
