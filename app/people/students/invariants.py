"""What must always be true of children, their stays and their classes."""

from __future__ import annotations

from app.core.db import rows
from app.core.ids import is_student_code
from app.core.invariant import Invariant, query


def _codes() -> list[str]:
    return [
        f"student={child.id}, code={child.code}"
        for child in rows("select id, code from students")
        if not is_student_code(child.code)
    ]


def _words() -> list[str]:
    kept: dict[int, set[tuple[str, str]]] = {}
    for word in rows("select student_id, word, whole from student_words"):
        kept.setdefault(word.student_id, set()).add((word.word, word.whole))
    return [
        f"student={child.id}"
        for child in rows("select id, search_key from students")
        if kept.get(child.id, set())
        != {(word, child.search_key) for word in child.search_key.split()}
    ][:20]


INVARIANTS = [
    Invariant("S1", "every pupil's code is nine digits with the right check digit", _codes),
    query(
        "S2",
        "no code is carried by two pupils",
        "select code, count(*) as pupils from students group by code having count(*) > 1",
    ),
    query(
        "S3",
        "no pupil has two overlapping stays at one school",
        "select a.school_id, a.student_id, a.id as first, b.id as second from enrolments a"
        " join enrolments b on b.school_id = a.school_id and b.student_id = a.student_id"
        " and b.id > a.id and (a.ends_on is null or a.ends_on > b.starts_on)"
        " and (b.ends_on is null or b.ends_on > a.starts_on)",
    ),
    query(
        "S4",
        "no pupil is in two classes on one day",
        "select a.school_id, a.enrolment_id, a.id as first, b.id as second from placements a"
        " join placements b on b.school_id = a.school_id and b.enrolment_id = a.enrolment_id"
        " and b.id > a.id and (a.ends_on is null or a.ends_on > b.starts_on)"
        " and (b.ends_on is null or b.ends_on > a.starts_on)",
    ),
    query(
        "27s",
        "every placement lies in its stay's school and days",
        "select p.id as placement, p.school_id from placements p"
        " left join enrolments e on e.school_id = p.school_id and e.id = p.enrolment_id"
        " left join classes c on c.school_id = p.school_id and c.id = p.class_id"
        " where e.id is null or c.id is null or p.starts_on < e.starts_on"
        " or (e.ends_on is not null and (p.ends_on is null or p.ends_on > e.ends_on))",
    ),
    query(
        "S5",
        "a personal number belongs to one pupil",
        "select min(student_id) as first, max(student_id) as second from student_identifiers"
        " where scheme = 'pin' and valid_to is null group by value"
        " having count(distinct student_id) > 1",
    ),
    query(
        "S6",
        "a pupil counts as without a number exactly when no personal number is valid",
        "select s.id as student, s.verification from students s where s.anonymised_at is null"
        " and (s.verification = 'CHUA_CO_SO') = exists (select 1 from student_identifiers n"
        "  where n.student_id = s.id and n.scheme = 'pin' and n.valid_to is null)",
    ),
    query(
        "S7",
        "the newest change of a name, birth date or sex ends at what the pupil is called now",
        "select c.student_id as student, c.field from identity_changes c"
        " join students s on s.id = c.student_id and s.anonymised_at is null"
        " where c.field in ('full_name', 'birth_date', 'sex') and c.id ="
        " (select max(x.id) from identity_changes x"
        "  where x.student_id = c.student_id and x.field = c.field)"
        " and c.new_value <> case c.field when 'full_name' then s.full_name"
        "  when 'sex' then s.sex else cast(s.birth_date as char(10)) end",
    ),
    Invariant("S8", "the words a search looks at are those of the names", _words),
    query(
        "S11",
        "no pupil has two guardians who are asked first",
        "select student_id as student, count(*) as first from guardianships"
        " where ends_on is null and is_primary group by student_id having count(*) > 1",
    ),
    query(
        "S12",
        "a pupil comes into a class on a day of the class's school year",
        "select p.school_id, p.id as placement, p.starts_on, y.code as year from placements p"
        " join classes c on c.id = p.class_id join school_years y on y.id = c.school_year_id"
        " where p.starts_on < y.starts_on or exists (select 1 from school_years n"
        "  where n.starts_on > y.starts_on and n.starts_on <= p.starts_on)",
    ),
]
