"""What bills must hold at every moment."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "B1",
        "the total of every bill is the sum of its lines, all of its own run, child and school",
        "select v.id as invoice from invoices v left join invoice_lines l on l.invoice_id = v.id"
        " group by v.id, v.total, v.school_id, v.run_id, v.enrolment_id"
        " having coalesce(sum(l.amount), 0) <> v.total or count(l.id) = 0"
        " or min(l.school_id) <> v.school_id or max(l.school_id) <> v.school_id"
        " or min(l.run_id) <> v.run_id or max(l.run_id) <> v.run_id"
        " or min(l.enrolment_id) <> v.enrolment_id or max(l.enrolment_id) <> v.enrolment_id",
    ),
    query(
        "B2",
        "each line was booked at issue with its amount: to receivable, or to credit below zero",
        "select l.id as line, l.amount from invoice_lines l"
        " left join (select e.invoice_line_id as line, count(*) as entries,"
        "  sum(e.amount) as amount,"
        "  max(case when d.code = 'receivable' then 1 else 0 end) as asks,"
        "  max(case when c.code = 'credit' then 1 else 0 end) as gives"
        "  from entries e join ledger_events k on k.id = e.event_id and k.kind = 'invoice_issued'"
        "  join accounts d on d.id = e.debit_id join accounts c on c.id = e.credit_id"
        "  where e.invoice_line_id is not null group by e.invoice_line_id) b on b.line = l.id"
        " where (l.amount = 0 and b.line is not null)"
        " or (l.amount <> 0 and (b.line is null or b.entries <> 1 or b.amount <> abs(l.amount)"
        "  or b.asks <> case when l.amount > 0 then 1 else 0 end"
        "  or b.gives <> case when l.amount < 0 then 1 else 0 end))",
    ),
    query(
        "9",
        "what is open of a line lies between nothing and its amount",
        "select l.id as line, l.amount,"
        " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as open"
        " from accounts a join entries e on a.id in (e.debit_id, e.credit_id)"
        " join invoice_lines l on l.id = e.invoice_line_id"
        " where a.code = 'receivable' group by l.id, l.amount"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) < 0"
        " or sum(case when e.debit_id = a.id then e.amount else -e.amount end)"
        "  > case when l.amount > 0 then l.amount else 0 end",
    ),
    query(
        "10",
        "no child's credit is below zero",
        "select a.school_id, e.student_id from accounts a"
        " join entries e on a.id in (e.debit_id, e.credit_id) where a.code = 'credit'"
        " group by a.school_id, e.student_id"
        " having sum(case when e.credit_id = a.id then e.amount else -e.amount end) < 0",
    ),
    query(
        "B3",
        "every reference and token stands in the area's look-up, for the same school",
        "select coalesce(q.reference, c.reference) as reference from payment_requests q"
        " full outer join payment_codes c on c.reference = q.reference"
        " where q.reference is null or c.reference is null or q.token <> c.token"
        " or q.school_id <> c.school_id",
    ),
    query(
        "B4",
        "amount is gross less reduction, and the reduction rounds half up once after the sum",
        "select t.enrolment_id, t.item_id, t.service_period from"
        " (select enrolment_id, item_id, service_period, sum(gross) as gross,"
        "  sum(reduction) as reduction, max(id) as last_id from invoice_lines"
        "  group by enrolment_id, item_id, service_period) t"
        " join invoice_lines l on l.id = t.last_id"
        " where t.gross <> l.quantity * l.price + l.quantity_before * l.price_before"
        " or t.reduction <> ((l.quantity * l.price + l.quantity_before * l.price_before)"
        "  * l.percent + 50) / 100 + l.subsidy"
        " or l.amount <> l.gross - l.reduction",
    ),
    query(
        "B5",
        "what a run says it issued is what stands in the bills; a draft has none",
        "select r.id as run from billing_runs r left join invoices v on v.run_id = r.id"
        " group by r.id, r.issued_at, r.invoices, r.total"
        " having (r.issued_at is null and count(v.id) > 0)"
        " or (r.issued_at is not null"
        "  and (count(v.id) <> r.invoices or coalesce(sum(v.total), 0) <> r.total))",
    ),
    query(
        "B6",
        "a withdrawn bill has one note of its own stay and month, and what replaces it is of both",
        "select w.id as withdrawal from invoice_withdrawals w"
        " join invoices v on v.school_id = w.school_id and v.id = w.invoice_id"
        " join invoices n on n.school_id = w.school_id and n.id = w.note_id"
        " join billing_runs r on r.school_id = n.school_id and r.id = n.run_id"
        " left join invoices x on x.school_id = w.school_id and x.id = w.replacement_id"
        " where r.kind <> 'withdrawal' or n.total >= 0 or n.id <= v.id"
        " or n.enrolment_id <> v.enrolment_id or n.billed_period <> v.billed_period"
        " or (x.id is not null and (x.enrolment_id <> v.enrolment_id"
        "  or x.billed_period <> v.billed_period or x.id <= n.id))"
        " union all select -r.id from billing_runs r where r.kind = 'withdrawal' and"
        " (select count(*) from invoices n join invoice_withdrawals w on w.school_id = n.school_id"
        "  and w.note_id = n.id where n.school_id = r.school_id and n.run_id = r.id) <> 1",
    ),
    query(
        "B7",
        "a school that a run of the area says is issued has its bills out",
        "select a.id as part from area_run_schools a left join billing_runs r"
        " on r.school_id = a.school_id and r.id = a.run_id and r.issued_at is not null"
        "  and r.invoices = a.invoices and r.total = a.total"
        " where a.outcome = 'issued' and r.id is null",
    ),
    query(
        "B8",
        "money passed on is billed money, each once, and no later line gives it back",
        "select t.id as batch from passed_on_batches t"
        " where t.children <> (select count(*) from passed_on g where g.school_id = t.school_id"
        "  and g.batch_id = t.id)"
        " or t.amount <> (select coalesce(sum(g.amount), 0) from passed_on g"
        "  where g.school_id = t.school_id and g.batch_id = t.id)"
        " union all select min(t.id) from passed_on g join passed_on_batches t"
        "  on t.school_id = g.school_id and t.id = g.batch_id and t.cancelled_at is null"
        " group by g.school_id, g.enrolment_id, t.item_id, t.service_period having count(*) > 1"
        " union all select t.id from passed_on g join passed_on_batches t"
        "  on t.school_id = g.school_id and t.id = g.batch_id and t.cancelled_at is null"
        " where g.amount > (select coalesce(sum(l.amount), 0) from invoice_lines l"
        "  where l.school_id = g.school_id and l.enrolment_id = g.enrolment_id"
        "  and l.item_id = t.item_id and l.service_period = t.service_period)",
    ),
    query(
        "B9",
        "whoever was charged an optional item had said yes to it",
        "select l.id as line from invoice_lines l where l.amount > 0 and not l.is_compulsory"
        " and not exists (select 1 from fee_choices c where c.school_id = l.school_id"
        "  and c.enrolment_id = l.enrolment_id and c.item_id = l.item_id"
        "  and c.first_period <= l.service_period)",
    ),
    query(
        "B10",
        "only voluntary lines lapse, as a whole, and nothing of them stays open",
        "select n.id as line from billing_runs r join invoice_lines n"
        " on n.school_id = r.school_id and n.run_id = r.id where r.kind = 'lapse'"
        " and (n.amount >= 0 or n.may_be_debt or n.is_compulsory"
        "  or (select sum(l.amount) from invoice_lines l where l.school_id = n.school_id"
        "   and l.service_period = n.service_period and l.enrolment_id = n.enrolment_id"
        "   and l.item_id = n.item_id and l.id <= n.id) <> 0)"
        " union all select l.id from billing_runs r join invoice_lines n"
        "  on n.school_id = r.school_id and n.run_id = r.id"
        " join invoice_lines l on l.school_id = n.school_id"
        "  and l.service_period = n.service_period and l.enrolment_id = n.enrolment_id"
        "  and l.item_id = n.item_id and l.id < n.id and l.amount > 0"
        " join entries e on e.school_id = l.school_id and e.invoice_line_id = l.id"
        " join accounts a on a.school_id = e.school_id and a.code = 'receivable'"
        "  and a.id in (e.debit_id, e.credit_id)"
        " where r.kind = 'lapse' group by l.id"
        " having sum(case when e.debit_id = a.id then e.amount else -e.amount end) <> 0",
    ),
]
