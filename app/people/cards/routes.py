"""Cards by class, one child's card and photo, printing, and what a scan opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.core import clock, scope
from app.core.db import enter_scope, transaction
from app.core.errors import DomainError, TryAgain
from app.core.throttle import count_try, tries
from app.people.access import (
    Permission,
    current_actor,
    current_membership,
    own_school,
    public,
    require_membership,
    requires,
)
from app.people.cards import jobs, pdf, pictures, queries, services, tokens
from app.people.cards.errors import CardNotFound, NothingToPrint, PictureRefused
from app.people.cards.forms import ConsentForm, WithdrawForm
from app.people.cards.models import EndReason, Layout, Method, Party
from app.people.cards.services import Given
from app.people.schools import Year
from app.people.students.queries import StudentPage, get_student

bp = Blueprint("cards", __name__)

#: a form around the pictures
_FRAME: Final = 64 * 1024
_LARGEST: Final = {
    "cards.add_photo": pictures.MAX_BYTES + _FRAME,
    "cards.add_photos": pictures.MAX_SENDING + _FRAME,
}
#: so many cards are drawn while the person waits
AT_ONCE: Final = 40
#: wrong cards a person may scan in a minute
MOST_SCANS: Final = 60


@bp.url_value_preprocessor
def _let_pictures_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form: the app's own limit is made for forms without files.
    if endpoint in _LARGEST:
        request.max_content_length = _LARGEST[endpoint]


def _asked_year() -> Year | None:
    """The year of the address or the form, else the usual one; None while no class has children."""
    found = queries.years_to_print(own_school(), clock.today())
    code = request.form.get("year") or request.args.get("year")
    return next((year for year in found if year.code == code), found[0] if found else None)


# The school


@bp.get("/cards")
@requires(Permission.VIEW_STUDENTS)
def overview() -> ResponseReturnValue:
    """How many children of each class have a valid card, the consents, and a photo."""
    return _overview()


def _overview(
    *, refusal: str = "", outcomes: Sequence[Outcome] = (), status: int = 200
) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    year = _asked_year()
    found = queries.children(school_id, year.id, today) if year else []
    page = render_template(
        "cards/overview.html",
        classes=queries.by_class(found),
        year=year,
        years=queries.years_to_print(school_id, today),
        prints=queries.newest_prints(school_id),
        may_edit=require_membership().may(Permission.EDIT_STUDENTS),
        refusal=refusal,
        outcomes=outcomes,
        today=today,
        most=pictures.MOST_AT_ONCE,
    )
    return page, status


@bp.get("/cards/classes/<int:class_id>")
@requires(Permission.VIEW_STUDENTS)
def show_class(class_id: int) -> ResponseReturnValue:
    """The children of a class, to print some cards or record the consents handed in."""
    return _class_page(class_id, ConsentForm(formdata=None))


def _class_page(
    class_id: int, form: ConsentForm, *, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    year = _asked_year()
    found = (
        queries.children(own_school(), year.id, clock.today(), class_id=class_id) if year else []
    )
    if not found:
        raise CardNotFound
    if form.given_on.data is None and not form.errors:
        form.given_on.data = clock.today()
    page = render_template(
        "cards/show_class.html",
        children=found,
        counted=queries.by_class(found)[0],
        year=year,
        form=form,
        ticked=set(request.form.getlist("stay")),
        may_edit=require_membership().may(Permission.EDIT_STUDENTS),
        refusal=refusal,
    )
    return page, status


@bp.post("/cards/classes/<int:class_id>/consents")
@requires(Permission.EDIT_STUDENTS)
def record_class_consents(class_id: int) -> ResponseReturnValue:
    """Record the forms a class handed in, for the children ticked; all of them or none."""
    form = ConsentForm()
    stays = _ticked()
    if not form.is_sent():
        return _class_page(class_id, form, status=422)
    if not stays:
        return _class_page(class_id, form, refusal=_("Tick the pupils first."), status=422)
    school_id, today = own_school(), clock.today()
    guardians = queries.guardians_of(school_id, stays, today)
    given = [
        given
        for stay in stays
        for given in _given(form, stay, guardians.get(stay, [(0, "")])[0][0])
    ]
    try:
        with transaction():
            count = services.record_consents(
                school_id, given, actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        return _class_page(class_id, form, refusal=refusal.message, status=refusal.status)
    flash(ngettext("One consent recorded", "%(num)s consents recorded", count), "toast")
    return redirect(url_for(".show_class", class_id=class_id, year=request.form.get("year")), 303)


def _given(form: ConsentForm, enrolment_id: int, guardian_id: int) -> list[Given]:
    return [
        Given(
            enrolment_id,
            Party(party),
            Method(form.method.data),
            form.given_on.data,
            guardian_id if party == Party.GUARDIAN else None,
            form.form_no.data or "",
        )
        for party in form.party.data or []
    ]


def _ticked() -> list[int]:
    return [int(stay) for stay in request.form.getlist("stay") if stay.isascii() and stay.isdigit()]


# Many photos


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one picture of a sending; `trouble` is empty when it was kept."""

    name: str
    pupil: str
    trouble: str


