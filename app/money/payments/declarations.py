"""What families say they have transferred: no money fact, the first of the four states (M11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from app.core.db import MOMENT, VND, row, rows
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.money import billing
from app.money.payments.models import Declaration

#: transfers arrive within seconds, over a long weekend within days; then the word is worth nothing
LIVES: Final = timedelta(days=3)

#: said lately, and nothing was given to the request since
_LIVING: Final = (
    " and d.said_at > :since and not exists (select 1 from v_matching m"
    "  where m.school_id = d.school_id and m.request_id = d.request_id"
    "  and m.matched_at >= d.said_at)"
)


def declare(request: billing.Request, *, now: datetime) -> None:
    """Keep a family's word; said again while it lives, it changes nothing. The caller commits."""
    due = billing.due(request)
    if due <= ZERO or declared(request, now) is not None:
        return
    db.session.execute(
        insert(Declaration).values(
            school_id=request.school_id, request_id=request.id, amount=due, said_at=now
        )
    )


def declared(request: billing.Request, now: datetime) -> datetime | None:
    """When the family said so, while nothing came and the word still lives."""
    found = row(
        "select max(d.said_at) as said_at from declarations d where d.school_id = :school_id"
        f" and d.request_id = :request{_LIVING}",
        types={"said_at": MOMENT},
        school_id=request.school_id,
        request=request.id,
        since=now - LIVES,
    )
    said: datetime | None = found.said_at if found else None
    return said


@dataclass(frozen=True, slots=True)
class Said:
    """A family's word with the child it is about."""

    said_at: datetime
    full_name: str
    class_name: str
    reference: str
    amount: Vnd


def waiting_declarations(school_id: int, now: datetime) -> list[Said]:
    """Words whose money has not come, the oldest first."""
    found: Any = rows(
        "select d.said_at, s.full_name, coalesce((select c.name from enrolments e"
        "  join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        "  join classes c on c.school_id = p.school_id and c.id = p.class_id"
        "  where e.school_id = d.school_id and e.student_id = s.id"
        "  order by p.starts_on desc, p.id desc limit 1), '') as class_name, q.reference, d.amount"
        " from declarations d join payment_requests q on q.school_id = d.school_id"
        "  and q.id = d.request_id join students s on s.id = q.student_id"
        f" where d.school_id = :school_id{_LIVING} order by d.id",
        types={"said_at": MOMENT, "amount": VND},
        school_id=school_id,
        since=now - LIVES,
    )
    return [Said(*one) for one in found]
