"""Opening units, schools, accounts, channels and years; what is dated is superseded, not edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert

from app import audit
from app.core.model import db
from app.people.schools.models import (
    AccountAddress,
    AccountKind,
    BankAccount,
    Channel,
    ChannelAddress,
    ChannelSecret,
    Level,
    OrganisationLink,
    OrganisationUnit,
    Provider,
    Relation,
    School,
    SchoolDetails,
    SchoolYear,
    UnitKind,
)


@dataclass(frozen=True, slots=True)
class Details:
    """What papers print of a school from a day on (P6)."""

    name: str
    short_name: str
    address: str
    parent_name: str
    valid_from: date
    valid_to: date | None = None
    official_code: str | None = None
    budget_code: str | None = None
    phone: str | None = None


def open_unit(
    kind: UnitKind, name: str, code: str, *, valid_from: date, actor: audit.Actor, now: datetime
) -> int:
    """Add a node to the organisation tree and return its id. The caller commits."""
    unit_id = _add(OrganisationUnit, kind=kind, name=name, code=code, valid_from=valid_from)
    audit.record("unit.open", f"unit:{unit_id}", actor=actor, school_id=None, now=now)
    return unit_id


def link_unit(
    parent_id: int,
    child_id: int,
    relation: Relation,
    *,
    valid_from: date,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Put a unit under another from a day on and return the link's id. The caller commits."""
    link_id = _add(
        OrganisationLink,
        parent_id=parent_id,
        child_id=child_id,
        relation=relation,
        valid_from=valid_from,
    )
    audit.record(
        "unit.link",
        f"unit:{child_id}",
        actor=actor,
        school_id=None,
        now=now,
        cause=f"unit:{parent_id} {relation}",
    )
    return link_id


def open_year(
    code: str, *, starts_on: date, ends_on: date, actor: audit.Actor, now: datetime
) -> int:
    """Open a school year of the area, `2026-2027`, and return its id. The caller commits."""
    year_id = _add(SchoolYear, code=code, starts_on=starts_on, ends_on=ends_on)
    audit.record("school_year.open", f"year:{year_id}", actor=actor, school_id=None, now=now)
    return year_id


def open_school(code: str, level: Level, unit_id: int, *, actor: audit.Actor, now: datetime) -> int:
    """Add a school for a unit of the tree and return its id; `describe_school` names it.

    The code is for ever: links, commands and receipt series carry it. The caller commits.
    """
    school_id = _add(School, code=code, level=level, unit_id=unit_id)
    audit.record("school.open", f"school:{school_id}", actor=actor, school_id=school_id, now=now)
    return school_id


def describe_school(
    school_id: int, details: Sequence[Details], *, actor: audit.Actor, now: datetime
) -> None:
    """Write the school's dated names and addresses. The caller commits."""
    db.session.execute(
        insert(SchoolDetails),
        [
            {
                "school_id": school_id,
                "name": span.name,
                "short_name": span.short_name,
                "official_code": span.official_code,
                "budget_code": span.budget_code,
                "address": span.address,
                "phone": span.phone,
                "parent_name": span.parent_name,
                "valid_from": span.valid_from,
                "valid_to": span.valid_to,
            }
            for span in details
        ],
    )
    audit.record(
        "school.describe", f"school:{school_id}", actor=actor, school_id=school_id, now=now
    )


def open_account(
    school_id: int,
    *,
    bank_bin: str,
    number: str,
    holder: str,
    opened_on: date,
    actor: audit.Actor,
    now: datetime,
    kind: AccountKind = AccountKind.MAIN,
    parent_id: int | None = None,
) -> int:
    """Open a receiving account with its area-wide look-up and return its id.

    A virtual account names the main one it reports through. The caller commits.
    """
    account_id = _add(
        BankAccount,
        school_id=school_id,
        kind=kind,
        parent_id=parent_id,
        bank_bin=bank_bin,
        number=number,
        holder=holder,
        opened_on=opened_on,
    )
    db.session.execute(
        insert(AccountAddress).values(
            bank_bin=bank_bin, number=number, school_id=school_id, bank_account_id=account_id
        )
    )
    audit.record(
        "bank_account.open", f"bank_account:{account_id}", actor=actor, school_id=school_id, now=now
    )
    return account_id


def open_channel(
    school_id: int,
    *,
    public_id: str,
    provider: Provider,
    scheme: str,
    opened_on: date,
    actor: audit.Actor,
    now: datetime,
    bank_account_id: int | None = None,
    surcharge_dong: int = 0,
    surcharge_permille: int = 0,
    secrets: Sequence[tuple[str, str]] = (),
) -> int:
    """Open a way in for money with its callback look-up and return its id.

    `secrets` are pairs of purpose (`webhook`, `api`) and secret. The caller commits.
    """
    channel_id = _add(
        Channel,
        school_id=school_id,
        public_id=public_id,
        provider=provider,
        bank_account_id=bank_account_id,
        scheme=scheme,
        surcharge_dong=surcharge_dong,
        surcharge_permille=surcharge_permille,
        opened_on=opened_on,
    )
    db.session.execute(insert(ChannelAddress).values(public_id=public_id, school_id=school_id))
    if secrets:
        db.session.execute(
            insert(ChannelSecret),
            [
                {
                    "school_id": school_id,
                    "channel_id": channel_id,
                    "purpose": purpose,
                    "secret": secret,
                    "valid_from": now,
                }
                for purpose, secret in secrets
            ],
        )
    audit.record("channel.open", f"channel:{channel_id}", actor=actor, school_id=school_id, now=now)
    return channel_id


def _add(table: type, **values: Any) -> int:
    key = table.__table__.primary_key.columns.values()[0]  # type: ignore[attr-defined]
    return int(db.session.scalar(insert(table).values(**values).returning(key)) or 0)
