"""The boundary to whoever compares: rows go out, answers come in. Files today, a line one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from app.people.students import IdentityField, Sex, Verification


@dataclass(frozen=True, slots=True)
class Asked:
    """One identity sent to be compared."""

    row_key: str
    pin: str
    full_name: str
    birth_date: date
    sex: Sex


@dataclass(frozen=True, slots=True)
class Answer:
    """One row that came back.

    `state` is None when the words are not known; `named` are the fields said to differ, `given`
    the values the population database has. `trouble` tells what could not be read.
    """

    place: str
    row_key: str
    pin: str
    text: str
    state: Verification | None
    named: frozenset[IdentityField] = frozenset()
    given: dict[IdentityField, str] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A file to hand over."""

    filename: str
    content_type: str
    body: bytes


class Exchange(Protocol):
    """Somebody who compares identities with the national population database."""

    def write_batch(self, rows: Sequence[Asked], *, name: str) -> Sent:
        """The batch in the form the other side takes."""

    def read_result(self, source: bytes, filename: str) -> list[Answer]:
        """The answers in what came back; refuses what holds none."""
