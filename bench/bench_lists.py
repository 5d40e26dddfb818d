"""A list of pupils rehearsed and taken at once, against the same rows one list at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from app.core.db import transaction
from app.people.lists.columns import Kind
from app.people.lists.headers import find_head
from app.people.lists.reading import Grid, PupilRow, pupil_rows
from app.people.lists.register import read_register
from app.people.lists.rehearsal import Term, rehearse
from app.people.lists.taking import Taking, take_pupils
from app.people.schools import Level
from bench.ground import EARLY, standing
from bench.people_list import HEADS, pupils
from tests.factories.schools import ACCOUNTANT

CHILDREN = 1200
SINGLE = 60
DAY = date(2026, 9, 3)


def _take(school_id: int, year_id: int, rows: list[PupilRow], size: int) -> float:
    """Rows a second, each portion a rehearsal and a take of its own."""
    term = Term(DAY, DAY, date(2026, 9, 1), date(2027, 5, 31))
    taking = Taking(school_id, year_id, DAY, "danh sách", ACCOUNTANT, EARLY)
    started = time.perf_counter()
    for start in range(0, len(rows), size):
        with transaction():
            register = read_register(school_id, year_id, DAY)
            done = rehearse(register, rows[start : start + size], term=term)
            opening = {place.name for place, _rows in done.to_open.values()}
            take_pupils(done, opening, taking)
    return len(rows) / (time.perf_counter() - started)


def run() -> Iterator[dict[str, Any]]:
    """Most of the rows as one list, the last few one by one."""
    with standing(40) as ground:
        lines = list(pupils([(ground.school.code, Level.PRIMARY)], CHILDREN))
        head = find_head([list(HEADS), *lines], Kind.PUPILS)
        assert head is not None
        grid = Grid(head.titles, [("", n, line) for n, line in enumerate(lines, start=2)])
        rows = list(pupil_rows(grid, head.mapping, today=DAY))
        batch = _take(ground.school.id, ground.school.year_id, rows[:-SINGLE], CHILDREN)
        single = _take(ground.school.id, ground.school.year_id, rows[-SINGLE:], 1)
    yield {
        "name": "pupils of a list rehearsed and taken at once against one by one",
        "value": round(batch),
        "unit": "rows/s",
        "reference": round(single),
        "ratio": round(batch / single, 1),
        "target": 20.0,
        "ok": batch / single >= 20,
    }
