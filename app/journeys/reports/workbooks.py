"""The same rows as a workbook: amounts are numbers, words are text, nothing is a formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import Any, cast

from flask_babel import gettext as _
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from app.core.formats import day, moment, month
from app.core.i18n import language
from app.core.money import Vnd
from app.journeys.reports.listings.shape import Asked, Listing, Report
from app.journeys.reports.queries import Area, Collection, Figures, ItemRow

CellValue = str | int | date | Vnd | tuple[int | Vnd, int | Vnd] | None


def collection_workbook(report: Collection, school_name: str) -> bytes:
    """Three sheets: by class, by item, class by item."""
    with _Book() as book:
        head = [
            _("Class"),
            _("Pupils"),
            _("By the price list"),
            _("Reductions"),
            _("To pay"),
            _("Collected"),
            _("Left to pay"),
            _("Collected, percent"),
            _("Payments without cash"),
            _("All payments"),
            _("Without cash, percent"),
        ]
        about = _about(report, school_name)
        book.sheet(
            _("By class"),
            about,
            head,
            [[row.name, *_figures(row.figures)] for row in report.classes],
            [_("Total"), *_figures(report.total)],
        )
        book.sheet(
            _("By fee item"),
            about,
            [_("Fee item"), *head[1:]],
            [[_name(row), *_figures(row.figures)] for row in report.items],
            [_("Total"), *_figures(report.total)],
        )
        for title, attribute in (
            (_("Collected"), "collected"),
            (_("To pay"), "due"),
            (_("Left to pay"), "left"),
        ):
            book.sheet(
                _("%(figure)s, class by item", figure=title),
                about,
                [_("Class"), *(_name(item) for item in report.items), _("Total")],
                [
                    [
                        row.name,
                        *(
                            getattr(report.cell(row.name, item.id), attribute, None)
                            for item in report.items
                        ),
                        getattr(row.figures, attribute),
                    ]
                    for row in report.classes
                ],
                [
                    _("Total"),
                    *(getattr(item.figures, attribute) for item in report.items),
                    getattr(report.total, attribute),
                ],
            )
        return book.close()


def area_workbook(area: Area, unit_name: str) -> bytes:
    """One sheet: the schools in the order of the page."""
    with _Book() as book:
        whole = area.month
        book.sheet(
            _("Schools"),
            [
                unit_name,
                month(area.period),
                _("Provisional at %(moment)s", moment=moment(area.as_of)),
            ],
            [
                _("School"),
                _("Code"),
                _("Pupils"),
                _("To pay"),
                _("Collected"),
                _("Left to pay"),
                _("Collected, percent"),
                _("Children paid for without cash"),
                _("Children paid for"),
                _("Families without cash, percent"),
                _("Value without cash"),
                _("Value of all payments"),
                _("Value without cash, percent"),
                _("Ways without cash"),
                _("Unknown bank lines"),
            ],
            [
                [
                    school.name,
                    school.code,
                    school.pupils,
                    school.due,
                    school.collected,
                    school.left,
                    (school.collected, school.due),
                    school.month.cashless_families,
                    school.month.families,
                    (school.month.cashless_families, school.month.families),
                    school.month.cashless_amount,
                    school.month.amount,
                    (school.month.cashless_amount, school.month.amount),
                    school.channels,
                    school.unmatched,
                ]
                for school in area.schools
            ],
            [
                _("Total"),
                "",
                area.pupils,
                area.due,
                area.collected,
                area.left,
                (area.collected, area.due),
                whole.cashless_families,
                whole.families,
                (whole.cashless_families, whole.families),
                whole.cashless_amount,
                whole.amount,
                (whole.cashless_amount, whole.amount),
                area.with_channel,
                area.unmatched,
            ],
        )
        return book.close()


def listing_workbook(report: Report, asked: Asked, listing: Listing, school_name: str) -> bytes:
    """A list with its total; what does not count says so in its own column."""
    days = day(asked.last)
    if report.period == "span":
        days = _("%(first)s to %(last)s", first=day(asked.first), last=days)
    about = [
        school_name,
        f"{report.title()}, {days}",
        _("Provisional at %(moment)s", moment=moment(asked.now)),
        listing.meaning,
    ]
    if not listing.holds:
        about.append(_("The bills and the ledger differ. Do not use this report."))
    total = listing.total_row
    total[0] = _("Total")
    with _Book() as book:
        book.sheet(
            report.title(),
            about,
            [column.head for column in listing.columns],
            [line.values for line in listing.lines],
            total,
        )
        return book.close()


def _name(item: ItemRow) -> str:
    return item.name_en if language() == "en" else item.name


def _figures(figures: Figures) -> list[CellValue]:
    return [
        figures.pupils,
        figures.gross,
        figures.reduction,
        figures.due,
        figures.collected,
        figures.left,
        (figures.collected, figures.due),
        figures.cashless,
        figures.payments,
        (figures.cashless, figures.payments),
    ]


def _about(report: Collection, school_name: str) -> list[str]:
    months = month(report.first)
    if not report.is_one_month:
        months = _("%(first)s to %(last)s", first=month(report.first), last=month(report.last))
    lines = [
        school_name,
        _("Collection for the bills of %(months)s", months=months),
        _("Provisional at %(moment)s", moment=moment(report.as_of)),
    ]
    if report.class_name:
        lines.append(_("Only class %(name)s", name=report.class_name))
    if report.item is not None:
        lines.append(_("Only %(item)s", item=_name(report.item)))
    if not report.check.holds:
        lines.append(_("The bills and the ledger differ. Do not use this report."))
    return lines


class _Book:
    """A workbook in memory that turns no text into anything else."""

    def __init__(self) -> None:
        self._file = BytesIO()
        self._book = Workbook(
            self._file,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        # Text, so that a class called 5/4 does not become a day when somebody edits its cell.
        self._text = self._book.add_format({"num_format": "@"})
        self._title = self._book.add_format({"bold": True, "num_format": "@"})
        self._head = self._book.add_format(
            {"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom", "num_format": "@"}
        )
        self._amount = self._book.add_format({"num_format": "#,##0"})
        self._day = self._book.add_format({"num_format": "dd/mm/yyyy", "align": "left"})
        self._rate = self._book.add_format({"num_format": "0.0%"})
        total = {"bold": True, "top": 1, "bottom": 6}
        self._totals = {
            self._text: self._book.add_format({**total, "num_format": "@"}),
            self._amount: self._book.add_format({**total, "num_format": "#,##0"}),
            self._day: self._book.add_format({**total, "num_format": "dd/mm/yyyy"}),
            self._rate: self._book.add_format({**total, "num_format": "0.0%"}),
        }

    def __enter__(self) -> _Book:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._book.fileclosed:
            self._book.close()

    def sheet(
        self,
        name: str,
        about: Sequence[str],
        head: Sequence[str],
        rows: Sequence[Sequence[CellValue]],
        total: Sequence[CellValue],
    ) -> None:
        """A sheet with its lines on top, a head that stays, rows, and the total."""
        sheet = self._book.add_worksheet(name[:31])
        for line, text in enumerate(about):
            sheet.write_string(line, 0, text, self._title if line == 0 else self._text)
        top = len(about) + 1
        for column, text in enumerate(head):
            sheet.write_string(top, column, text, self._head)
        for line, row in enumerate(rows, top + 1):
            self._row(sheet, line, row)
        self._row(sheet, top + 1 + len(rows), total, is_total=True)
        sheet.freeze_panes(top + 1, 1)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, len(head) - 1, 15)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(top)

    def _row(
        self, sheet: Worksheet, line: int, row: Sequence[CellValue], *, is_total: bool = False
    ) -> None:
        for column, value in enumerate(row):
            if value is None:
                continue
            if isinstance(value, str):
                kind = self._text
            elif isinstance(value, tuple):
                kind = self._rate
            elif isinstance(value, date):
                kind = self._day
            else:
                kind = self._amount
            look = self._totals[kind] if is_total else kind
            if isinstance(value, str):
                sheet.write_string(line, column, value, look)
            elif isinstance(value, date):
                sheet.write_datetime(line, column, cast(Any, value), look)
            elif isinstance(value, tuple):
                top, bottom = (_number(part) for part in value)
                if bottom:
                    sheet.write_number(line, column, top / bottom, look)
                elif is_total:
                    sheet.write_blank(line, column, None, look)
            else:
                sheet.write_number(line, column, _number(value), look)

    def close(self) -> bytes:
        """The file's bytes."""
        self._book.close()
        return self._file.getvalue()


def _number(value: Any) -> int:
    return int(value.dong if isinstance(value, Vnd) else value)
