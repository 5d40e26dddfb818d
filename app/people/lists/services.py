"""Taking a list in: read, say what its columns are, rehearse, decide, take, give up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.bulk import write_rows
from app.core.db import DAY, execute, for_update, row, rows, scalar
from app.core.model import db
from app.people.access import MAY_GIVE, Role
from app.people.lists.cells import as_text
from app.people.lists.columns import OFFERED, Column, Kind, label
from app.people.lists.errors import (
    ColumnMissing,
    ColumnTwice,
    ImportNotFound,
    NothingToTake,
    NotTheTime,
)
from app.people.lists.headers import Head, missing_columns, signature_of
from app.people.lists.models import ListImport, ListImportRow, Stage, State
from app.people.lists.reading import Grid, pupil_rows
from app.people.lists.register import read_register
from app.people.lists.rehearsal import Outcome, Rehearsal, Term, rehearse
from app.people.lists.staff import StaffOutcome, rehearse_staff, staff_rows, take_staff
from app.people.lists.taking import Taken, Taking, take_pupils
from app.people.schools.queries import Year, current_year
from app.people.students.identity import lock_identities

#: how long the content of a file is kept
KEPT = timedelta(days=30)
#: a list handed in so long before a school year is about that year
EARLY = timedelta(days=60)


def year_for_lists(today: date) -> Year:
    """The school year a list is about: the one that is on, or the next in the summer before it."""
    found = row(
        "select id, code, starts_on, ends_on from school_years where ends_on >= :today"
        " and starts_on <= :soon order by starts_on limit 1",
        types={"starts_on": DAY, "ends_on": DAY},
        today=today,
        soon=today + EARLY,
    )
    return Year(*found) if found is not None else current_year(today)


def usual_first_day(school_id: int, year: Year, today: date) -> date:
    """When a newcomer begins whose row does not say: today, or with the year in the first list."""
    if today <= year.starts_on:
        return year.starts_on
    here = scalar(
        "select count(*) from enrolments where school_id = :school_id", school_id=school_id
    )
    return today if here else year.starts_on


def open_import(
    school_id: int,
    kind: Kind,
    grid: Grid,
    head: Head,
    *,
    file_name: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Keep a list that was read; what this school said of such heads before is remembered.

    Returns the import. The caller commits.
    """
    today = clock.local_day(now)
    year = year_for_lists(today)
    remembered = scalar(
        "select mapping from list_mappings where school_id = :school_id and kind = :kind"
        " and signature = :signature",
        school_id=school_id,
        kind=kind.value,
        signature=grid.signature,
    )
    mapping = (
        json.loads(remembered) if remembered else {p: c.value for p, c in head.mapping.items()}
    )
    said = {
        "columns": {str(place): column for place, column in mapping.items()},
        "doubts": [] if remembered else sorted(head.doubts),
        "remembered": bool(remembered),
        "titles": list(grid.titles),
        "samples": _samples(grid),
        "rows": len(grid.rows),
    }
    import_id = db.session.scalar(
        insert(ListImport)
        .values(
            school_id=school_id,
            kind=kind,
            stage=Stage.READ,
            file_name=file_name[-120:],
            uploaded_by=actor.name,
            uploaded_at=now,
            school_year_id=year.id,
            first_day=usual_first_day(school_id, year, today),
            grid=grid.pack(),
            mapping=json.dumps(said, ensure_ascii=False),
            findings="{}",
            kept_until=today + KEPT,
        )
        .returning(ListImport.id)
    )
    audit.record(
        "list.read",
        f"list_import:{import_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{kind} {len(grid.rows)}",
    )
    return int(import_id or 0)


def _samples(grid: Grid) -> list[list[str]]:
    """The first three values of each column that has any."""
    samples: list[list[str]] = [[] for _title in grid.titles]
    for _sheet, _number, cells in grid.rows[:60]:
        for place, cell in enumerate(cells[: len(samples)]):
            text = as_text(cell)
            if text and len(samples[place]) < 3:
                samples[place].append(text[:60])
    return samples


