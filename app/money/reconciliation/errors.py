"""What reconciling refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused
from app.core.formats import vnd
from app.core.money import Vnd


class StatementRefused(Invalid):
    """A statement that cannot be taken; nothing of it is kept. `row` is the row to blame."""

    code = "statement_refused"

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class UnknownLayout(StatementRefused):
    """No head of the file could be recognised: somebody has to say which column is which."""

    code = "unknown_layout"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The columns of this file are not known yet. Say once which column holds the day,"
                " the amount and the text; the next file is then read by itself."
            )
        )


class AmountUnread(StatementRefused):
    """A cell that should hold an amount."""

    code = "amount_unread"

    def __init__(self, value: object, row: int) -> None:
        super().__init__(
            _(
                "Row %(row)s: “%(value)s” is not an amount in whole đồng. Nothing was imported.",
                row=row,
                value=str(value)[:40],
            ),
            row=row,
        )


class DayUnread(StatementRefused):
    """A cell that should hold a day."""

    code = "day_unread"

    def __init__(self, value: object, row: int) -> None:
        super().__init__(
            _(
                "Row %(row)s: “%(value)s” is not a day. Nothing was imported.",
                row=row,
                value=str(value)[:40],
            ),
            row=row,
        )


class BalanceBroken(StatementRefused):
    """The running balance does not follow from the row before."""

    code = "balance_broken"

    def __init__(self, row: int, expected: int, found: int) -> None:
        super().__init__(
            _(
                "Row %(row)s breaks the balance: after it the account should hold %(expected)s,"
                " the file says %(found)s. A row is missing or was changed. Nothing was imported;"
                " download the statement again.",
                row=row,
                expected=vnd(Vnd(expected)),
                found=vnd(Vnd(found)),
            ),
            row=row,
        )


class TotalBroken(StatementRefused):
    """Opening + credits − debits is not the closing balance."""

    code = "total_broken"

    def __init__(self, expected: int, closing: int, row: int | None) -> None:
        super().__init__(
            _(
                "The statement does not add up: opening + in − out gives %(expected)s, the file"
                " closes with %(closing)s. Nothing was imported; download the statement again.",
                expected=vnd(Vnd(expected)),
                closing=vnd(Vnd(closing)),
            ),
            row=row,
        )


class OtherAccount(StatementRefused):
    """The file names another account than the one chosen."""

    code = "other_account"

    def __init__(self, named: str, chosen: str) -> None:
        super().__init__(
            _(
                "This is the statement of account %(named)s, and you chose %(chosen)s. Choose the"
                " right account and send it again.",
                named=named,
                chosen=chosen,
            )
        )


class EmptyStatement(StatementRefused):
    """A head without a single row."""

    code = "empty_statement"

    def __init__(self) -> None:
        super().__init__(_("The statement holds no movement. Choose the days again at your bank."))


class AlreadyTaken(Refused):
    """The very same file of the same account came before."""

    code = "already_taken"

    def __init__(self, statement_id: int) -> None:
        super().__init__(_("This very file was imported before. Nothing was doubled."))
        self.statement_id = statement_id


class StatementNotFound(NotFound):
    """No such statement in this school."""

    code = "statement_not_found"


class AccountUnknown(NotFound):
    """No account of this number in the area."""

    code = "account_unknown"

    def default_message(self) -> str:
        return _("No school of the area has an account with this number.")
