"""Reading one child's codes, stays, classes and family, and the classes of a school."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from app.core import scope
from app.core.db import DAY, MOMENT, row, rows, scalar
from app.core.ids import read_student_code
from app.core.text import fold, last_four
from app.people.schools import short_name_sql
from app.people.students.errors import StudentNotFound
from app.people.students.models import NoNumber, Scheme, Sex, Verification


@dataclass(frozen=True, slots=True)
class StudentRow:
    """A child in a list, with its newest stay at the school."""

    student_id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    enrolment_id: int
    school_id: int
    school_code: str
    class_name: str | None
    ends_on: date | None

    def has_left(self, today: date) -> bool:
        """Whether the stay is over."""
        return self.ends_on is not None and self.ends_on <= today


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class with the number of children in it today."""

    id: int
    name: str
    grade: int
    children: int


#: The class a child of the stay `e` is in on :today, or will be in first, or was in last.
PLACEMENT = """(select q.id from placements q
  where q.school_id = e.school_id and q.enrolment_id = e.id
  order by case when q.ends_on is null or q.ends_on > :today then 0 else 1 end,
           case when q.ends_on is null or q.ends_on > :today then q.starts_on end,
           q.starts_on desc limit 1)"""
# Each child once: its newest stay, with the class it is in today or will be in first.
_FROM = f"""
from enrolments e
join students s on s.id = e.student_id
join schools k on k.id = e.school_id
left join placements p on p.id = {PLACEMENT}
left join classes c on c.id = p.class_id
where s.merged_into_id is null and e.id = (select max(x.id) from enrolments x
  where x.school_id = e.school_id and x.student_id = e.student_id)
"""
COLUMNS = (
    "select s.id as student_id, s.code, s.full_name, s.birth_date, s.sex, e.id as enrolment_id,"
    " e.school_id, k.code as school_code, c.name as class_name, e.ends_on"
)
TYPES = {"birth_date": DAY, "ends_on": DAY}


def student_row(found: Any) -> StudentRow:
    """A row of `COLUMNS`, which may have more columns behind."""
    child = StudentRow(*found[:10])
    return replace(child, sex=Sex(child.sex))


def list_classes(school_id: int, school_year_id: int, today: date) -> list[ClassRow]:
    """The classes of a year with how many children sit in each today, by grade and name."""
    found = rows(
        "select c.id, c.name, c.grade, (select count(*) from placements p"
        "  join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id"
        "  and (e.ends_on is null or e.ends_on > :today)"
        "  where p.school_id = c.school_id and p.class_id = c.id"
        "  and (p.ends_on is null or p.ends_on > :today)) as children"
        " from classes c where c.school_id = :school_id and c.school_year_id = :year",
        school_id=school_id,
        year=school_year_id,
        today=today,
    )
    return sorted((ClassRow(*known) for known in found), key=lambda c: (c.grade, natural(c.name)))


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort key in which 2/10 follows 2/9."""
    parts = re.findall(r"[0-9]+|[^0-9]+", fold(name))
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def count_enrolled(school_id: int, today: date) -> int:
    """Children who have not left."""
    return int(
        scalar(
            "select count(distinct student_id) from enrolments where school_id = :school_id"
            " and (ends_on is null or ends_on > :today)",
            school_id=school_id,
            today=today,
        )
    )


# One child


def masked(value: str) -> str:
    """A number with its middle hidden: 048*****1234."""
    keep = (3, 4) if len(value) >= 9 else (1, 2) if len(value) >= 5 else (0, 1)
    hidden = len(value) - sum(keep)
    return value[: keep[0]] + "*" * hidden + value[len(value) - keep[1] :]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number of the child; screens show it masked."""

    id: int
    scheme: Scheme
    value: str
    source: str
    valid_from: date
    valid_to: date | None

    @property
    def masked(self) -> str:
        """048*****1234: enough to compare with a paper, not enough to use."""
        return masked(self.value)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay at one school."""

    enrolment_id: int
    school_id: int
    school_name: str
    starts_on: date
    ends_on: date | None
    end_reason: str | None


@dataclass(frozen=True, slots=True)
class ClassTime:
    """Days in one class of one school year."""

    year: str
    class_name: str
    grade: int
    school_name: str
    starts_on: date
    ends_on: date | None
    enrolment_id: int


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """A guardian as staff see one: name, relation, the end of the phone."""

    full_name: str
    relation: str
    is_primary: bool
    phone: str | None
    address: str | None
    guardianship_id: int
    guardian_id: int

    @property
    def masked_phone(self) -> str:
        """••• ••• 3456."""
        return f"••• ••• {last_four(self.phone)}" if self.phone else ""


@dataclass(frozen=True, slots=True)
class StudentPage:
    """All this room knows of a child within the asker's scope."""

    id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    verification: Verification
    no_number_reason: NoNumber | None
    anonymised_at: datetime | None
    identifiers: list[Identifier]
    stays: list[Stay]
    classes: list[ClassTime]
    family: list[FamilyMember]
    siblings: list[StudentRow]

    def stay_at(self, school_id: int) -> Stay | None:
        """The newest stay at one school."""
        return next((stay for stay in self.stays if stay.school_id == school_id), None)

    def number(self, scheme: Scheme) -> Identifier | None:
        """The valid number of one scheme."""
        valid = (n for n in self.identifiers if n.scheme is scheme and n.valid_to is None)
        return next(valid, None)

    def class_at(self, school_id: int) -> str | None:
        """The newest class at one school."""
        stays = {stay.enrolment_id for stay in self.stays if stay.school_id == school_id}
        return next((c.class_name for c in self.classes if c.enrolment_id in stays), None)


