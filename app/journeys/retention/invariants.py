"""What must hold of terms of keeping and of children made anonymous."""

from __future__ import annotations

from app.core.invariant import query
from app.people.students import NOBODY

_GONE = "from students s where s.anonymised_at is not null"

INVARIANTS = [
    query(
        "K1",
        "an anonymous child has no name, birth date or number left, nor a history with values",
        f"select s.id as student {_GONE} and (s.full_name <> '{NOBODY}' or s.search_key <> ''"
        " or s.sort_key <> '' or s.birth_date <> '1900-01-01'"
        " or exists (select 1 from student_identifiers n where n.student_id = s.id)"
        " or exists (select 1 from identity_changes c where c.student_id = s.id"
        "  and (c.old_value is not null or c.new_value is not null or c.reason <> '')))",
    ),
    query(
        "K2",
        "an anonymous child has no guardian, and is found by the end of its code only",
        f"select s.id as student {_GONE}"
        " and (exists (select 1 from guardianships t where t.student_id = s.id)"
        "  or exists (select 1 from student_words w where w.student_id = s.id"
        "   and substr(w.word, 1, 1) <> '#'))",
    ),
    query(
        "K3",
        "an anonymous child has no photo, no good card and no words in lists or batches",
        f"select s.id as student {_GONE}"
        " and (exists (select 1 from enrolments e join student_photos p"
        "   on p.school_id = e.school_id and p.enrolment_id = e.id where e.student_id = s.id)"
        "  or exists (select 1 from enrolments e join cards k on k.school_id = e.school_id"
        "   and k.enrolment_id = e.id and k.ended_at is null where e.student_id = s.id)"
        "  or exists (select 1 from list_import_rows r where r.student_id = s.id"
        "   and (r.name <> '' or r.detail <> '{}'))"
        "  or exists (select 1 from verification_items i where i.student_id = s.id"
        "   and (i.full_name <> '' or i.pin <> '')))",
    ),
    query(
        "K4",
        "an anonymous child is at no school",
        f"select s.id as student {_GONE}"
        " and exists (select 1 from enrolments e where e.student_id = s.id and e.ends_on is null)",
    ),
    query(
        "K5",
        "whoever was made anonymous neither owed nor was owed anything on that day",
        "select e.school_id, a.code, coalesce(s.merged_into_id, s.id) as student from students s"
        " join entries e on e.student_id = s.id join ledger_events v on v.school_id = e.school_id"
        "  and v.id = e.event_id and v.posted_at <= s.anonymised_at"
        " join accounts a on a.school_id = e.school_id and a.id in (e.debit_id, e.credit_id)"
        " where s.anonymised_at is not null and a.code in"
        "  ('receivable', 'credit', 'refund_payable', 'support_payable')"
        " group by e.school_id, a.code, coalesce(s.merged_into_id, s.id)"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) <> 0",
    ),
    query(
        "K6",
        "records of one child are made anonymous together",
        "select s.id as student from students s join students t on t.id = s.merged_into_id"
        " where (s.anonymised_at is null) <> (t.anonymised_at is null)",
    ),
    query(
        "K7",
        "a request to make children anonymous was decided by somebody else than who asked",
        "select school_id, id as request from forgetting_requests"
        " where decided_at is not null and (decided_by_id is null or decided_by_id = asked_by_id)",
    ),
    query(
        "K8",
        "a child is anonymous exactly when an approved request says so",
        "select s.id as student from students s left join (select distinct"
        "  coalesce(o.merged_into_id, o.id) as child from forgetting_children c"
        "  join students o on o.id = c.student_id"
        "  join forgetting_requests r on r.school_id = c.school_id and r.id = c.request_id"
        "  where r.approved and c.outcome = 'forgotten') told on told.child = s.id"
        " where s.merged_into_id is null"
        " and (s.anonymised_at is not null) <> (told.child is not null)",
    ),
    query(
        "K9",
        "one term holds for a kind of record on a day",
        "select a.kind, a.id as first, b.id as second from retention_terms a"
        " join retention_terms b on b.kind = a.kind and b.id > a.id"
        " and (a.valid_to is null or a.valid_to > b.valid_from)"
        " and (b.valid_to is null or b.valid_to > a.valid_from)",
    ),
    query(
        "K10",
        "a guardian without a child has no name, phone or address left after a forgetting",
        "select g.id as guardian from guardians g where g.search_key = ''"
        f" and (g.full_name <> '{NOBODY}' or g.phone is not null or g.address is not null)",
    ),
]
