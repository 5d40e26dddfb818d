"""Lists of staff: who works here in which role, rehearsed and taken like those of pupils.

A list gives roles of one school and never more than its importer may give; a new person gets an
account nobody can sign in to until it is invited by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app import audit
from app.core.db import DAY, in_chunks, rows, scalar
from app.core.text import fold
from app.people.access import Role, end_membership, grant_membership, invite_user
from app.people.lists import cells
from app.people.lists.cells import DAY_FIRST, CellRefused, Value, as_text, day_order, is_empty
from app.people.lists.columns import Column as C
from app.people.lists.models import State
from app.people.lists.reading import Grid, Trouble, is_no_data
from app.people.lists.rehearsal import Change

#: the words of our own files
ROLE_TITLES = {
    Role.PRINCIPAL: "Hiệu trưởng",
    Role.DEPUTY: "Phó hiệu trưởng",
    Role.ACCOUNTANT: "Kế toán",
    Role.CASHIER: "Thủ quỹ",
    Role.TEACHER: "Giáo viên chủ nhiệm",
    Role.KITCHEN: "Cấp dưỡng",
    Role.NURSE: "Y tế",
}
#: first match wins; None for roles that only the unit above gives, by hand
_ROLES: tuple[tuple[str, Role | None], ...] = (
    ("pho hieu truong", Role.DEPUTY),
    ("hieu pho", Role.DEPUTY),
    ("pht", Role.DEPUTY),
    ("deputy", Role.DEPUTY),
    ("hieu truong", Role.PRINCIPAL),
    ("principal", Role.PRINCIPAL),
    ("ke toan", Role.ACCOUNTANT),
    ("accountant", Role.ACCOUNTANT),
    ("thu quy", Role.CASHIER),
    ("thu ngan", Role.CASHIER),
    ("cashier", Role.CASHIER),
    ("y te", Role.NURSE),
    ("nurse", Role.NURSE),
    ("cap duong", Role.KITCHEN),
    ("nau an", Role.KITCHEN),
    ("bep", Role.KITCHEN),
    ("kitchen", Role.KITCHEN),
    ("giao vien", Role.TEACHER),
    ("gvcn", Role.TEACHER),
    ("gv", Role.TEACHER),
    ("chu nhiem", Role.TEACHER),
    ("teacher", Role.TEACHER),
    ("chuyen vien", None),
    ("kiem toan", None),
    ("thanh tra", None),
    ("quan tri", None),
    ("officer", None),
    ("auditor", None),
    ("administrator", None),
)


@dataclass(slots=True)
class StaffRow:
    """What one row of a staff list says."""

    seq: int
    sheet: str
    number: int
    name: str | None = None
    role: Role | None = None
    #: what a person signs in with: as written, else e-mail, else phone
    username: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    troubles: list[Trouble] = field(default_factory=list)
    was_capitals: bool = False


@dataclass(slots=True)
class KnownPerson:
    """Somebody with an account."""

    user_id: int
    username: str
    name: str
    search_key: str
    #: (membership, role, from, to) at this school
    roles: list[tuple[int, Role, date, date | None]] = field(default_factory=list)


@dataclass(slots=True)
class StaffOutcome:
    """What the rehearsal says of one row."""

    row: StaffRow
    state: State = State.NEW
    person: KnownPerson | None = None
    changes: list[Change] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[tuple[str, dict[str, str | int]]] = field(default_factory=list)
    #: whether a person may say that it is somebody else of the same name
    may_be_other: bool = False
    choice: str = ""


def staff_rows(grid: Grid, mapping: dict[int, C], *, today: date) -> Iterator[StaffRow]:
    """The rows that tell of a person, one by one."""
    places = {column: place for place, column in mapping.items()}
    orders: dict[C, Any] = {
        column: day_order(r[places[column]] for _s, _n, r in grid.rows if places[column] < len(r))
        for column in (C.STARTS_ON, C.ENDS_ON)
        if column in places
    }
    seq = 0
    for sheet, number, row in grid.rows:
        if is_no_data(row, places):
            continue
        seq += 1
        yield _read(StaffRow(seq, sheet, number), row, places, orders, today)


def _read(
    found: StaffRow, row: Sequence[Value], places: dict[C, int], orders: dict[C, Any], today: date
) -> StaffRow:
    def cell(column: C) -> Value:
        place = places.get(column)
        return row[place] if place is not None and place < len(row) else None

    def read(column: C, reader: Any, value: Value = None, **options: Any) -> Any:
        value = cell(column) if value is None else value
        try:
            return reader(value, **options)
        except CellRefused as refusal:
            found.troubles.append(
                Trouble(column, as_text(value)[:60], refusal.code, refusal.params)
            )
            return None

    whole = cell(C.NAME)
    if C.GIVEN_NAME in places:
        whole = f"{as_text(cell(C.FAMILY_NAME))} {as_text(cell(C.GIVEN_NAME))}".strip()
    name = read(C.NAME, cells.read_name, whole)
    if name is not None:
        found.name, found.was_capitals = name.name, name.was_capitals
    found.role = read(C.ROLE, read_role)
    email = read(C.EMAIL, cells.read_email)
    phones = read(C.PHONE, cells.read_phones) or [None]
    written = as_text(cell(C.USERNAME)).lower()
    found.username = (written or email or phones[0] or "")[:60] or None
    for column in (C.STARTS_ON, C.ENDS_ON):
        day = read(column, cells.read_day, order=orders.get(column, DAY_FIRST), today=today)
        setattr(found, column, day)
    return found


def read_role(value: Value) -> Role | None:
    """A role by its word; refuses those of the unit above."""
    if is_empty(value):
        return None
    text = fold(as_text(value))
    for word, role in _ROLES:
        if f" {word}" in f" {text}":
            if role is None:
                raise CellRefused("role_not_by_list", text=as_text(value)[:40])
            return role
    raise CellRefused("role_unknown", text=as_text(value)[:40])


# Rehearsing


def rehearse_staff(
    school_id: int,
    rows_read: Sequence[StaffRow],
    *,
    may_give: Collection[Role],
    user_id: int | None,
    today: date,
    choices: Mapping[int, str] | None = None,
) -> list[StaffOutcome]:
    """Compare a staff list with who works at the school; nothing is written."""
    here = _people_here(school_id, today)
    by_username = {person.username: person for person in here}
    missing = {row.username for row in rows_read if row.username} - set(by_username)
    elsewhere = _people_elsewhere(missing)
    by_name: dict[str, list[KnownPerson]] = {}
    for person in here:
        by_name.setdefault(person.search_key, []).append(person)
    seen: dict[tuple[object, Role | None], int] = {}
    names: dict[str, str] = {}
    outcomes = []
    for row in rows_read:
        outcome = StaffOutcome(row, troubles=list(row.troubles))
        outcome.choice = (choices or {}).get(row.seq, "")
        outcomes.append(outcome)
        _demand(outcome, may_give)
        if row.name is None or row.role is None:
            outcome.state = State.REFUSED
            continue
        _recognise(outcome, by_username, elsewhere, by_name)
        who: object = outcome.person.user_id if outcome.person else row.username
        if outcome.state is not State.DOUBTFUL and not outcome.troubles:
            if outcome.person is None and row.username is None:
                outcome.troubles.append(Trouble(C.USERNAME, "", "username_missing"))
            elif names.setdefault(str(who), fold(row.name)) != fold(row.name):
                outcome.troubles.append(Trouble(C.USERNAME, row.username or "", "username_taken"))
            elif (who, row.role) in seen:
                outcome.state = State.DOUBTFUL
                outcome.notes.insert(0, ("same_as_row", {"row": seen[who, row.role]}))
            else:
                seen[who, row.role] = row.number
                _compare(outcome, user_id, today)
        if outcome.troubles:
            outcome.state = State.REFUSED
    return outcomes


def _demand(outcome: StaffOutcome, may_give: Collection[Role]) -> None:
    row = outcome.row
    have = {trouble.column for trouble in outcome.troubles}
    if row.was_capitals and row.name:
        outcome.notes.append(("repair_capitals", {"text": row.name}))
    if row.name is None and C.NAME not in have:
        outcome.troubles.append(Trouble(C.NAME, "", "name_missing"))
    if row.role is None and C.ROLE not in have:
        outcome.troubles.append(Trouble(C.ROLE, "", "role_missing"))
    if row.role is not None and row.role not in may_give:
        outcome.troubles.append(Trouble(C.ROLE, ROLE_TITLES[row.role], "role_not_yours"))
    if row.starts_on and row.ends_on and row.ends_on <= row.starts_on:
        outcome.troubles.append(
            Trouble(C.ENDS_ON, row.ends_on.strftime("%d/%m/%Y"), "ends_before_start")
        )


def _recognise(
    outcome: StaffOutcome,
    by_username: dict[str, KnownPerson],
    elsewhere: dict[str, KnownPerson],
    by_name: dict[str, list[KnownPerson]],
) -> None:
    row = outcome.row
    folded = fold(row.name or "")
    person = by_username.get(row.username or "") or elsewhere.get(row.username or "")
    if person is not None:
        if person.search_key != folded:
            outcome.troubles.append(Trouble(C.USERNAME, row.username or "", "username_taken"))
        else:
            outcome.person = person
        return
    same = by_name.get(folded, [])
    if len(same) == 1 and row.username is None:
        outcome.person = same[0]
    elif same and outcome.choice != "other":
        outcome.may_be_other = row.username is not None
        outcome.state = State.DOUBTFUL
        outcome.notes.insert(0, ("same_name_staff", {"username": same[0].username}))


def _compare(outcome: StaffOutcome, user_id: int | None, today: date) -> None:
    row, person = outcome.row, outcome.person
    if person is None:
        outcome.state = State.NEW
        return
    role = row.role
    held = [entry for entry in person.roles if entry[1] is role]
    current = [entry for entry in held if entry[3] is None or entry[3] > today]
    if not current:
        past = row.ends_on is not None and row.ends_on <= today
        if held and past:
            outcome.state = State.UNCHANGED
            return
        outcome.state = State.CHANGED if person.roles else State.NEW
        titles = ", ".join(
            ROLE_TITLES.get(r, r) for _m, r, _f, to in person.roles if to is None or to > today
        )
        outcome.changes.append(Change(C.ROLE, titles, ROLE_TITLES[role or Role.TEACHER]))
        if not person.roles:
            outcome.notes.append(("account_known", {}))
        return
    membership_id, _role, starts_on, ends_on = current[0]
    if row.ends_on is None or row.ends_on == ends_on:
        outcome.state = State.UNCHANGED
    elif person.user_id == user_id:
        outcome.troubles.append(
            Trouble(C.ENDS_ON, row.ends_on.strftime("%d/%m/%Y"), "own_role_ends")
        )
    elif row.ends_on <= starts_on:
        outcome.troubles.append(
            Trouble(C.ENDS_ON, row.ends_on.strftime("%d/%m/%Y"), "ends_before_start")
        )
    else:
        outcome.state = State.CHANGED
        old = ends_on.strftime("%d/%m/%Y") if ends_on else ""
        outcome.changes.append(
            Change(C.ENDS_ON, old, row.ends_on.strftime("%d/%m/%Y"), value=membership_id)
        )


def unit_of(school_id: int) -> int:
    """The node of the organisation tree a school is."""
    return int(scalar("select unit_id from schools where id = :school_id", school_id=school_id))


def _people_here(school_id: int, today: date) -> list[KnownPerson]:
    people: dict[int, KnownPerson] = {}
    for held in rows(
        "select u.id, u.username, u.display_name, m.id as membership, m.role, m.starts_on,"
        " m.ends_on from memberships m join users u on u.id = m.user_id"
        " where m.unit_id = :unit order by u.display_name, m.id",
        types={"starts_on": DAY, "ends_on": DAY},
        unit=unit_of(school_id),
    ):
        person = people.setdefault(
            held.id, KnownPerson(held.id, held.username, held.display_name, fold(held.display_name))
        )
        person.roles.append((held.membership, Role(held.role), held.starts_on, held.ends_on))
    return list(people.values())


def _people_elsewhere(usernames: Collection[str]) -> dict[str, KnownPerson]:
    return {
        found.username: KnownPerson(
            found.id, found.username, found.display_name, fold(found.display_name)
        )
        for chunk in in_chunks(sorted(usernames))
        for found in rows(
            "select id, username, display_name from users where username in :names", names=chunk
        )
    }


# Taking


def take_staff(
    school_id: int,
    outcomes: Sequence[StaffOutcome],
    *,
    today: date,
    actor: audit.Actor,
    now: datetime,
) -> tuple[int, int]:
    """Invite the new and give or end roles; how many rows were new and changed. Caller commits."""
    unit_id = unit_of(school_id)
    made: dict[str, int] = {}
    new = changed = 0
    for outcome in outcomes:
        row = outcome.row
        if outcome.state not in (State.NEW, State.CHANGED) or row.role is None or not row.name:
            continue
        ends = [change for change in outcome.changes if change.field == C.ENDS_ON]
        if ends and row.ends_on is not None:
            end_membership(ends[0].value, ends_on=row.ends_on, actor=actor, now=now)
        else:
            if outcome.person is not None:
                user_id = outcome.person.user_id
            else:
                username = row.username or ""
                if username not in made:
                    made[username] = invite_user(
                        username, row.name, actor=actor, now=now, school_id=school_id
                    )
                user_id = made[username]
            grant_membership(
                user_id,
                unit_id,
                row.role,
                starts_on=row.starts_on or today,
                ends_on=row.ends_on,
                actor=actor,
                now=now,
            )
        new += outcome.state is State.NEW
        changed += outcome.state is State.CHANGED
    return new, changed


def staff_for_export(school_id: int, today: date) -> list[list[Value]]:
    """Who works here today, one row a role, in the columns of our files."""
    found: list[list[Value]] = []
    for person in _people_here(school_id, today):
        for _membership, role, starts_on, ends_on in person.roles:
            if role not in ROLE_TITLES or (ends_on is not None and ends_on <= today):
                continue
            name = person.username
            found.append(
                [
                    len(found) + 1,
                    person.name,
                    ROLE_TITLES[role],
                    name if name.isdigit() and len(name) == 10 else None,
                    name if "@" in name else None,
                    name,
                    starts_on,
                    ends_on,
                ]
            )
    return found
