"""A statement of 36,000 rows: read, kept, planned and posted, each against the plain way."""

from __future__ import annotations

import contextlib
import io
import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import openpyxl

from app.core import scope
from app.core.db import rows, transaction
from app.core.sheets import Column, Value, write_workbook
from app.money import billing, payments
from app.money.reconciliation import planning, queries, services
from app.money.reconciliation.parsers import read_statement
from bench.ground import EARLY, MONTHS, Ground, area
from tests import postgres
from tests.factories.schools import ACCOUNTANT

ROWS, CHILDREN = 36_000, 3_000
OPENING = 10_000_000
DAY = date(2026, 9, 4)
SINGLE = 200
PARTS = 8


def _file(ground: Ground) -> bytes:
    codes = [
        one.reference
        for one in rows(
            "select reference from payment_requests where school_id = :school_id order by id",
            school_id=ground.school.id,
        )
    ]
    rng = random.Random(7)
    held = OPENING
    table: list[list[Value]] = []
    for n in range(ROWS):
        amount = rng.randrange(100, 600) * 1_000
        held += amount
        text = f"MBVCB.{n}.{codes[n % len(codes)]}.CT tu 0123456789 toi 1012345678"
        table.append([DAY + timedelta(days=n // 1_500), f"FT26{n:010d}", text, None, amount, held])
    heads = ("Ngày giao dịch", "Số tham chiếu", "Mô tả", "Ghi nợ", "Ghi có", "Số dư")
    return write_workbook([Column(head, is_text=False) for head in heads], table)


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _figure(name: str, count: int, ours: float, plain: float, target: float) -> dict[str, Any]:
    """`ours` and `plain` are seconds for the same count."""
    ratio = plain / ours
    return {
        "name": name,
        "value": round(count / ours),
        "unit": "rows/s",
        "reference": round(count / plain),
        "ratio": round(ratio, 1),
        "target": target,
        "ok": ratio >= target,
    }


def _openpyxl(data: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
    assert book.active is not None
    assert sum(1 for _row in book.active.iter_rows(values_only=True)) == ROWS + 1


def _measured(ground: Ground, where: str) -> Iterator[dict[str, Any]]:
    school_id, account_id = ground.school.id, ground.school.account_id
    with transaction():
        run_id = billing.draft_run(
            school_id, MONTHS[0], due_on=date(2026, 9, 30), actor=ACCOUNTANT, now=EARLY
        )
        billing.issue_run(school_id, run_id, actor=ACCOUNTANT, now=EARLY)
    data = _file(ground)
    plain = min(_seconds(lambda: _openpyxl(data)) for _round in range(2))
    ours = min(_seconds(lambda: read_statement(data)) for _round in range(3))
    yield _figure(f"{where}: a statement read and proved, openpyxl", ROWS, ours, plain, 8.0)

    file = read_statement(data)
    started = time.perf_counter()
    with transaction():
        statement_id = services.take_in(
            school_id, account_id, data, "bench.xlsx", actor=ACCOUNTANT, now=EARLY, file=file
        )
    kept = time.perf_counter() - started
    started = time.perf_counter()
    plan = planning.plan_statement(school_id, statement_id, day=DAY)
    planned = time.perf_counter() - started
    assert len(plan.rows) == ROWS
    statement = plan.statement
    few = planning.credits_of([one.line for one in plan.rows[:SINGLE]], statement, 0)
    one_by_one = _seconds(
        lambda: [payments.plan_many(school_id, [credit], day=DAY) for credit in few]
    )
    yield _figure(
        f"{where}: a statement matched, row by row", ROWS, planned, one_by_one / SINGLE * ROWS, 20.0
    )
    yield {
        "name": f"{where}: a statement kept and planned",
        "value": round(kept + planned, 2),
        "unit": "s",
        "kept": round(kept, 2),
        "planned": round(planned, 2),
    }

    after = 0
    started = time.perf_counter()
    for _part in range(PARTS):
        with transaction():
            _done, after = services.post_next(
                school_id, statement_id, after=after, actor=ACCOUNTANT, now=EARLY
            )
    batch = (time.perf_counter() - started) / (PARTS * services.CHUNK)
    started = time.perf_counter()
    for _row in range(SINGLE):
        with transaction():
            _done, after = services.post_next(
                school_id, statement_id, after=after, actor=ACCOUNTANT, now=EARLY, most=1
            )
    single = (time.perf_counter() - started) / SINGLE
    yield _figure(
        f"{where}: a plan posted with receipts and audit, one by one", 1, batch, single, 10.0
    )
    assert queries.get_statement(school_id, statement_id).posted == PARTS * services.CHUNK + SINGLE


def run() -> Iterator[dict[str, Any]]:
    """One school of 3,000 children, on SQLite, and on PostgreSQL where it can run."""
    with area(1, CHILDREN) as grounds, scope.opened(scope.one_school(grounds[0].school.id)):
        yield from _measured(grounds[0], "SQLite")
    with contextlib.suppress(postgres.CannotRun):
        server = postgres.start()
        try:
            with (
                area(1, CHILDREN, server.create_database("bench")) as grounds,
                scope.opened(scope.one_school(grounds[0].school.id)),
            ):
                yield from _measured(grounds[0], "PostgreSQL")
        finally:
            server.stop()
