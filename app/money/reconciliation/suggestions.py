"""Whose money in suspense may be, with reasons; a person decides, the machine never does.

Each reason has a weight; only what speaks of a child counts, a fitting amount makes it stronger.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from app.core.db import VND, rows
from app.core.ids import is_student_code
from app.core.money import Vnd
from app.core.text import fold
from app.money.payments.tellings import squeezed

#: weights, in the order in which reasons are told
WEIGHTS: Final = {
    "near_code": 60,
    "student_code": 60,
    "payer_before": 45,
    "name": 45,
    "phone": 40,
    "guardian": 40,
    "part_of_name": 20,
    "class": 15,
    "amount": 25,
    "only_amount": 40,
}
#: shown from here on
FROM: Final = 40
MOST: Final = 3

_NUMBERS: Final = re.compile(r"[0-9]{9,11}")
_NEAR: Final = re.compile(r"(?=HP([0-9A-Z]{7}))")
_PLACE: Final = re.compile(r"[^a-z0-9]+")
#: words of a name that say nothing alone
_COMMON: Final = frozenset({"van", "thi", "nguyen", "tran", "le", "pham", "hoang", "huynh", "vo"})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A child whose money it may be."""

    student_id: int
    code: str
    full_name: str
    class_name: str
    due: Vnd
    score: int
    #: keys of WEIGHTS, the strongest first
    reasons: tuple[str, ...]


class _Child:
    __slots__ = ("class_name", "code", "due", "full_name", "id", "place", "reference", "words")

    def __init__(self, found: Row[Any], due: int) -> None:
        self.id = int(found.id)
        self.code = str(found.code)
        self.full_name = str(found.full_name)
        self.words = tuple(fold(found.full_name).split())
        self.class_name = str(found.class_name or "")
        self.place = _PLACE.sub("", fold(self.class_name))
        self.due = due
        self.reference = ""


def suggest(
    school_id: int,
    *,
    payment_ids: Collection[int] | None = None,
    statement_id: int | None = None,
) -> dict[int, list[Suggestion]]:
    """The likely children of money of the school that waits, best first, at most three each.

    Only of some payments, or of one statement, when given.
    """
    waiting = _waiting(school_id, payment_ids, statement_id)
    if not waiting:
        return {}
    book = _Book(school_id, [one.payer for one in waiting if one.payer])
    return {int(one.id): book.suggest(one) for one in waiting}


def _waiting(
    school_id: int, payment_ids: Collection[int] | None, statement_id: int | None
) -> Sequence[Row[Any]]:
    where, values = "", {}
    if payment_ids is not None:
        where = " and p.id in :ids"
        values = {"ids": list(payment_ids)}
    if statement_id is not None:
        where += (
            " and p.id in (select f.payment_id from statement_findings f join statement_rows r"
            "  on r.school_id = f.school_id and r.id = f.row_id"
            "  where f.school_id = :school_id and r.statement_id = :statement)"
        )
        values = {**values, "statement": statement_id}  # type: ignore[dict-item]
    return rows(
        "select p.id, p.amount, p.text, p.payer, p.bank_account_id from payments p"
        " where p.school_id = :school_id and not exists (select 1 from v_matching m"
        "  where m.school_id = p.school_id and m.payment_id = p.id)"
        " and coalesce((select sum(r.amount) from reversals r where r.school_id = p.school_id"
        f"  and r.payment_id = p.id), 0) < p.amount{where}",
        types={"amount": VND},
        school_id=school_id,
        **values,
    )


