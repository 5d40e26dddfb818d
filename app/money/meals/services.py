"""The calendar, who is away, registers, the school's own decisions, contested days.

Whoever says so before the hour is not charged for the day; later the meal is cooked and charged,
unless the school decides otherwise with a reason. What changes after the bill of a month is a line
of the next one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, execute, for_update, in_chunks, row, rows, scalar
from app.core.model import db
from app.core.text import nfc
from app.money.meals import queries
from app.money.meals.errors import (
    AlreadyContested,
    BadDays,
    BadHour,
    ContestNotFound,
    DayToCome,
    MealReasonMissing,
    NoMealThen,
    NotByTheDay,
    NotThatClass,
    SamePersonDecides,
    TooLateToContest,
)
from app.money.meals.models import MealContest, MealDay, MealMark, MealRegister, Source
from app.people.schools import set_setting, setting

#: days before the meal, and the hour; a school sets its own
CUT_OFF = "meal_cut_off"
USUAL = "0 07:30"
#: how long after a day it can be contested
CONTESTED_FOR = timedelta(days=7)


def cut_off(school_id: int, day: date) -> datetime:
    """The last moment at which an absence on a day is free, as the school had set it then."""
    before, hour = (setting(school_id, CUT_OFF, day) or USUAL).split()
    moment = time.fromisoformat(hour)
    return datetime.combine(day - timedelta(days=int(before)), moment, tzinfo=clock.LOCAL)


def set_cut_off(
    school_id: int,
    *,
    days_before: int,
    hour: str,
    valid_from: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Set the hour from a day on; one set for the same day is replaced. The caller commits."""
    if not re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", hour) or not 0 <= days_before <= 3:
        raise BadHour
    set_setting(school_id, CUT_OFF, f"{days_before} {hour}", valid_from)
    audit.record(
        "meal.cut_off",
        f"school:{school_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{days_before} {hour} from {valid_from}",
    )


