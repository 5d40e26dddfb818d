"""The month of a whole area against the same rows written raw, and against a loop of commits.

36 schools of 1,000 children, 8 lines each: preview and issue, with requests, events, entries and
audit. Raw is what a database takes when the rows are ready: `executemany` on SQLite, COPY on
PostgreSQL, into the same tables with their keys and guards (facts: performance, section 2). The
loop is how a peer writes bills: one INSERT and one COMMIT a row.
"""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from app.core import scope
from app.core.db import is_sqlite, rows, scalar, transaction
from app.core.model import db
from app.core.period import Period
from app.money import billing
from bench.ground import EARLY, LINES, MONTHS, Ground, area
from tests import postgres
from tests.factories.schools import ACCOUNTANT

SCHOOLS, CHILDREN = 36, 1_000
DUE = date(2026, 11, 30)
#: rows of the loop; the rest would only take longer
LOOPED = 2_000
#: schools whose rows are written raw for comparison, and one whose rows are looped over
WRITTEN_RAW = 7
TARGETS = {"raw": 0.8, "loop": 20.0, "empty": 1.5, "memory": 1.5}

#: Every column of what a run writes, in the order of the keys.
_WRITTEN = (
    ("invoices", "v", "v.run_id = :run"),
    ("invoice_lines", "v", "v.run_id = :run"),
    (
        "ledger_events",
        "v",
        (
            "v.cause_kind = 'invoice' and v.kind = 'invoice_issued' and v.cause_id in"
            " (select i.id from invoices i where i.school_id = v.school_id and i.run_id = :run)"
        ),
    ),
    (
        "entries",
        "v",
        (
            "v.event_id in (select w.id from ledger_events w join invoices i"
            " on i.school_id = w.school_id and i.id = w.cause_id where w.school_id = v.school_id"
            " and w.cause_kind = 'invoice' and w.kind = 'invoice_issued' and i.run_id = :run)"
        ),
    ),
)


def _run(grounds: Sequence[Ground], period: Period) -> tuple[float, float, list[int]]:
    """Seconds of previews and of issues, and the runs."""
    previews = issues = 0.0
    runs = []
    for ground in grounds:
        with scope.opened(scope.one_school(ground.school.id)):
            started = time.perf_counter()
            shown = billing.preview(ground.school.id, period)
            assert shown.count == CHILDREN
            previews += time.perf_counter() - started
            started = time.perf_counter()
            with transaction():
                run_id = billing.draft_run(
                    ground.school.id, period, due_on=DUE, actor=ACCOUNTANT, now=EARLY
                )
                issued = billing.issue_run(ground.school.id, run_id, actor=ACCOUNTANT, now=EARLY)
            assert issued.lines == CHILDREN * LINES
            issues += time.perf_counter() - started
            runs.append(run_id)
    return previews, issues, runs


