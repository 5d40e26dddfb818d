"""Whatever happens in whatever order, a child has been billed what a plain reckoning gives.

The reckoning below is written from the rules of product and law alone: it knows no SQL and nothing
of what was billed before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import scope
from app.core.db import rows, transaction
from app.core.errors import DomainError
from app.core.period import Period
from app.money import billing, fees
from app.money.billing import corrections
from app.money.meals import services
from app.people import students
from tests.factories.billing import amounts, breaches, issue
from tests.factories.fees import make_item, make_policy, price
from tests.factories.meals import (
    CARE,
    DECEMBER,
    EXTRAS,
    MEAL,
    NOVEMBER,
    MealSchool,
    at,
    days_of,
    meal_school,
    serve,
    weekdays,
)
from tests.factories.people import enrol, new_student
from tests.factories.schools import ACCOUNTANT, PRINCIPAL

MONTHS = (NOVEMBER, DECEMBER)
WATER, PLANNED = 16_000, 22
#: every deed is done on this morning
NOW = at(date(2026, 11, 2), "06:30")
DUE = date(2026, 12, 31)
FOREVER = Period(2099, 12)


@dataclass
class Life:
    """What is known of one child: its stay, its words and its reliefs, from month to month."""

    enrolment_id: int
    student_id: int
    starts_on: date
    ends_on: date | None = None
    away: set[date] = field(default_factory=set)
    #: of care and meals together, and the 50 percent off care: number, first and last month
    yes: list[tuple[int, Period, Period]] = field(default_factory=list)
    half: list[tuple[int, Period, Period]] = field(default_factory=list)

    def is_there(self, month: Period) -> bool:
        gone = self.ends_on is not None and self.ends_on <= month.first_day
        return self.starts_on <= month.last_day and not gone

    def is_there_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


@dataclass
class World:
    """A school with what it asks, told twice: to the product, and to the reckoning."""

    made: MealSchool
    water: int
    half: int
    lives: list[Life] = field(default_factory=list)
    prices: dict[tuple[int, Period], int] = field(default_factory=dict)
    served: set[date] = field(default_factory=set)

    def reckoned(self, life: Life) -> dict[tuple[int, int], int]:
        """Item and month → đồng; nothing where nothing is asked."""
        asked: dict[tuple[int, int], int] = {}
        for month in MONTHS:
            if not life.is_there(month):
                continue
            asked[self.water, month.number] = self.prices[self.water, month]
            if not any(first <= month <= last for _id, first, last in life.yes):
                continue
            care = self.prices[self.made.care, month]
            if any(first <= month <= last for _id, first, last in life.half):
                care -= (care * 50 + 50) // 100
            asked[self.made.care, month.number] = care
            asked[self.made.extras, month.number] = self.prices[self.made.extras, month]
            eaten = [
                day
                for day in self.served
                if Period.of(day) == month and life.is_there_on(day) and day not in life.away
            ]
            # Without a calendar of the month the days of the price list stand.
            is_planned = any(Period.of(day) == month for day in self.served)
            days = len(eaten) if is_planned else PLANNED
            asked[self.made.meal, month.number] = days * self.prices[self.made.meal, month]
        return {key: dong for key, dong in asked.items() if dong}

    # Deeds; each is told to the reckoning only after the product has taken it.

    def join(self, number: int, size: int) -> None:
        starts_on = NOVEMBER.first_day + timedelta(days=size % 55)
        child = enrol(
            self.made.school,
            new_student(self.made.class_id, f"Bùi Văn {len(self.lives)}", starts_on=starts_on),
        )[0]
        self.lives.append(Life(child.enrolment_id, child.student_id, starts_on))
        if number % 2:
            with transaction():
                self.say_yes(len(self.lives) - 1, size)

    def leave(self, number: int, size: int) -> None:
        life = self._of(number)
        ends_on = life.starts_on + timedelta(days=1 + size % 50)
        students.end_enrolment(
            self.made.id,
            life.enrolment_id,
            ends_on=ends_on,
            reason="stopped",
            actor=ACCOUNTANT,
            now=at(DECEMBER.last_day, "09:00"),
        )
        life.ends_on = ends_on

    def reprice(self, number: int, size: int) -> None:
        item = (self.water, self.made.care, self.made.meal, self.made.extras)[number % 4]
        month, dong = MONTHS[size % 2], size * 333
        who = {"actor": ACCOUNTANT, "now": NOW}
        current = next(one for one in fees.list_schedules(self.made.id) if one.state == "approved")
        draft = fees.copy_to_new_draft(self.made.id, current.id, **who)
        quantity = PLANNED if item == self.made.meal else 1
        new = price(item, dong, period=month, quantity=quantity)
        fees.set_prices(self.made.id, draft, [new], **who)
        fees.submit_schedule(self.made.id, draft, **who)
        fees.approve_schedule(self.made.id, draft, actor=PRINCIPAL, now=NOW)
        self.prices[item, month] = dong

    def plan(self, number: int, size: int) -> None:
        month = MONTHS[number % 2]
        days = {day for day in days_of(month) if (day.day * size) % 3 and day.weekday() < 5}
        serve(self.made, self.made.meal, month, days)
        self.served = {day for day in self.served if Period.of(day) != month} | days

    def stay_away(self, number: int, size: int) -> None:
        life = self._of(number)
        first = max(NOVEMBER.first_day, life.starts_on) + timedelta(days=size % 40)
        last = first + timedelta(days=size % 4)
        services.report_away(
            self.made.id,
            life.enrolment_id,
            first,
            last,
            source=services.Source.FAMILY,
            reason="ốm",
            actor=ACCOUNTANT,
            now=NOW,
        )
        yes = [(first_month, last_month) for _id, first_month, last_month in life.yes]
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            wants = any(a <= Period.of(day) <= b for a, b in yes)
            # An absence is written down for days with a meal of the child, told in time.
            if day in self.served and life.is_there_on(day) and wants and day >= NOW.date():
                life.away.add(day)

    def say_yes(self, number: int, size: int) -> None:
        life = self._of(number)
        first = MONTHS[size % 2]
        wanted = [
            fees.Choice(life.enrolment_id, item, first, chosen_on=NOW.date())
            for item in (self.made.care, self.made.extras, self.made.meal)
        ]
        (choice, *_others) = fees.record_choices(self.made.id, wanted, actor=ACCOUNTANT, now=NOW)
        life.yes.append((choice, first, FOREVER))

    def take_back(self, number: int, size: int) -> None:
        life = self._of(number)
        last = (NOVEMBER.previous(), NOVEMBER)[size % 2]
        open_now = [one for one in life.yes if one[2] == FOREVER]
        if not open_now:
            return
        choice, first, _last = open_now[-1]
        for one in (choice, choice + 1, choice + 2):
            fees.withdraw_choice(self.made.id, one, last_period=last, actor=ACCOUNTANT, now=NOW)
        life.yes[life.yes.index(open_now[-1])] = (choice, first, last)

    def grant(self, number: int, size: int) -> None:
        life = self._of(number)
        first = MONTHS[size % 2]
        last = None if size % 3 else first
        (given,) = fees.grant_exemptions(
            self.made.id,
            [fees.Grant(life.enrolment_id, self.half, first, last)],
            actor=PRINCIPAL,
            now=NOW,
        )
        life.half.append((given, first, last or FOREVER))

    def end_grant(self, number: int, size: int) -> None:
        life = self._of(number)
        if not life.half:
            return
        given, first, _last = life.half[-1]
        last = (NOVEMBER.previous(), NOVEMBER)[size % 2]
        fees.end_exemption(self.made.id, given, last_period=last, actor=PRINCIPAL, now=NOW)
        life.half[-1] = (given, first, last)

    def withdraw(self, number: int, _size: int) -> None:
        bills = billing.invoices_of(self.made.id, self._of(number).student_id)
        if bills:
            corrections.withdraw(
                self.made.id,
                bills[-1].id,
                reason="lập nhầm phiếu cho em",
                due_on=DUE,
                actor=ACCOUNTANT,
                now=NOW,
            )

    def put_right(self, number: int, size: int) -> None:
        corrections.bill_child(
            self.made.id,
            self._of(number).enrolment_id,
            MONTHS[size % 2],
            due_on=DUE,
            actor=ACCOUNTANT,
            now=NOW,
        )

    def run(self, number: int, _size: int) -> None:
        issue(self.made.id, MONTHS[number % 2], now=NOW, due_on=DUE)

    def _of(self, number: int) -> Life:
        return self.lives[number % len(self.lives)]


DEEDS: dict[str, Callable[[World, int, int], None]] = {
    "join": World.join,
    "leave": World.leave,
    "reprice": World.reprice,
    "plan": World.plan,
    "away": World.stay_away,
    "yes": World.say_yes,
    "back": World.take_back,
    "grant": World.grant,
    "end": World.end_grant,
    "withdraw": World.withdraw,
    "child": World.put_right,
    "run": World.run,
}


def world() -> World:
    made = meal_school(2)
    water = make_item(made.school, name="Nước uống", is_compulsory=True)
    here = World(made, water, make_policy((made.care, 50)))
    with scope.opened(scope.one_school(made.id)), transaction():
        draft = fees.copy_to_new_draft(made.id, made.schedule_id, actor=ACCOUNTANT, now=NOW)
        fees.set_prices(
            made.id,
            draft,
            [price(water, WATER, period=month) for month in MONTHS],
            actor=ACCOUNTANT,
            now=NOW,
        )
        fees.submit_schedule(made.id, draft, actor=ACCOUNTANT, now=NOW)
        fees.approve_schedule(made.id, draft, actor=PRINCIPAL, now=NOW)
    known = {water: WATER, made.care: CARE, made.meal: MEAL, made.extras: EXTRAS}
    for month in MONTHS:
        here.served |= set(weekdays(month))
        for item, dong in known.items():
            here.prices[item, month] = dong
    with scope.opened(scope.one_school(made.id)):
        for child in made.children:
            (first, *_more) = rows(
                "select id from fee_choices where school_id = :school and enrolment_id = :stay"
                " order by id",
                school=made.id,
                stay=child.enrolment_id,
            )
            life = Life(child.enrolment_id, child.student_id, date(2026, 9, 1))
            # Its three yeses were recorded item by item, not in a row: they are not taken back.
            life.yes.append((first.id, Period(2026, 9), Period(2099, 11)))
            here.lives.append(life)
    return here


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    deeds=st.lists(
        st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 5), st.integers(1, 999)),
        max_size=18,
    )
)
def test_in_any_order_of_events_the_sum_billed_is_what_a_plain_reckoning_gives(
    context: Flask, deeds: list[tuple[str, int, int]]
) -> None:
    here = world()
    for deed, number, size in deeds:
        try:
            with scope.opened(scope.one_school(here.made.id)):
                if deed in ("join", "run", "plan"):  # these open and commit by themselves
                    DEEDS[deed](here, number, size)
                else:
                    with transaction():
                        DEEDS[deed](here, number, size)
        except DomainError:
            continue
    for month in MONTHS:
        try:
            issue(here.made.id, month, now=NOW, due_on=DUE)
        except DomainError:
            continue
    for life in here.lives:
        billed = amounts(here.made.id, life.student_id)
        assert {key: dong for key, dong in billed.items() if dong} == here.reckoned(life)
    with scope.opened(scope.one_school(here.made.id)):
        lines = rows(
            "select legal_act, unit, name, quantity + quantity_before as quantity, gross,"
            " service_period from invoice_lines where school_id = :school",
            school=here.made.id,
        )
    for line in lines:
        assert line.legal_act and line.unit and line.name
        assert Period.from_number(int(line.service_period)) in MONTHS
        assert line.quantity > 0 or line.gross <= 0
    assert breaches() == {}
