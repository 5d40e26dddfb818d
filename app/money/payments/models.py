"""Money in: the inbox of notices, payments, their matchings and reversals, card attempts, tills."""

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
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime, VndColumn
from app.core.money import Vnd


class OutcomeState(StrEnum):
    """What became of a notice; the newest outcome counts."""

    POSTED = "posted"
    NEEDS_ATTENTION = "needs_attention"
    IGNORED = "ignored"
    UNVERIFIED = "unverified"


class Method(StrEnum):
    """How the payer paid; everything but cash is without cash."""

    TRANSFER = "transfer"
    CARD = "card"
    #: through a wallet or a gateway
    WALLET = "wallet"
    CASH = "cash"


class InboxNotice(Model):
    """A provider's notice by its own key, unique for ever; the raw body is kept apart."""

    __tablename__ = "inbox_notices"
    __table_args__ = (UniqueConstraint("provider", "channel", "external_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(12))
    #: public id of the channel
    channel: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(120))
    #: NULL while nobody can say whose it is
    school_id: Mapped[int | None] = mapped_column(ForeignKey("schools.id"))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: SHA-256 of the raw body
    body_hash: Mapped[str] = mapped_column(String(64))


class InboxPayload(Model):
    """The raw body of a notice; may be purged, its key and hash may not."""

    __tablename__ = "inbox_payloads"

    notice_id: Mapped[int] = mapped_column(ForeignKey("inbox_notices.id"), primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    headers: Mapped[str] = mapped_column(Text, default="{}")


class InboxOutcome(Model):
    """What became of a notice; appended, never changed."""

    __tablename__ = "inbox_outcomes"
    __table_args__ = (Index("ix_inbox_outcomes_notice_id", "notice_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("inbox_notices.id"))
    state: Mapped[OutcomeState] = mapped_column(String(16))
    #: why, as a stable word
    reason: Mapped[str] = mapped_column(String(80))
    payment_id: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Till(SchoolOwned, Model):
    """A cash drawer of a school."""

    __tablename__ = "tills"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "name"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(40))


class CountKind(StrEnum):
    """What a drawer is counted for."""

    #: somebody takes the drawer over and answers for it
    OPENING = "opening"
    #: the shift ends, or somebody looks in between
    CLOSING = "closing"


class TillCount(SchoolOwned, Model):
    """A drawer counted: the notes in it, what the books said, and why they differ."""

    __tablename__ = "till_counts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "till_id"], ["tills.school_id", "tills.id"]),
        CheckConstraint("counted >= 0", name="counted_not_negative"),
        Index("ix_till_counts_school_id_till_id", "school_id", "till_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    till_id: Mapped[int]
    kind: Mapped[CountKind] = mapped_column(
        String(12), default=CountKind.CLOSING, server_default=CountKind.CLOSING.value
    )
    #: JSON: kind of note → how many
    notes: Mapped[str] = mapped_column(String(200))
    counted: Mapped[Vnd] = mapped_column(VndColumn)
    #: what the books said at that moment
    expected: Mapped[Vnd] = mapped_column(VndColumn)
    #: empty when both agree
    reason: Mapped[str] = mapped_column(String(200))
    #: who took the drawer over, empty when nobody did
    handed_to: Mapped[str] = mapped_column(String(120))
    counted_by: Mapped[str] = mapped_column(String(120))
    counted_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Payment(SchoolOwned, Model):
    """Money that reached a school, known child or not. Its state is derived (`v_payment`)."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "provider", "channel_id", "external_id"),
        ForeignKeyConstraint(["school_id", "channel_id"], ["channels.school_id", "channels.id"]),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        ForeignKeyConstraint(["school_id", "till_id"], ["tills.school_id", "tills.id"]),
        CheckConstraint("amount > 0 and amount <= 1000000000000", name="amount_positive"),
        Index("ix_payments_school_id_booked_on", "school_id", "booked_on"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    provider: Mapped[str] = mapped_column(String(12))
    channel_id: Mapped[int]
    #: the provider's own transaction id; for cash the key of the desk's form
    external_id: Mapped[str] = mapped_column(String(120))
    method: Mapped[Method] = mapped_column(String(12))
    bank_account_id: Mapped[int | None]
    till_id: Mapped[int | None]
    #: for the school; a card's surcharge is beside it
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    surcharge: Mapped[Vnd] = mapped_column(VndColumn, default=Vnd(0))
    #: when the payer's money moved, by the provider's clock
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the bank's or the till's day
    value_on: Mapped[date]
    #: the day of the books
    booked_on: Mapped[date]
    payer: Mapped[str | None] = mapped_column(String(120))
    #: the transfer text as the bank gave it
    text: Mapped[str] = mapped_column(String(400), default="")
    #: the account's own reference of the bank
    bank_ref: Mapped[str] = mapped_column(String(80), default="")
    #: `account` seen on it, `provider` confirmed by it, `till` counted in it (M11)
    proof: Mapped[str] = mapped_column(String(12))


class Matching(SchoolOwned, Model):
    """Which child a payment, or a part of it, was given to; each has its ledger event."""

    __tablename__ = "matchings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        ForeignKeyConstraint(
            ["school_id", "request_id"], ["payment_requests.school_id", "payment_requests.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_matchings_school_id_payment_id", "school_id", "payment_id"),
        Index("ix_matchings_school_id_student_id", "school_id", "student_id"),
        Index("ix_matchings_school_id_event_id", "school_id", "event_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    payment_id: Mapped[int]
    student_id: Mapped[int] = mapped_column(ForeignKey("students.id"))
    request_id: Mapped[int | None]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    event_id: Mapped[int]
    #: reference, attempt, desk, hand
    rule: Mapped[str] = mapped_column(String(16))
    matched_by: Mapped[str] = mapped_column(String(120))
    matched_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Reversal(SchoolOwned, Model):
    """Money of a payment that went back: a refund, a dispute, a bank's reversal."""

    __tablename__ = "reversals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "payment_id", "kind", "external_id"),
        ForeignKeyConstraint(["school_id", "payment_id"], ["payments.school_id", "payments.id"]),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        CheckConstraint("amount <> 0", name="amount_not_zero"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    payment_id: Mapped[int]
    #: refund, dispute, reinstated, bank
    kind: Mapped[str] = mapped_column(String(12))
    external_id: Mapped[str] = mapped_column(String(120))
    #: what left; a won dispute comes back as a negative amount
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    event_id: Mapped[int]
    reversed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Purpose(StrEnum):
    """What money on a bank account is that no family paid, or that went out."""

    #: notes of the desk, brought to the bank
    CASH_BANKED = "cash_banked"
    #: a provider pays out what it had confirmed before
    SETTLEMENT = "settlement"
    INTEREST = "interest"
    #: from or to another account of the school
    OWN_ACCOUNT = "own_account"
    #: collected for others, and passed on to them
    PASSED_ON = "passed_on"
    BANK_FEE = "bank_fee"
    #: notes taken from the bank into a drawer
    CASH_DRAWN = "cash_drawn"
    #: ordered for families, by a batch or one by one
    PAYOUT = "payout"
    #: a whole batch in one sum
    PAYOUT_BATCH = "payout_batch"
    #: could not be delivered and came back
    PAYOUT_BACK = "payout_back"
    #: the State's money for families
    SUPPORT = "support"
    #: of another school of the area, agreed with it
    OTHER_SCHOOL = "other_school"
    #: nothing to do with fees
    OUTSIDE = "outside"


class CashDeposit(SchoolOwned, Model):
    """Notes that left a drawer for the bank, with the number of the bank's slip."""

    __tablename__ = "cash_deposits"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "till_id"], ["tills.school_id", "tills.id"]),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    till_id: Mapped[int]
    bank_account_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: as the bank stamped it; may come later than the money left
    slip: Mapped[str] = mapped_column(String(40))
    event_id: Mapped[int]
    deposited_by: Mapped[str] = mapped_column(String(120))
    deposited_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Movement(SchoolOwned, Model):
    """Money on a bank account that is no family's payment, and what it is by a person's word.

    Taken back when its event is reversed; `v_movement` holds those that are not.
    """

    __tablename__ = "movements"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "bank_account_id"], ["bank_accounts.school_id", "bank_accounts.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "event_id"], ["ledger_events.school_id", "ledger_events.id"]
        ),
        CheckConstraint("amount > 0 and fee >= 0", name="amount_positive"),
        Index("ix_movements_school_id_cause_kind_cause_id", "school_id", "cause_kind", "cause_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    bank_account_id: Mapped[int]
    #: `payment` for money in that waited in suspense, `statement_row` for money out
    cause_kind: Mapped[str] = mapped_column(String(16))
    cause_id: Mapped[int]
    purpose: Mapped[Purpose] = mapped_column(String(16))
    #: where it came from or went to, by its code
    account: Mapped[str] = mapped_column(String(60))
    #: the slip or the payout, where the purpose has one
    target_id: Mapped[int | None]
    #: on the bank account
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    #: what the provider kept of what it paid out
    fee: Mapped[Vnd] = mapped_column(VndColumn)
    reason: Mapped[str] = mapped_column(String(200))
    event_id: Mapped[int]
    booked_by: Mapped[str] = mapped_column(String(120))
    booked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Declaration(SchoolOwned, Model):
    """A family's word that it has transferred: no money fact, only a hint where to look (M11)."""

    __tablename__ = "declarations"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "request_id"], ["payment_requests.school_id", "payment_requests.id"]
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_declarations_school_id_request_id", "school_id", "request_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    request_id: Mapped[int]
    #: what was due when it was said
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaperChange(SchoolOwned, Model):
    """A new paper asked for in place of a wrong one; the money is right (M10 a)."""

    __tablename__ = "paper_changes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(["school_id", "receipt_id"], ["receipts.school_id", "receipts.id"]),
        Index("ix_paper_changes_school_id_receipt_id", "school_id", "receipt_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    receipt_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    #: what the new paper says
    payer: Mapped[str] = mapped_column(String(120))
    payer_address: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[str] = mapped_column(String(120))
    asked_by_id: Mapped[int | None] = mapped_column(RowId)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PaperDecision(SchoolOwned, Model):
    """The second person's word on it; with a new receipt when approved."""

    __tablename__ = "paper_decisions"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "change_id"),
        ForeignKeyConstraint(
            ["school_id", "change_id"], ["paper_changes.school_id", "paper_changes.id"]
        ),
        ForeignKeyConstraint(
            ["school_id", "new_receipt_id"], ["receipts.school_id", "receipts.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    change_id: Mapped[int]
    new_receipt_id: Mapped[int | None]
    decided_by: Mapped[str] = mapped_column(String(120))
    decided_by_id: Mapped[int | None] = mapped_column(RowId)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AttemptState(StrEnum):
    """Life of one try to pay by card."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class PaymentAttempt(SchoolOwned, Model):
    """One try to pay through a provider's page; no money fact until the provider says so."""

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        ForeignKeyConstraint(
            ["school_id", "request_id"], ["payment_requests.school_id", "payment_requests.id"]
        ),
        ForeignKeyConstraint(["school_id", "channel_id"], ["channels.school_id", "channels.id"]),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    request_id: Mapped[int]
    channel_id: Mapped[int]
    amount: Mapped[Vnd] = mapped_column(VndColumn)
    surcharge: Mapped[Vnd] = mapped_column(VndColumn, default=Vnd(0))
    state: Mapped[AttemptState] = mapped_column(String(12), default=AttemptState.OPEN)
    #: the provider's own number of the try
    session_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    intent_ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AttemptAddress(Model):
    """Area-wide look-up: a provider's number of a try → school."""

    __tablename__ = "attempt_addresses"

    provider_ref: Mapped[str] = mapped_column(String(120), primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("schools.id"))
    attempt_id: Mapped[int]
