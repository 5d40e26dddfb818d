"""Guardians and what ties them to children."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.bulk import insert_rows
from app.core.db import DAY, execute, for_update, in_chunks, rows
from app.core.text import fold, nfc, normal_phone
from app.people.students.errors import (
    BadAddress,
    BadDate,
    BadName,
    BadPhone,
    GuardianKnown,
    GuardianNotFound,
)
from app.people.students.models import Guardian, Guardianship


@dataclass(frozen=True, slots=True)
class NewGuardian:
    """A guardian as the school's list names him; found again by phone and name, else made.

    `guardian_id` names one who is known already, as for a sibling.
    """

    full_name: str
    phone: str | None
    relation: str
    address: str | None = None
    guardian_id: int | None = None


@dataclass(frozen=True, slots=True)
class GuardianChange:
    """A guardian as he shall stand; what is as before is left alone."""

    full_name: str
    phone: str | None
    address: str | None
    relation: str


def mobile(written: str) -> str:
    phone = normal_phone(written)
    if phone is None or len(phone) != 10:
        raise BadPhone(
            _("%(phone)s is not a mobile number. Enter ten digits, as 0905123456.", phone=written)
        )
    return phone


def tie_guardians(
    families: Sequence[tuple[int, date, Sequence[NewGuardian]]], known: Collection[int]
) -> None:
    """Find or make the guardians of children and tie them from a day on; the first is primary.

    `families` holds the child, the day and the guardians; `known` are the children among them who
    may have guardians already.
    """
    phones = {mobile(g.phone) for _child, _day, named in families for g in named if g.phone}
    there: dict[tuple[str, str], int] = {
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
    for student_id, starts_on, named in families:
        for number, guardian in enumerate(named):
            name = " ".join(nfc(guardian.full_name).split())
            phone = mobile(guardian.phone) if guardian.phone else None
            key = (phone, fold(name)) if phone else None
            guardian_id = guardian.guardian_id or (there.get(key) if key else None)
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
            ties.append((student_id, guardian, starts_on, guardian_id, place, number == 0))
    made = insert_rows(Guardian, fresh)
    tied = {
        (found.student_id, found.guardian_id)
        for chunk in in_chunks(known)
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
    insert_rows(Guardianship, values)


def add_guardian(
    school_id: int,
    student_id: int,
    guardian: NewGuardian,
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Tie one more guardian to a child; the new tie. The first of a child is asked first.

    Refuses a bad name or phone and a guardian the child has already. The caller has checked that
    the child may be changed from this school, and commits.
    """
    _check(guardian.full_name, guardian.phone, guardian.address)
    before = {tie.id for tie in _open_ties(student_id)}
    tie_guardians([(student_id, from_day, (guardian,))], {student_id})
    made = [tie.id for tie in _open_ties(student_id) if tie.id not in before]
    if not made:
        raise GuardianKnown
    _record("guardian.add", made[0], student_id, actor=actor, school_id=school_id, now=now)
    return int(made[0])


def change_guardian(
    school_id: int,
    student_id: int,
    guardianship_id: int,
    change: GuardianChange,
    *,
    actor: audit.Actor,
    now: datetime,
) -> list[str]:
    """Set a guardian right, for every child he answers for; the names of what changed.

    The relation is that to this child alone. Refuses a tie of another child, a bad name, phone or
    address. The caller has checked that the child may be changed from this school, and commits.
    """
    _check(change.full_name, change.phone, change.address)
    tie = _tie(student_id, guardianship_id)
    name = " ".join(nfc(change.full_name).split())
    wanted = {
        "full_name": name,
        "phone": mobile(change.phone) if change.phone else None,
        "address": " ".join(nfc(change.address or "").split()) or None,
    }
    changed = [field for field, value in wanted.items() if getattr(tie, field) != value]
    if changed:
        execute(
            "update guardians set full_name = :full_name, search_key = :search, phone = :phone,"
            " address = :address where id = :id",
            id=tie.guardian_id,
            search=fold(name),
            full_name=wanted["full_name"],
            phone=wanted["phone"],
            address=wanted["address"],
        )
    if tie.relation != change.relation:
        execute(
            "update guardianships set relation = :relation where id = :id",
            id=tie.id,
            relation=change.relation[:16],
        )
        changed.append("relation")
    if changed:
        # Which fields, not what stood in them: the trail is kept for ever.
        _record(
            "guardian.change",
            tie.id,
            student_id,
            ", ".join(changed),
            actor=actor,
            school_id=school_id,
            now=now,
        )
    return changed


def make_primary(
    school_id: int,
    student_id: int,
    guardianship_id: int,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Let one guardian be the first person to ask about a child; the others are asked after him.

    Refuses a tie of another child. The caller commits.
    """
    tie = _tie(student_id, guardianship_id)
    if tie.is_primary:
        return
    _set_primary(student_id, tie.id)
    _record("guardian.make_primary", tie.id, student_id, actor=actor, school_id=school_id, now=now)


def end_guardianship(
    school_id: int,
    student_id: int,
    guardianship_id: int,
    *,
    on: date,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """From a day on a guardian no longer answers for a child; the next one is asked first instead.

    Refuses a tie of another child and a day before it began. The caller commits.
    """
    tie = _tie(student_id, guardianship_id)
    if on < tie.starts_on:
        raise BadDate(_("This person was not recorded yet on that day."))
    execute(
        "update guardianships set ends_on = :day, is_primary = :no where id = :id",
        id=tie.id,
        day=on,
        no=False,
    )
    others = [other for other in _open_ties(student_id) if other.id != tie.id]
    if tie.is_primary and others:
        _set_primary(student_id, others[0].id)
    _record("guardian.end", tie.id, student_id, actor=actor, school_id=school_id, now=now)


def _check(full_name: str, phone: str | None, address: str | None) -> None:
    if not 1 <= len(" ".join(full_name.split())) <= 120:
        raise BadName
    if phone:
        mobile(phone)
    if address and len(address) > 200:
        raise BadAddress


def _open_ties(student_id: int) -> Sequence[Any]:
    return rows(
        "select t.id, t.guardian_id, t.relation, t.is_primary, t.starts_on, g.full_name, g.phone,"
        " g.address from guardianships t join guardians g on g.id = t.guardian_id"
        f" where t.student_id = :student and t.ends_on is null order by t.id{for_update()}",
        types={"starts_on": DAY},
        student=student_id,
    )


def _tie(student_id: int, guardianship_id: int) -> Any:
    for tie in _open_ties(student_id):
        if tie.id == guardianship_id:
            return tie
    raise GuardianNotFound


def _set_primary(student_id: int, guardianship_id: int) -> None:
    execute(
        "update guardianships set is_primary = (id = :id)"
        " where student_id = :student and ends_on is null",
        id=guardianship_id,
        student=student_id,
    )


def _record(
    action: str,
    guardianship_id: int,
    student_id: int,
    what: str = "",
    *,
    actor: audit.Actor,
    school_id: int,
    now: datetime,
) -> None:
    audit.record(
        action,
        f"guardianship:{guardianship_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"student:{student_id} {what}".strip(),
    )
