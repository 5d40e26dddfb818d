"""Pairs that may be one child, the two of them side by side, and the merges there were."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.core import scope
from app.core.db import DAY, MOMENT, rows
from app.core.ids import read_student_code
from app.core.money import ZERO, Vnd
from app.money import billing
from app.people.schools import short_name_sql
from app.people.students import Scheme, Sex, Verification, rows_of
from app.people.students.errors import StudentNotFound

#: How many pairs one page shows; whoever has more has a list imported twice.
MOST_PAIRS = 200


class Ground(StrEnum):
    """Why two records are proposed, the strongest first."""

    NUMBER = "number"
    FAMILY = "family"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a proposed pair; a child outside the asker's schools shows less."""

    id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    #: newest stay
    school_id: int | None
    school_name: str
    class_name: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be one child."""

    ground: Ground
    #: the scheme of the number both carry
    scheme: Scheme | None
    first: Side
    second: Side


# The same number under one scheme, or name and birth date; each pair once.
_PAIRS = """
with pairs as (
  select a.student_id as first_id, b.student_id as second_id, 1 as strength, min(a.scheme) as scheme
  from student_identifiers a join student_identifiers b
    on b.value = a.value and b.scheme = a.scheme and b.student_id > a.student_id
  where a.scheme <> 'school' group by a.student_id, b.student_id
  union all
  select a.id, b.id,
    case when exists (select 1 from guardianships x join guardianships y
      on y.student_id = b.id join guardians g on g.id = x.guardian_id
      join guardians h on h.id = y.guardian_id
      where x.student_id = a.id and (h.id = g.id or (h.phone = g.phone and g.phone is not null)))
    then 2 else 3 end, null
  from students a join students b
    on b.search_key = a.search_key and b.birth_date = a.birth_date and b.id > a.id
)
select p.first_id, p.second_id, min(p.strength) as strength, max(p.scheme) as scheme
from pairs p
join students a on a.id = p.first_id and a.merged_into_id is null and a.anonymised_at is null
join students b on b.id = p.second_id and b.merged_into_id is null and b.anonymised_at is null
where not exists (select 1 from two_children t
  where t.first_id = p.first_id and t.second_id = p.second_id){here}
group by p.first_id, p.second_id, a.sort_key
order by 3, a.sort_key, 1, 2 limit :most
"""
_HERE = (
    " and exists (select 1 from enrolments e where e.student_id in (p.first_id, p.second_id)"
    " and e.school_id in :schools)"
)


def proposed_pairs(schools: Collection[int] | None, today: date) -> list[Pair]:
    """Pairs that may be one child, where one of them was ever at one of the schools (None: all)."""
    values: dict[str, Any] = {"most": MOST_PAIRS}
    if schools is not None:
        values["schools"] = sorted(schools)
    found = rows(_PAIRS.format(here="" if schools is None else _HERE), **values)
    sides = _sides({s for pair in found for s in (pair.first_id, pair.second_id)}, schools, today)
    return [
        Pair(
            ground=list(Ground)[int(pair.strength) - 1],
            scheme=Scheme(pair.scheme) if pair.scheme else None,
            first=sides[pair.first_id],
            second=sides[pair.second_id],
        )
        for pair in found
    ]


def count_proposed(school_id: int) -> int:
    """How many pairs wait to be looked at, counted up to the most a page shows."""
    return len(rows(_PAIRS.format(here=_HERE), schools=[school_id], most=MOST_PAIRS))


def _sides(
    student_ids: Collection[int], schools: Collection[int] | None, today: date
) -> dict[int, Side]:
    if not student_ids:
        return {}
    found = rows(
        "select s.id, s.code, s.full_name, s.birth_date, s.sex, e.school_id,"
        f" {short_name_sql()} as school_name,"
        " (select c.name from placements p join classes c on c.id = p.class_id"
        "  where p.school_id = e.school_id and p.enrolment_id = e.id"
        "  order by p.starts_on desc limit 1) as class_name"
        " from students s left join enrolments e on e.id = (select x.id from enrolments x"
        "  where x.student_id = s.id order by x.starts_on desc, x.id desc limit 1)"
        " where s.id in :ids",
        types={"birth_date": DAY},
        ids=sorted(student_ids),
        today=today,
    )
    visible = _visible(student_ids, schools)
    return {
        s.id: Side(
            id=s.id,
            code=s.code,
            full_name=s.full_name,
            birth_date=s.birth_date,
            sex=Sex(s.sex),
            school_id=s.school_id,
            school_name=s.school_name or "",
            class_name=s.class_name or "",
            is_visible=s.id in visible,
        )
        for s in found
    }


def _visible(student_ids: Collection[int], schools: Collection[int] | None) -> set[int]:
    if schools is None:
        return set(student_ids)
    return {
        found.student_id
        for found in rows(
            "select distinct student_id from enrolments where student_id in :ids"
            " and school_id in :schools",
            ids=sorted(student_ids),
            schools=sorted(schools),
        )
    }


def is_visible(student_id: int, schools: Collection[int] | None) -> bool:
    """Whether a record has a stay at one of the schools."""
    return student_id in _visible([student_id], schools)


# Two records side by side


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a record that still holds."""

    scheme: Scheme
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class RecordStay:
    """A stay of a record."""

    school_id: int
    school_name: str
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class SchoolMoney:
    """What a record owes and is owed at one school."""

    school_id: int
    school_name: str
    open: Vnd
    credit: Vnd
    bills: int