@bp.post("/cards/photos")
@requires(Permission.EDIT_STUDENTS)
def add_photos() -> ResponseReturnValue:
    """Keep the good pictures of a sending and say of each other one what is wrong."""
    files = [(file.filename or "", file.stream) for file in request.files.getlist("photos") if file]
    try:
        if not files:
            raise PictureRefused("missing")
        kept, outcomes = _read(files)
        with transaction():
            services.keep_photos(
                own_school(), kept, taken_on=clock.today(), actor=current_actor(), now=clock.now()
            )
    except DomainError as refusal:
        return _overview(refusal=refusal.message, status=refusal.status)
    if kept:
        flash(ngettext("One photo kept", "%(num)s photos kept", len(kept)), "toast")
    bad = [outcome for outcome in outcomes if outcome.trouble]
    if bad:
        return _overview(outcomes=bad, status=422)
    return redirect(url_for(".overview", year=request.form.get("year")), 303)


def _read(files: list[Any]) -> tuple[dict[int, bytes], list[Outcome]]:
    school_id, today = own_school(), clock.today()
    kept: dict[int, bytes] = {}
    outcomes = []
    for sent in pictures.unpack(files):
        trouble = ""
        stays = queries.stays_of_codes(school_id, [sent.code], today) if sent.code else {}
        stay = stays.get(sent.code or "")
        if sent.code is None:
            trouble = _("There is no pupil code in the file's name, as in 384102556.jpg.")
        elif stay is None:
            trouble = _("Nobody at this school has this code.")
        elif stay in kept:
            trouble = _("There was another picture of this pupil; the first one was kept.")
        elif not queries.consented(school_id, [stay], today):
            trouble = _("No consent is recorded, so the photo was not kept.")
        else:
            try:
                kept[stay] = pictures.photo_of(sent.data)
            except PictureRefused as refusal:
                trouble = refusal.message
        outcomes.append(Outcome(sent.name, sent.code or "", trouble))
    return kept, outcomes


# Printing


@bp.post("/cards/prints")
@requires(Permission.EDIT_STUDENTS)
def print_cards() -> ResponseReturnValue:
    """Print the children ticked, those of a class, or everybody who lacks a valid card."""
    school_id, today = own_school(), clock.today()
    year = _asked_year()
    what = request.form.get("what", "missing")
    class_id = request.form.get("class_id", type=int)
    try:
        if year is None:
            raise NothingToPrint
        if what == "chosen":
            found = queries.children_of_stays(school_id, year.id, _ticked(), today)
        else:
            found = queries.children(school_id, year.id, today, class_id=class_id)
        if what == "missing":
            found = [child for child in found if child.state != "valid"]
        names = {child.class_name for child in found}
        title = _("Cards of the school")
        if len(found) == 1:
            title = found[0].full_name
        elif len(names) == 1:
            title = _("Cards of class %(name)s", name=names.pop())
        return _print([child.enrolment_id for child in found], year, title)
    except DomainError as refusal:
        if class_id is not None and refusal.status < 500:
            return _class_page(
                class_id, ConsentForm(formdata=None), refusal=refusal.message, status=refusal.status
            )
        return _overview(refusal=refusal.message, status=refusal.status)


def _print(stays: list[int], year: Year, title: str) -> ResponseReturnValue:
    """Ask for the cards; a few are drawn at once, many by the worker."""
    school_id = own_school()
    layout = Layout.SINGLE if request.form.get("layout") == Layout.SINGLE else Layout.A4
    is_long = len(stays) > AT_ONCE
    with transaction():
        asked = services.begin_print(
            school_id,
            stays,
            year_id=year.id,
            layout=layout,
            title=title,
            in_background=is_long,
            actor=current_actor(),
            now=clock.now(),
        )
    if is_long:
        return redirect(url_for(".show_print", print_id=asked.print_id), 303)
    drawn = pdf.draw(school_id, asked.card_ids, year_id=year.id, layout=layout, today=clock.today())
    payload = {"card_ids": asked.card_ids, "year_id": year.id}
    if not jobs.finish(school_id, asked.print_id, payload, drawn.file, drawn.photos):
        raise TryAgain
    return redirect(url_for(".show_pdf", print_id=asked.print_id), 303)


