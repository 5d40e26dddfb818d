"""Setting terms, asking that children be made anonymous, and deciding it as a second person."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, execute, for_update, in_chunks, own_school, row, rows
from app.core.model import db
from app.journeys.retention import queries
from app.journeys.retention.errors import (
    AlreadyDecided,
    BadTerm,
    NobodyChosen,
    NotForgettable,
    RequestNotFound,
    SamePerson,
)
from app.journeys.retention.models import (
    Certainty,
    CountedFrom,
    ForgettingChild,
    ForgettingRequest,
    Outcome,
    RecordKind,
    RetentionTerm,
    Term,
)
from app.journeys.retention.sentences import obstacle_word
from app.people import cards, lists, students, verification
from app.people.students.identity import lock_identities

#: rows of children made anonymous → what a room beside kept of them is blanked
Verb = Callable[[Collection[int]], None]
_beside: list[Verb] = []


def forget_also(*verbs: Verb) -> None:
    """Let rooms beside this one forget with it; called once by the wiring."""
    _beside[:] = verbs


def set_term(
    kind: RecordKind,
    *,
    term: Term,
    years: int | None,
    act: str,
    source: str,
    certainty: Certainty,
    valid_from: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Say anew how long a kind of record is kept, from a day on; the row before stays and ends.

    Refuses years outside 1 to 100, a term without its act and source, and a day that is not after
    the day of the newest row. The caller commits.
    """
    if (term is Term.YEARS) != (years is not None) or (years is not None and not 1 <= years <= 100):
        raise BadTerm(_("Enter the years, 1 to 100."))
    act, source = " ".join(act.split()), " ".join(source.split())
    if not 1 <= len(act) <= 200 or not 1 <= len(source) <= 300:
        raise BadTerm(_("Name the act with its article, and where it was read or who decided."))
    before = rows(
        "select id, counted_from, valid_from from retention_terms where kind = :kind"
        f" and valid_to is null{for_update()}",
        types={"valid_from": DAY},
        kind=kind.value,
    )
    if before and valid_from <= before[0].valid_from:
        raise BadTerm(
            _(
                "The row that holds began on %(day)s. Choose a later day.",
                day=before[0].valid_from.strftime("%d/%m/%Y"),
            )
        )
    for old in before:
        execute(
            "update retention_terms set valid_to = :day where id = :id", id=old.id, day=valid_from
        )
    term_id = db.session.scalar(
        insert(RetentionTerm)
        .values(
            kind=kind,
            term=term,
            years=years,
            counted_from=CountedFrom(before[0].counted_from) if before else CountedFrom.NOTHING,
            act=act,
            source=source,
            certainty=certainty,
            valid_from=valid_from,
            set_by=actor.name,
            set_at=now,
        )
        .returning(RetentionTerm.id)
    )
    audit.record(
        "retention.set_term",
        f"retention_term:{term_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"{kind.value} {term.value} {years or ''}".strip(),
    )


