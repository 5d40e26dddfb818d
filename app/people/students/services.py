"""Opening classes, enrolling children, moving them between classes, ending a stay."""

from __future__ import annotations

import hashlib
import random
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import DAY, execute, for_update, in_chunks, row, rows, scalar
from app.core.ids import ALPHABET, fold_slips, is_student_code, new_student_code
from app.core.model import db
from app.core.text import fold, name_sort_key, nfc, normal_phone
from app.people.schools import Level
from app.people.students import search
from app.people.students.errors import (
    AlreadyEnrolled,
    BadClass,
    BadCode,
    BadDate,
    BadIdentifier,
    BadName,
    BadPhone,
    BadReason,
    ClassExists,
    ClassNotFound,
    CodeTaken,
    EnrolmentEnded,
    EnrolmentNotFound,
    GuardianNotFound,
    IdentifierTaken,
    StudentMismatch,
    StudentNotFound,
    YearNotFound,
)
from app.people.students.identity import lock_identities, settle_verification
from app.people.students.models import (
    ActivationCode,
    Enrolment,
    Guardian,
    Guardianship,
    Placement,
    Scheme,
    SchoolClass,
    Sex,
    Student,
    StudentIdentifier,
)

#: Twelve signs of thirty-one are 59 bits.
ACTIVATION_CODE_LENGTH = 12
ACTIVATION_CODE_LIFE = timedelta(days=30)
#: A pupil of these schools is younger than this on the first day.
OLDEST = 25

GRADES = {
    Level.NURSERY: range(-3, 1),
    Level.PRIMARY: range(1, 6),
    Level.LOWER_SECONDARY: range(6, 10),
}


@dataclass(frozen=True, slots=True)
class NewGuardian:
    """A guardian as the school's list names him; found again by phone and name, else made."""

    full_name: str
    phone: str | None
    relation: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class NewStudent:
    """A child to enrol; `student_id` names one the area knows already."""

    full_name: str
    birth_date: date
    sex: Sex
    class_id: int
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


# Classes


def open_classes(
    school_id: int,
    school_year_id: int,
    classes: Sequence[tuple[str, int]],
    *,
    actor: audit.Actor,
    now: datetime,
) -> list[int]:
    """Open classes, given as name and grade, in a school year; their ids in the same order.

    Refuses a name used before in that year and a grade the school does not teach. The caller
    commits.
    """
    if not classes:
        return []
    level = scalar("select level from schools where id = :school_id", school_id=school_id)
    if not scalar("select count(*) from school_years where id = :id", id=school_year_id):
        raise YearNotFound
    taken = {
        found.name
        for found in rows(
            "select name from classes where school_id = :school_id and school_year_id = :year",
            school_id=school_id,
            year=school_year_id,
        )
    }
    values = []
    for written, grade in classes:
        name = " ".join(nfc(written).split())
        if not 1 <= len(name) <= 24:
            raise BadClass(_("A class name has 1 to 24 letters."))
        if grade not in GRADES[Level(level)]:
            raise BadClass(
                _("Class %(name)s: this school has no grade %(grade)s.", name=name, grade=grade)
            )
        if name in taken:
            raise ClassExists(_("There is already a class %(name)s this year.", name=name))
        taken.add(name)
        values.append(
            {
                "school_id": school_id,
                "school_year_id": school_year_id,
                "name": name,
                "grade": grade,
            }
        )
    ids = _insert(SchoolClass, values)
    audit.record_many(
        [audit.Deed("class.open", f"class:{class_id}") for class_id in ids],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return ids


# Enrolling


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
    classes = _classes_of(school_id)
    for child in students:
        _check(child, classes)
    known = _known_children(students)
    _refuse_overlaps(school_id, students)
    _refuse_taken_identifiers(students)

    codes = _codes(students, known, rng)
    student_ids = _write_children(students, codes, now)
    enrolment_ids = _insert(
        Enrolment,
        [
            {"school_id": school_id, "student_id": student_id, "starts_on": child.starts_on}
            for child, student_id in zip(students, student_ids, strict=True)
        ],
    )
    _insert(
        Placement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": child.class_id,
                "starts_on": max(child.starts_on, classes[child.class_id].starts_on),
            }
            for child, enrolment_id in zip(students, enrolment_ids, strict=True)
        ],
    )
    _write_identifiers(students, student_ids)
    settle_verification(
        student_id
        for child, student_id in zip(students, student_ids, strict=True)
        if child.identifiers
    )
    _write_guardians(students, student_ids)
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


def _insert(model: type, values: Sequence[dict[str, Any]]) -> list[int]:
    """Many rows at once; their ids in the order given."""
    if not values:
        return []
    key = model.__table__.c.id  # type: ignore[attr-defined]
    statement = insert(model).returning(key, sort_by_parameter_order=True)
    return [int(made) for made in db.session.scalars(statement, list(values))]


