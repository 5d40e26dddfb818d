"""`flask verification …`: batches out and results in, from the command line."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from app import audit
from app.core import clock, scope
from app.core.db import transaction
from app.core.errors import DomainError
from app.people.schools import SchoolInfo, find_school
from app.people.verification import queries, results, services
from app.people.verification.files import FileExchange
from app.people.verification.models import Kind

cli = AppGroup("verification", help="Proving identities against the population database by file.")

OPERATOR = audit.Actor("flask verification", "operator")
_KIND = click.Choice([kind.value for kind in Kind])


def _school(code: str) -> SchoolInfo:
    with scope.opened(scope.EVERY_SCHOOL):
        school = find_school(code, clock.today())
    if school is None:
        raise click.BadParameter(f"no school with code {code}")
    return school


@cli.command("batch")
@click.option("--school", "code", required=True, help="Our code of the school.")
@click.option("--kind", type=_KIND, default=Kind.PUPILS.value, help="Whose identities.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
def batch(code: str, kind: str, out: Path) -> None:
    """Put everybody not sent yet into a batch and write its file; prints its number and size."""
    school = _school(code)
    exchange = FileExchange()
    try:
        with scope.opened(scope.one_school(school.id)):
            now = clock.now()
            with transaction():
                batch_id = services.make_batch(school.id, Kind(kind), actor=OPERATOR, now=now)
                made = services.record_download(school.id, batch_id, actor=OPERATOR, now=now)
                # Personal data: for the one who asked only.
                handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file:
                    asked = queries.rows_to_send(school.id, batch_id)
                    file.write(exchange.write_batch(asked, name=out.stem).body)
    except DomainError as refusal:
        click.echo(f"{refusal.code}: {refusal.message}", err=True)
        sys.exit(1)
    click.echo(json.dumps({"school": school.code, "batch": made.number, "rows": made.count}))


@cli.command("result")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school", "code", required=True, help="Our code of the school.")
@click.option("--kind", type=_KIND, default=Kind.PUPILS.value, help="Whose identities.")
@click.option("--take", is_flag=True, help="Take the results; without it only the rehearsal.")
def result(file: Path, code: str, kind: str, take: bool) -> None:
    """Rehearse (or take) a file of results; prints how many rows became what, as JSON."""
    school = _school(code)
    exchange = FileExchange()
    try:
        with scope.opened(scope.one_school(school.id)):
            if take:
                now = clock.now()
                with transaction():
                    upload_id = results.upload(
                        school.id,
                        Kind(kind),
                        file.read_bytes(),
                        file.name,
                        exchange=exchange,
                        actor=OPERATOR,
                        now=now,
                    )
                    taken = results.take(school.id, upload_id, actor=OPERATOR, now=now)
            else:
                answers = exchange.read_result(file.read_bytes(), file.name)
                taken = results.counts_of(results.rehearse(school.id, Kind(kind), answers))
    except DomainError as refusal:
        click.echo(f"{refusal.code}: {refusal.message}", err=True)
        sys.exit(1)
    click.echo(json.dumps(asdict(taken)))
