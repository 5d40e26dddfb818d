"""Reading batches, results, what differs, and how far a school or the area is proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core.db import DAY, MOMENT, in_chunks, row, rows, scalar
from app.people.students import IdentityField, Sex, Verification, hand_made
from app.people.students.numbers import Oddity, oddities
from app.people.students.queries import masked
from app.people.verification.errors import BatchNotFound, PersonNotFound
from app.people.verification.exchange import Asked
from app.people.verification.models import Kind, Source
from app.people.verification.subjects import SUBJECTS, Subjects

PAGE = 50


# Batches


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with how many of its rows were answered by a file."""

    id: int
    number: int
    kind: Kind
    made_at: datetime
    made_by: str
    count: int
    file_hash: str
    closed_at: datetime | None
    answered: int

    @property
    def is_open(self) -> bool:
        """Whether answers are still awaited."""
        return self.closed_at is None and self.answered < self.count


_BATCH = (
    "select b.id, b.number, b.kind, b.made_at, b.made_by, b.count, b.file_hash, b.closed_at,"
    " (select count(distinct r.item_id) from verification_items i"
    "  join verification_results r on r.school_id = i.school_id and r.item_id = i.id"
    "  and r.source = 'file' where i.school_id = b.school_id and i.batch_id = b.id) as answered"
    " from verification_batches b where b.school_id = :school_id"
)
_BATCH_TYPES = {"made_at": MOMENT, "closed_at": MOMENT}


def _batch(found: Any) -> BatchRow:
    return BatchRow(**(found._asdict() | {"kind": Kind(found.kind)}))


def list_batches(school_id: int, kind: Kind) -> list[BatchRow]:
    """The batches of a school, newest first."""
    found = rows(
        f"{_BATCH} and b.kind = :kind order by b.number desc",
        types=_BATCH_TYPES,
        school_id=school_id,
        kind=kind.value,
    )
    return [_batch(batch) for batch in found]


def get_batch(school_id: int, batch_id: int) -> BatchRow:
    """One batch of the school, or BatchNotFound."""
    found = row(f"{_BATCH} and b.id = :id", types=_BATCH_TYPES, school_id=school_id, id=batch_id)
    if found is None:
        raise BatchNotFound
    return _batch(found)


