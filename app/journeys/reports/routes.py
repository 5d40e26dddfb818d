"""Report screens and their papers: the same rows on screen, as PDF and as a workbook."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.i18n import language
from app.core.money import Vnd, format_number
from app.core.period import Period
from app.journeys.reports import papers, queries, workbooks
from app.journeys.reports.errors import SchoolNotInArea, UnreadableFilter
from app.journeys.reports.forms import CollectionForm
from app.money.fees import plans
from app.people.access import (
    Permission,
    own_school,
    readable_schools,
    require_membership,
    requires,
)
from app.people.schools import find_school, school_info

bp = Blueprint("reports", __name__)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: What a square of the matrix can show.
SQUARES = ("collected", "due", "left")


# One school


@bp.get("/reports/collection")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def collection() -> ResponseReturnValue:
    """Collection by class and item for the months asked for."""
    school_id = own_school()
    months = _months([school_id])
    form = CollectionForm(request.args, months)
    if not form.validate():
        return render_template(
            "reports/collection.html", form=form, report=None, months=months
        ), 422
    report = _collection(school_id, form)
    classes, items = queries.filter_choices(school_id, *form.months)
    square = request.args.get("square", SQUARES[0])
    return render_template(
        "reports/collection.html",
        form=form,
        report=report,
        months=months,
        classes=classes,
        items=items,
        square=square if square in SQUARES else SQUARES[0],
        asked=_asked(form),
        neighbours=_neighbours(months, report.first) if report.is_one_month else (None, None),
    )


@bp.get("/reports/collection.pdf")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def collection_pdf() -> ResponseReturnValue:
    """The report as a paper with room for three signatures."""
    school_id = own_school()
    report = _collection(school_id, _valid_form(school_id))
    school = school_info(school_id, clock.today())
    return file_answer(
        papers.collection_pdf(report, school, imprint()),
        "application/pdf",
        f"thu-{school.code.lower()}-{_span(report)}.pdf",
    )


@bp.get("/reports/collection.xlsx")
@requires(Permission.VIEW_SCHOOL_REPORTS)
def collection_workbook() -> ResponseReturnValue:
    """The report as a workbook."""
    school_id = own_school()
    report = _collection(school_id, _valid_form(school_id))
    school = school_info(school_id, clock.today())
    return file_answer(
        workbooks.collection_workbook(report, school.name),
        WORKBOOK,
        f"thu-{school.code.lower()}-{_span(report)}.xlsx",
    )


def _valid_form(school_id: int) -> CollectionForm:
    form = CollectionForm(request.args, _months([school_id]))
    if not form.validate():
        raise UnreadableFilter
    return form


def _collection(school_id: int, form: CollectionForm) -> queries.Collection:
    first, last = form.months
    return queries.collection(
        school_id,
        first,
        last,
        as_of=clock.now(),
        class_name=form.class_name.data or "",
        item_id=form.item.data,
    )


def _asked(form: CollectionForm) -> dict[str, Any]:
    """The narrowing as it stands, for links."""
    first, last = form.months
    found: dict[str, Any] = {"first": str(first), "last": str(last)}
    if form.class_name.data:
        found["class_name"] = form.class_name.data
    if form.item.data is not None:
        found["item"] = form.item.data
    return found


def _span(report: queries.Collection) -> str:
    return str(report.first) if report.is_one_month else f"{report.first}-{report.last}"


# The area


@bp.get("/area")
@requires(Permission.VIEW_AREA)
def area() -> ResponseReturnValue:
    """The schools of the reader's place side by side."""
    months = _area_months()
    found = _area(months)
    return render_template(
        "reports/area.html",
        area=found,
        unit_name=require_membership().school_name,
        neighbours=_neighbours(months, found.period),
        plans_waiting=plans.waiting([school.id for school in readable_schools()]),
        target=queries.TARGET_PERCENT,
        millions=_millions,
    )


@bp.get("/area.pdf")
@requires(Permission.VIEW_AREA)
def area_pdf() -> ResponseReturnValue:
    """The same table on A4 laid across."""
    found = _area(_area_months())
    return file_answer(
        papers.area_pdf(found, require_membership().school_name, imprint(), millions=_millions),
        "application/pdf",
        f"cac-truong-{found.period}.pdf",
    )


@bp.get("/area.xlsx")
@requires(Permission.VIEW_AREA)
def area_workbook() -> ResponseReturnValue:
    """The same table as a workbook."""
    found = _area(_area_months())
    return file_answer(
        workbooks.area_workbook(found, require_membership().school_name),
        WORKBOOK,
        f"cac-truong-{found.period}.xlsx",
    )


@bp.get("/area/<code>")
@requires(Permission.VIEW_AREA)
def area_school(code: str) -> ResponseReturnValue:
    """What one school collected by item; no class and no child is named."""
    membership = require_membership()
    school = find_school(code, clock.today())
    if school is None or school.id not in membership.readable:
        raise SchoolNotInArea
    months = _area_months()
    found = _area(months, only=school.id)
    if not found.schools:
        raise SchoolNotInArea
    report = queries.collection(school.id, found.period, found.period, as_of=found.as_of)
    return render_template(
        "reports/area_school.html",
        school=school,
        row=found.schools[0],
        report=report,
        neighbours=_neighbours(months, found.period),
        target=queries.TARGET_PERCENT,
    )


def _area_months() -> list[Period]:
    return _months(sorted(require_membership().readable))


def _area(months: list[Period], *, only: int | None = None) -> queries.Area:
    membership = require_membership()
    readable = membership.readable if only is None else membership.readable & {only}
    text = request.args.get("period", "")
    try:
        period = Period.parse(text) if text else months[0]
    except ValueError:
        raise UnreadableFilter from None
    return queries.area(membership.unit_id, readable, period, now=clock.now())


# Both


def _months(school_ids: list[int]) -> list[Period]:
    """The months with bills, newest first; this month where there is none yet."""
    return queries.billed_months(school_ids) or [Period.of(clock.today())]


def _neighbours(months: list[Period], shown: Period) -> tuple[Period | None, Period | None]:
    """The billed months before and after the one shown."""
    before = [month for month in months if month < shown]
    after = [month for month in months if month > shown]
    return (max(before) if before else None, min(after) if after else None)


def imprint() -> papers.Imprint:
    """Who prints, and when."""
    return papers.Imprint(
        printed_by=require_membership().user_name,
        printed_at=clock.now(),
        is_demo=current_app.config["SETTINGS"].is_demo,
    )


def _millions(amount: Vnd) -> str:
    """612,4 for six hundred and twelve million and four hundred thousand."""
    tenths = (amount.dong + 50_000) // 100_000
    comma = "." if language() == "en" else ","
    return f"{format_number(tenths // 10, language())}{comma}{tenths % 10}"


def file_answer(content: bytes, kind: str, name: str) -> Response:
    """A file shown in the browser where it is a paper, kept where it is a workbook."""
    answer = Response(content, mimetype=kind)
    way = "inline" if kind == "application/pdf" else "attachment"
    answer.headers["Content-Disposition"] = f'{way}; filename="{name}"'
    return answer
