"""Screens of the import coach: hand in, say what the columns are, look, decide, take."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, jobs
from app.core.db import transaction
from app.core.errors import DomainError, Invalid
from app.core.sheets import MAX_PACKED, read_sheets
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.lists import exports, queries, services
from app.people.lists import jobs as background
from app.people.lists.columns import OFFERED, Column, Kind, label
from app.people.lists.errors import ImportNotFound, NoFile
from app.people.lists.models import Stage, State
from app.people.lists.reading import read_list
from app.people.lists.sentences import role_words, sentence, trouble_words, value_words
from app.people.students.queries import list_classes

bp = Blueprint("lists", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NEEDS = {Kind.PUPILS: Permission.EDIT_STUDENTS, Kind.STAFF: Permission.IMPORT_STAFF}
#: a form around the file
_FRAME = 64 * 1024


@bp.url_value_preprocessor
def _let_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form: the app's own limit is made for forms without files.
    if endpoint == "lists.upload":
        request.max_content_length = MAX_PACKED + _FRAME


def _kind(name: str) -> Kind:
    """The kind of an address, once the person may handle it at a school."""
    try:
        kind = Kind(name)
    except ValueError:
        abort(404)
    membership = require_membership()
    if not membership.may(_NEEDS[kind]) or membership.school_id is None:
        abort(403)
    return kind


def _found(import_id: int) -> queries.ImportInfo:
    if require_membership().school_id is None:
        abort(403)
    found = queries.get_import(own_school(), import_id)
    if not require_membership().may(_NEEDS[found.kind]):
        raise ImportNotFound
    return found


@bp.get("/lists/<name>")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def index(name: str) -> ResponseReturnValue:
    """Hand a list in, take one out, and what was handed in before."""
    return _index(_kind(name))


def _index(kind: Kind, *, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    year = services.year_for_lists(today)
    page = render_template(
        "lists/index.html",
        kind=kind,
        imports=queries.list_imports(school_id, kind),
        classes=list_classes(school_id, year.id, today) if kind is Kind.PUPILS else [],
        year=year,
        refusal=refusal,
        stages=_stage_words(),
        may={one: require_membership().may(need) for one, need in _NEEDS.items()},
    )
    return page, status


def _stage_words() -> dict[Stage, str]:
    return {
        Stage.READ: _("Columns not confirmed"),
        Stage.WAITING: _("Being compared"),
        Stage.REHEARSED: _("Waiting for you"),
        Stage.TAKING: _("Being taken"),
        Stage.TAKEN: _("Taken"),
        Stage.GIVEN_UP: _("Given up"),
    }


@bp.post("/lists/<name>")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def upload(name: str) -> ResponseReturnValue:
    """Read a file and go to its columns."""
    kind = _kind(name)
    try:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise NoFile
        with closing(file):
            grid, head = read_list(read_sheets(file.read(), file.filename), kind)
        with transaction():
            services.forget_old(own_school(), now=clock.now())
            import_id = services.open_import(
                own_school(),
                kind,
                grid,
                head,
                file_name=file.filename,
                actor=current_actor(),
                now=clock.now(),
            )
    except Invalid as refusal:
        return _index(kind, refusal=refusal.message, status=422)
    return redirect(url_for("lists.columns", import_id=import_id), 303)


@bp.get("/lists/<name>/empty.xlsx")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def empty(name: str) -> ResponseReturnValue:
    """An empty form with the right heads."""
    kind = _kind(name)
    return _file(exports.write_form(kind), f"mau-{kind}")


@bp.post("/lists/<name>/export")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def export(name: str) -> ResponseReturnValue:
    """The pupils of the school or a class, or its staff, in the columns of the import."""
    kind = _kind(name)
    school_id, today = own_school(), clock.today()
    with transaction():
        if kind is Kind.STAFF:
            data = exports.write_staff(
                school_id, today=today, actor=current_actor(), now=clock.now()
            )
        else:
            data = exports.write_pupils(
                school_id,
                services.year_for_lists(today).id,
                request.form.get("class", type=int),
                today=today,
                actor=current_actor(),
                now=clock.now(),
            )
    return _file(data, f"{kind}-{require_membership().school_code.lower()}-{today.isoformat()}")


def _file(data: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.xlsx"'}
    return Response(data, content_type=XLSX, headers=headers)


# Columns


@bp.get("/lists/imports/<int:import_id>/columns")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def columns(import_id: int) -> ResponseReturnValue:
    """What each column was taken for, with samples; to be changed or confirmed."""
    return _columns(_found(import_id))


def _columns(
    found: queries.ImportInfo,
    *,
    chosen: dict[int, str] | None = None,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    if found.stage not in (Stage.READ, Stage.REHEARSED):
        return redirect(url_for("lists.show", import_id=found.id), 303)
    said = found.said
    if chosen is None:
        chosen = {place: column.value for place, column in found.mapping.items()}
    page = render_template(
        "lists/columns.html",
        found=found,
        places=[
            (place, title, said["samples"][place])
            for place, title in enumerate(said["titles"])
            if title or said["samples"][place]
        ],
        chosen=chosen,
        doubts=set(said["doubts"]),
        offered=[(column.value, label(column, found.kind)) for column in OFFERED[found.kind]],
        refusal=refusal,
    )
    return page, status


@bp.post("/lists/imports/<int:import_id>/columns")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def set_columns(import_id: int) -> ResponseReturnValue:
    """Keep the columns and rehearse: at once, or behind the page when the list is long."""
    found = _found(import_id)
    chosen = {
        place: request.form.get(f"column-{place}", "") for place in range(len(found.said["titles"]))
    }
    try:
        mapping = {place: Column(word) for place, word in chosen.items() if word}
        with transaction():
            services.set_columns(
                own_school(),
                import_id,
                mapping,
                first_day=_day("first_day", found.first_day),
                actor=current_actor(),
                now=clock.now(),
            )
            if found.said["rows"] > background.LONG:
                _enqueue(background.REHEARSE, Stage.WAITING, found)
            else:
                services.rehearse_import(
                    own_school(), import_id, actor=current_actor(), now=clock.now()
                )
    except (ValueError, Invalid) as refusal:
        message = refusal.message if isinstance(refusal, Invalid) else _("Choose from the list.")
        return _columns(found, chosen=chosen, refusal=message, status=422)
    return redirect(url_for("lists.show", import_id=import_id), 303)


def _day(name: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return otherwise


def _enqueue(kind: str, stage: Stage, found: queries.ImportInfo, **more: Any) -> None:
    actor = current_actor()
    payload = {
        "import_id": found.id,
        "rows": found.said["rows"],
        "name": actor.name,
        "role": actor.role,
        "user_id": actor.user_id,
        **more,
    }
    job_id = jobs.enqueue(kind, payload, school_id=own_school(), now=clock.now())
    services.wait(own_school(), found.id, stage, job_id)


# The rehearsal


@bp.get("/lists/imports/<int:import_id>")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def show(import_id: int) -> ResponseReturnValue:
    """The rehearsal by state, its progress while it runs, or what was taken."""
    return _show(_found(import_id))


def _show(
    found: queries.ImportInfo, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    if found.stage is Stage.READ:
        return redirect(url_for("lists.columns", import_id=found.id), 303)
    if found.stage in (Stage.WAITING, Stage.TAKING):
        job = queries.job_of(found.job_id or 0)
        return render_template("lists/waiting.html", found=found, job=job), status
    state = _state(found)
    kept_only = request.args.get("kept") == "1"
    page = max(request.args.get("page", 1, type=int), 1)
    lines, count = (
        queries.rows_of(own_school(), found.id, state, kept_only=kept_only, page=page)
        if state is not None
        else ([], 0)
    )
    shown = render_template(
        "lists/show.html",
        found=found,
        state=state.value if state is not None else "missing",
        tabs=_tabs(found),
        lines=lines,
        count=count,
        page=page,
        pages=max(1, -(-count // queries.PAGE)),
        start=(page - 1) * queries.PAGE + 1,
        kept=queries.count_kept(own_school(), found.id) if found.kind is Kind.PUPILS else 0,
        kept_only=kept_only,
        sentence=sentence,
        trouble_words=trouble_words,
        value_words=value_words,
        role_words=role_words,
        label=label,
        refusal=refusal,
    )
    return shown, status


def _tabs(found: queries.ImportInfo) -> list[tuple[str, str, int]]:
    tabs = [
        ("new", _("New"), found.new),
        ("changed", _("Changed"), found.changed),
        ("unchanged", _("Unchanged"), found.unchanged),
        ("doubtful", _("Doubtful"), found.doubtful),
        ("refused", _("Not readable"), found.refused),
    ]
    if found.kind is Kind.PUPILS:
        tabs.append(("missing", _("Missing in the list"), found.missing))
    return tabs


def _state(found: queries.ImportInfo) -> State | None:
    """The tab asked for, else the first that needs a person, else the first with rows."""
    asked = request.args.get("tab", "")
    if asked == "missing":
        return None
    found_state = next((state for state in State if state.value == asked), None)
    if found_state is not None:
        return found_state
    order = (State.DOUBTFUL, State.REFUSED, State.NEW, State.CHANGED, State.UNCHANGED)
    return next((state for state in order if found.count(state)), State.NEW)


@bp.post("/lists/imports/<int:import_id>/decisions")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def decide(import_id: int) -> ResponseReturnValue:
    """Keep what a person says of doubtful rows and of fields set by hand."""
    found = _found(import_id)
    tab = request.form.get("tab", "")
    seqs = [int(seq) for seq in request.form.getlist("row") if seq.isdecimal()]
    try:
        with transaction():
            services.decide(
                own_school(),
                import_id,
                choices={
                    seq: request.form[f"choice-{seq}"]
                    for seq in seqs
                    if f"choice-{seq}" in request.form
                },
                ticks={seq: request.form.getlist(f"tick-{seq}") for seq in seqs}
                if tab != State.DOUBTFUL
                else {},
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _show(found, refusal=refusal.message, status=refusal.status)
    flash(_("Noted. The list was compared once more."), "toast")
    return redirect(url_for("lists.show", import_id=import_id, tab=tab), 303)


# Taking


@bp.post("/lists/imports/<int:import_id>/take")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def take(import_id: int) -> ResponseReturnValue:
    """Take the new and changed rows, in one act."""
    found = _found(import_id)
    opening = request.form.getlist("open")
    try:
        with transaction():
            if found.rows > background.LONG and found.stage is Stage.REHEARSED:
                _enqueue(background.TAKE, Stage.TAKING, found, opening=opening)
                return redirect(url_for("lists.show", import_id=import_id), 303)
            result = _take(import_id, opening)
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        return _show(_found(import_id), refusal=refusal.message, status=refusal.status)
    if result.outdated:
        flash(
            ngettext(
                "Nothing was taken: since you looked, one row has come out otherwise. Look again.",
                "Nothing was taken: since you looked, %(num)s rows have come out otherwise. Look"
                " again.",
                result.outdated,
            ),
            "warning",
        )
    return redirect(url_for("lists.show", import_id=import_id), 303)


def _take(import_id: int, opening: Collection[str]) -> services.TakeResult:
    return services.take_import(
        own_school(), import_id, opening=opening, actor=current_actor(), now=clock.now()
    )


@bp.get("/lists/imports/<int:import_id>/to-mend.xlsx")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def to_mend(import_id: int) -> ResponseReturnValue:
    """The rows left out, with the reason beside each."""
    found = _found(import_id)
    kept = queries.rows_to_mend(own_school(), import_id, found.kind)
    if kept is None:
        raise ImportNotFound(_("The content of this list is not kept any more."))
    return _file(exports.write_rows_to_mend(*kept), f"can-sua-{import_id}")


@bp.post("/lists/imports/<int:import_id>/give-up")
@requires(Permission.EDIT_STUDENTS, Permission.IMPORT_STAFF)
def give_up(import_id: int) -> ResponseReturnValue:
    """Throw away what is kept of a list."""
    found = _found(import_id)
    with transaction():
        services.give_up(own_school(), import_id, actor=current_actor(), now=clock.now())
    flash(_("The content of the list is deleted."), "toast")
    return redirect(url_for("lists.index", name=found.kind), 303)
