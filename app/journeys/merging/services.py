"""Joining two records of one child, taking it back, and saying that a pair is two children."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core import clock, scope
from app.core.db import DAY, enter_scope, execute, in_chunks, row, rows, share_school
from app.core.model import db
from app.core.money import Vnd
from app.journeys.merging.errors import (
    AlreadyUndone,
    BilledSince,
    JoinedAgain,
    MergeNotFound,
    NotYours,
    RecordClosed,
    SameRecord,
)
from app.journeys.merging.models import Merge, MergePart, MergeUndo, TwoChildren
from app.money import ledger
from app.money.ledger import chart
from app.people import students
from app.people.students import Correction, IdentityField, NewIdentifier, Origin, Scheme, Sex
from app.people.students.identity import lock_identities
from app.people.students.models import Guardianship

#: The end of a stay that was recorded under the wrong record and meets the child's own.
END_REASON = "gộp hồ sơ"
#: What may be taken over from the record that goes.
CHOICES = (IdentityField.FULL_NAME, IdentityField.BIRTH_DATE, IdentityField.SEX)


def merge(
    survivor_id: int,
    merged_id: int,
    *,
    take_over: Collection[IdentityField],
    reason: str,
    allowed: frozenset[int] | None,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Join `merged_id` into `survivor_id`; the id of the merge.

    `take_over` names the fields of identity the old record has right; `allowed` are the schools the
    actor answers for (None: all). Stays go over, save where both were at one school on the same
    days: there the stay of the old record ends. Numbers the child lacks and guardians go over. What
    is open and what is credit goes over by two entries a sum, school by school, so that no school's
    total changes; bills, requests and receipts keep the old record and lead to the child. Refuses
    records that are closed, and schools that are not the actor's. The caller commits.
    """
    if survivor_id == merged_id:
        raise SameRecord
    lock_identities()
    old, kept = _open_record(merged_id), _open_record(survivor_id)
    schools = _schools_of((survivor_id, merged_id))
    if allowed is not None and not schools <= allowed:
        raise NotYours
    today = clock.local_day(now)
    merge_id = _add(
        Merge,
        [
            {
                "survivor_id": survivor_id,
                "merged_id": merged_id,
                "reason": reason,
                "actor": actor.name,
                "at": now,
            }
        ],
    )[0]
    parts: list[dict[str, Any]] = []
    _move_stays(merge_id, survivor_id, merged_id, today, parts)
    _move_family(merge_id, survivor_id, merged_id, today, parts)
    _move_numbers(merge_id, survivor_id, merged_id, today, reason, actor, now, parts)
    _take_over(merge_id, kept, old, take_over, reason, actor, now, parts)
    for led in rows("select id from students where merged_into_id = :old", old=merged_id):
        parts.append(_part(merge_id, "record_led_on", led.id))
    execute(
        "update students set merged_into_id = :survivor where id = :old or merged_into_id = :old",
        survivor=survivor_id,
        old=merged_id,
    )
    _add(MergePart, parts)
    _move_money(merge_id, "pupils_joined", merged_id, survivor_id, schools, None, now)
    _tell(schools, "student.merge", merge_id, survivor_id, merged_id, reason, actor, now)
    return merge_id


