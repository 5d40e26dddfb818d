"""Admitting children: new ones get a code for life, known ones keep theirs."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.bulk import insert_rows
from app.core.db import DAY, in_chunks, rows
from app.core.ids import is_student_code, new_student_code
from app.core.text import fold, name_sort_key, nfc
from app.people.students.errors import (
    AlreadyEnrolled,
    BadCode,
    BadDate,
    BadIdentifier,
    BadName,
    ClassNotFound,
    CodeTaken,
    IdentifierTaken,
    StudentMismatch,
    StudentNotFound,
)
from app.people.students.identity import lock_identities, settle_verification
from app.people.students.models import (
    Enrolment,
    Placement,
    Scheme,
    Sex,
    Student,
    StudentIdentifier,
    Verification,
)
from app.people.students.search import add_words
from app.people.students.services.classes import classes_of
from app.people.students.services.families import NewGuardian, mobile, tie_guardians

#: A pupil of these schools is younger than this on the first day.
OLDEST = 25


@dataclass(frozen=True, slots=True)
class NewStudent:
    """A child to enrol; `student_id` names one the area knows, a class may be found later."""

    full_name: str
    birth_date: date
    sex: Sex
    class_id: int | None
    starts_on: date
    guardians: tuple[NewGuardian, ...] = ()
    #: (scheme, value, where it was read)
    identifiers: tuple[tuple[Scheme, str, str], ...] = ()
    code: str | None = None
    student_id: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What enrolling gave."""

    student_id: int
    enrolment_id: int
    code: str


