"""The pieces of SQL that both reports share, so that one word means one sum."""

from __future__ import annotations


def _is_revenue(account: str) -> str:
    return f"(substr({account}, 1, 7) = 'income:' or substr({account}, 1, 5) = 'held:')"


#: Over entries `e` of billed lines with their accounts `d` (debit) and `c` (credit): what was
#: billed, what is still receivable, what was written off. The rest of an entry's two sides is money
#: or credit, so that collected = billed - open - forgiven holds for each entry by itself.
FLOWS = (
    f" coalesce(sum(case when {_is_revenue('c.code')} and d.code in ('receivable', 'credit')"
    " then e.amount"
    f" when {_is_revenue('d.code')} and c.code in ('receivable', 'credit') then -e.amount"
    " else 0 end), 0) as billed,"
    " coalesce(sum(case when d.code = 'receivable' then e.amount"
    " when c.code = 'receivable' then -e.amount else 0 end), 0) as open,"
    " coalesce(sum(case when d.code = 'write_off' then e.amount"
    " when c.code = 'write_off' then -e.amount else 0 end), 0) as forgiven"
)

#: The same from the outside, over rows of `v_entry`: debit +, credit -.
VIEW_FLOWS = (
    f" coalesce(sum(case when {_is_revenue('account')} then -amount else 0 end), 0) as billed,"
    " coalesce(sum(case when account = 'receivable' then amount else 0 end), 0) as open,"
    " coalesce(sum(case when account = 'write_off' then amount else 0 end), 0) as forgiven,"
    f" coalesce(sum(case when {_is_revenue('account')} or account in ('receivable', 'write_off')"
    " then 0 else amount end), 0) as collected"
)

#: A matching `m` whose ledger event nobody took back.
LIVE_MATCHING = (
    "not exists (select 1 from ledger_events t where t.school_id = m.school_id"
    " and t.reverses_id = m.event_id)"
)
