"""Sending batches, closing them, proving by hand, deciding what differs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import execute, in_chunks, row, rows, scalar
from app.core.ids import new_check_code
from app.core.model import db
from app.people.students import (
    Correction,
    IdentityField,
    NewIdentifier,
    Origin,
    Scheme,
    Sex,
    Verification,
    correct_many,
    hand_made,
    record_identifiers,
)
from app.people.students.identity import OWN, lock_identities
from app.people.verification import queries
from app.people.verification.errors import (
    BadDocument,
    BatchClosed,
    BatchNotFound,
    CannotProve,
    NothingDiffers,
    NothingToSend,
    PersonNotFound,
)
from app.people.verification.models import Batch, Item, Kind, Result, Source
from app.people.verification.staff import correct_staff
from app.people.verification.subjects import (
    SENDABLE,
    SUBJECTS,
    Subjects,
    present_here,
    present_of,
    set_state,
)


class Decision(StrEnum):
    """What to do about an identity in which the population database differs."""

    ACCEPT = "accept"
    KEEP = "keep"
    PAPERS = "papers"


@dataclass(frozen=True, slots=True)
class Decided:
    """How many were decided; of those left, why."""

    done: int
    #: taken over and thereby proved
    proved: int
    #: the file did not give the value that differs
    without_value: int
    #: corrected by hand before, or another number: to be looked at one by one
    by_hand: int


def make_batch(
    school_id: int,
    kind: Kind,
    *,
    chosen: Iterable[int] | None = None,
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None = None,
) -> int:
    """Put everybody not sent yet, or those chosen, into a new batch; its id.

    They wait from now on. Refuses when nobody is ready. `rng` makes demo data repeatable. The
    caller commits.
    """
    subjects = SUBJECTS[kind]
    lock_identities()
    states = (Verification.NOT_SENT,) if chosen is None else SENDABLE
    people = present_here(subjects, school_id, clock.local_day(now), states)
    if chosen is not None:
        wanted = set(chosen)
        people = [person for person in people if person.subject_id in wanted]
    people = [person for person in people if person.pin and person.birth_date and person.sex]
    if not people:
        raise NothingToSend
    number = 1 + int(
        scalar(
            "select coalesce(max(number), 0) from verification_batches"
            " where school_id = :school_id",
            school_id=school_id,
        )
    )
    items = _snapshots(subjects, school_id, people, rng)
    batch_id = int(
        db.session.scalar(
            insert(Batch)
            .values(
                school_id=school_id,
                number=number,
                kind=kind,
                made_at=now,
                made_by=actor.name,
                count=len(items),
                file_hash=rows_hash(items),
            )
            .returning(Batch.id)
        )
        or 0
    )
    db.session.execute(insert(Item), [item | {"batch_id": batch_id} for item in items])
    set_state(subjects, (person.subject_id for person in people), Verification.WAITING)
    audit.record(
        "verification.batch",
        f"verification_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{kind.value} {len(items)}",
    )
    return batch_id


def _snapshots(
    subjects: Subjects,
    school_id: int,
    people: Sequence[Any],
    rng: random.Random | None = None,
) -> list[dict[str, Any]]:
    keys = _free_keys(school_id, len(people), rng)
    return [
        {
            "school_id": school_id,
            "batch_id": None,
            "student_id": None,
            "user_id": None,
            subjects.column: person.subject_id,
            "row_key": key,
            "full_name": person.full_name,
            "birth_date": person.birth_date,
            "sex": Sex(person.sex),
            "pin": person.pin,
            "revision": person.revision,
        }
        for person, key in zip(people, keys, strict=True)
    ]


def _free_keys(school_id: int, count: int, rng: random.Random | None) -> list[str]:
    """Keys no row of the school has, in the order they were drawn."""
    free: dict[str, None] = {}
    while len(free) < count:
        # A letter in front, so that no spreadsheet takes the key for a number.
        drawn = [f"X{new_check_code(rng)}" for _n in range(count - len(free))]
        free |= dict.fromkeys(drawn)
        for key in ids_of_keys(school_id, drawn):
            free.pop(key, None)
    return list(free)


def rows_hash(items: Sequence[dict[str, Any]]) -> str:
    """SHA-256 of the rows as they are sent, in order."""
    digest = hashlib.sha256()
    for item in items:
        parts = (item["row_key"], item["pin"], item["full_name"], item["birth_date"].isoformat())
        digest.update("\t".join((*parts, str(item["sex"]))).encode() + b"\n")
    return digest.hexdigest()


def record_download(
    school_id: int, batch_id: int, *, actor: audit.Actor, now: datetime
) -> queries.BatchRow:
    """Write down that somebody took the file with its personal data. The caller commits."""
    batch = queries.get_batch(school_id, batch_id)
    audit.record(
        "verification.download",
        f"verification_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"sha256:{batch.file_hash}",
    )
    return batch


def close_batch(school_id: int, batch_id: int, *, actor: audit.Actor, now: datetime) -> int:
    """Await no more answers: who was not answered may be sent again. How many. Caller commits."""
    lock_identities()
    batch = row(
        "select kind, closed_at from verification_batches"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=batch_id,
    )
    if batch is None:
        raise BatchNotFound
    if batch.closed_at is not None:
        raise BatchClosed
    subjects = SUBJECTS[Kind(batch.kind)]
    column = subjects.column
    left = [
        item.subject_id
        for item in rows(
            f"select i.{column} as subject_id from verification_items i"
            f" join {subjects.table} s on s.{subjects.key} = i.{column}"
            " and s.verification = 'CHO_XAC_THUC'"
            " where i.school_id = :school_id and i.batch_id = :batch and i.id ="
            f" (select max(x.id) from verification_items x where x.{column} = i.{column})",
            school_id=school_id,
            batch=batch_id,
        )
    ]
    execute(
        "update verification_batches set closed_at = :now"
        " where school_id = :school_id and id = :id",
        now=now,
        school_id=school_id,
        id=batch_id,
    )
    set_state(subjects, left, Verification.NOT_SENT)
    audit.record(
        "verification.close_batch",
        f"verification_batch:{batch_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{len(left)} unanswered",
    )
    return len(left)


def prove(
    school_id: int,
    kind: Kind,
    subject_id: int,
    *,
    source: Source,
    document: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A person saw the paper and the present values are those on it. The caller commits.

    Refuses people of other schools, those without a number or proved already, and a proof whose
    paper is not named.
    """
    if source not in (Source.BIRTH_CERTIFICATE, Source.VNEID):
        raise ValueError(f"{source} is no paper")
    note = _text(document, _("Say which paper you saw: its number and day."))
    subjects = SUBJECTS[kind]
    lock_identities()
    person = _person_here(subjects, school_id, subject_id, clock.local_day(now))
    if (
        not person.pin
        or person.birth_date is None
        or person.verification in (Verification.MATCHED, Verification.NO_NUMBER)
    ):
        raise CannotProve
    _prove_many(subjects, school_id, [person], source, note, actor=actor, now=now)


