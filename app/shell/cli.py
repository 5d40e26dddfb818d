"""Commands of the whole house: verify, worker, backup, restore."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import click

from app.core import clock, jobs, scope
from app.shell import verify as proof
from app.shell.upkeep import (
    ask_providers,
    backup_database,
    forget,
    lapse_offers,
    restore_database,
    tidy,
)


@click.command("verify")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@click.option("--since", type=click.Path(exists=True, path_type=Path), help="A checkpoint to hold.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Where to write a checkpoint.")
def verify(as_json: bool, since: Path | None, checkpoint: Path | None) -> None:
    """Prove the books. Exit code 1 and the broken numbers when an invariant falls."""
    with scope.opened(scope.EVERY_SCHOOL):
        findings = proof.verify(since)
        waiting = proof.unsealed()
        written = proof.write_checkpoint(checkpoint) if checkpoint else 0
    broken = [finding for finding in findings if not finding.holds]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": not broken,
                    "unsealed": waiting,
                    "invariants": [
                        {"number": f.number, "title": f.title, "breaches": list(f.breaches)}
                        for f in findings
                    ],
                },
                ensure_ascii=False,
            )
        )
    else:
        for finding in findings:
            mark = "ok  " if finding.holds else "FAIL"
            click.echo(f"{mark} {finding.number:>3}  {finding.title}")
            for breach in finding.breaches:
                click.echo(f"          {breach}")
        click.echo(f"{waiting} entries not sealed yet")
        if checkpoint:
            click.echo(f"checkpoint of {written} schools written to {checkpoint}")
        numbers = ", ".join(finding.number for finding in broken)
        click.echo(f"broken: {numbers}" if broken else f"all {len(findings)} invariants hold")
    if broken:
        sys.exit(1)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what waits, then end.")
def worker(once: bool) -> None:
    """The background worker: jobs, seals, retries. Ends on TERM or Ctrl-C after the job at hand."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    name = f"{os.uname().nodename}:{os.getpid()}"
    last_beat = last_tidy = last_asked = last_forgotten = 0.0
    while not stopping:
        if time.monotonic() - last_beat > 15:
            jobs.beat(name)
            jobs.reap()
            last_beat = time.monotonic()
        if time.monotonic() - last_tidy > 30 or once:
            tidy(now=clock.now())
            last_tidy = time.monotonic()
        if time.monotonic() - last_asked > 1800 or once:
            ask_providers(now=clock.now())
            last_asked = time.monotonic()
        if time.monotonic() - last_forgotten > 3600 or once:
            lapse_offers(now=clock.now())
            forget(now=clock.now())
            last_forgotten = time.monotonic()
        busy = jobs.run_one()
        if once and not busy:
            break
        if not busy:
            time.sleep(0.5)


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Copy the whole database into FOLDER while the app runs."""
    click.echo(backup_database(folder))


@click.command("restore")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put the database of FOLDER back; stop the app first. Prove it with `flask verify`."""
    click.echo(restore_database(folder))


COMMANDS = (verify, worker, backup, restore)