def _in_scope(values: dict[str, Any]) -> str:
    readable = scope.current().readable
    if readable is None:
        return ""
    values["readable"] = sorted(readable)
    return " and e.school_id in :readable"


def get_student(code: str, today: date) -> StudentPage:
    """A child by code, when a stay of its lies within the scope; else StudentNotFound.

    The code of a record merged into another gives the child it is.
    """
    stored = read_student_code(code)
    # The code of a record that was merged leads to the child it is.
    child = (
        row(
            "select s.id, s.code, s.full_name, s.birth_date, s.sex, s.verification,"
            " s.no_number_reason, s.anonymised_at from students o"
            " join students s on s.id = coalesce(o.merged_into_id, o.id) where o.code = :code",
            types={"birth_date": DAY, "anonymised_at": MOMENT},
            code=stored,
        )
        if stored
        else None
    )
    stays = _stays(child.id, today) if child is not None else []
    if child is None or not stays:
        raise StudentNotFound
    return StudentPage(
        id=child.id,
        code=child.code,
        full_name=child.full_name,
        birth_date=child.birth_date,
        sex=Sex(child.sex),
        verification=Verification(child.verification),
        no_number_reason=NoNumber(child.no_number_reason) if child.no_number_reason else None,
        anonymised_at=child.anonymised_at,
        identifiers=_identifiers(child.id),
        stays=stays,
        classes=_class_times(child.id, today),
        family=_family(child.id, today),
        siblings=_siblings(child.id, today),
    )


def _stays(student_id: int, today: date) -> list[Stay]:
    values: dict[str, Any] = {"student": student_id, "today": today}
    found = rows(
        f"select e.id as enrolment_id, e.school_id, {short_name_sql()} as school_name, e.starts_on,"
        " e.ends_on, e.end_reason from enrolments e where e.student_id = :student"
        f"{_in_scope(values)} order by e.starts_on desc, e.id desc",
        types={"starts_on": DAY, "ends_on": DAY},
        **values,
    )
    return [Stay(*stay) for stay in found]


def _class_times(student_id: int, today: date) -> list[ClassTime]:
    values: dict[str, Any] = {"student": student_id, "today": today}
    found = rows(
        f"select y.code as year, c.name as class_name, c.grade, {short_name_sql()} as school_name,"
        " p.starts_on, p.ends_on, e.id as enrolment_id from enrolments e"
        " join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        " join classes c on c.id = p.class_id join school_years y on y.id = c.school_year_id"
        f" where e.student_id = :student{_in_scope(values)} order by p.starts_on desc, p.id desc",
        types={"starts_on": DAY, "ends_on": DAY},
        **values,
    )
    return [ClassTime(*time) for time in found]


def _identifiers(student_id: int) -> list[Identifier]:
    found = rows(
        "select id, scheme, value, source, valid_from, valid_to from student_identifiers"
        " where student_id = :student order by valid_to is not null, id",
        types={"valid_from": DAY, "valid_to": DAY},
        student=student_id,
    )
    return [
        Identifier(n.id, Scheme(n.scheme), n.value, n.source, n.valid_from, n.valid_to)
        for n in found
    ]


def _family(student_id: int, today: date) -> list[FamilyMember]:
    found = rows(
        "select g.full_name, t.relation, t.is_primary, g.phone, g.address, t.id as tie,"
        " g.id as guardian_id from guardianships t"
        " join guardians g on g.id = t.guardian_id where t.student_id = :student"
        " and (t.ends_on is null or t.ends_on > :today) order by t.is_primary desc, t.id",
        student=student_id,
        today=today,
    )
    return [
        FamilyMember(
            g.full_name,
            g.relation,
            bool(g.is_primary),
            g.phone,
            g.address,
            g.tie,
            g.guardian_id,
        )
        for g in found
    ]


def _siblings(student_id: int, today: date) -> list[StudentRow]:
    values: dict[str, Any] = {"student": student_id, "today": today}
    found = rows(
        f"{COLUMNS} {_FROM}{_in_scope(values)} and (e.ends_on is null or e.ends_on > :today)"
        " and s.id <> :student and exists (select 1 from guardianships mine"
        "  join guardianships theirs on theirs.guardian_id = mine.guardian_id"
        "  where mine.student_id = :student and theirs.student_id = s.id"
        "  and mine.ends_on is null and theirs.ends_on is null)"
        " order by s.birth_date, s.sort_key, s.code",
        types=TYPES,
        **values,
    )
    return [student_row(child) for child in found]


def shared_guardian(guardian_id: int, school_id: int, today: date) -> tuple[int, int]:
    """How many children a guardian answers for, and how many of them are at other schools only."""
    found = row(
        "select count(*) as children, sum(case when exists (select 1 from enrolments e"
        "  where e.student_id = t.student_id and e.school_id = :school_id"
        "  and (e.ends_on is null or e.ends_on > :today)) then 0 else 1 end) as elsewhere"
        " from guardianships t where t.guardian_id = :guardian and t.ends_on is null",
        school_id=school_id,
        guardian=guardian_id,
        today=today,
    )
    return (int(found.children), int(found.elsewhere or 0)) if found else (0, 0)


def leave_note(school_id: int, enrolment_id: int) -> str:
    """What a person added to the reason of a leave; empty when nothing was."""
    cause = scalar(
        "select cause from audit_rows where school_id = :school_id and action = 'student.leave'"
        " and subject = :subject order by id desc limit 1",
        school_id=school_id,
        subject=f"enrolment:{enrolment_id}",
    )
    return str(cause or "").partition(": ")[2]
