"""Finding children of the whole area by what people hold in their hands, in a few milliseconds.

The words of the folded names stand in a table of their own. A search reads the children of its
rarest word and looks at nobody else; built-ins only, so that both databases do the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.core import scope
from app.core.bulk import write_rows
from app.core.db import execute, in_chunks, is_sqlite, rows
from app.core.ids import is_student_code
from app.core.model import db
from app.core.text import fold, nfc, normal_phone
from app.people.students.models import StudentWord

#: A word that more children carry than this is not counted to its end.
COMMON = 2000
#: A query of more words than this names nobody better.
MOST_WORDS = 8


def index_words(student_ids: Iterable[int]) -> None:
    """Write the words of these children's names anew, after they were made or renamed."""
    words = []
    for chunk in in_chunks(student_ids):
        execute("delete from student_words where student_id in :ids", ids=chunk)
        words += [
            {"word": word, "student_id": child.id, "whole": child.search_key}
            for child in rows("select id, search_key from students where id in :ids", ids=chunk)
            for word in set(child.search_key.split())
        ]
    # In the order of the index its pages fill one after the other.
    write_rows(StudentWord, sorted(words, key=lambda word: (word["word"], word["whole"])))


def index_everybody() -> int:
    """Write all words anew; how many children they are of. The caller commits."""
    ids = [child.id for child in rows("select id from students order by id")]
    index_words(ids)
    return len(ids)


@dataclass(frozen=True, slots=True)
class Query:
    """A search as a condition on `students s`, its parameters, and what ranks first."""

    condition: str
    #: 0 for the very name as typed, 1 for a part of it with the accents typed, 2 for the rest
    rank: str
    values: dict[str, Any] = field(default_factory=dict)


def words_of(text: str) -> list[str]:
    """The folded words of a query, each once, in order."""
    return list(dict.fromkeys(fold(text).split()))[:MOST_WORDS]


def by_words(text: str) -> Query | None:
    """Every word of the text begins a word of the name; None for a text without words.

    Accents may be left out, and words stand in any order.
    """
    words = words_of(text)
    if not words:
        return None
    rarest = min(words, key=_how_common) if len(words) > 1 else words[0]
    values: dict[str, Any] = {"word": rarest, "word_end": _after(rarest)}
    having = "select w.student_id from student_words w where w.word >= :word and w.word < :word_end"
    # A pattern that begins with anything costs several times as much as a look for a part.
    place_of = "instr" if is_sqlite() else "strpos"
    for number, word in enumerate(word for word in words if word != rarest):
        values[f"also{number}"] = f" {word}"
        having += f" and {place_of}(' ' || w.whole, :also{number}) > 0"
    typed = " ".join(nfc(text).split()).title()
    values |= {"typed": typed, "typed_part": f"%{_escaped(typed)}%"}
    return Query(
        f"s.id in ({having})",
        "case when s.full_name = :typed then 0"
        " when s.full_name like :typed_part escape '\\' then 1 else 2 end",
        values,
    )


def by_number(text: str, digits: str) -> Query:
    """A code or its beginning, also of a merged record; a phone or its end; any number."""
    return Query(
        "s.id in (select o.id from students o where o.code >= :digits and o.code < :digits_end"
        " union select o.merged_into_id from students o"
        "  where o.code >= :digits and o.code < :digits_end and o.merged_into_id is not null"
        " union select n.student_id from student_identifiers n where n.value = :digits"
        " union select t.student_id from guardians g join guardianships t on t.guardian_id = g.id"
        "  and t.ends_on is null where g.phone = :phone or g.phone like :phone_end)",
        "0",
        {
            "digits": digits,
            "digits_end": _after(digits),
            "phone": normal_phone(text) or digits,
            "phone_end": f"%{digits}",
        },
    )


def number_in(text: str) -> str:
    """The digits of a text that is nothing but a number of four digits or more, else nothing."""
    digits = re.sub(r"[\s.\-+()\u2010-\u2015]", "", text)
    return digits if re.fullmatch(r"[0-9]{4,}", digits) else ""


def find_ids(text: str, *, limit: int) -> list[int]:
    """The children of the scope who fit a text, best first, at most `limit`.

    A word with a digit in it is taken as a class: `khang 2/3`.
    """
    digits = number_in(text)
    if digits:
        found = by_number(text, digits)
        condition, values = found.condition, dict(found.values)
    else:
        text = re.sub(r"(?i)(?:^|\s)(lớp|lop)\s+(?=\S)", " ", text)
        classes = [word for word in text.split() if any(sign.isdigit() for sign in word)]
        names = " ".join(word for word in text.split() if word not in classes)
        by_name = by_words(names)
        if by_name is None and not classes:
            return []
        found = by_name or Query("1 = 1", "0", {})
        condition, values = found.condition, dict(found.values)
        for number, name in enumerate(classes[:2]):
            values[f"class{number}"] = nfc(name)
            condition += (
                " and exists (select 1 from classes c join placements p"
                " on p.school_id = c.school_id and p.class_id = c.id and p.ends_on is null"
                " join enrolments h on h.school_id = p.school_id and h.id = p.enrolment_id"
                f" where c.name = :class{number} and h.student_id = s.id)"
            )
    readable = scope.current().readable
    here = ""
    if readable is not None:
        values["readable"] = sorted(readable)
        here = " and e.school_id in :readable"
    return [
        child.id
        for child in rows(
            f"select s.id, {found.rank} as place from students s where s.merged_into_id is null"
            f" and {condition} and exists (select 1 from enrolments e"
            f"  where e.student_id = s.id{here}) order by place, s.sort_key, s.code limit :most",
            most=limit,
            **values,
        )
    ]


def meant_codes(text: str) -> list[str]:
    """Right codes that differ from a wrong one by one digit or by two neighbours swapped."""
    digits = re.sub(r"[\s.\-\u2010-\u2015]", "", text)
    if not re.fullmatch(r"[0-9]{9}", digits) or is_student_code(digits):
        return []
    near = {
        digits[:place] + str(digit) + digits[place + 1 :]
        for place in range(9)
        for digit in range(10)
    }
    near |= {
        digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        for place in range(8)
    }
    return [code for code in sorted(near) if is_student_code(code)]


def _after(prefix: str) -> str:
    """The first text behind all that begin with the prefix, byte by byte."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


def _how_common(word: str) -> int:
    """How many children carry a word that begins so; an hour old is good enough to choose by."""
    key = (db.engine.url, word, int(time.monotonic() // 3600))
    if key not in _counted:
        if len(_counted) > 20_000:
            _counted.clear()
        _counted[key] = _count(word)
    return _counted[key]


_counted: dict[tuple[object, str, int], int] = {}


def _count(word: str) -> int:
    found = rows(
        "select count(*) as children from (select 1 as one from student_words"
        " where word >= :word and word < :word_end limit :most) as counted",
        word=word,
        word_end=_after(word),
        most=COMMON,
    )
    return int(found[0].children)
