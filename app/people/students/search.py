"""Finding children by what people hold in their hands: words of a name, a code, a phone, a class.

A text is read as numbers (four digits and more) and words; all of them must fit. Words are looked
up in `student_words`, the rarest first, by stretches of an index that is ordered byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core import scope
from app.core.bulk import write_rows
from app.core.db import execute, in_chunks, is_sqlite, rows
from app.core.ids import STUDENT_CODE_LENGTH, is_student_code
from app.core.text import fold, name_sort_key, nfc, normal_phone
from app.people.students.models import StudentWord
from app.people.students.queries import COLUMNS, PLACEMENT, TYPES, StudentRow, student_row

PAGE = 50
#: As many children a search over several schools gives; more are not looked through by a person.
MOST = 200
#: A text is cut here; nobody's name is longer.
LONGEST = 120
#: Fewer digits in a row are part of a name or of a class.
FEWEST_DIGITS = 4
#: From so many bearers on a word is common: a school's own children are fewer, and in the area the
#: first in the order of names are soon found by walking along it.
_COMMON_AT_SCHOOL, _COMMON_IN_AREA = 1000, 4000

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\+?[0-9](?:[ .\-()\u2010-\u2015]*[0-9])*")
_SIGNS = re.compile(r"[^0-9]")


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search; `count` is over all pages."""

    children: list[StudentRow]
    count: int


# The words of the children


def words_of(folded: str) -> set[str]:
    """The words of a folded text: runs of letters and digits."""
    return set(_WORD.findall(folded))


def words_kept(code: str, search_key: str) -> set[tuple[str, str]]:
    """What `student_words` holds for a child: each word with all words of the name."""
    whole = " ".join(_WORD.findall(search_key))
    return {(word, whole) for word in (*words_of(search_key), f"#{code[-FEWEST_DIGITS:]}")}


def index_words(student_ids: Iterable[int]) -> None:
    """Bring the words of these children in line with their names. The caller commits."""
    children: list[tuple[int, str, str]] = []
    for chunk in in_chunks(student_ids):
        execute("delete from student_words where student_id in :ids", ids=chunk)
        found = rows("select id, code, search_key from students where id in :ids", ids=chunk)
        children += [(child.id, child.code, child.search_key) for child in found]
    add_words(children)


def add_words(children: Iterable[tuple[int, str, str]]) -> None:
    """Write the words of children who have none yet, given as id, code and search key."""
    values = [
        {"word": word, "student_id": student_id, "whole": whole}
        for student_id, code, search_key in children
        for word, whole in words_kept(code, search_key)
    ]
    # In the order of the index its pages are filled one after the other.
    write_rows(StudentWord, sorted(values, key=lambda value: (value["word"], value["whole"])))


def index_everybody() -> int:
    """Write the words of every child anew; how many children. The caller commits."""
    ids = [child.id for child in rows("select id from students order by id")]
    index_words(ids)
    return len(ids)


# What a text asks for


@dataclass(frozen=True, slots=True)
class _Way:
    """One reading of a text: children of these classes with these numbers and words."""

    classes: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...]


def _read(text: str, classes: tuple[str, ...] = ()) -> _Way:
    numbers: list[str] = []

    def take(found: re.Match[str]) -> str:
        digits = _SIGNS.sub("", found[0])
        if len(digits) < FEWEST_DIGITS:
            return found[0]
        numbers.append(found[0])
        return " "

    words = words_of(_NUMBER.sub(take, fold(text)))
    # Whoever has "anh" has "an": the shorter asks for nothing more.
    longest = sorted(w for w in words if not any(o != w and o.startswith(w) for o in words))
    return _Way(classes, tuple(numbers), tuple(longest))


