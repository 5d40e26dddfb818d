"""What the worker does by itself, and copies of the whole database."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from app.audit import MACHINE
from app.audit.sealing import seal_audit
from app.core import scope
from app.core.db import is_sqlite, rows, transaction
from app.core.errors import Refused, TryAgain
from app.core.model import db
from app.journeys.between_schools.services import mirror_all
from app.money import ledger, receipts
from app.money.billing.lapsing import lapse
from app.money.payments.gaps import fill_gaps
from app.money.payments.jobs import retry_notices
from app.people import cards
from app.people.lists.services import forget_old

log = logging.getLogger("sothu.worker")


def _in_each_school(deed: Callable[[int], None], busy: str) -> None:
    """Do it in every school's own scope; a busy school is named in the log and waits."""
    with scope.opened(scope.EVERY_SCHOOL):
        schools = [int(school.id) for school in rows("select id from schools order by id")]
    for school_id in schools:
        with scope.opened(scope.one_school(school_id)):
            try:
                deed(school_id)
            except TryAgain:
                log.info("school %s is busy; %s", school_id, busy)


def tidy(*, now: datetime) -> None:
    """Seal, retry notices a fault left unposted, forget old lists; school by school."""

    def deed(school_id: int) -> None:
        retry_notices(school_id, now=now)
        with transaction():
            ledger.seal_school(school_id, now=now)
            forget_old(school_id, now=now)

    _in_each_school(deed, "sealed next time")
    try:
        mirror_all(now=now)
    except TryAgain:
        log.info("a school is busy; what schools owe each other is compared next time")
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        seal_audit(now=now)


def ask_providers(*, now: datetime) -> None:
    """Ask every school's providers for what their notices may have missed."""

    def deed(school_id: int) -> None:
        found = fill_gaps(school_id, now=now)
        if found.found or found.silent:
            log.info("school %s: %s found, silent: %s", school_id, found.found, found.silent)

    _in_each_school(deed, "its providers are asked next time")


def lapse_offers(*, now: datetime) -> None:
    """Take back the voluntary lines nobody paid by their last day, school by school."""

    def deed(school_id: int) -> None:
        with transaction():
            done = lapse(school_id, actor=MACHINE, now=now)
        if done.lines:
            log.info("school %s: %s voluntary lines lapsed", school_id, done.lines)

    _in_each_school(deed, "its offers lapse next time")


def forget(*, now: datetime) -> None:
    """Delete what may not be kept any longer, school by school."""

    def deed(school_id: int) -> None:
        with transaction():
            cards.forget(school_id, now=now)
            receipts.forget_files(school_id, now=now)

    _in_each_school(deed, "forgotten next time")


class NoDatabaseTools(Refused):
    """PostgreSQL's own programs are missing."""

    code = "no_database_tools"

    def default_message(self) -> str:
        return "pg_dump and pg_restore are needed: install the PostgreSQL client programs"


def backup_database(folder: Path) -> str:
    """Copy the database into a folder while the app runs; returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    url = db.engine.url
    if is_sqlite():
        target = folder / "sothu.db"
        target.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(str(url.database))) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
        return str(target)
    target = folder / "sothu.dump"
    _run(["pg_dump", "--format=custom", f"--file={target}"])
    return str(target)


def restore_database(folder: Path) -> str:
    """Put a copy back over the present database; returns what was read."""
    if is_sqlite():
        source = folder / "sothu.db"
        path = str(db.engine.url.database)
        db.session.remove()
        db.engine.dispose()
        for rest in ("-wal", "-shm"):
            Path(path + rest).unlink(missing_ok=True)
        shutil.copy(source, path)
        return str(source)
    source = folder / "sothu.dump"
    _run(
        [
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            str(source),
        ],
        name_database=True,
    )
    return str(source)


def _run(command: Sequence[str], *, name_database: bool = False) -> None:
    url = make_url(db.engine.url)
    program = shutil.which(command[0])
    if program is None:
        raise NoDatabaseTools
    environment = os.environ | {
        "PGHOST": str(url.query.get("host", url.host or "")),
        "PGPORT": str(url.query.get("port", url.port or 5432)),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }
    arguments = [program, *command[1:]]
    if name_database:
        arguments.insert(1, f"--dbname={url.database}")
    subprocess.run(arguments, env=environment, check=True)
