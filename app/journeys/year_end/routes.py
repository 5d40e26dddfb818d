"""Screens of a school at the end of its year: rehearsal, classes, the act, hand-over lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock
from app.core.db import transaction
from app.core.errors import DomainError, NotFound
from app.core.formats import day, number
from app.core.money import total_of
from app.journeys.year_end import (
    handover_queries,
    handover_services,
    queries,
    sentences,
    services,
    workbooks,
)
from app.journeys.year_end.errors import BadOutcome
from app.journeys.year_end.forms import (
    ActForm,
    AdmitForm,
    AssignListForm,
    ClaimForm,
    TurnForm,
    UndoForm,
    first_error,
)
from app.journeys.year_end.plan import LETTERS, NEXT_LEVEL, Outcome, possible, usual
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.schools import Level, school_info

bp = Blueprint("year_end", __name__)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: How the outcomes stand in every picture, from the many to the few.
ORDER = ("promoted", "finished", "retest", "repeats", "moves", "leaves")
#: Where each blocker is mended, for those who may.
MEND: dict[str, tuple[str, dict[str, Any], Permission]] = {
    "unplaced": ("students.list_students", {"unplaced": 1}, Permission.VIEW_STUDENTS),
    "undecided": ("year_end.overview", {"_anchor": "classes"}, Permission.PREPARE_YEAR),
    "nameless": ("year_end.next_classes", {}, Permission.PREPARE_YEAR),
    "clash": ("year_end.next_classes", {}, Permission.PREPARE_YEAR),
    "drafts": ("billing.list_runs", {}, Permission.VIEW_MONEY),
    "unbilled": ("billing.list_runs", {}, Permission.VIEW_MONEY),
    "transfers": ("students.list_students", {}, Permission.VIEW_STUDENTS),
}


def asked_pair() -> queries.Pair:
    """The years of this request: from the address, the form, or what stands open."""
    code = request.form.get("year") or request.args.get("year") or ""
    return queries.pair_of(sorted(require_membership().readable), clock.today(), code)


def _act(form: ActForm, work: Callable[[queries.Pair], str]) -> str:
    """Do one act in its transaction; the refusal's sentence, or nothing."""
    if not form.is_sent():
        return first_error(form) or _("The form could not be read. Reload the page.")
    try:
        with transaction():
            told = work(asked_pair())
    except DomainError as refusal:
        if isinstance(refusal, NotFound) and type(refusal) is NotFound:
            raise
        return refusal.message
    flash(told, "success")
    return ""


# The school


@bp.get("/year-end")
@requires(Permission.PREPARE_YEAR)
def overview() -> ResponseReturnValue:
    """What the turn of the year would do, what stops it, and the act."""
    return _overview(), 200


def _overview(refusal: str = "", lines: str = "") -> str:
    school_id = own_school()
    pair = asked_pair()
    found = queries.rehearse_one(school_id, pair, clock.today())
    membership = require_membership()
    money = queries.leaving_money(school_id, pair)
    blockers = [(hint, sentences.blocker_text(hint), _mend(hint, found)) for hint in found.blockers]
    return render_template(
        "year_end/overview.html",
        r=found,
        pair=pair,
        blockers=blockers,
        warnings=[(w, sentences.warning_text(w), _look(w)) for w in found.warnings],
        money=money[:40],
        money_count=len(money),
        debt=total_of([o.debt for o in money]),
        credit=total_of([o.credit for o in money]),
        order=ORDER,
        letters=LETTERS,
        outcome_word=sentences.outcome_word,
        history=queries.history(school_id),
        moved=queries.moved_since(school_id, found.turn.id) if found.turn else 0,
        may_turn=membership.may(Permission.TURN_YEAR),
        hands_over=found.level in NEXT_LEVEL,
        takes_in=found.level in NEXT_LEVEL.values(),
        refusal=refusal,
        lines=lines,
    )


def _mend(hint: queries.Hint, found: queries.Rehearsal) -> str:
    if hint.kind not in MEND:
        return ""
    endpoint, values, permission = MEND[hint.kind]
    if not require_membership().may(permission):
        return ""
    if hint.kind == "undecided":
        first = next((c for c in found.classes if c.undecided), None)
        if first is not None:
            return url_for(".show_class", class_id=first.id, year=found.pair.old.code)
    if endpoint.startswith("year_end."):
        values = {**values, "year": found.pair.old.code}
    return url_for(endpoint, **values)