def _ways(text: str, school_id: int | None) -> list[_Way]:
    """The readings of a text: its words as they are, and with a class taken out of them."""
    ways = [_read(text)]
    folded = f" {fold(text)} "
    padded = re.sub(r" lop (?=\S)", " ", folded)
    if school_id is None and padded == folded and not re.search(r"[0-9]", folded):
        # Over the whole area a class has its number, or the word before it.
        return [way for way in ways if way.numbers or way.words]
    where = "" if school_id is None else " where school_id = :school_id"
    values: dict[str, Any] = {} if school_id is None else {"school_id": school_id}
    for known in rows(f"select distinct name from classes{where}", **values):
        name = f" {fold(known.name)} "
        if name in padded:
            ways.append(_read(padded.replace(name, " ", 1), (known.name,)))
    return [way for way in ways if way.classes or way.numbers or way.words]


def _clean(text: str) -> str:
    # PostgreSQL has no text with NUL in it.
    return text.replace("\0", " ").strip()[:LONGEST]


def _after(word: str) -> str:
    """What comes after everything that begins like this word."""
    return word + chr(0x10FFFF)


def _alive() -> str:
    # The plus keeps SQLite from taking nearly every row out of the index of merged ones.
    return f"{'+' if is_sqlite() else ''}s.merged_into_id is null"


def _given(word: str) -> str:
    """How the sort key of a given name of these letters looks, whatever its accents."""
    return "".join(f"{letter}_" for letter in word) if re.fullmatch(r"[a-z]+", word) else ""


