"""What must always be true of closed days and months."""

from __future__ import annotations

import hashlib
import json

from app.core.db import rows
from app.core.invariant import Invariant, query
from app.core.period import Period
from app.money.closing.queries import trial_balance


def _hashes() -> list[str]:
    """Frozen figures as they were frozen."""
    return [
        f"{one.what}={one.id}"
        for one in rows(
            "select 'day' as what, id, figures, hash from day_closings"
            " union all select 'month', id, figures, hash from month_steps where step = 'closed'"
        )
        if hashlib.sha256(one.figures.encode()).hexdigest() != one.hash
    ]


def _frozen_months() -> list[str]:
    """The newest closing of each month that was not opened again, reckoned anew."""
    found = rows(
        "select m.school_id, m.period, m.figures from month_steps m where m.step = 'closed'"
        " and not exists (select 1 from month_steps l where l.school_id = m.school_id"
        "  and l.period = m.period and l.id > m.id and l.step in ('closed', 'reopened'))"
    )
    breaches = []
    for one in found:
        kept = {
            account["account"]: (account["debit"], account["credit"], account["closing"])
            for account in json.loads(one.figures)["accounts"]
        }
        now = {
            account.account: (account.debit.dong, account.credit.dong, account.closing.dong)
            for account in trial_balance(one.school_id, Period.from_number(one.period))
            if account.opening or account.debit or account.credit
        }
        if kept != now:
            breaches.append(f"school={one.school_id}, month={one.period}")
    return breaches


INVARIANTS = [
    query(
        "23d",
        "nothing was posted on a day after it was closed",
        "select v.id as event, v.booked_on from ledger_events v join day_closings c"
        " on c.school_id = v.school_id and c.day = v.booked_on where v.posted_at > c.closed_at",
    ),
    Invariant("23h", "the figures of closed days and months are the ones frozen", _hashes),
    Invariant("23m", "a closed month reckoned anew gives its frozen figures", _frozen_months),
    query(
        "23s",
        "a month is signed by another person than closed it",
        "select s.id as step from month_steps s join month_steps c on c.school_id = s.school_id"
        " and c.period = s.period and c.version = s.version and c.step = 'closed'"
        " where s.step = 'signed' and (s.actor_id = c.actor_id"
        "  or (s.actor_id is null and c.actor_id is null and s.actor = c.actor))",
    ),
]
