"""Whether a child about to be admitted is known already, told only as far as the asker may know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core import scope
from app.core.db import DAY, row, rows
from app.core.ids import read_student_code
from app.core.text import fold
from app.people.students.errors import StudentMismatch
from app.people.students.models import Sex


@dataclass(frozen=True, slots=True)
class Likeness:
    """A recorded child that may be the one at the desk.

    Name and code are empty where the child was never at a school the asker may see.
    """

    by_number: bool
    full_name: str = ""
    code: str = ""
    birth_date: date | None = None
    class_name: str | None = None
    #: at the asker's own school now
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A child opened by its exact code and birth date."""

    student_id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    is_here: bool
    is_elsewhere: bool


def like(school_id: int, full_name: str, birth_date: date, pin: str, today: date) -> list[Likeness]:
    """Children with the same personal number, or the same name and birth date; numbers first."""
    found = rows(
        "select s.id, s.code, s.full_name, s.birth_date, max(n.hit) as by_number from ("
        " select student_id as id, 1 as hit from student_identifiers"
        "  where scheme = 'pin' and valid_to is null and value = :pin"
        " union all select id, 0 from students where search_key = :name and birth_date = :born) n"
        " join students m on m.id = n.id"
        " join students s on s.id = coalesce(m.merged_into_id, m.id)"
        " where s.anonymised_at is null group by s.id, s.code, s.full_name, s.birth_date"
        " order by max(n.hit) desc, s.id",
        types={"birth_date": DAY},
        pin=pin,
        name=fold(full_name),
        born=birth_date,
    )
    visible = _visible((child.id for child in found), school_id, today)
    return [
        Likeness(
            by_number=bool(child.by_number),
            full_name=child.full_name,
            code=child.code,
            birth_date=child.birth_date,
            class_name=visible[child.id].class_name,
            is_here=visible[child.id].is_here,
        )
        if child.id in visible
        else Likeness(by_number=bool(child.by_number))
        for child in found
    ]


@dataclass(frozen=True, slots=True)
class _Seen:
    class_name: str | None
    is_here: bool


def _visible(student_ids: Iterable[int], school_id: int, today: date) -> dict[int, _Seen]:
    """Those of the children who are or were at a school in scope."""
    ids = list(student_ids)
    if not ids:
        return {}
    values: dict[str, Any] = {"ids": ids, "today": today}
    within = ""
    readable = scope.current().readable
    if readable is not None:
        within = " and e.school_id in :readable"
        values["readable"] = sorted(readable)
    seen: dict[int, _Seen] = {}
    for stay in rows(
        "select e.student_id, e.school_id as school, e.ends_on, c.name as class_name"
        " from enrolments e left join placements p on p.school_id = e.school_id"
        "  and p.enrolment_id = e.id and (p.ends_on is null or p.ends_on > :today)"
        " left join classes c on c.id = p.class_id"
        f" where e.student_id in :ids{within} order by e.id, p.starts_on desc",
        types={"ends_on": DAY},
        **values,
    ):
        is_here = stay.school == school_id and (stay.ends_on is None or stay.ends_on > today)
        before = seen.get(stay.student_id)
        if before is None or is_here:
            seen[stay.student_id] = _Seen(stay.class_name, is_here)
    return seen


def claim(school_id: int, written_code: str, birth_date: date, today: date) -> Claim:
    """A child of the area by code and birth date, both exact; else StudentMismatch."""
    code = read_student_code(written_code)
    child = (
        row(
            "select s.id, s.code, s.full_name, s.birth_date, s.sex from students m"
            " join students s on s.id = coalesce(m.merged_into_id, m.id)"
            " where m.code = :code and s.birth_date = :born and s.anonymised_at is null",
            types={"birth_date": DAY},
            code=code,
            born=birth_date,
        )
        if code
        else None
    )
    if child is None:
        raise StudentMismatch
    places = {
        stay.school
        for stay in rows(
            "select school_id as school from enrolments where student_id = :student"
            " and (ends_on is null or ends_on > :today)",
            student=child.id,
            today=today,
        )
    }
    return Claim(
        student_id=child.id,
        code=child.code,
        full_name=child.full_name,
        birth_date=child.birth_date,
        sex=Sex(child.sex),
        is_here=school_id in places,
        is_elsewhere=bool(places - {school_id}),
    )


def may_change(school_id: int, student_id: int, today: date) -> bool:
    """Whether a school may correct who a child is: while it is there, or the last to have it.

    A school the child has left may not, as soon as another school has the child; nobody may once it
    is anonymous.
    """
    stays = rows(
        "select e.school_id as school, e.ends_on from enrolments e"
        " join students s on s.id = e.student_id and s.anonymised_at is null"
        " where e.student_id = :student order by e.starts_on desc, e.id desc",
        types={"ends_on": DAY},
        student=student_id,
    )
    now_at = {s.school for s in stays if s.ends_on is None or s.ends_on > today}
    return school_id in now_at or (not now_at and bool(stays) and stays[0].school == school_id)
