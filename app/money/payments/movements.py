"""Money on a bank account that no family paid: what it is, by a person's word, and undone by one.

Money in waits in suspense like any other until somebody says that it is notes brought to the bank,
a provider's pay-out or interest; money out is told by a row of a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import MOMENT, VND, for_update, in_chunks, own_school, row, rows, scalar
from app.core.model import db
from app.core.money import ZERO, Vnd
from app.core.text import fold, nfc
from app.money import ledger
from app.money.ledger import chart
from app.money.payments.errors import (
    AgreedWithSchool,
    AlreadyAssigned,
    BadDeposit,
    DepositDiffers,
    MoreThanHeld,
    MovementNotFound,
    NoTill,
    NotOnAccount,
    PurposeUnclear,
    ReasonMissing,
)
from app.money.payments.models import CashDeposit, Movement, Purpose
from app.money.payments.posting import next_id
from app.money.payments.queries import PaymentRow, get_payment
from app.money.payments.reversals import holdings, lock_payment
from app.people.schools import get_account

#: what money in may be, and money out, in the order a page offers them
PURPOSES_IN: Final = (
    Purpose.CASH_BANKED,
    Purpose.SETTLEMENT,
    Purpose.INTEREST,
    Purpose.OWN_ACCOUNT,
    Purpose.SUPPORT,
    Purpose.PAYOUT_BACK,
    Purpose.OTHER_SCHOOL,
    Purpose.OUTSIDE,
)
PURPOSES_OUT: Final = (
    Purpose.PAYOUT,
    Purpose.PAYOUT_BATCH,
    Purpose.PASSED_ON,
    Purpose.BANK_FEE,
    Purpose.OWN_ACCOUNT,
    Purpose.CASH_DRAWN,
    Purpose.OTHER_SCHOOL,
    Purpose.OUTSIDE,
)
_PAYOUTS: Final = (Purpose.PAYOUT, Purpose.PAYOUT_BATCH)
#: a provider that kept more than this of what it pays out is not believed, in percent
_MOST_FEE: Final = 10
_LEAST_REASON: Final = 10


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says money is."""

    purpose: Purpose
    #: drawer, channel or slip, by its number
    target: int | None = None
    #: the item passed on, by its account
    account: str = ""
    #: what the provider kept
    fee: Vnd = ZERO
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement that holds."""

    id: int
    cause_kind: str
    cause_id: int
    purpose: Purpose
    account: str
    amount: Vnd
    fee: Vnd
    reason: str
    booked_by: str
    booked_at: datetime


# Money in


def name_credit(
    school_id: int, payment_id: int, said: Said, *, actor: audit.Actor, now: datetime
) -> int:
    """Say what the money of a payment in suspense is; the movement's number.

    Refuses money that has its child or went back (AlreadyAssigned), money not seen on an account,
    a slip of another amount, and more than the drawer or the provider held. Locks as
    `reverse_payment`. The caller commits.
    """
    own_school(school_id)
    payment = lock_payment(school_id, payment_id)
    waiting = [h for h in holdings(payment) if h.account.startswith("suspense:")]
    if payment.children or len(waiting) != 1:
        raise AlreadyAssigned
    if payment.bank_account_id is None or payment.proof != "account":
        raise NotOnAccount
    if said.purpose not in PURPOSES_IN:
        raise PurposeUnclear
    amount, place = waiting[0].amount, waiting[0].account
    account, target_id = _source(school_id, payment.bank_account_id, said, amount)
    reason = _reason(said)
    return _book(
        school_id,
        "payment",
        payment_id,
        payment.bank_account_id,
        said,
        ledger.Pair(place, account, amount),
        account,
        target_id,
        reason,
        actor,
        now,
    )


def _source(
    school_id: int, bank_account_id: int, said: Said, amount: Vnd
) -> tuple[str, int | None]:
    """The account money in came from, and its slip."""
    if said.purpose is Purpose.CASH_BANKED:
        if said.target is not None:
            slip = _open_slip(school_id, said.target)
            if slip.amount != amount:
                raise DepositDiffers(slip.amount, amount)
            return chart.deposit(slip.bank_account_id), slip.id
        till_id = scalar(
            "select min(id) from tills where school_id = :school_id", school_id=school_id
        )
        if till_id is None:
            raise NoTill
        _must_hold(school_id, chart.cash(int(till_id)), amount)
        return chart.cash(int(till_id)), None
    if said.purpose is Purpose.SETTLEMENT:
        if said.target is None:
            raise PurposeUnclear
        account = chart.clearing(said.target)
        if said.fee.dong < 0 or said.fee.dong * 100 > (amount + said.fee).dong * _MOST_FEE:
            raise PurposeUnclear
        _must_hold(school_id, account, amount + said.fee)
        return account, None
    if said.purpose is Purpose.OTHER_SCHOOL:
        if said.target is None:
            raise PurposeUnclear
        return chart.interschool(said.target), None
    return {
        Purpose.INTEREST: chart.INTEREST,
        Purpose.OWN_ACCOUNT: chart.TRANSIT,
        Purpose.SUPPORT: chart.SUPPORT,
        Purpose.PAYOUT_BACK: chart.payout(bank_account_id),
        Purpose.OUTSIDE: chart.OUTSIDE,
    }[said.purpose], None


def _must_hold(school_id: int, account: str, amount: Vnd) -> None:
    held = ledger.balance(school_id, account)
    if held < amount:
        raise MoreThanHeld(held, amount)


def _reason(said: Said) -> str:
    reason = " ".join(nfc(said.reason).split())[:200]
    if said.purpose is Purpose.OUTSIDE and len(reason) < _LEAST_REASON:
        raise ReasonMissing
    return reason


# Money out


def name_debit(
    school_id: int,
    row_id: int,
    bank_account_id: int,
    amount: Vnd,
    said: Said,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Book money that left a bank account by a row of its statement; the movement's number.

    The caller has looked whether the row is settled already, holds the account, and commits.
    Refuses more passed on than was collected.
    """
    own_school(school_id)
    if said.purpose not in PURPOSES_OUT:
        raise PurposeUnclear
    reason = _reason(said)
    account = _destination(school_id, bank_account_id, said, amount)
    return _book(
        school_id,
        "statement_row",
        row_id,
        bank_account_id,
        said,
        ledger.Pair(account, chart.bank(bank_account_id), amount),
        account,
        said.target if said.purpose in _PAYOUTS else None,
        reason,
        actor,
        now,
    )


