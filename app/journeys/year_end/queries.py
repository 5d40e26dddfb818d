"""The rehearsal of all schools at once, and what one school's pages show; set-based throughout."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core.db import DAY, MOMENT, row, rows, scalar
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.journeys.year_end.errors import NotTurned, NoYear
from app.journeys.year_end.plan import (
    Layout,
    NextClass,
    OldClass,
    Outcome,
    last_grade,
    lay_out,
    next_name,
)
from app.people.schools import Level, Year, year_of, years
from app.people.students.queries import natural

#: How often the rest is asked in one list.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Pair:
    """The year that ends and the one that begins, when it is open already."""

    old: Year
    new: Year | None

    @property
    def day(self) -> date:
        """The first day of the new year; the summer belongs to the old one."""
        return self.new.starts_on if self.new else self.old.ends_on + timedelta(days=1)

    @property
    def first_month(self) -> Period:
        """The first month billed for the new year."""
        return Period.of(self.day)


def pair_of(schools: Collection[int], today: date, code: str = "") -> Pair:
    """The years to turn: those asked for, else an older one with children left, else today's.

    NoYear when no year was ever opened.
    """
    known = years()
    current = year_of(today) or next(iter(known), None)
    if current is None:
        raise NoYear
    asked = next((year for year in known if year.code == code), None)
    old = asked or _left_behind(schools, current) or current
    new = next((year for year in known if year.starts_on > old.starts_on), None)
    return Pair(old, new)


def _left_behind(schools: Collection[int], current: Year) -> Year | None:
    """The year before, while children of these schools still sit in its classes."""
    before = [year for year in years() if year.starts_on < current.starts_on]
    if not before or not schools:
        return None
    left = scalar(
        "select count(*) from classes c where c.school_id in :schools"
        " and c.school_year_id = :year and exists (select 1 from placements p"
        "  where p.school_id = c.school_id and p.class_id = c.id"
        "  and (p.ends_on is null or p.ends_on > :day))",
        schools=list(schools),
        year=before[-1].id,
        day=current.starts_on,
    )
    return before[-1] if left else None


# What stops a school, and what it should know


@dataclass(frozen=True, slots=True)
class Hint:
    """Something to mend before the turn, or to know; `figures` are the numbers of its sentence."""

    kind: str
    figures: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """An act of turning, standing or undone."""

    id: int
    school_id: int
    seq: int
    starts_on: date
    turned_by: str
    turned_at: datetime
    undone_by: str | None
    undone_at: datetime | None


#: Asked for more blockers: given the schools and the first day of the new year, says how many open
#: matters each school has. Rooms this one may not import are tied on by the wiring.
OpenMatters = Callable[[Collection[int], date], Mapping[int, int]]
_open_transfers: list[OpenMatters] = []


def ask_for_open_transfers(source: OpenMatters) -> None:
    """Let a room above or beside say which schools have transfers that are not finished."""
    if source not in _open_transfers:
        _open_transfers.append(source)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One school at the end of a year: what would happen, what stops it, what it should know."""

    school_id: int
    level: Level
    pair: Pair
    classes: tuple[OldClass, ...]
    layout: Layout
    #: children actually seated in each class of next year, by its number
    seated: Mapping[int, int]
    entering: tuple[str, ...]
    unplaced: int
    drafts: int
    unbilled: tuple[Period, ...]
    transfers: int
    debts: Vnd
    credits: Vnd
    ending_exemptions: int
    #: children who wait for the decision after the summer, once turned
    retests: int
    is_new_year_billed: bool
    turn: Turn | None
    was_undone: bool
    has_begun: bool
    is_over: bool

    @property
    def children(self) -> int:
        """The children of the old year's classes."""
        return sum(c.children for c in self.classes)

    @property
    def undecided(self) -> int:
        """Children whose outcome nobody has entered."""
        return sum(c.undecided for c in self.classes)

    @property
    def decided(self) -> int:
        """Children with an outcome."""
        return self.children - self.undecided

    @property
    def waiting(self) -> int:
        """Children still in the old year although the school is turned."""
        return sum(c.waiting for c in self.classes)

    def of(self, *outcomes: str) -> int:
        """How many children have one of these outcomes."""
        return sum(c.of(*(Outcome(outcome) for outcome in outcomes)) for c in self.classes)

    @property
    def next_classes(self) -> list[NextClass]:
        """The classes of next year by grade and name."""
        return sorted(self.layout.classes, key=lambda c: (c.grade, natural(c.name)))

    @property
    def to_open(self) -> int:
        """Classes of next year that the turn will open."""
        return sum(1 for c in self.layout.classes if not c.class_id)

    @property
    def blockers(self) -> list[Hint]:
        """What must be mended first, the widest first."""
        found = []
        if self.pair.new is None:
            found.append(Hint("no_year"))
        if not self.has_begun:
            found.append(Hint("future", (self.pair.old.starts_on,)))
        if not self.classes:
            found.append(Hint("no_class"))
        if self.unplaced:
            found.append(Hint("unplaced", (self.unplaced,)))
        if self.undecided:
            open_classes = sum(1 for c in self.classes if c.undecided)
            found.append(Hint("undecided", (self.undecided, open_classes)))
        if self.layout.nameless:
            found.append(Hint("nameless", self.layout.nameless))
        if self.layout.clashes:
            found.append(Hint("clash", self.layout.clashes))
        if self.transfers:
            found.append(Hint("transfers", (self.transfers,)))
        if self.drafts:
            found.append(Hint("drafts", (self.drafts,)))
        if self.unbilled:
            found.append(Hint("unbilled", self.unbilled))
        return found

    @property
    def warnings(self) -> list[Hint]:
        """What a school should know, and may leave as it is."""
        found = []
        if not self.is_over and self.turn is None:
            found.append(Hint("early", (self.pair.old.ends_on,)))
        if self.is_new_year_billed and self.turn is None:
            found.append(Hint("billed"))
        if self.debts > ZERO:
            found.append(Hint("debts", (self.debts,)))
        if self.credits > ZERO:
            found.append(Hint("credits", (self.credits,)))
        if self.ending_exemptions:
            found.append(Hint("exemptions", (self.ending_exemptions,)))
        waits = self.retests if self.turn else self.of(Outcome.RETEST)
        if waits:
            found.append(Hint("retests", (waits,)))
        return found

    @property
    def state(self) -> str:
        """turned, ready, undone, blocked or untouched."""
        if self.turn is not None and not self.waiting:
            return "turned"
        if not self.blockers:
            return "ready"
        if self.was_undone:
            return "undone"
        return "blocked" if self.decided or self.turn else "untouched"

    @property
    def may_undo(self) -> bool:
        """Whether the standing turn can still be taken back."""
        return self.turn is not None and not self.is_new_year_billed