def _look(hint: queries.Hint) -> str:
    return {
        "debts": "#money",
        "credits": "#money",
        "retests": url_for(".retests"),
    }.get(hint.kind, "")


@bp.post("/year-end/outcomes")
@requires(Permission.PREPARE_YEAR)
def take_usual_outcomes() -> ResponseReturnValue:
    """The usual outcome for every child that has none."""

    def work(pair: queries.Pair) -> str:
        count = services.take_usual_outcomes(
            own_school(), pair=pair, actor=current_actor(), now=clock.now()
        )
        return ngettext("One outcome entered.", "%(num)s outcomes entered.", count)

    refusal = _act(ActForm(), work)
    return (_overview(refusal), 422) if refusal else _back()


@bp.post("/year-end/outcomes/list")
@requires(Permission.PREPARE_YEAR)
def enter_list() -> ResponseReturnValue:
    """The exceptions of the whole school from a pasted list, all or none."""
    form = AssignListForm()
    written = form.lines.data or ""

    def work(pair: queries.Pair) -> str:
        count = services.set_outcomes_by_code(
            own_school(),
            [
                (line.number, line.first, line.last)
                for line in handover_services.read_lines(written)
            ],
            pair=pair,
            actor=current_actor(),
            now=clock.now(),
        )
        return ngettext("One outcome entered.", "%(num)s outcomes entered.", count)

    refusal = _act(form, work)
    return (_overview(refusal, written), 422) if refusal else _back()


@bp.post("/year-end/turn")
@requires(Permission.TURN_YEAR)
def turn_year() -> ResponseReturnValue:
    """The act: the school goes over into the new year."""
    form = TurnForm()

    def work(pair: queries.Pair) -> str:
        done = services.turn_year(
            own_school(),
            pair=pair,
            actor=current_actor(),
            now=clock.now(),
            expected=form.children.data,
        )
        return _(
            "The year is turned: %(promoted)s promoted, %(staying)s stay in their grade,"
            " %(finished)s finished, %(leaving)s leave.",
            promoted=number(done.promoted),
            staying=number(done.staying),
            finished=number(done.finished),
            leaving=number(done.leaving),
        )

    refusal = _act(form, work)
    return (_overview(refusal), 409) if refusal else _back()


@bp.post("/year-end/undo")
@requires(Permission.TURN_YEAR)
def undo_turn() -> ResponseReturnValue:
    """The way back, while no bill of the new year is out."""
    form = UndoForm()

    def work(pair: queries.Pair) -> str:
        count = services.undo_turn(
            own_school(),
            pair=pair,
            reason=form.reason.data or "",
            actor=current_actor(),
            now=clock.now(),
        )
        return ngettext(
            "Taken back: one pupil is where it was before.",
            "Taken back: %(num)s pupils are where they were before.",
            count,
        )

    refusal = _act(form, work)
    return (_overview(refusal), 422) if refusal else _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for(".overview", year=request.form.get("year") or None), 303)


# A class


@bp.get("/year-end/classes/<int:class_id>")
@requires(Permission.PREPARE_YEAR)
def show_class(class_id: int) -> ResponseReturnValue:
    """One letter a child."""
    return _class_page(class_id), 200


