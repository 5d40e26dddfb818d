"""Web pages that banks name .xls: the tables in them, as sheets."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from app.core.sheets import MAX_PACKED, Sheet, SheetRefused, Value

_MOST_ROWS: Final = 60_000
_MOST_COLUMNS: Final = 80
_BEGINNINGS: Final = (
    b"<html",
    b"<!doctype html",
    b"<table",
    b"<head",
    b"<body",
    b"<meta",
    b"<style",
)
_CELLS: Final = ("td", "th")


def is_page(data: bytes) -> bool:
    """Whether the bytes are a web page, whatever the file is called."""
    head = data[:2048].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = data[:2048].decode("utf-16", "ignore").lstrip().lower().encode("ascii", "ignore")
    # Excel's own way of saving a page begins as XML or with a comment.
    return head.startswith(_BEGINNINGS) or (
        head.startswith((b"<?xml", b"<!--")) and b"<html" in head
    )


def read_page(data: bytes) -> list[Sheet]:
    """All tables of a page one below the other, as one sheet; a nested table is read in place."""
    if len(data) > MAX_PACKED:
        raise SheetRefused("sheet_too_large")
    reader = _Reader()
    reader.feed(_letters(data))
    reader.close()
    rows = reader.ended()
    if not rows:
        raise SheetRefused("sheet_empty")
    width = max(len(row) for row in rows)
    return [Sheet("", [row + [None] * (width - len(row)) for row in rows], 1)]


def _letters(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1258", "replace")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._rows: list[list[Value]] = []
        self._row: list[Value] | None = None
        self._cell: list[str] | None = None
        self._span = 1
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script"):
            self._silent += 1
        elif tag == "tr":
            self._end_row()
            self._row = []
        elif tag in _CELLS:
            self._end_cell()
            self._cell = []
            span = dict(attrs).get("colspan") or "1"
            self._span = min(int(span), _MOST_COLUMNS) if span.isdigit() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._silent = max(self._silent - 1, 0)
        elif tag in _CELLS:
            self._end_cell()
        elif tag in ("tr", "table"):
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._silent:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        lines = ("".join(self._cell)).split("\n")
        text = "\n".join(line for part in lines if (line := " ".join(part.split())))
        if self._row is None:
            self._row = []
        self._row.append(text or None)
        self._row.extend([None] * (max(self._span, 1) - 1))
        if len(self._row) > _MOST_COLUMNS:
            raise SheetRefused("sheet_too_many_columns")
        self._cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row:
            self._rows.append(self._row)
            if len(self._rows) > _MOST_ROWS:
                raise SheetRefused("sheet_too_many_rows")
        self._row = None

    def ended(self) -> list[list[Value]]:
        self._end_row()
        return self._rows
