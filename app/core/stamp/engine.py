"""Putting papers through a form: stamped where that is certain, by WeasyPrint where it is not."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

from app.core import press, qr
from app.core.stamp import forms
from app.core.stamp.book import DOCUMENT, Book, Sheet
from app.core.stamp.data import Code, Datum, Together, TooLong, Unstampable, split
from app.core.stamp.letters import Letters, Style, letters_of
from app.core.stamp.objects import Drawn, draw, drawn_of, pictures
from app.core.stamp.structure import Structure, structure_of

log = logging.getLogger("sothu.stamp")

#: the mark that stands for a datum while a shape is learned
_MARK: Final = "Xx"
#: so often a stamped page is compared with WeasyPrint's own, beside the second of every shape
_CHECK_EVERY: Final = 1_000
#: share of papers that could not be stamped from which somebody should look why
_WORTH_A_WORD: Final = 0.02
#: layouts kept in a process, and ways to break the lines of one; the oldest go first
_MOST_SHAPES: Final = 300
_MOST_VARIANTS: Final = 60


@dataclass(slots=True)
class _Shape:
    """What is known of the papers of one shape."""

    paragraphs: list[forms.Paragraph] = field(default_factory=list)
    variants: dict[Any, forms.Variant] = field(default_factory=dict)
    #: line breaks with which a page is too long, or whether it always is
    too_long: set[Any] = field(default_factory=set)
    is_too_long: bool = False
    #: why no paper of this shape can be stamped
    refused: str = ""
    is_checked: bool = False


class Engine:
    """One form. `html` makes the page of some views; a process keeps what it learned of a form.

    Kept are layouts and texts all papers of a shape share, never what a paper says.
    """

    def __init__(
        self,
        html: Callable[[Sequence[Any]], str],
        sheets: tuple[str, ...],
        styles: tuple[Style, ...],
    ) -> None:
        self._html = html
        self._sheets = sheets
        self._styles = styles
        self._shapes: dict[Any, _Shape] = {}
        self._letters: Letters | None = None
        self._faces: forms.FaceShelf | None = None
        self._since_check = 0

    @property
    def letters(self) -> Letters:
        """The form's fonts."""
        if self._letters is None:
            self._letters = letters_of(self._sheets, press.version(), self._styles)
        return self._letters

    @property
    def faces(self) -> forms.FaceShelf:
        """The form's fonts in the sizes it uses."""
        if self._faces is None:
            self._faces = forms.FaceShelf(self.letters.cuts)
        return self._faces

    def known_shapes(self) -> list[tuple[Any, _Shape]]:
        """What is kept, for whoever wants to look into it."""
        return list(self._shapes.items())

    def sheet(self, view: Any, *, tagged: bool) -> tuple[Sheet, bytes]:
        """The stamped page of a view, and the graphic states it names; raises Unstampable."""
        shape_key, data, codes = split(view)
        shape = self._shapes.get(shape_key)
        if shape is None:
            _make_room(self._shapes, _MOST_SHAPES)
            shape = self._shapes[shape_key] = self._learn(view, data, codes)
        if shape.is_too_long:
            raise TooLong("a view takes more than a page")
        if shape.refused:
            raise Unstampable(shape.refused)
        texts = [datum.text for datum in data]
        if any(text[:1].isspace() or text[-1:].isspace() for text in texts):
            raise Unstampable("a text begins or ends with a blank")
        lines = [forms.lines_of(paragraph, texts) for paragraph in shape.paragraphs]
        key = forms.signature(lines, shape.paragraphs)
        variant = shape.variants.get(key)
        drawn_codes = [inline(code.text) for code in codes]
        cut_from: bytes | None = None
        if variant is None:
            if key in shape.too_long:
                raise TooLong("a view takes more than a page")
            try:
                variant, cut_from = self._cut(view, shape, lines, data, codes)
            except TooLong:
                shape.too_long.add(key)
                raise
            _make_room(shape.variants, _MOST_VARIANTS)
            shape.variants[key] = variant
        fixed = variant.tagged if tagged else variant.untagged
        parts = forms.fill(variant, shape.paragraphs, lines, texts, drawn_codes, fixed)
        self._since_check += 1
        if cut_from is not None or not shape.is_checked or self._since_check >= _CHECK_EVERY:
            shape.is_checked = cut_from is None
            self._since_check = 0
            content = cut_from or self._draw(view, codes).pages[0].content
            whole = forms.fill(variant, shape.paragraphs, lines, texts, drawn_codes, variant.fixed)
            self._check(shape, content, b"".join(whole), drawn_codes)
        own = b"".join(parts[1:])
        return Sheet(variant.media, parts[0], own, variant.structure), variant.states

    def _learn(self, view: Any, data: list[Datum], codes: list[Code]) -> _Shape:
        shape = _Shape()
        for datum in data:
            datum.shown = _MARK
        try:
            drawn = self._draw(view, codes)
            shape.paragraphs = forms.learn(drawn.pages[0], self.faces)
            slots = sorted(
                piece.slot
                for paragraph in shape.paragraphs
                for piece in paragraph.pieces
                if piece.slot >= 0
            )
            if slots != list(range(len(data))):
                raise Unstampable("the template does not show every datum once")
        except TooLong:
            shape.is_too_long = True
        except Unstampable as refusal:
            log.warning("a form is printed without stamping: %s", refusal)
            shape.refused = str(refusal)
        finally:
            for datum in data:
                datum.shown = datum.text
        return shape

    def _cut(
        self, view: Any, shape: _Shape, lines: Any, data: list[Datum], codes: list[Code]
    ) -> tuple[forms.Variant, bytes]:
        drawn = self._draw(view, codes)
        page = drawn.pages[0]
        structure = structure_of(drawn, page, DOCUMENT)
        variant = forms.cut(page, shape.paragraphs, lines, data, codes, structure)
        return variant, page.content

    def _draw(self, view: Any, codes: list[Code]) -> Drawn:
        drawn = draw(self._html([view]), self._sheets, pictures_of(codes))
        # A layout is a web of cycles; left to itself it stays for many papers.
        gc.collect()
        if len(drawn.pages) != 1:
            raise TooLong("a view takes more than a page")
        return drawn

    def _check(
        self, shape: _Shape, content: bytes, stamped: bytes, drawn_codes: Sequence[bytes]
    ) -> None:
        """Compare with WeasyPrint's own page; a difference ends stamping of the shape."""
        for (_name, start, end), code in reversed(
            list(zip(pictures(content), drawn_codes, strict=True))
        ):
            content = content[:start] + code + content[end:]
        if content != stamped:
            shape.refused = "stamped pages of this shape differ from WeasyPrint's"
            log.error(shape.refused)
            raise Unstampable(shape.refused)


