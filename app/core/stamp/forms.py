"""Reading a layout: which texts hang on the data, where their lines begin, and what stays.

*Learning* lays a shape out with short marks in place of the data and walks the boxes: every block
with a datum in it is a paragraph of pieces, labels and data, each in a face. *Cutting* lays a real
paper out and cuts its content stream at the texts that hang on the data; what is left, with their
heights, is a variant: the page of every paper of the same shape whose texts break alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.core.stamp.data import Code, Datum, Unstampable
from app.core.stamp.letters import UNITS, Face, Style, number
from app.core.stamp.objects import DrawnPage, operators, pictures, untagged
from app.core.stamp.structure import Structure, remarked

#: places beside blanks where a line may be broken, and blanks where it may not (UAX 14, with room
#: for versions that differ): a text with one of them is not broken here
_UNSURE: Final = re.compile(
    r"[–—…!?}|\xad\u200b][^ ]|[-/][^ 0-9]| [-)\]}!?;,.:/…–—’”]|[(\[{'\"“‘’”–—] "
)
#: a line that ends so close to its edge may be broken either way
_TOO_CLOSE: Final = 4 / UNITS
_ALIGNED: Final = {"start": 0.0, "left": 0.0, "right": 1.0, "end": 1.0, "center": 0.5}
_SAME: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Piece:
    """A label, or the place of a datum, in its face."""

    face: Face
    #: number of the datum, or -1 for a label
    slot: int
    label: str
    units: int
    written: bytes


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A block with data in it: its pieces, its left edge and room in pixels, where lines stand."""

    pieces: tuple[Piece, ...]
    left: float
    room: float
    #: 0 at the left, 1 at the right, 0.5 in the middle
    align: float
    may_wrap: bool


#: a part of a line: the piece, its text there
Part = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Hole:
    """A text that is written anew on every paper."""

    paragraph: int
    line: int
    part: int
    y: bytes


@dataclass(frozen=True, slots=True)
class Variant:
    """A page cut at its holes: fixed stretches around texts and codes, in the order drawn."""

    media: bytes
    fixed: tuple[bytes, ...]
    #: the same with joined marks, and without any
    tagged: tuple[bytes, ...]
    untagged: tuple[bytes, ...]
    #: between the stretches: a hole, or the number of a code
    cuts: tuple[Hole | int, ...]
    states: bytes
    structure: Structure


#: a block, its lines, and the boxes around it
Block = tuple[Any, list[Any], tuple[Any, ...]]

# Walking the boxes


def _box(box: Any) -> Any:
    return getattr(box, "_box", box) if type(box).__name__ == "AbsolutePlaceholder" else box


def _children(box: Any) -> list[Any]:
    return [_box(child) for child in getattr(box, "children", ())]


def _is_line(box: Any) -> bool:
    return type(box).__name__ == "LineBox"


def _is_text(box: Any) -> bool:
    return type(box).__name__ == "TextBox"


def _slot_of(box: Any) -> int:
    element = box.element
    value = None if element is None else element.get("data-slot")
    return int(value) if value and value.isdigit() else -1


def _texts(box: Any) -> Iterator[Any]:
    """The texts of a line that are drawn; refuses what is no text beside data."""
    for child in _children(box):
        if _is_text(child):
            yield child
        elif type(child).__name__ == "InlineBox":
            yield from _texts(child)
        else:
            yield child


def _blocks(
    box: Any, above: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, list[Any], tuple[Any, ...]]]:
    """Every block with lines: itself, its lines, the boxes around it."""
    children = _children(box)
    lines = [child for child in children if _is_line(child)]
    if lines:
        yield box, lines, above
    for child in children:
        inner = _atoms(child) if _is_line(child) else [child]
        for one in inner:
            yield from _blocks(one, (*above, box))


def _atoms(line: Any) -> list[Any]:
    found = []
    for child in _children(line):
        if type(child).__name__ == "InlineBox":
            found += _atoms(child)
        elif not _is_text(child):
            found.append(child)
    return found


