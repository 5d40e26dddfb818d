"""`flask students …`: looking children up from the command line."""

from __future__ import annotations

import json

import click
from flask.cli import AppGroup

from app.core import clock, scope
from app.core.db import transaction
from app.people.schools import find_school
from app.people.students import queries
from app.people.students import search as search_index

cli = AppGroup("students", help="Children of the area.")


@cli.command("reindex")
def reindex() -> None:
    """Write the words of all names anew, should `flask verify` say that they are not right."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        click.echo(f"{search_index.index_everybody()} children")


@cli.command("search")
@click.argument("text")
@click.option("--school", "school_code", help="Look only in this school.")
def search(text: str, school_code: str | None) -> None:
    """Print the children whose name (without accents), code, number or phone fits TEXT as JSON.

    A code with one wrong digit gives the children it may have meant.
    """
    today = clock.today()
    with scope.opened(scope.EVERY_SCHOOL):
        if school_code is None:
            found = queries.search_area(text, today) or queries.similar_codes(None, text)
        else:
            school = find_school(school_code, today)
            if school is None:
                raise click.ClickException(f"no school {school_code}")
            found = queries.find_students(
                school.id, today, text=text
            ).children or queries.similar_codes(school.id, text)
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