#: A child of the old year whom nobody has turned: its class goes on over the first day.
ROSTER = """
roster as (
  select c.school_id, c.id as class_id, c.grade, e.id as enrolment_id, e.student_id,
         p.id as placement_id, p.ends_on as placement_ends_on, e.ends_on as stay_ends_on,
         e.end_reason as stay_end_reason, o.outcome
  from classes c
  join placements p on p.school_id = c.school_id and p.class_id = c.id
   and p.starts_on < :day and (p.ends_on is null or p.ends_on > :day)
  join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id
   and (e.ends_on is null or e.ends_on > :day)
  left join year_outcomes o on o.school_id = e.school_id and o.school_year_id = :old
   and o.enrolment_id = e.id
  where c.school_year_id = :old and c.school_id in :schools
)"""


def rehearse(schools: Collection[int], pair: Pair, today: date) -> dict[int, Rehearsal]:
    """What the turn of the year would do at each school, in a dozen queries for all together."""
    numbers = sorted(schools)
    if not numbers:
        return {}
    levels = {
        s.id: Level(s.level)
        for s in rows("select id, level from schools where id in :schools", schools=numbers)
    }
    turns, undone = _turns(numbers, pair.old.id)
    roster = rows(
        f"with {ROSTER} select school_id, class_id, outcome, count(*) as n from roster"
        " group by school_id, class_id, outcome",
        schools=numbers,
        old=pair.old.id,
        day=pair.day,
    )
    turned = rows(
        "select i.school_id, i.class_id, i.outcome, count(*) as n,"
        " sum(case when i.outcome = 'retest' and i.decision is null and exists (select 1"
        "  from enrolments e where e.school_id = i.school_id and e.id = i.enrolment_id"
        "  and e.ends_on is null) then 1 else 0 end) as waits"
        " from year_turn_items i join year_turns t on t.school_id = i.school_id"
        "  and t.id = i.turn_id and t.undone_at is null and t.school_year_id = :old"
        " where i.school_id in :schools group by i.school_id, i.class_id, i.outcome",
        schools=numbers,
        old=pair.old.id,
    )
    found = _Found(
        levels=levels,
        turns=turns,
        undone=undone,
        counts=_counts(roster, turned),
        retests=_sums((t.school_id, int(t.waits)) for t in turned),
        classes=_classes(numbers, pair.old.id),
        entering=_entering(numbers, pair.old.id),
        opened=_opened(numbers, pair),
        seated=_seated(numbers, pair),
        unplaced=_by_school(
            "select e.school_id, count(*) as n from enrolments e where e.school_id in :schools"
            " and e.starts_on < :day and (e.ends_on is null or e.ends_on > :day)"
            " and not exists (select 1 from placements p where p.school_id = e.school_id"
            "  and p.enrolment_id = e.id and (p.ends_on is null or p.ends_on > :day))"
            " group by e.school_id",
            schools=numbers,
            day=pair.day,
        ),
        drafts=_by_school(
            "select school_id, count(*) as n from billing_runs where school_id in :schools"
            " and issued_at is null and billed_period < :first group by school_id",
            schools=numbers,
            first=pair.first_month.number,
        ),
        billed=_by_school(
            "select school_id, count(*) as n from billing_runs where school_id in :schools"
            " and issued_at is not null and billed_period >= :first group by school_id",
            schools=numbers,
            first=pair.first_month.number,
        ),
        unbilled=_unbilled(numbers, pair.old.id),
        transfers=_sums(
            pair_ for source in _open_transfers for pair_ in source(numbers, pair.day).items()
        ),
        balances=_balances(numbers),
        exemptions=_by_school(
            "select x.school_id, count(distinct x.enrolment_id) as n from exemptions x"
            " join enrolments e on e.school_id = x.school_id and e.id = x.enrolment_id"
            "  and (e.ends_on is null or e.ends_on > :day)"
            " where x.school_id in :schools and x.last_period >= :last and x.last_period < :first"
            " group by x.school_id",
            schools=numbers,
            day=pair.day,
            last=Period.of(pair.old.ends_on).number,
            first=pair.first_month.number,
        ),
    )
    return {number: _rehearsal(number, pair, found, today) for number in numbers}


