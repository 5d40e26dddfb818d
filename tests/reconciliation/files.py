"""Invented statements in the layouts of the banks, as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.core.sheets import Column, Value, write_workbook

OPENING = 10_000_000


@dataclass(frozen=True, slots=True)
class Move:
    """One invented movement; an amount below zero leaves the account."""

    amount: int
    text: str
    day: date = date(2026, 11, 24)
    ref: str = ""
    payer: str = ""


def balances(moves: Sequence[Move], opening: int = OPENING) -> list[int]:
    """The account after each movement."""
    held, found = opening, []
    for move in moves:
        held += move.amount
        found.append(held)
    return found


def dots(amount: int) -> str:
    """450000 as 450.000."""
    return f"{amount:,}".replace(",", ".")


def sheet(rows: Sequence[Sequence[Value]]) -> bytes:
    """An .xlsx of these rows, the first as its head."""
    width = max(len(row) for row in rows)
    head = [*rows[0], *[""] * (width - len(rows[0]))]
    columns = [Column(str(title or ""), is_text=False) for title in head]
    return write_workbook(columns, [list(row) for row in rows[1:]])


def vietcombank(moves: Sequence[Move], account: str, opening: int = OPENING) -> bytes:
    """Day and document number in one cell, two languages in a title, figures with commas."""
    held = balances(moves, opening)
    rows: list[list[Value]] = [
        ["SAO KÊ TÀI KHOẢN / STATEMENT OF ACCOUNT"],
        ["Số tài khoản / Account No:", account],
        ["Số dư đầu kỳ / Opening balance:", f"{opening:,}"],
        [],
        [
            "STT\nNo.",
            "Ngày\nTNX Date\nSố CT/ Doc No",
            "Số tiền ghi nợ\nDebit",
            "Số tiền ghi có\nCredit",
            "Số dư\nBalance",
            "Nội dung chi tiết\nTransactions in detail",
        ],
    ]
    for n, (move, balance) in enumerate(zip(moves, held, strict=True), start=1):
        rows.append(
            [
                n,
                f"{move.day:%d/%m/%Y}\n{move.ref}" if move.ref else f"{move.day:%d/%m/%Y}",
                f"{-move.amount:,}" if move.amount < 0 else None,
                f"{move.amount:,}" if move.amount > 0 else None,
                f"{balance:,}",
                move.text,
            ]
        )
    rows.append(["Tổng số / Total", None, "0", f"{sum(max(m.amount, 0) for m in moves):,}"])
    rows.append(["Số dư cuối kỳ / Closing balance:", f"{held[-1]:,}"])
    return sheet(rows)


def techcombank(moves: Sequence[Move], account: str, opening: int = OPENING) -> bytes:
    """The opening balance is the first row of the table."""
    held = balances(moves, opening)
    rows: list[list[Value]] = [
        ["Số tài khoản/Account No", account],
        [
            "Ngày giao dịch/Transaction Date",
            "Đối tác/Remitter",
            "NH Đối tác/Remitter Bank",
            "Diễn giải/Details",
            "Số bút toán/Transaction No",
            "Nợ TKTT/Debit",
            "Có TKTT/Credit",
            "Số dư/Balance",
        ],
        [None, None, None, "Số dư đầu kỳ/Opening balance", None, None, None, opening],
    ]
    for move, balance in zip(moves, held, strict=True):
        rows.append(
            [
                f"{move.day:%d/%m/%Y}",
                move.payer,
                "",
                move.text,
                move.ref,
                -move.amount if move.amount < 0 else None,
                move.amount if move.amount > 0 else None,
                balance,
            ]
        )
    return sheet(rows)


def csv(
    moves: Sequence[Move], account: str, opening: int = OPENING, *, newest: bool = False
) -> bytes:
    """Semicolons, a byte order mark, dots in figures; the newest row first where asked."""
    held = balances(moves, opening)
    lines = [
        f"Số tài khoản;{account}",
        f"Số dư đầu kỳ;{dots(opening)}",
        "Ngày giao dịch;Số tham chiếu;Mô tả;Ghi nợ;Ghi có;Số dư",
    ]
    table = [
        f"{m.day:%d/%m/%Y} 08:15:30;{m.ref};{m.text};"
        f"{dots(-m.amount) if m.amount < 0 else ''};"
        f"{dots(m.amount) if m.amount > 0 else ''};{dots(b)}"
        for m, b in zip(moves, held, strict=True)
    ]
    lines += table[::-1] if newest else table
    lines.append(f"Số dư cuối kỳ;{dots(held[-1])}")
    return "\ufeff".encode() + "\r\n".join(lines).encode()


def page(moves: Sequence[Move], account: str, opening: int = OPENING) -> bytes:
    """A web page that the bank names .xls."""
    held = balances(moves, opening)
    rows = "".join(
        f"<tr><td>{m.day:%d-%m-%Y}</td><td>{m.ref}</td><td align=right>"
        f"{dots(-m.amount) if m.amount < 0 else '&nbsp;'}</td>"
        f"<td>{dots(m.amount) if m.amount > 0 else ''}</td><td>{dots(b)}</td><td>{m.text}</td></tr>"
        for m, b in zip(moves, held, strict=True)
    )
    return (
        "<html><head><meta charset=utf-8><style>td{mso-number-format:'\\@'}</style></head><body>"
        f"<table><tr><td colspan=3>Số tài khoản: {account}</td></tr></table><table>"
        "<tr><th>Ngày hạch toán</th><th>Số CT</th><th>Phát sinh nợ</th><th>Phát sinh có</th>"
        f"<th>Số dư</th><th>Nội dung</th></tr>{rows}</table></body></html>"
    ).encode()


def signed(moves: Sequence[Move], opening: int = OPENING) -> bytes:
    """One column of amounts with their sign, as MB and others export."""
    held = balances(moves, opening)
    rows: list[list[Value]] = [
        ["Thời gian giao dịch", "Mã giao dịch", "Số tiền", "Nội dung", "Số dư"],
        *(
            [
                f"{m.day:%d/%m/%Y} 09:00",
                m.ref,
                f"{'+' if m.amount > 0 else '-'}{abs(m.amount):,} VND",
                m.text,
                f"{b:,} VND",
            ]
            for m, b in zip(moves, held, strict=True)
        ),
    ]
    return sheet(rows)


def mt940(moves: Sequence[Move], account: str, opening: int = OPENING) -> bytes:
    """SWIFT's message, comma for decimals."""
    closing = balances(moves, opening)[-1]
    lines = [
        ":20:SAOKE",
        f":25:BIDVVNVX/{account}",
        ":28C:00001/001",
        f":60F:C261124VND{opening},00",
    ]
    for m in moves:
        sign = "C" if m.amount > 0 else "D"
        lines.append(f":61:{m.day:%y%m%d}{m.day:%m%d}{sign}{abs(m.amount)},00NTRFNONREF//{m.ref}")
        lines.append(f":86:{m.text}")
    lines.append(f":62F:C261124VND{closing},00")
    return "\r\n".join([*lines, "-"]).encode()


def camt(moves: Sequence[Move], account: str, opening: int = OPENING) -> bytes:
    """ISO 20022, version 8."""
    closing = balances(moves, opening)[-1]

    def balance(kind: str, amount: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
            f'<Amt Ccy="VND">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
        )

    entries = "".join(
        f'<Ntry><Amt Ccy="VND">{abs(m.amount)}</Amt>'
        f"<CdtDbtInd>{'CRDT' if m.amount > 0 else 'DBIT'}</CdtDbtInd>"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{m.day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{m.ref}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Pty>"
        f"<Nm>{m.payer}</Nm></Pty></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{m.text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for m in moves
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<Stmt><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
        f"{balance('OPBD', opening)}{balance('CLBD', closing)}{entries}</Stmt>"
        "</BkToCstmrStmt></Document>"
    ).encode()
