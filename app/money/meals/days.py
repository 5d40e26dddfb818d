"""The days of meals as the rules of charging take them in: offered, not charged, away.

A day of the calendar is charged to every child that belongs to the school on it and was not cut in
time. The newest mark of a child and a day is the one that counts.
"""

from __future__ import annotations

#: After the CTEs months, stays and prices of the rules; parameter :school_id.
DAYS = """
served as materialized (
  select m.service_period, d.item_id, d.day
  from months m join meal_days d on d.school_id = :school_id and d.is_served
   and d.day >= m.first_day and d.day < m.next_day
),
class_days as materialized (
  select p.service_period, p.class_id, p.item_id, count(*) as days,
         sum(case when d.day < p.second_from then 1 else 0 end) as days_before
  from prices p join served d on d.service_period = p.service_period and d.item_id = p.item_id
  where p.unit = 'day'
  group by p.service_period, p.class_id, p.item_id
),
marked as materialized (
  select k.enrolment_id, m.service_period, k.day, k.is_cut, k.is_away
  from (select max(x.id) as id from meal_marks x
        where x.school_id = :school_id and x.day >= (select min(first_day) from months)
         and x.day < (select max(next_day) from months) {only_marks}
        group by x.enrolment_id, x.day) n
  join meal_marks k on k.id = n.id
  join months m on k.day >= m.first_day and k.day < m.next_day
),
away as (
  select enrolment_id, service_period, count(*) as days from marked where is_away
  group by enrolment_id, service_period
),
not_charged as materialized (
  select s.service_period, s.enrolment_id, s.class_id, d.item_id, d.day
  from stays s
  join months m on m.service_period = s.service_period
  join enrolments e on e.id = s.enrolment_id
   and (e.starts_on > m.first_day or e.ends_on < m.next_day)
  join served d on d.service_period = s.service_period
   and (d.day < e.starts_on or d.day >= e.ends_on)
  union all
  select s.service_period, s.enrolment_id, s.class_id, d.item_id, d.day
  from marked k
  join stays s on s.enrolment_id = k.enrolment_id and s.service_period = k.service_period
  join enrolments e on e.id = s.enrolment_id and e.starts_on <= k.day
   and (e.ends_on is null or e.ends_on > k.day)
  join served d on d.service_period = k.service_period and d.day = k.day
  where k.is_cut
),
fewer as materialized (
  select x.service_period, x.enrolment_id, x.item_id, count(*) as days,
         sum(case when x.day < p.second_from then 1 else 0 end) as days_before
  from not_charged x
  join prices p on p.service_period = x.service_period and p.class_id = x.class_id
   and p.item_id = x.item_id
  group by x.service_period, x.enrolment_id, x.item_id
)"""


def days_sql(*, one_enrolment: bool = False) -> str:
    """The CTEs `class_days`, `fewer` and `away`."""
    only = "and x.enrolment_id = :enrolment_id" if one_enrolment else ""
    return DAYS.format(only_marks=only)
