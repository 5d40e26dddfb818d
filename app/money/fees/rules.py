"""The rules of charging as one SELECT: who is charged which item in which month, and why.

Largest exemption wins, rounded half up after quantity × price (M15); the most exact price row
wins: class before grade before all. Sponsorship and the parents' fund are never charged.
"""

from __future__ import annotations

#: Common table expressions; parameters :school_id and :months (a list of yyyymm).
#: The last one, `rules`, has a row per enrolment × item × month.
RULES = """
months as (
  select distinct sp.period as service_period,
         (sp.period / 100) * 10000 + (sp.period % 100) * 100 as day_base
  from schedule_prices sp
  join fee_schedules fs on fs.id = sp.schedule_id and fs.state = 'approved'
  where sp.school_id = :school_id and sp.period in :months
),
stays as (
  select m.service_period, m.day_base, e.id as enrolment_id, e.student_id, p.class_id, c.grade,
         c.name as class_name,
         row_number() over (partition by m.service_period, e.id
                            order by p.starts_on desc, p.id desc) as newest
  from months m
  join enrolments e on e.school_id = :school_id
   and {starts_on} < m.day_base + 100 and ({ends_on} is null or {ends_on} > m.day_base + 1)
  join placements p on p.school_id = e.school_id and p.enrolment_id = e.id
   and {placed_on} < m.day_base + 100 and ({left_on} is null or {left_on} > m.day_base + 1)
  join classes c on c.id = p.class_id
  {only}
),
offers as (
  select s.service_period, s.enrolment_id, s.student_id, s.class_name, sp.id as schedule_price_id,
         sp.item_id, sp.quantity, sp.price, sp.schedule_id,
         row_number() over (
           partition by s.service_period, s.enrolment_id, sp.item_id
           order by case when sp.class_id is not null then 3
                         when sp.grade is not null then 2 else 1 end desc, sp.id desc) as place,
         -- percent and policy in one number, so that the largest is found without a join
         (select max(r.percent * 1000000000 + 999999999 - r.policy_id)
          from exemption_rates r join exemption_policies p on p.id = r.policy_id
          where r.item_id = sp.item_id
           and {policy_from} < s.day_base + 100
           and ({policy_to} is null or {policy_to} > s.day_base + 1)
           and (p.applies_to_all or exists (
             select 1 from exemptions x where x.school_id = :school_id
              and x.enrolment_id = s.enrolment_id and x.policy_id = p.id
              and x.first_period <= s.service_period
              and (x.last_period is null or x.last_period >= s.service_period)))) as relief
  from stays s
  join schedule_prices sp on sp.school_id = :school_id and sp.period = s.service_period
   and (sp.class_id is null or sp.class_id = s.class_id)
   and (sp.grade is null or sp.grade = s.grade)
  join fee_schedules fs on fs.id = sp.schedule_id and fs.state = 'approved'
  join fee_items i on i.id = sp.item_id and i.category not in ('sponsor', 'parent_fund')
  where s.newest = 1
   and (i.is_compulsory or exists (
     select 1 from fee_choices ch where ch.school_id = :school_id
      and ch.enrolment_id = s.enrolment_id and ch.item_id = sp.item_id
      and ch.first_period <= s.service_period
      and (ch.last_period is null or ch.last_period >= s.service_period)))
),
rules as (
  select service_period, enrolment_id, student_id, class_name, item_id, schedule_price_id,
         schedule_id, quantity, price, quantity * price as gross,
         coalesce(relief / 1000000000, 0) as percent,
         999999999 - relief % 1000000000 as policy_id,
         (quantity * price * coalesce(relief / 1000000000, 0) + 50) / 100 as reduction
  from offers
  where place = 1
)"""


def _day_number(column: str, dialect: str) -> str:
    """A date column as the number yyyymmdd, so that months and days compare on both engines."""
    if dialect == "sqlite":
        return f"cast(replace({column}, '-', '') as integer)"
    return f"cast(to_char({column}, 'YYYYMMDD') as integer)"


def rules_sql(dialect: str, *, one_enrolment: bool = False) -> str:
    """The CTEs for one engine; with `one_enrolment` also bound to :enrolment_id."""
    return RULES.format(
        starts_on=_day_number("e.starts_on", dialect),
        ends_on=_day_number("e.ends_on", dialect),
        placed_on=_day_number("p.starts_on", dialect),
        left_on=_day_number("p.ends_on", dialect),
        policy_from=_day_number("p.valid_from", dialect),
        policy_to=_day_number("p.valid_to", dialect),
        only="where e.id = :enrolment_id" if one_enrolment else "",
    )
