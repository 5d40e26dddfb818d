"""The head of a list found by what it says, and checked by what stands under it.

Titles, units and merged two-row heads above the data are usual; so is any wording. A column is
recognised by its words and kept only if its cells look like it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from app.core.ids import is_student_code
from app.core.text import fold, nfc
from app.people.lists.cells import (
    CellRefused,
    Value,
    as_text,
    is_empty,
    read_day,
    read_phones,
    read_sex,
)
from app.people.lists.columns import Column as C
from app.people.lists.columns import Kind

#: how far down a head may begin
DEEPEST_HEAD = 15
#: cells of a column looked at to confirm it
SAMPLE = 200
#: from here on a column's cells contradict its head
DISBELIEVED = 0.3
#: what a second row of heads has to add to count as one
_CLEARLY = 40

Row = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the data begin and what each column is."""

    #: place in the sheet of the first row of data
    first: int
    #: the titles, two rows of a merged head joined
    titles: tuple[str, ...]
    #: column number → meaning
    mapping: dict[int, C]
    #: columns whose cells do not look like their head
    doubts: frozenset[int] = field(default=frozenset())

    @property
    def signature(self) -> str:
        """The same for every file with the same heads."""
        return signature_of(self.titles)


def signature_of(titles: Sequence[str]) -> str:
    """A hash of the heads, whatever their capitals and blanks."""
    joined = "\n".join(normal(title) for title in titles).rstrip("\n")
    return hashlib.sha256(joined.encode()).hexdigest()


# Words

_NOISE = re.compile(
    r"\b(?:dd mm yyyy|dd mm yy|ngay thang nam(?! sinh)|bat buoc|neu co|ghi ro|viet in hoa"
    r"|in hoa|chu in)\b"
)


@cache
def normal(title: str) -> str:
    """A head as words: folded, signs gone."""
    return " ".join(re.sub(r"[^\w]+", " ", fold(title)).replace("_", " ").split())


_MOTHER = re.compile(r"\b(?:me|mother)\b")
_FATHER = re.compile(r"\b(?:cha|father)\b")
_BOTH = re.compile(r"\b(?:cha|bo|ba)\b.*\bme\b|\bme\b.*\b(?:cha|bo|ba)\b|\bph\b|\bphhs\b")
_KEEPER = re.compile(r"giam ho|phu huynh|nguoi nuoi|do dau|guardian|parent|nguoi lien he")
_PHONE = re.compile(
    r"\b(?:sdt|so dt|dt|dtdd|dien thoai|di dong|phone|mobile|tel|so lien lac|lien lac|zalo)\b"
)
_ELSE = re.compile(
    r"nam sinh|ngay sinh|sinh nam|nghe|cccd|cmnd|dinh danh|can cuoc|email|noi lam|co quan|que"
    r"|dan toc|trinh do|quoc tich|ton giao|don vi|\bhoc van\b"
)


def _person(title: str, text: str) -> C | None:
    """The column of a parent, or None."""
    plain = nfc(title).lower()
    father = bool(
        _FATHER.search(text)
        or re.search(r"\b(?:bố|ba)\b", plain)
        or re.search(r"(?:ten|sdt|thoai|cua|dt) (?:bo|ba)\b", text)
        or text in ("bo", "ba")
    ) and not re.search(r"\bbộ\b", plain)
    mother = bool(_MOTHER.search(text) or re.search(r"\bmá\b", plain))
    keeper = bool(_KEEPER.search(text) or _BOTH.search(text) or (father and mother))
    if not (father or mother or keeper):
        return None
    phone = bool(_PHONE.search(text))
    if not phone and _ELSE.search(text):
        return C.NUMBER  # a column of the parent that is not kept
    if keeper:
        return C.GUARDIAN_PHONE if phone else C.GUARDIAN
    if father:
        return C.FATHER_PHONE if phone else C.FATHER
    return C.MOTHER_PHONE if phone else C.MOTHER


#: a pattern over the folded head, what it means, how sure
Rule = tuple[re.Pattern[str], C | None, int]


def _rules(*given: tuple[str, C | None, int]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern), column, sure) for pattern, column, sure in given)


