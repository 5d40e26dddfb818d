"""Saying where finishing children go, and taking them in: each keeps its code for life."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from app import audit
from app.core.db import dialect, execute, row, rows
from app.core.ids import read_student_code
from app.journeys.year_end.errors import (
    AssignedElsewhere,
    BadAssignment,
    NotFinishing,
    NotOnTheList,
)
from app.journeys.year_end.handover_queries import (
    Going,
    arriving_at,
    find_finishing,
    finishing_in,
)
from app.journeys.year_end.plan import NEXT_LEVEL
from app.journeys.year_end.queries import Pair
from app.people.schools import Level, SchoolInfo
from app.people.students.turning import Arrival, admit_many

#: How many lines of an assignment list are told of when they cannot be read.
TOLD = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a pasted list: a child's code, and what is said of it."""

    number: int
    first: str
    last: str


def read_lines(text: str) -> list[Line]:
    """The lines of a pasted list: two columns, parted by a tab, a semicolon, a comma or blanks.

    A head line and empty lines are passed over.
    """
    found = []
    for number, written in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in re.split(r"[\t;,]+|\s+", written.strip()) if cell.strip()]
        if not cells:
            continue
        if number == 1 and not any(sign.isdigit() for sign in cells[0]):
            continue
        found.append(Line(number, cells[0], cells[-1].upper() if len(cells) > 1 else ""))
    return found


