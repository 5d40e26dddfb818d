"""A schedule from draft to approval: who may do what, and which prices the law allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.core import scope
from app.core.db import execute, rows, scalar, transaction
from app.core.errors import DomainError
from app.core.money import Vnd
from app.core.period import Period
from app.money import fees
from app.money.fees import Category, Choice, Grant, NewPrice, errors, queries
from app.money.fees.invariants import INVARIANTS
from app.people.schools import Level
from tests.factories.fees import (
    NOVEMBER,
    approved_schedule,
    choose,
    make_cap,
    make_draft,
    make_item,
    make_policy,
    price,
)
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool, make_school


@pytest.fixture
def school(context: Flask) -> Iterator[MadeSchool]:
    made = make_school()
    with scope.opened(scope.one_school(made.id)):
        yield made


@pytest.fixture
def care(school: MadeSchool) -> int:
    return make_item(school)


@pytest.fixture(autouse=True)
def _all_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("context")
    yield
    with scope.opened(scope.EVERY_SCHOOL):
        assert {i.number: list(i.find()) for i in INVARIANTS} == {i.number: [] for i in INVARIANTS}


def submit(school: MadeSchool, schedule_id: int) -> None:
    with transaction():
        fees.submit_schedule(school.id, schedule_id, actor=ACCOUNTANT, now=NOON)


def approve(school: MadeSchool, schedule_id: int) -> None:
    with transaction():
        fees.approve_schedule(school.id, schedule_id, actor=PRINCIPAL, now=NOON)


def put(school: MadeSchool, schedule_id: int, *prices: NewPrice) -> None:
    with transaction():
        fees.set_prices(school.id, schedule_id, prices, actor=ACCOUNTANT, now=NOON)


def state_of(school: MadeSchool, schedule_id: int) -> str:
    return str(queries.get_schedule(school.id, schedule_id).state)


def test_a_schedule_goes_from_draft_to_the_principal_and_into_force(
    school: MadeSchool, care: int
) -> None:
    draft = make_draft(school, [price(care, 260_000)])
    states = [state_of(school, draft)]
    for act in (submit, approve):
        act(school, draft)
        states.append(state_of(school, draft))

    assert states == ["draft", "submitted", "approved"]
    schedule = queries.get_schedule(school.id, draft)
    assert (schedule.drafted_by, schedule.approved_by) == (ACCOUNTANT.name, PRINCIPAL.name)
    deeds = rows(
        "select action from audit_rows where subject = :s order by id", s=f"fee_schedule:{draft}"
    )
    assert [deed.action.partition(".")[2] for deed in deeds] == [
        "draft",
        "set_prices",
        "submit",
        "approve",
    ]


def test_whoever_drafted_priced_or_submitted_does_not_approve(
    school: MadeSchool, care: int
) -> None:
    draft = make_draft(school, [price(care, 260_000)])
    with transaction():
        fees.set_prices(school.id, draft, [price(care, 250_000)], actor=PRINCIPAL, now=NOON)
    submit(school, draft)

    for actor in (ACCOUNTANT, PRINCIPAL):
        with pytest.raises(errors.SamePerson), transaction():
            fees.approve_schedule(school.id, draft, actor=actor, now=NOON)
    assert state_of(school, draft) == "submitted"


def test_a_return_needs_words_and_reaches_the_drafter(school: MadeSchool, care: int) -> None:
    draft = make_draft(school, [price(care, 260_000)])
    submit(school, draft)

    def send_back(reason: str) -> None:
        with transaction():
            fees.return_schedule(school.id, draft, reason=reason, actor=PRINCIPAL, now=NOON)

    with pytest.raises(errors.ReasonMissing):
        send_back("  sai giá ")
    send_back("Giá bán trú cao hơn năm ngoái.")

    returned = queries.last_return(school.id, draft)
    assert returned is not None
    assert (returned.actor, returned.reason) == (PRINCIPAL.name, "Giá bán trú cao hơn năm ngoái.")
    assert state_of(school, draft) == "draft"


def test_what_is_not_waiting_cannot_be_decided(school: MadeSchool, care: int) -> None:
    draft = make_draft(school, [price(care, 260_000)])

    with pytest.raises(errors.NotSubmitted):
        approve(school, draft)
    with pytest.raises(errors.NotSubmitted), transaction():
        fees.return_schedule(school.id, draft, reason="x" * 20, actor=PRINCIPAL, now=NOON)


def test_an_empty_schedule_is_not_submitted(school: MadeSchool) -> None:
    with pytest.raises(errors.EmptySchedule):
        submit(school, make_draft(school))


def test_a_price_above_its_cap_is_named_with_the_cap(school: MadeSchool, care: int) -> None:
    make_cap(care, 250_000)
    draft = make_draft(school, [price(care, 260_000)])

    with pytest.raises(errors.PriceAboveCap) as refusal:
        submit(school, draft)

    said = refusal.value.message.replace("\u00a0", " ")
    assert "Chăm sóc bán trú" in said
    assert "260.000 ₫" in said
    assert "250.000 ₫" in said
    assert "tháng 11/2026" in said


def test_a_cap_set_after_submission_stops_the_approval(school: MadeSchool, care: int) -> None:
    draft = make_draft(school, [price(care, 260_000)])
    submit(school, draft)
    make_cap(care, 250_000)

    with pytest.raises(errors.PriceAboveCap):
        approve(school, draft)
    assert state_of(school, draft) == "submitted"


def test_a_cap_counts_for_its_months_and_its_level_only(school: MadeSchool, care: int) -> None:
    make_cap(care, 200_000, level=Level.NURSERY)
    make_cap(care, 250_000, valid_from=date(2026, 9, 1))
    make_cap(care, 300_000, valid_from=date(2026, 12, 1))
    draft = make_draft(
        school, [price(care, 250_000), price(care, 300_000, period=Period(2026, 12))]
    )

    assert queries.problems_of(school.id, draft, school.level) == []
    put(school, draft, price(care, 250_001))
    assert [p.period for p in queries.problems_of(school.id, draft, school.level)] == [NOVEMBER]
    put(school, draft, price(care, 250_000))


def test_caps_follow_each_other(school: MadeSchool, care: int) -> None:
    make_cap(care, 250_000, valid_from=date(2026, 9, 1))
    with pytest.raises(errors.CapExists):
        make_cap(care, 260_000, valid_from=date(2026, 9, 1))
    make_cap(care, 260_000, valid_from=date(2027, 1, 1))

    caps = queries.caps_of("primary")[care]
    assert [(cap.amount, cap.valid_to) for cap in caps] == [
        (Vnd(250_000), date(2027, 1, 1)),
        (Vnd(260_000), None),
    ]


@pytest.mark.parametrize("category", [Category.SPONSOR, Category.PARENT_FUND])
def test_what_is_given_freely_has_no_price(school: MadeSchool, category: Category) -> None:
    item = make_item(school, name="Tài trợ sân chơi", category=category)
    draft = make_draft(school, [price(item, 50_000)])

    with pytest.raises(errors.NotChargeable, match="Tài trợ sân chơi"):
        submit(school, draft)


def test_an_item_outside_its_dates_is_refused(school: MadeSchool) -> None:
    old = make_item(school, name="Khoản cũ", valid_to=date(2026, 11, 1))
    draft = make_draft(school, [price(old, 1_000, period=Period(2026, 10))])
    submit(school, draft)

    with transaction():
        fees.return_schedule(
            school.id, draft, reason="Thêm tháng mười một", actor=PRINCIPAL, now=NOON
        )
    put(school, draft, price(old, 1_000))
    with pytest.raises(errors.ItemOutOfDates, match="Khoản cũ"):
        submit(school, draft)


def test_a_price_replaces_the_one_for_the_same_item_audience_and_month(
    school: MadeSchool, care: int
) -> None:
    draft = make_draft(school, [price(care, 1_000), price(care, 2_000, period=Period(2026, 12))])

    put(school, draft, price(care, 3_000, quantity=2))

    found = {
        p.period.month: (p.quantity, p.price.dong) for p in queries.prices_of(school.id, draft)
    }
    assert found == {11: (2, 3_000), 12: (1, 2_000)}


def test_a_row_is_removed_whole_or_for_some_months(school: MadeSchool, care: int) -> None:
    months = [Period(2026, month) for month in (10, 11, 12)]
    draft = make_draft(school, [price(care, 1_000, period=month) for month in months])

    def remove(*only: Period) -> int:
        with transaction():
            return fees.remove_prices(
                school.id,
                draft,
                item_id=care,
                audience="all",
                periods=only or None,
                actor=ACCOUNTANT,
                now=NOON,
            )

    assert remove(months[0]) == 1
    assert remove() == 2
    assert queries.prices_of(school.id, draft) == []


BAD_PRICES: dict[str, Callable[[int], NewPrice]] = {
    "a month of another year": lambda item: price(item, 1, period=Period(2027, 8)),
    "a quantity of nothing": lambda item: price(item, 1, quantity=0),
    "a quantity beyond sense": lambda item: price(item, 1, quantity=1001),
    "a price beyond sense": lambda item: price(item, 1_000_000_001),
    "a grade the school has not": lambda item: price(item, 1, audience="grade:9"),
    "a word that is no audience": lambda item: price(item, 1, audience="everybody"),
}


@pytest.mark.parametrize("make", BAD_PRICES.values(), ids=BAD_PRICES.keys())
def test_a_price_that_cannot_be_is_refused(
    school: MadeSchool, care: int, make: Callable[[int], NewPrice]
) -> None:
    draft = make_draft(school)

    with pytest.raises(errors.BadPrice):
        put(school, draft, make(care))


def test_a_class_of_another_school_is_no_audience(school: MadeSchool, care: int) -> None:
    theirs = make_class(make_school())

    with pytest.raises(errors.BadPrice):
        put(school, make_draft(school), price(care, 1, audience=f"class:{theirs}"))


def test_only_a_draft_is_changed(school: MadeSchool, care: int) -> None:
    draft = make_draft(school, [price(care, 260_000)])
    submit(school, draft)

    def remove() -> None:
        with transaction():
            fees.remove_prices(
                school.id, draft, item_id=care, audience="all", actor=ACCOUNTANT, now=NOON
            )

    with pytest.raises(errors.NotADraft):
        put(school, draft, price(care, 1))
    with pytest.raises(errors.NotADraft):
        remove()
    with pytest.raises(errors.NotADraft):
        submit(school, draft)
    with pytest.raises(DBAPIError, match="fixed"), transaction():
        execute("update schedule_prices set price = 1 where schedule_id = :s", s=draft)


def test_a_change_after_approval_is_a_new_version_that_replaces_the_old(
    school: MadeSchool, care: int
) -> None:
    first = approved_schedule(school, [price(care, 250_000)])
    with transaction():
        second = fees.copy_to_new_draft(school.id, first, actor=ACCOUNTANT, now=NOON)
    put(school, second, price(care, 260_000))
    submit(school, second)
    assert state_of(school, first) == "approved"
    approve(school, second)

    assert (state_of(school, first), state_of(school, second)) == ("superseded", "approved")
    assert [s.version for s in queries.list_schedules(school.id)] == [2, 1]
    assert [p.price for p in queries.prices_of(school.id, first)] == [Vnd(250_000)]


def test_one_version_is_worked_on_at_a_time(school: MadeSchool, care: int) -> None:
    first = approved_schedule(school, [price(care, 250_000)])

    def copy(schedule_id: int) -> int:
        with transaction():
            return fees.copy_to_new_draft(school.id, schedule_id, actor=ACCOUNTANT, now=NOON)

    second = copy(first)
    with pytest.raises(errors.DraftAlreadyOpen):
        copy(first)
    with pytest.raises(errors.DraftAlreadyOpen):
        make_draft(school)
    with pytest.raises(errors.NotApproved):
        copy(second)


def test_the_schedule_of_another_school_is_not_found(school: MadeSchool) -> None:
    other = make_school()
    theirs = make_draft(other, [price(make_item(other), 1_000)])

    for act in (submit, approve):
        with pytest.raises(errors.ScheduleNotFound):
            act(school, theirs)
    with pytest.raises(errors.ScheduleNotFound):
        queries.get_schedule(school.id, theirs)


def grant(school: MadeSchool, *grants: Grant) -> list[int]:
    with transaction():
        return fees.grant_exemptions(school.id, grants, actor=PRINCIPAL, now=NOON)


def test_exemptions_and_choices_are_of_children_of_the_school(
    school: MadeSchool, care: int
) -> None:
    other = make_school()
    theirs = enrol(other, new_student(make_class(other)))[0].enrolment_id
    policy = make_policy((care, 50))

    with pytest.raises(errors.StrangeEnrolment):
        grant(school, Grant(theirs, policy, NOVEMBER))
    with pytest.raises(errors.StrangeEnrolment):
        choose(school, care, theirs)


@pytest.mark.parametrize(
    ("first", "last", "is_free"),
    [
        pytest.param(NOVEMBER, None, False, id="from within"),
        pytest.param(Period(2026, 9), NOVEMBER, False, id="up to within"),
        pytest.param(Period(2026, 8), Period(2026, 9), True, id="before"),
        pytest.param(Period(2027, 1), None, True, id="after"),
        pytest.param(Period(2027, 2), Period(2027, 1), None, id="turned round"),
    ],
)
def test_the_same_exemption_is_not_granted_twice_in_a_month(
    school: MadeSchool, care: int, first: Period, last: Period | None, is_free: bool | None
) -> None:
    child = enrol(school, new_student(make_class(school)))[0].enrolment_id
    policy = make_policy((care, 50))
    grant(school, Grant(child, policy, Period(2026, 10), Period(2026, 12)))

    if is_free:
        assert len(grant(school, Grant(child, policy, first, last))) == 1
        return
    refusal: type[DomainError] = errors.BadMonths if is_free is None else errors.AlreadyGranted
    with pytest.raises(refusal):
        grant(school, Grant(child, policy, first, last))


def test_a_choice_stands_until_it_is_withdrawn(school: MadeSchool, care: int) -> None:
    child = enrol(school, new_student(make_class(school)))[0].enrolment_id
    choice = choose(school, care, child)[0]

    def withdraw(last: Period) -> None:
        with transaction():
            fees.withdraw_choice(school.id, choice, last_period=last, actor=ACCOUNTANT, now=NOON)

    with pytest.raises(errors.AlreadyGranted):
        choose(school, care, child)
    with pytest.raises(errors.BadMonths):
        withdraw(Period(2026, 7))
    withdraw(NOVEMBER)
    with pytest.raises(errors.ChoiceNotFound):
        withdraw(NOVEMBER)
    assert scalar("select last_period from fee_choices where id = :id", id=choice) == 202611


def test_nobody_chooses_what_everybody_is_charged(school: MadeSchool) -> None:
    tuition = make_item(school, is_compulsory=True)
    child = enrol(school, new_student(make_class(school)))[0].enrolment_id

    with pytest.raises(errors.NotOptional), transaction():
        fees.record_choices(
            school.id,
            [Choice(child, tuition, NOVEMBER, chosen_on=date(2026, 9, 3))],
            actor=ACCOUNTANT,
            now=NOON,
        )


@pytest.mark.parametrize("percent", [0, 101])
def test_a_policy_takes_one_to_a_hundred_percent(
    school: MadeSchool, care: int, percent: int
) -> None:
    with pytest.raises(errors.BadPolicy):
        make_policy((care, percent))