def rehearse_one(school_id: int, pair: Pair, today: date) -> Rehearsal:
    """The rehearsal of one school."""
    return rehearse([school_id], pair, today)[school_id]


@dataclass(frozen=True, slots=True)
class _Found:
    levels: Mapping[int, Level]
    turns: Mapping[int, Turn]
    undone: Collection[int]
    counts: Mapping[tuple[int, int], tuple[dict[Outcome, int], int, int]]
    retests: Mapping[int, int]
    classes: Mapping[int, list[Any]]
    entering: Mapping[int, list[str]]
    opened: Mapping[int, dict[str, tuple[int, int]]]
    seated: Mapping[int, dict[int, int]]
    unplaced: Mapping[int, int]
    drafts: Mapping[int, int]
    billed: Mapping[int, int]
    unbilled: Mapping[int, list[Period]]
    transfers: Mapping[int, int]
    balances: Mapping[tuple[int, str], Vnd]
    exemptions: Mapping[int, int]


def _rehearsal(school_id: int, pair: Pair, found: _Found, today: date) -> Rehearsal:
    level = found.levels[school_id]
    turn = found.turns.get(school_id)
    classes = []
    for c in found.classes.get(school_id, []):
        outcomes, undecided, rest = found.counts.get((school_id, c.id), ({}, 0, 0))
        classes.append(
            OldClass(
                id=c.id,
                name=c.name,
                grade=c.grade,
                next_name=c.planned
                or ("" if c.grade == last_grade(level) else next_name(c.name, c.grade)),
                is_named_by_hand=c.planned is not None,
                outcomes=outcomes,
                undecided=undecided,
                waiting=rest if turn else 0,
            )
        )
    classes.sort(key=lambda c: (c.grade, natural(c.name)))
    entering = found.entering.get(school_id) or _usual_entering(classes)
    return Rehearsal(
        school_id=school_id,
        level=level,
        pair=pair,
        classes=tuple(classes),
        layout=lay_out(level, classes, entering, found.opened.get(school_id, {})),
        seated=found.seated.get(school_id, {}),
        entering=tuple(entering),
        unplaced=found.unplaced.get(school_id, 0),
        drafts=found.drafts.get(school_id, 0),
        unbilled=tuple(found.unbilled.get(school_id, ())),
        transfers=found.transfers.get(school_id, 0),
        debts=found.balances.get((school_id, "receivable"), ZERO),
        credits=-found.balances.get((school_id, "credit"), ZERO),
        ending_exemptions=found.exemptions.get(school_id, 0),
        retests=found.retests.get(school_id, 0),
        is_new_year_billed=bool(found.billed.get(school_id)),
        turn=turn,
        was_undone=school_id in found.undone,
        has_begun=today >= pair.old.starts_on,
        is_over=today > pair.old.ends_on,
    )


