"""Commands about money coming in."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.db import rows
from app.money.payments import gaps
from app.money.payments.jobs import retry_notices

cli = AppGroup("payments", help="Money coming in.")


@cli.command("fill-gaps")
@click.option("--school", "code", help="One school by its code; else all.")
@click.option("--days", default=4, show_default=True, type=click.IntRange(1, 31))
def fill(code: str | None, days: int) -> None:
    """Ask the providers for what their notices may have missed."""
    where = " where code = :code" if code else " where :code = ''"
    with scope.opened(scope.EVERY_SCHOOL):
        found = rows(f"select id, code from schools{where} order by id", code=code or "")
        schools = [(int(school.id), str(school.code)) for school in found]
    for school_id, name in schools:
        with scope.opened(scope.one_school(school_id)):
            filled = gaps.fill_gaps(school_id, now=clock.now(), back=timedelta(days=days))
        if filled.asked:
            silent = f", no answer: {', '.join(filled.silent)}" if filled.silent else ""
            click.echo(f"{name}: {filled.asked} asked, {filled.found} found{silent}")


@cli.command("retry-notices")
def retry() -> None:
    """Post again what a fault of ours left unposted, in every school."""
    with scope.opened(scope.EVERY_SCHOOL):
        schools = [int(school.id) for school in rows("select id from schools order by id")]
    posted = 0
    for school_id in schools:
        with scope.opened(scope.one_school(school_id)):
            posted += retry_notices(school_id, now=clock.now())
    click.echo(f"{posted} notices posted")
