"""What must always be true of turned years and of children handed on."""

from __future__ import annotations

from app.core.invariant import query

_STANDING = (
    "join year_turns t on t.school_id = i.school_id and t.id = i.turn_id and t.undone_at is null"
)

INVARIANTS = [
    query(
        "Y1",
        "at most one turn of a school and year stands",
        "select school_id, school_year_id, count(*) as turns from year_turns"
        " where undone_at is null group by school_id, school_year_id having count(*) > 1",
    ),
    query(
        "Y2",
        "nobody of a turned year is left without an outcome or in a class of the old year",
        "select i.school_id, i.enrolment_id, i.outcome from year_turn_items i"
        f" {_STANDING} join placements p on p.school_id = i.school_id and p.id = i.placement_id"
        " and p.class_id = i.class_id where p.ends_on is null or p.ends_on > t.starts_on",
    ),
    query(
        "Y3",
        "who was promoted or repeats sits in a class of the new year, or has left",
        "select i.school_id, i.enrolment_id, i.outcome from year_turn_items i"
        f" {_STANDING} join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        "  and e.ends_on is null"
        " where not exists (select 1 from placements p"
        "  join classes c on c.school_id = p.school_id and c.id = p.class_id"
        "  join school_years y on y.id = c.school_year_id and y.starts_on >= t.starts_on"
        "  where p.school_id = i.school_id and p.enrolment_id = i.enrolment_id"
        "  and p.starts_on >= t.starts_on)",
    ),
    query(
        "Y4",
        "a stay that a standing turn ended has ended, with the reason of its outcome",
        "select i.school_id, i.enrolment_id, e.end_reason from year_turn_items i"
        f" {_STANDING} join enrolments e on e.school_id = i.school_id and e.id = i.enrolment_id"
        " where coalesce(i.decision, i.outcome) in ('finished', 'moves', 'leaves')"
        " and (e.ends_on is null or (e.ends_on >= t.starts_on and e.end_reason <>"
        "  case coalesce(i.decision, i.outcome) when 'finished' then 'finished'"
        "   when 'moves' then 'moved' else 'stopped' end))",
    ),
    query(
        "Y5",
        "as many children are handed on as finished at nurseries and primary schools",
        "select i.school_id, i.enrolment_id from year_turn_items i"
        f" {_STANDING} join schools s on s.id = i.school_id and s.level <> 'lower_secondary'"
        " left join handovers h on h.from_school_id = i.school_id"
        "  and h.from_enrolment_id = i.enrolment_id and h.school_year_id = t.school_year_id"
        " where coalesce(i.decision, i.outcome) = 'finished' and h.id is null",
    ),
    query(
        "Y6",
        "a child that was admitted is the child that was handed on, at the school it was sent to",
        "select h.id as handover, f.student_id from handovers h"
        " join enrolments f on f.school_id = h.from_school_id and f.id = h.from_enrolment_id"
        " left join enrolments e on e.school_id = h.to_school_id and e.id = h.admitted_enrolment_id"
        " where (h.admitted_at is null) <> (h.admitted_enrolment_id is null)"
        " or (h.admitted_at is not null and (e.id is null or e.student_id <> f.student_id))",
    ),
    query(
        "Y7",
        "children are handed from a level to the next one",
        "select h.id as handover, f.level as gives, k.level as takes from handovers h"
        " join schools f on f.id = h.from_school_id join schools k on k.id = h.to_school_id"
        " where not ((f.level = 'nursery' and k.level = 'primary')"
        "  or (f.level = 'primary' and k.level = 'lower_secondary'))",
    ),
]