#: first match wins
_COMMON = _rules(
    (r"^(?:stt|tt|so tt|so thu tu|no|thu tu)$", C.NUMBER, 90),
    (r"^ma (?:truong|don vi|co so)(?: hoc)?$|^school code$", C.SCHOOL, 100),
    (r"^truong$|^school$|^don vi$", C.SCHOOL, 60),
    (r"ngay cap|noi cap|noi sinh|que quan|dan toc|quoc tich|ton giao|han the|noi kham", None, 0),
)
_PUPILS = _rules(
    (r"so thu|ma so suot doi", C.CODE, 100),
    (r"ho so hoc tap|suot doi|\bllr\b", C.LLR, 95),
    (
        r"^ma (?:so )?(?:hoc sinh|hs|tre|dinh danh)(?: hoc sinh)? (?:truong|noi bo)$",
        C.SCHOOL_NUMBER,
        95,
    ),
    (r"so dang bo|so danh bo|ma noi bo", C.SCHOOL_NUMBER, 80),
    (r"\bma\b.*\b(?:bo|csdl|moet|nganh|so gd)\b|ma dinh danh (?:hoc sinh|hs|tre)", C.MOET, 95),
    (
        r"ca nhan|\bcccd\b|can cuoc|so dinh danh|\bs?ddcn\b|\bcmnd\b|personal (?:id|number)",
        C.PIN,
        95,
    ),
    (r"^ma dinh danh", C.PIN, 60),
    (r"\bbhxh\b|\bbhyt\b|bao hiem|insurance", C.BHXH, 90),
    (r"ho chieu|passport", C.PASSPORT, 95),
    (
        r"^ma(?: so)? (?:hoc sinh|hs|tre|tre em)$|^(?:student|pupil) (?:code|id)$|^ma(?: so)?$",
        C.CODE,
        70,
    ),
    (r"^ngay sinh ngay$|^sinh ngay$", C.BIRTH_DAY, 85),
    (r"^(?:ngay|nam) sinh thang$|^thang sinh$|^sinh thang$", C.BIRTH_MONTH, 85),
    (r"^(?:ngay|nam) sinh nam$", C.BIRTH_YEAR, 85),
    (r"^(?:ngay|nam) sinh nu$", C.FEMALE, 80),
    (r"ngay sinh|ngay thang nam sinh|sinh ngay|birth|\bdob\b|^nam sinh$", C.BIRTH, 95),
    (r"gioi tinh|\bphai\b|^nam nu$|^gt$|^sex$|gender", C.SEX, 95),
    (r"^(?:nu|gioi nu|hs nu|hoc sinh nu)$", C.FEMALE, 80),
    (r"chu nhiem|\bgvcn\b|lop cu|nam (?:hoc )?truoc|nam ngoai|len lop", None, 0),
    (r"^khoi\b|\bkhoi lop\b|^grade$|^khoi hoc$", C.GRADE, 90),
    (r"^(?:ten |ma )?(?:nhom )?lop\b|^class\b|\blop hoc\b|^nhom lop$", C.CLASS, 90),
    (r"dia chi|cho o|noi o|address", C.ADDRESS, 90),
    (r"thuong tru|ho khau|tam tru", C.ADDRESS, 60),
    (r"vao truong|nhap hoc|tiep nhan|ngay vao|first day|ngay den", C.STARTS_ON, 90),
    (r"trang thai|tinh trang|^status$|^state$", C.STATUS, 85),
)
_STAFF = _rules(
    (r"chuc vu|vai tro|chuc danh|nhiem vu|vi tri|^role$|^position$", C.ROLE, 95),
    (r"email|e mail|thu dien tu", C.EMAIL, 95),
    (r"dang nhap|user ?name|tai khoan", C.USERNAME, 90),
    (r"tu ngay|ngay bat dau|ngay nhan|ngay vao|^from|ngay tuyen", C.STARTS_ON, 90),
    (r"den ngay|ngay ket thuc|ngay nghi|^to(?: day)?$|^until", C.ENDS_ON, 90),
)
_NAMES = _rules(
    (
        r"^(?:ho dem|ho va (?:ten )?(?:dem|lot|chu lot)|ho lot|ho ten dem|ho chu lot)",
        C.FAMILY_NAME,
        95,
    ),
    (r"^ho (?:va )?ten (?:dem|lot)|^ho (?:va )?ten.* (?:ho dem|ho lot|ho)$", C.FAMILY_NAME, 96),
    (r"^ho (?:va )?ten.* ten$", C.GIVEN_NAME, 96),
    (
        (
            r"^ho (?:va |)ten|^ten (?:hoc sinh|hs|tre|can bo|giao vien|nhan vien)|full name"
            r"|^hoc sinh$|^name$|^ho ten"
        ),
        C.NAME,
        95,
    ),
    (r"^ho$", C.FAMILY_NAME, 80),
    (r"^ten$|given name|first name", C.GIVEN_NAME, 80),
)


