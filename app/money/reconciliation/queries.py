"""Reading statements: the list, one with its balance, its rows and what they were found to be."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from app.core.db import DAY, MOMENT, VND, in_chunks, joined_whole, row, rows, scalar
from app.core.money import Vnd
from app.money.reconciliation.errors import StatementNotFound
from app.money.reconciliation.identity import Told
from app.money.reconciliation.parsers.layouts import Layout

Record = Row[*tuple[Any, ...]]

_TYPES: Final = {
    "first_on": DAY,
    "last_on": DAY,
    "opening": VND,
    "closing": VND,
    "credits": VND,
    "debits": VND,
    "imported_at": MOMENT,
}


@dataclass(frozen=True, slots=True)
class StatementInfo:
    """A statement with what became of its rows."""

    id: int
    school_id: int
    bank_account_id: int
    account_number: str
    bank_bin: str
    file_name: str
    layout: str
    first_on: date
    last_on: date
    opening: Vnd | None
    closing: Vnd | None
    credits: Vnd
    debits: Vnd
    row_count: int
    known_count: int
    imported_by: str
    imported_at: datetime
    #: credits of its own rows, not seen in an earlier statement
    new_credits: int
    proofs: int
    posted: int
    reversals: int
    #: money out that nothing in the books explains yet
    money_out: int
    #: money out that a person, or the batch it was ordered in, explained
    moved: int

    @property
    def waiting(self) -> int:
        """Credits that are not in the books yet."""
        return self.new_credits - self.proofs - self.posted

    @property
    def is_proved(self) -> bool:
        """Whether the file had balances to prove itself by."""
        return self.opening is not None and self.closing is not None


_STATEMENT: Final = (
    "select t.id, t.school_id, t.bank_account_id, b.number as account_number, b.bank_bin,"
    " t.file_name, t.layout,"
    " t.first_on, t.last_on, t.opening, t.closing, t.credits, t.debits, t.row_count,"
    " t.known_count, t.imported_by, t.imported_at,"
    " coalesce(c.new_credits, 0) as new_credits, coalesce(c.proofs, 0) as proofs,"
    " coalesce(c.posted, 0) as posted, coalesce(c.reversals, 0) as reversals,"
    " coalesce(c.money_out, 0) as money_out, coalesce(c.moved, 0) as moved"
    " from statements t join bank_accounts b on b.school_id = t.school_id"
    "  and b.id = t.bank_account_id"
    " left join (select r.statement_id, sum(case when r.is_credit then 1 else 0 end)"
    "   as new_credits,"
    "  sum(case when f.finding = 'proof' then 1 else 0 end) as proofs,"
    "  sum(case when f.finding = 'posted' then 1 else 0 end) as posted,"
    "  sum(case when f.finding = 'reversal' then 1 else 0 end) as reversals,"
    "  sum(case when not r.is_credit and f.id is null and v.id is null then 1 else 0 end)"
    "   as money_out, sum(case when v.id is not null then 1 else 0 end) as moved"
    "  from statement_rows r left join statement_findings f on f.school_id = r.school_id"
    "   and f.row_id = r.id left join v_movement v on v.school_id = r.school_id"
    "   and v.cause_kind = 'statement_row' and v.cause_id = r.id"
    "  where r.school_id = :school_id {only} group by r.statement_id) c"
    "  on c.statement_id = t.id"
    " where t.school_id = :school_id"
)


def list_statements(school_id: int, *, limit: int = 60) -> list[StatementInfo]:
    """The statements of the school, the newest first."""
    found = rows(
        _STATEMENT.format(only="") + " order by t.id desc limit :limit",
        types=_TYPES,
        school_id=school_id,
        limit=limit,
    )
    return [_statement(one) for one in found]


def get_statement(school_id: int, statement_id: int) -> StatementInfo:
    """One statement of the school, or StatementNotFound."""
    with joined_whole():
        found = row(
            _STATEMENT.format(only="and r.statement_id = :id") + " and t.id = :id",
            types=_TYPES,
            school_id=school_id,
            id=statement_id,
        )
    if found is None:
        raise StatementNotFound
    return _statement(found)


def _statement(found: Record) -> StatementInfo:
    values = found._asdict()
    for name in ("new_credits", "proofs", "posted", "reversals", "money_out", "moved"):
        values[name] = int(values[name])
    return StatementInfo(**values)


def statement_of_file(school_id: int, bank_account_id: int, file_hash: str) -> int | None:
    """The statement this very file became before, if it did."""
    found = scalar(
        "select id from statements where school_id = :school_id and bank_account_id = :account"
        " and file_hash = :hash",
        school_id=school_id,
        account=bank_account_id,
        hash=file_hash,
    )
    return None if found is None else int(found)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A row of a statement with what it was found to be."""

    id: int
    number: int
    value_on: date
    occurred_at: datetime | None
    amount: Vnd
    is_credit: bool
    balance: Vnd | None
    text: str
    ref: str
    payer: str
    payer_account: str
    key: str
    finding: str | None
    payment_id: int | None