@dataclass(frozen=True, slots=True)
class Record:
    """All that is compared before two records are joined."""

    id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    verification: Verification
    created_at: datetime
    numbers: list[Number]
    stays: list[RecordStay]
    #: names of guardians, with the end of the phone
    family: list[tuple[str, str]]
    money: list[SchoolMoney]

    @property
    def open(self) -> Vnd:
        """Open bills at all schools."""
        return sum((place.open for place in self.money), ZERO)

    @property
    def credit(self) -> Vnd:
        """Credit at all schools."""
        return sum((place.credit for place in self.money), ZERO)


def find_record(code: str) -> int:
    """The row of an exact code that leads nowhere else, else StudentNotFound."""
    stored = read_student_code(code)
    found = rows(
        "select id from students where code = :code and merged_into_id is null"
        " and anonymised_at is null",
        code=stored or "",
    )
    if not found:
        raise StudentNotFound
    return int(found[0].id)


def records(student_ids: Sequence[int], today: date) -> list[Record]:
    """Records to compare, in the order asked for. The scope is the asker's business."""
    found = {
        s.id: s
        for s in rows(
            "select id, code, full_name, birth_date, sex, verification, created_at from students"
            " where id in :ids",
            types={"birth_date": DAY, "created_at": MOMENT},
            ids=list(student_ids),
        )
    }
    return [
        Record(
            id=s.id,
            code=s.code,
            full_name=s.full_name,
            birth_date=s.birth_date,
            sex=Sex(s.sex),
            verification=Verification(s.verification),
            created_at=s.created_at,
            numbers=_numbers(s.id),
            stays=_stays(s.id, today),
            family=_family(s.id),
            money=_money(s.id, today),
        )
        for s in (found[student_id] for student_id in student_ids)
    ]


def _numbers(student_id: int) -> list[Number]:
    return [
        Number(Scheme(n.scheme), n.value, n.source)
        for n in rows(
            "select scheme, value, source from student_identifiers where student_id = :id"
            " and valid_to is null order by id",
            id=student_id,
        )
    ]


def _stays(student_id: int, today: date) -> list[RecordStay]:
    return [
        RecordStay(*stay)
        for stay in rows(
            f"select e.school_id, {short_name_sql()}, e.starts_on, e.ends_on from enrolments e"
            " where e.student_id = :id order by e.starts_on desc",
            types={"starts_on": DAY, "ends_on": DAY},
            id=student_id,
            today=today,
        )
    ]


def _family(student_id: int) -> list[tuple[str, str]]:
    return [
        (guardian.full_name, (guardian.phone or "")[-4:])
        for guardian in rows(
            "select g.full_name, g.phone from guardianships t join guardians g"
            " on g.id = t.guardian_id where t.student_id = :id and t.ends_on is null"
            " order by t.is_primary desc, t.id",
            id=student_id,
        )
    ]


def _money(student_id: int, today: date) -> list[SchoolMoney]:
    places = rows(
        f"select v.school_id, {short_name_sql('v.school_id')} as name, count(*) as bills"
        " from invoices v"
        " where v.student_id in :ids group by v.school_id order by v.school_id",
        ids=list(rows_of([student_id])),
        today=today,
    )
    found = []
    for place in places:
        if not scope.current().may_read(place.school_id):
            continue
        lines = billing.open_lines(place.school_id, [student_id]).get(student_id, [])
        found.append(
            SchoolMoney(
                school_id=place.school_id,
                school_name=place.name or "",
                open=sum((line.open for line in lines), ZERO),
                credit=billing.credits_of(place.school_id, [student_id]).get(student_id, ZERO),
                bills=int(place.bills),
            )
        )
    return found


# Merges there were


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A merge in the list of them."""

    id: int
    survivor_code: str
    survivor_name: str
    merged_code: str
    merged_name: str
    reason: str
    actor: str
    at: datetime
    undone_at: datetime | None
    undone_by: str | None


def list_merges(schools: Collection[int] | None) -> list[MergeRow]:
    """The merges that touched one of the schools (None: all), newest first."""
    only = (
        ""
        if schools is None
        else " where exists (select 1 from enrolments e where e.school_id in :schools"
        " and e.student_id in (m.survivor_id, m.merged_id))"
    )
    values = {} if schools is None else {"schools": sorted(schools)}
    found = rows(
        "select m.id, a.code, a.full_name, b.code, b.full_name, m.reason, m.actor, m.at,"
        " u.at as undone_at, u.actor as undone_by from merges m"
        " join students a on a.id = m.survivor_id join students b on b.id = m.merged_id"
        f" left join merge_undos u on u.merge_id = m.id{only} order by m.id desc limit 200",
        types={"at": MOMENT, "undone_at": MOMENT},
        **values,
    )
    return [MergeRow(*merge) for merge in found]
