"""Departures of a school with how every duty stands; counts for the area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core import clock
from app.core.db import DAY, MOMENT, in_chunks, rows
from app.core.money import ZERO, Vnd
from app.journeys.transfers.duties import WORKING_DAYS, Rule, rules_of
from app.journeys.transfers.errors import DepartureNotFound
from app.journeys.transfers.states import OVER, Duty, Fact, Mark
from app.money import billing
from app.people.schools import Calendar, Level, calendar

#: departures a list shows; what is running comes first
MOST = 300
_NOT_OVER = (
    "not exists (select 1 from departure_steps s where s.school_id = d.school_id"
    " and s.departure_id = d.id and s.fact in ('closed', 'withdrawn'))"
)
_STAY = "join enrolments e on e.school_id = d.school_id and e.id = d.enrolment_id"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, once."""

    fact: Fact
    day: date
    words: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DutyState:
    """A duty: its last day once its term runs, and how it stands."""

    rule: Rule
    due_on: date | None
    #: the day it was done; None while it is open or was never needed
    done_on: date | None = None
    is_needless: bool = False
    actor: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act."""
        return self.done_on is None and not self.is_needless

    @property
    def punctuality(self) -> str:
        """`early`, `on_time` or `late` once done; empty before, or where no term ran."""
        if self.done_on is None or self.due_on is None:
            return ""
        if self.done_on == self.due_on:
            return "on_time"
        return "early" if self.done_on < self.due_on else "late"

    def is_overdue(self, today: date) -> bool:
        """Whether the last day is over and nothing is done."""
        return self.is_open and self.due_on is not None and self.due_on < today


@dataclass(frozen=True, slots=True)
class DepartureRow:
    """A child that leaves the area, or has."""

    id: int
    school_id: int
    level: Level
    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    birth_date: date
    class_name: str
    to_school: str
    to_place: str
    is_far: bool
    wished_on: date
    reason: str
    #: the first day the child is no longer at the school
    left_on: date | None
    steps: tuple[Step, ...]
    duties: tuple[DutyState, ...]

    @property
    def facts(self) -> dict[Fact, Step]:
        """The steps by what they are."""
        return {step.fact: step for step in self.steps}

    @property
    def is_running(self) -> bool:
        """Whether somebody still has to act."""
        return not any(step.fact in OVER for step in self.steps)

    @property
    def state(self) -> str:
        """The newest word on it: asked, accepted, left, closed, withdrawn."""
        facts = self.facts
        for over in OVER:
            if over in facts:
                return over.value
        if self.left_on is not None:
            return "left"
        return (Fact.ACCEPTED if Fact.ACCEPTED in facts else Fact.ASKED).value

    @property
    def is_settled(self) -> bool:
        """Whether no money is open between the school and the family."""
        return not any(
            duty.is_open for duty in self.duties if duty.rule.duty in (Duty.BILLS, Duty.CREDIT)
        )

    @property
    def may_close(self) -> bool:
        """Whether the child has left and every paper is out."""
        return self.left_on is not None and not any(
            duty.is_open for duty in self.duties if duty.rule.duty not in (Duty.BILLS, Duty.CREDIT)
        )

    @property
    def next_duty(self) -> DutyState | None:
        """The open duty whose last day comes first."""
        dated = [duty for duty in self.duties if duty.is_open and duty.due_on is not None]
        return min(dated, key=lambda duty: duty.due_on or date.max, default=None)

    def overdue(self, today: date) -> int:
        """How many duties are over their day."""
        return sum(duty.is_overdue(today) for duty in self.duties) if self.is_running else 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Departures of a school: running, duties over their day, and dated duties that are done."""

    running: int = 0
    overdue: int = 0
    early: int = 0
    on_time: int = 0
    late: int = 0


def counts(departures: Iterable[DepartureRow], today: date) -> dict[int, Counts]:
    """The departures of each school in figures."""
    found: dict[int, Counter[str]] = {}
    for departure in departures:
        sums = found.setdefault(departure.school_id, Counter())
        sums["running"] += departure.is_running
        sums["overdue"] += departure.overdue(today)
        for duty in departure.duties:
            if duty.rule.after is not None and duty.punctuality:
                sums[duty.punctuality] += 1
    return {school_id: Counts(**sums) for school_id, sums in found.items()}


_ROWS = (
    "select d.id, d.school_id, k.level, d.enrolment_id, s.id as student_id, s.code, s.full_name,"
    " s.birth_date, coalesce((select c.name from placements p join classes c on c.id = p.class_id"
    "  where p.school_id = d.school_id and p.enrolment_id = d.enrolment_id"
    "  order by p.starts_on desc limit 1), '') as class_name, d.to_school, d.to_place, d.is_far,"
    f" d.wished_on, d.reason, e.ends_on as left_on from departures d {_STAY}"
    " join schools k on k.id = d.school_id join students s on s.id = e.student_id"
)
_TYPES = {"birth_date": DAY, "wished_on": DAY, "left_on": DAY}


def list_departures(school_ids: Collection[int], *, with_money: bool = True) -> list[DepartureRow]:
    """Departures of some schools: what runs first, by its next day, then the newest.

    Without money the two duties that figures answer are left out.
    """
    if not school_ids:
        return []
    found = rows(
        f"{_ROWS} where d.school_id in :schools order by case when {_NOT_OVER} then 0 else 1 end,"
        " d.id desc limit :most",
        types=_TYPES,
        schools=list(school_ids),
        most=MOST,
    )
    far = date.max
    return sorted(
        _whole(found, with_money=with_money),
        key=lambda d: (
            not d.is_running,
            ((d.next_duty and d.next_duty.due_on) or far) if d.is_running else far,
            -d.id,
        ),
    )