def _prove_many(
    subjects: Subjects,
    school_id: int,
    people: Sequence[Any],
    source: Source,
    note: str,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """A shown or accepted identity is asked about in no batch, but stands in a row of its own."""
    items = _snapshots(subjects, school_id, people)
    db.session.execute(insert(Item), items)
    ids = ids_of_keys(school_id, [item["row_key"] for item in items])
    add_results(
        subjects,
        [
            {
                "school_id": school_id,
                "item_id": ids[item["row_key"]],
                subjects.column: item[subjects.column],
                "state": Verification.MATCHED,
                "source": source,
                "note": note,
                "actor": actor.name,
                "at": now,
            }
            for item in items
        ],
    )
    set_state(subjects, (person.subject_id for person in people), Verification.MATCHED)
    audit.record_many(
        [
            audit.Deed("verification.prove", f"{subjects.word}:{p.subject_id}", source.value)
            for p in people
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )


def ids_of_keys(school_id: int, keys: Iterable[str]) -> dict[str, int]:
    """The rows behind the keys of a file."""
    return {
        item.row_key: item.id
        for chunk in in_chunks(keys)
        for item in rows(
            "select id, row_key from verification_items where school_id = :school_id"
            " and row_key in :keys",
            school_id=school_id,
            keys=chunk,
        )
    }


def add_results(subjects: Subjects, results: Sequence[dict[str, Any]]) -> None:
    """Append results; columns left out have their usual value."""
    usual = {
        "student_id": None,
        "user_id": None,
        "upload_id": None,
        "counts": True,
        "is_complete": True,
        "note": "",
    }
    if results:
        db.session.execute(insert(Result), [usual | result for result in results])


# What differs


def decide(
    school_id: int,
    kind: Kind,
    subject_ids: Iterable[int],
    decision: Decision,
    *,
    reason: str = "",
    actor: audit.Actor,
    now: datetime,
) -> Decided:
    """Accept what the population database has, keep ours and ask again, or wait for new papers.

    Accepted values that leave nothing open are proved, being the database's own. Of several people
    at once, fields corrected by hand and other numbers are left for a look at each. Keeping and
    waiting need a reason. Refuses when none of them differs any more. The caller commits.
    """
    subjects = SUBJECTS[kind]
    lock_identities()
    today = clock.local_day(now)
    wanted = list(dict.fromkeys(subject_ids))
    here = {
        person.subject_id
        for person in present_here(subjects, school_id, today, (Verification.DIFFERS,))
    }
    open_ones = queries.differing(school_id, kind, [one for one in wanted if one in here])
    if not open_ones:
        raise NothingDiffers
    if decision is Decision.ACCEPT:
        return _accept(
            subjects, school_id, open_ones, one_by_one=len(wanted) == 1, actor=actor, now=now
        )
    note = _text(reason, _("Give the reason: which paper says so, or what the family does."))
    state, source = (
        (Verification.NOT_SENT, Source.KEPT)
        if decision is Decision.KEEP
        else (Verification.DIFFERS, Source.PAPERS)
    )
    add_results(
        subjects,
        [
            {
                "school_id": school_id,
                "item_id": one.item_id,
                subjects.column: one.subject_id,
                "state": state,
                "source": source,
                "note": note,
                "actor": actor.name,
                "at": now,
            }
            for one in open_ones
        ],
    )
    set_state(subjects, (one.subject_id for one in open_ones), state)
    audit.record_many(
        [
            audit.Deed(f"verification.{decision.value}", f"{subjects.word}:{one.subject_id}", note)
            for one in open_ones
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return Decided(len(open_ones), 0, 0, 0)


def _accept(
    subjects: Subjects,
    school_id: int,
    open_ones: Sequence[queries.Differing],
    *,
    one_by_one: bool,
    actor: audit.Actor,
    now: datetime,
) -> Decided:
    known = [
        one
        for one in open_ones
        if one.fields and all(difference.theirs for difference in one.fields)
    ]
    taken = known
    if not one_by_one:
        by_hand = (
            hand_made([one.subject_id for one in known]) if subjects.kind is Kind.PUPILS else set()
        )
        taken = [
            one
            for one in known
            if not any(
                d.field is IdentityField.PIN or (one.subject_id, d.field) in by_hand
                for d in one.fields
            )
        ]
    if taken:
        _take_over(subjects, school_id, taken, actor=actor, now=now)
        # What was not named may still differ: such a child is only ready to be sent again.
        set_state(subjects, (one.subject_id for one in taken), Verification.NOT_SENT)
    proved = [one.subject_id for one in taken if one.is_complete]
    people = present_of(subjects, proved)
    if proved:
        _prove_many(
            subjects,
            school_id,
            [people[subject_id] for subject_id in proved],
            Source.ACCEPTED,
            "",
            actor=actor,
            now=now,
        )
    return Decided(len(taken), len(proved), len(open_ones) - len(known), len(known) - len(taken))


def _take_over(
    subjects: Subjects,
    school_id: int,
    taken: Sequence[queries.Differing],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    reason = _("as the population database has it")
    values = [
        (one.subject_id, difference.field, difference.value)
        for one in taken
        for difference in one.fields
    ]
    if subjects.kind is Kind.STAFF:
        correct_staff(values, reason=reason, actor=actor, now=now, school_id=school_id)
        return
    correct_many(
        [Correction(s, field, value) for s, field, value in values if field in OWN],
        origin=Origin.CHECK,
        reason=reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )
    record_identifiers(
        [
            NewIdentifier(s, Scheme.PIN, str(value), _("population database"), clock.local_day(now))
            for s, field, value in values
            if field is IdentityField.PIN
        ],
        origin=Origin.CHECK,
        reason=reason,
        actor=actor,
        now=now,
        school_id=school_id,
    )


def _person_here(subjects: Subjects, school_id: int, subject_id: int, today: date) -> Any:
    here = scalar(
        f"select count(*) from ({subjects.here}) h where h.{subjects.column} = :id",
        school_id=school_id,
        today=today,
        id=subject_id,
    )
    person = present_of(subjects, [subject_id]).get(subject_id) if here else None
    if person is None:
        raise PersonNotFound
    return person


def _text(text: str, missing: str) -> str:
    squeezed = " ".join(text.split())
    if len(squeezed) < 3:
        raise BadDocument(missing)
    if len(squeezed) > 200:
        raise BadDocument(_("Write at most 200 letters."))
    return squeezed


def forget(student_ids: Iterable[int]) -> None:
    """Blank what was asked and answered about children made anonymous. The caller commits.

    That they were proved, and when, stays.
    """
    for chunk in in_chunks(student_ids):
        execute(
            "update verification_differences set given_value = null where exists"
            " (select 1 from verification_results r where r.id = verification_differences.result_id"
            "  and r.school_id = verification_differences.school_id and r.student_id in :ids)",
            ids=chunk,
        )
        execute(
            "update verification_items set full_name = '', pin = '', birth_date = :nothing"
            " where student_id in :ids",
            nothing=date(1900, 1, 1),
            ids=chunk,
        )
