"""The invented area: department, wards, cluster, schools with accounts and channels, staff."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from argon2 import PasswordHasher
from sqlalchemy import insert

from app import audit
from app.core import scope
from app.core.db import transaction
from app.core.model import db
from app.core.text import fold, nfc
from app.demo.calendar import Calendar
from app.demo.names import Names, SchoolName
from app.money.payments.models import Till
from app.money.receipts.models import ReceiptForm
from app.people.access import Role, add_user, grant_membership
from app.people.schools import ChannelInfo, Provider, Relation, UnitKind
from app.people.schools.models import AccountKind
from app.people.schools.services import (
    Details,
    describe_school,
    link_unit,
    open_account,
    open_channel,
    open_school,
    open_unit,
    open_year,
)
from app.people.students.models import Sex

#: The day on which districts ended and wards took the schools over.
UNITS_SINCE: Final = date(2025, 7, 1)
MACHINE: Final = audit.Actor("dữ liệu minh họa", "system")
WARDS: Final = ("Phường Biển Xanh (minh họa)", "Phường Đồi Gió (minh họa)")
CLUSTER: Final = "Cụm 36 trường"

#: VietinBank, Vietcombank, Agribank, BIDV, MB, ACB: the schools take turns
_BANKS: Final = ("970415", "970436", "970405", "970418", "970422", "970416")
_BIDV: Final = "970418"
#: what a payer pays on top for a card at every third school, kept by the provider
_CARD_SURCHARGE: Final = 3_300
#: Valid argon2id and quick: these passwords are random, and the first sign-in hashes them anew.
_hasher: Final = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff as the credentials file lists it."""

    role: Role
    school: str | None
    username: str
    password: str
    totp_secret: str
    actor: audit.Actor


@dataclass(frozen=True, slots=True)
class Area:
    """The units above the schools."""

    department_id: int
    ward_ids: tuple[int, ...]
    cluster_id: int
    year_id: int
    staff: tuple[Person, ...]


@dataclass(slots=True)
class DemoSchool:
    """A school with every number the rest of the load needs."""

    id: int
    name: SchoolName
    unit_id: int
    account_id: int
    bank_bin: str
    account_number: str
    sepay: ChannelInfo
    sepay_secret: str
    #: what a notice calls the account: the main number when it reports through a virtual one
    notice_account: str
    notice_sub_account: str | None
    stripe: ChannelInfo
    cash: ChannelInfo
    till_id: int
    staff: list[Person] = field(default_factory=list)

    def person(self, *roles: Role) -> audit.Actor:
        """The first member of staff with one of the roles, the earlier role preferred."""
        found = {person.role: person.actor for person in reversed(self.staff)}
        return next(found[role] for role in roles if role in found)


def open_area(calendar: Calendar, names: Names, rng: random.Random) -> Area:
    """The units above, the school year, the form of receipts, and people who see all schools."""
    now = calendar.prepared_at
    with scope.opened(scope.EVERY_SCHOOL), transaction():

        def unit(kind: UnitKind, name: str, code: str) -> int:
            return open_unit(kind, nfc(name), code, valid_from=UNITS_SINCE, actor=MACHINE, now=now)

        department = unit(UnitKind.CITY_DEPARTMENT, "Sở Giáo dục và Đào tạo (minh họa)", "SO-GDDT")
        wards = tuple(
            unit(UnitKind.WARD, name, f"PHUONG-{number}")
            for number, name in enumerate(WARDS, start=1)
        )
        cluster = unit(UnitKind.CLUSTER, CLUSTER, "CUM-36")
        for ward in wards:
            link_unit(
                department,
                ward,
                Relation.PROFESSIONAL,
                valid_from=UNITS_SINCE,
                actor=MACHINE,
                now=now,
            )
        year = open_year(
            calendar.year_code,
            starts_on=calendar.starts_on,
            ends_on=calendar.ends_on,
            actor=MACHINE,
            now=now,
        )
        for kind, form_number in (("receipt", "C45-BB"), ("cash_handover", "C40-BB")):
            db.session.execute(
                insert(ReceiptForm).values(
                    kind=kind,
                    form_number=form_number,
                    circular="Ban hành kèm theo Thông tư số … (minh họa)",
                    valid_from=date(2025, 1, 1),
                )
            )
        desks = (
            (Role.OFFICER, "chuyenvien", cluster),
            (Role.AUDITOR, "kiemtoan", department),
            (Role.ADMINISTRATOR, "quantri", department),
        )
        staff = tuple(
            _add_person(role, None, username, node, names, rng, calendar)
            for role, username, node in desks
        )
    return Area(department, wards, cluster, year, staff)


def open_schools(
    area: Area, wanted: list[SchoolName], calendar: Calendar, names: Names, rng: random.Random
) -> list[DemoSchool]:
    """The schools with their place in the tree, accounts, channels, till and staff."""
    return [
        _open_one(area, number, name, calendar, names, rng)
        for number, name in enumerate(wanted, start=1)
    ]


