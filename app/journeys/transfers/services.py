"""Asking for a child, answering, and handing it over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import scope
from app.core.db import DAY, enter_scope, execute, for_update, in_chunks, row, rows
from app.core.ids import read_student_code
from app.core.model import db
from app.journeys.transfers.departure_queries import leaving_among
from app.journeys.transfers.errors import (
    AlreadyAsked,
    AlreadyHere,
    BadDay,
    NoSuchChild,
    NotElsewhere,
    TransferNotFound,
    WrongStep,
)
from app.journeys.transfers.models import Transfer, TransferPaper, TransferStep
from app.journeys.transfers.states import NEXT, RUNNING, PaperKind, State
from app.people import students
from app.people.students import NewStudent, Sex
from app.people.students.identity import lock_identities

#: The end of the stay at the old school.
END_REASON = "chuyển trường"


def ask(
    school_id: int,
    *,
    code: str,
    birth_date: date,
    wished_on: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Ask for a child of another school of the area, by exact code and birth date; the transfer.

    Refuses a pair that fits nobody, a child that is here or nowhere, and a second running transfer.
    Locks identities, so that two schools cannot ask at once. The caller commits.
    """
    lock_identities()
    stored = read_student_code(code)
    child = row(
        "select s.id, s.birth_date from students o"
        " join students s on s.id = coalesce(o.merged_into_id, o.id)"
        " where o.code = :code and s.anonymised_at is null",
        types={"birth_date": DAY},
        code=stored or "",
    )
    if child is None or child.birth_date != birth_date:
        raise NoSuchChild
    stays = rows(
        "select id, school_id, starts_on from enrolments where student_id = :id"
        " and ends_on is null order by starts_on desc, id desc",
        types={"starts_on": DAY},
        id=child.id,
    )
    if any(stay.school_id == school_id for stay in stays):
        raise AlreadyHere
    if not stays:
        raise NotElsewhere
    if wished_on <= stays[0].starts_on:
        raise BadDay(_("The first day here lies before the pupil's first day at the other school."))
    if running_of(child.id) or leaving_among([child.id]):
        raise AlreadyAsked
    transfer_id = int(
        db.session.scalar(
            insert(Transfer)
            .values(
                school_id=school_id,
                student_id=child.id,
                from_school_id=stays[0].school_id,
                from_enrolment_id=stays[0].id,
                wished_on=wished_on,
                reason=reason,
            )
            .returning(Transfer.id)
        )
        or 0
    )
    _step(school_id, transfer_id, State.OPENED, reason, actor, now)
    _tell("transfer.ask", transfer_id, (school_id, stays[0].school_id), actor, now, reason)
    return transfer_id


def running_of(student_id: int) -> bool:
    """Whether a transfer of the child is running."""
    return bool(
        rows(
            "select t.id from transfers t join transfer_steps s on s.id = (select max(x.id)"
            "  from transfer_steps x where x.transfer_id = t.id)"
            " where t.student_id = :id and s.state in :running",
            id=student_id,
            running=[state.value for state in RUNNING],
        )
    )


def running_among(student_ids: Collection[int]) -> set[int]:
    """Those of these rows of children that have a running transfer."""
    return {
        int(found.student_id)
        for chunk in in_chunks(student_ids)
        for found in rows(
            "select t.student_id from transfers t join transfer_steps s on s.id ="
            " (select max(x.id) from transfer_steps x where x.transfer_id = t.id)"
            " where t.student_id in :ids and s.state in :running",
            ids=chunk,
            running=[state.value for state in RUNNING],
        )
    }


def forget_children(student_ids: Collection[int]) -> None:
    """Blank what was written about transfers of children made anonymous. The caller commits."""
    for chunk in in_chunks(student_ids):
        execute(
            "update transfer_steps set words = '' where transfer_id in"
            " (select t.id from transfers t where t.student_id in :ids)",
            ids=chunk,
        )
        execute("update transfers set reason = '' where student_id in :ids", ids=chunk)


