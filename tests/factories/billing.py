"""Runs drafted and issued by the services, and a school small enough to reckon by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from app.core import scope
from app.core.db import rows, transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import billing, fees
from app.money.billing import invariants
from app.money.fees import Category, Grant
from app.people.students import Enrolled
from tests.factories.fees import NOVEMBER, approved_schedule, choose, make_item, make_policy, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, PRINCIPAL, MadeSchool, make_school

DECEMBER = Period(2026, 12)
EARLY = datetime(2026, 11, 2, 2, tzinfo=UTC)
IN_DECEMBER = datetime(2026, 12, 2, 2, tzinfo=UTC)

TUITION, CARE, WATER = 95_000, 260_000, 16_000


@dataclass(frozen=True, slots=True)
class SmallSchool:
    """Free tuition, care for those who chose it, water for all; priced in November and December."""

    school: MadeSchool
    class_id: int
    tuition: int
    care: int
    water: int
    #: 50 percent off care
    half: int
    schedule_id: int
    children: tuple[Enrolled, ...]

    @property
    def id(self) -> int:
        return self.school.id


def small_school(count: int = 3, *, taking_care: int | None = None) -> SmallSchool:
    """A school with `count` children in one class; the first `taking_care` of them chose care."""
    school = make_school()
    tuition = make_item(
        school, name="Học phí", name_en="Tuition", category=Category.TUITION, is_compulsory=True
    )
    care = make_item(school, name="Phục vụ bán trú", name_en="Boarding care")
    water = make_item(school, name="Nước uống", name_en="Water", is_compulsory=True)
    make_policy((tuition, 100), applies_to_all=True)
    half = make_policy((care, 50))
    prices = [
        price(item, dong, period=period)
        for period in (NOVEMBER, DECEMBER)
        for item, dong in ((tuition, TUITION), (care, CARE), (water, WATER))
    ]
    schedule = approved_schedule(school, prices)
    class_id = make_class(school)
    names = ("Nguyễn Gia An", "Trần Bảo Châu", "Lê Minh Đạt", "Phạm Thảo Vy", "Võ Anh Khoa")
    children = enrol(school, *(new_student(class_id, names[n % len(names)]) for n in range(count)))
    taking = count if taking_care is None else taking_care
    if taking:
        choose(school, care, *(child.enrolment_id for child in children[:taking]))
    return SmallSchool(school, class_id, tuition, care, water, half, schedule, tuple(children))


def issue(
    school_id: int,
    period: Period = NOVEMBER,
    *,
    now: datetime = EARLY,
    due_on: date | None = None,
) -> billing.Issued:
    """Draft and issue the month's run as the accountant does."""
    with scope.opened(scope.one_school(school_id)), transaction():
        run_id = billing.draft_run(
            school_id, period, due_on=due_on or period.last_day, actor=ACCOUNTANT, now=now
        )
        return billing.issue_run(school_id, run_id, actor=ACCOUNTANT, now=now)


def draft(school_id: int, period: Period = NOVEMBER, *, due_on: date | None = None) -> int:
    """A run in draft; its id."""
    with scope.opened(scope.one_school(school_id)), transaction():
        return billing.draft_run(
            school_id, period, due_on=due_on or period.last_day, actor=ACCOUNTANT, now=EARLY
        )


def grant(school_id: int, enrolment_id: int, policy_id: int, first: Period = NOVEMBER) -> None:
    """An exemption from a month on, given by the principal."""
    with scope.opened(scope.one_school(school_id)), transaction():
        fees.grant_exemptions(
            school_id, [Grant(enrolment_id, policy_id, first)], actor=PRINCIPAL, now=EARLY
        )


def reprice(made: SmallSchool, item_id: int, dong: int, period: Period) -> None:
    """A new approved version of the schedule with one other price."""
    with scope.opened(scope.one_school(made.id)), transaction():
        copy = fees.copy_to_new_draft(made.id, made.schedule_id, actor=ACCOUNTANT, now=EARLY)
        fees.set_prices(
            made.id, copy, [price(item_id, dong, period=period)], actor=ACCOUNTANT, now=EARLY
        )
        fees.submit_schedule(made.id, copy, actor=ACCOUNTANT, now=EARLY)
        fees.approve_schedule(made.id, copy, actor=PRINCIPAL, now=EARLY)


def amounts(school_id: int, student_id: int) -> dict[tuple[int, int], int]:
    """What a child was billed in all, by item and month of service."""
    with scope.opened(scope.one_school(school_id)):
        found = rows(
            "select l.item_id, l.service_period, sum(l.amount) as amount from invoice_lines l"
            " join invoices v on v.school_id = l.school_id and v.id = l.invoice_id"
            " where l.school_id = :school_id and v.student_id = :student"
            " group by l.item_id, l.service_period",
            school_id=school_id,
            student=student_id,
        )
    return {(line.item_id, int(line.service_period)): int(line.amount) for line in found}


def still_open(school_id: int, student_id: int) -> Vnd:
    """What a child has still to pay."""
    with scope.opened(scope.one_school(school_id)):
        lines = billing.open_lines(school_id, [student_id]).get(student_id, [])
    return Vnd(sum(line.open.dong for line in lines))


def breaches() -> dict[str, Sequence[str]]:
    """The invariants of billing that fall, with what breaks them."""
    with scope.opened(scope.EVERY_SCHOOL):
        found = {i.number: i.find() for i in invariants.INVARIANTS}
    return {number: broken for number, broken in found.items() if broken}


__all__ = [
    "CARE",
    "DECEMBER",
    "EARLY",
    "IN_DECEMBER",
    "NOVEMBER",
    "TUITION",
    "WATER",
    "SmallSchool",
    "amounts",
    "breaches",
    "draft",
    "grant",
    "issue",
    "reprice",
    "small_school",
    "still_open",
]
