"""What classes are called a year on, and who sits where."""

from __future__ import annotations

import pytest

from app.journeys.year_end.plan import OldClass, Outcome, lay_out, next_name, possible, usual
from app.people.schools import Level


@pytest.mark.parametrize(
    ("name", "grade", "expected"),
    [
        ("4/1", 4, "5/1"),
        ("1/10", 1, "2/10"),
        ("3A2", 3, "4A2"),
        ("Lớp 2B", 2, "Lớp 3B"),
        ("8/8", 8, "9/8"),
        ("Chim Non", 2, ""),
        ("12A", 1, ""),
        ("Nhỡ 2", -1, "Lớn 2"),
        ("Bé 1", -2, "Nhỡ 1"),
        ("Nhà trẻ 3", -3, "Bé 3"),
        ("Mầm 1", -2, "Chồi 1"),
        ("Chồi A", -1, "Lá A"),
        ("Mẫu giáo bé 2", -2, "Mẫu giáo nhỡ 2"),
        ("Lớp 3-4 tuổi A", -2, "Lớp 4-5 tuổi A"),
        ("Hoa Sen", -1, ""),
    ],
)
def test_a_class_is_called_by_its_next_grade(name: str, grade: int, expected: str) -> None:
    assert next_name(name, grade) == expected


def old(name: str, grade: int, by_hand: str = "", **outcomes: int) -> OldClass:
    undecided = outcomes.pop("undecided", 0)
    named = by_hand or next_name(name, grade)
    counts = {Outcome(o): n for o, n in outcomes.items()}
    return OldClass(hash(name), name, grade, named, bool(by_hand), counts, undecided)


def test_classes_go_on_and_new_ones_wait_for_new_children() -> None:
    layout = lay_out(
        Level.PRIMARY,
        [old("1/1", 1, promoted=30), old("4/1", 4, promoted=28, repeats=1), old("5/1", 5)],
        ["1/1"],
        {},
    )

    assert {c.name: c.children for c in layout.classes} == {
        "1/1": 0,
        "2/1": 30,
        "5/1": 28,
        "4/1": 1,
    }
    assert layout.nameless == layout.clashes == ()


def test_who_repeats_sits_in_the_class_of_the_old_name() -> None:
    layout = lay_out(
        Level.PRIMARY,
        [old("2/1", 2, promoted=20), old("2/2", 2, promoted=20), old("3/2", 3, retest=2)],
        [],
        {},
    )

    assert {c.name: (c.promoted, c.staying) for c in layout.classes}["3/2"] == (20, 2)


def test_two_classes_may_become_one() -> None:
    layout = lay_out(
        Level.PRIMARY,
        [old("2/1", 2, promoted=12), old("2/2", 2, "3/1", promoted=11)],
        [],
        {},
    )

    merged = layout.named("3/1")
    assert merged is not None
    assert (merged.children, merged.sources) == (23, ("2/1", "2/2"))


def test_a_class_without_a_number_asks_for_a_name() -> None:
    assert lay_out(Level.PRIMARY, [old("Chim Non", 2, promoted=9)], [], {}).nameless == (
        "Chim Non",
    )


def test_two_grades_cannot_share_a_class() -> None:
    layout = lay_out(
        Level.PRIMARY, [old("2/1", 2, "Sao", promoted=9), old("3/1", 3, "Sao", promoted=9)], [], {}
    )
    assert layout.clashes == ("Sao",)


def test_a_class_opened_by_hand_is_used() -> None:
    layout = lay_out(Level.PRIMARY, [old("2/1", 2, promoted=9)], [], {"3/1": (3, 77)})
    found = layout.named("3/1")
    assert found is not None and found.class_id == 77


def test_only_the_last_grade_finishes() -> None:
    assert [usual(Level.PRIMARY, g) for g in (1, 5)] == [Outcome.PROMOTED, Outcome.FINISHED]
    assert usual(Level.NURSERY, 0) is Outcome.FINISHED
    assert usual(Level.LOWER_SECONDARY, 9) is Outcome.FINISHED
    assert Outcome.FINISHED not in possible(Level.PRIMARY, 4)
    assert Outcome.PROMOTED not in possible(Level.PRIMARY, 5)