def blocks_with_data(page: Any) -> list[Block]:
    """The blocks in which a datum stands, in the order of the page."""
    found = []
    for block, lines, above in _blocks(page):
        texts = [text for line in lines for text in _texts(line)]
        if any(_is_text(text) and _slot_of(text) >= 0 for text in texts):
            found.append((block, lines, above))
    return found


# Learning


_PLAIN: Final = {
    "letter_spacing": ("normal", 0),
    "word_spacing": (0, "normal"),
    "text_transform": ("none",),
    "text_decoration_line": ("none", frozenset(), set()),
    "hyphens": ("manual", "none"),
    "font_stretch": ("normal",),
    "font_variant_caps": ("normal",),
}


def learn(page: DrawnPage, faces: FaceShelf) -> list[Paragraph]:
    """The paragraphs of a shape laid out with marks; refuses a form that cannot be stamped."""
    written = {(text.x, text.y): text for text in operators(page.content)}
    return [
        _paragraph(block, lines, above, faces, written)
        for block, lines, above in blocks_with_data(page.box)
    ]


class FaceShelf:
    """The faces of a form by style and size."""

    def __init__(self, cuts: Any) -> None:
        self._cuts = cuts
        self._faces: dict[tuple[Style, float], Face] = {}

    def all(self) -> list[Face]:
        """Every face used so far."""
        return list(self._faces.values())

    def get(self, style: Any) -> Face:
        """The face a computed style asks for."""
        wanted = Style(int(style["font_weight"]), style["font_style"] == "italic")
        if wanted not in self._cuts:
            raise Unstampable(f"weight {wanted.weight} is not among the form's fonts")
        key = wanted, float(style["font_size"])
        if key not in self._faces:
            self._faces[key] = Face(self._cuts[wanted], key[1])
        return self._faces[key]


def _paragraph(
    block: Any, lines: list[Any], above: tuple[Any, ...], faces: FaceShelf, written: Any
) -> Paragraph:
    if len(lines) != 1:
        raise Unstampable("a block breaks its line before there are any data in it")
    for box in (*above, block):
        _must_have_its_own_width(box)
    style = block.style
    align = _ALIGNED.get(str(style["text_align_all"]))
    if align is None or _px(style["text_indent"]):
        raise Unstampable("a block with data is justified or indented")
    pieces, at = [], None
    for text in _texts(lines[0]):
        if not _is_text(text):
            raise Unstampable("something that is no text stands in a line with data")
        for name, allowed in _PLAIN.items():
            if text.style[name] not in allowed:
                raise Unstampable(f"a text with data has {name}: {text.style[name]}")
        if at is not None and abs(text.position_x - at) > _SAME:
            raise Unstampable("a text in a line with data has a margin or a border")
        at = text.position_x + text.width
        slot = _slot_of(text)
        face = faces.get(text.style)
        operator = written.get(_position(text))
        is_blank = not text.text.strip()
        if operator is None and not is_blank:
            raise Unstampable("a text is not where its box says")
        pieces.append(
            Piece(
                face,
                slot,
                "" if slot >= 0 else text.text,
                round(text.width * UNITS),
                b"" if operator is None or slot >= 0 else operator.written,
            )
        )
    left, room = block.content_box_x(), block.width
    paragraph = Paragraph(
        tuple(pieces), left, room, align, style["white_space"] in ("normal", "pre-line")
    )
    first = next(_texts(lines[0]))
    width = sum(piece.units for piece in pieces) / UNITS
    if abs(first.position_x - (left + align * (room - width))) > _SAME:
        raise Unstampable("a line with data does not begin where its block does")
    return paragraph


def _must_have_its_own_width(box: Any) -> None:
    """Refuse a box that is as wide as what it holds: its borders would hang on the data."""
    kind = type(box).__name__
    style = box.style
    is_auto = style["width"] == "auto"
    if style["float"] != "none":
        raise Unstampable("a box with data floats")
    if is_auto and kind in ("InlineBlockBox", "InlineTableBox", "InlineFlexBox", "InlineGridBox"):
        raise Unstampable("a box with data is as wide as they are")
    if (
        is_auto
        and style["position"] in ("absolute", "fixed")
        and "auto"
        in (
            style["left"],
            style["right"],
        )
    ):
        raise Unstampable("a placed box with data is as wide as they are")
    if kind in ("FlexBox", "GridBox"):
        raise Unstampable("a flexible box holds data")
    if kind == "TableBox" and style["table_layout"] != "fixed":
        raise Unstampable("a table with data has columns as wide as they are")


