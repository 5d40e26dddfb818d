"""The demo's fee catalogue and price lists: real kinds of charges at invented prices.

No ceiling is set: none of the city could be found, so the unit above fills them in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from app.core.period import Period
from app.demo.calendar import Calendar, school_days
from app.money.fees.models import Category, FeeUnit
from app.people.schools.models import Level

#: The basis of health insurance from July 2026, and the State's share in percent.
BASE_SALARY: Final = 2_530_000
STATE_SHARE: Final = 50

_FREE: Final = "Nghị quyết 217/2025/QH15; Nghị định 238/2025/NĐ-CP"
_AGREED: Final = "Thỏa thuận bằng văn bản với cha mẹ học sinh (minh họa)"
_SERVICE: Final = "Dự toán và thỏa thuận với cha mẹ học sinh (minh họa)"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the catalogue."""

    code: str
    name: str
    name_en: str
    category: Category
    unit: FeeUnit
    legal_act: str
    is_compulsory: bool = True
    may_be_debt: bool = True


ITEMS: Final = (
    Item("HOCPHI", "Học phí", "Tuition", Category.TUITION, FeeUnit.MONTH, _FREE),
    Item("TIENAN", "Tiền ăn bán trú", "Meals", Category.AGREED, FeeUnit.DAY, _AGREED),
    Item("BANTRU", "Phục vụ bán trú", "Boarding care", Category.SERVICE, FeeUnit.MONTH, _SERVICE),
    Item(
        "PHUPHI",
        "Gas, phụ phí nấu ăn",
        "Cooking fuel and extras",
        Category.AGREED,
        FeeUnit.MONTH,
        _AGREED,
    ),
    Item("NUOC", "Nước uống", "Drinking water", Category.SERVICE, FeeUnit.MONTH, _SERVICE),
    Item(
        "CNTT",
        "Ứng dụng công nghệ thông tin",
        "Digital contact book",
        Category.SERVICE,
        FeeUnit.MONTH,
        _SERVICE,
    ),
    Item(
        "MAYLANH", "Sử dụng máy lạnh", "Air conditioning", Category.SERVICE, FeeUnit.MONTH, _SERVICE
    ),
    Item(
        "KNS",
        "Kỹ năng sống",
        "Life skills",
        Category.SERVICE,
        FeeUnit.LESSON,
        _SERVICE,
        is_compulsory=False,
    ),
    Item(
        "BHYT",
        "Bảo hiểm y tế học sinh",
        "Pupils' health insurance",
        Category.COLLECT_FOR,
        FeeUnit.MONTH,
        "Nghị định 188/2025/NĐ-CP; lương cơ sở 2.530.000 đồng, Nhà nước hỗ trợ 50 %",
    ),
    Item("HOCPHAM", "Học phẩm", "Learning materials", Category.AGREED, FeeUnit.YEAR, _AGREED),
    Item("DODUNG", "Đồ dùng bán trú", "Boarding kit", Category.AGREED, FeeUnit.YEAR, _AGREED),
    Item(
        "BHTT",
        "Bảo hiểm thân thể",
        "Accident insurance",
        Category.COLLECT_FOR,
        FeeUnit.YEAR,
        "Hợp đồng với công ty bảo hiểm, tự nguyện (minh họa)",
        is_compulsory=False,
        may_be_debt=False,
    ),
)
OPTIONAL: Final = tuple(item.code for item in ITEMS if not item.is_compulsory)


@dataclass(frozen=True, slots=True)
class Policy:
    """A ground for paying less, with the percentage it takes off each item."""

    code: str
    name: str
    legal_act: str
    percents: tuple[tuple[str, int], ...]
    applies_to_all: bool = False


_SCHOOLS_OWN: Final = ("BANTRU", "PHUPHI", "NUOC", "CNTT", "MAYLANH", "KNS", "HOCPHAM")
POLICIES: Final = (
    Policy("MIENHP", "Miễn học phí cho mọi em trường công lập", _FREE, (("HOCPHI", 100),), True),
    Policy(
        "HONGHEO",
        "Em thuộc hộ nghèo",
        "Nghị quyết hội đồng trường (minh họa)",
        tuple((code, 100) for code in _SCHOOLS_OWN),
    ),
    Policy(
        "CANNGHEO",
        "Em thuộc hộ cận nghèo",
        "Nghị quyết hội đồng trường (minh họa)",
        tuple((code, 50) for code in _SCHOOLS_OWN),
    ),
    Policy(
        "BHYTKHAC",
        "Em đã có thẻ bảo hiểm y tế theo diện khác",
        "Luật Bảo hiểm y tế",
        (("BHYT", 100),),
    ),
)


@dataclass(frozen=True, slots=True)
class Price:
    """One price of a school: item, month, how many, đồng each; of one grade when named."""

    item: str
    period: Period
    quantity: int
    dong: int
    grade: int | None = None


def insurance(months: int) -> int:
    """The family's part of health insurance for some months: one division, half up (M15)."""
    return (BASE_SALARY * 45 * (100 - STATE_SHARE) * months + 50_000) // 100_000


def price_list(level: Level, calendar: Calendar, rng: random.Random) -> list[Price]:
    """What one school charges in every month of its year."""
    found: list[Price] = []
    monthly = _monthly(level, rng)
    meal = rng.choice((33_000, 35_000) if level is Level.NURSERY else (30_000, 32_000, 33_000))
    once = _once(level, calendar)
    grades = (6, 7, 8) if level is Level.LOWER_SECONDARY else (None,)
    for month in calendar.months:
        days = school_days(month)
        found += [Price("TIENAN", month, days, meal, grade) for grade in grades]
        for item, quantity, dong in monthly:
            if item in ("BANTRU", "PHUPHI"):
                found += [Price(item, month, quantity, dong, grade) for grade in grades]
            else:
                found.append(Price(item, month, quantity, dong))
        found += once.get(month, [])
    return found


def _monthly(level: Level, rng: random.Random) -> list[tuple[str, int, int]]:
    care = rng.choice((230_000, 235_000, 250_000, 260_000))
    items = [
        ("HOCPHI", 1, 60_000 if level is Level.LOWER_SECONDARY else 95_000),
        ("BANTRU", 1, care),
        ("PHUPHI", 1, 90_000 if level is Level.NURSERY else 60_000),
        ("NUOC", 1, 16_000),
        ("CNTT", 1, rng.choice((12_000, 15_000, 20_000))),
        ("KNS", 4, 15_000),
    ]
    if level is not Level.NURSERY:
        items.append(("MAYLANH", 1, 35_000))
    return items


def _once(level: Level, calendar: Calendar) -> dict[Period, list[Price]]:
    """What is asked once: most of it in the first month, the rest in the second."""
    first, second = calendar.billed
    start = [Price("HOCPHAM", first, 1, 150_000 if level is Level.NURSERY else 60_000)]
    start.append(Price("BHTT", first, 1, 90_000))
    if level is Level.NURSERY:
        return {first: start, second: [Price("DODUNG", second, 1, 200_000)]}
    # Three months at a time; a month's share has no fraction of a đồng.
    return {first: start, second: [Price("BHYT", second, 3, insurance(1))]}