def answer(
    school_id: int,
    transfer_id: int,
    *,
    accept: bool,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """The receiving school takes the child or declines, with words. The caller commits."""
    found = _locked(transfer_id)
    if found.school_id != school_id:
        raise TransferNotFound
    state = State.ACCEPTED if accept else State.DECLINED
    _go(found, state, words, actor, now)


def withdraw(
    school_id: int, transfer_id: int, *, words: str, actor: audit.Actor, now: datetime
) -> None:
    """The family thinks again; either school may write it down. The caller commits."""
    found = _locked(transfer_id)
    if school_id not in (found.school_id, found.from_school_id):
        raise TransferNotFound
    _go(found, State.WITHDRAWN, words, actor, now)


def tick_papers(
    school_id: int,
    transfer_id: int,
    kinds: Collection[PaperKind],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """The old school says which papers lie ready; others are taken off. The caller commits."""
    found = _locked(transfer_id)
    if found.from_school_id != school_id:
        raise TransferNotFound
    if found.state not in RUNNING:
        raise WrongStep
    has = {
        PaperKind(paper.kind)
        for paper in rows(
            "select kind from transfer_papers where transfer_id = :id", id=transfer_id
        )
    }
    gone = [kind.value for kind in has - set(kinds)]
    if gone:
        execute(
            "delete from transfer_papers where transfer_id = :id and kind in :gone",
            id=transfer_id,
            gone=gone,
        )
    fresh = [
        {
            "school_id": found.school_id,
            "transfer_id": transfer_id,
            "kind": kind,
            "actor": actor.name,
            "at": now,
        }
        for kind in PaperKind
        if kind in kinds and kind not in has
    ]
    if fresh:
        db.session.execute(insert(TransferPaper), fresh)


def hand_over(
    school_id: int,
    transfer_id: int,
    *,
    first_day: date,
    words: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """The old school lets the child go; the stay at the new school from `first_day` on.

    Both stays are written in one transaction, each within the scope of its school, so that the
    child is never at both or at neither. Nothing of its money moves. The class is chosen by the new
    school afterwards. Refuses a day before the child came. The caller commits.
    """
    found = _locked(transfer_id)
    if found.from_school_id != school_id:
        raise TransferNotFound
    _may(found, State.HANDED_OVER)
    child = row(
        "select s.id, s.full_name, s.birth_date, s.sex from students s where s.id = :id",
        types={"birth_date": DAY},
        id=found.student_id,
    )
    if child is None:
        raise TransferNotFound
    before = scope.current()
    enter_scope(scope.one_school(found.from_school_id))
    students.end_enrolment(
        found.from_school_id,
        found.from_enrolment_id,
        ends_on=first_day,
        reason=END_REASON,
        actor=actor,
        now=now,
    )
    enter_scope(scope.one_school(found.school_id))
    made = students.enrol_many(
        found.school_id,
        [
            NewStudent(
                full_name=child.full_name,
                birth_date=child.birth_date,
                sex=Sex(child.sex),
                class_id=None,
                starts_on=first_day,
                student_id=child.id,
            )
        ],
        actor=actor,
        now=now,
    )[0]
    enter_scope(before)
    _go(
        found,
        State.HANDED_OVER,
        words,
        actor,
        now,
        day=first_day,
        enrolment_id=made.enrolment_id,
    )
    return made.enrolment_id


@dataclass(frozen=True, slots=True)
class _Locked:
    """A transfer under its lock, with the state it is in."""

    id: int
    school_id: int
    student_id: int
    from_school_id: int
    from_enrolment_id: int
    state: State


def _locked(transfer_id: int) -> _Locked:
    found = row(
        "select id, school_id, student_id, from_school_id, from_enrolment_id from transfers"
        f" where id = :id{for_update()}",
        id=transfer_id,
    )
    readable = scope.current()
    if found is None or not (
        readable.may_read(found.school_id) or readable.may_read(found.from_school_id)
    ):
        raise TransferNotFound
    state = rows(
        "select state from transfer_steps where transfer_id = :id order by id desc limit 1",
        id=transfer_id,
    )[0].state
    return _Locked(**found._asdict(), state=State(state))


def _may(found: _Locked, state: State) -> None:
    if state not in NEXT[found.state]:
        raise WrongStep


def _go(
    found: _Locked,
    state: State,
    words: str,
    actor: audit.Actor,
    now: datetime,
    *,
    day: date | None = None,
    enrolment_id: int | None = None,
) -> None:
    _may(found, state)
    _step(found.school_id, found.id, state, words, actor, now, day, enrolment_id)
    schools = (found.school_id, found.from_school_id)
    _tell(f"transfer.{state.value}", found.id, schools, actor, now, words)


def _step(
    school_id: int,
    transfer_id: int,
    state: State,
    words: str,
    actor: audit.Actor,
    now: datetime,
    day: date | None = None,
    enrolment_id: int | None = None,
) -> None:
    db.session.execute(
        insert(TransferStep).values(
            school_id=school_id,
            transfer_id=transfer_id,
            state=state,
            words=words,
            actor=actor.name,
            at=now,
            day=day,
            enrolment_id=enrolment_id,
        )
    )


def _tell(
    action: str,
    transfer_id: int,
    schools: tuple[int, int],
    actor: audit.Actor,
    now: datetime,
    words: str,
) -> None:
    """Both schools find the step in their own trail."""
    before = scope.current()
    for school_id in schools:
        enter_scope(scope.one_school(school_id))
        audit.record(
            action,
            f"transfer:{transfer_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=words,
        )
    enter_scope(before)
