"""Screens of closing: days, months, the books of an account, the journal as a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import clock, scope
from app.core.acting import attempt
from app.core.errors import NotFound
from app.core.formats import day as written
from app.core.formats import month as written_month
from app.core.money import Vnd
from app.core.period import Period
from app.core.sheets import Column, write_workbook
from app.money import ledger
from app.money.closing import exports, queries, services
from app.money.closing.sentences import account_words, item_hint, item_words, place_words
from app.money.fees import item_names
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    readable_schools,
    require_membership,
    requires,
)
from app.people.schools import SchoolInfo, accounts_of, school_info

bp = Blueprint("closing", __name__)


def _words() -> dict[str, Any]:
    membership = require_membership()
    return {
        "item_words": item_words,
        "item_hint": item_hint,
        "place_words": place_words,
        "account_words": account_words,
        "may_close": membership.may(Permission.CLOSE_BOOKS),
        "may_sign": membership.may(Permission.SIGN_MONTH),
        "Vnd": Vnd,
        "iso": date.fromisoformat,
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound from None


def _period(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError:
        raise NotFound from None


# Days


@bp.get("/closing")
@requires(Permission.VIEW_BANK)
def list_days() -> ResponseReturnValue:
    """Days that wait to be closed, those that were, and the months."""
    school_id = own_school()
    until = services.yesterday(clock.now())
    waiting = queries.open_days(school_id, until)
    return render_template(
        "closing/list_days.html",
        waiting=waiting,
        closed=queries.closed_days(school_id),
        months=queries.months_of(school_id, clock.today()),
        today=clock.today(),
        **_words(),
    )


@bp.get("/closing/days/<text>")
@requires(Permission.VIEW_BANK)
def show_day(text: str) -> ResponseReturnValue:
    """A day as it was closed, or as it stands now."""
    return _show_day(_day(text))


def _show_day(day: date, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    closed = queries.closed_day(school_id, day)
    if closed is None and not queries.has_events(school_id, day):
        raise NotFound
    waiting = queries.open_days(school_id, services.yesterday(clock.now()))
    page = render_template(
        "closing/show_day.html",
        day=day,
        closed=closed,
        figures=closed.figures if closed else queries.day_as_it_stands(school_id, day),
        first=waiting[0] if waiting else None,
        is_over=day < clock.today(),
        names=_names(school_id),
        reasons={key[7:]: words for key, words in request.form.items() if key[:7] == "reason-"},
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.post("/closing/days/<text>")
@requires(Permission.CLOSE_BOOKS)
def close_day(text: str) -> ResponseReturnValue:
    """Freeze the day; the next open one comes up."""
    school_id, day = own_school(), _day(text)
    reasons = {key[7:]: words for key, words in request.form.items() if key[:7] == "reason-"}
    refused = _close(school_id, day, reasons)
    if refused is not None:
        return refused
    flash(_("%(day)s is closed", day=written(day)), "toast")
    waiting = queries.open_days(school_id, services.yesterday(clock.now()))
    if waiting:
        return redirect(url_for(".show_day", text=waiting[0].isoformat()), 303)
    return redirect(url_for(".list_days"), 303)


def _close(school_id: int, day: date, reasons: dict[str, str]) -> ResponseReturnValue | None:
    def deed() -> None:
        services.close_day(school_id, day, reasons, actor=current_actor(), now=clock.now())

    return attempt(deed, lambda words, status: _show_day(day, words, status))


@bp.post("/closing/days")
@requires(Permission.CLOSE_BOOKS)
def close_plain_days() -> ResponseReturnValue:
    """Close the open days one after the other, up to the first that needs a word."""
    school_id = own_school()
    count = 0
    for day in queries.open_days(school_id, services.yesterday(clock.now())):
        if queries.day_as_it_stands(school_id, day).unexplained:
            flash(_("%(day)s needs a word first", day=written(day)), "info")
            return redirect(url_for(".show_day", text=day.isoformat()), 303)

        refused = _close(school_id, day, {})
        if refused is not None:
            return refused
        count += 1
    flash(_("%(num)s days closed", num=count), "toast")
    return redirect(url_for(".list_days"), 303)


# Months


@bp.get("/closing/months/<text>")
@requires(Permission.VIEW_BANK)
def show_month(text: str) -> ResponseReturnValue:
    """The trial balance of a month, frozen or as it stands."""
    return _show_month(_period(text))


@dataclass(frozen=True, slots=True)
class Row:
    """An account of a month, with what was frozen where it differs."""

    account: str
    target: str
    opening: Vnd
    debit: Vnd
    credit: Vnd
    closing: Vnd
    frozen: Vnd | None


def _rows(school_id: int, state: queries.MonthState) -> list[Row]:
    own = queries.own_mappings(school_id)
    kept = {one["account"]: one["closing"] for one in state.figures.get("accounts", ())}
    last = state.period.last_day
    return [
        Row(
            one.account,
            exports.target_of(one.account, last, own),
            one.opening,
            one.debit,
            one.credit,
            one.closing,
            Vnd(kept[one.account]) if one.account in kept else None,
        )
        for one in queries.trial_balance(school_id, state.period)
        if one.opening or one.debit or one.credit
    ]


def _show_month(period: Period, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    state = queries.month_state(school_id, period)
    page = render_template(
        "closing/show_month.html",
        state=state,
        rows=_rows(school_id, state),
        open_days=queries.open_days(school_id, period.last_day),
        is_over=period.last_day < clock.today(),
        books=_books(school_id),
        names=_names(school_id),
        forms=[(one.code, one.title) for one in exports.FORMS.values()],
        circular=exports.regime_of(period.last_day)[0],
        me=current_actor().user_id,
        refusal=refusal,
        **_words(),
    )
    return page, status


def _names(school_id: int) -> dict[str, str]:
    """Our accounts by what lies in them: the item, the number at the bank."""
    codes = [*ledger.balances(school_id, "held:"), *ledger.balances(school_id, "income:")]
    items = item_names([code.partition(":")[2] for code in codes])
    found = {
        code: items[code.partition(":")[2]] for code in codes if code.partition(":")[2] in items
    }
    return found | {
        f"{kind}:{account.id}": account.number
        for account in accounts_of(school_id, clock.today())
        for kind in ("bank", "deposit", "payout", "suspense")
    }


def _books(school_id: int) -> list[tuple[str, str]]:
    """The books that are kept row by row: each bank account, each drawer."""
    found = [(f"bank:{one.id}", one.number) for one in accounts_of(school_id, clock.today())]
    return found + [
        (one.account, one.account)
        for one in queries.trial_balance(school_id, Period.of(clock.today()))
        if one.account.startswith("cash:")
    ]


@bp.post("/closing/months/<text>/close")
@requires(Permission.CLOSE_BOOKS)
def close_month(text: str) -> ResponseReturnValue:
    """Freeze the month."""
    period = _period(text)
    return _deed(
        period,
        lambda: services.close_month(own_school(), period, actor=current_actor(), now=clock.now()),
        _("%(month)s is closed; the principal signs it", month=written_month(period)),
    )


@bp.post("/closing/months/<text>/sign")
@requires(Permission.SIGN_MONTH)
def sign_month(text: str) -> ResponseReturnValue:
    """Sign the frozen figures."""
    period = _period(text)
    return _deed(
        period,
        lambda: services.sign_month(own_school(), period, actor=current_actor(), now=clock.now()),
        _("%(month)s is signed", month=written_month(period)),
    )


def _deed(period: Period, deed: Any, words: str) -> ResponseReturnValue:
    refused = attempt(deed, lambda text, status: _show_month(period, text, status))
    if refused is not None:
        return refused
    flash(words, "toast")
    return redirect(url_for(".show_month", text=f"{period.year:04d}-{period.month:02d}"), 303)


# Books and the journal


@bp.get("/closing/books/<text>/<account>")
@requires(Permission.VIEW_BANK)
def show_book(text: str, account: str) -> ResponseReturnValue:
    """The bank book or the cash book of a month, row by row."""
    school_id, period = own_school(), _period(text)
    if account.partition(":")[0] not in ("bank", "cash"):
        raise NotFound
    opening, rows = queries.book_of(school_id, [account], period)
    if request.args.get("as") == "xlsx":
        return _book_file(account, period, opening, rows)
    return render_template(
        "closing/show_book.html",
        period=period,
        account=account,
        name=dict(_books(school_id)).get(account, account),
        opening=opening,
        rows=rows,
        deeds=exports.DEEDS,
        **_words(),
    )


def _book_file(
    account: str, period: Period, opening: Vnd, rows: list[queries.BookRow]
) -> ResponseReturnValue:
    columns = [
        Column("Ngày", 12, is_text=False),
        Column("Số bút toán", 12, is_text=False),
        Column("Diễn giải", 40),
        Column("Thu", 16, is_text=False),
        Column("Chi", 16, is_text=False),
        Column("Tồn", 16, is_text=False),
    ]
    cells: list[list[Any]] = [[period.first_day, None, "Số dư đầu kỳ", None, None, opening.dong]]
    cells += [
        [
            one.booked_on,
            one.event_id,
            f"{exports.DEEDS.get(one.kind, one.kind)} {one.words}".strip(),
            one.received.dong or None,
            one.spent.dong or None,
            one.balance.dong,
        ]
        for one in rows
    ]
    kind = "so-tien-gui" if account.startswith("bank") else "so-quy"
    return _send(f"{kind}-{period.number}.xlsx", write_workbook(columns, cells, title="So"))


@bp.get("/closing/months/<text>/journal")
@requires(Permission.VIEW_BANK)
def journal_file(text: str) -> ResponseReturnValue:
    """The journal of a month for an accounting package."""
    school_id, period = own_school(), _period(text)
    school = school_info(school_id, clock.today())
    name, body = exports.write_journal(
        request.args.get("form", "general"),
        queries.journal(school_id, period),
        queries.own_mappings(school_id),
        school.code,
        period,
    )
    return _send(name, body)


def _send(name: str, body: bytes) -> ResponseReturnValue:
    return send_file(BytesIO(body), as_attachment=True, download_name=name)


@bp.get("/closing/accounts")
@requires(Permission.VIEW_BANK)
def list_mappings() -> ResponseReturnValue:
    """Which account of the circular each of ours is."""
    return _mappings()


def _mappings(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    circular, accounts = exports.regime_of(today)
    own = queries.own_mappings(school_id)
    page = render_template(
        "closing/list_mappings.html",
        circular=circular,
        rows=[
            (prefix, exports.target_of(prefix, today, own), target)
            for prefix, target in accounts.items()
        ],
        own=[one for one in own if one.valid_from > today],
        typed=request.form,
        today=today,
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.post("/closing/accounts")
@requires(Permission.CLOSE_BOOKS)
def set_mapping() -> ResponseReturnValue:
    """Another account of the circular from a day on."""
    school_id = own_school()
    prefix = request.form.get("prefix", "")
    if prefix not in exports.regime_of(clock.today())[1]:
        raise NotFound

    def deed() -> None:
        services.set_mapping(
            school_id,
            prefix,
            request.form.get("target", ""),
            clock.today(),
            actor=current_actor(),
            now=clock.now(),
        )

    refused = attempt(deed, _mappings)
    if refused is not None:
        return refused
    flash(_("Kept. It holds from today on."), "toast")
    return redirect(url_for(".list_mappings"), 303)


# The unit above


@dataclass(frozen=True, slots=True)
class SchoolMonth:
    """A school with where its months are."""

    school: SchoolInfo
    open_count: int
    oldest: date | None
    state: queries.MonthState


@bp.get("/area/closing")
@requires(Permission.VIEW_AREA)
def list_area_months() -> ResponseReturnValue:
    """How far each school has closed, and the month that may be opened again."""
    return _area()


def _area(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    wanted = request.values.get("month", "")
    period = _period(wanted) if wanted else Period.of(clock.today()).previous()
    until = services.yesterday(clock.now())
    found = []
    for school in readable_schools():
        waiting = queries.open_days(school.id, until)
        state = queries.month_state(school.id, period)
        found.append(SchoolMonth(school, len(waiting), waiting[0] if waiting else None, state))
    page = render_template(
        "closing/list_area_months.html",
        period=period,
        schools=found,
        may_reopen=require_membership().may(Permission.REOPEN_MONTH),
        refusal=refusal,
        **_words(),
    )
    return page, status


@bp.post("/area/closing/<code>/<text>/reopen")
@requires(Permission.REOPEN_MONTH)
def reopen_month(code: str, text: str) -> ResponseReturnValue:
    """Open a month of a school again, with a reason."""
    period = _period(text)
    school = next((one for one in readable_schools() if one.code == code), None)
    if school is None:
        raise NotFound
    school_id = school.id

    def deed() -> None:
        services.reopen_month(
            school_id,
            period,
            words=request.form.get("reason", ""),
            actor=current_actor(),
            now=clock.now(),
        )

    with scope.opened(scope.one_school(school_id)):
        refused = attempt(deed, lambda words, status: (words, status))
    if refused is not None:
        return _area(refused[0], refused[1])
    flash(_("Opened again"), "toast")
    month = f"{period.year:04d}-{period.month:02d}"
    return redirect(url_for(".list_area_months", month=month), 303)
