"""`flask students import`: a list of one school or of the whole area."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from app import audit
from app.core import clock, scope
from app.core.errors import DomainError
from app.core.sheets import read_sheets
from app.people.lists import exports
from app.people.lists.area import bad_lines, import_area
from app.people.lists.columns import Kind
from app.people.lists.errors import ColumnMissing
from app.people.lists.headers import missing_columns
from app.people.lists.models import State
from app.people.lists.reading import read_list
from app.people.lists.words import why_left_out
from app.people.schools import find_school

ACTOR = audit.Actor("dòng lệnh", "system")


def add_to(group: AppGroup) -> None:
    """Put the command beside the others about pupils."""
    group.add_command(import_list)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school", "school_code", help="All rows belong to this school.")
@click.option("--take", is_flag=True, help="Take the new and changed rows; else only look.")
@click.option(
    "--bad-rows",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write rows left out, each with the reason, to this .xlsx.",
)
@click.option(
    "--open-classes/--no-open-classes",
    default=True,
    help="Open classes that are not there yet and whose grade is plain.",
)
@with_appcontext
def import_list(
    file: Path, school_code: str | None, take: bool, bad_rows: Path | None, open_classes: bool
) -> None:
    """Rehearse a list of pupils from FILE; with --take also take its good rows.

    Without --school the file needs a column with the code of the school. Doubtful and refused rows
    are never taken. Prints counts as JSON; exit code 1 only when the whole file is refused.
    """
    now = clock.now()
    # A million small values without cycles: looking for cycles among them costs a quarter.
    gc.disable()
    try:
        if school_code is not None:
            school_code = _known(school_code)
        grid, head = read_list(read_sheets(file, file.name), Kind.PUPILS)
        lacks = missing_columns(head.mapping, Kind.PUPILS)
        if lacks:
            raise ColumnMissing(
                f"{lacks[0]}: " + ", ".join(title for title in grid.titles if title)
            )
        result = import_area(
            grid,
            head,
            school_code=school_code,
            take=take,
            open_classes=open_classes,
            file_name=file.name,
            actor=ACTOR,
            now=now,
            tell=_tell,
        )
    except DomainError as refusal:
        click.echo(f"{file.name}: {refusal.message}", err=True)
        raise SystemExit(1) from None
    finally:
        gc.enable()
    if bad_rows is not None:
        lines = ((line, why_left_out(outcome)) for line, outcome in bad_lines(grid, result))
        bad_rows.write_bytes(exports.write_rows_to_mend(grid, lines))
    answer: dict[str, object] = {state.value: result.counts[state] for state in State}
    answer["missing"] = result.missing
    answer["classes"] = result.classes
    if take:
        answer["taken"] = result.taken.new + result.taken.changed
        answer["imports"] = result.imports
    click.echo(json.dumps(answer, ensure_ascii=False))


def _known(code: str) -> str:
    with scope.opened(scope.EVERY_SCHOOL):
        school = find_school(code, clock.today())
    if school is None:
        click.echo(f"no school {code}", err=True)
        raise SystemExit(1)
    return school.code


def _tell(done: int, total: int) -> None:
    end = "\n" if done == total else "\r" if sys.stderr.isatty() else "\n"
    click.echo(f"{done}/{total}{end}", nl=False, err=True)
