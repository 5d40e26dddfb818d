"""QR pictures: the same modules in every format, the quiet zone never missing."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable

import pytest
import segno
from PIL import Image

from app.core.qr import QUIET, matrix, png, press, svg

TEXT = (
    "00020101021238540010A00000072701240006970436011010123456780208QRIBFTTA"
    "530370454064500005802VN62130809HP7K3M9Q56304FD93"
)


@pytest.mark.parametrize(
    "text", ["1", TEXT, "https://example.vn/check/K7QW2MDX", "Trường Sao Biển"]
)
def test_the_modules_are_those_of_the_standard(text: str) -> None:
    rows = matrix(text)
    standard = segno.make_qr(text, error="m", mask=3, boost_error=False)
    assert [[int(module) for module in row] for row in rows] == [list(r) for r in standard.matrix]
    # the three corner eyes
    for top, left in ((0, 0), (0, len(rows) - 7), (len(rows) - 7, 0)):
        assert all(rows[top][left : left + 7]) and not any(rows[top + 1][left + 1 : left + 6])


def _painted(drawing: str, side: int) -> list[list[bool]]:
    field = [[False] * side for _ in range(side)]
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", drawing):
        for place in range(int(length)):
            field[int(y)][int(x) + place] = True
    return field


def test_the_svg_paints_exactly_the_modules_inside_a_quiet_zone() -> None:
    rows = matrix(TEXT)
    side = len(rows) + 2 * QUIET
    drawn = svg(TEXT, label="Pay", module_px=5)
    assert f'viewBox="0 0 {side} {side}"' in drawn
    assert f'width="{side * 5}"' in drawn
    painted = _painted(drawn.split('fill="#000"')[1], side)
    assert [row[QUIET:-QUIET] for row in painted[QUIET:-QUIET]] == [list(row) for row in rows]
    assert sum(map(sum, painted)) == sum(map(sum, rows))


def test_the_svg_has_a_name_and_no_way_out_of_it() -> None:
    drawn = svg("1", label='QR "<b>" & more', module_px=2.5)
    assert 'role="img" aria-label="QR &quot;&lt;b&gt;&quot; &amp; more"' in drawn
    assert "<b>" not in drawn


def test_the_png_paints_exactly_the_modules_inside_a_quiet_zone() -> None:
    rows = matrix(TEXT)
    side = len(rows) + 2 * QUIET
    with Image.open(io.BytesIO(png(TEXT, 3))) as picture:
        assert picture.size == (side * 3, side * 3)
        grey = picture.convert("L")
        painted = [
            [grey.getpixel((x * 3 + 1, y * 3 + 1)) == 0 for x in range(side)] for y in range(side)
        ]
    assert [row[QUIET:-QUIET] for row in painted[QUIET:-QUIET]] == [list(row) for row in rows]
    assert sum(map(sum, painted)) == sum(map(sum, rows))


def _links(choose: random.Random) -> str:
    signs = "".join(choose.choice("ABCDEFGHJKMNPQRSTVWXYZ23456789") for _ in range(8))
    return f"https://sothu.example.vn/check/{signs}"


def _transfers(choose: random.Random) -> str:
    amount = choose.randrange(1_000, 10**8)
    purpose = f"HP{choose.randrange(10**7):07d}"
    return f"{TEXT[:70]}5303704540{len(str(amount))}{amount}5802VN62130809{purpose}6304FD93"


def _odd(choose: random.Random) -> str:
    return choose.choice(("12345", "Trường", "a", "A")) * choose.randint(1, 3)


@pytest.mark.parametrize("kind", [_links, _transfers, _odd])
def test_a_pressed_code_has_the_very_modules_of_one_made_alone(
    kind: Callable[[random.Random], str],
) -> None:
    choose = random.Random(4)
    for _ in range(250):
        text = kind(choose)
        rows = matrix(text)
        pressed = press(text)
        assert pressed.side == len(rows)
        dark = f"{pressed.bits:0{pressed.side**2}b}"
        assert dark == "".join(str(int(module)) for row in rows for module in row), text
