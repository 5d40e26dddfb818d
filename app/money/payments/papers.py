"""The paper is wrong and the money is right: a new paper in its place, by two people (M10 a).

No entry is made. The old number stays and says void, the new one names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import text
from app.core.db import MOMENT, own_school, row, rows
from app.core.errors import Invalid, NotFound, Refused
from app.core.model import db
from app.money import receipts
from app.money.payments.models import PaperChange, PaperDecision


class PaperChangeNotFound(NotFound):
    """The school has no such request."""

    code = "paper_change_not_found"


class PaperNotLive(Refused):
    """The receipt counts no longer."""

    code = "paper_not_live"

    def default_message(self) -> str:
        return _("This receipt is void or replaced; look at the one that stands instead.")


class PaperAsked(Refused):
    """A request for this receipt waits already."""

    code = "paper_change_waits"

    def default_message(self) -> str:
        return _("A new paper was asked for already and waits for the second person.")


class PaperUnchanged(Invalid):
    """Nothing on the paper would change, or nobody says why."""

    code = "paper_unchanged"

    def default_message(self) -> str:
        return _(
            "Write what the paper should say instead, and say in at least ten letters why it is"
            " wrong."
        )


class OwnPaper(Refused):
    """Who asks does not decide."""

    code = "own_paper_change"

    def default_message(self) -> str:
        return _("You asked for it yourself: a second person decides.")


class PaperDecided(Refused):
    """It was decided before."""

    code = "paper_change_decided"

    def default_message(self) -> str:
        return _("This was decided before.")


@dataclass(frozen=True, slots=True)
class Change:
    """A request with what became of it."""

    id: int
    receipt_id: int
    full_number: str
    reason: str
    payer: str
    payer_address: str
    asked_by: str
    asked_by_id: int | None
    asked_at: datetime
    #: None while it waits
    decided_by: str | None
    decided_at: datetime | None
    #: the number that stands instead; None when it waits or was refused
    new_number: str | None


def list_changes(school_id: int, *, limit: int = 200) -> list[Change]:
    """Requests of a school, those that wait first, then the newest."""
    return [
        _change(found)
        for found in rows(
            f"{_SELECT} order by case when d.id is null then 0 else 1 end, c.id desc limit :limit",
            types=_TYPES,
            school_id=school_id,
            limit=limit,
        )
    ]


_SELECT = (
    "select c.id, c.receipt_id, r.series, r.number, c.reason, c.payer, c.payer_address,"
    " c.asked_by, c.asked_by_id, c.asked_at, d.id as decision_id, d.decided_by, d.decided_at,"
    " n.series as new_series, n.number as new_number"
    " from paper_changes c join receipts r on r.school_id = c.school_id and r.id = c.receipt_id"
    " left join paper_decisions d on d.school_id = c.school_id and d.change_id = c.id"
    " left join receipts n on n.school_id = d.school_id and n.id = d.new_receipt_id"
    " where c.school_id = :school_id"
)
_TYPES = {"asked_at": MOMENT, "decided_at": MOMENT}


def _change(found: Any) -> Change:
    return Change(
        found.id,
        found.receipt_id,
        f"{found.series} / {found.number:06d}",
        found.reason,
        found.payer,
        found.payer_address,
        found.asked_by,
        found.asked_by_id,
        found.asked_at,
        found.decided_by,
        found.decided_at,
        f"{found.new_series} / {found.new_number:06d}" if found.new_series else None,
    )


def ask_for_paper(
    school_id: int,
    receipt_id: int,
    *,
    payer: str,
    payer_address: str,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Ask for a new paper with another payer or address; the id of the request.

    Refuses a receipt that is not live, one that a request waits for, a paper that would say the
    same, and a reason under ten letters. The caller commits.
    """
    own_school(school_id)
    receipt = receipts.get_receipt(school_id, receipt_id)
    if receipt.state != "live":
        raise PaperNotLive
    waiting = row(
        "select c.id from paper_changes c where c.school_id = :school_id"
        " and c.receipt_id = :receipt and not exists (select 1 from paper_decisions d"
        "  where d.school_id = c.school_id and d.change_id = c.id)",
        school_id=school_id,
        receipt=receipt_id,
    )
    if waiting is not None:
        raise PaperAsked
    said = receipts.verified_content(receipt)
    payer, payer_address = _line(payer, 120), _line(payer_address, 200)
    reason = _line(reason, 200)
    is_same = (payer, payer_address) == (said.payer, said.payer_address)
    if not payer or is_same or len(reason) < 10:
        raise PaperUnchanged
    change_id = int(
        db.session.scalar(
            insert(PaperChange)
            .values(
                school_id=school_id,
                receipt_id=receipt_id,
                reason=reason,
                payer=payer,
                payer_address=payer_address,
                asked_by=actor.name,
                asked_by_id=actor.user_id,
                asked_at=now,
            )
            .returning(PaperChange.id)
        )
        or 0
    )
    audit.record(
        "receipt.ask_new",
        f"receipt:{receipt_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=reason,
    )
    return change_id


def decide_paper(
    school_id: int, change_id: int, *, is_approved: bool, actor: audit.Actor, now: datetime
) -> receipts.IssuedReceipt | None:
    """Approve a new paper, or refuse it; the new receipt when approved.

    Refuses who asked (OwnPaper), what was decided, and a receipt that is not live any more. The
    counter is taken last. The caller commits.
    """
    own_school(school_id)
    found = row(f"{_SELECT} and c.id = :id", types=_TYPES, school_id=school_id, id=change_id)
    if found is None:
        raise PaperChangeNotFound
    change = _change(found)
    if change.decided_by is not None:
        raise PaperDecided
    mine = change.asked_by_id == actor.user_id if actor.user_id else change.asked_by == actor.name
    if mine:
        raise OwnPaper
    issued = _renew(school_id, change, actor, now) if is_approved else None
    db.session.execute(
        insert(PaperDecision).values(
            school_id=school_id,
            change_id=change_id,
            new_receipt_id=issued.id if issued else None,
            decided_by=actor.name,
            decided_by_id=actor.user_id,
            decided_at=now,
        )
    )
    audit.record(
        "receipt.renew" if issued else "receipt.refuse_new",
        f"receipt:{change.receipt_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=change.reason,
    )
    return issued


def _renew(
    school_id: int, change: Change, actor: audit.Actor, now: datetime
) -> receipts.IssuedReceipt:
    old = receipts.get_receipt(school_id, change.receipt_id)
    if old.state != "live":
        raise PaperNotLive
    said = receipts.verified_content(old)
    kept = row(
        "select kind, event_id from receipts where school_id = :school_id and id = :id",
        school_id=school_id,
        id=old.id,
    )
    assert kept is not None  # noqa: S101 - read just above
    receipts.void_receipt(
        school_id,
        old.id,
        reason=change.reason,
        actor=audit.Actor(change.asked_by, actor.role),
        approved_by=actor.name,
        event_id=None,
        now=now,
    )
    draft = receipts.ReceiptDraft(
        kind=kept.kind,
        payment_id=old.payment_id,
        event_id=kept.event_id,
        payer=change.payer,
        payer_address=change.payer_address,
        method=said.method,
        received_on=date.fromisoformat(said.received_on),
        occurred_at=datetime.fromisoformat(said.occurred_at),
        transfer_text=said.transfer_text,
        reference=said.reference,
        children=said.children,
        collected_by=said.collected_by,
        replaces_id=old.id,
        replaces_number=old.full_number,
    )
    return receipts.issue_many(school_id, [draft])[0]


def _line(words: str, most: int) -> str:
    return " ".join(text.nfc(words).split())[:most]
