"""Taking in what came back: rehearsed first, then taken; the same file twice changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core.db import DAY, MOMENT, execute, for_update, in_chunks, rows
from app.core.model import db
from app.people.students import IdentityField, Sex, Verification
from app.people.students.identity import OWN, PROVED, lock_identities
from app.people.students.queries import masked
from app.people.verification import services, words
from app.people.verification.errors import AlreadyTaken, ForeignResults, UploadNotFound
from app.people.verification.exchange import Answer, Exchange
from app.people.verification.models import Difference, Kind, Source, Upload
from app.people.verification.subjects import (
    SUBJECTS,
    Subjects,
    present_of,
    same_values,
    set_state,
)

#: what was read from a file nobody took is forgotten after this
FORGOTTEN_AFTER = timedelta(days=30)


class Standing(StrEnum):
    """What becomes of a row that came back."""

    NEW = "new"
    #: the person was edited after sending, so the answer is about what no longer holds
    OLD_VALUES = "old_values"
    #: a newer batch or a proof stands between
    LATE = "late"
    UNCHANGED = "unchanged"
    DOUBTFUL = "doubtful"


class Doubt(StrEnum):
    """Why a row is left to a person."""

    WORDS = "words"
    UNKNOWN_ROW = "unknown_row"
    OTHER_NUMBER = "other_number"
    CONTRADICTION = "contradiction"
    BAD_VALUE = "bad_value"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Line:
    """A row that came back, beside the row it answers; the number is masked."""

    place: str
    text: str
    standing: Standing
    doubt: Doubt | None
    state: Verification | None
    item_id: int | None
    subject_id: int | None
    code: str
    full_name: str
    masked_pin: str
    fields: tuple[tuple[IdentityField, str | None], ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows of a file, and how many asked rows of the same batches it leaves unanswered."""

    lines: list[Line]
    unanswered: int

    def count(self, standing: Standing, state: Verification | None = None) -> int:
        """How many rows of one standing (and state)."""
        return sum(line.standing is standing and state in (None, line.state) for line in self.lines)

    def of(self, *standings: Standing) -> list[Line]:
        """The rows of some standings."""
        return [line for line in self.lines if line.standing in standings]


@dataclass(frozen=True, slots=True)
class Taken:
    """How many rows were taken as what."""

    matched: int
    differs: int
    not_found: int
    double: int
    old_values: int
    late: int
    unchanged: int
    doubtful: int
    unanswered: int


def counts_of(plan: Plan) -> Taken:
    """The figures of a plan, for a page or the command line."""
    new = Standing.NEW
    return Taken(
        matched=plan.count(new, Verification.MATCHED),
        differs=plan.count(new, Verification.DIFFERS),
        not_found=plan.count(new, Verification.NOT_FOUND),
        double=plan.count(new, Verification.DOUBLE),
        old_values=plan.count(Standing.OLD_VALUES),
        late=plan.count(Standing.LATE),
        unchanged=plan.count(Standing.UNCHANGED),
        doubtful=plan.count(Standing.DOUBTFUL),
        unanswered=plan.unanswered,
    )


# Uploads


