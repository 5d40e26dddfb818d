"""What changes a charge beside its price: others who pay, days away, one child's own quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from app import audit
from app.core.db import MONTH, VND, execute, for_update, in_chunks, row, rows, scalar
from app.core.model import db
from app.core.money import Vnd
from app.core.period import Period
from app.core.text import nfc
from app.money.fees.errors import (
    BadMonths,
    BadPrice,
    ItemNotFound,
    RuleNotFound,
    RuleStands,
    StrangeEnrolment,
)
from app.money.fees.models import FeeHalving, FeeQuantity, FeeSubsidy


def set_subsidy(
    school_id: int,
    item_id: int,
    *,
    amount: Vnd,
    payer: str,
    legal_act: str,
    first: Period,
    last: Period | None = None,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """Somebody else pays so much of every day of an item; the one before ends the month before.

    Refuses an item not by the day, an amount of nothing, and no payer or act. The caller commits.
    """
    if _unit(item_id) != "day" or amount <= Vnd(0):
        raise BadPrice(_("Another payer gives an amount above zero for each day of an item."))
    if not nfc(payer).strip() or not nfc(legal_act).strip():
        raise BadPrice(_("Say who pays and by which act."))
    _supersede(school_id, "fee_subsidies", item_id, first, last)
    db.session.execute(
        insert(FeeSubsidy).values(
            school_id=school_id,
            item_id=item_id,
            amount=amount,
            payer=nfc(payer).strip()[:120],
            legal_act=nfc(legal_act).strip()[:200],
            first_period=first,
            last_period=last,
        )
    )
    _tell("fee_subsidy.set", school_id, item_id, actor, now, f"{amount.dong} {first}")


def set_halving(
    school_id: int,
    item_id: int,
    *,
    above_days: int,
    percent: int,
    first: Period,
    last: Period | None = None,
    actor: audit.Actor,
    now: datetime,
) -> None:
    """An item costs `percent` less for a child away on more than so many days of a month.

    With an exemption of the child the larger of the two counts. Refuses an item that is not by the
    month, days outside 0 to 31 and percent outside 1 to 100. The caller commits.
    """
    if _unit(item_id) != "month" or not 0 <= above_days <= 31 or not 1 <= percent <= 100:
        raise BadPrice(
            _("A monthly item costs 1 to 100 percent less above a number of days from 0 to 31.")
        )
    _supersede(school_id, "fee_halvings", item_id, first, last)
    db.session.execute(
        insert(FeeHalving).values(
            school_id=school_id,
            item_id=item_id,
            above_days=above_days,
            percent=percent,
            first_period=first,
            last_period=last,
        )
    )
    _tell("fee_halving.set", school_id, item_id, actor, now, f"{above_days}:{percent} {first}")


def end_subsidy(
    school_id: int, rule_id: int, last: Period | None, *, actor: audit.Actor, now: datetime
) -> None:
    """Let another payer's part end after a month; without one it is taken back altogether.

    Refuses a last month before the first, and one of the rule that follows. The caller commits.
    """
    _end("fee_subsidies", "fee_subsidy", school_id, rule_id, last, actor, now)


def end_halving(
    school_id: int, rule_id: int, last: Period | None, *, actor: audit.Actor, now: datetime
) -> None:
    """Let a rule of days away end after a month; without one it is taken back altogether.

    Refuses a last month before the first, and one of the rule that follows. The caller commits.
    """
    _end("fee_halvings", "fee_halving", school_id, rule_id, last, actor, now)


def _end(
    table: str,
    noun: str,
    school_id: int,
    rule_id: int,
    last: Period | None,
    actor: audit.Actor,
    now: datetime,
) -> None:
    found = row(
        f"select item_id, first_period from {table} where school_id = :school_id and id = :id"
        + for_update(),
        types={"first_period": MONTH},
        school_id=school_id,
        id=rule_id,
    )
    if found is None:
        raise RuleNotFound
    if last is None:
        execute(
            f"delete from {table} where school_id = :school_id and id = :id",
            school_id=school_id,
            id=rule_id,
        )
        _tell(f"{noun}.take_back", school_id, found.item_id, actor, now, f"{found.first_period}")
        return
    following = scalar(
        f"select min(first_period) from {table} where school_id = :school_id"
        " and item_id = :item and first_period > :first",
        school_id=school_id,
        item=found.item_id,
        first=found.first_period.number,
    )
    if last < found.first_period:
        raise BadMonths
    if following is not None and last.number >= following:
        raise RuleStands
    execute(
        f"update {table} set last_period = :last where school_id = :school_id and id = :id",
        school_id=school_id,
        id=rule_id,
        last=last.number,
    )
    _tell(f"{noun}.end", school_id, found.item_id, actor, now, f"{found.first_period} {last}")


@dataclass(frozen=True, slots=True)
class Subsidy:
    """What somebody else pays of each day of an item."""

    id: int
    item_id: int
    amount: Vnd
    payer: str
    legal_act: str
    first: Period
    last: Period | None


@dataclass(frozen=True, slots=True)
class Halving:
    """How much less a monthly item costs above a number of days away."""

    id: int
    item_id: int
    above_days: int
    percent: int
    first: Period
    last: Period | None


def subsidies(school_id: int) -> list[Subsidy]:
    """Every other payer of a school's items, newest first."""
    return [
        Subsidy(*found)
        for found in rows(
            "select id, item_id, amount, payer, legal_act, first_period, last_period"
            " from fee_subsidies where school_id = :school_id order by first_period desc, id desc",
            types={"amount": VND, "first_period": MONTH, "last_period": MONTH},
            school_id=school_id,
        )
    ]


