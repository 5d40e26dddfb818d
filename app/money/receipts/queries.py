"""Reading receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.core.clock import start_of
from app.core.db import DAY, MOMENT, VND, row, rows, scalar
from app.core.money import Vnd
from app.money.receipts.content import ReceiptContent, content_hash, read_content
from app.money.receipts.errors import ContentChanged, ReceiptNotFound


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt in a list."""

    id: int
    school_id: int
    payment_id: int
    series: str
    number: int
    amount: Vnd
    issued_at: datetime
    received_on: date
    check_code: str
    #: live, void or replaced
    state: str
    content: str
    content_hash: str

    @property
    def paper(self) -> ReceiptContent:
        """What the paper says."""
        return read_content(self.content)

    @property
    def full_number(self) -> str:
        """`TH07-26 / 000412`."""
        return f"{self.series} / {self.number:06d}"


_COLUMNS = (
    "select r.id, r.school_id, r.payment_id, r.series, r.number, r.amount, r.issued_at,"
    " r.received_on, r.check_code, v.state, r.content, r.content_hash"
    " from receipts r join v_receipt v on v.receipt_id = r.id"
)
_TYPES = {"amount": VND, "issued_at": MOMENT, "received_on": DAY}


def get_receipt(school_id: int, receipt_id: int) -> ReceiptRow:
    """One receipt of the school, or ReceiptNotFound."""
    found = row(
        f"{_COLUMNS} where r.school_id = :school_id and r.id = :id",
        types=_TYPES,
        school_id=school_id,
        id=receipt_id,
    )
    if found is None:
        raise ReceiptNotFound
    return ReceiptRow(*found)


def verified_content(receipt: ReceiptRow) -> ReceiptContent:
    """The paper for printing; refuses one whose stored form does not match its hash."""
    if content_hash(receipt.content) != receipt.content_hash:
        raise ContentChanged
    return receipt.paper


def school_of_check_code(check_code: str) -> int | None:
    """Area-wide look-up for the public check page."""
    found = scalar("select school_id from receipt_codes where check_code = :code", code=check_code)
    return None if found is None else int(found)


def find_by_check_code(school_id: int, check_code: str) -> ReceiptRow | None:
    """The receipt behind a check code."""
    found = row(
        f"{_COLUMNS} where r.school_id = :school_id and r.check_code = :code",
        types=_TYPES,
        school_id=school_id,
        code=check_code,
    )
    return None if found is None else ReceiptRow(*found)


def receipts_of_payments(school_id: int, payment_ids: list[int]) -> list[ReceiptRow]:
    """The receipts of some payments, in number order."""
    if not payment_ids:
        return []
    found = rows(
        f"{_COLUMNS} where r.school_id = :school_id and r.payment_id in :payments order by r.id",
        types=_TYPES,
        school_id=school_id,
        payments=payment_ids,
    )
    return [ReceiptRow(*receipt) for receipt in found]


def list_receipts(
    school_id: int,
    *,
    first: date | None = None,
    last: date | None = None,
    text: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[ReceiptRow], int]:
    """Receipts by day of issue and by number or amount typed; newest first, and how many."""
    where = "r.school_id = :school_id"
    parameters: dict[str, Any] = {}
    if first:
        where += " and r.issued_at >= :first"
        parameters["first"] = start_of(first)
    if last:
        where += " and r.issued_at < :last"
        parameters["last"] = start_of(last + timedelta(days=1))
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if digits:
        where += " and (r.number = :n or r.amount = :n)"
        parameters["n"] = int(digits[-12:])
    found = rows(
        f"{_COLUMNS} where {where} order by r.id desc limit :limit offset :offset",
        types=_TYPES,
        school_id=school_id,
        limit=limit,
        offset=offset,
        **parameters,
    )
    count = scalar(
        f"select count(*) from receipts r where {where}", school_id=school_id, **parameters
    )
    return [ReceiptRow(*receipt) for receipt in found], int(count)


@dataclass(frozen=True, slots=True)
class VoidNote:
    """What became of a receipt that no longer holds."""

    voided_at: datetime | None
    reason: str
    #: number of the paper that stands in its place, or nothing
    replaced_by: str


def void_notes(school_id: int, receipt_ids: list[int]) -> dict[int, VoidNote]:
    """When and why receipts were declared void, and what replaces them; live ones are absent."""
    if not receipt_ids:
        return {}
    found = rows(
        "select r.id, d.voided_at, coalesce(d.reason, '') as reason, n.series, n.number"
        " from receipts r"
        " left join receipt_voids d on d.school_id = r.school_id and d.receipt_id = r.id"
        " left join receipts n on n.school_id = r.school_id and n.replaces_id = r.id"
        " where r.school_id = :school_id and r.id in :ids"
        " and (d.id is not null or n.id is not null) order by r.id, n.id",
        types={"voided_at": MOMENT},
        school_id=school_id,
        ids=receipt_ids,
    )
    return {
        note.id: VoidNote(
            note.voided_at, note.reason, f"{note.series} / {note.number:06d}" if note.series else ""
        )
        for note in found
    }


def receipts_of(school_id: int, receipt_ids: Sequence[int]) -> list[ReceiptRow]:
    """Some receipts of the school, in no order."""
    found = rows(
        f"{_COLUMNS} where r.school_id = :school_id and r.id in :ids",
        types=_TYPES,
        school_id=school_id,
        ids=list(receipt_ids),
    )
    return [ReceiptRow(*receipt) for receipt in found]


def receipts_between(school_id: int, first: date, last: date) -> list[ReceiptRow]:
    """All receipts issued on some days, by series and number; void ones are among them."""
    found = rows(
        f"{_COLUMNS} where r.school_id = :school_id and r.issued_at >= :first"
        " and r.issued_at < :end order by r.series, r.number",
        types=_TYPES,
        school_id=school_id,
        first=start_of(first),
        end=start_of(last + timedelta(days=1)),
    )
    return [ReceiptRow(*receipt) for receipt in found]


@dataclass(frozen=True, slots=True)
class ReceiptTotal:
    """How much the receipts of some days say was received; void ones apart."""

    live: int
    amount: Vnd
    void: int


def total_of_receipts(school_id: int, *, first: date, last: date) -> ReceiptTotal:
    """The sum of live receipts issued on some days, and how many others there are."""
    found = row(
        "select coalesce(sum(case when v.state = 'live' then 1 else 0 end), 0) as live,"
        " coalesce(sum(case when v.state = 'live' then v.amount else 0 end), 0) as amount,"
        " coalesce(sum(case when v.state = 'live' then 0 else 1 end), 0) as void"
        " from v_receipt v where v.school_id = :school_id"
        " and v.issued_at >= :first and v.issued_at < :end",
        school_id=school_id,
        first=start_of(first),
        end=start_of(last + timedelta(days=1)),
    )
    assert found is not None  # noqa: S101 - sums give one row
    return ReceiptTotal(int(found.live), Vnd(int(found.amount)), int(found.void))