def enrol_many(
    school_id: int,
    students: Sequence[NewStudent],
    *,
    actor: audit.Actor,
    now: datetime,
    rng: random.Random | None = None,
) -> list[Enrolled]:
    """Enrol children into classes of the school; results in the order given, all or none.

    New children get a lifetime code; known ones keep theirs. Guardians are found by phone and name
    in the whole area, else made. Refuses a class of another school, an impossible date, a stay that
    would overlap another at this school, a personal number that is malformed or another child's.
    Locks enrolling in the area. The caller commits.
    """
    if not students:
        return []
    lock_identities()
    classes = classes_of(school_id)
    for child in students:
        _check(child, classes)
    known = _known_children(students)
    _refuse_overlaps(school_id, students)
    _refuse_taken_identifiers(students)

    codes = _codes(students, known, rng)
    student_ids = _write_children(students, codes, now)
    enrolment_ids = insert_rows(
        Enrolment,
        [
            {"school_id": school_id, "student_id": student_id, "starts_on": child.starts_on}
            for child, student_id in zip(students, student_ids, strict=True)
        ],
    )
    insert_rows(
        Placement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": child.class_id,
                "starts_on": max(child.starts_on, classes[child.class_id].starts_on),
            }
            for child, enrolment_id in zip(students, enrolment_ids, strict=True)
            if child.class_id is not None
        ],
    )
    _write_identifiers(students, student_ids)
    settle_verification(
        student_id
        for child, student_id in zip(students, student_ids, strict=True)
        if child.identifiers and child.student_id is not None
    )
    tie_guardians(
        [
            (student_id, child.starts_on, child.guardians)
            for child, student_id in zip(students, student_ids, strict=True)
        ],
        known,
    )
    audit.record_many(
        [
            audit.Deed("student.enrol", f"enrolment:{enrolment_id}", f"student:{student_id}")
            for student_id, enrolment_id in zip(student_ids, enrolment_ids, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return [Enrolled(*made) for made in zip(student_ids, enrolment_ids, codes, strict=True)]


def _check(child: NewStudent, classes: dict[int, Any]) -> None:
    name = child.full_name
    if not 1 <= len(" ".join(name.split())) <= 120:
        raise BadName
    place = classes.get(child.class_id) if child.class_id is not None else None
    if place is None and child.class_id is not None:
        raise ClassNotFound
    if not child.birth_date < child.starts_on:
        raise BadDate(_("%(name)s: the birth date lies after the first day at school.", name=name))
    if child.birth_date.year < child.starts_on.year - OLDEST:
        raise BadDate(_("%(name)s: check the year of birth.", name=name))
    if place is not None and child.starts_on > place.ends_on:
        raise BadDate(
            _("%(name)s: the first day lies after the end of the school year.", name=name)
        )
    if child.code is not None and not is_student_code(child.code):
        raise BadCode(_("%(code)s is not a pupil code.", code=child.code))
    for guardian in child.guardians:
        if not 1 <= len(" ".join(guardian.full_name.split())) <= 120:
            raise BadName
        if guardian.phone:
            mobile(guardian.phone)
    _check_identifiers(child)


def _check_identifiers(child: NewStudent) -> None:
    for scheme, value, _source in child.identifiers:
        if scheme is Scheme.PIN and not re.fullmatch(r"[0-9]{12}", value):
            raise BadIdentifier(
                _("%(name)s: a personal number has 12 digits.", name=child.full_name)
            )
        if not 1 <= len(value) <= 24:
            raise BadIdentifier(_("%(name)s: a number is empty or too long.", name=child.full_name))


def _known_children(students: Sequence[NewStudent]) -> dict[int, str]:
    """The codes of children the area knows, once their birth dates fit."""
    wanted = {child.student_id: child for child in students if child.student_id is not None}
    codes: dict[int, str] = {}
    for chunk in in_chunks(wanted):
        for found in rows(
            "select id, code, birth_date from students where id in :ids",
            types={"birth_date": DAY},
            ids=chunk,
        ):
            if found.birth_date != wanted[found.id].birth_date:
                raise StudentMismatch
            codes[found.id] = found.code
    if len(codes) < len(wanted):
        raise StudentNotFound
    return codes


def _refuse_overlaps(school_id: int, students: Sequence[NewStudent]) -> None:
    counted = Counter(child.student_id for child in students if child.student_id is not None)
    twice = [student_id for student_id, times in counted.items() if times > 1]
    if twice:
        raise AlreadyEnrolled(_("The same pupil stands in the list twice."))
    starts = {child.student_id: child for child in students if child.student_id is not None}
    for chunk in in_chunks(starts):
        for stay in rows(
            "select student_id, ends_on from enrolments where school_id = :school_id"
            " and student_id in :ids",
            types={"ends_on": DAY},
            school_id=school_id,
            ids=chunk,
        ):
            child = starts[stay.student_id]
            # A stay begun here has no end yet, so it meets every stay that ends after its start.
            if stay.ends_on is None or stay.ends_on > child.starts_on:
                raise AlreadyEnrolled(
                    _(
                        "%(name)s is already enrolled at this school on that day.",
                        name=child.full_name,
                    )
                )


def _refuse_taken_identifiers(students: Sequence[NewStudent]) -> None:
    owners: dict[str, NewStudent] = {}
    for child in students:
        for scheme, value, _source in child.identifiers:
            if scheme is not Scheme.PIN:
                continue
            if value in owners and owners[value] is not child:
                raise _taken(child.full_name)
            owners[value] = child
    for chunk in in_chunks(owners):
        for found in rows(
            "select value, student_id from student_identifiers where scheme = 'pin'"
            " and valid_to is null and value in :pins",
            pins=chunk,
        ):
            if owners[found.value].student_id != found.student_id:
                raise _taken(owners[found.value].full_name)


def _taken(name: str) -> IdentifierTaken:
    # Which other child has it is not said: the asker may not be allowed to know of him.
    return IdentifierTaken(
        _("%(name)s: this personal number is already recorded for another child.", name=name)
    )


def _codes(
    students: Sequence[NewStudent], known: dict[int, str], rng: random.Random | None
) -> list[str]:
    """One code a child: the known, the given, and drawn ones; a clash is drawn again."""
    given = [c.code for c in students if c.student_id is None and c.code is not None]
    taken = _taken_codes(given)
    if taken or len(set(given)) < len(given):
        clash = next(iter(taken), "") or Counter(given).most_common(1)[0][0]
        raise CodeTaken(_("The code %(code)s already belongs to a child.", code=clash))
    wanted = sum(1 for c in students if c.student_id is None and c.code is None)
    drawn: dict[str, None] = {}
    while len(drawn) < wanted:
        fresh = [new_student_code(rng) for _count in range(wanted - len(drawn))]
        used = _taken_codes(fresh) | set(given)
        drawn.update(dict.fromkeys(code for code in fresh if code not in used))
    spare = iter(drawn)
    return [
        known[c.student_id] if c.student_id is not None else c.code or next(spare) for c in students
    ]


def _taken_codes(codes: Sequence[str]) -> set[str]:
    return {
        found.code
        for chunk in in_chunks(codes)
        for found in rows("select code from students where code in :codes", codes=chunk)
    }


def _first_state(child: NewStudent) -> Verification:
    has_pin = any(scheme is Scheme.PIN for scheme, _value, _source in child.identifiers)
    return Verification.NOT_SENT if has_pin else Verification.NO_NUMBER


def _write_children(students: Sequence[NewStudent], codes: list[str], now: datetime) -> list[int]:
    fresh = []
    for child, code in zip(students, codes, strict=True):
        if child.student_id is None:
            name = " ".join(nfc(child.full_name).split())
            fresh.append(
                {
                    "code": code,
                    "full_name": name,
                    "search_key": fold(name),
                    "sort_key": name_sort_key(name)[:400],
                    "birth_date": child.birth_date,
                    "sex": child.sex,
                    "created_at": now,
                    "verification": _first_state(child),
                }
            )
    ids = insert_rows(Student, fresh)
    add_words(
        (student_id, str(child["code"]), str(child["search_key"]))
        for student_id, child in zip(ids, fresh, strict=True)
    )
    made = iter(ids)
    return [next(made) if child.student_id is None else child.student_id for child in students]


def _write_identifiers(students: Sequence[NewStudent], student_ids: list[int]) -> None:
    has = {
        (found.student_id, found.scheme, found.value)
        for chunk in in_chunks(child.student_id for child in students if child.student_id)
        for found in rows(
            "select student_id, scheme, value from student_identifiers"
            " where valid_to is null and student_id in :ids",
            ids=chunk,
        )
    }
    insert_rows(
        StudentIdentifier,
        [
            {
                "student_id": student_id,
                "scheme": scheme,
                "value": value,
                "source": source,
                "valid_from": child.starts_on,
            }
            for child, student_id in zip(students, student_ids, strict=True)
            for scheme, value, source in child.identifiers
            if (student_id, str(scheme), value) not in has
        ],
    )
