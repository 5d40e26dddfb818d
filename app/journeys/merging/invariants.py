"""What must hold of records that were joined."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "J1",
        "a record leads to another exactly when a merge says so that was not taken back",
        "select s.id as student from students s where (s.merged_into_id is null) <>"
        " (not exists (select 1 from merges m where m.merged_id = s.id"
        "  and not exists (select 1 from merge_undos u where u.merge_id = m.id)))",
    ),
    query(
        "J2",
        "a record leads to a child in one step",
        "select s.id as student from students s join students t on t.id = s.merged_into_id"
        " where t.merged_into_id is not null",
    ),
    query(
        "J3",
        "a joined record keeps no running stay, no number and no family of its own",
        "select s.id as student from students s where s.merged_into_id is not null"
        " and (exists (select 1 from student_identifiers n where n.student_id = s.id"
        "   and n.valid_to is null)"
        "  or exists (select 1 from guardianships t where t.student_id = s.id"
        "   and t.ends_on is null)"
        "  or exists (select 1 from enrolments e where e.student_id = s.id"
        "   and e.ends_on is null))",
    ),
    query(
        "J4",
        "what is between the two records of a child adds up to nothing",
        "select a.school_id, sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
        " as left_over from accounts a join entries e on e.school_id = a.school_id"
        " and a.id in (e.debit_id, e.credit_id) where a.code = 'same_child' group by a.school_id"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) <> 0",
    ),
    query(
        "J5",
        "a joined record holds no money of its own",
        "select a.school_id, a.code, e.student_id as student from accounts a"
        " join entries e on e.school_id = a.school_id and a.id in (e.debit_id, e.credit_id)"
        " join students s on s.id = e.student_id and s.merged_into_id is not null"
        " where a.code in ('receivable', 'credit') group by a.school_id, a.code, e.student_id"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) <> 0",
    ),
]
