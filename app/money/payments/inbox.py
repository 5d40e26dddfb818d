"""The inbox of providers' notices: each stored once and for ever, posted at once when it can be."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from app import audit
from app.core.db import MOMENT, for_update, row, rows, savepoint, scalar, share_school
from app.core.errors import TryAgain
from app.core.model import db
from app.core.money import ZERO
from app.money.ledger import chart
from app.money.payments.adapters import BankTransfer, casso, sepay
from app.money.payments.models import (
    InboxNotice,
    InboxOutcome,
    InboxPayload,
    Method,
    OutcomeState,
)
from app.money.payments.posting import Accepted, Credit, accept_many
from app.money.payments.tellings import are_two, number_of, said
from app.people.schools import ChannelInfo, get_account

log = logging.getLogger("sothu.inbox")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a notice led to; `is_repeat` when it had been settled before."""

    state: OutcomeState
    reason: str
    accepted: Accepted | None = None
    is_repeat: bool = False


def accept_transfer(
    transfer: BankTransfer,
    *,
    channel: ChannelInfo,
    raw: bytes,
    headers: Mapping[str, str],
    now: datetime,
    is_verified: bool = True,
) -> Outcome:
    """Keep a bank's notice and post its money; a repeat changes nothing.

    Refuses nothing that is signed: money without a known child waits in suspense, a fault of ours
    keeps the notice as `needs_attention` for the retry job, a stale one is kept as a hint only.
    The caller commits.
    """
    notice_id, latest = _keep(transfer, channel, raw, headers, now)
    if latest is not None and latest is not OutcomeState.UNVERIFIED:
        # A wrong account is answered the same however often it is told.
        foreign = latest is OutcomeState.NEEDS_ATTENTION and not _is_ours(transfer, channel)
        return Outcome(latest, "wrong_account" if foreign else "repeat", is_repeat=True)
    if not is_verified:
        if latest is None:
            _settle(notice_id, OutcomeState.UNVERIFIED, "stale_timestamp", None, now)
        return Outcome(OutcomeState.UNVERIFIED, "stale_timestamp")
    if not transfer.is_incoming:
        return _settle(notice_id, OutcomeState.IGNORED, "money_out", None, now)
    if transfer.amount <= ZERO:
        return _settle(notice_id, OutcomeState.IGNORED, "no_amount", None, now)
    if not _is_ours(transfer, channel):
        return _settle(notice_id, OutcomeState.NEEDS_ATTENTION, "wrong_account", None, now)
    return _post(notice_id, transfer, channel, now)


def _post(notice_id: int, transfer: BankTransfer, channel: ChannelInfo, now: datetime) -> Outcome:
    known = find_payment(channel.school_id, channel.id, transfer.provider, transfer.external_id)
    if known is not None:
        settle_notice(notice_id, OutcomeState.POSTED, "known", payment_id=known, now=now)
        return Outcome(OutcomeState.POSTED, "known", is_repeat=True)
    try:
        with savepoint():
            # Held before looking: a statement with the same money may be on its way in.
            share_school(channel.school_id)
            told = _told_by_statement(transfer, channel)
            if told is not None:
                settle_notice(notice_id, OutcomeState.POSTED, "statement", payment_id=told, now=now)
                return Outcome(OutcomeState.POSTED, "statement", is_repeat=True)
            accepted = accept_many(
                channel.school_id, [credit_of(transfer, channel)], actor=audit.MACHINE, now=now
            )[0]
    except TryAgain:
        raise
    except Exception as fault:  # a fault of ours must not lose a notice: it is kept and retried
        if isinstance(fault, DBAPIError) and fault.connection_invalidated:
            raise
        log.exception("notice %s could not be posted", notice_id)
        return _settle(
            notice_id, OutcomeState.NEEDS_ATTENTION, f"fault:{type(fault).__name__}", None, now
        )
    reason = "suspense" if accepted.is_suspense else "matched"
    return _settle(notice_id, OutcomeState.POSTED, reason, accepted, now)


