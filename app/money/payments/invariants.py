"""What must always be true of money that came in (invariants 9, 12, 13, 15, 17 to 19)."""

from __future__ import annotations

from app.core.invariant import query

_RETURNED = (
    "select school_id, payment_id, sum(amount) as amount from reversals"
    " group by school_id, payment_id"
)
_MATCHED = (
    "select school_id, payment_id, sum(amount) as amount from v_matching"
    " group by school_id, payment_id"
)

INVARIANTS = [
    query(
        "9p",
        "no payment is given to children, or sent back, beyond its amount",
        "select p.id as payment, p.amount, coalesce(m.amount, 0) as matched,"
        " coalesce(r.amount, 0) as returned from payments p"
        f" left join ({_MATCHED}) m on m.school_id = p.school_id and m.payment_id = p.id"
        f" left join ({_RETURNED}) r on r.school_id = p.school_id and r.payment_id = p.id"
        " where coalesce(m.amount, 0) > p.amount or coalesce(r.amount, 0) < 0"
        " or coalesce(r.amount, 0) > p.amount + p.surcharge",
    ),
    query(
        "9m",
        "what a payment gave to children is what its ledger entries say",
        "select m.school_id, m.event_id, m.amount, coalesce(e.amount, 0) as entries"
        " from (select school_id, event_id, sum(amount) as amount from matchings"
        "  group by school_id, event_id) m"
        " left join (select e.school_id, e.event_id, sum(e.amount) as amount from entries e"
        "  join accounts c on c.id = e.credit_id and c.code in ('receivable', 'credit')"
        "  group by e.school_id, e.event_id) e"
        " on e.school_id = m.school_id and e.event_id = m.event_id"
        " where coalesce(e.amount, 0) <> m.amount",
    ),
    query(
        "9r",
        "what left or came back is what its ledger entries say",
        "select r.id as reversal, r.amount, coalesce(e.amount, 0) as entries from reversals r"
        " left join (select school_id, event_id, sum(amount) as amount from entries"
        "  group by school_id, event_id) e"
        " on e.school_id = r.school_id and e.event_id = r.event_id"
        " where coalesce(e.amount, 0) <> abs(r.amount)",
    ),
    query(
        "12",
        "suspense holds exactly the payments whose child is not known",
        "select s.school_id, s.account, s.waiting, s.payments from ("
        "select x.school_id, x.account, sum(x.waiting) as waiting, sum(x.payments) as payments"
        " from (select school_id, account, -balance as waiting, 0 as payments"
        "  from v_account_balance where account like 'suspense:%'"
        "  union all"
        "  select p.school_id, 'suspense:' || coalesce(cast(p.bank_account_id as varchar(20)),"
        "   'channel:' || cast(p.channel_id as varchar(20))), 0,"
        "   p.amount - coalesce(r.amount, 0) from payments p"
        f"  left join ({_MATCHED}) m on m.school_id = p.school_id and m.payment_id = p.id"
        f"  left join ({_RETURNED}) r on r.school_id = p.school_id and r.payment_id = p.id"
        "  where m.payment_id is null and not exists (select 1 from v_movement v"
        "   where v.school_id = p.school_id and v.cause_kind = 'payment' and v.cause_id = p.id)) x"
        " group by x.school_id, x.account) s where s.waiting <> s.payments",
    ),
    query(
        "13",
        "one number of a provider is one payment",
        "select school_id, provider, channel_id, external_id, count(*) as payments"
        " from payments group by school_id, provider, channel_id, external_id"
        " having count(*) > 1",
    ),
    query(
        "15",
        "every payment is in the books with its whole amount and names its cause",
        "select p.id as payment, p.amount + p.surcharge as amount,"
        " coalesce(e.amount, 0) as entries, a.subject as accepted from payments p"
        " left join (select v.school_id, v.cause_id, sum(n.amount) as amount"
        "  from ledger_events v join entries n on n.school_id = v.school_id and n.event_id = v.id"
        "  where v.kind = 'payment_received' and v.cause_kind = 'payment'"
        "  group by v.school_id, v.cause_id) e"
        "  on e.school_id = p.school_id and e.cause_id = p.id"
        " left join (select distinct subject, cause from audit_rows"
        "  where action = 'payment.accept') a"
        "  on a.subject = 'payment:' || cast(p.id as varchar(20))"
        " where coalesce(e.amount, 0) <> p.amount + p.surcharge or a.subject is null"
        " or a.cause <> p.provider || ':' || p.external_id",
    ),
    query(
        "17",
        "a notice that was not trusted or spoke of another account posted nothing",
        "select n.id as notice, p.id as payment from inbox_notices n"
        " join channels c on c.public_id = n.channel"
        " join payments p on p.school_id = c.school_id and p.provider = n.provider"
        "  and p.channel_id = c.id and p.external_id = n.external_id"
        " join inbox_outcomes o on o.notice_id = n.id and o.id = (select max(l.id)"
        "  from inbox_outcomes l where l.notice_id = n.id)"
        " where o.reason in ('stale_timestamp', 'wrong_account')",
    ),
    query(
        "18",
        "every posted notice has its payment, and it is of the same school",
        "select n.id as notice, o.payment_id from inbox_notices n"
        " join inbox_outcomes o on o.notice_id = n.id and o.state = 'posted'"
        " left join payments p on p.id = o.payment_id"
        " where p.id is null or (p.school_id <> n.school_id and n.channel <> 'stripe')",
    ),
    query(
        "19",
        "a notice about money going out raised no payment",
        "select n.id as notice from inbox_notices n join inbox_outcomes o on o.notice_id = n.id"
        " and o.reason in ('money_out', 'no_amount')"
        " where exists (select 1 from channels c join payments p on p.school_id = c.school_id"
        "  and p.channel_id = c.id and p.provider = n.provider"
        "  and p.external_id = n.external_id where c.public_id = n.channel)",
    ),
    query(
        "21m",
        "what is no family's is the whole of its payment, once, and no child has it",
        "select v.cause_id as payment, count(*) as movements from v_movement v"
        " left join payments p on p.school_id = v.school_id and p.id = v.cause_id"
        " where v.cause_kind = 'payment' group by v.school_id, v.cause_id"
        " having count(*) > 1 or count(p.id) = 0 or max(v.amount) <> max(p.amount)"
        "  or exists (select 1 from v_matching m where m.school_id = v.school_id"
        "   and m.payment_id = v.cause_id)",
    ),
    query(
        "21e",
        "a movement is in the books with its amount, on the account it names",
        "select m.id as movement from movements m where m.amount <> coalesce((select sum(e.amount)"
        "  from entries e join accounts c on c.school_id = e.school_id"
        "   and c.id in (e.debit_id, e.credit_id) and c.code = m.account"
        "  where e.school_id = m.school_id and e.event_id = m.event_id), 0)",
    ),
    query(
        "21d",
        "notes on their way to a bank are the slips no account has shown yet",
        "select x.school_id, x.code, sum(x.books) as books, sum(x.slips) as slips from ("
        "select school_id, account as code, balance as books, 0 as slips from v_account_balance"
        " where account like 'deposit:%'"
        " union all"
        " select d.school_id, 'deposit:' || cast(d.bank_account_id as varchar(20)), 0, d.amount"
        "  from cash_deposits d where not exists (select 1 from ledger_events t"
        "   where t.school_id = d.school_id and t.reverses_id = d.event_id)"
        "  and not exists (select 1 from v_movement m where m.school_id = d.school_id"
        "   and m.purpose = 'cash_banked' and m.target_id = d.id)) x group by x.school_id, x.code"
        " having sum(x.books) <> sum(x.slips)",
    ),
    query(
        "16t",
        "what a drawer lacked or had too much is booked, and nothing else is",
        "select t.id as till_count, t.counted - t.expected as difference,"
        " coalesce(e.amount, 0) as booked from till_counts t"
        " left join (select v.school_id, v.cause_id,"
        "  sum(case when d.code = 'till_difference' then -n.amount else n.amount end) as amount"
        "  from ledger_events v join entries n on n.school_id = v.school_id and n.event_id = v.id"
        "  join accounts d on d.id = n.debit_id"
        "  where v.kind = 'till_counted' and v.cause_kind = 'till_count'"
        "  group by v.school_id, v.cause_id) e on e.school_id = t.school_id and e.cause_id = t.id"
        " where t.counted - t.expected <> coalesce(e.amount, 0)",
    ),
    query(
        "21s",
        "a shift opens only where the one before has ended",
        "select t.id as till_count from till_counts t join till_counts b"
        " on b.school_id = t.school_id and b.till_id = t.till_id and b.kind = 'opening'"
        " where t.kind = 'opening' and b.id = (select max(x.id) from till_counts x"
        "  where x.school_id = t.school_id and x.till_id = t.till_id and x.id < t.id)",
    ),
    query(
        "26p",
        "a paper is renewed by two people, for the same payment and amount, and says void",
        "select d.id as decision from paper_decisions d"
        " join paper_changes c on c.school_id = d.school_id and c.id = d.change_id"
        " join receipts o on o.school_id = c.school_id and o.id = c.receipt_id"
        " left join receipts n on n.school_id = d.school_id and n.id = d.new_receipt_id"
        " left join receipt_voids v on v.school_id = o.school_id and v.receipt_id = o.id"
        " where d.decided_by_id = c.asked_by_id or (d.decided_by_id is null"
        "  and c.asked_by_id is null and d.decided_by = c.asked_by)"
        " or (d.new_receipt_id is not null and (n.id is null or v.id is null"
        "  or v.event_id is not null or n.replaces_id <> o.id"
        "  or n.payment_id <> o.payment_id or n.amount <> o.amount))",
    ),
]
