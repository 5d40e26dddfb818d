"""A day as it stands: books beside bank, drawer and providers, and what does not agree (M17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from app.core.clock import local_day
from app.core.db import DAY, MOMENT, row, rows, scalar
from app.core.money import Vnd
from app.money import ledger

#: accounts that must come back to zero, and what lies in them
IN_TRANSIT: Final = {
    "deposit:": "deposit",
    "clearing:": "clearing",
    "suspense:": "suspense",
    "payout:": "payout",
    "transit": "transit",
    "interschool:": "interschool",
    "refund_payable": "refund_payable",
    "support_payable": "support_payable",
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that does not agree: in transit with its age, or in need of a reason."""

    key: str
    #: gap, missing, waits, unnamed, till, or one of IN_TRANSIT
    kind: str
    #: what it lies in, as people know it
    place: str
    amount: int
    count: int
    #: ISO day of its oldest đồng, empty when it has none
    since: str
    needs_reason: bool
    reason: str = ""

    def age(self, day: date) -> int:
        """Days at the end of a day."""
        return (day - date.fromisoformat(self.since)).days if self.since else 0


@dataclass(frozen=True, slots=True)
class BankSide:
    """One account of the school with those that report through it."""

    account_id: int
    number: str
    book: int
    #: what the bank's file says at the end of the day, None without one
    statement: int | None
    #: ISO day up to which statements tell, empty without any
    told_until: str
    #: on the account before Sổ Thu, by this day's reckoning
    before: int | None


@dataclass(frozen=True, slots=True)
class TillSide:
    """One drawer."""

    till_id: int
    name: str
    book: int
    #: ISO day of the last count, empty without one
    counted_on: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An account that moved on the day."""

    account: str
    opening: int
    debit: int
    credit: int
    closing: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Everything the closing of a day freezes; whole numbers of đồng."""

    day: str
    banks: tuple[BankSide, ...]
    tills: tuple[TillSide, ...]
    items: tuple[Item, ...]
    moved: tuple[Moved, ...]

    @property
    def unexplained(self) -> list[Item]:
        """What still needs a reason."""
        return [item for item in self.items if item.needs_reason and not item.reason]

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


@dataclass(slots=True)
class _Working:
    banks: list[BankSide] = field(default_factory=list)
    tills: list[TillSide] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


def read_figures(kept: dict[str, Any]) -> DayFigures:
    """What was frozen, as it was."""
    return DayFigures(
        day=kept["day"],
        banks=tuple(BankSide(**one) for one in kept["banks"]),
        tills=tuple(TillSide(**one) for one in kept["tills"]),
        items=tuple(Item(**one) for one in kept["items"]),
        moved=tuple(Moved(**one) for one in kept["moved"]),
    )


def figures_of(school_id: int, day: date, *, before: dict[int, int | None]) -> DayFigures:
    """A day as it stands now; `before` is what lay on each account before Sổ Thu, as last closed.

    Reads only; set-based, whatever the day holds.
    """
    turnovers = ledger.turnovers(school_id, day, day)
    held = {one.account: one.closing.dong for one in turnovers}
    work = _Working()
    for account in rows(
        "select id, number from bank_accounts where school_id = :school_id and parent_id is null"
        " and opened_on <= :day order by id",
        school_id=school_id,
        day=day,
    ):
        _bank(school_id, account.id, account.number, day, held, before, work)
    for till in rows(
        "select id, name from tills where school_id = :school_id order by id", school_id=school_id
    ):
        _till(school_id, till.id, till.name, day, held.get(f"cash:{till.id}", 0), work)
    places = _places(school_id)
    for prefix, kind in IN_TRANSIT.items():
        for aged in ledger.aged(school_id, prefix, until=day):
            work.items.append(
                Item(
                    key=aged.account,
                    kind=kind,
                    place=places.get(aged.account, ""),
                    amount=abs(aged.balance.dong),
                    count=0,
                    since=aged.since.isoformat() if aged.since else "",
                    needs_reason=False,
                )
            )
    return DayFigures(
        day.isoformat(),
        tuple(work.banks),
        tuple(work.tills),
        tuple(work.items),
        tuple(
            Moved(
                one.account,
                one.opening.dong,
                one.debit.dong,
                one.credit.dong,
                one.closing.dong,
            )
            for one in turnovers
            if one.debit or one.credit
        ),
    )


