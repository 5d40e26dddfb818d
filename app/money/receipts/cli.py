"""Commands about receipts."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.errors import DomainError
from app.money.receipts import pdf
from app.money.receipts.queries import receipts_between
from app.people.schools import find_school

cli = AppGroup("receipts", help="Numbered papers.")
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@cli.command("print")
@click.option("--school", "code", required=True, help="Our code of the school.")
@click.option("--from", "first", type=_DAY, required=True, help="First day of issue, YYYY-MM-DD.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day, itself included.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write."
)
def print_receipts(code: str, first: datetime, last: datetime, out: Path) -> None:
    """Write the receipts of some days into one PDF, in the order of their numbers.

    Void ones are in it, marked HỦY. Exit code 1 when nothing was issued on those days.
    """
    with scope.opened(scope.EVERY_SCHOOL):
        school = find_school(code, clock.today())
    if school is None:
        raise click.ClickException(f"no school has the code {code}")
    with scope.opened(scope.one_school(school.id)):
        found = receipts_between(school.id, first.date(), last.date())
        if not found:
            raise click.ClickException("no receipt was issued on those days")
        try:
            papers = pdf.papers_of(school.id, found)
            file = io.BytesIO()
            pdf.stamp_papers(papers, file, title=f"Biên lai {first:%d/%m/%Y}–{last:%d/%m/%Y}")
        except DomainError as refusal:
            raise click.ClickException(refusal.message) from refusal
    out.write_bytes(file.getvalue())
    void = sum(receipt.state != "live" for receipt in found)
    click.echo(f"{len(found)} receipts, {void} of them void, in {out}")