def _usual_entering(classes: list[OldClass]) -> list[str]:
    """As many classes for new children as there are now in the lowest grade, called the same."""
    lowest = min((c.grade for c in classes), default=0)
    return [c.name for c in classes if c.grade == lowest]


def _counts(roster: Any, turned: Any) -> dict[tuple[int, int], tuple[dict[Outcome, int], int, int]]:
    """By school and class: children by outcome, without one, and not yet turned."""
    outcomes: dict[tuple[int, int], dict[Outcome, int]] = {}
    undecided: dict[tuple[int, int], int] = {}
    rest: dict[tuple[int, int], int] = {}
    for group in roster:
        key = (group.school_id, group.class_id)
        rest[key] = rest.get(key, 0) + int(group.n)
        if group.outcome is None:
            undecided[key] = undecided.get(key, 0) + int(group.n)
        else:
            of = outcomes.setdefault(key, {})
            of[Outcome(group.outcome)] = of.get(Outcome(group.outcome), 0) + int(group.n)
    for group in turned:
        of = outcomes.setdefault((group.school_id, group.class_id), {})
        of[Outcome(group.outcome)] = of.get(Outcome(group.outcome), 0) + int(group.n)
    return {
        key: (outcomes.get(key, {}), undecided.get(key, 0), rest.get(key, 0))
        for key in {*outcomes, *undecided}
    }


def _sums(pairs: Any) -> dict[int, int]:
    total: dict[int, int] = {}
    for school_id, n in pairs:
        total[school_id] = total.get(school_id, 0) + n
    return total


def _by_school(sql: str, **values: Any) -> dict[int, int]:
    return {found.school_id: int(found.n) for found in rows(sql, **values)}


def _turns(schools: list[int], year_id: int) -> tuple[dict[int, Turn], set[int]]:
    """The standing turn of each school, and the schools with one that was taken back."""
    found = rows(
        "select id, school_id, seq, starts_on, turned_by, turned_at, undone_by, undone_at"
        " from year_turns where school_id in :schools and school_year_id = :year order by seq",
        types={"starts_on": DAY, "turned_at": MOMENT, "undone_at": MOMENT},
        schools=schools,
        year=year_id,
    )
    turns = [Turn(*turn) for turn in found]
    return (
        {turn.school_id: turn for turn in turns if turn.undone_at is None},
        {turn.school_id for turn in turns if turn.undone_at is not None},
    )


def _classes(schools: list[int], year_id: int) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for c in rows(
        "select c.school_id, c.id, c.name, c.grade, p.name as planned from classes c"
        " left join year_class_plans p on p.school_id = c.school_id and p.class_id = c.id"
        "  and p.school_year_id = c.school_year_id"
        " where c.school_year_id = :year and c.school_id in :schools",
        year=year_id,
        schools=schools,
    ):
        found.setdefault(c.school_id, []).append(c)
    return found


