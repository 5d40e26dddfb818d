"""Lists being taken in: the import, its rows, and what a school called its columns before.

The content of a file is kept thirty days at most: then the grid and the rows go, the counts stay.
What is taken leaves the grid at once; only rows left out remain, for the file that is mended.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.model import Model, RowId, SchoolOwned, UtcDateTime
from app.people.lists.columns import Kind


class Stage(StrEnum):
    """How far an import is."""

    READ = "read"
    WAITING = "waiting"
    REHEARSED = "rehearsed"
    TAKING = "taking"
    TAKEN = "taken"
    GIVEN_UP = "given_up"


class State(StrEnum):
    """What a rehearsal found of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"


class ListImport(SchoolOwned, Model):
    """One list handed in at a school, from the upload to what was taken of it."""

    __tablename__ = "list_imports"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_list_imports_school_id_uploaded_at", "school_id", "uploaded_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(8))
    stage: Mapped[Stage] = mapped_column(String(12))
    file_name: Mapped[str] = mapped_column(String(120))
    uploaded_by: Mapped[str] = mapped_column(String(120))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: the year the classes belong to
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_years.id"))
    #: the first day of newcomers whose row names none
    first_day: Mapped[date]
    #: the packed grid: whole before the take, the rows left out after it, NULL when it is over
    grid: Mapped[bytes | None] = mapped_column(LargeBinary)
    #: JSON: column number → meaning, and which of them their cells contradict
    mapping: Mapped[str] = mapped_column(Text)
    #: JSON: classes to open, what pupils are missing, notes about the whole file
    findings: Mapped[str] = mapped_column(Text)
    job_id: Mapped[int | None]
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    doubtful: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    missing: Mapped[int] = mapped_column(default=0)
    rehearsed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    taken_by: Mapped[str | None] = mapped_column(String(120))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: after this day nothing of the file is left
    kept_until: Mapped[date]


class ListImportRow(SchoolOwned, Model):
    """One row of a list as the last rehearsal saw it."""

    __tablename__ = "list_import_rows"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "import_id", "seq"),
        Index("ix_list_import_rows_school_id_import_id_state", "school_id", "import_id", "state"),
        ForeignKeyConstraint(
            ["school_id", "import_id"], ["list_imports.school_id", "list_imports.id"]
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    import_id: Mapped[int] = mapped_column(RowId)
    #: place among the rows that tell of somebody, from 1
    seq: Mapped[int]
    #: sheet, where there were several, and the row as the spreadsheet numbers it
    sheet: Mapped[str] = mapped_column(String(60))
    row_no: Mapped[int]
    state: Mapped[State] = mapped_column(String(12))
    #: as written, so that a page can be shown without the grid
    name: Mapped[str] = mapped_column(String(120))
    class_name: Mapped[str] = mapped_column(String(60))
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    #: a person's word on a doubtful row: `other`, or `same:<number of the child>`
    choice: Mapped[str] = mapped_column(String(28), default="")
    #: hand-made fields a person lets the list change, joined by commas
    ticks: Mapped[str] = mapped_column(String(120), default="")
    #: fields the list would change but a person's hand has set
    kept: Mapped[int] = mapped_column(default=0)
    is_taken: Mapped[bool] = mapped_column(default=False)
    #: JSON of the outcome: changes, troubles, notes, candidates
    detail: Mapped[str] = mapped_column(Text)


class ListMapping(SchoolOwned, Model):
    """What a school said the columns of files with these heads mean."""

    __tablename__ = "list_mappings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "kind", "signature"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[Kind] = mapped_column(String(8))
    #: hash of the heads
    signature: Mapped[str] = mapped_column(String(64))
    #: JSON: column number → meaning
    mapping: Mapped[str] = mapped_column(Text)
    said_by: Mapped[str] = mapped_column(String(120))
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)
