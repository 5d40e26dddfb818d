"""Sponsorship and the parents' fund: a register apart, of money that is nobody's debt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import DAY, MOMENT, VND, rows, scalar
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import (
    BadGift,
)
from app.money.fees.models import Category, Gift


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A gift as the register shows it."""

    id: int
    category: Category
    given_on: date
    giver: str
    purpose: str
    amount: Vnd
    goods: str
    proof_no: str
    recorded_by: str
    recorded_at: datetime
    #: why it was taken back, and who did; None while it stands
    cancelled: str | None
    cancelled_by: str | None


def record_gift(
    school_id: int,
    *,
    category: Category,
    given_on: date,
    giver: str,
    purpose: str,
    amount: Vnd,
    goods: str,
    proof_no: str,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Write a sponsorship or a sum of the parents' fund down. It is nobody's debt and has no rate.

    Refuses a charged category, no giver or purpose, nothing given, and a day to come. The caller
    commits.
    """
    values: dict[str, Any] = {
        "giver": " ".join(nfc(giver).split())[:160],
        "purpose": " ".join(nfc(purpose).split())[:200],
        "goods": " ".join(nfc(goods).split())[:200],
        "proof_no": " ".join(nfc(proof_no).split())[:60],
    }
    if category not in queries.NEVER_CHARGED:
        raise BadGift(_("Only sponsorship and the parents' fund are recorded here."))
    if not values["giver"] or not values["purpose"]:
        raise BadGift(_("Say who gave it and for what."))
    if amount < ZERO or (amount == ZERO and not values["goods"]):
        raise BadGift(_("Write the sum, or what was given in kind."))
    if given_on > clock.local_day(now):
        raise BadGift(_("It cannot have been given on a day to come."))
    gift_id = db.session.scalar(
        insert(Gift)
        .values(
            school_id=school_id,
            category=category,
            given_on=given_on,
            amount=amount,
            recorded_by=actor.name,
            recorded_at=now,
            **values,
        )
        .returning(Gift.id)
    )
    audit.record(
        "gift.record",
        f"gift:{gift_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{category} {amount.dong}",
    )


def cancel_gift(
    school_id: int, gift_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> None:
    """Take a line of the register back; it stays to be read. Refuses no reason and a second time.

    The caller commits.
    """
    said = " ".join(nfc(reason).split())[:200]
    if not said:
        raise BadGift(_("Say why the line is wrong."))
    taken = scalar(
        "insert into gifts (school_id, cancels_id, category, given_on, giver, purpose, amount,"
        " goods, proof_no, recorded_by, recorded_at)"
        " select g.school_id, g.id, g.category, g.given_on, g.giver, :reason, g.amount, g.goods,"
        " g.proof_no, :name, :now from gifts g where g.school_id = :school_id and g.id = :id"
        " and g.cancels_id is null and not exists (select 1 from gifts c"
        "  where c.school_id = g.school_id and c.cancels_id = g.id) returning id",
        school_id=school_id,
        id=gift_id,
        reason=said,
        name=actor.name,
        now=now,
    )
    if taken is None:
        raise BadGift(_("This line is not in the register, or it was taken back already."))
    audit.record(
        "gift.cancel", f"gift:{gift_id}", actor=actor, school_id=school_id, now=now, cause=said
    )


def gifts(school_id: int) -> list[GiftRow]:
    """The register, the newest first, with what was taken back."""
    found = rows(
        "select g.id, g.category, g.given_on, g.giver, g.purpose, g.amount, g.goods, g.proof_no,"
        " g.recorded_by, g.recorded_at, c.purpose as cancelled, c.recorded_by as cancelled_by"
        " from gifts g left join gifts c on c.school_id = g.school_id and c.cancels_id = g.id"
        " where g.school_id = :school_id and g.cancels_id is null"
        " order by g.given_on desc, g.id desc limit 500",
        types={"given_on": DAY, "amount": VND, "recorded_at": MOMENT},
        school_id=school_id,
    )
    return [GiftRow(**{**one._asdict(), "category": Category(one.category)}) for one in found]


def gift_sums(school_id: int) -> dict[Category, Vnd]:
    """What stands in the register, by kind."""
    found = rows(
        "select g.category, sum(g.amount) as amount from gifts g"
        " where g.school_id = :school_id and g.cancels_id is null and not exists (select 1"
        "  from gifts c where c.school_id = g.school_id and c.cancels_id = g.id)"
        " group by g.category",
        types={"amount": VND},
        school_id=school_id,
    )
    sums = {Category(one.category): one.amount for one in found}
    return {kind: sums.get(kind, ZERO) for kind in (Category.SPONSOR, Category.PARENT_FUND)}
