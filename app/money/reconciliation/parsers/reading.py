"""What a statement file is, is seen from its content; its name plays no part."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.sheets import read_sheets
from app.money.reconciliation.parsers.camt053 import is_camt, read_camt
from app.money.reconciliation.parsers.layouts import ANY, LAYOUTS, Layout
from app.money.reconciliation.parsers.mt940 import is_mt940, read_mt940
from app.money.reconciliation.parsers.pages import is_page, read_page
from app.money.reconciliation.parsers.shapes import StatementFile
from app.money.reconciliation.parsers.tables import read_table


def read_statement(
    data: bytes, filename: str = "", *, layouts: Iterable[Layout] = (), bank_bin: str = ""
) -> StatementFile:
    """The statement in a file, proved by its balances; taught layouts come before shipped ones.

    Raises StatementRefused, UnknownLayout when no head is recognised, SheetRefused when it is no
    table at all.
    """
    if is_camt(data):
        return read_camt(data)
    if is_mt940(data):
        return read_mt940(data)
    sheets = read_page(data) if is_page(data) else read_sheets(data, filename)
    own_bank = sorted(LAYOUTS, key=lambda layout: layout.bank_bin != bank_bin)
    return read_table(sheets, (*layouts, *own_bank, ANY))
