"""Many children placed in other classes at once; `move_class` is the same for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import bindparam, delete, insert, update

from app import audit
from app.core.db import DAY, for_update, in_chunks, rows
from app.core.model import db
from app.people.students.errors import BadDate, ClassNotFound, EnrolmentEnded, EnrolmentNotFound
from app.people.students.models import Placement


def place_many(
    school_id: int,
    moves: Sequence[tuple[int, int]],
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Place stays, given with their new class, from a day on; how many really moved.

    A placement that would begin before the stay, its class's school year or the last change of
    class begins with that. Who sits in the class already stays. Refuses a stay or class of another
    school and a stay that is over. Locks the stays. The caller commits.
    """
    wanted = dict(moves)
    classes = {
        found.id: found
        for found in rows(
            "select c.id, y.starts_on, y.ends_on from classes c"
            " join school_years y on y.id = c.school_year_id where c.school_id = :school_id",
            types={"starts_on": DAY, "ends_on": DAY},
            school_id=school_id,
        )
    }
    if not set(wanted.values()) <= set(classes):
        raise ClassNotFound
    stays, last = {}, {}
    for chunk in in_chunks(sorted(wanted)):
        for stay in rows(
            "select id, starts_on, ends_on from enrolments where school_id = :school_id"
            f" and id in :ids order by id{for_update()}",
            types={"starts_on": DAY, "ends_on": DAY},
            school_id=school_id,
            ids=chunk,
        ):
            stays[stay.id] = stay
        for place in rows(
            "select id, enrolment_id, class_id, starts_on from placements"
            " where school_id = :school_id and ends_on is null and enrolment_id in :ids",
            types={"starts_on": DAY},
            school_id=school_id,
            ids=chunk,
        ):
            last[place.enrolment_id] = place
    if len(stays) < len(wanted):
        raise EnrolmentNotFound
    ended, gone, fresh, deeds = [], [], [], []
    for enrolment_id, class_id in wanted.items():
        stay, before = stays[enrolment_id], last.get(enrolment_id)
        if stay.ends_on is not None:
            raise EnrolmentEnded
        if before is not None and before.class_id == class_id:
            continue
        begins = max(from_day, stay.starts_on, classes[class_id].starts_on)
        if before is not None:
            begins = max(begins, before.starts_on)
            if begins == before.starts_on:
                # Never spent a day there: the row was a slip, the audit trail keeps it.
                gone.append({"row": before.id})
            else:
                ended.append({"row": before.id, "day": begins})
        if begins > classes[class_id].ends_on:
            raise BadDate(_("The school year of this class is over by then."))
        fresh.append(
            {
                "school_id": school_id,
                "enrolment_id": enrolment_id,
                "class_id": class_id,
                "starts_on": begins,
            }
        )
        deeds.append(f"class:{before.class_id}" if before is not None else "")
    if not fresh:
        return 0
    table = Placement.__table__
    ours = (table.c.school_id == school_id) & (table.c.id == bindparam("row"))
    connection = db.session.connection()
    if gone:
        connection.execute(delete(table).where(ours), gone)  # type: ignore[arg-type]
    if ended:
        connection.execute(
            update(table).where(ours).values(ends_on=bindparam("day")),  # type: ignore[arg-type]
            ended,
        )
    made = db.session.scalars(
        insert(Placement).returning(Placement.id, sort_by_parameter_order=True), fresh
    )
    audit.record_many(
        [
            audit.Deed("student.move_class", f"placement:{placement_id}", before)
            for placement_id, before in zip(made, deeds, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return len(fresh)
