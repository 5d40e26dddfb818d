"""Terms and their history, the children whose term is over, and what stands in the way of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.core import clock
from app.core.db import DAY, MOMENT, in_chunks, row, rows
from app.journeys.retention.errors import RequestNotFound
from app.journeys.retention.models import Certainty, CountedFrom, Outcome, RecordKind, Term
from app.people import students
from app.people.schools import short_name_sql

#: accounts that say what is between a family and a school
OF_THE_CHILD = ("receivable", "credit", "refund_payable", "support_payable")

#: rows of children → those with something running in a room beside this one
Running = Callable[[Collection[int]], set[int]]
_running: list[Running] = []


def ask_for_running_transfers(source: Running) -> None:
    """Let a room beside say which children have a transfer that is not finished."""
    if source not in _running:
        _running.append(source)


# Terms


@dataclass(frozen=True, slots=True)
class TermRow:
    """How long a kind of record is kept, as one dated row says."""

    id: int
    kind: RecordKind
    term: Term
    years: int | None
    counted_from: CountedFrom
    act: str
    source: str
    certainty: Certainty
    valid_from: date
    valid_to: date | None
    set_by: str
    set_at: datetime

    def holds_on(self, day: date) -> bool:
        """Whether this is the row of that day."""
        return self.valid_from <= day and (self.valid_to is None or self.valid_to > day)


def terms() -> list[TermRow]:
    """Every row, by kind in the order of the page, newest first."""
    found = [
        TermRow(
            **{
                **term._mapping,
                "kind": RecordKind(term.kind),
                "term": Term(term.term),
                "counted_from": CountedFrom(term.counted_from),
                "certainty": Certainty(term.certainty),
            }
        )
        for term in rows(
            "select id, kind, term, years, counted_from, act, source, certainty, valid_from,"
            " valid_to, set_by, set_at from retention_terms order by valid_from desc, id desc",
            types={"valid_from": DAY, "valid_to": DAY, "set_at": MOMENT},
        )
    ]
    order = list(RecordKind)
    return sorted(found, key=lambda term: order.index(term.kind))


def years_after_leaving(day: date) -> int | None:
    """After how many years children may be made anonymous; None while nobody decided.

    A row known from memory only is to be checked first and counts as undecided.
    """
    for term in terms():
        if term.kind is RecordKind.PUPILS and term.holds_on(day):
            return None if term.certainty is Certainty.MEMORY else term.years
    return None


# Children


@dataclass(frozen=True, slots=True)
class Standing:
    """A child that is at no school, or is, and the first thing that stands in the way."""

    student_id: int
    code: str
    full_name: str
    school_id: int
    school: str
    left_on: date | None
    due_on: date | None
    #: None: may be forgotten
    obstacle: Outcome | None
    is_asked: bool


_CHILD = (
    " from enrolments e join students o on o.id = e.student_id"
    " join students s on s.id = coalesce(o.merged_into_id, o.id)"
)


def due(school_ids: Collection[int], today: date) -> list[Standing]:
    """Children whose last school is one of these and whose term is over, by school and day.

    Empty while nobody decided after how many years.
    """
    years = years_after_leaving(today)
    if years is None or not school_ids:
        return []
    ids = [
        child.id
        for child in rows(
            f"select s.id{_CHILD} where s.anonymised_at is null"
            " and s.id in (select coalesce(x.merged_into_id, x.id) from enrolments f"
            "  join students x on x.id = f.student_id where f.school_id in :schools)"
            " group by s.id having max(case when e.ends_on is null then 1 else 0 end) = 0"
            " and max(e.ends_on) <= :cutoff order by s.id",
            schools=list(school_ids),
            cutoff=clock.years_on(today, -years),
        )
    ]
    found = [one for one in standings(ids, today) if one.school_id in school_ids]
    return sorted(
        (one for one in found if one.due_on is not None and one.due_on <= today),
        key=lambda one: (one.school_id, one.due_on or today, one.student_id),
    )


def standings(student_ids: Iterable[int], today: date) -> list[Standing]:
    """What stands in the way of each child, asked for all at once; unknown ids give nothing."""
    years = years_after_leaving(today)
    found: list[Standing] = []
    for chunk in in_chunks(student_ids):
        found += _standings(chunk, years, today)
    return found


def _standings(ids: list[int], years: int | None, today: date) -> list[Standing]:
    child_of = students.rows_of(ids)
    if not child_of:
        return []
    children = {
        child.id: child
        for child in rows(
            "select id, code, full_name, verification, case when anonymised_at is null then 0"
            " else 1 end as is_gone from students where id in :ids",
            ids=list(child_of.values()),
        )
    }
    stays: dict[int, list[Any]] = {}
    for stay in rows(
        f"select s.id as child, e.school_id as school_id, {short_name_sql()} as school,"
        f" e.ends_on{_CHILD}"
        " where s.id in :ids order by case when e.ends_on is null then 1 else 0 end, e.ends_on,"
        " e.id",
        types={"ends_on": DAY},
        ids=list(children),
        today=today,
    ):
        stays.setdefault(stay.child, []).append(stay)
    with_money = _with_money(child_of)
    moving = {child_of[s] for source in _running for s in source(list(child_of)) if s in child_of}
    half_joined = _half_joined(list(child_of), child_of)
    asked = {
        child_of[one.student_id]
        for one in rows(
            "select c.student_id from forgetting_children c join forgetting_requests r"
            " on r.school_id = c.school_id and r.id = c.request_id and r.decided_at is null"
            " where c.student_id in :ids",
            ids=list(child_of),
        )
    }
    found = []
    for child in children.values():
        times = stays.get(child.id, [])
        if not times:
            continue
        last = times[-1]
        due_on = (
            clock.years_on(last.ends_on, years)
            if years is not None and last.ends_on is not None
            else None
        )
        obstacle: Outcome | None = None
        if child.is_gone:
            obstacle = Outcome.GONE
        elif last.ends_on is None or last.ends_on > today:
            obstacle = Outcome.ENROLLED
        elif child.id in moving:
            obstacle = Outcome.TRANSFER
        elif child.id in with_money:
            obstacle = Outcome.MONEY
        elif child.verification == students.Verification.WAITING:
            obstacle = Outcome.VERIFICATION
        elif child.id in half_joined:
            obstacle = Outcome.MERGE
        elif due_on is None or due_on > today:
            obstacle = Outcome.EARLY
        found.append(
            Standing(
                student_id=child.id,
                code=child.code,
                full_name=child.full_name,
                school_id=last.school_id,
                school=last.school or "",
                left_on=last.ends_on,
                due_on=due_on,
                obstacle=obstacle,
                is_asked=child.id in asked,
            )
        )
    return found


def _with_money(child_of: dict[int, int]) -> set[int]:
    """Children with an account that is not zero at some school."""
    sums: dict[tuple[int, int, str], int] = {}
    # By school, so that the index of entries by school and child is used.
    for school_id in schools_of(list(child_of)):
        for one in rows(
            "select e.student_id, a.code,"
            " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as balance"
            " from entries e join accounts a on a.school_id = e.school_id"
            "  and a.id in (e.debit_id, e.credit_id)"
            " where e.school_id = :school and e.student_id in :ids"
            " and (a.code in :codes or a.code like 'suspense:%')"
            " group by e.student_id, a.code",
            school=school_id,
            ids=list(child_of),
            codes=list(OF_THE_CHILD),
        ):
            key = (school_id, child_of[one.student_id], one.code)
            sums[key] = sums.get(key, 0) + int(one.balance)
    return {child for (_school, child, _code), balance in sums.items() if balance}


def schools_of(student_ids: Collection[int]) -> list[int]:
    """Schools where one of these rows was ever enrolled or asked for money, in order."""
    return sorted(
        {
            int(found.school)
            for chunk in in_chunks(student_ids)
            for found in rows(
                "select school_id as school from enrolments where student_id in :ids"
                " union select school_id from payment_requests where student_id in :ids",
                ids=chunk,
            )
        }
    )


def _half_joined(ids: list[int], child_of: dict[int, int]) -> set[int]:
    """Children one of whose joined records is not settled: forgotten alone, or led on by others."""
    return {
        child_of[one.parent]
        for one in rows(
            "select m.merged_into_id as parent from students m where m.merged_into_id in :ids"
            " and (m.anonymised_at is not null or exists (select 1 from students x"
            "  where x.merged_into_id = m.id))",
            ids=ids,
        )
    }


# Requests


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request with its counts."""

    id: int
    school_id: int
    school: str
    reason: str
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    approved: bool | None
    decided_by: str | None
    decided_at: datetime | None
    words: str
    children: int
    forgotten: int


