"""The billing run against the same bills written as ORM objects (facts: performance, section 2)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from app.core.db import transaction
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing
from app.money.billing.models import BillingRun, Invoice, InvoiceLine
from bench.ground import EARLY, LINES, MONTHS, Ground, standing
from tests.factories.schools import ACCOUNTANT

CHILDREN = 1_000
DUE = date(2026, 11, 30)


def _issue(ground: Ground, period: Period) -> float:
    started = time.perf_counter()
    with transaction():
        run_id = billing.draft_run(
            ground.school.id, period, due_on=DUE, actor=ACCOUNTANT, now=EARLY
        )
        issued = billing.issue_run(ground.school.id, run_id, actor=ACCOUNTANT, now=EARLY)
    assert issued.lines == CHILDREN * LINES
    return time.perf_counter() - started


def _as_objects(ground: Ground) -> float:
    """Bills and lines only, one object each: no requests, no entries, no audit."""
    started = time.perf_counter()
    school = ground.school.id
    with transaction() as session:
        run = BillingRun(
            school_id=school,
            billed_period=MONTHS[2],
            seq=9,
            due_on=DUE,
            drafted_by="",
            drafted_at=EARLY,
        )
        session.add(run)
        session.flush()
        for enrolment, student in zip(ground.enrolments, ground.students, strict=True):
            invoice = Invoice(
                school_id=school,
                enrolment_id=enrolment,
                student_id=student,
                class_name="1/1",
                run_id=run.id,
                billed_period=MONTHS[2],
                seq=9,
                total=Vnd(1),
                due_on=DUE,
                issued_at=EARLY,
            )
            session.add(invoice)
            session.flush()
            session.add_all(
                InvoiceLine(
                    school_id=school,
                    invoice_id=invoice.id,
                    run_id=run.id,
                    enrolment_id=enrolment,
                    item_id=item,
                    service_period=Period(2030, 1),
                    position=n,
                    name="Khoản minh họa",
                    name_en="Sample item",
                    category="service",
                    unit="month",
                    legal_act="",
                    document_kind="receipt",
                    may_be_debt=True,
                    is_compulsory=True,
                    quantity=1,
                    price=Vnd(1),
                    gross=Vnd(1),
                    percent=0,
                    reduction=Vnd(0),
                    amount=Vnd(1),
                    bank_account_id=ground.school.account_id,
                )
                for n, item in enumerate(ground.items)
            )
    db.session.expunge_all()
    return time.perf_counter() - started


def run() -> Iterator[dict[str, Any]]:
    """A first run on empty tables, a second on filled ones, and the ORM way."""
    with standing(CHILDREN) as ground:
        first = _issue(ground, MONTHS[0])
        second = _issue(ground, MONTHS[1])
        objects = _as_objects(ground)
        started = time.perf_counter()
        billing.preview(ground.school.id, MONTHS[1])
        preview = time.perf_counter() - started
    rows = CHILDREN * LINES
    yield {
        "name": "billing run, ledger and audit included, against ORM objects of bills alone",
        "value": round(rows / second),
        "unit": "lines/s",
        "reference": round(rows / objects),
        "ratio": round(objects / second, 1),
        "target": 3.0,
        "ok": objects / second >= 3.0,
    }
    yield {
        "name": "run on empty tables against run on filled ones (a plan gone wrong shows here)",
        "value": round(first, 3),
        "unit": "s",
        "reference": round(second, 3),
        "ratio": round(first / second, 2),
        "target": 1.5,
        "ok": first / second <= 1.5,
    }
    yield {
        "name": "difference view against the run itself",
        "value": round(preview, 3),
        "unit": "s",
        "reference": round(second, 3),
        "ratio": round(preview / second, 2),
        "target": 1.0,
        "ok": preview <= second,
    }
