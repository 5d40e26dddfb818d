"""What a run would bill: the rules less what was issued, item by item and month by month (M5)."""

from __future__ import annotations

from collections.abc import Collection

from app.core.period import Period
from app.money.fees.rules import rules_sql
from app.money.meals.days import days_sql

_DIFFERENCES = """
-- What the rules ask, and what was billed before with its sign turned.
united as (
  select enrolment_id, item_id, service_period, class_name, schedule_price_id, quantity, price,
         quantity_before, price_before, percent, policy_id, subsidy, gross, reduction,
         cast(null as bigint) as line_id, 0 as amount_before,
         cast(null as bigint) as line_before_id
  from rules
  union all
  select l.enrolment_id, l.item_id, l.service_period, null, null, null, null, null, null, null,
         null, null, -l.gross, -l.reduction, l.id, 0, null
  from invoice_lines l
  where l.school_id = :school_id and l.service_period in ({months}) {only}
  {beside}
),
changed as (
  select enrolment_id, item_id, service_period, max(class_name) as class_name,
         max(schedule_price_id) as schedule_price_id, max(quantity) as quantity,
         max(price) as price, max(quantity_before) as quantity_before,
         max(price_before) as price_before, max(percent) as percent,
         max(policy_id) as policy_id, max(subsidy) as subsidy,
         sum(gross) as gross, sum(reduction) as reduction, max(line_id) as last_line_id,
         sum(amount_before) as amount_before, max(line_before_id) as line_before_id
  from united
  group by enrolment_id, item_id, service_period
  -- A line of nothing is billed once: first, and again after the bill was withdrawn.
  having max(line_id) is null or sum(gross) <> sum(reduction)
   or (sum(gross) <> 0 and sum(case when line_id is null then 0 else gross end) = 0)
),
differences as {materialized} (
  select enrolment_id, item_id, service_period, class_name, schedule_price_id,
         coalesce(quantity, 0) as quantity, coalesce(price, 0) as price,
         coalesce(quantity_before, 0) as quantity_before,
         coalesce(price_before, 0) as price_before, coalesce(percent, 0) as percent, policy_id,
         coalesce(subsidy, 0) as subsidy, gross, reduction, last_line_id, amount_before,
         line_before_id
  from changed
)"""

#: The lines of one month laid beside those of another, which is not among the months of the run.
_BESIDE = """union all
  select l.enrolment_id, l.item_id, {period}, null, null, null, null, null, null, null, null, null,
         0, 0, null, l.amount, l.id
  from invoice_lines l
  where l.school_id = :school_id and l.service_period = {last_month} {only}"""


def differences_sql(
    dialect: str,
    months: Collection[Period],
    *,
    one_enrolment: bool = False,
    beside: tuple[Period, Period] | None = None,
) -> str:
    """`with …` up to the CTE `differences`; parameters :school_id (and :enrolment_id).

    With `beside`, a month not billed yet and the one before it, rows say what the item cost then;
    those that were charged only then have neither a price row nor a line.
    """
    only = "and l.enrolment_id = :enrolment_id" if one_enrolment else ""
    return (
        "with "
        + rules_sql(
            dialect,
            months,
            one_enrolment=one_enrolment,
            days=days_sql(one_enrolment=one_enrolment),
        )
        + ","
        + _DIFFERENCES.format(
            only=only,
            months=", ".join(str(month.number) for month in months),
            materialized="materialized" if beside else "",
            beside=_BESIDE.format(period=beside[0].number, last_month=beside[1].number, only=only)
            if beside
            else "",
        )
    )
