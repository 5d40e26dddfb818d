"""What the area knows, read once for a whole list: the school's children, and who is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from app.core.db import DAY, in_chunks, rows
from app.core.text import fold, name_sort_key
from app.people.lists.cells import class_key
from app.people.schools import Level
from app.people.students import IdentityField, Scheme, Sex
from app.people.students.services import GRADES


@dataclass(frozen=True, slots=True)
class KnownGuardian:
    """A guardian of a child as recorded."""

    id: int
    name: str
    search_key: str
    phone: str | None
    address: str | None
    relation: str


@dataclass(slots=True)
class KnownChild:
    """A child with a stay at the school, the newest one."""

    student_id: int
    code: str
    name: str
    #: equal for names that differ at most in where a tone is written
    key: str
    search_key: str
    birth_date: date
    sex: Sex
    enrolment_id: int
    starts_on: date
    is_here: bool
    ends_on: date | None = None
    class_id: int | None = None
    class_name: str = ""
    #: the first day of the last change of class, in whatever year
    placed_on: date | None = None
    numbers: dict[Scheme, str] = field(default_factory=dict)
    guardians: list[KnownGuardian] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KnownClass:
    """A class of the year; without an id it still has to be opened."""

    id: int | None
    name: str
    grade: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A child of the area without a stay at this school."""

    student_id: int
    code: str
    name: str
    key: str
    search_key: str
    birth_date: date
    sex: Sex
    pin: str | None
    #: the school with an open stay, or empty
    school: str


@dataclass(slots=True)
class Register:
    """The children of a school and its classes of one year."""

    school_id: int
    level: Level
    children: dict[int, KnownChild]
    by_code: dict[str, int]
    by_number: dict[tuple[Scheme, str], int]
    by_birth: dict[date, list[KnownChild]]
    classes: dict[str, KnownClass]
    hand_made: set[tuple[int, IdentityField]]
    #: own and official codes a list may call the school by
    codes: set[str]

    def teaches(self, grade: int) -> bool:
        """Whether the school has such a grade."""
        return grade in GRADES[self.level]


def name_key(name: str) -> str:
    """Equal for `Hoà` and `Hòa`, different for `An` and `Ân`."""
    return _name_key(name)


@cache
def _syllables(name: str) -> str:
    return name_sort_key(name)


def _name_key(name: str) -> str:
    # Families and middle names repeat; keys of single words are kept, whole names are not.
    return " ".join(_syllables(word) for word in name.split())


def read_register(school_id: int, year_id: int, today: date) -> Register:
    """Load a school's children, families and classes."""
    school = rows(
        "select s.code, s.level, d.official_code from schools s"
        " left join school_details d on d.school_id = s.id where s.id = :school_id",
        school_id=school_id,
    )
    children = _children(school_id, today)
    _classes_of_children(school_id, year_id, children, today)
    by_number = _numbers(school_id, children)
    _guardians(school_id, children)
    by_birth: dict[date, list[KnownChild]] = {}
    for child in children.values():
        by_birth.setdefault(child.birth_date, []).append(child)
    classes = {
        class_key(found.name): KnownClass(found.id, found.name, found.grade)
        for found in rows(
            "select id, name, grade from classes where school_id = :school_id"
            " and school_year_id = :year",
            school_id=school_id,
            year=year_id,
        )
    }
    return Register(
        school_id=school_id,
        level=Level(school[0].level),
        children=children,
        by_code={child.code: child.student_id for child in children.values()},
        by_number=by_number,
        by_birth=by_birth,
        classes=classes,
        hand_made=_hand_made(school_id),
        codes={school[0].code} | {s.official_code.upper() for s in school if s.official_code},
    )


