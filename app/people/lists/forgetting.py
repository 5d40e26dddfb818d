"""What lists said of children made anonymous."""

from __future__ import annotations

from collections.abc import Collection

from app.core.db import execute, in_chunks


def forget_children(student_ids: Collection[int]) -> None:
    """Blank the rows that tell of these children and drop the files they stood in.

    The counts of an import stay. The caller commits.
    """
    for chunk in in_chunks(student_ids):
        execute(
            "update list_imports set grid = null where grid is not null and exists (select 1"
            " from list_import_rows r where r.school_id = list_imports.school_id"
            "  and r.import_id = list_imports.id and r.student_id in :ids)",
            ids=chunk,
        )
        execute(
            "update list_import_rows set name = '', detail = '{}', choice = '', ticks = ''"
            " where student_id in :ids",
            ids=chunk,
        )