_LINE: Final = (
    "select r.id, r.number, r.value_on, r.occurred_at, r.amount, r.is_credit, r.balance, r.text,"
    " r.ref, r.payer, r.payer_account, r.key, f.finding, f.payment_id from statement_rows r"
    " left join statement_findings f on f.school_id = r.school_id and f.row_id = r.id"
    " where r.school_id = :school_id and r.statement_id = :statement"
)
_LINE_TYPES: Final = {
    "value_on": DAY,
    "occurred_at": MOMENT,
    "amount": VND,
    "balance": VND,
}


def lines_of(
    school_id: int, statement_id: int, *, only: str = "", limit: int = 100_000, after: int = 0
) -> list[StatementLine]:
    """Rows of a statement in the order of the bank; `only` open credits or debits when given."""
    where = {
        "": "",
        "open_credits": " and r.is_credit and f.id is null",
        "open_debits": " and not r.is_credit and f.id is null and not exists (select 1"
        " from v_movement v where v.school_id = r.school_id and v.cause_kind = 'statement_row'"
        " and v.cause_id = r.id)",
    }[only]
    with joined_whole():
        found = rows(
            f"{_LINE}{where} and r.id > :after order by r.id limit :limit",
            types=_LINE_TYPES,
            school_id=school_id,
            statement=statement_id,
            after=after,
            limit=limit,
        )
    return [StatementLine(**{**one._asdict(), "is_credit": bool(one.is_credit)}) for one in found]


@dataclass(frozen=True, slots=True)
class SettledRow:
    """A row of a statement with its payment and the children it was given to."""

    number: int
    value_on: date
    amount: Vnd
    text: str
    ref: str
    finding: str
    payment_id: int
    names: tuple[str, ...]


def settled_rows(school_id: int, statement_id: int, *, limit: int) -> list[SettledRow]:
    """Rows of a statement that are in the books, in the order of the bank."""
    found = rows(
        "select r.number, r.value_on, r.amount, r.text, r.ref, f.finding, f.payment_id"
        " from statement_rows r join statement_findings f on f.school_id = r.school_id"
        "  and f.row_id = r.id where r.school_id = :school_id and r.statement_id = :statement"
        " order by r.id limit :limit",
        types={"value_on": DAY, "amount": VND},
        school_id=school_id,
        statement=statement_id,
        limit=limit,
    )
    names: dict[int, list[str]] = {}
    for chunk in in_chunks([one.payment_id for one in found]):
        for one in rows(
            "select m.payment_id, s.full_name from v_matching m join students s"
            " on s.id = m.student_id where m.school_id = :school_id and m.payment_id in :ids"
            " order by m.id",
            school_id=school_id,
            ids=chunk,
        ):
            names.setdefault(one.payment_id, []).append(one.full_name)
    return [
        SettledRow(**one._asdict(), names=tuple(names.get(one.payment_id, ()))) for one in found
    ]


@dataclass(frozen=True, slots=True)
class MovedRow:
    """Money out whose purpose is known."""

    movement_id: int
    number: int
    value_on: date
    amount: Vnd
    text: str
    ref: str
    purpose: str
    reason: str
    booked_by: str


def moved_rows(school_id: int, statement_id: int, *, limit: int) -> list[MovedRow]:
    """Money out of a statement that is in the books, in the order of the bank."""
    found = rows(
        "select v.id as movement_id, r.number, r.value_on, r.amount, r.text, r.ref, v.purpose,"
        " v.reason, v.booked_by from statement_rows r join v_movement v"
        " on v.school_id = r.school_id and v.cause_kind = 'statement_row' and v.cause_id = r.id"
        " where r.school_id = :school_id and r.statement_id = :statement"
        " order by r.id limit :limit",
        types={"value_on": DAY, "amount": VND},
        school_id=school_id,
        statement=statement_id,
        limit=limit,
    )
    return [MovedRow(*one) for one in found]