class _Question:
    """Builds one search: the condition of where, the readings, and the values they compare with."""

    def __init__(self, school_id: int | None, today: date) -> None:
        self.values: dict[str, Any] = {"today": today}
        self.school_id = school_id
        #: restricts stays `e` to the schools searched
        self.here = ""
        readable = scope.current().readable
        if school_id is not None:
            self.here = " and e.school_id = :school_id"
            self.values["school_id"] = school_id
        elif readable is not None:
            self.here = " and e.school_id in :readable"
            self.values["readable"] = sorted(readable)

    def keep(self, value: Any) -> str:
        """The placeholder of a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def stretch(self, column: str, word: str) -> str:
        """The words that begin like this one."""
        return f"{column} >= {self.keep(word)} and {column} < {self.keep(word + chr(0x10FFFF))}"

    def _has(self, student: str, word: str) -> str:
        return (
            f"exists (select 1 from student_words o where o.student_id = {student}"
            f" and {self.stretch('o.word', word)})"
        )

    def hits(self, ways: Sequence[_Way], text: str, limit: int) -> str:
        """The ids of the children who fit one of the readings, each once.

        Where very many fit in an area, the whole names, the given names and the first others.
        """
        return " union ".join(self._hits_of(way, text, limit) for way in ways)

    def _hits_of(self, way: _Way, text: str, limit: int) -> str:
        if way.numbers:
            return self._with_words(self._by_numbers(way), "n.id", way.words)
        if way.classes:
            return self._with_words(self._by_class(way.classes), "n.id", way.words)
        rarest, is_common = self._rarest(way.words)
        if is_common and self.school_id is not None:
            of_school = "select e.student_id as id from enrolments e where e.school_id = :school_id"
            return self._with_words(of_school, "n.id", way.words)
        if is_common:
            return self._best_of_many(way.words, text, limit)
        first = (
            f"select distinct w.student_id as id from student_words w"
            f" where {self.stretch('w.word', rarest)}"
        )
        others = [word for word in way.words if word != rarest]
        # The index holds the whole name beside the word: nothing else has to be read.
        place_of = "instr" if is_sqlite() else "strpos"
        return first + "".join(
            f" and {place_of}(' ' || w.whole, {self.keep(f' {word}')}) > 0" for word in others
        )

    def _with_words(self, source: str, student: str, words: Sequence[str]) -> str:
        conditions = " and ".join(self._has(student, word) for word in words)
        return f"select distinct n.id from ({source}) n" + (
            f" where {conditions}" if conditions else ""
        )

    def _best_of_many(self, words: Sequence[str], text: str, limit: int) -> str:
        """Children whose given name was meant, and the first of the others in the order of names.

        Walking in that order, the first `limit` soon come together when very many fit.
        """
        all_words = " and ".join(self._has("s.id", word) for word in words)
        parts = [f"select s.id from students s where s.search_key = {self.keep(fold(text))}"]
        for word in words:
            if pattern := _given(word):
                first, last = self.keep(word[0]), self.keep(word[0] + "9")
                parts.append(
                    f"select s.id from students s where s.sort_key > {first} and s.sort_key <"
                    f" {last} and s.sort_key like {self.keep(pattern + '%')} and {all_words}"
                )
        for accents in (*self._accents(text), "1 = 1"):
            parts.append(
                f"select id from (select s.id from students s where {_alive()}"
                f" and {accents} and {all_words} and exists"
                f" (select 1 from enrolments e where e.student_id = s.id{self.here})"
                f" order by s.sort_key, s.code limit {limit}) m{len(parts)}"
            )
        return " union ".join(parts)

    def _accents(self, text: str) -> list[str]:
        """Conditions on the accents typed: whole syllables, and their letters; none without any."""
        keys = [name_sort_key(word) for word in nfc(text).split()]
        marked = [key for key in keys if re.search(r"[a-z][1-9]|\.[1-9]", key)]
        if not marked:
            return []
        patterns = (
            ("' ' || s.sort_key || ' '", [f"% {key} %" for key in marked]),
            ("' ' || s.sort_key", [f"% {key.partition('.')[0]}%" for key in marked]),
        )
        return [
            "(" + " and ".join(f"{column} like {self.keep(like)}" for like in likes) + ")"
            for column, likes in patterns
        ]

    def _rarest(self, words: Sequence[str]) -> tuple[str, bool]:
        """The word the fewest children bear, and whether even that one is common."""
        common = _COMMON_IN_AREA if self.school_id is None else _COMMON_AT_SCHOOL
        counts = " union all ".join(
            f"select {place} as place, count(*) as bearers from (select 1 from student_words w"
            f" where w.word >= :w{place} and w.word < :z{place} limit {common}) n{place}"
            for place in range(len(words))
        )
        values: dict[str, Any] = {f"w{place}": word for place, word in enumerate(words)}
        values |= {f"z{place}": _after(word) for place, word in enumerate(words)}
        found = min(rows(counts, **values), key=lambda count: (count.bearers, count.place))
        return words[found.place], found.bearers >= common

    def _by_class(self, names: tuple[str, ...]) -> str:
        """Children who are in a class of this name today, or will be first."""
        named = " and ".join(f"c.name = {self.keep(name)}" for name in names)
        return (
            "select e.student_id as id from classes c cross join placements p"
            f" cross join enrolments e where {named}"
            " and p.school_id = c.school_id and p.class_id = c.id"
            " and e.school_id = p.school_id and e.id = p.enrolment_id"
            " and (p.starts_on <= :today and (p.ends_on is null or p.ends_on > :today)"
            f" or p.id = {PLACEMENT}) and e.id = {self.newest()}{self.here}"
        )

    def _by_numbers(self, way: _Way) -> str:
        parts = [self._by_number(number) for number in way.numbers]
        if way.classes:
            parts.append(self._by_class(way.classes))
        if len(parts) == 1:
            return parts[0]
        return " intersect ".join(f"select id from ({part}) i{n}" for n, part in enumerate(parts))

    def _by_number(self, number: str) -> str:
        """A code or its beginning or end, a guardian's phone or its end, any number of the child.

        Codes and numbers of a record merged into another lead to that one.
        """
        digits = _SIGNS.sub("", number)
        end = self.keep(f"%{digits}")
        last = digits[-FEWEST_DIGITS:]
        child = "coalesce(s.merged_into_id, s.id) as id"
        of_child = "join students s on s.id = n.student_id where"
        parts = [
            f"select {child} from student_identifiers n {of_child} n.value = {self.keep(digits)}"
        ]
        if len(digits) <= STUDENT_CODE_LENGTH:
            first = self.keep(digits.ljust(STUDENT_CODE_LENGTH, "0"))
            ending = self.keep(f"#{last}")
            final = self.keep(digits.ljust(STUDENT_CODE_LENGTH, "9"))
            ends = f"n.word = {ending} and s.code like {end}"
            parts += [
                f"select {child} from students s where s.code between {first} and {final}",
                f"select {child} from student_words n {of_child} {ends}",
            ]
        phone = normal_phone(number)
        fits = [
            f"g.phone = {self.keep(phone)}"
            if phone
            else f"g.phone_end = {self.keep(last)} and g.phone like {end}"
        ]
        if phone is None and digits.startswith("0") and 7 <= len(digits) < 10:
            fits.append(
                f"g.phone between {self.keep(digits.ljust(10, '0'))}"
                f" and {self.keep(digits.ljust(10, '9'))}"
            )
        parts += [
            "select t.student_id as id from guardians g join guardianships t"
            f" on t.guardian_id = g.id and t.ends_on is null where {fit}"
            for fit in fits
        ]
        return " union ".join(parts)

    def by_value(self, text: str) -> str:
        """Numbers with letters in them, such as a passport's, as they were written."""
        written = " ".join(nfc(text).split())
        forms = {written, written.upper(), re.sub(r"[\s.\-]", "", written).upper()}
        return (
            "select coalesce(s.merged_into_id, s.id) as id from student_identifiers n"
            " join students s on s.id = n.student_id"
            f" where n.value in {self.keep(sorted(forms))}"
        )

    def newest(self) -> str:
        """The stay shown of a child: the newest at the school; in an area the one that lasts."""
        if self.school_id is not None:
            return (
                "(select max(x.id) from enrolments x"
                " where x.school_id = e.school_id and x.student_id = e.student_id)"
            )
        return (
            "(select x.id from enrolments x where x.student_id = e.student_id"
            + self.here.replace("e.school_id", "x.school_id")
            + " order by case when x.ends_on is null or x.ends_on > :today then 0 else 1 end,"
            " x.starts_on desc, x.id desc limit 1)"
        )

    def fit(self, text: str) -> str:
        """How well a child fits, 0 best: accents as typed, then the whole name, then the given."""
        key = fold(text)
        digits = _SIGNS.sub("", text)
        if not words_of(key) or (digits and digits == "".join(_WORD.findall(key))):
            return f"case when s.code = {self.keep(digits)} then 0 else 1 end"
        whole = f"when s.search_key = {self.keep(key)} then 0"
        if " " in key:  # one word is rather a given name than a family's
            whole += f" when substr(s.search_key, 1, {len(key)}) = {self.keep(key)} then 1"
        parts = [f"3 * case {whole} else 2 end"]
        if accents := self._accents(text):
            all_marks, begun = accents
            parts.append(f"9 * case when {all_marks} then 0 when {begun} then 1 else 2 end")
        if given := [pattern for word in sorted(words_of(key)) if (pattern := _given(word))]:
            exactly = " or ".join(f"s.sort_key like {self.keep(f'{g}.%')}" for g in given)
            begun = " or ".join(f"s.sort_key like {self.keep(f'{g}%')}" for g in given)
            parts.append(f"case when {exactly} then 0 when {begun} then 1 else 2 end")
        return " + ".join(parts)

    def answer(
        self, hits: str, fit: str, *, limit: int, offset: int = 0, only: str = ""
    ) -> tuple[list[StudentRow], int]:
        """One page of the children among the hits, best first, and how many there are in all.

        `only` narrows the stay `e` and the placement `p` a child is shown with.
        """
        stay = f"from enrolments e where e.student_id = h.id{self.here}"
        if only:
            stay = (
                f"from enrolments e left join placements p on p.id = {PLACEMENT}"
                f" where e.student_id = h.id{self.here} and e.id = {self.newest()}{only}"
            )
        # `cross join` holds SQLite to the order written; PostgreSQL has statistics.
        found = rows(
            f"with hits as ({hits}), page as ("
            f" select s.id, s.sort_key, s.code, {fit} as fit, count(*) over () as total"
            f" from hits h cross join students s where s.id = h.id and {_alive()}"
            f" and exists (select 1 {stay})"
            f" order by fit, s.sort_key, s.code limit {limit} offset {offset})"
            f" {COLUMNS}, page.total from page cross join students s cross join enrolments e"
            f" join schools k on k.id = e.school_id left join placements p on p.id = {PLACEMENT}"
            " left join classes c on c.id = p.class_id"
            f" where s.id = page.id and e.student_id = s.id{self.here} and e.id = {self.newest()}"
            " order by page.fit, page.sort_key, page.code",
            types=TYPES,
            **self.values,
        )
        return [student_row(child) for child in found], int(found[0].total) if found else 0


