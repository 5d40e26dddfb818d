"""Reading imports: the history, one import, its rows by state, the file of rows left out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.core.db import DAY, MOMENT, row, rows, scalar
from app.people.lists.cells import Value
from app.people.lists.columns import Column, Kind
from app.people.lists.errors import ImportNotFound
from app.people.lists.models import Stage, State
from app.people.lists.reading import Grid
from app.people.lists.words import why_of_detail

PAGE = 50


@dataclass(frozen=True, slots=True)
class ImportInfo:
    """One import as pages show it."""

    id: int
    kind: Kind
    stage: Stage
    file_name: str
    uploaded_by: str
    uploaded_at: datetime
    first_day: date
    year: str
    new: int
    changed: int
    unchanged: int
    doubtful: int
    refused: int
    missing: int
    rehearsed_at: datetime | None
    taken_by: str | None
    taken_at: datetime | None
    kept_until: date
    job_id: int | None
    has_content: bool
    said: dict[str, Any] = field(default_factory=dict)
    findings: dict[str, Any] = field(default_factory=dict)

    def count(self, state: str) -> int:
        """Rows in a state."""
        return int(getattr(self, state))

    @property
    def rows(self) -> int:
        """Rows that tell of somebody."""
        return sum(self.count(state) for state in State)

    @property
    def good(self) -> int:
        """Rows that can be taken."""
        return self.new + self.changed

    @property
    def left_out(self) -> int:
        """Rows a person has to look at."""
        return self.doubtful + self.refused

    @property
    def mapping(self) -> dict[int, Column]:
        """Column number → meaning."""
        return {int(place): Column(c) for place, c in self.said["columns"].items()}


_IMPORT = (
    "select i.id, i.kind, i.stage, i.file_name, i.uploaded_by, i.uploaded_at, i.first_day,"
    " y.code as year, i.new, i.changed, i.unchanged, i.doubtful, i.refused, i.missing,"
    " i.rehearsed_at, i.taken_by, i.taken_at, i.kept_until, i.job_id,"
    " i.grid is not null as has_content{more} from list_imports i"
    " join school_years y on y.id = i.school_year_id where i.school_id = :school_id"
)
_TYPES = {
    "uploaded_at": MOMENT,
    "first_day": DAY,
    "rehearsed_at": MOMENT,
    "taken_at": MOMENT,
    "kept_until": DAY,
}


def _info(found: Any, **more: Any) -> ImportInfo:
    values = {name: value for name, value in found._asdict().items() if name not in more}
    values.pop("mapping", None)
    values.pop("findings", None)
    values["kind"], values["stage"] = Kind(values["kind"]), Stage(values["stage"])
    values["has_content"] = bool(values["has_content"])
    return ImportInfo(**values, **more)


def list_imports(school_id: int, kind: Kind, *, limit: int = 30) -> list[ImportInfo]:
    """The newest imports of one kind."""
    found = rows(
        _IMPORT.format(more="") + " and i.kind = :kind order by i.id desc limit :limit",
        types=_TYPES,
        school_id=school_id,
        kind=kind.value,
        limit=limit,
    )
    return [_info(known) for known in found]


def get_import(school_id: int, import_id: int) -> ImportInfo:
    """One import with its columns and findings, or ImportNotFound."""
    found = row(
        _IMPORT.format(more=", i.mapping, i.findings") + " and i.id = :id",
        types=_TYPES,
        school_id=school_id,
        id=import_id,
    )
    if found is None:
        raise ImportNotFound
    return _info(found, said=json.loads(found.mapping), findings=json.loads(found.findings))


@dataclass(frozen=True, slots=True)
class RowInfo:
    """One row of a rehearsal; `detail` is what services kept."""

    seq: int
    sheet: str
    row_no: int
    state: State
    name: str
    class_name: str
    choice: str
    ticks: frozenset[str]
    kept: int
    is_taken: bool
    code: str | None
    detail: dict[str, Any]

    @property
    def place(self) -> str:
        """Where it stands in the file."""
        return f"{self.sheet} {self.row_no}" if self.sheet else str(self.row_no)


def rows_of(
    school_id: int, import_id: int, state: State, *, kept_only: bool = False, page: int = 1
) -> tuple[list[RowInfo], int]:
    """One page of the rows in a state, or of those with hand-made fields; and how many."""
    where = (
        " from list_import_rows r left join students s on s.id = r.student_id"
        " where r.school_id = :school_id and r.import_id = :id"
    )
    values: dict[str, Any] = {"school_id": school_id, "id": import_id}
    if kept_only:
        where += " and (r.kept > 0 or r.ticks <> '')"
    else:
        where += " and r.state = :state"
        values["state"] = state.value
    count = int(scalar(f"select count(*){where}", **values))
    found = rows(
        "select r.seq, r.sheet, r.row_no, r.state, r.name, r.class_name, r.choice, r.ticks, r.kept,"
        f" r.is_taken, s.code, r.detail{where} order by r.kept desc, r.seq"
        " limit :limit offset :offset",
        limit=PAGE,
        offset=(page - 1) * PAGE,
        **values,
    )
    return [_row(known) for known in found], count


def _row(found: Any) -> RowInfo:
    values = found._asdict()
    values["state"] = State(values["state"])
    values["is_taken"] = bool(values["is_taken"])
    values["ticks"] = frozenset(filter(None, values["ticks"].split(",")))
    values["detail"] = json.loads(values["detail"])
    return RowInfo(**values)


def count_kept(school_id: int, import_id: int) -> int:
    """Rows in which a hand-made field differs from the list."""
    return int(
        scalar(
            "select count(*) from list_import_rows where school_id = :school_id"
            " and import_id = :id and kept > 0",
            school_id=school_id,
            id=import_id,
        )
    )


def count_ready_doubts(school_id: int, import_id: int) -> int:
    """Rows on which a person has already decided."""
    return int(
        scalar(
            "select count(*) from list_import_rows where school_id = :school_id"
            " and import_id = :id and choice <> ''",
            school_id=school_id,
            id=import_id,
        )
    )


def rows_to_mend(
    school_id: int, import_id: int, kind: Kind
) -> tuple[Grid, list[tuple[Sequence[Value], str]]] | None:
    """The rows left out as they were written, each with why; None when nothing is kept."""
    packed = scalar(
        "select grid from list_imports where school_id = :school_id and id = :id",
        school_id=school_id,
        id=import_id,
    )
    if packed is None:
        return None
    grid = Grid.unpack(packed)
    cells = {(sheet[:60], number): line for sheet, number, line in grid.rows}
    found = rows(
        "select sheet, row_no, detail from list_import_rows where school_id = :school_id"
        " and import_id = :id and state in ('doubtful', 'refused') order by seq",
        school_id=school_id,
        id=import_id,
    )
    lines = [
        (cells[bad.sheet, bad.row_no], why_of_detail(json.loads(bad.detail), kind))
        for bad in found
        if (bad.sheet, bad.row_no) in cells
    ]
    return grid, lines


def job_of(job_id: int) -> Any:
    """How far a background job is."""
    return row("select id, state, done, total, error from jobs where id = :id", id=job_id)
