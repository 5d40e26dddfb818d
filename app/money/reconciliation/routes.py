"""Screens of statements: hand the bank's file in, see the plan, post, settle what is unclear."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, jobs
from app.core.acting import attempt
from app.core.db import row, transaction
from app.core.errors import Invalid, NotFound
from app.core.formats import day
from app.core.money import Vnd
from app.core.sheets import MAX_PACKED, Sheet, read_sheets
from app.money.billing import find_references
from app.money.payments import queries as payments_queries
from app.money.payments.forms import read_said
from app.money.payments.models import Purpose
from app.money.payments.movements import followed, looks_like_fee
from app.money.payments.sentences import marked, offers_out, purpose_words
from app.money.payouts.matching import batches_of_amount
from app.money.reconciliation import jobs as background
from app.money.reconciliation import queries, services
from app.money.reconciliation.errors import (
    AlreadyTaken,
    StatementNotFound,
    StatementRefused,
    UnknownLayout,
)
from app.money.reconciliation.parsers.layouts import ROLES
from app.money.reconciliation.parsers.pages import is_page, read_page
from app.money.reconciliation.parsers.tables import HEAD_WITHIN
from app.money.reconciliation.planning import StatementPlan, plan_statement
from app.money.reconciliation.sentences import kind_words, layout_words, role_words
from app.people.access import Permission, current_actor, own_school, require_membership, requires
from app.people.schools import AccountInfo, accounts_of, get_account

bp = Blueprint("reconciliation", __name__)

#: a form around the file
_FRAME: Final = 64 * 1024
#: rows of a group on the page; the file has the others
_SHOWN: Final = 200


@bp.url_value_preprocessor
def _let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form: the app's own limit is made for forms without files.
    if endpoint == "reconciliation.upload_statement":
        request.max_content_length = MAX_PACKED + _FRAME


@bp.get("/bank/statements")
@requires(Permission.VIEW_BANK)
def list_statements() -> ResponseReturnValue:
    """The statements taken in, and the form for the next."""
    return _index()


def _index(refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    page = render_template(
        "reconciliation/list_statements.html",
        statements=queries.list_statements(school_id),
        accounts=_accounts(school_id),
        chosen=request.values.get("account", type=int),
        refusal=refusal,
        may_import=require_membership().may(Permission.RECONCILE),
        layout_words=layout_words,
    )
    return page, status


def _accounts(school_id: int) -> list[AccountInfo]:
    return accounts_of(school_id, clock.today())


@bp.post("/bank/statements")
@requires(Permission.RECONCILE)
def upload_statement() -> ResponseReturnValue:
    """Read a bank's file; nothing is posted before the plan was seen."""
    school_id = own_school()
    account = get_account(school_id, request.form.get("account", 0, type=int))
    file = request.files.get("file")
    if file is None or not file.filename:
        return _index(_("Choose the bank's file first."), 422)
    with closing(file):
        name, data = file.filename, file.read()
    try:
        read = services.read_file(school_id, account.id, data, name)
        with transaction():
            statement_id = services.take_in(
                school_id,
                account.id,
                data,
                name,
                actor=current_actor(),
                now=clock.now(),
                file=read,
            )
    except UnknownLayout:
        with transaction():
            upload_id = services.keep_upload(
                school_id, account.id, data, name, actor=current_actor(), now=clock.now()
            )
        return redirect(url_for(".teach_statement", upload_id=upload_id), 303)
    except AlreadyTaken as before:
        flash(before.message, "info")
        statement_id = before.statement_id
    except Invalid as refusal:
        return _index(refusal.message, 422)
    return redirect(url_for(".show_statement", statement_id=statement_id), 303)


# One statement


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a group as the page draws it."""

    line: queries.StatementLine
    text: Any
    children: tuple[str, ...]
    to_credit: Vnd
    left: Vnd
    #: payments of the books it may be
    may_be: tuple[payments_queries.PaymentRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same end."""

    key: str
    title: str
    hint: str
    tone: str
    count: int
    total: Vnd
    rows: tuple[Shown, ...]


@bp.get("/bank/statements/<int:statement_id>")
@requires(Permission.VIEW_BANK)
def show_statement(statement_id: int) -> ResponseReturnValue:
    """The plan of a statement, and what became of its rows."""
    return _statement(statement_id)