def _told_by_statement(transfer: BankTransfer, channel: ChannelInfo) -> int | None:
    """The payment that a statement told of before this notice (M16).

    The bank's own number says so; else the same text, unless the statement is from before the
    money moved. A payment that has its notice is another.
    """
    found = rows(
        "select p.id, p.text, p.bank_ref, p.received_at from payments p"
        " where p.school_id = :school_id and p.provider = 'statement'"
        # A virtual account's money stands on the statement of the one it reports through.
        " and (p.bank_account_id = :account or p.bank_account_id = (select b.parent_id"
        "  from bank_accounts b where b.school_id = :school_id and b.id = :account))"
        " and p.amount = :amount"
        " and p.value_on between :first and :last and not exists (select 1 from inbox_outcomes o"
        "  where o.payment_id = p.id and o.reason = 'statement') order by p.id",
        types={"received_at": MOMENT},
        school_id=channel.school_id,
        account=channel.bank_account_id,
        amount=transfer.amount,
        first=transfer.booked_on - timedelta(days=1),
        last=transfer.booked_on + timedelta(days=1),
    )
    number = number_of(transfer.bank_ref)
    words = said(transfer.text)
    same = [one for one in found if number and number_of(one.bank_ref) == number]
    same += [
        one
        for one in found
        if words
        and said(one.text) == words
        and one.received_at >= transfer.occurred_at
        and not are_two(one.bank_ref, transfer.bank_ref)
    ]
    return int(same[0].id) if same else None


def find_payment(school_id: int, channel_id: int, provider: str, external_id: str) -> int | None:
    """The payment a provider's number was booked as, if it was."""
    found = scalar(
        "select id from payments where school_id = :school_id and provider = :provider"
        " and channel_id = :channel and external_id = :id",
        school_id=school_id,
        provider=provider,
        channel=channel_id,
        id=external_id,
    )
    return None if found is None else int(found)


def credit_of(transfer: BankTransfer, channel: ChannelInfo) -> Credit:
    """A bank transfer as a credit on the channel's account."""
    assert channel.bank_account_id is not None  # noqa: S101 - a bank channel has its account
    return Credit(
        provider=transfer.provider,
        channel_id=channel.id,
        external_id=transfer.external_id,
        method=Method.TRANSFER,
        amount=transfer.amount,
        occurred_at=transfer.occurred_at,
        value_on=transfer.booked_on,
        debit=chart.bank(channel.bank_account_id),
        place=str(channel.bank_account_id),
        proof=transfer.proof,
        text=transfer.text,
        reference=transfer.reference,
        bank_ref=transfer.bank_ref,
        payer=transfer.payer_name,
        bank_account_id=channel.bank_account_id,
    )


def _is_ours(transfer: BankTransfer, channel: ChannelInfo) -> bool:
    """The right account: the main number, or the virtual one that reports through it (P7)."""
    if channel.bank_account_id is None:
        return False
    account = get_account(channel.school_id, channel.bank_account_id)
    return account.number in {transfer.account, transfer.sub_account}


