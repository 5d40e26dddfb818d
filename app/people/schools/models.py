"""Schools, the dated organisation tree, bank accounts, channels, school years, settings."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime


class Level(StrEnum):
    """The three levels of the area's public schools."""

    NURSERY = "nursery"
    PRIMARY = "primary"
    LOWER_SECONDARY = "lower_secondary"


class UnitKind(StrEnum):
    """Kinds of nodes of the organisation tree; a cluster has no legal meaning."""

    CITY_DEPARTMENT = "city_department"
    WARD = "ward"
    CLUSTER = "cluster"
    SCHOOL = "school"


class Relation(StrEnum):
    """What a parent link means; warnings go along the administrative one."""

    ADMINISTRATIVE = "administrative"
    PROFESSIONAL = "professional"
    CLUSTER = "cluster"


class OrganisationUnit(Model):
    """A node of the organisation tree: department, ward, cluster or school."""

    __tablename__ = "organisation_units"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[UnitKind] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(160))
    code: Mapped[str] = mapped_column(String(24), unique=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class OrganisationLink(Model):
    """A dated parent link; superseded, never overwritten."""

    __tablename__ = "organisation_links"
    __table_args__ = (
        Index("ix_organisation_links_parent_id", "parent_id"),
        UniqueConstraint("child_id", "parent_id", "relation", "valid_from"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("organisation_units.id"))
    child_id: Mapped[int] = mapped_column(ForeignKey("organisation_units.id"))
    relation: Mapped[Relation] = mapped_column(String(24))
    valid_from: Mapped[date]
    #: the first day on which the link no longer holds
    valid_to: Mapped[date | None]


class School(Model):
    """One public school. What papers print of it is in its dated details."""

    __tablename__ = "schools"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: our own short code, stable for ever: links, commands, receipt series
    code: Mapped[str] = mapped_column(String(12), unique=True)
    level: Mapped[Level] = mapped_column(String(24))
    unit_id: Mapped[int] = mapped_column(ForeignKey("organisation_units.id"), unique=True)


class SchoolDetails(SchoolOwned, Model):
    """Name, official code, seal and budget code as they stood in a span of days (P6)."""

    __tablename__ = "school_details"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "valid_from"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(160))
    short_name: Mapped[str] = mapped_column(String(60))
    #: the code the sector gives; opaque
    official_code: Mapped[str | None] = mapped_column(String(20))
    #: "Mã QHNS", the budget-relation code printed on papers
    budget_code: Mapped[str | None] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(20))
    #: name of the unit above as papers print it
    parent_name: Mapped[str] = mapped_column(String(160))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class AccountKind(StrEnum):
    """Where money may land; a treasury account cannot carry a QR."""

    MAIN = "main"
    VIRTUAL = "virtual"
    TREASURY = "treasury"


class BankAccount(SchoolOwned, Model):
    """A receiving account. Superseded, never edited: changing it redirects money."""

    __tablename__ = "bank_accounts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("bank_bin", "number"),
        ForeignKeyConstraint(
            ["school_id", "parent_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(String(12))
    #: a virtual account names the main account it reports through
    parent_id: Mapped[int | None] = mapped_column(RowId)
    bank_bin: Mapped[str] = mapped_column(String(6))
    #: letters and digits
    number: Mapped[str] = mapped_column(String(24))
    #: as the bank app will show it
    holder: Mapped[str] = mapped_column(String(120))
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]


class Provider(StrEnum):
    """Who tells us about money."""

    SEPAY = "sepay"
    CASSO = "casso"
    PAYOS = "payos"
    VNPAY = "vnpay"
    MOMO = "momo"
    ZALOPAY = "zalopay"
    STRIPE = "stripe"
    CASH = "cash"
    #: a bank or wallet through our own interface
    BILLER = "biller"
    #: the bank's own file about the account
    STATEMENT = "statement"


class Channel(SchoolOwned, Model):
    """One way in for money of one school; its public id ends the callback address."""

    __tablename__ = "channels"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        CheckConstraint(
            "surcharge_dong >= 0 and surcharge_permille >= 0", name="surcharge_positive"
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    provider: Mapped[Provider] = mapped_column(String(12))
    bank_account_id: Mapped[int | None] = mapped_column(RowId)
    #: how notices prove themselves: hmac, apikey, stripe, none
    scheme: Mapped[str] = mapped_column(String(12))
    #: what the payer is charged on top, kept by the provider (M12); default nothing
    surcharge_dong: Mapped[int] = mapped_column(RowId, default=0)
    surcharge_permille: Mapped[int] = mapped_column(default=0)
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]


class ChannelSecret(SchoolOwned, Model):
    """A secret of a channel; two may be alive while they are exchanged."""

    __tablename__ = "channel_secrets"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "channel_id"], ["channels.school_id", "channels.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(RowId)
    #: `webhook` verifies notices, `api` calls the provider
    purpose: Mapped[str] = mapped_column(String(12))
    secret: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ChannelAddress(Model):
    """Area-wide look-up: callback address → school, before any scope can be known."""

    __tablename__ = "channel_addresses"

    public_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))


class AccountAddress(Model):
    """Area-wide look-up: bank account → school."""

    __tablename__ = "account_addresses"

    bank_bin: Mapped[str] = mapped_column(String(6), primary_key=True)
    number: Mapped[str] = mapped_column(String(24), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
    bank_account_id: Mapped[int] = mapped_column(RowId)


class SchoolYear(Model):
    """A school year of the area, `2026-2027`."""

    __tablename__ = "school_years"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(9), unique=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]


class DayOff(Model):
    """A word of the unit above on one day: free for all offices, or worked after all.

    Rows are only added; the newest one of a day counts.
    """

    __tablename__ = "days_off"
    __table_args__ = (Index("ix_days_off_day", "day"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    day: Mapped[date]
    name: Mapped[str] = mapped_column(String(80))
    is_off: Mapped[bool]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SchoolSetting(SchoolOwned, Model):
    """A dated setting of a school; the newest one that has begun counts."""

    __tablename__ = "school_settings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "name", "valid_from"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(400))
    valid_from: Mapped[date]