def halvings(school_id: int) -> list[Halving]:
    """Every rule of days away of a school, newest first."""
    return [
        Halving(*found)
        for found in rows(
            "select id, item_id, above_days, percent, first_period, last_period"
            " from fee_halvings where school_id = :school_id order by first_period desc, id desc",
            types={"first_period": MONTH, "last_period": MONTH},
            school_id=school_id,
        )
    ]


@dataclass(frozen=True, slots=True)
class OwnQuantity:
    """How many of an item one child is charged in a month; nought leaves it out."""

    enrolment_id: int
    item_id: int
    period: Period
    quantity: int
    reason: str


def set_quantities(
    school_id: int, wanted: Sequence[OwnQuantity], *, actor: audit.Actor, now: datetime
) -> int:
    """Give children quantities of their own, each with its reason; all or none; how many.

    Refuses a stay of another school, an unknown item, a quantity outside 0 to 1,000 and no reason.
    The caller commits.
    """
    if not wanted:
        return 0
    stays = {one.enrolment_id for one in wanted}
    known: set[int] = set()
    for chunk in in_chunks(stays):
        known |= {
            found.id
            for found in rows(
                "select id from enrolments where school_id = :school_id and id in :ids",
                school_id=school_id,
                ids=chunk,
            )
        }
    if stays - known:
        raise StrangeEnrolment
    items = {found.id for found in rows("select id from fee_items")}
    if any(one.item_id not in items for one in wanted):
        raise ItemNotFound
    if any(not 0 <= one.quantity <= 1000 or not one.reason.strip() for one in wanted):
        raise BadPrice(_("A quantity of one child is 0 to 1,000, with its reason."))
    values: list[dict[str, Any]] = [
        {
            "school_id": school_id,
            "enrolment_id": one.enrolment_id,
            "item_id": one.item_id,
            "period": one.period,
            "quantity": one.quantity,
            "reason": nfc(one.reason).strip()[:120],
            "set_by": actor.name,
            "set_at": now,
        }
        for one in wanted
    ]
    db.session.execute(insert(FeeQuantity), values)
    audit.record_many(
        [
            audit.Deed(
                "fee_quantity.set",
                f"enrolment:{one.enrolment_id}",
                f"fee_item:{one.item_id} {one.period} {one.quantity}",
            )
            for one in wanted
        ],
        actor=actor,
        school_id=school_id,
        now=now,
    )
    return len(values)


def _unit(item_id: int) -> str:
    unit = scalar("select unit from fee_items where id = :id", id=item_id)
    if unit is None:
        raise ItemNotFound
    return str(unit)


def _supersede(
    school_id: int, table: str, item_id: int, first: Period, last: Period | None
) -> None:
    if last is not None and last < first:
        raise BadMonths
    if scalar(
        f"select count(*) from {table} where school_id = :school_id and item_id = :item"
        " and first_period >= :first",
        school_id=school_id,
        item=item_id,
        first=first.number,
    ):
        raise RuleStands
    execute(
        f"update {table} set last_period = :before where school_id = :school_id"
        " and item_id = :item and (last_period is null or last_period >= :first)",
        school_id=school_id,
        item=item_id,
        first=first.number,
        before=first.previous().number,
    )


def _tell(
    action: str, school_id: int, item_id: int, actor: audit.Actor, now: datetime, cause: str
) -> None:
    audit.record(
        action, f"fee_item:{item_id}", actor=actor, school_id=school_id, now=now, cause=cause
    )
