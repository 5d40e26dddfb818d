"""What may come of a child at the end of a year, and what its class is called the year after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.core.text import fold, nfc
from app.people.schools import Level
from app.people.students.services import GRADES


class Outcome(StrEnum):
    """What a class decides for each child (domain facts 3.5)."""

    PROMOTED = "promoted"
    FINISHED = "finished"
    RETEST = "retest"
    REPEATS = "repeats"
    MOVES = "moves"
    LEAVES = "leaves"


#: One key each, the first letter of the Vietnamese word: Lên lớp, Hoàn thành, Rèn luyện trong hè,
#: Ở lại lớp, Chuyển trường, Thôi học.
LETTERS = {
    Outcome.PROMOTED: "L",
    Outcome.FINISHED: "H",
    Outcome.RETEST: "R",
    Outcome.REPEATS: "O",
    Outcome.MOVES: "C",
    Outcome.LEAVES: "T",
}
#: What a stay that ends carries as its reason.
END_REASONS = {
    Outcome.FINISHED: "finished",
    Outcome.MOVES: "moved",
    Outcome.LEAVES: "stopped",
}
#: Where the children of a level go on within the area.
NEXT_LEVEL = {Level.NURSERY: Level.PRIMARY, Level.PRIMARY: Level.LOWER_SECONDARY}

# How nursery classes are called from the crèche to the oldest, in two habits of the field.
_LADDERS = (("nhà trẻ", "bé", "nhỡ", "lớn"), ("nhà trẻ", "mầm", "chồi", "lá"))
_YOUNGEST = -3


def last_grade(level: Level) -> int:
    """The grade that finishes a level."""
    return GRADES[level][-1]


def usual(level: Level, grade: int) -> Outcome:
    """What nearly every child of a grade does."""
    return Outcome.FINISHED if grade == last_grade(level) else Outcome.PROMOTED


def possible(level: Level, grade: int) -> tuple[Outcome, ...]:
    """What may come of a child of a grade; the usual first."""
    rest = (Outcome.RETEST, Outcome.REPEATS, Outcome.MOVES, Outcome.LEAVES)
    return (usual(level, grade), *rest)


def next_name(name: str, grade: int) -> str:
    """What a class is called a year on: 4/1 → 5/1, 3A2 → 4A2, Nhỡ 2 → Lớn 2; else empty."""
    if grade >= 1:
        turned, count = re.subn(rf"(?<![0-9]){grade}(?![0-9])", str(grade + 1), name, count=1)
        return turned if count else ""
    ages = f"{grade + 5}-{grade + 6}"
    if ages in name:
        return name.replace(ages, f"{grade + 6}-{grade + 7}", 1)
    rung = grade - _YOUNGEST
    for ladder in _LADDERS:
        if not 0 <= rung < len(ladder) - 1:
            continue
        found = re.search(rf"(?<!\w){re.escape(ladder[rung])}(?!\w)", nfc(name), re.I)
        if found and (rung > 0 or ladder is _LADDERS[0]):
            after = ladder[rung + 1]
            if found[0][:1].isupper():
                after = after[:1].upper() + after[1:]
            return nfc(name)[: found.start()] + after + nfc(name)[found.end() :]
    return ""


@dataclass(frozen=True, slots=True)
class OldClass:
    """A class of the year that ends, with its children by outcome."""

    id: int
    name: str
    grade: int
    #: what its promoted children's class will be called; empty where nobody has said
    next_name: str
    #: whether somebody wrote `next_name` by hand
    is_named_by_hand: bool
    outcomes: Mapping[Outcome, int]
    #: children whose outcome nobody has entered
    undecided: int
    #: children not yet turned although the school is
    waiting: int = 0

    @property
    def children(self) -> int:
        """How many sit in it."""
        return sum(self.outcomes.values()) + self.undecided

    def of(self, *outcomes: Outcome) -> int:
        """How many have one of these outcomes."""
        return sum(self.outcomes.get(outcome, 0) for outcome in outcomes)


@dataclass(frozen=True, slots=True)
class NextClass:
    """A class of the year that begins, as the rehearsal fills it."""

    name: str
    grade: int
    #: the classes whose promoted children it takes
    sources: tuple[str, ...]
    promoted: int
    #: repeaters, and those who are tested again in summer and wait in their old grade
    staying: int
    #: 0 while it is not opened
    class_id: int

    @property
    def children(self) -> int:
        """Who will sit in it when nothing changes."""
        return self.promoted + self.staying


@dataclass(frozen=True, slots=True)
class Layout:
    """All classes of the next year, and who cannot be seated."""

    classes: tuple[NextClass, ...]
    #: old classes whose children go on, but nobody knows where to
    nameless: tuple[str, ...]
    #: names that two grades would have to share
    clashes: tuple[str, ...]

    def named(self, name: str) -> NextClass | None:
        """The class of a name."""
        return next((c for c in self.classes if fold(c.name) == fold(name)), None)


def lay_out(
    level: Level,
    old: Iterable[OldClass],
    entering: Iterable[str],
    opened: Mapping[str, tuple[int, int]],
) -> Layout:
    """The classes of next year: where old ones go on to, those that take new children, those open.

    `entering` are the classes of the lowest grade; `opened` maps the names of classes that exist
    already to their grade and number. A child that repeats sits in the class of its old name.
    """
    old = list(old)
    grades: dict[str, int] = {name: grade for name, (grade, _id) in opened.items()}
    names = {fold(name): name for name in grades}
    clashes: list[str] = []

    def want(name: str, grade: int) -> str:
        kept = names.setdefault(fold(name), name)
        if grades.setdefault(kept, grade) != grade:
            clashes.append(kept)
        return kept

    lowest = min((c.grade for c in old), default=GRADES[level][0])
    for name in entering:
        want(name, lowest)
    nameless: list[str] = []
    promoted: dict[str, list[tuple[str, int]]] = {}
    for c in old:
        if c.grade >= last_grade(level):
            continue
        if not c.next_name:
            if c.children:
                nameless.append(c.name)
            continue
        name = want(c.next_name, c.grade + 1)
        # Nobody knows yet of the undecided; they are counted as the class usually goes.
        promoted.setdefault(name, []).append((c.name, c.of(Outcome.PROMOTED) + c.undecided))
    staying: dict[str, int] = {}
    for c in old:
        count = c.of(Outcome.REPEATS, Outcome.RETEST)
        if count:
            name = _same_grade(c, grades, names) or want(c.name, c.grade)
            staying[name] = staying.get(name, 0) + count
    classes = [
        NextClass(
            name=name,
            grade=grade,
            sources=tuple(source for source, _n in promoted.get(name, ())),
            promoted=sum(n for _source, n in promoted.get(name, ())),
            staying=staying.get(name, 0),
            class_id=opened.get(name, (0, 0))[1],
        )
        for name, grade in grades.items()
    ]
    return Layout(tuple(classes), tuple(nameless), tuple(dict.fromkeys(clashes)))


def _same_grade(c: OldClass, grades: Mapping[str, int], names: Mapping[str, str]) -> str | None:
    """Where a child of a class that repeats goes: the same name, else any class of the grade."""
    kept = names.get(fold(c.name))
    if kept is not None and grades[kept] == c.grade:
        return kept
    return next((name for name, grade in sorted(grades.items()) if grade == c.grade), None)


def seat_for_repeating(name: str, grade: int, classes: Iterable[NextClass]) -> NextClass | None:
    """The class of next year in which a child of an old class repeats; as `lay_out` counted."""
    listed = list(classes)
    grades = {c.name: c.grade for c in listed}
    names = {fold(c.name): c.name for c in listed}
    old = OldClass(0, name, grade, "", False, {}, 0)
    found = _same_grade(old, grades, names)
    return next((c for c in listed if c.name == found), None)
