"""A list for one school or for the whole area, from the command line: school by school, counted.

Rehearsal and take of a school happen in one transaction, so nothing can change in between. Rows of
one school at a time are in memory as objects; the file itself is a plain grid.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core import clock, scope
from app.core.db import analyze, rows, transaction
from app.core.model import db
from app.people.lists import services
from app.people.lists.columns import Column, Kind
from app.people.lists.errors import NoRows, SchoolColumnMissing
from app.people.lists.headers import Head
from app.people.lists.models import ListImport, Stage, State
from app.people.lists.reading import Grid, PupilRow, Trouble, pupil_rows
from app.people.lists.register import read_register
from app.people.lists.rehearsal import Outcome, Seen, Term, rehearse
from app.people.lists.services import Rehearsed
from app.people.lists.taking import Taken, Taking, refuse_unopened, take_pupils
from app.people.students.identity import lock_identities

Tell = Callable[[int, int], None]

#: what a first list fills; without fresh statistics later look-ups would read whole tables
_GROWING = (
    *("students", "student_identifiers", "guardians", "guardianships", "enrolments"),
    *("placements", "list_import_rows", "student_words"),
)


@dataclass(slots=True)
class AreaResult:
    """What an area's list came to."""

    counts: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    taken: Taken = field(default_factory=Taken)
    #: classes that were, or without `--take` would be, opened: school and name
    classes: list[str] = field(default_factory=list)
    #: school → the imports that were kept
    imports: dict[str, int] = field(default_factory=dict)
    #: what nobody took: (row number, outcome)
    bad: list[Outcome] = field(default_factory=list)


def import_area(
    grid: Grid,
    head: Head,
    *,
    school_code: str | None,
    take: bool,
    open_classes: bool,
    file_name: str,
    actor: audit.Actor,
    now: datetime,
    tell: Tell,
) -> AreaResult:
    """Rehearse a list of pupils, and take its good rows if asked; commits once a school.

    Refuses a list that does not say which school each row belongs to, unless one is named.
    """
    today = clock.local_day(now)
    with scope.opened(scope.EVERY_SCHOOL):
        schools = _schools(today)
    if school_code is None and Column.SCHOOL not in head.mapping.values():
        raise SchoolColumnMissing
    by_school: dict[int, list[PupilRow]] = {}
    result = AreaResult()
    for line in pupil_rows(grid, head.mapping, today=today):
        school_id = schools.get(line.school or "") if school_code is None else schools[school_code]
        if school_id is None:
            line.troubles.append(
                Trouble(
                    Column.SCHOOL,
                    line.school or "",
                    "school_unknown" if line.school else "school_missing",
                )
            )
            result.bad.append(Outcome(line, State.REFUSED, troubles=line.troubles))
            result.counts[State.REFUSED] += 1
        else:
            by_school.setdefault(school_id, []).append(line)
    total = len(result.bad) + sum(map(len, by_school.values()))
    if not total:
        raise NoRows
    seen = Seen()
    fresh_at = 500
    done = len(result.bad)
    tell(done, total)
    for school_id, lines in by_school.items():
        with scope.opened(scope.one_school(school_id)):
            one = _School(
                school_id, grid, head, file_name, actor, now, own_only=school_code is not None
            )
            with transaction():
                one.run(lines, seen, take=take, open_classes=open_classes, result=result)
                if result.taken.new >= fresh_at:
                    analyze(*_GROWING)
                    fresh_at = 3 * result.taken.new
        done += len(lines)
        tell(done, total)
        lines.clear()
    if result.taken.new:
        with scope.opened(scope.EVERY_SCHOOL), transaction():
            analyze(*_GROWING)
    return result


def _schools(today: date) -> dict[str, int]:
    """Own and official codes → school."""
    found = rows(
        "select s.id, s.code, d.official_code from schools s left join school_details d"
        " on d.school_id = s.id and d.valid_from <= :today"
        " and (d.valid_to is null or d.valid_to > :today)",
        today=today,
    )
    codes = {s.official_code.upper(): s.id for s in found if s.official_code}
    return codes | {school.code: school.id for school in found}


