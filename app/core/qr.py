"""QR pictures: always with the four quiet modules that readers need."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
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


# Many codes. With version, mask and length fixed a QR is an affine function of its text over the
# field of two elements (ISO/IEC 18004: places, error correction and mask are linear), so a code
# follows from others by XOR. Those others are the first ones asked for; nothing is made in vain.

_ALPHANUMERIC: Final = {
    sign: value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
}


@dataclass(frozen=True, slots=True)
class Modules:
    """A code as bits, row by row from the upper left, the last module lowest; 1 is dark."""

    side: int
    bits: int


class _Kind:
    """All codes of one mode and length."""

    def __init__(self, bits: int, made: Modules) -> None:
        self.first_text, self.first, self.side = bits, made.bits, made.side
        #: by highest bit of the text's difference: the difference above that of the modules
        self.basis: dict[int, int] = {}

    def rest(self, bits: int) -> int:
        """The difference to the first code, as far as known codes do not explain it."""
        width = self.side * self.side
        left = (bits ^ self.first_text) << width
        while left >> width:
            known = self.basis.get(left.bit_length())
            if known is None:
                return left
            left ^= known
        return left


_kinds: dict[tuple[str, int], _Kind] = {}


def press(text: str) -> Modules:
    """The same modules as `matrix`, a hundred times as fast once some codes were made."""
    return _press(text)


@lru_cache(maxsize=256)
def _press(text: str) -> Modules:
    mode, bits = _bits_of(text)
    if not mode:
        return _made(text)
    kind = _kinds.get((mode, len(text)))
    if kind is None:
        made = _made(text)
        _kinds[mode, len(text)] = _Kind(bits, made)
        return made
    left = kind.rest(bits)
    width = kind.side * kind.side
    if not left >> width:
        return Modules(kind.side, kind.first ^ left)
    made = _made(text)
    # `left` holds the known differences XORed together; with the true one it is a new one.
    kind.basis[left.bit_length()] = left ^ made.bits ^ kind.first
    return made


def _made(text: str) -> Modules:
    rows = matrix(text)
    return Modules(len(rows), int("".join("1" if dark else "0" for row in rows for dark in row), 2))


def _bits_of(text: str) -> tuple[str, int]:
    """Mode and message bits as segno chooses and packs them; other modes are not pressed."""
    if text.isdigit() or not text.isascii():
        return "", 0
    values = [_ALPHANUMERIC.get(sign, -1) for sign in text]
    if min(values) < 0:
        return "byte", int.from_bytes(text.encode(), "big")
    bits = 0
    for place in range(0, len(values) - 1, 2):
        bits = bits << 11 | values[place] * 45 + values[place + 1]
    return "alphanumeric", bits << 6 | values[-1] if len(values) % 2 else bits
