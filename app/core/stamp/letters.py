"""Setting text as WeasyPrint would write it: the same glyphs, widths and kerning numbers.

One page that shows the whole letter set in every weight gives the fonts, already cut and embedded
by WeasyPrint; its page is dropped and its font objects serve every stamped page. HarfBuzz shapes
pairs of letters, in the units Pango uses (1/1024 of a CSS pixel), and each pair is kept.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from markupsafe import escape

from app.core import press
from app.core.stamp.data import Unstampable
from app.core.stamp.objects import Family, draw, family_of, operators

#: what the figures' own font draws; blanks follow the sign before them
FIGURES: Final = frozenset("0123456789+\N{MINUS SIGN}")
BLANKS: Final = frozenset(" \N{NO-BREAK SPACE}")
#: letters stamped beyond ASCII: Vietnamese in both cases, marks of papers, highland names
_MORE: Final = (
    "ÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝàáâãèéêìíòóôõùúýĂăĐđĨĩŨũƠơƯư"
    + "".join(map(chr, range(0x1EA0, 0x1EFA)))
    + "ñČčŎŏĔĕĬĭŬŭ·×–—‘’“”…°ºª§₫©\N{MINUS SIGN}\N{NO-BREAK SPACE}"
)
_LETTERS: Final = "".join(chr(code) for code in range(0x21, 0x7F)) + _MORE
#: Pango's units in a CSS pixel
UNITS: Final = 1024
#: settings of text kept for each face; papers of a school repeat nearly all they say
_MOST_KEPT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Style:
    """A weight of the papers' fonts."""

    weight: int
    is_italic: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """One embedded font: its name in a page, its glyphs' widths, and what shapes it."""

    name: str
    widths: dict[int, int]
    shaper: Any
    letters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Letters:
    """The fonts of one set of style sheets, ready for a file, and their cuts by style."""

    #: by resource name
    families: dict[str, Family]
    #: for words and for figures
    cuts: dict[Style, tuple[Cut, Cut]]


@cache
def letters_of(sheets: tuple[str, ...], _version: str, styles: tuple[Style, ...]) -> Letters:
    """All letters in the styles named, as these sheets' fonts draw them."""
    import uharfbuzz

    known = _known(sheets)
    kept = "".join(letter for letter in _LETTERS if letter in known)
    words = "".join(letter for letter in kept if letter not in FIGURES and letter not in BLANKS)
    figures = "".join(sorted(FIGURES))
    html = "".join(
        f'<p style="font-weight:{style.weight};'
        f'font-style:{"italic" if style.is_italic else "normal"}">'
        f"<span>{escape(words)} \N{NO-BREAK SPACE}x</span>"
        f"<span>{figures} \N{NO-BREAK SPACE}0</span></p>"
        for style in styles
    )
    drawn = draw(
        f'<!doctype html><html lang="vi"><title>-</title><style>@page{{size:2000mm 2000mm}}'
        f"p{{white-space:nowrap}}</style>{html}",
        sheets,
        {},
    )
    fonts = {font.hash: font for font in drawn.fonts}
    cuts = {}
    texts = operators(drawn.pages[0].content)
    for style, (first, second) in zip(
        styles, zip(texts[::2], texts[1::2], strict=True), strict=True
    ):
        pair = []
        for text in (first, second):
            names = set(text.fonts)
            if len(names) != 1:
                raise Unstampable(f"letters of {style} come from several fonts")
            font = fonts[names.pop()]
            face = uharfbuzz.Face(drawn.file_of(font))
            pair.append(
                Cut(
                    font.hash,
                    dict(font.widths),
                    face,
                    frozenset(words + "".join(BLANKS)) if text is first else FIGURES | BLANKS,
                )
            )
        cuts[style] = (pair[0], pair[1])
    return Letters({name: family_of(drawn, name) for name in fonts}, cuts)


def _known(sheets: tuple[str, ...]) -> frozenset[str]:
    """The letters our own fonts have; any other would be drawn by a font of the machine."""
    import uharfbuzz

    fonts = press.static_folder() / "fonts" / "print"
    found: set[int] | None = None
    for file in sorted(fonts.glob("BeVietnamPro_*.ttf")):
        has = set(uharfbuzz.Face(file.read_bytes()).unicodes)
        found = has if found is None else found & has
    return frozenset(map(chr, found or ()))


