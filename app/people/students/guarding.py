"""Guardians of many children set right: names, phones and addresses, and new ones tied.

A guardian is one row for the whole area and may answer for children in several schools. It is
changed in place only where every child it answers for asks for the same; otherwise this child is
tied to another row and the old tie ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import bindparam, update

from app import audit
from app.core.bulk import insert_rows
from app.core.db import DAY, in_chunks, rows
from app.core.model import db
from app.core.text import fold, last_four, nfc, normal_phone
from app.people.students.errors import BadName, BadPhone
from app.people.students.models import Guardian, Guardianship


@dataclass(frozen=True, slots=True)
class GuardianWish:
    """How a guardian of a child should be; `guardian_id` is the present one, None for a new tie."""

    student_id: int
    guardian_id: int | None
    relation: str
    full_name: str
    phone: str | None
    address: str | None


def set_guardians(
    wishes: Sequence[GuardianWish],
    *,
    from_day: date,
    actor: audit.Actor,
    now: datetime,
    school_id: int,
) -> int:
    """Set guardians right or tie new ones; how many wishes changed something.

    New ones are found by phone and name in the whole area, else made. Refuses an empty name and a
    phone that is no mobile number. The caller has checked that the children may be changed from
    this school, and commits.
    """
    wishes = [_checked(wish) for wish in wishes]
    if not wishes:
        return 0
    known = _guardians({wish.guardian_id for wish in wishes if wish.guardian_id is not None})
    tied = _ties_of(set(known))
    in_place, ties = _divide(wishes, known, tied)
    deeds = _change_in_place(in_place, known)
    deeds += _tie(ties, known, from_day)
    audit.record_many(deeds, actor=actor, school_id=school_id, now=now)
    return len(deeds)


def _checked(wish: GuardianWish) -> GuardianWish:
    name = " ".join(nfc(wish.full_name).split())
    if not 1 <= len(name) <= 120:
        raise BadName
    phone = normal_phone(wish.phone) if wish.phone else None
    if wish.phone and (phone is None or len(phone) != 10):
        raise BadPhone(
            _(
                "%(phone)s is not a mobile number. Enter ten digits, as 0905123456.",
                phone=wish.phone,
            )
        )
    return GuardianWish(wish.student_id, wish.guardian_id, wish.relation, name, phone, wish.address)


def _guardians(ids: set[int]) -> dict[int, Any]:
    return {
        found.id: found
        for chunk in in_chunks(sorted(ids))
        for found in rows(
            "select id, full_name, search_key, phone, address from guardians where id in :ids",
            ids=chunk,
        )
    }


def _ties_of(ids: set[int]) -> dict[int, set[int]]:
    """Guardian → the children it answers for."""
    found: dict[int, set[int]] = {}
    for chunk in in_chunks(sorted(ids)):
        for tie in rows(
            "select guardian_id, student_id from guardianships where ends_on is null"
            " and guardian_id in :ids",
            ids=chunk,
        ):
            found.setdefault(tie.guardian_id, set()).add(tie.student_id)
    return found


def _divide(
    wishes: Sequence[GuardianWish], known: dict[int, Any], tied: dict[int, set[int]]
) -> tuple[list[GuardianWish], list[GuardianWish]]:
    """Those to change in place, and those that need another tie."""
    asked: dict[int, list[GuardianWish]] = {}
    ties = [wish for wish in wishes if wish.guardian_id is None]
    for wish in wishes:
        if wish.guardian_id is not None:
            asked.setdefault(wish.guardian_id, []).append(wish)
    in_place = []
    for guardian_id, group in asked.items():
        present = known[guardian_id]
        same = {(wish.full_name, wish.phone) for wish in group}
        everybody = tied.get(guardian_id, set()) <= {wish.student_id for wish in group}
        only_address = same == {(present.full_name, present.phone)}
        if only_address or (len(same) == 1 and everybody):
            in_place.append(group[0])
        else:
            as_it_is = [
                w for w in group if (w.full_name, w.phone) == (present.full_name, present.phone)
            ]
            in_place += as_it_is[:1]
            ties += [wish for wish in group if wish not in as_it_is]
    return in_place, ties


def _change_in_place(wishes: Sequence[GuardianWish], known: dict[int, Any]) -> list[audit.Deed]:
    changed = []
    deeds = []
    for wish in wishes:
        present = known[wish.guardian_id or 0]
        address = wish.address or present.address
        if (wish.full_name, wish.phone, address) == (
            present.full_name,
            present.phone,
            present.address,
        ):
            continue
        changed.append(
            {
                "row": wish.guardian_id,
                "name": wish.full_name,
                "search": fold(wish.full_name),
                "number": wish.phone,
                "place": address,
            }
        )
        parts = [
            word
            for word, old, new in (
                ("name", present.full_name, wish.full_name),
                ("phone", present.phone, wish.phone),
                ("address", present.address, address),
            )
            if old != new
        ]
        deeds.append(
            audit.Deed("guardian.correct", f"guardian:{wish.guardian_id}", " ".join(parts))
        )
    if changed:
        table = Guardian.__table__
        db.session.connection().execute(
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("row"))
            .values(
                full_name=bindparam("name"),
                search_key=bindparam("search"),
                phone=bindparam("number"),
                address=bindparam("place"),
            ),
            changed,
        )
    return deeds


def _tie(ties: Sequence[GuardianWish], known: dict[int, Any], from_day: date) -> list[audit.Deed]:
    if not ties:
        return []
    found = _by_phone_and_name({wish.phone for wish in ties if wish.phone})
    fresh: list[dict[str, Any]] = []
    places: dict[tuple[str, str], int] = {}
    targets: list[tuple[GuardianWish, int | None, int | None]] = []
    for wish in ties:
        key = (wish.phone, fold(wish.full_name)) if wish.phone else None
        guardian_id = found.get(key) if key else None
        place = places.get(key) if key and guardian_id is None else None
        if guardian_id is None and place is None:
            place = len(fresh)
            if key:
                places[key] = place
            before = known.get(wish.guardian_id or 0)
            fresh.append(
                {
                    "full_name": wish.full_name,
                    "search_key": fold(wish.full_name),
                    "phone": wish.phone,
                    "phone_end": last_four(wish.phone or "") or None,
                    "address": wish.address or (before.address if before else None),
                }
            )
        targets.append((wish, guardian_id, place))
    made = _insert(Guardian, fresh)
    children = {wish.student_id for wish in ties}
    present = _ties(children)
    ended: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    deeds = []
    for wish, guardian_id, place in targets:
        new = guardian_id if guardian_id is not None else made[place or 0]
        old = present.get((wish.student_id, wish.guardian_id or 0))
        if old is not None and wish.guardian_id != new:
            ended.append({"row": old.id, "day": max(from_day, old.starts_on)})
        if (wish.student_id, new) not in present:
            values.append(
                {
                    "student_id": wish.student_id,
                    "guardian_id": new,
                    "relation": wish.relation[:16],
                    "is_primary": bool(old.is_primary)
                    if old is not None
                    else not any(child == wish.student_id for child, _guardian in present),
                    "starts_on": from_day,
                }
            )
            present[wish.student_id, new] = _New(0, bool(values[-1]["is_primary"]), from_day)
        deeds.append(audit.Deed("guardian.tie", f"student:{wish.student_id}", f"guardian:{new}"))
    if ended:
        table = Guardianship.__table__
        db.session.connection().execute(
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("row"))
            .values(ends_on=bindparam("day")),
            ended,
        )
    _insert(Guardianship, values)
    return deeds


@dataclass(frozen=True, slots=True)
class _New:
    id: int
    is_primary: bool
    starts_on: date


def _by_phone_and_name(phones: set[str]) -> dict[tuple[str, str], int]:
    return {
        (found.phone, found.search_key): found.id
        for chunk in in_chunks(sorted(phones))
        for found in rows(
            "select id, phone, search_key from guardians where phone in :phones order by id desc",
            phones=chunk,
        )
    }


def _ties(children: set[int]) -> dict[tuple[int, int], Any]:
    return {
        (tie.student_id, tie.guardian_id): tie
        for chunk in in_chunks(sorted(children))
        for tie in rows(
            "select id, student_id, guardian_id, is_primary, starts_on from guardianships"
            " where ends_on is null and student_id in :ids",
            types={"starts_on": DAY},
            ids=chunk,
        )
    }


def _insert(model: type, values: list[dict[str, Any]]) -> list[int]:
    return insert_rows(model, values)
