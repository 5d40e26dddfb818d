"""`flask statement import`: a bank's file from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from app import audit
from app.core import clock, scope
from app.core.db import transaction
from app.core.errors import DomainError
from app.money.reconciliation import queries, services
from app.money.reconciliation.errors import AlreadyTaken
from app.money.reconciliation.jobs import post_all
from app.money.reconciliation.suggestions import suggest

ACTOR = audit.Actor("dòng lệnh", "system")

cli = AppGroup("statement", help="Statements of bank accounts.")


@cli.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", "number", required=True, help="The number of the bank account.")
def import_statement(file: Path, number: str) -> None:
    """Import the statement FILE of an account, and post what is proved.

    Prints counts as JSON: rows of the file; new credits, of these matched to children, with a
    suggestion, and without; rows refused. A file that is refused changes nothing: exit code 1.
    """
    data = file.read_bytes()
    now = clock.now()
    try:
        with scope.opened(scope.NOBODY):
            school_id, account_id = services.account_of_number(number)
        with scope.opened(scope.one_school(school_id)):
            read = services.read_file(school_id, account_id, data, file.name)
            try:
                with transaction():
                    statement_id = services.take_in(
                        school_id, account_id, data, file.name, actor=ACTOR, now=now, file=read
                    )
            except AlreadyTaken as before:
                # Taken up again: what was left unposted, by a kill for instance, is posted now.
                statement_id = before.statement_id
            result = _posted(school_id, statement_id)
    except DomainError as refusal:
        told = {"rows": 0, "new": 0, "matched": 0, "suggested": 0, "suspense": 0, "refused": 0}
        told["refused"] = _rows_of(refusal)
        click.echo(
            json.dumps(
                {**told, "code": refusal.code, "row": getattr(refusal, "row", None)}
                | {"message": refusal.message},
                ensure_ascii=False,
            )
        )
        sys.exit(1)
    click.echo(json.dumps(result, ensure_ascii=False))


def _rows_of(refusal: DomainError) -> int:
    return 1 if getattr(refusal, "row", None) is not None else 0


def _posted(school_id: int, statement_id: int) -> dict[str, int]:
    done = post_all(school_id, statement_id, actor=ACTOR)
    statement = queries.get_statement(school_id, statement_id)
    waiting = suggest(school_id, statement_id=statement_id) if done.suspense else {}
    suggested = sum(1 for found in waiting.values() if found)
    return {
        "rows": statement.row_count,
        "new": done.matched + done.suspense,
        "matched": done.matched,
        "suggested": suggested,
        "suspense": done.suspense - suggested,
        "refused": 0,
        "known": statement.known_count,
        "proofs": statement.proofs,
        "reversals": done.reversals,
        "money_out": statement.money_out,
        "unsure": statement.waiting,
    }
