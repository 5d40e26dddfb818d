"""Items of the catalogue and their ceilings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from app import audit
from app.core.db import execute, scalar
from app.core.money import Vnd
from app.core.text import nfc
from app.money.fees import queries
from app.money.fees.errors import (
    BadItem,
    BadMonths,
    BadPrice,
    CapExists,
    ForbiddenCharge,
    ItemExists,
    ItemNotFound,
)
from app.money.fees.models import (
    Category,
    DocumentKind,
    FeeCap,
    FeeItem,
    FeeUnit,
)
from app.money.fees.services.rows import insert_rows
from app.people.schools import Level


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item the unit above puts into the catalogue."""

    code: str
    name: str
    name_en: str
    category: Category
    unit: FeeUnit
    legal_act: str
    may_be_debt: bool
    is_compulsory: bool
    issued_by_id: int
    valid_from: date
    valid_to: date | None = None
    document_kind: DocumentKind = DocumentKind.RECEIPT
    #: the act that allows what a general rule forbids
    allowed_by: str = ""


def add_item(item: NewItem, *, actor: audit.Actor, now: datetime) -> int:
    """Put an item into the area's catalogue.

    Refuses a code used before, sponsorship or the parents' fund as compulsory or as a debt, and
    what the law forbids unless the act that allows it is named. The caller commits.
    """
    if not item.code.strip() or not item.name.strip() or not item.legal_act.strip():
        raise BadItem(_("An item needs a code, a name and the act it rests on."))
    if item.category in queries.NEVER_CHARGED and (item.is_compulsory or item.may_be_debt):
        raise BadItem(_("Sponsorship and the parents' fund are never compulsory and never a debt."))
    if item.valid_to is not None and item.valid_to <= item.valid_from:
        raise BadMonths
    _refuse_forbidden(item)
    if scalar("select count(*) from fee_items where code = :code", code=item.code):
        raise ItemExists(_("There is already an item %(code)s.", code=item.code))
    item_id = insert_rows(
        FeeItem,
        [
            {
                "code": item.code,
                "name": nfc(item.name),
                "name_en": item.name_en,
                "category": item.category,
                "unit": item.unit,
                "legal_act": nfc(item.legal_act),
                "document_kind": item.document_kind,
                "may_be_debt": item.may_be_debt,
                "is_compulsory": item.is_compulsory,
                "issued_by_id": item.issued_by_id,
                "valid_from": item.valid_from,
                "valid_to": item.valid_to,
                "allowed_by": nfc(item.allowed_by).strip()[:200],
            }
        ],
    )[0]
    audit.record("fee_item.add", f"fee_item:{item_id}", actor=actor, school_id=None, now=now)
    return item_id


def _refuse_forbidden(item: NewItem) -> None:
    """What the law forbids at every level needs the act that allows it here."""
    if item.allowed_by.strip():
        return
    for rule in queries.forbidden_charges():
        if rule.level is None and rule.fits(item.name, None, item.valid_from):
            raise ForbiddenCharge(forbidden_words(item.name, rule))


def forbidden_words(name: str, rule: queries.Forbidden) -> str:
    return _(
        "%(item)s looks like a charge the law forbids: %(rule)s (%(act)s)."
        " If another act allows it, name that act.",
        item=name,
        rule=rule.name,
        act=rule.legal_act,
    )


def set_cap(
    item_id: int,
    *,
    level: Level | None,
    amount: Vnd,
    legal_act: str,
    valid_from: date,
    valid_to: date | None = None,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Give an item a ceiling from a day on; the one before it ends on that day.

    Refuses an amount of nothing, and a day not after the start of the newest cap. The caller
    commits.
    """
    if not scalar("select count(*) from fee_items where id = :id", id=item_id):
        raise ItemNotFound
    if amount <= Vnd(0):
        raise BadPrice(_("A cap is above zero."))
    same = "level is null" if level is None else "level = :level"
    known: dict[str, Any] = {} if level is None else {"level": str(level)}
    if scalar(
        f"select count(*) from fee_caps where item_id = :item and {same} and valid_from >= :day",
        item=item_id,
        day=valid_from,
        **known,
    ):
        raise CapExists
    execute(
        f"update fee_caps set valid_to = :day where item_id = :item and {same}"
        " and (valid_to is null or valid_to > :day)",
        item=item_id,
        day=valid_from,
        **known,
    )
    cap_id = insert_rows(
        FeeCap,
        [
            {
                "item_id": item_id,
                "level": level,
                "amount": amount,
                "legal_act": nfc(legal_act),
                "valid_from": valid_from,
                "valid_to": valid_to,
            }
        ],
    )[0]
    audit.record("fee_cap.set", f"fee_cap:{cap_id}", actor=actor, school_id=None, now=now)
    return cap_id
