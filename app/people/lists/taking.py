"""The good rows of a rehearsal, taken through the students' room: set-based, one act a school."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app import audit
from app.people.lists.cells import class_key
from app.people.lists.columns import Column as C
from app.people.lists.models import State
from app.people.lists.rehearsal import FAMILY_OF, Outcome, Rehearsal
from app.people.students import (
    Correction,
    IdentityField,
    NewGuardian,
    NewIdentifier,
    NewStudent,
    Origin,
    Scheme,
    correct_many,
    enrol_many,
    open_classes,
    place_many,
    record_identifiers,
)
from app.people.students.guarding import GuardianWish, set_guardians

_OWN = {
    C.NAME: IdentityField.FULL_NAME,
    C.BIRTH: IdentityField.BIRTH_DATE,
    C.SEX: IdentityField.SEX,
}
_SCHEMES = {
    C.PIN: Scheme.PIN,
    C.MOET: Scheme.MOET,
    C.LLR: Scheme.LLR,
    C.SCHOOL_NUMBER: Scheme.SCHOOL,
    C.BHXH: Scheme.BHXH,
    C.PASSPORT: Scheme.PASSPORT,
}
_FAMILY = {"mother", "father", "guardian"}


@dataclass(frozen=True, slots=True)
class Taking:
    """Who takes a list, when, from which day on, and what the trail calls it."""

    school_id: int
    year_id: int
    today: date
    source: str
    actor: audit.Actor
    now: datetime


@dataclass(slots=True)
class Taken:
    """What was taken."""

    new: int = 0
    changed: int = 0
    opened: int = 0
    #: rows that could not be taken after all: their class was not opened
    left_out: int = 0


def take_pupils(rehearsal: Rehearsal, opening: Collection[str], taking: Taking) -> Taken:
    """Enrol the new, change the changed. `opening` names the classes that may be opened.

    The rows must be fresh: rehearsed in this transaction. The caller commits.
    """
    taken = Taken()
    classes = _open(rehearsal, opening, taking)
    taken.opened = len(classes)
    good = []
    for outcome in rehearsal.outcomes:
        if outcome.state not in (State.NEW, State.CHANGED):
            continue
        if _needs_class(outcome) and _leave_out(outcome, classes):
            taken.left_out += 1
            continue
        good.append(outcome)
    new = [outcome for outcome in good if outcome.state is State.NEW]
    changed = [outcome for outcome in good if outcome.state is State.CHANGED]
    _correct(good, taking)
    _enrol(new, classes, taking)
    _move(changed, classes, taking)
    _families([outcome for outcome in good if outcome.known is not None], taking)
    taken.new, taken.changed = len(new), len(changed)
    return taken


def refuse_unopened(rehearsal: Rehearsal) -> None:
    """What would be left out if no class were opened."""
    for outcome in rehearsal.outcomes:
        if outcome.state in (State.NEW, State.CHANGED) and _needs_class(outcome):
            _leave_out(outcome, {})


def _leave_out(outcome: Outcome, opened: dict[str, int]) -> bool:
    """Refuse a row whose class was not opened; whether it was."""
    if outcome.place is None or _class_of(outcome, opened) is not None:
        return False
    outcome.state = State.REFUSED
    outcome.notes.insert(0, ("class_not_opened", {"name": outcome.place.name}))
    return True


def _open(rehearsal: Rehearsal, opening: Collection[str], taking: Taking) -> dict[str, int]:
    wanted = [
        (key, place) for key, (place, _rows) in rehearsal.to_open.items() if place.name in opening
    ]
    ids = open_classes(
        taking.school_id,
        taking.year_id,
        [(place.name, place.grade) for _key, place in wanted],
        actor=taking.actor,
        now=taking.now,
    )
    return {key: class_id for (key, _place), class_id in zip(wanted, ids, strict=True)}


def _needs_class(outcome: Outcome) -> bool:
    if outcome.place is None:
        return False
    return outcome.state is State.NEW or any(change.field == C.CLASS for change in outcome.made)


def _class_of(outcome: Outcome, opened: dict[str, int]) -> int | None:
    if outcome.place is None or outcome.place.id is not None:
        return outcome.place.id if outcome.place else None
    return opened.get(class_key(outcome.place.name))


def _enrol(new: Sequence[Outcome], classes: dict[str, int], taking: Taking) -> None:
    made = enrol_many(
        taking.school_id,
        [_student(outcome, classes, taking) for outcome in new],
        actor=taking.actor,
        now=taking.now,
    )
    for outcome, child in zip(new, made, strict=True):
        outcome.student_id = child.student_id


def _student(outcome: Outcome, classes: dict[str, int], taking: Taking) -> NewStudent:
    row, known = outcome.row, outcome.known or outcome.elsewhere
    class_id = _class_of(outcome, classes)
    assert class_id is not None and outcome.starts_on is not None  # noqa: S101 - rehearsed
    if known is not None:
        # What differs from the register was corrected with its history before.
        name, birth_date, sex = row.name or known.name, known.birth_date, row.sex or known.sex
        born = next((c.value for c in outcome.made if c.field == C.BIRTH), None)
        birth_date = born or birth_date
    else:
        assert row.name and row.birth_date and row.sex  # noqa: S101 - rehearsed
        name, birth_date, sex = row.name, row.birth_date, row.sex
    return NewStudent(
        full_name=name,
        birth_date=birth_date,
        sex=sex,
        class_id=class_id,
        starts_on=outcome.starts_on,
        guardians=() if outcome.known is not None else _new_guardians(outcome, name),
        identifiers=()
        if outcome.known is not None
        else tuple((scheme, value, taking.source) for scheme, value in row.numbers.items()),
        student_id=known.student_id if known is not None else None,
    )


def _new_guardians(outcome: Outcome, name: str) -> tuple[NewGuardian, ...]:
    row = outcome.row
    return tuple(
        NewGuardian(
            relative.name or f"{FAMILY_OF} {name}"[:120],
            next(iter(relative.phones), None),
            relative.relation,
            row.address,
        )
        for relative in row.relatives
    )


def _correct(good: Sequence[Outcome], taking: Taking) -> None:
    corrections: list[Correction] = []
    numbers: list[NewIdentifier] = []
    for outcome in good:
        if outcome.student_id is None:
            continue
        for change in outcome.made:
            column: Any = change.field
            if column in _OWN:
                corrections.append(Correction(outcome.student_id, _OWN[column], change.value))
            elif column in _SCHEMES:
                numbers.append(
                    NewIdentifier(
                        outcome.student_id,
                        _SCHEMES[column],
                        change.value,
                        taking.source,
                        taking.today,
                    )
                )
    why: dict[str, Any] = {
        "origin": Origin.LIST,
        "reason": taking.source,
        "actor": taking.actor,
        "now": taking.now,
        "school_id": taking.school_id,
    }
    if corrections:
        correct_many(corrections, **why)
    if numbers:
        record_identifiers(numbers, **why)


def _move(changed: Sequence[Outcome], classes: dict[str, int], taking: Taking) -> None:
    by_day: dict[date, dict[int, int]] = {}
    for outcome in changed:
        class_id = _class_of(outcome, classes)
        if outcome.known is None or class_id is None:
            continue
        for change in outcome.made:
            if change.field == C.CLASS:
                by_day.setdefault(change.value, {})[outcome.known.enrolment_id] = class_id
    for day, places in sorted(by_day.items()):
        place_many(taking.school_id, places, from_day=day, actor=taking.actor, now=taking.now)


def _families(good: Sequence[Outcome], taking: Taking) -> None:
    wishes: list[GuardianWish] = []
    for outcome in good:
        assert outcome.student_id is not None  # noqa: S101 - known children only
        mine: dict[int, GuardianWish] = {}
        for change in outcome.made:
            if change.field in _FAMILY:
                guardian_id, relation, name, phone = change.value
                address = outcome.row.address if guardian_id is None else None
                wish = GuardianWish(outcome.student_id, guardian_id, relation, name, phone, address)
                if guardian_id is None:
                    wishes.append(wish)
                else:
                    mine[guardian_id] = wish
            elif change.field == C.ADDRESS:
                present, address = change.value
                known = mine.get(present.id)
                mine[present.id] = GuardianWish(
                    outcome.student_id,
                    present.id,
                    present.relation,
                    known.full_name if known else present.name,
                    known.phone if known else present.phone,
                    address,
                )
        wishes += mine.values()
    if wishes:
        set_guardians(
            wishes,
            from_day=taking.today,
            actor=taking.actor,
            now=taking.now,
            school_id=taking.school_id,
        )