def rows_to_send(school_id: int, batch_id: int) -> list[Asked]:
    """The rows of a batch exactly as they were sent."""
    found = rows(
        "select row_key, pin, full_name, birth_date, sex from verification_items"
        " where school_id = :school_id and batch_id = :batch order by id",
        types={"birth_date": DAY},
        school_id=school_id,
        batch=batch_id,
    )
    return [Asked(i.row_key, i.pin, i.full_name, i.birth_date, Sex(i.sex)) for i in found]


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row of a batch: whom it is about, and the newest answer of a file."""

    subject_id: int
    code: str
    full_name: str
    birth_date: date
    masked_pin: str
    state: Verification | None
    counts: bool


def sent_rows(school_id: int, batch: BatchRow, page: int) -> list[SentRow]:
    """A page of a batch."""
    subjects = SUBJECTS[batch.kind]
    code = "s.code" if batch.kind is Kind.PUPILS else "cast(s.id as varchar(20))"
    table = "students" if batch.kind is Kind.PUPILS else "users"
    found = rows(
        f"select i.{subjects.column} as subject_id, {code} as code, i.full_name, i.birth_date,"
        " i.pin, r.state, r.counts from verification_items i"
        f" join {table} s on s.id = i.{subjects.column}"
        " left join verification_results r on r.school_id = i.school_id and r.item_id = i.id"
        " and r.id = (select max(x.id) from verification_results x"
        "  where x.school_id = i.school_id and x.item_id = i.id and x.source = 'file')"
        " where i.school_id = :school_id and i.batch_id = :batch order by i.id"
        " limit :limit offset :offset",
        types={"birth_date": DAY},
        school_id=school_id,
        batch=batch.id,
        limit=PAGE,
        offset=(page - 1) * PAGE,
    )
    return [
        SentRow(
            i.subject_id,
            i.code,
            i.full_name,
            i.birth_date,
            masked(i.pin),
            Verification(i.state) if i.state else None,
            bool(i.counts),
        )
        for i in found
    ]


# How far a school is


def state_counts(school_id: int, kind: Kind, today: date) -> dict[Verification, int]:
    """How many people of the school are in each state; every state is there."""
    subjects = SUBJECTS[kind]
    found = rows(
        f"select p.verification, count(*) as n from ({subjects.present}) p"
        f" where p.subject_id in ({subjects.here}) group by p.verification",
        school_id=school_id,
        today=today,
    )
    counts = {Verification(state.verification): int(state.n) for state in found}
    return {state: counts.get(state, 0) for state in Verification}


@dataclass(frozen=True, slots=True)
class SchoolCounts:
    """A school of the area with its pupils by state."""

    code: str
    name: str
    counts: dict[Verification, int]

    @property
    def total(self) -> int:
        """All pupils."""
        return sum(self.counts.values())

    @property
    def proved(self) -> int:
        """Pupils whose identity is proved."""
        return self.counts[Verification.MATCHED]


def area_counts(schools: Sequence[tuple[int, str, str]], today: date) -> list[SchoolCounts]:
    """Pupils by state for each school (id, code, name), least proved first; nobody is named."""
    found: dict[int, dict[Verification, int]] = {}
    for chunk in in_chunks(school_id for school_id, _code, _name in schools):
        for group in rows(
            "select e.school_id, s.verification, count(distinct s.id) as n from enrolments e"
            " join students s on s.id = e.student_id and s.anonymised_at is null"
            " and s.merged_into_id is null where e.school_id in :schools"
            " and (e.ends_on is null or e.ends_on > :today) group by e.school_id, s.verification",
            schools=chunk,
            today=today,
        ):
            found.setdefault(group.school_id, {})[Verification(group.verification)] = int(group.n)
    listed = [
        SchoolCounts(
            code, name, {state: found.get(school_id, {}).get(state, 0) for state in Verification}
        )
        for school_id, code, name in schools
    ]
    return sorted(listed, key=lambda s: (s.proved / s.total if s.total else 2.0, s.code))


# People


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in the list of one state; the number is masked, `oddities` point at the paper."""

    subject_id: int
    code: str
    full_name: str
    birth_date: date | None
    sex: Sex | None
    place: str
    masked_pin: str
    no_number_reason: str | None
    oddities: tuple[Oddity, ...]
    answered_at: datetime | None


def list_people(
    school_id: int, kind: Kind, state: Verification, today: date, page: int
) -> list[PersonRow]:
    """A page of the people of a school in one state, by name."""
    subjects = SUBJECTS[kind]
    if kind is Kind.PUPILS:
        place = (
            "(select c.name from enrolments e join placements q on q.school_id = e.school_id"
            "  and q.enrolment_id = e.id join classes c on c.id = q.class_id"
            "  where e.school_id = :school_id and e.student_id = p.subject_id"
            "  order by q.starts_on desc, q.id desc limit 1)"
        )
        why = "(select s.no_number_reason from students s where s.id = p.subject_id)"
    else:
        place = (
            "(select m.role from memberships m join schools k on k.unit_id = m.unit_id"
            "  where k.id = :school_id and m.user_id = p.subject_id"
            "  and (m.ends_on is null or m.ends_on > :today) order by m.id limit 1)"
        )
        why = "null"
    found = rows(
        f"select p.*, {place} as place, {why} as no_number_reason,"
        " (select max(r.at) from verification_results r where r.counts"
        f"  and r.{subjects.column} = p.subject_id) as answered_at"
        f" from ({subjects.present}) p where p.verification = :state"
        f" and p.subject_id in ({subjects.here}) order by p.sort_key, p.subject_id"
        " limit :limit offset :offset",
        types={"birth_date": DAY, "answered_at": MOMENT},
        state=state.value,
        school_id=school_id,
        today=today,
        limit=PAGE,
        offset=(page - 1) * PAGE,
    )
    return [_person(person) for person in found]


