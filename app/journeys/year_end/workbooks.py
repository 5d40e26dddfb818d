"""Hand-over lists as workbooks: words are text, so that no class turns into a day."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from flask_babel import gettext as _
from xlsxwriter import Workbook

from app.core.formats import day
from app.journeys.year_end.handover_queries import Going


def handover_workbook(title: str, about: Sequence[str], children: Sequence[Going]) -> bytes:
    """One sheet: each child with its code, where it comes from and where it goes."""
    file = BytesIO()
    book = Workbook(
        file,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True})
    head = book.add_format({"num_format": "@", "bold": True, "text_wrap": True, "bottom": 1})
    sheet = book.add_worksheet(_("Hand-over"))
    for line, words in enumerate((title, *about)):
        sheet.write_string(line, 0, words, bold if line == 0 else text)
    top = len(about) + 2
    columns = [
        (_("Pupil code"), 13),
        (_("Full name"), 28),
        (_("Birth date"), 12),
        (_("Sex"), 8),
        (_("Class"), 10),
        (_("From school, code"), 12),
        (_("From school"), 26),
        (_("To school, code"), 12),
        (_("To school"), 26),
        (_("State"), 22),
    ]
    for column, (words, width) in enumerate(columns):
        sheet.write_string(top, column, words, head)
        sheet.set_column(column, column, width)
    for line, child in enumerate(children, top + 1):
        cells = (
            child.code,
            child.full_name,
            day(child.birth_date),
            _("Girl") if child.sex == "female" else _("Boy"),
            child.class_name,
            child.from_code,
            child.from_name,
            child.to_code or "",
            child.to_name or "",
            state_word(child),
        )
        for column, words in enumerate(cells):
            sheet.write_string(line, column, words, text)
    sheet.freeze_panes(top + 1, 2)
    sheet.autofilter(top, 0, top + max(1, len(children)), len(columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    book.close()
    return file.getvalue()


def state_word(child: Going) -> str:
    """Where a child stands on its way."""
    if child.admitted:
        return _("Admitted")
    if child.to_school_id is None:
        return _("No school yet")
    return _("Can be admitted") if child.ready else _("Waits for the old school")