class _Rows:
    """The rows a run wrote, as ready tuples, moved to another month and to free keys."""

    def __init__(self, ground: Ground, run_id: int, period: Period, to_run: int) -> None:
        self.tables: list[tuple[str, list[str], list[tuple[Any, ...]]]] = []
        moved: dict[str, dict[int, int]] = {}
        for table, alias, where in _WRITTEN:
            names = [column.name for column in db.metadata.tables[table].columns]
            free = int(scalar(f"select coalesce(max(id), 0) from {table}"))
            found = rows(
                f"select {', '.join(names)} from {table} {alias}"
                f" where {alias}.school_id = :school_id and {where} order by id",
                school_id=ground.school.id,
                run=run_id,
            )
            keys = moved[table] = {old.id: free + n for n, old in enumerate(found, 1)}
            points = {
                "invoice_id": moved.get("invoices", {}),
                "cause_id": moved.get("invoices", {}),
                "event_id": moved.get("ledger_events", {}),
                "invoice_line_id": moved.get("invoice_lines", {}),
            }
            values = []
            for old in found:
                row = dict(zip(names, old, strict=True))
                row["id"] = keys[old.id]
                for name, to in points.items():
                    if name in row:
                        row[name] = to[row[name]]
                for name in ("billed_period", "service_period"):
                    if name in row:
                        row[name] = period.number
                if "run_id" in row:
                    row["run_id"] = to_run
                values.append(tuple(row.values()))
            self.tables.append((table, names, values))

    @property
    def count(self) -> int:
        return sum(len(values) for _table, _names, values in self.tables)

    def write(self) -> float:
        """Seconds to write them raw, in one transaction."""
        started = time.perf_counter()
        with transaction():
            raw = db.session.connection().connection.driver_connection
            assert raw is not None
            for table, names, values in self.tables:
                columns = ", ".join(names)
                if is_sqlite():
                    marks = ", ".join("?" * len(names))
                    raw.executemany(f"insert into {table} ({columns}) values ({marks})", values)
                    continue
                with (
                    raw.cursor() as cursor,
                    cursor.copy(f"copy {table} ({columns}) from stdin") as copy,
                ):
                    for row in values:
                        copy.write_row(row)
        return time.perf_counter() - started

    def loop(self, most: int) -> tuple[float, int]:
        """Seconds of one INSERT and one COMMIT a row, and how many rows."""
        written = 0
        db.session.rollback()
        raw = db.engine.raw_connection()
        started = time.perf_counter()
        cursor = raw.cursor()
        for table, names, values in self.tables:
            mark = "?" if is_sqlite() else "%s"
            sql = (
                f"insert into {table} ({', '.join(names)})"
                f" values ({', '.join([mark] * len(names))})"
            )
            # All tables are in the order of the bills: the same bills of each.
            for row in values[: most * CHILDREN // self.count * (len(values) // CHILDREN)]:
                cursor.execute(sql, row)
                raw.commit()
                written += 1
        seconds = time.perf_counter() - started
        raw.close()
        return seconds, written


def _measure(engine: str, grounds: Sequence[Ground]) -> Iterator[dict[str, Any]]:
    _previews, empty, _runs = _run(grounds, MONTHS[0])
    early = _peak()
    previews, issues, runs = _run(grounds, MONTHS[1])
    late = _peak()
    raw = looped = 0.0
    written = loops = 0
    # The reference is the same for every school, and takes long to lay ready: some are enough.
    some = list(zip(grounds, runs, strict=True))[-WRITTEN_RAW:]
    for ground, run_id in some:
        with scope.opened(scope.one_school(ground.school.id)):
            with transaction():
                to_run = billing.draft_run(
                    ground.school.id, MONTHS[2], due_on=DUE, actor=ACCOUNTANT, now=EARLY
                )
            ready = _Rows(ground, run_id, MONTHS[2], to_run)
            if ground is grounds[-1]:
                looped, loops = ready.loop(LOOPED)
            else:
                raw += ready.write()
                written += ready.count
    mine = previews + issues
    per_row, raw_row, loop_row = (
        mine / (written / (len(some) - 1) * len(grounds)),
        raw / written,
        looped / loops,
    )
    yield _line(f"against the same rows raw, {engine}", per_row, raw_row, TARGETS["raw"])
    yield _line(
        f"against one INSERT and COMMIT a row, {engine}", per_row, loop_row, TARGETS["loop"]
    )
    yield {
        "name": f"issue on empty tables against filled ones, {engine}",
        "value": round(empty, 2),
        "unit": "s",
        "reference": round(issues, 2),
        "ratio": round(empty / issues, 2),
        "target": TARGETS["empty"],
        "ok": empty / issues <= TARGETS["empty"],
    }
    yield {
        "name": f"peak memory after a second month against the first, {engine}",
        "value": round(late),
        "unit": "MB",
        "reference": round(early),
        "ratio": round(late / early, 2),
        "target": TARGETS["memory"],
        "ok": late / early <= TARGETS["memory"],
    }


def _line(name: str, mine: float, reference: float, target: float) -> dict[str, Any]:
    return {
        "name": f"area's month, {SCHOOLS * CHILDREN * LINES} lines, preview and issue, {name}",
        "value": round(1 / mine),
        "unit": "rows/s",
        "reference": round(1 / reference),
        "ratio": round(reference / mine, 2),
        "target": target,
        "ok": reference / mine >= target,
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run() -> Iterator[dict[str, Any]]:
    """On SQLite, and on PostgreSQL where it can run."""
    with area(SCHOOLS, CHILDREN) as grounds:
        yield from _measure("SQLite", grounds)
    with contextlib.suppress(postgres.CannotRun):
        server = postgres.start()
        try:
            with area(SCHOOLS, CHILDREN, server.create_database("bench")) as grounds:
                yield from _measure("PostgreSQL", grounds)
        finally:
            server.stop()
