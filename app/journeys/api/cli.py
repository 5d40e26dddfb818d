"""`flask api`: partners and their keys."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app import audit
from app.core import clock, scope
from app.core.db import transaction
from app.core.errors import DomainError
from app.people import partners

ACTOR = audit.Actor("dòng lệnh", "system")
cli = AppGroup("api", help="Banks and wallets that collect for the schools.")


@cli.command("open-partner")
@click.argument("code")
@click.argument("name")
def open_partner(code: str, name: str) -> None:
    """Open a partner; prints its first key as JSON, once."""
    try:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            key_id, secret = partners.open_partner(code, name, actor=ACTOR, now=clock.now())
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(json.dumps({"partner": code, "key_id": key_id, "secret": secret}))


@cli.command("add-key")
@click.argument("code")
def add_key(code: str) -> None:
    """One more key for a partner, to exchange the old one; prints it as JSON, once."""
    try:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            key_id, secret = partners.add_key(code, actor=ACTOR, now=clock.now())
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(json.dumps({"partner": code, "key_id": key_id, "secret": secret}))


@cli.command("end-key")
@click.argument("key_id")
def end_key(key_id: str) -> None:
    """End a key at once."""
    try:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            partners.end_key(key_id, actor=ACTOR, now=clock.now())
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"{key_id} ended")