@bp.post("/year-end/classes/<int:class_id>")
@requires(Permission.PREPARE_YEAR)
def enter_class(class_id: int) -> ResponseReturnValue:
    """Keep the letters and go on to the next class without them."""
    entered: dict[int, Outcome] = {}
    form = ActForm()
    if not form.is_sent():
        return _class_page(class_id, refusal=first_error(form)), 422
    pair = asked_pair()
    try:
        entered = _entered()
        with transaction():
            services.set_outcomes(
                own_school(),
                class_id,
                entered,
                pair=pair,
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _class_page(class_id, refusal=refusal.message, entered=entered), 422
    found = queries.rehearse_one(own_school(), pair, clock.today())
    flash(_("Class %(name)s is kept.", name=_name_of(found, class_id)), "success")
    following = next((c for c in _after(found, class_id) if c.undecided), None)
    if following is None:
        return redirect(url_for(".overview", year=pair.old.code, _anchor="classes"), 303)
    return redirect(url_for(".show_class", class_id=following.id, year=pair.old.code), 303)


def _entered() -> dict[int, Outcome]:
    """The outcomes of the form: `o-<enrolment>=promoted`."""
    found = {}
    for key, value in request.form.items():
        if key.startswith("o-") and value:
            try:
                found[int(key[2:])] = Outcome(value)
            except ValueError:
                raise BadOutcome(_("The form could not be read. Reload the page.")) from None
    return found


def _name_of(found: queries.Rehearsal, class_id: int) -> str:
    return next((c.name for c in found.classes if c.id == class_id), "")


def _after(found: queries.Rehearsal, class_id: int) -> list[Any]:
    """The classes after one, then those before it."""
    ids = [c.id for c in found.classes]
    place = ids.index(class_id) if class_id in ids else -1
    return [*found.classes[place + 1 :], *found.classes[: max(place, 0)]]


def _class_page(
    class_id: int, *, refusal: str = "", entered: dict[int, Outcome] | None = None
) -> str:
    school_id = own_school()
    pair = asked_pair()
    found = queries.rehearse_one(school_id, pair, clock.today())
    place = next((c for c in found.classes if c.id == class_id), None)
    if place is None:
        raise NotFound
    ids = [c.id for c in found.classes]
    here = ids.index(class_id)
    return render_template(
        "year_end/show_class.html",
        pair=pair,
        place=place,
        children=queries.children_of_class(school_id, class_id, pair),
        entered=entered or {},
        possible=possible(found.level, place.grade),
        usual=usual(found.level, place.grade),
        letters=LETTERS,
        outcome_word=sentences.outcome_word,
        before=found.classes[here - 1] if here else None,
        after=found.classes[here + 1] if here + 1 < len(ids) else None,
        refusal=refusal,
    )


# Next year's classes


@bp.get("/year-end/next-classes")
@requires(Permission.PREPARE_YEAR)
def next_classes() -> ResponseReturnValue:
    """What classes are called next year, and which take new children."""
    return _next_classes_page(), 200


@bp.post("/year-end/next-classes")
@requires(Permission.PREPARE_YEAR)
def name_next_classes() -> ResponseReturnValue:
    """Keep the names."""
    form = ActForm()
    names = {
        int(key[2:]): value
        for key, value in request.form.items()
        if key.startswith("n-") and key[2:].isdecimal()
    }
    written = request.form.get("entering", "")
    entering = [name for name in (part.strip() for part in written.split(",")) if name]

    def work(pair: queries.Pair) -> str:
        services.name_next_classes(
            own_school(), names, entering or None, pair=pair, actor=current_actor(), now=clock.now()
        )
        return _("The names of next year's classes are kept.")

    refusal = _act(form, work)
    if refusal:
        return _next_classes_page(refusal, names, written), 422
    return redirect(url_for(".next_classes", year=request.form.get("year") or None), 303)


def _next_classes_page(
    refusal: str = "", names: dict[int, str] | None = None, entering: str | None = None
) -> str:
    pair = asked_pair()
    found = queries.rehearse_one(own_school(), pair, clock.today())
    return render_template(
        "year_end/next_classes.html",
        r=found,
        pair=pair,
        names=names or {},
        entering=", ".join(found.entering) if entering is None else entering,
        refusal=refusal,
    )


# After the summer


@bp.get("/year-end/retests")
@requires(Permission.PREPARE_YEAR)
def retests() -> ResponseReturnValue:
    """The children who wait for the test after the summer."""
    return _retests_page(), 200


def _retests_page(refusal: str = "") -> str:
    pair = asked_pair()
    return render_template(
        "year_end/retests.html",
        pair=pair,
        waiting=queries.waiting_retests(own_school(), pair),
        refusal=refusal,
    )


@bp.post("/year-end/retests/<int:enrolment_id>")
@requires(Permission.PREPARE_YEAR)
def decide_retest(enrolment_id: int) -> ResponseReturnValue:
    """Passed, or stays in its grade."""
    passed = request.form.get("passed") == "1"

    def work(pair: queries.Pair) -> str:
        decision = services.decide_retest(
            own_school(),
            enrolment_id,
            passed=passed,
            pair=pair,
            actor=current_actor(),
            now=clock.now(),
            today=clock.today(),
        )
        return _("Kept: %(outcome)s.", outcome=sentences.outcome_word(decision).lower())

    refusal = _act(ActForm(), work)
    if refusal:
        return _retests_page(refusal), 409
    return redirect(url_for(".retests", year=request.form.get("year") or None), 303)


# Hand-over


@bp.get("/year-end/finishing")
@requires(Permission.PREPARE_YEAR)
def finishing() -> ResponseReturnValue:
    """The children who finish here, and where they go on."""
    pair = asked_pair()
    return render_template(
        "year_end/finishing.html",
        pair=pair,
        children=handover_queries.finishing_of(own_school(), pair),
        state_word=workbooks.state_word,
    )


@bp.get("/year-end/finishing.xlsx")
@requires(Permission.PREPARE_YEAR)
def finishing_workbook() -> ResponseReturnValue:
    """The same as a workbook."""
    pair = asked_pair()
    school = school_info(own_school(), clock.today())
    return workbook(
        _("Pupils who finish in %(year)s", year=pair.old.code),
        school.name,
        handover_queries.finishing_of(school.id, pair),
        f"ban-giao-{school.code.lower()}-{pair.old.code}.xlsx",
    )


@bp.get("/year-end/arrivals")
@requires(Permission.PREPARE_YEAR)
def arrivals() -> ResponseReturnValue:
    """The children who come from the level below."""
    return _arrivals_page(ClaimForm(formdata=None)), 200


def _arrivals_page(claim: ClaimForm, refusal: str = "") -> str:
    school_id = own_school()
    pair = asked_pair()
    found = queries.rehearse_one(school_id, pair, clock.today())
    lowest = min((c.grade for c in found.next_classes), default=0)
    return render_template(
        "year_end/arrivals.html",
        pair=pair,
        children=handover_queries.arriving_at(school_id, pair),
        classes=[c for c in found.next_classes if c.class_id and c.grade == lowest],
        seated=found.seated,
        claim=claim,
        state_word=workbooks.state_word,
        refusal=refusal,
        takes_in=found.level in NEXT_LEVEL.values(),
    )


@bp.get("/year-end/arrivals.xlsx")
@requires(Permission.PREPARE_YEAR)
def arrivals_workbook() -> ResponseReturnValue:
    """The same as a workbook."""
    pair = asked_pair()
    school = school_info(own_school(), clock.today())
    return workbook(
        _("Pupils who come for %(day)s", day=day(pair.day)),
        school.name,
        handover_queries.arriving_at(school.id, pair),
        f"tiep-nhan-{school.code.lower()}-{pair.old.code}.xlsx",
    )


@bp.post("/year-end/arrivals/claim")
@requires(Permission.PREPARE_YEAR)
def claim_child() -> ResponseReturnValue:
    """Put a child on the own list by exact code and birth date."""
    form = ClaimForm()

    def work(pair: queries.Pair) -> str:
        school = school_info(own_school(), clock.today())
        name = handover_services.claim(
            school.id,
            Level(school.level),
            form.code.data or "",
            form.birth_date.data,
            pair=pair,
            actor=current_actor(),
            now=clock.now(),
        )
        return _("%(name)s is on your list.", name=name)

    refusal = _act(form, work)
    if refusal:
        return _arrivals_page(form, refusal), 422
    return redirect(url_for(".arrivals", year=request.form.get("year") or None), 303)


@bp.post("/year-end/arrivals")
@requires(Permission.PREPARE_YEAR)
def admit() -> ResponseReturnValue:
    """Begin the stays of the ticked children."""
    form = AdmitForm()
    ticked = [int(value) for value in request.form.getlist("child") if value.isdecimal()]

    def work(pair: queries.Pair) -> str:
        found = queries.rehearse_one(own_school(), pair, clock.today())
        lowest = min((c.grade for c in found.next_classes), default=0)
        entry = [c.class_id for c in found.next_classes if c.class_id and c.grade == lowest]
        place = form.place.data or ""
        chosen = entry if place == "even" else [int(place)] if place.isdecimal() else []
        count = handover_services.admit(
            own_school(),
            ticked,
            [number_ for number_ in chosen if number_ in entry],
            pair=pair,
            actor=current_actor(),
            now=clock.now(),
        )
        return ngettext(
            "One pupil is admitted from %(day)s on.",
            "%(num)s pupils are admitted from %(day)s on.",
            count,
            day=day(pair.day),
        )

    refusal = _act(form, work)
    if refusal:
        return _arrivals_page(ClaimForm(formdata=None), refusal), 409
    return redirect(url_for(".arrivals", year=request.form.get("year") or None), 303)


def workbook(title: str, place: str, children: list[handover_queries.Going], name: str) -> Response:
    """A hand-over list as a file."""
    answer = Response(workbooks.handover_workbook(title, [place], children), mimetype=WORKBOOK)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
