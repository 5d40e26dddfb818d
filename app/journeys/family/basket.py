"""One page for all children of a family: a sum and one QR for each receiving account (M7)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.core import scope
from app.core.db import enter_scope, rows
from app.core.money import ZERO, Vnd, total_of
from app.money import billing
from app.money.billing import vietqr
from app.people import students
from app.people.schools import AccountInfo, SchoolInfo, get_account, school_info

#: two references and a blank are what the 25 signs of a transfer text hold
CODES_IN_ONE_QR: Final = 2


@dataclass(frozen=True, slots=True)
class Part:
    """What one child owes to one account."""

    request: billing.Request
    full_name: str
    school: SchoolInfo
    account: AccountInfo
    due: Vnd


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer that pays for one or two children."""

    parts: tuple[Part, ...]

    @property
    def account(self) -> AccountInfo:
        """Where it goes."""
        return self.parts[0].account

    @property
    def school(self) -> SchoolInfo:
        """Whose account it is."""
        return self.parts[0].school

    @property
    def amount(self) -> Vnd:
        """What the children owe together."""
        return total_of([part.due for part in self.parts])

    @property
    def text(self) -> str:
        """The transfer text: by it the money finds each child."""
        return " ".join(part.request.reference for part in self.parts)

    @property
    def qr_text(self) -> str:
        """What stands in the QR."""
        return vietqr.build(self.account.bank_bin, self.account.number, self.amount, self.text)


@dataclass(frozen=True, slots=True)
class Basket:
    """What a family owes, over all its children and schools."""

    parts: tuple[Part, ...]
    #: ids of the requests the family wants to pay now
    chosen: frozenset[int]
    transfers: tuple[Transfer, ...]

    @property
    def total(self) -> Vnd:
        """What the chosen parts come to."""
        return total_of([transfer.amount for transfer in self.transfers])

    @property
    def mark(self) -> str:
        """Changes as soon as something of it is paid or billed."""
        text = ";".join(f"{part.request.id}:{part.due.dong}" for part in self.parts)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def guardians_by_ending(student_id: int, digits: str, day: date) -> list[int]:
    """The guardians of a child whose phone ends with four digits."""
    return [
        found.id
        for found in rows(
            "select g.id from guardianships r join guardians g on g.id = r.guardian_id"
            " where r.student_id = :student and g.phone like :ending and r.starts_on <= :day"
            " and (r.ends_on is null or r.ends_on > :day) order by g.id",
            student=student_id,
            ending=f"%{digits}",
            day=day,
        )
    ]


def has_siblings(student_id: int, guardian_ids: Collection[int], day: date) -> bool:
    """Whether these guardians answer for another child, too."""
    return len(_children(student_id, guardian_ids, day)) > 1


def open_basket(
    asked: billing.Request,
    guardian_ids: Collection[int],
    day: date,
    *,
    chosen: Collection[int] | None = None,
) -> Basket:
    """All that is due for the children of these guardians, school by school; `asked` comes first.

    `chosen` are ids of requests, None for all. The scope is that of `asked` again afterwards.
    """
    children = _children(asked.student_id, guardian_ids, day)
    enter_scope(scope.EVERY_SCHOOL)
    try:
        schools = [
            int(found.school_id)
            for found in rows(
                "select distinct school_id from payment_requests where student_id in :rows"
                " and school_id in (select id from schools) order by school_id",
                rows=list(students.rows_of(children)),
            )
        ]
        found: list[Part] = []
        for school_id in schools:
            enter_scope(scope.one_school(school_id))
            found += _parts(school_id, children, day)
    finally:
        enter_scope(scope.one_school(asked.school_id))
    parts = tuple(
        sorted(
            found,
            key=lambda part: (part.request.student_id != asked.student_id, part.request.id),
        )
    )
    wanted = frozenset(part.request.id for part in parts)
    if chosen is not None:
        wanted &= frozenset(chosen)
    return Basket(parts, wanted, _transfers([p for p in parts if p.request.id in wanted]))


def _children(student_id: int, guardian_ids: Collection[int], day: date) -> list[int]:
    if not guardian_ids:
        return [student_id]
    found = rows(
        "select distinct coalesce(s.merged_into_id, s.id) as id from guardianships r"
        " join students s on s.id = r.student_id"
        " where r.guardian_id in :guardians and r.starts_on <= :day"
        " and (r.ends_on is null or r.ends_on > :day)",
        guardians=list(guardian_ids),
        day=day,
    )
    return sorted({student_id, *(int(one.id) for one in found)})


def _parts(school_id: int, children: Sequence[int], day: date) -> list[Part]:
    school = school_info(school_id, day)
    names = {
        int(found.id): str(found.full_name)
        for found in rows(
            "select s.id, s.full_name from students s where s.id in :children",
            children=list(children),
        )
    }
    found = []
    for request in billing.requests_of_many(school_id, children).values():
        due = billing.due(request)
        if due > ZERO:
            account = get_account(school_id, request.bank_account_id)
            found.append(Part(request, names.get(request.student_id, ""), school, account, due))
    return found


def _transfers(parts: Sequence[Part]) -> tuple[Transfer, ...]:
    by_account: dict[int, list[Part]] = {}
    for part in parts:
        by_account.setdefault(part.account.id, []).append(part)
    return tuple(
        Transfer(tuple(of_account[start : start + CODES_IN_ONE_QR]))
        for of_account in by_account.values()
        for start in range(0, len(of_account), CODES_IN_ONE_QR)
    )
