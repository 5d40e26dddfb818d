"""When two tellings are of the same movement (M16). Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.money.payments.tellings import are_two, number_of, said, squeezed
from app.money.reconciliation.parsers import FileRow

_ONE_DAY: Final = timedelta(days=1)
#: texts of fewer signs are found inside too many others
_SHORTEST_TEXT: Final = 9
#: pairs looked at one by one among movements of one amount, before only equal texts count
_MOST_PAIRS: Final = 40_000


def keys_of(rows: Sequence[FileRow]) -> list[str]:
    """The identity of each row of a file: the same row of an overlapping file has the same one.

    The bank's number, day and amount; else day, amount, text and running balance. Rows alike in all
    of this are counted, so that the second of two is another movement than the first.
    """
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        ref = number_of(row.ref)
        sign = "+" if row.is_credit else "-"
        what = f"#{ref}" if ref else f"{squeezed(row.text)}|{row.balance}"
        told = f"{row.day}|{sign}{row.amount}|{what}"
        seen[told] += 1
        digest = hashlib.blake2b(f"{told}|{seen[told]}".encode(), digest_size=16)
        keys.append(digest.hexdigest())
    return keys


@dataclass(frozen=True, slots=True)
class Told:
    """A movement in plain facts, whoever told it; `id` is the teller's own."""

    id: int
    amount: int
    day: date
    text: str
    ref: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that are movements told before, and rows nobody can be sure of."""

    #: row → payment
    same: dict[int, int]
    #: row → payments it may be
    unsure: dict[int, tuple[int, ...]]


def pair(rows: Iterable[Told], payments: Iterable[Told]) -> Pairs:
    """Which rows of a statement are payments already booked from the bank's notices.

    By the bank's number first; then by text and amount within a day, in time order, only where as
    many rows as payments are alike. Anything else alike is left to a person.
    """
    same: dict[int, int] = {}
    unsure: dict[int, tuple[int, ...]] = {}
    by_amount: dict[int, list[Told]] = {}
    for payment in payments:
        by_amount.setdefault(payment.amount, []).append(payment)
    groups: dict[int, list[Told]] = {}
    for row in rows:
        if row.amount in by_amount:
            groups.setdefault(row.amount, []).append(row)
    for amount, alike in groups.items():
        known = sorted(by_amount[amount], key=lambda one: (one.day, one.id))
        left = _by_number(alike, known, same)
        taken = set(same.values())
        _by_text(left, [one for one in known if one.id not in taken], same, unsure)
    return Pairs(same, unsure)


def _by_number(alike: Sequence[Told], known: Sequence[Told], same: dict[int, int]) -> list[Told]:
    numbers: dict[str, list[Told]] = {}
    for payment in known:
        number = number_of(payment.ref)
        if number:
            numbers.setdefault(number, []).append(payment)
    left = []
    for row in alike:
        number = number_of(row.ref)
        found = [one for one in numbers.get(number, ()) if abs(one.day - row.day) <= _ONE_DAY]
        if not found and not number and numbers:
            # Some banks write their number into the text only.
            text = squeezed(row.text)
            found = [
                one
                for key, ones in numbers.items()
                if len(key) >= _SHORTEST_TEXT and key in text
                for one in ones
                if abs(one.day - row.day) <= _ONE_DAY
            ][:1]
        if found:
            same[row.id] = found[0].id
            numbers[number_of(found[0].ref)].remove(found[0])
        else:
            left.append(row)
    return left


def _by_text(
    rows: Sequence[Told],
    payments: Sequence[Told],
    same: dict[int, int],
    unsure: dict[int, tuple[int, ...]],
) -> None:
    if not rows or not payments:
        return
    row_groups = _grouped(rows)
    known_groups = _grouped(payments)
    if len(rows) * len(payments) <= _MOST_PAIRS:
        _join_contained(row_groups, known_groups)
    for words, group in row_groups.items():
        known = known_groups.get(words, [])
        near = [one for one in known if any(_may_be_one(row, one) for row in group)]
        if not near:
            continue
        ordered = sorted(group, key=lambda row: (row.day, row.id))
        if len(ordered) == len(near) and all(
            _may_be_one(row, one) for row, one in zip(ordered, near, strict=True)
        ):
            same.update({row.id: one.id for row, one in zip(ordered, near, strict=True)})
            continue
        for row in ordered:
            may_be = tuple(one.id for one in near if _may_be_one(row, one))
            if may_be:
                unsure[row.id] = may_be


def _may_be_one(row: Told, payment: Told) -> bool:
    return abs(payment.day - row.day) <= _ONE_DAY and not are_two(row.ref, payment.ref)


def _grouped(told: Sequence[Told]) -> dict[str, list[Told]]:
    """Alike in what they say: the codes in the text, else the text itself."""
    groups: dict[str, list[Told]] = {}
    for one in told:
        words = said(one.text)
        if words:
            groups.setdefault(words, []).append(one)
    return groups


def _join_contained(rows: dict[str, list[Told]], payments: dict[str, list[Told]]) -> None:
    """Banks add words on both sides: a text inside another is the same one, when it is only one."""
    for words in [one for one in rows if one not in payments]:
        inside = [
            other
            for other in payments
            if min(len(words), len(other)) >= _SHORTEST_TEXT and (words in other or other in words)
        ]
        if len(inside) == 1 and inside[0] not in rows:
            rows[inside[0]] = rows.pop(words)
