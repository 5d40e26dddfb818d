"""What a receipt says, as frozen plain values; stored as canonical JSON and hashed (M9)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of the paper; amounts in whole đồng."""

    name: str
    detail: str
    quantity: int | None
    unit: str
    price: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class ReceiptChild:
    """A child named on the paper with what was paid for it."""

    full_name: str
    code: str
    class_name: str
    school_year: str
    periods: str
    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True, slots=True)
class ReceiptDraft:
    """Everything a receipt will say, before it has a number."""

    kind: str
    payment_id: int
    event_id: int
    payer: str
    payer_address: str
    method: str
    received_on: date
    #: when the payer's money moved, as shown: ISO, UTC
    occurred_at: datetime
    transfer_text: str
    reference: str
    children: tuple[ReceiptChild, ...]
    collected_by: str
    replaces_id: int | None = None
    replaces_number: str = ""

    @property
    def amount(self) -> int:
        """The sum of all lines."""
        return sum(line.amount for child in self.children for line in child.lines)


@dataclass(frozen=True, slots=True)
class SchoolHeader:
    """The head of the paper, as valid on its day."""

    name: str
    budget_code: str
    address: str
    parent_name: str


@dataclass(frozen=True, slots=True)
class ReceiptContent:
    """The whole paper, as printed for ever."""

    form_number: str
    circular: str
    school: SchoolHeader
    series: str
    number: int
    book: str
    issued_at: str
    received_on: str
    occurred_at: str
    payer: str
    payer_address: str
    method: str
    transfer_text: str
    reference: str
    children: tuple[ReceiptChild, ...]
    amount: int
    amount_words: str
    collected_by: str
    check_code: str
    previous: str
    replaces: str
    is_demo: bool

    def canonical(self) -> str:
        """JSON with sorted keys and no spaces: the form that is stored and hashed."""
        return json.dumps(
            _fields(self),
            default=_fields,
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )


def _fields(part: Any) -> dict[str, Any]:
    # `asdict` copies every value it meets: for a thousand papers that is half of the work.
    return {name: getattr(part, name) for name in part.__dataclass_fields__}


def read_content(stored: str) -> ReceiptContent:
    """The paper back from its stored form."""
    raw: dict[str, Any] = json.loads(stored)
    raw["school"] = SchoolHeader(**raw["school"])
    raw["children"] = tuple(
        ReceiptChild(**{**child, "lines": tuple(ReceiptLine(**line) for line in child["lines"])})
        for child in raw["children"]
    )
    return ReceiptContent(**raw)


def content_hash(stored: str) -> str:
    """SHA-256 of the stored form."""
    return hashlib.sha256(stored.encode()).hexdigest()


def chain_hash(previous: str, series: str, number: int, amount: int, content: str) -> str:
    """The link to the receipt before: nobody can slip one in or renumber."""
    return hashlib.sha256(f"{previous}|{series}|{number}|{amount}|{content}".encode()).hexdigest()
