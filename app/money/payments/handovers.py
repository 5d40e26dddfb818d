"""The paper of a drawer handed over: the receipts of the shift, the notes, and who signs (E10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core import clock
from app.core.db import MOMENT, VND, row, rows, scalar
from app.core.errors import NotFound
from app.core.money import Vnd, total_of


class CountNotFound(NotFound):
    """The school has no such count."""

    code = "till_count_not_found"


@dataclass(frozen=True, slots=True)
class CashLine:
    """Money that moved through the drawer since the count before; below zero it left."""

    at: datetime
    #: receipt's number, slip's number
    paper: str
    #: whose bill, or who brought it to the bank
    whose: str
    amount: Vnd
    is_banked: bool = False


@dataclass(frozen=True, slots=True)
class Handover:
    """A count as a voucher: what came in since the one before, and what lay in the drawer."""

    #: the place of the count among those of its till and year
    number: int
    till: str
    form_number: str
    circular: str
    counted_by: str
    handed_to: str
    counted_at: datetime
    #: the count before, None when there was none
    since: datetime | None
    carried: Vnd
    lines: tuple[CashLine, ...]
    notes: Mapping[int, int]
    counted: Vnd
    expected: Vnd
    reason: str

    @property
    def year(self) -> int:
        """The year its number belongs to."""
        return clock.local_day(self.counted_at).year

    @property
    def received(self) -> Vnd:
        """What came in and went out since the count before."""
        return total_of([line.amount for line in self.lines])

    @property
    def difference(self) -> Vnd:
        """Above zero: more in the drawer than in the books."""
        return self.counted - self.expected

    @property
    def other(self) -> Vnd:
        """What moved the drawer's books and is no line of the list, as money given back."""
        return self.expected - self.carried - self.received


def handover(school_id: int, count_id: int) -> Handover:
    """The voucher of a count. Raises CountNotFound."""
    count = row(
        "select c.id, c.till_id, t.name, c.counted, c.expected, c.reason, c.handed_to,"
        " c.counted_by, c.counted_at, c.notes from till_counts c"
        " join tills t on t.school_id = c.school_id and t.id = c.till_id"
        " where c.school_id = :school_id and c.id = :id",
        types={"counted": VND, "expected": VND, "counted_at": MOMENT},
        school_id=school_id,
        id=count_id,
    )
    if count is None:
        raise CountNotFound
    before = row(
        "select counted, counted_at from till_counts where school_id = :school_id"
        " and till_id = :till and id < :id order by id desc limit 1",
        types={"counted": VND, "counted_at": MOMENT},
        school_id=school_id,
        till=count.till_id,
        id=count_id,
    )
    year = clock.local_day(count.counted_at).replace(month=1, day=1)
    number = scalar(
        "select count(*) from till_counts where school_id = :school_id and till_id = :till"
        " and id <= :id and counted_at >= :start",
        school_id=school_id,
        till=count.till_id,
        id=count_id,
        start=clock.start_of(year),
    )
    form = row(
        "select form_number, circular from receipt_forms where kind = 'cash_handover'"
        " and valid_from <= :day and (valid_to is null or valid_to > :day)"
        " order by valid_from desc limit 1",
        day=clock.local_day(count.counted_at),
    )
    return Handover(
        number=int(number),
        till=count.name,
        form_number=form.form_number if form else "",
        circular=form.circular if form else "",
        counted_by=count.counted_by,
        handed_to=count.handed_to,
        counted_at=count.counted_at,
        since=before.counted_at if before else None,
        carried=before.counted if before else Vnd(0),
        lines=_lines(
            school_id, count.till_id, before.counted_at if before else None, count.counted_at
        ),
        notes={int(note): int(n) for note, n in json.loads(count.notes).items()},
        counted=count.counted,
        expected=count.expected,
        reason=count.reason,
    )


def _lines(
    school_id: int, till_id: int, since: datetime | None, until: datetime
) -> tuple[CashLine, ...]:
    span = {"since": since or datetime.min.replace(year=1970, tzinfo=UTC), "until": until}
    taken = rows(
        "select p.id, p.received_at, p.amount, p.payer,"
        " r.series, r.number,"
        " (select min(s.full_name) from v_matching m join students s on s.id = m.student_id"
        "  where m.school_id = p.school_id and m.payment_id = p.id) as child"
        " from payments p left join receipts r on r.school_id = p.school_id and r.id ="
        "  (select min(x.id) from receipts x where x.school_id = p.school_id"
        "   and x.payment_id = p.id)"
        " where p.school_id = :school_id and p.till_id = :till"
        " and p.received_at > :since and p.received_at <= :until order by p.id",
        types={"received_at": MOMENT, "amount": VND},
        school_id=school_id,
        till=till_id,
        **span,
    )
    banked = rows(
        "select d.deposited_at, d.amount, d.slip, d.deposited_by from cash_deposits d"
        " where d.school_id = :school_id and d.till_id = :till and d.deposited_at > :since"
        " and d.deposited_at <= :until order by d.id",
        types={"deposited_at": MOMENT, "amount": VND},
        school_id=school_id,
        till=till_id,
        **span,
    )
    found = [
        CashLine(
            one.received_at,
            f"{one.series} / {one.number:06d}" if one.series else "",
            one.child or one.payer,
            one.amount,
        )
        for one in taken
    ]
    found += [
        CashLine(one.deposited_at, one.slip, one.deposited_by, -one.amount, is_banked=True)
        for one in banked
    ]
    return tuple(sorted(found, key=lambda line: line.at))
