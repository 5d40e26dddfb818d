"""Bars that scanners read: compared with a reader of another maker."""

from __future__ import annotations

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from app.people.cards import code128


def painted(digits: str) -> Image.Image:
    image = Image.new("L", (code128.width_of(digits) * 3, 120), "white")
    draw, x = ImageDraw.Draw(image), code128.QUIET
    for is_dark, width in code128.modules(digits):
        if is_dark:
            draw.rectangle((x * 3, 0, (x + width) * 3 - 1, 119), fill="black")
        x += width
    return image


@pytest.mark.parametrize(
    "digits", ["384102556", "999999990", "100000007", "12", "00", "1234567890123", "98765432109876"]
)
def test_a_reader_reads_what_was_written(digits: str) -> None:
    (found,) = zxingcpp.read_barcodes(painted(digits))

    assert (found.format, found.text) == (zxingcpp.BarcodeFormat.Code128, digits)


def test_signs_are_those_of_the_standard() -> None:
    # Start C, 38 41 02 55 in pairs, to set B, 6, check value, stop.
    assert code128.values_of("384102556") == [105, 38, 41, 2, 55, 100, 22, 53, 106]


def test_every_sign_is_eleven_modules_wide_and_the_stop_thirteen() -> None:
    widths = [sum(map(int, sign)) for sign in code128._WIDTHS]

    assert widths == [11] * 106 + [13]
    assert len(set(code128._WIDTHS)) == 107


@pytest.mark.parametrize("text", ["", "12a", "-1", "١٢٣", "1 2"])
def test_only_digits_are_written(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        code128.values_of(text)
