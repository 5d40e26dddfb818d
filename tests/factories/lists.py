"""Lists as schools hand them in: grids of values read, rehearsed and taken by the services."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from app.audit import Actor
from app.core import scope
from app.core.db import row, rows, transaction
from app.core.sheets import Sheet, Value
from app.people.lists import services
from app.people.lists.columns import Kind
from app.people.lists.models import State
from app.people.lists.queries import RowInfo, get_import, rows_of
from app.people.lists.reading import read_list
from tests.factories.schools import ACCOUNTANT, NOON, MadeSchool

HEADS = ("STT", "Tên lớp", "Họ và tên", "Ngày sinh", "Giới tính", "Số định danh", "Mẹ", "SĐT mẹ")


def sheet(heads: Sequence[str], *lines: Sequence[Value], name: str = "Sheet1") -> Sheet:
    """A sheet with its head in the first row."""
    return Sheet(name, [list(heads), *(list(line) for line in lines)], 1)


def hand_in(
    school: MadeSchool,
    *sheets: Sheet,
    kind: Kind = Kind.PUPILS,
    actor: Actor = ACCOUNTANT,
    now: datetime = NOON,
) -> int:
    """Upload, confirm the columns as found, rehearse; the import."""
    grid, head = read_list(sheets, kind)
    with scope.opened(scope.one_school(school.id)):
        with transaction():
            import_id = services.open_import(
                school.id, kind, grid, head, file_name="lop.xlsx", actor=actor, now=now
            )
        with transaction():
            services.rehearse_import(school.id, import_id, actor=actor, now=now)
    return import_id


def take(
    school: MadeSchool,
    import_id: int,
    *,
    opening: Collection[str] = (),
    actor: Actor = ACCOUNTANT,
    now: datetime = NOON,
) -> services.TakeResult:
    """Take the good rows."""
    with scope.opened(scope.one_school(school.id)), transaction():
        return services.take_import(school.id, import_id, opening=opening, actor=actor, now=now)


def decide(
    school: MadeSchool,
    import_id: int,
    *,
    choices: dict[int, str] | None = None,
    ticks: dict[int, list[str]] | None = None,
) -> None:
    """A person's word on rows."""
    with scope.opened(scope.one_school(school.id)), transaction():
        services.decide(
            school.id,
            import_id,
            choices=choices or {},
            ticks=ticks or {},
            actor=ACCOUNTANT,
            now=NOON,
        )


def counts(school: MadeSchool, import_id: int) -> tuple[int, int, int, int, int]:
    """New, changed, unchanged, doubtful, refused."""
    with scope.opened(scope.one_school(school.id)):
        found = get_import(school.id, import_id)
    return found.new, found.changed, found.unchanged, found.doubtful, found.refused


def findings(school: MadeSchool, import_id: int) -> dict[str, Any]:
    """Classes to open and pupils missing."""
    with scope.opened(scope.one_school(school.id)):
        return get_import(school.id, import_id).findings


def lines(school: MadeSchool, import_id: int, state: State) -> list[RowInfo]:
    """The rows in a state."""
    with scope.opened(scope.one_school(school.id)):
        return rows_of(school.id, import_id, state)[0]


def changes(line: RowInfo) -> dict[str, tuple[str, str]]:
    """Field → old and new."""
    return {change["f"]: (change["o"], change["n"]) for change in line.detail["c"]}


def why(line: RowInfo) -> list[str]:
    """The codes of what is said about a row."""
    return [trouble[2] for trouble in line.detail["p"]] + [note[0] for note in line.detail["n"]]


def child_named(name: str) -> Any:
    """The child's row by its exact name."""
    with scope.opened(scope.EVERY_SCHOOL):
        return row("select * from students where full_name = :name", name=name)


def guardians_of(student_id: int) -> list[tuple[str, str, str | None]]:
    """Relation, name and phone of the guardians that answer for a child now."""
    with scope.opened(scope.EVERY_SCHOOL):
        return [
            (g.relation, g.full_name, g.phone)
            for g in rows(
                "select t.relation, g.full_name, g.phone from guardianships t join guardians g"
                " on g.id = t.guardian_id where t.student_id = :id and t.ends_on is null"
                " order by t.is_primary desc, t.id",
                id=student_id,
            )
        ]


def class_of(student_id: int) -> str | None:
    """The class a child sits in."""
    with scope.opened(scope.EVERY_SCHOOL):
        found = row(
            "select c.name from enrolments e join placements p on p.enrolment_id = e.id"
            " join classes c on c.id = p.class_id where e.student_id = :id and p.ends_on is null"
            " and e.ends_on is null",
            id=student_id,
        )
    return found.name if found else None


BORN = date(2016, 3, 14)