def set_columns(
    school_id: int,
    import_id: int,
    mapping: Mapping[int, Column],
    *,
    first_day: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Say what the columns of a list are, and remember it for files with the same heads.

    Refuses a meaning given twice and a list without what it needs. The caller commits.
    """
    found = _locked(school_id, import_id, Stage.READ, Stage.REHEARSED)
    kind = Kind(found.kind)
    counted = list(mapping.values())
    twice = next((column for column in counted if counted.count(column) > 1), None)
    if twice is not None:
        raise ColumnTwice(
            _("Two columns are marked as “%(column)s”. Keep one.", column=label(twice, kind))
        )
    if not set(counted) <= set(OFFERED[kind]):
        raise ValueError("a column of another kind of list")
    lacks = missing_columns(mapping, kind)
    if lacks:
        raise ColumnMissing(_("Say which column is “%(column)s”.", column=label(lacks[0], kind)))
    said = json.loads(found.mapping)
    said["columns"] = {str(place): column.value for place, column in sorted(mapping.items())}
    said["doubts"] = []
    execute(
        "update list_imports set mapping = :mapping, first_day = :day"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
        mapping=json.dumps(said, ensure_ascii=False),
        day=first_day,
    )
    execute(
        "insert into list_mappings (school_id, kind, signature, mapping, said_by, said_at)"
        " values (:school_id, :kind, :signature, :mapping, :by, :at)"
        " on conflict (school_id, kind, signature) do update"
        " set mapping = excluded.mapping, said_by = excluded.said_by, said_at = excluded.said_at",
        school_id=school_id,
        kind=kind.value,
        signature=signature_of(said["titles"]),
        mapping=json.dumps(said["columns"]),
        by=actor.name,
        at=now,
    )


def _locked(school_id: int, import_id: int, *stages: Stage) -> Any:
    found = row(
        "select id, kind, stage, mapping, grid, school_year_id, first_day, file_name, job_id"
        f" from list_imports where school_id = :school_id and id = :id{for_update()}",
        types={"first_day": DAY},
        school_id=school_id,
        id=import_id,
    )
    if found is None:
        raise ImportNotFound
    if Stage(found.stage) not in stages:
        raise NotTheTime
    return found


# Rehearsing


@dataclass(slots=True)
class Rehearsed:
    """A rehearsal of either kind, ready to be kept or taken."""

    kind: Kind
    pupils: Rehearsal | None
    staff: list[StaffOutcome]

    @property
    def outcomes(self) -> Sequence[Outcome | StaffOutcome]:
        """What each row became."""
        return self.pupils.outcomes if self.pupils is not None else self.staff


def rehearse_import(school_id: int, import_id: int, *, actor: audit.Actor, now: datetime) -> None:
    """Compare a list with the register and keep what came out. The caller commits."""
    found = _locked(school_id, import_id, Stage.READ, Stage.WAITING, Stage.REHEARSED)
    _keep(school_id, import_id, _rehearse(school_id, found, actor, now), now=now)


def _rehearse(school_id: int, found: Any, actor: audit.Actor, now: datetime) -> Rehearsed:
    said = json.loads(found.mapping)
    mapping = {int(place): Column(column) for place, column in said["columns"].items()}
    grid = Grid.unpack(found.grid)
    today = clock.local_day(now)
    choices, ticks = _decisions(school_id, found.id)
    if Kind(found.kind) is Kind.STAFF:
        staff = rehearse_staff(
            school_id,
            list(staff_rows(grid, mapping, today=today)),
            may_give=MAY_GIVE.get(Role(actor.role), frozenset()),
            user_id=actor.user_id,
            today=today,
            choices=choices,
        )
        return Rehearsed(Kind.STAFF, None, staff)
    year = row(
        "select starts_on, ends_on from school_years where id = :id",
        types={"starts_on": DAY, "ends_on": DAY},
        id=found.school_year_id,
    )
    assert year is not None  # noqa: S101 - a foreign key
    pupils = rehearse(
        read_register(school_id, found.school_year_id, today),
        list(pupil_rows(grid, mapping, today=today)),
        term=Term(today, found.first_day, year.starts_on, year.ends_on),
        choices=choices,
        ticks=ticks,
    )
    return Rehearsed(Kind.PUPILS, pupils, [])


def _decisions(school_id: int, import_id: int) -> tuple[dict[int, str], dict[int, frozenset[str]]]:
    found = rows(
        "select seq, choice, ticks from list_import_rows where school_id = :school_id"
        " and import_id = :id and (choice <> '' or ticks <> '')",
        school_id=school_id,
        id=import_id,
    )
    return (
        {decided.seq: decided.choice for decided in found if decided.choice},
        {decided.seq: frozenset(decided.ticks.split(",")) for decided in found if decided.ticks},
    )


def kept_row(outcome: Outcome | StaffOutcome) -> dict[str, Any]:
    """An outcome as a row of the table, without its keys."""
    given = outcome.row
    changes = [
        {"f": c.field, "o": c.old, "n": c.new, "k": c.kept, "t": c.ticked} for c in outcome.changes
    ]
    detail: dict[str, Any] = {
        "c": changes,
        "p": [[t.column, t.shown, t.code, t.params] for t in outcome.troubles],
        "n": [[code, params] for code, params in outcome.notes],
        "other": outcome.may_be_other,
    }
    kept = {
        "seq": given.seq,
        "sheet": given.sheet[:60],
        "row_no": given.number,
        "state": outcome.state.value,
        "name": given.name or _written_name(outcome),
        "class_name": "",
        "student_id": None,
        "user_id": None,
        "choice": outcome.choice,
        "ticks": "",
        "kept": 0,
        "is_taken": False,
    }
    if isinstance(outcome, StaffOutcome):
        kept["user_id"] = outcome.person.user_id if outcome.person else None
        kept["class_name"] = outcome.row.username or ""
        detail["role"] = outcome.row.role
    else:
        place = outcome.place
        kept["class_name"] = place.name if place else next(iter(outcome.row.classes), "")[:60]
        kept["student_id"] = outcome.student_id
        kept["ticks"] = ",".join(sorted(outcome.ticks))[:120]
        kept["kept"] = outcome.kept
        detail["m"] = [asdict(candidate) for candidate in outcome.candidates]
        detail["born"] = outcome.row.birth_date.isoformat() if outcome.row.birth_date else ""
        detail["opens"] = place is not None and place.id is None
        if not kept["name"] and outcome.known is not None:
            kept["name"] = outcome.known.name
    kept["detail"] = json.dumps(detail, ensure_ascii=False)
    return kept


def _written_name(outcome: Outcome | StaffOutcome) -> str:
    """What stands in the name's cell where no name could be read."""
    columns = (Column.NAME, Column.FAMILY_NAME)
    return next((t.shown for t in outcome.troubles if t.column in columns), "")[:120]


def _keep(school_id: int, import_id: int, done: Rehearsed, *, now: datetime) -> None:
    execute(
        "delete from list_import_rows where school_id = :school_id and import_id = :id",
        school_id=school_id,
        id=import_id,
    )
    keep_rows(school_id, import_id, done.outcomes)
    findings, missing = findings_of(done)
    keep_counts(school_id, import_id, done.outcomes, findings, missing)
    execute(
        "update list_imports set stage = 'rehearsed', rehearsed_at = :now, job_id = null"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
        now=now,
    )


def keep_rows(
    school_id: int,
    import_id: int,
    outcomes: Iterable[Outcome | StaffOutcome],
    *,
    taken: bool = False,
) -> None:
    """Write the rows of an import; the caller has deleted those before."""
    values = [
        {"school_id": school_id, "import_id": import_id, **kept_row(outcome)}
        for outcome in outcomes
    ]
    for value in values:
        value["is_taken"] = taken and value["state"] in (State.NEW, State.CHANGED)
    write_rows(ListImportRow, values)


def findings_of(done: Rehearsed) -> tuple[dict[str, Any], int]:
    """What is to be said of the whole list, and how many children it does not name."""
    if done.pupils is None:
        return {}, 0
    missing = sorted(done.pupils.missing, key=lambda child: (child.class_name, child.key))
    return {
        "open": [
            {"name": place.name, "grade": place.grade, "rows": count}
            for place, count in done.pupils.to_open.values()
        ],
        "missing": [
            {"code": child.code, "name": child.name, "class": child.class_name}
            for child in missing[:2000]
        ],
    }, len(missing)


def keep_counts(
    school_id: int,
    import_id: int,
    outcomes: Sequence[Outcome | StaffOutcome],
    findings: dict[str, Any],
    missing: int,
) -> None:
    """Write how many rows are in which state."""
    counted = Counter(outcome.state for outcome in outcomes)
    execute(
        "update list_imports set new = :new, changed = :changed, unchanged = :unchanged,"
        " doubtful = :doubtful, refused = :refused, missing = :missing, findings = :findings"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
        missing=missing,
        findings=json.dumps(findings, ensure_ascii=False),
        new=counted[State.NEW],
        changed=counted[State.CHANGED],
        unchanged=counted[State.UNCHANGED],
        doubtful=counted[State.DOUBTFUL],
        refused=counted[State.REFUSED],
    )


# Deciding


def decide(
    school_id: int,
    import_id: int,
    *,
    choices: Mapping[int, str],
    ticks: Mapping[int, Collection[str]],
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Keep a person's word on doubtful rows and hand-made fields, and rehearse with it.

    A choice is empty, `other`, or `same:<number>` of a child the row offered. The caller commits.
    """
    found = _locked(school_id, import_id, Stage.REHEARSED)
    offered = {
        known.seq: json.loads(known.detail)
        for known in rows(
            "select seq, detail from list_import_rows where school_id = :school_id"
            " and import_id = :id",
            school_id=school_id,
            id=import_id,
        )
    }
    for seq, choice in choices.items():
        if seq in offered and _is_offered(choice, offered[seq]):
            execute(
                "update list_import_rows set choice = :choice where school_id = :school_id"
                " and import_id = :id and seq = :seq",
                school_id=school_id,
                id=import_id,
                seq=seq,
                choice=choice,
            )
    for seq, fields in ticks.items():
        if seq in offered:
            known = {change["f"] for change in offered[seq]["c"] if change["k"]}
            execute(
                "update list_import_rows set ticks = :ticks where school_id = :school_id"
                " and import_id = :id and seq = :seq",
                school_id=school_id,
                id=import_id,
                seq=seq,
                ticks=",".join(sorted(known & set(fields))),
            )
    _keep(school_id, import_id, _rehearse(school_id, found, actor, now), now=now)


def _is_offered(choice: str, detail: dict[str, Any]) -> bool:
    if choice == "":
        return True
    if choice == "other":
        return bool(detail["other"])
    return any(
        choice == f"same:{candidate['student_id']}" and candidate["may_be"]
        for candidate in detail.get("m", [])
    )


# Taking


@dataclass(frozen=True, slots=True)
class TakeResult:
    """What came of taking: `outdated` rows stopped it, and a fresh rehearsal was kept."""

    taken: Taken
    outdated: int = 0


def source_of(file_name: str, import_id: int) -> str:
    """How histories name a list: where a number or a name was read."""
    return f"danh sách số {import_id}, {file_name}"[:60]


def take_import(
    school_id: int,
    import_id: int,
    *,
    opening: Collection[str],
    actor: audit.Actor,
    now: datetime,
) -> TakeResult:
    """Take the new and changed rows of a rehearsal; the rest is left out and kept for mending.

    Rehearses once more under the lock: where a row comes out otherwise than the person saw,
    nothing is taken and the fresh rehearsal is kept instead. Refuses a list without good rows.
    The caller commits.
    """
    found = _locked(school_id, import_id, Stage.REHEARSED, Stage.TAKING)
    lock_identities()
    done = _rehearse(school_id, found, actor, now)
    outdated = _outdated(school_id, import_id, done.outcomes)
    if outdated:
        _keep(school_id, import_id, done, now=now)
        return TakeResult(Taken(), outdated)
    if not any(outcome.state in (State.NEW, State.CHANGED) for outcome in done.outcomes):
        raise NothingToTake
    findings, missing = findings_of(done)
    if done.pupils is not None:
        year_id = int(found.school_year_id)
        taken = take_pupils(
            done.pupils,
            opening,
            Taking(
                school_id=school_id,
                year_id=year_id,
                today=clock.local_day(now),
                source=source_of(found.file_name, import_id),
                actor=actor,
                now=now,
            ),
        )
    else:
        new, changed = take_staff(
            school_id, done.staff, today=clock.local_day(now), actor=actor, now=now
        )
        taken = Taken(new=new, changed=changed)
    if not (taken.new or taken.changed):
        raise NothingToTake
    execute(
        "delete from list_import_rows where school_id = :school_id and import_id = :id",
        school_id=school_id,
        id=import_id,
    )
    keep_rows(school_id, import_id, done.outcomes, taken=True)
    keep_counts(school_id, import_id, done.outcomes, findings | {"open": []}, missing)
    finish(school_id, import_id, Grid.unpack(found.grid), done.outcomes, taken, actor, now)
    return TakeResult(taken)


def _outdated(school_id: int, import_id: int, outcomes: Sequence[Outcome | StaffOutcome]) -> int:
    """How many rows come out otherwise than in the rehearsal a person looked at."""
    seen = {
        known.seq: (known.state, known.student_id, known.user_id, known.detail)
        for known in rows(
            "select seq, state, student_id, user_id, detail from list_import_rows"
            " where school_id = :school_id and import_id = :id",
            school_id=school_id,
            id=import_id,
        )
    }
    fresh = {kept["seq"]: kept for kept in map(kept_row, outcomes)}
    return sum(
        seen.get(seq) != (kept["state"], kept["student_id"], kept["user_id"], kept["detail"])
        for seq, kept in fresh.items()
    ) + len(set(seen) - set(fresh))


def left_out(grid: Grid, outcomes: Iterable[Outcome | StaffOutcome]) -> Grid:
    """The rows nobody took, as they were written."""
    wanted = {
        (outcome.row.sheet, outcome.row.number)
        for outcome in outcomes
        if outcome.state in (State.DOUBTFUL, State.REFUSED)
    }
    return Grid(grid.titles, [line for line in grid.rows if (line[0], line[1]) in wanted])


def finish(
    school_id: int,
    import_id: int,
    grid: Grid,
    outcomes: Sequence[Outcome | StaffOutcome],
    taken: Taken,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Mark a list as taken, keep only the rows left out, and tell the trail. Caller commits."""
    execute(
        "update list_imports set stage = 'taken', taken_by = :by, taken_at = :now, grid = :grid,"
        " job_id = null where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
        by=actor.name,
        now=now,
        grid=left_out(grid, outcomes).pack(),
    )
    audit.record(
        "list.take",
        f"list_import:{import_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"new {taken.new}, changed {taken.changed}, classes {taken.opened}",
    )


# Ending


def give_up(school_id: int, import_id: int, *, actor: audit.Actor, now: datetime) -> None:
    """Throw away what is kept of a list; its counts stay. The caller commits."""
    found = _locked(school_id, import_id, Stage.READ, Stage.WAITING, Stage.REHEARSED, Stage.TAKEN)
    _forget(school_id, import_id)
    if Stage(found.stage) is not Stage.TAKEN:
        execute(
            "update list_imports set stage = 'given_up' where school_id = :school_id and id = :id",
            school_id=school_id,
            id=import_id,
        )
    audit.record(
        "list.give_up", f"list_import:{import_id}", actor=actor, school_id=school_id, now=now
    )


def _forget(school_id: int, import_id: int) -> None:
    execute(
        "delete from list_import_rows where school_id = :school_id and import_id = :id",
        school_id=school_id,
        id=import_id,
    )
    execute(
        "update list_imports set grid = null, findings = '{}'"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
    )


def forget_old(school_id: int, *, now: datetime) -> int:
    """Throw away the content of lists older than thirty days; how many. The caller commits."""
    old = rows(
        "select id, stage from list_imports where school_id = :school_id"
        " and kept_until < :today and (grid is not null or stage not in ('taken', 'given_up'))",
        school_id=school_id,
        today=clock.local_day(now),
    )
    for found in old:
        _forget(school_id, found.id)
        if Stage(found.stage) is not Stage.TAKEN:
            execute(
                "update list_imports set stage = 'given_up'"
                " where school_id = :school_id and id = :id",
                school_id=school_id,
                id=found.id,
            )
    return len(old)


def wait(school_id: int, import_id: int, stage: Stage, job_id: int) -> None:
    """Say that a background job has the list now. The caller commits."""
    _locked(school_id, import_id, Stage.READ, Stage.REHEARSED)
    execute(
        "update list_imports set stage = :stage, job_id = :job"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
        stage=stage.value,
        job=job_id,
    )


def is_taken(school_id: int, import_id: int) -> bool:
    """Whether a list was taken already."""
    return bool(
        scalar(
            "select count(*) from list_imports where school_id = :school_id and id = :id"
            " and stage = 'taken'",
            school_id=school_id,
            id=import_id,
        )
    )
