"""What should be charged: catalogue, caps, schedules, choices, exemptions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, PeriodColumn, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd
from app.core.period import Period


class Category(StrEnum):
    """The six legal categories; each has rules of its own (domain facts 2.1)."""

    TUITION = "tuition"
    SERVICE = "service"
    COLLECT_FOR = "collect_for"
    AGREED = "agreed"
    SPONSOR = "sponsor"
    PARENT_FUND = "parent_fund"


class FeeUnit(StrEnum):
    """What one of an item is."""

    DAY = "day"
    MONTH = "month"
    SEMESTER = "semester"
    YEAR = "year"
    HOUR = "hour"
    LESSON = "lesson"
    KM = "km"
    PIECE = "piece"
    ONCE = "once"


class DocumentKind(StrEnum):
    """Which paper the money of an item gets."""

    RECEIPT = "receipt"
    OUTSIDE_INVOICE = "outside_invoice"
    NONE = "none"


class FeeItem(Model):
    """An item of the catalogue that the unit above issues and schools inherit."""

    __tablename__ = "fee_items"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120))
    category: Mapped[Category] = mapped_column(String(16))
    unit: Mapped[FeeUnit] = mapped_column(String(12))
    #: number and date of the act, as papers print it
    legal_act: Mapped[str] = mapped_column(String(200))
    document_kind: Mapped[DocumentKind] = mapped_column(String(16), default=DocumentKind.RECEIPT)
    #: whether unpaid money may be chased
    may_be_debt: Mapped[bool]
    #: whether every child is charged, or only those whose family chose it
    is_compulsory: Mapped[bool]
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("organisation_units.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    #: the act that allows what a general rule forbids; empty where nothing forbids it
    allowed_by: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: whether its act was read, or is known from memory and to be checked
    is_checked: Mapped[bool] = mapped_column(default=True, server_default=true())


class ForbiddenCharge(Model):
    """What the law lets no school charge, by the words of its name; dated."""

    __tablename__ = "forbidden_charges"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    #: folded phrases parted by `|`; a name that has one of them word by word is a match
    words: Mapped[str] = mapped_column(String(400))
    #: nursery, primary, lower_secondary; NULL for every level
    level: Mapped[str | None] = mapped_column(String(24))
    legal_act: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class InsuranceRate(Model):
    """What pupils' health insurance is computed from; dated (domain facts 2.3)."""

    __tablename__ = "insurance_rates"
    __table_args__ = (
        UniqueConstraint("valid_from"),
        CheckConstraint("state_share between 0 and 100", name="share_in_range"),
        CheckConstraint("base_salary > 0", name="base_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    base_salary: Mapped[Vnd] = mapped_column(VndColumn)
    #: percent of the premium paid by the State
    state_share: Mapped[int]
    legal_act: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date]


class FeeCap(Model):
    """A dated ceiling of an item's unit price, for one level or for all."""

    __tablename__ = "fee_caps"
    __table_args__ = (
        UniqueConstraint("item_id", "level", "valid_from"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    #: nursery, primary, lower_secondary; NULL for every level
    level: Mapped[str | None] = mapped_column(String(24))
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    legal_act: Mapped[str] = mapped_column(String(200))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ItemAccount(SchoolOwned, Model):
    """The account an item's money goes to at a school; rows are only added, the newest counts."""

    __tablename__ = "item_accounts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        Index("ix_item_accounts_school_id_item_id", "school_id", "item_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    #: NULL: the school's usual account again
    bank_account_id: Mapped[int | None]
    set_by: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScheduleState(StrEnum):
    """Life of a schedule; only an approved one is billed."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    #: approved by the principal; waits for the consent of the unit above
    ENDORSED = "endorsed"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


class FeeSchedule(SchoolOwned, Model):
    """What a school charges in a school year; approved by the principal, then only superseded."""

    __tablename__ = "fee_schedules"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year_id", "version"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[ScheduleState] = mapped_column(String(12), default=ScheduleState.DRAFT)
    #: basis: date of the parents' written agreement, minutes
    agreement: Mapped[str] = mapped_column(String(200), default="")
    drafted_by: Mapped[str] = mapped_column(String(120))
    drafted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_by: Mapped[str | None] = mapped_column(String(120))
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: the version its first prices came from: of the same year, or of the year before
    copied_from_id: Mapped[int | None]
    #: who of the unit above let it take effect, where that is asked for
    consented_by: Mapped[str | None] = mapped_column(String(120))
    consented_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScheduleCost(SchoolOwned, Model):
    """One line of the cost estimate: what an item's money is spent on in the school year."""

    __tablename__ = "schedule_costs"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "schedule_id"], ["fee_schedules.school_id", "fee_schedules.id"]
        ),
        Index("ix_schedule_costs_school_id_schedule_id", "school_id", "schedule_id"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    schedule_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    words: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Vnd] = mapped_column(VndColumn)


class ScheduleTakers(SchoolOwned, Model):
    """How many pupils an item of a plan is expected to have."""

    __tablename__ = "schedule_takers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "schedule_id", "item_id"),
        ForeignKeyConstraint(
            ["school_id", "schedule_id"], ["fee_schedules.school_id", "fee_schedules.id"]
        ),
        CheckConstraint("pupils >= 0", name="pupils_not_below_zero"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    schedule_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    pupils: Mapped[int]


class ParentsAgreement(SchoolOwned, Model):
    """What the parents said to a plan, with its paper; rows are only added, the newest counts."""

    __tablename__ = "parents_agreements"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "schedule_id"], ["fee_schedules.school_id", "fee_schedules.id"]
        ),
        Index("ix_parents_agreements_school_id_schedule_id", "school_id", "schedule_id"),
        CheckConstraint("asked > 0 and agreed between 0 and asked", name="agreed_among_asked"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    schedule_id: Mapped[int]
    held_on: Mapped[date]
    minutes_no: Mapped[str] = mapped_column(String(60))
    #: families
    asked: Mapped[int]
    agreed: Mapped[int]
    #: application/pdf, image/jpeg or image/png; empty without a paper
    kind: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ScheduleDueDate(SchoolOwned, Model):
    """The last day to pay a month of a plan."""

    __tablename__ = "schedule_due_dates"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "schedule_id", "period"),
        ForeignKeyConstraint(
            ["school_id", "schedule_id"], ["fee_schedules.school_id", "fee_schedules.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    schedule_id: Mapped[int]
    period: Mapped[Period] = mapped_column(PeriodColumn)
    due_on: Mapped[date]


class SchedulePrice(SchoolOwned, Model):
    """One item × class or grade × month × quantity × price. The most exact row wins."""

    __tablename__ = "schedule_prices"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "schedule_id"], ["fee_schedules.school_id", "fee_schedules.id"]
        ),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
        Index("ix_schedule_prices_school_id_schedule_id", "school_id", "schedule_id", "period"),
        Index(
            "uq_schedule_prices_audience",
            "school_id",
            "schedule_id",
            "item_id",
            "audience",
            "period",
            unique=True,
        ),
        CheckConstraint("price >= 0 and price <= 1000000000", name="price_in_range"),
        CheckConstraint("quantity > 0 and quantity <= 1000", name="quantity_in_range"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    schedule_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    #: `all`, `grade:3` or `class:17`; the two columns below say the same for joins
    audience: Mapped[str] = mapped_column(String(24))
    grade: Mapped[int | None]
    class_id: Mapped[int | None]
    period: Mapped[Period] = mapped_column(PeriodColumn)
    quantity: Mapped[int]
    price: Mapped[Vnd] = mapped_column(VndColumn)
    #: what a day costs from a day within the month on; only for items by the day
    second_price: Mapped[Vnd | None] = mapped_column(VndColumn)
    second_from: Mapped[date | None]


class FeeSubsidy(SchoolOwned, Model):
    """What somebody else pays of each day of an item, from a month to a month."""

    __tablename__ = "fee_subsidies"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "item_id", "first_period"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    #: đồng a day
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: who pays it, as papers say
    payer: Mapped[str] = mapped_column(String(120))
    legal_act: Mapped[str] = mapped_column(String(200))
    first_period: Mapped[Period] = mapped_column(PeriodColumn)
    last_period: Mapped[Period | None] = mapped_column(PeriodColumn)


class FeeHalving(SchoolOwned, Model):
    """A monthly item costs less for a child that was away for more than some days of the month."""

    __tablename__ = "fee_halvings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "item_id", "first_period"),
        CheckConstraint("percent between 1 and 100", name="percent_in_range"),
        CheckConstraint("above_days between 0 and 31", name="days_in_range"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    above_days: Mapped[int]
    #: how many percent are taken off
    percent: Mapped[int]
    first_period: Mapped[Period] = mapped_column(PeriodColumn)
    last_period: Mapped[Period | None] = mapped_column(PeriodColumn)


class FeeQuantity(SchoolOwned, Model):
    """How many of an item one child is charged in a month, where that differs; the newest counts.

    Months of health insurance, kilometres, pieces; nought with the reason of an exclusion.
    """

    __tablename__ = "fee_quantities"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index(
            "ix_fee_quantities_school_id_period", "school_id", "period", "enrolment_id", "item_id"
        ),
        CheckConstraint("quantity between 0 and 1000", name="quantity_in_range"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    period: Mapped[Period] = mapped_column(PeriodColumn)
    quantity: Mapped[int]
    #: why it differs, in the school's words; a ground never stands on a paper
    reason: Mapped[str] = mapped_column(String(120))
    set_by: Mapped[str] = mapped_column(String(120))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeeChoice(SchoolOwned, Model):
    """A family's recorded yes to an optional item, from a month to a month."""

    __tablename__ = "fee_choices"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_fee_choices_school_id_enrolment_id", "school_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    first_period: Mapped[Period] = mapped_column(PeriodColumn)
    #: the last month of the yes; NULL while it stands
    last_period: Mapped[Period | None] = mapped_column(PeriodColumn)
    #: paper form, web …
    source: Mapped[str] = mapped_column(String(40))
    chosen_on: Mapped[date]


class ConsentScan(SchoolOwned, Model):
    """The signed forms of a class for an optional item, scanned; rows are only added."""

    __tablename__ = "consent_scans"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "class_id"], ["classes.school_id", "classes.id"]),
        Index("ix_consent_scans_school_id_class_id", "school_id", "class_id", "item_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    class_id: Mapped[int]
    form_no: Mapped[str] = mapped_column(String(40))
    #: application/pdf, image/jpeg or image/png, by its content
    kind: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    added_by: Mapped[str] = mapped_column(String(120))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Gift(SchoolOwned, Model):
    """Sponsorship, or a sum of the parents' fund: recorded apart, never charged, never a debt."""

    __tablename__ = "gifts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "cancels_id"),
        ForeignKeyConstraint(["school_id", "cancels_id"], ["gifts.school_id", "gifts.id"]),
        CheckConstraint("amount >= 0", name="amount_not_below_zero"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    #: the row this one takes back; its purpose is then the reason
    cancels_id: Mapped[int | None]
    category: Mapped[Category] = mapped_column(String(16))
    given_on: Mapped[date]
    giver: Mapped[str] = mapped_column(String(160))
    purpose: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: what was given in kind
    goods: Mapped[str] = mapped_column(String(200))
    #: number of the paper that proves it
    proof_no: Mapped[str] = mapped_column(String(60))
    recorded_by: Mapped[str] = mapped_column(String(120))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ExemptionPolicy(Model):
    """A ground of the law with its percentage per item; dated."""

    __tablename__ = "exemption_policies"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    legal_act: Mapped[str] = mapped_column(String(200))
    #: every enrolled child has it without asking (tuition since 2025-26)
    applies_to_all: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    #: đồng a month to the child itself, beside what is taken off its bills
    support: Mapped[Vnd | None] = mapped_column(VndColumn)
    #: proposed from the how many-th child of a family at one school on
    sibling_nth: Mapped[int | None]


class ExemptionRate(Model):
    """How many percent a policy takes off one item; the largest of a child's rates wins."""

    __tablename__ = "exemption_rates"
    __table_args__ = (
        UniqueConstraint("policy_id", "item_id"),
        CheckConstraint("percent between 1 and 100", name="percent_in_range"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("exemption_policies.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("fee_items.id"))
    percent: Mapped[int]


class Exemption(SchoolOwned, Model):
    """A policy granted to an enrolled child, from a month to a month."""

    __tablename__ = "exemptions"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "enrolment_id"], ["enrolments.school_id", "enrolments.id"]
        ),
        Index("ix_exemptions_school_id_enrolment_id", "school_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    enrolment_id: Mapped[int]
    policy_id: Mapped[int] = mapped_column(ForeignKey("exemption_policies.id"))
    first_period: Mapped[Period] = mapped_column(PeriodColumn)
    last_period: Mapped[Period | None] = mapped_column(PeriodColumn)
    granted_by: Mapped[str] = mapped_column(String(120))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