def _person(person: Any) -> PersonRow:
    sex = Sex(person.sex) if person.sex else None
    odd: list[Oddity] = []
    if person.pin and person.birth_date and sex:
        odd = oddities(person.pin, person.birth_date, sex)
    return PersonRow(
        person.subject_id,
        person.code,
        person.full_name,
        person.birth_date,
        sex,
        person.place or "",
        masked(person.pin) if person.pin else "",
        person.no_number_reason,
        tuple(odd),
        person.answered_at,
    )


# What differs


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """One field: ours as asked, theirs where the file gave it."""

    field: IdentityField
    ours: str
    theirs: str | None
    #: ours was corrected by a person's hand
    by_hand: bool = False

    @property
    def value(self) -> str | date | Sex:
        """Theirs in the type of the field."""
        text = self.theirs or ""
        if self.field is IdentityField.BIRTH_DATE:
            return date.fromisoformat(text)
        return Sex(text) if self.field is IdentityField.SEX else text


@dataclass(frozen=True, slots=True)
class Differing:
    """A person in whom the population database differs, as the newest file said."""

    subject_id: int
    result_id: int
    item_id: int
    batch_number: int | None
    at: datetime
    is_complete: bool
    fields: tuple[FieldDifference, ...]
    #: the reason why the family's papers come first, if somebody decided so
    waits_for: str

    @property
    def can_accept(self) -> bool:
        """Whether the file gave every value that differs."""
        return bool(self.fields) and all(difference.theirs for difference in self.fields)


def differing(school_id: int, kind: Kind, subject_ids: Iterable[int]) -> list[Differing]:
    """What the newest answer of this school's files says about these people, where it differs."""
    subjects = SUBJECTS[kind]
    ids = list(subject_ids)
    by_hand = hand_made(ids) if kind is Kind.PUPILS else set()
    found: list[Differing] = []
    for chunk in in_chunks(ids):
        found += _differing(subjects, school_id, chunk, by_hand)
    order = {subject_id: place for place, subject_id in enumerate(ids)}
    return sorted(found, key=lambda one: order[one.subject_id])


def _differing(
    subjects: Subjects,
    school_id: int,
    ids: list[int],
    by_hand: set[tuple[int, IdentityField]],
) -> list[Differing]:
    column = subjects.column
    results = rows(
        f"select r.id, r.item_id, r.{column} as subject_id, r.is_complete, r.at, i.full_name,"
        " i.birth_date, i.sex, i.pin, b.number,"
        " (select x.note from verification_results x where x.school_id = r.school_id"
        "  and x.item_id = r.item_id and x.source = 'papers' and x.id > r.id"
        "  order by x.id desc limit 1) as waits_for"
        " from verification_results r"
        " join verification_items i on i.school_id = r.school_id and i.id = r.item_id"
        " left join verification_batches b on b.school_id = i.school_id and b.id = i.batch_id"
        f" where r.school_id = :school_id and r.{column} in :ids and r.state = 'SAI_LECH'"
        " and r.id = (select max(x.id) from verification_results x"
        f"  where x.{column} = r.{column} and x.counts and x.source = 'file')",
        types={"birth_date": DAY, "at": MOMENT},
        school_id=school_id,
        ids=ids,
    )
    given: dict[int, list[Any]] = {}
    for chunk in in_chunks(result.id for result in results):
        for difference in rows(
            "select result_id, field, given_value from verification_differences"
            " where school_id = :school_id and result_id in :results order by id",
            school_id=school_id,
            results=chunk,
        ):
            given.setdefault(difference.result_id, []).append(difference)
    return [
        Differing(
            result.subject_id,
            result.id,
            result.item_id,
            result.number,
            result.at,
            bool(result.is_complete),
            tuple(
                FieldDifference(
                    IdentityField(d.field),
                    _ours(result, IdentityField(d.field)),
                    d.given_value,
                    (result.subject_id, IdentityField(d.field)) in by_hand,
                )
                for d in given.get(result.id, ())
            ),
            result.waits_for or "",
        )
        for result in results
    ]