def _px(length: Any) -> float:
    return float(getattr(length, "value", length) or 0)


def _position(text: Any) -> tuple[bytes, bytes]:
    return number(text.position_x), number(text.position_y + text.baseline)


# Breaking lines


def lines_of(paragraph: Paragraph, texts: Sequence[str]) -> list[list[Part]] | None:
    """The lines of a paragraph with these data, or None where one is enough."""
    width = 0
    for piece in paragraph.pieces:
        width += piece.face.set(texts[piece.slot])[0] if piece.slot >= 0 else piece.units
    room = paragraph.room - width / UNITS
    if abs(room) <= _TOO_CLOSE:
        raise Unstampable("a line ends at its very edge")
    if room > 0:
        return None
    if not paragraph.may_wrap:
        raise Unstampable("a text is too long for its line")
    return _break(paragraph, texts)


def _break(paragraph: Paragraph, texts: Sequence[str]) -> list[list[Part]]:
    parts = [texts[piece.slot] if piece.slot >= 0 else piece.label for piece in paragraph.pieces]
    whole = "".join(parts)
    if _UNSURE.search(whole):
        raise Unstampable("a text that wraps may be broken elsewhere than at its blanks")
    begins, place = [], 0
    for part in parts:
        begins.append(place)
        place += len(part)
    chances = [place + 1 for place, letter in enumerate(whole) if letter == " "] + [len(whole)]
    lines, start = [], 0
    while start < len(whole):
        best = None
        for chance in chances:
            if chance <= start:
                continue
            line = _cut(parts, begins, start, len(whole[:chance].rstrip(" ")))
            room = paragraph.room - _width(paragraph, line) / UNITS
            if abs(room) <= _TOO_CLOSE:
                raise Unstampable("a line ends at its very edge")
            if room < 0:
                break
            best = chance, line
        if best is None:
            raise Unstampable("a word is wider than its line")
        start = best[0]
        lines.append(best[1])
    return lines


def _cut(parts: list[str], begins: list[int], start: int, end: int) -> list[Part]:
    found = []
    for index, (part, begin) in enumerate(zip(parts, begins, strict=True)):
        text = part[max(0, start - begin) : max(0, end - begin)]
        if text:
            found.append((index, text))
    return found


def _width(paragraph: Paragraph, line: list[Part]) -> int:
    width = 0
    for index, text in line:
        piece = paragraph.pieces[index]
        width += piece.units if piece.label == text else piece.face.set(text)[0]
    return width


# Cutting


def signature(lines: list[list[list[Part]] | None], paragraphs: Sequence[Paragraph]) -> Any:
    """How the texts break: for each paragraph that wraps, which pieces stand on which line."""
    return tuple(
        None
        if found is None
        else tuple(
            tuple(
                (index, "" if paragraph.pieces[index].slot >= 0 else text) for index, text in line
            )
            for line in found
        )
        for found, paragraph in zip(lines, paragraphs, strict=True)
    )


def whole_line(paragraph: Paragraph, texts: Sequence[str]) -> list[Part]:
    """All pieces of a paragraph on one line."""
    return [
        (index, texts[piece.slot] if piece.slot >= 0 else piece.label)
        for index, piece in enumerate(paragraph.pieces)
    ]


def cut(
    page: DrawnPage,
    paragraphs: Sequence[Paragraph],
    lines: list[list[list[Part]] | None],
    data: Sequence[Datum],
    codes: Sequence[Code],
    structure: Structure,
) -> Variant:
    """The variant a real paper's page shows; refuses one whose lines break otherwise."""
    holes = _text_holes(page, paragraphs, lines, [datum.text for datum in data])
    drawn = pictures(page.content)
    if len(drawn) != len(codes):
        raise Unstampable("there are pictures beside the codes")
    for place, (_name, start, end) in enumerate(drawn):
        holes.append((start, end, place))
    holes.sort(key=lambda one: one[0])
    fixed, at = [], 0
    for start, end, _hole in holes:
        fixed.append(page.content[at:start])
        at = end
    fixed.append(page.content[at:])
    states = page.resources.get("ExtGState")
    return Variant(
        page.media,
        tuple(fixed),
        tuple(remarked(part, structure.marks) for part in fixed),
        tuple(map(untagged, fixed)),
        tuple(hole for _start, _end, hole in holes),
        b"" if states is None else states.data,
        structure,
    )