def _classes_of(school_id: int) -> dict[int, Any]:
    found = rows(
        "select c.id, c.name, y.starts_on, y.ends_on from classes c"
        " join school_years y on y.id = c.school_year_id where c.school_id = :school_id",
        types={"starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
    )
    return {school_class.id: school_class for school_class in found}


def _check(child: NewStudent, classes: dict[int, Any]) -> None:
    name = child.full_name
    if not 1 <= len(" ".join(name.split())) <= 120:
        raise BadName
    place = classes.get(child.class_id)
    if place is None:
        raise ClassNotFound
    if not child.birth_date < child.starts_on:
        raise BadDate(_("%(name)s: the birth date lies after the first day at school.", name=name))
    if child.birth_date.year < child.starts_on.year - OLDEST:
        raise BadDate(_("%(name)s: check the year of birth.", name=name))
    if child.starts_on > place.ends_on:
        raise BadDate(
            _("%(name)s: the first day lies after the end of the school year.", name=name)
        )
    if child.code is not None and not is_student_code(child.code):
        raise BadCode(_("%(code)s is not a pupil code.", code=child.code))
    for guardian in child.guardians:
        if not 1 <= len(" ".join(guardian.full_name.split())) <= 120:
            raise BadName
        if guardian.phone:
            _mobile(guardian.phone)
    _check_identifiers(child)


def _check_identifiers(child: NewStudent) -> None:
    for scheme, value, _source in child.identifiers:
        if scheme is Scheme.PIN and not re.fullmatch(r"[0-9]{12}", value):
            raise BadIdentifier(
                _("%(name)s: a personal number has 12 digits.", name=child.full_name)
            )
        if not 1 <= len(value) <= 24:
            raise BadIdentifier(_("%(name)s: a number is empty or too long.", name=child.full_name))


def _mobile(written: str) -> str:
    phone = normal_phone(written)
    if phone is None or len(phone) != 10:
        raise BadPhone(
            _("%(phone)s is not a mobile number. Enter ten digits, as 0905123456.", phone=written)
        )
    return phone


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
                }
            )
    ids = _insert(Student, fresh)
    search.add_words(
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
    _insert(
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


def _write_guardians(students: Sequence[NewStudent], student_ids: list[int]) -> None:
    """Find or make the guardians, then tie them to the children."""
    phones = {_mobile(g.phone) for child in students for g in child.guardians if g.phone}
    known: dict[tuple[str, str], int] = {
        (found.phone, found.search_key): found.id
        for chunk in in_chunks(sorted(phones))
        for found in rows(
            "select id, phone, search_key from guardians where phone in :phones order by id desc",
            phones=chunk,
        )
    }
    fresh: list[dict[str, Any]] = []
    #: place in `fresh` by phone and name, so that siblings in one list share their parents
    places: dict[tuple[str, str], int] = {}
    ties: list[tuple[int, NewGuardian, date, int | None, int | None, bool]] = []
    for child, student_id in zip(students, student_ids, strict=True):
        for number, guardian in enumerate(child.guardians):
            name = " ".join(nfc(guardian.full_name).split())
            phone = _mobile(guardian.phone) if guardian.phone else None
            key = (phone, fold(name)) if phone else None
            guardian_id = known.get(key) if key else None
            place = places.get(key) if key else None
            if guardian_id is None and place is None:
                place = len(fresh)
                if key:
                    places[key] = place
                fresh.append(
                    {
                        "full_name": name,
                        "search_key": fold(name),
                        "phone": phone,
                        "address": guardian.address,
                    }
                )
            ties.append((student_id, guardian, child.starts_on, guardian_id, place, number == 0))
    made = _insert(Guardian, fresh)
    tied = {
        (found.student_id, found.guardian_id)
        for chunk in in_chunks(child.student_id for child in students if child.student_id)
        for found in rows(
            "select student_id, guardian_id from guardianships"
            " where ends_on is null and student_id in :ids",
            ids=chunk,
        )
    }
    has_some = {student_id for student_id, _guardian in tied}
    values = []
    for student_id, guardian, starts_on, guardian_id, place, is_first in ties:
        found_id = guardian_id if guardian_id is not None else made[place or 0]
        if (student_id, found_id) in tied:
            continue
        tied.add((student_id, found_id))
        values.append(
            {
                "student_id": student_id,
                "guardian_id": found_id,
                "relation": guardian.relation[:16],
                "is_primary": is_first and student_id not in has_some,
                "starts_on": starts_on,
            }
        )
    _insert(Guardianship, values)


# Moving and leaving


def move_class(
    school_id: int,
    enrolment_id: int,
    class_id: int,
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Place a child in another class from a day on; returns the new placement.

    Refuses a class of another school, the class the child is in, and a day outside the stay or
    before the last change of class. Locks the stay. The caller commits.
    """
    stay = _open_stay(school_id, enrolment_id)
    if class_id not in _classes_of(school_id):
        raise ClassNotFound
    if from_day < stay.starts_on:
        raise BadDate(_("The pupil was not at the school yet on that day."))
    last = row(
        "select id, class_id, starts_on from placements where school_id = :school_id"
        " and enrolment_id = :enrolment and ends_on is null",
        types={"starts_on": DAY},
        school_id=school_id,
        enrolment=enrolment_id,
    )
    if last is not None:
        if last.class_id == class_id:
            raise BadClass(_("The pupil is in this class already."))
        if from_day < last.starts_on:
            raise BadDate(_("The pupil changed class after that day already."))
        if from_day == last.starts_on:
            # Never spent a day there: the row was a slip, the audit trail keeps it.
            execute(
                "delete from placements where school_id = :school_id and id = :id",
                school_id=school_id,
                id=last.id,
            )
        else:
            execute(
                "update placements set ends_on = :day where school_id = :school_id and id = :id",
                school_id=school_id,
                id=last.id,
                day=from_day,
            )
    placement_id = _insert(
        Placement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": class_id,
                "starts_on": from_day,
            }
        ],
    )[0]
    before = f"class:{last.class_id}" if last is not None else ""
    audit.record(
        "student.move_class",
        f"placement:{placement_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=before,
    )
    return placement_id


def end_enrolment(
    school_id: int,
    enrolment_id: int,
    *,
    ends_on: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """End a stay; `ends_on` is the first day the child no longer belongs to the school.

    Refuses a stay that ended before, a day not after its start, and an empty reason. Locks the
    stay. The caller commits.
    """
    stay = _open_stay(school_id, enrolment_id)
    if ends_on <= stay.starts_on:
        raise BadDate(_("The last day cannot lie before the first day at the school."))
    if not 1 <= len(reason.strip()) <= 24:
        raise BadReason(_("Give the reason in at most 24 letters."))
    execute(
        "update enrolments set ends_on = :day, end_reason = :reason"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
        reason=reason.strip(),
    )
    execute(
        "delete from placements where school_id = :school_id and enrolment_id = :id"
        " and starts_on >= :day",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
    )
    execute(
        "update placements set ends_on = :day where school_id = :school_id and enrolment_id = :id"
        " and (ends_on is null or ends_on > :day)",
        school_id=school_id,
        id=enrolment_id,
        day=ends_on,
    )
    audit.record(
        "student.leave",
        f"enrolment:{enrolment_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=reason.strip(),
    )


def _open_stay(school_id: int, enrolment_id: int) -> Any:
    stay = row(
        "select id, student_id, starts_on, ends_on from enrolments"
        f" where school_id = :school_id and id = :id{for_update()}",
        types={"starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
        id=enrolment_id,
    )
    if stay is None:
        raise EnrolmentNotFound
    if stay.ends_on is not None:
        raise EnrolmentEnded
    return stay


# Families


def issue_activation_code(
    guardian_id: int,
    *,
    now: datetime,
    rng: random.Random | None = None,
    actor: audit.Actor = audit.MACHINE,
    school_id: int | None = None,
) -> str:
    """A one-use code of 59 random bits for the paper notice, good for 30 days.

    Only its hash is kept; earlier unused codes of the guardian stop working. The caller commits.
    """
    if not scalar("select count(*) from guardians where id = :id", id=guardian_id):
        raise GuardianNotFound
    execute(
        "update activation_codes set expires_at = :now where guardian_id = :id"
        " and used_at is null and expires_at > :now",
        id=guardian_id,
        now=now,
    )
    drawn = (rng or secrets.SystemRandom()).choices(ALPHABET, k=ACTIVATION_CODE_LENGTH)
    code = "".join(drawn)
    made = _insert(
        ActivationCode,
        [
            {
                "guardian_id": guardian_id,
                "code_hash": activation_hash(code),
                "expires_at": now + ACTIVATION_CODE_LIFE,
            }
        ],
    )[0]
    audit.record(
        "guardian.issue_code",
        f"activation_code:{made}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"guardian:{guardian_id}",
    )
    return code


def activation_hash(written: str) -> str:
    """The stored form of an activation code, however a person wrote it."""
    squeezed = re.sub(r"[^0-9A-Z]", "", fold_slips(written))
    return hashlib.sha256(squeezed.encode()).hexdigest()


def reveal_identifier(
    school_id: int, student_id: int, identifier_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """Write down that somebody looked at a child's whole number.

    Refuses a number of another child. The caller commits.
    """
    if not scalar(
        "select count(*) from student_identifiers where id = :id and student_id = :student",
        id=identifier_id,
        student=student_id,
    ):
        raise StudentNotFound
    audit.record(
        "student.reveal_identifier",
        f"student_identifier:{identifier_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"student:{student_id}",
    )
