"""From sheets to one grid, and from the rows of a grid to what they say of pupils."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from typing import Any

from app.core.sheets import Sheet
from app.core.text import fold
from app.people.lists import cells
from app.people.lists.cells import (
    DAY_FIRST,
    CellRefused,
    DayOrder,
    Presence,
    Value,
    as_text,
    day_order,
    is_empty,
)
from app.people.lists.columns import SCHEMES, Kind
from app.people.lists.columns import Column as C
from app.people.lists.errors import NoHead, NoRows
from app.people.lists.headers import Head, find_head, signature_of
from app.people.students import Scheme, Sex

#: what is written in the column of numbers beside an example that may stay in the file
EXAMPLE = "Ví dụ"
#: the column our own files add
REASON = "Lý do chưa nhập"


@dataclass(slots=True)
class Grid:
    """One list: its heads and its rows, each with its place in the file."""

    titles: tuple[str, ...]
    #: (sheet name or empty, row number as the spreadsheet shows it, cells)
    rows: list[tuple[str, int, Sequence[Value]]]

    @property
    def signature(self) -> str:
        """The same for every file with the same heads."""
        return signature_of(self.titles)

    def pack(self) -> bytes:
        """The grid as compressed JSON."""
        text = json.dumps([self.titles, self.rows], default=_plain, ensure_ascii=False)
        return zlib.compress(text.encode(), 1)

    @staticmethod
    def unpack(data: bytes) -> Grid:
        """A grid packed before."""
        titles, rows = json.loads(zlib.decompress(data))
        return Grid(
            tuple(titles),
            [(sheet, number, [_rich(cell) for cell in row]) for sheet, number, row in rows],
        )


def _plain(value: object) -> list[str]:
    if isinstance(value, datetime):
        return ["m", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, time):
        return ["t", value.isoformat()]
    raise TypeError(type(value))


def _rich(value: Any) -> Value:
    if not isinstance(value, list):
        return value  # type: ignore[no-any-return]
    kind, text = value
    if kind == "d":
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if kind == "m" else time.fromisoformat(text)


def read_list(sheets: Sequence[Sheet], kind: Kind) -> tuple[Grid, Head]:
    """The list in a workbook; sheets with the same heads, such as one a class, become one list.

    Refuses a workbook without a head that can be recognised, and one without rows.
    """
    found = [(sheet, head) for sheet in sheets if (head := find_head(sheet.rows, kind))]
    if not found:
        raise NoHead
    best = max(found, key=lambda pair: (len(pair[1].mapping), len(pair[0].rows)))
    same = [pair for pair in found if pair[1].signature == best[1].signature]
    many = len(same) > 1
    titles = list(best[1].titles)
    rows: list[tuple[str, int, Sequence[Value]]] = []
    for sheet, head in same:
        for place in range(head.first, len(sheet.rows)):
            row = sheet.rows[place]
            if any(cell is not None and cell != "" for cell in row):
                rows.append((sheet.name if many else "", sheet.first_row + place, row))
    if not rows:
        raise NoRows
    head = best[1]
    if REASON in titles:
        # A file that was mended: the reasons of last time are nobody's data.
        head.mapping.pop(titles.index(REASON), None)
    return Grid(tuple(titles), rows), head


# Rows of pupils


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a cell or a row cannot be taken; `code` names the sentence."""

    column: str
    shown: str
    code: str
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Relative:
    """A parent or guardian as a row names one."""

    relation: str
    name: str | None
    phones: tuple[str, ...]
    #: the phone stood in a column of its own and may be anybody's in the family
    is_contact: bool = False


@dataclass(slots=True)
class PupilRow:
    """What one row says; None where it says nothing."""

    seq: int
    sheet: str
    number: int
    name: str | None = None
    was_capitals: bool = False
    birth_date: date | None = None
    sex: Sex | None = None
    code: str | None = None
    #: scheme → number
    numbers: dict[Scheme, str] = field(default_factory=dict)
    school: str | None = None
    grade: int | None = None
    #: what the class may be called, the likeliest first
    classes: list[str] = field(default_factory=list)
    relatives: list[Relative] = field(default_factory=list)
    address: str | None = None
    starts_on: date | None = None
    has_left: bool = False
    troubles: list[Trouble] = field(default_factory=list)
    #: repairs worth a look: (code, shown)
    repairs: list[tuple[str, str]] = field(default_factory=list)


