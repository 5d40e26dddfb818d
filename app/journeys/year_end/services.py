"""Preparing the turn of a year, turning it in one act, taking it back, deciding after the summer.

An undo restores placements and stays exactly as they were before the turn. Why this may be done
although a stay only ever ends is argued in `app.people.students.turning`; here it is bounded: the
turn must stand, and no bill of the new year may be out. Nothing of the two acts is forgotten: the
row of the turn keeps who undid it, when and why, its items keep what it had done, and the trail has
both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app import audit
from app.core import clock
from app.core.db import DAY, dialect, execute, own_school, row, rows, savepoint, scalar
from app.core.ids import read_student_code
from app.core.model import db
from app.core.text import nfc
from app.journeys.year_end.errors import (
    BadClassName,
    BadOutcome,
    BadYear,
    NewYearBilled,
    NothingToTurn,
    NotWaiting,
    RehearsalChanged,
    TurnBlocked,
    YearExists,
)
from app.journeys.year_end.models import (
    YearOutcome,
    YearTurn,
    YearTurnClass,
    YearTurnItem,
)
from app.journeys.year_end.plan import (
    END_REASONS,
    LETTERS,
    NEXT_LEVEL,
    NextClass,
    Outcome,
    last_grade,
    possible,
    seat_for_repeating,
)
from app.journeys.year_end.queries import (
    ROSTER,
    Pair,
    Rehearsal,
    class_of_year,
    rehearse_one,
    standing_turn,
)
from app.journeys.year_end.sentences import blocker_text
from app.people import students
from app.people.schools import Level, years
from app.people.schools.services import open_year
from app.people.students.errors import ClassNotFound
from app.people.students.turning import Step, StepBack, step_back, take_steps

CHUNK = 500


# The year itself


def open_next_year(
    pair: Pair, *, starts_on: date, ends_on: date, actor: audit.Actor, now: datetime
) -> int:
    """Open the school year after the one that ends, for the whole area; its id.

    Refuses when there is one, and days that cannot be right. The caller commits.
    """
    if pair.new is not None or any(y.starts_on > pair.old.starts_on for y in years()):
        raise YearExists
    if not pair.old.ends_on < starts_on:
        raise BadYear(
            _("The new year begins after %(day)s.", day=pair.old.ends_on.strftime("%d/%m/%Y"))
        )
    if not 150 <= (ends_on - starts_on).days <= 366:
        raise BadYear(_("A school year has between 150 and 366 days. Check both days."))
    if not 0 < (starts_on - pair.old.starts_on).days <= 500:
        raise BadYear(_("The new year begins too late to follow the old one."))
    code = f"{starts_on.year}-{starts_on.year + 1}"
    return open_year(code, starts_on=starts_on, ends_on=ends_on, actor=actor, now=now)


# Preparing


def set_outcomes(
    school_id: int,
    class_id: int,
    outcomes: Mapping[int, Outcome],
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Write what a class entered, by enrolment; how many were new or different.

    Refuses an outcome the grade does not have, and a child that is not in the class any more or was
    turned already. The caller commits.
    """
    place = class_of_year(school_id, class_id, pair.old.id)
    if place is None:
        raise ClassNotFound
    level = Level(scalar("select level from schools where id = :school_id", school_id=school_id))
    if any(outcome not in possible(level, place.grade) for outcome in outcomes.values()):
        raise BadOutcome(_("A pupil of class %(name)s cannot end the year so.", name=place.name))
    now_known = {
        child.enrolment_id: child.outcome
        for child in rows(
            f"with {ROSTER} select enrolment_id, outcome from roster where class_id = :class_id",
            schools=[school_id],
            old=pair.old.id,
            day=pair.day,
            class_id=class_id,
        )
    }
    if set(outcomes) - set(now_known):
        raise BadOutcome(
            _(
                "Class %(name)s has changed since you opened it. Look at the list again, then"
                " enter what is missing.",
                name=place.name,
            )
        )
    changed = {e: o for e, o in outcomes.items() if now_known[e] != o}
    for enrolment_id, outcome in changed.items():
        execute(
            "insert into year_outcomes"
            " (school_id, school_year_id, enrolment_id, outcome, decided_by, decided_at)"
            f" values (:school_id, :year, :enrolment, :outcome, :actor, {_moment('now')})"
            " on conflict (school_id, school_year_id, enrolment_id) do update set"
            " outcome = excluded.outcome, decided_by = excluded.decided_by,"
            " decided_at = excluded.decided_at",
            school_id=school_id,
            year=pair.old.id,
            enrolment=enrolment_id,
            outcome=str(outcome),
            actor=actor.name,
            now=now,
        )
    if changed:
        audit.record(
            "year.enter_outcomes",
            f"class:{class_id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=", ".join(f"{e}={o}" for e, o in sorted(changed.items()))[:400],
        )
    return len(changed)


