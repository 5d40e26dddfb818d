"""What must always be true of lists taken in."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "LI1",
        "every row of a list that was taken names the pupil or person it became",
        "select r.import_id, r.seq from list_import_rows r join list_imports i"
        " on i.school_id = r.school_id and i.id = r.import_id and i.kind = 'pupils'"
        " where r.is_taken and r.student_id is null",
    ),
    query(
        "LI2",
        "a list that was taken says who took it and when, and has an act in the trail",
        "select i.id from list_imports i where i.stage = 'taken' and (i.taken_by is null"
        " or i.taken_at is null or not exists (select 1 from audit_rows a"
        " where a.school_id = i.school_id and a.action = 'list.take'"
        " and a.subject = 'list_import:' || i.id))",
    ),
    query(
        "LI3",
        "nothing of a list is taken but from one that was taken",
        "select r.import_id, r.seq from list_import_rows r join list_imports i"
        " on i.school_id = r.school_id and i.id = r.import_id"
        " where r.is_taken and i.stage <> 'taken'",
    ),
]