def recognise(title: str, kind: Kind) -> tuple[C | None, int]:
    """What a head says its column is, and how sure that is of a hundred."""
    return _recognise(title, kind)


@cache
def _recognise(title: str, kind: Kind) -> tuple[C | None, int]:
    plain = nfc(title).lower().strip(" .:*()")
    if plain in ("năm", "nam", "nữ", "ngày", "tháng") and kind is Kind.PUPILS:
        # Without accents year and boy are one word; with them they are not.
        single = {"năm": C.BIRTH_YEAR, "nam": C.MALE, "nữ": C.FEMALE}
        return single.get(plain, C.BIRTH_DAY if plain == "ngày" else C.BIRTH_MONTH), 60
    if re.search(r"sinh\W+nam$", plain) and kind is Kind.PUPILS:
        return C.MALE, 60
    text = normal(title)
    bare = _NOISE.sub(" ", text).strip() or text
    bare = " ".join(bare.split())
    if not bare:
        return None, 0
    if kind is Kind.PUPILS:
        person = _person(title, bare)
        if person is not None:
            return (None, 0) if person is C.NUMBER else (person, 90)
    for pattern, column, sure in (*_COMMON, *(_PUPILS if kind is Kind.PUPILS else _STAFF), *_NAMES):
        if pattern.search(bare):
            return column, sure
    if _PHONE.search(bare):
        return C.PHONE, 85
    return None, 0


# Finding the head


def find_head(rows: Sequence[Row], kind: Kind) -> Head | None:
    """The head of a sheet, one row or two, or None when nothing there looks like one."""
    best: tuple[int, int, tuple[str, ...]] | None = None
    for place in range(min(DEEPEST_HEAD, len(rows))):
        single = tuple(as_text(cell) for cell in rows[place])
        choices = [(place + 1, single)]
        if place + 1 < len(rows) and _may_be_below(rows[place + 1]):
            choices.append((place + 2, _joined(rows[place], rows[place + 1])))
        for first, titles in choices:
            score = _score(titles, kind)
            # Two rows must tell clearly more than one, or the lower one is the first pupil.
            bar = 0 if best is None else best[0] + (0 if first == place + 1 else _CLEARLY)
            if score > bar:
                best = (score, first, titles)
    if best is None:
        return None
    _score_found, first, titles = best
    while first < len(rows) and _is_numbering(rows[first]):
        first += 1
    width = max(len(titles), *(len(row) for row in rows[first : first + SAMPLE] or [titles]))
    titles = (*titles, *([""] * (width - len(titles))))
    sample = [row for row in rows[first : first + SAMPLE] if not all(map(is_empty, row))]
    mapping, doubts = _assign(titles, sample, kind)
    return Head(first, titles, mapping, frozenset(doubts))


def _may_be_below(row: Row) -> bool:
    """Whether a row can be the lower half of a head: words only, and some of them."""
    texts = [cell for cell in row if not is_empty(cell)]
    return bool(texts) and all(
        isinstance(cell, str) and len(cell) <= 60 and not re.search(r"[0-9@]", cell)
        for cell in texts
    )


def _joined(upper: Row, lower: Row) -> tuple[str, ...]:
    """Two rows as one: a merged cell speaks for the columns below it."""
    titles = []
    above = ""
    for place in range(max(len(upper), len(lower))):
        top = as_text(upper[place]) if place < len(upper) else ""
        below = as_text(lower[place]) if place < len(lower) else ""
        above = top or (above if below else "")
        titles.append(f"{above} {below}".strip() if below and above != below else above)
    return tuple(titles)


def _score(titles: Sequence[str], kind: Kind) -> int:
    """How much of a head a row is; a name and one thing more are needed."""
    found: dict[C, int] = {}
    for title in titles:
        if 0 < len(title) <= 90:
            column, sure = recognise(title, kind)
            if column is not None:
                found[column] = max(found.get(column, 0), sure)
    named = {C.NAME, C.GIVEN_NAME, C.CODE} & set(found)
    more = set(found) - {C.NUMBER, C.NAME, C.GIVEN_NAME, C.FAMILY_NAME}
    return sum(found.values()) if named and more else 0


