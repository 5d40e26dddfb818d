"""What differs from one paper to the next, marked so that nothing else can.

A view is what a template shows: dataclasses and tuples of constants with data in some places. Its
*shape* is the same view without the data. Papers of one shape share a layout, so a datum that went
into a template unmarked would be printed on the paper of somebody else. A `Datum` therefore is no
string: a template can show it and do nothing else with it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Final

from markupsafe import Markup

from app.core import qr

_SHOWN: Final = Markup('<span data-slot="{}">{}</span>')


class Unstampable(Exception):
    """A paper, or a whole form, that WeasyPrint has to print; the text says why."""


class TooLong(Unstampable):
    """A view that takes more than its page; planned with less on it, it may be stamped."""


class Datum:
    """A text of one paper: shown as an element of its own, never empty."""

    __slots__ = ("place", "shown", "text")

    def __init__(self, text: str) -> None:
        self.text = self.shown = text
        self.place = 0

    def __html__(self) -> Markup:
        return _SHOWN.format(self.place, self.shown)

    def __str__(self) -> str:
        raise TypeError("a datum can be shown on a paper, and nothing else")


class Code:
    """A QR of one paper: `<img src="picture:{{ code.name }}" data-slot>`; `side` is in modules."""

    __slots__ = ("place", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    @property
    def side(self) -> int:
        """Modules of one side, without the quiet zone."""
        return qr.press(self.text).side

    @property
    def name(self) -> str:
        """What the picture is called in the page."""
        return f"code{self.place}"


@dataclass(frozen=True, slots=True)
class Together:
    """Views that share one page, each laid out as if it were alone there; untagged files only."""

    views: tuple[Any, ...]


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))


def split(view: Any) -> tuple[Any, list[Datum], list[Code]]:
    """Shape, data and codes of a view, numbered in their order; the shape can be a key."""
    data: list[Datum] = []
    codes: list[Code] = []

    def shape(part: Any) -> Any:
        kind = type(part)
        if kind is Datum:
            part.place = len(data)
            data.append(part)
            return Datum
        if kind is tuple:
            return tuple([shape(one) for one in part])
        if kind is Code:
            part.place = len(codes)
            codes.append(part)
            return Code, part.side
        if kind is str or kind is bool or kind is int or part is None:
            return part
        if is_dataclass(kind):
            return (kind, *[shape(getattr(part, name)) for name in _names(kind)])
        raise TypeError(f"{kind.__name__} cannot be part of a paper")

    return shape(view), data, codes
