"""What must hold of children who change school."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "T1",
        "a child has one running transfer at most",
        "select t.student_id as student, count(*) as running from transfers t"
        " join transfer_steps q on q.id = (select max(x.id) from transfer_steps x"
        "  where x.transfer_id = t.id) where q.state in ('opened', 'accepted')"
        " group by t.student_id having count(*) > 1",
    ),
    query(
        "T2",
        "a child handed over left the old school on the day it came to the new one",
        "select t.id as transfer from transfers t join transfer_steps q"
        " on q.transfer_id = t.id and q.state = 'handed_over'"
        " left join enrolments a on a.school_id = t.from_school_id and a.id = t.from_enrolment_id"
        " left join enrolments b on b.school_id = t.school_id and b.id = q.enrolment_id"
        " where a.id is null or b.id is null or a.ends_on is null or q.day is null"
        " or a.ends_on <> q.day or b.starts_on <> q.day",
    ),
    query(
        "T3",
        "the steps of a transfer begin with asking and end once",
        "select t.id as transfer from transfers t where (select count(*) from transfer_steps q"
        "  where q.transfer_id = t.id and q.state = 'opened') <> 1"
        " or (select count(*) from transfer_steps q where q.transfer_id = t.id"
        "  and q.state in ('declined', 'withdrawn', 'handed_over')) > 1",
    ),
]
