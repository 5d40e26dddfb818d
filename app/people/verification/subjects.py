"""Pupils and staff seen alike: who they are now, how far that is proved, whose they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.db import DAY, execute, in_chunks, rows
from app.people.students import Verification
from app.people.verification.models import Kind

ANSWERED = (
    Verification.MATCHED,
    Verification.DIFFERS,
    Verification.NOT_FOUND,
    Verification.DOUBLE,
)
#: who may be put into a batch
SENDABLE = (
    Verification.NOT_SENT,
    Verification.DIFFERS,
    Verification.NOT_FOUND,
    Verification.DOUBLE,
)


@dataclass(frozen=True, slots=True)
class Subjects:
    """Where one kind of people is kept; `present` has one row a person, `here` ids of a school."""

    kind: Kind
    #: the column that names them in the tables of this room
    column: str
    table: str
    key: str
    word: str
    present: str
    here: str


PUPILS = Subjects(
    kind=Kind.PUPILS,
    column="student_id",
    table="students",
    key="id",
    word="student",
    present=(
        "select s.id as subject_id, s.code, s.full_name, s.sort_key, s.birth_date, s.sex,"
        " s.verification, (select max(n.value) from student_identifiers n where n.student_id = s.id"
        "  and n.scheme = 'pin' and n.valid_to is null) as pin,"
        " coalesce((select max(c.id) from identity_changes c where c.student_id = s.id"
        "  and c.field in ('full_name', 'birth_date', 'sex', 'pin')), 0) as revision"
        " from students s where s.anonymised_at is null and s.merged_into_id is null"
    ),
    here=(
        "select e.student_id from enrolments e where e.school_id = :school_id"
        " and (e.ends_on is null or e.ends_on > :today)"
    ),
)
STAFF = Subjects(
    kind=Kind.STAFF,
    column="user_id",
    table="staff_identities",
    key="user_id",
    word="user",
    present=(
        "select u.id as subject_id, cast(u.id as varchar(20)) as code,"
        " coalesce(t.full_name, u.display_name) as full_name,"
        " coalesce(t.sort_key, '') as sort_key, t.birth_date, t.sex,"
        " coalesce(t.verification, 'CHUA_CO_SO') as verification,"
        " (select max(n.value) from staff_identifiers n where n.user_id = u.id"
        "  and n.scheme = 'pin' and n.valid_to is null) as pin,"
        " coalesce(t.revision, 0) as revision"
        " from users u left join staff_identities t on t.user_id = u.id"
    ),
    here=(
        "select m.user_id from memberships m join schools k on k.unit_id = m.unit_id"
        " where k.id = :school_id and m.starts_on <= :today"
        " and (m.ends_on is null or m.ends_on > :today)"
    ),
)
SUBJECTS = {Kind.PUPILS: PUPILS, Kind.STAFF: STAFF}


def present_of(subjects: Subjects, ids: Iterable[int]) -> dict[int, Any]:
    """Who these people are now; those merged or made anonymous are left out."""
    return {
        found.subject_id: found
        for chunk in in_chunks(ids)
        for found in rows(
            f"select p.* from ({subjects.present}) p where p.subject_id in :ids",
            types={"birth_date": DAY},
            ids=chunk,
        )
    }


def present_here(
    subjects: Subjects, school_id: int, today: date, states: Iterable[Verification]
) -> list[Any]:
    """The people of a school in some states, by name."""
    return list(
        rows(
            f"select p.* from ({subjects.present}) p where p.verification in :states"
            f" and p.subject_id in ({subjects.here}) order by p.sort_key, p.subject_id",
            types={"birth_date": DAY},
            states=[state.value for state in states],
            school_id=school_id,
            today=today,
        )
    )


def set_state(subjects: Subjects, ids: Iterable[int], state: Verification) -> None:
    """How far these identities are proved from now on."""
    for chunk in in_chunks(ids):
        execute(
            f"update {subjects.table} set verification = :state where {subjects.key} in :ids",
            state=state.value,
            ids=chunk,
        )


def same_values(item: Any, person: Any) -> bool:
    """Whether an asked identity is still the present one."""
    return bool(
        item.full_name == person.full_name
        and item.birth_date == person.birth_date
        and item.sex == person.sex
        and item.pin == person.pin
    )