def _open_one(
    area: Area,
    number: int,
    name: SchoolName,
    calendar: Calendar,
    names: Names,
    rng: random.Random,
) -> DemoSchool:
    now = calendar.prepared_at
    ward = number % len(area.ward_ids)
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        unit_id = open_unit(
            UnitKind.SCHOOL, name.short, name.code, valid_from=UNITS_SINCE, actor=MACHINE, now=now
        )
        for parent, relation in (
            (area.ward_ids[ward], Relation.ADMINISTRATIVE),
            (area.cluster_id, Relation.CLUSTER),
        ):
            link_unit(parent, unit_id, relation, valid_from=UNITS_SINCE, actor=MACHINE, now=now)
        school_id = open_school(name.code, name.level, unit_id, actor=MACHINE, now=now)
    with scope.opened(scope.one_school(school_id)), transaction():
        describe_school(
            school_id,
            [
                Details(
                    name=name.full,
                    short_name=name.short,
                    address=names.address(),
                    parent_name=f"UBND {WARDS[ward]}",
                    valid_from=UNITS_SINCE,
                    official_code=f"MINHHOA{number:03d}",
                    budget_code=f"1099{number:03d}",
                    phone=f"0236000{number:04d}",
                )
            ],
            actor=MACHINE,
            now=now,
        )
        school = _open_money(school_id, unit_id, number, name, rng, now)
        school.staff.extend(_staff_of(school, number, names, rng, calendar))
    return school


def _open_money(
    school_id: int,
    unit_id: int,
    number: int,
    name: SchoolName,
    rng: random.Random,
    now: datetime,
) -> DemoSchool:
    """Account, channels and till. A BIDV school takes money through a virtual account (P7)."""
    bank_bin = _BANKS[(number - 1) % len(_BANKS)]
    main_number = f"MINHHOA{number:04d}"

    def account(written: str, kind: AccountKind, parent_id: int | None) -> int:
        return open_account(
            school_id,
            bank_bin=bank_bin,
            number=written,
            holder=name.holder,
            kind=kind,
            parent_id=parent_id,
            opened_on=UNITS_SINCE,
            actor=MACHINE,
            now=now,
        )

    account_id = account(main_number, AccountKind.MAIN, None)
    receiving = main_number
    if bank_bin == _BIDV:
        receiving = f"MINHHOA{number:04d}VA"
        account_id = account(receiving, AccountKind.VIRTUAL, account_id)
    secret = f"demo_{rng.randbytes(16).hex()}"
    letters = name.code.lower()

    def channel(
        provider: Provider,
        scheme: str,
        *,
        bank_account_id: int | None = None,
        surcharge: int = 0,
        secrets: tuple[tuple[str, str], ...] = (),
    ) -> ChannelInfo:
        public_id = f"{provider}-{letters}"
        channel_id = open_channel(
            school_id,
            public_id=public_id,
            provider=provider,
            scheme=scheme,
            bank_account_id=bank_account_id,
            surcharge_dong=surcharge,
            secrets=secrets,
            opened_on=UNITS_SINCE,
            actor=MACHINE,
            now=now,
        )
        return ChannelInfo(
            channel_id, school_id, public_id, provider, scheme, bank_account_id, surcharge, 0
        )

    sepay = channel(
        Provider.SEPAY, "hmac", bank_account_id=account_id, secrets=(("webhook", secret),)
    )
    stripe = channel(Provider.STRIPE, "stripe", surcharge=_CARD_SURCHARGE * (number % 3 == 0))
    cash = channel(Provider.CASH, "none")
    till_id = db.session.scalar(
        insert(Till).values(school_id=school_id, name="Quầy 1").returning(Till.id)
    )
    return DemoSchool(
        id=school_id,
        name=name,
        unit_id=unit_id,
        account_id=account_id,
        bank_bin=bank_bin,
        account_number=receiving,
        sepay=sepay,
        sepay_secret=secret,
        notice_account=main_number,
        notice_sub_account=receiving if receiving != main_number else None,
        stripe=stripe,
        cash=cash,
        till_id=int(till_id or 0),
    )


def _staff_of(
    school: DemoSchool, number: int, names: Names, rng: random.Random, calendar: Calendar
) -> list[Person]:
    letters = school.name.code.lower()
    desks = [
        (Role.ACCOUNTANT, "ketoan"),
        (Role.PRINCIPAL, "hieutruong"),
        (Role.TEACHER, "chunhiem"),
    ]
    if number % 3 == 1:
        desks.insert(2, (Role.CASHIER, "thuquy"))
    return [
        _add_person(
            role,
            school.name.code,
            f"{word}.{letters}",
            school.unit_id,
            names,
            rng,
            calendar,
        )
        for role, word in desks
    ]


def _add_person(
    role: Role,
    school: str | None,
    username: str,
    unit_id: int,
    names: Names,
    rng: random.Random,
    calendar: Calendar,
) -> Person:
    now = calendar.prepared_at
    # Most of a Vietnamese school's staff are women.
    name = names.staff(Sex.FEMALE if rng.random() < 0.8 else Sex.MALE)
    password = _password(name, rng)
    totp_secret = base64.b32encode(rng.randbytes(20)).decode()
    user_id = add_user(
        username,
        name,
        password_hash=_hasher.hash(password, salt=rng.randbytes(16)),
        totp_secret=totp_secret,
        now=now,
    )
    actor = audit.Actor(name, role, user_id)
    grant_membership(user_id, unit_id, role, starts_on=UNITS_SINCE, actor=MACHINE, now=now)
    return Person(role, school, username, password, totp_secret, actor)


def _password(name: str, rng: random.Random) -> str:
    """Random, and still to be typed from a list: `lan-4821-7f3c9a`."""
    given = fold(name).split()[-1]
    return f"{given}-{rng.randrange(1000, 9999)}-{rng.randbytes(4).hex()}"
