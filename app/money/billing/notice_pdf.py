"""Fee notices as PDF: two landscape A5 on an A4 page, each with a QR to be cut off.

A few are laid out by WeasyPrint; the classes of a school are stamped, with the same pages.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import IO, Final

from flask import current_app, render_template

from app.core import press
from app.core.stamp import (
    Code,
    Datum,
    Engine,
    Report,
    Run,
    Style,
    Together,
    pictures_of,
    split,
)
from app.money.billing.errors import TooManyNotices
from app.money.billing.notices import Notice, asked_of, words_of
from app.money.billing.queries import InvoiceRow
from app.people.schools import SchoolInfo, school_info

SHEETS: Final = ("css/paper.css", "css/print-notice.css")
#: children of one print; more take longer than a page should
MOST: Final = 600
#: so few are laid out sooner than their layouts are learned
FEW: Final = 8
_STYLES: Final = (Style(400, False), Style(500, False), Style(600, False), Style(700, False))


@dataclass(frozen=True, slots=True)
class RowView:
    """A line of the bill."""

    name: Datum
    detail: Datum | str
    quantity: Datum | str
    price: Datum | str
    amount: Datum


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice on its half of the sheet, or on a sheet of its own."""

    density: str
    is_lower: bool
    is_demo: bool
    check_address: str
    school: Datum
    budget_code: Datum | str
    address: Datum | str
    period: Datum
    full_name: Datum
    class_name: Datum
    rows: tuple[RowView, ...]
    #: the acts are the same for all who are billed alike, so they are part of the layout
    acts: str
    total: Datum
    words: Datum
    due_on: Datum
    code: Code
    due: Datum
    reference: Datum
    bank: Datum
    account: Datum
    holder: Datum


def print_notices(school_id: int, invoices: Sequence[InvoiceRow], *, day: date) -> bytes:
    """The notices of some bills as one file, two a page; each asks for all that is due now.

    Refuses more than six hundred, and bills of which nothing is due.
    """
    asked = asked_of(invoices)
    if len(asked) > MOST:
        raise TooManyNotices
    notices = words_of(school_id, asked)
    school = school_info(school_id, day)
    if len(notices) <= FEW:
        document = lay_out(pages_of(notices, school))
        return bytes(document.write_pdf(pdf_version="1.7"))
    file = io.BytesIO()
    stamp_notices(notices, school, file)
    return file.getvalue()


def stamp_notices(notices: Sequence[Notice], school: SchoolInfo, file: IO[bytes]) -> Report:
    """Notices into one file in their order; those that cannot be stamped are laid out."""
    with press.quiet_memory():
        run = Run(
            engine(),
            file,
            title="Thông báo các khoản thu",
            tagged=False,
            plan=lambda page, _fewer: [Together(page)],
            tries=1,
            fall_back=lambda page: lay_out([page]),
        )
        for page in pages_of(notices, school):
            run.add(page)
        return run.close()


def engine() -> Engine:
    """The engine of notices, and what this process learned of their layouts."""
    return _engine(str(press.static_folder()), press.changed("pdf/notice.html", SHEETS))


@cache
def _engine(_folder: str, _changed: tuple[float, ...]) -> Engine:
    return Engine(lambda views: _html([(view,) for view in views]), SHEETS, _STYLES)


def lay_out(pages: Sequence[tuple[NoticeView, ...]]) -> press.Document:
    """Pages by WeasyPrint."""
    _shape, _data, codes = split(tuple(pages))
    return press.lay_out(_html(pages), sheets=SHEETS, pictures=pictures_of(codes))


def _html(pages: Sequence[tuple[NoticeView, ...]]) -> str:
    return render_template("pdf/notice.html", pages=pages)


def pages_of(notices: Sequence[Notice], school: SchoolInfo) -> list[tuple[NoticeView, ...]]:
    """Two notices a page in the order given; a very long one has a page of its own."""
    pages: list[list[Notice]] = []
    for notice in notices:
        last = pages[-1] if pages else []
        if len(last) == 1 and "whole" not in (last[0].density, notice.density):
            last.append(notice)
        else:
            pages.append([notice])
    return [
        tuple(_view(notice, school, is_lower=place == 1) for place, notice in enumerate(page))
        for page in pages
    ]


def _view(notice: Notice, school: SchoolInfo, *, is_lower: bool) -> NoticeView:
    settings = current_app.config["SETTINGS"]
    address = str(settings.public_url).partition("://")[2].rstrip("/")
    return NoticeView(
        density=notice.density,
        is_lower=is_lower,
        is_demo=settings.is_demo,
        check_address=f"{address}/check",
        school=Datum(school.name.upper()),
        budget_code=_datum(school.budget_code),
        address=_datum(school.address),
        period=Datum(notice.period),
        full_name=Datum(notice.full_name),
        class_name=Datum(notice.class_name),
        rows=tuple(
            RowView(
                Datum(row.name),
                _datum(row.detail),
                _datum(row.quantity),
                _datum(row.price),
                Datum(row.amount),
            )
            for row in notice.rows
        ),
        acts="; ".join(notice.acts),
        total=Datum(notice.total),
        words=Datum(f"{notice.words}."),
        due_on=Datum(notice.due_on),
        code=Code(notice.qr_text),
        due=Datum(notice.total),
        reference=Datum(notice.reference),
        bank=Datum(notice.bank),
        account=Datum(notice.account),
        holder=Datum(notice.holder),
    )


def _datum(text: str | None) -> Datum | str:
    return Datum(text) if text else ""
