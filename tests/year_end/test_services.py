"""Rehearsing, turning, taking back, deciding after the summer."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import rows, scalar, transaction
from app.core.period import Period
from app.journeys.year_end import errors, services
from app.journeys.year_end.plan import Outcome, possible
from app.journeys.year_end.queries import (
    ask_for_open_transfers,
    leaving_money,
    pair_of,
    rehearse,
    rehearse_one,
)
from app.money import billing
from app.people import students
from app.people.schools import Level
from app.people.students.turning import Arrival, admit_many
from tests.factories.fees import approved_schedule, make_item, price
from tests.factories.schools import ACCOUNTANT, NOON, OPENING, PRINCIPAL
from tests.factories.staff import counted_queries
from tests.year_end.conftest import NEXT_DAY, SUMMER, Year, open_new_year

pytestmark = pytest.mark.usefixtures("all_holds")


def kinds(year: Year) -> list[str]:
    return [hint.kind for hint in year.rehearsal().blockers]


def test_a_school_without_outcomes_is_blocked_and_ready_once_they_are_entered(year: Year) -> None:
    assert kinds(year) == ["undecided"]
    assert year.rehearsal().state == "untouched"

    assert year.take_usual() == 7

    assert kinds(year) == []
    assert year.rehearsal().state == "ready"


def test_children_without_a_class_block(year: Year) -> None:
    year.take_usual()
    child = year.add("4/1", 4, 1, born=2017)[0]
    with scope.opened(scope.one_school(year.id)), transaction():
        students.end_enrolment(
            year.id,
            child.enrolment_id,
            ends_on=date(2026, 10, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )
        admit_many(
            year.id,
            [Arrival(child.student_id, None)],
            starts_on=date(2026, 12, 1),
            actor=ACCOUNTANT,
            now=NOON,
        )

    assert [(h.kind, h.figures) for h in year.rehearsal().blockers] == [("unplaced", (1,))]


def test_promotion_keeps_every_past_class_and_seats_everybody(year: Year) -> None:
    year.enter("4/1", c1=Outcome.REPEATS, c2=Outcome.MOVES, c3=Outcome.LEAVES)
    year.take_usual()

    done = year.turn(expected=7)

    assert (done.promoted, done.staying, done.finished, done.leaving) == (1, 1, 3, 2)
    c = year.children["4/1"]
    assert year.places(c[0]) == [
        ("2026-2027", "4/1", OPENING, NEXT_DAY),
        ("2027-2028", "5/1", NEXT_DAY, None),
    ]
    assert year.places(c[1])[1] == ("2027-2028", "4/1", NEXT_DAY, None)
    assert [year.stay(x) for x in c] == [
        (None, None),
        (None, None),
        (NEXT_DAY, "moved"),
        (NEXT_DAY, "stopped"),
    ]
    assert [year.stay(x) for x in year.children["5/1"]] == [(NEXT_DAY, "finished")] * 3
    assert year.places(year.children["5/1"][0]) == [("2026-2027", "5/1", OPENING, NEXT_DAY)]
    assert year.rehearsal().state == "turned"


def test_the_turn_is_one_deed_of_the_trail(year: Year) -> None:
    year.take_usual()
    turn = year.turn().turn_id

    with scope.opened(scope.one_school(year.id)):
        deeds = rows(
            "select subject, cause from audit_rows where school_id = :school_id"
            " and action = 'year.turn'",
            school_id=year.id,
        )
    assert [tuple(d) for d in deeds] == [
        (f"year_turn:{turn}", "2026-2027 2027-2028 promoted=4 finished=3")
    ]


def test_undo_restores_exactly(year: Year) -> None:
    year.enter("4/1", c0=Outcome.RETEST, c1=Outcome.REPEATS, c2=Outcome.LEAVES)
    year.take_usual()
    before = year.snapshot()

    year.turn()
    assert year.snapshot() != before
    assert year.undo() == 7

    assert year.snapshot() == before
    assert year.rehearsal().state == "ready"
    year.turn()  # and again
    year.undo()
    assert year.snapshot() == before


def test_undo_also_takes_back_moves_and_decisions_that_followed(year: Year) -> None:
    year.enter("4/1", c0=Outcome.RETEST)
    year.enter("5/1", c0=Outcome.RETEST)
    year.take_usual()
    before = year.snapshot()
    year.turn()
    year.decide(year.children["4/1"][0], passed=True)
    year.decide(year.children["5/1"][0], passed=True)
    assert year.stay(year.children["5/1"][0]) == (NEXT_DAY, "finished")

    year.undo()

    assert year.snapshot() == before


def test_undo_leaves_alone_who_left_meanwhile(year: Year) -> None:
    year.take_usual()
    year.turn()
    child = year.children["4/1"][0]
    with scope.opened(scope.one_school(year.id)), transaction():
        students.end_enrolment(
            year.id,
            child.enrolment_id,
            ends_on=date(2027, 7, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=NOON,
        )

    year.undo()

    assert year.stay(child) == (date(2027, 7, 1), "moved")
    assert year.places(child) == [("2026-2027", "4/1", OPENING, date(2027, 7, 1))]


def test_what_was_undone_can_still_be_read(year: Year) -> None:
    year.take_usual()
    turn = year.turn().turn_id
    year.undo()

    with scope.opened(scope.one_school(year.id)):
        kept = rows("select undone_by, undo_reason from year_turns where id = :id", id=turn)[0]
        items = scalar("select count(*) from year_turn_items where turn_id = :id", id=turn)
    assert tuple(kept) == (PRINCIPAL.name, "Nhầm lớp")
    assert items == 7


def test_undo_is_refused_once_a_bill_of_the_new_year_is_out(year: Year) -> None:
    year.take_usual()
    year.turn()
    item = make_item(year.school, is_compulsory=True)
    september = [price(item, 100_000, period=Period(2027, 9))]
    approved_schedule(replace(year.school, year_id=open_new_year()), september)
    with scope.opened(scope.one_school(year.id)), transaction():
        run = billing.draft_run(
            year.id, Period(2027, 9), due_on=date(2027, 9, 30), actor=ACCOUNTANT, now=NOON
        )
        billing.issue_run(year.id, run, actor=ACCOUNTANT, now=NOON)
    before = year.snapshot()

    with pytest.raises(errors.NewYearBilled, match="9/2027"):
        year.undo()
    assert year.snapshot() == before


def test_bills_of_the_new_year_are_drawn_by_the_new_classes(year: Year) -> None:
    year.take_usual()
    year.turn()
    item = make_item(year.school, is_compulsory=True)
    approved_schedule(
        replace(year.school, year_id=open_new_year()),
        [price(item, 100_000, period=Period(2027, 9))],
    )
    with scope.opened(scope.one_school(year.id)), transaction():
        run = billing.draft_run(
            year.id, Period(2027, 9), due_on=date(2027, 9, 30), actor=ACCOUNTANT, now=NOON
        )
        issued = billing.issue_run(year.id, run, actor=ACCOUNTANT, now=NOON)
        names = {
            v.class_name for v in rows("select class_name from invoices where run_id = :r", r=run)
        }
    assert issued.invoices == 4  # the three who finished are not billed
    assert names == {"5/1"}


def test_drafts_and_months_without_bills_block(year: Year) -> None:
    year.take_usual()
    item = make_item(year.school, is_compulsory=True)
    approved_schedule(
        year.school, [price(item, 50_000, period=Period(2026, m)) for m in (10, 11, 12)]
    )
    with scope.opened(scope.one_school(year.id)), transaction():
        run = billing.draft_run(
            year.id, Period(2026, 11), due_on=date(2026, 12, 20), actor=ACCOUNTANT, now=NOON
        )
        assert kinds(year) == ["drafts"]
        billing.issue_run(year.id, run, actor=ACCOUNTANT, now=NOON)

    # October lies before the first bill and is not asked for.
    assert [(h.kind, h.figures) for h in year.rehearsal().blockers] == [
        ("unbilled", (Period(2026, 12),))
    ]
    with pytest.raises(errors.TurnBlocked):
        year.turn()


def test_debts_of_those_who_finish_are_listed_and_do_not_block(year: Year) -> None:
    year.take_usual()
    item = make_item(year.school, is_compulsory=True)
    approved_schedule(year.school, [price(item, 50_000, period=Period(2026, 11))])
    with scope.opened(scope.one_school(year.id)), transaction():
        run = billing.draft_run(
            year.id, Period(2026, 11), due_on=date(2026, 12, 20), actor=ACCOUNTANT, now=NOON
        )
        billing.issue_run(year.id, run, actor=ACCOUNTANT, now=NOON)

    def owed() -> list[int]:
        with scope.opened(scope.one_school(year.id)):
            return [o.debt.dong for o in leaving_money(year.id, year.pair())]

    assert owed() == [50_000] * 3
    year.turn()
    assert owed() == [50_000] * 3
    assert [h.figures[0].dong for h in year.rehearsal().warnings if h.kind == "debts"] == [350_000]


def test_a_grade_only_takes_its_own_outcomes(year: Year) -> None:
    with pytest.raises(errors.BadOutcome):
        year.enter("4/1", c0=Outcome.FINISHED)
    with pytest.raises(errors.BadOutcome):
        year.enter("5/1", c0=Outcome.PROMOTED)


def test_a_child_tested_again_waits_in_its_grade_and_moves_when_it_passed(year: Year) -> None:
    year.enter("4/1", c0=Outcome.RETEST, c1=Outcome.RETEST)
    year.take_usual()
    year.turn()
    first, second = year.children["4/1"][:2]
    assert year.places(first)[1] == ("2027-2028", "4/1", NEXT_DAY, None)
    assert year.rehearsal().retests == 2

    assert year.decide(first, passed=True) is Outcome.PROMOTED
    assert year.decide(second, passed=False) is Outcome.REPEATS

    assert year.places(first)[1:] == [("2027-2028", "5/1", NEXT_DAY, None)]
    assert year.places(second)[1:] == [("2027-2028", "4/1", NEXT_DAY, None)]
    assert year.rehearsal().retests == 0
    with pytest.raises(errors.NotWaiting):
        year.decide(first, passed=True)


def test_a_late_decision_moves_from_its_own_day(year: Year) -> None:
    year.enter("4/1", c0=Outcome.RETEST)
    year.take_usual()
    year.turn()
    child = year.children["4/1"][0]

    year.decide(child, passed=True, today=date(2027, 9, 10))

    assert year.places(child)[1:] == [
        ("2027-2028", "4/1", NEXT_DAY, date(2027, 9, 10)),
        ("2027-2028", "5/1", date(2027, 9, 10), None),
    ]


def test_who_comes_after_the_turn_is_taken_over_by_a_second_click(year: Year) -> None:
    year.take_usual()
    first = year.turn()
    late = year.add("4/1", 4, 1, born=2016)[0]
    assert year.rehearsal().state == "blocked"
    assert year.rehearsal().waiting == 1
    year.take_usual()

    second = year.turn()

    assert (second.turn_id, second.children) == (first.turn_id, 1)
    assert year.places(late)[1][1] == "5/1"
    with pytest.raises(errors.NothingToTurn):
        year.turn()


def test_figures_agreed_to_must_still_hold(year: Year) -> None:
    year.take_usual()
    with pytest.raises(errors.RehearsalChanged):
        year.turn(expected=6)


def test_names_of_next_year_can_be_written_by_hand(context: Flask) -> None:
    year = Year()
    year.add("Chim Non", 2, 3)
    year.add("3/1", 3, 2)
    year.take_usual()
    assert kinds(year) == ["nameless"]

    def name(**names: str) -> None:
        with scope.opened(scope.one_school(year.id)), transaction():
            services.name_next_classes(
                year.id,
                {year.classes["Chim Non"]: names["a"], year.classes["3/1"]: names["b"]},
                ["2/1", "2/2"],
                pair=year.pair(),
                actor=ACCOUNTANT,
                now=NOON,
            )

    with pytest.raises(errors.BadClassName):
        name(a="4/1", b="4/1")
    name(a=" Chim  Én ", b="4/1")

    assert kinds(year) == []
    year.turn()
    assert year.places(year.children["Chim Non"][0])[1][1] == "Chim Én"
    with scope.opened(scope.one_school(year.id)):
        opened = rows(
            "select c.name from classes c join school_years y on y.id = c.school_year_id"
            " where c.school_id = :school_id and y.code = '2027-2028'",
            school_id=year.id,
        )
    assert sorted(c.name for c in opened) == ["2/1", "2/2", "4/1", "Chim Én"]


def test_nursery_classes_climb_by_their_words(context: Flask) -> None:
    year = Year(Level.NURSERY)
    year.add("Nhỡ 2", -1, 2, born=2022)
    year.add("Lớn 1", 0, 2, born=2021)
    year.take_usual()
    year.turn()

    assert year.places(year.children["Nhỡ 2"][0])[1][1] == "Lớn 2"
    assert year.stay(year.children["Lớn 1"][0]) == (NEXT_DAY, "finished")


def test_schools_do_not_touch_each_other(year: Year) -> None:
    other = Year()
    other.add("4/1", 4, 2)
    year.take_usual()
    before = other.snapshot()
    year.turn()
    assert other.snapshot() == before
    with scope.opened(scope.EVERY_SCHOOL):
        found = rehearse([year.id, other.id], pair_of([year.id, other.id], SUMMER), SUMMER)
    assert {s: r.state for s, r in found.items()} == {year.id: "turned", other.id: "untouched"}
    assert found[other.id].children == 2


def test_a_year_that_has_not_begun_is_not_turned(year: Year) -> None:
    year.take_usual()
    year.turn()
    with scope.opened(scope.one_school(year.id)):
        later = pair_of([year.id], SUMMER, "2027-2028")
        assert "future" in [h.kind for h in rehearse_one(year.id, later, SUMMER).blockers]
        assert pair_of([year.id], NEXT_DAY).old.code == "2027-2028"


def test_in_september_a_school_left_behind_still_sees_the_old_year(year: Year) -> None:
    with scope.opened(scope.one_school(year.id)):
        assert pair_of([year.id], date(2027, 9, 20)).old.code == "2026-2027"


def test_the_area_is_rehearsed_with_as_many_queries_as_one_school(
    year: Year, context: Flask
) -> None:
    more = [Year() for _n in range(4)]
    for other in more:
        other.add("4/1", 4, 2)
    schools = [year.id, *(other.id for other in more)]
    counts = []
    for some in (schools[:1], schools):
        with counted_queries(context) as seen, scope.opened(scope.EVERY_SCHOOL):
            rehearse(some, pair_of(some, SUMMER), SUMMER)
        counts.append(len(seen))
    assert counts[1] <= counts[0]
    assert counts[0] < 25


def test_exceptions_are_taken_from_a_list_whole_or_not_at_all(year: Year) -> None:
    four, five = year.children["4/1"], year.children["5/1"]

    def enter(*lines: tuple[int, str, str]) -> int:
        with scope.opened(scope.one_school(year.id)), transaction():
            return services.set_outcomes_by_code(
                year.id, lines, pair=year.pair(), actor=ACCOUNTANT, now=NOON
            )

    with pytest.raises(errors.BadOutcome, match="2"):
        enter((1, four[0].code, "O"), (2, four[1].code, "H"))
    assert year.rehearsal().decided == 0

    assert enter((1, four[0].code, "o"), (2, five[0].code, "R"), (3, five[1].code, "T")) == 3
    assert enter((1, four[0].code, "O")) == 0
    assert [year.rehearsal().of(o) for o in ("repeats", "retest", "leaves")] == [1, 1, 1]


def test_an_open_transfer_told_of_by_another_room_blocks(year: Year) -> None:
    year.take_usual()
    open_ones = {year.id: 2}
    ask_for_open_transfers(lambda _schools, _day: open_ones)
    assert [(h.kind, h.figures) for h in year.rehearsal().blockers] == [("transfers", (2,))]
    with pytest.raises(errors.TurnBlocked):
        year.turn()
    open_ones.clear()
    year.turn()


def test_random_years_keep_every_class_and_an_undo_is_exact(context: Flask) -> None:
    rng = random.Random(7)
    year = Year()
    for grade in range(1, 6):
        year.add(f"{grade}/1", grade, 6)
    for _round in range(3):
        for name, children in year.children.items():
            grade = int(name[0])
            year.enter(
                name,
                **{
                    f"c{n}": rng.choice(possible(Level.PRIMARY, grade))
                    for n in range(len(children))
                },
            )
        before = year.snapshot()
        year.turn()
        after = year.snapshot()
        past = {(p[0], *p[2:4]) for p in before["placements"]}
        assert past <= {(p[0], *p[2:4]) for p in after["placements"]}  # nothing is rewritten
        year.undo()
        assert year.snapshot() == before