def statement_of_row(school_id: int, row_id: int) -> int:
    """The statement a row stands in, or StatementNotFound."""
    found = scalar(
        "select statement_id from statement_rows where school_id = :school_id and id = :id",
        school_id=school_id,
        id=row_id,
    )
    if found is None:
        raise StatementNotFound
    return int(found)


def names_of(school_id: int, student_ids: Collection[int]) -> dict[int, str]:
    """Names of children who were billed at the school."""
    return {
        int(one.id): str(one.full_name)
        for chunk in in_chunks(student_ids)
        for one in rows(
            "select s.id, s.full_name from students s where s.id in :ids and s.id in (select"
            " q.student_id from payment_requests q where q.school_id = :school_id)",
            school_id=school_id,
            ids=chunk,
        )
    }


def payments_told(
    school_id: int, bank_account_id: int, first: date, last: date, *, statement_id: int, layout: str
) -> list[Told]:
    """Payments on an account that a row of this statement may be the second telling of.

    Not those that a row of this statement, or of another file in the same layout, proves already:
    such a row would be the same row.
    """
    alike = [
        int(one.id)
        for one in rows(
            "select id from statements where school_id = :school_id and bank_account_id = :account"
            " and (id = :statement or layout = :layout)",
            school_id=school_id,
            account=bank_account_id,
            statement=statement_id,
            layout=layout,
        )
    ]
    with joined_whole():
        found = rows(
            "select p.id, p.amount, p.value_on, p.text, p.bank_ref from payments p"
            " left join (select distinct f.payment_id from statement_rows r"
            "  join statement_findings f on f.school_id = r.school_id and f.row_id = r.id"
            "  where r.school_id = :school_id and r.statement_id in :alike"
            "  and f.finding <> 'reversal') k on k.payment_id = p.id"
            " where p.school_id = :school_id and (p.bank_account_id = :account or p.bank_account_id"
            "  in (select b.id from bank_accounts b where b.school_id = :school_id"
            "   and b.parent_id = :account)) and p.method = 'transfer' and p.proof = 'account'"
            " and p.value_on >= :first and p.value_on <= :last and k.payment_id is null",
            types={"value_on": DAY},
            school_id=school_id,
            account=bank_account_id,
            first=first - timedelta(days=1),
            last=last + timedelta(days=1),
            alike=alike,
        )
    return [Told(one.id, int(one.amount), one.value_on, one.text, one.bank_ref) for one in found]


def payments_with_refs(
    school_id: int, bank_account_id: int, refs: Sequence[str], amounts: Sequence[int]
) -> Sequence[Record]:
    """Payments on an account by the bank's own number, with what is left of them."""
    if not refs:
        return []
    return rows(
        "select p.id, p.bank_ref, p.amount, p.value_on, p.amount - coalesce((select sum(r.amount)"
        "  from reversals r where r.school_id = p.school_id and r.payment_id = p.id), 0) as kept"
        " from payments p where p.school_id = :school_id and (p.bank_account_id = :account"
        "  or p.bank_account_id in (select b.id from bank_accounts b"
        "   where b.school_id = :school_id and b.parent_id = :account))"
        " and p.bank_ref in :refs and p.amount in :amounts and not exists (select 1"
        "  from v_movement v where v.school_id = p.school_id and v.cause_kind = 'payment'"
        "  and v.cause_id = p.id)",
        types={"value_on": DAY},
        school_id=school_id,
        account=bank_account_id,
        refs=list(refs),
        amounts=list(amounts),
    )


def taught_layouts(bank_bin: str) -> list[Layout]:
    """Layouts people of the area taught for a bank, the newest first."""
    found = rows(
        "select id, titles from statement_layouts where bank_bin = :bin order by id desc",
        bin=bank_bin,
    )
    return [
        Layout(
            f"taught-{one.id}",
            "",
            bank_bin,
            {role: tuple(titles) for role, titles in json.loads(one.titles).items()},
        )
        for one in found
    ]


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """A file that waits for somebody to name its columns."""

    id: int
    bank_account_id: int
    file_name: str
    body: bytes


def get_upload(school_id: int, upload_id: int) -> UploadInfo:
    """A waiting file of the school, or StatementNotFound."""
    found = row(
        "select id, bank_account_id, file_name, body from statement_uploads"
        " where school_id = :school_id and id = :id",
        school_id=school_id,
        id=upload_id,
    )
    if found is None:
        raise StatementNotFound
    return UploadInfo(found.id, found.bank_account_id, found.file_name, bytes(found.body))
