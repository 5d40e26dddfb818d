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
         sp.item_id, sp.quantity, sp.price, sp.schedule_id, i.is_compulsory, g.relief, i.unit,
         sp.second_price, sp.second_from, u.amount as subsidy
  from chosen b
  join schedule_prices sp on sp.id = b.best % 100000000000
  join classes c on c.id = b.class_id
  join fee_items i on i.id = sp.item_id and i.category not in ('sponsor', 'parent_fund')
  left join general g on g.service_period = b.service_period and g.item_id = b.item_id
  left join fee_subsidies u on u.school_id = :school_id and u.item_id = b.item_id
   and u.first_period <= b.service_period
   and (u.last_period is null or u.last_period >= b.service_period)
),
{days},
halved as materialized (
  select a.enrolment_id, a.service_period, h.item_id,
         max(h.percent) * 1000000000 + 999999999 as relief
  from away a
  join fee_halvings h on h.school_id = :school_id and a.days > h.above_days
   and h.first_period <= a.service_period
   and (h.last_period is null or h.last_period >= a.service_period)
  group by a.enrolment_id, a.service_period, h.item_id
),
own as materialized (
  select q.enrolment_id, q.item_id, q.period as service_period, q.quantity
  from (select max(x.id) as id from fee_quantities x join months m on m.service_period = x.period
        where x.school_id = :school_id {only_own}
        group by x.enrolment_id, x.item_id, x.period) n
  join fee_quantities q on q.id = n.id
),
offers as (
  select s.service_period, s.enrolment_id, s.student_id, o.class_name, o.item_id,
         o.schedule_price_id, o.schedule_id, o.subsidy,
         coalesce(w.quantity, d.days - coalesce(f.days, 0)
           - case when o.second_from is null then 0
                  else d.days_before - coalesce(f.days_before, 0) end, o.quantity) as quantity,
         case when w.quantity is null and d.days is not null and o.second_from is not null
              then o.second_price else o.price end as price,
         case when w.quantity is null and d.days is not null and o.second_from is not null
              then d.days_before - coalesce(f.days_before, 0) else 0 end as quantity_before,
         case when w.quantity is null and d.days is not null and o.second_from is not null
              then o.price else 0 end as price_before,
         {largest}(coalesce(h.relief, 999999999), coalesce(g.relief, 999999999),
           coalesce(o.relief, 999999999)) as relief
  from stays s
  join prices o on o.service_period = s.service_period and o.class_id = s.class_id
  left join granted g on g.enrolment_id = s.enrolment_id and g.item_id = o.item_id
   and g.service_period = s.service_period
  left join halved h on h.enrolment_id = s.enrolment_id and h.item_id = o.item_id
   and h.service_period = s.service_period
  left join own w on w.enrolment_id = s.enrolment_id and w.item_id = o.item_id
   and w.service_period = s.service_period
  left join class_days d on d.service_period = s.service_period and d.class_id = s.class_id
   and d.item_id = o.item_id
  left join fewer f on f.service_period = s.service_period
   and f.enrolment_id = s.enrolment_id and f.item_id = o.item_id
  where o.is_compulsory or exists (
    select 1 from fee_choices ch where ch.school_id = :school_id
     and ch.enrolment_id = s.enrolment_id and ch.item_id = o.item_id
     and ch.first_period <= s.service_period
     and (ch.last_period is null or ch.last_period >= s.service_period))
),
summed as (
  select o.*, quantity * price + quantity_before * price_before as gross,
         relief / 1000000000 as percent,
         ((quantity * price + quantity_before * price_before)
           * (relief / 1000000000) + 50) / 100 as relieved
  from offers o
  where quantity + quantity_before > 0
),
rules as (
  select service_period, enrolment_id, student_id, class_name, item_id, schedule_price_id,
         schedule_id, quantity, price, quantity_before, price_before, relief, gross, percent,
         nullif(999999999 - relief % 1000000000, 0) as policy_id,
         case when subsidy is null then 0
              else {smallest}(subsidy * (quantity + quantity_before), gross - relieved)
              end as subsidy,
         case when subsidy is null then relieved
              else relieved + {smallest}(subsidy * (quantity + quantity_before), gross - relieved)
              end as reduction
  from summed
)"""


#: What a room of registers tells of items by the day: `class_days`, the days a class is offered an
#: item in a month; `fewer`, the days of them one child is not charged; `away`, the days a child was
#: not there. Of the days those before the price changed are counted apart.
NO_DAYS = """class_days as (
  select 0 as service_period, 0 as class_id, 0 as item_id, 0 as days, 0 as days_before where 1 = 0
),
fewer as (
  select 0 as service_period, 0 as enrolment_id, 0 as item_id, 0 as days, 0 as days_before
  where 1 = 0
),
away as (select 0 as enrolment_id, 0 as service_period, 0 as days where 1 = 0)"""


def rules_sql(
    dialect: str,
    months: Iterable[Period],
    *,
    one_enrolment: bool = False,
    days: str = NO_DAYS,
) -> str:
    """The CTEs for one engine and some months; with `one_enrolment` also bound to :enrolment_id.

    `days` are the CTEs of the registers, as `NO_DAYS` shows them.
    """
    word = "" if dialect == "sqlite" else "date "
    spans = (
        f"({month.number}, {word}'{month.first_day}', {word}'{month.next().first_day}')"
        for month in months
    )
    return RULES.format(
        months=", ".join(spans),
        largest="max" if dialect == "sqlite" else "greatest",
        smallest="min" if dialect == "sqlite" else "least",
        placed_on="cast(replace(p.starts_on, '-', '') as integer)"
        if dialect == "sqlite"
        else "cast(to_char(p.starts_on, 'YYYYMMDD') as bigint)",
        only="and e.id = :enrolment_id" if one_enrolment else "",
        days=days,
        only_own="and x.enrolment_id = :enrolment_id" if one_enrolment else "",
        only_granted="and x.enrolment_id = :enrolment_id" if one_enrolment else "",
    )