class Face:
    """A style at a size: sets texts and keeps how."""

    def __init__(self, cuts: tuple[Cut, Cut], size_px: float) -> None:
        self.size_px = size_px
        #: the size as Pango keeps it and PDF prints it
        self.size = int(size_px * UNITS) / UNITS
        self._runs = (_Run(cuts[0], size_px, self.size), _Run(cuts[1], size_px, self.size))
        self._letters = cuts[0].letters | FIGURES
        self._kept: dict[str, tuple[int, bytes]] = {}

    def set(self, text: str) -> tuple[int, bytes]:
        """Width in units and operators of a text in one line."""
        found = self._kept.get(text)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[text] = self._set(text)
        return found

    def _set(self, text: str) -> tuple[int, bytes]:
        if not self._letters.issuperset(text):
            strange = sorted(set(text) - self._letters)
            raise Unstampable(f"U+{ord(strange[0]):04X} is not in the fonts of the form")
        if "  " in text:
            raise Unstampable("a text has two blanks in a row")
        if not text.isascii() and not unicodedata.is_normalized("NFC", text):
            raise Unstampable("a text is not in NFC")
        width, written = 0, []
        for is_figure, run in _runs_of(text):
            units, operator = self._runs[is_figure].set(run)
            width += units
            written.append(operator)
        return width, b"\n".join(written)


def _runs_of(text: str) -> list[tuple[bool, str]]:
    """Stretches of one font: figures with the blanks around them, and all else."""
    runs: list[tuple[bool, str]] = []
    start, is_figure, blanks = 0, text[0] in FIGURES, 0
    for place, letter in enumerate(text):
        if letter in BLANKS:
            blanks += 1
            continue
        if (letter in FIGURES) != is_figure:
            # Blanks between both kinds go with the figures.
            end = place if is_figure else place - blanks
            if end > start:
                runs.append((is_figure, text[start:end]))
            start, is_figure = end, not is_figure
        blanks = 0
    runs.append((is_figure, text[start:]))
    return runs


class _Run(dict[str, tuple[bytes, int]]):
    """By a letter and the one after it: its glyph with the kerning number, and its advance."""

    def __init__(self, cut: Cut, size_px: float, size: float) -> None:
        import uharfbuzz

        super().__init__()
        self.cut = cut
        self._size = size
        self._font = uharfbuzz.Font(cut.shaper)
        self._font.scale = (int(size_px * UNITS), int(size_px * UNITS))
        self._start = b"/%s %s Tf\n[<" % (cut.name.encode(), number(size))

    def set(self, run: str) -> tuple[int, bytes]:
        """Width and operators of a stretch."""
        last = len(run)
        set_ = [self[run[place : place + 2]] for place in range(last)]
        body = b"".join([glyph for glyph, _advance in set_])
        if body.endswith(b"<"):
            body = body[:-1]
        else:
            body += b">"
        return sum([advance for _glyph, advance in set_]), self._start + body + b"] TJ"

    def __missing__(self, pair: str) -> tuple[bytes, int]:
        shaped = self._shape(pair)
        glyph, advance = shaped[0]
        if len(pair) > 1 and shaped[1][0] != self._shape(pair[1])[0][0]:
            raise Unstampable(f"the letters {pair!r} change one another")
        kerning = int(self.cut.widths[glyph] - advance * 1000 / UNITS / self._size)
        self[pair] = found = (
            (b"%04x>%d<" % (glyph, kerning) if kerning else b"%04x" % glyph),
            advance,
        )
        return found

    def _shape(self, letters: str) -> list[tuple[int, int]]:
        import uharfbuzz

        buffer = uharfbuzz.Buffer()
        buffer.add_str(letters)
        buffer.direction, buffer.script, buffer.language = "ltr", "Latn", "vi"
        uharfbuzz.shape(self._font, buffer, {"liga": False, "clig": False})
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        if len(infos) != len(letters) or any(p.x_offset or p.y_offset for p in places):
            raise Unstampable(f"the letters {letters!r} are drawn as one or moved")
        return [(i.codepoint, p.x_advance) for i, p in zip(infos, places, strict=True)]


def number(value: float) -> bytes:
    """A number as pydyf prints it."""
    if value == int(value):
        return b"%d" % value
    return (b"%f" % value).rstrip(b"0")
