"""Receipts as PDF: A5 landscape, drawn from their frozen content and from nothing else (E10).

A paper is Vietnamese by law, whatever the reader's language; its fixed words are not translated.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import current_app, render_template

from app.core import clock, press, qr
from app.core.ids import show_check_code, show_student_code
from app.core.money import format_number
from app.core.text import initials
from app.money.receipts.content import ReceiptContent
from app.money.receipts.queries import ReceiptRow, VoidNote, verified_content, void_notes

SHEETS = ("css/paper.css", "css/print-receipt.css")
#: documents of ten are the quickest per paper; larger ones only cost memory
BATCH = 10
#: letters of the widest column in one line, and of a fact beside its label
_NAME_LETTERS = 62
_FACT_LETTERS = 46
#: rows that fit a page of its own kind
_FITS = {"roomy": 6, "tight": 8, "dense": 10}
#: rows on the first of several pages, on those between, and above the sum on the last
_FIRST_PAGE = 14
_NEXT_PAGE = 16
_LAST_PAGE = 11
_LAST_ROWS = 3
#: a paper whose names wrap more than estimated is laid out again with fewer rows a page
_MOST_TRIES = 6


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt to be printed: what it says, and what became of it since."""

    content: ReceiptContent
    void: VoidNote | None = None
    initials_only: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table, already in words."""

    kind: str
    name: str
    number: str = ""
    detail: str = ""
    quantity: str = ""
    price: str = ""
    amount: str = ""
    dong: int = 0
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page: its rows, the sums carried in and out, and how many pages there are."""

    paper: Paper
    rows: tuple[_Row, ...]
    page: int
    pages: int
    density: str
    carried_in: str = ""
    carried_out: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())


def paper_of(receipt: ReceiptRow, *, initials_only: bool = False) -> Paper:
    """The paper of a stored receipt; refuses one whose content no longer matches its hash."""
    return papers_of(receipt.school_id, [receipt], initials_only=initials_only)[0]


def papers_of(
    school_id: int, receipts: Sequence[ReceiptRow], *, initials_only: bool = False
) -> list[Paper]:
    """The papers of receipts of one school, with what became of the void ones."""
    voids = void_notes(school_id, [r.id for r in receipts if r.state != "live"])
    return [
        Paper(verified_content(receipt), voids.get(receipt.id), initials_only)
        for receipt in receipts
    ]


def receipt_pdf(receipt: ReceiptRow, *, initials_only: bool = False) -> bytes:
    """One receipt as a file; `initials_only` names nobody and lists no lines (P8)."""
    return print_papers([paper_of(receipt, initials_only=initials_only)])


def print_many(school_id: int, receipts: Sequence[ReceiptRow]) -> bytes:
    """All given receipts of one school in one file, in the order given; void ones say HỦY."""
    return print_papers(papers_of(school_id, receipts))


def print_papers(papers: Sequence[Paper]) -> bytes:
    """Papers as one file, laid out ten at a time."""
    files = []
    collects = gc.isenabled()
    gc.disable()
    try:
        for start in range(0, len(papers), BATCH):
            files.append(_batch(papers[start : start + BATCH]))
            gc.collect()
    finally:
        if collects:
            gc.enable()
    return press.join(files)


def _batch(papers: Sequence[Paper]) -> bytes:
    sheets = [sheet for paper in papers for sheet in sheets_of(paper)]
    document = _lay_out(sheets)
    if len(document.pages) != len(sheets) and len(papers) > 1:
        # Something wrapped more than estimated: only the paper it is in is planned anew.
        return press.join([_batch([paper]) for paper in papers])
    tries = 0
    while len(document.pages) != len(sheets) and tries < _MOST_TRIES:
        tries += 1
        sheets = sheets_of(papers[0], fewer=tries)
        document = _lay_out(sheets)
    return bytes(document.write_pdf(pdf_version="1.4"))


def _lay_out(sheets: Sequence[_Sheet]) -> press.Document:
    address = current_app.config["SETTINGS"].public_url.rstrip("/")
    codes = {sheet.paper.content.check_code for sheet in sheets}
    html = render_template(
        "pdf/receipt.html",
        sheets=sheets,
        check_at=f"{address.partition('://')[2]}/check",
        figure=lambda amount: format_number(amount, "vi"),
        day=_day,
        long_day=_long_day,
        minute=_minute,
        second=_second,
        fours=show_check_code,
        chain=_chain,
    )
    pictures = {code: qr.png(f"{address}/check/{code}", scale=4) for code in codes}
    return press.lay_out(html, sheets=SHEETS, pictures=pictures)


# Planning pages


def sheets_of(paper: Paper, *, fewer: int = 0) -> list[_Sheet]:
    """The pages of a paper; `fewer` rows on each than usually fit.

    One page gets closer before a second is taken; then sums are carried over (E10).
    """
    rows = _rows(paper)
    facts = _facts(paper)
    wrapped = sum(_lines_of(value, _FACT_LETTERS) - 1 for _, value in facts)
    extra = wrapped + (paper.void is not None) + bool(paper.content.replaces)
    height = sum(row.height for row in rows) + extra + fewer
    for density, most in _FITS.items():
        if height <= most:
            return [_Sheet(paper, tuple(rows), 1, 1, density, facts=facts)]
    pages = _split(rows, first=max(3, _FIRST_PAGE - extra - fewer), fewer=fewer)
    sheets, carried = [], 0
    for place, part in enumerate(pages, start=1):
        before = carried
        carried += sum(row.dong for row in part)
        sheets.append(
            _Sheet(
                paper,
                tuple(part),
                place,
                len(pages),
                "tight",
                carried_in=format_number(before) if place > 1 else "",
                carried_out=format_number(carried) if place < len(pages) else "",
                facts=facts if place == 1 else (),
            )
        )
    return sheets


