"""Receipts as PDF: A5 landscape, drawn from their frozen content and from nothing else (E10).

One paper, or some, are laid out by WeasyPrint; many are stamped, with the same pages as result.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import IO, Final

from flask import current_app, render_template

from app.core import press
from app.core.stamp import Engine, Report, Run, Style, pictures_of, split
from app.money.receipts.layout import PageView, Paper, pages_of
from app.money.receipts.queries import ReceiptRow, verified_content, void_notes

__all__ = [
    "PageView",
    "Paper",
    "Report",
    "engine",
    "forget_layouts",
    "lay_out",
    "pages_of",
    "paper_of",
    "papers_of",
    "print_papers",
    "receipt_pdf",
    "stamp_papers",
]

SHEETS: Final = ("css/paper.css", "css/print-receipt.css")
#: documents of ten are the quickest per paper; larger ones only cost memory
BATCH: Final = 10
#: a paper whose names wrap more than estimated is laid out again with fewer rows a page
_MOST_TRIES: Final = 6
_STYLES: Final = (
    Style(400, False),
    Style(400, True),
    Style(600, False),
    Style(700, False),
)


def paper_of(receipt: ReceiptRow, *, initials_only: bool = False) -> Paper:
    """The paper of a stored receipt; refuses one whose content no longer matches its hash."""
    return papers_of(receipt.school_id, [receipt], initials_only=initials_only)[0]


def papers_of(
    school_id: int,
    receipts: Sequence[ReceiptRow],
    *,
    initials_only: bool = False,
    copies: frozenset[int] = frozenset(),
) -> list[Paper]:
    """The papers of receipts of one school, with what became of the void ones.

    `copies` are the ids of those whose paper says that it is a copy.
    """
    voids = void_notes(school_id, [r.id for r in receipts if r.state != "live"])
    return [
        Paper(verified_content(receipt), voids.get(receipt.id), initials_only, receipt.id in copies)
        for receipt in receipts
    ]


def receipt_pdf(
    receipt: ReceiptRow, *, initials_only: bool = False, is_copy: bool = False
) -> bytes:
    """One receipt as a file; `initials_only` names nobody and lists no lines (P8)."""
    paper = paper_of(receipt, initials_only=initials_only)
    return print_papers([replace(paper, is_copy=is_copy)])


def stamp_papers(
    papers: Iterable[Paper], file: IO[bytes], *, title: str, tagged: bool = True
) -> Report:
    """Papers into one file in their order, stamped; those that cannot be go through WeasyPrint.

    Nothing of a paper is kept once its page is written.
    """
    address = _address()
    with press.quiet_memory():
        run = Run(
            engine(),
            file,
            title=title,
            tagged=tagged,
            plan=lambda paper, fewer: pages_of(paper, address, fewer=fewer),
            tries=_MOST_TRIES + 1,
            fall_back=_by_itself,
        )
        for paper in papers:
            run.add(paper)
        return run.close()


def engine() -> Engine:
    """The engine of receipts, and what this process learned of their layouts."""
    return _engine(str(press.static_folder()), press.changed("pdf/receipt.html", SHEETS))


def forget_layouts() -> None:
    """Learn every layout anew."""
    _engine.cache_clear()


@cache
def _engine(_folder: str, _changed: tuple[float, ...]) -> Engine:
    return Engine(_html, SHEETS, _STYLES)


def print_papers(papers: Sequence[Paper]) -> bytes:
    """Papers as one file, laid out by WeasyPrint ten at a time."""
    files = []
    with press.quiet_memory():
        for start in range(0, len(papers), BATCH):
            files.append(_batch(papers[start : start + BATCH]))
            gc.collect()
    return press.join(files)


def _batch(papers: Sequence[Paper]) -> bytes:
    address = _address()
    views = [view for paper in papers for view in pages_of(paper, address)]
    document = lay_out(views)
    if len(document.pages) != len(views) and len(papers) > 1:
        # Something wrapped more than estimated: only the paper it is in is planned anew.
        return press.join([_batch([paper]) for paper in papers])
    if len(document.pages) != len(views):
        document = _by_itself(papers[0])
    return bytes(document.write_pdf(pdf_version="1.4"))


def _by_itself(paper: Paper) -> press.Document:
    """One paper, with fewer rows a page until what is planned for a page fits it."""
    for fewer in range(_MOST_TRIES + 1):
        views = pages_of(paper, _address(), fewer=fewer)
        document = lay_out(views)
        if len(document.pages) == len(views):
            break
    return document


def lay_out(views: Sequence[PageView]) -> press.Document:
    """Pages by WeasyPrint."""
    _shape, _data, codes = split(tuple(views))
    return press.lay_out(_html(views), sheets=SHEETS, pictures=pictures_of(codes))


def _html(views: Sequence[PageView]) -> str:
    return render_template("pdf/receipt.html", pages=views, title=views[0].number.text)


def _address() -> str:
    return str(current_app.config["SETTINGS"].public_url).rstrip("/")
