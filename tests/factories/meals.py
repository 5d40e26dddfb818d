"""A school with meals by the day, its calendar and its children, made by the services."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from app.core import clock, scope
from app.core.db import transaction
from app.core.period import Period
from app.money import fees
from app.money.fees import Category, FeeUnit
from app.money.meals import services
from app.people.students import Enrolled
from tests.factories.fees import approved_schedule, choose, make_item, price
from tests.factories.people import enrol, make_class, new_student
from tests.factories.schools import ACCOUNTANT, MadeSchool, make_school

NOVEMBER, DECEMBER = Period(2026, 11), Period(2026, 12)
MEAL, CARE, EXTRAS, TUITION, SATURDAY = 35_000, 260_000, 90_000, 95_000, 70_000


def weekdays(month: Period) -> list[date]:
    """Monday to Friday of a month."""
    return [day for day in days_of(month) if day.weekday() < 5]


def days_of(month: Period) -> list[date]:
    """Every day of a month."""
    return [month.first_day.replace(day=n) for n in range(1, month.last_day.day + 1)]


@dataclass(frozen=True, slots=True)
class MealSchool:
    """Meals by the day for those who chose them, care and extras by the month."""

    school: MadeSchool
    class_id: int
    meal: int
    care: int
    extras: int
    saturday: int
    schedule_id: int
    children: tuple[Enrolled, ...]

    @property
    def id(self) -> int:
        return self.school.id


def meal_school(
    count: int = 2,
    *,
    months: Sequence[Period] = (NOVEMBER, DECEMBER),
    second: tuple[int, date] | None = None,
    starts_on: date = date(2026, 9, 1),
    saturdays: Collection[date] = (),
    calendar: bool = True,
) -> MealSchool:
    """A school whose children all eat on weekdays; those of `saturdays` are cared for, too."""
    school = make_school()
    agreed = {"category": Category.AGREED}
    meal = make_item(school, name="Tiền ăn bán trú", unit=FeeUnit.DAY, **agreed)
    care = make_item(school, name="Chăm sóc bán trú")
    extras = make_item(school, name="Gas, phụ phí", **agreed)
    saturday = make_item(school, name="Giữ trẻ thứ Bảy", unit=FeeUnit.DAY)
    prices = []
    for month in months:
        begins = second if second and Period.of(second[1]) == month else None
        prices += [
            price(meal, MEAL, period=month, quantity=22, second=begins),
            price(care, CARE, period=month),
            price(extras, EXTRAS, period=month),
            price(saturday, SATURDAY, period=month, quantity=4),
        ]
    schedule = approved_schedule(school, prices)
    class_id = make_class(school)
    names = ("Nguyễn Gia An", "Trần Bảo Châu", "Lê Minh Đạt", "Phạm Thảo Vy")
    children = enrol(
        school,
        *(new_student(class_id, names[n % 4], starts_on=starts_on) for n in range(count)),
    )
    stays = [child.enrolment_id for child in children]
    items = (meal, care, extras, *((saturday,) if saturdays else ()))
    for item in items:
        choose(school, item, *stays)
    made = MealSchool(school, class_id, meal, care, extras, saturday, schedule, tuple(children))
    if calendar:
        for month in months:
            extra = [day for day in saturdays if Period.of(day) == month]
            serve(made, meal, month, [*weekdays(month), *extra])
            if saturdays:
                serve(made, saturday, month, extra)
    return made


def serve(made: MealSchool, item: int, month: Period, days: Collection[date]) -> int:
    """The calendar of an item in a month."""
    with scope.opened(scope.one_school(made.id)), transaction():
        return services.plan_days(
            made.id,
            item,
            month.first_day,
            month.last_day,
            days,
            actor=ACCOUNTANT,
            now=at(month.first_day, "06:00"),
        )


def at(day: date, hour: str) -> datetime:
    """A moment by the clock on a Vietnamese wall."""
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=clock.LOCAL)


def away(
    made: MealSchool, number: int, first: date, last: date | None = None, hour: str = "07:00"
) -> services.Reported:
    """The family reports an absence on the morning of its first day."""
    with scope.opened(scope.one_school(made.id)), transaction():
        return services.report_away(
            made.id,
            made.children[number].enrolment_id,
            first,
            last or first,
            source=services.Source.FAMILY,
            reason="ốm",
            actor=ACCOUNTANT,
            now=at(first, hour),
        )


def own_quantity(made: MealSchool, number: int, item: int, month: Period, quantity: int) -> None:
    """One child's own quantity of an item."""
    wanted = fees.OwnQuantity(
        made.children[number].enrolment_id, item, month, quantity, "theo đơn của gia đình"
    )
    with scope.opened(scope.one_school(made.id)), transaction():
        fees.set_quantities(made.id, [wanted], actor=ACCOUNTANT, now=at(month.first_day, "06:00"))
