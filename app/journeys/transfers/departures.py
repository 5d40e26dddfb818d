"""A child leaves the area: asked, accepted elsewhere, papers handed out, closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, execute, for_update, in_chunks, row, rows
from app.core.model import db
from app.core.text import nfc
from app.journeys.transfers.departure_queries import leaving_among, marks_of
from app.journeys.transfers.duties import Rule, rules_of
from app.journeys.transfers.errors import (
    AlreadyAsked,
    BadDay,
    BadPlace,
    DepartureNotFound,
    DutiesOpen,
    WrongStep,
)
from app.journeys.transfers.models import Departure, DepartureMark, DepartureStep
from app.journeys.transfers.services import running_of
from app.journeys.transfers.states import OVER, Duty, Fact, Mark
from app.people import students
from app.people.schools import Level
from app.people.students.errors import EnrolmentNotFound

#: The end of the stay, as the office's list of reasons has it.
END_REASON = "moved"


@dataclass(frozen=True, slots=True)
class NewDeparture:
    """What the family says."""

    enrolment_id: int
    to_school: str
    to_place: str
    is_far: bool
    asked_on: date
    wished_on: date
    reason: str


def open_departure(school_id: int, new: NewDeparture, *, actor: audit.Actor, now: datetime) -> int:
    """Write down that a family goes to a school outside the area; the departure.

    The stay may have ended already. Refuses a stay of another school, a second running departure or
    transfer, no school named, and days that cannot be. The caller commits.
    """
    stay = row(
        "select e.id, e.student_id, e.starts_on from enrolments e"
        f" where e.school_id = :school_id and e.id = :id{for_update()}",
        types={"starts_on": DAY},
        school_id=school_id,
        id=new.enrolment_id,
    )
    if stay is None:
        raise EnrolmentNotFound
    place, school = nfc(new.to_place).strip(), nfc(new.to_school).strip()
    if not 2 <= len(school) <= 160 or len(place) > 120:
        raise BadPlace
    if new.asked_on > clock.local_day(now):
        raise BadDay(_("The family cannot have asked on a day to come."))
    if new.asked_on < stay.starts_on or new.wished_on <= stay.starts_on:
        raise BadDay(_("This day lies before the pupil's first day at your school."))
    if leaving_among([stay.student_id]) or running_of(stay.student_id):
        raise AlreadyAsked
    departure_id = int(
        db.session.scalar(
            insert(Departure)
            .values(
                school_id=school_id,
                enrolment_id=stay.id,
                to_school=school,
                to_place=place,
                is_far=new.is_far,
                wished_on=new.wished_on,
                reason=new.reason,
            )
            .returning(Departure.id)
        )
        or 0
    )
    _step(school_id, departure_id, Fact.ASKED, new.asked_on, new.reason, actor, now)
    return departure_id


def accept(
    school_id: int, departure_id: int, *, day: date, words: str, actor: audit.Actor, now: datetime
) -> None:
    """Write down the day the other school said yes; from it the terms of the papers run.

    Refuses a day before the family asked or to come. The caller commits.
    """
    facts = _running(school_id, departure_id)
    if Fact.ACCEPTED in facts:
        raise WrongStep
    if not facts[Fact.ASKED] <= day <= clock.local_day(now):
        raise BadDay(_("The other school answered between the family's request and today."))
    _step(school_id, departure_id, Fact.ACCEPTED, day, words, actor, now)


def mark(
    school_id: int,
    departure_id: int,
    marks: dict[Duty, Mark],
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Say how duties stand; only what differs from before is written; how many.

    Refuses duties of another level, those the figures say, and `needless` where all have the duty.
    The caller commits.
    """
    _running(school_id, departure_id)
    rules = {rule.duty: rule for rule in _rules(school_id, departure_id)}
    for duty, given in marks.items():
        rule = rules.get(duty)
        if rule is None or rule.is_automatic:
            raise WrongStep
        if given is Mark.NEEDLESS and not rule.may_be_needless:
            raise WrongStep
    before = marks_of([school_id], [departure_id]).get(departure_id, {})
    fresh = [
        {
            "school_id": school_id,
            "departure_id": departure_id,
            "duty": duty,
            "mark": given,
            "actor": actor.name,
            "at": now,
        }
        for duty, given in marks.items()
        if given is not (before[duty][0] if duty in before else Mark.OPEN)
    ]
    if fresh:
        db.session.execute(insert(DepartureMark), fresh)
        said = ", ".join(f"{one['duty']}:{one['mark']}" for one in fresh)
        _tell("mark", school_id, departure_id, actor, now, said)
    return len(fresh)


