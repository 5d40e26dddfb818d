"""Which account an item's money goes to; without a word of the school its usual one (M7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import MOMENT, rows
from app.core.model import db
from app.money.fees import queries
from app.money.fees.errors import BadPlan, ItemNotFound
from app.money.fees.models import ItemAccount
from app.people.schools import receiving_accounts


@dataclass(frozen=True, slots=True)
class Chosen:
    """The account of an item, and who chose it."""

    bank_account_id: int
    set_by: str
    set_at: datetime


def chosen_accounts(school_id: int, day: date) -> dict[int, Chosen]:
    """The items with an account of their own that is open on a day."""
    open_now = {account.id for account in receiving_accounts(school_id, day)}
    found = rows(
        "select item_id, bank_account_id, set_by, set_at from item_accounts"
        " where school_id = :school_id order by id",
        types={"set_at": MOMENT},
        school_id=school_id,
    )
    newest = {one.item_id: one for one in found}
    return {
        item_id: Chosen(one.bank_account_id, one.set_by, one.set_at)
        for item_id, one in newest.items()
        if one.bank_account_id in open_now
    }


def set_item_account(
    school_id: int,
    item_id: int,
    bank_account_id: int | None,
    *,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Choose an item's account for bills to come; None: the usual one again.

    Refuses an unknown item and an account of another school, a closed one or the treasury's. The
    caller commits.
    """
    if item_id not in queries.all_items():
        raise ItemNotFound
    open_now = {account.id for account in receiving_accounts(school_id, clock.local_day(now))}
    if bank_account_id is not None and bank_account_id not in open_now:
        raise BadPlan(_("Choose an account of the school that is open."))
    db.session.execute(
        insert(ItemAccount).values(
            school_id=school_id,
            item_id=item_id,
            bank_account_id=bank_account_id,
            set_by=actor.name,
            set_at=now,
        )
    )
    audit.record(
        "fee_item.account",
        f"fee_item:{item_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"bank_account:{bank_account_id or 'usual'}",
    )
