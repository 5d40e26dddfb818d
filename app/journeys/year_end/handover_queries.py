"""Children on their way from one level to the next: who goes where, who has arrived."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core.db import DAY, row, rows
from app.journeys.year_end.plan import NEXT_LEVEL, last_grade
from app.journeys.year_end.queries import ROSTER, Pair
from app.people.schools import Level, short_name_sql

_FROM, _TO = (short_name_sql(f"w.{end}_school_id", ":day") for end in ("from", "to"))
#: Everybody on the way: handed over by a turn, named by the area beforehand, or about to finish.
_ON_THE_WAY = f"""
with {ROSTER}, way as (
  select e.student_id, h.from_school_id, h.from_enrolment_id, h.to_school_id, h.way, h.admitted_at,
         h.assigned_by,
         case when e.end_reason = 'finished' and e.ends_on is not null then 1 else 0 end as ready
  from handovers h
  join enrolments e on e.school_id = h.from_school_id and e.id = h.from_enrolment_id
  where h.school_year_id = :old and {{which}}
   and (e.end_reason = 'finished' or exists (select 1 from roster r
     where r.school_id = h.from_school_id and r.enrolment_id = h.from_enrolment_id
      and coalesce(r.outcome, 'finished') = 'finished'))
  union all
  select r.student_id, r.school_id, r.enrolment_id, null, null, null, null, 0
  from roster r join schools k on k.id = r.school_id and k.level <> 'lower_secondary'
  where r.grade = case k.level when 'nursery' then {last_grade(Level.NURSERY)}
                               else {last_grade(Level.PRIMARY)} end
   and coalesce(r.outcome, 'finished') = 'finished' and {{also}}
   and not exists (select 1 from handovers h where h.from_school_id = r.school_id
     and h.from_enrolment_id = r.enrolment_id and h.school_year_id = :old)
)"""


@dataclass(frozen=True, slots=True)
class Going:
    """A child on its way."""

    student_id: int
    #: the stay it comes from
    enrolment_id: int
    code: str
    full_name: str
    birth_date: date
    sex: str
    class_name: str
    from_school_id: int
    from_code: str
    from_name: str
    to_school_id: int | None
    to_code: str | None
    to_name: str | None
    #: area, list, claim
    way: str | None
    #: whether its old school has turned the year, so that it can be admitted
    ready: bool
    admitted: bool


_GOING = f"""
select w.student_id, w.from_enrolment_id as enrolment_id, s.code, s.full_name, s.birth_date, s.sex,
  coalesce((select c.name from placements p join classes c on c.id = p.class_id
    where p.school_id = w.from_school_id and p.enrolment_id = w.from_enrolment_id
    order by p.starts_on desc limit 1), '') as class_name,
  w.from_school_id, f.code as from_code, {_FROM} as from_name,
  w.to_school_id, t.code as to_code,
  {_TO} as to_name,
  w.way, w.ready, case when w.admitted_at is null then 0 else 1 end as admitted
from way w join students s on s.id = w.student_id
join schools f on f.id = w.from_school_id left join schools t on t.id = w.to_school_id
"""


def _going(found: Any) -> list[Going]:
    return [
        Going(**{**child._asdict(), "ready": bool(child.ready), "admitted": bool(child.admitted)})
        for child in found
    ]


def finishing_of(school_id: int, pair: Pair) -> list[Going]:
    """The children who finish at a school, with where they go; in the order of classes."""
    return _list("h.from_school_id = :school_id", [school_id], pair, school_id=school_id)


def finishing_in(schools: Collection[int], pair: Pair) -> list[Going]:
    """The same for all schools of the area."""
    return _list("h.from_school_id in :schools", sorted(schools), pair)


def arriving_at(school_id: int, pair: Pair) -> list[Going]:
    """The children on the list of a school, by the school they come from."""
    sql = _ON_THE_WAY.format(which="h.to_school_id = :school_id", also="1 = 0") + _GOING
    # The roster is that of the schools they come from, which this one may not read otherwise.
    sources = [
        found.from_school_id
        for found in rows(
            "select distinct from_school_id from handovers where school_year_id = :old"
            " and to_school_id = :school_id",
            old=pair.old.id,
            school_id=school_id,
        )
    ]
    if not sources:
        return []
    return _going(
        rows(
            f"{sql} order by from_name, s.sort_key, s.code",
            types={"birth_date": DAY},
            schools=sources,
            old=pair.old.id,
            day=pair.day,
            school_id=school_id,
        )
    )


def _list(which: str, schools: list[int], pair: Pair, **values: Any) -> list[Going]:
    if not schools:
        return []
    sql = _ON_THE_WAY.format(which=which, also="1 = 1") + _GOING
    return _going(
        rows(
            f"{sql} order by f.code, class_name, s.sort_key, s.code",
            types={"birth_date": DAY},
            schools=schools,
            old=pair.old.id,
            day=pair.day,
            **values,
        )
    )


@dataclass(frozen=True, slots=True)
class Route:
    """How many children go from one school to another, or to none yet."""

    from_school_id: int
    from_code: str
    from_name: str
    from_level: Level
    to_school_id: int | None
    to_code: str | None
    to_name: str | None
    children: int
    ready: int
    admitted: int


def routes_between(schools: Collection[int], pair: Pair) -> list[Route]:
    """The ways between the schools of the area with their numbers."""
    numbers = sorted(schools)
    if not numbers:
        return []
    sql = _ON_THE_WAY.format(which="h.from_school_id in :schools", also="1 = 1")
    found = rows(
        f"{sql} select w.from_school_id, f.code as from_code,"
        f" {_FROM} as from_name, f.level, w.to_school_id,"
        f" t.code as to_code, {_TO} as to_name,"
        " count(*) as children, sum(w.ready) as ready,"
        " sum(case when w.admitted_at is null then 0 else 1 end) as admitted"
        " from way w join schools f on f.id = w.from_school_id"
        " left join schools t on t.id = w.to_school_id"
        " group by w.from_school_id, f.code, f.level, w.to_school_id, t.code"
        " order by case f.level when 'nursery' then 1 else 2 end, f.code, t.code",
        schools=numbers,
        old=pair.old.id,
        day=pair.day,
    )
    return [
        Route(
            r.from_school_id,
            r.from_code,
            r.from_name,
            Level(r.level),
            r.to_school_id,
            r.to_code,
            r.to_name,
            int(r.children),
            int(r.ready),
            int(r.admitted),
        )
        for r in found
    ]


def find_finishing(code: str, birth_date: date, level: Level, pair: Pair) -> Any:
    """The hand-over of a child by exact code and birth date, for a school of its next level."""
    before = {after: level_ for level_, after in NEXT_LEVEL.items()}.get(level)
    return row(
        "select h.id, s.id as student_id, h.to_school_id, h.admitted_at, s.full_name"
        " from handovers h join schools f on f.id = h.from_school_id and f.level = :level"
        " join enrolments e on e.school_id = h.from_school_id and e.id = h.from_enrolment_id"
        "  and e.end_reason = 'finished'"
        " join students s on s.id = e.student_id"
        " where s.code = :code and s.birth_date = :birth and h.school_year_id = :old"
        " order by h.id limit 1",
        code=code,
        birth=birth_date,
        level=str(before or ""),
        old=pair.old.id,
    )
