"""`flask demo …`: load, reset, bank, providers."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from types import FrameType

import click
from flask import current_app
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.errors import DomainError
from app.core.model import db
from app.demo import bank
from app.demo.fresh import build_missing_schema, empty_database, is_app_running
from app.demo.load import SCHOOLS, Loaded, Plan, load
from app.demo.providers import Providers

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
    build_missing_schema()
    _load(schools, students, seed, as_of, credentials)


@cli.command("reset")
@_sized
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset_command(
    schools: int,
    students: int | None,
    seed: int,
    as_of: datetime | None,
    credentials: Path | None,
    yes: bool,
) -> None:
    """Throw everything in the database away, and load the demo anew. Stop the app first."""
    settings = current_app.config["SETTINGS"]
    if settings.app_env == "production":
        raise click.ClickException("Only demo data is ever thrown away.")
    if is_app_running(Path(settings.instance_path) / "run.json"):
        raise click.ClickException("The app is running; stop it first.")
    if not yes:
        where = db.engine.url.render_as_string(hide_password=True)
        click.confirm(f"Delete everything in {where}?", abort=True)
    empty_database()
    click.echo("The database is empty and has the newest schema.")
    _load(schools, students, seed, as_of, credentials)


@cli.command("bank")
@click.option("--account", required=True, help="The school's account number, as on the bill.")
@click.option("--amount", required=True, type=click.IntRange(1, 10**12), help="Đồng.")
@click.option("--text", required=True, help="The transfer text.")
@click.option(
    "--times", type=click.IntRange(1, 1000), default=1, help="Send the same notice so often."
)
def bank_command(account: str, amount: int, text: str, times: int) -> None:
    """Act as the bank: send a genuinely signed notice to the running app."""
    with scope.opened(scope.EVERY_SCHOOL):
        try:
            payee = bank.find_payee(account)
        except DomainError as refusal:
            raise click.ClickException(refusal.message) from refusal
    body = bank.new_notice(payee, amount, text)
    url = f"{bank.app_url()}{payee.path}"
    answers = []
    for _time in range(times):
        answer = bank.post(url, body, bank.signed_headers(payee, body))
        answers.append(answer)
        click.echo(f"POST {url} -> {answer.status} {answer.text.strip()}")
    if not all(answer.is_taken for answer in answers):
        sys.exit(1)


@cli.command("providers")
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="On 127.0.0.1.")
def providers_command(port: int) -> None:
    """Play the bank's sender and the card company until TERM or Ctrl-C."""
    settings = current_app.config["SETTINGS"]
    server = Providers(
        port,
        app_url=settings.public_url,
        api_key=settings.stripe_api_key or "sk_test_demo",
        webhook_secret=settings.stripe_webhook_secret or "whsec_demo",
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        # The loop must not be waited for by the thread that runs it.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo(f"Providers at {server.base}, sending to {server.app_url}")
    server.serve_forever(poll_interval=0.2)
    server.server_close()
