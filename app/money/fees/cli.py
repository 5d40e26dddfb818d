"""Commands of the catalogue."""

from __future__ import annotations

import json
from datetime import date, datetime

import click
from flask.cli import AppGroup

from app import audit
from app.core import clock, scope
from app.core.db import scalar, transaction
from app.money.fees import catalogue

cli = AppGroup("fees", help="The catalogue of fee items.")
OPERATOR = audit.Actor("flask fees", "operator")


@cli.command("seed")
@click.option("--unit", "code", required=True, help="Code of the unit that issues the items.")
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The first day they are in force.",
)
def seed(code: str, first: datetime) -> None:
    """Put the usual items into the catalogue, without prices and caps; prints the codes added."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        unit = scalar("select id from organisation_units where code = :code", code=code)
        if unit is None:
            raise click.BadParameter(f"no unit with code {code}")
        day: date = first.date()
        added = catalogue.seed_items(unit, valid_from=day, actor=OPERATOR, now=clock.now())
    click.echo(json.dumps({"added": added}))
