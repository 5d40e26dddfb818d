"""Many children placed in other classes at once; `move_class` is the same for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, delete, update

from app import audit
from app.core.bulk import insert_rows
from app.core.db import DAY, for_update, in_chunks, rows
from app.core.model import db
from app.people.students.errors import BadDate, ClassNotFound, EnrolmentEnded, EnrolmentNotFound
from app.people.students.models import Placement


@dataclass(slots=True)
class _Plan:
    """What moving comes to: placements to delete, to end, to make, and where each came from."""

    gone: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


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
    classes = _classes(school_id)
    if not set(wanted.values()) <= set(classes):
        raise ClassNotFound
    stays, last = _present(school_id, sorted(wanted))
    if len(stays) < len(wanted):
        raise EnrolmentNotFound
    plan = _Plan()
    for enrolment_id, class_id in wanted.items():
        if stays[enrolment_id].ends_on is not None:
            raise EnrolmentEnded
        _move(plan, stays[enrolment_id], last.get(enrolment_id), classes[class_id], from_day)
    _write(school_id, plan, actor, now)
    return len(plan.fresh)


def _classes(school_id: int) -> dict[int, Any]:
    return {
        found.id: found
        for found in rows(
            "select c.id, y.starts_on, y.ends_on from classes c"
            " join school_years y on y.id = c.school_year_id where c.school_id = :school_id",
            types={"starts_on": DAY, "ends_on": DAY},
            school_id=school_id,
        )
    }


def _present(school_id: int, enrolment_ids: list[int]) -> tuple[dict[int, Any], dict[int, Any]]:
    """The stays, locked, and the open placement of each."""
    stays: dict[int, Any] = {}
    last: dict[int, Any] = {}
    for chunk in in_chunks(enrolment_ids):
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
    return stays, last


def _move(plan: _Plan, stay: Any, before: Any, place: Any, from_day: date) -> None:
    if before is not None and before.class_id == place.id:
        return
    begins = max(from_day, stay.starts_on, place.starts_on)
    if before is not None:
        begins = max(begins, before.starts_on)
        if begins == before.starts_on:
            # Never spent a day there: the row was a slip, the audit trail keeps it.
            plan.gone.append({"row": before.id})
        else:
            plan.ended.append({"row": before.id, "day": begins})
    if begins > place.ends_on:
        raise BadDate(_("The school year of this class is over by then."))
    plan.fresh.append({"enrolment_id": stay.id, "class_id": place.id, "starts_on": begins})
    plan.before.append(f"class:{before.class_id}" if before is not None else "")


def _write(school_id: int, plan: _Plan, actor: audit.Actor, now: datetime) -> None:
    table: Any = Placement.__table__
    ours = (table.c.school_id == school_id) & (table.c.id == bindparam("row"))
    connection = db.session.connection()
    if plan.gone:
        connection.execute(delete(table).where(ours), plan.gone)
    if plan.ended:
        connection.execute(update(table).where(ours).values(ends_on=bindparam("day")), plan.ended)
    made = insert_rows(Placement, [{"school_id": school_id, **fresh} for fresh in plan.fresh])
    audit.record_many(
        [
            audit.Deed("student.move_class", f"placement:{placement_id}", before)
            for placement_id, before in zip(made, plan.before, strict=True)
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
