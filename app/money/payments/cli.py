"""Commands about money coming in."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.db import rows
from app.money.payments.jobs import retry_notices

cli = AppGroup("payments", help="Money coming in.")


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