def set_outcomes_by_code(
    school_id: int,
    lines: Sequence[tuple[int, str, str]],
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Enter outcomes from a list, all or none; how many were new or different.

    A line is its number, a pupil's code and a letter. Refuses the list when one line names no pupil
    of the old year, no letter, or an outcome the grade does not have; the message tells which. The
    caller commits.
    """
    level = Level(scalar("select level from schools where id = :school_id", school_id=school_id))
    known = {
        child.code: child
        for child in rows(
            f"with {ROSTER} select s.code, r.enrolment_id, r.class_id, r.grade from roster r"
            " join students s on s.id = r.student_id",
            schools=[school_id],
            old=pair.old.id,
            day=pair.day,
        )
    }
    by_letter = {letter: outcome for outcome, letter in LETTERS.items()}
    by_class: dict[int, dict[int, Outcome]] = {}
    wrong: list[str] = []
    for number, code, letter in lines:
        child = known.get(read_student_code(code) or "")
        outcome = by_letter.get(letter.upper())
        if child is None:
            wrong.append(_("line %(n)s: no pupil %(code)s", n=number, code=code))
        elif outcome is None or outcome not in possible(level, child.grade):
            wrong.append(_("line %(n)s: no letter %(letter)s here", n=number, letter=letter or "–"))
        else:
            by_class.setdefault(child.class_id, {})[child.enrolment_id] = outcome
    if wrong or not by_class:
        told = "; ".join(wrong[:20]) + ("; …" if len(wrong) > 20 else "")
        raise BadOutcome(
            _("Nothing was taken. %(lines)s.", lines=told)
            if wrong
            else _("The list is empty. Paste two columns: pupil code and letter.")
        )
    return sum(
        set_outcomes(school_id, class_id, outcomes, pair=pair, actor=actor, now=now)
        for class_id, outcomes in by_class.items()
    )


def take_usual_outcomes(school_id: int, *, pair: Pair, actor: audit.Actor, now: datetime) -> int:
    """Enter the usual outcome for every child that has none: promoted, in the last grade finished.

    How many were entered. The caller commits.
    """
    level = Level(scalar("select level from schools where id = :school_id", school_id=school_id))
    missing = rows(
        f"with {ROSTER} select enrolment_id, grade from roster where outcome is null",
        schools=[school_id],
        old=pair.old.id,
        day=pair.day,
    )
    if missing:
        db.session.execute(
            insert(YearOutcome),
            [
                {
                    "school_id": school_id,
                    "school_year_id": pair.old.id,
                    "enrolment_id": child.enrolment_id,
                    "outcome": possible(level, child.grade)[0],
                    "decided_by": actor.name,
                    "decided_at": now,
                }
                for child in missing
            ],
        )
        audit.record(
            "year.take_usual_outcomes",
            f"year:{pair.old.id}",
            actor=actor,
            school_id=school_id,
            now=now,
            cause=f"pupils:{len(missing)}",
        )
    return len(missing)


def name_next_classes(
    school_id: int,
    names: Mapping[int, str],
    entering: Sequence[str] | None,
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write how classes go on, by the old class, and which classes take new children.

    An empty name, or `entering` None, goes back to what is usual. Refuses names that are too long
    and names that two grades would share. The caller commits.
    """
    rehearsal = rehearse_one(school_id, pair, clock.local_day(now))
    known = {c.id: c for c in rehearsal.classes}
    if set(names) - set(known):
        raise ClassNotFound
    tidy = {class_id: " ".join(nfc(name).split()) for class_id, name in names.items()}
    listed = None if entering is None else [" ".join(nfc(name).split()) for name in entering]
    for name in (*tidy.values(), *(listed or ())):
        if len(name) > 24:
            raise BadClassName(_("A class name has 1 to 24 letters."))
    execute(
        "delete from year_class_plans where school_id = :school_id and school_year_id = :year",
        school_id=school_id,
        year=pair.old.id,
    )
    # Names equal to the usual one are not kept, so that they follow when the class is renamed.
    usual = {c.id: c for c in rehearse_one(school_id, pair, clock.local_day(now)).classes}
    written: list[tuple[int | None, str]] = [
        (class_id, name)
        for class_id, name in tidy.items()
        if name and name != usual[class_id].next_name
    ]
    if listed is not None:
        lowest = min((c.grade for c in rehearsal.classes), default=0)
        if listed != [c.name for c in rehearsal.classes if c.grade == lowest]:
            written += [(None, name) for name in dict.fromkeys(listed) if name]
    for class_id, name in written:
        execute(
            "insert into year_class_plans (school_id, school_year_id, class_id, name)"
            " values (:school_id, :year, :class_id, :name)",
            school_id=school_id,
            year=pair.old.id,
            class_id=class_id,
            name=name,
        )
    after = rehearse_one(school_id, pair, clock.local_day(now))
    if after.layout.clashes:
        raise BadClassName(
            _(
                "Two grades cannot share the class %(name)s. Give one of them another name.",
                name=after.layout.clashes[0],
            )
        )
    audit.record(
        "year.name_classes",
        f"year:{pair.old.id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=", ".join(name for _class, name in written)[:400],
    )


# The turn


@dataclass(frozen=True, slots=True)
class Turned:
    """What one act of turning did."""

    turn_id: int
    children: int
    promoted: int
    staying: int
    finished: int
    leaving: int
    opened: int


def turn_year(
    school_id: int,
    *,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
    expected: int | None = None,
) -> Turned:
    """Take a school over into the next year, in one act.

    Opens the missing classes of next year, ends the placements of the old year on the first day of
    the new one, seats promoted and repeating children, ends the stays of those who finish or leave.
    Whatever was before that day stays as it is. On a school that is turned already it takes over
    the children who came since. Refuses while anything blocks, when nobody is left, and when
    `expected` children were agreed to and the number is another. Locks the school. The caller
    commits.
    """
    own_school(school_id)
    rehearsal = rehearse_one(school_id, pair, clock.local_day(now))
    if rehearsal.blockers:
        raise TurnBlocked(blocker_text(rehearsal.blockers[0]))
    new = pair.new
    assert new is not None  # noqa: S101 - a missing year is a blocker
    roster = rows(
        f"with {ROSTER} select r.*, c.name as class_name, s.sort_key from roster r"
        " join classes c on c.id = r.class_id join students s on s.id = r.student_id"
        " order by r.grade, c.name, s.sort_key, s.code",
        types={"placement_ends_on": DAY, "stay_ends_on": DAY},
        schools=[school_id],
        old=pair.old.id,
        day=pair.day,
    )
    if not roster:
        raise NothingToTurn
    if expected is not None and expected != len(roster):
        raise RehearsalChanged
    turn_id = rehearsal.turn.id if rehearsal.turn else _begin_turn(school_id, pair, actor, now)
    opened = _open_missing(school_id, turn_id, rehearsal, actor, now)
    rehearsal = rehearse_one(school_id, pair, clock.local_day(now))
    seats = _Seats(rehearsal)
    steps = [
        Step(
            enrolment_id=child.enrolment_id,
            placement_id=child.placement_id,
            class_id=seats.of(child),
            end_reason=END_REASONS.get(Outcome(child.outcome)),
            stay_ends_on=child.stay_ends_on,
        )
        for child in roster
    ]
    placements = take_steps(school_id, steps, day=pair.day)
    db.session.execute(
        insert(YearTurnItem),
        [
            {
                "school_id": school_id,
                "turn_id": turn_id,
                "enrolment_id": child.enrolment_id,
                "outcome": child.outcome,
                "class_id": child.class_id,
                "placement_id": child.placement_id,
                "placement_ends_on": child.placement_ends_on,
                "stay_ends_on": child.stay_ends_on,
                "stay_end_reason": child.stay_end_reason,
                "next_class_id": step.class_id,
                "next_placement_id": placement_id,
            }
            for child, step, placement_id in zip(roster, steps, placements, strict=True)
        ],
    )
    if rehearsal.level in NEXT_LEVEL:
        _write_handovers(
            school_id,
            pair,
            [c.enrolment_id for c in roster if c.outcome == Outcome.FINISHED],
        )
    counts = {o: sum(1 for c in roster if c.outcome == o) for o in Outcome}
    audit.record(
        "year.turn",
        f"year_turn:{turn_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{pair.old.code} {new.code} "
        + " ".join(f"{outcome}={n}" for outcome, n in counts.items() if n),
    )
    return Turned(
        turn_id=turn_id,
        children=len(roster),
        promoted=counts[Outcome.PROMOTED],
        staying=counts[Outcome.REPEATS] + counts[Outcome.RETEST],
        finished=counts[Outcome.FINISHED],
        leaving=counts[Outcome.MOVES] + counts[Outcome.LEAVES],
        opened=opened,
    )


def _begin_turn(school_id: int, pair: Pair, actor: audit.Actor, now: datetime) -> int:
    assert pair.new is not None  # noqa: S101 - a missing year is a blocker
    seq = scalar(
        "select coalesce(max(seq), 0) + 1 from year_turns where school_id = :school_id"
        " and school_year_id = :year",
        school_id=school_id,
        year=pair.old.id,
    )
    return int(
        db.session.scalar(
            insert(YearTurn)
            .values(
                school_id=school_id,
                school_year_id=pair.old.id,
                next_year_id=pair.new.id,
                seq=seq,
                starts_on=pair.day,
                turned_by=actor.name,
                turned_at=now,
            )
            .returning(YearTurn.id)
        )
        or 0
    )


def _open_missing(
    school_id: int, turn_id: int, rehearsal: Rehearsal, actor: audit.Actor, now: datetime
) -> int:
    assert rehearsal.pair.new is not None  # noqa: S101 - a missing year is a blocker
    missing = [c for c in rehearsal.next_classes if not c.class_id]
    ids = students.open_classes(
        school_id,
        rehearsal.pair.new.id,
        [(c.name, c.grade) for c in missing],
        actor=actor,
        now=now,
    )
    if ids:
        db.session.execute(
            insert(YearTurnClass),
            [
                {"school_id": school_id, "turn_id": turn_id, "class_id": number, "name": c.name}
                for number, c in zip(ids, missing, strict=True)
            ],
        )
    return len(ids)


class _Seats:
    """Where each child of a school sits in the new year."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._classes = {c.id: c for c in rehearsal.classes}
        self._layout = rehearsal.layout
        self._repeating = {
            c.id: seat_for_repeating(c.name, c.grade, rehearsal.layout.classes)
            for c in rehearsal.classes
        }

    def of(self, child: Any) -> int | None:
        """The class of next year, or None when the stay ends."""
        outcome = Outcome(child.outcome)
        if outcome in END_REASONS:
            return None
        found: NextClass | None
        if outcome is Outcome.PROMOTED:
            found = self._layout.named(self._classes[child.class_id].next_name)
        else:
            found = self._repeating[child.class_id]
        if found is None or not found.class_id:
            raise TurnBlocked(
                _("There is no class of next year for class %(name)s.", name=child.class_name)
            )
        return found.class_id


def _write_handovers(school_id: int, pair: Pair, finishing: Sequence[int]) -> None:
    """A row for each child on its way, kept when the area has said already where it goes."""
    for enrolment_id in finishing:
        execute(
            "insert into handovers (school_year_id, from_school_id, from_enrolment_id)"
            " values (:year, :school_id, :enrolment)"
            " on conflict (from_school_id, from_enrolment_id, school_year_id) do nothing",
            year=pair.old.id,
            school_id=school_id,
            enrolment=enrolment_id,
        )


def undo_turn(school_id: int, *, pair: Pair, reason: str, actor: audit.Actor, now: datetime) -> int:
    """Take the standing turn back: classes, places and stays are as they were; how many children.

    What people did themselves since stays: a pupil that left has left, a pupil whom another school
    admitted stays there. Refuses once a bill of the new year is out. Locks the school. The caller
    commits.
    """
    own_school(school_id)
    turn = standing_turn(school_id, pair.old.id)
    billed = row(
        "select min(billed_period) as month from billing_runs where school_id = :school_id"
        " and issued_at is not null and billed_period >= :first",
        school_id=school_id,
        first=pair.first_month.number,
    )
    if billed is not None and billed.month is not None:
        raise NewYearBilled(
            _(
                "Bills of %(month)s are out. Families may have paid for the new classes, so the"
                " turn stays. Move single pupils on their own pages.",
                month=f"{int(billed.month) % 100}/{int(billed.month) // 100}",
            )
        )
    # Read before anything is written: who was taken in elsewhere, or came back to this school.
    items = rows(
        "select i.enrolment_id, i.placement_id, i.placement_ends_on, i.stay_ends_on,"
        " i.stay_end_reason, coalesce(i.decision, i.outcome) as outcome from year_turn_items i"
        " join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        " where i.school_id = :school_id and i.turn_id = :turn"
        " and not exists (select 1 from handovers h where h.from_school_id = i.school_id"
        "  and h.from_enrolment_id = i.enrolment_id and h.admitted_at is not null)"
        " and not exists (select 1 from enrolments x where x.school_id = i.school_id"
        "  and x.student_id = e.student_id and x.id <> e.id and x.starts_on >= :day)",
        types={"placement_ends_on": DAY, "stay_ends_on": DAY},
        school_id=school_id,
        turn=turn.id,
        day=turn.starts_on,
    )
    step_back(
        school_id,
        [
            StepBack(
                enrolment_id=item.enrolment_id,
                placement_id=item.placement_id,
                placement_ends_on=item.placement_ends_on,
                stay_ends_on=item.stay_ends_on,
                stay_end_reason=item.stay_end_reason,
                stay_was_ended=Outcome(item.outcome) in END_REASONS,
            )
            for item in items
        ],
        day=turn.starts_on,
    )
    execute(
        "delete from handovers where from_school_id = :school_id and school_year_id = :year"
        " and to_school_id is null and admitted_at is null",
        school_id=school_id,
        year=pair.old.id,
    )
    _close_empty_classes(school_id, turn.id)
    execute(
        f"update year_turns set undone_by = :actor, undone_at = {_moment('now')},"
        " undo_reason = :reason where school_id = :school_id and id = :id",
        school_id=school_id,
        id=turn.id,
        actor=actor.name,
        now=now,
        reason=reason.strip()[:200],
    )
    audit.record(
        "year.undo_turn",
        f"year_turn:{turn.id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"pupils:{len(items)} {reason.strip()}",
    )
    return len(items)


def _close_empty_classes(school_id: int, turn_id: int) -> None:
    """Remove the classes the turn opened, save those that something else refers to by now."""
    for opened in rows(
        "select class_id from year_turn_classes where school_id = :school_id and turn_id = :turn",
        school_id=school_id,
        turn=turn_id,
    ):
        try:
            with savepoint():
                execute(
                    "delete from classes where school_id = :school_id and id = :id",
                    school_id=school_id,
                    id=opened.class_id,
                )
        except IntegrityError:
            continue


# After the summer


def decide_retest(
    school_id: int,
    enrolment_id: int,
    *,
    passed: bool,
    pair: Pair,
    actor: audit.Actor,
    now: datetime,
    today: date,
) -> Outcome:
    """Say what the test gave a child that waits: it goes on, finishes, or stays in its grade.

    A child that passed moves from the first day of the new year, or from today when that is later.
    Refuses a child that does not wait. Locks the school. The caller commits.
    """
    own_school(school_id)
    turn = standing_turn(school_id, pair.old.id)
    item = row(
        "select i.id, c.grade, c.name, i.class_id from year_turn_items i"
        " join classes c on c.school_id = i.school_id and c.id = i.class_id"
        " join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        "  and e.ends_on is null"
        " where i.school_id = :school_id and i.turn_id = :turn and i.enrolment_id = :enrolment"
        " and i.outcome = 'retest' and i.decision is null",
        school_id=school_id,
        turn=turn.id,
        enrolment=enrolment_id,
    )
    if item is None:
        raise NotWaiting
    rehearsal = rehearse_one(school_id, pair, today)
    day = max(turn.starts_on, today)
    decision = Outcome.REPEATS
    if passed and item.grade == last_grade(rehearsal.level):
        decision = Outcome.FINISHED
        students.end_enrolment(
            school_id,
            enrolment_id,
            ends_on=day,
            reason=END_REASONS[decision],
            actor=actor,
            now=now,
        )
        if rehearsal.level in NEXT_LEVEL:
            _write_handovers(school_id, pair, [enrolment_id])
    elif passed:
        decision = Outcome.PROMOTED
        old = next(c for c in rehearsal.classes if c.id == item.class_id)
        seat = rehearsal.layout.named(old.next_name)
        if seat is None or not seat.class_id:
            raise TurnBlocked(
                _("There is no class of next year for class %(name)s.", name=item.name)
            )
        students.move_class(
            school_id, enrolment_id, seat.class_id, from_day=day, actor=actor, now=now
        )
    execute(
        f"update year_turn_items set decision = :decision, decided_by = :actor,"
        f" decided_at = {_moment('now')} where school_id = :school_id and id = :id",
        school_id=school_id,
        id=item.id,
        decision=str(decision),
        actor=actor.name,
        now=now,
    )
    audit.record(
        "year.decide_retest",
        f"enrolment:{enrolment_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"year_turn:{turn.id} {decision}",
    )
    return decision


def _moment(name: str) -> str:
    return f":{name}" if dialect() == "sqlite" else f"cast(:{name} as timestamp with time zone)"