_ENDS = re.compile(
    r"^(?:tong|cong|tong cong|tong so|nguoi lap|hieu truong|giao vien|ke toan|danh sach (?:nay )?co"
    r"|an dinh|ghi chu|\(?ky|xac nhan|da nang|ngay\b.*thang)"
)


def pupil_rows(grid: Grid, mapping: dict[int, C], *, today: date) -> Iterator[PupilRow]:
    """The rows that tell of a pupil, one by one; totals, signatures and examples are not."""
    places = {column: place for place, column in mapping.items()}
    reader = _Pupils(places, _orders(grid, places), today)
    seq = 0
    for sheet, number, row in grid.rows:
        if is_no_data(row, places):
            continue
        seq += 1
        yield reader.read(seq, sheet, number, row)


def is_no_data(row: Sequence[Value], places: dict[C, int]) -> bool:
    """Whether a row is an example, a total, a signature or empty."""
    return _is_example(row) or _is_no_person(row, places)


def _is_example(row: Sequence[Value]) -> bool:
    return any(
        isinstance(cell, str) and cell.strip().lower() == EXAMPLE.lower() for cell in islice(row, 3)
    )


def _is_no_person(row: Sequence[Value], places: dict[C, int]) -> bool:
    """A total, a signature, a line of words: nothing stands where a name and a number would."""
    if _stands(row, places.get(C.BIRTH, places.get(C.BIRTH_YEAR))):
        return False
    said = [cell for cell in row if not is_empty(cell)]
    if not said:
        return True
    if len(said) <= 3 and _ENDS.match(fold(as_text(said[0]))):
        return True
    name = places.get(C.NAME, places.get(C.FAMILY_NAME))
    # A list numbered further than it is filled.
    return len(said) == 1 and not _stands(row, name) and _stands(row, places.get(C.NUMBER))


def _stands(row: Sequence[Value], place: int | None) -> bool:
    return place is not None and place < len(row) and not is_empty(row[place])


def _orders(grid: Grid, places: dict[C, int]) -> dict[C, DayOrder]:
    found = {}
    for column in (C.BIRTH, C.STARTS_ON, C.ENDS_ON):
        place = places.get(column)
        if place is not None:
            found[column] = day_order(
                row[place] for _sheet, _number, row in grid.rows if place < len(row)
            )
    return found


