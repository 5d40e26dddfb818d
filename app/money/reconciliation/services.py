"""Taking a bank's statement in, and posting what it proves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from app import audit
from app.core import clock
from app.core.bulk import insert_rows, write_rows
from app.core.db import (
    execute,
    for_update,
    in_chunks,
    own_school,
    row,
    rows,
    savepoint,
    scalar,
)
from app.core.errors import Refused
from app.core.model import db
from app.core.money import Vnd
from app.core.text import nfc
from app.money import payments
from app.money.payments.models import Purpose
from app.money.payments.movements import Said, name_debit
from app.money.payouts.matching import close_batch, close_row, find_closings
from app.money.reconciliation import planning, queries
from app.money.reconciliation.errors import (
    AccountUnknown,
    AlreadyTaken,
    OtherAccount,
    StatementNotFound,
)
from app.money.reconciliation.identity import keys_of
from app.money.reconciliation.models import (
    Finding,
    Statement,
    StatementFinding,
    StatementLayout,
    StatementRow,
    StatementUpload,
)
from app.money.reconciliation.parsers import FileRow, StatementFile, read_statement
from app.money.reconciliation.parsers.layouts import ROLES, titles_of
from app.people.schools import Provider, get_account
from app.people.schools.services import open_channel

#: rows posted in one transaction: the books are free for others in between
CHUNK: Final = 500


# Taking in


def read_file(school_id: int, bank_account_id: int, data: bytes, filename: str) -> StatementFile:
    """What the bank's file says, checked against the account it was sent for; writes nothing.

    Raises StatementRefused and SheetRefused with the words and the row to blame.
    """
    account = get_account(school_id, bank_account_id)
    found = read_statement(
        data,
        filename,
        layouts=queries.taught_layouts(account.bank_bin),
        bank_bin=account.bank_bin,
    )
    if found.account is not None and not _is_same_account(found.account, account.number):
        raise OtherAccount(found.account, account.number)
    return found


def _is_same_account(named: str, number: str) -> bool:
    # A bank may put its branch before the number, or zeros, or hide digits: `***4567`.
    one, other = named.upper().lstrip("0"), number.upper().lstrip("0")
    return one == other or one.endswith(other)


def take_in(
    school_id: int,
    bank_account_id: int,
    data: bytes,
    filename: str,
    *,
    actor: audit.Actor,
    now: datetime,
    file: StatementFile | None = None,
) -> int:
    """Keep a statement and its new rows; those that notices told before get their second proof.

    No money moves. Refuses what `read_file` refuses, and the very same file (AlreadyTaken). Holds
    the account. The caller commits.
    """
    file = file or read_file(school_id, bank_account_id, data, filename)
    execute(
        f"select id from bank_accounts where school_id = :school_id and id = :id{for_update()}",
        school_id=school_id,
        id=bank_account_id,
    )
    digest = hashlib.sha256(data).hexdigest()
    before = queries.statement_of_file(school_id, bank_account_id, digest)
    if before is not None:
        raise AlreadyTaken(before)
    keys = keys_of(file.rows)
    known = _known_keys(school_id, bank_account_id, keys)
    statement_id = int(
        db.session.scalar(
            insert(Statement)
            .values(
                school_id=school_id,
                bank_account_id=bank_account_id,
                file_name=nfc(filename)[:160] or "?",
                file_hash=digest,
                layout=file.layout,
                first_on=min(one.day for one in file.rows),
                last_on=max(one.day for one in file.rows),
                opening=_vnd(file.opening),
                closing=_vnd(file.closing),
                credits=Vnd(file.credits),
                debits=Vnd(file.debits),
                row_count=len(file.rows),
                known_count=sum(1 for key in keys if key in known),
                imported_by=actor.name,
                imported_at=now,
            )
            .returning(Statement.id)
        )
        or 0
    )
    fresh = [(one, key) for one, key in zip(file.rows, keys, strict=True) if key not in known]
    write_rows(
        StatementRow,
        [_values(school_id, bank_account_id, statement_id, one, key) for one, key in fresh],
    )
    _prove_again(school_id, statement_id, actor, now)
    audit.record(
        "statement.import",
        f"statement:{statement_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"sha256:{digest[:16]} rows:{len(file.rows)}",
    )
    return statement_id


def _vnd(amount: int | None) -> Vnd | None:
    return None if amount is None else Vnd(amount)


def _known_keys(school_id: int, bank_account_id: int, keys: Sequence[str]) -> set[str]:
    return {
        found.key
        for chunk in in_chunks(keys)
        for found in rows(
            "select key from statement_rows where school_id = :school_id"
            " and bank_account_id = :account and key in :keys",
            school_id=school_id,
            account=bank_account_id,
            keys=chunk,
        )
    }


def _values(
    school_id: int, bank_account_id: int, statement_id: int, one: FileRow, key: str
) -> dict[str, Any]:
    moment = one.moment
    return {
        "school_id": school_id,
        "statement_id": statement_id,
        "bank_account_id": bank_account_id,
        "number": one.number,
        "value_on": one.day,
        "occurred_at": moment and moment.replace(tzinfo=planning.BANK_ZONE).astimezone(UTC),
        "amount": Vnd(one.amount),
        "is_credit": one.is_credit,
        "balance": _vnd(one.balance),
        "text": nfc(one.text)[:400],
        "ref": one.ref[:80],
        "payer": nfc(one.payer)[:120],
        "payer_account": one.payer_account[:40],
        "key": key,
    }


def _prove_again(school_id: int, statement_id: int, actor: audit.Actor, now: datetime) -> None:
    """Rows that are payments of the books already are their second proof."""
    statement = queries.get_statement(school_id, statement_id)
    lines = queries.lines_of(school_id, statement_id, only="open_credits")
    same, _unsure = planning.split_known(school_id, statement, lines)
    _write_findings(school_id, same, Finding.PROOF, actor, now)


def _write_findings(
    school_id: int, found: Mapping[int, int], kind: Finding, actor: audit.Actor, now: datetime
) -> None:
    write_rows(
        StatementFinding,
        [
            {
                "school_id": school_id,
                "row_id": row_id,
                "payment_id": payment_id,
                "finding": kind,
                "found_by": actor.name,
                "found_at": now,
            }
            for row_id, payment_id in found.items()
        ],
    )


# Posting


@dataclass(frozen=True, slots=True)
class Posted:
    """What posting a statement, or a part of it, did."""

    matched: int = 0
    suspense: int = 0
    proofs: int = 0
    reversals: int = 0
    payouts: int = 0

    def __add__(self, other: Posted) -> Posted:
        return Posted(
            self.matched + other.matched,
            self.suspense + other.suspense,
            self.proofs + other.proofs,
            self.reversals + other.reversals,
            self.payouts + other.payouts,
        )


def post_next(
    school_id: int,
    statement_id: int,
    *,
    after: int,
    actor: audit.Actor,
    now: datetime,
    at: Callable[[], datetime] = clock.now,
    most: int = CHUNK,
) -> tuple[Posted, int]:
    """Post the next credits of a statement behind row `after`; what was done, and the last row.

    The last row is 0 once nothing is left. A credit with proof goes to its child with a receipt,
    any other waits in suspense; one that may be in the books already is left for a person. Holds
    the school's postings, so that a notice of the same money comes before or after. The caller
    commits.
    """
    own_school(school_id)
    statement = queries.get_statement(school_id, statement_id)
    lines = queries.lines_of(school_id, statement_id, only="open_credits", limit=most, after=after)
    if not lines:
        return Posted(), 0
    same, unsure = planning.split_known(school_id, statement, lines)
    new = [line for line in lines if line.id not in same and line.id not in unsure]
    done = _post(school_id, statement, new, actor, now, at)
    _write_findings(school_id, same, Finding.PROOF, actor, now)
    return done + Posted(proofs=len(same)), lines[-1].id


def _post(
    school_id: int,
    statement: queries.StatementInfo,
    lines: Sequence[queries.StatementLine],
    actor: audit.Actor,
    now: datetime,
    at: Callable[[], datetime],
) -> Posted:
    if not lines:
        return Posted()
    channel_id = _channel(school_id, statement, actor, now)
    accepted = payments.accept_many(
        school_id,
        planning.credits_of(lines, statement, channel_id),
        actor=actor,
        now=now,
        at=at,
    )
    _write_findings(
        school_id,
        {line.id: one.payment_id for line, one in zip(lines, accepted, strict=True)},
        Finding.POSTED,
        actor,
        now,
    )
    waiting = sum(1 for one in accepted if one.is_suspense)
    return Posted(matched=len(accepted) - waiting, suspense=waiting)


def post_reversals(
    school_id: int, statement_id: int, *, actor: audit.Actor, now: datetime
) -> Posted:
    """Book what the bank took back: its own number and the whole amount say so.

    The bill is open again and the receipt void, by opposite entries. The caller commits.
    """
    statement = queries.get_statement(school_id, statement_id)
    lines = queries.lines_of(school_id, statement_id, only="open_debits")
    found = planning.find_reversals(school_id, statement.bank_account_id, lines)
    booked = []
    for one in found:
        # One that cannot be booked, because the family has the money already, waits for a person.
        with suppress(Refused), savepoint():
            payments.reverse_payment(
                school_id,
                one.payment_id,
                amount=one.line.amount,
                kind="bank",
                external_id=one.line.key,
                actor=actor,
                now=now,
            )
            booked.append(one)
    _write_findings(
        school_id,
        {one.line.id: one.payment_id for one in booked},
        Finding.REVERSAL,
        actor,
        now,
    )
    return Posted(reversals=len(booked))


def decide_row(
    school_id: int,
    statement_id: int,
    row_id: int,
    *,
    payment_id: int | None,
    actor: audit.Actor,
    now: datetime,
) -> Posted:
    """A person's word on a credit nobody could be sure of: this payment, or money not told before.

    Refuses a row that is settled and a payment it cannot be (StatementNotFound). The caller
    commits.
    """
    own_school(school_id)
    statement = queries.get_statement(school_id, statement_id)
    lines = queries.lines_of(school_id, statement_id, only="open_credits")
    line = next((one for one in lines if one.id == row_id), None)
    if line is None:
        raise StatementNotFound
    _same, unsure = planning.split_known(school_id, statement, lines)
    if payment_id is None:
        done = _post(school_id, statement, [line], actor, now, clock.now)
    elif payment_id in unsure.get(row_id, ()):
        _write_findings(school_id, {row_id: payment_id}, Finding.PROOF, actor, now)
        done = Posted(proofs=1)
    else:
        raise StatementNotFound
    audit.record(
        "statement.decide_row",
        f"statement_row:{row_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=f"payment:{payment_id}" if payment_id else "new",
    )
    return done


# Money out


def name_row(
    school_id: int,
    statement_id: int,
    row_id: int,
    said: Said,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """A person's word on money that left the account; the movement's number.

    Refuses a row that is settled or is money in (StatementNotFound). The caller commits.
    """
    return _name_rows(school_id, statement_id, {row_id: said}, actor, now)[0]


def name_fees(
    school_id: int, statement_id: int, row_ids: Sequence[int], *, actor: audit.Actor, now: datetime
) -> int:
    """Book ticked rows as fees of the bank; how many. The caller commits."""
    said = {row_id: Said(Purpose.BANK_FEE) for row_id in row_ids}
    return len(_name_rows(school_id, statement_id, said, actor, now))


def post_payouts(school_id: int, statement_id: int, *, actor: audit.Actor, now: datetime) -> Posted:
    """Close the payouts whose code a row out names, to the đồng. The caller commits."""
    own_school(school_id)
    statement = queries.get_statement(school_id, statement_id)
    _hold_account(statement)
    lines = queries.lines_of(school_id, statement_id, only="open_debits")
    found = find_closings(school_id, statement.bank_account_id, lines)
    for closing in found:
        close_row(school_id, statement.bank_account_id, closing, actor=actor, now=now)
    return Posted(payouts=len(found))


def name_batch(
    school_id: int,
    statement_id: int,
    row_id: int,
    batch_id: int,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """A person's word: this row is a whole batch of payouts. The caller commits.

    Refuses a row that is settled, and a batch it cannot be.
    """
    own_school(school_id)
    statement = queries.get_statement(school_id, statement_id)
    _hold_account(statement)
    lines = queries.lines_of(school_id, statement_id, only="open_debits")
    line = next((one for one in lines if one.id == row_id), None)
    if line is None:
        raise StatementNotFound
    return close_batch(
        school_id,
        statement.bank_account_id,
        batch_id,
        row_id,
        line.amount,
        actor=actor,
        now=now,
    )


def _hold_account(statement: queries.StatementInfo) -> None:
    # Two people may name one row at the same moment.
    execute(
        f"select id from bank_accounts where school_id = :school_id and id = :id{for_update()}",
        school_id=statement.school_id,
        id=statement.bank_account_id,
    )


def _name_rows(
    school_id: int,
    statement_id: int,
    said: Mapping[int, Said],
    actor: audit.Actor,
    now: datetime,
) -> list[int]:
    own_school(school_id)
    statement = queries.get_statement(school_id, statement_id)
    _hold_account(statement)
    still_open = {
        line.id: line for line in queries.lines_of(school_id, statement_id, only="open_debits")
    }
    if any(row_id not in still_open for row_id in said):
        raise StatementNotFound
    return [
        name_debit(
            school_id,
            row_id,
            statement.bank_account_id,
            still_open[row_id].amount,
            what,
            actor=actor,
            now=now,
        )
        for row_id, what in said.items()
    ]


def _channel(
    school_id: int, statement: queries.StatementInfo, actor: audit.Actor, now: datetime
) -> int:
    """The way in of statements of an account, opened with the first one."""
    found = scalar(
        "select id from channels where school_id = :school_id and bank_account_id = :account"
        " and provider = 'statement' order by id limit 1",
        school_id=school_id,
        account=statement.bank_account_id,
    )
    if found is not None:
        return int(found)
    return open_channel(
        school_id,
        public_id=f"statement-{statement.bank_account_id}",
        provider=Provider.STATEMENT,
        scheme="none",
        opened_on=clock.local_day(now),
        bank_account_id=statement.bank_account_id,
        actor=actor,
        now=now,
    )


# Teaching a layout


def keep_upload(
    school_id: int,
    bank_account_id: int,
    data: bytes,
    filename: str,
    *,
    actor: audit.Actor,
    now: datetime,
) -> int:
    """Keep a file until its columns are named; its number. The caller commits."""
    return insert_rows(
        StatementUpload,
        [
            {
                "school_id": school_id,
                "bank_account_id": bank_account_id,
                "file_name": nfc(filename)[:160] or "?",
                "body": data,
                "uploaded_by": actor.name,
                "uploaded_at": now,
            }
        ],
    )[0]


def drop_upload(school_id: int, upload_id: int) -> None:
    """Forget a kept file: it became a statement, or nobody wants it. The caller commits."""
    execute(
        "delete from statement_uploads where school_id = :school_id and id = :id",
        school_id=school_id,
        id=upload_id,
    )


def teach_layout(
    bank_bin: str,
    cells: Sequence[object],
    roles: Mapping[int, str],
    *,
    actor: audit.Actor,
    school_id: int,
    now: datetime,
) -> int:
    """Remember which column of a bank's file means what, by its titles, for the whole area.

    `roles` says for columns what they hold. Teaching the same titles again replaces the columns.
    The caller commits.
    """
    titles = {
        role: [titles_of(cells[column])[0]]
        for column, role in roles.items()
        if role in ROLES and titles_of(cells[column])
    }
    named = "|".join(sorted(found[0] for cell in cells if (found := titles_of(cell))))
    signature = hashlib.blake2b(named.encode(), digest_size=16).hexdigest()
    execute(
        "delete from statement_layouts where bank_bin = :bin and signature = :signature",
        bin=bank_bin,
        signature=signature,
    )
    layout_id = int(
        db.session.scalar(
            insert(StatementLayout)
            .values(
                bank_bin=bank_bin,
                signature=signature,
                titles=json.dumps(titles, ensure_ascii=False),
                taught_by=actor.name,
                taught_at=now,
            )
            .returning(StatementLayout.id)
        )
        or 0
    )
    audit.record(
        "statement_layout.teach",
        f"statement_layout:{layout_id}",
        actor=actor,
        school_id=school_id,
        now=now,
        cause=bank_bin,
    )
    return layout_id


# Finding the account


def account_of_number(number: str) -> tuple[int, int]:
    """School and account of a bank account number, or AccountUnknown; asked area-wide."""
    found = row(
        "select min(school_id) as school_id, min(bank_account_id) as account, count(*) as known"
        " from account_addresses where number = :number",
        number=number.strip().upper().replace(" ", ""),
    )
    if found is None or found.known != 1:
        raise AccountUnknown
    return int(found.school_id), int(found.account)
