"""What must always be true of fee schedules, exemptions and choices."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "F1",
        "a school year has at most one approved fee schedule",
        "select school_id, school_year_id, count(*) as approved from fee_schedules"
        " where state = 'approved' group by school_id, school_year_id having count(*) > 1",
    ),
    query(
        "F2",
        "no approved price is above the cap of its month",
        # A month begins on the day yyyymm01; caps are compared as such numbers on both engines.
        "select p.school_id, p.schedule_id, p.item_id, p.period, p.price, c.amount as cap"
        " from schedule_prices p"
        " join fee_schedules f on f.id = p.schedule_id and f.state = 'approved'"
        " join schools s on s.id = p.school_id"
        " join fee_caps c on c.item_id = p.item_id and (c.level is null or c.level = s.level)"
        " and (p.price > c.amount or coalesce(p.second_price, 0) > c.amount)"
        " where cast(replace(cast(c.valid_from as varchar(10)), '-', '') as bigint)"
        "  <= p.period * 100 + 1"
        " and (c.valid_to is null or cast(replace(cast(c.valid_to as varchar(10)), '-', '')"
        "  as bigint) > p.period * 100 + 1)",
    ),
    query(
        "F3",
        "sponsorship and the parents' fund are in no approved schedule",
        "select p.school_id, p.schedule_id, p.item_id from schedule_prices p"
        " join fee_schedules f on f.id = p.schedule_id and f.state = 'approved'"
        " join fee_items i on i.id = p.item_id and i.category in ('sponsor', 'parent_fund')",
    ),
    query(
        "34f",
        "whoever drafted a fee schedule did not approve it",
        "select school_id, id as schedule, approved_by from fee_schedules"
        " where approved_by is not null and approved_by = drafted_by"
        " union all"
        " select f.school_id, f.id, f.approved_by from fee_schedules f"
        " where f.state in ('approved', 'superseded', 'endorsed')"
        " and (f.approved_by is null or f.approved_at is null)",
    ),
    query(
        "F4",
        "no exemption is granted twice to one pupil in a month",
        "select a.school_id, a.enrolment_id, a.policy_id from exemptions a"
        " join exemptions b on b.school_id = a.school_id and b.enrolment_id = a.enrolment_id"
        " and b.policy_id = a.policy_id and b.id > a.id"
        " and (a.last_period is null or a.last_period >= b.first_period)"
        " and (b.last_period is null or b.last_period >= a.first_period)",
    ),
    query(
        "F5",
        "families choose optional items only, and gifts are never items that are charged",
        "select c.school_id, c.item_id, c.id as choice from fee_choices c"
        " join fee_items i on i.id = c.item_id"
        " where i.is_compulsory or i.category in ('sponsor', 'parent_fund')"
        " union all select g.school_id, null, g.id from gifts g"
        " where g.category not in ('sponsor', 'parent_fund')",
    ),
    query(
        "F6",
        "the unit above consents to what another person approved, and only once it is approved",
        "select school_id, id as schedule, consented_by from fee_schedules"
        " where consented_by is not null and (approved_by is null or consented_by = approved_by"
        " or consented_by = drafted_by or state not in ('approved', 'superseded')"
        " or consented_at < approved_at)",
    ),
]
