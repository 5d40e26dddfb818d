"""Opening the classes of a year, and moving children between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.db import DAY, execute, row, rows, scalar
from app.core.text import nfc
from app.people.schools import Level
from app.people.students.errors import (
    BadClass,
    BadDate,
    ClassExists,
    ClassNotFound,
    YearNotFound,
)
from app.people.students.models import Placement, SchoolClass
from app.people.students.services.rows import insert_many
from app.people.students.services.stays import open_stay

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
    ids = insert_many(SchoolClass, values)
    audit.record_many(
        [audit.Deed("class.open", f"class:{class_id}") for class_id in ids],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return ids


def classes_of(school_id: int) -> dict[int, Any]:
    found = rows(
        "select c.id, c.name, y.starts_on, y.ends_on from classes c"
        " join school_years y on y.id = c.school_year_id where c.school_id = :school_id",
        types={"starts_on": DAY, "ends_on": DAY},
        school_id=school_id,
    )
    return {school_class.id: school_class for school_class in found}


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
    stay = open_stay(school_id, enrolment_id)
    if class_id not in classes_of(school_id):
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
    placement_id = insert_many(
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
