"""The credentials file of demo and tests: whom to be, which bills to pay. Its shape is agreed."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Final

from app.core import scope
from app.core.db import rows, transaction
from app.demo.calendar import Calendar
from app.demo.organisation import Area, DemoSchool, Person
from app.demo.people import Child, Family, Town
from app.money import billing
from app.people.students.services import issue_activation_code

BILLS: Final = 200
#: how many bills the first four schools, one of each level, give before the others
_FROM_FOCUS: Final = 35
_FOCUS: Final = 4
_PARENTS: Final = 24

#: a school, its children, and which of them still owe the whole of the last bill
Debtors = list[tuple[DemoSchool, list[Child], list[int]]]


def write_credentials(
    path: Path,
    area: Area,
    town: Town,
    debtors: Debtors,
    calendar: Calendar,
    rng: random.Random,
) -> None:
    """Give some families an activation code and write everything a tester needs."""
    schools = [school for school, _children, _owing in debtors]
    content = {
        "schools": [_school(school) for school in schools],
        "staff": [
            _person(person)
            for group in (area.staff, *(school.staff for school in schools))
            for person in group
        ],
        "parents": _parents(town, calendar, rng),
        "bills": _bills(debtors, calendar),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _school(school: DemoSchool) -> dict[str, Any]:
    return {
        "code": school.name.code,
        "name": school.name.full,
        "level": str(school.name.level),
        "account": {
            "bin": school.bank_bin,
            "number": school.account_number,
            "holder": school.name.holder,
        },
        "channels": [
            {
                "provider": "sepay",
                "path": f"/callbacks/sepay/{school.sepay.public_id}",
                "secret": school.sepay_secret,
                "scheme": "hmac",
            }
        ],
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "role": str(person.role),
        "school": person.school,
        "username": person.username,
        "password": person.password,
        "totp_secret": person.totp_secret,
    }


def _parents(town: Town, calendar: Calendar, rng: random.Random) -> list[dict[str, Any]]:
    """Families with children at several schools first."""
    several = [family for family in town.families if len(family.schools) > 1]
    single = [family for family in town.families if len(family.schools) == 1]
    chosen = several[: _PARENTS * 2 // 3]
    chosen += single[: _PARENTS - len(chosen)]
    with scope.opened(scope.EVERY_SCHOOL), transaction():
        return [_parent(family, calendar, rng) for family in chosen]


def _parent(family: Family, calendar: Calendar, rng: random.Random) -> dict[str, Any]:
    found = rows(
        "select g.id, s.code from guardians g join guardianships r on r.guardian_id = g.id"
        " join students s on s.id = r.student_id where g.phone = :phone order by s.id",
        phone=family.phone,
    )
    return {
        "phone": family.phone,
        "activation_code": issue_activation_code(found[0].id, now=calendar.cutoff, rng=rng),
        "students": [child.code for child in found],
    }


def _bills(debtors: Debtors, calendar: Calendar) -> list[dict[str, Any]]:
    """Open payment requests with what each asks for now."""
    month = str(calendar.billed[1])
    groups = [_owed(school, children, owing, month) for school, children, owing in debtors]
    focus = [group[:_FROM_FOCUS] for group in groups[:_FOCUS]]
    others = [*groups[_FOCUS:], *(group[_FROM_FOCUS:] for group in groups[:_FOCUS])]
    bills = [bill for group in focus for bill in group]
    # From the other schools in turn, so that many of them are there.
    for turn in range(max(map(len, others), default=0)):
        bills += [group[turn] for group in others if turn < len(group)]
    return bills[:BILLS]


def _owed(
    school: DemoSchool, children: list[Child], owing: list[int], month: str
) -> list[dict[str, Any]]:
    codes = {child.student_id: child.code for child in children}
    with scope.opened(scope.one_school(school.id)):
        still_open = billing.open_lines(
            school.id, owing, bank_account_id=school.sepay.bank_account_id
        )
        requests = rows(
            "select student_id, reference, token from payment_requests"
            " where school_id = :school_id order by id",
            school_id=school.id,
        )
    bills = []
    for request in requests:
        lines = still_open.get(request.student_id, [])
        amount = sum(line.open.dong for line in lines)
        if amount:
            bills.append(
                {
                    "school": school.name.code,
                    "student": codes[request.student_id],
                    "period": month,
                    "amount": amount,
                    "reference": request.reference,
                    "pay_token": request.token,
                }
            )
    return bills
