"""What must hold of the days of meals."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "E1",
        "a day that is free is a day away, and it lies within the stay of the child",
        "select k.id as mark from meal_marks k left join enrolments e on e.school_id = k.school_id"
        " and e.id = k.enrolment_id where (k.is_cut and not k.is_away) or e.id is null"
        " or k.day < e.starts_on",
    ),
    query(
        "E2",
        "an accepted contest has its mark, was decided by another person and within its days",
        "select m.id as contest from meal_contests m where m.decided_at is not null"
        " and (m.decided_by = m.asked_by or m.is_accepted is null"
        " or (m.is_accepted and not exists (select 1 from meal_marks k"
        "  where k.school_id = m.school_id and k.enrolment_id = m.enrolment_id and k.day = m.day"
        "  and k.source = 'contest' and k.is_cut)))",
    ),
    query(
        "E3",
        "a register counts each child once and is closed on its day or later",
        "select r.id as register from meal_registers r where r.present < 0 or r.away < 0"
        " or r.present + r.away = 0",
    ),
    query(
        "E4",
        "calendars and subsidies are of items by the day",
        "select d.id as day from meal_days d join fee_items i on i.id = d.item_id"
        " where i.unit <> 'day' union all select -u.id from fee_subsidies u"
        " join fee_items i on i.id = u.item_id where i.unit <> 'day'",
    ),
]
