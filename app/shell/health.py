"""What monitoring asks: is everything there that the product stands on, and a few counters."""

from __future__ import annotations

from functools import cache
from typing import Any

from alembic.script import ScriptDirectory
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from app.config import ROOT
from app.core import jobs
from app.core.db import rows, scalar
from app.core.model import db
from app.core.press import why_unavailable
from app.shell import queries


@cache
def _newest_migration() -> str:
    return str(ScriptDirectory(str(ROOT / "migrations")).get_current_head())


def readiness() -> dict[str, Any]:
    """Each support with its state; `ready` only when all are there."""
    found: dict[str, Any] = {"database": "ok", "migrations": "ok", "worker": "ok", "pdf": "ok"}
    try:
        head = queries.schema_head()
        if head != _newest_migration():
            found["migrations"] = f"database at {head or 'none'}, code at {_newest_migration()}"
        if not jobs.is_worker_alive():
            found["worker"] = "no sign of life for a minute: start `flask worker`"
    except SQLAlchemyError as trouble:
        db.session.rollback()
        found["database"] = type(trouble).__name__
        found["migrations"] = found["worker"] = "unknown"
    lacking = why_unavailable()
    if lacking:
        found["pdf"] = f"install {lacking}"
    return {"ready": all(state == "ok" for state in found.values()), **found}


def metrics() -> bytes:
    """Counters of the whole area in Prometheus' text form, read from the books at this moment."""
    registry = CollectorRegistry()

    def gauge(name: str, text: str, value: Any) -> None:
        Gauge(name, text, registry=registry).set(int(value or 0))

    gauge("sothu_invoices", "Bills issued", scalar("select count(*) from invoices"))
    gauge("sothu_payments", "Payments known", scalar("select count(*) from payments"))
    gauge("sothu_receipts", "Receipts issued", scalar("select count(*) from receipts"))
    gauge(
        "sothu_suspense_dong",
        "Money whose child is unknown, in dong",
        scalar(
            "select -sum(balance) from v_account_balance where substr(account, 1, 9) = 'suspense:'"
        ),
    )
    gauge(
        "sothu_unsealed_entries",
        "Ledger entries not under a seal",
        scalar(
            "select count(*) from entries e where e.id > coalesce((select max(s.last_entry_id)"
            " from seals s where s.school_id = e.school_id), 0)"
        ),
    )
    gauge("sothu_jobs_waiting", "Background jobs not finished", jobs.waiting())
    gauge("sothu_worker_alive", "1 when a worker gave a sign of life", jobs.is_worker_alive())
    notices = Gauge("sothu_notices", "Notices of providers by state", ["state"], registry=registry)
    for found in rows("select state, count(*) as n from v_inbox group by state"):
        notices.labels(found.state).set(int(found.n))
    return generate_latest(registry)