class _Pupils:
    """Reads rows with one mapping."""

    def __init__(self, places: dict[C, int], orders: dict[C, DayOrder], today: date) -> None:
        self._places = places
        self._orders = orders
        self._today = today
        self._schemes = [(column, scheme) for column, scheme in SCHEMES.items() if column in places]
        self._relatives = [
            (relation, who, phone)
            for relation, who, phone in (
                ("mother", C.MOTHER, C.MOTHER_PHONE),
                ("father", C.FATHER, C.FATHER_PHONE),
                ("guardian", C.GUARDIAN, C.GUARDIAN_PHONE),
                ("guardian", None, C.PHONE),
            )
            if who in places or phone in places
        ]

    def read(self, seq: int, sheet: str, number: int, row: Sequence[Value]) -> PupilRow:
        """One row; what cannot be read is a trouble beside its cell."""
        found = PupilRow(seq, sheet, number)
        self._row, self._found = row, found
        self._name()
        self._days()
        found.sex = self._sex()
        found.code = self._try(C.CODE, cells.read_code)
        self._numbers()
        self._place()
        self._family()
        return found

    def _cell(self, column: C) -> Value:
        place = self._places.get(column)
        return self._row[place] if place is not None and place < len(self._row) else None

    def _try(self, column: C, reader: Any, **options: Any) -> Any:
        value = self._cell(column)
        if value is None or value == "":
            return None
        try:
            return reader(value, **options)
        except CellRefused as refusal:
            self._refuse(column, value, refusal)
            return None

    def _refuse(self, column: C, value: Value, refusal: CellRefused) -> None:
        self._found.troubles.append(
            Trouble(column, as_text(value)[:60], refusal.code, refusal.params)
        )

    def _name(self) -> None:
        found = self._found
        if C.GIVEN_NAME in self._places:
            column = C.FAMILY_NAME
            parts = [as_text(self._cell(part)) for part in (C.FAMILY_NAME, C.GIVEN_NAME)]
            value: Value = " ".join(part for part in parts if part)
        else:
            column = C.NAME
            value = self._cell(C.NAME)
        try:
            read = cells.read_name(value)
        except CellRefused as refusal:
            self._refuse(column, value, refusal)
            return
        if read is not None:
            found.name, found.was_capitals = read.name, read.was_capitals
            if read.was_capitals:
                found.repairs.append(("capitals", as_text(value)[:60]))

    def _days(self) -> None:
        found = self._found
        if C.BIRTH_DAY in self._places:
            parts = [self._cell(c) for c in (C.BIRTH_DAY, C.BIRTH_MONTH, C.BIRTH_YEAR)]
            try:
                found.birth_date = cells.read_day_parts(*parts, today=self._today)
            except CellRefused as refusal:
                self._refuse(C.BIRTH_DAY, refusal.params.get("text", ""), refusal)
        else:
            found.birth_date = self._day(C.BIRTH)
        found.starts_on = self._day(C.STARTS_ON)
        if found.birth_date is not None and found.birth_date >= self._today:
            found.troubles.append(
                Trouble(C.BIRTH, found.birth_date.strftime("%d/%m/%Y"), "birth_in_future")
            )

    def _day(self, column: C) -> date | None:
        order = self._orders.get(column, DAY_FIRST)
        day = self._try(column, cells.read_day, order=order, today=self._today)
        if day is not None and order.turned and isinstance(self._cell(column), date):
            self._found.repairs.append(("day_turned", day.strftime("%d/%m/%Y")))
        return day  # type: ignore[no-any-return]

    def _sex(self) -> Sex | None:
        if C.SEX in self._places:
            return self._try(C.SEX, cells.read_sex)  # type: ignore[no-any-return]
        for column, sex in ((C.FEMALE, Sex.FEMALE), (C.MALE, Sex.MALE)):
            value = self._cell(column)
            if is_empty(value):
                continue
            if self._found.birth_date is None and not _is_mark(value):
                # The old registers write the birth date into the column of the sex.
                self._found.birth_date = self._day(column)
                return sex if self._found.birth_date else None
            if self._try(column, cells.read_mark):
                return sex
        if C.FEMALE in self._places and C.MALE not in self._places:
            return Sex.MALE
        if C.MALE in self._places and C.FEMALE not in self._places:
            return Sex.FEMALE
        return None

    def _numbers(self) -> None:
        found = self._found
        for column, scheme in self._schemes:
            value = self._cell(column)
            if value is None or value == "":
                continue
            try:
                if scheme is Scheme.PIN:
                    read = cells.read_pin(value, birth_date=found.birth_date, sex=found.sex)
                else:
                    read = cells.read_identifier(scheme, value)
            except CellRefused as refusal:
                self._refuse(column, value, refusal)
                continue
            if read is not None:
                found.numbers[scheme] = read[0]
                if read[1]:
                    found.repairs.append(("zeros", read[0]))

    def _place(self) -> None:
        found = self._found
        found.school = as_text(self._cell(C.SCHOOL)).upper() or None
        found.grade = self._try(C.GRADE, cells.read_grade)
        value = self._cell(C.CLASS)
        found.classes = cells.class_readings(value)
        if not found.classes and C.CLASS not in self._places and found.sheet:
            found.classes = [found.sheet]
        if found.classes and len(found.classes[0]) > 24:
            found.troubles.append(Trouble(C.CLASS, found.classes[0][:60], "class_long"))
        if not isinstance(value, str | int | None) and found.classes:
            found.repairs.append(("class_date", as_text(value)))
        found.has_left = cells.read_state(self._cell(C.STATUS)) is Presence.LEFT

    def _family(self) -> None:
        found = self._found
        found.address = self._try(C.ADDRESS, cells.read_address)
        for relation, who, phone in self._relatives:
            name = None
            if who is not None and who in self._places:
                try:
                    read = cells.read_name(self._cell(who))
                    name = read.name if read else None
                except CellRefused as refusal:
                    self._refuse(who, self._cell(who), refusal)
            phones = tuple(self._try(phone, cells.read_phones) or ())
            if len(phones) > 1:
                found.repairs.append(("second_phone", phones[1]))
            if name is None and phones:
                self._contact(relation, phones)
            elif name:
                found.relatives.append(Relative(relation, name, phones))

    def _contact(self, relation: str, phones: tuple[str, ...]) -> None:
        """A phone without a name: of the first person named without one, else of the family."""
        relatives = self._found.relatives
        if any(set(phones) & set(relative.phones) for relative in relatives):
            return
        for place, relative in enumerate(relatives):
            if relation == "guardian" and relative.name and not relative.phones:
                relatives[place] = Relative(relative.relation, relative.name, phones, True)
                return
        relatives.append(Relative(relation, None, phones))


def _is_mark(value: Value) -> bool:
    try:
        return cells.read_mark(value)
    except CellRefused:
        return False