def undo(
    merge_id: int,
    *,
    reason: str,
    allowed: frozenset[int] | None,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Part two records again: what the merge moved goes back, what happened since stays.

    Open lines of the old record's bills go back to it as far as they are still open, its credit as
    far as the child still has it. Stays ended by the merge run again, as the reverse of the deed
    that ended them and in no other way. Refuses a merge that was taken back, one that a later merge
    stands on, stays billed since, and other people's schools. The caller commits.
    """
    lock_identities()
    found = row("select survivor_id, merged_id from merges where id = :id", id=merge_id)
    if found is None:
        raise MergeNotFound
    survivor_id, merged_id = int(found.survivor_id), int(found.merged_id)
    if rows("select id from merge_undos where merge_id = :id", id=merge_id):
        raise AlreadyUndone
    schools = _schools_of((survivor_id, merged_id))
    if allowed is not None and not schools <= allowed:
        raise NotYours
    state = row("select merged_into_id, anonymised_at from students where id = :id", id=survivor_id)
    if state is not None and state.anonymised_at is not None:
        raise RecordClosed
    later = rows(
        "select m.id from merges m where m.id > :id and m.survivor_id = :survivor"
        " and not exists (select 1 from merge_undos u where u.merge_id = m.id)",
        id=merge_id,
        survivor=survivor_id,
    )
    if state is None or state.merged_into_id is not None or later:
        raise JoinedAgain
    if rows(
        "select v.id from merge_parts p join invoices v on v.enrolment_id = p.row_id"
        " and v.student_id = :survivor where p.merge_id = :id and p.kind = 'stay_moved' limit 1",
        id=merge_id,
        survivor=survivor_id,
    ):
        raise BilledSince
    _add(MergeUndo, [{"merge_id": merge_id, "reason": reason, "actor": actor.name, "at": now}])
    moved = {school_id: _sums_moved(school_id, merge_id, survivor_id) for school_id in schools}
    parts = rows(
        "select kind, row_id, before from merge_parts where merge_id = :id order by id desc",
        id=merge_id,
    )
    today = clock.local_day(now)
    for part in parts:
        _put_back(part, survivor_id, merged_id, today, reason, actor, now)
    execute("update students set merged_into_id = null where id = :id", id=merged_id)
    led = [part.row_id for part in parts if part.kind == "record_led_on"]
    if led:
        execute(
            "update students set merged_into_id = :old where id in :ids", old=merged_id, ids=led
        )
    students.settle_verification([survivor_id, merged_id])
    _move_money(merge_id, "pupils_parted", survivor_id, merged_id, schools, moved, now)
    _tell(schools, "student.unmerge", merge_id, survivor_id, merged_id, reason, actor, now)


def say_two_children(
    first_id: int, second_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> None:
    """Keep that a proposed pair is two children, so that it is not proposed again.

    Saying it twice changes nothing. The caller commits.
    """
    first, second = sorted((first_id, second_id))
    if first == second:
        raise SameRecord
    if rows(
        "select id from two_children where first_id = :first and second_id = :second",
        first=first,
        second=second,
    ):
        return
    _add(
        TwoChildren,
        [
            {
                "first_id": first,
                "second_id": second,
                "reason": reason,
                "actor": actor.name,
                "at": now,
            }
        ],
    )
    audit.record(
        "student.two_children",
        f"student:{first}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"student:{second}",
    )


def forget_children(student_ids: Collection[int]) -> None:
    """Blank what merges of children made anonymous kept of them. The caller commits."""
    for chunk in in_chunks(student_ids):
        execute(
            "update merge_parts set before = null where before is not null and kind in"
            " ('full_name', 'birth_date', 'sex') and merge_id in (select m.id from merges m"
            "  where m.survivor_id in :ids or m.merged_id in :ids)",
            ids=chunk,
        )
        execute(
            "update merge_undos set reason = '' where merge_id in (select m.id from merges m"
            " where m.survivor_id in :ids or m.merged_id in :ids)",
            ids=chunk,
        )
        execute(
            "update merges set reason = '' where survivor_id in :ids or merged_id in :ids",
            ids=chunk,
        )
        execute(
            "update two_children set reason = '' where first_id in :ids or second_id in :ids",
            ids=chunk,
        )


# Parts of a merge


def _add(model: type, values: list[dict[str, Any]]) -> list[int]:
    if not values:
        return []
    key = model.__table__.c.id  # type: ignore[attr-defined]
    statement = insert(model).returning(key, sort_by_parameter_order=True)
    return [int(made) for made in db.session.scalars(statement, values)]


def _part(merge_id: int, kind: str, row_id: int, before: str | None = None) -> dict[str, Any]:
    return {"merge_id": merge_id, "kind": kind, "row_id": row_id, "before": before}


def _open_record(student_id: int) -> Any:
    found = row(
        "select id, code, full_name, birth_date, sex, merged_into_id, anonymised_at from students"
        " where id = :id",
        types={"birth_date": DAY},
        id=student_id,
    )
    if found is None or found.merged_into_id is not None or found.anonymised_at is not None:
        raise RecordClosed
    return found


def _schools_of(student_ids: Iterable[int]) -> frozenset[int]:
    """Schools where one of these was ever enrolled, billed or given credit."""
    ids = list(students.rows_of(list(student_ids)))
    return frozenset(
        int(found.school_id)
        for found in rows(
            "select school_id from enrolments where student_id in :ids union"
            " select school_id from entries where student_id in :ids union"
            " select school_id from payment_requests where student_id in :ids",
            ids=ids,
        )
    )


def _move_stays(
    merge_id: int, survivor_id: int, merged_id: int, today: date, parts: list[dict[str, Any]]
) -> None:
    types = {"starts_on": DAY, "ends_on": DAY}
    stays = rows(
        "select id, school_id, student_id, starts_on, ends_on from enrolments"
        " where student_id in :ids order by starts_on, id",
        types=types,
        ids=[survivor_id, merged_id],
    )
    own = [stay for stay in stays if stay.student_id == survivor_id]
    for stay in (stay for stay in stays if stay.student_id == merged_id):
        meets = any(
            mine.school_id == stay.school_id
            and (mine.ends_on is None or mine.ends_on > stay.starts_on)
            and (stay.ends_on is None or stay.ends_on > mine.starts_on)
            for mine in own
        )
        if not meets:
            execute(
                "update enrolments set student_id = :survivor where school_id = :of and id = :id",
                survivor=survivor_id,
                of=stay.school_id,
                id=stay.id,
            )
            parts.append(_part(merge_id, "stay_moved", stay.id))
        elif stay.ends_on is None or stay.ends_on > today:
            last = max(today, date.fromordinal(stay.starts_on.toordinal() + 1))
            if stay.ends_on is not None and stay.ends_on <= last:
                continue
            before = stay.ends_on.isoformat() if stay.ends_on else None
            parts.append(_part(merge_id, "stay_ended", stay.id, before))
            execute(
                "update enrolments set ends_on = :day, end_reason = :why"
                " where school_id = :of and id = :id",
                day=last,
                why=END_REASON,
                of=stay.school_id,
                id=stay.id,
            )
            for place in rows(
                "select id, ends_on from placements where school_id = :of and enrolment_id = :id"
                " and (ends_on is null or ends_on > :day)",
                types={"ends_on": DAY},
                of=stay.school_id,
                id=stay.id,
                day=last,
            ):
                before = place.ends_on.isoformat() if place.ends_on else None
                parts.append(_part(merge_id, "placement_ended", place.id, before))
            execute(
                "update placements set ends_on = :day where school_id = :of and enrolment_id = :id"
                " and (ends_on is null or ends_on > :day)",
                of=stay.school_id,
                id=stay.id,
                day=last,
            )


def _move_family(
    merge_id: int, survivor_id: int, merged_id: int, today: date, parts: list[dict[str, Any]]
) -> None:
    ties = rows(
        "select id, student_id, guardian_id, relation, is_primary from guardianships"
        " where ends_on is null and student_id in :ids order by id",
        ids=[survivor_id, merged_id],
    )
    has = {tie.guardian_id for tie in ties if tie.student_id == survivor_id}
    fresh = []
    for tie in (tie for tie in ties if tie.student_id == merged_id):
        parts.append(_part(merge_id, "tie_ended", tie.id))
        if tie.guardian_id not in has:
            has.add(tie.guardian_id)
            fresh.append(
                {
                    "student_id": survivor_id,
                    "guardian_id": tie.guardian_id,
                    "relation": tie.relation,
                    "is_primary": bool(tie.is_primary) and not has - {tie.guardian_id},
                    "starts_on": today,
                }
            )
    execute(
        "update guardianships set ends_on = :day where student_id = :old and ends_on is null",
        day=today,
        old=merged_id,
    )
    parts += [_part(merge_id, "tie_made", made) for made in _add(Guardianship, fresh)]


def _move_numbers(
    merge_id: int,
    survivor_id: int,
    merged_id: int,
    today: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
    parts: list[dict[str, Any]],
) -> None:
    numbers = rows(
        "select id, student_id, scheme, value, source from student_identifiers"
        " where valid_to is null and student_id in :ids order by id",
        ids=[survivor_id, merged_id],
    )
    has = {number.scheme for number in numbers if number.student_id == survivor_id}
    for number in (number for number in numbers if number.student_id == merged_id):
        scheme = Scheme(number.scheme)
        students.end_identifier(
            merged_id,
            scheme,
            on=today,
            reason=reason,
            actor=actor,
            now=now,
            school_id=None,
            origin=Origin.MERGE,
        )
        parts.append(_part(merge_id, "number_ended", number.id))
        if scheme in has:
            continue
        students.record_identifiers(
            [NewIdentifier(survivor_id, scheme, number.value, number.source, today)],
            origin=Origin.MERGE,
            reason=reason,
            actor=actor,
            now=now,
            school_id=None,
        )
        parts.append(_part(merge_id, "number_given", number.id, scheme.value))


def _take_over(
    merge_id: int,
    kept: Any,
    old: Any,
    fields: Collection[IdentityField],
    reason: str,
    actor: audit.Actor,
    now: datetime,
    parts: list[dict[str, Any]],
) -> None:
    corrections = []
    for field in CHOICES:
        before, after = getattr(kept, field.value), getattr(old, field.value)
        if field in fields and before != after:
            corrections.append(Correction(kept.id, field, after))
            text = before.isoformat() if isinstance(before, date) else str(before)
            parts.append(_part(merge_id, field.value, kept.id, text))
    if corrections:
        students.correct_many(
            corrections,
            origin=Origin.MERGE,
            reason=reason,
            actor=actor,
            now=now,
            school_id=None,
        )


def _put_back(
    part: Any,
    survivor_id: int,
    merged_id: int,
    today: date,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    before = date.fromisoformat(part.before) if _is_day(part) else None
    if part.kind == "stay_moved":
        execute(
            "update enrolments set student_id = :old where id = :id", old=merged_id, id=part.row_id
        )
    elif part.kind == "stay_ended":
        _set_end("enrolments", part.row_id, before, ", end_reason = null")
    elif part.kind == "placement_ended":
        _set_end("placements", part.row_id, before)
    elif part.kind == "tie_ended":
        _set_end("guardianships", part.row_id, None)
    elif part.kind == "tie_made":
        _set_end("guardianships", part.row_id, today)
    elif part.kind == "number_given":
        students.end_identifier(
            survivor_id,
            Scheme(part.before),
            on=today,
            reason=reason,
            actor=actor,
            now=now,
            school_id=None,
            origin=Origin.MERGE,
        )
    elif part.kind == "number_ended":
        number = row(
            "select scheme, value, source from student_identifiers where id = :id", id=part.row_id
        )
        if number is not None:
            students.record_identifiers(
                [
                    NewIdentifier(
                        merged_id, Scheme(number.scheme), number.value, number.source, today
                    )
                ],
                origin=Origin.MERGE,
                reason=reason,
                actor=actor,
                now=now,
                school_id=None,
            )
    elif part.kind in {field.value for field in CHOICES}:
        field = IdentityField(part.kind)
        value: Any = before or part.before
        students.correct_many(
            [Correction(survivor_id, field, Sex(value) if field is IdentityField.SEX else value)],
            origin=Origin.MERGE,
            reason=reason,
            actor=actor,
            now=now,
            school_id=None,
        )


def _is_day(part: Any) -> bool:
    return part.before is not None and (
        part.kind in ("stay_ended", "placement_ended") or part.kind == IdentityField.BIRTH_DATE
    )


def _set_end(table: str, row_id: int, day: date | None, also: str = "") -> None:
    if day is None:
        execute(f"update {table} set ends_on = null{also} where id = :id", id=row_id)
    else:
        execute(f"update {table} set ends_on = :day where id = :id", day=day, id=row_id)


# Money


#: What a child holds at a school: open lines, and credit as a sum without a line.
_HELD = """
select a.code, e.invoice_line_id as line_id,
  sum(case when e.debit_id = a.id then e.amount else -e.amount end) as amount
from accounts a join entries e on e.school_id = a.school_id and a.id in (e.debit_id, e.credit_id)
where a.school_id = :school_id and a.code in ('receivable', 'credit') and e.student_id = :student
group by a.code, e.invoice_line_id
"""


def _held(school_id: int, student_id: int) -> tuple[dict[int, int], int]:
    lines: dict[int, int] = {}
    credit = 0
    for found in rows(_HELD, school_id=school_id, student=student_id):
        if found.code == chart.CREDIT:
            credit -= int(found.amount)
        elif found.amount and found.line_id is not None:
            lines[found.line_id] = int(found.amount)
    return lines, credit


def _sums_moved(school_id: int, merge_id: int, survivor_id: int) -> tuple[dict[int, int], int]:
    """What a merge brought to the child at one school: sums by line, and credit."""
    lines: dict[int, int] = {}
    credit = 0
    for found in rows(
        "select d.code as debit, c.code as credit, e.invoice_line_id as line_id, e.amount"
        " from ledger_events v join entries e on e.school_id = v.school_id and e.event_id = v.id"
        " join accounts d on d.school_id = e.school_id and d.id = e.debit_id"
        " join accounts c on c.school_id = e.school_id and c.id = e.credit_id"
        " where v.school_id = :school_id and v.kind = 'pupils_joined' and v.cause_kind = 'merge'"
        " and v.cause_id = :merge and e.student_id = :survivor",
        school_id=school_id,
        merge=merge_id,
        survivor=survivor_id,
    ):
        if found.debit == chart.RECEIVABLE:
            lines[found.line_id] = lines.get(found.line_id, 0) + int(found.amount)
        elif found.credit == chart.CREDIT:
            credit += int(found.amount)
    return lines, credit


def _move_money(
    merge_id: int,
    kind: str,
    from_id: int,
    to_id: int,
    schools: Iterable[int],
    at_most: Mapping[int, tuple[dict[int, int], int]] | None,
    now: datetime,
) -> None:
    """Open lines and credit of one record become the other's, each by two entries (M13).

    `at_most` bounds what goes: an undo gives back no more than came, and no more than is left.
    """
    before = scope.current()
    for school_id in sorted(schools):
        enter_scope(scope.one_school(school_id))
        share_school(school_id)
        lines, credit = _held(school_id, from_id)
        if at_most is not None:
            most, most_credit = at_most[school_id]
            lines = {line: min(sum_, most[line]) for line, sum_ in lines.items() if line in most}
            credit = min(credit, most_credit)
        pairs = [
            pair
            for line_id, dong in sorted(lines.items())
            if dong > 0
            for pair in (
                ledger.Pair(chart.SAME_CHILD, chart.RECEIVABLE, Vnd(dong), from_id, line_id),
                ledger.Pair(chart.RECEIVABLE, chart.SAME_CHILD, Vnd(dong), to_id, line_id),
            )
        ]
        if credit > 0:
            pairs += [
                ledger.Pair(chart.CREDIT, chart.SAME_CHILD, Vnd(credit), from_id),
                ledger.Pair(chart.SAME_CHILD, chart.CREDIT, Vnd(credit), to_id),
            ]
        if pairs:
            event = ledger.Event(kind, "merge", merge_id, pairs)
            ledger.post(school_id, event, booked_on=clock.local_day(now), now=now)
    enter_scope(before)


def _tell(
    schools: Iterable[int],
    action: str,
    merge_id: int,
    survivor_id: int,
    merged_id: int,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Every school concerned finds the deed in its own trail."""
    before = scope.current()
    for school_id in sorted(schools):
        enter_scope(scope.one_school(school_id))
        audit.record(
            action,
            f"student:{merged_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=f"merge:{merge_id} student:{survivor_id} {reason}",
        )
    enter_scope(before)
