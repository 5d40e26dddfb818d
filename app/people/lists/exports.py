"""Lists given out: pupils and staff in the columns of the import, an empty form, rows to mend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from app import audit
from app.core import sheets
from app.core.db import rows
from app.core.text import nfc
from app.people.lists.cells import Value
from app.people.lists.columns import WRITTEN, Kind, title_in_file
from app.people.lists.columns import Column as C
from app.people.lists.reading import EXAMPLE, REASON, Grid
from app.people.lists.register import KnownChild, read_register
from app.people.lists.staff import staff_for_export
from app.people.students import Scheme, Sex

SEX_WORDS = {Sex.FEMALE: "Nữ", Sex.MALE: "Nam"}
HERE = "Đang học"
_NURSERY_GRADES = {-3: "Nhà trẻ", -2: "Mẫu giáo bé", -1: "Mẫu giáo nhỡ", 0: "Mẫu giáo lớn"}
_WIDTHS = {
    C.NUMBER: 6,
    C.GRADE: 8,
    C.CLASS: 10,
    C.NAME: 28,
    C.SEX: 9,
    C.MOTHER: 26,
    C.FATHER: 26,
    C.GUARDIAN: 26,
    C.ADDRESS: 34,
    C.EMAIL: 26,
    C.USERNAME: 24,
    C.ROLE: 20,
}
_DAYS = {C.BIRTH, C.STARTS_ON, C.ENDS_ON}


def _columns(kind: Kind) -> list[sheets.Column]:
    return [
        sheets.Column(
            title_in_file(column, kind),
            _WIDTHS.get(column, 16),
            is_text=column not in _DAYS and column is not C.NUMBER,
        )
        for column in WRITTEN[kind]
    ]


def write_pupils(
    school_id: int,
    year_id: int,
    class_id: int | None,
    *,
    today: date,
    actor: audit.Actor,
    now: datetime,
) -> bytes:
    """The pupils of a school or a class as an .xlsx; the trail remembers who took it out.

    The caller commits.
    """
    register = read_register(school_id, year_id, today)
    grades = {place.id: place.grade for place in register.classes.values()}
    order = {
        found.id: found.sort_key
        for found in rows(
            "select id, sort_key from students where id in (select student_id from enrolments"
            " where school_id = :school_id)",
            school_id=school_id,
        )
    }
    children = [
        child
        for child in register.children.values()
        if child.is_here and (class_id is None or child.class_id == class_id)
    ]
    children.sort(
        key=lambda child: (
            grades.get(child.class_id, 99),
            child.class_name,
            order.get(child.student_id, ""),
        )
    )
    lines = [
        _pupil_line(number, child, grades.get(child.class_id))
        for number, child in enumerate(children, start=1)
    ]
    _tell(school_id, f"pupils {len(lines)}", actor, now)
    return sheets.write_workbook(_columns(Kind.PUPILS), lines, title="Học sinh")


def _tell(school_id: int, what: str, actor: audit.Actor, now: datetime) -> None:
    audit.record(
        "list.write", f"school:{school_id}", actor=actor, school_id=school_id, now=now, cause=what
    )


def _pupil_line(number: int, child: KnownChild, grade: int | None) -> list[Value]:
    family: dict[str, tuple[str, str | None]] = {}
    for guardian in child.guardians:
        relation = guardian.relation if guardian.relation in ("mother", "father") else "guardian"
        family.setdefault(relation, (guardian.name, guardian.phone))
    address = next((g.address for g in child.guardians if g.address), None)
    numbers = child.numbers
    return [
        number,
        "" if grade is None else _NURSERY_GRADES.get(grade, str(grade)),
        child.class_name,
        child.code,
        numbers.get(Scheme.MOET),
        child.name,
        child.birth_date,
        SEX_WORDS[child.sex],
        numbers.get(Scheme.PIN),
        numbers.get(Scheme.BHXH),
        numbers.get(Scheme.PASSPORT),
        numbers.get(Scheme.LLR),
        numbers.get(Scheme.SCHOOL),
        *family.get("mother", (None, None)),
        *family.get("father", (None, None)),
        *family.get("guardian", (None, None)),
        address,
        child.starts_on,
        HERE,
    ]


def write_staff(school_id: int, *, today: date, actor: audit.Actor, now: datetime) -> bytes:
    """Who works at a school as an .xlsx. The caller commits."""
    lines = staff_for_export(school_id, today)
    _tell(school_id, f"staff {len(lines)}", actor, now)
    return sheets.write_workbook(_columns(Kind.STAFF), lines, title="Nhân sự")


_EXAMPLES: dict[Kind, list[list[Value]]] = {
    Kind.PUPILS: [
        [
            *(EXAMPLE, "5", "5/4", None, None, "Nguyễn Minh Họa", date(2016, 9, 5), "Nam"),
            *("001099000001", None, None, None, None, "Trần Thị Ví Dụ", "0900000001"),
            *("Nguyễn Văn Minh Họa", "0900000002", None, None, "1 đường Minh Họa, Đà Nẵng"),
            *(date(2026, 9, 1), HERE),
        ],
        [
            *(EXAMPLE, "5", "5/4", None, None, "Lê Ngọc Minh Họa", date(2016, 2, 14), "Nữ"),
            *("001099000002", None, None, None, None, None, None, None, None),
            *("Lê Thị Minh Họa", "0900000003", None, date(2026, 9, 1), HERE),
        ],
    ],
    Kind.STAFF: [
        [
            *(EXAMPLE, "Phan Thị Minh Họa", "Giáo viên chủ nhiệm", "0900000004", None, None),
            *(date(2026, 9, 1), None),
        ],
    ],
}


def write_form(kind: Kind) -> bytes:
    """An empty .xlsx with the right heads; its example rows are invented and passed over."""
    return sheets.write_workbook(_columns(kind), _EXAMPLES[kind], title="Mẫu")


def write_rows_to_mend(grid: Grid, lines: Iterable[tuple[Sequence[Value], str]]) -> bytes:
    """Rows left out in their own columns, the reason beside each; mended, it is a list again."""
    titles = [nfc(title) for title in grid.titles]
    if REASON in titles:
        last = titles.index(REASON)
        titles = titles[:last]
    columns = [
        *(sheets.Column(title or f"({number})", 16) for number, title in enumerate(titles, 1)),
        sheets.Column(REASON, 70),
    ]
    width = len(titles)
    rows_written = (
        [*(line[place] if place < len(line) else None for place in range(width)), why]
        for line, why in lines
    )
    return sheets.write_workbook(columns, rows_written, title="Cần sửa")