def let_go(
    school_id: int, departure_id: int, *, last_day: date, actor: audit.Actor, now: datetime
) -> None:
    """End the stay after its last day; money and receipts stay. The caller commits."""
    _running(school_id, departure_id)
    departure = row(
        "select enrolment_id, to_school from departures where school_id = :school_id and id = :id",
        school_id=school_id,
        id=departure_id,
    )
    if departure is None:
        raise DepartureNotFound
    students.end_enrolment(
        school_id,
        departure.enrolment_id,
        ends_on=last_day + timedelta(days=1),
        reason=END_REASON,
        actor=actor,
        now=now,
        note=departure.to_school,
    )


def close(
    school_id: int,
    departure_id: int,
    *,
    is_settled: bool,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """All is done. Money still open (`is_settled` false) needs words on what becomes of it.

    Refuses while the child is still here or a paper is neither handed out nor needless. The caller
    commits.
    """
    facts = _running(school_id, departure_id)
    has_left = row(
        "select e.id from departures d join enrolments e on e.school_id = d.school_id"
        " and e.id = d.enrolment_id and e.ends_on is not null"
        " where d.school_id = :school_id and d.id = :id",
        school_id=school_id,
        id=departure_id,
    )
    marks = marks_of([school_id], [departure_id]).get(departure_id, {})
    missing = [
        rule
        for rule in _rules(school_id, departure_id)
        if not rule.is_automatic and (rule.duty not in marks or marks[rule.duty][0] is Mark.OPEN)
    ]
    if has_left is None or Fact.ACCEPTED not in facts or missing:
        raise DutiesOpen
    if not is_settled and not words:
        raise DutiesOpen(_("Money is still open. Say in a few words what becomes of it."))
    _step(school_id, departure_id, Fact.CLOSED, clock.local_day(now), words, actor, now)


def withdraw(
    school_id: int, departure_id: int, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """The family stays after all. The caller commits."""
    _running(school_id, departure_id)
    _step(school_id, departure_id, Fact.WITHDRAWN, clock.local_day(now), words, actor, now)


def forget_children(student_ids: Collection[int]) -> None:
    """Blank what was written about departures of children made anonymous. The caller commits."""
    for chunk in in_chunks(student_ids):
        theirs = (
            "(select d.id from departures d join enrolments e on e.school_id = d.school_id"
            " and e.id = d.enrolment_id where e.student_id in :ids)"
        )
        execute(f"update departure_steps set words = '' where departure_id in {theirs}", ids=chunk)
        execute(
            "update departures set reason = '', to_school = '', to_place = ''"
            f" where id in {theirs}",
            ids=chunk,
        )


def _rules(school_id: int, departure_id: int) -> tuple[Rule, ...]:
    found = row(
        "select k.level, d.is_far from departures d join schools k on k.id = d.school_id"
        " where d.school_id = :school_id and d.id = :id",
        school_id=school_id,
        id=departure_id,
    )
    if found is None:
        raise DepartureNotFound
    return rules_of(Level(found.level), is_far=bool(found.is_far))


def _running(school_id: int, departure_id: int) -> dict[Fact, date]:
    """The days of the facts of a departure that is not over, under its lock."""
    found = row(
        f"select id from departures where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=departure_id,
    )
    if found is None:
        raise DepartureNotFound
    facts = {
        Fact(step.fact): step.day
        for step in rows(
            "select fact, day from departure_steps where school_id = :school_id"
            " and departure_id = :id",
            types={"day": DAY},
            school_id=school_id,
            id=departure_id,
        )
    }
    if any(fact in facts for fact in OVER):
        raise WrongStep
    return facts


def _step(
    school_id: int,
    departure_id: int,
    fact: Fact,
    day: date,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    db.session.execute(
        insert(DepartureStep).values(
            school_id=school_id,
            departure_id=departure_id,
            fact=fact,
            day=day,
            words=words,
            actor=actor.name,
            at=now,
        )
    )
    _tell(fact.value, school_id, departure_id, actor, now, words)


def _tell(
    deed: str, school_id: int, departure_id: int, actor: audit.Actor, now: datetime, cause: str
) -> None:
    audit.record(
        f"departure.{deed}",
        f"departure:{departure_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=cause,
    )
