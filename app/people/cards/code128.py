"""Code 128 of a pupil code: digits in pairs (set C), a last odd digit in set B."""

from __future__ import annotations

from typing import Final

#: bar and gap widths of the values 0 to 106 (ISO/IEC 15417); the last one is the stop sign
_WIDTHS: Final = [
    "212222",
    "222122",
    "222221",
    "121223",
    "121322",
    "131222",
    "122213",
    "122312",
    "132212",
    "221213",
    "221312",
    "231212",
    "112232",
    "122132",
    "122231",
    "113222",
    "123122",
    "123221",
    "223211",
    "221132",
    "221231",
    "213212",
    "223112",
    "312131",
    "311222",
    "321122",
    "321221",
    "312212",
    "322112",
    "322211",
    "212123",
    "212321",
    "232121",
    "111323",
    "131123",
    "131321",
    "112313",
    "132113",
    "132311",
    "211313",
    "231113",
    "231311",
    "112133",
    "112331",
    "132131",
    "113123",
    "113321",
    "133121",
    "313121",
    "211331",
    "231131",
    "213113",
    "213311",
    "213131",
    "311123",
    "311321",
    "331121",
    "312113",
    "312311",
    "332111",
    "314111",
    "221411",
    "431111",
    "111224",
    "111422",
    "121124",
    "121421",
    "141122",
    "141221",
    "112214",
    "112412",
    "122114",
    "122411",
    "142112",
    "142211",
    "241211",
    "221114",
    "413111",
    "241112",
    "134111",
    "111242",
    "121142",
    "121241",
    "114212",
    "124112",
    "124211",
    "411212",
    "421112",
    "421211",
    "212141",
    "214121",
    "412121",
    "111143",
    "111341",
    "131141",
    "114113",
    "114311",
    "411113",
    "411311",
    "113141",
    "114131",
    "311141",
    "411131",
    "211412",
    "211214",
    "211232",
    "2331112",
]
_START_C: Final = 105
_TO_B: Final = 100
_STOP: Final = 106
#: empty modules a reader needs on each side
QUIET: Final = 10


def values_of(digits: str) -> list[int]:
    """The sign values from start to stop, check value included; digits only."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("only digits are written in this code")
    even = len(digits) - len(digits) % 2
    values = [_START_C, *(int(digits[place : place + 2]) for place in range(0, even, 2))]
    if even < len(digits):
        values += [_TO_B, ord(digits[-1]) - 32]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    return [*values, check, _STOP]


def modules(digits: str) -> list[tuple[bool, int]]:
    """Bars and gaps in order, (is dark, width in modules), without the quiet zone."""
    widths = "".join(_WIDTHS[value] for value in values_of(digits))
    return [(place % 2 == 0, int(width)) for place, width in enumerate(widths)]


def width_of(digits: str) -> int:
    """Modules from edge to edge, the quiet zone on both sides included."""
    return sum(width for _dark, width in modules(digits)) + 2 * QUIET


def path(digits: str) -> str:
    """The bars as an SVG path one unit high, the quiet zone on both sides included."""
    drawn, x = [], QUIET
    for is_dark, width in modules(digits):
        if is_dark:
            drawn.append(f"M{x} 0h{width}v1h-{width}z")
        x += width
    return "".join(drawn)