def _is_numbering(row: Row) -> bool:
    """The row (1) (2) (3) under many official heads."""
    texts = [re.sub(r"[^0-9]", "", as_text(cell)) for cell in row if not is_empty(cell)]
    if len(texts) < 3 or not all(texts):
        return False
    numbers = [int(text) for text in texts]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and numbers[0] <= 1


# Confirming by content


def _matches(test: Callable[[Value], object]) -> Callable[[Value], bool]:
    def passes(value: Value) -> bool:
        try:
            return bool(test(value))
        except CellRefused:
            return False

    return passes


_FAR = date(2100, 1, 1)
_letters = re.compile(r"[^\W\d_]")


def _is_date(value: Value) -> bool:
    return _matches(lambda cell: read_day(cell, today=_FAR))(value)


def _digits(value: Value) -> str:
    return re.sub(r"[\s.\-]", "", as_text(value))


_LOOKS: dict[C, Callable[[Value], bool]] = {
    C.BIRTH: _is_date,
    C.STARTS_ON: _is_date,
    C.ENDS_ON: _is_date,
    C.SEX: _matches(read_sex),
    C.PIN: lambda value: bool(re.fullmatch(r"[0-9]{9,12}", _digits(value))),
    C.CODE: lambda value: bool(re.fullmatch(r"[0-9]{9}", _digits(value))),
    C.BHXH: lambda value: len(_digits(value)) >= 8,
    C.PHONE: _matches(read_phones),
    C.MOTHER_PHONE: _matches(read_phones),
    C.FATHER_PHONE: _matches(read_phones),
    C.GUARDIAN_PHONE: _matches(read_phones),
    C.NAME: lambda value: bool(_letters.search(as_text(value))) and not _is_date(value),
    C.MOTHER: lambda value: bool(_letters.search(as_text(value))),
    C.FATHER: lambda value: bool(_letters.search(as_text(value))),
    C.GUARDIAN: lambda value: bool(_letters.search(as_text(value))),
    C.BIRTH_DAY: lambda value: as_text(value).isdigit() and 1 <= int(as_text(value)) <= 31,
    C.BIRTH_MONTH: lambda value: as_text(value).isdigit() and 1 <= int(as_text(value)) <= 12,
    C.BIRTH_YEAR: lambda value: bool(re.fullmatch(r"[0-9]{2}|(?:19|20)[0-9]{2}", as_text(value))),
    C.CLASS: lambda value: isinstance(value, date) or len(as_text(value)) <= 24,
    C.FEMALE: lambda value: len(as_text(value)) <= 4 or _is_date(value),
    C.MALE: lambda value: len(as_text(value)) <= 4 or _is_date(value),
}


def _assign(
    titles: Sequence[str], sample: Sequence[Row], kind: Kind
) -> tuple[dict[int, C], set[int]]:
    """Give every meaning to its best column; cells that contradict a head make a doubt."""
    claims: list[tuple[float, int, C]] = []
    doubts: set[int] = set()
    for place, title in enumerate(titles):
        column, sure = recognise(title, kind) if title else (None, 0)
        if column is None:
            continue
        cells = _cells(sample, place)
        column = _settled(column, sure, cells)
        share = share_like(column, cells)
        if share < DISBELIEVED and len(cells) >= 3:
            if sure < 70:
                continue
            doubts.add(place)
        claims.append((sure + 10 * share, place, column))
    mapping: dict[int, C] = {}
    for _sure, place, column in sorted(claims, key=lambda claim: (-claim[0], claim[1])):
        if column not in mapping.values():
            mapping[place] = column
    _keep_together(mapping)
    if kind is Kind.PUPILS:
        _guess_missing(mapping, titles, sample)
    return dict(sorted(mapping.items())), doubts & set(mapping)


def _cells(sample: Sequence[Row], place: int) -> list[Value]:
    return [row[place] for row in sample if place < len(row) and not is_empty(row[place])]


def share_like(column: C, cells: Sequence[Value]) -> float:
    """Which part of the cells looks like a column; all where nothing is known of it."""
    test = _LOOKS.get(column)
    if test is None or not cells:
        return 1.0
    return sum(map(test, cells)) / len(cells)


