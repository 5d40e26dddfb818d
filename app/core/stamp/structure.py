"""A page's part of the structure tree, taken from WeasyPrint's and ready to be numbered anew.

A span around nothing but marked text says no more than the text: its parent takes the text over.
More than half of the elements go, and nothing a reader is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.core.stamp.objects import Drawn, DrawnPage

#: numbers are written in seven digits, so that every page's elements are equally long
DIGITS: Final = 7
_KIDS: Final = re.compile(rb"/K \[(.*?)\]")
_KID: Final = re.compile(rb"([0-9]+)( 0 R)?")
_ID: Final = re.compile(rb"/ID \([0-9]+-[0-9]+-[0-9]+\)")
_HEADERS: Final = re.compile(rb"/Headers \[[^\]]*\]")
_MARK: Final = re.compile(rb"(EMC\n)?/([A-Za-z]+)\n<</MCID ([0-9]+)>>\nBDC\n")
_ON_PAGE: Final = re.compile(rb"/Pg [0-9]+ 0 R")
_PARENT: Final = re.compile(rb"/P ([0-9]+) 0 R")
_NUMBER: Final = re.compile(rb"\b([0-9]+) 0 R\b")
_WRAPS: Final = (b"/S /NonStruct/", b"/S /Span/")
_CELLS: Final = (b"/S /TD/", b"/S /TH/")
_ROWS: Final = (b"/S /TBody/", b"/S /TR/")
_BLOCKS: Final = (b"/S /Div/", b"/S /P/", b"/S /NonStruct/")
PAGE: Final = -2


@dataclass(frozen=True, slots=True)
class Structure:
    """The elements of one page; a number counts from the first element, -2 is the page."""

    #: all elements in one text with `%07d` for each number, and where each begins
    text: bytes
    starts: tuple[int, ...]
    numbers: tuple[int, ...]
    #: elements below the document, and for each piece of marked content its element
    roots: tuple[int, ...]
    marked: tuple[int, ...]
    #: new numbers of WeasyPrint's marks, -1 for those joined to the one before
    marks: Mapping[int, int]

    @property
    def count(self) -> int:
        """How many elements there are."""
        return len(self.starts)


def structure_of(drawn: Drawn, drawn_page: DrawnPage, document: bytes) -> Structure:
    """The elements of a page; `document` is what stands for their parent."""
    page = drawn_page.number
    found = {
        number: head
        for number, (head, stream) in drawn.objects.items()
        if stream is None
        and head.startswith(b"<</Type /StructElem")
        and b"/S /Document" not in head
        and b"/Pg %d 0 R" % page in head
    }
    kids = {number: _kids(head) for number, head in found.items()}
    _fold(found, kids)
    _dissolve(found, kids)
    marks = _joined(drawn_page.content, kids)
    inside = {kid for own in kids.values() for kid, is_element in own if is_element}
    order = list(found)
    place = {number: index for index, number in enumerate(order)}
    marked: dict[int, int] = {}
    kids = {
        number: [
            (kid if is_element else marks[kid], is_element)
            for kid, is_element in own
            if is_element or marks[kid] >= 0
        ]
        for number, own in kids.items()
    }
    text, length = b"", 0
    starts: list[int] = []
    numbers: list[int] = []
    for number in order:
        for kid, is_element in kids[number]:
            if not is_element:
                marked[kid] = place[number]
        kept = b" ".join(b"%d 0 R" % kid if ref else b"%d" % kid for kid, ref in kids[number])
        head = _KIDS.sub(b"/K [" + kept + b"]", found[number], count=1)
        known = len(numbers)
        head = _shorter(head, found, kids[number])
        element = _template(head, page, place, document, numbers)
        starts.append(length)
        length += len(element) + (DIGITS - 4) * (len(numbers) - known) - element.count(b"%%")
        text += element
    return Structure(
        text,
        tuple(starts),
        tuple(numbers),
        tuple(place[number] for number in order if number not in inside),
        tuple(marked[mark] for mark in sorted(marked)),
        marks,
    )


def _joined(content: bytes, kids: dict[int, list[tuple[int, bool]]]) -> dict[int, int]:
    """New numbers of the marks; -1 for one that goes on where one of its element ends."""
    owner = {
        kid: number for number, own in kids.items() for kid, is_element in own if not is_element
    }
    adjoining = {int(hit[3]) for hit in _MARK.finditer(content) if hit[1]}
    marks: dict[int, int] = {}
    count = 0
    for mark in sorted(owner):
        if mark in adjoining and owner.get(mark - 1) == owner[mark]:
            marks[mark] = -1
        else:
            marks[mark] = count
            count += 1
    return marks


def remarked(content: bytes, marks: Mapping[int, int]) -> bytes:
    """A stretch of a page with the new numbers of its marks."""

    def moved(hit: re.Match[bytes]) -> bytes:
        mark = marks[int(hit[3])]
        if mark < 0:
            return b""
        return (hit[1] or b"") + b"/" + hit[2] + b"<</MCID %d>>BDC\n" % mark

    return _MARK.sub(moved, content).replace(b"BT\nET\n", b"")


def _kids(head: bytes) -> list[tuple[int, bool]]:
    hit = _KIDS.search(head)
    return [(int(kid[1]), bool(kid[2])) for kid in _KID.finditer(hit[1])] if hit else []


def _fold(found: dict[int, bytes], kids: dict[int, list[tuple[int, bool]]]) -> None:
    # Children have higher numbers than their parents, so the last ones are folded first.
    for number in sorted(found, reverse=True):
        own: list[tuple[int, bool]] = []
        for kid, is_element in kids[number]:
            if not is_element:
                own.append((kid, False))
            elif kid in found:
                is_wrap = any(wrap in found[kid] for wrap in _WRAPS)
                if is_wrap and not any(inner for _kid, inner in kids[kid]):
                    own += kids.pop(kid)
                    del found[kid]
                else:
                    own.append((kid, True))
        kids[number] = own


def _dissolve(found: dict[int, bytes], kids: dict[int, list[tuple[int, bool]]]) -> None:
    """Take away what is there for the layout only: tables without heads, blocks alone in cells."""
    # Inner tables come after the one around them, and are taken away first.
    for number in [one for one in reversed(found) if b"/S /Table/" in found[one]]:
        parts = _below(number, kids)
        if any(b"/S /THead/" in found[part] or b"/S /Table/" in found[part] for part in parts):
            continue
        found[number] = found[number].replace(b"/S /Table/", b"/S /Div/")
        for part in reversed(parts):
            if any(kind in found[part] for kind in _CELLS):
                _lift(part, found, kids)
        for part in parts:
            if part in found and b"/S /TR/" in found[part] and _is_text(part, kids):
                found[part] = found[part].replace(b"/S /TR/", b"/S /P/")
            elif part in found and any(kind in found[part] for kind in _ROWS):
                _lift(part, found, kids)
    for number in [one for one in found if b"/S /TD/" in found[one] or b"/S /TH/" in found[one]]:
        own = kids[number]
        if len(own) == 1 and own[0][1] and any(kind in found[own[0][0]] for kind in _BLOCKS):
            _lift(own[0][0], found, kids)
    for number in [one for one in reversed(found) if b"/S /Div/" in found[one]]:
        own = kids[number]
        if own and all(is_element for _kid, is_element in own):
            _lift(number, found, kids)


def _is_text(number: int, kids: dict[int, list[tuple[int, bool]]]) -> bool:
    return not any(is_element for _kid, is_element in kids[number])


def _below(number: int, kids: dict[int, list[tuple[int, bool]]]) -> list[int]:
    found = []
    for kid, is_element in kids[number]:
        if is_element:
            found += [kid, *_below(kid, kids)]
    return found


def _lift(number: int, found: dict[int, bytes], kids: dict[int, list[tuple[int, bool]]]) -> None:
    """Put an element's children in its place."""
    parent = _parent(found.pop(number))
    own = kids.pop(number)
    place = kids[parent].index((number, True))
    kids[parent][place : place + 1] = own
    for kid, is_element in own:
        if is_element:
            found[kid] = _PARENT.sub(b"/P %d 0 R" % parent, found[kid], count=1)