def _ours(item: Any, field: IdentityField) -> str:
    if field is IdentityField.BIRTH_DATE:
        return str(item.birth_date.isoformat())
    return str(getattr(item, field.value))


# One person


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the proof of an identity; `what` is sent, result or changed."""

    at: datetime
    what: str
    state: Verification | None
    source: Source | None
    batch_number: int | None
    counts: bool
    note: str
    actor: str
    fields: tuple[str, ...] = ()


def history(school_id: int, kind: Kind, subject_id: int) -> list[Event]:
    """What this school asked and learned about one person, and when the identity changed."""
    column = SUBJECTS[kind].column
    events = [
        (e.at, 1, e.item, Event(e.at, "sent", None, None, e.number, True, "", e.made_by))
        for e in rows(
            "select b.made_at as at, i.id as item, b.number, b.made_by from verification_items i"
            " join verification_batches b on b.school_id = i.school_id and b.id = i.batch_id"
            f" where i.school_id = :school_id and i.{column} = :subject",
            types={"at": MOMENT},
            school_id=school_id,
            subject=subject_id,
        )
    ]
    for e in rows(
        "select r.id, r.at, r.state, r.source, r.counts, r.note, r.actor, b.number"
        " from verification_results r"
        " join verification_items i on i.school_id = r.school_id and i.id = r.item_id"
        " left join verification_batches b on b.school_id = i.school_id and b.id = i.batch_id"
        f" where r.school_id = :school_id and r.{column} = :subject",
        types={"at": MOMENT},
        school_id=school_id,
        subject=subject_id,
    ):
        fields = tuple(
            d.field
            for d in rows(
                "select field from verification_differences where school_id = :school_id"
                " and result_id = :result order by id",
                school_id=school_id,
                result=e.id,
            )
        )
        event = Event(
            e.at,
            "result",
            Verification(e.state),
            Source(e.source),
            e.number,
            bool(e.counts),
            e.note,
            e.actor,
            fields,
        )
        events.append((e.at, 2, e.id, event))
    if kind is Kind.PUPILS:
        for e in rows(
            "select id, at, field, origin, reason, actor, school_id from identity_changes"
            " where student_id = :subject and field in ('full_name', 'birth_date', 'sex', 'pin')",
            types={"at": MOMENT},
            subject=subject_id,
        ):
            mine = e.school_id in (None, school_id)
            changed = Event(
                e.at,
                "changed",
                None,
                None,
                None,
                True,
                e.reason if mine else "",
                e.actor if mine else "",
                (e.field,),
            )
            # An accepted value is changed first, then proved.
            events.append((e.at, 0 if e.origin == "hand" else 1, e.id, changed))
    return [event for *_order, event in sorted(events, key=lambda e: e[:3], reverse=True)]


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A member of staff of the school as the form shows it; the whole number only when asked."""

    user_id: int
    full_name: str
    role: str
    verification: Verification


def staff_member(school_id: int, user_id: int, today: date) -> StaffPage:
    """A member of staff of this school, or PersonNotFound."""
    subjects = SUBJECTS[Kind.STAFF]
    found = row(
        "select p.subject_id, p.full_name, p.verification, (select m.role from memberships m"
        "  join schools k on k.unit_id = m.unit_id where k.id = :school_id and m.user_id = :user"
        "  and (m.ends_on is null or m.ends_on > :today) order by m.id limit 1) as role"
        f" from ({subjects.present}) p where p.subject_id = :user"
        f" and p.subject_id in ({subjects.here})",
        school_id=school_id,
        today=today,
        user=user_id,
    )
    if found is None:
        raise PersonNotFound
    return StaffPage(
        found.subject_id, found.full_name, found.role, Verification(found.verification)
    )


def verification_of(student_id: int) -> Verification:
    """How far a pupil's identity is proved."""
    state = scalar("select verification from students where id = :id", id=student_id)
    return Verification(state)
