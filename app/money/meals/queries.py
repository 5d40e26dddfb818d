"""Who eats on a day, the kitchen's count, registers, a month's sheet, contested days."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.db import DAY, MOMENT, rows
from app.core.period import Period
from app.money.meals.models import Source

#: A child takes an item when everybody is charged it, or its family said yes for the month.
_TAKES = (
    "(i.is_compulsory or exists (select 1 from fee_choices ch where ch.school_id = e.school_id"
    " and ch.enrolment_id = e.id and ch.item_id = i.id and ch.first_period <= {month}"
    " and (ch.last_period is null or ch.last_period >= {month})))"
)
_NEWEST = (
    "(select max(x.id) from meal_marks x where x.school_id = e.school_id"
    " and x.enrolment_id = e.id and x.day = :day)"
)


@dataclass(frozen=True, slots=True)
class Item:
    """An item by the day."""

    id: int
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Eater:
    """A child with a meal on a day, and what was said of it."""

    enrolment_id: int
    code: str
    full_name: str
    class_id: int
    class_name: str
    is_away: bool
    is_cut: bool
    source: Source | None
    reason: str
    said_by: str
    said_at: datetime | None


def items_by_the_day() -> list[Item]:
    """The items of the catalogue that are charged by the day."""
    return [
        Item(*item)
        for item in rows("select id, name, name_en from fee_items where unit = 'day' order by id")
    ]


def served_days(school_id: int, item_id: int, first: date, last: date) -> set[date]:
    """The days of a span on which an item is served."""
    found = rows(
        "select day from meal_days where school_id = :school_id and item_id = :item"
        " and is_served and day between :first and :last",
        types={"day": DAY},
        school_id=school_id,
        item=item_id,
        first=first,
        last=last,
    )
    return {one.day for one in found}


def meal_days_of(school_id: int, enrolment_id: int, first: date, last: date) -> list[date]:
    """The days of a span on which a child of the school has a meal, in order."""
    found = rows(
        "select d.day, i.id as item_id, i.is_compulsory, ch.first_period, ch.last_period"
        " from meal_days d join fee_items i on i.id = d.item_id"
        " join enrolments e on e.school_id = d.school_id and e.id = :stay"
        "  and e.starts_on <= d.day and (e.ends_on is null or e.ends_on > d.day)"
        " left join fee_choices ch on ch.school_id = e.school_id and ch.enrolment_id = e.id"
        "  and ch.item_id = i.id"
        " where d.school_id = :school_id and d.is_served and d.day between :first and :last",
        types={"day": DAY},
        school_id=school_id,
        stay=enrolment_id,
        first=first,
        last=last,
    )
    return sorted(
        {
            one.day
            for one in found
            if one.is_compulsory
            or (
                one.first_period is not None
                and int(one.first_period) <= Period.of(one.day).number
                and (one.last_period is None or int(one.last_period) >= Period.of(one.day).number)
            )
        }
    )


def eaters(school_id: int, day: date, class_id: int | None = None) -> list[Eater]:
    """The children with a meal on a day, of one class or of all, in the order of the class list."""
    only, values = "", dict[str, Any]()
    if class_id is not None:
        only, values = " and p.class_id = :class_id", {"class_id": class_id}
    found = rows(
        "select e.id as enrolment_id, s.code, s.full_name, c.id as class_id, c.name as class_name,"
        " k.is_away, k.is_cut, k.source, k.reason, k.actor, k.at"
        " from enrolments e join students s on s.id = e.student_id"
        " join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        "  and p.starts_on <= :day and (p.ends_on is null or p.ends_on > :day)"
        " join classes c on c.id = p.class_id"
        f" left join meal_marks k on k.id = {_NEWEST}"
        " where e.school_id = :school_id and e.starts_on <= :day"
        f" and (e.ends_on is null or e.ends_on > :day){only} and exists (select 1 from meal_days d"
        "  join fee_items i on i.id = d.item_id where d.school_id = e.school_id and d.day = :day"
        f"  and d.is_served and {_TAKES.format(month=':month')})"
        " order by c.grade, c.name, s.sort_key",
        types={"at": MOMENT},
        school_id=school_id,
        day=day,
        month=Period.of(day).number,
        **values,
    )
    return [
        Eater(
            one.enrolment_id,
            one.code,
            one.full_name,
            one.class_id,
            one.class_name,
            bool(one.is_away),
            bool(one.is_cut),
            Source(one.source) if one.source else None,
            one.reason or "",
            one.actor or "",
            one.at,
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One class on a day, as the kitchen and the office see it."""

    class_id: int
    class_name: str
    children: int
    cut: int
    late: int
    closed_by: str | None
    closed_at: datetime | None

    @property
    def cooked(self) -> int:
        """For how many the kitchen cooks: all but those told in time."""
        return self.children - self.cut

    @property
    def present(self) -> int:
        """How many are there, as far as anybody said."""
        return self.children - self.cut - self.late