def plan_days(
    school_id: int,
    item_id: int,
    first: date,
    last: date,
    served: Collection[date],
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Say on which days of a span an item is served; how many days changed.

    Refuses an item that is not by the day, and a span turned round or longer than two months. The
    caller commits.
    """
    if scalar("select unit from fee_items where id = :id", id=item_id) != "day":
        raise NotByTheDay
    if not timedelta(0) <= last - first <= timedelta(days=62):
        raise BadDays
    before = {
        found.day: bool(found.is_served)
        for found in rows(
            "select day, is_served from meal_days where school_id = :school_id"
            " and item_id = :item and day between :first and :last",
            types={"day": DAY},
            school_id=school_id,
            item=item_id,
            first=first,
            last=last,
        )
    }
    span = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    wanted = set(served)
    changed = [day for day in span if (day in wanted) != before.get(day, False)]
    fresh = [day for day in changed if day not in before]
    if fresh:
        db.session.execute(
            insert(MealDay),
            [
                {"school_id": school_id, "item_id": item_id, "day": day, "is_served": True}
                for day in fresh
            ],
        )
    for day in changed:
        if day in before:
            execute(
                "update meal_days set is_served = :served where school_id = :school_id"
                " and item_id = :item and day = :day",
                school_id=school_id,
                item=item_id,
                day=day,
                served=day in wanted,
            )
    if changed:
        audit.record(
            "meal.calendar",
            f"fee_item:{item_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=f"{min(changed)}..{max(changed)} days:{len(changed)}",
        )
    return len(changed)


@dataclass(frozen=True, slots=True)
class Reported:
    """How many days of an absence are free, and how many were told too late."""

    cut: int
    late: int


def report_away(
    school_id: int,
    enrolment_id: int,
    first: date,
    last: date,
    *,
    source: Source,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> Reported:
    """Write down that a child is away on the meal days of a span.

    Days told before the hour are free. Refuses a span turned round or longer than two months, and
    one without a meal of the child. The caller commits.
    """
    if not timedelta(0) <= last - first <= timedelta(days=62):
        raise BadDays
    days = queries.meal_days_of(school_id, enrolment_id, first, last)
    if not days:
        raise NoMealThen
    marks = {
        day: _Mark(enrolment_id, day, is_away=True, is_cut=now <= cut_off(school_id, day))
        for day in days
    }
    known = _marks_between(school_id, [enrolment_id], first, last)
    # A day the child is known to be away on stays as it is.
    fresh = [
        mark
        for day, mark in marks.items()
        if not (known.get((enrolment_id, day)) or (False, False))[0]
    ]
    _write(school_id, fresh, source, reason, actor, now)
    cut = sum(mark.is_cut for mark in fresh)
    return Reported(cut, len(fresh) - cut)


def close_register(
    school_id: int,
    class_id: int,
    day: date,
    away: Collection[int],
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Close the register of a class: who of its children is away, all others are present.

    Only what differs from what is known is written. Who was reported away and came after all is
    charged again. Returns how many are present. Refuses a day to come, and a class without meals on
    it. The caller commits.
    """
    if day > clock.local_day(now):
        raise DayToCome
    children = {child.enrolment_id: child for child in queries.eaters(school_id, day, class_id)}
    if not children:
        raise NotThatClass
    gone = set(away) & set(children)
    is_cut = now <= cut_off(school_id, day)
    fresh = [
        _Mark(stay, day, is_away=stay in gone, is_cut=stay in gone and is_cut)
        for stay, child in children.items()
        if child.is_away != (stay in gone)
    ]
    _write(school_id, fresh, Source.TEACHER, "", actor, now)
    db.session.execute(
        insert(MealRegister).values(
            school_id=school_id,
            class_id=class_id,
            day=day,
            present=len(children) - len(gone),
            away=len(gone),
            closed_by=actor.name,
            closed_at=now,
        )
    )
    return len(children) - len(gone)


def decide_day(
    school_id: int,
    enrolment_id: int,
    day: date,
    *,
    is_away: bool,
    is_cut: bool,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """The office settles one day of a child against the rule of the hour, with a reason.

    Refuses a day without a meal of the child, and no reason. The caller commits.
    """
    reason = _reason(reason)
    if day not in queries.meal_days_of(school_id, enrolment_id, day, day):
        raise NoMealThen
    mark = _Mark(enrolment_id, day, is_away=is_away, is_cut=is_cut)
    _write(school_id, [mark], Source.OFFICE, reason, actor, now)


def contest(
    school_id: int,
    enrolment_id: int,
    day: date,
    *,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """A family says the child was not there; the contest.

    Refuses a day without a meal of the child, one longer ago than seven days or to come, a second
    open contest, and no words. The caller commits.
    """
    words = _reason(words)
    today = clock.local_day(now)
    if not day <= today <= day + CONTESTED_FOR:
        raise TooLateToContest
    if day not in queries.meal_days_of(school_id, enrolment_id, day, day):
        raise NoMealThen
    if scalar(
        "select count(*) from meal_contests where school_id = :school_id and enrolment_id = :stay"
        " and day = :day and decided_at is null",
        school_id=school_id,
        stay=enrolment_id,
        day=day,
    ):
        raise AlreadyContested
    contest_id = int(
        db.session.scalar(
            insert(MealContest)
            .values(
                school_id=school_id,
                enrolment_id=enrolment_id,
                day=day,
                words=words,
                asked_by=actor.name,
                asked_by_id=actor.user_id,
                asked_at=now,
                answer="",
            )
            .returning(MealContest.id)
        )
        or 0
    )
    _tell("contest", contest_id, school_id, actor, now, words)
    return contest_id


def decide_contest(
    school_id: int,
    contest_id: int,
    *,
    accept: bool,
    answer: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Another person decides; an accepted day is free and lands on the next bill.

    Refuses who wrote the contest down, an answered one, and a refusal without words. The caller
    commits.
    """
    found = row(
        "select id, enrolment_id, day, words, asked_by, asked_by_id from meal_contests"
        f" where school_id = :school_id and id = :id and decided_at is null{for_update()}",
        types={"day": DAY},
        school_id=school_id,
        id=contest_id,
    )
    if found is None:
        raise ContestNotFound
    if found.asked_by == actor.name or (
        found.asked_by_id is not None and found.asked_by_id == actor.user_id
    ):
        raise SamePersonDecides
    answer = " ".join(nfc(answer).split())
    if len(answer) > 200 or (not accept and not answer):
        raise MealReasonMissing
    execute(
        "update meal_contests set is_accepted = :accept, answer = :answer, decided_by = :by,"
        " decided_at = :now where school_id = :school_id and id = :id",
        school_id=school_id,
        id=contest_id,
        accept=accept,
        answer=answer,
        by=actor.name,
        now=now,
    )
    if accept:
        mark = _Mark(found.enrolment_id, found.day, is_away=True, is_cut=True)
        _write(school_id, [mark], Source.CONTEST, found.words, actor, now)
    deed = "contest_accept" if accept else "contest_refuse"
    _tell(deed, contest_id, school_id, actor, now, answer)


@dataclass(frozen=True, slots=True)
class _Mark:
    enrolment_id: int
    day: date
    is_away: bool
    is_cut: bool


def _marks_between(
    school_id: int, enrolment_ids: Iterable[int], first: date, last: date
) -> dict[tuple[int, date], tuple[bool, bool]]:
    """(away, free) of stays and days, as the newest mark says."""
    found = {}
    for chunk in in_chunks(enrolment_ids):
        for mark in rows(
            "select enrolment_id, day, is_away, is_cut from meal_marks"
            " where school_id = :school_id and enrolment_id in :ids"
            " and day between :first and :last order by id",
            types={"day": DAY},
            school_id=school_id,
            ids=chunk,
            first=first,
            last=last,
        ):
            found[mark.enrolment_id, mark.day] = bool(mark.is_away), bool(mark.is_cut)
    return found


def _write(
    school_id: int,
    marks: Collection[_Mark],
    source: Source,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    if not marks:
        return
    db.session.execute(
        insert(MealMark),
        [
            {
                "school_id": school_id,
                "enrolment_id": mark.enrolment_id,
                "day": mark.day,
                "is_away": mark.is_away,
                "is_cut": mark.is_cut,
                "source": source,
                "reason": nfc(reason)[:200],
                "actor": actor.name,
                "at": now,
            }
            for mark in marks
        ],
    )
    if source in (Source.OFFICE, Source.CONTEST):
        audit.record_many(
            [
                audit.Deed(
                    "meal.decide_day", f"enrolment:{mark.enrolment_id}", f"{mark.day}: {reason}"
                )
                for mark in marks
            ],
            actor=actor,
            school_id=school_id,
            now=now,
        )


def _reason(words: str) -> str:
    words = " ".join(nfc(words).split())
    if not 1 <= len(words) <= 200:
        raise MealReasonMissing
    return words


def _tell(
    deed: str, contest_id: int, school_id: int, actor: audit.Actor, now: datetime, cause: str
) -> None:
    audit.record(
        f"meal.{deed}",
        f"meal_contest:{contest_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=cause,
    )


def forget_children(student_ids: Collection[int]) -> None:
    """Blank what was written about days of children made anonymous. The caller commits."""
    for chunk in in_chunks(student_ids):
        theirs = "(select e.id from enrolments e where e.student_id in :ids)"
        execute(f"update meal_marks set reason = '' where enrolment_id in {theirs}", ids=chunk)
        execute(
            f"update meal_contests set words = '', answer = '' where enrolment_id in {theirs}",
            ids=chunk,
        )
