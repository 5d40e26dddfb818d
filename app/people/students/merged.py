"""Children once recorded twice: papers keep the old row, everything else asks for the child.

A merge never rewrites a bill, a payment or a receipt. It points the old row at the child it is, and
whoever asks by child asks for all of its rows; there is never more than one step.
"""

from __future__ import annotations

from collections.abc import Collection

from app.core.db import in_chunks, rows


def rows_of(student_ids: Collection[int]) -> dict[int, int]:
    """Every row that stands for these children, each with the child; their own rows are among them.

    A row that was merged into another is no child any more: asked for by itself, it gives nothing.
    """
    return {
        found.id: found.child
        for chunk in in_chunks(student_ids)
        for found in rows(
            "select id, id as child from students where id in :ids and merged_into_id is null"
            " union all"
            " select id, merged_into_id from students where merged_into_id in :ids",
            ids=chunk,
        )
    }


def children_behind(student_ids: Collection[int]) -> dict[int, int]:
    """The child each of these rows stands for today."""
    return {
        found.id: found.child
        for chunk in in_chunks(student_ids)
        for found in rows(
            "select id, coalesce(merged_into_id, id) as child from students where id in :ids",
            ids=chunk,
        )
    }
