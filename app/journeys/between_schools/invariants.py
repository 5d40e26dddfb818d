"""What must always be true of money between schools (M13)."""

from __future__ import annotations

from app.core.invariant import query

INVARIANTS = [
    query(
        "24s",
        "what schools owe each other sums up to nothing over the area",
        "select sum(balance) as left_over from v_account_balance"
        " where account like 'interschool:%' having coalesce(sum(balance), 0) <> 0",
    ),
    query(
        "24e",
        "what a school expects is what another one owes it",
        "select school_id, sum(balance) as left_over from v_account_balance"
        " where (account like 'interschool:%' and balance > 0) or account like 'expected:%'"
        " group by school_id having sum(balance) <> 0",
    ),
    query(
        "24c",
        "an accepted claim is the movement of its payment, with its amount",
        "select c.id as claim from school_claims c join school_claim_steps s"
        " on s.school_id = c.school_id and s.claim_id = c.id and s.step = 'accepted'"
        " left join v_movement m on m.school_id = c.school_id and m.cause_kind = 'payment'"
        "  and m.cause_id = c.payment_id and m.purpose = 'other_school'"
        " where m.id is null or m.amount <> c.amount",
    ),
]
