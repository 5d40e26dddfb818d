"""`flask demo …`: load, reset, bank, providers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from app.core import clock
from app.core.errors import DomainError
from app.demo.load import SCHOOLS, Loaded, Plan, load

cli = AppGroup("demo", help="The invented area: its data, its bank, its card company.")

_size = [
    click.option(
        "--schools", type=click.IntRange(1, SCHOOLS), default=SCHOOLS, help="How many schools."
    ),
    click.option(
        "--students",
        type=click.IntRange(1, 200_000),
        default=None,
        help="Children in all; without it about 60 a school. 33000 is full size.",
    ),
    click.option("--seed", type=int, default=1, show_default=True, help="Source of chance."),
    click.option(
        "--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, help="The demo's day; today."
    ),
    click.option(
        "--credentials",
        type=click.Path(dir_okay=False, path_type=Path),
        default=None,
        help="Where to write sign-ins and open bills, as JSON.",
    ),
]


def _load(
    schools: int,
    students: int | None,
    seed: int,
    as_of: datetime | None,
    credentials: Path | None,
) -> Loaded:
    day = as_of.date() if as_of else clock.today()
    plan = Plan(as_of=day, schools=schools, students=students or 0, seed=seed)
    try:
        return load(plan, say=click.echo, credentials=credentials)
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal


def _sized(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(_size):
        command = option(command)
    return command


@cli.command("load")
@_sized
def load_command(
    schools: int,
    students: int | None,
    seed: int,
    as_of: datetime | None,
    credentials: Path | None,
) -> None:
    """Load the demo into an empty database; the same seed and day give the same data."""
    _load(schools, students, seed, as_of, credentials)
