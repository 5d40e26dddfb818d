"""Commands about the books."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.audit.sealing import seal_audit
from app.core import clock, scope
from app.core.db import transaction
from app.money.ledger.sealing import seal_everything

cli = AppGroup("ledger", help="The books of the schools.")


@cli.command("seal")
def seal() -> None:
    """Seal what is unsealed, in every school and in the audit trail."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        sealed = seal_everything(now=clock.now())
        trail = seal_audit(now=clock.now())
    blocks = sum(len(blocks) for blocks in sealed.values())
    entries = sum(block.entries for blocks in sealed.values() for block in blocks)
    click.echo(f"{blocks} blocks, {entries} entries in {len(sealed)} schools; {trail} audit blocks")
