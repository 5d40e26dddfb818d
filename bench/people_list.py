"""A list of invented pupils of many schools, as the sector's files look: for measuring imports."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from app.core.sheets import Column, Value, write_workbook
from app.demo.names import Names
from app.demo.people import class_plan
from app.people.schools import Level
from app.people.students import Sex

HEADS = (
    *("STT", "Mã trường", "Khối", "Tên lớp", "Họ và tên", "Ngày sinh", "Giới tính"),
    *("Số định danh cá nhân", "Họ tên mẹ", "SĐT mẹ", "Họ tên cha", "SĐT cha", "Địa chỉ"),
    "Ngày vào trường",
)


def pupils(
    schools: Sequence[tuple[str, Level]], count: int, *, seed: int = 7
) -> Iterator[list[Value]]:
    """Rows of `count` invented pupils, spread over schools given as code and level."""
    rng = random.Random(seed)
    names = Names(rng)
    number = 0
    for place, (code, level) in enumerate(schools):
        share = count // len(schools) + (place < count % len(schools))
        for class_name, grade, size in class_plan(level, share):
            for _seat in range(size):
                number += 1
                yield _pupil(number, code, class_name, grade, names, rng)


def _pupil(
    number: int, code: str, class_name: str, grade: int, names: Names, rng: random.Random
) -> list[Value]:
    sex = names.sex()
    family = names.family()
    born = date(2021 - grade, 1, 1) + timedelta(days=rng.randrange(365))
    both = rng.random() < 0.25
    return [
        number,
        code,
        str(max(grade, 0)) if grade > 0 else class_name.rsplit(" ", 1)[0],
        class_name,
        names.child(family, sex),
        born.strftime("%d/%m/%Y") if number % 3 else born,
        "Nữ" if sex is Sex.FEMALE else "Nam",
        # 999 is no province, so that nobody's real number is ever met.
        f"999{number:09d}" if number % 33 else None,
        names.adult(Sex.FEMALE),
        names.phone(),
        names.adult(Sex.MALE, family) if both else None,
        names.phone() if both else None,
        names.address(),
        "01/09/2026",
    ]


def workbook(schools: Sequence[tuple[str, Level]], count: int, *, seed: int = 7) -> bytes:
    """The same as an .xlsx."""
    return write_workbook([Column(head) for head in HEADS], pupils(schools, count, seed=seed))
