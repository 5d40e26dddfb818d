"""What must hold of children who change school or leave the area."""

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
    query(
        "T4",
        "a child has one running departure at most, and no running transfer beside it",
        "select e.student_id as student, count(*) as running from departures d join enrolments e"
        " on e.school_id = d.school_id and e.id = d.enrolment_id where not exists"
        " (select 1 from departure_steps s where s.school_id = d.school_id"
        "  and s.departure_id = d.id and s.fact in ('closed', 'withdrawn'))"
        " group by e.student_id having count(*) > 1 or exists (select 1 from transfers t"
        "  join transfer_steps q on q.id = (select max(x.id) from transfer_steps x"
        "   where x.transfer_id = t.id) and q.state in ('opened', 'accepted')"
        "  where t.student_id = e.student_id)",
    ),
    query(
        "T5",
        "a departure begins with asking, ends once, and is done only after the child has left",
        "select d.id as departure from departures d join enrolments e"
        " on e.school_id = d.school_id and e.id = d.enrolment_id"
        " where not exists (select 1 from departure_steps s where s.school_id = d.school_id"
        "  and s.departure_id = d.id and s.fact = 'asked')"
        " or (select count(*) from departure_steps s where s.school_id = d.school_id"
        "  and s.departure_id = d.id and s.fact in ('closed', 'withdrawn')) > 1"
        " or (exists (select 1 from departure_steps s where s.school_id = d.school_id"
        "  and s.departure_id = d.id and s.fact = 'closed') and (e.ends_on is null"
        "  or not exists (select 1 from departure_steps s where s.school_id = d.school_id"
        "   and s.departure_id = d.id and s.fact = 'accepted')))",
    ),
]