def _split(rows: Sequence[_Row], *, first: int, fewer: int) -> list[list[_Row]]:
    pages: list[list[_Row]] = [[]]
    used = 0
    for row in rows:
        room = first if len(pages) == 1 else max(3, _NEXT_PAGE - fewer)
        if pages[-1] and used + row.height > room:
            # A child's name never stands alone at the foot of a page.
            orphan = [pages[-1].pop()] if pages[-1][-1].kind == "child" else []
            pages.append(orphan)
            used = sum(left.height for left in orphan)
        pages[-1].append(row)
        used += row.height
    if len(pages) == 1 or used > max(3, _LAST_PAGE - fewer):
        # The sum and the signatures stand under some lines, not on a page of their own.
        keep = pages[-1]
        cut = len(keep) - min(_LAST_ROWS, len(keep) - 1)
        cut -= keep[cut - 1].kind == "child" and cut > 1
        pages[-1:] = [keep[:cut], keep[cut:]]
    return [page for page in pages if page]


def _lines_of(text: str, letters: int) -> int:
    return max(1, -(-len(text) // letters))


def _rows(paper: Paper) -> list[_Row]:
    content = paper.content
    rows: list[_Row] = []
    number = 0
    for child in content.children:
        total = sum(line.amount for line in child.lines)
        if len(content.children) > 1:
            named = [initials(child.full_name)]
            if not paper.initials_only:
                named = [child.full_name, f"lớp {child.class_name}" if child.class_name else ""]
                named.append(f"mã {show_student_code(child.code)}")
            named.append(f"tháng {child.periods}" if child.periods else "")
            name = " · ".join(part for part in named if part)
            rows.append(
                _Row(
                    "child",
                    name,
                    amount=f"cộng {format_number(total)}",
                    height=_lines_of(name, _NAME_LETTERS + 20),
                )
            )
        if paper.initials_only:
            number += 1
            months = f" tháng {child.periods}" if child.periods else ""
            rows.append(
                _Row(
                    "line",
                    f"Các khoản đã nộp theo phiếu{months}",
                    number=str(number),
                    amount=format_number(total),
                    dong=total,
                )
            )
            continue
        for line in child.lines:
            number += 1
            count = "" if line.quantity is None else format_number(line.quantity)
            rows.append(
                _Row(
                    "line",
                    line.name,
                    number=str(number),
                    detail=line.detail,
                    quantity=f"{count} {line.unit}".strip(),
                    price="" if line.price is None else format_number(line.price),
                    amount=format_number(line.amount),
                    dong=line.amount,
                    height=_lines_of(f"{line.name} · {line.detail}", _NAME_LETTERS),
                )
            )
    return rows


def _facts(paper: Paper) -> tuple[tuple[str, str], ...]:
    """Three pairs beside three: who paid and how, for whom and by which reference."""
    content = paper.content
    how = f"{content.method}, {_minute(content.occurred_at)}"
    if _day(content.received_on) != _day(content.occurred_at):
        how += f" (ngân hàng ghi ngày {_day(content.received_on)})"
    payer, address = content.payer, content.payer_address or "–"
    if paper.initials_only:
        payer = f"Gia đình em {initials(content.children[0].full_name)}"
        address = "(không ghi trên bản rút gọn)"
    years = sorted({child.school_year for child in content.children if child.school_year})
    pupils = f"{len(content.children)} em, ghi trong bảng"
    code = ("Năm học", ", ".join(years))
    reference = content.reference or "–"
    if len(content.children) == 1:
        child = content.children[0]
        pupils = child.full_name + (f" · lớp {child.class_name}" if child.class_name else "")
        reference += f" · phiếu tháng {child.periods}" if child.periods else ""
        if paper.initials_only:
            pupils = initials(child.full_name)
        else:
            code = (
                "Mã học sinh",
                f"{show_student_code(child.code)} · năm học {child.school_year}",
            )
    return (
        ("Người nộp tiền", payer),
        ("Học sinh", pupils),
        ("Địa chỉ", address),
        code,
        ("Cách nộp", how),
        ("Mã nội dung", reference),
    )


# Days and times as papers write them


def _moment(stored: str) -> datetime:
    return clock.local(datetime.fromisoformat(stored))


def _day(stored: str | datetime) -> str:
    if isinstance(stored, datetime):
        return clock.local(stored).strftime("%d/%m/%Y")
    if "T" in stored:
        return _moment(stored).strftime("%d/%m/%Y")
    return date.fromisoformat(stored).strftime("%d/%m/%Y")


def _long_day(stored: str) -> str:
    moment = _moment(stored)
    return f"Ngày {moment.day:02d} tháng {moment.month:02d} năm {moment.year}"


def _minute(stored: str) -> str:
    return _moment(stored).strftime("%d/%m/%Y %H:%M")


def _second(stored: str) -> str:
    return _moment(stored).strftime("%d/%m/%Y %H:%M:%S")


def _chain(previous: str) -> tuple[str, str]:
    """Number and chain mark of the receipt before: `000411`, `9F3A 71C0`."""
    number, _, mark = previous.partition(" · ")
    return number, f"{mark[:4]} {mark[4:]}".strip()
