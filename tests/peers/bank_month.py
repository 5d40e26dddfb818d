"""A bank of our own: families pay their bills of a month in every way families do.

What it did is the truth. Transfers are lost on the way to us, told twice or late; codes are typed
in capitals, with blanks, with O for 0, with a slip, cut short or not at all; money goes to the
account of another school, comes in parts, too much, twice, or is taken back by the bank.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.core import scope
from app.core.db import rows, transaction
from app.money import billing
from app.money.payments import inbox
from app.money.payments.adapters import sepay
from app.money.reconciliation import jobs, services
from app.people.schools import channel_of_address
from tests.factories.schools import ACCOUNTANT, MadeSchool
from tests.reconciliation import files
from tests.reconciliation.files import Move

FIRST = date(2026, 10, 5)
#: when everything is told: after the last movement
AFTERWARDS = datetime(2026, 11, 2, 5, tzinfo=UTC)
#: what banks and families write around a code
AROUND = (
    "MBVCB.{n}.{code}.CT tu 0123456789 NGUYEN VAN A toi 1012345678",
    "IBFT {code}",
    "{code} hoc phi thang 11",
    "Nộp học phí {code} lớp 3A",
    "HOC PHI {code}-GD {n}-241126",
    "{code}",
)


@dataclass(slots=True)
class Bill:
    """A child's open bill as the bank's world knows it."""

    school: MadeSchool
    student_id: int
    reference: str
    due: int


@dataclass(slots=True)
class Transfer:
    """One movement on one school's account, with what nobody but the bank knows."""

    school: MadeSchool
    move: Move
    number: int
    #: whose money it is in truth; None for money that leaves
    student_id: int | None
    #: whether the code can be read, on the account it belongs to
    is_readable: bool
    told: str = "once"


@dataclass(slots=True)
class Month:
    """The transfers of a month, account by account."""

    transfers: dict[int, list[Transfer]] = field(default_factory=dict)

    def all(self) -> Iterator[Transfer]:
        """Every movement."""
        for listed in self.transfers.values():
            yield from listed


def imagine(bills: Sequence[Bill], *, seed: int, told_share: float = 1.0) -> Month:
    """A month of payments for these bills; the same seed gives the same month."""
    rng = random.Random(seed)
    schools = {bill.school.id: bill.school for bill in bills}
    month = Month({school_id: [] for school_id in schools})
    number = 0
    for bill in bills:
        for amount, day in _payments(bill.due, rng):
            number += 1
            school = bill.school
            others = [one for one in schools.values() if one.id != school.id]
            went_wrong = bool(others) and rng.random() < 0.01
            if went_wrong:
                school = rng.choice(others)
            written, survives = _written(bill.reference, rng)
            text = rng.choice(AROUND).format(n=number, code=written)
            move = Move(amount, text, FIRST + timedelta(days=day), f"FT26{number:010d}")
            month.transfers[school.id].append(
                Transfer(
                    school,
                    move,
                    number,
                    bill.student_id,
                    survives and not went_wrong,
                    _told(rng, told_share),
                )
            )
    for listed in month.transfers.values():
        for back in [one for one in listed if rng.random() < 0.01]:
            after = back.move.day + timedelta(days=1)
            move = Move(-back.move.amount, "Hoan tra giao dich loi", after, back.move.ref)
            listed.append(Transfer(back.school, move, back.number, None, False, "never"))
        listed.sort(key=lambda one: (one.move.day, one.move.amount < 0, one.number))
    return month