def _make_room(kept: dict[Any, Any], most: int) -> None:
    while len(kept) >= most:
        kept.pop(next(iter(kept)))


def pictures_of(codes: Sequence[Code]) -> Mapping[str, bytes]:
    """The codes of a view as pictures of a page, a pixel a module."""
    return {code.name: qr.png(code.text, scale=1) for code in codes}


def inline(text: str) -> bytes:
    """A QR as an inline image with its quiet zone: one bit a module, in hexadecimal digits.

    Raw bytes could hold the two letters that end an image.
    """
    modules = qr.press(text)
    side = modules.side + 2 * qr.QUIET
    width = (side + 7) // 8 * 8
    whole = (1 << width) - 1
    shift = width - qr.QUIET - modules.side
    row_mask = (1 << modules.side) - 1
    empty = b"%0*x" % (width // 4, whole)
    rows = [empty] * qr.QUIET
    for row in range(modules.side - 1, -1, -1):
        dark = modules.bits >> row * modules.side & row_mask
        rows.append(b"%0*x" % (width // 4, whole ^ dark << shift))
    rows += [empty] * qr.QUIET
    return b"BI /W %d/H %d/BPC 1/CS/G/F/AHx ID %s> EI" % (side, side, b"".join(rows))


@dataclass(slots=True)
class Report:
    """What a run printed: pages, how many papers were stamped, and why others were not."""

    pages: int = 0
    stamped: int = 0
    refused: Counter[str] = field(default_factory=Counter)


class Run:
    """One file being printed: `add` each paper, then `close`.

    `plan` gives a paper's pages, with less on each page the higher its number is, up to `tries`;
    `fall_back` lays out a paper that cannot be stamped.
    """

    def __init__(
        self,
        engine: Engine,
        file: IO[bytes],
        *,
        title: str,
        tagged: bool,
        plan: Callable[[Any, int], Sequence[Any]],
        tries: int,
        fall_back: Callable[[Any], press.Document],
    ) -> None:
        self._engine = engine
        self._tagged = tagged
        self._plan = plan
        self._tries = tries
        self._fall_back = fall_back
        self._book = Book(file, engine.letters, title=title, tagged=tagged)
        self.report = Report()

    def add(self, paper: Any) -> None:
        """Print a paper of one or more pages."""
        try:
            sheets = self._stamp(paper)
        except Unstampable as refusal:
            self.report.refused[str(refusal)] += 1
            self._draw(paper)
            return
        for page in sheets:
            for _sheet, states in page:
                self._book.learn_states(states)
            self._book.add([sheet for sheet, _states in page])
        self.report.stamped += 1

    def _stamp(self, paper: Any) -> list[list[tuple[Sheet, bytes]]]:
        for number in range(self._tries):
            try:
                return [self._page(view) for view in self._plan(paper, number)]
            except TooLong:
                continue
        raise TooLong("a paper takes more pages than planned")

    def _page(self, view: Any) -> list[tuple[Sheet, bytes]]:
        if not isinstance(view, Together):
            return [self._engine.sheet(view, tagged=self._tagged)]
        if self._tagged:
            raise Unstampable("views that share a page have no common structure")
        return [self._engine.sheet(one, tagged=False) for one in view.views]

    def _draw(self, paper: Any) -> None:
        drawn = drawn_of(self._fall_back(paper))
        structures: list[Structure | None] = [
            structure_of(drawn, page, DOCUMENT) for page in drawn.pages
        ]
        self._book.add_drawn(drawn, structures)
        gc.collect()

    def close(self) -> Report:
        """End the file; says in the log when many papers could not be stamped."""
        self.report.pages = self._book.close()
        refused = self.report.refused.total()
        if refused > _WORTH_A_WORD * (refused + self.report.stamped):
            log.warning("%s papers were not stamped: %s", refused, dict(self.report.refused))
        return self.report
