"""An offer nobody paid by its last day is no debt: the line is taken back, the yes ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from app.audit import MACHINE
from app.core import scope
from app.core.db import execute, rows, scalar, transaction
from app.core.money import Vnd
from app.money import billing, fees
from app.money.billing.errors import NothingToBill
from app.money.billing.lapsing import Lapsed, lapse
from app.money.fees import Category, Choice
from app.money.payments import cash
from app.people.students import Enrolled
from app.shell.upkeep import lapse_offers
from tests.factories.billing import DECEMBER, EARLY, amounts, breaches, issue, still_open
from tests.factories.fees import NOVEMBER, approved_schedule, choose, make_item, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, MadeSchool, make_school

ACCIDENT, WATER = 90_000, 16_000
DUE = date(2026, 11, 20)
_keys = itertools.count(1)


def at(day: int, month: int = 11) -> datetime:
    return datetime(2026, month, day, 3, tzinfo=UTC)


@dataclass
class Offer:
    """A school that offers accident insurance in November and again in December."""

    school: MadeSchool
    accident: int
    water: int
    children: list[Enrolled]

    @property
    def id(self) -> int:
        return self.school.id

    def lapse(self, now: datetime) -> Lapsed:
        with scope.opened(scope.one_school(self.id)), transaction():
            return lapse(self.id, actor=MACHINE, now=now)

    def pay(self, place: int, dong: int, now: datetime, *, ticked: Sequence[int] = ()) -> None:
        child = self.children[place].student_id
        with scope.opened(scope.one_school(self.id)), transaction():
            lines = [one.line_id for one in billing.open_lines(self.id, [child])[child]]
            cash.take_cash(
                self.id,
                requests=billing.requests_of(self.id, child),
                ticked=ticked or lines,
                amount=Vnd(dong),
                given=Vnd(dong),
                payer="",
                till_id=self.school.till_id,
                key=f"lapsing-{next(_keys)}",
                actor=ACCOUNTANT,
                now=now,
            )

    def open_of(self, place: int) -> int:
        return still_open(self.id, self.children[place].student_id).dong

    def yeses(self, place: int) -> list[tuple[int, int | None]]:
        with scope.opened(scope.one_school(self.id)):
            return [
                (int(one.first_period), one.last_period and int(one.last_period))
                for one in rows(
                    "select first_period, last_period from fee_choices"
                    " where school_id = :school_id and enrolment_id = :stay"
                    " order by first_period, id",
                    school_id=self.id,
                    stay=self.children[place].enrolment_id,
                )
            ]


@pytest.fixture
def offer(context: Flask) -> Offer:
    school = make_school()
    accident = make_item(
        school,
        name="Bảo hiểm thân thể",
        name_en="Accident insurance",
        category=Category.COLLECT_FOR,
        may_be_debt=False,
    )
    water = make_item(school, name="Nước uống", name_en="Water", is_compulsory=True)
    approved_schedule(
        school,
        [
            price(item, dong, period=month)
            for month in (NOVEMBER, DECEMBER)
            for item, dong in ((accident, ACCIDENT), (water, WATER))
        ],
    )
    class_id = make_class(school)
    names = ("Nguyễn Gia An", "Trần Bảo Châu", "Lê Minh Đạt")
    children = list(enrol(school, *(new_student(class_id, name) for name in names)))
    choose(school, accident, *(child.enrolment_id for child in children))
    issue(school.id, now=EARLY, due_on=DUE)
    return Offer(school, accident, water, children)


def test_an_unpaid_offer_stands_for_three_days_after_its_day_and_then_lapses(offer: Offer) -> None:
    assert offer.lapse(at(23)) == Lapsed(0, 0, Vnd(0))
    assert offer.lapse(at(24)) == Lapsed(3, 3, Vnd(3 * ACCIDENT))
    assert [offer.open_of(place) for place in range(3)] == [WATER] * 3
    assert breaches() == {}


def test_what_is_compulsory_or_may_be_a_debt_never_lapses(offer: Offer) -> None:
    offer.lapse(at(24))
    assert offer.lapse(at(24, 12)) == Lapsed(0, 0, Vnd(0))
    assert offer.open_of(0) == WATER


def test_an_offer_that_was_paid_stays_and_so_does_one_paid_in_part(offer: Offer) -> None:
    offer.pay(0, WATER + ACCIDENT, at(10))
    offer.pay(1, WATER + 1_000, at(10))
    assert offer.lapse(at(24)).lines == 1
    assert [offer.open_of(place) for place in range(3)] == [0, ACCIDENT - 1_000, WATER]
    assert breaches() == {}


def test_the_yes_ends_so_that_the_next_run_does_not_bill_it_again(offer: Offer) -> None:
    offer.lapse(at(24))
    issue(offer.id, DECEMBER, now=at(1, 12))
    billed = amounts(offer.id, offer.children[0].student_id)
    assert (offer.accident, DECEMBER.number) not in billed
    assert billed[offer.accident, NOVEMBER.number] == 0
    assert breaches() == {}


def test_a_later_month_that_was_paid_keeps_its_yes(offer: Offer) -> None:
    issue(offer.id, DECEMBER, now=at(1, 12))
    child = offer.children[0].student_id
    with scope.opened(scope.one_school(offer.id)):
        december = next(
            line.line_id
            for line in billing.open_lines(offer.id, [child])[child]
            if line.open.dong == ACCIDENT and line.due_on > DUE
        )
    offer.pay(0, ACCIDENT, at(2, 12), ticked=[december])
    offer.lapse(at(2, 12))
    assert offer.yeses(0) == [(202609, 202610), (202612, None)]
    assert offer.open_of(0) == 2 * WATER
    with pytest.raises(NothingToBill):
        issue(offer.id, DECEMBER, now=at(3, 12))
    assert amounts(offer.id, child)[offer.accident, DECEMBER.number] == ACCIDENT
    assert breaches() == {}


def test_money_that_comes_too_late_is_the_childs_credit(offer: Offer) -> None:
    offer.lapse(at(24))
    offer.pay(0, WATER, at(25))
    with scope.opened(scope.one_school(offer.id)):
        assert billing.credits_of(offer.id).get(offer.children[0].student_id, Vnd(0)) == Vnd(0)
    assert offer.open_of(0) == 0


def test_a_family_may_say_yes_again_and_is_billed_anew(offer: Offer) -> None:
    offer.lapse(at(24))
    again = Choice(
        offer.children[0].enrolment_id, offer.accident, DECEMBER, date(2026, 11, 30), source="web"
    )
    with scope.opened(scope.one_school(offer.id)), transaction():
        fees.record_choices(offer.id, [again], actor=ACCOUNTANT, now=at(30))
    issue(offer.id, DECEMBER, now=at(1, 12))
    assert amounts(offer.id, offer.children[0].student_id)[offer.accident, 202612] == ACCIDENT
    assert breaches() == {}


def test_a_school_sets_its_own_days_of_grace(offer: Offer) -> None:
    with scope.opened(scope.one_school(offer.id)), transaction():
        execute(
            "insert into school_settings (school_id, name, value, valid_from)"
            " values (:school_id, 'voluntary_lapse_days', '10', :day)",
            school_id=offer.id,
            day=date(2026, 11, 1),
        )
    assert offer.lapse(at(24)).lines == 0
    assert offer.lapse(at(1, 12)).lines == 3


def test_the_worker_does_it_for_every_school_and_writes_down_why(
    offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lapse_offers(now=at(26))
    assert offer.open_of(2) == WATER
    with scope.opened(scope.one_school(offer.id)):
        assert (
            scalar(
                "select count(*) from audit_rows where school_id = :school_id"
                " and action = 'billing_run.lapse'",
                school_id=offer.id,
            )
            == 1
        )