def upload(
    school_id: int,
    kind: Kind,
    body: bytes,
    filename: str,
    *,
    exchange: Exchange,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Keep what a file says for its rehearsal; nothing is taken yet. Its id.

    Refuses a file without results, and one in which no row is this school's. The caller commits.
    """
    answers = exchange.read_result(body, filename)
    if all(line.item_id is None for line in rehearse(school_id, kind, answers).lines):
        raise ForeignResults
    execute(
        "update verification_uploads set answers = '[]' where school_id = :school_id"
        " and uploaded_at < :long_ago and answers <> '[]'",
        school_id=school_id,
        long_ago=now - FORGOTTEN_AFTER,
    )
    digest = hashlib.sha256(body).hexdigest()
    upload_id = int(
        db.session.scalar(
            insert(Upload)
            .values(
                school_id=school_id,
                kind=kind,
                filename=PurePath(filename.replace("\\", "/")).name[:120],
                file_hash=digest,
                uploaded_at=now,
                uploaded_by=actor.name,
                answers=_dump(answers),
            )
            .returning(Upload.id)
        )
        or 0
    )
    audit.record(
        "verification.upload",
        f"verification_upload:{upload_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"sha256:{digest}",
    )
    return upload_id


def get_upload(school_id: int, upload_id: int, *, lock: bool = False) -> Upload:
    """An uploaded file of the school, or UploadNotFound."""
    if lock:
        execute(
            "select id from verification_uploads where school_id = :school_id and id = :id"
            + for_update(),
            school_id=school_id,
            id=upload_id,
        )
    found = db.session.get(Upload, upload_id, populate_existing=True)
    if found is None or found.school_id != school_id:
        raise UploadNotFound
    return found


def answers_of(found: Upload) -> list[Answer]:
    """What a file says, as far as it is still kept."""
    return [
        Answer(
            place=kept["place"],
            row_key=kept["row_key"],
            pin=kept["pin"],
            text=kept["text"],
            state=Verification(kept["state"]) if kept["state"] else None,
            named=frozenset(map(IdentityField, kept["named"])),
            given={IdentityField(field): value for field, value in kept["given"].items()},
            trouble=kept["trouble"],
        )
        for kept in json.loads(found.answers)
    ]


def _dump(answers: Iterable[Answer]) -> str:
    return json.dumps(
        [
            {
                "place": answer.place,
                "row_key": answer.row_key,
                "pin": answer.pin,
                "text": answer.text,
                "state": answer.state,
                "named": sorted(answer.named),
                "given": answer.given,
                "trouble": answer.trouble,
            }
            for answer in answers
        ],
        ensure_ascii=False,
    )


# The plan


def rehearse(school_id: int, kind: Kind, answers: Sequence[Answer]) -> Plan:
    """What taking these answers would do now. Writes nothing."""
    subjects = SUBJECTS[kind]
    items = _Items(subjects, school_id, answers)
    people = present_of(subjects, (item.subject_id for item in items.all()))
    newest = _newest_items(subjects, people)
    told = _told(school_id, [item.id for item in items.all()])
    twice = _contradicting_twice(items, answers)
    lines: list[Line] = []
    seen: set[int] = set()
    for answer in answers:
        item = items.of(answer)
        doubt, fields, is_complete = _read(answer, item)
        if item is not None and doubt is None and item.id in twice:
            doubt = Doubt.TWICE
        person = people.get(item.subject_id) if item is not None else None
        if doubt is not None:
            standing = Standing.DOUBTFUL
        else:
            said = _Told(answer.state, frozenset(fields), counts=True)
            standing = (
                Standing.UNCHANGED
                if item.id in seen
                else _standing(item, person, newest, told.get(item.id), said)
            )
        if item is not None and doubt is None:
            seen.add(item.id)
        lines.append(
            Line(
                place=answer.place,
                text=answer.text,
                standing=standing,
                doubt=doubt,
                state=answer.state,
                item_id=item.id if item is not None else None,
                subject_id=item.subject_id if item is not None else None,
                code=person.code if person is not None else "",
                full_name=item.full_name if item is not None else "",
                masked_pin=masked(item.pin if item is not None else answer.pin),
                fields=tuple(fields),
                is_complete=is_complete,
            )
        )
    return Plan(lines, _unanswered(school_id, items, seen, told))


@dataclass(frozen=True, slots=True)
class _Told:
    """What a file said of a row, and whether that counted."""

    state: Verification | None
    fields: frozenset[tuple[IdentityField, str | None]]
    counts: bool


def _standing(
    item: Any, person: Any, newest: dict[int, int], told: _Told | None, said: _Told
) -> Standing:
    if person is None or not same_values(item, person):
        standing = Standing.OLD_VALUES
    elif newest[item.subject_id] != item.id:
        standing = Standing.LATE
    else:
        standing = Standing.NEW
    is_repeated = told is not None and (told.state, told.fields) == (said.state, said.fields)
    # Said before without effect, it may have one now that the old values are back.
    if is_repeated and told is not None and (told.counts or standing is not Standing.NEW):
        return Standing.UNCHANGED
    return standing


class _Items:
    """The asked rows behind the answers: by key, else by number."""

    def __init__(self, subjects: Subjects, school_id: int, answers: Sequence[Answer]) -> None:
        column = subjects.column
        select = (
            f"select i.id, i.batch_id, i.{column} as subject_id, i.row_key, i.full_name,"
            " i.birth_date, i.sex, i.pin from verification_items i"
            f" where i.school_id = :school_id and i.batch_id is not null"
            f" and i.{column} is not null"
        )
        self._by_key = {
            item.row_key: item
            for chunk in in_chunks(answer.row_key for answer in answers if answer.row_key)
            for item in rows(
                f"{select} and i.row_key in :keys",
                types={"birth_date": DAY},
                school_id=school_id,
                keys=chunk,
            )
        }
        pins = [a.pin for a in answers if a.pin and a.row_key not in self._by_key]
        # Later rows win: of several batches with this number the newest is answered.
        self._by_pin = {
            item.pin: item
            for chunk in in_chunks(pins)
            for item in rows(
                f"{select} and i.pin in :pins order by i.id",
                types={"birth_date": DAY},
                school_id=school_id,
                pins=chunk,
            )
        }

    def of(self, answer: Answer) -> Any:
        """The asked row, or None."""
        return self._by_key.get(answer.row_key) or self._by_pin.get(answer.pin)

    def all(self) -> list[Any]:
        """Each asked row once."""
        return list({i.id: i for i in (*self._by_key.values(), *self._by_pin.values())}.values())


Fields = list[tuple[IdentityField, str | None]]


def _read(answer: Answer, item: Any) -> tuple[Doubt | None, Fields, bool]:
    """Why the row is doubtful, or which fields differ and whether that is all of them."""
    if item is None:
        return Doubt.UNKNOWN_ROW, [], False
    if len(answer.pin) == 12 and answer.pin != item.pin:
        return Doubt.OTHER_NUMBER, [], False
    if answer.state is None:
        return Doubt.WORDS, [], False
    if answer.trouble:
        return Doubt.BAD_VALUE, [], False
    other = {field: value for field, value in answer.given.items() if not _same(field, value, item)}
    if answer.state is Verification.MATCHED and other:
        return Doubt.CONTRADICTION, [], False
    if answer.state is not Verification.DIFFERS:
        return None, [], True
    fields = [(field, other.get(field)) for field in PROVED if field in answer.named | set(other)]
    is_complete = bool(answer.named) or (bool(other) and set(OWN) <= set(answer.given))
    return None, fields, is_complete


def _same(field: IdentityField, value: str, item: Any) -> bool:
    if field is IdentityField.FULL_NAME:
        return words.same_name(value, item.full_name)
    if field is IdentityField.BIRTH_DATE:
        return bool(value == item.birth_date.isoformat())
    return bool(value == (Sex(item.sex).value if field is IdentityField.SEX else item.pin))


def _newest_items(subjects: Subjects, ids: Iterable[int]) -> dict[int, int]:
    column = subjects.column
    return {
        found.subject_id: found.newest
        for chunk in in_chunks(ids)
        for found in rows(
            f"select {column} as subject_id, max(id) as newest from verification_items"
            f" where {column} in :ids group by {column}",
            ids=chunk,
        )
    }


def _told(school_id: int, item_ids: Iterable[int]) -> dict[int, _Told]:
    """What files have said of these rows most recently."""
    newest: dict[int, Any] = {}
    differences: dict[int, set[tuple[IdentityField, str | None]]] = {}
    for chunk in in_chunks(item_ids):
        for result in rows(
            "select id, item_id, state, counts from verification_results"
            " where school_id = :school_id and source = 'file' and item_id in :items order by id",
            school_id=school_id,
            items=chunk,
        ):
            newest[result.item_id] = result
    for chunk in in_chunks(result.id for result in newest.values()):
        for found in rows(
            "select result_id, field, given_value from verification_differences"
            " where school_id = :school_id and result_id in :results",
            school_id=school_id,
            results=chunk,
        ):
            fields = differences.setdefault(found.result_id, set())
            fields.add((IdentityField(found.field), found.given_value))
    return {
        item_id: _Told(
            Verification(result.state),
            frozenset(differences.get(result.id, ())),
            bool(result.counts),
        )
        for item_id, result in newest.items()
    }


def _contradicting_twice(items: _Items, answers: Sequence[Answer]) -> set[int]:
    said: dict[int, set[Any]] = {}
    for answer in answers:
        item = items.of(answer)
        doubt, fields, _is_complete = _read(answer, item)
        if item is not None and doubt is None:
            said.setdefault(item.id, set()).add((answer.state, frozenset(fields)))
    return {item_id for item_id, different in said.items() if len(different) > 1}


def _unanswered(school_id: int, items: _Items, answered: set[int], told: dict[int, Any]) -> int:
    batches = {item.batch_id for item in items.all()}
    left = 0
    for chunk in in_chunks(sorted(batches)):
        for item in rows(
            "select i.id from verification_items i where i.school_id = :school_id"
            " and i.batch_id in :batches and not exists (select 1 from verification_results r"
            "  where r.school_id = i.school_id and r.item_id = i.id and r.source = 'file')",
            school_id=school_id,
            batches=chunk,
        ):
            left += item.id not in answered and item.id not in told
    return left


# Taking


def take(school_id: int, upload_id: int, *, actor: audit.Actor, now: datetime) -> Taken:
    """Write down what the file says and set the states of those it is still about.

    Rows about old values or answered otherwise meanwhile are kept, and change nobody; doubtful
    rows stay with the file. Refuses a file taken before. The caller commits.
    """
    lock_identities()
    found = get_upload(school_id, upload_id, lock=True)
    if found.taken_at is not None:
        raise AlreadyTaken
    kind = Kind(found.kind)
    subjects = SUBJECTS[kind]
    answers = answers_of(found)
    plan = rehearse(school_id, kind, answers)
    written = plan.of(Standing.NEW, Standing.OLD_VALUES, Standing.LATE)
    _write_results(subjects, school_id, upload_id, written, actor=actor, now=now)
    doubtful = [
        answer
        for answer, line in zip(answers, plan.lines, strict=True)
        if line.standing is Standing.DOUBTFUL
    ]
    execute(
        "update verification_uploads set taken_at = :now, answers = :answers"
        " where school_id = :school_id and id = :id",
        now=now,
        answers=_dump(doubtful),
        school_id=school_id,
        id=upload_id,
    )
    counts = Counter(line.standing.value for line in plan.lines)
    audit.record(
        "verification.take",
        f"verification_upload:{upload_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=", ".join(f"{standing} {n}" for standing, n in sorted(counts.items())),
    )
    return counts_of(plan)


def _write_results(
    subjects: Subjects,
    school_id: int,
    upload_id: int,
    lines: Sequence[Line],
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    if not lines:
        return
    services.add_results(
        subjects,
        [
            {
                "school_id": school_id,
                "item_id": line.item_id,
                subjects.column: line.subject_id,
                "state": line.state,
                "source": Source.FILE,
                "upload_id": upload_id,
                "counts": line.standing is Standing.NEW,
                "is_complete": line.is_complete,
                "actor": actor.name,
                "at": now,
            }
            for line in lines
        ],
    )
    ids = {
        result.item_id: result.id
        for result in rows(
            "select id, item_id from verification_results where school_id = :school_id"
            " and upload_id = :upload",
            school_id=school_id,
            upload=upload_id,
        )
    }
    differences = [
        {
            "school_id": school_id,
            "result_id": ids[line.item_id],
            "field": field,
            "given_value": value,
        }
        for line in lines
        if line.item_id is not None
        for field, value in line.fields
    ]
    if differences:
        db.session.execute(insert(Difference), differences)
    new = [line for line in lines if line.standing is Standing.NEW]
    for state in {line.state for line in new if line.state}:
        ids_of_state = (n.subject_id for n in new if n.state is state and n.subject_id)
        set_state(subjects, ids_of_state, state)
    audit.record_many(
        [
            audit.Deed(
                "verification.result",
                f"{subjects.word}:{line.subject_id}",
                line.state.value if line.state else "",
            )
            for line in new
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )


def list_uploads(school_id: int, kind: Kind) -> list[Any]:
    """The files taken or waiting, newest first, the last ten."""
    return list(
        rows(
            "select u.id, u.filename, u.uploaded_at, u.uploaded_by, u.taken_at,"
            " case when u.answers = '[]' then 0 else 1 end as has_rows"
            " from verification_uploads u where u.school_id = :school_id and u.kind = :kind"
            " order by u.id desc limit 10",
            types={"uploaded_at": MOMENT, "taken_at": MOMENT},
            school_id=school_id,
            kind=kind.value,
        )
    )
