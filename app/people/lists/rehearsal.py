"""What would happen if a list of pupils were taken: every row against the register, in memory.

Order of recognition: our code, personal number, other numbers, then name and birth date together
with the class or a guardian. Anything less is doubtful and waits for a person. Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.core.text import fold
from app.people.lists.cells import class_key, class_name, grade_of_class
from app.people.lists.columns import SCHEMES
from app.people.lists.columns import Column as C
from app.people.lists.models import State
from app.people.lists.reading import PupilRow, Relative, Trouble
from app.people.lists.register import (
    Area,
    Elsewhere,
    KnownChild,
    KnownClass,
    KnownGuardian,
    Register,
    name_key,
    read_area,
)
from app.people.students import IdentityField, Scheme, Sex
from app.people.students.numbers import Oddity, oddities

_COLUMN_OF = {scheme: column for column, scheme in SCHEMES.items()}
#: enrolling refuses who is older than this on the first day
OLDEST = 25
#: so many years beside the usual age of a grade deserve a second look
ODD_YEARS = 2
#: how a family without any name is called; the papers use the same words
FAMILY_OF = "Gia đình em"


@dataclass(slots=True)
class Change:
    """One field of a known child: as recorded, as the list says."""

    field: str
    old: str
    new: str
    #: a person's hand set it; taken only when ticked
    kept: bool = False
    ticked: bool = False
    #: what the services are given
    value: Any = None

    @property
    def counts(self) -> bool:
        """Whether it is going to be made."""
        return not self.kept or self.ticked


@dataclass(slots=True)
class Candidate:
    """A child a doubtful row may be; `may_be` where a person may say so."""

    student_id: int
    code: str
    name: str
    detail: str
    may_be: bool


@dataclass(slots=True)
class Outcome:
    """What the rehearsal says of one row."""

    row: PupilRow
    state: State = State.NEW
    student_id: int | None = None
    known: KnownChild | None = None
    elsewhere: Elsewhere | None = None
    place: KnownClass | None = None
    changes: list[Change] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[tuple[str, dict[str, str | int]]] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    #: whether a person may say that it is another child
    may_be_other: bool = False
    choice: str = ""
    ticks: frozenset[str] = frozenset()
    #: the first day of a stay that is to begin
    starts_on: date | None = None

    @property
    def kept(self) -> int:
        """Fields kept by hand and not ticked."""
        return sum(change.kept and not change.ticked for change in self.changes)

    @property
    def made(self) -> list[Change]:
        """Changes that are going to be made."""
        return [change for change in self.changes if change.counts]


@dataclass(slots=True)
class Rehearsal:
    """All outcomes of a list at one school."""

    outcomes: list[Outcome]
    #: classes named in the list that are not there yet, with the rows that name them
    to_open: dict[str, tuple[KnownClass, int]]
    #: children here whom the list does not name, in classes it does
    missing: list[KnownChild]

    def count(self) -> Counter[State]:
        """Rows by state."""
        return Counter(outcome.state for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Term:
    """The days a list is about."""

    today: date
    #: of newcomers whose row names none
    first_day: date
    year_starts: date
    year_ends: date


@dataclass(slots=True)
class Seen:
    """What earlier rows said, across the schools of an area's list."""

    #: number → (place in words, name key, birth)
    numbers: dict[tuple[Scheme, str], tuple[str, str, date | None]] = field(default_factory=dict)
    #: name key and birth → (place in words, personal number)
    names: dict[tuple[str, date], list[tuple[str, str | None]]] = field(default_factory=dict)


def rehearse(
    register: Register,
    rows: Sequence[PupilRow],
    *,
    term: Term,
    choices: Mapping[int, str] | None = None,
    ticks: Mapping[int, frozenset[str]] | None = None,
    seen: Seen | None = None,
    place_prefix: str = "",
    own_only: bool = True,
) -> Rehearsal:
    """Compare a list with a school's register. `choices` and `ticks` are a person's, by row."""
    return _Rehearsal(
        register, term, choices or {}, ticks or {}, seen or Seen(), place_prefix, own_only
    ).run(rows)


