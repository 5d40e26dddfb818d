"""`flask students …`: looking children up from the command line."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.db import transaction
from app.people.schools import find_school
from app.people.students import search

cli = AppGroup("students", help="Children of the area.")


@cli.command("search")
@click.argument("text")
@click.option("--school", "school_code", help="Look only in this school.")
def search_students(text: str, school_code: str | None) -> None:
    """Print the children whose name (without accents), code, number, phone or class fits TEXT.

    A JSON list, best first. For a code with one slip in it, the children whose code it may be.
    """
    today = clock.today()
    with scope.opened(scope.EVERY_SCHOOL):
        if school_code is None:
            school_id = None
            found = search.search_area(text, today)
        else:
            school = find_school(school_code, today)
            if school is None:
                raise click.ClickException(f"no school {school_code}")
            school_id = school.id
            found = search.find_students(school.id, today, text=text).children
        if not found and (found := search.similar_codes(school_id, text)):
            click.echo("No such code. Did you mean:", err=True)
    known = [
        {
            "code": child.code,
            "name": child.full_name,
            "class": child.class_name,
            "school": child.school_code,
        }
        for child in found
    ]
    click.echo(json.dumps(known, ensure_ascii=False))


@cli.command("reindex")
def reindex() -> None:
    """Write the words of all names anew, should `flask verify` say that they are not right."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        count = search.index_everybody()
    click.echo(f"{count} children")
