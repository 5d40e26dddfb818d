"""What a run would bill: the rules less what was issued, item by item and month by month (M5)."""

from __future__ import annotations

from collections.abc import Collection

from app.core.period import Period
from app.money.fees.rules import rules_sql
from app.money.meals.days import days_sql

_DIFFERENCES = """
-- What was billed before. Each part is joined and none is asked from inside another, and nothing is
-- summed beside the rules: a sort of every line takes five times as long as the rules themselves.
billed as materialized (
  select l.enrolment_id, l.item_id, l.service_period, max(l.id) as line_id, sum(l.gross) as gross,
         sum(l.reduction) as reduction
  from invoice_lines l
  where l.school_id = :school_id and l.service_period in ({months}) {only}
  group by l.service_period, l.enrolment_id, l.item_id
),
-- What went to the insurer is not the school's to give back.
passed as materialized (
  select g.enrolment_id, t.item_id, t.service_period
  from passed_on g join passed_on_batches t on t.school_id = g.school_id and t.id = g.batch_id
  where g.school_id = :school_id and t.cancelled_at is null
   and t.service_period in ({months}) {only_passed}
),
charged as materialized (select service_period, enrolment_id, item_id from summed),
{before}
changed as (
  select r.enrolment_id, r.item_id, r.service_period, r.class_name, r.schedule_price_id,
         r.quantity, r.price, r.quantity_before, r.price_before, r.percent, r.policy_id,
         r.subsidy, r.gross - coalesce(b.gross, 0) as gross,
         r.reduction - coalesce(b.reduction, 0) as reduction, b.line_id as last_line_id,
         {before_amount} as amount_before, {before_line} as line_before_id
  from rules r
  left join billed b on b.service_period = r.service_period
   and b.enrolment_id = r.enrolment_id and b.item_id = r.item_id
  left join passed g on g.service_period = r.service_period
   and g.enrolment_id = r.enrolment_id and g.item_id = r.item_id
  {before_of_rules}
  -- A line of nothing is billed once: first, and again after the bill was withdrawn.
  where (b.line_id is null or r.gross - b.gross <> r.reduction - b.reduction
   or (r.gross <> 0 and b.gross = 0))
   and (g.item_id is null or r.gross - r.reduction >= b.gross - b.reduction)
  union all
  select b.enrolment_id, b.item_id, b.service_period, null, null, null, null, null, null, null,
         null, null, -b.gross, -b.reduction, b.line_id, {before_amount}, {before_line}
  from billed b
  left join charged r on r.service_period = b.service_period
   and r.enrolment_id = b.enrolment_id and r.item_id = b.item_id
  left join passed g on g.service_period = b.service_period
   and g.enrolment_id = b.enrolment_id and g.item_id = b.item_id
  {before_of_billed}
  where r.enrolment_id is null and b.gross <> b.reduction and g.item_id is null
  {before_alone}
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

#: The lines of one month laid beside those of another, which may have been billed in part.
_BEFORE = """last_month as materialized (
  select l.enrolment_id, l.item_id, {period} as service_period, sum(l.amount) as amount,
         max(l.id) as line_id
  from invoice_lines l
  where l.school_id = :school_id and l.service_period = {last_month} {only}
  group by l.enrolment_id, l.item_id
),"""

_BEFORE_OF = """left join last_month p on p.service_period = {part}.service_period
   and p.enrolment_id = {part}.enrolment_id and p.item_id = {part}.item_id"""

_BEFORE_ALONE = """union all
  select p.enrolment_id, p.item_id, p.service_period, null, null, null, null, null, null, null,
         null, null, 0, 0, null, p.amount, p.line_id
  from last_month p
  left join charged r on r.service_period = p.service_period
   and r.enrolment_id = p.enrolment_id and r.item_id = p.item_id
  left join billed b on b.service_period = p.service_period
   and b.enrolment_id = p.enrolment_id and b.item_id = p.item_id
  where r.enrolment_id is null and b.enrolment_id is null"""


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
            only_passed="and g.enrolment_id = :enrolment_id" if one_enrolment else "",
            months=", ".join(str(month.number) for month in months),
            materialized="materialized" if beside else "",
            **_beside(beside, only),
        )
    )


def _beside(beside: tuple[Period, Period] | None, only: str) -> dict[str, str]:
    if beside is None:
        return {
            "before": "",
            "before_amount": "0",
            "before_line": "cast(null as bigint)",
            "before_of_rules": "",
            "before_of_billed": "",
            "before_alone": "",
        }
    month, last = beside
    return {
        "before": _BEFORE.format(period=month.number, last_month=last.number, only=only),
        "before_amount": "coalesce(p.amount, 0)",
        "before_line": "p.line_id",
        "before_of_rules": _BEFORE_OF.format(part="r"),
        "before_of_billed": _BEFORE_OF.format(part="b"),
        "before_alone": _BEFORE_ALONE,
    }
