"""Transfers to and from a school, one of them whole, and the money that stays at the old school."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core import clock
from app.core.db import DAY, MOMENT, rows
from app.core.money import ZERO, Vnd
from app.core.period import Period
from app.journeys.transfers.duties import WORKING_DAYS
from app.journeys.transfers.errors import TransferNotFound
from app.journeys.transfers.states import RUNNING, PaperKind, State
from app.money import billing
from app.people.schools import Calendar, calendar, short_name_sql
from app.people.students import Sex


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A transfer in a list; what is shown of the child is what both schools need."""

    id: int
    to_school_id: int
    to_school: str
    from_school_id: int
    from_school: str
    from_enrolment_id: int
    student_id: int
    code: str
    full_name: str
    birth_date: date
    sex: Sex
    class_name: str
    wished_on: date
    reason: str
    state: State
    state_words: str
    state_at: datetime
    state_by: str
    #: the first day at the new school, once handed over
    first_day: date | None
    new_enrolment_id: int | None
    #: whether the new school has found a class
    is_placed: bool
    #: the last day for the next step
    due_on: date

    @property
    def is_running(self) -> bool:
        """Whether somebody still has to act."""
        return self.state in RUNNING or (self.state is State.HANDED_OVER and not self.is_placed)

    def waits_for(self, school_id: int) -> bool:
        """Whether the next step is this school's."""
        if self.state is State.ACCEPTED:
            return school_id == self.from_school_id
        return self.is_running and school_id == self.to_school_id


_ROWS = (
    "select t.id, t.school_id as to_school_id, "
    + short_name_sql("t.school_id")
    + " as to_school, t.from_school_id, "
    + short_name_sql("t.from_school_id")
    + " as from_school, t.from_enrolment_id, s.id as student_id, s.code, s.full_name,"
    " s.birth_date, s.sex, coalesce((select c.name from placements p join classes c"
    "  on c.id = p.class_id where p.school_id = t.from_school_id"
    "  and p.enrolment_id = t.from_enrolment_id order by p.starts_on desc limit 1), '')"
    "  as class_name, t.wished_on, t.reason, q.state, q.words as state_words, q.at as state_at,"
    " q.actor as state_by, q.day as first_day, q.enrolment_id as new_enrolment_id,"
    " case when exists (select 1 from placements p where p.school_id = t.school_id"
    "  and p.enrolment_id = q.enrolment_id) then 1 else 0 end as is_placed"
    " from transfers t join transfer_steps q on q.id = (select max(x.id) from transfer_steps x"
    "  where x.transfer_id = t.id)"
    " join students o on o.id = t.student_id"
    " join students s on s.id = coalesce(o.merged_into_id, o.id)"
)
_TYPES = {
    "birth_date": DAY,
    "wished_on": DAY,
    "state_at": MOMENT,
    "first_day": DAY,
}


def _row(found: Any, days: Calendar) -> TransferRow:
    values = found._asdict()
    values["due_on"] = days.due_after(clock.local_day(values["state_at"]), WORKING_DAYS)
    values["sex"] = Sex(values["sex"])
    values["state"] = State(values["state"])
    values["is_placed"] = bool(values["is_placed"])
    values["to_school"] = values["to_school"] or ""
    values["from_school"] = values["from_school"] or ""
    return TransferRow(**values)


def list_transfers(school_id: int, today: date) -> list[TransferRow]:
    """Transfers to and from the school: what waits first, by its last day, then the newest."""
    days = calendar()
    found = [
        _row(transfer, days)
        for transfer in rows(
            f"{_ROWS} where t.school_id = :school_id or t.from_school_id = :school_id"
            " order by t.id desc limit 300",
            types=_TYPES,
            school_id=school_id,
            today=today,
        )
    ]
    far = date.max
    return sorted(found, key=lambda t: (not t.is_running, t.due_on if t.is_running else far, -t.id))


def count_waiting(school_id: int, today: date) -> int:
    """How many transfers wait for this school."""
    return sum(transfer.waits_for(school_id) for transfer in list_transfers(school_id, today))


