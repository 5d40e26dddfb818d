"""What WeasyPrint draws, taken apart: pages, text operators, fonts and structure as plain bytes."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.core import press
from app.core.stamp.data import Unstampable

REFERENCE: Final = re.compile(rb"\b([0-9]+) 0 R\b")
_TEXT: Final = re.compile(rb"BT\n1 0 0 -1 (\S+) (\S+) Tm\n(.*?)\nET", re.DOTALL)
_RUN: Final = re.compile(rb"/(\S+) (\S+) Tf\n\[(.*?)\] TJ", re.DOTALL)
_MARKS: Final = re.compile(rb"/[A-Za-z]+\n(?:<<[^>]*>>\nBDC|BMC)\n|\bEMC\n?")
_PICTURE: Final = re.compile(rb"/(\S+) Do\b")


@dataclass(frozen=True, slots=True)
class TextOperator:
    """One text of a page: where it begins, and where in the stream it is written."""

    x: bytes
    y: bytes
    #: the font of each stretch
    fonts: tuple[str, ...]
    #: all that follows the position
    written: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page's content, its boxes, and the numbers of its objects."""

    content: bytes
    box: Any
    number: int
    media: bytes
    resources: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A document of WeasyPrint before it is a file."""

    pages: list[DrawnPage]
    #: every object's bytes by number: head, and stream or None
    objects: dict[int, tuple[bytes, bytes | None]]
    fonts: list[Any]
    font_numbers: dict[str, int]

    def file_of(self, font: Any) -> bytes:
        """The whole font file behind an embedded cut."""
        from weasyprint.text.fonts import get_hb_object_data

        return bytes(get_hb_object_data(font.hb_face))


@dataclass(frozen=True, slots=True)
class Family:
    """A font as objects that refer to one another by place; the first is the font itself."""

    objects: tuple[tuple[bytes, bytes | None], ...]


def draw(html: str, sheets: tuple[str, ...], pictures: Mapping[str, bytes]) -> Drawn:
    """Lay a page out and draw it, tagged, without writing a file."""
    document = press.lay_out(html, sheets=sheets, pictures=pictures)
    return drawn_of(document)


def drawn_of(document: Any) -> Drawn:
    """The parts of a document that is laid out."""
    caught: list[Any] = []
    document.write_pdf(
        finisher=lambda _document, pdf: caught.append(pdf), pdf_tags=True, uncompressed_pdf=True
    )
    pdf = caught[0]
    objects: dict[int, tuple[bytes, bytes | None]] = {}
    for one in pdf.objects[1:]:
        data = one.data
        if hasattr(one, "stream"):
            head, _, rest = data.partition(b"\nstream\n")
            objects[one.number] = head, rest.removesuffix(b"\nendstream")
        else:
            objects[one.number] = data, None
    by_number = {one.number: one for one in pdf.objects}
    pages = []
    for reference, page in zip(pdf.page_references, document.pages, strict=True):
        number = int(reference.split()[0])
        described = by_number[number]
        content = objects[int(described["Contents"].split()[0])][1] or b""
        pages.append(
            DrawnPage(
                plain(content),
                page._page_box,
                number,
                described["MediaBox"].data,
                dict(by_number[int(described["Resources"].split()[0])]),
            )
        )
    fonts = by_number[int(pages[0].resources["Font"].split()[0])]
    return Drawn(
        pages,
        objects,
        list(document.fonts.values()),
        {name: int(reference.split()[0]) for name, reference in fonts.items()},
    )


def plain(content: bytes) -> bytes:
    """A content stream without kerning of nothing, which moves no letter."""
    return content.replace(b">0<", b"").replace(b">0]", b">]")


def untagged(content: bytes) -> bytes:
    """A content stream without its marks of tagged content."""
    return _MARKS.sub(b"", content)


def operators(content: bytes) -> list[TextOperator]:
    """All texts of a tagged page in the order they are drawn."""
    found = []
    for text in _TEXT.finditer(content):
        fonts = tuple(run[1].decode() for run in _RUN.finditer(text[3]))
        rest = _RUN.sub(b"", text[3]).strip()
        if rest or not fonts:
            raise Unstampable("a text is drawn with operators we do not know")
        found.append(TextOperator(text[1], text[2], fonts, text[3], text.start(), text.end()))
    return found


def pictures(content: bytes) -> list[tuple[str, int, int]]:
    """Names of the pictures drawn on a page, and where each is written."""
    return [(hit[1].decode(), hit.start(), hit.end()) for hit in _PICTURE.finditer(content)]


def family_of(drawn: Drawn, name: str) -> Family:
    """A font's objects, numbered from nought."""
    order = [drawn.font_numbers[name]]
    for number in order:
        for hit in REFERENCE.finditer(drawn.objects[number][0]):
            if int(hit[1]) not in order:
                order.append(int(hit[1]))
    place = {number: index for index, number in enumerate(order)}
    return Family(
        tuple(
            packed(REFERENCE.sub(lambda hit: b"%d 0 R" % place[int(hit[1])], head), stream)
            for head, stream in (drawn.objects[number] for number in order)
        )
    )


def packed(head: bytes, stream: bytes | None) -> tuple[bytes, bytes | None]:
    """An object with its stream deflated, unless it is packed already."""
    if stream is None or b"/Filter" in head:
        return head, stream
    head = b"/Filter/FlateDecode/Length ".join(head.split(b"/Length "))
    return head, zlib.compress(stream, 9)
