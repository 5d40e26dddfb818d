"""What must always be true of money that goes back to families or is given up."""

from __future__ import annotations

from app.core.invariant import query

_STATE = (
    "select p.school_id, p.id, p.kind, p.way, p.amount, p.student_id, t.step, p.asked_by_id,"
    " p.asked_by from payouts p join payout_steps t on t.school_id = p.school_id"
    " and t.payout_id = p.id and t.id = (select max(l.id) from payout_steps l"
    "  where l.school_id = p.school_id and l.payout_id = p.id)"
)

INVARIANTS = [
    query(
        "22p",
        "what is promised to families is the approved payouts that were not paid",
        "select x.school_id, x.code, sum(x.books) as books, sum(x.payouts) as payouts from ("
        "select school_id, account as code, -balance as books, 0 as payouts from v_account_balance"
        " where account in ('refund_payable', 'support_payable')"
        " union all"
        " select school_id, case when kind = 'support' then 'support_payable'"
        "  else 'refund_payable' end, 0, amount"
        f" from ({_STATE}) s where s.kind in ('refund', 'support')"
        "  and s.step in ('approved', 'sent', 'failed')) x"
        " group by x.school_id, x.code"
        " having sum(x.books) <> sum(x.payouts)",
    ),
    query(
        "22w",
        "money on its way to families is what was paid and no account has shown leaving",
        "select x.school_id, x.code, sum(x.books) as books, sum(x.payouts) as payouts from ("
        "select school_id, account as code, -balance as books, 0 as payouts from v_account_balance"
        " where account like 'payout:%'"
        " union all"
        " select s.school_id, 'payout:' || cast((select b.bank_account_id from payout_batches b"
        "   where b.school_id = s.school_id and b.id = (select max(t.batch_id) from payout_steps t"
        "    where t.school_id = s.school_id and t.payout_id = s.id)) as varchar(20)), 0, s.amount"
        f" from ({_STATE}) s where s.way = 'transfer' and s.step = 'paid'"
        " union all"
        " select school_id, account, 0, case when purpose = 'payout_back' then amount"
        "  else -amount end from v_movement where account like 'payout:%') x"
        " group by x.school_id, x.code having sum(x.books) <> sum(x.payouts)",
    ),
    query(
        "22a",
        "what was approved has another person's name than what was asked",
        "select p.id as payout from payouts p join payout_steps t on t.school_id = p.school_id"
        " and t.payout_id = p.id and t.step = 'approved'"
        " where t.actor_id = p.asked_by_id or (t.actor_id is null and p.asked_by_id is null"
        "  and t.actor = p.asked_by)",
    ),
    query(
        "22b",
        "a batch holds as many payouts and as much money as its file says",
        "select b.id as batch from payout_batches b left join (select t.school_id, t.batch_id,"
        "  count(*) as row_count, sum(p.amount) as total from payout_steps t join payouts p"
        "  on p.school_id = t.school_id and p.id = t.payout_id where t.step = 'sent'"
        "  group by t.school_id, t.batch_id) m on m.school_id = b.school_id and m.batch_id = b.id"
        " where coalesce(m.row_count, 0) <> b.row_count or coalesce(m.total, 0) <> b.total",
    ),
    query(
        "22e",
        "every approved payout has its entry of the whole amount",
        f"select s.id as payout from ({_STATE}) s where"
        " s.step in ('approved', 'sent', 'paid', 'failed') and s.amount <> coalesce((select"
        "  sum(e.amount) from ledger_events v join entries e on e.school_id = v.school_id"
        "   and e.event_id = v.id join accounts d on d.school_id = e.school_id"
        "   and d.id = e.debit_id where v.school_id = s.school_id and v.kind = 'payout_approved'"
        "   and v.cause_kind = 'payout' and v.cause_id = s.id and d.code <> 'same_family'), 0)",
    ),
    query(
        "22f",
        "between brothers and sisters nothing is left over",
        "select school_id, balance from v_account_balance where account = 'same_family'"
        " and balance <> 0",
    ),
]