class _Rehearsal:
    """One pass over a list; every row is decided once."""

    def __init__(
        self,
        register: Register,
        term: Term,
        choices: Mapping[int, str],
        ticks: Mapping[int, frozenset[str]],
        seen: Seen,
        place_prefix: str,
        own_only: bool,
    ) -> None:
        self._register = register
        self._term = term
        self._choices = choices
        self._ticks = ticks
        self._seen = seen
        self._prefix = place_prefix
        self._own_only = own_only
        #: child → the row that is it
        self._claimed: dict[int, Outcome] = {}
        self._keys: dict[int, str] = {}
        self._to_open: dict[str, KnownClass] = {}
        self._open_rows: Counter[str] = Counter()

    def run(self, rows: Sequence[PupilRow]) -> Rehearsal:
        outcomes = [self._begun(row) for row in rows]
        waiting = [outcome for outcome in outcomes if not self._by_number(outcome)]
        waiting = [outcome for outcome in waiting if not self._by_name(outcome)]
        # After every exact name has found its child, so that a twin's own row comes first.
        waiting = [outcome for outcome in waiting if not self._by_folded_name(outcome)]
        area = self._read_area(outcomes, waiting)
        for outcome in waiting:
            self._newcomer(outcome, area)
        for outcome in outcomes:
            self._finish(outcome, area)
        self._agree_on_addresses(outcomes)
        for outcome in outcomes:
            self._settle(outcome)
        return Rehearsal(
            outcomes,
            {key: (place, self._open_rows[key]) for key, place in self._to_open.items()},
            self._missing(outcomes),
        )

    # One row alone

    def _begun(self, row: PupilRow) -> Outcome:
        outcome = Outcome(row, troubles=list(row.troubles))
        outcome.choice = self._choices.get(row.seq, "")
        outcome.ticks = self._ticks.get(row.seq, frozenset())
        outcome.notes = [(f"repair_{code}", {"text": shown}) for code, shown in row.repairs]
        self._keys[row.seq] = name_key(row.name) if row.name else ""
        if self._own_only and row.school and row.school not in self._register.codes:
            self._trouble(outcome, C.SCHOOL, row.school, "school_other")
        if row.has_left:
            self._trouble(outcome, C.STATUS, "", "has_left")
        self._find_class(outcome)
        return outcome

    def _trouble(
        self, outcome: Outcome, column: C, shown: str, code: str, **params: str | int
    ) -> None:
        outcome.troubles.append(Trouble(column, shown, code, params))

    def _find_class(self, outcome: Outcome) -> None:
        row = outcome.row
        if not row.classes:
            return
        classes = self._register.classes
        ways = [(way, class_key(way)) for way in row.classes]
        fitting = [classes[key] for _way, key in ways if key in classes]
        if len(fitting) > 1 and row.grade is not None:
            fitting = [place for place in fitting if place.grade == row.grade] or fitting
        if len(fitting) > 1:
            self._trouble(outcome, C.CLASS, row.classes[0], "class_unclear", other=row.classes[1])
            return
        if fitting:
            outcome.place = fitting[0]
            return
        fresh = []
        for way in row.classes:
            grade = row.grade if len(ways) == 1 and row.grade is not None else grade_of_class(way)
            if grade is not None and self._register.teaches(grade):
                fresh.append(KnownClass(None, class_name(way)[:24], grade))
                if row.grade is not None and row.grade == grade_of_class(way):
                    fresh = fresh[-1:]
                    break
        if len(fresh) == 1:
            place = fresh[0]
            key = class_key(place.name)
            outcome.place = self._to_open.setdefault(key, place)
            self._open_rows[key] += 1
        elif fresh:
            self._trouble(outcome, C.CLASS, row.classes[0], "class_unclear", other=row.classes[1])
        else:
            self._trouble(outcome, C.CLASS, row.classes[0], "class_unknown")

    # Recognising

    def _by_number(self, outcome: Outcome) -> bool:
        """Recognise a child of the school by a code or a number; True when that settled it."""
        row, register = outcome.row, self._register
        forced = self._forced(outcome)
        if forced is not None:
            self._claim(outcome, forced)
            return True
        found: list[int] = []
        if row.code is not None and row.code in register.by_code:
            found.append(register.by_code[row.code])
        for scheme, value in row.numbers.items():
            student_id = register.by_number.get((scheme, value))
            if student_id is not None:
                found.append(student_id)
        if not found:
            return False
        child = register.children[found[0]]
        if len(set(found)) > 1:
            self._doubt(outcome, "numbers_disagree")
            outcome.candidates = [
                self._here(register.children[one]) for one in dict.fromkeys(found)
            ]
        elif self._is_stranger(row, child):
            self._doubt(outcome, "number_of_other")
            outcome.candidates = [self._here(child, may_be=False)]
        else:
            self._claim(outcome, child)
        return True

    def _is_stranger(self, row: PupilRow, child: KnownChild | Elsewhere) -> bool:
        """Whether a row tells of somebody else than the child its number names."""
        other_birth = row.birth_date is not None and row.birth_date != child.birth_date
        other_name = row.name is not None and fold(row.name) != child.search_key
        return other_birth and other_name

    def _forced(self, outcome: Outcome) -> KnownChild | None:
        if not outcome.choice.startswith("same:"):
            return None
        return self._register.children.get(int(outcome.choice.removeprefix("same:")))

    def _claim(self, outcome: Outcome, child: KnownChild) -> None:
        before = self._claimed.get(child.student_id)
        if before is not None:
            self._doubt(outcome, "same_as_row", row=before.row.number)
            outcome.candidates = []
            return
        self._claimed[child.student_id] = outcome
        outcome.known, outcome.student_id = child, child.student_id
        outcome.state = State.UNCHANGED

    def _doubt(self, outcome: Outcome, code: str, **params: str | int) -> None:
        outcome.state = State.DOUBTFUL
        outcome.notes.insert(0, (code, params))

    def _by_name(self, outcome: Outcome) -> bool:
        """Recognise a child of the school by name and birth date; True when that settled it."""
        row = outcome.row
        if row.name is None or row.birth_date is None or outcome.choice == "other":
            return False
        key = self._keys[row.seq]
        named = [c for c in self._register.by_birth.get(row.birth_date, ()) if c.key == key]
        exact = [child for child in named if child.student_id not in self._claimed]
        if exact:
            sure = [child for child in exact if self._agrees(outcome, child)]
            if len(sure) == 1:
                self._claim(outcome, sure[0])
                return True
            unlike = [child for child in exact if not self._contradicts(row, child)]
            if unlike:
                self._doubt(outcome, "same_name_here")
                outcome.candidates = [self._here(child) for child in unlike]
                outcome.may_be_other = True
                return True
        taken = [child for child in named if child.student_id in self._claimed]
        taken = [child for child in taken if not self._contradicts(row, child)]
        if taken and not exact:
            first = self._claimed[taken[0].student_id].row
            self._doubt(outcome, "maybe_as_row", row=first.number)
            outcome.may_be_other = True
            return True
        return False

    def _by_folded_name(self, outcome: Outcome) -> bool:
        """A name that differs in its accents only: never taken without a person."""
        row = outcome.row
        if row.name is None or row.birth_date is None or outcome.choice == "other":
            return False
        folded = fold(row.name)
        near = [
            child
            for child in self._register.by_birth.get(row.birth_date, ())
            if child.search_key == folded
            and not self._contradicts(row, child)
            and child.student_id not in self._claimed
            and child.key != self._keys[row.seq]
        ]
        if not near:
            return False
        self._doubt(outcome, "accents_differ")
        outcome.candidates = [self._here(child) for child in near]
        outcome.may_be_other = True
        return True

    def _agrees(self, outcome: Outcome, child: KnownChild) -> bool:
        """Whether class or family confirm a name and a birth date, and no number contradicts."""
        row = outcome.row
        if self._contradicts(row, child):
            return False
        place = outcome.place
        if child.class_id is not None and place is not None and place.id == child.class_id:
            return True
        phones = {guardian.phone for guardian in child.guardians}
        names = {guardian.search_key for guardian in child.guardians}
        return any(
            phones & set(relative.phones) or (relative.name and fold(relative.name) in names)
            for relative in row.relatives
        )

    def _contradicts(self, row: PupilRow, child: KnownChild) -> bool:
        """Whether both have a number of one scheme and the numbers differ."""
        return any(
            scheme in (Scheme.PIN, Scheme.MOET) and child.numbers.get(scheme, value) != value
            for scheme, value in row.numbers.items()
        )

    def _here(self, child: KnownChild, *, may_be: bool = True) -> Candidate:
        detail = child.class_name if child.is_here else ""
        free = may_be and child.student_id not in self._claimed
        return Candidate(child.student_id, child.code, child.name, detail, free)

    # Newcomers

    def _read_area(self, outcomes: Sequence[Outcome], waiting: Sequence[Outcome]) -> Area:
        rows = [outcome.row for outcome in waiting]
        # A personal number that a known child is to get may be somebody else's.
        fresh = [
            (Scheme.PIN, outcome.row.numbers[Scheme.PIN])
            for outcome in outcomes
            if outcome.known is not None
            and Scheme.PIN in outcome.row.numbers
            and outcome.row.numbers[Scheme.PIN] != outcome.known.numbers.get(Scheme.PIN)
        ]
        return read_area(
            self._register.school_id,
            codes=[row.code for row in rows if row.code],
            numbers=[*fresh, *((s, v) for row in rows for s, v in row.numbers.items())],
            names=[(fold(row.name), row.birth_date) for row in rows if row.name and row.birth_date],
            today=self._term.today,
        )

    def _newcomer(self, outcome: Outcome, area: Area) -> None:
        row = outcome.row
        outcome.state = State.NEW
        if row.code is not None and row.code not in area.by_code:
            self._trouble(outcome, C.CODE, row.code, "code_unknown")
            return
        numbered = {area.by_number[key] for key in row.numbers.items() if key in area.by_number}
        if row.code is not None:
            numbered.add(area.by_code[row.code])
        ours = numbered & set(self._register.children)
        if ours:
            # A merged child's old code, or a child whose stay here is known under another number.
            self._claim(outcome, self._register.children[ours.pop()])
            return
        if len(numbered) > 1:
            self._doubt(outcome, "numbers_disagree")
        elif numbered:
            self._known_by_number(outcome, area.children[numbered.pop()])
        elif outcome.choice.startswith("same:"):
            child = area.children.get(int(outcome.choice.removeprefix("same:")))
            if child is not None and not child.school:
                self._returns(outcome, child)
        elif outcome.choice != "other":
            self._known_by_name(outcome, area)

    def _known_by_number(self, outcome: Outcome, child: Elsewhere) -> None:
        if self._is_stranger(outcome.row, child):
            self._doubt(outcome, "number_of_other")
        elif outcome.row.birth_date is not None and outcome.row.birth_date != child.birth_date:
            self._doubt(outcome, "number_other_birth")
        elif child.school:
            self._doubt(outcome, "at_other_school", school=child.school)
        else:
            self._returns(outcome, child)

    def _known_by_name(self, outcome: Outcome, area: Area) -> None:
        row = outcome.row
        if row.name is None or row.birth_date is None:
            return
        pin = row.numbers.get(Scheme.PIN)
        near = [
            area.children[one]
            for one in area.by_name.get((fold(row.name), row.birth_date), ())
            if one not in self._register.children
        ]
        near = [c for c in near if c.key == self._keys[row.seq] and (not pin or not c.pin)]
        if near:
            school = next((child.school for child in near if child.school), "")
            self._doubt(outcome, "same_name_elsewhere", school=school)
            outcome.candidates = [
                # Of a child of another school no more is shown than what the list says already.
                Candidate(c.student_id, "", c.name, c.school, not c.school)
                for c in near
            ]
            outcome.may_be_other = True

    def _returns(self, outcome: Outcome, child: Elsewhere) -> None:
        outcome.elsewhere, outcome.student_id = child, child.student_id
        outcome.notes.append(("known_in_area", {"code": child.code}))

    # Finishing

    def _finish(self, outcome: Outcome, area: Area) -> None:
        if outcome.state is State.DOUBTFUL:
            self._remember(outcome)
            return
        if outcome.known is not None:
            self._compare(outcome, outcome.known, area)
            if not outcome.known.is_here:
                outcome.notes.append(("comes_back", {}))
        elif outcome.elsewhere is not None:
            self._compare_elsewhere(outcome, outcome.elsewhere)
        if outcome.known is None or not outcome.known.is_here:
            self._demand(outcome)
        self._check_numbers(outcome, area)
        self._twice(outcome)

    def _demand(self, outcome: Outcome) -> None:
        """What a child needs to be enrolled."""
        row = outcome.row
        have = {trouble.column for trouble in outcome.troubles}
        born = row.birth_date or (outcome.known and outcome.known.birth_date)
        if outcome.known is None and outcome.elsewhere is None:
            if row.name is None and not have & {C.NAME, C.FAMILY_NAME}:
                self._trouble(outcome, C.NAME, "", "name_missing")
            if row.birth_date is None and not have & {C.BIRTH, C.BIRTH_DAY}:
                self._trouble(outcome, C.BIRTH, "", "birth_missing")
            if row.sex is None and not have & {C.SEX, C.FEMALE, C.MALE}:
                self._trouble(outcome, C.SEX, "", "sex_missing")
        if outcome.place is None and C.CLASS not in have:
            self._trouble(outcome, C.CLASS, "", "class_missing")
        starts = self.first_day_of(outcome)
        if starts > self._term.year_ends:
            self._trouble(outcome, C.STARTS_ON, _day(starts), "starts_after_year")
        elif born and not born < starts:
            self._trouble(outcome, C.STARTS_ON, _day(starts), "starts_before_birth")
        elif born and born.year < starts.year - OLDEST:
            self._trouble(outcome, C.BIRTH, _day(born), "too_old")
        if outcome.known is None:
            self._twin(outcome)

    def first_day_of(self, outcome: Outcome) -> date:
        """The first day of a stay that is to begin."""
        starts = outcome.row.starts_on or self._term.first_day
        if outcome.known is not None and outcome.known.ends_on is not None:
            # Lists of the field keep naming the day a child first came.
            starts = max(starts, outcome.known.ends_on)
        outcome.starts_on = starts
        return starts

    def _twin(self, outcome: Outcome) -> None:
        """Say that somebody shares birth date and phone: usual with twins, worth knowing."""
        row = outcome.row
        if row.birth_date is None:
            return
        phones = {phone for relative in row.relatives for phone in relative.phones}
        for child in self._register.by_birth.get(row.birth_date, ()):
            if phones & {guardian.phone for guardian in child.guardians}:
                outcome.notes.append(("maybe_twin", {"name": child.name}))
                return

    def _check_numbers(self, outcome: Outcome, area: Area) -> None:
        """A personal number belongs to one child of the area."""
        pin = outcome.row.numbers.get(Scheme.PIN)
        if pin is None:
            return
        owner = self._register.by_number.get((Scheme.PIN, pin)) or area.by_number.get(
            (Scheme.PIN, pin)
        )
        if owner is not None and owner != outcome.student_id:
            self._trouble(outcome, C.PIN, pin, "pin_taken")

    def _remember(self, outcome: Outcome) -> tuple[str, str, date | None]:
        row = outcome.row
        here = (f"{self._prefix}{row.number}", self._keys[row.seq], row.birth_date)
        for scheme, value in row.numbers.items():
            if scheme in (Scheme.PIN, Scheme.MOET):
                self._seen.numbers.setdefault((scheme, value), here)
        return here

    def _twice(self, outcome: Outcome) -> None:
        """Rows of one list that tell of one child, or give two children one number."""
        row = outcome.row
        here = (f"{self._prefix}{row.number}", self._keys[row.seq], row.birth_date)
        for scheme, value in row.numbers.items():
            if scheme not in (Scheme.PIN, Scheme.MOET):
                continue
            before = self._seen.numbers.setdefault((scheme, value), here)
            if before is here:
                continue
            if before[1:] == here[1:]:
                self._doubt(outcome, "same_as_row", row=before[0])
            else:
                self._trouble(outcome, _COLUMN_OF[scheme], value, "number_twice", row=before[0])
            return
        if row.name is None or row.birth_date is None or outcome.known is not None:
            return
        pin = row.numbers.get(Scheme.PIN)
        others = self._seen.names.setdefault((here[1], row.birth_date), [])
        unlike = [place for place, other in others if not (pin and other)]
        if unlike and outcome.choice != "other" and outcome.state is State.NEW:
            self._doubt(outcome, "maybe_as_row", row=unlike[0])
            outcome.may_be_other = True
        others.append((here[0], pin))

    # Field by field

    def _compare(self, outcome: Outcome, child: KnownChild, area: Area) -> None:
        row = outcome.row
        if row.name is not None and self._keys[row.seq] != child.key:
            self._change(outcome, IdentityField.FULL_NAME, C.NAME, child.name, row.name, row.name)
        if row.birth_date is not None and row.birth_date != child.birth_date:
            self._change(
                outcome,
                IdentityField.BIRTH_DATE,
                C.BIRTH,
                _day(child.birth_date),
                _day(row.birth_date),
                row.birth_date,
            )
        if row.sex is not None and row.sex is not child.sex:
            self._change(outcome, IdentityField.SEX, C.SEX, child.sex, row.sex, row.sex)
        for scheme, value in row.numbers.items():
            old = child.numbers.get(scheme)
            if old != value:
                column = _COLUMN_OF[scheme]
                self._change(
                    outcome, IdentityField(scheme), column, _masked(old or ""), value, value
                )
        if child.is_here and outcome.place is not None and outcome.place.id != child.class_id:
            # No earlier than the last change of class, which may lie ahead.
            from_day = max(
                self._term.today,
                self._term.year_starts,
                child.starts_on,
                child.placed_on or child.starts_on,
            )
            if from_day > self._term.year_ends:
                self._trouble(outcome, C.CLASS, outcome.place.name, "class_later")
            outcome.changes.append(
                Change(C.CLASS, child.class_name, outcome.place.name, value=from_day)
            )
        self._compare_family(outcome, child)

    def _compare_elsewhere(self, outcome: Outcome, child: Elsewhere) -> None:
        row = outcome.row
        if row.name is not None and self._keys[row.seq] != child.key:
            self._change(outcome, IdentityField.FULL_NAME, C.NAME, child.name, row.name, row.name)
        if row.sex is not None and row.sex is not child.sex:
            self._change(outcome, IdentityField.SEX, C.SEX, child.sex, row.sex, row.sex)

    def _change(
        self,
        outcome: Outcome,
        which: IdentityField,
        column: C,
        old: str | Sex,
        new: str | Sex,
        value: Any,
    ) -> None:
        kept = (outcome.student_id or 0, which) in self._register.hand_made
        outcome.changes.append(
            Change(column, str(old), str(new), kept, kept and column in outcome.ticks, value)
        )

    def _compare_family(self, outcome: Outcome, child: KnownChild) -> None:
        used: set[int] = set()
        phones = {guardian.phone for guardian in child.guardians}
        for relative in outcome.row.relatives:
            if relative.name is None and phones & set(relative.phones):
                continue
            if relative.is_contact and phones & set(relative.phones):
                relative = Relative(relative.relation, relative.name, ())
            present = _present(relative, child.guardians, used)
            if present is not None:
                used.add(present.id)
            wanted = _wanted(relative, present, child.name)
            if wanted is None:
                continue
            name, phone = wanted
            old = f"{present.name} {_ending(present.phone)}".strip() if present else ""
            outcome.changes.append(
                Change(
                    relative.relation,
                    old,
                    f"{name} {phone or ''}".strip(),
                    value=(present.id if present else None, relative.relation, name, phone),
                )
            )
        address = outcome.row.address
        if address and child.guardians:
            known = {fold(guardian.address) for guardian in child.guardians if guardian.address}
            if fold(address) not in known:
                first = child.guardians[0]
                outcome.changes.append(
                    Change(C.ADDRESS, first.address or "", address, value=(first, address))
                )

    def _agree_on_addresses(self, outcomes: Sequence[Outcome]) -> None:
        """Siblings share a guardian; where their rows disagree on it, no address is believed."""
        asked: dict[int, set[str]] = {}
        rows: dict[int, list[Outcome]] = {}
        for outcome in outcomes:
            child = outcome.known
            if child is None or not child.guardians or not outcome.row.address:
                continue
            first = child.guardians[0]
            asked.setdefault(first.id, set()).add(fold(outcome.row.address))
            rows.setdefault(first.id, []).append(outcome)
        for guardian_id, addresses in asked.items():
            if len(addresses) > 1:
                for outcome in rows[guardian_id]:
                    before = len(outcome.changes)
                    outcome.changes = [c for c in outcome.changes if c.field != C.ADDRESS]
                    if len(outcome.changes) < before:
                        outcome.notes.append(("addresses_disagree", {}))

    def _settle(self, outcome: Outcome) -> None:
        if outcome.troubles:
            outcome.state = State.REFUSED
        elif outcome.state is State.DOUBTFUL:
            return
        elif outcome.known is None or not outcome.known.is_here:
            outcome.state = State.NEW
        else:
            outcome.state = State.CHANGED if outcome.made else State.UNCHANGED
        if outcome.state in (State.NEW, State.CHANGED):
            self._look_odd(outcome)

    def _look_odd(self, outcome: Outcome) -> None:
        """What deserves a second look at the paper and is never refused."""
        row, place = outcome.row, outcome.place
        if place is not None and row.birth_date is not None:
            usual = self._term.year_ends.year - 6 - place.grade
            if abs(row.birth_date.year - usual) > ODD_YEARS:
                outcome.notes.append(("odd_age", {"year": usual}))
        pin = row.numbers.get(Scheme.PIN)
        known = outcome.known or outcome.elsewhere
        born, sex = row.birth_date, row.sex or (known.sex if known else None)
        if (
            pin
            and born
            and sex
            and {Oddity.CENTURY_OR_SEX, Oddity.YEAR} & set(oddities(pin, born, sex))
        ):
            outcome.notes.append(("odd_pin", {}))

    def _missing(self, outcomes: Sequence[Outcome]) -> list[KnownChild]:
        named = {outcome.place.id for outcome in outcomes if outcome.place and outcome.place.id} | {
            outcome.known.class_id for outcome in outcomes if outcome.known is not None
        }
        there = set(self._claimed)
        for outcome in outcomes:
            there |= {candidate.student_id for candidate in outcome.candidates}
        return [
            child
            for child in self._register.children.values()
            if child.is_here and child.student_id not in there and child.class_id in named
        ]


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _masked(number: str) -> str:
    keep = (3, 4) if len(number) >= 9 else (1, 2) if len(number) >= 5 else (0, 1)
    return number[: keep[0]] + "*" * (len(number) - sum(keep)) + number[len(number) - keep[1] :]


def _ending(phone: str | None) -> str:
    return f"••• ••• {phone[-4:]}" if phone else ""


def _present(
    relative: Relative, guardians: Sequence[KnownGuardian], used: set[int]
) -> KnownGuardian | None:
    """Which recorded guardian a named one is: the same name, else the same tie, else the phone."""
    free = [guardian for guardian in guardians if guardian.id not in used]
    folded = fold(relative.name) if relative.name else None
    ways = (
        lambda g: folded is not None and g.search_key == folded,
        lambda g: folded is None and g.phone in relative.phones,
        lambda g: g.relation == relative.relation,
    )
    return next((g for way in ways for g in free if way(g)), None)


def _wanted(
    relative: Relative, present: KnownGuardian | None, child_name: str
) -> tuple[str, str | None] | None:
    """Name and phone a guardian should have, or None where nothing changes."""
    phone = next(iter(relative.phones), None)
    if present is None:
        return relative.name or f"{FAMILY_OF} {child_name}"[:120], phone
    same_name = relative.name is None or fold(relative.name) == present.search_key
    same_phone = not relative.phones or present.phone in relative.phones
    if same_name and same_phone:
        return None
    name = present.name if same_name else relative.name or present.name
    return name, present.phone if same_phone else phone
