"""Items, caps, policies and approved schedules: made by the services."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date

from app.core import scope
from app.core.db import transaction
from app.core.money import Vnd
from app.core.period import Period
from app.money import fees
from app.money.fees import Category, FeeUnit, NewItem, NewPolicy, NewPrice
from app.people.schools import Level
from tests.factories.schools import ACCOUNTANT, NOON, PRINCIPAL, MadeSchool

_numbers = itertools.count(1)
#: Before every school year of the tests.
LONG_AGO = date(2025, 1, 1)
NOVEMBER = Period(2026, 11)


def make_item(
    school: MadeSchool,
    *,
    name: str = "Chăm sóc bán trú",
    name_en: str = "Boarding care",
    category: Category = Category.SERVICE,
    unit: FeeUnit = FeeUnit.MONTH,
    is_compulsory: bool = False,
    may_be_debt: bool = True,
    valid_from: date = LONG_AGO,
    valid_to: date | None = None,
) -> int:
    """An item of the catalogue, issued by the school's unit; its id."""
    if category in (Category.SPONSOR, Category.PARENT_FUND):
        is_compulsory = may_be_debt = False
    item = NewItem(
        code=f"ITEM{next(_numbers)}",
        name=name,
        name_en=name_en,
        category=category,
        unit=unit,
        legal_act="Nghị quyết 12/2026/NQ-HĐND",
        may_be_debt=may_be_debt,
        is_compulsory=is_compulsory,
        issued_by_id=school.unit_id,
        valid_from=valid_from,
        valid_to=valid_to,
    )
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return fees.add_item(item, actor=ACCOUNTANT, now=NOON)


def make_cap(
    item_id: int,
    amount: int,
    *,
    level: Level | None = None,
    valid_from: date = LONG_AGO,
    valid_to: date | None = None,
) -> int:
    """A ceiling of an item; its id."""
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return fees.set_cap(
            item_id,
            level=level,
            amount=Vnd(amount),
            legal_act="Nghị quyết 12/2026/NQ-HĐND",
            valid_from=valid_from,
            valid_to=valid_to,
            actor=ACCOUNTANT,
            now=NOON,
        )


def make_policy(
    *rates: tuple[int, int],
    applies_to_all: bool = False,
    valid_from: date = LONG_AGO,
    valid_to: date | None = None,
) -> int:
    """An exemption policy with its (item, percent) rates; its id."""
    n = next(_numbers)
    policy = NewPolicy(
        code=f"POLICY{n}",
        name=f"Chính sách {n}",
        legal_act="Nghị định 238/2025/NĐ-CP",
        valid_from=valid_from,
        valid_to=valid_to,
        rates=rates,
        applies_to_all=applies_to_all,
    )
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return fees.add_policy(policy, actor=ACCOUNTANT, now=NOON)


def make_draft(school: MadeSchool, prices: Sequence[NewPrice] = ()) -> int:
    """A draft of the school's year with prices; its id."""
    with scope.opened(scope.one_school(school.id)), transaction():
        draft = fees.draft_schedule(
            school.id,
            school.year_id,
            agreement="Biên bản họp phụ huynh 06/09/2026",
            actor=ACCOUNTANT,
            now=NOON,
        )
        fees.set_prices(school.id, draft, prices, actor=ACCOUNTANT, now=NOON)
        return draft


def approved_schedule(school: MadeSchool, prices: Sequence[NewPrice]) -> int:
    """A schedule drafted by the accountant and approved by the principal; its id."""
    draft = make_draft(school, prices)
    with scope.opened(scope.one_school(school.id)), transaction():
        fees.submit_schedule(school.id, draft, actor=ACCOUNTANT, now=NOON)
        fees.approve_schedule(school.id, draft, actor=PRINCIPAL, now=NOON)
    return draft


def price(
    item_id: int,
    dong: int,
    *,
    audience: str = "all",
    period: Period = NOVEMBER,
    quantity: int = 1,
    second: tuple[int, date] | None = None,
) -> NewPrice:
    """One price of a schedule; `second` is another one from a day on."""
    later, from_day = (Vnd(second[0]), second[1]) if second else (None, None)
    return NewPrice(item_id, audience, period, quantity, Vnd(dong), later, from_day)


def choose(school: MadeSchool, item_id: int, *enrolment_ids: int) -> list[int]:
    """Record that families take an optional item from September on; the ids."""
    chosen = [
        fees.Choice(enrolment, item_id, Period(2026, 9), chosen_on=date(2026, 9, 3))
        for enrolment in enrolment_ids
    ]
    with scope.opened(scope.one_school(school.id)), transaction():
        return fees.record_choices(school.id, chosen, actor=ACCOUNTANT, now=NOON)
