"""The rules of charging as one SELECT: who is charged which item in which month, and why.

Largest exemption wins, rounded half up after quantity × price (M15); the most exact price row
wins: class before grade before all. Sponsorship and the parents' fund are never charged.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.core.period import Period

#: Common table expressions; parameter :school_id. The last one, `rules`, has a row per enrolment ×
#: item × month. No part asks a question inside another: SQLite would give such a part no index.
RULES = """
months (service_period, first_day, next_day) as (values {months}),
-- The newest place of a child in a month: its first day and its number in one figure.
placed as (
  select m.service_period, e.id as enrolment_id, max({placed_on} * 100000000000 + p.id) as newest
  from months m cross join enrolments e cross join placements p
  where e.school_id = :school_id
   and e.starts_on < m.next_day and (e.ends_on is null or e.ends_on > m.first_day)
   and p.school_id = e.school_id and p.enrolment_id = e.id
   and p.starts_on < m.next_day and (p.ends_on is null or p.ends_on > m.first_day)
   {only}
  group by m.service_period, e.id
),
stays as materialized (
  select n.service_period, n.enrolment_id, e.student_id, p.class_id
  from placed n
  join placements p on p.id = n.newest % 100000000000
  join enrolments e on e.id = n.enrolment_id
),
-- Every child of a class is asked the same price: it is chosen once a class.
chosen as (
  select k.service_period, k.class_id, sp.item_id,
         max(case when sp.class_id is not null then 3 when sp.grade is not null then 2 else 1 end
             * 100000000000 + sp.id) as best
  from (select distinct service_period, class_id from stays) k
  join classes c on c.id = k.class_id
  join schedule_prices sp on sp.school_id = :school_id and sp.period = k.service_period
   and (sp.class_id is null or sp.class_id = c.id)
   and (sp.grade is null or sp.grade = c.grade)
  join fee_schedules fs on fs.id = sp.schedule_id and fs.state = 'approved'
  group by k.service_period, k.class_id, sp.item_id
),
-- Percent and policy in one number, so that the largest is found without a join.
general as materialized (
  select m.service_period, r.item_id,
         max(r.percent * 1000000000 + 999999999 - r.policy_id) as relief
  from months m cross join exemption_rates r join exemption_policies p on p.id = r.policy_id
  where p.applies_to_all
   and p.valid_from < m.next_day and (p.valid_to is null or p.valid_to > m.first_day)
  group by m.service_period, r.item_id
),
granted as materialized (
  select x.enrolment_id, m.service_period, r.item_id,
         max(r.percent * 1000000000 + 999999999 - r.policy_id) as relief
  from months m cross join exemptions x
  join exemption_policies p on p.id = x.policy_id
  join exemption_rates r on r.policy_id = p.id
  where x.school_id = :school_id and x.first_period <= m.service_period
   and (x.last_period is null or x.last_period >= m.service_period)
   and p.valid_from < m.next_day and (p.valid_to is null or p.valid_to > m.first_day)
   {only_granted}
  group by x.enrolment_id, m.service_period, r.item_id
),
prices as materialized (
  select b.service_period, b.class_id, c.name as class_name, sp.id as schedule_price_id,
         sp.item_id, sp.quantity, sp.price, sp.schedule_id, i.is_compulsory, g.relief
  from chosen b
  join schedule_prices sp on sp.id = b.best % 100000000000
  join classes c on c.id = b.class_id
  join fee_items i on i.id = sp.item_id and i.category not in ('sponsor', 'parent_fund')
  left join general g on g.service_period = b.service_period and g.item_id = b.item_id
),
offers as (
  select s.service_period, s.enrolment_id, s.student_id, o.class_name, o.item_id,
         o.schedule_price_id, o.schedule_id, o.quantity, o.price,
         case when coalesce(g.relief, -1) > coalesce(o.relief, -1) then g.relief
              else o.relief end as relief
  from stays s
  join prices o on o.service_period = s.service_period and o.class_id = s.class_id
  left join granted g on g.enrolment_id = s.enrolment_id and g.item_id = o.item_id
   and g.service_period = s.service_period
  where o.is_compulsory or exists (
    select 1 from fee_choices ch where ch.school_id = :school_id
     and ch.enrolment_id = s.enrolment_id and ch.item_id = o.item_id
     and ch.first_period <= s.service_period
     and (ch.last_period is null or ch.last_period >= s.service_period))
),
rules as (
  select service_period, enrolment_id, student_id, class_name, item_id, schedule_price_id,
         schedule_id, quantity, price, relief, quantity * price as gross,
         coalesce(relief / 1000000000, 0) as percent,
         999999999 - relief % 1000000000 as policy_id,
         (quantity * price * coalesce(relief / 1000000000, 0) + 50) / 100 as reduction
  from offers
)"""


def rules_sql(dialect: str, months: Iterable[Period], *, one_enrolment: bool = False) -> str:
    """The CTEs for one engine and some months; with `one_enrolment` also bound to :enrolment_id."""
    word = "" if dialect == "sqlite" else "date "
    spans = (
        f"({month.number}, {word}'{month.first_day}', {word}'{month.next().first_day}')"
        for month in months
    )
    return RULES.format(
        months=", ".join(spans),
        placed_on="cast(replace(p.starts_on, '-', '') as integer)"
        if dialect == "sqlite"
        else "cast(to_char(p.starts_on, 'YYYYMMDD') as bigint)",
        only="and e.id = :enrolment_id" if one_enrolment else "",
        only_granted="and x.enrolment_id = :enrolment_id" if one_enrolment else "",
    )
