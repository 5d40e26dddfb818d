"""What the lists' room refuses."""

from __future__ import annotations

from flask_babel import gettext as _

from app.core.errors import Invalid, NotFound, Refused


class ImportNotFound(NotFound):
    """No such list was taken in at this school."""

    code = "list_import_not_found"


class NoHead(Invalid):
    """Nothing in the file looks like the head of a list."""

    code = "list_without_head"

    def default_message(self) -> str:
        return _(
            "No row with column names was found in the first fifteen rows. The file needs at least"
            " a column for the full name and one more, such as the birth date."
        )


class NoRows(Invalid):
    """A head and nothing under it."""

    code = "list_without_rows"

    def default_message(self) -> str:
        return _("The file has column names but no rows under them.")


class ColumnMissing(Invalid):
    """A column a list cannot do without."""

    code = "list_column_missing"


class ColumnTwice(Invalid):
    """Two columns were given one meaning."""

    code = "list_column_twice"


class NotTheTime(Refused):
    """The step does not fit the state of the import."""

    code = "list_not_the_time"

    def default_message(self) -> str:
        return _("This list has been taken in or given up already.")


class NothingToTake(Refused):
    """No row of the list can be taken."""

    code = "list_nothing_to_take"

    def default_message(self) -> str:
        return _("There is nothing to take from this list.")


class SchoolColumnMissing(Invalid):
    """A list of the whole area has to say which school each row belongs to."""

    code = "list_school_column_missing"

    def default_message(self) -> str:
        return _("A list of the whole area needs a column with the code of the school.")


class NoFile(Invalid):
    """The form came without a file."""

    code = "list_without_file"

    def default_message(self) -> str:
        return _("Choose the file with the list first.")
