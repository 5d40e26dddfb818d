"""A shift opened, a drawer counted and handed over; a difference is booked with its reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.db import MOMENT, VND, own_school, rows, scalar
from app.core.model import db
from app.core.money import Vnd
from app.core.text import nfc
from app.money import ledger
from app.money.ledger import chart
from app.money.payments.cash import NOTES
from app.money.payments.errors import BadCount, DifferenceUnexplained, NoTill, ShiftIsOpen
from app.money.payments.models import CountKind, TillCount
from app.money.payments.posting import next_id

_MOST_NOTES = 100_000


@dataclass(frozen=True, slots=True)
class Count:
    """A count of a drawer."""

    id: int
    kind: CountKind
    counted: Vnd
    expected: Vnd
    reason: str
    handed_to: str
    counted_by: str
    counted_at: datetime
    notes: Mapping[int, int]

    @property
    def difference(self) -> Vnd:
        """Above zero: more in the drawer than in the books."""
        return self.counted - self.expected


def expected_in(school_id: int, till_id: int) -> Vnd:
    """What the books say is in a drawer."""
    return ledger.balance(school_id, chart.cash(till_id))


def amount_of(notes: Mapping[int, int]) -> Vnd:
    """What notes come to; refuses a kind there is not and a number that is none."""
    if any(
        note not in NOTES or type(number) is not int or not 0 <= number <= _MOST_NOTES
        for note, number in notes.items()
    ):
        raise BadCount
    return Vnd(sum(note * number for note, number in notes.items()))


def count_till(
    school_id: int,
    till_id: int,
    notes: Mapping[int, int],
    *,
    reason: str,
    handed_to: str = "",
    kind: CountKind = CountKind.CLOSING,
    actor: audit.Actor,
    now: datetime,
) -> Count:
    """Keep a count; a difference to the books is booked with its reason.

    An opening begins the shift of who counts; the next count ends it. Refuses a foreign drawer,
    notes that are none, a difference without a reason of ten letters, and a shift at a drawer
    where one is open.
    Holds the school's postings, so that no payment comes in between. The caller commits.
    """
    own_school(school_id)
    if not scalar(
        "select count(*) from tills where school_id = :school_id and id = :id",
        school_id=school_id,
        id=till_id,
    ):
        raise NoTill
    if kind == CountKind.OPENING and shift_of(school_id, till_id):
        raise ShiftIsOpen
    counted = amount_of(notes)
    expected = expected_in(school_id, till_id)
    difference = counted - expected
    why = " ".join(nfc(reason).split())[:200] if difference else ""
    if difference and len(why) < 10:
        raise DifferenceUnexplained
    kept = {note: number for note, number in sorted(notes.items(), reverse=True) if number}
    values = {
        "id": next_id("till_counts"),
        "kind": kind,
        "counted": counted,
        "expected": expected,
        "reason": why,
        # Who opens a shift takes the drawer over; nobody else does.
        "handed_to": "" if kind == CountKind.OPENING else " ".join(nfc(handed_to).split())[:120],
        "counted_by": actor.name,
        "counted_at": now,
    }
    db.session.execute(
        insert(TillCount).values(
            school_id=school_id, till_id=till_id, notes=json.dumps(kept), **values
        )
    )
    if difference:
        drawer, gap = chart.cash(till_id), chart.TILL_DIFFERENCE
        pair = (
            ledger.Pair(drawer, gap, difference)
            if difference.dong > 0
            else ledger.Pair(gap, drawer, -difference)
        )
        event = ledger.Event("till_counted", "till_count", int(str(values["id"])), [pair])
        ledger.post(school_id, event, booked_on=clock.local_day(now), now=now)
    audit.record(
        "till.open" if kind == CountKind.OPENING else "till.count",
        f"till_count:{values['id']}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=why or "agrees",
    )
    return Count(**values, notes=kept)  # type: ignore[arg-type]


def shift_of(school_id: int, till_id: int) -> Count | None:
    """The count that opened the shift which goes on at a drawer, or None."""
    newest = next(iter(counts_of(school_id, till_id, limit=1)), None)
    return newest if newest and newest.kind == CountKind.OPENING else None


def counts_of(school_id: int, till_id: int, *, limit: int = 30) -> list[Count]:
    """The last counts of a drawer, the newest first."""
    found = rows(
        "select id, kind, counted, expected, reason, handed_to, counted_by, counted_at, notes"
        " from till_counts where school_id = :school_id and till_id = :till"
        " order by id desc limit :limit",
        types={"counted": VND, "expected": VND, "counted_at": MOMENT},
        school_id=school_id,
        till=till_id,
        limit=limit,
    )
    return [
        Count(
            **{
                **one._asdict(),
                "kind": CountKind(one.kind),
                "notes": {int(note): int(n) for note, n in json.loads(one.notes).items()},
            }
        )
        for one in found
    ]