def _destination(school_id: int, bank_account_id: int, said: Said, amount: Vnd) -> str:
    if said.purpose in _PAYOUTS:
        ordered = chart.payout(bank_account_id)
        on_its_way = -ledger.balance(school_id, ordered)
        if on_its_way < amount:
            raise MoreThanHeld(on_its_way, amount)
        return ordered
    if said.purpose is Purpose.PASSED_ON:
        if not said.account.startswith("held:"):
            raise PurposeUnclear
        held = -ledger.balance(school_id, said.account)
        if held < amount:
            raise MoreThanHeld(held, amount)
        return said.account
    if said.purpose is Purpose.OTHER_SCHOOL:
        if said.target is None:
            raise PurposeUnclear
        debt = chart.interschool(said.target)
        owed = -ledger.balance(school_id, debt)
        if owed < amount:
            raise MoreThanHeld(owed, amount)
        return debt
    if said.purpose is Purpose.CASH_DRAWN:
        known = rows("select id from tills where school_id = :school_id", school_id=school_id)
        if said.target not in {till.id for till in known} or said.target is None:
            raise NoTill
        return chart.cash(said.target)
    return {
        Purpose.BANK_FEE: chart.BANK_FEE,
        Purpose.OWN_ACCOUNT: chart.TRANSIT,
        Purpose.OUTSIDE: chart.OUTSIDE,
    }[said.purpose]