def requests_of(school_ids: Collection[int], today: date) -> list[RequestRow]:
    """Requests of these schools: those to decide first, then the newest; 50 at most."""
    return _requests("e.school_id in :asked_for", list(school_ids), today) if school_ids else []


def _requests(which: str, values: list[int], today: date) -> list[RequestRow]:
    return [
        RequestRow(
            **{
                **one._mapping,
                "approved": None if one.approved is None else bool(one.approved),
                "forgotten": int(one.forgotten or 0),
            }
        )
        for one in rows(
            f"select e.id, e.school_id as school_id, {short_name_sql()} as school, e.reason,"
            " e.asked_by_id, e.asked_by, e.asked_at, e.approved, e.decided_by, e.decided_at,"
            " e.words,"
            " (select count(*) from forgetting_children c where c.school_id = e.school_id"
            "  and c.request_id = e.id) as children,"
            " (select count(*) from forgetting_children c where c.school_id = e.school_id"
            "  and c.request_id = e.id and c.outcome = 'forgotten') as forgotten"
            f" from forgetting_requests e where {which}"
            " order by case when e.decided_at is null then 0 else 1 end, e.id desc limit 50",
            types={"asked_at": MOMENT, "decided_at": MOMENT},
            asked_for=values,
            today=today,
        )
    ]


@dataclass(frozen=True, slots=True)
class RequestChild:
    """A child of a request: what became of it, or how it stands now."""

    code: str
    full_name: str
    left_on: date
    outcome: Outcome | None


def get_request(
    request_id: int, school_ids: Collection[int], today: date
) -> tuple[RequestRow, list[RequestChild]]:
    """A request of one of these schools with its children; else RequestNotFound."""
    at = row("select school_id as school from forgetting_requests where id = :id", id=request_id)
    if at is None or at.school not in school_ids:
        raise RequestNotFound
    found = _requests("e.id in :asked_for", [request_id], today)[0]
    listed = rows(
        "select s.id, s.code, s.full_name, c.left_on, c.outcome from forgetting_children c"
        " join students s on s.id = c.student_id where c.school_id = :school"
        " and c.request_id = :id order by c.left_on, c.id",
        types={"left_on": DAY},
        school=at.school,
        id=request_id,
    )
    now = (
        {one.student_id: one.obstacle for one in standings([c.id for c in listed], today)}
        if found.decided_at is None
        else {}
    )
    return found, [
        RequestChild(
            child.code,
            child.full_name,
            child.left_on,
            Outcome(child.outcome) if child.outcome else now.get(child.id),
        )
        for child in listed
    ]
