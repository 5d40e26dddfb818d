"""QR pictures: always with the four quiet modules that readers need."""

from __future__ import annotations

import io
from html import escape
from typing import Final

import segno

QUIET: Final = 4
#: trying all eight masks takes most of the time, and any of them can be read
_MASK: Final = 3


def _make(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m", mask=_MASK, boost_error=False)


def svg(text: str, *, label: str, module_px: float = 4) -> str:
    """An inline SVG of the text as QR, dark on white; `label` is what a screen reader says."""
    rows = matrix(text)
    side = len(rows) + 2 * QUIET
    drawing = "".join(
        f"M{x + QUIET} {y + QUIET}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for x, length in _runs(row)
    )
    pixels = f"{side * module_px:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" role="img"'
        f' aria-label="{escape(label)}"'
        f' width="{pixels}" height="{pixels}" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path fill="#000" d="{drawing}"/></svg>'
    )


def png(text: str, scale: int = 8) -> bytes:
    """A PNG of the text as QR, `scale` pixels a module, dark on white."""
    out = io.BytesIO()
    _make(text).save(out, kind="png", scale=scale, border=QUIET, dark="#000", light="#fff")
    return out.getvalue()


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """The modules row by row, True for dark, without the quiet zone."""
    return tuple(tuple(bool(module) for module in row) for row in _make(text).matrix)


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for x, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == x:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((x, 1))
    return runs
