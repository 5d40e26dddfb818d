"""Days of meals on bills: planned, cut, carried to the next month, another price, another payer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing, fees
from app.money.fees.errors import BadMonths, BadPrice
from app.money.meals import services
from app.people import students
from tests.factories.billing import amounts, breaches, issue, still_open
from tests.factories.fees import approved_schedule, make_draft, make_item, make_policy, price
from tests.factories.meals import (
    CARE,
    DECEMBER,
    EXTRAS,
    MEAL,
    NOVEMBER,
    SATURDAY,
    TUITION,
    MealSchool,
    at,
    away,
    days_of,
    meal_school,
    own_quantity,
    serve,
    weekdays,
)
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, make_school

IN_NOVEMBER = at(date(2026, 11, 2), "09:00")
IN_DECEMBER = at(date(2026, 12, 1), "09:00")
IN_JANUARY = at(date(2027, 1, 4), "09:00")


@pytest.fixture(autouse=True)
def _books_hold(context: Flask) -> Iterator[None]:
    yield
    assert breaches() == {}


def billed(made: MealSchool, number: int, item: int, month: Period) -> int:
    return amounts(made.id, made.children[number].student_id).get((item, month.number), 0)


def total(made: MealSchool, number: int = 0) -> int:
    return sum(amounts(made.id, made.children[number].student_id).values())


@pytest.mark.parametrize(
    ("saturdays", "printed"), [(0, 1_250_000), (3, 1_565_000)], ids=["weekdays", "3 Saturdays"]
)
def test_the_printed_notice_of_a_nursery_in_da_nang(
    context: Flask, saturdays: int, printed: int
) -> None:
    """23 days at 35,000 with care, extras and tuition; three Saturdays add care and a meal each."""
    october = Period(2018, 10)
    school = make_school()
    meal = make_item(school, name="Tiền ăn", unit=fees.FeeUnit.DAY, valid_from=date(2018, 1, 1))
    care = make_item(school, name="Chăm sóc", valid_from=date(2018, 1, 1))
    gas = make_item(school, name="Gas, phụ phí", valid_from=date(2018, 1, 1))
    tuition = make_item(school, name="Học phí", valid_from=date(2018, 1, 1))
    saturday = make_item(
        school, name="Giữ trẻ thứ Bảy", unit=fees.FeeUnit.DAY, valid_from=date(2018, 1, 1)
    )
    month = Period(2026, 12)
    assert len(weekdays(month)) == 23 and october.month == 10
    items = {meal: MEAL, care: CARE, gas: EXTRAS, tuition: TUITION}
    if saturdays:
        items[saturday] = SATURDAY
    approved_schedule(
        school, [price(item, dong, period=month, quantity=1) for item, dong in items.items()]
    )
    (child,) = enrol(school, new_student(make_class(school)))
    for item in items:
        with scope.opened(scope.one_school(school.id)), transaction():
            fees.record_choices(
                school.id,
                [fees.Choice(child.enrolment_id, item, month, date(2026, 11, 30))],
                actor=ACCOUNTANT,
                now=NOON,
            )
    extra = [day for day in days_of(month) if day.weekday() == 5][:saturdays]
    for item, days in ((meal, [*weekdays(month), *extra]), (saturday, extra)):
        with scope.opened(scope.one_school(school.id)), transaction():
            services.plan_days(
                school.id,
                item,
                month.first_day,
                month.last_day,
                days,
                actor=ACCOUNTANT,
                now=NOON,
            )

    issued = issue(school.id, month, now=IN_DECEMBER)

    assert issued.total == Vnd(printed)


def test_without_a_calendar_the_quantity_of_the_price_list_holds(context: Flask) -> None:
    made = meal_school(calendar=False)
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    assert billed(made, 0, made.meal, NOVEMBER) == 22 * MEAL


def test_a_day_told_before_the_hour_comes_off_the_next_bill(context: Flask) -> None:
    made = meal_school()
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    assert billed(made, 0, made.meal, NOVEMBER) == 21 * MEAL

    told = away(made, 0, date(2026, 11, 10), date(2026, 11, 11))
    assert (told.cut, told.late) == (2, 0)
    # What was issued stays as it is.
    assert billed(made, 0, made.meal, NOVEMBER) == 21 * MEAL

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert billed(made, 0, made.meal, NOVEMBER) == 19 * MEAL
    assert billed(made, 1, made.meal, NOVEMBER) == 21 * MEAL
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        lines = billing.lines_of(made.id, [bill.id])
    back = next(line for line in lines if line.service_period == NOVEMBER)
    assert back.amount == Vnd(-2 * MEAL)
    assert bill.total == Vnd(23 * MEAL + CARE + EXTRAS - 2 * MEAL)


def test_a_day_told_after_the_hour_is_cooked_and_charged(context: Flask) -> None:
    made = meal_school()
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    told = away(made, 0, date(2026, 11, 10), hour="07:31")
    assert (told.cut, told.late) == (0, 1)
    issue(made.id, DECEMBER, now=IN_DECEMBER)
    assert billed(made, 0, made.meal, NOVEMBER) == 21 * MEAL


def test_only_the_first_day_of_an_absence_can_be_too_late(context: Flask) -> None:
    made = meal_school()
    told = away(made, 0, date(2026, 11, 10), date(2026, 11, 13), hour="09:00")
    assert (told.cut, told.late) == (3, 1)


def test_the_hour_is_the_schools_own_from_its_day_on(context: Flask) -> None:
    made = meal_school()
    with scope.opened(scope.one_school(made.id)), transaction():
        services.set_cut_off(
            made.id,
            days_before=1,
            hour="16:00",
            valid_from=date(2026, 11, 16),
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )
    with scope.opened(scope.one_school(made.id)):
        assert services.cut_off(made.id, date(2026, 11, 13)) == at(date(2026, 11, 13), "07:30")
        assert services.cut_off(made.id, date(2026, 11, 16)) == at(date(2026, 11, 15), "16:00")
    assert away(made, 0, date(2026, 11, 17)).late == 1


def test_days_before_joining_and_after_leaving_are_not_charged(context: Flask) -> None:
    made = meal_school(1, starts_on=date(2026, 11, 16))
    issue(made.id, NOVEMBER, now=at(date(2026, 11, 16), "09:00"))
    assert billed(made, 0, made.meal, NOVEMBER) == 11 * MEAL

    with scope.opened(scope.one_school(made.id)), transaction():
        students.end_enrolment(
            made.id,
            made.children[0].enrolment_id,
            ends_on=date(2026, 11, 25),
            reason="moved",
            actor=ACCOUNTANT,
            now=at(date(2026, 11, 24), "09:00"),
        )
    if meal_left(made):
        issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert billed(made, 0, made.meal, NOVEMBER) == 7 * MEAL


def meal_left(made: MealSchool) -> bool:
    """Whether a run of December has anything to do; it gives back what the child did not eat."""
    with scope.opened(scope.one_school(made.id)):
        return bool(billing.preview(made.id, DECEMBER).count)


def test_a_child_that_left_gets_its_last_days_back_as_credit(context: Flask) -> None:
    made = meal_school(1)
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    with scope.opened(scope.one_school(made.id)), transaction():
        students.end_enrolment(
            made.id,
            made.children[0].enrolment_id,
            ends_on=date(2026, 11, 21),
            reason="moved",
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert total(made) == 15 * MEAL + CARE + EXTRAS
    assert still_open(made.id, made.children[0].student_id) == Vnd(15 * MEAL + CARE + EXTRAS)


def test_the_price_of_a_day_changes_within_the_month(context: Flask) -> None:
    made = meal_school(second=(38_000, date(2026, 11, 16)))
    away(made, 0, date(2026, 11, 10))
    away(made, 0, date(2026, 11, 20))

    issue(made.id, NOVEMBER, now=at(date(2026, 11, 30), "09:00"))

    assert billed(made, 1, made.meal, NOVEMBER) == 10 * 35_000 + 11 * 38_000
    assert billed(made, 0, made.meal, NOVEMBER) == 9 * 35_000 + 10 * 38_000
    with scope.opened(scope.one_school(made.id)):
        bill = billing.invoices_of(made.id, made.children[0].student_id)[0]
        line = next(
            line for line in billing.lines_of(made.id, [bill.id]) if line.item_id == made.meal
        )
    assert (line.quantity_before, line.price_before.dong) == (9, 35_000)
    assert (line.quantity, line.price.dong) == (10, 38_000)


def test_a_second_price_needs_an_item_by_the_day_and_a_day_within_the_month(
    context: Flask,
) -> None:
    made = meal_school()
    for item, day in ((made.care, date(2026, 11, 10)), (made.meal, date(2026, 12, 10))):
        with pytest.raises(BadPrice):
            make_draft(made.school, [price(item, 1000, second=(2000, day))])
    with pytest.raises(BadPrice):
        make_draft(made.school, [price(made.meal, 1000, second=(2000, NOVEMBER.first_day))])


def test_somebody_else_pays_a_part_of_every_day(context: Flask) -> None:
    made = meal_school()
    with scope.opened(scope.one_school(made.id)), transaction():
        fees.set_subsidy(
            made.id,
            made.meal,
            amount=Vnd(10_000),
            payer="Ngân sách phường (minh họa)",
            legal_act="Quyết định minh họa",
            first=NOVEMBER,
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )
    away(made, 0, date(2026, 11, 10))

    issue(made.id, NOVEMBER, now=at(date(2026, 11, 30), "09:00"))

    assert billed(made, 1, made.meal, NOVEMBER) == 21 * 25_000
    assert billed(made, 0, made.meal, NOVEMBER) == 20 * 25_000
    with scope.opened(scope.one_school(made.id)), transaction(), pytest.raises(BadMonths):
        fees.set_subsidy(
            made.id,
            made.meal,
            amount=Vnd(5_000),
            payer="x",
            legal_act="y",
            first=NOVEMBER,
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )


def test_a_subsidy_never_pays_more_than_there_is(context: Flask) -> None:
    made = meal_school()
    whole = make_policy((made.meal, 80))
    with scope.opened(scope.one_school(made.id)), transaction():
        fees.set_subsidy(
            made.id,
            made.meal,
            amount=Vnd(10_000),
            payer="x",
            legal_act="y",
            first=NOVEMBER,
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )
        fees.grant_exemptions(
            made.id,
            [fees.Grant(made.children[0].enrolment_id, whole, NOVEMBER)],
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    assert billed(made, 0, made.meal, NOVEMBER) == 0


def test_care_is_halved_above_a_number_of_days_away(context: Flask) -> None:
    made = meal_school()
    with scope.opened(scope.one_school(made.id)), transaction():
        fees.set_halving(
            made.id,
            made.care,
            above_days=10,
            percent=50,
            first=NOVEMBER,
            actor=ACCOUNTANT,
            now=IN_NOVEMBER,
        )
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    away(made, 0, date(2026, 11, 2), date(2026, 11, 13), hour="06:00")  # 10 days
    away(made, 1, date(2026, 11, 2), date(2026, 11, 16), hour="06:00")  # 11 days

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert billed(made, 0, made.care, NOVEMBER) == CARE
    assert billed(made, 1, made.care, NOVEMBER) == CARE // 2


def test_a_child_may_have_a_quantity_of_its_own_or_none(context: Flask) -> None:
    made = meal_school(3)
    own_quantity(made, 0, made.extras, NOVEMBER, 3)
    own_quantity(made, 1, made.extras, NOVEMBER, 0)
    own_quantity(made, 2, made.extras, NOVEMBER, 0)
    own_quantity(made, 2, made.extras, NOVEMBER, 1)  # the newest word counts
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    assert [billed(made, n, made.extras, NOVEMBER) for n in range(3)] == [3 * EXTRAS, 0, EXTRAS]


def test_a_contested_day_lands_on_the_next_bill(context: Flask) -> None:
    made = meal_school()
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    day = date(2026, 11, 18)
    with scope.opened(scope.one_school(made.id)), transaction():
        number = services.contest(
            made.id,
            made.children[0].enrolment_id,
            day,
            words="hôm đó em nghỉ, đã báo cô",
            actor=ACCOUNTANT,
            now=at(day + timedelta(days=7), "18:00"),
        )
    with scope.opened(scope.one_school(made.id)), transaction():
        services.decide_contest(
            made.id, number, accept=True, answer="", actor=PRINCIPAL, now=IN_DECEMBER
        )

    issue(made.id, DECEMBER, now=IN_DECEMBER)

    assert billed(made, 0, made.meal, NOVEMBER) == 20 * MEAL


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["away", "late", "back", "office", "calendar", "issue"]),
        st.integers(0, 1),
        st.integers(0, 20),
        st.integers(1, 4),
    ),
    max_size=9,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds=DEEDS)
def test_whatever_is_reported_the_bills_equal_a_plain_reckoning(
    context: Flask, deeds: list[tuple[str, int, int, int]]
) -> None:
    made = meal_school(months=(NOVEMBER,), second=(38_000, date(2026, 11, 16)))
    town = Plain(made)
    issue(made.id, NOVEMBER, now=IN_NOVEMBER)
    for deed, number, place, length in deeds:
        if town.planned:
            getattr(town, deed)(number, town.day(place), length)
    town.issue(0, NOVEMBER.first_day, 0)
    for number in range(2):
        assert billed(made, number, made.meal, NOVEMBER) == town.owed(number)


class Plain:
    """The same month reckoned without a database: planned days, and who is free on them."""

    def __init__(self, made: MealSchool) -> None:
        self.made = made
        self.planned = set(weekdays(NOVEMBER))
        self.said: dict[tuple[int, date], tuple[bool, bool]] = {}

    def day(self, place: int) -> date:
        days = sorted(self.planned)
        return days[place % len(days)]

    def owed(self, number: int) -> int:
        return sum(
            35_000 if day < date(2026, 11, 16) else 38_000
            for day in self.planned
            if not self.said.get((number, day), (False, False))[1]
        )

    def _away(self, number: int, first: date, length: int, *, in_time: bool) -> None:
        last = first + timedelta(days=length)
        away(self.made, number, first, last, hour="07:00" if in_time else "08:00")
        for day in self.planned:
            if first <= day <= last and not self.said.get((number, day), (False, False))[0]:
                self.said[number, day] = True, in_time or day > first

    def away(self, number: int, first: date, length: int) -> None:
        self._away(number, first, length, in_time=True)

    def late(self, number: int, first: date, length: int) -> None:
        self._away(number, first, length, in_time=False)

    def back(self, _number: int, day: date, _length: int) -> None:
        made = self.made
        with scope.opened(scope.one_school(made.id)), transaction():
            services.close_register(
                made.id, made.class_id, day, [], actor=ACCOUNTANT, now=at(day, "09:00")
            )
        for child in range(2):
            self.said[child, day] = False, False

    def office(self, number: int, day: date, _length: int) -> None:
        made = self.made
        with scope.opened(scope.one_school(made.id)), transaction():
            services.decide_day(
                made.id,
                made.children[number].enrolment_id,
                day,
                is_away=True,
                is_cut=True,
                reason="bếp nghỉ",
                actor=ACCOUNTANT,
                now=IN_DECEMBER,
            )
        self.said[number, day] = True, True

    def calendar(self, _number: int, day: date, _length: int) -> None:
        self.planned.discard(day)
        serve(self.made, self.made.meal, NOVEMBER, self.planned)

    def issue(self, _number: int, _day: date, _length: int) -> None:
        with scope.opened(scope.one_school(self.made.id)):
            differs = billing.preview(self.made.id, NOVEMBER).count
        if differs:
            issue(self.made.id, NOVEMBER, now=IN_NOVEMBER)
