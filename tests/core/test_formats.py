"""Days and moments as people here read them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from app.core import formats

AFTER_MIDNIGHT_HERE = datetime(2026, 11, 26, 17, 35, 39, tzinfo=UTC)


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        (formats.day, "27/11/2026"),
        (formats.moment, "27/11/2026 00:35"),
        (formats.clock_time, "00:35:39"),
        (formats.weekday, "Thứ Sáu 27/11/2026"),
    ],
)
def test_a_moment_late_in_the_evening_of_utc_is_the_next_day_here(
    app: Flask, show: object, expected: str
) -> None:
    with app.test_request_context():
        assert callable(show)
        assert show(AFTER_MIDNIGHT_HERE) == expected


def test_a_day_keeps_its_weekday(app: Flask) -> None:
    with app.test_request_context():
        assert formats.weekday(date(2026, 11, 30)) == "Thứ Hai 30/11/2026"
