"""A list of payouts as a file: many families at once, for support of the State above all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flask_babel import gettext as _

from app.core.ids import read_student_code
from app.core.money import Vnd
from app.core.sheets import SheetRefused, Value, read_sheets
from app.core.text import fold
from app.money.payments.queries import find_child
from app.money.payouts.errors import BadPayout
from app.money.payouts.models import Kind, Way
from app.money.payouts.services import NewPayout
from app.people.schools.banks import BANKS

#: what a column may be called, folded
_TITLES: Final = {
    "code": ("ma hoc sinh", "ma hs", "pupil code", "student code"),
    "amount": ("so tien", "amount"),
    "bank": ("ngan hang", "bank", "bin"),
    "account": ("so tai khoan", "stk", "account"),
    "holder": ("chu tai khoan", "ten tai khoan", "holder"),
    "reason": ("ly do", "noi dung", "reason"),
}
MOST: Final = 3000


def read_roster(
    school_id: int, kind: Kind, reason: str, data: bytes, filename: str
) -> list[NewPayout]:
    """The payouts a file asks for; refused whole with the row to blame (BadPayout)."""
    try:
        sheets = read_sheets(data, filename)
    except SheetRefused as refusal:
        raise BadPayout(refusal.message, "file") from None
    for sheet in sheets:
        for place, cells in enumerate(sheet.rows[:20]):
            columns = _columns(cells)
            if columns is not None:
                rows = sheet.rows[place + 1 :]
                first = sheet.first_row + place + 1
                return _read(school_id, kind, reason, columns, rows, first)
    raise BadPayout(
        _(
            "The first row needs the titles: pupil code, amount, bank, account number, account"
            " holder; reason if you like."
        ),
        "file",
    )


def _columns(cells: Sequence[Value]) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        title = fold(str(cell or "")).strip()
        for role, titles in _TITLES.items():
            if role not in found and any(title.startswith(one) for one in titles):
                found[role] = place
                break
    return found if {"code", "amount", "bank", "account", "holder"} <= set(found) else None


def _read(
    school_id: int,
    kind: Kind,
    reason: str,
    columns: dict[str, int],
    rows: Sequence[Sequence[Value]],
    first: int,
) -> list[NewPayout]:
    wanted = []
    for number, cells in enumerate(rows, start=first):
        if not any(cell not in (None, "") for cell in cells):
            continue
        words = {role: _word(cells[place]) for role, place in columns.items()}
        code = read_student_code(words["code"])
        child = find_child(school_id, code) if code else None
        if child is None:
            raise BadPayout(
                _(
                    "Row %(row)s: no pupil of this school has the code “%(code)s”. Nothing was"
                    " kept.",
                    row=number,
                    code=words["code"],
                ),
                "file",
            )
        digits = words["amount"].replace(".", "").replace(",", "").replace(" ", "")
        if not digits.isascii() or not digits.isdigit() or not 0 < int(digits) <= 10**9:
            raise BadPayout(
                _(
                    "Row %(row)s: “%(value)s” is not an amount in whole đồng. Nothing was kept.",
                    row=number,
                    value=words["amount"],
                ),
                "file",
            )
        bank = bank_of(words["bank"])
        if bank is None:
            raise BadPayout(
                _(
                    "Row %(row)s: the bank “%(value)s” is not known. Write its name or its six"
                    " digits. Nothing was kept.",
                    row=number,
                    value=words["bank"],
                ),
                "file",
            )
        wanted.append(
            NewPayout(
                kind,
                Way.TRANSFER,
                child.student_id,
                Vnd(int(digits)),
                words.get("reason") or reason,
                bank_bin=bank,
                account=words["account"],
                holder=words["holder"],
            )
        )
    if not wanted:
        raise BadPayout(_("The file has titles and no row below them."), "file")
    if len(wanted) > MOST:
        raise BadPayout(_("At most %(most)s rows at once.", most=MOST), "file")
    return wanted


def _word(cell: Value) -> str:
    # A number of an account may have become a number of the program.
    if isinstance(cell, float) and cell == int(cell):
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


def bank_of(text: str) -> str | None:
    """The BIN of a bank by its digits, short or full name; None when it could be several."""
    if text.strip() in BANKS:
        return text.strip()
    wanted = fold(text).replace(" ", "")
    if not wanted:
        return None
    exact = [one.bin for one in BANKS.values() if fold(one.short_name).replace(" ", "") == wanted]
    if exact:
        return exact[0]
    within = [one.bin for one in BANKS.values() if wanted in fold(one.full_name).replace(" ", "")]
    return within[0] if len(within) == 1 else None