def head_count(school_id: int, day: date) -> list[ClassCount]:
    """The classes with meals on a day."""
    children: Counter[tuple[int, str]] = Counter()
    cut: Counter[int] = Counter()
    late: Counter[int] = Counter()
    for one in eaters(school_id, day):
        children[one.class_id, one.class_name] += 1
        cut[one.class_id] += one.is_cut
        late[one.class_id] += one.is_away and not one.is_cut
    closed = {
        one.class_id: one
        for one in rows(
            "select class_id, closed_by, closed_at from meal_registers"
            " where school_id = :school_id and day = :day order by id",
            types={"closed_at": MOMENT},
            school_id=school_id,
            day=day,
        )
    }
    return [
        ClassCount(
            class_id,
            name,
            count,
            cut[class_id],
            late[class_id],
            closed[class_id].closed_by if class_id in closed else None,
            closed[class_id].closed_at if class_id in closed else None,
        )
        for (class_id, name), count in children.items()
    ]


# A month


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One child in a month: days planned for it, told in time, told late."""

    enrolment_id: int
    code: str
    full_name: str
    class_name: str
    planned: int
    cut: int
    late: int

    @property
    def charged(self) -> int:
        """The days the family pays."""
        return self.planned - self.cut


def month_sheet(school_id: int, item_id: int, period: Period) -> list[MonthRow]:
    """The children that take an item in a month, by class and name."""
    found = rows(
        "select e.id as enrolment_id, s.code, s.full_name, s.sort_key, c.grade,"
        " c.name as class_name, count(*) as planned,"
        " sum(case when k.is_cut then 1 else 0 end) as cut,"
        " sum(case when k.is_away and not k.is_cut then 1 else 0 end) as late"
        " from meal_days d join fee_items i on i.id = d.item_id"
        " join enrolments e on e.school_id = d.school_id and e.starts_on <= d.day"
        "  and (e.ends_on is null or e.ends_on > d.day)"
        " join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        "  and p.starts_on <= d.day and (p.ends_on is null or p.ends_on > d.day)"
        " join classes c on c.id = p.class_id join students s on s.id = e.student_id"
        " left join (select school_id, enrolment_id, day, max(id) as id from meal_marks"
        "  where school_id = :school_id and day between :first and :last"
        "  group by school_id, enrolment_id, day) n on n.enrolment_id = e.id and n.day = d.day"
        " left join meal_marks k on k.id = n.id"
        " where d.school_id = :school_id and d.item_id = :item and d.is_served"
        f" and d.day between :first and :last and {_TAKES.format(month=':month')}"
        " group by e.id, s.code, s.full_name, s.sort_key, c.grade, c.name"
        " order by c.grade, c.name, s.sort_key",
        school_id=school_id,
        item=item_id,
        first=period.first_day,
        last=period.last_day,
        month=period.number,
    )
    return [
        MonthRow(
            one.enrolment_id,
            one.code,
            one.full_name,
            one.class_name,
            int(one.planned),
            int(one.cut),
            int(one.late),
        )
        for one in found
    ]


def days_free(school_id: int, enrolment_id: int, period: Period) -> list[date]:
    """The days of a month a child is not charged for being away, in order."""
    found = rows(
        "select k.day, k.is_cut from meal_marks k where k.school_id = :school_id"
        " and k.enrolment_id = :stay and k.day between :first and :last order by k.id",
        types={"day": DAY},
        school_id=school_id,
        stay=enrolment_id,
        first=period.first_day,
        last=period.last_day,
    )
    newest = {one.day: bool(one.is_cut) for one in found}
    return sorted(day for day, is_cut in newest.items() if is_cut)


# Contests


@dataclass(frozen=True, slots=True)
class Contest:
    """A contested day."""

    id: int
    code: str
    full_name: str
    day: date
    words: str
    asked_by: str
    asked_at: datetime
    is_accepted: bool | None
    answer: str
    decided_by: str | None
    decided_at: datetime | None


def contests(school_id: int) -> list[Contest]:
    """What waits first, then the newest answered ones."""
    found = rows(
        "select m.id, s.code, s.full_name, m.day, m.words, m.asked_by, m.asked_at, m.is_accepted,"
        " m.answer, m.decided_by, m.decided_at from meal_contests m"
        " join enrolments e on e.school_id = m.school_id and e.id = m.enrolment_id"
        " join students s on s.id = e.student_id where m.school_id = :school_id"
        " order by case when m.decided_at is null then 0 else 1 end, m.id desc limit 200",
        types={"day": DAY, "asked_at": MOMENT, "decided_at": MOMENT},
        school_id=school_id,
    )
    return [
        Contest(
            **{
                **one._asdict(),
                "is_accepted": None if one.is_accepted is None else bool(one.is_accepted),
            }
        )
        for one in found
    ]


def stay_of(school_id: int, code: str, day: date) -> int | None:
    """The stay of a child with a code on a day."""
    found = rows(
        "select e.id from enrolments e join students o on o.code = :code"
        " join students s on s.id = coalesce(o.merged_into_id, o.id) and s.id = e.student_id"
        " where e.school_id = :school_id and e.starts_on <= :day"
        " and (e.ends_on is null or e.ends_on > :day) order by e.id desc limit 1",
        school_id=school_id,
        code=code,
        day=day,
    )
    return found[0].id if found else None


@dataclass(frozen=True, slots=True)
class ChildDay:
    """A day with a meal of one child, as its family sees it."""

    day: date
    is_away: bool
    #: away and not charged
    is_free: bool
    #: `open`, `accepted`, `refused`, or empty where nobody contested it
    contest: str
    answer: str


def days_of_child(school_id: int, enrolment_id: int, first: date, last: date) -> list[ChildDay]:
    """The meal days of a child in a span, with what is known of each."""
    marks = {
        one.day: one
        for one in rows(
            "select day, is_away, is_cut from meal_marks where school_id = :school_id"
            " and enrolment_id = :stay and day between :first and :last order by id",
            types={"day": DAY},
            school_id=school_id,
            stay=enrolment_id,
            first=first,
            last=last,
        )
    }
    contested = {
        one.day: one
        for one in rows(
            "select day, is_accepted, decided_at, answer from meal_contests"
            " where school_id = :school_id and enrolment_id = :stay"
            " and day between :first and :last order by id",
            types={"day": DAY},
            school_id=school_id,
            stay=enrolment_id,
            first=first,
            last=last,
        )
    }
    found = []
    for day in meal_days_of(school_id, enrolment_id, first, last):
        mark, asked = marks.get(day), contested.get(day)
        state = ""
        if asked is not None:
            state = "accepted" if asked.is_accepted else "refused"
            state = "open" if asked.decided_at is None else state
        found.append(
            ChildDay(
                day,
                is_away=bool(mark and mark.is_away),
                is_free=bool(mark and mark.is_cut),
                contest=state,
                answer=asked.answer if asked is not None else "",
            )
        )
    return found