# Searches


def find_students(
    school_id: int,
    today: date,
    *,
    text: str = "",
    class_id: int | None = None,
    unplaced: bool = False,
    page: int = 1,
) -> Found:
    """Children of a school by name, code, number, guardian's phone or class, best first.

    Without a text all who have not left, in Vietnamese order; a text also finds those who have.
    """
    text = _clean(text)
    ask = _Question(school_id, today)
    only, fit = "", "0"
    if text:
        hits = _hits(ask, text, PAGE)
        if hits is None:
            return Found([], 0)
        fit = ask.fit(text)
    else:
        hits = "select distinct e.student_id as id from enrolments e where e.school_id = :school_id"
        only = " and (e.ends_on is null or e.ends_on > :today)"
    if class_id is not None:
        only += f" and p.class_id = {ask.keep(class_id)}"
    if unplaced:
        only += " and p.id is null and (e.ends_on is null or e.ends_on > :today)"
    children, count = ask.answer(hits, fit, only=only, limit=PAGE, offset=(page - 1) * PAGE)
    if not children and page > 1:
        count = ask.answer(hits, fit, only=only, limit=1)[1]
    return Found(children, count)


def search_area(text: str, today: date, *, limit: int = MOST) -> list[StudentRow]:
    """Children of every school in scope who fit a text, best first; each once, where it is now."""
    text = _clean(text)
    ask = _Question(None, today)
    hits = _hits(ask, text, limit)
    return [] if hits is None else ask.answer(hits, ask.fit(text), limit=limit)[0]


