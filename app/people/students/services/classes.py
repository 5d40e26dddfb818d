"""Opening the classes of a year, and moving children between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core import formats
from app.core.bulk import insert_rows
from app.core.db import DAY, execute, in_chunks, rows, scalar
from app.core.errors import DomainError
from app.core.text import nfc
from app.people.schools import Level, year_of
from app.people.students.errors import (
    BadClass,
    BadDate,
    ClassExists,
    ClassNotFound,
    EnrolmentEnded,
    EnrolmentNotFound,
    YearNotFound,
)
from app.people.students.models import Placement, SchoolClass
from app.people.students.services.stays import lock_stays

#: What each kind of school teaches; the nursery counts up to 0, the year before school.
GRADES = {
    Level.NURSERY: range(-3, 1),
    Level.PRIMARY: range(1, 6),
    Level.LOWER_SECONDARY: range(6, 10),
}


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
    ids = insert_rows(SchoolClass, values)
    audit.record_many(
        [audit.Deed("class.open", f"class:{class_id}") for class_id in ids],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return ids


def classes_of(school_id: int) -> dict[int, Any]:
    found = rows(
        "select c.id, c.name, c.school_year_id, y.starts_on, y.ends_on from classes c"
        " join school_years y on y.id = c.school_year_id where c.school_id = :school_id",
        types={"starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
    )
    return {school_class.id: school_class for school_class in found}


def place_many(
    school_id: int,
    places: Mapping[int, int],
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
) -> dict[int, int]:
    """Place children in classes from one day on, all or none; the new placement of each stay.

    `places` names the class of each stay. Refuses a class of another school or another school
    year than the day's, the class the child is in, and a day outside the stay or before the last
    change of class. Locks the stays. The caller commits.
    """
    if not places:
        return {}
    classes = classes_of(school_id)
    year = year_of(from_day)
    for class_id in set(places.values()):
        if class_id not in classes:
            raise ClassNotFound
        if year is None or classes[class_id].school_year_id != year.id:
            raise BadDate(
                _(
                    "Class %(name)s belongs to another school year than %(day)s.",
                    name=classes[class_id].name,
                    day=formats.day(from_day),
                )
            )
    stays = lock_stays(school_id, places)
    last = _last_placements(school_id, places)
    for enrolment_id, class_id in sorted(places.items()):
        try:
            _check_place(stays.get(enrolment_id), last.get(enrolment_id), class_id, from_day)
        except DomainError as refusal:
            if len(places) > 1 and enrolment_id in stays:
                refusal.message = f"{_name_of(stays[enrolment_id].student_id)}: {refusal.message}"
            raise
    _end_places(school_id, [old for old in last.values() if _goes_on(old, from_day)], from_day)
    ordered = sorted(places)
    made = insert_rows(
        Placement,
        [
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": places[enrolment_id],
                "starts_on": from_day,
                "ends_on": stays[enrolment_id].ends_on,
            }
            for enrolment_id in ordered
        ],
    )
    audit.record_many(
        [
            audit.Deed(
                "student.move_class",
                f"placement:{placement_id}",
                f"class:{last[enrolment_id].class_id}" if enrolment_id in last else "",
            )
            for enrolment_id, placement_id in zip(ordered, made, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return dict(zip(ordered, made, strict=True))


def move_class(
    school_id: int,
    enrolment_id: int,
    class_id: int,
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Place one child, by the rules of `place_many`; the new placement. The caller commits."""
    return place_many(school_id, {enrolment_id: class_id}, from_day=from_day, actor=actor, now=now)[
        enrolment_id
    ]


def _last_placements(school_id: int, enrolment_ids: Iterable[int]) -> dict[int, Any]:
    """The newest placement of each stay that has one."""
    return {
        place.enrolment_id: place
        for chunk in in_chunks(enrolment_ids)
        for place in rows(
            "select id, enrolment_id, class_id, starts_on, ends_on from placements"
            " where school_id = :school_id and enrolment_id in :ids order by starts_on, id",
            types={"starts_on": DAY, "ends_on": DAY},
            school_id=school_id,
            ids=chunk,
        )
    }


def _goes_on(place: Any, day: date) -> bool:
    return place.ends_on is None or bool(place.ends_on > day)


def _check_place(stay: Any, place: Any, class_id: int, from_day: date) -> None:
    if stay is None:
        raise EnrolmentNotFound
    if stay.ends_on is not None and from_day >= stay.ends_on:
        raise EnrolmentEnded
    if from_day < stay.starts_on:
        raise BadDate(
            _(
                "The pupil was not at the school yet on that day, but from %(day)s.",
                day=formats.day(stay.starts_on),
            )
        )
    if place is None:
        return
    if place.class_id == class_id and place.ends_on == stay.ends_on:
        raise BadClass(_("The pupil is in this class already."))
    if from_day < place.starts_on:
        raise BadDate(
            _(
                "The pupil changed class after that day already, on %(day)s.",
                day=formats.day(place.starts_on),
            )
        )


def _end_places(school_id: int, places: list[Any], day: date) -> None:
    # A class nobody spent a day in was a slip; the row goes, the audit trail keeps it.
    for chunk in in_chunks(place.id for place in places if place.starts_on == day):
        execute(
            "delete from placements where school_id = :school_id and id in :ids",
            school_id=school_id,
            ids=chunk,
        )
    for chunk in in_chunks(place.id for place in places if place.starts_on < day):
        execute(
            "update placements set ends_on = :day where school_id = :school_id and id in :ids",
            school_id=school_id,
            ids=chunk,
            day=day,
        )


def _name_of(student_id: int) -> str:
    return str(scalar("select full_name from students where id = :id", id=student_id))