def _payments(due: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """How a family pays: amounts with their day of the month."""
    day = rng.randrange(20)
    kind = rng.random()
    if kind < 0.06:
        return
    if kind < 0.12:
        part = max(due // 3, 1_000)
        yield part, day
        if rng.random() < 0.5:
            yield due - part, day + 2
    elif kind < 0.15:
        yield due + 50_000, day
    elif kind < 0.17:
        yield due, day
        yield due, day + rng.randrange(2)
    else:
        yield due, day


def _written(code: str, rng: random.Random) -> tuple[str, bool]:
    """The code as it arrives, and whether it survives folding, squeezing and usual slips."""
    kind = rng.random()
    if kind < 0.70:
        return code, True
    if kind < 0.78:
        return code.lower(), True
    if kind < 0.86:
        place = rng.randrange(3, 8)
        return f"{code[:place]} {code[place:]}", True
    if kind < 0.92:
        return code.replace("0", "O").replace("1", "I").replace("5", "S"), True
    if kind < 0.94:
        return code[:-2], False
    if kind < 0.96:
        place = rng.randrange(2, 9)
        return code[:place] + ("7" if code[place] != "7" else "8") + code[place + 1 :], False
    return "nop tien cho con", False


def _told(rng: random.Random, share: float) -> str:
    """How the bank's notice reaches us: once, twice, late (after the statement), or never."""
    if rng.random() > share:
        return "never"
    kind = rng.random()
    if kind < 0.05:
        return "never"
    if kind < 0.08:
        return "twice"
    return "late" if kind < 0.11 else "once"


def tell(transfer: Transfer, *, now: datetime) -> None:
    """One notice of a movement, as SePay sends it."""
    school = transfer.school
    raw = json.dumps(
        {
            "id": transfer.number,
            "transactionDate": f"{transfer.move.day} 08:14:05",
            "accountNumber": school.account_number,
            "content": transfer.move.text,
            "transferType": "in",
            "transferAmount": transfer.move.amount,
            "referenceCode": transfer.move.ref,
        }
    ).encode()
    with scope.opened(scope.one_school(school.id)):
        way = channel_of_address(school.id, school.channel, "sepay")
        assert way is not None
        with transaction():
            inbox.accept_transfer(sepay.parse(raw), channel=way, raw=raw, headers={}, now=now)


def list_of(month: Month, school_id: int) -> list[dict[str, Any]]:
    """What SePay lists of a school's account, newest first, when it is asked."""
    return [
        {
            "id": str(one.number),
            "bank_brand_name": "VietinBank",
            "account_number": one.school.account_number,
            "transaction_date": f"{one.move.day} 08:14:05",
            "amount_in": f"{max(one.move.amount, 0)}.00",
            "amount_out": f"{max(-one.move.amount, 0)}.00",
            "accumulated": "0.00",
            "transaction_content": one.move.text,
            "reference_number": one.move.ref,
            "code": None,
            "sub_account": None,
        }
        for one in reversed(month.transfers[school_id])
        if one.move.amount > 0
    ]


def run(
    month: Month, *, now: datetime, seed: int = 1, ask: Callable[[int], object] | None = None
) -> None:
    """Notices as they come, what asking brings, each account's statement, then late notices."""
    rng = random.Random(seed)
    early = [one for one in month.all() if one.told in ("once", "twice")]
    early += [one for one in early if one.told == "twice"]
    rng.shuffle(early)
    for one in early:
        tell(one, now=now)
    for school_id in month.transfers if ask is not None else ():
        ask(school_id)
    for school_id, listed in month.transfers.items():
        if not listed:
            continue
        school = listed[0].school
        data = files.csv([one.move for one in listed], school.account_number)
        with scope.opened(scope.one_school(school_id)):
            with transaction():
                statement_id = services.take_in(
                    school_id, school.account_id, data, "thang.csv", actor=ACCOUNTANT, now=now
                )
            jobs.post_all(school_id, statement_id, actor=ACCOUNTANT)
    for one in month.all():
        if one.told == "late":
            tell(one, now=now)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a month."""

    transfers: int
    readable: int
    #: of the readable ones, given to their child by the machine
    automatic: int
    #: given by the machine to another child than the one who paid
    wrong: int
    waiting: int

    @property
    def rate(self) -> float:
        """Automatic matches of the transfers whose code can be read."""
        return self.automatic / self.readable if self.readable else 1.0


def judge(month: Month) -> Outcome:
    """Compare what the machine did with the truth; every movement must be one payment."""
    automatic = wrong = waiting = 0
    credits = [one for one in month.all() if one.move.amount > 0]
    for school_id, listed in month.transfers.items():
        truth = {one.move.ref: one for one in listed if one.move.amount > 0}
        with scope.opened(scope.one_school(school_id)):
            found = rows(
                "select p.id, p.bank_ref, p.amount, m.student_id, m.rule from payments p"
                " left join matchings m on m.school_id = p.school_id and m.payment_id = p.id"
                " where p.school_id = :school_id order by p.id",
                school_id=school_id,
            )
        assert sorted({one.bank_ref for one in found}) == sorted(truth), "a movement is missing"
        assert len({one.id for one in found}) == len(truth), "a movement was doubled"
        for one in found:
            told = truth[one.bank_ref]
            assert int(one.amount) == told.move.amount
            if one.student_id is None:
                waiting += 1
            elif one.student_id != told.student_id:
                wrong += 1
            elif told.is_readable:
                automatic += 1
    readable = sum(1 for one in credits if one.is_readable)
    return Outcome(len(credits), readable, automatic, wrong, waiting)


def open_bills(school: MadeSchool) -> list[Bill]:
    """The open bills of a school, as its families hold them in their hands."""
    with scope.opened(scope.one_school(school.id)):
        found = rows(
            "select id, student_id, reference from payment_requests where school_id = :school_id"
            " order by id",
            school_id=school.id,
        )
        lines = billing.open_lines(school.id, [one.student_id for one in found])
    return [
        Bill(
            school,
            one.student_id,
            one.reference,
            sum(line.open.dong for line in lines.get(one.student_id, [])),
        )
        for one in found
    ]
