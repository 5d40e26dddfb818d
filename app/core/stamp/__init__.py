"""Stamped printing: WeasyPrint lays a form out once, the data of thousands of papers go into it.

A stamped page is the content stream WeasyPrint would write for it, not a layer on a blank form:
all but the texts that differ is kept byte for byte, and those are written with the letters,
widths and kerning WeasyPrint writes. What cannot be written so for certain (a letter outside the
fonts, a text that breaks elsewhere than at a blank, more than one page) goes through WeasyPrint.

`data` marks what differs from paper to paper; `letters` sets text; `forms` reads a layout and cuts
it; `book` writes the file; `engine` puts papers through them, in their order.
"""

from __future__ import annotations

from app.core.stamp.data import Code, Datum, Together, Unstampable, split
from app.core.stamp.engine import Engine, Report, Run, pictures_of
from app.core.stamp.letters import Style

__all__ = [
    "Code",
    "Datum",
    "Engine",
    "Report",
    "Run",
    "Style",
    "Together",
    "Unstampable",
    "pictures_of",
    "split",
]
