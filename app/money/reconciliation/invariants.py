"""What must always be true of statements and what they were found to be."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "21r",
        "money out of a statement is one movement of its amount, or one reversal, never both",
        "select v.id as movement from v_movement v left join statement_rows r"
        " on r.school_id = v.school_id and r.id = v.cause_id"
        " left join statement_findings f on f.school_id = v.school_id and f.row_id = v.cause_id"
        " where v.cause_kind = 'statement_row' and (r.id is null or r.is_credit"
        "  or r.amount <> v.amount or r.bank_account_id <> v.bank_account_id or f.id is not null"
        "  or exists (select 1 from v_movement o where o.school_id = v.school_id"
        "   and o.cause_kind = v.cause_kind and o.cause_id = v.cause_id and o.id <> v.id))",
    ),
    query(
        "20s",
        "a statement with balances adds up, and so do its running ones",
        "select id as statement, opening, credits, debits, closing from statements"
        " where opening is not null and closing is not null"
        " and opening + credits - debits <> closing",
    ),
    query(
        "20r",
        "a statement holds no more rows of its own than its file had new ones",
        "select t.id as statement, t.row_count, t.known_count, count(r.id) as own"
        " from statements t left join statement_rows r on r.school_id = t.school_id"
        "  and r.statement_id = t.id group by t.id, t.row_count, t.known_count"
        " having count(r.id) <> t.row_count - t.known_count",
    ),
    query(
        "20p",
        "a row and the payment it proves agree in account, amount and direction",
        "select f.id as finding, r.amount as told, p.amount as booked from statement_findings f"
        " join statement_rows r on r.school_id = f.school_id and r.id = f.row_id"
        " join payments p on p.school_id = f.school_id and p.id = f.payment_id"
        " left join bank_accounts b on b.school_id = p.school_id and b.id = p.bank_account_id"
        " where r.amount <> p.amount"
        " or r.bank_account_id not in (p.bank_account_id, coalesce(b.parent_id, -1))"
        " or (f.finding = 'reversal') = (r.is_credit)",
    ),
    query(
        "20d",
        "a payment posted from a statement has exactly one row that it was posted from",
        "select p.id as payment, count(f.id) as findings from payments p"
        " left join statement_findings f on f.school_id = p.school_id and f.payment_id = p.id"
        "  and f.finding = 'posted' where p.provider = 'statement' group by p.id"
        " having count(f.id) <> 1",
    ),
    query(
        "20b",
        "what a row says the bank took back is booked as taken back",
        "select f.id as finding from statement_findings f"
        " join statement_rows r on r.school_id = f.school_id and r.id = f.row_id"
        " left join reversals v on v.school_id = f.school_id and v.payment_id = f.payment_id"
        "  and v.kind = 'bank' and v.external_id = r.key"
        " where f.finding = 'reversal' and v.id is null",
    ),
]