def get_departure(school_id: int, departure_id: int) -> DepartureRow:
    """A departure from the school, else DepartureNotFound."""
    found = rows(
        f"{_ROWS} where d.school_id = :school_id and d.id = :id",
        types=_TYPES,
        school_id=school_id,
        id=departure_id,
    )
    if not found:
        raise DepartureNotFound
    return _whole(found, with_money=True)[0]


def running_of_stay(school_id: int, enrolment_id: int) -> int | None:
    """The running departure of a stay, if there is one."""
    found = rows(
        f"select d.id from departures d where d.school_id = :school_id and d.enrolment_id = :stay"
        f" and {_NOT_OVER}",
        school_id=school_id,
        stay=enrolment_id,
    )
    return found[0].id if found else None


def leaving_among(student_ids: Collection[int]) -> set[int]:
    """Those of these rows of children that have a running departure."""
    return {
        int(found.student_id)
        for chunk in in_chunks(student_ids)
        for found in rows(
            f"select e.student_id from departures d {_STAY} where e.student_id in :ids"
            f" and {_NOT_OVER}",
            ids=chunk,
        )
    }


def open_at(school_ids: Collection[int], day: date) -> dict[int, int]:
    """How many children of each school are about to leave by a day and are still there."""
    return {
        found.school_id: int(found.running)
        for found in rows(
            f"select d.school_id, count(*) as running from departures d {_STAY}"
            " and e.ends_on is null where d.school_id in :schools and d.wished_on <= :day"
            f" and {_NOT_OVER} group by d.school_id",
            schools=list(school_ids),
            day=day,
        )
    }


def marks_of(
    school_ids: Collection[int], departure_ids: Collection[int]
) -> dict[int, dict[Duty, tuple[Mark, str, datetime]]]:
    """The newest mark of each duty of some departures: mark, who, when."""
    found: dict[int, dict[Duty, tuple[Mark, str, datetime]]] = {}
    for chunk in in_chunks(departure_ids):
        for one in rows(
            "select departure_id, duty, mark, actor, at from departure_marks"
            " where school_id in :schools and departure_id in :ids order by id",
            types={"at": MOMENT},
            schools=list(school_ids),
            ids=chunk,
        ):
            duties = found.setdefault(one.departure_id, {})
            duties[Duty(one.duty)] = Mark(one.mark), one.actor, one.at
    return found


def _steps_of(school_ids: Collection[int], departure_ids: Collection[int]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for chunk in in_chunks(departure_ids):
        for step in rows(
            "select departure_id, fact, day, words, actor, at from departure_steps"
            " where school_id in :schools and departure_id in :ids order by id",
            types={"day": DAY, "at": MOMENT},
            schools=list(school_ids),
            ids=chunk,
        ):
            found.setdefault(step.departure_id, []).append(
                Step(Fact(step.fact), step.day, step.words, step.actor, step.at)
            )
    return found


def _whole(found: Sequence[Any], *, with_money: bool) -> list[DepartureRow]:
    """Rows with their steps, marks and money: three questions and two a school."""
    ids = [one.id for one in found]
    schools = sorted({one.school_id for one in found})
    steps, marks, days = _steps_of(schools, ids), marks_of(schools, ids), calendar()
    money = _money(found) if with_money else None
    return [
        DepartureRow(
            **{
                **one._asdict(),
                "level": Level(one.level),
                "is_far": bool(one.is_far),
                "steps": tuple(steps.get(one.id, ())),
                "duties": tuple(
                    _duties(one, steps.get(one.id, ()), marks.get(one.id, {}), money, days)
                ),
            }
        )
        for one in found
    ]


def _money(found: Sequence[Any]) -> dict[tuple[int, int], tuple[Vnd, Vnd]]:
    """Open and credit of each child at its school."""
    children: dict[int, set[int]] = {}
    for one in found:
        children.setdefault(one.school_id, set()).add(one.student_id)
    result = {}
    for school_id, students in children.items():
        open_lines = billing.open_lines(school_id, students)
        credits = billing.credits_of(school_id, students)
        for student_id in students:
            owed = sum((line.open for line in open_lines.get(student_id, [])), ZERO)
            result[school_id, student_id] = owed, credits.get(student_id, ZERO)
    return result


def _duties(
    one: Any,
    steps: Iterable[Step],
    marks: dict[Duty, tuple[Mark, str, datetime]],
    money: dict[tuple[int, int], tuple[Vnd, Vnd]] | None,
    days: Calendar,
) -> Iterable[DutyState]:
    facts = {step.fact: step for step in steps}
    owed, credit = (money or {}).get((one.school_id, one.student_id), (ZERO, ZERO))
    today = clock.today()
    for rule in rules_of(Level(one.level), is_far=bool(one.is_far)):
        start = facts.get(rule.after) if rule.after else None
        due = one.wished_on if rule.after is None else None
        if start is not None:
            due = days.due_after(start.day, WORKING_DAYS)
        if rule.duty is Duty.ANSWER:
            yes = facts.get(Fact.ACCEPTED)
            yield DutyState(rule, due, yes.day if yes else None, actor=yes.actor if yes else "")
        elif rule.duty is Duty.LEAVE:
            # The first day away is the first one that may be there.
            yield DutyState(rule, due, one.left_on)
        elif rule.duty in (Duty.BILLS, Duty.CREDIT):
            amount = owed if rule.duty is Duty.BILLS else credit
            if money is not None:
                yield DutyState(rule, due, None if amount else min(today, due or today))
        else:
            mark, actor, at = marks.get(rule.duty, (Mark.OPEN, "", None))
            done = clock.local_day(at) if mark is Mark.DONE and at is not None else None
            yield DutyState(rule, due, done, mark is Mark.NEEDLESS, actor)