def running_at(school_ids: Collection[int], today: date) -> dict[int, tuple[int, int]]:
    """Transfers inside the area that wait for each school: how many, and how many are overdue."""
    found: dict[int, tuple[int, int]] = {}
    days = calendar()
    for one in rows(
        f"{_ROWS} where t.school_id in :schools or t.from_school_id in :schools",
        types=_TYPES,
        schools=list(school_ids),
        today=today,
    ):
        transfer = _row(one, days)
        for school_id in (transfer.to_school_id, transfer.from_school_id):
            if transfer.waits_for(school_id):
                waiting, overdue = found.get(school_id, (0, 0))
                found[school_id] = waiting + 1, overdue + (transfer.due_on < today)
    return found


def get_transfer(school_id: int, transfer_id: int, today: date) -> TransferRow:
    """A transfer to or from the school, else TransferNotFound."""
    found = rows(
        f"{_ROWS} where t.id = :id and (t.school_id = :school_id or t.from_school_id = :school_id)",
        types=_TYPES,
        id=transfer_id,
        school_id=school_id,
        today=today,
    )
    if not found:
        raise TransferNotFound
    return _row(found[0], calendar())


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken."""

    state: State
    words: str
    actor: str
    at: datetime


def steps_of(transfer_id: int) -> list[Step]:
    """All steps, the first one first."""
    return [
        Step(State(step.state), step.words, step.actor, step.at)
        for step in rows(
            "select state, words, actor, at from transfer_steps where transfer_id = :id"
            " order by id",
            types={"at": MOMENT},
            id=transfer_id,
        )
    ]


def papers_of(transfer_id: int) -> set[PaperKind]:
    """The papers that lie ready or went along."""
    return {
        PaperKind(paper.kind)
        for paper in rows(
            "select kind from transfer_papers where transfer_id = :id", id=transfer_id
        )
    }


def open_between(school_ids: Collection[int], day: date) -> dict[int, int]:
    """How many transfers out of each school are still running; for the turn of the year."""
    found: dict[int, int] = {}
    for transfer in rows(
        "select t.from_school_id as school, count(*) as running from transfers t"
        " join transfer_steps q on q.id = (select max(x.id) from transfer_steps x"
        "  where x.transfer_id = t.id) where q.state in :running"
        " and t.from_school_id in :schools and t.wished_on <= :day group by t.from_school_id",
        running=[state.value for state in RUNNING],
        schools=list(school_ids),
        day=day,
    ):
        found[transfer.school] = int(transfer.running)
    return found


# Money, which stays


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill of the old school with something left to pay."""

    id: int
    period: Period
    total: Vnd
    open: Vnd
    due_on: date


@dataclass(frozen=True, slots=True)
class Insured:
    """Months of compulsory health insurance that were billed; they stay with the child."""

    name: str
    quantity: int
    period: Period
    amount: Vnd
    is_paid: bool


@dataclass(frozen=True, slots=True)
class MoneyLeft:
    """What the old school and the family still have with each other."""

    bills: list[OpenBill]
    credit: Vnd
    insured: list[Insured]

    @property
    def open(self) -> Vnd:
        """All that is left to pay."""
        return sum((bill.open for bill in self.bills), ZERO)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is open in either direction."""
        return not self.open and not self.credit


def money_left(school_id: int, student_id: int) -> MoneyLeft:
    """Open bills, credit and running insurance of a child at one school."""
    invoices = billing.invoices_of(school_id, student_id)
    lines = billing.lines_of(school_id, [invoice.id for invoice in invoices])
    return MoneyLeft(
        bills=[
            OpenBill(i.id, i.billed_period, i.total, i.open, i.due_on)
            for i in invoices
            if i.open > ZERO
        ],
        credit=billing.credits_of(school_id, [student_id]).get(student_id, ZERO),
        insured=[
            Insured(line.name, line.quantity, line.service_period, line.amount, not line.open)
            for line in lines
            if line.category == "collect_for" and line.is_compulsory and line.amount > ZERO
        ],
    )
