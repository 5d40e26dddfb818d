"""What a run would bill: the rules less what was issued, item by item and month by month (M5)."""

from __future__ import annotations

from collections.abc import Collection

from app.core.period import Period
from app.money.fees.rules import rules_sql

_DIFFERENCES = """
-- What the rules ask, and what was billed before with its sign turned.
united as (
  select enrolment_id, item_id, service_period, class_name, schedule_price_id, relief, gross,
         reduction, cast(null as bigint) as line_id, 0 as amount_before,
         cast(null as bigint) as line_before_id
  from rules
  union all
  select l.enrolment_id, l.item_id, l.service_period, null, null, null, -l.gross, -l.reduction,
         l.id, 0, null
  from invoice_lines l
  where l.school_id = :school_id and l.service_period in ({months}) {only}
  {beside}
),
changed as (
  select enrolment_id, item_id, service_period, max(class_name) as class_name,
         max(schedule_price_id) as schedule_price_id, max(relief) as relief,
         sum(gross) as gross, sum(reduction) as reduction, max(line_id) as last_line_id,
         sum(amount_before) as amount_before, max(line_before_id) as line_before_id
  from united
  group by enrolment_id, item_id, service_period
  having max(line_id) is null or sum(gross) <> sum(reduction)
),
differences as {materialized} (
  select d.enrolment_id, d.item_id, d.service_period, d.class_name, d.schedule_price_id,
         coalesce(sp.quantity, 0) as quantity, coalesce(sp.price, 0) as price,
         coalesce(d.relief / 1000000000, 0) as percent,
         999999999 - d.relief % 1000000000 as policy_id, d.gross, d.reduction, d.last_line_id,
         d.amount_before, d.line_before_id
  from changed d
  left join schedule_prices sp on sp.id = d.schedule_price_id
)"""

#: The lines of one month laid beside those of another, which is not among the months of the run.
_BESIDE = """union all
  select l.enrolment_id, l.item_id, {period}, null, null, null, 0, 0, null, l.amount, l.id
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
        + rules_sql(dialect, months, one_enrolment=one_enrolment)
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
