"""What must always be true of batches, results and how far identities are proved."""

from __future__ import annotations

from app.core.invariant import Invariant, query
from app.people.verification.subjects import PUPILS, STAFF, Subjects

_ANSWERED = "('KHOP', 'SAI_LECH', 'KHONG_TIM_THAY', 'TRUNG_SO')"


def _person(subjects: Subjects) -> list[Invariant]:
    column, word = subjects.column, subjects.word
    letter = "P" if subjects is PUPILS else "T"
    newest = (
        f"select {column} as subject_id, max(id) as id from verification_items"
        f" where {column} is not null group by {column}"
    )
    asked = (
        f"with newest as ({newest}) select p.subject_id as {word}, p.verification"
        f" from ({subjects.present}) p left join newest n on n.subject_id = p.subject_id"
        " left join verification_items i on i.id = n.id"
        " left join verification_batches b on b.id = i.batch_id and b.closed_at is null"
        " where (p.verification = 'CHO_XAC_THUC') <> (b.id is not null"
        "  and i.revision = p.revision and not exists"
        "  (select 1 from verification_results r where r.item_id = i.id and r.counts))"
    )
    answered = (
        f"with told as (select {column} as subject_id, max(id) as id from verification_results"
        f"  where counts and {column} is not null group by {column}), newest as ({newest})"
        f" select p.subject_id as {word}, p.verification, r.state"
        f" from ({subjects.present}) p left join told t on t.subject_id = p.subject_id"
        " left join verification_results r on r.id = t.id"
        " left join verification_items i on i.id = r.item_id"
        " left join newest n on n.subject_id = p.subject_id"
        f" where (p.verification in {_ANSWERED} and (r.id is null"
        "   or r.state <> p.verification or i.full_name <> p.full_name"
        "   or i.birth_date <> p.birth_date or i.sex <> p.sex or i.pin <> p.pin))"
        # and the other way round: what the newest answer says of an unchanged person is so
        f" or (r.state in {_ANSWERED} and i.id = n.id and i.revision = p.revision"
        "   and r.state <> p.verification)"
    )
    people = "pupil" if subjects is PUPILS else "member of staff"
    return [
        query(
            f"V1{letter}",
            f"a {people} waits exactly while an open batch holds the present identity unanswered",
            asked,
        ),
        query(
            f"V2{letter}",
            f"a {people} is proved, differs, is unknown or double exactly as the newest result"
            " about the present identity says",
            answered,
        ),
    ]


INVARIANTS = [
    *_person(PUPILS),
    *_person(STAFF),
    query(
        "V3",
        "a batch holds as many rows as it says, each person once",
        "select b.school_id, b.id as batch from verification_batches b left join ("
        " select school_id, batch_id, count(*) as n,"
        "  count(distinct coalesce(student_id, -user_id)) as people from verification_items"
        "  where batch_id is not null group by school_id, batch_id) i"
        " on i.school_id = b.school_id and i.batch_id = b.id"
        " where coalesce(i.n, 0) <> b.count or coalesce(i.people, 0) <> b.count",
    ),
    query(
        "V4",
        "a result is about the person of its row, and only a difference names fields",
        "select r.school_id, r.id as result from verification_results r"
        " join verification_items i on i.school_id = r.school_id and i.id = r.item_id"
        " where coalesce(r.student_id, 0) <> coalesce(i.student_id, 0)"
        " or coalesce(r.user_id, 0) <> coalesce(i.user_id, 0)"
        " or (r.state <> 'SAI_LECH' and exists (select 1 from verification_differences d"
        "  where d.school_id = r.school_id and d.result_id = r.id))",
    ),
    query(
        "V5",
        "a proof by hand names the paper",
        "select school_id, id as result from verification_results"
        " where source in ('birth_certificate', 'vneid', 'kept', 'papers') and note = ''",
    ),
    query(
        "V6",
        "a member of staff counts as without a number exactly when no personal number is valid",
        "select t.user_id as user_id, t.verification from staff_identities t"
        " where (t.verification = 'CHUA_CO_SO') = exists (select 1 from staff_identifiers n"
        "  where n.user_id = t.user_id and n.scheme = 'pin' and n.valid_to is null)",
    ),
    query(
        "V7",
        "a personal number belongs to one member of staff",
        "select min(user_id) as first, max(user_id) as second from staff_identifiers"
        " where scheme = 'pin' and valid_to is null group by value"
        " having count(distinct user_id) > 1",
    ),
]