def _children(school_id: int, today: date) -> dict[int, KnownChild]:
    found = {}
    for child in rows(
        "select s.id, s.code, s.full_name, s.search_key, s.birth_date, s.sex, e.id as enrolment_id,"
        " e.starts_on, e.ends_on from enrolments e join students s on s.id = e.student_id"
        " where e.school_id = :school_id and s.anonymised_at is null order by e.id",
        types={"birth_date": DAY, "starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
    ):
        found[child.id] = KnownChild(
            student_id=child.id,
            code=child.code,
            name=child.full_name,
            key=_name_key(child.full_name),
            search_key=child.search_key,
            birth_date=child.birth_date,
            sex=Sex(child.sex),
            enrolment_id=child.enrolment_id,
            starts_on=child.starts_on,
            is_here=child.ends_on is None or child.ends_on > today,
            ends_on=child.ends_on,
        )
    return found


def _classes_of_children(
    school_id: int, year_id: int, children: dict[int, KnownChild], today: date
) -> None:
    for place in rows(
        "select e.student_id, e.id as enrolment_id, c.id, c.name, c.school_year_id, p.starts_on"
        " from placements p join enrolments e on e.school_id = p.school_id"
        " and e.id = p.enrolment_id"
        " join classes c on c.school_id = p.school_id and c.id = p.class_id"
        " where p.school_id = :school_id and (p.ends_on is null or p.ends_on > :today)"
        " order by p.starts_on, p.id",
        types={"starts_on": DAY},
        school_id=school_id,
        today=today,
    ):
        child = children.get(place.student_id)
        if child is None or child.enrolment_id != place.enrolment_id:
            continue
        child.placed_on = place.starts_on
        if place.school_year_id == year_id:
            child.class_id, child.class_name = place.id, place.name


#: children who ever had a stay at the school
_OURS = "(select student_id from enrolments where school_id = :school_id)"


def _numbers(school_id: int, children: dict[int, KnownChild]) -> dict[tuple[Scheme, str], int]:
    by_number: dict[tuple[Scheme, str], int] = {}
    for number in rows(
        "select student_id, scheme, value from student_identifiers where valid_to is null"
        f" and student_id in {_OURS} order by id",
        school_id=school_id,
    ):
        child = children.get(number.student_id)
        if child is not None:
            scheme = Scheme(number.scheme)
            child.numbers[scheme] = number.value
            by_number[scheme, number.value] = child.student_id
    return by_number


def _guardians(school_id: int, children: dict[int, KnownChild]) -> None:
    for tie in rows(
        "select t.student_id, t.relation, g.id, g.full_name, g.search_key, g.phone, g.address"
        " from guardianships t join guardians g on g.id = t.guardian_id where t.ends_on is null"
        f" and t.student_id in {_OURS} order by t.is_primary desc, t.id",
        school_id=school_id,
    ):
        child = children.get(tie.student_id)
        if child is not None:
            child.guardians.append(
                KnownGuardian(
                    tie.id, tie.full_name, tie.search_key, tie.phone, tie.address, tie.relation
                )
            )


def _hand_made(school_id: int) -> set[tuple[int, IdentityField]]:
    return {
        (change.student_id, IdentityField(change.field))
        for change in rows(
            "select c.student_id, c.field from identity_changes c where c.origin = 'hand'"
            f" and c.student_id in {_OURS} and c.id = (select max(x.id) from identity_changes x"
            " where x.student_id = c.student_id and x.field = c.field)",
            school_id=school_id,
        )
    }


# The area


@dataclass(slots=True)
class Area:
    """Children elsewhere who may be the same as rows of a list."""

    children: dict[int, Elsewhere] = field(default_factory=dict)
    by_code: dict[str, int] = field(default_factory=dict)
    by_number: dict[tuple[Scheme, str], int] = field(default_factory=dict)
    by_name: dict[tuple[str, date], list[int]] = field(default_factory=dict)


def read_area(
    school_id: int,
    *,
    codes: Iterable[str],
    numbers: Iterable[tuple[Scheme, str]],
    names: Iterable[tuple[str, date]],
    today: date,
) -> Area:
    """Who in the whole area has one of these codes or numbers, or one of these names and births."""
    area = Area()
    wanted: set[int] = set()
    for chunk in in_chunks(sorted(set(codes))):
        for found in rows(
            "select code, coalesce(merged_into_id, id) as id from students where code in :codes",
            codes=chunk,
        ):
            area.by_code[found.code] = found.id
            wanted.add(found.id)
    by_value: dict[str, set[Scheme]] = {}
    for scheme, value in numbers:
        by_value.setdefault(value, set()).add(scheme)
    for chunk in in_chunks(sorted(by_value)):
        for found in rows(
            "select scheme, value, student_id from student_identifiers"
            " where valid_to is null and value in :numbers",
            numbers=chunk,
        ):
            if Scheme(found.scheme) in by_value[found.value]:
                area.by_number[Scheme(found.scheme), found.value] = found.student_id
                wanted.add(found.student_id)
    births: dict[str, set[date]] = {}
    for key, birth_date in names:
        births.setdefault(key, set()).add(birth_date)
    for chunk in in_chunks(sorted(births)):
        for found in rows(
            "select id, search_key, birth_date from students where search_key in :keys"
            " and merged_into_id is null and anonymised_at is null",
            types={"birth_date": DAY},
            keys=chunk,
        ):
            if found.birth_date in births[found.search_key]:
                area.by_name.setdefault((found.search_key, found.birth_date), []).append(found.id)
                wanted.add(found.id)
    area.children = _elsewhere(school_id, wanted, today)
    return area


def _elsewhere(school_id: int, ids: set[int], today: date) -> dict[int, Elsewhere]:
    found: dict[int, Elsewhere] = {}
    for chunk in in_chunks(sorted(ids)):
        schools = {
            stay.student_id: stay.code
            for stay in rows(
                "select e.student_id, k.code from enrolments e join schools k on k.id = e.school_id"
                " where e.student_id in :ids and (e.ends_on is null or e.ends_on > :today)"
                " and e.school_id <> :here order by e.id",
                ids=chunk,
                today=today,
                here=school_id,
            )
        }
        pins = {
            number.student_id: number.value
            for number in rows(
                "select student_id, value from student_identifiers where scheme = 'pin'"
                " and valid_to is null and student_id in :ids",
                ids=chunk,
            )
        }
        for child in rows(
            "select id, code, full_name, search_key, birth_date, sex from students"
            " where id in :ids",
            types={"birth_date": DAY},
            ids=chunk,
        ):
            found[child.id] = _other(child, pins.get(child.id), schools.get(child.id, ""))
    return found


def _other(child: Any, pin: str | None, school: str) -> Elsewhere:
    return Elsewhere(
        student_id=child.id,
        code=child.code,
        name=child.full_name,
        key=_name_key(child.full_name),
        search_key=child.search_key,
        birth_date=child.birth_date,
        sex=Sex(child.sex),
        pin=pin,
        school=school,
    )


def folded(name: str) -> str:
    """The search key of a name as the register stores it."""
    return fold(name)