def ask(
    school_id: int,
    codes: Iterable[str],
    *,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Ask that children whose last school this is be made anonymous; the request.

    Refuses the whole of it while anything stands in the way of one of them, and names the first.
    The caller commits.
    """
    reason = " ".join(reason.split())
    wanted = list(dict.fromkeys(codes))
    if not wanted or not 1 <= len(reason) <= 200 or actor.user_id is None:
        raise NobodyChosen
    lock_identities()
    today = clock.local_day(now)
    ids = [
        child.id
        for start in range(0, len(wanted), 500)
        for child in rows(
            "select s.id from students o join students s on s.id ="
            " coalesce(o.merged_into_id, o.id) where o.code in :codes",
            codes=wanted[start : start + 500],
        )
    ]
    found = [one for one in queries.standings(ids, today) if one.school_id == school_id]
    if not found:
        raise NobodyChosen
    waiting = _("asked for before; not decided yet")
    for one in found:
        if one.obstacle is not None:
            raise NotForgettable(f"{one.code}: {obstacle_word(one.obstacle)}")
        if one.is_asked:
            raise NotForgettable(f"{one.code}: {waiting}")
    request_id = int(
        db.session.scalar(
            insert(ForgettingRequest)
            .values(
                school_id=school_id,
                reason=reason,
                asked_by_id=actor.user_id,
                asked_by=actor.name,
                asked_at=now,
                words="",
            )
            .returning(ForgettingRequest.id)
        )
        or 0
    )
    db.session.execute(
        insert(ForgettingChild),
        [
            {
                "school_id": school_id,
                "request_id": request_id,
                "student_id": one.student_id,
                "left_on": one.left_on,
            }
            for one in found
        ],
    )
    audit.record(
        "student.ask_to_forget",
        f"forgetting_request:{request_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=reason,
    )
    return request_id


def decide(
    request_id: int,
    *,
    approve: bool,
    words: str,
    allowed: Collection[int],
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Approve or decline a request as a second person; how many children were made anonymous.

    Every child is looked at again: whoever came back, owes or is owed since is left out and the
    reason is kept beside the name. Nothing of the books is written. Refuses whoever asked, a
    decided request and schools not among `allowed`. The caller commits.
    """
    lock_identities()
    asked = row(
        "select id, school_id as school, asked_by_id, decided_at from forgetting_requests"
        f" where id = :id{for_update()}",
        id=request_id,
    )
    if asked is None or asked.school not in allowed:
        raise RequestNotFound
    if asked.decided_at is not None:
        raise AlreadyDecided
    if actor.user_id is None or actor.user_id == asked.asked_by_id:
        raise SamePerson
    execute(
        "update forgetting_requests set approved = :approve, decided_by_id = :who,"
        " decided_by = :name, decided_at = :now, words = :words where id = :id",
        id=request_id,
        approve=approve,
        who=actor.user_id,
        name=actor.name,
        now=now,
        words=" ".join(words.split())[:200],
    )
    audit.record(
        "student.approve_forgetting" if approve else "student.decline_forgetting",
        f"forgetting_request:{request_id}",
        actor=actor,
        school_id=asked.school,
        now=now,
        cause=words[:200],
    )
    return _forget(request_id, asked.school, actor, now) if approve else 0


def _forget(request_id: int, school: int, actor: audit.Actor, now: datetime) -> int:
    ids = [
        child.student_id
        for child in rows(
            "select student_id from forgetting_children where school_id = :school"
            " and request_id = :id order by student_id",
            school=school,
            id=request_id,
        )
    ]
    # A request may have been asked before a merge: the child is what its row leads to today.
    behind = students.children_behind(ids)
    # No payment may arrive between the look at the balance and the commit.
    for place in queries.schools_of(students.rows_of(set(behind.values()))):
        own_school(place)
    standing = {
        one.student_id: one.obstacle
        for one in queries.standings(set(behind.values()), clock.local_day(now))
    }
    free = [child for child in set(behind.values()) if standing.get(child, Outcome.GONE) is None]
    of_child = students.rows_of(free)
    every_row = sorted(of_child)
    if every_row:
        names = students.forget(every_row, now=now)
        cards.forget_children(every_row, names, now=now)
        verification.forget(every_row)
        lists.forget_children(every_row)
        for verb in _beside:
            verb(every_row)
    by_outcome: dict[Outcome, list[int]] = {}
    for asked_for, child in behind.items():
        outcome = standing.get(child, Outcome.GONE) or Outcome.FORGOTTEN
        by_outcome.setdefault(outcome, []).append(asked_for)
    for outcome, listed in by_outcome.items():
        for chunk in in_chunks(listed):
            execute(
                "update forgetting_children set outcome = :outcome where school_id = :school"
                " and request_id = :id and student_id in :students",
                outcome=outcome.value,
                school=school,
                id=request_id,
                students=chunk,
            )
    audit.record_many(
        [
            audit.Deed("student.forget", f"student:{one}", f"forgetting_request:{request_id}")
            for one in every_row
        ],
        actor=actor,
        school_id=school,
        now=now,
    )
    return len(free)
