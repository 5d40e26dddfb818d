"""The report as a paper to be signed: A4, drawn by WeasyPrint, in Vietnamese as all papers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import render_template
from flask_babel import force_locale

from app.core import clock, press
from app.core.money import Vnd
from app.journeys.reports.listings import Asked, Report, read
from app.journeys.reports.queries import TARGET_PERCENT, Area, Collection, ItemRow
from app.people.schools import SchoolInfo, wording

SHEETS = ("css/paper.css", "css/print-report.css")
#: As many items as fit beside each other on A4 laid across.
ITEMS_ACROSS = 9


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who printed a paper, when, and whether its people are invented."""

    printed_by: str
    printed_at: datetime
    is_demo: bool


def collection_pdf(report: Collection, school: SchoolInfo, imprint: Imprint) -> bytes:
    """The collection report of one school. Raises PdfUnavailable on a machine without Pango."""
    collected = report.total.collected.dong
    said = wording(school.id, clock.local_day(imprint.printed_at))
    return _draw(
        "pdf/report.html",
        report=report,
        school=school,
        imprint=imprint,
        words=said.sentence(collected) if collected >= 0 else "",
        parts=_across(report.items),
    )


def area_pdf(
    area: Area, unit_name: str, imprint: Imprint, *, millions: Callable[[Vnd], str]
) -> bytes:
    """The table of the area's schools; `millions` writes an amount short. Raises PdfUnavailable."""
    return _draw(
        "pdf/area.html",
        area=area,
        unit_name=unit_name,
        imprint=imprint,
        target=TARGET_PERCENT,
        millions=millions,
    )


def listing_pdf(report: Report, asked: Asked, school: SchoolInfo, imprint: Imprint) -> bytes:
    """A list as a paper to be signed, in Vietnamese. Raises PdfUnavailable."""
    with force_locale("vi"):
        listing = read(report, asked)
    said = wording(school.id, clock.local_day(imprint.printed_at))
    amount = listing.sum.dong
    return _draw(
        "pdf/listing.html",
        report=report,
        listing=listing,
        asked=asked,
        school=school,
        imprint=imprint,
        words=said.sentence(amount) if report.in_words and amount >= 0 else "",
    )


def _across(items: Sequence[ItemRow]) -> list[Sequence[ItemRow]]:
    return [items[start : start + ITEMS_ACROSS] for start in range(0, len(items), ITEMS_ACROSS)]


def _draw(template: str, **values: Any) -> bytes:
    with force_locale("vi"):
        page = render_template(template, **values)
    document = press.lay_out(page, sheets=SHEETS)
    return bytes(document.write_pdf(pdf_version="1.7"))