def _entering(schools: list[int], year_id: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for plan in rows(
        "select school_id, name from year_class_plans where school_year_id = :year"
        " and class_id is null and school_id in :schools order by id",
        year=year_id,
        schools=schools,
    ):
        found.setdefault(plan.school_id, []).append(plan.name)
    return found


def _opened(schools: list[int], pair: Pair) -> dict[int, dict[str, tuple[int, int]]]:
    found: dict[int, dict[str, tuple[int, int]]] = {}
    if pair.new is not None:
        for c in rows(
            "select school_id, id, name, grade from classes where school_year_id = :year"
            " and school_id in :schools order by id",
            year=pair.new.id,
            schools=schools,
        ):
            found.setdefault(c.school_id, {})[c.name] = (c.grade, c.id)
    return found


def _seated(schools: list[int], pair: Pair) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = {}
    if pair.new is not None:
        for c in rows(
            "select p.school_id, p.class_id, count(*) as n from classes c join placements p"
            " on p.school_id = c.school_id and p.class_id = c.id and p.ends_on is null"
            " where c.school_year_id = :year and c.school_id in :schools"
            " group by p.school_id, p.class_id",
            year=pair.new.id,
            schools=schools,
        ):
            found.setdefault(c.school_id, {})[c.class_id] = int(c.n)
    return found


def _unbilled(schools: list[int], year_id: int) -> dict[int, list[Period]]:
    """Priced months of the year without bills; those before a school's first bill do not count."""
    found: dict[int, list[Period]] = {}
    for month in rows(
        "select distinct p.school_id, p.period from schedule_prices p"
        " join fee_schedules f on f.school_id = p.school_id and f.id = p.schedule_id"
        "  and f.state = 'approved' and f.school_year_id = :year"
        " where p.school_id in :schools and p.period > (select min(r.billed_period)"
        "  from billing_runs r where r.school_id = p.school_id and r.issued_at is not null)"
        " and not exists (select 1 from billing_runs r where r.school_id = p.school_id"
        "  and r.billed_period = p.period and r.issued_at is not null)"
        " order by p.school_id, p.period",
        year=year_id,
        schools=schools,
    ):
        found.setdefault(month.school_id, []).append(Period.from_number(int(month.period)))
    return found


def _balances(schools: list[int]) -> dict[tuple[int, str], Vnd]:
    # From the covering indexes alone: half a million entries are never touched.
    found = rows(
        "select a.school_id, a.code, coalesce((select sum(e.amount) from entries e"
        "  where e.school_id = a.school_id and e.debit_id = a.id), 0)"
        " - coalesce((select sum(e.amount) from entries e"
        "  where e.school_id = a.school_id and e.credit_id = a.id), 0) as balance"
        " from accounts a where a.school_id in :schools and a.code in ('receivable', 'credit')",
        schools=schools,
    )
    return {(a.school_id, a.code): Vnd(int(a.balance)) for a in found}


# One school


@dataclass(frozen=True, slots=True)
class ClassChild:
    """A child of a class with what was entered for it."""

    enrolment_id: int
    student_id: int
    code: str
    full_name: str
    birth_date: date
    sex: str
    outcome: Outcome | None
    class_name: str = ""


def children_of_class(school_id: int, class_id: int, pair: Pair) -> list[ClassChild]:
    """The children of a class whom nobody has turned, in the order of the register."""
    found = rows(
        f"with {ROSTER} select r.enrolment_id, r.student_id, s.code, s.full_name, s.birth_date,"
        " s.sex, r.outcome from roster r join students s on s.id = r.student_id"
        " where r.class_id = :class_id order by s.sort_key, s.code",
        types={"birth_date": DAY},
        schools=[school_id],
        old=pair.old.id,
        day=pair.day,
        class_id=class_id,
    )
    return [
        ClassChild(
            c.enrolment_id,
            c.student_id,
            c.code,
            c.full_name,
            c.birth_date,
            c.sex,
            Outcome(c.outcome) if c.outcome else None,
        )
        for c in found
    ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A child whose test after the summer is not decided."""

    enrolment_id: int
    code: str
    full_name: str
    old_class: str
    old_grade: int
    now_class: str | None


def waiting_retests(school_id: int, pair: Pair) -> list[Waiting]:
    """Those whom the standing turn left in their grade until the test is decided."""
    found = rows(
        "select i.enrolment_id, s.code, s.full_name, c.name as old_class, c.grade as old_grade,"
        " n.name as now_class from year_turn_items i"
        " join year_turns t on t.school_id = i.school_id and t.id = i.turn_id"
        "  and t.undone_at is null and t.school_year_id = :old"
        " join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        "  and e.ends_on is null"
        " join students s on s.id = e.student_id"
        " join classes c on c.school_id = i.school_id and c.id = i.class_id"
        " left join placements p on p.school_id = i.school_id and p.enrolment_id = i.enrolment_id"
        "  and p.ends_on is null"
        " left join classes n on n.school_id = p.school_id and n.id = p.class_id"
        " where i.school_id = :school_id and i.outcome = 'retest' and i.decision is null"
        " order by c.grade, c.name, s.sort_key",
        school_id=school_id,
        old=pair.old.id,
    )
    return [Waiting(*child) for child in found]


@dataclass(frozen=True, slots=True)
class Owing:
    """What one child's family still owes, or the school holds for it."""

    code: str
    full_name: str
    class_name: str
    outcome: str
    debt: Vnd
    credit: Vnd


def leaving_money(school_id: int, pair: Pair) -> list[Owing]:
    """Debts and credits of children who finish or leave; nothing of it moves (decision M13)."""
    found = rows(
        f"with {ROSTER}, going as (select r.student_id, r.class_id,"
        "  coalesce(r.outcome, 'finished') as outcome from roster r"
        "  join schools k on k.id = r.school_id"
        "  where r.outcome in ('finished', 'moves', 'leaves') or (r.outcome is null"
        "   and r.grade = case k.level when 'nursery' then 0 when 'primary' then 5 else 9 end)"
        "  union select e.student_id, i.class_id, coalesce(i.decision, i.outcome)"
        "  from year_turn_items i join year_turns t on t.school_id = i.school_id"
        "   and t.id = i.turn_id and t.undone_at is null and t.school_year_id = :old"
        "  join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        "  where i.school_id = :school_id"
        "  and coalesce(i.decision, i.outcome) in ('finished', 'moves', 'leaves')),"
        " sums as (select coalesce(x.merged_into_id, x.id) as student_id,"
        "  sum(case when a.code <> 'receivable' then 0 when e.debit_id = a.id then e.amount"
        "   else -e.amount end) as debt,"
        "  sum(case when a.code <> 'credit' then 0 when e.credit_id = a.id then e.amount"
        "   else -e.amount end) as credit"
        "  from accounts a join entries e on e.school_id = a.school_id"
        "   and a.id in (e.debit_id, e.credit_id)"
        "  join students x on x.id = e.student_id"
        "  where a.school_id = :school_id and a.code in ('receivable', 'credit')"
        "  group by coalesce(x.merged_into_id, x.id))"
        " select s.code, s.full_name, c.name as class_name, g.outcome, m.debt, m.credit"
        " from going g join sums m on m.student_id = g.student_id"
        "  and (m.debt <> 0 or m.credit <> 0)"
        " join students s on s.id = g.student_id join classes c on c.id = g.class_id"
        " order by m.debt desc, s.sort_key",
        school_id=school_id,
        schools=[school_id],
        old=pair.old.id,
        day=pair.day,
    )
    return [
        Owing(o.code, o.full_name, o.class_name, o.outcome, Vnd(int(o.debt)), Vnd(int(o.credit)))
        for o in found
    ]


def standing_turn(school_id: int, year_id: int) -> Turn:
    """The standing turn of a school and year, or NotTurned."""
    turns, _undone = _turns([school_id], year_id)
    if school_id not in turns:
        raise NotTurned
    return turns[school_id]


def moved_since(school_id: int, turn_id: int) -> int:
    """Children who sit elsewhere in the new year than the turn put them."""
    return int(
        scalar(
            "select count(*) from year_turn_items i where i.school_id = :school_id"
            " and i.turn_id = :turn and i.next_placement_id is not null"
            " and not exists (select 1 from placements p where p.school_id = i.school_id"
            "  and p.enrolment_id = i.enrolment_id and p.class_id = i.next_class_id"
            "  and p.ends_on is null)",
            school_id=school_id,
            turn=turn_id,
        )
    )


def history(school_id: int) -> list[Any]:
    """Every turn of the school with its figures, newest first."""
    return list(
        rows(
            "select t.id, y.code as old_code, n.code as new_code, t.turned_by, t.turned_at,"
            " t.undone_by, t.undone_at, t.undo_reason, (select count(*) from year_turn_items i"
            "  where i.school_id = t.school_id and i.turn_id = t.id) as children"
            " from year_turns t join school_years y on y.id = t.school_year_id"
            " join school_years n on n.id = t.next_year_id where t.school_id = :school_id"
            " order by t.id desc",
            types={"turned_at": MOMENT, "undone_at": MOMENT},
            school_id=school_id,
        )
    )


def class_of_year(school_id: int, class_id: int, year_id: int) -> Any:
    """One class of a year, or None."""
    return row(
        "select id, name, grade from classes where school_id = :school_id and id = :id"
        " and school_year_id = :year",
        school_id=school_id,
        id=class_id,
        year=year_id,
    )