class _Book:
    """The children of a school, found by everything a transfer may say of them."""

    def __init__(self, school_id: int, payers: Sequence[str]) -> None:
        self._children = _children(school_id)
        self._by_code = {child.code: child for child in self._children.values()}
        self._by_name: dict[str, list[_Child]] = defaultdict(list)
        self._by_due: dict[int, list[_Child]] = defaultdict(list)
        for child in self._children.values():
            if child.words:
                self._by_name[child.words[-1]].append(child)
            if child.due:
                self._by_due[child.due].append(child)
        self._references = _references(school_id)
        self._by_phone, self._by_guardian = _guardians(school_id)
        self._by_payer = _learned(school_id, payers)

    def suggest(self, payment: Row[Any]) -> list[Suggestion]:
        """The best children of one payment."""
        why: dict[int, set[str]] = defaultdict(set)
        text = fold(payment.text)
        words = _PLACE.sub(" ", text).split()
        joined = f" {' '.join(words)} "
        for number in _NUMBERS.findall(payment.text):
            if is_student_code(number) and number in self._by_code:
                why[self._by_code[number].id].add("student_code")
            for student_id in self._by_phone.get(number, ()):
                why[student_id].add("phone")
        for student_id in self._near_codes(squeezed(payment.text)):
            why[student_id].add("near_code")
        for word in set(words):
            for child in self._by_name.get(word, ()):
                if f" {' '.join(child.words)} " in joined:
                    why[child.id].add("name")
                elif len(child.words) > 2 and f" {' '.join(child.words[-2:])} " in joined:
                    why[child.id].add("part_of_name")
        payer = fold(payment.payer or "")
        for student_id in self._by_payer.get(payer, ()) if payer else ():
            why[student_id].add("payer_before")
        for student_id in self._of_guardian(payer, words):
            why[student_id].add("guardian")
        fits = self._by_due.get(payment.amount.dong, [])
        if len(fits) == 1 and not why.get(fits[0].id):
            why[fits[0].id].add("only_amount")
        found = [
            self._scored(self._children[student_id], reasons, payment.amount.dong, words)
            for student_id, reasons in why.items()
            if student_id in self._children
        ]
        found = [one for one in found if one.score >= FROM]
        return sorted(found, key=lambda one: (-one.score, one.code))[:MOST]

    def _near_codes(self, text: str) -> set[int]:
        """Children whose code stands in the text with one sign wrong or two neighbours swapped."""
        tried = {found[1] for found in _NEAR.finditer(text)}
        return {
            student_id
            for one in tried
            for body, student_id in self._references
            if _is_slip(one, body)
        }

    def _of_guardian(self, payer: str, words: Sequence[str]) -> set[int]:
        found: set[int] = set()
        if payer:
            found |= self._by_guardian.get(payer, set())
        for size in (2, 3, 4, 5):
            for start in range(len(words) - size + 1):
                found |= self._by_guardian.get(" ".join(words[start : start + size]), set())
        return found

    def _scored(
        self, child: _Child, reasons: set[str], amount: int, words: Sequence[str]
    ) -> Suggestion:
        told = set(reasons)
        if child.place and (child.place in words or f"lop{child.place}" in words):
            told.add("class")
        if child.due and amount == child.due and "only_amount" not in told:
            told.add("amount")
        ordered = tuple(reason for reason in WEIGHTS if reason in told)
        return Suggestion(
            child.id,
            child.code,
            child.full_name,
            child.class_name,
            Vnd(child.due),
            min(sum(WEIGHTS[reason] for reason in ordered), 100),
            ordered,
        )


def _is_slip(one: str, other: str) -> bool:
    wrong = [place for place in range(7) if one[place] != other[place]]
    if len(wrong) == 1:
        return True
    return (
        len(wrong) == 2
        and wrong[1] == wrong[0] + 1
        and one[wrong[0]] == other[wrong[1]]
        and one[wrong[1]] == other[wrong[0]]
    )


def _children(school_id: int) -> dict[int, _Child]:
    due = {
        int(one.student_id): int(one.due)
        for one in rows(
            "select coalesce(s.merged_into_id, s.id) as student_id,"
            " sum(case when e.debit_id = a.id then e.amount else -e.amount end) as due"
            " from accounts a join entries e on e.school_id = a.school_id"
            "  and a.id in (e.debit_id, e.credit_id)"
            " join students s on s.id = e.student_id"
            " where a.school_id = :school_id and a.code = 'receivable'"
            " group by coalesce(s.merged_into_id, s.id)",
            school_id=school_id,
        )
    }
    found = rows(
        "select s.id, s.code, s.full_name, coalesce((select c.name from enrolments n"
        "  join placements p on p.school_id = n.school_id and p.enrolment_id = n.id"
        "  join classes c on c.school_id = p.school_id and c.id = p.class_id"
        "  where n.school_id = :school_id and n.student_id = s.id"
        "  order by p.starts_on desc, p.id desc limit 1), '') as class_name"
        " from students s where s.merged_into_id is null and s.id in (select q.student_id"
        "  from payment_requests q where q.school_id = :school_id)",
        school_id=school_id,
    )
    return {int(one.id): _Child(one, max(due.get(int(one.id), 0), 0)) for one in found}


def _references(school_id: int) -> list[tuple[str, int]]:
    return [
        (one.reference[2:], int(one.student_id))
        for one in rows(
            "select q.reference, coalesce(s.merged_into_id, s.id) as student_id"
            " from payment_requests q join students s on s.id = q.student_id"
            " where q.school_id = :school_id",
            school_id=school_id,
        )
    ]


def _guardians(school_id: int) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    phones: dict[str, set[int]] = defaultdict(set)
    names: dict[str, set[int]] = defaultdict(set)
    for one in rows(
        "select r.student_id, g.phone, g.full_name from guardianships r"
        " join guardians g on g.id = r.guardian_id where r.student_id in (select q.student_id"
        "  from payment_requests q where q.school_id = :school_id)",
        school_id=school_id,
    ):
        if one.phone:
            phones[one.phone].add(int(one.student_id))
        name = fold(one.full_name or "")
        if len(name.split()) > 1 and not set(name.split()) <= _COMMON:
            names[name].add(int(one.student_id))
    return phones, names


def _learned(school_id: int, payers: Sequence[str]) -> dict[str, set[int]]:
    """Children whom the same payer paid for before."""
    found: dict[str, set[int]] = defaultdict(set)
    wanted = {fold(payer) for payer in payers}
    if not wanted:
        return found
    for one in rows(
        "select distinct p.payer, m.student_id from payments p join v_matching m"
        " on m.school_id = p.school_id and m.payment_id = p.id"
        " where p.school_id = :school_id and p.payer is not null and p.method = 'transfer'",
        school_id=school_id,
    ):
        name = fold(one.payer)
        if name in wanted:
            found[name].add(int(one.student_id))
    return found