def _statement(statement_id: int, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id = own_school()
    job = _job(school_id, statement_id)
    statement = queries.get_statement(school_id, statement_id)
    if job is not None and job.state in ("queued", "running"):
        return render_template("reconciliation/posting.html", statement=statement, job=job), status
    plan = plan_statement(school_id, statement_id, day=clock.today())
    page = render_template(
        "reconciliation/show_statement.html",
        statement=statement,
        plan=plan,
        groups=_groups(school_id, plan),
        settled=queries.settled_rows(school_id, statement_id, limit=_SHOWN),
        moved=queries.moved_rows(school_id, statement_id, limit=_SHOWN),
        fees=sum(1 for line in plan.money_out if looks_like_fee(line.text)),
        purpose_words=purpose_words,
        refusal=refusal,
        job=job,
        shown=_SHOWN,
        may_post=require_membership().may(Permission.RECONCILE),
        layout_words=layout_words,
    )
    return page, status


def _groups(school_id: int, plan: StatementPlan) -> list[Group]:
    names = _names(school_id, plan)
    found: list[Group] = []

    def add(key: str, title: str, hint: str, tone: str, lines: Sequence[tuple[Any, ...]]) -> None:
        if not lines:
            return
        total = Vnd(sum(one[0].amount.dong for one in lines))
        found.append(
            Group(
                key,
                title,
                hint,
                tone,
                len(lines),
                total,
                tuple(_shown(*one) for one in lines[:_SHOWN]),
            )
        )

    books = {
        payment.id: payment
        for payment in payments_queries.payments_by_id(
            school_id, {one for _line, ids in plan.unsure[:_SHOWN] for one in ids}
        )
    }
    add(
        "unsure",
        _("May be in the books already"),
        _("As much money with the same words came before, and not as often. Say which it is."),
        "warn",
        [
            (line, (), Vnd(0), Vnd(0), tuple(books[one] for one in ids if one in books))
            for line, ids in plan.unsure
        ],
    )
    for kind, title, tone in (
        ("exact", _("Pay exactly what is due"), "ok"),
        ("split", _("Divided among several codes"), "ok"),
        ("part", _("Pay a part"), "ok"),
        ("over", _("More than is due"), "info"),
        ("second", _("Paid before: a second payment"), "info"),
        ("unknown", _("Without proof: wait for a person"), "warn"),
    ):
        add(
            kind,
            title,
            kind_words(kind),
            tone,
            [
                (
                    one.line,
                    tuple(names.get(part[0].student_id, "") for part in one.plan.parts),
                    one.plan.to_credit,
                    one.plan.left,
                )
                for one in plan.of_kind(kind)
            ],
        )
    add(
        "reversals",
        _("Taken back by the bank"),
        _("The same number and amount as a payment: its bill is open again, its receipt void."),
        "bad",
        [(one.line, (), Vnd(0), Vnd(0)) for one in plan.reversals],
    )
    add(
        "money_out",
        _("Money out"),
        _("Say of each what it was, so that the bank book and the account agree."),
        "plain",
        [(line, (), Vnd(0), Vnd(0)) for line in plan.money_out],
    )
    return found


def _shown(
    line: queries.StatementLine,
    children: tuple[str, ...],
    to_credit: Vnd,
    left: Vnd,
    may_be: tuple[payments_queries.PaymentRow, ...] = (),
) -> Shown:
    text = marked(line.text, find_references(line.text))
    return Shown(line, text, children, to_credit, left, may_be)


def _names(school_id: int, plan: StatementPlan) -> dict[int, str]:
    wanted: set[int] = set()
    for kind in ("exact", "split", "part", "over", "second"):
        for one in plan.of_kind(kind)[:_SHOWN]:
            wanted |= {part[0].student_id for part in one.plan.parts}
    return queries.names_of(school_id, wanted)


def _job(school_id: int, statement_id: int) -> Any:
    """The newest posting of the statement that was handed to the worker."""
    found = row(
        "select id, state, done, total, payload from jobs where kind = :kind"
        " and school_id = :school_id order by id desc limit 1",
        kind=background.POST,
        school_id=school_id,
    )
    if found is None or json.loads(found.payload)["statement_id"] != statement_id:
        return None
    return found


@bp.post("/bank/statements/<int:statement_id>/post")
@requires(Permission.RECONCILE)
def post_statement(statement_id: int) -> ResponseReturnValue:
    """Post what the statement proves; a long one behind the page."""
    school_id = own_school()
    statement = queries.get_statement(school_id, statement_id)
    actor = current_actor()
    back = redirect(url_for(".show_statement", statement_id=statement_id), 303)
    if statement.waiting >= background.LONG:
        payload = {
            "statement_id": statement_id,
            "name": actor.name,
            "role": actor.role,
            "user_id": actor.user_id,
        }
        with transaction():
            jobs.enqueue(background.POST, payload, school_id=school_id, now=clock.now())
        return back
    done = background.post_all(school_id, statement_id, actor=actor)
    words = [
        ngettext("%(num)s given to its pupil", "%(num)s given to their pupils", done.matched),
        ngettext("%(num)s waits", "%(num)s wait", done.suspense) if done.suspense else "",
        _("%(num)s taken back", num=done.reversals) if done.reversals else "",
        _("%(num)s paid to families", num=done.payouts) if done.payouts else "",
    ]
    flash(" · ".join(word for word in words if word), "toast")
    return back


@bp.post("/bank/statements/<int:statement_id>/rows/<int:row_id>")
@requires(Permission.RECONCILE)
def decide_statement_row(statement_id: int, row_id: int) -> ResponseReturnValue:
    """A person's word: this row is that payment, or new money."""
    school_id = own_school()
    chosen = request.form.get("payment", "")
    payment_id = None if chosen == "new" else request.form.get("payment", 0, type=int)

    def deed() -> None:
        services.decide_row(
            school_id,
            statement_id,
            row_id,
            payment_id=payment_id,
            actor=current_actor(),
            now=clock.now(),
        )

    return attempt(deed, lambda words, status: _statement(statement_id, words, status)) or redirect(
        url_for(".show_statement", statement_id=statement_id), 303
    )


# Money out


@bp.get("/bank/statements/rows/<int:row_id>")
@requires(Permission.VIEW_BANK)
def find_statement_row(row_id: int) -> ResponseReturnValue:
    """The statement a row stands in."""
    statement_id = queries.statement_of_row(own_school(), row_id)
    return redirect(url_for(".show_statement", statement_id=statement_id), 303)


@bp.get("/bank/statements/<int:statement_id>/rows/<int:row_id>/purpose")
@requires(Permission.RECONCILE)
def say_row_purpose(statement_id: int, row_id: int) -> ResponseReturnValue:
    """Money that left the account: what was it?"""
    return _row_purpose(statement_id, row_id)


def _row_purpose(
    statement_id: int, row_id: int, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    school_id = own_school()
    lines = queries.lines_of(school_id, statement_id, only="open_debits")
    line = next((one for one in lines if one.id == row_id), None)
    if line is None:
        raise StatementNotFound
    statement = queries.get_statement(school_id, statement_id)
    page = render_template(
        "reconciliation/say_row_purpose.html",
        statement=statement,
        line=line,
        offers=_batches(statement, line.amount) + offers_out(school_id),
        what=request.form.get("what", f"{Purpose.BANK_FEE}:" if looks_like_fee(line.text) else ""),
        reason=request.form.get("reason", ""),
        refusal=refusal,
    )
    return page, status


def _batches(statement: queries.StatementInfo, amount: Vnd) -> list[tuple[str, str]]:
    """Batches of payouts the bank may have booked as this one sum."""
    return [
        (
            f"{Purpose.PAYOUT_BATCH}:{one.id}",
            ngettext(
                "Batch of %(day)s for one family",
                "Batch of %(day)s for %(num)s families",
                one.row_count,
                day=day(one.made_at),
            ),
        )
        for one in batches_of_amount(statement.school_id, statement.bank_account_id, amount)
    ]


@bp.post("/bank/statements/<int:statement_id>/rows/<int:row_id>/purpose")
@requires(Permission.RECONCILE)
def keep_row_purpose(statement_id: int, row_id: int) -> ResponseReturnValue:
    """Book it by that word."""
    school_id = own_school()

    def deed() -> None:
        said, actor, now = read_said(request.form), current_actor(), clock.now()
        if said.purpose is Purpose.PAYOUT_BATCH:
            services.name_batch(
                school_id, statement_id, row_id, said.target or 0, actor=actor, now=now
            )
        else:
            services.name_row(school_id, statement_id, row_id, said, actor=actor, now=now)

    refused = attempt(deed, lambda words, status: _row_purpose(statement_id, row_id, words, status))
    if refused is not None:
        return refused
    followed(school_id)
    flash(_("Booked"), "toast")
    return redirect(url_for(".show_statement", statement_id=statement_id), 303)


@bp.post("/bank/statements/<int:statement_id>/fees")
@requires(Permission.RECONCILE)
def book_statement_fees(statement_id: int) -> ResponseReturnValue:
    """Every row whose words are those of a bank's fee, booked at once."""
    school_id = own_school()
    lines = queries.lines_of(school_id, statement_id, only="open_debits")
    fees = [line.id for line in lines if looks_like_fee(line.text)]
    with transaction():
        count = services.name_fees(
            school_id, statement_id, fees, actor=current_actor(), now=clock.now()
        )
    flash(ngettext("One fee booked", "%(num)s fees booked", count), "toast")
    return redirect(url_for(".show_statement", statement_id=statement_id), 303)


# Naming the columns of an unknown file


@bp.get("/bank/statements/columns/<int:upload_id>")
@requires(Permission.RECONCILE)
def teach_statement(upload_id: int) -> ResponseReturnValue:
    """Which row holds the titles, and what each column is."""
    return _teach(queries.get_upload(own_school(), upload_id))


def _sheet(upload: queries.UploadInfo) -> Sheet:
    sheets = (
        read_page(upload.body)
        if is_page(upload.body)
        else read_sheets(upload.body, upload.file_name)
    )
    return max(sheets, key=lambda one: len(one.rows))


def _teach(upload: queries.UploadInfo, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    sheet = _sheet(upload)
    # The titles stand where most cells are words, above rows that hold something.
    rows = sheet.rows[:HEAD_WITHIN]
    guessed = max(
        range(len(rows)),
        key=lambda place: sum(1 for cell in rows[place] if isinstance(cell, str) and cell.strip()),
    )
    head = request.values.get("head", guessed, type=int)
    head = head if 0 <= head < len(rows) else guessed
    page = render_template(
        "reconciliation/columns.html",
        upload=upload,
        rows=rows[:20],
        first_row=sheet.first_row,
        head=head,
        columns=[
            (place, str(title or ""), [line[place] for line in sheet.rows[head + 1 : head + 4]])
            for place, title in enumerate(sheet.rows[head])
            if any(line[place] not in (None, "") for line in sheet.rows[head : head + 4])
        ],
        offered=[(role, role_words(role)) for role in ROLES],
        chosen={key[7:]: value for key, value in request.form.items() if key[:7] == "column-"},
        refusal=refusal,
    )
    return page, status


@bp.post("/bank/statements/columns/<int:upload_id>")
@requires(Permission.RECONCILE)
def set_statement_columns(upload_id: int) -> ResponseReturnValue:
    """Remember the columns for the area and read the file by them."""
    school_id = own_school()
    upload = queries.get_upload(school_id, upload_id)
    account = get_account(school_id, upload.bank_account_id)
    sheet = _sheet(upload)
    head = request.form.get("head", 0, type=int)
    if not 0 <= head < len(sheet.rows):
        raise NotFound
    cells = sheet.rows[head]
    roles = {
        place: request.form.get(f"column-{place}", "")
        for place in range(len(cells))
        if request.form.get(f"column-{place}") in ROLES
    }
    words = _missing(roles)
    if words:
        return _teach(upload, words, 422)
    actor, now = current_actor(), clock.now()
    try:
        with transaction():
            services.teach_layout(
                account.bank_bin, cells, roles, actor=actor, school_id=school_id, now=now
            )
            read = services.read_file(school_id, account.id, upload.body, upload.file_name)
            statement_id = services.take_in(
                school_id,
                account.id,
                upload.body,
                upload.file_name,
                actor=actor,
                now=now,
                file=read,
            )
            services.drop_upload(school_id, upload_id)
    except AlreadyTaken as before:
        statement_id = before.statement_id
    except StatementRefused as refusal:
        return _teach(upload, refusal.message, 422)
    return redirect(url_for(".show_statement", statement_id=statement_id), 303)


def _missing(roles: dict[int, str]) -> str:
    named = list(roles.values())
    twice = next((role for role in named if named.count(role) > 1), None)
    if twice:
        return _("Two columns are named “%(what)s”. Each is there once.", what=role_words(twice))
    if "day" not in named:
        return _("Say which column holds the day.")
    if "text" not in named and "ref" not in named:
        return _("Say which column holds the text of the transfer.")
    if "amount" not in named and "credit" not in named:
        return _("Say which column holds the money that came in.")
    return ""