def _book(
    school_id: int,
    cause_kind: str,
    cause_id: int,
    bank_account_id: int,
    said: Said,
    pair: ledger.Pair,
    account: str,
    target_id: int | None,
    reason: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    movement_id = next_id("movements")
    today = clock.local_day(now)
    fee = said.fee if said.purpose is Purpose.SETTLEMENT else ZERO
    events = [ledger.Event("movement_booked", "movement", movement_id, [pair])]
    if fee:
        kept = ledger.Pair(chart.BANK_FEE, account, fee)
        events.append(ledger.Event("movement_fee", "movement", movement_id, [kept]))
    event_id = ledger.post_many(school_id, events, booked_on=today, now=now)[0]
    db.session.execute(
        insert(Movement).values(
            id=movement_id,
            school_id=school_id,
            bank_account_id=bank_account_id,
            cause_kind=cause_kind,
            cause_id=cause_id,
            purpose=said.purpose,
            account=account,
            target_id=target_id,
            amount=pair.amount,
            fee=fee,
            reason=reason,
            event_id=event_id,
            booked_by=actor.name,
            booked_at=now,
        )
    )
    audit.record(
        "movement.book",
        f"{cause_kind}:{cause_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"{said.purpose} {reason}".strip(),
    )
    return movement_id


def take_back_movement(
    school_id: int, movement_id: int, *, reason: str, actor: audit.Actor, now: datetime
) -> MovementRow:
    """Undo what somebody said money was: it waits again. The caller commits.

    Refuses a reason under ten letters and a movement that is not there or was taken back.
    """
    own_school(school_id)
    why = " ".join(nfc(reason).split())[:160]
    if len(why) < _LEAST_REASON:
        raise ReasonMissing
    row(
        f"select id from movements where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=movement_id,
    )
    found = _movements(school_id, " and m.id = :id", id=movement_id)
    if not found:
        raise MovementNotFound
    if found[0].purpose is Purpose.OTHER_SCHOOL:
        raise AgreedWithSchool
    if found[0].cause_kind == "payment":
        lock_payment(school_id, found[0].cause_id)
    events = rows(
        "select id, kind from ledger_events where school_id = :school_id"
        " and cause_kind = 'movement' and cause_id = :id and kind in ('movement_booked',"
        " 'movement_fee') order by id",
        school_id=school_id,
        id=movement_id,
    )
    for event in events:
        ledger.reverse(
            school_id,
            event.id,
            kind=f"{event.kind}_undone",
            cause_kind="movement",
            cause_id=movement_id,
            booked_on=clock.local_day(now),
            now=now,
        )
    audit.record(
        "movement.take_back",
        f"{found[0].cause_kind}:{found[0].cause_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=why,
    )
    return found[0]


#: told of every movement after its transaction, by school
Follower = Callable[[int], None]
_followers: list[Follower] = []


def follow_with(follower: Follower) -> None:
    """Tell who has to act when a school's movements change: another school's books, for one."""
    if follower not in _followers:
        _followers.append(follower)


def followed(school_id: int) -> None:
    """Called by whoever booked movements, after the commit."""
    for follower in _followers:
        follower(school_id)


# Notes brought to the bank


@dataclass(frozen=True, slots=True)
class Slip:
    """Notes on their way to the bank."""

    id: int
    till_id: int
    bank_account_id: int
    account_number: str
    amount: Vnd
    slip: str
    deposited_by: str
    deposited_at: datetime


def deposit_cash(
    school_id: int,
    till_id: int,
    bank_account_id: int,
    amount: Vnd,
    *,
    slip: str,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Notes leave a drawer for the bank; they are in transit until the bank tells of them.

    Refuses a drawer or an account of another school, and more than the books say is in the drawer.
    Cash stays cash in the figures of who paid how. The caller commits.
    """
    own_school(school_id)
    account = get_account(school_id, bank_account_id)
    if (
        row(
            f"select id from tills where school_id = :school_id and id = :id{for_update()}",
            school_id=school_id,
            id=till_id,
        )
        is None
    ):
        raise NoTill
    if amount <= ZERO:
        raise BadDeposit
    _must_hold(school_id, chart.cash(till_id), amount)
    deposit_id = next_id("cash_deposits")
    pair = ledger.Pair(chart.deposit(account.id), chart.cash(till_id), amount)
    event_id = ledger.post(
        school_id,
        ledger.Event("cash_deposited", "cash_deposit", deposit_id, [pair]),
        booked_on=clock.local_day(now),
        now=now,
    )
    number = " ".join(nfc(slip).split())[:40]
    db.session.execute(
        insert(CashDeposit).values(
            id=deposit_id,
            school_id=school_id,
            till_id=till_id,
            bank_account_id=account.id,
            amount=amount,
            slip=number,
            event_id=event_id,
            deposited_by=actor.name,
            deposited_at=now,
        )
    )
    audit.record(
        "till.deposit",
        f"cash_deposit:{deposit_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=number or "no slip yet",
    )
    return deposit_id


def take_back_deposit(
    school_id: int, deposit_id: int, *, actor: audit.Actor, now: datetime
) -> None:
    """The notes came back to the drawer: the bank was closed, the sum was wrong.

    Refuses a slip the bank has told of. The caller commits.
    """
    own_school(school_id)
    slip = _open_slip(school_id, deposit_id)
    event_id = scalar(
        "select event_id from cash_deposits where school_id = :school_id and id = :id",
        school_id=school_id,
        id=slip.id,
    )
    ledger.reverse(
        school_id,
        int(event_id),
        kind="cash_deposit_undone",
        cause_kind="cash_deposit",
        cause_id=slip.id,
        booked_on=clock.local_day(now),
        now=now,
    )
    audit.record(
        "till.take_deposit_back",
        f"cash_deposit:{slip.id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=slip.slip or "no slip",
    )


def open_slips(school_id: int) -> list[Slip]:
    """Notes on their way to the bank that no account has shown yet, oldest first."""
    return _slips(school_id, "")


def _open_slip(school_id: int, deposit_id: int) -> Slip:
    row(
        f"select id from cash_deposits where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=deposit_id,
    )
    found = _slips(school_id, " and d.id = :id", id=deposit_id)
    if not found:
        raise BadDeposit
    return found[0]


def _slips(school_id: int, where: str, **parameters: Any) -> list[Slip]:
    found = rows(
        "select d.id, d.till_id, d.bank_account_id, b.number as account_number, d.amount, d.slip,"
        " d.deposited_by, d.deposited_at from cash_deposits d"
        " join bank_accounts b on b.school_id = d.school_id and b.id = d.bank_account_id"
        " where d.school_id = :school_id and not exists (select 1 from ledger_events t"
        "  where t.school_id = d.school_id and t.reverses_id = d.event_id)"
        " and not exists (select 1 from v_movement m where m.school_id = d.school_id"
        f"  and m.purpose = 'cash_banked' and m.target_id = d.id){where} order by d.id",
        types={"amount": VND, "deposited_at": MOMENT},
        school_id=school_id,
        **parameters,
    )
    return [Slip(*one) for one in found]


# Money at providers


@dataclass(frozen=True, slots=True)
class Clearing:
    """Money a provider confirmed and has not paid out, with the day of its oldest đồng."""

    channel_id: int
    provider: str
    public_id: str
    balance: Vnd
    #: first in, first out
    since: date | None
    #: what would be paid out if all up to a day were: sums, oldest first
    steps: tuple[tuple[date, Vnd], ...]


def clearings(school_id: int, *, until: date = date.max) -> list[Clearing]:
    """Every provider that holds money of the school, or paid out too much."""
    held = {one.account: one for one in ledger.aged(school_id, "clearing:", until=until)}
    channels = rows(
        "select id, provider, public_id from channels where school_id = :school_id order by id",
        school_id=school_id,
    )
    return [
        Clearing(channel.id, channel.provider, channel.public_id, one.balance, one.since, one.steps)
        for channel in channels
        if (one := held.get(chart.clearing(channel.id))) is not None
    ]


# What money may be


def likely_of(school_id: int, payments: Sequence[PaymentRow]) -> dict[int, Said]:
    """What the machine would say of money in suspense; a person decides."""
    found: dict[int, Said] = {}
    candidates = [p for p in payments if p.bank_account_id is not None and p.proof == "account"]
    if not candidates:
        return found
    slips = open_slips(school_id)
    held = clearings(school_id)
    for payment in candidates:
        words = f" {fold(payment.text)} {fold(payment.payer or '')} "
        slip = next((s for s in slips if s.amount == payment.amount), None)
        paid_out = _settled_by(held, payment, words)
        if slip is not None:
            found[payment.id] = Said(Purpose.CASH_BANKED, slip.id)
        elif paid_out is not None:
            found[payment.id] = paid_out
        elif any(sign in words for sign in (" lai tien gui", " lai nhap von", " tra lai ")):
            found[payment.id] = Said(Purpose.INTEREST)
    return found


def _settled_by(held: Sequence[Clearing], payment: PaymentRow, words: str) -> Said | None:
    for one in held:
        named = one.provider in words.replace(" ", "")
        for _day, total in one.steps:
            fee = total - payment.amount
            if not fee:
                return Said(Purpose.SETTLEMENT, one.channel_id)
            if named and 0 < fee.dong * 100 <= total.dong * _MOST_FEE:
                return Said(Purpose.SETTLEMENT, one.channel_id, fee=fee)
    return None


def looks_like_fee(text: str) -> bool:
    """Whether the words of money out are those of a bank's own fee."""
    words = f" {fold(text)} "
    signs = (" thu phi", " phi sms", " phi quan ly", " phi dich vu", " phi duy tri", " phi chuyen")
    return any(sign in words for sign in signs)


def movements_of(
    school_id: int, cause_kind: str, cause_ids: Collection[int]
) -> dict[int, MovementRow]:
    """The movements that hold, by their cause."""
    found: dict[int, MovementRow] = {}
    for chunk in in_chunks(cause_ids):
        for one in _movements(
            school_id,
            " and m.cause_kind = :kind and m.cause_id in :ids",
            kind=cause_kind,
            ids=chunk,
        ):
            found[one.cause_id] = one
    return found


def get_movement(school_id: int, movement_id: int) -> MovementRow:
    """A movement that holds, or MovementNotFound."""
    found = _movements(school_id, " and m.id = :id", id=movement_id)
    if not found:
        raise MovementNotFound
    return found[0]


def _movements(school_id: int, where: str, **parameters: Any) -> list[MovementRow]:
    found = rows(
        "select m.id, m.cause_kind, m.cause_id, m.purpose, m.account, m.amount, m.fee, m.reason,"
        f" m.booked_by, m.booked_at from v_movement m where m.school_id = :school_id{where}"
        " order by m.id",
        types={"amount": VND, "fee": VND, "booked_at": MOMENT},
        school_id=school_id,
        **parameters,
    )
    return [MovementRow(**{**one._asdict(), "purpose": Purpose(one.purpose)}) for one in found]


def waiting_payment(school_id: int, payment_id: int) -> PaymentRow:
    """A payment somebody may say the purpose of, or the refusal why not."""
    payment = get_payment(school_id, payment_id)
    if payment.state != "suspense":
        raise AlreadyAssigned
    if payment.bank_account_id is None or payment.proof != "account":
        raise NotOnAccount
    return payment
