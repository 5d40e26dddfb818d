"""How a receipt is laid out on its pages: which rows on which, and every word as it is shown.

A paper is Vietnamese by law, whatever the reader's language; its fixed words are not translated.
What differs from one receipt to the next is a `Datum`, so that papers can be stamped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.core import clock
from app.core.ids import show_check_code, show_student_code
from app.core.money import format_number
from app.core.stamp import Code, Datum
from app.core.text import initials
from app.money.receipts.content import ReceiptContent
from app.money.receipts.queries import VoidNote

#: letters of the widest column in one line, and of a fact beside its label
_NAME_LETTERS: Final = 62
_FACT_LETTERS: Final = 46
#: rows that fit a page of its own kind
_FITS: Final = {"roomy": 6, "tight": 8, "dense": 10}
#: rows on the first of several pages, on those between, and above the sum on the last
_FIRST_PAGE: Final = 14
_NEXT_PAGE: Final = 16
_LAST_PAGE: Final = 11
_LAST_ROWS: Final = 3


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt to be printed: what it says, and what became of it since."""

    content: ReceiptContent
    void: VoidNote | None = None
    initials_only: bool = False
    #: printed on paper before: there is one original
    is_copy: bool = False


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


# What the template shows


@dataclass(frozen=True, slots=True)
class RowView:
    """A row: a child's name with its sum, or a line."""

    is_child: bool
    number: str
    name: Datum
    detail: Datum | str
    quantity: Datum | str
    price: Datum | str
    amount: Datum


@dataclass(frozen=True, slots=True)
class VoidView:
    """What became of a void receipt."""

    day: Datum | str
    replaced_by: Datum | str
    reason: Datum | str


@dataclass(frozen=True, slots=True)
class PageView:
    """One page of a receipt."""

    density: str
    page: int
    pages: int
    is_copy: bool
    is_demo: bool
    initials_only: bool
    form_number: str
    circular: str
    check_at: str
    school: Datum
    budget_code: Datum | str
    address: Datum | str
    issued: Datum
    book: Datum | str
    number: Datum
    facts: tuple[tuple[str, Datum], ...]
    void: VoidView | None
    replaces: Datum | str
    rows: tuple[RowView, ...]
    carried_in: Datum | str
    carried_out: Datum | str
    total: Datum | str
    words: Datum | str
    code: Code | None
    check_code: Datum | str
    previous: Datum | str
    collected_by: Datum | str
    confirmed: Datum | str

    @property
    def is_last(self) -> bool:
        """Whether the sum and the signatures stand on this page."""
        return self.page == self.pages


def pages_of(paper: Paper, address: str, *, fewer: int = 0) -> list[PageView]:
    """The pages of a paper; `fewer` rows on each than usually fit.

    One page gets closer before a second is taken; then sums are carried over (E10). `address` is
    where anybody may ask whether the paper is genuine.
    """
    rows = _rows(paper)
    facts = _facts(paper)
    wrapped = sum(_lines_of(value, _FACT_LETTERS) - 1 for _, value in facts)
    extra = wrapped + (paper.void is not None) + bool(paper.content.replaces)
    height = sum(row.height for row in rows) + extra + fewer
    for density, most in _FITS.items():
        if height <= most:
            return [_page(paper, address, facts, rows, 1, 1, density, 0)]
    pages = _split(rows, first=max(3, _FIRST_PAGE - extra - fewer), fewer=fewer)
    views, carried = [], 0
    for place, part in enumerate(pages, start=1):
        views.append(_page(paper, address, facts, part, place, len(pages), "tight", carried))
        carried += sum(row.dong for row in part)
    return views


def _page(
    paper: Paper,
    address: str,
    facts: Sequence[tuple[str, str]],
    rows: Sequence[_Row],
    page: int,
    pages: int,
    density: str,
    carried: int,
) -> PageView:
    content, void = paper.content, paper.void
    is_first, is_last = page == 1, page == pages
    issued = _long_day(content.issued_at)
    carried_out = carried + sum(row.dong for row in rows)
    collected_by = content.collected_by
    if collected_by and paper.initials_only:
        collected_by = "Thu ngân của trường"
    return PageView(
        density=density,
        page=page,
        pages=pages,
        is_copy=paper.is_copy,
        is_demo=content.is_demo,
        initials_only=paper.initials_only,
        form_number=content.form_number,
        circular=content.circular,
        check_at=f"{address.partition('://')[2]}/check",
        school=Datum(content.school.name.upper()),
        budget_code=_datum(content.school.budget_code),
        address=_datum(content.school.address),
        issued=Datum(issued if is_first else issued.lower()),
        book=_datum(content.book if is_first else ""),
        number=Datum(f"{content.series} / {content.number:06d}"),
        facts=tuple((label, Datum(value)) for label, value in facts) if is_first else (),
        void=VoidView(
            _datum(_day(void.voided_at) if void.voided_at else ""),
            _datum(void.replaced_by),
            _datum("" if paper.initials_only else void.reason),
        )
        if void
        else None,
        replaces=_datum(content.replaces if is_first else ""),
        rows=tuple(
            RowView(
                row.kind == "child",
                row.number,
                Datum(row.name),
                _datum(row.detail),
                _datum(row.quantity),
                _datum(row.price),
                Datum(row.amount),
            )
            for row in rows
        ),
        carried_in=_datum("" if is_first else format_number(carried)),
        carried_out=_datum("" if is_last else format_number(carried_out)),
        total=_datum(format_number(content.amount, "vi") if is_last else ""),
        words=_datum(f"{content.amount_words}." if is_last else ""),
        code=Code(f"{address}/check/{content.check_code}") if is_last else None,
        check_code=_datum(show_check_code(content.check_code) if is_last else ""),
        previous=_datum(_chain(content.previous) if is_last else ""),
        collected_by=_datum(collected_by if is_last else ""),
        confirmed=_datum(_second(content.issued_at) if is_last else ""),
    )


def _datum(text: str | None) -> Datum | str:
    """A datum, or nothing where there is none: whether there is one is part of the layout."""
    return Datum(text) if text else ""


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


def _chain(previous: str) -> str:
    """Number and chain mark of the receipt before: `000411 · dấu chuỗi 9F3A 71C0`."""
    number, _, mark = previous.partition(" · ")
    return f"{number} · dấu chuỗi {mark[:4]} {mark[4:]}".strip() if number else ""
