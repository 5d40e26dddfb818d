"""Who is in no class of a school year yet, and who is in which: what bulk assignment works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.db import DAY, is_sqlite, rows
from app.people.schools import year_of
from app.people.students.models import Sex
from app.people.students.queries import natural

#: As many children stand on one page; the rest follow when these are placed.
SHOWN = 600


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year to place children in."""

    id: int
    code: str
    starts_on: date
    ends_on: date

    def day(self, today: date) -> date:
        """The day that counts: today, or the first day of a year still to come."""
        return max(today, self.starts_on)


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """A class children may be placed in."""

    id: int
    name: str
    grade: int
    year: str
    school_year_id: int


@dataclass(frozen=True, slots=True)
class OnRoll:
    """A child to be placed, with the class it was in last."""

    enrolment_id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    starts_on: date
    last_class_id: int | None
    last_class: str | None


def years(today: date) -> list[SchoolYear]:
    """The school year of a day and those to come, in order."""
    present = year_of(today)
    found = rows(
        "select id, code, starts_on, ends_on from school_years where starts_on >= :first"
        " order by starts_on",
        types={"starts_on": DAY, "ends_on": DAY},
        first=present.starts_on if present else today,
    )
    return [SchoolYear(*year) for year in found]


def choices(school_id: int, today: date) -> list[ClassChoice]:
    """The classes of this school year and those to come: by year, grade and number."""
    known = {year.id: year for year in years(today)}
    found = rows(
        "select id, name, grade, school_year_id from classes where school_id = :school_id",
        school_id=school_id,
    )
    return sorted(
        (
            ClassChoice(c.id, c.name, c.grade, known[c.school_year_id].code, c.school_year_id)
            for c in found
            if c.school_year_id in known
        ),
        key=lambda c: (c.year, c.grade, natural(c.name)),
    )


# Each stay with its newest placement; the class of the year, if any, is looked for apart.
_CHILDREN = """
select e.id as enrolment_id, s.code, s.full_name, s.birth_date, s.sex, e.starts_on,
  k.id as last_class_id, k.name as last_class
from enrolments e join students s on s.id = e.student_id
left join placements l on l.id = (select q.id from placements q
  where q.school_id = e.school_id and q.enrolment_id = e.id order by q.starts_on desc, q.id desc
  limit 1)
left join classes k on k.id = l.class_id
where e.school_id = :school_id and e.starts_on <= :last and (e.ends_on is null or e.ends_on > :day)
"""
_IN_A_CLASS = """exists (select 1 from placements p join classes c on c.id = p.class_id
  where p.school_id = e.school_id and p.enrolment_id = e.id and c.school_year_id = :year
  and (p.ends_on is null or p.ends_on > :day){one})"""


def unplaced(school_id: int, year: SchoolYear, today: date) -> list[OnRoll]:
    """Children of a school year who are in none of its classes, in Vietnamese order."""
    return _children(school_id, year, today, f" and not {_IN_A_CLASS.format(one='')}")


def in_class(school_id: int, year: SchoolYear, class_id: int, today: date) -> list[OnRoll]:
    """Children who are in a class, or will be, in Vietnamese order."""
    one = _IN_A_CLASS.format(one=" and c.id = :class_id")
    return _children(school_id, year, today, f" and {one}", class_id=class_id)


def _children(
    school_id: int, year: SchoolYear, today: date, condition: str, **values: Any
) -> list[OnRoll]:
    # The key is ASCII made for byte order; a database's own language would reorder it.
    order = "s.sort_key, s.code" if is_sqlite() else 's.sort_key collate "C", s.code'
    found = rows(
        f"{_CHILDREN}{condition} order by {order}",
        types={"birth_date": DAY, "starts_on": DAY},
        school_id=school_id,
        year=year.id,
        day=year.day(today),
        last=max(year.ends_on, year.day(today)),
        **values,
    )
    return [
        OnRoll(
            c.enrolment_id,
            c.code,
            c.full_name,
            c.birth_date,
            Sex(c.sex),
            c.starts_on,
            c.last_class_id,
            c.last_class,
        )
        for c in found
    ]