@bp.get("/cards/prints/<int:print_id>")
@requires(Permission.EDIT_STUDENTS)
def show_print(print_id: int) -> ResponseReturnValue:
    """How far a printing is; the page can be left and found again."""
    found = queries.get_print(own_school(), print_id)
    return render_template("cards/show_print.html", found=found)


@bp.get("/cards/prints/<int:print_id>/cards.pdf")
@requires(Permission.EDIT_STUDENTS)
def show_pdf(print_id: int) -> ResponseReturnValue:
    """The file of a printing, for a day."""
    file = queries.print_file(own_school(), print_id)
    headers = {"Content-Disposition": f'inline; filename="the-hoc-sinh-{print_id}.pdf"'}
    return Response(file, content_type="application/pdf", headers=headers)


# One child


def _here(code: str) -> tuple[StudentPage, int]:
    """The child and its stay at this school, while it lasts; else CardNotFound."""
    today = clock.today()
    child = get_student(code, today)
    stay = child.stay_at(own_school())
    if stay is None or (stay.ends_on is not None and stay.ends_on <= today):
        raise CardNotFound
    return child, stay.enrolment_id


@bp.get("/students/<code>/card")
@requires(Permission.VIEW_STUDENTS)
def show_card(code: str) -> ResponseReturnValue:
    """A child's card, photo and consents."""
    return _card_page(code)


