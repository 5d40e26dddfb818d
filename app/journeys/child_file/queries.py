"""What is kept of a child over the years, in a fixed number of questions.

The school where the child is now sees every school where it was, with classes and years; a school
it has left sees its own. Bills, receipts and credit are those of the school that asks, for what a
family owes elsewhere is no business of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.core.db import DAY, MOMENT, VND, rows
from app.core.money import ZERO, Vnd, total_of
from app.money import billing
from app.money.billing import children
from app.people import students
from app.people.schools import short_name_sql
from app.people.students import queries as people
from app.people.students.history import Change, changes_of
from app.people.students.money import ChildBill, Relief
from app.people.students.queries import StudentPage


@dataclass(frozen=True, slots=True)
class ClassSpan:
    """Days in one class, or at a school without a class."""

    year: str
    class_name: str
    school_name: str
    is_own: bool
    starts_on: date
    ends_on: date | None
    #: why the stay ended; empty while it lasts or where only the class changed
    end_reason: str


@dataclass(frozen=True, slots=True)
class Paper:
    """A receipt in which money of the child stands."""

    id: int
    series: str
    number: int
    issued_at: datetime
    amount: Vnd
    state: str

    @property
    def name(self) -> str:
        """Series and number as printed."""
        return f"{self.series} / {self.number:06d}"


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """The bills of one school year."""

    name: str
    bills: tuple[ChildBill, ...]

    @property
    def billed(self) -> Vnd:
        """All that was billed, less what was given back."""
        return total_of([bill.total for bill in self.bills])

    @property
    def open(self) -> Vnd:
        """What is still to be paid."""
        return total_of([bill.open for bill in self.bills])


@dataclass(frozen=True, slots=True)
class ChildFile:
    """One child, all years."""

    child: StudentPage
    old_codes: tuple[str, ...]
    spans: tuple[ClassSpan, ...]
    changes: tuple[Change, ...]
    reliefs: tuple[Relief, ...]
    years: tuple[SchoolYear, ...]
    papers: tuple[Paper, ...]
    credit: Vnd
    #: whether the asker may see money at all
    has_money: bool

    @property
    def billed(self) -> Vnd:
        """Over all years."""
        return total_of([year.billed for year in self.years])

    @property
    def open(self) -> Vnd:
        """Over all years."""
        return total_of([year.open for year in self.years])


def child_file(school_id: int, code: str, today: date, *, with_money: bool) -> ChildFile:
    """The file of a child with a stay within the scope; else StudentNotFound."""
    child = people.get_student(code, today)
    own = list(students.rows_of([child.id]))
    is_here = any(
        stay.school_id == school_id and (stay.ends_on is None or stay.ends_on > today)
        for stay in child.stays
    )
    return ChildFile(
        child=child,
        old_codes=tuple(_old_codes(child.id)),
        spans=tuple(span for span in _spans(school_id, own, today) if is_here or span.is_own),
        changes=tuple(_changes(own, school_id)),
        reliefs=tuple(children.reliefs(school_id, _stays(school_id, own))) if with_money else (),
        years=tuple(_years(children.bills(school_id, child.id))) if with_money else (),
        papers=tuple(_papers(school_id, own)) if with_money else (),
        credit=billing.credits_of(school_id, own).get(child.id, ZERO) if with_money else ZERO,
        has_money=with_money,
    )


def _old_codes(student_id: int) -> list[str]:
    found = rows(
        "select code from students where merged_into_id = :student order by code",
        student=student_id,
    )
    return [old.code for old in found]


def _spans(school_id: int, student_ids: Collection[int], today: date) -> list[ClassSpan]:
    found = rows(
        "select coalesce(y.code, '') as year, coalesce(c.name, '') as class_name, "
        f" {short_name_sql()} as school_name,"
        " e.school_id, coalesce(p.starts_on, e.starts_on) as starts_on,"
        " coalesce(p.ends_on, e.ends_on) as ends_on, e.ends_on as left_on, e.end_reason"
        " from enrolments e"
        " left join placements p on p.school_id = e.school_id and p.enrolment_id = e.id"
        " left join classes c on c.id = p.class_id"
        " left join school_years y on y.id = c.school_year_id"
        " where e.student_id in :students order by coalesce(p.starts_on, e.starts_on), e.id, p.id",
        types={"starts_on": DAY, "ends_on": DAY, "left_on": DAY},
        students=list(student_ids),
        today=today,
    )
    return [
        ClassSpan(
            year=span.year,
            class_name=span.class_name,
            school_name=span.school_name,
            is_own=span.school_id == school_id,
            starts_on=span.starts_on,
            ends_on=span.ends_on,
            end_reason=(span.end_reason or "")
            if span.left_on is not None and span.ends_on == span.left_on
            else "",
        )
        for span in found
    ]


def _stays(school_id: int, student_ids: Collection[int]) -> list[int]:
    found = rows(
        "select id from enrolments where school_id = :school_id and student_id in :students",
        school_id=school_id,
        students=list(student_ids),
    )
    return [stay.id for stay in found]


def _changes(student_ids: Collection[int], school_id: int) -> list[Change]:
    changes = (change for row in student_ids for change in changes_of(row, school_id))
    return sorted(changes, key=lambda change: change.at)


def _years(bills: Sequence[ChildBill]) -> list[SchoolYear]:
    by_year: dict[int, list[ChildBill]] = {}
    for bill in sorted(bills, key=lambda one: (one.period.number, one.seq)):
        # A school year's bills begin in August.
        first = bill.period.year - (bill.period.month < 8)
        by_year.setdefault(first, []).append(bill)
    return [SchoolYear(f"{first}–{first + 1}", tuple(found)) for first, found in by_year.items()]


def _papers(school_id: int, student_ids: Collection[int]) -> list[Paper]:
    found = rows(
        "select r.receipt_id, r.series, r.number, r.issued_at, r.amount, r.state from v_receipt r"
        " where r.school_id = :school_id and r.payment_id in (select v.cause_id from entries e"
        "  join ledger_events v on v.school_id = e.school_id and v.id = e.event_id"
        "  and v.cause_kind = 'payment'"
        "  where e.school_id = :school_id and e.student_id in :students)"
        " order by r.receipt_id",
        types={"issued_at": MOMENT, "amount": VND},
        school_id=school_id,
        students=list(student_ids),
    )
    return [Paper(*paper) for paper in found]
