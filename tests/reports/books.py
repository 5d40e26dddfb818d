"""Small schools with bills and payments, made by the same doors as life, for the reports."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select

from app.core import clock, scope
from app.core.db import rows, transaction
from app.core.ids import new_student_code
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import fold, name_sort_key
from app.money import billing, ledger
from app.money.fees.models import (
    ExemptionPolicy,
    ExemptionRate,
    FeeChoice,
    FeeItem,
    FeeSchedule,
    SchedulePrice,
)
from app.money.ledger import chart
from app.money.payments.models import Method, Payment
from app.money.payments.posting import Accepted, Credit, accept_many
from app.money.payments.reversals import reverse_payment
from app.people.schools.models import OrganisationUnit
from app.people.students.models import Enrolment, Placement, SchoolClass, Student
from tests.factories.schools import ACCOUNTANT, OPENING, MadeSchool

NOVEMBER = Period(2026, 11)
OCTOBER = Period(2026, 10)
#: code, name, English name, category, price, chosen by the family
ITEMS = (
    ("TUITION", "Học phí", "Tuition", "tuition", 60_000, False),
    ("MEAL", "Tiền ăn bán trú", "School lunch", "agreed", 700_000, False),
    ("WATER", "Nước uống", "Drinking water", "service", 16_000, False),
    ("ENGLISH", "Tiếng Anh tăng cường", "Extra English", "service", 120_000, True),
)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Books:
    """A school whose bills are out."""

    school: MadeSchool
    #: student numbers by class, in the order of enrolment
    classes: dict[str, list[int]]

    @property
    def students(self) -> list[int]:
        return [student for members in self.classes.values() for student in members]


def noon(day: date) -> datetime:
    """Midday in Đà Nẵng."""
    return clock.start_of(day) + timedelta(hours=12)


def catalogue(issued_by: int) -> dict[str, int]:
    """The area's items and the State's paying for tuition, once in a database."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        if not db.session.scalar(select(FeeItem.id).limit(1)):
            for code, name, name_en, category, _price, is_chosen in ITEMS:
                db.session.execute(
                    insert(FeeItem).values(
                        code=code,
                        name=name,
                        name_en=name_en,
                        category=category,
                        unit="month",
                        legal_act="Nghị quyết minh họa 01/2026",
                        document_kind="receipt",
                        may_be_debt=True,
                        is_compulsory=not is_chosen,
                        issued_by_id=issued_by,
                        valid_from=OPENING,
                    )
                )
            tuition = db.session.scalar(select(FeeItem.id).where(FeeItem.code == "TUITION"))
            policy = db.session.scalar(
                insert(ExemptionPolicy)
                .values(
                    code="STATE",
                    name="Nhà nước chi trả",
                    legal_act="Nghị quyết minh họa 02/2025",
                    applies_to_all=True,
                    valid_from=OPENING,
                )
                .returning(ExemptionPolicy.id)
            )
            db.session.execute(
                insert(ExemptionRate).values(policy_id=policy, item_id=tuition, percent=100)
            )
        return {item.code: item.id for item in rows("select id, code from fee_items")}


def make_books(
    school: MadeSchool,
    classes: dict[str, int],
    *,
    months: Sequence[Period] = (NOVEMBER,),
    english: int = 0,
) -> Books:
    """Enrol children by class, price the months, issue their bills.

    The first `english` children of each class take the extra English.
    """
    with scope.opened(scope.EVERY_SCHOOL):
        unit = db.session.scalar(select(OrganisationUnit.id).limit(1))
    items = catalogue(int(unit or 0))
    books = Books(school, {name: [] for name in classes})
    with scope.opened(scope.one_school(school.id)), transaction():
        for name, size in classes.items():
            grade = int(name[0]) if name[0].isdigit() else 0
            class_id = db.session.scalar(
                insert(SchoolClass)
                .values(school_id=school.id, school_year_id=school.year_id, name=name, grade=grade)
                .returning(SchoolClass.id)
            )
            for place in range(size):
                student, enrolment = _enrol(school.id, int(class_id or 0))
                books.classes[name].append(student)
                if place < english:
                    db.session.execute(
                        insert(FeeChoice).values(
                            school_id=school.id,
                            enrolment_id=enrolment,
                            item_id=items["ENGLISH"],
                            first_period=Period(2026, 9),
                            source="paper",
                            chosen_on=OPENING,
                        )
                    )
        schedule = db.session.scalar(
            insert(FeeSchedule)
            .values(
                school_id=school.id,
                school_year_id=school.year_id,
                version=1,
                state="approved",
                agreement="",
                drafted_by=ACCOUNTANT.name,
            )
            .returning(FeeSchedule.id)
        )
        for month in months:
            for code, _name, _name_en, _category, price, _chosen in ITEMS:
                db.session.execute(
                    insert(SchedulePrice).values(
                        school_id=school.id,
                        schedule_id=schedule,
                        item_id=items[code],
                        audience="all",
                        period=month,
                        quantity=1,
                        price=Vnd(price),
                    )
                )
    for month in months:
        issue(school, month)
    return books


