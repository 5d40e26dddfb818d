"""The classes of a year: who is in none yet, placing many children at once, opening classes."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, formats
from app.core.db import transaction
from app.core.errors import DomainError, NotFound
from app.core.text import fold
from app.people.access import Permission, current_actor, own_school, requires
from app.people.schools import school_info
from app.people.students import queries, rolls, services, words
from app.people.students.blueprint import bp
from app.people.students.desk import show_refusal
from app.people.students.forms import OpenClassesForm, PlaceForm
from app.people.students.queries import ClassRow
from app.people.students.rolls import OnRoll, SchoolYear


@bp.get("/classes")
@requires(Permission.EDIT_STUDENTS)
def show_classes() -> ResponseReturnValue:
    """Children without a class, or those of one class, beside the classes of the year."""
    year = _year()
    return _show(year, PlaceForm(formdata=None, data={"from_day": _asked_day()}))


@bp.post("/classes")
@requires(Permission.EDIT_STUDENTS)
def place_students() -> ResponseReturnValue:
    """Place the ticked children in the class that was typed or chosen."""
    year, form = _year(), PlaceForm()
    chosen = request.form.getlist("enrolment", type=int)
    shape_is_right = form.is_sent()
    if not chosen:
        form.form_errors.append(_("Tick the pupils first."))
    target = _target(year, form)
    if target is None or not chosen or not shape_is_right:
        return _show(year, form, chosen, status=422)
    try:
        with transaction():
            services.place_many(
                own_school(),
                dict.fromkeys(chosen, target.id),
                from_day=form.from_day.data,
                actor=current_actor(),
                now=clock.now(),
            )
    except NotFound:
        raise
    except DomainError as refusal:
        show_refusal(form, refusal)
        return _show(year, form, chosen, status=422)
    flash(
        ngettext(
            "One pupil is in class %(class_name)s from %(day)s on.",
            "%(num)s pupils are in class %(class_name)s from %(day)s on.",
            len(chosen),
            class_name=target.name,
            day=formats.day(form.from_day.data),
        )
    )
    return redirect(
        url_for(
            ".show_classes",
            year=year.id,
            show=request.form.get("show") or None,
            day=form.from_day.data,
        ),
        303,
    )


@bp.post("/classes/new")
@requires(Permission.EDIT_STUDENTS)
def open_classes() -> ResponseReturnValue:
    """Open classes of one grade in the year shown."""
    year, form = _year(), OpenClassesForm()
    form.grade.choices = _grades()
    if not form.is_sent():
        return _show(year, PlaceForm(formdata=None), opening=form, status=422)
    names = form.list_of_names()
    try:
        with transaction():
            services.open_classes(
                own_school(),
                year.id,
                [(name, form.grade.data) for name in names],
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        form.names.errors = [refusal.message]
        return _show(year, PlaceForm(formdata=None), opening=form, status=422)
    flash(
        ngettext(
            "Class %(names)s is open.",
            "%(num)s classes are open: %(names)s.",
            len(names),
            names=", ".join(names),
        )
    )
    return redirect(url_for(".show_classes", year=year.id), 303)


def _year() -> SchoolYear:
    """The year asked for, of those that still go on; without a word the present one."""
    found = rolls.years(clock.today())
    wanted = request.values.get("year", type=int)
    for year in found:
        if wanted in (None, year.id):
            return year
    raise NotFound


def _asked_day() -> date | None:
    """The day of the placing before, so that a whole year is placed from one day."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def _grades() -> list[tuple[int, str]]:
    level = school_info(own_school(), clock.today()).level
    return [(grade, words.grade(grade)) for grade in services.GRADES[level]]


def _target(year: SchoolYear, form: PlaceForm) -> ClassRow | None:
    """The class of the button pressed, or of the name typed."""
    day = year.day(clock.today())
    classes = queries.list_classes(own_school(), year.id, day)
    by_button = request.form.get("class_id", type=int)
    if by_button is not None:
        return next((known for known in classes if known.id == by_button), None)
    typed = form.class_name.data or ""
    found = [known for known in classes if fold(known.name) == fold(typed)]
    if found:
        return found[0]
    form.class_name.errors = [
        _("There is no class %(name)s in this year.", name=typed)
        if typed
        else _("Type the class, as 2/1, or choose it beside the list.")
    ]
    return None


def _show(
    year: SchoolYear,
    form: PlaceForm,
    chosen: list[int] | None = None,
    *,
    opening: OpenClassesForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    classes = queries.list_classes(school_id, year.id, year.day(today))
    waiting = rolls.unplaced(school_id, year, today)
    show = request.values.get("show", "")
    children = _shown(school_id, year, show, classes, waiting)
    opening = opening or OpenClassesForm(formdata=None)
    opening.grade.choices = _grades()
    if form.from_day.data is None and not form.from_day.raw_data:
        form.from_day.data = year.day(today)
    page = render_template(
        "students/show_classes.html",
        year=year,
        years=rolls.years(today),
        form=form,
        opening=opening,
        classes=classes,
        children=children[: rolls.SHOWN],
        count=len(children),
        show=show,
        views=_views(classes, waiting),
        waiting=len(waiting),
        chosen=set(chosen or ()),
        words=words,
    )
    return page, status


def _shown(
    school_id: int, year: SchoolYear, show: str, classes: list[ClassRow], waiting: list[OnRoll]
) -> list[OnRoll]:
    """`in-7` are the children of class 7, `was-7` those without a class who were there last."""
    kind, _dash, number = show.partition("-")
    class_id = int(number) if number.isdecimal() and len(number) < 16 else 0
    if kind == "was":
        return [child for child in waiting if child.last_class_id == class_id]
    if kind == "in" and class_id in {known.id for known in classes}:
        return rolls.in_class(school_id, year, class_id, clock.today())
    return waiting


def _views(classes: list[ClassRow], waiting: list[OnRoll]) -> list[tuple[str, str]]:
    """What the list can show, each with its count."""
    views = [("", _("in no class yet (%(count)s)", count=len(waiting)))]
    before: dict[int, tuple[str, int]] = {}
    for child in waiting:
        if child.last_class_id is not None:
            name, count = before.get(child.last_class_id, (child.last_class or "", 0))
            before[child.last_class_id] = (name, count + 1)
    views += [
        (f"was-{key}", _("last in %(name)s (%(count)s)", name=name, count=count))
        for key, (name, count) in sorted(
            before.items(), key=lambda item: queries.natural(item[1][0])
        )
    ]
    views += [
        (f"in-{known.id}", _("in %(name)s (%(count)s)", name=known.name, count=known.children))
        for known in classes
    ]
    return views
