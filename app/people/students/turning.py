"""The writes of a turned school year: many children at once, and their way back.

A stay only ever ends, and a day spent in a class is never rewritten. Turning a year keeps to that:
it ends placements and stays on the first day of the new year and begins new placements on it.
Taking a turn back is the one exception, and a narrow one: it removes placements that nobody was
ever billed for, and lifts exactly the ends that the turn itself wrote. Ending the stay anew as a
second stay would not restore anything, because exemptions, choices and bills hang on the first.
The caller proves that no bill of the new year exists, keeps both acts on record with their rows,
and writes the trail; so what was undone can still be read, row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app import audit
from app.core.bulk import insert_rows
from app.core.db import DAY, execute, in_chunks, rows
from app.people.students.errors import AlreadyEnrolled, ClassNotFound, StudentNotFound
from app.people.students.identity import lock_identities
from app.people.students.models import Enrolment, Placement


@dataclass(frozen=True, slots=True)
class Step:
    """What the first day of the new year brings one child: a class, or the end of its stay."""

    enrolment_id: int
    placement_id: int
    #: the class of the new year; None when the stay ends
    class_id: int | None
    #: why the stay ends; None when it goes on
    end_reason: str | None
    #: the stay's own known end, when it has one after the first day
    stay_ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class StepBack:
    """What stood before a step: the ends of the placement and of the stay."""

    enrolment_id: int
    placement_id: int
    placement_ends_on: date | None
    stay_ends_on: date | None
    stay_end_reason: str | None
    #: whether the turn, or a decision that followed it, ended the stay
    stay_was_ended: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """A child of the area that begins at a school; without a class it is placed later."""

    student_id: int
    class_id: int | None


def take_steps(school_id: int, steps: Sequence[Step], *, day: date) -> list[int | None]:
    """End the classes of the old year on `day` and begin the new ones; the new placements' ids.

    In the order given, None where the stay ended. The caller locks, records and commits.
    """
    for chunk in in_chunks(step.placement_id for step in steps):
        execute(
            "update placements set ends_on = :day where school_id = :school_id and id in :ids",
            school_id=school_id,
            day=day,
            ids=chunk,
        )
    for reason in sorted({step.end_reason for step in steps if step.end_reason}):
        for chunk in in_chunks(s.enrolment_id for s in steps if s.end_reason == reason):
            execute(
                "update enrolments set ends_on = :day, end_reason = :reason"
                " where school_id = :school_id and id in :ids",
                school_id=school_id,
                day=day,
                reason=reason,
                ids=chunk,
            )
    placed = [step for step in steps if step.class_id is not None]
    made = iter(
        insert_rows(
            Placement,
            [
                {
                    "school_id": school_id,
                    "enrolment_id": step.enrolment_id,
                    "class_id": step.class_id,
                    "starts_on": day,
                    "ends_on": step.stay_ends_on,
                }
                for step in placed
            ],
        )
    )
    return [next(made) if step.class_id is not None else None for step in steps]


def step_back(school_id: int, steps: Sequence[StepBack], *, day: date) -> None:
    """Restore what stood before `take_steps`; what people changed since stays where it must.

    A stay that somebody ended otherwise stays ended, and so do its placements. The caller locks,
    proves that nothing was billed from `day` on, records and commits.
    """
    for chunk in in_chunks(s.enrolment_id for s in steps if s.stay_was_ended):
        execute(
            "update enrolments set ends_on = null, end_reason = null"
            " where school_id = :school_id and ends_on >= :day and id in :ids",
            school_id=school_id,
            day=day,
            ids=chunk,
        )
    for chunk in in_chunks(step.enrolment_id for step in steps):
        execute(
            "delete from placements where school_id = :school_id and starts_on >= :day"
            " and enrolment_id in :ids",
            school_id=school_id,
            day=day,
            ids=chunk,
        )
    for chunk in in_chunks(step.placement_id for step in steps):
        # A stay that ended meanwhile keeps its last day; an open one opens its class again.
        execute(
            "update placements set ends_on = (select e.ends_on from enrolments e"
            "  where e.school_id = placements.school_id and e.id = placements.enrolment_id)"
            " where school_id = :school_id and ends_on = :day and id in :ids",
            school_id=school_id,
            day=day,
            ids=chunk,
        )
    for step in steps:
        if step.stay_was_ended and step.stay_ends_on is not None:
            execute(
                "update enrolments set ends_on = :before, end_reason = :reason"
                " where school_id = :school_id and id = :id",
                school_id=school_id,
                before=step.stay_ends_on,
                reason=step.stay_end_reason,
                id=step.enrolment_id,
            )
        if step.placement_ends_on is not None:
            execute(
                "update placements set ends_on = :before"
                " where school_id = :school_id and id = :id"
                " and (ends_on is null or ends_on > :before)",
                school_id=school_id,
                before=step.placement_ends_on,
                id=step.placement_id,
            )


def admit_many(
    school_id: int,
    arrivals: Sequence[Arrival],
    *,
    starts_on: date,
    actor: audit.Actor,
    now: datetime,
    cause: str = "",
) -> list[int]:
    """Begin a stay for each child of the area, known by number; the enrolments' ids in order.

    Refuses a class of another school and a child whose stay at this school is not over by then. The
    caller has made sure that the school may have these children. Locks enrolling. The caller
    commits.
    """
    if not arrivals:
        return []
    lock_identities()
    begins = {
        place.id: place.starts_on
        for place in rows(
            "select c.id, y.starts_on from classes c join school_years y on y.id = c.school_year_id"
            " where c.school_id = :school_id",
            types={"starts_on": DAY},
            school_id=school_id,
        )
    }
    if any(a.class_id is not None and a.class_id not in begins for a in arrivals):
        raise ClassNotFound
    numbers = [arrival.student_id for arrival in arrivals]
    known = {
        child.id
        for chunk in in_chunks(numbers)
        for child in rows(
            "select id from students where id in :ids and merged_into_id is null", ids=chunk
        )
    }
    if known != set(numbers):
        raise StudentNotFound
    if len(known) != len(numbers):
        raise AlreadyEnrolled
    for chunk in in_chunks(numbers):
        here = rows(
            "select s.full_name from enrolments e join students s on s.id = e.student_id"
            " where e.school_id = :school_id and e.student_id in :ids"
            " and (e.ends_on is null or e.ends_on > :day)",
            school_id=school_id,
            ids=chunk,
            day=starts_on,
        )
        if here:
            raise AlreadyEnrolled(here[0].full_name)
    enrolment_ids = insert_rows(
        Enrolment,
        [
            {"school_id": school_id, "student_id": number, "starts_on": starts_on}
            for number in numbers
        ],
    )
    insert_rows(
        Placement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": arrival.class_id,
                "starts_on": max(starts_on, begins[arrival.class_id]),
            }
            for arrival, enrolment_id in zip(arrivals, enrolment_ids, strict=True)
            if arrival.class_id is not None
        ],
    )
    audit.record_many(
        [
            audit.Deed("student.enrol", f"enrolment:{made}", cause or f"student:{number}")
            for number, made in zip(numbers, enrolment_ids, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return enrolment_ids