def _text_holes(
    page: DrawnPage,
    paragraphs: Sequence[Paragraph],
    lines: list[list[list[Part]] | None],
    texts: Sequence[str],
) -> list[tuple[int, int, Hole | int]]:
    """Where the texts that hang on the data are written; they must stand as they were planned."""
    blocks = blocks_with_data(page.box)
    if len(blocks) != len(paragraphs):
        raise Unstampable("the blocks of a paper are not those of its form")
    written = {}
    for operator in operators(page.content):
        if (operator.x, operator.y) in written:
            raise Unstampable("two texts begin at one point")
        written[operator.x, operator.y] = operator
    holes: list[tuple[int, int, Hole | int]] = []
    for place, (paragraph, planned, (_block, boxes, _above)) in enumerate(
        zip(paragraphs, lines, blocks, strict=True)
    ):
        wanted = planned or [whole_line(paragraph, texts)]
        if len(wanted) != len(boxes):
            raise Unstampable("a text breaks into more or fewer lines than planned")
        for row, (line, box) in enumerate(zip(wanted, boxes, strict=True)):
            drawn = [text for text in _texts(box) if text.text]
            if [text for _index, text in line] != [text.text for text in drawn]:
                raise Unstampable("a line does not hold the words planned for it")
            moves = paragraph.align > 0
            for part, ((index, said), one) in enumerate(zip(line, drawn, strict=True)):
                moves = moves or paragraph.pieces[index].slot >= 0
                if moves and said.strip():
                    operator = written[_position(one)]
                    hole = Hole(place, row, part, operator.y)
                    holes.append((operator.start, operator.end, hole))
    return holes


def fill(
    variant: Variant,
    paragraphs: Sequence[Paragraph],
    lines: list[list[list[Part]] | None],
    texts: Sequence[str],
    drawn_codes: Sequence[bytes],
    fixed: Sequence[bytes],
) -> list[bytes]:
    """The content of a paper in parts to be joined; `fixed` are the variant's, in one of its kinds.

    The first part is the same on every page of the variant.
    """
    out = [fixed[0]]
    set_lines: dict[tuple[int, int], list[tuple[float, bytes]]] = {}
    for hole, after in zip(variant.cuts, fixed[1:], strict=True):
        if isinstance(hole, int):
            out.append(drawn_codes[hole])
        else:
            key = hole.paragraph, hole.line
            line = set_lines.get(key)
            if line is None:
                line = set_lines[key] = _set_line(
                    paragraphs[hole.paragraph], lines[hole.paragraph], hole.line, texts
                )
            x, written = line[hole.part]
            out.append(b"BT\n1 0 0 -1 %s %s Tm\n%s\nET" % (number(x), hole.y, written))
        out.append(after)
    return out


def _set_line(
    paragraph: Paragraph,
    lines: list[list[Part]] | None,
    row: int,
    texts: Sequence[str],
) -> list[tuple[float, bytes]]:
    """Where each text of a line begins, and its operators."""
    set_: list[tuple[int, bytes]] = []
    if lines is None:
        set_ = [
            piece.face.set(texts[piece.slot]) if piece.slot >= 0 else (piece.units, piece.written)
            for piece in paragraph.pieces
        ]
    else:
        for index, text in lines[row]:
            piece = paragraph.pieces[index]
            whole = piece.slot < 0 and piece.label == text
            set_.append((piece.units, piece.written) if whole else piece.face.set(text))
    x = paragraph.left
    if paragraph.align:
        width = 0.0
        for units, _written in set_:
            width += units / UNITS
        x += paragraph.align * (paragraph.room - width)
    found = []
    for units, written in set_:
        found.append((x, written))
        x += units / UNITS
    return found