def _keep(
    transfer: BankTransfer,
    channel: ChannelInfo,
    raw: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> tuple[int, OutcomeState | None]:
    return keep_notice(
        provider=transfer.provider,
        channel=channel.public_id,
        external_id=transfer.external_id,
        school_id=channel.school_id,
        raw=raw,
        headers=headers,
        now=now,
    )


def keep_notice(
    *,
    provider: str,
    channel: str,
    external_id: str,
    school_id: int | None,
    raw: bytes,
    headers: Mapping[str, str],
    now: datetime,
) -> tuple[int, OutcomeState | None]:
    """Store a notice under its key, or find the stored one with its newest outcome.

    The caller commits.
    """
    try:
        with savepoint():
            notice_id = db.session.scalar(
                insert(InboxNotice)
                .values(
                    provider=provider,
                    channel=channel,
                    external_id=external_id,
                    school_id=school_id,
                    received_at=now,
                    body_hash=hashlib.sha256(raw).hexdigest(),
                )
                .returning(InboxNotice.id)
            )
            db.session.execute(
                insert(InboxPayload).values(
                    notice_id=notice_id, body=raw, headers=json.dumps(dict(headers))
                )
            )
            return int(notice_id or 0), None
    except IntegrityError:
        # Locked, so that two deliveries of one notice are settled one after the other.
        found = row(
            "select id from inbox_notices where provider = :provider and channel = :channel"
            f" and external_id = :id{for_update()}",
            provider=provider,
            channel=channel,
            id=external_id,
        )
        if found is None:
            raise
        return int(found.id), latest_state(int(found.id))


def latest_state(notice_id: int) -> OutcomeState | None:
    """The newest outcome of a notice; None while it has none."""
    state = scalar(
        "select state from inbox_outcomes where notice_id = :id order by id desc limit 1",
        id=notice_id,
    )
    return OutcomeState(state) if state else None


@dataclass(frozen=True, slots=True)
class PostedNotice:
    """A notice whose money was posted in a batch, with the body it came in."""

    external_id: str
    raw: bytes
    payment_id: int
    reason: str


def keep_notices(
    *,
    provider: str,
    channel: str,
    school_id: int,
    notices: Sequence[PostedNotice],
    headers: Mapping[str, str],
    now: datetime,
) -> None:
    """Store new notices of one channel as posted, set-based, beside `accept_many` (M14).

    A key kept before breaks the batch: whoever posts many has looked first. The caller commits.
    """
    if not notices:
        return
    ids = list(
        db.session.scalars(
            insert(InboxNotice).returning(InboxNotice.id, sort_by_parameter_order=True),
            [
                {
                    "provider": provider,
                    "channel": channel,
                    "external_id": notice.external_id,
                    "school_id": school_id,
                    "received_at": now,
                    "body_hash": hashlib.sha256(notice.raw).hexdigest(),
                }
                for notice in notices
            ],
        )
    )
    kept_headers = json.dumps(dict(headers))
    db.session.execute(
        insert(InboxPayload),
        [
            {"notice_id": notice_id, "body": notice.raw, "headers": kept_headers}
            for notice_id, notice in zip(ids, notices, strict=True)
        ],
    )
    db.session.execute(
        insert(InboxOutcome),
        [
            {
                "notice_id": notice_id,
                "state": OutcomeState.POSTED,
                "reason": notice.reason,
                "payment_id": notice.payment_id,
                "at": now,
            }
            for notice_id, notice in zip(ids, notices, strict=True)
        ],
    )


def _settle(
    notice_id: int,
    state: OutcomeState,
    reason: str,
    accepted: Accepted | None,
    now: datetime,
) -> Outcome:
    settle_notice(
        notice_id, state, reason, payment_id=accepted.payment_id if accepted else None, now=now
    )
    return Outcome(state, reason, accepted)


def settle_notice(
    notice_id: int, state: OutcomeState, reason: str, *, payment_id: int | None, now: datetime
) -> None:
    """Append what became of a notice. The caller commits."""
    db.session.execute(
        insert(InboxOutcome).values(
            notice_id=notice_id, state=state, reason=reason[:80], payment_id=payment_id, at=now
        )
    )


def waiting_notices(school_id: int) -> list[int]:
    """Notices of a school that a fault of ours left unposted."""
    found = rows(
        "select n.id from inbox_notices n join inbox_outcomes o on o.notice_id = n.id"
        " where n.school_id = :school_id and o.state = 'needs_attention'"
        " and o.reason like 'fault:%' and o.id = (select max(l.id) from inbox_outcomes l"
        "  where l.notice_id = n.id) order by n.id",
        school_id=school_id,
    )
    return [int(notice.id) for notice in found]


def retry_notice(notice_id: int, *, channel: ChannelInfo, now: datetime) -> Outcome:
    """Post a kept notice again from its stored body. The caller commits."""
    body = lock_body(notice_id)
    if body is None:
        return Outcome(OutcomeState.NEEDS_ATTENTION, "body_purged")
    latest = latest_state(notice_id)
    if latest is not OutcomeState.NEEDS_ATTENTION:
        return Outcome(latest or OutcomeState.UNVERIFIED, "repeat", is_repeat=True)
    return _post(notice_id, _told(body, channel, notice_id), channel, now)


def _told(body: bytes, channel: ChannelInfo, notice_id: int) -> BankTransfer:
    """The movement a stored notice is about; Casso may tell several in one body."""
    if channel.provider != casso.PROVIDER:
        return sepay.parse(body)
    own = scalar("select external_id from inbox_notices where id = :id", id=notice_id)
    return next(one for one in casso.parse(body) if one.external_id == own)


def lock_body(notice_id: int) -> bytes | None:
    """The raw body of a notice, which nobody else settles until the commit; None once purged."""
    row(f"select id from inbox_notices where id = :id{for_update()}", id=notice_id)
    stored = row("select body from inbox_payloads where notice_id = :id", id=notice_id)
    return None if stored is None else bytes(stored.body)
