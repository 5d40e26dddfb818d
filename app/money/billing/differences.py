"""What a run would bill: the rules less what was issued, item by item and month by month (M5)."""

from __future__ import annotations

from app.money.fees.rules import rules_sql

_DIFFERENCES = """
united as (
  select enrolment_id, item_id, service_period, class_name, schedule_price_id, quantity, price,
         percent, policy_id, gross, reduction, 0 as billed_gross, 0 as billed_reduction,
         cast(null as bigint) as line_id
  from rules
  union all
  select l.enrolment_id, l.item_id, l.service_period, null, null, 0, 0, 0, null, 0, 0, l.gross,
         l.reduction, l.id
  from invoice_lines l
  where l.school_id = :school_id and l.service_period in :months {only}
),
differences as (
  select enrolment_id, item_id, service_period, max(class_name) as class_name,
         max(schedule_price_id) as schedule_price_id, max(quantity) as quantity,
         max(price) as price, max(percent) as percent, max(policy_id) as policy_id,
         sum(gross) - sum(billed_gross) as gross,
         sum(reduction) - sum(billed_reduction) as reduction, max(line_id) as last_line_id
  from united
  group by enrolment_id, item_id, service_period
  having max(line_id) is null
      or sum(gross) - sum(reduction) <> sum(billed_gross) - sum(billed_reduction)
)"""


def differences_sql(dialect: str, *, one_enrolment: bool = False) -> str:
    """`with …` up to the CTE `differences`; parameters :school_id, :months (and :enrolment_id)."""
    only = "and l.enrolment_id = :enrolment_id" if one_enrolment else ""
    return (
        "with "
        + rules_sql(dialect, one_enrolment=one_enrolment)
        + ","
        + _DIFFERENCES.format(only=only)
    )