def _shorter(head: bytes, found: dict[int, bytes], kids: list[tuple[int, bool]]) -> bytes:
    """An element without what is optional (ISO 32000-1, 14.7.2): its type, a page no mark needs.

    Cells name their heads by scope in place of a list of identifiers.
    """
    head = head.replace(b"/Type /StructElem", b"", 1).replace(b"/S /", b"/S/", 1)
    if all(is_element for _kid, is_element in kids):
        head = _ON_PAGE.sub(b"", head, count=1)
    head = _HEADERS.sub(b"", _ID.sub(b"", head)).replace(b"/A <</O /Table>>", b"")
    if b"/S/TH/" in head:
        row = found.get(_parent(head), b"")
        is_column = b"/S /THead" in found.get(_parent(row), b"")
        scope = b"Column" if is_column else b"Row"
        head = head.removesuffix(b">>") + b"/A<</O/Table/Scope/%s>>>>" % scope
    return head


def _parent(head: bytes) -> int:
    hit = _PARENT.search(head)
    return int(hit[1]) if hit else 0


def _template(
    head: bytes, page: int, place: dict[int, int], document: bytes, numbers: list[int]
) -> bytes:
    def moved(hit: re.Match[bytes]) -> bytes:
        number = int(hit[1])
        if number == page:
            numbers.append(PAGE)
        elif number in place:
            numbers.append(place[number])
        else:
            return document + b" 0 R"
        return b"%07d 0 R"

    return _NUMBER.sub(moved, head.replace(b"%", b"%%"))