def _enrol(school_id: int, class_id: int) -> tuple[int, int]:
    name = f"Nguyễn Văn Minh Họa {next(_numbers)}"
    student = db.session.scalar(
        insert(Student)
        .values(
            code=new_student_code(),
            full_name=name,
            search_key=fold(name),
            sort_key=name_sort_key(name),
            birth_date=date(2019, 5, 12),
            sex="female",
            created_at=noon(OPENING),
        )
        .returning(Student.id)
    )
    enrolment = db.session.scalar(
        insert(Enrolment)
        .values(school_id=school_id, student_id=student, starts_on=OPENING)
        .returning(Enrolment.id)
    )
    db.session.execute(
        insert(Placement).values(
            school_id=school_id, enrolment_id=enrolment, class_id=class_id, starts_on=OPENING
        )
    )
    return int(student or 0), int(enrolment or 0)


def issue(school: MadeSchool, month: Period) -> None:
    """Issue a month's bills on its second day."""
    day = month.first_day.replace(day=2)
    with scope.opened(scope.one_school(school.id)), transaction():
        run = billing.draft_run(
            school.id, month, due_on=month.last_day, actor=ACCOUNTANT, now=noon(day)
        )
        billing.issue_run(school.id, run, actor=ACCOUNTANT, now=noon(day))


def pay(
    school: MadeSchool,
    students: Sequence[int],
    amount: int,
    *,
    on: date,
    method: Method = Method.TRANSFER,
) -> Accepted:
    """One payment for one child, or for several at once."""
    with scope.opened(scope.one_school(school.id)), transaction():
        requests = tuple(billing.requests_of(school.id, student)[0] for student in students)
        return accept_many(
            school.id,
            [_credit(school, amount, on, method, requests)],
            actor=ACCOUNTANT,
            now=noon(on),
        )[0]


def pay_unknown(school: MadeSchool, amount: int, *, on: date) -> Accepted:
    """A transfer whose text names nobody."""
    with scope.opened(scope.one_school(school.id)), transaction():
        credit = _credit(school, amount, on, Method.TRANSFER, ())
        return accept_many(school.id, [credit], actor=ACCOUNTANT, now=noon(on))[0]


def _credit(
    school: MadeSchool,
    amount: int,
    on: date,
    method: Method,
    requests: tuple[billing.Request, ...],
) -> Credit:
    is_cash = method is Method.CASH
    return Credit(
        provider="cash" if is_cash else "sepay",
        channel_id=school.cash_channel_id if is_cash else school.channel_id,
        external_id=f"{method}-{next(_numbers)}",
        method=method,
        amount=Vnd(amount),
        occurred_at=noon(on),
        value_on=on,
        debit=chart.cash(school.till_id) if is_cash else chart.bank(school.account_id),
        place=str(school.account_id),
        proof="till" if is_cash else "account",
        text="nop tien",
        bank_account_id=None if is_cash else school.account_id,
        till_id=school.till_id if is_cash else None,
        requests=requests,
        rule="desk",
    )


def take_back(school: MadeSchool, payment_id: int, *, on: date, amount: int | None = None) -> None:
    """The money of a payment goes back, whole or in part; its bills open again."""
    with scope.opened(scope.one_school(school.id)), transaction():
        payment = db.session.get_one(Payment, payment_id)
        reverse_payment(
            school.id,
            payment_id,
            amount=payment.amount if amount is None else Vnd(amount),
            kind="refund",
            external_id=f"refund-{next(_numbers)}",
            actor=ACCOUNTANT,
            now=noon(on),
        )


def bank_the_cash(school: MadeSchool, amount: int, *, on: date) -> None:
    """The accountant carries the drawer to the bank."""
    with scope.opened(scope.one_school(school.id)), transaction():
        pair = ledger.Pair(chart.bank(school.account_id), chart.cash(school.till_id), Vnd(amount))
        ledger.post(
            school.id,
            ledger.Event("cash_banked", "handover", next(_numbers), [pair]),
            booked_on=on,
            now=noon(on),
        )