def _hits(ask: _Question, text: str, limit: int) -> str | None:
    ways = _ways(text, ask.school_id)
    if not ways:
        return None
    hits = ask.hits(ways, text, limit)
    if re.search(r"[0-9]", text) and re.search(r"[^\W0-9_]", text):
        hits += f" union {ask.by_value(text)}"
    return hits


def similar_codes(school_id: int | None, text: str) -> list[StudentRow]:
    """Children whose code differs from a wrong one by one digit or one swap.

    At one school, or at every school in scope.
    """
    digits = re.sub(r"[\s.\-\u2010-\u2015]", "", _clean(text))
    codes = _near(digits)
    if not codes:
        return []
    ask = _Question(school_id, date.max)
    hits = (
        "select distinct coalesce(s.merged_into_id, s.id) as id from students s"
        f" where s.code in {ask.keep(codes)}"
    )
    return ask.answer(hits, "0", limit=PAGE)[0]


def _near(digits: str) -> list[str]:
    """The codes one slip away: a digit wrong, missing or too many, or two swapped."""
    if not re.fullmatch(r"[0-9]{8,10}", digits) or is_student_code(digits):
        return []
    heads = [(digits[:place], digits[place:]) for place in range(len(digits) + 1)]
    if len(digits) < STUDENT_CODE_LENGTH:
        near = {f"{head}{digit}{tail}" for head, tail in heads for digit in range(10)}
    elif len(digits) > STUDENT_CODE_LENGTH:
        near = {head + tail[1:] for head, tail in heads}
    else:
        near = {f"{head}{digit}{tail[1:]}" for head, tail in heads[:-1] for digit in range(10)}
        near |= {head + tail[1] + tail[0] + tail[2:] for head, tail in heads[:-2]}
    return sorted(code for code in near if is_student_code(code))