def _places(school_id: int) -> dict[str, str]:
    """Our codes of places, with what people call them."""
    found: dict[str, str] = {}
    for one in rows(
        "select id, number from bank_accounts where school_id = :school_id", school_id=school_id
    ):
        for kind in ("deposit", "suspense", "payout"):
            found[f"{kind}:{one.id}"] = one.number
    for one in rows(
        "select id, provider from channels where school_id = :school_id", school_id=school_id
    ):
        found[f"clearing:{one.id}"] = one.provider
        found[f"suspense:channel:{one.id}"] = one.provider
    for one in rows(
        "select s.id, u.name from schools s join organisation_units u on u.id = s.unit_id"
        " where exists (select 1 from accounts a where a.school_id = :school_id"
        "  and a.code = 'interschool:' || cast(s.id as varchar(20)))",
        school_id=school_id,
    ):
        found[f"interschool:{one.id}"] = one.name
    return found


def _bank(
    school_id: int,
    account_id: int,
    number: str,
    day: date,
    held: dict[str, int],
    before: dict[int, int | None],
    work: _Working,
) -> None:
    ids = [
        account_id,
        *(
            one.id
            for one in rows(
                "select id from bank_accounts where school_id = :school_id and parent_id = :id",
                school_id=school_id,
                id=account_id,
            )
        ),
    ]
    book = sum(held.get(f"bank:{one}", 0) for one in ids)
    told = _told(school_id, account_id, day)
    groups = _unproved(school_id, ids, day)
    waits: list[tuple[date, int, int]] = []
    missing: list[tuple[date, int, int]] = []
    for value_on, count, amount in groups:
        is_told = any(first <= value_on <= last for first, last in told.spans)
        (missing if is_told else waits).append((value_on, count, amount))
    for kind, found in (("waits", waits), ("missing", missing)):
        if found:
            work.items.append(
                Item(
                    key=f"{kind}:{account_id}",
                    kind=kind,
                    place=number,
                    amount=sum(amount for _day, _count, amount in found),
                    count=sum(count for _day, count, _amount in found),
                    since=min(value_on for value_on, _count, _amount in found).isoformat(),
                    needs_reason=kind == "missing",
                )
            )
    rest = _unnamed(school_id, account_id, day)
    if rest.count:
        work.items.append(
            Item(
                key=f"unnamed:{account_id}",
                kind="unnamed",
                place=number,
                amount=rest.credits - rest.debits,
                count=rest.count,
                since=rest.since.isoformat(),
                needs_reason=True,
            )
        )
    lay_before: int | None = None
    if told.balance is not None:
        late = _late(school_id, account_id, day)
        # Days no file tells of, before its end, lie in the balance it begins with.
        unproved = sum(amount for value_on, _count, amount in missing) + sum(
            amount for value_on, _count, amount in waits if told.until and value_on > told.until
        )
        lay_before = told.balance - book - (rest.credits - rest.debits) - late + unproved
        known = before.get(account_id)
        if lay_before != (known or 0):
            work.items.append(
                Item(
                    key=f"gap:{account_id}",
                    kind="gap",
                    place=number,
                    amount=lay_before - (known or 0),
                    count=0,
                    since="",
                    needs_reason=True,
                )
            )
    work.banks.append(
        BankSide(
            account_id,
            number,
            book,
            told.balance,
            told.until.isoformat() if told.until else "",
            lay_before,
        )
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What the bank's files say of an account at the end of a day."""

    balance: int | None
    until: date | None
    #: first and last day of each file
    spans: tuple[tuple[date, date], ...]


def _told(school_id: int, account_id: int, day: date) -> _Told:
    spans = tuple(
        (one.first_on, one.last_on)
        for one in rows(
            "select first_on, last_on from statements where school_id = :school_id"
            " and bank_account_id = :account order by id",
            types={"first_on": DAY, "last_on": DAY},
            school_id=school_id,
            account=account_id,
        )
    )
    until = max((last for _first, last in spans), default=None)
    last = row(
        "select balance from statement_rows where school_id = :school_id"
        " and bank_account_id = :account and value_on <= :day and balance is not null"
        " order by value_on desc, id desc limit 1",
        school_id=school_id,
        account=account_id,
        day=day,
    )
    # A day no file tells of has no balance to hold against.
    if last is None or until is None or not any(first <= day <= end for first, end in spans):
        return _Told(None, until, spans)
    return _Told(int(last.balance), until, spans)


def _unproved(school_id: int, ids: Sequence[int], day: date) -> list[tuple[date, int, int]]:
    """Money in the books of the account that no row proves yet: day of the bank, count, sum."""
    found = rows(
        "select p.value_on, count(*) as number, sum(p.amount - coalesce((select sum(r.amount)"
        "  from reversals r join ledger_events v on v.school_id = r.school_id and v.id = r.event_id"
        "  where r.school_id = p.school_id and r.payment_id = p.id and v.booked_on <= :day"
        "  and not exists (select 1 from statement_findings g where g.school_id = r.school_id"
        "   and g.payment_id = r.payment_id and g.finding = 'reversal')), 0))"
        "  as amount from payments p"
        " where p.school_id = :school_id and p.bank_account_id in :ids and p.proof = 'account'"
        " and p.booked_on <= :day and not exists (select 1 from statement_findings f"
        "  join statement_rows s on s.school_id = f.school_id and s.id = f.row_id"
        "  where f.school_id = p.school_id and f.payment_id = p.id and f.finding <> 'reversal'"
        "  and s.value_on <= :day) group by p.value_on order by p.value_on",
        types={"value_on": DAY},
        school_id=school_id,
        ids=list(ids),
        day=day,
    )
    return [(one.value_on, int(one.number), int(one.amount)) for one in found if one.amount]


@dataclass(frozen=True, slots=True)
class _Rest:
    """Rows of statements nothing in the books explains."""

    count: int
    credits: int
    debits: int
    since: date


def _unnamed(school_id: int, account_id: int, day: date) -> _Rest:
    found = row(
        "select count(*) as number, min(r.value_on) as since,"
        " coalesce(sum(case when r.is_credit then r.amount else 0 end), 0) as credits,"
        " coalesce(sum(case when r.is_credit then 0 else r.amount end), 0) as debits"
        " from statement_rows r where r.school_id = :school_id and r.bank_account_id = :account"
        " and r.value_on <= :day and not exists (select 1 from statement_findings f"
        "  where f.school_id = r.school_id and f.row_id = r.id)"
        " and not exists (select 1 from v_movement m where m.school_id = r.school_id"
        "  and m.cause_kind = 'statement_row' and m.cause_id = r.id)",
        types={"since": DAY},
        school_id=school_id,
        account=account_id,
        day=day,
    )
    assert found is not None  # noqa: S101 - an aggregate always gives a row
    return _Rest(int(found.number), int(found.credits), int(found.debits), found.since or day)


def _late(school_id: int, account_id: int, day: date) -> int:
    """Rows of the day or before that were booked after it: in less out."""
    value = scalar(
        "select coalesce(sum(case when r.is_credit then r.amount else -r.amount end), 0)"
        " from statement_rows r where r.school_id = :school_id and r.bank_account_id = :account"
        " and r.value_on <= :day and (exists (select 1 from statement_findings f"
        "   join payments p on p.school_id = f.school_id and p.id = f.payment_id"
        "   where f.school_id = r.school_id and f.row_id = r.id and f.finding <> 'reversal'"
        "   and p.booked_on > :day)"
        "  or exists (select 1 from statement_findings f join reversals b"
        "    on b.school_id = f.school_id and b.payment_id = f.payment_id and b.kind = 'bank'"
        "    and b.external_id = r.key join ledger_events v on v.school_id = b.school_id"
        "    and v.id = b.event_id where f.school_id = r.school_id and f.row_id = r.id"
        "   and f.finding = 'reversal' and v.booked_on > :day)"
        "  or exists (select 1 from v_movement m join ledger_events v on v.school_id = m.school_id"
        "   and v.id = m.event_id where m.school_id = r.school_id"
        "   and m.cause_kind = 'statement_row' and m.cause_id = r.id and v.booked_on > :day))",
        school_id=school_id,
        account=account_id,
        day=day,
    )
    return int(value)


def _till(school_id: int, till_id: int, name: str, day: date, book: int, work: _Working) -> None:
    last = row(
        "select max(v.booked_on) as day, max(v.posted_at) as moment from accounts a join entries e"
        " on e.school_id = a.school_id and a.id in (e.debit_id, e.credit_id)"
        " join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        " where a.school_id = :school_id and a.code = :code and v.booked_on <= :day",
        types={"day": DAY, "moment": MOMENT},
        school_id=school_id,
        code=f"cash:{till_id}",
        day=day,
    )
    counts = rows(
        "select counted_at from till_counts where school_id = :school_id and till_id = :till"
        " order by id desc limit 1",
        types={"counted_at": MOMENT},
        school_id=school_id,
        till=till_id,
    )
    counted = max((one.counted_at for one in counts), default=None)
    day_of_count = local_day(counted).isoformat() if counted else ""
    work.tills.append(TillSide(till_id, name, book, day_of_count))
    if book and last is not None and last.day is not None:
        work.items.append(
            Item(
                key=f"till:{till_id}",
                kind="till",
                place=name,
                amount=book,
                count=0,
                since=last.day.isoformat(),
                # Notes taken after the count were not counted.
                needs_reason=counted is None or counted < last.moment,
            )
        )


def total_of(items: Sequence[Item]) -> Vnd:
    """The sum of items, each as far from zero as it is."""
    return Vnd(sum(abs(item.amount) for item in items))
