"""Schools with their unit, details, account, channel and till: legal and invented."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import insert, select

from app.audit import Actor
from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.money.payments.models import Till
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

OPENING = date(2026, 9, 1)
NOON = datetime(2026, 11, 24, 5, tzinfo=UTC)
ACCOUNTANT = Actor("Ngô Thị Mai", "accountant", None)
PRINCIPAL = Actor("Lê Thị Thu Hằng", "principal", None)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class MadeSchool:
    """A school and the numbers tests need of it."""

    id: int
    code: str
    unit_id: int
    year_id: int
    account_id: int
    account_number: str
    channel_id: int
    channel: str
    secret: str
    cash_channel_id: int
    till_id: int
    level: Level


def _add(table: type, **values: object) -> int:
    key = table.__table__.primary_key.columns.values()[0]  # type: ignore[attr-defined]
    return int(db.session.scalar(insert(table).values(**values).returning(key)) or 0)


def make_unit(kind: UnitKind = UnitKind.CLUSTER, parent_id: int | None = None) -> int:
    """A node of the organisation tree."""
    n = next(_numbers)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        unit = _add(
            OrganisationUnit, kind=kind, name=f"Đơn vị {n}", code=f"DV{n}", valid_from=OPENING
        )
        if parent_id is not None:
            link(parent_id, unit)
    return unit


def link(parent_id: int, child_id: int) -> None:
    """A parent link; inside a transaction."""
    db.session.execute(
        insert(OrganisationLink).values(
            parent_id=parent_id,
            child_id=child_id,
            relation=Relation.CLUSTER,
            valid_from=OPENING,
        )
    )


def make_school(*, level: Level = Level.PRIMARY, under: int | None = None) -> MadeSchool:
    """A school that can bill and be paid."""
    n = next(_numbers)
    code = f"TH{n:03d}"
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        unit = _add(
            OrganisationUnit,
            kind=UnitKind.SCHOOL,
            name=f"TH Minh Họa {n}",
            code=code,
            valid_from=OPENING,
        )
        if under is not None:
            link(under, unit)
        school = _add(School, code=code, level=level, unit_id=unit)
        year = db.session.scalar(select(SchoolYear.id).where(SchoolYear.code == "2026-2027"))
        if year is None:
            year = _add(
                SchoolYear,
                code="2026-2027",
                starts_on=date(2026, 9, 1),
                ends_on=date(2027, 5, 31),
            )
    with scope.opened(scope.one_school(school)), transaction():
        _add(
            SchoolDetails,
            school_id=school,
            name=f"Trường Tiểu học Minh Họa {n}",
            short_name=f"TH Minh Họa {n}",
            budget_code=f"1099{n:03d}",
            address="12 đường Minh Họa, Đà Nẵng",
            parent_name="UBND phường Minh Họa",
            valid_from=OPENING,
        )
        number = f"MINHHOA{n:04d}"
        account = _add(
            BankAccount,
            school_id=school,
            kind=AccountKind.MAIN,
            bank_bin="970415",
            number=number,
            holder=f"TRUONG TIEU HOC MINH HOA {n}",
            opened_on=OPENING,
        )
        channel = f"sepay-{code.lower()}"
        secret = f"secret-of-{code}"
        channel_id = _add(
            Channel,
            school_id=school,
            public_id=channel,
            provider=Provider.SEPAY,
            bank_account_id=account,
            scheme="hmac",
            surcharge_dong=0,
            surcharge_permille=0,
            opened_on=OPENING,
        )
        _add(
            ChannelSecret,
            school_id=school,
            channel_id=channel_id,
            purpose="webhook",
            secret=secret,
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
        cash = _add(
            Channel,
            school_id=school,
            public_id=f"cash-{code.lower()}",
            provider=Provider.CASH,
            scheme="none",
            surcharge_dong=0,
            surcharge_permille=0,
            opened_on=OPENING,
        )
        till = _add(Till, school_id=school, name="Quầy 1")
        db.session.execute(insert(ChannelAddress).values(public_id=channel, school_id=school))
        db.session.execute(
            insert(AccountAddress).values(
                bank_bin="970415", number=number, school_id=school, bank_account_id=account
            )
        )
    return MadeSchool(
        id=school,
        code=code,
        unit_id=unit,
        year_id=int(year),
        account_id=account,
        account_number=number,
        channel_id=channel_id,
        channel=channel,
        secret=secret,
        cash_channel_id=cash,
        till_id=till,
        level=level,
    )