def assign_from(
    from_school_id: int,
    to: SchoolInfo,
    *,
    readable: Collection[int],
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Send the children of a school whom nobody has sent yet to one school; how many.

    Refuses schools outside the reader's area and a level that does not follow. The caller commits.
    """
    going = [
        child
        for child in finishing_in([from_school_id] if from_school_id in readable else [], pair)
        if child.to_school_id is None
    ]
    _check_level(from_school_id, to, readable)
    _assign(going, to, "area", pair=pair, actor=actor, now=now)
    return len(going)


def assign_list(
    lines: Sequence[Line],
    schools: Mapping[str, SchoolInfo],
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Take an assignment list, all or none; how many children got another school by it.

    `schools` are those of the area by code. Refuses the list when one line names no finishing
    child, no school of the next level, or a child that is admitted already; the message tells which
    lines. The caller commits.
    """
    if not lines:
        raise BadAssignment(
            _("The list is empty. Paste two columns: pupil code and code of the school.")
        )
    going = {child.code: child for child in finishing_in([s.id for s in schools.values()], pair)}
    levels = {school.id: Level(school.level) for school in schools.values()}
    wrong: list[str] = []
    targets: dict[str, list[Going]] = {}
    seen: dict[str, str] = {}
    for line in lines:
        child = going.get(read_student_code(line.first) or "")
        to = schools.get(line.last)
        if child is None:
            wrong.append(
                _("line %(n)s: no finishing pupil %(code)s", n=line.number, code=line.first)
            )
        elif to is None or NEXT_LEVEL.get(levels[child.from_school_id]) != to.level:
            wrong.append(_("line %(n)s: no next school %(code)s", n=line.number, code=line.last))
        elif child.admitted and child.to_school_id != to.id:
            wrong.append(
                _("line %(n)s: %(code)s is admitted already", n=line.number, code=line.first)
            )
        elif seen.setdefault(child.code, to.code) != to.code:
            wrong.append(_("line %(n)s: %(code)s stands twice", n=line.number, code=line.first))
        elif child.to_school_id != to.id:
            targets.setdefault(to.code, []).append(child)
    if wrong:
        told = "; ".join(wrong[:TOLD]) + ("; …" if len(wrong) > TOLD else "")
        raise BadAssignment(_("Nothing was taken. %(lines)s.", lines=told))
    for code, children in targets.items():
        unique = list({child.enrolment_id: child for child in children}.values())
        _assign(unique, schools[code], "list", pair=pair, actor=actor, now=now)
    return sum(len({c.enrolment_id for c in children}) for children in targets.values())


def _check_level(from_school_id: int, to: SchoolInfo, readable: Collection[int]) -> None:
    giving = row("select level from schools where id = :id", id=from_school_id)
    if giving is None or from_school_id not in readable or to.id not in readable:
        raise BadAssignment(_("Choose two schools of your area."))
    if NEXT_LEVEL.get(Level(giving.level)) != to.level:
        raise BadAssignment(_("Pupils go on from nursery to primary, and from primary to THCS."))


def _assign(
    going: Sequence[Going],
    to: SchoolInfo,
    way: str,
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> None:
    for child in going:
        execute(
            "insert into handovers (school_year_id, from_school_id, from_enrolment_id,"
            " to_school_id, way, assigned_by, assigned_at)"
            " values (:year, :from_school, :enrolment, :to, :way, :actor,"
            f" {_moment('now')})"
            " on conflict (from_school_id, from_enrolment_id, school_year_id) do update set"
            " to_school_id = excluded.to_school_id, way = excluded.way,"
            " assigned_by = excluded.assigned_by, assigned_at = excluded.assigned_at",
            year=pair.old.id,
            from_school=child.from_school_id,
            enrolment=child.enrolment_id,
            to=to.id,
            way=way,
            actor=actor.name,
            now=now,
        )
    by_school: dict[int, int] = {}
    for child in going:
        by_school[child.from_school_id] = by_school.get(child.from_school_id, 0) + 1
    for school_id, count in by_school.items():
        audit.record(
            "handover.assign",
            f"school:{to.id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=f"year:{pair.old.id} {way} pupils:{count}",
        )


def claim(
    school_id: int,
    level: Level,
    code: str,
    birth_date: date,
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> str:
    """Put a finishing child on the school's own list by exact code and birth date; its name.

    Refuses, without saying which was wrong, when the two do not fit one child; and a child that
    stands on another school's list. The caller commits.
    """
    child = find_finishing(read_student_code(code) or "", birth_date, level, pair)
    if child is None:
        raise NotFinishing
    if child.to_school_id == school_id:
        return str(child.full_name)
    if child.to_school_id is not None or child.admitted_at is not None:
        raise AssignedElsewhere(
            _("This pupil stands on the list of another school. The area officer can change that.")
        )
    execute(
        "update handovers set to_school_id = :school_id, way = 'claim', assigned_by = :actor,"
        f" assigned_at = {_moment('now')} where id = :id",
        school_id=school_id,
        id=child.id,
        actor=actor.name,
        now=now,
    )
    audit.record(
        "handover.claim",
        f"student:{child.student_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"year:{pair.old.id}",
    )
    return str(child.full_name)


def admit(
    school_id: int,
    stays: Collection[int],
    class_ids: Sequence[int],
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Begin the stays of children on the school's list, on the first day of the new year; how many.

    `stays` are those the children come from. With several classes they are dealt out evenly in the
    order of names; with none they wait to be placed. Refuses a child that is not on the list, not
    ready, or admitted. The caller commits.
    """
    listed = {
        child.enrolment_id: child
        for child in arriving_at(school_id, pair)
        if child.ready and not child.admitted
    }
    if not stays or set(stays) - set(listed):
        raise NotOnTheList
    chosen = [child for number, child in listed.items() if number in set(stays)]
    made = admit_many(
        school_id,
        _deal(school_id, chosen, class_ids),
        starts_on=pair.day,
        actor=actor,
        now=now,
        cause=f"handover:{pair.old.code}",
    )
    for child, enrolment_id in zip(chosen, made, strict=True):
        execute(
            "update handovers set admitted_enrolment_id = :enrolment, admitted_by = :actor,"
            f" admitted_at = {_moment('now')} where from_school_id = :from_school"
            " and from_enrolment_id = :stay and school_year_id = :year",
            from_school=child.from_school_id,
            stay=child.enrolment_id,
            year=pair.old.id,
            enrolment=enrolment_id,
            actor=actor.name,
            now=now,
        )
    return len(made)


def _deal(school_id: int, chosen: Sequence[Going], class_ids: Sequence[int]) -> list[Arrival]:
    """Each child with its class: always the one with fewest children so far."""
    if not class_ids:
        return [Arrival(child.student_id, None) for child in chosen]
    sizes: dict[int, int] = dict.fromkeys(class_ids, 0)
    for found in rows(
        "select class_id, count(*) as n from placements where school_id = :school_id"
        " and class_id in :ids and ends_on is null group by class_id",
        school_id=school_id,
        ids=list(class_ids),
    ):
        sizes[found.class_id] = int(found.n)
    dealt = []
    for child in chosen:
        class_id = min(sizes, key=lambda number: (sizes[number], class_ids.index(number)))
        sizes[class_id] += 1
        dealt.append(Arrival(child.student_id, class_id))
    return dealt


def _moment(name: str) -> str:
    return f":{name}" if dialect() == "sqlite" else f"cast(:{name} as timestamp with time zone)"