def _settled(column: C, sure: int, cells: Sequence[Value]) -> C:
    """What a head of several meanings is, by its cells."""
    if column is C.CODE and sure < 100 and cells:
        ours = sum(is_student_code(_digits(cell)) for cell in cells)
        if ours * 5 < len(cells) * 4:
            personal = sum(bool(re.fullmatch(r"[0-9]{12}", _digits(cell))) for cell in cells)
            return C.PIN if personal * 5 >= len(cells) * 4 else C.MOET
    if column is C.PIN and sure < 70 and cells and share_like(C.PIN, cells) < 0.5:
        return C.MOET
    unlike = column is C.BIRTH and cells and share_like(C.BIRTH, cells) < DISBELIEVED
    if unlike and share_like(C.BIRTH_YEAR, cells) > 1 - DISBELIEVED:
        return C.BIRTH_YEAR
    return column


def _keep_together(mapping: dict[int, C]) -> None:
    """Drop halves: a day without its month, a given name beside a full one."""
    have = set(mapping.values())
    drop: set[C] = set()
    if C.BIRTH in have or not {C.BIRTH_DAY, C.BIRTH_MONTH, C.BIRTH_YEAR} <= have:
        drop |= {C.BIRTH_DAY, C.BIRTH_MONTH, C.BIRTH_YEAR}
    if C.SEX in have:
        drop |= {C.FEMALE, C.MALE}
    if C.NAME in have and C.FAMILY_NAME not in have:
        drop.add(C.GIVEN_NAME)
    if C.NAME in have and {C.FAMILY_NAME, C.GIVEN_NAME} <= have:
        drop |= {C.FAMILY_NAME, C.GIVEN_NAME}
    for place in [place for place, column in mapping.items() if column in drop]:
        del mapping[place]
    # `Họ và tên` over the family name, with the given name in the unnamed column to its right
    names = {column: place for place, column in mapping.items()}
    if C.FAMILY_NAME in names and C.GIVEN_NAME not in names and C.NAME in names:
        del mapping[names[C.FAMILY_NAME]]


def _guess_missing(mapping: dict[int, C], titles: Sequence[str], sample: Sequence[Row]) -> None:
    """Columns without a head that can be nothing else: the given name, birth dates, numbers."""
    _split_name(mapping, titles, sample)
    for place, title in enumerate(titles):
        if place in mapping or title:
            continue
        cells = _cells(sample, place)
        if len(cells) * 5 < len(sample) * 4 or len(cells) < 3:
            continue
        have = set(mapping.values())
        if not have & {C.BIRTH, C.BIRTH_DAY} and all(isinstance(cell, date) for cell in cells):
            mapping[place] = C.BIRTH
        elif C.PIN not in have and all(re.fullmatch(r"[0-9]{12}", _digits(c)) for c in cells):
            mapping[place] = C.PIN
        elif C.SEX not in have and all(fold(as_text(c)) in ("nam", "nu") for c in cells):
            mapping[place] = C.SEX


def _split_name(mapping: dict[int, C], titles: Sequence[str], sample: Sequence[Row]) -> None:
    """A full name's head over two columns: what stands right of it is the given name."""
    places = {column: place for place, column in mapping.items()}
    name = places.get(C.NAME)
    if name is None or C.GIVEN_NAME in places:
        return
    beside = name + 1
    if beside in mapping or beside >= len(titles) or titles[beside] not in ("", titles[name]):
        return
    written = [as_text(cell) for cell in _cells(sample, beside)]
    short = all(_letters.search(text) and len(text.split()) <= 2 for text in written)
    if written and short and len(written) * 5 >= len(sample) * 4:
        mapping[name] = C.FAMILY_NAME
        mapping[beside] = C.GIVEN_NAME


def missing_columns(mapping: Mapping[int, C], kind: Kind) -> list[C]:
    """What a list cannot do without and this mapping lacks."""
    have = set(mapping.values())
    lacks = []
    if C.NAME not in have and not {C.FAMILY_NAME, C.GIVEN_NAME} <= have and C.CODE not in have:
        lacks.append(C.NAME)
    if kind is Kind.STAFF and C.ROLE not in have:
        lacks.append(C.ROLE)
    return lacks
