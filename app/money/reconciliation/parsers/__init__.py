"""Bank statements read into one shape, whatever file the bank gives; pure functions.

Nothing is guessed: a row whose amount or day cannot be read, and a file whose balances do not add
up, are refused with the row that is to blame.
"""

from __future__ import annotations

from app.money.reconciliation.parsers.reading import read_statement
from app.money.reconciliation.parsers.shapes import FileRow, StatementFile

__all__ = ["FileRow", "StatementFile", "read_statement"]