def _card_page(
    code: str,
    *,
    form: ConsentForm | None = None,
    withdrawal: WithdrawForm | None = None,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    school_id, today = own_school(), clock.today()
    child, enrolment_id = _here(code)
    form = form or ConsentForm(formdata=None)
    if form.given_on.data is None and not form.errors:
        form.given_on.data = today
    consents = queries.consents_of(school_id, enrolment_id)
    page = render_template(
        "cards/show_card.html",
        child=child,
        found=queries.child_card(school_id, enrolment_id, today),
        cards=queries.cards_of(school_id, enrolment_id),
        consents=consents,
        guardians=queries.guardians_of(school_id, [enrolment_id], today).get(enrolment_id, []),
        form=form,
        withdrawal=withdrawal or WithdrawForm(formdata=None),
        can_withdraw=any(consent.withdrawn_on is None for consent in consents),
        may_edit=require_membership().may(Permission.EDIT_STUDENTS),
        refusal=refusal,
    )
    return page, status


@bp.get("/students/<code>/photo")
@requires(Permission.VIEW_STUDENTS)
def show_photo(code: str) -> ResponseReturnValue:
    """The photo, for staff of the school and while consent holds; never kept by anybody between."""
    _child, enrolment_id = _here(code)
    photo = queries.photos_of(own_school(), [enrolment_id], clock.today()).get(enrolment_id)
    if photo is None:
        raise CardNotFound
    response = Response(photo.picture, content_type="image/jpeg")
    # Asked for each time, so that a withdrawn photo is gone at once.
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(photo.sha256)
    return response.make_conditional(request)


def _do(code: str, work: Callable[[int], object], told: str) -> ResponseReturnValue:
    """One act on a child's card in its transaction; a refusal is shown on the page."""
    child, enrolment_id = _here(code)
    try:
        with transaction():
            work(enrolment_id)
    except DomainError as refusal:
        return _card_page(code, refusal=refusal.message, status=refusal.status)
    flash(told, "toast")
    return redirect(url_for(".show_card", code=child.code), 303)


@bp.post("/students/<code>/card/photo")
@requires(Permission.EDIT_STUDENTS)
def add_photo(code: str) -> ResponseReturnValue:
    """Keep one photo."""
    school_id = own_school()
    file = request.files.get("photo")
    try:
        photo = pictures.photo_of(file.read(pictures.MAX_BYTES + 1) if file else b"")
    except PictureRefused as refusal:
        return _card_page(code, refusal=refusal.message, status=refusal.status)

    def keep(enrolment_id: int) -> None:
        services.keep_photos(
            school_id,
            {enrolment_id: photo},
            taken_on=clock.today(),
            actor=current_actor(),
            now=clock.now(),
        )

    return _do(code, keep, _("Photo kept"))


@bp.post("/students/<code>/card/photo/delete")
@requires(Permission.EDIT_STUDENTS)
def delete_photo(code: str) -> ResponseReturnValue:
    """Delete the photo; the consents stay."""
    return _do(
        code,
        lambda stay: services.remove_photo(
            own_school(), stay, actor=current_actor(), now=clock.now()
        ),
        _("Photo deleted"),
    )


@bp.post("/students/<code>/card/consents")
@requires(Permission.EDIT_STUDENTS)
def record_consent(code: str) -> ResponseReturnValue:
    """Record a yes of the guardian, of the child, or of both."""
    form = ConsentForm()
    if not form.is_sent():
        return _card_page(code, form=form, status=422)
    guardian_id = request.form.get("guardian_id", 0, type=int)
    _child, enrolment_id = _here(code)
    try:
        with transaction():
            services.record_consents(
                own_school(),
                _given(form, enrolment_id, guardian_id),
                actor=current_actor(),
                now=clock.now(),
            )
    except DomainError as refusal:
        return _card_page(code, form=form, refusal=refusal.message, status=refusal.status)
    flash(_("Consent recorded"), "toast")
    return redirect(url_for(".show_card", code=code), 303)


@bp.post("/students/<code>/card/withdrawals")
@requires(Permission.EDIT_STUDENTS)
def withdraw_consent(code: str) -> ResponseReturnValue:
    """Record that the consent is taken back; the photo is deleted in the same moment."""
    form = WithdrawForm()
    if not form.is_sent():
        return _card_page(code, withdrawal=form, status=422)
    return _do(
        code,
        lambda stay: services.withdraw_consent(
            own_school(),
            stay,
            Party(form.party.data),
            method=Method(form.method.data),
            actor=current_actor(),
            now=clock.now(),
        ),
        _("Consent taken back. There is no photo any more."),
    )


@bp.post("/students/<code>/card/end")
@requires(Permission.EDIT_STUDENTS)
def end_card(code: str) -> ResponseReturnValue:
    """End the card of a child; with `again` a new one is printed at once."""
    lost = request.form.get("reason") == EndReason.LOST
    reason = EndReason.LOST if lost else EndReason.REPLACED
    school_id = own_school()
    ended = _do(
        code,
        lambda stay: services.end_card(
            school_id, stay, reason, actor=current_actor(), now=clock.now()
        ),
        _("The card is ended. Nobody can open anything with it."),
    )
    if isinstance(ended, tuple) or "again" not in request.form:
        return ended
    child, enrolment_id = _here(code)
    found = queries.child_card(school_id, enrolment_id, clock.today())
    year = next((y for y in _years() if found and y.id == found.year_id), None)
    if year is None:
        return ended
    session.pop("_flashes", None)
    return _print([enrolment_id], year, child.full_name)


@bp.post("/students/<code>/card/print")
@requires(Permission.EDIT_STUDENTS)
def print_card(code: str) -> ResponseReturnValue:
    """Print the card of one child."""
    child, enrolment_id = _here(code)
    found = queries.child_card(own_school(), enrolment_id, clock.today())
    year = next((y for y in _years() if found and y.id == found.year_id), None)
    if year is None:
        return _card_page(code, refusal=_("Place the pupil in a class first."), status=409)
    return _print([enrolment_id], year, child.full_name)


def _years() -> list[Year]:
    return queries.years_to_print(own_school(), clock.today())


# Scanning


@bp.get("/card/<token>")
@public("whoever finds a card may scan it; only staff of its school see whose it is")
def scan(token: str) -> ResponseReturnValue:
    """The child, for staff of its school; for everybody else a page without any data."""
    membership = current_membership()
    stored = tokens.read_token(token)
    is_staff = (
        membership is not None
        and membership.school_id is not None
        and membership.may(Permission.VIEW_STUDENTS)
    )
    if not is_staff or membership is None or membership.school_id is None:
        return render_template("cards/found_card.html", token=stored, is_signed_in=bool(membership))
    enter_scope(scope.Scope(membership.readable, membership.school_id))
    key, window = f"card:{membership.user_id}", f"{clock.now():%Y%m%d%H%M}"
    if tries(key, window=window) >= MOST_SCANS:
        return render_template("cards/found_card.html", token=None, too_often=True), 429
    found = queries.find_by_token(membership.school_id, stored, clock.today()) if stored else None
    if found is None:
        with transaction():
            count_try(key, window=window)
        return render_template("cards/found_card.html", token=stored, is_signed_in=True)
    if found.state != "live":
        return render_template("cards/ended_card.html", found=found), 410
    return redirect(url_for("students.show_student", code=found.code), 303)
