"""Reading a workbook: the parser with its guards, and the whole door, against openpyxl."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import openpyxl

from app.core import sheet_worker
from app.core.sheets import Column, read_sheets, write_workbook

ROWS, COLUMNS = 10_000, 20


def _file() -> bytes:
    columns = [Column(f"Cột {place}") for place in range(COLUMNS)]
    return write_workbook(
        columns, ([f"Nguyễn Văn {n} {place}" for place in range(COLUMNS)] for n in range(ROWS))
    )


def _best(read: Callable[[], int]) -> float:
    times = []
    for _round in range(3):
        started = time.perf_counter()
        assert read() == ROWS + 1
        times.append(time.perf_counter() - started)
    return min(times)


def run() -> Iterator[dict[str, Any]]:
    """One list of 10,000 rows and 20 columns of words, three ways in turn."""
    data = _file()

    def openpyxls() -> int:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
        assert book.active is not None
        return len(list(book.active.iter_rows(values_only=True)))

    reference = _best(openpyxls)
    for name, read, target in (
        ("an .xlsx parsed, counted and checked", lambda: len(sheet_worker.read(data)[0][2]), 8.0),
        ("the same through a process of its own", lambda: len(read_sheets(data)[0].rows), 5.0),
    ):
        ratio = reference / _best(read)
        yield {
            "name": f"{name}, against openpyxl read-only",
            "value": round(ROWS / reference * ratio),
            "unit": "rows/s",
            "reference": round(ROWS / reference),
            "ratio": round(ratio, 1),
            "target": target,
            "ok": ratio >= target,
        }
