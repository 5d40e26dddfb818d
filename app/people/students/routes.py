"""The list of pupils and one pupil's page."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.db import transaction
from app.core.ids import read_student_code
from app.core.money import ZERO, total_of
from app.people.access import (
    Permission,
    current_actor,
    own_school,
    require_membership,
    requires,
)
from app.people.schools import year_of
from app.people.students import (
    above,
    known,
    queries,
    routes_admission,
    routes_classes,
    routes_family,
    routes_identity,
    routes_stays,
    search,
    services,
    words,
)
from app.people.students.blueprint import bp
from app.people.students.errors import StudentNotFound
from app.people.students.money import MoneySource, money_source

__all__ = ["bp"]

#: The files whose views belong to this blueprint as well.
PARTS = (routes_admission, routes_classes, routes_family, routes_identity, routes_stays)


def _money() -> MoneySource | None:
    """Who is asked for money, for those who may see it; teachers never do."""
    return money_source() if require_membership().may(Permission.VIEW_MONEY) else None


@bp.get("/students")
@requires(Permission.VIEW_STUDENTS)
def list_students() -> ResponseReturnValue:
    """Find pupils by what staff hold in their hands."""
    school_id = own_school()
    today = clock.today()
    text = request.args.get("q", "").strip()[:200]
    scanned = above.code_scanned(school_id, text, today)
    if scanned:
        return redirect(url_for("students.show_student", code=scanned), 303)
    code = read_student_code(text)
    year = year_of(today)
    classes = queries.list_classes(school_id, year.id, today) if year else []
    class_id = request.args.get("class", type=int)
    if class_id not in {known.id for known in classes}:
        class_id = None
    unplaced = request.args.get("unplaced") == "1"
    page = max(1, min(request.args.get("page", 1, type=int), 10_000))
    found = search.find_students(
        school_id, today, text=text, class_id=class_id, unplaced=unplaced, page=page
    )
    is_typing = request.headers.get("HX-Request") == "true"
    if code and found.count == 1 and class_id is None and not is_typing:
        return redirect(url_for("students.show_student", code=found.children[0].code), 303)
    money = _money()
    month = money.month(school_id, today) if money else None
    return render_template(
        "students/list_students.html",
        found=found,
        similar=[] if found.children else search.similar_codes(school_id, text),
        classes=classes,
        class_id=class_id,
        year=year,
        text=text,
        unplaced=unplaced,
        enrolled=queries.count_enrolled(school_id, today),
        page=page,
        pages=max(1, -(-found.count // search.PAGE)),
        start=(page - 1) * search.PAGE + 1,
        today=today,
        month=month,
        percents=money.percents(school_id, [c.enrolment_id for c in found.children], month)
        if money and month
        else {},
        states=money.states(school_id, [c.student_id for c in found.children], month)
        if money and month
        else {},
    )


@bp.get("/students/<code>")
@requires(Permission.VIEW_STUDENTS)
def show_student(code: str) -> ResponseReturnValue:
    """Codes, years, family; for those who may see it, money."""
    stored = read_student_code(code)
    child = queries.get_student(code, clock.today())
    if child.code != stored:
        # The old code of a record that was merged.
        return redirect(url_for("students.show_student", code=child.code), 303)
    return _page(child, revealed=None)


@bp.post("/students/<code>/numbers/<int:identifier_id>")
@requires(Permission.EDIT_STUDENTS)
def reveal_identifier(code: str, identifier_id: int) -> ResponseReturnValue:
    """Show one number in full; that it was looked at is written down."""
    school_id = own_school()
    child = queries.get_student(code, clock.today())
    if child.stay_at(school_id) is None:
        raise StudentNotFound
    with transaction():
        services.reveal_identifier(
            school_id, child.id, identifier_id, actor=current_actor(), now=clock.now()
        )
    return _page(child, revealed=identifier_id)


def _page(child: queries.StudentPage, *, revealed: int | None) -> ResponseReturnValue:
    membership = require_membership()
    today = clock.today()
    school_id = own_school()
    stay = child.stay_at(school_id)
    money = _money() if stay is not None else None
    bills = money.bills(school_id, child.id) if money else []
    return render_template(
        "students/show_student.html",
        child=child,
        stay=stay,
        class_name=child.class_at(school_id),
        today=today,
        revealed=revealed,
        may_reveal=membership.may(Permission.EDIT_STUDENTS)
        and stay is not None
        and child.anonymised_at is None,
        may_edit=membership.may(Permission.EDIT_STUDENTS)
        and stay is not None
        and known.may_change(school_id, child.id, today),
        sees_file=membership.may(Permission.EDIT_STUDENTS)
        or membership.may(Permission.ACCEPT_TRANSFERS),
        is_here=stay is not None and (stay.ends_on is None or stay.ends_on > today),
        verification=words.verification()[child.verification],
        no_number=words.no_number(),
        leave_note=queries.leave_note(school_id, stay.enrolment_id)
        if stay is not None and stay.ends_on is not None
        else "",
        just_admitted="admitted" in request.args,
        may_collect=membership.may(Permission.TAKE_CASH) and stay is not None,
        sees_money=money is not None,
        bills=bills,
        open_now=total_of([bill.open for bill in bills if bill.open > ZERO]),
        paid=total_of([bill.state.paid for bill in bills]),
        credit=money.credit(school_id, child.id) if money else ZERO,
        reliefs=money.reliefs(school_id, [stay.enrolment_id]) if money and stay else [],
        taken=money.taken(school_id, stay.enrolment_id) if money and stay else [],
        panels=above.panels_of(school_id, stay.enrolment_id, today)
        if stay is not None and (stay.ends_on is None or stay.ends_on > today)
        else [],
    )
