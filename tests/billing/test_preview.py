"""The preview says what a run would bill, and why it differs, to the đồng."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from app.core import scope
from app.core.db import scalar, transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing, fees
from app.money.billing.preview import ChildBill, Preview
from app.money.billing.sentences import sentence, title
from app.people import students
from tests.factories.billing import (
    CARE,
    DECEMBER,
    EARLY,
    NOVEMBER,
    TUITION,
    WATER,
    SmallSchool,
    grant,
    issue,
    reprice,
    small_school,
)
from tests.factories.fees import choose
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT

BOTH = CARE + WATER


@pytest.fixture
def made(context: Flask) -> SmallSchool:
    return small_school(5, taking_care=4)


def preview(made: SmallSchool, period: object = DECEMBER) -> Preview:
    with scope.opened(scope.one_school(made.id)):
        found = billing.preview(made.id, period)  # type: ignore[arg-type]
    steps = sum(step.amount.dong for step in found.steps())
    assert found.previous_total.dong + steps == found.current_total.dong
    assert sum(one.amount.dong for one in found.items) == found.current_total.dong
    assert sum(one.before.dong for one in found.items) == found.previous_total.dong
    assert sum(one.amount.dong for one in found.classes()) == found.current_total.dong
    for child in found.children:
        assert child.change == Vnd(sum(cause.amount.dong for cause in child.causes))
    return found


def bill_of(found: Preview, student_id: int) -> ChildBill:
    return next(child for child in found.children if child.student_id == student_id)


def told(found: Preview, student_id: int) -> list[str]:
    child = bill_of(found, student_id)
    return [sentence(cause, child, found.period) for cause in child.causes]


def test_the_preview_is_what_the_run_issues(made: SmallSchool) -> None:
    found = preview(made, NOVEMBER)
    issued = issue(made.id)

    assert (found.count, found.current_total) == (issued.invoices, issued.total)
    assert {cause.kind for child in found.children for cause in child.causes} == {"joined"}


def test_nothing_changes_from_month_to_month(made: SmallSchool) -> None:
    issue(made.id)
    found = preview(made)

    assert found.previous_total == found.current_total == Vnd(4 * BOTH + WATER)
    assert found.steps() == []
    assert {child.group for child in found.children} == {"unchanged"}


def test_it_writes_nothing(made: SmallSchool) -> None:
    preview(made, NOVEMBER)

    with scope.opened(scope.one_school(made.id)):
        assert scalar("select count(*) from invoices where school_id = :s", s=made.id) == 0


def test_each_cause_is_named_with_its_sum(made: SmallSchool) -> None:
    issue(made.id)
    relieved, stopped, leaver, _fourth, started = (child.enrolment_id for child in made.children)
    grant(made.id, relieved, made.half)
    with scope.opened(scope.one_school(made.id)), transaction():
        choice = scalar(
            "select id from fee_choices where school_id = :s and enrolment_id = :e",
            s=made.id,
            e=stopped,
        )
        fees.withdraw_choice(made.id, choice, last_period=NOVEMBER, actor=ACCOUNTANT, now=EARLY)
        students.end_enrolment(
            made.id,
            leaver,
            ends_on=date(2026, 12, 1),
            reason="moved",
            actor=ACCOUNTANT,
            now=EARLY,
        )
        fees.record_choices(
            made.id,
            [fees.Choice(started, made.care, DECEMBER, chosen_on=date(2026, 11, 20))],
            actor=ACCOUNTANT,
            now=EARLY,
        )
    reprice(made, made.water, 18_000, DECEMBER)
    (joiner,) = enrol(
        made.school, new_student(made.class_id, "Bùi Khánh Vy", starts_on=date(2026, 12, 3))
    )

    found = preview(made)

    sums = {step.cause.kind: step.amount.dong for step in found.steps()}
    assert sums == {
        "left": -BOTH,
        "added": CARE,
        "removed": -CARE,
        "exemption": -CARE // 2,
        "adjusted": -CARE // 2,
        "joined": 18_000,
        "price": 4 * 2_000,
    }
    first = made.children[0].student_id
    assert "Giảm 50 % Phục vụ bán trú" in told(found, first)
    assert "Giảm 50 % Phục vụ bán trú, lùi về tháng 11/2026" in told(found, first)
    assert told(found, joiner.student_id) == ["Em mới, vào trường 03/12/2026"]
    assert told(found, made.children[2].student_id) == ["Thôi học ở trường từ 01/12/2026"]
    assert "Nước uống từ 16.000 sang 18.000\u00a0₫" in told(found, made.children[3].student_id)
    assert any(title(step.cause) == "Nước uống: đổi giá" for step in found.steps())


def test_a_further_run_shows_only_what_it_would_add(made: SmallSchool) -> None:
    issue(made.id)
    grant(made.id, made.children[0].enrolment_id, made.half)

    found = preview(made, NOVEMBER)

    assert found.is_supplement and found.count == 1
    assert found.current_total == Vnd(-CARE // 2)
    (child,) = found.children
    assert [cause.kind for cause in child.causes] == ["exemption"]


def test_a_new_choice_in_a_billed_month_is_no_new_pupil(made: SmallSchool) -> None:
    issue(made.id)
    choose(made.school, made.care, made.children[4].enrolment_id)

    (child,) = preview(made, NOVEMBER).children

    assert [cause.kind for cause in child.causes] == ["joined"] or child.current == Vnd(CARE)


def test_unusual_comes_first(context: Flask) -> None:
    made = small_school(60)
    issue(made.id)
    reprice(made, made.water, 300_000, DECEMBER)
    grant(made.id, made.children[7].enrolment_id, made.half)

    found = preview(made)

    assert found.children[0].student_id == made.children[7].student_id
    assert [child.group for child in found.children].count("unusual") == 1
    assert {child.group for child in found.children[1:]} == {"explained"}
    assert found.children[0].causes[0].kind in {"exemption", "adjusted"}


def test_a_child_without_a_class_is_named(made: SmallSchool) -> None:
    with scope.opened(scope.one_school(made.id)), transaction():
        scalar(
            "update placements set ends_on = :day where school_id = :s and enrolment_id = :e"
            " returning id",
            s=made.id,
            e=made.children[0].enrolment_id,
            day=date(2026, 10, 1),
        )

    found = preview(made, NOVEMBER)

    assert [child.full_name for child in found.blocked] == ["Nguyễn Gia An"]
    assert found.unplaced == 1 and found.count == 4


def test_the_run_is_summed_by_item_and_class_beside_the_plan(context: Flask) -> None:
    made = small_school(3, taking_care=2)
    with scope.opened(scope.one_school(made.id)):
        found = billing.preview(made.id, NOVEMBER)
        planned = fees.planned_income(made.id, NOVEMBER, EARLY.date())
        nothing = fees.planned_income(made.id, Period(2030, 1), EARLY.date())
    by_item = {one.item_id: (one.lines, one.gross.dong, one.amount.dong) for one in found.items}
    assert by_item == {
        made.tuition: (3, 3 * TUITION, 0),
        made.care: (2, 2 * CARE, 2 * CARE),
        made.water: (3, 3 * WATER, 3 * WATER),
    }
    assert sum(one.amount.dong for one in found.items) == found.current_total.dong
    assert {item: (one.pupils, one.income.dong) for item, one in planned.items()} == {
        made.tuition: (3, 3 * TUITION),
        made.care: (3, 3 * CARE),
        made.water: (3, 3 * WATER),
    }
    (room,) = found.classes()
    assert (room.bills, room.amount, room.before) == (3, found.current_total, Vnd(0))
    assert nothing == {}