class _School:
    """The part of a list that belongs to one school."""

    def __init__(
        self,
        school_id: int,
        grid: Grid,
        head: Head,
        file_name: str,
        actor: audit.Actor,
        now: datetime,
        *,
        own_only: bool,
    ) -> None:
        self._school_id = school_id
        self._grid = grid
        self._head = head
        self._file_name = file_name
        self._actor = actor
        self._now = now
        self._own_only = own_only
        self._today = clock.local_day(now)

    def run(
        self,
        lines: list[PupilRow],
        seen: Seen,
        *,
        take: bool,
        open_classes: bool,
        result: AreaResult,
    ) -> None:
        """Rehearse, and take in the same transaction. The caller commits."""
        year = services.year_for_lists(self._today)
        first_day = services.usual_first_day(self._school_id, year, self._today)
        if take:
            lock_identities()
        register = read_register(self._school_id, year.id, self._today)
        code = min(register.codes, key=len)
        done = rehearse(
            register,
            lines,
            term=Term(self._today, first_day, year.starts_on, year.ends_on),
            seen=seen,
            place_prefix=f"{code}:" if not self._own_only else "",
            own_only=self._own_only,
        )
        opening = {place.name for place, _rows in done.to_open.values()} if open_classes else set()
        result.classes += [f"{code} {name}" for name in sorted(opening)]
        result.missing += len(done.missing)
        if take:
            import_id = self._open(year.id, first_day)
            taken = take_pupils(
                done,
                opening,
                Taking(
                    school_id=self._school_id,
                    year_id=year.id,
                    today=self._today,
                    source=services.source_of(self._file_name, import_id),
                    actor=self._actor,
                    now=self._now,
                ),
            )
            self._keep(import_id, Rehearsed(Kind.PUPILS, done, []), taken)
            result.imports[code] = import_id
            result.taken.new += taken.new
            result.taken.changed += taken.changed
            result.taken.opened += taken.opened
        elif not open_classes:
            refuse_unopened(done)
        for state, count in done.count().items():
            result.counts[state] += count
        result.bad += [
            outcome for outcome in done.outcomes if outcome.state in (State.DOUBTFUL, State.REFUSED)
        ]

    def _open(self, year_id: int, first_day: date) -> int:
        said = {
            "columns": {str(place): c.value for place, c in self._head.mapping.items()},
            "doubts": [],
            "remembered": False,
            "titles": list(self._grid.titles),
            "samples": [],
            "rows": 0,
        }
        import_id = db.session.scalar(
            insert(ListImport)
            .values(
                school_id=self._school_id,
                kind=Kind.PUPILS,
                stage=Stage.REHEARSED,
                file_name=self._file_name[-120:],
                uploaded_by=self._actor.name,
                uploaded_at=self._now,
                school_year_id=year_id,
                first_day=first_day,
                mapping=json.dumps(said, ensure_ascii=False),
                findings="{}",
                rehearsed_at=self._now,
                kept_until=self._today + services.KEPT,
            )
            .returning(ListImport.id)
        )
        return int(import_id or 0)

    def _keep(self, import_id: int, done: Rehearsed, taken: Taken) -> None:
        """Keep what needs a person or was taken; unchanged rows tell nothing."""
        said = [outcome for outcome in done.outcomes if outcome.state is not State.UNCHANGED]
        services.keep_rows(self._school_id, import_id, said, taken=True)
        findings, missing = services.findings_of(done)
        services.keep_counts(
            self._school_id, import_id, done.outcomes, findings | {"open": []}, missing
        )
        services.finish(
            self._school_id, import_id, self._grid, done.outcomes, taken, self._actor, self._now
        )


def bad_lines(grid: Grid, result: AreaResult) -> Iterator[tuple[Any, Outcome]]:
    """The rows nobody took, as written, each with why."""
    cells = {(sheet, number): line for sheet, number, line in grid.rows}
    for outcome in sorted(result.bad, key=lambda one: (one.row.sheet, one.row.number)):
        yield cells[outcome.row.sheet, outcome.row.number], outcome
